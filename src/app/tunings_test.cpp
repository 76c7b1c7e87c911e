#include "app/tunings.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"
#include "forest/fixtures.hpp"
#include "forest/tables.hpp"
#include "learn/golden.hpp"
#include "registry/tune.hpp"

using namespace everlearn;

namespace {

Timestamp step(int n) { return Timestamp{} + Duration::minutes(10) * n; }

// A base of one stump, rows to tune it on, and a function in the trainer's place.
class Site {
 public:
  explicit Site(std::function<Result<ProcessExit>(Site&, const std::string& directory)> trainer)
      : trainer_{std::move(trainer)}, proc_{[this](const ProcessSpec& spec) { return trainer_(*this, spec.argv[1]); }} {
    TargetProfile target;
    target.name = "next";
    target.acts = true;
    profile_.targets = {target};
    profile_.seed = 7;
    profile_.tune.way = TuneWay::Leaves;
    profile_.tune.rows_min = 50;
    profile_.tune.rows_max = 100;
    profile_.tune.newest = 20;
    profile_.tune.decay = 0.75;
    make_base();
    for (int n = 0; n < 200; ++n) {
      ExampleRow example{.event_time = step(n), .known_at = step(n)};
      example.price = 1;
      example.baseline = {0};
      example.no_change = {0};
      example.features = {static_cast<float>(n % 10) / 10};
      rows_.add(example);
      LabelRow label{.event_time = step(n), .known = true, .value = 1};
      label.end = label.known_at = step(n + 1);
      rows_.settle(label);
    }
  }

  World world() { return {clock_, rng_, fs_, proc_}; }
  Fs& fs() { return fs_; }
  const Profile& profile() const { return profile_; }
  Profile& profile() { return profile_; }
  const std::shared_ptr<const Predictor>& base() const { return base_; }
  const RecentRows& rows() const { return rows_; }
  Trainings::Place place() const { return {directory_.path(), "everlearn-train", {"x@1"}, "schema", {""}}; }
  std::string path(const std::string& name) const { return directory_ / name; }
  ManualClock& clock() { return clock_; }
  const ProcessSpec& started() const { return proc_.started().back(); }
  TrainJob job(const std::string& directory) {
    return TrainJob::from_json(read_file(fs_, directory + "/job.json").value()).value();
  }
  /// What a trainer writes that found something.
  void finish(const std::string& directory, const TuneDifference& difference) {
    TrainResult result;
    result.ok = true;
    result.changed = changes_of(difference);
    result.stop_loss_before = 1;
    result.stop_loss = 0.5;
    result.rows_fit = 80;
    result.seen_until = step(150);
    result.intervals = {{step(79), step(150)}};
    REQUIRE(replace_file(fs_, directory + "/tune.bin", encode_difference(difference)));
    REQUIRE(replace_file(fs_, directory + "/result.json", result.to_json()));
  }

 private:
  void make_base() {
    ForestTables tables = stump(0.5);
    tables.feature_names = {"x@1"};
    const Forest forest = Forest::build(tables).value();
    const std::string job = directory_ / "base";
    REQUIRE(fs_.make_directories(job));
    REQUIRE(fs_.make_directories(directory_ / "models"));
    Golden golden{{"x@1"}, 1, {0.F, 1.F}, std::vector<double>(2)};
    forest.raw_batch(golden.rows, golden.raw);
    REQUIRE(replace_file(fs_, job + "/model.txt", "none"));
    REQUIRE(replace_file(fs_, job + "/forest.bin", forest.encode()));
    REQUIRE(replace_file(fs_, job + "/calibrator.json", Calibrator{}.to_json()));
    REQUIRE(write_golden(fs_, job + "/golden.parquet", golden));
    Card card;
    card.target = "next";
    card.columns = {"x@1"};
    card.schema_hash = "schema";
    card.canonical_job = "{}";
    card.params.learning_rate = 0.125;
    card.seen_until = step(-10);
    card.intervals = {{step(-100), step(-10)}};
    base_ = Predictor::bind(admit(fs_, directory_ / "models", job, card).value(), {"x@1"}).value();
  }

  std::function<Result<ProcessExit>(Site&, const std::string&)> trainer_;
  TestDirectory directory_;
  ManualClock clock_;
  Rng rng_{1};
  SystemFs fs_;
  FakeProc proc_;
  Profile profile_;
  std::shared_ptr<const Predictor> base_;
  RecentRows rows_{0, 1, rules(), Duration{}};

  static TuneRules rules() {
    TuneRules rules;
    rules.rows_min = 50;
    rules.rows_max = 100;
    rules.newest = 20;
    return rules;
  }
};

double said(const Predictor& predictor, float x) {
  std::vector<float> scratch(1);
  std::vector<double> out(1);
  predictor.predict(std::vector{x}, scratch, out);
  return out.front();
}

}  // namespace

