#include "app/recent_rows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

using namespace everlearn;

namespace {

constexpr std::size_t kColumns = 3;

Timestamp step(int n) { return Timestamp{} + Duration::minutes(10) * n; }

ExampleRow example(int n, std::uint32_t instrument = 0) {
  ExampleRow row{.instrument = InstrumentId{instrument}, .event_time = step(n), .known_at = step(n)};
  row.price = 1;
  row.baseline = {0};
  row.no_change = {0};
  row.features = {static_cast<float>(n), static_cast<float>(instrument), 0.5F};
  return row;
}

LabelRow label(int n, int known, std::uint32_t instrument = 0, std::uint16_t target = 0) {
  LabelRow row{.instrument = InstrumentId{instrument}, .event_time = step(n), .target = target, .known = true};
  row.value = n % 3;
  row.end = row.known_at = step(known);
  return row;
}

TuneRules rules(std::int64_t least, std::int64_t most, std::int64_t newest) {
  TuneRules r;
  r.rows_min = least;
  r.rows_max = most;
  r.newest = newest;
  return r;
}

// Minutes of the first and the last row given, and how many there are.
struct Given {
  std::size_t rows = 0;
  Timestamp first, last, boundary;
  bool operator==(const Given&) const = default;
};
Given given(const TuneRows& rows) {
  if (rows.examples.empty()) return {};
  return {rows.examples.size(), rows.examples.front().event_time, rows.examples.back().event_time, rows.boundary};
}

bool same(const TuneRows& a, const TuneRows& b) {
  if (a.lacking != b.lacking || a.boundary != b.boundary || a.examples.size() != b.examples.size()) return false;
  for (std::size_t i = 0; i < a.examples.size(); ++i)
    if (a.examples[i].features != b.examples[i].features || a.examples[i].event_time != b.examples[i].event_time ||
        a.labels[i].value != b.labels[i].value || a.labels[i].known_at != b.labels[i].known_at)
      return false;
  return true;
}

}  // namespace

TEST_CASE("recent rows: the last rows before the newest, each known before the first of the newest was decided") {
  RecentRows recent{0, kColumns, rules(5, 10, 4), Duration{}};
  for (int n = 0; n < 40; ++n) {
    recent.add(example(n));
    if (n >= 3) recent.settle(label(n - 3, n));  // a label is known three steps later
  }
  // Labelled: 0..36. The newest four: 33..36, decided from step 33 on. Known by then: 0..30, of which the last ten.
  const TuneRows rows = recent.tune_rows(step(39));
  CHECK(rows.lacking.empty());
  CHECK(given(rows) == Given{10, step(21), step(30), step(33)});
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    CHECK(rows.labels[i].event_time == rows.examples[i].event_time);
    CHECK(rows.labels[i].known_at <= rows.boundary);
  }
  CHECK(recent.waiting() == 3);
  CHECK(given(recent.tune_rows(step(20))) == Given{10, step(8), step(17), step(20)});  // as of an earlier time
}

TEST_CASE("recent rows: an embargo keeps two more steps of distance") {
  RecentRows recent{0, kColumns, rules(5, 10, 4), Duration::minutes(20)};
  for (int n = 0; n < 40; ++n) {
    recent.add(example(n));
    if (n >= 3) recent.settle(label(n - 3, n));
  }
  CHECK(given(recent.tune_rows(step(39))) == Given{10, step(19), step(28), step(33)});
}

TEST_CASE("recent rows: too few are none, with the reason; so is a store without examples") {
  RecentRows recent{0, kColumns, rules(5, 10, 4), Duration{}};
  CHECK(recent.tune_rows(step(0)).lacking == "fewer than 5 labelled rows before the newest 4");
  for (int n = 0; n < 9; ++n) {
    recent.add(example(n));
    recent.settle(label(n, n + 1));
  }
  // Newest 5..8; known by step 5: 0..4.
  CHECK(given(recent.tune_rows(step(20))) == Given{5, step(0), step(4), step(5)});
  RecentRows one_less{0, kColumns, rules(5, 10, 4), Duration{}};
  for (int n = 0; n < 8; ++n) {
    one_less.add(example(n));
    one_less.settle(label(n, n + 1));
  }
  CHECK(!one_less.tune_rows(step(20)).lacking.empty());
  CHECK(one_less.tune_rows(step(20)).examples.empty());
}

