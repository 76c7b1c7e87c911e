// Cost of a feature bank's step. The counter "instrument" is the time per instrument and step, "value" per feature
// value. Windows of 20, 500 and 5000 steps; 130 features of 1, 50, 500 and 5000 instruments. Last the two banks of the
// profile for prediction markets at 500 and 10,000 instruments with books of ten levels: percentiles of a step, and
// what it allocates.
//   ninja -C build/release feature_bench && build/release/bin/feature_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/config/config.hpp"
#include "app/row_schema.hpp"
#include "core/rng.hpp"
#include "core/system_fs.hpp"
#include "feature/feature_bank.hpp"

namespace {
std::atomic<std::int64_t> allocations{0};
}  // namespace

__attribute__((noinline)) void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace everlearn {
namespace {

/// Random walks with a bar and a price in every step.
class Market {
 public:
  explicit Market(std::size_t instruments) : prices_(instruments, 100.0) {
    for (std::size_t i = 0; i < instruments; ++i) all_.intern(fmt::format("I{}", i));
  }

  void advance(Timestamp at) {
    state_.end_step();
    for (std::size_t i = 0; i < prices_.size(); ++i) {
      const double before = prices_[i];
      prices_[i] *= 1 + 0.002 * (rng_.uniform() - 0.5);
      Bar bar;
      bar.open = price(before);
      bar.close = price(prices_[i]);
      bar.high = std::max(bar.open, bar.close);
      bar.low = std::min(bar.open, bar.close);
      bar.volume = 100 * rng_.uniform();
      apply({.instrument = static_cast<InstrumentId>(i), .event_time = at, .known_at = at, .what = bar});
    }
  }
  const Instruments& instruments() const { return all_; }
  const MarketState& state() const { return state_; }

 private:
  static Price price(double value) { return Price::from_nanos(std::llround(value * Price::kScale)); }
  void apply(const Event& event) {
    if (!state_.apply(event)) std::abort();
  }

  Rng rng_{1};
  Instruments all_;
  MarketState state_;
  std::vector<double> prices_;
};

void step_bank(benchmark::State& run, const std::vector<std::string>& features, std::size_t instruments, int warm_up) {
  const auto calendar = make_always_open();
  Market market{instruments};
  FeatureBank bank{FeatureSet::choose(Duration::minutes(1), features).value(), *calendar};
  Timestamp at = Timestamp::parse("2025-01-01T00:00:00Z").value();
  const auto step = [&] {
    at = at + Duration::minutes(1);
    market.advance(at);
  };
  for (int i = 0; i < warm_up; ++i) {
    step();
    bank.step(at, market.instruments(), market.state());
  }
  std::vector<float> row(bank.set().size());
  for (auto _ : run) {
    run.PauseTiming();
    step();
    run.ResumeTiming();
    bank.step(at, market.instruments(), market.state());
    bank.row(InstrumentId{0}, row);
    benchmark::DoNotOptimize(row.data());
  }
  const double steps = static_cast<double>(run.iterations()) * static_cast<double>(instruments);
  run.counters["instrument"] = benchmark::Counter(steps, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  run.counters["value"] = benchmark::Counter(steps * static_cast<double>(row.size()),
                                             benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

std::vector<std::string> at_window(const std::vector<std::string>& families, std::int64_t w) {
  std::vector<std::string> features;
  for (const std::string& family : families) features.push_back(fmt::format("{}_{}", family, w));
  return features;
}

/// Lags, sums of powers, joint sums, exponential means: the same work whatever the window.
void window_sums(benchmark::State& run) {
  const std::vector<std::string> families{"ret",  "vol",      "z",         "efficiency", "acf1",
                                          "skew", "trend_r2", "ema_ratio", "up_share",   "vwap_dist",
                                          "atr",  "volume_z", "amihud"};
  step_bank(run, at_window(families, run.range(0)), 500, static_cast<int>(run.range(0)) + 200);
}

/// Highest and lowest: one comparison more for each doubling of the window.
void window_extremes(benchmark::State& run) {
  step_bank(run, at_window({"drawdown", "range_position"}, run.range(0)), 500, static_cast<int>(run.range(0)) + 200);
}

/// Ranks: among 64 values at most, however long the window.
void window_ranks(benchmark::State& run) {
  step_bank(run, at_window({"price_rank"}, run.range(0)), 500, static_cast<int>(run.range(0)) + 200);
}

/// 130 features that bars and prices can feed, windows up to 250.
const std::vector<std::string> kHundredAndThirty{"ret_1",
                                                 "ret_2",
                                                 "ret_3",
                                                 "ret_5",
                                                 "ret_10",
                                                 "ret_20",
                                                 "ret_60",
                                                 "ret_120",
                                                 "ret_250",
                                                 "lag_ret_1",
                                                 "lag_ret_2",
                                                 "lag_ret_3",
                                                 "accel_5",
                                                 "accel_20",
                                                 "vol_5",
                                                 "vol_10",
                                                 "vol_20",
                                                 "vol_60",
                                                 "vol_120",
                                                 "vol_250",
                                                 "vol_ann_20",
                                                 "rv_20",
                                                 "rv_60",
                                                 "semivol_up_20",
                                                 "semivol_down_20",
                                                 "mean_abs_ret_20",
                                                 "max_abs_ret_20",
                                                 "max_ret_60",
                                                 "min_ret_60",
                                                 "vol_of_vol_20",
                                                 "skew_60",
                                                 "skew_120",
                                                 "kurt_60",
                                                 "kurt_120",
                                                 "acf1_60",
                                                 "acf2_60",
                                                 "acf5_60",
                                                 "acf1_250",
                                                 "hurst_120",
                                                 "variance_ratio2_60",
                                                 "variance_ratio5_120",
                                                 "drawdown_20",
                                                 "drawdown_60",
                                                 "drawdown_250",
                                                 "above_low_20",
                                                 "above_low_60",
                                                 "above_low_250",
                                                 "range_position_20",
                                                 "range_position_60",
                                                 "range_position_250",
                                                 "up_share_20",
                                                 "up_share_60",
                                                 "flat_share_20",
                                                 "efficiency_10",
                                                 "efficiency_20",
                                                 "efficiency_60",
                                                 "efficiency_250",
                                                 "z_20",
                                                 "z_60",
                                                 "z_120",
                                                 "z_250",
                                                 "sma_ratio_5",
                                                 "sma_ratio_20",
                                                 "sma_ratio_60",
                                                 "sma_ratio_250",
                                                 "ema_ratio_5",
                                                 "ema_ratio_20",
                                                 "ema_ratio_60",
                                                 "tstat_20",
                                                 "tstat_60",
                                                 "tstat_250",
                                                 "slope_20",
                                                 "slope_60",
                                                 "price_rank_60",
                                                 "rsi_7",
                                                 "rsi_14",
                                                 "rsi_21",
                                                 "macd",
                                                 "macd_signal",
                                                 "macd_hist",
                                                 "bollinger_b_20",
                                                 "bollinger_width_20",
                                                 "atr_14",
                                                 "atr_60",
                                                 "stoch_k_14",
                                                 "stoch_d_14",
                                                 "williams_r_14",
                                                 "di_plus_14",
                                                 "di_minus_14",
                                                 "adx_14",
                                                 "cci_20",
                                                 "obv_20",
                                                 "obv_60",
                                                 "mfi_14",
                                                 "cmf_20",
                                                 "vwap_dist_20",
                                                 "vwap_dist_60",
                                                 "session_vwap_dist",
                                                 "volume_ratio_20",
                                                 "volume_z_20",
                                                 "volume_z_60",
                                                 "bar_return",
                                                 "bar_range",
                                                 "bar_body",
                                                 "upper_wick",
                                                 "lower_wick",
                                                 "close_location",
                                                 "gap",
                                                 "parkinson_20",
                                                 "garman_klass_20",
                                                 "rogers_satchell_20",
                                                 "volume_corr_60",
                                                 "up_volume_20",
                                                 "amihud_20",
                                                 "vol_ratio5_60",
                                                 "vol_ratio20_120",
                                                 "vol_trend_20",
                                                 "vol_rank_120",
                                                 "regime_120",
                                                 "trend_r2_60",
                                                 "jump_share_60",
                                                 "hour_sin",
                                                 "hour_cos",
                                                 "weekday",
                                                 "minutes_since_open",
                                                 "reversion_20",
                                                 "steps_since_move",
                                                 "risk_adjusted_20",
                                                 "surprise_60",
                                                 "jump_count_60"};

void instruments(benchmark::State& run) {
  step_bank(run, kHundredAndThirty, static_cast<std::size_t>(run.range(0)), 300);
}

/// Books of ten levels on both sides; in a step a fifth of them moves, and one in twenty trades.
class Books {
 public:
  explicit Books(std::size_t instruments) : middles_(instruments) {
    for (std::size_t i = 0; i < instruments; ++i) {
      Instrument& one = all_.edit(all_.intern(fmt::format("I{}", i)));
      one.probability = true;
      one.tick_size = Price::parse("0.001").value();
      middles_[i] = 200 + static_cast<std::int64_t>(rng_.below(600));
    }
  }

  void advance(Timestamp at) {
    state_.end_step();
    for (std::size_t i = 0; i < middles_.size(); ++i) {
      if (rng_.below(5) == 0 || !begun_) move(i, at);
      if (rng_.below(20) != 0) continue;
      const std::int64_t side = rng_.below(2) == 0 ? 1 : -1;
      apply(i, at, Trade{price(middles_[i] + side), 5 + rng_.uniform() * 100, side > 0 ? Side::Buy : Side::Sell});
    }
    begun_ = true;
  }
  const Instruments& instruments() const { return all_; }
  const MarketState& state() const { return state_; }

 private:
  static Price price(std::int64_t ticks) { return Price::from_nanos(ticks * (Price::kScale / 1000)); }
  void move(std::size_t i, Timestamp at) {
    middles_[i] = std::clamp<std::int64_t>(middles_[i] + static_cast<std::int64_t>(rng_.below(5)) - 2, 50, 950);
    BookUpdate book;
    book.snapshot = true;
    for (std::int64_t level = 1; level <= 10; ++level) {
      book.bids.push_back({price(middles_[i] - level), 10 + rng_.uniform() * 500});
      book.asks.push_back({price(middles_[i] + level), 10 + rng_.uniform() * 500});
    }
    apply(i, at, std::move(book));
  }
  void apply(std::size_t i, Timestamp at, EventBody what) {
    const Event event{static_cast<InstrumentId>(i), at, at, std::move(what)};
    if (!state_.apply(event)) std::abort();
  }

  Rng rng_{1};
  Instruments all_;
  MarketState state_;
  std::vector<std::int64_t> middles_;
  bool begun_ = false;
};

const Profile& markets_profile() {
  static const Profile profile = [] {
    SystemFs fs;
    return Config::load(fs, {.profile = "polymarket"}).value().profile;
  }();
  return profile;
}

double percentile(std::vector<double> values, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

/// Steps of one of the profile's banks once its longest window is full. `rows`: with the rows of all instruments, as
/// the engine fills them each cycle.
void profile_bank(benchmark::State& run, bool dense, bool rows) {
  const RowSchema schema = RowSchema::make(markets_profile()).value();
  const FeatureSet& set = dense ? schema.dense() : schema.features();
  const auto calendar = make_always_open();
  Books market{static_cast<std::size_t>(run.range(0))};
  FeatureBank bank{set, *calendar};
  Timestamp at = Timestamp::parse("2026-01-01T00:00:00Z").value();
  const auto step = [&] {
    at = at + set.step();
    market.advance(at);
  };
  std::int64_t warm_up = 1;
  for (std::size_t i = 0; i < set.size(); ++i) warm_up = std::max(warm_up, set[i].warm_up + 1);
  for (std::int64_t i = 0; i < warm_up; ++i) {
    step();
    bank.step(at, market.instruments(), market.state());
  }
  std::vector<float> row(schema.size());
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(run.max_iterations));
  std::int64_t allocated = 0;
  for (auto _ : run) {
    step();
    const std::int64_t before = allocations;
    const auto begin = std::chrono::steady_clock::now();
    bank.step(at, market.instruments(), market.state());
    for (std::size_t i = 0; rows && i < market.instruments().size(); ++i) {
      const auto id = static_cast<InstrumentId>(i);
      schema.fill(bank, nullptr, id, market.state()[id], row);
      benchmark::DoNotOptimize(row.data());
    }
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    run.SetIterationTime(times.back());
    allocated += allocations - before;
  }
  run.counters["p50_ms"] = percentile(times, 0.5) * 1e3;
  run.counters["p99_ms"] = percentile(times, 0.99) * 1e3;
  run.counters["columns"] = static_cast<double>(set.size());
  run.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(run.iterations());
}

void profile_fast_bank(benchmark::State& run) { profile_bank(run, false, false); }
void profile_fast_bank_and_rows(benchmark::State& run) { profile_bank(run, false, true); }
void profile_dense_bank(benchmark::State& run) { profile_bank(run, true, false); }

BENCHMARK(window_sums)->Arg(20)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(window_extremes)->Arg(20)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(window_ranks)->Arg(20)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(instruments)->Arg(1)->Arg(50)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(profile_fast_bank)->Arg(500)->Arg(10'000)->Iterations(200)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(profile_fast_bank_and_rows)
    ->Arg(500)
    ->Arg(10'000)
    ->Iterations(200)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(profile_dense_bank)->Arg(500)->Arg(10'000)->Iterations(200)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace everlearn

BENCHMARK_MAIN();
