#include "app/config/old_names.hpp"

#include <doctest/doctest.h>

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

}  // namespace
}  // namespace everlearn
