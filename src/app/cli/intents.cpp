#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "app/by_hand.hpp"
#include "app/cli/command.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"

namespace everlearn::cli {
namespace {

constexpr std::size_t kShownName = 24;  // of a token: 78 digits say no more than their first ones

struct Options {
  CommonOptions common;
  std::string state, id;
  std::size_t limit = 20;
};

struct Filled {
  double units = 0, value = 0, fees = 0;
  double price() const { return value / units; }
};

std::string second(Timestamp t) { return t.iso().substr(0, 19) + "Z"; }

std::string shortened(std::string name) {
  if (name.size() > kShownName) name = name.substr(0, kShownName - 3) + "...";
  return name;
}

// What the entries of each intent came to.
Result<std::map<std::int64_t, Filled>> entries(const Store& store) {
  std::map<std::int64_t, Filled> filled;
  EL_TRY(const auto fills, store.fills());
  for (const FillRow& fill : fills) {
    if (fill.reason != "entry") continue;
    Filled& sum = filled[fill.intent];
    sum.units += fill.quantity;
    sum.value += fill.quantity * fill.price.value();
    sum.fees += fill.cost;
  }
  return filled;
}

std::string listed_json(const DataDirectory& directory, const IntentRow& intent, const Filled& filled) {
  JsonOut out;
  out.put("id", intent.id)
      .put("instrument", directory.instrument(intent.instrument))
      .put("side", intent.quantity > 0   ? "buy"
                   : intent.quantity < 0 ? "sell"
                                         : "none")
      .put("size", std::fabs(intent.quantity))
      .put("limit", intent.limit.value())
      .put("expected_value", intent.expected_value)
      .put("created", intent.created.iso())
      .put("expires", intent.expires.iso())
      .put("state", intent.state)
      .put("reason", intent.reason)
      .put("filled", std::fabs(filled.units));
  filled.units != 0 ? out.put("price", filled.price()) : out.put_null("price");
  return out.put("fees", filled.fees).text();
}

Result<void> list(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(auto intents, directory->store().intents());
  EL_TRY(auto filled, entries(directory->store()));
  std::erase_if(intents, [&](const IntentRow& row) { return !options.state.empty() && row.state != options.state; });
  if (intents.size() > options.limit)
    intents.erase(intents.begin(), intents.end() - static_cast<std::ptrdiff_t>(options.limit));
  std::reverse(intents.begin(), intents.end());
  if (options.common.json) {
    std::vector<std::string> rows;
    for (const IntentRow& intent : intents) rows.push_back(listed_json(*directory, intent, filled[intent.id]));
    return print_json(JsonOut{}.put_list("intents", rows).text());
  }
  if (intents.empty()) {
    fmt::print("{}\n", options.state.empty() ? "no intent yet" : fmt::format("no intent is {}", options.state));
    return {};
  }
  std::vector<std::vector<std::string>> rows{
      {"id", "created", "instrument", "", "size", "limit", "filled", "at", "state", "why"}};
  for (const IntentRow& intent : intents) {
    const Filled& sum = filled[intent.id];
    rows.push_back({std::to_string(intent.id), second(intent.created),
                    shortened(directory->instrument(intent.instrument)),
                    intent.quantity > 0   ? "buy"
                    : intent.quantity < 0 ? "sell"
                                          : "",
                    figure(std::fabs(intent.quantity), 2), intent.limit.text(),
                    sum.units != 0 ? figure(std::fabs(sum.units), 2) : "", sum.units != 0 ? figure(sum.price(), 4) : "",
                    intent.state, intent.reason});
  }
  fmt::print("{}", table_text(rows));
  return {};
}

Result<void> decide(const Options& options, const std::string& verb) {
  EL_TRY(const Place place, find_place(options.common));
  EL_TRY(const std::string said, carry_out({verb, {{"id", options.id}}}, place.directory, place.config));
  if (options.common.json) return print_json(JsonOut{}.put("done", true).put("text", said).text());
  fmt::print("{}\n", said);
  return {};
}

}  // namespace

void add_intents(Verbs& verbs) {
  CLI::App* intents = verbs.app.add_subcommand("intents", "orders on paper: what became of them, and approval by hand");
  intents->require_subcommand(1);
  auto of_list = std::make_shared<Options>();
  CLI::App* listed = intents->add_subcommand("list", "the newest intents, what was filled, and why not");
  add_common(*listed, of_list->common);
  listed->add_option("--state", of_list->state, "only these: waiting, open, filled, part filled, expired, rejected")
      ->check(CLI::IsMember({"waiting", "open", "filled", "part filled", "expired", "rejected"}));
  listed->add_option("--limit", of_list->limit, "how many (default: 20)")->check(CLI::Range(1, 1'000'000));
  verbs.runs[listed] = [of_list] { return list(*of_list); };
  const auto add = [&](const char* name, const char* what) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = intents->add_subcommand(name, what);
    add_common(*verb, options->common);
    verb->add_option("ID", options->id, "the number that `intents list` shows")->required();
    verbs.runs[verb] = [options, asked = fmt::format("intents.{}", name)] { return decide(*options, asked); };
  };
  add("approve", "let a waiting intent be filled; trade.approval = hand");
  add("reject", "end a waiting intent");
}

}  // namespace everlearn::cli
