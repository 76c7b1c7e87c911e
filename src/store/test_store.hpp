// For the tests of this module: rows that are easy to tell apart, a world, and everything a store holds as one value.
#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

#include "core/clock.hpp"
#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "store/record.hpp"
#include "store/store.hpp"

namespace everlearn {

/// A fresh directory, removed at the end. In memory where that is possible: these tests open hundreds of databases, and
/// what a sync does to a disk is SimFs's part.
class StoreDirectory {
 public:
  StoreDirectory() {
    const std::string root = fs_.exists("/dev/shm") ? "/dev/shm" : "/tmp";
    for (int n = 0; path_.empty() || fs_.exists(path_); ++n)
      path_ = root + "/everlearn-store-" + std::to_string(::getpid()) + "-" + std::to_string(n);
    REQUIRE(fs_.make_directories(path_).has_value());
  }
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;
  ~StoreDirectory() { (void)fs_.remove_tree(path_); }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  SystemFs fs_;
  std::string path_;
};

inline constexpr Timestamp kStart{1'700'000'000'000'000};  // 2023-11-14

inline Timestamp at_minute(std::int64_t n) { return kStart + Duration::minutes(n); }

inline PriceRow price_row(std::int64_t n, std::uint32_t instrument = 0) {
  PriceRow row;
  row.instrument = static_cast<InstrumentId>(instrument);
  row.event_time = at_minute(n);
  row.known_at = row.event_time + Duration::seconds(1);
  row.price = Price::from_nanos(1'000'000'007 * (n + 1));
  if (n % 3 != 0) row.bid = Price::from_nanos(row.price.nanos() - 5);
  if (n % 4 != 0) row.ask = Price::from_nanos(row.price.nanos() + 5);
  row.origin = n % 2 == 0 ? Origin::Recording : Origin::Backfill;
  return row;
}

/// With the fields that came with the kinds.
inline PriceRow kind_row(std::int64_t n, std::uint32_t instrument = 0) {
  PriceRow row = price_row(n, instrument);
  row.kind = static_cast<PriceKind>(n % 6);
  if (n % 5 != 0) row.last = Price::from_nanos(row.price.nanos() + 3);
  return row;
}

inline EventRow event_row(std::int64_t n, std::uint32_t instrument = 0) {
  EventRow row;
  row.instrument = static_cast<InstrumentId>(instrument);
  row.event_time = at_minute(n / 2);
  row.known_at = row.event_time;
  row.kind = n % 4 < 2 ? "trade" : "bar";
  row.ordinal = static_cast<std::uint32_t>(n % 2);
  row.payload = std::string{"\0\xff payload ", 11} + std::to_string(n);
  return row;
}

inline ExampleRow example_row(std::int64_t n, std::uint32_t instrument = 0, std::size_t features = 3) {
  ExampleRow row;
  row.instrument = static_cast<InstrumentId>(instrument);
  row.event_time = at_minute(n);
  row.known_at = row.event_time;
  row.price = 100.0 + static_cast<double>(n) / 7;
  row.baseline = {0.5, n % 5 == 0 ? std::numeric_limits<double>::quiet_NaN() : -0.0};
  row.no_change = {0, static_cast<double>(n)};
  for (std::size_t f = 0; f < features; ++f)
    row.features.push_back((static_cast<std::size_t>(n) + f) % 4 == 0
                               ? std::numeric_limits<float>::quiet_NaN()
                               : static_cast<float>(n) / static_cast<float>(f + 3));
  return row;
}

inline LabelRow label_row(std::int64_t n, std::uint32_t instrument = 0, std::uint16_t target = 0) {
  LabelRow row;
  row.instrument = static_cast<InstrumentId>(instrument);
  row.event_time = at_minute(n);
  row.target = target;
  row.known = n % 3 != 0;
  if (row.known) row.value = static_cast<double>(n) / 11;
  row.end = row.event_time + Duration::minutes(60);
  row.known_at = row.end;
  if (!row.known) row.reason = "no price in time";
  return row;
}

inline PredictionRow prediction_row(std::int64_t n, std::uint32_t instrument = 0, std::uint16_t target = 0) {
  PredictionRow row;
  row.instrument = static_cast<InstrumentId>(instrument);
  row.event_time = at_minute(n);
  row.target = target;
  row.bundle = n % 5 == 0 ? "" : "b" + std::to_string(n / 100);
  row.model = n % 5 == 0 ? row.model : static_cast<double>(n) / 13;
  row.baseline = 0.25;
  row.no_change = 0;
  row.blended = static_cast<double>(n) / 17;
  for (std::int64_t c = 0; c < n % 4; ++c) row.probabilities.push_back(1.0 / static_cast<double>(c + 2));
  row.price = 3;
  row.rung = n % 5 == 0 ? "baseline" : "champion";
  row.verdict = n % 2 == 0 ? "passed" : "margin";
  return row;
}

/// With every field that came with the second stream.
inline PredictionRow stream_row(std::int64_t n, Stream stream, bool served) {
  PredictionRow row = prediction_row(n);
  row.stream = stream;
  row.served = served;
  row.expected = static_cast<double>(n) / 1000;
  row.half_spread = n % 3 == 0 ? row.half_spread : 0.0005;
  row.outside_share = 0.125;
  row.set = static_cast<std::uint32_t>(n % 8);
  row.recent_accuracy = n % 2 == 0 ? row.recent_accuracy : 0.5;
  row.measured = 0.1;
  row.required = 0.2;
  return row;
}

inline IntentRow intent_row(const std::string& state = "open") {
  IntentRow row;
  row.instrument = InstrumentId{3};
  row.created = at_minute(1);
  row.expires = at_minute(9);
  row.quantity = -2.5;
  row.limit = Price::from_nanos(7);
  row.expected_value = 0.01;
  row.state = state;
  row.reason = "why";
  return row;
}

inline FillRow fill_row() {
  FillRow row;
  row.intent = 1;
  row.instrument = InstrumentId{3};
  row.event_time = at_minute(2);
  row.quantity = -0.0;
  row.price = Price::from_nanos(-4);
  row.cost = std::numeric_limits<double>::quiet_NaN();
  row.reason = "entry";
  return row;
}

inline VerdictRow verdict_row() {
  VerdictRow row;
  row.target = 1;
  row.bundle = "b";
  row.champion_before = "a";
  row.as_of = at_minute(5);
  row.outcome = "refused";
  row.reason = "age";
  row.json = "{}";
  return row;
}

/// A world on the real file system, or on another one for the lake; SQLite always has real files.
struct TestWorld {
  SystemFs system;
  ManualClock clock{kStart};
  Rng rng{1};
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return fail(Code::Unsupported, "no programs here"); }};

  World world() { return {clock, rng, system, proc}; }
  World world(Fs& lake) { return {clock, rng, lake, proc}; }
};

/// Nothing and "" for what did not fail.
template <class T>
std::optional<Code> code_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional{result.error().code};
}
template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "" : result.error().message;
}

