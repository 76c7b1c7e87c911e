#include "train/train_directory.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>

#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/test_directory.hpp"
#include "core/world.hpp"
#include "forest/forest.hpp"
#include "learn/golden.hpp"
#include "model/calibrator.hpp"
#include "store/store.hpp"
#include "train/row_selection.hpp"

using namespace everlearn;

namespace {

constexpr int kInstruments = 4;
constexpr int kSteps = 400;
constexpr int kHorizon = 5;  // steps

Timestamp step(int n) { return Timestamp{} + Duration::hours(n); }

struct Row {
  int n, instrument;
  double signal;  // the first feature
};
using LabelOf = std::function<double(const Row&)>;

// Real sealed examples and labels: two random features, the label from the first.
class Bench {
 public:
  explicit Bench(const LabelOf& label_of, const std::function<float(const Row&)>& second = {}) {
    StoreOptions options;
    options.segment_rows = 500;
    store_ = Store::open({clock_, rng_, fs_, proc_}, directory_ / "data", options).value();
    REQUIRE(store_->put_state("columns", "signal@1\nnoise@2\n"));
    Rng random{7};
    for (int n = 0; n < kSteps; ++n) {
      for (int i = 0; i < kInstruments; ++i) {
        const Row row{n, i, random.uniform() - 0.5};
        ExampleRow example{
            .instrument = InstrumentId{static_cast<std::uint32_t>(i)}, .event_time = step(n), .known_at = step(n)};
        example.price = 1;
        example.baseline = {0};
        example.no_change = {0};
        const float noise = static_cast<float>(random.uniform());
        example.features = {static_cast<float>(row.signal), second ? second(row) : noise};
        REQUIRE(store_->append(example));
        LabelRow label{.instrument = example.instrument, .event_time = step(n), .known = true, .value = label_of(row)};
        label.end = label.known_at = step(n + kHorizon);
        REQUIRE(store_->append(label));
      }
      if (n == 300) {
        REQUIRE(store_->commit(""));
        REQUIRE(store_->seal_all().value() > 0);
      }
    }
    REQUIRE(store_->commit(""));
  }

  TrainJob job() {
    TrainJob job;
    job.target = "t";
    job.as_of = step(kSteps);
    job.fit_from = step(0);
    job.stop_from = step(300);
    job.stop_until = step(350);
    job.purge_stop_by = step(350);
    job.columns = {"signal@1", "noise@2"};
    job.markets = std::vector<std::string>(kInstruments);
    job.params.trees = 20;
    job.params.depth = 3;
    job.params.leaves = 7;
    for (const Segment& s : store_->segments(Dataset::Examples))
      job.examples.push_back({directory_ / "data/" + s.path, s.sha256, s.rows});
    for (const Segment& s : store_->segments(Dataset::Labels))
      job.labels.push_back({directory_ / "data/" + s.path, s.sha256, s.rows});
    return job;
  }

  Result<TrainResult> train(TrainJob job, const std::string& name = "job") {
    const std::string place = directory_ / name;
    REQUIRE(fs_.make_directories(place));
    job.tail_examples = place + "/tail_examples.parquet";
    job.tail_labels = place + "/tail_labels.parquet";
    REQUIRE(store_->export_hot(Dataset::Examples, job.tail_examples));
    REQUIRE(store_->export_hot(Dataset::Labels, job.tail_labels));
    REQUIRE(replace_file(fs_, place + "/job.json", job.to_json()));
    last_ = job;
    return train_directory(fs_, place);
  }
  std::string file(const std::string& name, const std::string& job = "job") {
    return read_file(fs_, directory_ / (job + "/" + name)).value();
  }
  const TrainJob& last() const { return last_; }
  SystemFs& fs() { return fs_; }
  std::string path(const std::string& name) const { return directory_ / name; }

