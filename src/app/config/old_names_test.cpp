#include "app/config/old_names.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "app/config/config.hpp"
#include "core/sim_fs.hpp"
#include "core/system_fs.hpp"

namespace everlearn {
namespace {

constexpr const char* kSmall = R"(
[target.up]
acts = true
horizon = "1h"
require = ["r2 >= 0.03", "r2_no_change>=0"]
[cycle]
every = "15m"
[env]
unknown_prefix = "OLD_"
OLD_HOURS = { key = "train.every", unit = "h" }
OLD_R2 = { key = "target.up.require", item = "r2>=" }
OLD_SIGN = { key = "target.up.require", item = "direction_accuracy>=" }
OLD_ROWS = "train.min_effective"
OLD_DIRECTORY = { no_effect = "models lie in the data directory" }
)";

struct User {
  SimFs fs;
  ConfigInput input{.profile = "my.toml", .environment = {}, .dot_env = {}, .overrides = {}};
  explicit User(const std::string& toml = kSmall) { REQUIRE(replace_file(fs, "my.toml", toml)); }
  Config loaded() {
    auto config = Config::load(fs, input);
    INFO((config ? "" : config.error().message));
    REQUIRE(config);
    return *config;
  }
  std::string refused() {
    const auto config = Config::load(fs, input);
    REQUIRE(!config);
    CHECK(config.error().code == Code::Config);
    return config.error().message;
  }
};

const Setting& setting(const Config& config, const std::string& key) {
  const auto found = std::ranges::find(config.settings, key, &Setting::key);
  REQUIRE(found != config.settings.end());
  return *found;
}

using Lines = std::vector<std::string>;

TEST_CASE("old names: a number gets its unit, an item of a list its number") {
  User user;
  user.input.dot_env = "OLD_HOURS=12  # twice a day\nOLD_R2=0.05\nOLD_SIGN=0.55\n";
  const Config config = user.loaded();
  CHECK(config.profile.train_schedule == "12h");
  CHECK(setting(config, "train.every").origin == ".env OLD_HOURS");
  CHECK(setting(config, "target.up.require").value == "[r2>=0.05, r2_no_change>=0, direction_accuracy>=0.55]");
  user.input.environment = {{"OLD_R2", "0.1"}};
  CHECK(setting(user.loaded(), "target.up.require").value == "[r2>=0.1, r2_no_change>=0, direction_accuracy>=0.55]");
}

TEST_CASE("old names: a star is every target") {
  User user{std::string{kSmall} + "OLD_BLEND = \"target.*.blend_weight\"\n[target.down]\nhorizon = \"2h\"\n"};
  user.input.dot_env = "OLD_BLEND=0.5\n";
  const Config config = user.loaded();
  REQUIRE(config.profile.targets.size() == 2);
  for (const TargetProfile& target : config.profile.targets) CHECK(target.blend_weight == 0.5);
  user.input.dot_env = "OLD_BLEND=1\n";
  CHECK(user.refused().find("target.down.blend_weight: \"1\" is not a number from 0 to 0.95") != std::string::npos);
}

TEST_CASE("old names: what is no number is refused by the name that was written") {
  User user;
  user.input.dot_env = "OLD_HOURS=6h\n";
  CHECK(user.refused().starts_with(".env OLD_HOURS: \"6h\" is not an integer from 0"));
  user.input.dot_env = "OLD_R2=good\n";
  CHECK(user.refused() == ".env OLD_R2: \"good\" is not a number (target.up.require)");
}

TEST_CASE("old names: beside our own name ours goes first, and the environment before .env") {
  User user;
  user.input.dot_env = "OLD_ROWS=1\nEVERLEARN__TRAIN__MIN_EFFECTIVE=2\n";
  CHECK(user.loaded().profile.min_effective == 2);
  user.input.environment = {{"OLD_ROWS", "3"}};
  CHECK(user.loaded().profile.min_effective == 3);
}

TEST_CASE("old names: what sets nothing is told of, without its value") {
  User user;
  user.input.dot_env = "OLD_DIRECTORY=canary\nOLD_ROW=canary\nOTHER_KEY=canary\n";
  user.input.environment = {{"OLD_WALLET_KEY", "canary"}, {"PATH", "/bin"}};
  const Config config = user.loaded();
  CHECK(unheard_words(config) ==
        Lines{"NOT HONOURED: OLD_ROW (.env): profile my knows no such name; did you mean OLD_ROWS?",
              "NOT HONOURED: OLD_WALLET_KEY (environment): profile my knows no such name",
              "no effect: OLD_DIRECTORY (.env): models lie in the data directory"});
  std::string all = settings_toml(config) + commented_toml(config);
  for (const Setting& one : config.settings) all += one.value + one.origin;
  CHECK(all.find("canary") == std::string::npos);
  CHECK(User{}.loaded().not_honoured.empty());
}

TEST_CASE("old names: a data directory keeps them") {
  const Config config = User{}.loaded();
  User kept{settings_toml(config)};
  kept.input.dot_env = "OLD_HOURS=7\nOLD_R2=0.2\nOLD_UNKNOWN=1\nOLD_DIRECTORY=x\n";
  const Config again = kept.loaded();
  CHECK(again.profile.train_schedule == "7h");
  CHECK(again.old_names.entries() == config.old_names.entries());
  CHECK(again.not_honoured.size() == 1);
  CHECK(again.without_effect.size() == 1);
}

TEST_CASE("old names: what [env] may say") {
  const std::string rest = "[target.up]\nacts = true\n[cycle]\nevery = \"1h\"\n[env]\n";
  CHECK(User{rest + "X = { unit = \"h\" }\n"}.refused() ==
        "env.X needs either a key or, in no_effect, why it has none");
  CHECK(User{rest + "X = { key = \"seed\", item = \"a\", unit = \"h\" }\n"}.refused() ==
        "env.X has a unit and an item: one of them");
  CHECK(User{rest + "X = { keys = \"seed\" }\n"}.refused() ==
        "my.toml:6: env.X.keys: a name has key, unit, item or no_effect");
  CHECK(User{rest + "X = { key = \"train.evry\" }\n"}.refused() ==
        "env.X stands for \"train.evry\", which is no setting");
  CHECK(User{rest + "X = [\"seed\"]\n"}.refused() == "my.toml:6: env.X: \"[seed]\" is not a text");
}

TEST_CASE("old names: the one that learning switches on by itself") {
  CHECK(auto_enable_env_name(User{}.loaded()) == std::nullopt);
  CHECK(auto_enable_env_name(User{std::string{kSmall} + "OLD_ML = \"train.enabled\"\n"}.loaded()) == "OLD_ML");
}

// --- the older Polymarket system: docs/compatibility.md --------------------------------------------------------------

struct OldSetting {
  std::string name, key, fallback;  // as the documents have it, by our words
  std::string given, meant;
};

const std::vector<OldSetting>& old_settings() {
  static const std::vector<OldSetting> all{
      {"POLYBOT_ENABLE_ML", "train.enabled", "false", "True", "True"},
      {"POLYBOT_ML_RETRAIN_INTERVAL_HOURS", "train.every", "6h", "12", "12h"},
      {"POLYBOT_ML_DATA_RETENTION_DAYS", "retention.days", "1095", "730", "730"},
      {"POLYBOT_ML_MAX_TRAINING_EXAMPLES", "train.max_examples", "25000000", "10000000", "10000000"},
      {"POLYBOT_ML_PRICE_SNAPSHOT_INTERVAL_MINUTES", "prices.every", "15m", "30", "30m"},
      {"POLYBOT_ML_ENABLE_BACKFILL", "backfill.use", "true", "false", "false"},
      {"POLYBOT_ML_AUTO_ENABLE_THRESHOLD", "train.auto_enable", "2000", "0", "0"},
      {"POLYBOT_ML_MIN_TRAINING_EXAMPLES", "train.min_effective", "1000", "3000", "3000"},
      {"POLYBOT_ML_VALIDATION_THRESHOLD_R2", "target.change_1h.require", "[r2>=0.03, direction_accuracy>=0.52]", "0.05",
       "[r2>=0.05, direction_accuracy>=0.52]"},
      {"POLYBOT_ML_PREDICTION_BLEND_WEIGHT", "target.change_1h.blend_weight", "0.7", "0.5", "0.5"},
      {"POLYBOT_ML_DATA_COLLECTION_LIMIT", "venue.markets", "50", "250", "250"},
      {"POLYBOT_ML_USE_ENSEMBLE", "ensemble.use", "false", "true", "true"},
  };
  return all;
}

Config polymarket(ConfigInput input, const std::string& profile = "polymarket") {
  SimFs fs;
  input.profile = profile;
  const auto config = Config::load(fs, input);
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return *config;
}

TEST_CASE("old names: the older Polymarket system's settings have their defaults, and mean what they meant") {
  const Config defaults = polymarket({});
  for (const OldSetting& old : old_settings()) {
    CAPTURE(old.name);
    CHECK(setting(defaults, old.key).value == old.fallback);
    for (const bool in_file : {true, false}) {
      ConfigInput input;
      if (in_file)
        input.dot_env = old.name + "=" + old.given + "\n";
      else
        input.environment = {{old.name, old.given}};
      const Config config = polymarket(input);
      CHECK(setting(config, old.key).value == old.meant);
      CHECK(setting(config, old.key).origin == (in_file ? ".env " : "environment ") + old.name);
      CHECK(unheard_words(config).empty());
    }
  }
  CHECK(auto_enable_env_name(defaults) == "POLYBOT_ENABLE_ML");
}

TEST_CASE("old names: the complete .env of both older documents is understood to the last line") {
  ConfigInput input;
  input.dot_env =
      "# === ML Core (unchanged) ===\nPOLYBOT_ENABLE_ML=false  # Auto-enabled when ready\nPOLYBOT_ML_MODEL_DIR=models\n"
      "POLYBOT_ML_DATA_DB=data/training_data.db\nPOLYBOT_ML_RETRAIN_INTERVAL_HOURS=6\n\n"
      "POLYBOT_ML_DATA_RETENTION_DAYS=1095  # 3 years (was 730)\n"
      "POLYBOT_ML_MAX_TRAINING_EXAMPLES=25000000  # 25M (was 5M)\n"
      "POLYBOT_ML_PRICE_SNAPSHOT_INTERVAL_MINUTES=15  # Collect every 15 min\n"
      "POLYBOT_ML_ENABLE_BACKFILL=true  # Fill gaps when restarted\n"
      "POLYBOT_ML_AUTO_ENABLE_THRESHOLD=2000  # Auto-enable at 2,000 examples\n"
      "POLYBOT_ML_MIN_TRAINING_EXAMPLES=1000\nPOLYBOT_ML_VALIDATION_THRESHOLD_R2=0.03\n"
      "POLYBOT_ML_PREDICTION_BLEND_WEIGHT=0.7\nPOLYBOT_ML_DATA_COLLECTION_LIMIT=50  # Track 50 markets\n"
      "POLYBOT_ML_USE_ENSEMBLE=false  # Use single model (simpler)\n";
  const Config config = polymarket(input), defaults = polymarket({});
  CHECK(unheard_words(config) ==
        Lines{"no effect: POLYBOT_ML_DATA_DB (.env): everything lies in the data directory (--data)",
              "no effect: POLYBOT_ML_MODEL_DIR (.env): models lie in models/ of the data directory (--data)"});
  REQUIRE(config.settings.size() == defaults.settings.size());
  for (std::size_t i = 0; i < config.settings.size(); ++i) {
    CAPTURE(config.settings[i].key);
    CHECK(config.settings[i].value == defaults.settings[i].value);
  }
}

TEST_CASE("old names: every one of them stands in docs/compatibility.md") {
  SystemFs fs;
  const auto page = read_file(fs, std::string{EVERLEARN_SOURCE_DIR} + "/docs/compatibility.md");
  REQUIRE(page);
  const Config defaults = polymarket({});
  REQUIRE(defaults.old_names.names.size() == 14);
  for (const auto& [name, old] : defaults.old_names.names) {
    CAPTURE(name);
    const std::string row =
        old.key.empty() ? fmt::format("| `{}` | none |", name) : fmt::format("| `{}` | `{}` |", name, old.key);
    CHECK(page->find(row) != std::string::npos);
  }
}

TEST_CASE("old names: they count in the profile that lists them, and in no other") {
  ConfigInput input;
  for (const OldSetting& old : old_settings()) input.environment[old.name] = old.given;
  input.environment["POLYBOT_SOMETHING"] = "1";
  for (const auto& [name, text] : built_in_profiles()) {
    if (name == "polymarket") continue;
    CAPTURE(name);
    const Config with = polymarket(input, name), without = polymarket({}, name);
    CHECK(unheard_words(with).empty());
    for (std::size_t i = 0; i < with.settings.size(); ++i) CHECK(with.settings[i].value == without.settings[i].value);
  }
  CHECK(polymarket(input).not_honoured.size() == 1);
}

}  // namespace
}  // namespace everlearn
