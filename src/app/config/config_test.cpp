#include "app/config/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "app/config/keys.hpp"
#include "core/sim_fs.hpp"
#include "core/system_fs.hpp"

namespace everlearn {
namespace {

constexpr const char* kSmall = R"(
[target.up]
acts = true
horizon = "1h"
[cycle]
every = "15m"
)";

struct User {
  SimFs fs;
  ConfigInput input{.profile = "my.toml", .environment = {}, .dot_env = {}, .overrides = {}};
  explicit User(const std::string& toml = kSmall) { REQUIRE(replace_file(fs, "my.toml", toml)); }
  Result<Config> load() { return Config::load(fs, input); }
  Config loaded() {
    auto config = load();
    INFO((config ? "" : config.error().message));
    REQUIRE(config);
    return *config;
  }
  std::string refused() {
    const auto config = load();
    REQUIRE(!config);
    CHECK(config.error().code == Code::Config);
    return config.error().message;
  }
};

const Setting& setting(const Config& config, const std::string& key) {
  const auto found =
      std::find_if(config.settings.begin(), config.settings.end(), [&](const Setting& s) { return s.key == key; });
  REQUIRE(found != config.settings.end());
  return *found;
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

Config built_in(const std::string& name) {
  SimFs fs;
  const auto config = Config::load(fs, {.profile = name, .environment = {}, .dot_env = {}, .overrides = {}});
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return *config;
}

TEST_CASE("config: every built-in profile loads and is called by its name") {
  REQUIRE(built_in_profiles().size() >= 3);
  for (const auto& [name, text] : built_in_profiles()) CHECK(built_in(name).profile.name == name);
}

TEST_CASE("config: later layers win, and each value knows where it came from") {
  User user{std::string{kSmall} + "[train]\nevery = \"1h\"\nwindow = \"10d\"\nembargo = \"1h\"\nthreads = 2\n"};
  user.input.dot_env = "EVERLEARN__TRAIN__WINDOW=20d\nEVERLEARN__TRAIN__EMBARGO=2h\nEVERLEARN__TRAIN__THREADS=3\n";
  user.input.environment = {{"EVERLEARN__TRAIN__EMBARGO", "3h"}, {"EVERLEARN__TRAIN__THREADS", "4"}};
  user.input.overrides = {{"train.threads", "5"}};
  const Config config = user.loaded();
  CHECK(setting(config, "train.stop_share").origin == "default");
  CHECK(setting(config, "train.every").value == "1h");
  CHECK(setting(config, "train.every").origin == "my.toml:8");
  CHECK(setting(config, "train.window").value == "20d");
  CHECK(setting(config, "train.window").origin == ".env EVERLEARN__TRAIN__WINDOW");
  CHECK(setting(config, "train.embargo").value == "3h");
  CHECK(setting(config, "train.embargo").origin == "environment EVERLEARN__TRAIN__EMBARGO");
  CHECK(config.profile.threads == 5);
  CHECK(setting(config, "train.threads").origin == "command line");
}

TEST_CASE("config: a user's file stands on a built-in profile") {
  User user{"base = \"demo\"\n[trade]\norder = 1234\n"};
  const Config config = user.loaded();
  CHECK(config.profile.name == "demo");
  CHECK(config.profile.paper.limits.order == 1234);
  CHECK(setting(config, "trade.order").origin == "my.toml:3");
  CHECK(setting(config, "trade.capital").origin.starts_with("profile demo"));
}

TEST_CASE("config: a file is called by its name, unless it gives one") {
  CHECK(User{}.loaded().profile.name == "my");
  CHECK(User{std::string{"name = \"mine\"\n"} + kSmall}.loaded().profile.name == "mine");
  CHECK(contains(User{std::string{"name = \"../up\"\n"} + kSmall}.refused(), "../up"));
}

TEST_CASE("config: an unknown key names its line and the key that was meant") {
  const std::string said = User{std::string{kSmall} + "[train]\nevry = \"6h\"\n"}.refused();
  CHECK(contains(said, "my.toml:8"));
  CHECK(contains(said, "\"train.evry\""));
  CHECK(contains(said, "\"train.every\""));
  User user;
  user.input.environment = {{"EVERLEARN__TRAIN__EVRY", "6h"}};
  CHECK(contains(user.refused(), "EVERLEARN__TRAIN__EVRY"));
  User on_the_line;
  on_the_line.input.overrides = {{"nonsense", "1"}};
  CHECK(contains(on_the_line.refused(), "command line"));
}

TEST_CASE("config: a wrong value names file, line, key, value and what is allowed") {
  const std::string type = User{std::string{kSmall} + "[train]\nthreads = \"many\"\n"}.refused();
  for (const char* part : {"my.toml:8", "train.threads", "\"many\"", "an integer from 1 to 256"})
    CHECK(contains(type, part));
  const std::string range = User{std::string{kSmall} + "[train]\nstop_share = 0.9\n"}.refused();
  for (const char* part : {"my.toml:8", "train.stop_share", "\"0.9\"", "0.01 to 0.5"}) CHECK(contains(range, part));
  const std::string choice = User{"[target.up]\nacts = true\nlabel = \"forward\"\n[cycle]\nevery = \"1h\"\n"}.refused();
  for (const char* part : {"my.toml:3", "target.up.label", "forward_return"}) CHECK(contains(choice, part));
  CHECK(contains(User{std::string{kSmall} + "[train]\nwindow = \"a week\"\n"}.refused(), "15m, 6h or 30d"));
}

TEST_CASE("config: services of a venue are encrypted, or on this machine") {
  const auto with = [](const std::string& lines) { return std::string{kSmall} + "[venue]\n" + lines; };
  const Config own = User{with("clob = \"http://127.0.0.1:8080/\"\nsocket = \"ws://localhost:8080\"\n")}.loaded();
  CHECK(own.profile.venue.clob == "http://127.0.0.1:8080");
  CHECK(own.profile.venue.socket == "ws://localhost:8080");
  CHECK(own.profile.venue.gamma == VenueOptions{}.gamma);
  for (const char* line : {"clob = \"http://example.com\"\n", "socket = \"ws://example.com\"\n",
                           "socket = \"https://example.com\"\n", "clob = \"https://example.com/v1\"\n"})
    CHECK(contains(User{with(line)}.refused(), "my.toml:8"));
  CHECK(contains(User{with("silence = \"0s\"\n")}.refused(), "less than 1s"));
  CHECK(contains(User{with("assets_per_socket = 500\n")}.refused(), "an integer from 1 to 400"));
}

TEST_CASE("config: a file that is no TOML names its line") {
  CHECK(contains(User{"[target.up\n"}.refused(), "my.toml:1"));
}

TEST_CASE("config: of .env only names that are ours are read") {
  User user;
  user.input.dot_env =
      "# a comment\nexport EVERLEARN__TRADE__ORDER=\"12.5\"  "
      "\nWALLET_KEY=canary\nTRADE__CAPITAL=7\nEVERLEARN__TRADE__TOTAL=3 # three\n";
  const Config config = user.loaded();
  CHECK(config.profile.paper.limits.order == 12.5);
  CHECK(config.profile.paper.limits.total == 3);
  CHECK(config.profile.paper.limits.capital == 0);
  CHECK(!contains(settings_toml(config), "canary"));
}

TEST_CASE("config: a secret reaches the profile, and no text that is shown or kept") {
  constexpr const char* kToken = "123456:AAverysecret";
  const auto holds_none = [&](const Config& config) {
    for (const std::string& text : {settings_toml(config), commented_toml(config)})
      CHECK(!contains(text, "AAverysecret"));
    for (const Setting& one : config.settings)
      CHECK(!contains(one.value + one.written.text() + one.origin + one.doc, "AAverysecret"));
  };
  User user{std::string{kSmall} + "[env]\nTELEGRAM_BOT_TOKEN = \"alert.telegram.token\"\n"};
  SUBCASE("from the environment") {
    user.input.environment = {{"TELEGRAM_BOT_TOKEN", kToken}};
    const Config config = user.loaded();
    CHECK(config.profile.alert.telegram.token.reveal() == kToken);
    CHECK(setting(config, "alert.telegram.token").value == "(set, not shown)");
    CHECK(setting(config, "alert.telegram.token").origin == "environment TELEGRAM_BOT_TOKEN");
    holds_none(config);
    // What a data directory keeps does not forget it either: it comes from the environment again.
    REQUIRE(replace_file(user.fs, "my.toml", settings_toml(config)));
    CHECK(user.loaded().profile.alert.telegram.token.reveal() == kToken);
  }
  SUBCASE("from a file, whose path is kept") {
    user.input.overrides = {{"alert.telegram.token", "file:/run/token"}};
    user.input.secret_file = [&](const std::string& path) -> Result<std::string> {
      if (path == "/run/token") return std::string{kToken};
      return fail(Code::NotFound, path + " is not there");
    };
    const Config config = user.loaded();
    CHECK(config.profile.alert.telegram.token.reveal() == kToken);
    CHECK(setting(config, "alert.telegram.token").value == "file:/run/token");
    holds_none(config);
    user.input.overrides.clear();
    REQUIRE(replace_file(user.fs, "my.toml", settings_toml(config)));
    CHECK(user.loaded().profile.alert.telegram.token.reveal() == kToken);
    user.input.overrides = {{"alert.telegram.token", "file:/other"}};
    CHECK(contains(user.refused(), "alert.telegram.token: /other is not there"));
  }
  SUBCASE("one of the wrong form is not quoted") {
    user.input.environment = {{"TELEGRAM_BOT_TOKEN", "AAverysecret without digits"}};
    const std::string refused = user.refused();
    CHECK(contains(refused, "environment TELEGRAM_BOT_TOKEN: alert.telegram.token: "));
    CHECK(contains(refused, "DIGITS:LETTERS"));
    CHECK(!contains(refused, "AAverysecret"));
  }
  SUBCASE("none is none") {
    CHECK(user.loaded().profile.alert.telegram.token.empty());
    CHECK(setting(user.loaded(), "alert.telegram.token").value.empty());
  }
}

TEST_CASE("config: a token leaves the machine over TLS only") {
  User user;
  for (const char* good :
       {"https://api.telegram.org/", "http://127.0.0.1:8081", "http://localhost:1", "http://[::1]:5"}) {
    user.input.overrides = {{"alert.telegram.api", good}};
    CHECK(!user.loaded().profile.alert.telegram.api.ends_with("/"));
  }
  for (const char* bad :
       {"http://api.telegram.org", "http://127.0.0.1.example.com", "ftp://127.0.0.1",
        "https://user:password@example.com", "http://127.0.0.1@example.com", "http://[::1].example.com", ""}) {
    user.input.overrides = {{"alert.telegram.api", bad}};
    CHECK(contains(user.refused(), "alert.telegram.api"));
  }
}

TEST_CASE("config: an older system's names count in the profile that lists them") {
  User user{std::string{kSmall} + "[env]\nRETRAIN_EVERY = \"train.every\"\n"};
  user.input.environment = {{"RETRAIN_EVERY", "5h"}};
  const Config config = user.loaded();
  CHECK(config.profile.train_schedule == "5h");
  CHECK(setting(config, "train.every").origin == "environment RETRAIN_EVERY");
  User other;
  other.input.environment = {{"RETRAIN_EVERY", "5h"}};
  CHECK(other.loaded().profile.train_schedule == "24h");
}

TEST_CASE("config: an old name stands for a setting that exists") {
  CHECK(contains(User{std::string{kSmall} + "[env]\nX = \"train.evry\"\n"}.refused(), "train.evry"));
}

TEST_CASE("config: a preset stands between the profile and the user's own flags") {
  const std::string presets =
      std::string{kSmall} +
      "[signal]\nmin_margin = 0.2\nmax_entropy = 0.9\n"
      "[presets.strict]\nsignal.min_margin = 0.3\nsignal.max_signals = 3\n[presets.loose]\nsignal.min_margin = 0.1\n";
  User user{presets};
  CHECK(user.loaded().profile.signal.min_margin == 0.2);  // nothing of them, until one is named
  user.input.environment = {{"EVERLEARN__SIGNAL__MAX_SIGNALS", "9"}};
  user.input.overrides = {{"signal.min_margin", "0.35"}, {"preset", "strict"}};
  const Config config = user.loaded();
  CHECK(config.profile.signal.min_margin == 0.35);
  CHECK(setting(config, "signal.min_margin").origin == "command line");
  CHECK(config.profile.signal.max_signals == 3);
  CHECK(setting(config, "signal.max_signals").origin == "preset strict");
  CHECK(config.profile.signal.max_entropy == 0.9);

  User kept{settings_toml(config)};  // a data directory keeps them too
  CHECK(kept.loaded().presets == config.presets);
  kept.input.overrides = {{"preset", "loose"}};
  CHECK(kept.loaded().profile.signal.min_margin == 0.1);
}

TEST_CASE("config: a preset that is not there, and what is wrong in one, is named") {
  const std::string presets =
      std::string{kSmall} + "[presets.strict]\nsignal.min_margin = 0.3\n[presets.loose]\nseed = 2\n";
  User user{presets};
  user.input.overrides = {{"preset", "strickt"}};
  CHECK(user.refused() == "no preset \"strickt\": profile my has loose, strict");
  User none;
  none.input.overrides = {{"preset", "strict"}};
  CHECK(none.refused() == "no preset \"strict\": profile my has none");
  const std::string said = User{std::string{kSmall} + "[presets.strict]\nsignal.min_margn = 0.3\n"}.refused();
  CHECK(contains(said, "my.toml:8"));
  CHECK(contains(said, "signal.min_margin"));
  CHECK(contains(User{std::string{kSmall} + "[presets]\nstrict = 1\n"}.refused(), "a preset is a table of settings"));
  const std::string secret =
      User{std::string{kSmall} + "[presets.strict]\nalert.telegram.token = \"1:AAverysecret\"\n"}.refused();
  CHECK(contains(secret, "my.toml:8: alert.telegram.token is a secret, and no preset holds one"));
  CHECK(!contains(secret, "AAverysecret"));
}

TEST_CASE("config: a list is a TOML list, or texts with commas") {
  User user{std::string{kSmall} + "[features]\nuse = [\"ret_*\", \"rsi_14\"]\n"};
  CHECK(user.loaded().profile.features == std::vector<std::string>{"ret_*", "rsi_14"});
  user.input.overrides = {{"features.use", "@time,!hour"}};
  CHECK(user.loaded().profile.features == std::vector<std::string>{"@time", "!hour"});
  CHECK(contains(User{std::string{kSmall} + "[train]\nevery = [\"6h\"]\n"}.refused(), "not a text"));
}

TEST_CASE("config: features of one's own are a table of names and expressions; the dense grid is a duration") {
  const std::string text =
      std::string{kSmall} +
      "[features]\nuse = [\"ret_1\"]\ndense = [\"vol_1d\"]\n[prices]\nevery = \"15m\"\n"
      "[features.define]\nb = \"a * 2\"\na = \"ret_1 + 1\"\n[presets.bare]\nfeatures.define.a = \"1\"\n"
      "features.define.b = \"\"\n";
  using Defined = std::vector<std::pair<std::string, std::string>>;
  User user{text};
  const Config config = user.loaded();
  CHECK(config.profile.defined_features == Defined{{"a", "ret_1 + 1"}, {"b", "a * 2"}});
  CHECK(config.profile.dense_features == std::vector<std::string>{"vol_1d"});
  CHECK(config.profile.dense_every == Duration::minutes(15));
  CHECK(User{settings_toml(config)}.loaded().profile.defined_features == config.profile.defined_features);
  user.input.overrides = {{"preset", "bare"}};
  CHECK(user.loaded().profile.defined_features == Defined{{"a", "1"}});  // an empty text takes a definition away
  user.input.overrides = {{"features.define.c", "b"}};
  CHECK(user.loaded().profile.defined_features.size() == 3);
  CHECK(contains(User{std::string{kSmall} + "[features.define]\na.b = \"1\"\n"}.refused(), "features.define.a.b"));
  CHECK(contains(User{std::string{kSmall} + "[features]\ndense = [\"vol_1d\"]\n"}.refused(),
                 "features.dense needs the grid of dense prices: prices.every is none"));
  CHECK(User{kSmall}.loaded().profile.dense_every == Duration{});
}

TEST_CASE("config: a learner's settings are for all targets, and for one where it says so") {
  User user{
      "[learner]\ntrees = 50\nleaves = 7\n[cycle]\nevery = \"1h\"\n"
      "[target.a]\nacts = true\n[target.b]\n[target.b.learner]\ntrees = 20\n"};
  const Config config = user.loaded();
  REQUIRE(config.profile.targets.size() == 2);
  CHECK(config.profile.targets[0].learner.trees == 50);
  CHECK(config.profile.targets[1].learner.trees == 20);
  CHECK(config.profile.targets[1].learner.leaves == 7);
}

TEST_CASE("config: settings that contradict each other are refused") {
  const std::string cycle = "[cycle]\nevery = \"15m\"\n";
  CHECK(contains(User{cycle}.refused(), "no target"));
  CHECK(contains(User{cycle + "[target.a]\nunit = \"log\"\n"}.refused(), "0 targets have acts = true"));
  CHECK(contains(User{cycle + "[target.a]\nacts = true\n[target.b]\nacts = true\n"}.refused(), "2 targets"));
  const std::string one = cycle + "[target.a]\nacts = true\n";
  CHECK(contains(User{one + "[train]\nstop_share = 0.4\nholdout_share = 0.4\n"}.refused(), "0.3 of the window"));
  CHECK(contains(User{one + "[examples]\nevery = \"20m\"\n"}.refused(), "multiple of cycle.every"));
  CHECK(contains(User{"[target.a]\nacts = true\n"}.refused(), "calendar with sessions"));
  CHECK(contains(User{cycle + "[target.a]\nacts = true\nhorizon = \"5 sessions\"\n"}.refused(), "24/7"));
  CHECK(contains(User{one + "[train]\nwindow = \"100d\"\n[retention]\ndays = 50\n"}.refused(), "train.window"));
  CHECK(contains(User{one + "[learner]\nboosting = \"rf\"\n"}.refused(), "row_fraction"));
  CHECK(contains(User{one + "[signal]\nconformal = true\n"}.refused(), "target.a.conformal_alpha is 0"));
  CHECK(contains(User{one + "calibration = \"isotonic\"\n"}.refused(), "\"isotonic\" does not fit a regression task"));
  CHECK(contains(User{one + "label = \"direction_3\"\ncalibration = \"linear\"\n"}.refused(),
                 "\"linear\" does not fit a multiclass task"));
  CHECK(contains(User{one + "conformal_alpha = 0.1\n"}.refused(), "only classes have prediction sets"));
  CHECK(contains(User{one + "[tune]\nrows_min = 900\nrows_max = 800\n"}.refused(), "tune.rows_min 900 is more than"));
  CHECK(contains(User{one + "[tune]\nway = \"leaves\"\n"}.refused(), "for class targets"));
  CHECK(contains(User{one + "label = \"direction_3\"\n[tune]\nway = \"trees\"\n[learner]\nboosting = \"rf\"\n"
                            "row_fraction = 0.5\n"}
                     .refused(),
                 "does not tune a random forest"));
  CHECK(User{one + "label = \"direction_3\"\ncalibration = \"isotonic\"\nconformal_alpha = 0.1\n"}
            .loaded()
            .profile.targets.front()
            .conformal_alpha == 0.1);
}

TEST_CASE("config: a label is the outcome column of a table, or flat by volatility") {
  using Overrides = std::vector<std::pair<std::string, std::string>>;
  const std::string small = kSmall;
  const std::string table =
      small + "[source]\nkind = \"table_file\"\ntable = \"rows.csv\"\noutcome_column = \"class\"\n";
  const auto target = [](const std::string& text, Overrides overrides) {
    User user{text};
    user.input.overrides = std::move(overrides);
    return user.loaded().profile.targets.front();
  };
  const auto refused = [](const std::string& text, Overrides overrides) {
    User user{text};
    user.input.overrides = std::move(overrides);
    return user.refused();
  };
  const TargetProfile classes = target(table, {{"target.up.label", "column"}, {"target.up.classes", "3"}});
  CHECK(classes.label.kind == LabelKind::Column);
  CHECK(classes.task == Task::Multiclass);
  CHECK(classes.outputs() == 3);
  CHECK(target(table, {{"target.up.label", "column"}, {"target.up.classes", "2"}}).task == Task::Binary);
  CHECK(target(table, {{"target.up.label", "column"}}).task == Task::Regression);
  CHECK(
      target(small, {{"target.up.label", "direction_3"}, {"target.up.flat_volatility", "0.5"}}).label.flat_volatility ==
      0.5);

  CHECK(refused(small, {{"target.up.label", "column"}}) ==
        "target.up.label = \"column\" needs a table and its source.outcome_column");
  CHECK(refused(table, {{"target.up.label", "column"}, {"target.up.horizon", "3 bars"}}) ==
        "target.up.horizon of a column is a time or sessions: rows are no bars");
  CHECK(refused(table, {{"target.up.label", "column"}, {"target.up.classes", "1"}}) ==
        "target.up.classes = 1: 0 for a value, else at least 2");
  CHECK(refused(table,
                {{"target.up.label", "column"}, {"target.up.classes", "3"}, {"source.outcome_values", "down,up"}}) ==
        "target.up.classes = 3, but source.outcome_values names 2");
  CHECK(refused(table, {{"target.up.label", "direction_3"}, {"target.up.classes", "3"}}) ==
        "target.up.classes = 3 is of label = \"column\" only");
  CHECK(refused(table, {{"source.fields", "rsi,class"}}) ==
        "source.fields holds source.outcome_column class: an outcome is no feature");
  CHECK(refused(small, {{"target.up.flat_volatility", "0.5"}}) ==
        "target.up.flat_volatility = 0.5 is of label = \"direction_3\" only");
  CHECK(
      refused(small,
              {{"target.up.label", "direction_3"}, {"target.up.flat_volatility", "0.5"}, {"target.up.flat", "0.1"}}) ==
      "target.up.flat = 0.1 and flat_volatility = 0.5 contradict each other: give one of them");
}

TEST_CASE("config: no profile of that name says which there are") {
  SimFs fs;
  const auto config = Config::load(fs, {.profile = "dem", .environment = {}, .dot_env = {}, .overrides = {}});
  REQUIRE(!config);
  CHECK(contains(config.error().message, "demo"));
}

std::string without_comment_signs(const std::string& commented) {
  std::string out;
  std::size_t at = 0;
  while (at < commented.size()) {
    const std::size_t end = std::min(commented.find('\n', at), commented.size());
    std::string line = commented.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("#") && !line.starts_with("# ")) line = line.substr(1);  // "# " explains
    out += line + "\n";
  }
  return out;
}

void check_same(const Config& a, const Config& b) {
  REQUIRE(a.settings.size() == b.settings.size());
  for (std::size_t i = 0; i < a.settings.size(); ++i) {
    CHECK(a.settings[i].key == b.settings[i].key);
    CHECK(a.settings[i].value == b.settings[i].value);
  }
  CHECK(a.profile.name == b.profile.name);
}

TEST_CASE("config: what init writes changes nothing until a # is taken away, and then reads back the same") {
  for (const auto& [name, text] : built_in_profiles()) {
    const Config config = built_in(name);
    check_same(User{commented_toml(config)}.loaded(), config);
    check_same(User{without_comment_signs(commented_toml(config))}.loaded(), config);
  }
}

TEST_CASE("config: what a data directory keeps reads back the same") {
  for (const auto& [name, text] : built_in_profiles()) {
    SimFs fs;
    const auto config = Config::load(fs, {.profile = name,
                                          .environment = {},
                                          .dot_env = {},
                                          .overrides = {{"title", "say \"x\", y\\z"}, {"trade.order", "17.25"}}});
    REQUIRE(config);
    User user{settings_toml(*config)};
    check_same(user.loaded(), *config);
  }
}

TEST_CASE("config: docs/configuration.md is the table of the program") {
  SystemFs fs;
  const auto page = read_file(fs, std::string{EVERLEARN_SOURCE_DIR} + "/docs/configuration.md");
  REQUIRE(page);
  CHECK(*page == configuration_markdown());
  for (const Key& key : profile_keys()) CHECK(contains(*page, "`" + std::string{key.key} + "`"));
}

TEST_CASE("setting value: the nearest key is offered only where it is near") {
  const std::vector<std::string> known{"train.every", "trade.order"};
  CHECK(nearest("train.evry", known) == "train.every");
  CHECK(!nearest("zzzz", known));
}

}  // namespace
}  // namespace everlearn