TEST_CASE("recent rows: void labels, other targets, other feature sets and labels without an example are no rows") {
  RecentRows recent{0, kColumns, rules(1, 10, 0), Duration{}};
  recent.add(example(1));
  LabelRow nothing = label(1, 2);
  nothing.known = false;
  recent.settle(nothing);
  CHECK(recent.waiting() == 0);
  recent.add(example(2));
  recent.settle(label(2, 3, 0, 1));
  CHECK(recent.waiting() == 1);
  ExampleRow wide = example(3);
  wide.features.push_back(1.F);
  recent.add(wide);
  recent.settle(label(3, 4));
  recent.settle(label(4, 5));
  CHECK(recent.labelled() == 0);
  recent.settle(label(2, 3));
  CHECK(recent.labelled() == 1);
  CHECK(given(recent.tune_rows(step(9))) == Given{1, step(2), step(2), step(9)});
  CHECK(recent.tune_rows(step(2)).examples.empty());  // as of a time when its label was not known
}

TEST_CASE("recent rows: memory is bounded by what a tune takes, not by what has passed") {
  RecentRows recent{0, kColumns, rules(50, 100, 20), Duration{}};
  std::size_t most = 0;
  for (int n = 0; n < 30'000; ++n) {
    recent.add(example(n));
    if (n >= 3) recent.settle(label(n - 3, n));
    most = std::max(most, recent.labelled());
    if (n > 200 && n < 5'000) REQUIRE(recent.tune_rows(step(n)).examples.size() == 100);
  }
  CHECK(most < 100 + 20 + 3 + 1'100);
  CHECK(given(recent.tune_rows(step(30'000))).rows == 100);
}

TEST_CASE("recent rows: examples that never get a label go, the oldest first") {
  RecentRows recent{0, kColumns, rules(1, 10, 0), Duration{}};
  for (int n = 0; n < static_cast<int>(RecentRows::kMostKept) + 5; ++n) recent.add(example(n));
  CHECK(recent.waiting() == RecentRows::kMostKept);
  recent.settle(label(0, 1));
  CHECK(recent.labelled() == 0);
}

TEST_CASE("recent rows: rebuilt from the store they give the rows they would have given") {
  const TestDirectory directory;
  ManualClock clock;
  Rng rng{5};
  SystemFs fs;
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  StoreOptions options;
  options.segment_rows = 400;
  options.aged_rows = 50;
  const auto store = Store::open({clock, rng, fs, proc}, directory / "data", options).value();
  REQUIRE(store->put_state("columns", "a@1\nb@2\nc@3\n"));
  const TuneRules wanted = rules(30, 120, 40);
  RecentRows live{0, kColumns, wanted, Duration{}};
  {
    RecentRows empty{0, kColumns, wanted, Duration{}};
    REQUIRE(empty.rebuild(*store));
    CHECK(!empty.tune_rows(step(0)).lacking.empty());
  }

  struct Pending {
    int due;
    LabelRow label;
  };
  std::vector<Pending> pending;
  int compared = 0;
  for (int n = 0; n < 600; ++n) {
    for (auto it = pending.begin(); it != pending.end();) {
      if (it->due > n) {
        ++it;
        continue;
      }
      REQUIRE(store->append(it->label));
      live.settle(it->label);
      it = pending.erase(it);
    }
    const bool quiet = n % 97 > 80;  // a stretch without rows
    for (std::uint32_t instrument = 0; !quiet && instrument < 3; ++instrument) {
      if (rng.below(3) == 0) continue;
      const ExampleRow row = example(n, instrument);
      REQUIRE(store->append(row));
      live.add(row);
      // Most labels come after three steps, some late, some void; one instrument's are slow.
      const int due = n + 1 + static_cast<int>(rng.below(instrument == 2 ? 300 : 4));
      LabelRow outcome = label(n, due, instrument);
      outcome.known = rng.below(10) != 0;
      pending.push_back({due, outcome});
      LabelRow other = label(n, n + 1, instrument, 1);
      REQUIRE(store->append(other));
    }
    REQUIRE(store->commit(""));
    if (n % 150 == 0) REQUIRE(store->seal_all());
    if (n % 7 != 0) continue;
    RecentRows rebuilt{0, kColumns, wanted, Duration{}};
    REQUIRE(rebuilt.rebuild(*store));
    CHECK(same(live.tune_rows(step(n)), rebuilt.tune_rows(step(n))));
    compared += live.tune_rows(step(n)).lacking.empty() ? 1 : 0;
  }
  CHECK(compared > 50);
}
