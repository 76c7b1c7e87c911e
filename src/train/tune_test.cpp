#include "train/tune.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>

#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"
#include "core/world.hpp"
#include "registry/tune.hpp"
#include "store/store.hpp"
#include "train/train_directory.hpp"

using namespace everlearn;

namespace {

constexpr int kHorizon = 2;     // steps
constexpr int kChange = 3'000;  // from this step on the world is another
constexpr int kSteps = 4'400;

Timestamp step(int n) { return Timestamp{} + Duration::minutes(10) * n; }

// A base trained on the old world, rows of the new one behind it.
class Lab {
 public:
  explicit Lab(Task task, const std::string& calibration = "none", const std::function<double(int, double)>& label = {})
      : task_{task} {
    StoreOptions options;
    options.segment_rows = 100'000;
    store_ = Store::open({clock_, rng_, fs_, proc_}, directory_ / "data", options).value();
    REQUIRE(store_->put_state("columns", "x@1\nnoise@2\nsteady@3\n"));
    Rng random{7};
    for (int n = 0; n < kSteps; ++n) {
      const double x = random.uniform() - 0.5, noise = random.uniform();
      ExampleRow example{.instrument = InstrumentId{0}, .event_time = step(n), .known_at = step(n)};
      example.price = 1;
      example.baseline = {0};
      example.no_change = {0};
      example.features = {static_cast<float>(x), static_cast<float>(noise), static_cast<float>(n % 7)};
      features_.push_back(example.features);
      REQUIRE(store_->append(example));
      LabelRow row{.instrument = example.instrument, .event_time = step(n), .known = true};
      row.value = label ? label(n, x) : outcome(n, x, random.uniform() - 0.5);
      labels_.push_back(row.value);
      row.end = row.known_at = step(n + kHorizon);
      REQUIRE(store_->append(row));
    }
    REQUIRE(store_->commit(""));
    base_job_ = job("base", step(0), step(2'000), step(2'800));
    base_job_.params.trees = 40;
    base_job_.params.depth = 3;
    base_job_.params.leaves = 7;
    base_job_.calibration = calibration;
  }

  std::string make_base() {
    REQUIRE(run("base", base_job_)->ok);
    Card card;
    card.target = "t";
    card.task = task_;
    card.classes = base_job_.classes;
    card.columns = base_job_.columns;
    card.schema_hash = "s";
    card.canonical_job = base_job_.canonical();
    card.params = base_job_.params;
    REQUIRE(fs_.make_directories(models()));
    base_ = admit(fs_, models(), directory_ / "base", card).value().card.id;
    return base_;
  }
  std::string models() const { return directory_ / "models"; }
  std::string path(const std::string& name) const { return directory_ / name; }
  Fs& fs() { return fs_; }
  const std::vector<float>& features(int n) const { return features_[static_cast<std::size_t>(n)]; }
  double label(int n) const { return labels_[static_cast<std::size_t>(n)]; }

