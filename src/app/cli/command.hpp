// What every verb shares: the options that all of them have, how a profile and a data directory are found, how errors
// become exit codes. stdout carries the result (with --json one document), stderr everything else.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/data_directory.hpp"
#include "core/result.hpp"

namespace CLI {
class App;
}

namespace everlearn::cli {

struct CommonOptions {
  std::string profile;  // name or file; empty: of the data directory, else the first built-in one
  std::string data;     // empty: ./everlearn-data/<profile>
  bool json = false;
  std::vector<std::string> settings;  // --set key=value
};

/// Adds --profile, --data, --json and --set to a verb.
void add_common(CLI::App& verb, CommonOptions& options);

/// 0 ok, 1 failed, 2 usage, 10 configuration, 11 in use, 12 damaged, 13 storage.
int exit_code(Code code);

/// The variables of this process.
std::map<std::string, std::string> process_environment();

/// The configuration of a verb: profile, .env, environment and --set. `more`: what the verb's own flags set.
Result<Config> load_config(const CommonOptions& options, std::vector<std::pair<std::string, std::string>> more = {});
std::string data_directory(const CommonOptions& options, const Profile& profile);

/// Where a verb looks: the directory, and the settings that it runs with (DIR/profile.toml) under --set. Without --data
/// and
/// --profile: the one directory below ./everlearn-data. Errors: Usage if there are several; Config.
struct Place {
  Config config;
  std::string directory;
};
Result<Place> find_place(const CommonOptions& options);
/// For what goes on with a directory: without --profile with the settings it has; with one, these are the new ones.
Result<Place> live_place(const CommonOptions& options);
Result<std::unique_ptr<DataDirectory>> open_directory(const CommonOptions& options, DataDirectory::Access access);

/// Indented, on stdout.
Result<void> print_json(std::string_view json);
/// Columns side by side.
std::string table_text(const std::vector<std::vector<std::string>>& rows);
/// A flag's RFC 3339 time, or a date (UTC); empty text: none. Errors: Usage.
Result<std::optional<Timestamp>> parse_moment(const std::string& flag, const std::string& text);

/// Path of a program beside this one ("everlearn-train").
std::string beside_us(const std::string& program);
/// Where the repository's recordings lie: next to the build, or where EVERLEARN_HOME says.
Result<std::string> recordings_root();

/// A verb: registered on the app, run after parsing.
using Run = std::function<Result<void>()>;
struct Verbs {
  CLI::App& app;
  std::map<CLI::App*, Run> runs;
};

void add_alerts(Verbs& verbs);
void add_analyze(Verbs& verbs);
void add_config(Verbs& verbs);
void add_data(Verbs& verbs);
void add_demo(Verbs& verbs);
void add_doctor(Verbs& verbs);
void add_evaluate(Verbs& verbs);
void add_features(Verbs& verbs);
void add_init(Verbs& verbs);
void add_intents(Verbs& verbs);
void add_logs(Verbs& verbs);
void add_models(Verbs& verbs);
void add_pause(Verbs& verbs);
void add_performance(Verbs& verbs);
void add_run(Verbs& verbs);
void add_schedule(Verbs& verbs);
void add_signals(Verbs& verbs);
void add_simulate(Verbs& verbs);
void add_status(Verbs& verbs);
void add_train(Verbs& verbs);
void add_why(Verbs& verbs);

}  // namespace everlearn::cli
