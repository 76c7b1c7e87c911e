#include "signal/signal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace everlearn {
namespace {

constexpr double kBps = 1e-4;
constexpr std::uint8_t kEncodingVersion = 2;  // 1 kept only right or wrong, in checkpoints of version 1

double margin_of(std::vector<double> probabilities) {
  std::partial_sort(probabilities.begin(), probabilities.begin() + 2, probabilities.end(), std::greater<>{});
  return probabilities[0] - probabilities[1];
}

double entropy_of(const std::vector<double>& probabilities) {
  double sum = 0;
  for (const double p : probabilities)
    if (p > 0) sum -= p * std::log(p);
  return sum / std::log(static_cast<double>(probabilities.size()));
}

// Half spread as a share of the price to be hit: from the quotes where there are any.
double half_spread(const SignalRules& rules, const SignalInput& input) {
  if (!input.traded) return 0;
  if (input.half_spread) return *input.half_spread;
  if (!input.bid || !input.ask) return rules.half_spread_bps * kBps;
  return (*input.ask - *input.bid) / 2 / input.price;
}

bool middle_is_likeliest(const std::vector<double>& p) { return p.size() == 3 && p[1] > p[0] && p[1] > p[2]; }

}  // namespace

Result<SignalChain> SignalChain::make(SignalRules rules) {
  SignalChain chain{std::move(rules)};
  const SignalRules& r = chain.rules_;
  for (const auto& [name, value] : {std::pair{"cost_bps", r.cost_bps}, std::pair{"half_spread_bps", r.half_spread_bps},
                                    std::pair{"min_edge_bps", r.min_edge_bps}})
    if (!(value >= 0) || value > 10'000)
      return fail(Code::Config, fmt::format("signal.{} is {}, not in 0..10000", name, value));
  if (r.recent_rows < 1) return fail(Code::Config, fmt::format("signal.recent_rows is {}, at least 1", r.recent_rows));
  if (!(r.penalty_from > r.penalty_floor))
    return fail(Code::Config, fmt::format("signal.penalty_from is {}, not above signal.penalty_floor {}",
                                          r.penalty_from, r.penalty_floor));
  if (!r.quiet_from.empty() || !r.quiet_to.empty()) {
    EL_TRY(chain.quiet_, QuietHours::make(r.quiet_from, r.quiet_to, r.quiet_zone));
  }
  return chain;
}

Signal SignalChain::judge_one(Timestamp now, const SignalInput& input, const Thresholds& thresholds) const {
  Signal signal{.instrument = input.instrument, .half_spread = half_spread(rules_, input)};
  const auto stop = [&](std::string_view filter, double measured, double required) {
    signal.filter = filter;
    signal.measured = measured;
    signal.required = required;
    return signal;
  };
  if (!input.held.empty()) return stop(input.held, 0, 1);
  if (!input.fresh) return stop("stale", 0, 1);
  if (!std::isfinite(input.predicted)) return stop("no model", 0, 1);
  if (!rules_.baseline_may_act) {
    if (!input.learning_active) return stop("learning off", 0, 1);
    if (!input.champion) return stop("baseline may not act", 0, 1);
  }
  signal.side = input.predicted > 0 ? 1 : -1;
  const double gross = std::fabs(input.predicted);
  // In and out, at the executable price.
  const double cost = input.traded ? 2 * rules_.cost_bps * kBps + signal.half_spread : 0;
  signal.expected_value = gross - cost;
  const std::vector<double>& p = input.probabilities;
  if (middle_is_likeliest(p)) return stop("flat", p[1], std::max(p[0], p[2]));
  if (!input.traded && input.predicted == 0) return stop("flat", 0, 0);
  if (rules_.long_only && signal.side < 0) return stop("short not allowed", input.predicted, 0);
  if (rules_.out_of_distribution && input.outside_share > *rules_.out_of_distribution)
    return stop("out of distribution", input.outside_share, *rules_.out_of_distribution);
  if (rules_.conformal && std::popcount(input.set) != 1) return stop("conformal", std::popcount(input.set), 1);
  if (p.size() >= 2) {
    if (const double margin = margin_of(p); thresholds.min_margin && margin < *thresholds.min_margin)
      return stop("margin", margin, *thresholds.min_margin);
    if (const double entropy = entropy_of(p); thresholds.max_entropy && entropy > *thresholds.max_entropy)
      return stop("entropy", entropy, *thresholds.max_entropy);
  }
  if (signal.expected_value < rules_.min_edge_bps * kBps)
    return stop("edge", signal.expected_value, rules_.min_edge_bps * kBps);
  if (rules_.min_recent_accuracy) {
    if (!recent_known())
      return stop("recent accuracy unknown", static_cast<double>(recent_count()), rules_.recent_rows);
    if (thresholds.recent_accuracy < *rules_.min_recent_accuracy)
      return stop("recent accuracy", thresholds.recent_accuracy, *rules_.min_recent_accuracy);
  }
  if (quiet_ && quiet_->contains(now)) return stop("quiet hours", quiet_->local_hours(now), quiet_->end_hours());
  signal.passed = true;
  return stop("passed", signal.expected_value, rules_.min_edge_bps * kBps);
}

std::vector<Signal> SignalChain::judge(Timestamp now, std::span<const SignalInput> inputs) {
  const double s = shortfall();
  Thresholds thresholds{rules_.min_margin, rules_.max_entropy, recent_accuracy()};
  if (thresholds.min_margin) *thresholds.min_margin = std::min(1.0, *thresholds.min_margin + s * rules_.penalty_margin);
  if (thresholds.max_entropy)
    *thresholds.max_entropy = std::max(0.0, *thresholds.max_entropy - s * rules_.penalty_entropy);
  std::vector<Signal> signals;
  signals.reserve(inputs.size());
  for (const SignalInput& input : inputs) signals.push_back(judge_one(now, input, thresholds));

  if (rules_.max_signals > 0) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < signals.size(); ++i)
      if (signals[i].passed) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return signals[a].expected_value > signals[b].expected_value;
    });
    for (std::size_t k = static_cast<std::size_t>(rules_.max_signals); k < order.size(); ++k) {
      Signal& signal = signals[order[k]];
      signal.passed = false;
      signal.filter = "max signals";
      signal.measured = static_cast<double>(k + 1);
      signal.required = rules_.max_signals;
    }
  }
  for (const Signal& signal : signals) ++(signal.passed ? passed_ : stopped_[signal.filter]);
  return signals;
}