  TrainJob tune_job(TuneWay way) {
    TrainJob tune = job("tune", step(3'100), step(3'900), step(4'100));
    tune.params = base_job_.params;
    tune.calibration = base_job_.calibration;
    tune.tune = TuneSpec{.way = way, .base = base_, .base_directory = models() + "/" + base_};
    return tune;
  }
  Result<TrainResult> run(const std::string& name, TrainJob job) {
    const std::string place = directory_ / name;
    REQUIRE(fs_.remove_tree(place));
    REQUIRE(fs_.make_directories(place));
    job.tail_examples = place + "/tail_examples.parquet";
    job.tail_labels = place + "/tail_labels.parquet";
    REQUIRE(store_->export_hot(Dataset::Examples, job.tail_examples));
    REQUIRE(store_->export_hot(Dataset::Labels, job.tail_labels));
    REQUIRE(replace_file(fs_, place + "/job.json", job.to_json()));
    return train_directory(fs_, place);
  }
  std::string file(const std::string& name) { return read_file(fs_, directory_ / name).value(); }

 private:
  TrainJob job(const std::string& name, Timestamp fit, Timestamp stop, Timestamp until) {
    TrainJob job;
    job.target = name;
    job.task = task_;
    job.classes = task_ == Task::Regression ? 0 : task_ == Task::Binary ? 2 : 3;
    job.as_of = step(kSteps);
    job.fit_from = fit;
    job.stop_from = stop;
    job.stop_until = until;
    job.purge_stop_by = until;
    job.columns = {"x@1", "noise@2", "steady@3"};
    job.markets = {""};
    return job;
  }
  // What x says is worth less and lies elsewhere once the world has changed.
  double outcome(int n, double x, double luck) const {
    const double value = n < kChange ? 2 * x + 0.5 * luck : 2 * x + 0.35 + 0.8 * luck;
    if (task_ == Task::Regression) return value;
    if (task_ == Task::Binary) return value > 0 ? 1 : 0;
    return value > 0.3 ? 2 : value > -0.3 ? 1 : 0;
  }

  TestDirectory directory_;
  ManualClock clock_;
  Rng rng_{1};
  SystemFs fs_;
  FakeProc proc_{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  std::unique_ptr<Store> store_;
  std::vector<std::vector<float>> features_;
  std::vector<double> labels_;
  Task task_;
  TrainJob base_job_;
  std::string base_;
};

constexpr TuneWay kWays[] = {TuneWay::Trees, TuneWay::Leaves, TuneWay::Calibration};

}  // namespace

TEST_CASE("tune: every way lowers the loss on rows newer than those it was fitted on, where the world has changed") {
  for (const Task task : {Task::Regression, Task::Binary, Task::Multiclass}) {
    Lab lab{task};
    lab.make_base();
    for (const TuneWay way : kWays) {
      CAPTURE(task_name(task));
      CAPTURE(tune_way_name(way));
      TrainJob job = lab.tune_job(way);
      job.tune->learning_rate = 0.05;
      const TrainResult result = lab.run("tune", job).value();
      REQUIRE(result.ok);
      CHECK(result.rows_fit == 800 - (kHorizon - 1));
      CHECK(result.changed > 0);
      CHECK(result.stop_loss < result.stop_loss_before);
      const TuneDifference difference = decode_difference(lab.file("tune/tune.bin")).value();
      CHECK(changes_of(difference) == result.changed);
      CHECK(difference.index() == static_cast<std::size_t>(way));
      MESSAGE(task_name(task), " ", tune_way_name(way), ": ", result.stop_loss_before, " -> ", result.stop_loss, ", ",
              result.changed, " changed, ", lab.file("tune/tune.bin").size(), " bytes");
    }
  }
}

TEST_CASE("tune: more trees are fitted to what the base leaves over, at their own rate and size") {
  Lab lab{Task::Regression};
  const Bundle base = load_bundle(lab.fs(), lab.models(), lab.make_base()).value();
  TrainJob job = lab.tune_job(TuneWay::Trees);
  job.tune->trees = 1;
  job.tune->early_stopping = 0;
  job.tune->leaves = 3;
  job.tune->min_rows_in_leaf = 150;
  const auto tree = [&](double rate) {
    job.tune->learning_rate = rate;
    REQUIRE(lab.run("tune", job)->changed == 1);
    return std::get<Forest>(decode_difference(lab.file("tune/tune.bin")).value());
  };
  const Forest whole = tree(1), tenth = tree(0.1);
  REQUIRE(whole.leaf_values().size() == 3);
  std::vector<double> sums(3), rows(3), raw(1);
  std::vector<std::uint32_t> leaf(1);
  for (int n = 3'100; n <= 3'900 - kHorizon; ++n) {
    base.forest.raw(lab.features(n), raw);
    whole.leaves(lab.features(n), leaf);
    sums[leaf[0]] += lab.label(n) - raw[0];
    rows[leaf[0]] += 1;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(rows[i] >= 150);
    CHECK(whole.leaf_values()[i] == doctest::Approx(sums[i] / rows[i]).epsilon(1e-4));
    CHECK(tenth.leaf_values()[i] == doctest::Approx(0.1 * whole.leaf_values()[i]).epsilon(1e-9));
  }
}

TEST_CASE("tune: what is admitted and read back says what the trainer measured") {
  Lab lab{Task::Multiclass, "temperature"};
  const std::string base = lab.make_base();
  const Bundle bundle = load_bundle(lab.fs(), lab.models(), base).value();
  for (const TuneWay way : kWays) {
    const TrainJob job = lab.tune_job(way);
    const TrainResult result = lab.run("tune", job).value();
    REQUIRE(result.ok);
    const TuneCard card = tune_card(bundle.card, job, result, Timestamp{5});
    const Tune made = admit_tune(lab.fs(), lab.models(), lab.path("tune"), card).value();
    const Tune read = load_tune(lab.fs(), lab.models(), base, made.card.id).value();
    CHECK(read.card.way == way);
    CHECK(read.card.stop_loss == result.stop_loss);
    CHECK(read.card.first_row == step(3'100));
    CHECK(read.card.last_row < step(4'100));
    CHECK(read.card.seen_until <= step(4'100));
    CHECK(encode_difference(read.difference) == lab.file("tune/tune.bin"));
  }
}

TEST_CASE("tune: the same rows give the same bytes") {
  Lab lab{Task::Multiclass};
  lab.make_base();
  for (const TuneWay way : kWays) {
    TrainJob job = lab.tune_job(way);
    REQUIRE(lab.run("one", job)->ok);
    job.threads = 2;
    REQUIRE(lab.run("two", job)->ok);
    CHECK(lab.file("one/tune.bin") == lab.file("two/tune.bin"));
  }
}

TEST_CASE("tune: what is no better on the newer rows is dropped: the tune says what its base says") {
  // Nothing but luck to learn: a coin.
  Rng coin{3};
  std::vector<double> flips;
  for (int n = 0; n < kSteps; ++n) flips.push_back(static_cast<double>(coin.below(2)));
  Lab lab{Task::Binary, "none", [&](int n, double x) {
            return n < kChange ? (x > 0 ? 1.0 : 0.0) : n < 3'900 ? flips[static_cast<std::size_t>(n)] : (x > 0 ? 1 : 0);
          }};
  lab.make_base();
  for (const TuneWay way : kWays) {
    const TrainResult result = lab.run("tune", lab.tune_job(way)).value();
    CAPTURE(tune_way_name(way));
    REQUIRE(result.ok);
    CHECK(result.changed == 0);
    CHECK(result.stop_loss == result.stop_loss_before);
    CHECK(std::holds_alternative<std::monostate>(decode_difference(lab.file("tune/tune.bin")).value()));
  }
}

TEST_CASE("tune: only a base bundle is tuned") {
  Lab lab{Task::Multiclass};
  const std::string base = lab.make_base();
  TrainJob job = lab.tune_job(TuneWay::Leaves);
  const TrainResult result = lab.run("tune", job).value();
  const Bundle bundle = load_bundle(lab.fs(), lab.models(), base).value();
  const std::string tune =
      admit_tune(lab.fs(), lab.models(), lab.path("tune"), tune_card(bundle.card, job, result, Timestamp{5}))->card.id;
  job.tune->base = tune;
  job.tune->base_directory = lab.models() + "/" + base + "/tunes/" + tune;
  CHECK(lab.run("again", job).error().code == Code::NotFound);
  job.tune->base_directory = lab.models() + "/" + base;
  const auto other = lab.run("again", job);
  REQUIRE(!other);
  CHECK(other.error().message.find("is not the directory of base") != std::string::npos);

  // A base whose forest was exchanged no longer fits its id.
  job = lab.tune_job(TuneWay::Leaves);
  const std::string forest = bundle.forest.moved(std::vector<LeafStep>{{0, 1.F}})->encode();
  REQUIRE(replace_file(lab.fs(), lab.models() + "/" + base + "/forest.bin", forest));
  CHECK(lab.run("again", job).error().code == Code::Model);
}

TEST_CASE("tune: rows that can teach nothing, and forests that cannot be tuned, are refused by name") {
  Lab lab{Task::Binary};
  lab.make_base();
  TrainJob few = lab.tune_job(TuneWay::Trees);
  few.fit_from = step(3'880);
  CHECK(lab.run("tune", few)->refused.starts_with("too few rows"));
  TrainJob unwanted = lab.tune_job(TuneWay::None);
  CHECK(lab.run("tune", unwanted).error().code == Code::Unsupported);
  TrainJob narrow = lab.tune_job(TuneWay::Trees);
  narrow.columns = {"x@1", "noise@2", "steady@4"};
  const auto refused = lab.run("tune", narrow);
  REQUIRE(!refused);
  CHECK(refused.error().message.find("needs column steady@3") != std::string::npos);

  Lab one{Task::Binary, "none", [](int n, double x) { return n < kChange ? (x > 0 ? 1.0 : 0.0) : 1.0; }};
  one.make_base();
  CHECK(one.run("tune", one.tune_job(TuneWay::Leaves))->refused == "one class: every label is 1");
}
