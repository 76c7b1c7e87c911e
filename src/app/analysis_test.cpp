#include "app/analysis.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "app/live_session.hpp"
#include "core/test_directory.hpp"

namespace everlearn {
namespace {

Timestamp at(const std::string& time) { return *Timestamp::parse("2026-01-05T" + time + "Z"); }

TEST_CASE("analysis: a run is missing after more than one and a half cycles") {
  const auto calendar = make_calendar("24/7");
  REQUIRE(calendar);
  const Duration cycle = Duration::minutes(10);
  const CycleGrid grid{cycle, **calendar};
  const auto missing = [&](const std::string& before, const std::string& now) {
    return missing_run(grid, cycle, at(before), at(now));
  };
  CHECK_FALSE(missing("12:00:05", "12:10:05"));
  CHECK_FALSE(missing("12:09:05", "12:19:05"));  // whatever minute the scheduler takes
  CHECK_FALSE(missing("12:00:05", "12:15:05"));  // late, and not missing
  const auto gap = missing("12:00:05", "12:20:05");
  REQUIRE(gap);
  CHECK(gap->instrument == kEveryInstrument);
  CHECK(gap->start == at("12:00:05"));
  CHECK(gap->end == at("12:20:05"));
  CHECK(gap->reason == "no run");
}

TEST_CASE("analysis: a closed market needs no runs") {
  const auto calendar = make_calendar("us_equities");
  REQUIRE(calendar);
  const Timestamp friday = *Timestamp::parse("2026-01-09T20:59:30Z"),
                  monday = *Timestamp::parse("2026-01-12T14:31:00Z");
  CHECK_FALSE(missing_run(CycleGrid{Duration::minutes(10), **calendar}, Duration::minutes(10), friday, monday));
  const CycleGrid closes{Duration{}, **calendar};
  CHECK_FALSE(missing_run(closes, {}, friday, *Timestamp::parse("2026-01-12T21:30:00Z") - Duration::hours(1)));
  CHECK(missing_run(closes, {}, friday, *Timestamp::parse("2026-01-13T14:31:00Z")));
}

constexpr const char* kProfile = R"(name = "growing"
[cycle]
every = "10m"
[features]
use = ["ret_1", "ret_3"]
[target.back]
acts = true
horizon = "10m"
tolerance = "10m"
[train]
auto_enable = 0
[trade]
capital = 1000
order = 10
instrument = 10
total = 100
daily_loss = 100
)";

// A file that grows by a step at a time, and the clock of the test behind it.
struct Growing {
  TestDirectory folder;
  SystemFs fs;
  ManualClock clock;
  int steps = 0;

