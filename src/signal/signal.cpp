#include "signal/signal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace everlearn {
namespace {

constexpr double kBps = 1e-4;

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
  if (!input.bid || !input.ask) return rules.half_spread_bps * kBps;
  return (*input.ask - *input.bid) / 2 / input.price;
}

}  // namespace

Result<SignalChain> SignalChain::make(SignalRules rules) {
  SignalChain chain{std::move(rules)};
  const SignalRules& r = chain.rules_;
  for (const auto& [name, value] : {std::pair{"cost_bps", r.cost_bps}, std::pair{"half_spread_bps", r.half_spread_bps},
                                    std::pair{"min_edge_bps", r.min_edge_bps}})
    if (!(value >= 0) || value > 10'000)
      return fail(Code::Config, fmt::format("signal.{} is {}, not in 0..10000", name, value));
  if (r.recent_rows < 1) return fail(Code::Config, fmt::format("signal.recent_rows is {}, at least 1", r.recent_rows));
  if (!r.quiet_from.empty() || !r.quiet_to.empty()) {
    EL_TRY(chain.quiet_, QuietHours::make(r.quiet_from, r.quiet_to, r.quiet_zone));
  }
  return chain;
}

Signal SignalChain::judge_one(Timestamp now, const SignalInput& input) const {
  Signal signal{.instrument = input.instrument};
  const auto stop = [&](const char* filter, double measured, double required) {
    signal.filter = filter;
    signal.measured = measured;
    signal.required = required;
    return signal;
  };
  if (!input.fresh) return stop("stale", 0, 1);
  if (!std::isfinite(input.predicted)) return stop("no model", 0, 1);
  if (!rules_.baseline_may_act) {
    if (!input.learning_active) return stop("learning off", 0, 1);
    if (!input.champion) return stop("baseline may not act", 0, 1);
  }
  signal.side = input.predicted > 0 ? 1 : -1;
  const double gross = std::fabs(input.predicted);
  const double spread = half_spread(rules_, input);
  const double cost = 2 * rules_.cost_bps * kBps + spread;  // in and out, at the executable price
  signal.expected_value = gross - cost;
  if (rules_.long_only && signal.side < 0) return stop("short not allowed", input.predicted, 0);
  if (rules_.out_of_distribution && input.outside_share > *rules_.out_of_distribution)
    return stop("out of distribution", input.outside_share, *rules_.out_of_distribution);
  if (input.probabilities.size() >= 2) {
    if (const double margin = margin_of(input.probabilities); rules_.min_margin && margin < *rules_.min_margin)
      return stop("margin", margin, *rules_.min_margin);
    if (const double entropy = entropy_of(input.probabilities); rules_.max_entropy && entropy > *rules_.max_entropy)
      return stop("entropy", entropy, *rules_.max_entropy);
  }
  if (signal.expected_value < rules_.min_edge_bps * kBps)
    return stop("edge", signal.expected_value, rules_.min_edge_bps * kBps);
  if (rules_.min_recent_accuracy) {
    const auto right = std::count(recent_.begin(), recent_.end(), std::uint8_t{1});
    const double accuracy = recent_.empty() ? 0 : static_cast<double>(right) / static_cast<double>(recent_.size());
    if (static_cast<int>(recent_.size()) < rules_.recent_rows || accuracy < *rules_.min_recent_accuracy)
      return stop("recent accuracy", accuracy, *rules_.min_recent_accuracy);
  }
  if (quiet_ && quiet_->contains(now)) return stop("quiet hours", 0, 1);
  signal.passed = true;
  signal.filter = "passed";
  return signal;
}

std::vector<Signal> SignalChain::judge(Timestamp now, std::span<const SignalInput> inputs) {
  std::vector<Signal> signals;
  signals.reserve(inputs.size());
  for (const SignalInput& input : inputs) signals.push_back(judge_one(now, input));

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

void SignalChain::matured(bool right) {
  const auto size = static_cast<std::size_t>(rules_.recent_rows);
  if (recent_.size() < size) {
    recent_.push_back(right ? 1 : 0);
    return;
  }
  recent_[recent_next_] = right ? 1 : 0;
  recent_next_ = (recent_next_ + 1) % size;
}

void SignalChain::encode(ByteWriter& out) const {
  out.i64(passed_);
  out.u32(static_cast<std::uint32_t>(stopped_.size()));
  for (const auto& [filter, count] : stopped_) {
    out.text(filter);
    out.i64(count);
  }
  out.u32(static_cast<std::uint32_t>(recent_.size()));
  for (const std::uint8_t right : recent_) out.u8(right);
  out.u64(recent_next_);
}

Result<void> SignalChain::decode(ByteReader& in) {
  passed_ = in.i64();
  stopped_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const std::string filter = in.text();
    stopped_[filter] = in.i64();
  }
  recent_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) recent_.push_back(in.u8());
  recent_next_ = static_cast<std::size_t>(in.u64());
  if (!in.ok() || (recent_next_ > 0 && recent_next_ >= recent_.size()))
    return fail(Code::Damaged, "the checkpoint's signal counters are damaged");
  return {};
}

}  // namespace everlearn
