// What a tune costs: a base of 300 x 3 trees on 100 columns, then each way on the last 1,000 labelled rows, by the real
// child process. Prints wall time, the child's own, the size of the stored difference and a day's worth of it.
//   tune_bench PATH-OF-everlearn-train [LEAVES]
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "app/recent_rows.hpp"
#include "app/tunings.hpp"
#include "core/rng.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/test_directory.hpp"
#include "core/world.hpp"
#include "registry/tune.hpp"
#include "store/store.hpp"

using namespace everlearn;

namespace {

constexpr int kColumns = 100, kBaseRows = 20'000, kRows = kBaseRows + 1'300;

Timestamp step(int n) { return Timestamp{} + Duration::minutes(10) * n; }

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str()), std::exit(1);
}

struct Row {
  ExampleRow example;
  LabelRow label;
};

Row row_of(int n, Rng& rng) {
  Row row;
  row.example.event_time = row.example.known_at = row.label.event_time = step(n);
  row.example.price = 1;
  row.example.baseline = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  row.example.no_change = {1};
  double sum = n < kBaseRows ? 0 : 0.2;
  for (int j = 0; j < kColumns; ++j) {
    const double x = rng.uniform() - 0.5;
    row.example.features.push_back(static_cast<float>(x));
    if (j < 10) sum += x / (1 + j);
  }
  sum += 1.2 * (rng.uniform() - 0.5);
  row.label.known = true;
  row.label.value = sum > 0.25 ? 2 : sum > -0.25 ? 1 : 0;
  row.label.end = row.label.known_at = step(n + 1);
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: tune_bench PATH-OF-everlearn-train [LEAVES]\n", stderr);
    return 2;
  }
  const TestDirectory directory;
  SystemClock clock;
  Rng seed{1};
  SystemFs fs;
  SystemProc proc;
  const World world{clock, seed, fs, proc};
  StoreOptions options;
  options.segment_rows = 4'096;
  const auto store = must(Store::open(world, directory / "store", options));
  Profile profile;
  TargetProfile target;
  target.name = "next";
  target.acts = true;
  target.task = Task::Multiclass;
  target.label.kind = LabelKind::Direction3;
  target.learner.trees = 300;
  target.learner.depth = 8;
  target.learner.leaves = argc > 2 ? std::atoi(argv[2]) : 31;
  target.learner.early_stopping = 0;
  target.calibration = "temperature";
  profile.targets = {target};

  Trainings::Place place{directory.path(), argv[1], {}, "schema", {""}};
  std::string names;
  for (int j = 0; j < kColumns; ++j) {
    place.columns.push_back(fmt::format("a_feature_of_usual_length_{}@0123abcd", j));
    names += place.columns.back() + "\n";
  }
  must(store->put_state("columns", names));
  RecentRows recent{0, kColumns, profile.tune, Duration{}};
  Rng rng{7};
  for (int n = 0; n < kRows; ++n) {
    const Row row = row_of(n, rng);
    must(store->append(row.example));
    must(store->append(row.label));
    recent.add(row.example);
    recent.settle(row.label);
  }
  must(store->commit(""));
  must(store->seal_all());
  {
    RecentRows again{0, kColumns, profile.tune, Duration{}};
    const Stopwatch stopwatch;
    must(again.rebuild(*store));
    fmt::print("rebuilt from {} sealed rows: {:.0f} ms\n", kRows, stopwatch.seconds() * 1e3);
  }

  const std::string base_job = directory / "base";
  must(fs.make_directories(base_job));
  TrainJob job;
  job.target = "next";
  job.task = target.task;
  job.classes = 3;
  job.as_of = step(kRows);
  job.fit_from = step(0);
  job.stop_from = step(kBaseRows - 3'000);
  job.stop_until = job.purge_stop_by = step(kBaseRows);
  job.columns = place.columns;
  job.schema_hash = place.schema_hash;
  job.markets = place.markets;
  job.params = target.learner;
  job.calibration = target.calibration;
  for (const Segment& s : store->segments(Dataset::Examples))
    job.examples.push_back({directory / "store/" + s.path, s.sha256, s.rows});
  for (const Segment& s : store->segments(Dataset::Labels))
    job.labels.push_back({directory / "store/" + s.path, s.sha256, s.rows});
  must(replace_file(fs, base_job + "/job.json", job.to_json()));
  const Stopwatch training;
  auto child = must(proc.start({.argv = {argv[1], base_job}}));
  if (!must(child->wait()).ok()) return 1;
  const TrainResult trained = must(TrainResult::from_json(must(read_file(fs, base_job + "/result.json"))));
  Card card;
  card.target = "next";
  card.task = target.task;
  card.classes = 3;
  card.columns = place.columns;
  card.schema_hash = place.schema_hash;
  card.params = target.learner;
  card.canonical_job = job.canonical();
  card.intervals = trained.intervals;
  must(fs.make_directories(directory / "models"));
  Bundle bundle = must(admit(fs, directory / "models", base_job, card));
  fmt::print("base: {} trees of up to {} leaves, {} leaves in all, on {} rows: {:.1f} s, {} bytes\n",
             bundle.forest.trees(), target.learner.leaves, bundle.forest.leaf_values().size(), trained.rows_fit,
             training.seconds(), must(bundle_bytes(fs, directory / "models", bundle.card.id)));
  const auto base = must(Predictor::bind(std::move(bundle), place.columns));

  const auto cost = [&](const Predictor& predictor) {
    std::vector<float> scratch(kColumns);
    std::vector<double> out(3);
    const TuneRows rows = recent.tune_rows(step(kRows));
    const Stopwatch stopwatch;
    for (int round = 0; round < 5; ++round)
      for (const ExampleRow& row : rows.examples) predictor.predict(row.features, scratch, out);
    return stopwatch.seconds() / (5.0 * static_cast<double>(rows.examples.size())) * 1e6;
  };
  fmt::print("base predicts in {:.0f} us\n", cost(*base));
  for (const TuneWay way : {TuneWay::Trees, TuneWay::Leaves, TuneWay::Calibration}) {
    profile.tune.way = way;
    Tunings tunings{world, profile};
    double least = 1e9, apply = 0;
    TuneOutcome outcome;
    for (int round = 0; round < 5; ++round) {
      outcome = must(tunings.tune(base, recent, step(kRows + round), place));
      if (!outcome.refused.empty()) {
        fmt::print("{}: {}\n", tune_way_name(way), outcome.refused);
        return 1;
      }
      least = std::min(least, outcome.seconds);
    }
    auto tune = must(load_tune(fs, directory / "models", base->id(), outcome.predictor->id()));
    const Stopwatch stopwatch;
    must(Predictor::tuned(base, std::move(tune)));
    apply = stopwatch.seconds();
    const auto files = must(list_tunes(fs, directory / "models", base->id()));
    const TrainResult& result = *outcome.result;
    fmt::print(
        "{}: {:.0f} ms wall at best of 5; child: {:.0f} reading, {:.0f} loading the base, {:.0f} tuning; applied in "
        "{:.1f} ms; predicts in {:.0f} us; loss {:.4f} -> {:.4f}, {} changed; {} bytes, {:.1f} MB a day of 144\n",
        tune_way_name(way), least * 1e3, result.read_seconds * 1e3, result.prepare_seconds * 1e3,
        result.train_seconds * 1e3, apply * 1e3, cost(*outcome.predictor), result.stop_loss_before, result.stop_loss,
        result.changed, files.back().bytes, static_cast<double>(files.back().bytes) * 144 / 1e6);
  }
  return 0;
}
