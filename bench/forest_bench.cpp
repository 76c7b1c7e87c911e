// One prediction and a batch: our forest beside the library that trained it. 300 trees x 31 leaves x 120 features.
// Medians of interleaved repetitions; run it as
//   ninja -C build/release forest_bench && build/release/bin/forest_bench --benchmark_enable_random_interleaving=true
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <LightGBM/c_api.h>
#include <benchmark/benchmark.h>

#include "core/rng.hpp"
#include "forest/forest.hpp"
#include "forest/lightgbm.hpp"

namespace {

using everlearn::Forest;
using everlearn::Rng;

constexpr int kFeatures = 120;
constexpr int kTrees = 300;
constexpr int kTrainRows = 20'000;
constexpr int kRows = 4'096;  // scored; one after the other, so that no branch predictor learns a row by heart
constexpr int kRepetitions = 15;

void ok(int code) {
  if (code == 0) return;
  std::fprintf(stderr, "LightGBM: %s\n", LGBM_GetLastError());
  std::abort();
}

std::vector<float> random_rows(Rng& rng, int rows) {
  std::vector<float> values(static_cast<std::size_t>(rows) * kFeatures);
  for (float& x : values)
    x = rng.below(50) == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(rng.uniform() * 2.0 - 1.0);
  return values;
}

struct FreeBooster {
  void operator()(void* handle) const noexcept { LGBM_BoosterFree(handle); }
};
struct FreeFastConfig {
  void operator()(void* handle) const noexcept { LGBM_FastConfigFree(handle); }
};

/// One trained model, in both hands.
struct Subject {
  std::unique_ptr<void, FreeBooster> booster;
  std::unique_ptr<void, FreeFastConfig> fast;
  Forest forest;
  std::vector<float> rows;

  static Subject train() {
    Rng rng{1};
    const std::vector<float> x = random_rows(rng, kTrainRows);
    std::vector<float> y;
    for (int i = 0; i < kTrainRows; ++i) {
      double sum = 0.0;
      for (int j = 0; j < kFeatures; ++j) {
        const auto value =
            static_cast<double>(x[static_cast<std::size_t>(i) * kFeatures + static_cast<std::size_t>(j)]);
        if (!std::isnan(value)) sum += std::sin(5.0 * value + j);
      }
      y.push_back(static_cast<float>(sum + rng.uniform()));
    }
    const char* parameters = "objective=regression num_leaves=31 num_threads=1 verbosity=-1 seed=1 deterministic=true";
    DatasetHandle dataset = nullptr;
    ok(LGBM_DatasetCreateFromMat(x.data(), C_API_DTYPE_FLOAT32, kTrainRows, kFeatures, 1, parameters, nullptr,
                                 &dataset));
    ok(LGBM_DatasetSetField(dataset, "label", y.data(), kTrainRows, C_API_DTYPE_FLOAT32));
    BoosterHandle handle = nullptr;
    ok(LGBM_BoosterCreate(dataset, parameters, &handle));
    std::unique_ptr<void, FreeBooster> booster{handle};
    for (int i = 0, finished = 0; i < kTrees; ++i) ok(LGBM_BoosterUpdateOneIter(handle, &finished));
    ok(LGBM_DatasetFree(dataset));

    std::int64_t size = 0;
    ok(LGBM_BoosterSaveModelToString(handle, 0, -1, 0, 0, &size, nullptr));
    std::string text(static_cast<std::size_t>(size), '\0');
    ok(LGBM_BoosterSaveModelToString(handle, 0, -1, 0, size, &size, text.data()));
    text.pop_back();
    auto forest = everlearn::forest_from_lightgbm(text);
    if (!forest) {
      std::fprintf(stderr, "%s\n", forest.error().message.c_str());
      std::abort();
    }
    FastConfigHandle fast = nullptr;
    ok(LGBM_BoosterPredictForMatSingleRowFastInit(handle, C_API_PREDICT_RAW_SCORE, 0, -1, C_API_DTYPE_FLOAT32,
                                                  kFeatures, "num_threads=1", &fast));
    return Subject{std::move(booster), std::unique_ptr<void, FreeFastConfig>{fast}, *std::move(forest),
                   random_rows(rng, kRows)};
  }
};

void settle(benchmark::internal::Benchmark* bench) {
  bench->Repetitions(kRepetitions)->ReportAggregatesOnly()->MinTime(0.1)->Unit(benchmark::kMicrosecond);
}

void register_all(const Subject& subject) {
  settle(benchmark::RegisterBenchmark("one_row/everlearn", [&](benchmark::State& state) {
    std::size_t row = 0;
    for (auto _ : state) {
      double out = 0.0;
      subject.forest.raw(std::span{subject.rows}.subspan(row * kFeatures, kFeatures), std::span{&out, 1});
      benchmark::DoNotOptimize(out);
      row = (row + 1) % kRows;
    }
  }));
  settle(benchmark::RegisterBenchmark("one_row/lightgbm_fast", [&](benchmark::State& state) {
    std::size_t row = 0;
    for (auto _ : state) {
      double out = 0.0;
      std::int64_t written = 0;
      ok(LGBM_BoosterPredictForMatSingleRowFast(subject.fast.get(), subject.rows.data() + row * kFeatures, &written,
                                                &out));
      benchmark::DoNotOptimize(out);
      row = (row + 1) % kRows;
    }
  }));
  std::vector<double> out(kRows);
  settle(benchmark::RegisterBenchmark("batch_4096/everlearn", [&, out](benchmark::State& state) mutable {
    for (auto _ : state) {
      subject.forest.raw_batch(subject.rows, out);
      benchmark::DoNotOptimize(out.data());
    }
  }));
  settle(benchmark::RegisterBenchmark("batch_4096/lightgbm", [&, out](benchmark::State& state) mutable {
    for (auto _ : state) {
      std::int64_t written = 0;
      ok(LGBM_BoosterPredictForMat(subject.booster.get(), subject.rows.data(), C_API_DTYPE_FLOAT32, kRows, kFeatures, 1,
                                   C_API_PREDICT_RAW_SCORE, 0, -1, "num_threads=1", &written, out.data()));
      benchmark::DoNotOptimize(out.data());
    }
  }));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const Subject subject = Subject::train();
  register_all(subject);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
