#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "app/cli/command.hpp"
#include "core/json.hpp"
#include "core/system_fs.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::size_t lines = 50;
  bool journal = false;
};

struct Line {
  std::string at, level, event, text;
};

std::vector<Line> read_log(Fs& fs, const std::string& path) {
  std::vector<Line> lines;
  const auto text = read_file(fs, path, 64 << 20);
  if (!text) return lines;
  for (const std::string& json : text_lines(*text)) {
    auto in = JsonIn::parse(json);
    if (!in) continue;  // a line that a crash cut
    Line line;
    in->get("at", line.at);
    in->get("level", line.level);
    in->get("event", line.event);
    in->get("text", line.text);
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<void> run(const Options& options) {
  EL_TRY(const Place place, find_place(options.common));
  SystemFs fs;
  std::vector<Line> lines;
  if (!options.journal) {
    lines = read_log(fs, place.directory + "/logs/everlearn.1.jsonl");
    const std::vector<Line> newest = read_log(fs, place.directory + "/logs/everlearn.jsonl");
    lines.insert(lines.end(), newest.begin(), newest.end());
  }
  if (lines.empty()) {  // a simulation writes none: its journal tells what happened
    EL_TRY(const auto directory, DataDirectory::open(place.directory, place.config, DataDirectory::Access::Read));
    EL_TRY(const auto notes, directory->store().notes());
    for (const Store::Note& note : notes)
      lines.push_back({note.at.iso(), "journal", note.kind, note.text.substr(0, note.text.find('\n'))});
  }
  const std::size_t from = lines.size() - std::min(lines.size(), options.lines);
  if (options.common.json) {
    std::vector<std::string> all;
    for (std::size_t i = from; i < lines.size(); ++i)
      all.push_back(JsonOut{}
                        .put("at", lines[i].at)
                        .put("level", lines[i].level)
                        .put("event", lines[i].event)
                        .put("text", lines[i].text)
                        .text());
    return print_json(JsonOut{}.put_list("lines", all).text());
  }
  for (std::size_t i = from; i < lines.size(); ++i)
    fmt::print("{} {:<8} {:<20} {}\n", lines[i].at.substr(0, 19), lines[i].level, lines[i].event, lines[i].text);
  return {};
}

}  // namespace

void add_logs(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = verbs.app.add_subcommand("logs", "what the daemon said; the journal where no daemon has run");
  add_common(*verb, options->common);
  verb->add_option("--lines", options->lines, "the last so many");
  verb->add_flag("--journal", options->journal, "what was decided and done by hand, from the store");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