inline std::unique_ptr<Store> open_store(World world, const std::string& directory, StoreOptions options = {}) {
  auto store = Store::open(world, directory, std::move(options));
  if (!store) FAIL(store.error().message);
  return std::move(*store);
}

/// Canonical bytes of every row of every dataset, in scan order.
inline std::map<Dataset, std::vector<std::string>> contents(const Store& store, TimeRange range = {}) {
  std::map<Dataset, std::vector<std::string>> rows;
  const auto collect = [&](const auto& row) {
    using Row = std::decay_t<decltype(row)>;
    const Record record = to_record(row);
    rows[kDatasetOf<Row>].push_back(record.head(kDatasetOf<Row>) + record.payload);
    return true;
  };
  const auto ok = [](const Result<void>& scanned) {
    if (!scanned) FAIL(scanned.error().message);
  };
  ok(store.scan_prices(range, collect));
  ok(store.scan_events(range, collect));
  ok(store.scan_examples(range, collect));
  ok(store.scan_labels(range, collect));
  ok(store.scan_predictions(range, collect));
  return rows;
}

/// `count` rows of each dataset, numbered from `first`.
inline void append_all(Store& store, std::int64_t first, std::int64_t count) {
  for (std::int64_t n = first; n < first + count; ++n) {
    REQUIRE(store.append(price_row(n)).has_value());
    REQUIRE(store.append(event_row(n)).has_value());
    REQUIRE(store.append(example_row(n)).has_value());
    REQUIRE(store.append(label_row(n)).has_value());
    REQUIRE(store.append(prediction_row(n)).has_value());
  }
}

}  // namespace everlearn
