// The loop on a live clock with a dense history: what a restart restores from the base and the inputs, what becomes of
// a pause, and how prices of the past fill it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/config/config.hpp"
#include "app/engine.hpp"
#include "core/rng.hpp"
#include "core/sim_fs.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/test_directory.hpp"

namespace everlearn {
namespace {

constexpr const char* kProfile = R"(
[source]
probability = true
tick_size = 0.001
watched_books = true
store_events = false
gap_after = "45m"
[prices]
every = "15m"
[cycle]
every = "1m"
[examples]
every = "15m"
max_price_age = "20m"
[features]
use = ["diff_1", "diff_5", "vol_10", "spread"]
dense = ["diff_4", "vol_16", "vol_40"]
[target.change]
acts = true
label = "forward_return"
unit = "points"
horizon = "1h"
tolerance = "20m"
[signal]
baseline_may_act = true
min_edge_bps = 0
[trade]
capital = 1000
order = 10
instrument = 50
total = 300
daily_loss = 1000
latency = "1s"
[train]
learning = false
[store]
base_every = "7m"
)";

Timestamp minute(std::int64_t n) { return Timestamp{1'767'225'600'000'000} + Duration::minutes(n); }

BookUpdate book(double mid) {
  const auto level = [](double price, double size) { return BookLevel{Price::from(price).value(), size}; };
  return {true, {level(mid - 0.001, 500), level(mid - 0.002, 800)}, {level(mid + 0.001, 400), level(mid + 0.002, 900)}};
}

double mid_at(std::int64_t n) { return std::round((0.5 + 0.1 * std::sin(static_cast<double>(n) / 37)) * 500) / 500; }

/// Two tokens with books; `from`, `to`: minutes.
std::vector<Event> books(std::int64_t from, std::int64_t to) {
  std::vector<Event> events;
  for (std::int64_t n = from; n < to; ++n) {
    for (std::uint32_t i = 0; i < 2; ++i) {
      const Timestamp at = minute(n) + Duration::seconds(5 + static_cast<std::int64_t>(i));
      events.push_back({InstrumentId{i}, at, at, book(mid_at(n + 11 * i))});
    }
  }
  return events;
}

class ScriptedSource final : public Source {
 public:
  ScriptedSource(std::vector<Event> events, bool remembers) : events_{std::move(events)}, remembers_{remembers} {}
  Result<std::optional<Event>> next() override {
    return next_ < events_.size() && events_[next_].known_at <= now ? std::optional{events_[next_++]} : std::nullopt;
  }
  std::string position() const override { return std::to_string(next_); }
  Result<void> seek(const std::string& position) override {
    if (remembers_) next_ = std::stoul(position);
    return {};
  }
  const SourceReport& report() const override { return report_; }
  std::optional<double> progress() const override { return std::nullopt; }
  bool remembers() const override { return remembers_; }
  /// Events known at the same time are those of one message.
  bool given_whole() const override {
    return next_ == 0 || next_ >= events_.size() || events_[next_].known_at != events_[next_ - 1].known_at;
  }
  void ask_past(const std::vector<Hole>& holes) override { asked.insert(asked.end(), holes.begin(), holes.end()); }
  void add(Event event) {
    const auto later = std::ranges::upper_bound(events_, event.known_at, {}, &Event::known_at);
    events_.insert(later, std::move(event));
  }

  Timestamp now;
  std::vector<Hole> asked;

 private:
  std::vector<Event> events_;
  const bool remembers_;
  std::size_t next_ = 0;
  SourceReport report_;
};

/// One data directory, and the processes that work on it one after the other.
class Desk {
 public:
  Desk() {
    REQUIRE(replace_file(files_, "my.toml", kProfile));
    auto config = Config::load(files_, {.profile = "my.toml", .environment = {}, .dot_env = {}, .overrides = {}});
    INFO((config ? "" : config.error().message));
    REQUIRE(config);
    config_ = *std::move(config);
  }

  /// A process begins.
  void start(std::vector<Event> events, bool remembers) {
    engine_.reset();
    store_.reset();
    auto store = Store::open(world_, folder_.path(), config_.profile.store);
    REQUIRE(store);
    store_ = *std::move(store);
    source_ = std::make_unique<ScriptedSource>(std::move(events), remembers);
    instruments_ = {};
    instruments_.intern("YES");
    instruments_.intern("NO");
    auto engine = Engine::make(world_, config_.profile, *calendar_, *store_, *source_, instruments_,
                               {.data_directory = folder_.path()});
    INFO((engine ? "" : engine.error().message));
    REQUIRE(engine);
    engine_ = *std::move(engine);
  }

  void run_until(Timestamp until, Duration step = Duration::seconds(20)) {
    for (; clock_.now() < until; clock_.set(std::min(until, clock_.now() + step))) run_once();
    run_once();
  }
  void set(Timestamp now) { clock_.set(now); }
  /// The process dies: what is not committed is gone.
  void kill() {
    engine_.reset();
    store_.reset();
  }

  Engine& engine() { return *engine_; }
  ScriptedSource& source() { return *source_; }
  Store& store() { return *store_; }
  Instruments& instruments() { return instruments_; }
  std::vector<PriceRow> prices(std::uint32_t id) {
    std::vector<PriceRow> rows;
    REQUIRE(store_->scan_prices({}, [&](const PriceRow& row) {
      if (row.instrument == InstrumentId{id}) rows.push_back(row);
      return true;
    }));
    std::ranges::sort(rows, {}, &PriceRow::event_time);
    return rows;
  }
  std::vector<ExampleRow> examples() {
    std::vector<ExampleRow> rows;
    REQUIRE(store_->scan_examples({}, [&](const ExampleRow& row) {
      rows.push_back(row);
      return true;
    }));
    return rows;
  }

 private:
  void run_once() {
    source_->now = clock_.now();
    for (;;) {
      const auto step = engine_->run_until_now();
      INFO((step ? "" : step.error().message));
      REQUIRE(step);
      if (!step->more) return;
    }
  }

  SimFs files_;
  Config config_;
  const TestDirectory folder_;
  SystemFs fs_;
  SystemProc proc_;
  ManualClock clock_{minute(0)};
  Rng rng_ = Rng::named(1, "engine");
  const World world_{clock_, rng_, fs_, proc_};
  const std::unique_ptr<const Calendar> calendar_ = make_always_open();
  std::unique_ptr<Store> store_;
  Instruments instruments_;
  std::unique_ptr<ScriptedSource> source_;
  std::unique_ptr<Engine> engine_;
};

TEST_CASE("live: a process that is killed anywhere goes on as if nothing had been") {
  const auto events = books(0, 300);
  Desk whole;
  whole.start(events, true);
  whole.run_until(minute(300));
  REQUIRE(whole.engine().progress().examples > 20);
  REQUIRE(whole.engine().progress().fills > 0);

  Desk broken;
  broken.start(events, true);
  for (const std::int64_t at : {3, 31, 32, 100, 227}) {
    broken.run_until(minute(at) + Duration::seconds(13));
    broken.kill();
    broken.start(events, true);
  }
  broken.run_until(minute(300));
  CHECK(broken.engine().progress().ledger_sha256 == whole.engine().progress().ledger_sha256);
  CHECK(broken.engine().progress().fills == whole.engine().progress().fills);
}

TEST_CASE("live: one dense price of each token on the grid, and labels made of nothing else") {
  Desk desk;
  desk.start(books(0, 200), false);
  desk.run_until(minute(200));
  const auto rows = desk.prices(0);
  REQUIRE(rows.size() == 13);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    CHECK(rows[k].event_time == minute(15 * (static_cast<std::int64_t>(k) + 1)));
    CHECK(rows[k].known_at == rows[k].event_time);
    CHECK(rows[k].kind == PriceKind::Mid);
    CHECK(rows[k].origin == Origin::Live);
    CHECK(rows[k].bid.has_value());
  }
  CHECK(desk.prices(1).size() == 13);
  std::vector<LabelRow> labels;
  REQUIRE(desk.store().scan_labels({}, [&](const LabelRow& row) {
    if (row.instrument == InstrumentId{0}) labels.push_back(row);
    return true;
  }));
  REQUIRE(labels.size() == 9);
  for (std::size_t k = 0; k < labels.size(); ++k) {
    REQUIRE(labels[k].known);
    CHECK(labels[k].value == doctest::Approx(rows[k + 4].price.value() - rows[k].price.value()));
    CHECK(labels[k].known_at == rows[k + 4].event_time);
  }
}

TEST_CASE("live: after a pause the past is asked for, fills what it can, and makes neither example nor label") {
  Desk desk;
  desk.start(books(0, 100), false);
  desk.run_until(minute(100));
  desk.kill();
  desk.set(minute(100 + 480));
  desk.start(books(580, 900), false);
  desk.run_until(minute(581));
  // From the last dense price to now, for each token; and what was before its first one, since nobody told.
  REQUIRE(desk.source().asked.size() == 4);
  CHECK(desk.source().asked[2].to == minute(0));
  const Hole hole = desk.source().asked[0];
  CHECK(hole.from == minute(90));
  CHECK(hole.to == minute(570));
  // The venue knows all but two hours.
  PastPrices past{hole.from, hole.to, {}, ""};
  for (std::int64_t n = 91; n <= 570; n += 7)
    if (n < 240 || n >= 360) past.prices.emplace_back(minute(n), Price::from(mid_at(n)).value());
  desk.source().add({hole.instrument, minute(582), minute(582), past});
  desk.run_until(minute(760));

  const auto rows = desk.prices(0);
  std::int64_t filled = 0;
  for (const PriceRow& row : rows) {
    const bool in_pause = row.event_time > minute(90) && row.event_time <= minute(570);
    CHECK((row.origin == Origin::Backfill) == in_pause);
    if (!in_pause) continue;
    ++filled;
    CHECK(row.kind == PriceKind::Past);
    CHECK(row.known_at == minute(582));
    CHECK((row.event_time < minute(250) || row.event_time >= minute(360)));
  }
  CHECK(filled == 24);
  CHECK(desk.engine().progress().backfilled == filled);
  for (const ExampleRow& example : desk.examples())
    CHECK((example.event_time <= minute(100) || example.event_time >= minute(585)));
  REQUIRE(desk.store().scan_labels({}, [&](const LabelRow& row) {
    if (row.event_time > minute(60) && row.event_time <= minute(100)) CHECK_FALSE(row.known);
    return true;
  }));
  // The two hours stay a hole.
  const auto open = desk.store().coverage().open(InstrumentId{0});
  REQUIRE(open.size() == 1);
  CHECK(open[0].start == minute(240));
  CHECK(open[0].end == minute(360));
  CHECK_FALSE(desk.store().coverage().open(InstrumentId{1}).empty());

  // A step's features look at what was filled in: four hours after the two that are missing all is known again.
  const auto examples = desk.examples();
  const auto at = [&](std::int64_t n) {
    const auto found = std::ranges::find_if(examples, [&](const ExampleRow& row) {
      return row.instrument == InstrumentId{0} && row.event_time == minute(n);
    });
    REQUIRE(found != examples.end());
    return *found;
  };
  CHECK(at(645).features[4] == doctest::Approx(mid_at(644) - mid_at(584)).epsilon(0.02));
  CHECK_FALSE(std::isnan(at(645).features[5]));
}

TEST_CASE("live: after a restart no book is trusted before it was seen again, and a short pause is made up for") {
  Desk desk;
  desk.start(books(0, 50), false);
  desk.run_until(minute(50));
  const std::int64_t cycles = desk.engine().progress().cycles;
  desk.kill();
  desk.set(minute(51) + Duration::seconds(30));
  desk.start({}, false);
  desk.run_until(minute(61));
  CHECK(desk.engine().progress().cycles == cycles + 11);
  for (const Hole& hole : desk.source().asked) CHECK(hole.to == minute(0));  // before the first price
  for (const PriceRow& row : desk.prices(0)) CHECK((row.event_time <= minute(60)));
  CHECK(desk.prices(0).back().kind != PriceKind::Mid);
}

TEST_CASE("live: an instrument that was met between two cycles is known after a kill") {
  Desk desk;
  desk.start(books(0, 10), false);
  desk.run_until(minute(10) + Duration::seconds(10));
  const Timestamp at = minute(10) + Duration::seconds(20);
  desk.instruments().intern("LATER");
  desk.source().add({InstrumentId{2}, at, at, book(0.4)});
  desk.run_until(minute(10) + Duration::seconds(30));
  desk.kill();
  desk.start(books(11, 20), false);
  REQUIRE(desk.instruments().find("LATER") == InstrumentId{2});
  desk.run_until(minute(16));
}

TEST_CASE("live: what one message says is committed together") {
  Desk desk;
  desk.start(books(0, 3), false);
  desk.run_until(minute(3));
  const Timestamp at = minute(3) + Duration::seconds(10);
  for (std::int64_t n = 0; n < 2'500; ++n)
    desk.source().add({InstrumentId{0}, at - Duration{2'500 - n}, at, Trade{Price::from(0.5).value(), 1, Side::Buy}});
  desk.source().now = at;
  desk.set(at);
  const auto step = desk.engine().run_until_now();
  REQUIRE(step);
  CHECK(step->events == 2'500);
}

TEST_CASE("live: a process that stood still invents nothing for the time when nobody listened") {
  Desk desk;
  desk.start(books(0, 100), false);
  desk.run_until(minute(100));
  desk.set(minute(400));
  auto later = books(400, 460);
  for (Event& event : later) desk.source().add(std::move(event));
  desk.run_until(minute(460));
  for (const PriceRow& row : desk.prices(0)) CHECK((row.event_time <= minute(100) || row.event_time > minute(400)));
  for (const ExampleRow& row : desk.examples()) CHECK((row.event_time <= minute(100) || row.event_time > minute(400)));
  CHECK(std::ranges::any_of(desk.source().asked,
                            [](const Hole& hole) { return hole.from == minute(90) && hole.to >= minute(390); }));
}

TEST_CASE("live: what was before the first price is asked for again, and kept once") {
  Desk desk;
  desk.start(books(0, 40), false);
  desk.run_until(minute(40));
  desk.kill();
  desk.start(books(40, 60), false);
  desk.run_until(minute(41));
  const auto asked = std::ranges::find(desk.source().asked, InstrumentId{0}, &Hole::instrument);
  REQUIRE(asked != desk.source().asked.end());
  PastPrices past{asked->from, asked->to, {}, ""};
  for (std::int64_t n = -120; n <= 0; n += 5) past.prices.emplace_back(minute(n), Price::from(0.5).value());
  const InstrumentId id = asked->instrument;
  desk.source().add({id, minute(42), minute(42), past});
  desk.source().add({id, minute(43), minute(43), past});  // two questions were under way
  desk.run_until(minute(50));
  const auto rows = desk.prices(0);
  CHECK(std::ranges::count(rows, Origin::Backfill, &PriceRow::origin) == 9);
  desk.kill();
  desk.start(books(50, 60), false);
  desk.run_until(minute(51));
  CHECK(std::ranges::find(desk.source().asked, InstrumentId{0}, &Hole::instrument) == desk.source().asked.end());
}

}  // namespace
}  // namespace everlearn