 private:
  TestDirectory directory_;
  ManualClock clock_;
  Rng rng_{1};
  SystemFs fs_;
  FakeProc proc_{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  std::unique_ptr<Store> store_;
  TrainJob last_;
};

double linear(const Row& row) { return 2 * row.signal; }

}  // namespace

TEST_CASE("trainer: learns what there is to learn and proves its own conversion") {
  Bench bench{linear};
  const TrainResult result = bench.train(bench.job()).value();
  REQUIRE(result.ok);
  CHECK(result.rows_stop > 0);
  CHECK(result.best_iteration > 1);
  CHECK(result.gain.at("signal@1") > 100 * result.gain.at("noise@2"));
  CHECK(result.label_max > 0.9);
  const Forest forest = Forest::decode(bench.file("forest.bin")).value();
  const Golden golden = read_golden(bench.fs(), bench.path("job/golden.parquet")).value();
  CHECK(golden.size() == 256);
  std::vector<double> raw(golden.raw.size());
  forest.raw_batch(golden.rows, raw);
  CHECK(raw == golden.raw);
}

TEST_CASE("trainer: purge leaves out rows whose outcome was not known at the boundary") {
  Bench bench{linear};
  REQUIRE(bench.train(bench.job())->ok);
  const RowSelection selection = select_rows(bench.last()).value();
  for (const LabelledRow& row : selection.rows) {
    if (row.role == Role::Fit)
      CHECK(row.label_end <= step(300));
    else
      CHECK(row.label_end <= step(350));
  }
  CHECK(selection.purged == 2 * (kHorizon - 1) * kInstruments);
  // As of an earlier T later labels do not exist.
  TrainJob earlier = bench.last();
  earlier.as_of = step(200);
  const RowSelection known = select_rows(earlier).value();
  for (const LabelledRow& row : known.rows) CHECK(row.label_end <= step(200));
}

TEST_CASE("trainer: the newest rows are taken, markets that share an outcome stay on one side") {
  Bench bench{linear};
  REQUIRE(bench.train(bench.job())->ok);
  TrainJob few = bench.last();
  few.max_examples = 100;
  const std::vector<LabelledRow> rows = select_rows(few).value().rows;
  const auto fit = std::count_if(rows.begin(), rows.end(), [](const LabelledRow& r) { return r.role == Role::Fit; });
  CHECK(fit == 100);
  CHECK(rows.front().event_time > step(250));

  TrainJob grouped = bench.last();
  grouped.group_by_market = true;
  grouped.markets = {"m", "", "", ""};
  const RowSelection apart = select_rows(grouped).value();
  for (const LabelledRow& row : apart.rows) CHECK((row.role == Role::Stop || row.instrument != InstrumentId{0}));
}

TEST_CASE("trainer: threads do not change the model, the seed may") {
  Bench bench{linear};
  TrainJob job = bench.job();
  job.params.row_fraction = 0.7;
  job.params.feature_fraction = 0.5;
  REQUIRE(bench.train(job, "one")->ok);
  job.threads = 2;
  REQUIRE(bench.train(job, "two")->ok);
  CHECK(bench.file("forest.bin", "one") == bench.file("forest.bin", "two"));
  job.seed = 99;
  REQUIRE(bench.train(job, "other")->ok);
  CHECK(bench.file("forest.bin", "one") != bench.file("forest.bin", "other"));
}

TEST_CASE("trainer: a random forest is averaged, classes get probabilities") {
  Bench bench{[](const Row& row) { return row.signal > 0.1 ? 1.0 : 0.0; }};
  TrainJob job = bench.job();
  job.task = Task::Binary;
  job.classes = 2;
  job.params.boosting = "rf";
  job.params.row_fraction = 0.6;
  REQUIRE(bench.train(job)->ok);
  const Forest forest = Forest::decode(bench.file("forest.bin")).value();
  CHECK(forest.averaged());
  CHECK(forest.link() == Link::Logistic);
}

TEST_CASE("trainer: data that can teach nothing is refused by name") {
  const auto refused = [](const LabelOf& label, const std::function<void(TrainJob&)>& edit = {},
                          const std::function<float(const Row&)>& second = {}) {
    Bench bench{label, second};
    TrainJob job = bench.job();
    if (edit) edit(job);
    const TrainResult result = bench.train(job).value();
    CHECK(!result.ok);
    return result.refused;
  };
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(refused([](const Row&) { return 3.0; }) == "constant label: every one is 3");
  CHECK(refused([](const Row& row) {
          return row.n == 50 ? std::numeric_limits<double>::infinity() : row.signal;
        }).starts_with("non-finite label of instrument 0"));
  const auto binary = [](TrainJob& job) {
    job.task = Task::Binary;
    job.classes = 2;
  };
  CHECK(refused([](const Row&) { return 1.0; }, binary) == "one class: every label is 1");
  CHECK(refused([](const Row& row) { return row.n == 9 ? 2.0 : row.n % 2; }, binary) ==
        "class out of range: label 2 of a task with 2 classes");
  CHECK(refused(linear, [](TrainJob& job) { job.fit_from = step(296); }).starts_with("too few rows"));
  CHECK(refused(linear, [](TrainJob& job) { job.min_effective = 100'000; }).starts_with("too few effective rows: "));
  CHECK(refused(linear, {}, [&](const Row& row) { return row.n == 7 ? infinity : 0.F; }) ==
        "infinite feature: noise@2");
}

TEST_CASE("trainer: a damaged segment is an error that names the file, never a model") {
  Bench bench{linear};
  TrainJob job = bench.job();
  job.examples.front().sha256.front() = job.examples.front().sha256.front() == '0' ? '1' : '0';
  const auto result = bench.train(job);
  REQUIRE(!result);
  CHECK(result.error().code == Code::Damaged);
  CHECK(result.error().message.find("lake/examples") != std::string::npos);
}
