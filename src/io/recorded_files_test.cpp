// Recordings of real markets, as they lie beside the repository (EVERLEARN_SHARED, or ../shared). Numbers of rows and
// defects are those their own README counts.
#include <cstdlib>

#include <doctest/doctest.h>

#include "core/sim_proc.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/world.hpp"
#include "io/recording.hpp"
#include "market/market_state.hpp"

namespace everlearn {
namespace {

using Counts = std::map<std::string, std::int64_t>;

struct Recorded {
  SystemFs fs;
  ManualClock clock;
  Rng rng{1};
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  World world{clock, rng, fs, proc};
  Instruments instruments;
  RecordingOptions options;
  std::unique_ptr<Source> source;
  Stopwatch watch;

  /// False, with a message, where the data are absent.
  bool open(const std::vector<std::string>& paths) {
    const char* shared = std::getenv("EVERLEARN_SHARED");
    const std::string root = shared != nullptr ? shared : EVERLEARN_SOURCE_DIR "/../shared";
    for (const std::string& path : paths) {
      if (!fs.exists(root + "/data/" + path)) {
        MESSAGE("skipped: no shared data ", path);
        return false;
      }
      options.inputs.push_back(root + "/data/" + path);
    }
    watch.restart();
    auto opened = open_recording(world, options, instruments);
    if (!opened) FAIL(opened.error().message);
    source = std::move(*opened);
    MESSAGE(paths.front(), ": ", source->report().rows, " rows in ", watch.seconds(), " s");
    return true;
  }

  Event next() {
    auto event = source->next();
    REQUIRE(event);
    REQUIRE(event->has_value());
    return **event;
  }

  /// Reads to the end; every event follows its predecessor. Returns how many there were.
  std::int64_t drain() {
    std::int64_t events = 0;
    std::tuple<Timestamp, Timestamp, std::string> last{Timestamp::min(), Timestamp::min(), ""};
    for (;;) {
      const auto event = source->next();
      REQUIRE(event);
      if (!*event) return events;
      std::tuple<Timestamp, Timestamp, std::string> key{(*event)->known_at, (*event)->event_time,
                                                        instruments[(*event)->instrument].name};
      if (key < last) FAIL("event ", events, " comes out of order");
      last = std::move(key);
      ++events;
    }
  }
};

TEST_CASE("recorded: Polymarket prices of 142 markets every ten minutes, two of them twice") {
  Recorded r;
  r.options.columns = {{"token", "market_slug"}};
  r.options.probability = true;
  if (!r.open({"polymarket/price_history_10m/resolved_markets.csv.gz"})) return;
  CHECK(r.source->report().rows == 267'601 - 848);
  CHECK(r.source->report().refused == Counts{{"duplicate row", 848}});
  CHECK(r.source->report().time_unit == "rfc3339");
  CHECK(r.next().known_at.iso() == "2026-01-03T13:00:07.000000Z");
  CHECK(r.drain() == 267'601 - 848 + 142 - 1);  // each market resolves
  CHECK(r.instruments.size() == 142);
}

TEST_CASE("recorded: QQQ in minutes, US Eastern without an offset, no symbol column") {
  Recorded r;
  r.options.columns = {{"timestamp", "datetime"}};
  r.options.time_zone = "America/New_York";
  r.options.symbol_from_file = true;
  if (!r.open({"us_equities/bars_1min/QQQ_1min.csv.gz"})) return;
  CHECK(r.source->report().rows == 49'616);
  CHECK(r.source->report().refused.empty());
  CHECK(r.source->report().time_unit == "local");
  const Event first = r.next();
  CHECK(r.instruments[first.instrument].name == "QQQ");
  CHECK(first.event_time.iso() == "2025-09-15T13:31:00.000000Z");
  CHECK(std::get<Bar>(first.what).close.text() == "588.76");
  CHECK(r.drain() == 49'615);
}

TEST_CASE("recorded: bars with their average price in Parquet, with a zone") {
  Recorded r;
  r.options.columns = {{"timestamp", "date"}, {"vwap", "average"}};
  r.options.symbol_from_file = true;
  if (!r.open({"us_equities/bars_1min_vwap/MU_1min.parquet", "us_equities/bars_1min_vwap/STX_1min.parquet",
               "us_equities/bars_1min_vwap/WDC_1min.parquet"})) {
    return;
  }
  CHECK(r.source->report().rows == 11'147 + 11'148 + 11'147);
  CHECK(r.source->report().refused.empty());
  const Event first = r.next();
  CHECK(r.instruments[first.instrument].name == "MU");
  CHECK(first.event_time.iso() == "2025-11-06T14:31:00.000000Z");
  CHECK(std::get<Bar>(first.what).vwap == 238.657);
  CHECK(r.drain() == 33'441);
}

TEST_CASE("recorded: six months of BTCUSDT minutes, milliseconds until December, microseconds from January") {
  Recorded r;
  r.options.columns = {{"timestamp", "open_time"}, {"trades", "number_of_trades"}};
  r.options.symbol = "BTCUSDT";
  if (!r.open({"crypto/btcusdt_1m"})) return;
  CHECK(r.source->report().time_unit == "ms,us");
  CHECK(r.source->report().rows == 44'640 + 43'200 + 44'640 + 44'640 + 40'320 + 44'640);
  CHECK(r.source->report().refused.empty());
  const Event event = r.next();
  CHECK(event.event_time.iso() == "2024-10-01T00:01:00.000000Z");
  CHECK(std::get<Bar>(event.what).trades == 5274);
  CHECK(r.drain() == 262'079);
  CHECK(r.instruments.size() == 1);
}

TEST_CASE("recorded: minute bars that begin with the newest row are refused with advice") {
  Recorded r;
  const char* shared = std::getenv("EVERLEARN_SHARED");
  const std::string path = std::string{shared != nullptr ? shared : EVERLEARN_SOURCE_DIR "/../shared"} +
                           "/data/us_equities/bars_1min_2019/QQQ_1min.csv.gz";
  if (!r.fs.exists(path)) {
    MESSAGE("skipped: no shared data ", path);
    return;
  }
  r.options.inputs = {path};
  r.options.columns = {{"timestamp", "datetime"}};
  r.options.time_zone = "America/New_York";
  r.options.symbol_from_file = true;
  const auto opened = open_recording(r.world, r.options, r.instruments);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("the rows go backwards in time") != std::string::npos);
}

TEST_CASE("recorded: books of an evening of baseball, both spellings of the sides, one broken line") {
  Recorded r;
  if (!r.open({"polymarket/book_events/mlb-bos-laa-2025-06-24.csv.gz",
               "polymarket/book_events/mlb-cin-bos-2025-07-01.csv.gz"})) {
    return;
  }
  CHECK(r.source->report().time_unit == "ms");
  MarketState market;
  std::int64_t events = 0, crossed = 0;
  for (;;) {
    const auto event = r.source->next();
    REQUIRE(event);
    if (!*event) break;
    ++events;
    if (!market.apply(**event)) ++crossed;
  }
  CHECK(r.source->report().rows == 22'172 + 16'516);
  CHECK(r.source->report().refused == Counts{{"wrong number of fields", 1}});
  CHECK(events > 25'000);
  CHECK(crossed == 0);
  CHECK(r.instruments.size() == 4);
}

}  // namespace
}  // namespace everlearn