TEST_CASE("tunings: the job is of the base, on rows that end before the newest, the later fifth to stop by") {
  std::string seen;
  Site site{[&](Site& s, const std::string& directory) -> Result<ProcessExit> {
    const TrainJob job = s.job(directory);
    seen = job.to_json();
    CHECK(job.tune->base == s.base()->id());
    CHECK(job.tune->base_directory == s.path("models/" + s.base()->id()));
    CHECK(job.tune->decay == 0.75);
    CHECK(job.params.learning_rate == 0.125);  // the base's
    // Labelled: 0..199. Newest: 180..199. The hundred before whose label was known by step 180: 80..179.
    CHECK(job.fit_from == step(80));
    CHECK(job.stop_from == step(160));
    CHECK(job.stop_until == step(179) + Duration{1});
    CHECK(job.purge_stop_by == step(180));
    std::int64_t examples = 0, labels = 0;
    CHECK(read_examples(job.tail_examples, "", {}, [&](const ExampleRow&) { return ++examples > 0; }));
    CHECK(read_labels(job.tail_labels, "", {}, [&](const LabelRow&) { return ++labels > 0; }));
    CHECK(read_columns(job.tail_examples).value() == std::vector<std::string>{"x@1"});
    CHECK(examples == 100);
    CHECK(labels == 100);
    s.finish(directory, std::vector<LeafStep>{{1, 0.5F}});
    return ProcessExit{};
  }};
  Tunings tunings{site.world(), site.profile()};
  site.clock().set(step(201));
  const TuneOutcome outcome = tunings.tune(site.base(), site.rows(), step(200), site.place()).value();
  REQUIRE(outcome.refused.empty());
  CHECK(said(*outcome.predictor, 1.F) == 1.5);
  CHECK(said(*site.base(), 1.F) == 1.0);
  const TuneCard& card = *outcome.predictor->tune();
  CHECK(card.made_at == step(201));
  CHECK(card.intervals == TrainingIntervals{{step(-100), step(-10)}, {step(79), step(150)}});
  CHECK(load_tune(site.fs(), site.path("models"), site.base()->id(), outcome.predictor->id()));
  CHECK(site.started().limits.wall == site.profile().tune.wall);
  CHECK(site.fs().list(site.path("jobs"))->empty());

  const std::string first = seen;
  REQUIRE(tunings.tune(site.base(), site.rows(), step(200), site.place()));
  CHECK(seen == first);  // the same job, hence the same tune
}

TEST_CASE("tunings: never from a tune, and one at a time") {
  Site site{[](Site& s, const std::string& directory) -> Result<ProcessExit> {
    s.finish(directory, std::monostate{});
    return ProcessExit{};
  }};
  Tunings tunings{site.world(), site.profile()};
  CHECK(tunings.collect(true, site.place()).error().code == Code::Usage);
  REQUIRE(tunings.start(site.base(), site.rows(), step(200), site.place()));
  CHECK(tunings.running());
  CHECK(tunings.start(site.base(), site.rows(), step(201), site.place()).error().code == Code::InUse);
  const TuneOutcome outcome = tunings.collect(false, site.place())->value();
  CHECK(!tunings.running());
  REQUIRE(outcome.predictor);
  CHECK(outcome.predictor->tune()->changed == 0);
  CHECK(said(*outcome.predictor, 1.F) == said(*site.base(), 1.F));
  const auto again = tunings.start(outcome.predictor, site.rows(), step(201), site.place());
  REQUIRE(!again);
  CHECK(again.error().code == Code::Usage);
}

TEST_CASE("tunings: what goes wrong in the child is an outcome with its reason") {
  const auto refused = [](std::function<Result<ProcessExit>(Site&, const std::string&)> trainer) {
    Site site{std::move(trainer)};
    Tunings tunings{site.world(), site.profile()};
    const TuneOutcome outcome = tunings.tune(site.base(), site.rows(), step(200), site.place()).value();
    CHECK(!outcome.predictor);
    CHECK(site.fs().list(site.path("jobs"))->empty());
    return outcome.refused;
  };
  CHECK(refused([](Site&, const std::string&) -> Result<ProcessExit> { return ProcessExit{.timed_out = true}; }) ==
        "trainer killed after 2m");
  CHECK(refused([](Site& s, const std::string& directory) -> Result<ProcessExit> {
          REQUIRE(replace_file(s.fs(), directory + "/trainer.log", "first\neverlearn-train: no memory\n"));
          return ProcessExit{.code = 1};
        }) == "trainer exited with 1: everlearn-train: no memory");
  CHECK(refused([](Site& s, const std::string& directory) -> Result<ProcessExit> {
          TrainResult result;
          result.refused = "one class: every label is 1";
          REQUIRE(replace_file(s.fs(), directory + "/result.json", result.to_json()));
          return ProcessExit{};
        }) == "refused before tuning: one class: every label is 1");
  // A difference that does not fit its base.
  CHECK(refused([](Site& s, const std::string& directory) -> Result<ProcessExit> {
          s.finish(directory, std::vector<LeafStep>{{99, 1.F}});
          return ProcessExit{};
        }).find("leaf 99 is to move, the forest has 2") != std::string::npos);
}

TEST_CASE("tunings: too few rows start no child") {
  Site site{[](Site&, const std::string&) -> Result<ProcessExit> { return fail(Code::Internal, "started"); }};
  const RecentRows none{0, 1, site.profile().tune, Duration{}};
  Tunings tunings{site.world(), site.profile()};
  const TuneOutcome outcome = tunings.tune(site.base(), none, step(200), site.place()).value();
  CHECK(outcome.refused == "fewer than 50 labelled rows before the newest 20");
}
