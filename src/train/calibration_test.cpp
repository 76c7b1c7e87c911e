#include "train/calibration.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/test_directory.hpp"
#include "core/world.hpp"
#include "model/blend.hpp"
#include "store/store.hpp"

using namespace everlearn;

namespace {

constexpr int kSteps = 800, kFirstStop = 200, kHorizon = 3;

Timestamp step(int n) { return Timestamp{} + Duration::hours(n); }

/// One instrument, three classes: stored examples whose baseline values stand behind another target's, and what a
/// forest that is far too loud says about the stop rows.
class Bench {
 public:
  Bench() {
    store_ = Store::open({clock_, rng_, fs_, proc_}, directory_ / "data", StoreOptions{}).value();
    REQUIRE(store_->put_state("columns", "f@1\n"));
    for (int n = 0; n < kSteps; ++n) {
      ExampleRow example{.instrument = InstrumentId{0}, .event_time = step(n), .known_at = step(n)};
      example.price = 1;
      example.baseline = {7, 0.2, 0.3, 0.5};
      if (n == kSteps - 2) example.baseline[2] = std::numeric_limits<double>::quiet_NaN();
      example.no_change = {0, 0};
      example.features = {0};
      REQUIRE(store_->append(example));
      const Role role = n < kFirstStop ? Role::Fit : Role::Stop;
      const double outcome = static_cast<double>(random_.below(3));
      selection_.rows.push_back({example.instrument, step(n), step(n + kHorizon), outcome, role});
      if (role == Role::Stop) {
        const auto likely = random_.uniform() < 0.4 ? static_cast<std::size_t>(outcome) : random_.below(3);
        std::vector<double> p(3, 0.02);
        p[likely] = 0.96;
        response_.insert(response_.end(), p.begin(), p.end());
      }
    }
    REQUIRE(store_->commit(""));
    job_.task = Task::Multiclass;
    job_.classes = 3;
    job_.columns = {"f@1"};
    job_.stop_until = step(kSteps);
    job_.calibration = "temperature";
    job_.blend_weight = 0.6;
    job_.baseline_start = 1;
    job_.tail_examples = directory_ / "tail_examples.parquet";
    REQUIRE(store_->export_hot(Dataset::Examples, job_.tail_examples));
  }

  TrainJob& job() { return job_; }
  const RowSelection& selection() const { return selection_; }
  const std::vector<double>& response() const { return response_; }
  Result<Calibration> calibrate() const { return everlearn::calibrate(job_, selection_, response_); }
  /// Outcomes and said probabilities of the stop rows decided in [from, to).
  std::pair<std::vector<double>, std::vector<double>> rows(int from, int to) const {
    std::pair<std::vector<double>, std::vector<double>> found;
    for (int n = from; n < to; ++n) {
      found.first.push_back(selection_.rows[static_cast<std::size_t>(n)].label);
      const auto first = response_.begin() + 3 * (n - kFirstStop);
      found.second.insert(found.second.end(), first, first + 3);
    }
    return found;
  }
  SystemFs& fs() { return fs_; }
  std::string path() const { return directory_ / ""; }

