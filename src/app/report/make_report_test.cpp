#include <doctest/doctest.h>

#include <cmath>

#include "app/report/report.hpp"
#include "app/trainings.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"
#include "registry/bundle.hpp"

using namespace everlearn;

namespace {

constexpr Timestamp kDay0{Duration::days(18'000).us()};  // 2019-04-14
Timestamp day(int n) { return kDay0 + Duration::days(n); }

Config config_of(std::vector<std::string> targets) {
  Config config;
  config.profile.name = "small";
  config.profile.source_limits = {"made up"};
  config.profile.paper.limits.capital = 1000;
  for (const std::string& name : targets) {
    TargetProfile target;
    target.name = name;
    target.label.sessions = 1;
    config.profile.targets.push_back(target);
  }
  return config;
}

PredictionRow prediction(int n, const std::string& bundle, double blended) {
  PredictionRow row;
  row.event_time = day(n);
  row.bundle = bundle;
  row.model = blended;
  row.blended = blended;
  row.baseline = 0;
  row.no_change = 0;
  row.price = 10;
  row.rung = bundle.empty() ? "baseline" : "champion";
  return row;
}

LabelRow label(int n, double value, bool known = true) {
  return {.event_time = day(n),
          .target = 0,
          .known = known,
          .value = value,
          .end = day(n + 1),
          .known_at = day(n + 1),
          .reason = known ? "" : "no price"};
}

/// A directory with a store in it that a test fills.
class Run {
 public:
  Run() : store_{open()} {
    Progress progress;
    progress.cycles = 40;
    progress.first_cycle = day(0);
    progress.last_cycle = day(40);
    progress.equity = 1030;
    progress.baseline_equity = 990;
    progress.costs = 4;
    progress.round_trips = 2;
    put("progress", progress.to_json());
    put("targets", "ret");
    put("instruments", "ABC\n");
    put("source", R"({"inputs":["a.csv"],"time_unit":"ms","rows":7,"refused":{"negative price":1}})");
  }
  void put(const std::string& key, const std::string& value) { REQUIRE(store_->put_state(key, value).has_value()); }
  template <class Row>
  void add(const Row& row) {
    REQUIRE(store_->append(row).has_value());
  }
  Store& store() { return *store_; }
  const std::string& path() const { return directory_.path(); }
  Result<Report> report(const Config& config = config_of({"ret"})) {
    REQUIRE(store_->commit("c").has_value());
    return make_report(directory_.path(), config);
  }

 private:
  std::unique_ptr<Store> open() {
    auto store = Store::open(World{clock_, rng_, fs_, proc_}, directory_.path(), {});
    REQUIRE(store.has_value());
    return std::move(*store);
  }
  TestDirectory directory_;
  SystemFs fs_;
  ManualClock clock_{kDay0};
  Rng rng_{1};
  FakeProc proc_{[](const ProcessSpec&) -> Result<ProcessExit> { return fail(Code::Unsupported, "none here"); }};
  std::unique_ptr<Store> store_;
};

}  // namespace

TEST_CASE("report: scores the rows where a model spoke and the outcome is known, and no others") {
  Run run;
  run.add(prediction(1, "m", 0.1));
  run.add(prediction(2, "m", -0.1));
  run.add(prediction(3, "", 0.7));   // the baseline alone
  run.add(prediction(4, "m", 0.7));  // void
  run.add(prediction(5, "m", 0.7));  // waiting
  run.add(label(1, 0.1));
  run.add(label(2, -0.1));
  run.add(label(3, 0.5));
  run.add(label(4, 0, false));
  run.add(label(6, 0.5));  // nothing was said
  const auto report = run.report();
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  REQUIRE(report->live.size() == 1);
  CHECK(report->live[0].served.n == 2);
  CHECK(report->live[0].served.r2 == 1);
  CHECK(report->live[0].baseline.r2 == 0);
  REQUIRE(report->live[0].periods.size() == 2);  // days: the run is short
  CHECK(report->live[0].periods[0].period == "2019-04-15");
}

TEST_CASE("report: paper figures count from the first trade on, and say where they are too few") {
  Run run;
  const double equity[] = {1000, 1000, 1100, 1050, 1030};
  for (int i = 0; i < 5; ++i) run.add(EquityRow{day(i), equity[i], 990, 4});
  run.add(FillRow{.intent = 1, .event_time = day(2), .quantity = 1, .cost = 1, .reason = "entry"});
  const auto report = run.report();
  REQUIRE(report.has_value());
  const Paper& paper = report->paper;
  CHECK(paper.pnl == 30);
  CHECK(paper.baseline_pnl == -10);
  CHECK(paper.costs == 4);
  CHECK(paper.days == 3);
  CHECK(paper.max_drawdown == doctest::Approx(0.07));
  CHECK(std::isnan(paper.sharpe));
  CHECK(paper.first_trade == day(2));
}

TEST_CASE("report: the best round trip, after costs, of those that ended") {
  Run run;
  const auto fill = [&](std::int64_t intent, int n, double quantity, std::int64_t price, const char* reason) {
    run.add(FillRow{.intent = intent,
                    .event_time = day(n),
                    .quantity = quantity,
                    .price = Price::from_nanos(price * Price::kScale),
                    .cost = 1,
                    .reason = reason});
  };
  fill(1, 1, 10, 5, "entry");
  fill(1, 2, -10, 9, "horizon");  // 40 - 2
  fill(2, 3, -10, 9, "entry");
  fill(2, 4, 10, 2, "horizon");  // 70 - 2
  fill(3, 5, -100, 9, "entry");  // still open
  const auto report = run.report();
  REQUIRE(report.has_value());
  REQUIRE(report->paper.best.has_value());
  CHECK(report->paper.best->pnl == doctest::Approx(68));
  CHECK(report->paper.best->instrument == "ABC");
  CHECK(report->paper.best->exit == day(4));
}

TEST_CASE("report: with 20 days and 30 round trips there is a Sharpe ratio") {
  Run run;
  Progress progress;
  progress.round_trips = 30;
  run.put("progress", progress.to_json());
  double value = 1000;
  for (int i = 0; i <= 20; ++i) run.add(EquityRow{day(i), value += i % 3 == 0 ? -1 : 2, 1000, 0});
  run.add(FillRow{.intent = 1, .event_time = day(1), .quantity = 1, .reason = "entry"});
  const auto report = run.report();
  REQUIRE(report.has_value());
  CHECK(report->paper.days == 20);
  CHECK(report->paper.sharpe > 0);
  CHECK(report->paper.sharpe_se > 0);
}

TEST_CASE("report: trainings keep their verdict, and the journal tells who served when") {
  Run run;
  TrainingOutcome outcome;
  outcome.verdict = {.outcome = Outcome::Refused,
                     .reason = "refused by r2",
                     .checks = {{"r2", -1, 0, false, ""}},
                     .rows = 9,
                     .effective = 3};
  outcome.result = TrainResult{.ok = true, .rows_fit = 70, .effective = 14};
  outcome.seconds = 1.5;
  run.add(VerdictRow{.target = 0,
                     .bundle = "m1",
                     .champion_before = "",
                     .as_of = day(9),
                     .outcome = "refused",
                     .reason = "schedule",
                     .json = training_json(outcome)});
  REQUIRE(run.store().note(day(10), "promoted", "ret: m2").has_value());
  REQUIRE(run.store().note(day(15), "learning", "off by hand").has_value());
  REQUIRE(run.store().note(day(20), "rolled back by hand", "ret: m0").has_value());
  const auto report = run.report();
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  REQUIRE(report->trainings.size() == 1);
  const TrainingLine& line = report->trainings[0];
  CHECK(line.target == "ret");
  CHECK(line.verdict == "refused");
  CHECK(line.why == "refused by r2");
  CHECK(line.rows == 70);
  CHECK(line.effective == 14);
  CHECK(line.holdout_rows == 9);
  CHECK(line.seconds == 1.5);
  CHECK(line.checks.at(0).name == "r2");
  REQUIRE(report->reigns.size() == 2);
  CHECK(report->reigns[0].model == "m2");
  CHECK(report->reigns[0].to == day(20));
  CHECK_FALSE(report->reigns[1].to.has_value());
}

TEST_CASE("report: a model that grew too old served until then only") {
  Run run;
  REQUIRE(run.store().note(day(10), "promoted", "ret: m1").has_value());
  REQUIRE(run.store().note(day(20), "promoted", "ret: m2").has_value());
  SystemFs fs;
  for (const auto& [id, expiry] : {std::pair{"m1", day(15)}, std::pair{"m2", day(50)}}) {
    Card card;
    card.id = id;
    card.expires_at = expiry;
    REQUIRE(fs.make_directories(run.path() + "/models/" + id).has_value());
    REQUIRE(write_card(fs, run.path() + "/models", card).has_value());
  }
  const auto report = run.report();
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  CHECK(report->reigns.at(0).expired == day(15));
  CHECK_FALSE(report->reigns.at(1).expired.has_value());
}

TEST_CASE("report: coverage by stream, the longest gap first") {
  Run run;
  Coverage& coverage = run.store().coverage();
  for (const int n : {0, 1, 4, 5, 12})
    coverage.add(InstrumentId{0}, day(n), Duration::days(n == 4 ? 3 : n == 12 ? 7 : 1), Duration::days(1));
  const auto report = run.report();
  REQUIRE(report.has_value());
  CHECK(report->streams == 1);
  CHECK(report->points == 5);
  CHECK(report->gap_count == 2);
  CHECK(report->longest_gap_s == 7 * 86'400);
  CHECK(report->longest_gaps[0].start == day(5));
  CHECK(report->stream_lines[0].name == "ABC");
  CHECK(report->stream_lines[0].gaps == 2);
}

TEST_CASE("report: what the source set aside and what the data cannot tell are in it") {
  Run run;
  const auto report = run.report();
  REQUIRE(report.has_value());
  CHECK(report->source.time_unit == "ms");
  CHECK(report->source.refused.at("negative price") == 1);
  CHECK(report->limits == std::vector<std::string>{"made up"});
}

TEST_CASE("report: a directory of other targets is refused by name") {
  Run run;
  const auto report = run.report(config_of({"other"}));
  REQUIRE_FALSE(report.has_value());
  CHECK(report.error().code == Code::Config);
  CHECK(report.error().message.find("other") != std::string::npos);
}

TEST_CASE("report: where nothing ran there is none") {
  TestDirectory directory;
  const auto report = make_report(directory.path(), config_of({"ret"}));
  REQUIRE_FALSE(report.has_value());
  CHECK(report.error().code == Code::NotFound);
}
