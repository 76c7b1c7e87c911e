// Cost of a feature bank's step. The counter "instrument" is the time per instrument and step, "value" per feature
// value. Windows of 20, 500 and 5000 steps; 130 features of 1, 50, 500 and 5000 instruments.
//   ninja -C build/release feature_bench && build/release/bin/feature_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/rng.hpp"
#include "feature/feature_bank.hpp"

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

BENCHMARK(window_sums)->Arg(20)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(window_extremes)->Arg(20)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(window_ranks)->Arg(20)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(instruments)->Arg(1)->Arg(50)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace everlearn

BENCHMARK_MAIN();