void SignalChain::keep_newest() {
  while (recent_.size() > static_cast<std::size_t>(rules_.recent_rows)) recent_.pop_front();
}

void SignalChain::matured(int predicted, int outcome) {
  recent_.push_back({static_cast<std::uint8_t>(predicted), static_cast<std::uint8_t>(outcome)});
  keep_newest();
}

double SignalChain::recent_accuracy() const {
  if (recent_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto right = std::count_if(recent_.begin(), recent_.end(), [](Matured m) { return m.predicted == m.outcome; });
  return static_cast<double>(right) / static_cast<double>(recent_.size());
}

double SignalChain::recent_majority() const {
  if (recent_.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::map<std::uint8_t, std::int64_t> outcomes;
  std::int64_t most = 0;
  for (const Matured& m : recent_) most = std::max(most, ++outcomes[m.outcome]);
  return static_cast<double>(most) / static_cast<double>(recent_.size());
}

double SignalChain::shortfall() const {
  if (!rules_.recent_penalty) return 0;
  if (!recent_known()) return 1;
  return std::clamp((rules_.penalty_from - recent_accuracy()) / (rules_.penalty_from - rules_.penalty_floor), 0.0, 1.0);
}

void SignalChain::encode(ByteWriter& out) const {
  out.u8(kEncodingVersion);
  out.i64(passed_);
  out.u32(static_cast<std::uint32_t>(stopped_.size()));
  for (const auto& [filter, count] : stopped_) {
    out.text(filter);
    out.i64(count);
  }
  out.u32(static_cast<std::uint32_t>(recent_.size()));
  for (const Matured& m : recent_) {
    out.u8(m.predicted);
    out.u8(m.outcome);
  }
}

Result<void> SignalChain::decode(ByteReader& in) {
  if (const std::uint8_t version = in.u8(); version != kEncodingVersion)
    return fail(Code::Damaged, fmt::format("the checkpoint's signal counters are of version {}, this program reads {}",
                                           version, kEncodingVersion));
  passed_ = in.i64();
  stopped_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const std::string filter = in.text();
    stopped_[filter] = in.i64();
  }
  recent_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const std::uint8_t predicted = in.u8();
    recent_.push_back({predicted, in.u8()});
  }
  if (!in.ok()) return fail(Code::Damaged, "the checkpoint's signal counters are damaged");
  keep_newest();
  return {};
}

}  // namespace everlearn