 private:
  TestDirectory directory_;
  ManualClock clock_;
  Rng rng_{1}, random_{5};
  SystemFs fs_;
  FakeProc proc_{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  std::unique_ptr<Store> store_;
  TrainJob job_;
  RowSelection selection_;
  std::vector<double> response_;
};

}  // namespace

TEST_CASE("calibration: without prediction sets every stop row is used, and no sets are made") {
  Bench bench;
  const Calibration made = bench.calibrate().value();
  const auto [outcomes, said] = bench.rows(kFirstStop, kSteps);
  CHECK(made.calibrator == Calibrator::fit_temperature(said, 3, outcomes));
  CHECK(made.calibrator.temperature() > 2);
  CHECK(!made.sets);
  bench.job().calibration = "isotonic";
  CHECK(bench.calibrate()->calibrator == Calibrator::fit_isotonic(said, 3, outcomes));
  CHECK(bench.calibrate()->calibrator.kind() == Calibrator::Kind::Isotonic);
}

TEST_CASE("calibration: with sets, the calibrator takes the earlier half, the sets the later as it will act") {
  Bench bench;
  bench.job().conformal_alpha = 0.2;
  const Calibration made = bench.calibrate().value();
  const int middle = kFirstStop + (kSteps - kFirstStop) / 2;
  // Rows whose outcome is known only after the middle are in neither half.
  const auto [earlier, earlier_said] = bench.rows(kFirstStop, middle - kHorizon + 1);
  CHECK(made.calibrator == Calibrator::fit_temperature(earlier_said, 3, earlier));
  const auto [later, later_said] = bench.rows(middle, kSteps);
  std::vector<double> acts;
  for (std::size_t i = 0; i < later.size(); ++i) {
    std::vector<double> p(later_said.begin() + static_cast<std::ptrdiff_t>(3 * i),
                          later_said.begin() + static_cast<std::ptrdiff_t>(3 * i) + 3);
    made.calibrator.apply(p);
    // The last row but one has no baseline: the model acts alone there.
    const bool alone = middle + static_cast<int>(i) == kSteps - 2;
    const std::vector<double> baseline{0.2, 0.3, 0.5};
    for (std::size_t k = 0; k < 3; ++k) acts.push_back(alone ? p[k] : blend(p[k], baseline[k], 0.6));
  }
  REQUIRE(made.sets);
  CHECK(*made.sets == ConformalSets::fit(acts, 3, later, 0.2));
  CHECK(made.sets->rows() == (kSteps - kFirstStop) / 2);
  CHECK(made.sets->threshold() < 1);
}

TEST_CASE("calibration: two classes are one output of the forest") {
  Bench bench;
  RowSelection selection;
  std::vector<double> response, both, outcomes;
  for (int i = 0; i < 400; ++i) {
    const double outcome = i % 4 == 0 ? 0 : 1, p = i % 2 == 0 ? 0.97 : 0.9;
    selection.rows.push_back({InstrumentId{0}, step(i), step(i + 1), outcome, Role::Stop});
    response.push_back(p);
    both.insert(both.end(), {1 - p, p});
    outcomes.push_back(outcome);
  }
  bench.job().task = Task::Binary;
  bench.job().classes = 2;
  for (const std::string kind : {"temperature", "isotonic"}) {
    bench.job().calibration = kind;
    const Calibrator made = calibrate(bench.job(), selection, response)->calibrator;
    CHECK(made == (kind == "isotonic" ? Calibrator::fit_isotonic(both, 2, outcomes)
                                      : Calibrator::fit_temperature(both, 2, outcomes)));
    CHECK(made.kind() != Calibrator::Kind::Identity);
  }
}

TEST_CASE("calibration: a selection without stop rows gives no correction and sets of every class") {
  Bench bench;
  bench.job().conformal_alpha = 0.1;
  const Calibration made = calibrate(bench.job(), {}, {}).value();
  CHECK(made.calibrator == Calibrator{});
  CHECK(made.sets->threshold() == 1);
  CHECK(made.sets->rows() == 0);
}

TEST_CASE("calibration: what does not fit is refused by name") {
  Bench bench;
  const auto refused = [&] {
    const auto made = bench.calibrate();
    REQUIRE(!made);
    return made.error().message;
  };
  bench.job().calibration = "linear";
  CHECK(refused() == "calibration \"linear\" does not fit a multiclass task");
  bench.job().calibration = "none";
  bench.job().conformal_alpha = 0.1;
  bench.job().baseline_start = 2;
  CHECK(refused() ==
        "an example of instrument 0 at 1970-01-21T20:00:00.000000Z has 4 baseline values, 3 from 2 on are wanted");
  bench.job().baseline_start = 1;
  bench.job().blend_weight = 1;
  CHECK(refused() == "job.json: blend_weight = 1 is not in [0, 0.95]");
  bench.job().task = Task::Regression;
  CHECK(refused() == "prediction sets (conformal_alpha 0.1) do not fit a regression task");
}

TEST_CASE("calibration: conformal.json is written where there are sets") {
  Bench bench;
  REQUIRE(write(bench.fs(), bench.path(), bench.calibrate().value()));
  CHECK(bench.fs().exists(bench.path() + "/calibrator.json"));
  CHECK(!bench.fs().exists(bench.path() + "/conformal.json"));
  bench.job().conformal_alpha = 0.2;
  const Calibration made = bench.calibrate().value();
  REQUIRE(write(bench.fs(), bench.path(), made));
  const std::string text = read_file(bench.fs(), bench.path() + "/conformal.json").value();
  CHECK(ConformalSets::from_json(text).value() == *made.sets);
}
