#include "app/cli/command.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>

#include "app/config/secret_file.hpp"
#include "core/json.hpp"
#include "core/system_fs.hpp"

extern char** environ;  // NOLINT: POSIX names it so

namespace everlearn::cli {
namespace {

std::string program_directory() {
  std::array<char, 4096> path{};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string text{path.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
  return text.substr(0, text.rfind('/'));
}

constexpr const char* kDataRoot = "everlearn-data";

std::string default_profile() { return built_in_profiles().front().first; }

/// The one data directory here, if nothing says which.
Result<std::string> only_directory(Fs& fs) {
  std::vector<std::string> found;
  if (const auto entries = fs.list(kDataRoot))
    for (const DirectoryEntry& entry : *entries)
      if (fs.exists(fmt::format("{}/{}/everlearn.db", kDataRoot, entry.name)))
        found.push_back(fmt::format("{}/{}", kDataRoot, entry.name));
  if (found.empty()) return fmt::format("{}/{}", kDataRoot, default_profile());
  if (found.size() == 1) return found.front();
  return fail(Code::Usage, fmt::format("which one? Give --data or --profile: there are {}", fmt::join(found, ", ")));
}

}  // namespace

void add_common(CLI::App& verb, CommonOptions& options) {
  verb.add_option("--profile", options.profile, "a built-in profile or the path of a TOML file");
  verb.add_option("--data", options.data, "data directory (default: everlearn-data/<profile>)");
  verb.add_flag("--json", options.json, "one JSON document on stdout");
  verb.add_option("--set", options.settings, "a setting, KEY=VALUE; may be repeated")->take_all();
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      variables.emplace(std::string{text.substr(0, equals)}, std::string{text.substr(equals + 1)});
  }
  return variables;
}

int exit_code(Code code) {
  switch (code) {
    case Code::Usage:
      return 2;
    case Code::Config:
      return 10;
    case Code::InUse:
      return 11;
    case Code::Damaged:
      return 12;
    case Code::Storage:
      return 13;
    default:
      return 1;
  }
}

Result<Config> load_config(const CommonOptions& options, std::vector<std::pair<std::string, std::string>> more) {
  ConfigInput input;
  input.profile = options.profile.empty() ? default_profile() : options.profile;
  input.environment = process_environment();
  input.secret_file = read_secret_file;
  SystemFs fs;
  if (fs.exists(".env")) {
    EL_TRY(input.dot_env, read_file(fs, ".env", 1 << 20));
  }
  for (const std::string& setting : options.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) return fail(Code::Usage, fmt::format("--set {}: wanted KEY=VALUE", setting));
    input.overrides.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  for (auto& setting : more) input.overrides.push_back(std::move(setting));
  return Config::load(fs, input);
}

std::string data_directory(const CommonOptions& options, const Profile& profile) {
  return options.data.empty() ? fmt::format("{}/{}", kDataRoot, profile.name) : options.data;
}

Result<Place> find_place(const CommonOptions& options) {
  SystemFs fs;
  Place place;
  std::optional<Config> given;
  if (!options.profile.empty()) {
    EL_TRY(given, load_config(options));
  }
  if (!options.data.empty()) {
    place.directory = options.data;
  } else if (given) {
    place.directory = data_directory(options, given->profile);
  } else {
    EL_TRY(place.directory, only_directory(fs));
  }
  // The settings it runs with, not those that a profile of its name has today.
  CommonOptions kept = options;
  kept.profile = kept_settings_path(place.directory);
  if (!fs.exists(kept.profile)) {
    if (!given) {
      EL_TRY(given, load_config(options));
    }
    place.config = std::move(*given);
    return place;
  }
  EL_TRY(place.config, load_config(kept));
  if (given && given->profile.name != place.config.profile.name)
    return fail(Code::Config, fmt::format("{} belongs to profile {}, not to {}", place.directory,
                                          place.config.profile.name, given->profile.name));
  return place;
}

Result<Place> live_place(const CommonOptions& options) {
  if (options.profile.empty()) return find_place(options);
  Place place;
  EL_TRY(place.config, load_config(options));
  place.directory = data_directory(options, place.config.profile);
  return place;
}

Result<std::unique_ptr<DataDirectory>> open_directory(const CommonOptions& options, DataDirectory::Access access) {
  EL_TRY(Place place, find_place(options));
  return DataDirectory::open(place.directory, std::move(place.config), access);
}

Result<void> print_json(std::string_view json) {
  EL_TRY(const std::string pretty, json_pretty(json));
  fmt::print("{}\n", pretty);
  return {};
}

Result<std::optional<Timestamp>> parse_moment(const std::string& flag, const std::string& text) {
  if (text.empty()) return std::optional<Timestamp>{};
  const auto whole = Timestamp::parse(text.find_first_of("T ") == std::string::npos ? text + "T00:00:00Z" : text);
  if (!whole) return fail(Code::Usage, fmt::format("{} {}: {}", flag, text, whole.error().message));
  return std::optional{*whole};
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string beside_us(const std::string& program) { return program_directory() + "/" + program; }

Result<std::string> recordings_root() {
  if (const char* home = std::getenv("EVERLEARN_HOME")) return std::string{home};
  SystemFs fs;
  // build/<preset>/bin lies three levels below the repository.
  for (const std::string& root : {std::string{"."}, program_directory() + "/../../.."})
    if (fs.exists(root + "/recordings")) return root;
  return fail(Code::NotFound,
              "no recordings/ here: run scripts/bootstrap in the repository, or set EVERLEARN_HOME to it");
}

}  // namespace everlearn::cli