  Growing() {
    REQUIRE(replace_file(fs, folder / "growing.toml", kProfile));
    append("timestamp,token,price\n");
  }
  void append(const std::string& text) {
    const auto file = fs.open_append(folder / "prices.csv");
    REQUIRE(file);
    REQUIRE((*file)->append(text));
    REQUIRE((*file)->close());
  }
  void grow() {
    const Timestamp time = at("00:09:00") + Duration::minutes(10) * steps++;
    for (int token = 0; token < 3; ++token)
      append(fmt::format("{},T{},{}\n", time.iso(), token, 100 + (steps * 7 + token * 3) % 11));
    clock.set(time + Duration::seconds(7));
  }
  LiveRequest request(const std::string& data) {
    auto config =
        Config::load(fs, {.profile = folder / "growing.toml", .environment = {}, .dot_env = {}, .overrides = {}});
    REQUIRE_MESSAGE(config, (config ? "" : config.error().message));
    LiveRequest request;
    request.config = std::move(*config);
    request.source = folder / "prices.csv";
    request.data_directory = folder / data;
    request.console = false;
    request.clock = &clock;
    return request;
  }
};

TEST_CASE("analysis: a label that means something else wants another directory") {
  Growing world;
  const auto with_band = [&](const std::string& band) {
    std::string profile = kProfile;
    const std::string target = "[target.back]\n";
    profile.insert(profile.find(target) + target.size(), "label = \"direction_3\"\nflat_volatility = " + band + "\n");
    REQUIRE(replace_file(world.fs, world.folder / "growing.toml", profile));
    return world.request("runs");
  };
  REQUIRE(LiveSession::open(with_band("0.5")));
  const auto changed = LiveSession::open(with_band("0.6"));
  REQUIRE_FALSE(changed);
  CHECK(changed.error().code == Code::Config);
  CHECK(changed.error().message.starts_with("target.back.flat_volatility was 0.5, is 0.6"));
}

TEST_CASE("analysis: runs one after the other come to the ledger of a session that never ended") {
  Growing world;
  auto daemon = LiveSession::open(world.request("daemon"));
  REQUIRE_MESSAGE(daemon, (daemon ? "" : daemon.error().message));
  REQUIRE((*daemon)->start());
  for (int step = 0; step < 12; ++step) {
    world.grow();
    for (bool more = true; more;) {
      const auto done = (*daemon)->step();
      REQUIRE(done);
      more = done->more;
    }
    const auto run = analyze({.live = world.request("runs"), .signals = nullptr, .keep = {}});
    REQUIRE_MESSAGE(run, (run ? "" : run.error().message));
    CHECK(run->source.rows == 3);
    CHECK(run->after.cycles - run->before.cycles == (step == 0 ? 0 : 1));
    CHECK(run->after.ledger_sha256 == (*daemon)->engine().progress().ledger_sha256);
    CHECK_FALSE(run->no_run);
  }
  CHECK((*daemon)->engine().progress().labelled > 20);
}

TEST_CASE("analysis: what is corrected long after, by when it was written, stands beside what was said first") {
  Growing world;
  std::string profile = kProfile;
  profile +=
      "[source]\nkind = \"table_file\"\nkey_column = \"symbol\"\nknown_column = \"written\"\nlookback = \"1h\"\n";
  REQUIRE(replace_file(world.fs, world.folder / "growing.toml", profile));
  std::string table = "timestamp,symbol,price,written\n";
  const auto row = [&](const std::string& time, double price, const std::string& written) {
    table += fmt::format("{},A,{},{}\n", at(time).iso(), price, at(written).iso());
  };
  const auto run = [&](const std::string& now) {
    REQUIRE(replace_file(world.fs, world.folder / "prices.csv", table));
    world.clock.set(at(now));
    const auto done = analyze({.live = world.request("runs"), .signals = nullptr, .keep = {}});
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
  };
  for (int hour = 0; hour < 6; ++hour)
    for (int ten = 0; ten < 6; ++ten) {
      const std::string time = fmt::format("{:02}:{}0:00", hour, ten);
      row(time, 100 + hour, time);
    }
  run("06:00:30");
  // The first row again, twice, each time hours after the one before is out of sight.
  row("00:00:00", 150, "06:05:00");
  run("06:10:30");
  for (int ten = 1; ten < 6; ++ten) row(fmt::format("06:{}0:00", ten), 107, fmt::format("06:{}0:00", ten));
  row("07:30:00", 107, "07:30:00");
  run("07:30:30");
  row("00:00:00", 160, "07:35:00");
  run("07:40:30");

  const auto session = LiveSession::open(world.request("runs"));
  REQUIRE(session);
  Store& store = (*session)->directory().store();
  const TimeRange first{at("00:00:00"), at("00:00:01")};
  std::vector<double> prices;
  REQUIRE(store.scan_prices(first, [&](const PriceRow& stored) {
    prices.push_back(stored.price.value());
    return true;
  }));
  CHECK(prices == std::vector<double>{100});
  std::vector<std::uint32_t> corrections;
  REQUIRE(store.scan_events(first, [&](const EventRow& stored) {
    corrections.push_back(stored.ordinal);
    return true;
  }));
  CHECK(corrections == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE("analysis: a run that loses its lease ends, and keeps what it had") {
  Growing world;
  world.grow();
  const auto lost = analyze({.live = world.request("runs"), .signals = nullptr, .keep = [] {
                               return fail(Code::InUse, "the lease is gone");
                             }});
  REQUIRE_FALSE(lost);
  CHECK(lost.error().message == "the lease is gone");
  world.grow();
  const auto next = analyze({.live = world.request("runs"), .signals = nullptr, .keep = {}});
  REQUIRE(next);
  CHECK(next->source.rows == 3);
}

}  // namespace
}  // namespace everlearn
