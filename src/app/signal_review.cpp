#include "app/signal_review.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>

#include "app/label_window.hpp"
#include "core/civil.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kBps = 1e-4;
constexpr Duration kLookBack = Duration::days(40);

std::int64_t day_of(Timestamp t) {
  const std::int64_t day_us = Duration::days(1).us();
  return (t.us() - (t.us() % day_us + day_us) % day_us) / day_us;
}

/// The last price at or before each of many moments.
class PricesAt {
  struct Slot {
    Timestamp moment, found;
    double price;
  };
  template <class Slots>
  static auto first_at(Slots& slots, Timestamp t) {
    return std::lower_bound(slots.begin(), slots.end(), t,
                            [](const Slot& slot, Timestamp wanted) { return slot.moment < wanted; });
  }

 public:
  void want(InstrumentId instrument, Timestamp moment) {
    slots_[instrument].push_back({moment, Timestamp::min(), kNaN});
  }

  Result<void> look_up(const Store& store, Timestamp from) {
    Timestamp last = Timestamp::min();
    for (auto& [instrument, slots] : slots_) {
      std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.moment < b.moment; });
      last = std::max(last, slots.back().moment);
    }
    if (slots_.empty()) return {};
    EL_CHECK(store.scan_prices({from, last + Duration{1}}, [&](const PriceRow& row) {
      const auto of = slots_.find(row.instrument);
      if (of == slots_.end()) return true;
      const auto slot = first_at(of->second, row.event_time);
      if (slot != of->second.end() && row.event_time >= slot->found) {
        slot->found = row.event_time;
        slot->price = row.price.value();
      }
      return true;
    }));
    for (auto& [instrument, slots] : slots_)
      for (std::size_t i = 1; i < slots.size(); ++i)
        if (slots[i].found < slots[i - 1].found) {
          slots[i].found = slots[i - 1].found;
          slots[i].price = slots[i - 1].price;
        }
    return {};
  }

  double at(InstrumentId instrument, Timestamp moment) const {
    const auto of = slots_.find(instrument);
    if (of == slots_.end()) return kNaN;
    const auto slot = first_at(of->second, moment);
    return slot != of->second.end() && slot->moment == moment ? slot->price : kNaN;
  }

 private:
  std::map<InstrumentId, std::vector<Slot>> slots_;
};

bool directional(const TargetProfile& target) { return target.label.kind != LabelKind::RealisedVolatility; }

// Up is above zero, or a class of the upper half (of three the last); down is below, or of the lower half.
bool came_true(const TargetProfile& target, int side, double outcome) {
  const double middle = target.task == Task::Regression ? 0 : (target.outputs() - 1) / 2.0;
  return (outcome - middle) * side > 0;
}

double costs(const SignalRules& rules, const PredictionRow& row) {
  const double spread = std::isfinite(row.half_spread) ? row.half_spread : rules.half_spread_bps * kBps;
  return 2 * rules.cost_bps * kBps + spread;
}

ReviewedPrediction reviewed(const PredictionRow& row, const Profile& profile, const TargetProfile& target,
                            const LabelRow* label, const PricesAt& prices) {
  ReviewedPrediction prediction{.row = row};
  if (std::isfinite(row.expected) && directional(target)) prediction.side = row.expected > 0 ? 1 : -1;
  if (label == nullptr || !label->known) return prediction;
  prediction.outcome = label->value;
  prediction.known_at = label->known_at;
  if (prediction.side == 0) return prediction;
  prediction.right = came_true(target, prediction.side, label->value);
  const double end = prices.at(row.instrument, label->end);
  if (row.price > 0) prediction.net = prediction.side * (end / row.price - 1) - costs(profile.signal, row);
  return prediction;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same_verdict(const PredictionRow& row, const Signal& signal, double recent_accuracy) {
  return row.verdict == signal.filter && same(row.measured, signal.measured) && same(row.required, signal.required) &&
         same(row.recent_accuracy, recent_accuracy);
}

}  // namespace

Timestamp monday_of(Timestamp t) {
  const std::int64_t day = day_of(t);
  return Timestamp{(day - (weekday(day) + 6) % 7) * Duration::days(1).us()};
}

// The week belongs to the year that holds its Thursday.
std::string iso_week(Timestamp t) {
  const std::int64_t thursday = day_of(monday_of(t)) + 3;
  const std::int64_t year = civil_date(thursday).year;
  return fmt::format("{:04}-W{:02}", year, (thursday - days_since_epoch({year, 1, 1})) / 7 + 1);
}

Result<void> review_predictions(const DataDirectory& directory, TimeRange range,
                                const std::function<Result<void>(const std::vector<ReviewedPrediction>&)>& visit) {
  const Store& store = directory.store();
  const std::uint16_t acting = directory.acting_target();
  const TargetProfile& target = directory.profile().targets[acting];
  return LabelWindow::walk(store, Dataset::Predictions, range, [&](TimeRange stretch, const LabelWindow& labels) {
    PricesAt prices;
    for (const LabelRow& label : labels.all())
      if (label.target == acting && label.known && directional(target)) prices.want(label.instrument, label.end);
    std::vector<ReviewedPrediction> cycle;
    std::optional<Error> error;
    const auto flush = [&] {
      if (!cycle.empty())
        if (const auto visited = visit(cycle); !visited) error = visited.error();
      cycle.clear();
      return !error;
    };
    const auto pass = [&]() -> Result<void> {
      EL_CHECK(prices.look_up(store, stretch.from));
      EL_CHECK(store.scan_predictions(stretch, [&](const PredictionRow& row) {
        if (row.target != acting || !row.served) return true;
        if (!cycle.empty() && cycle.front().row.event_time != row.event_time && !flush()) return false;
        cycle.push_back(reviewed(row, directory.profile(), target,
                                 labels.find(row.event_time, row.instrument, row.target), prices));
        return true;
      }));
      flush();
      if (error) return tl::unexpected<Error>(*error);
      return {};
    };
    return pass();
  });
}

Result<std::vector<ReviewedPrediction>> newest_signals(const DataDirectory& directory, TimeRange range, bool all,
                                                       std::size_t limit) {
  EL_TRY(const auto stats, directory.store().stats());
  std::vector<ReviewedPrediction> newest;
  for (const DatasetStats& dataset : stats) {
    if (dataset.dataset != Dataset::Predictions || !dataset.last_event) continue;
    const Timestamp first = std::max(range.from, *dataset.first_event);
    Timestamp to = std::min(range.to, *dataset.last_event + Duration{1});
    // A stretch at a time, back from the end.
    while (newest.size() < limit && first < to) {
      const Timestamp from = to - first > kLookBack ? to - kLookBack : first;
      std::deque<ReviewedPrediction> found;
      EL_CHECK(review_predictions(directory, {from, to}, [&](const auto& cycle) -> Result<void> {
        for (const ReviewedPrediction& prediction : cycle) {
          if (!all && prediction.row.verdict != "passed") continue;
          found.push_back(prediction);
          if (found.size() > limit) found.pop_front();
        }
        return {};
      }));
      newest.insert(newest.end(), found.rbegin(), found.rend());
      to = from;
    }
  }
  if (newest.size() > limit) newest.resize(limit);
  return newest;
}

void SignalTally::add(const ReviewedPrediction& prediction) {
  ++n;
  if (prediction.right) {
    ++known;
    right += *prediction.right;
  }
  if (std::isfinite(prediction.net)) {
    ++priced;
    net += prediction.net;
  }
}

double SignalTally::right_share() const {
  return known > 0 ? static_cast<double>(right) / static_cast<double>(known) : kNaN;
}

double SignalTally::net_mean() const { return priced > 0 ? net / static_cast<double>(priced) : kNaN; }

// A class said with a model behind it; the engine counts no other.
void Maturing::said(const ReviewedPrediction& prediction) {
  const PredictionRow& row = prediction.row;
  if (!prediction.outcome || row.bundle.empty() || row.probabilities.empty()) return;
  waiting_.emplace(prediction.known_at, row.event_time, row.instrument, static_cast<int>(row.blended),
                   static_cast<int>(*prediction.outcome));
}

// In the order in which labels settle: (known_at, event_time, instrument).
void Maturing::take(Timestamp now, SignalChain& chain) {
  for (; !waiting_.empty() && std::get<0>(waiting_.top()) <= now; waiting_.pop())
    chain.matured(std::get<3>(waiting_.top()), std::get<4>(waiting_.top()));
}

std::optional<SignalInput> input_of(const PredictionRow& row) {
  if (std::isnan(row.required)) return std::nullopt;
  SignalInput input{.instrument = row.instrument, .price = row.price};
  input.traded = std::isfinite(row.price);
  if (std::isfinite(row.half_spread)) input.half_spread = row.half_spread;
  input.predicted = row.expected;
  input.probabilities = row.probabilities;
  input.set = row.set;
  input.outside_share = std::isfinite(row.outside_share) ? row.outside_share : 0;
  input.champion = row.rung == "champion" || row.rung == "ensemble";
  // These are in no column of their own, but nothing else gives their verdicts.
  input.learning_active = row.verdict != "learning off";
  input.fresh = row.verdict != "stale";
  const auto& filters = kSignalFilters;
  if (row.verdict != "passed" && std::find(filters.begin(), filters.end(), row.verdict) == filters.end())
    input.held = row.verdict;
  return input;
}

Result<SignalStats> signal_stats(const DataDirectory& directory, TimeRange range) {
  EL_TRY(SignalChain chain, SignalChain::make(directory.profile().signal));
  Maturing maturing;
  SignalStats stats;
  EL_CHECK(review_predictions(directory, {Timestamp::min(), range.to}, [&](const auto& cycle) -> Result<void> {
    const Timestamp at = cycle.front().row.event_time;
    maturing.take(at, chain);
    for (const ReviewedPrediction& prediction : cycle) maturing.said(prediction);
    if (at < range.from) return {};
    if (stats.weeks.empty() || stats.weeks.back().monday != monday_of(at))
      stats.weeks.push_back({.monday = monday_of(at), .verdicts = {}});
    SignalStats::Week& week = stats.weeks.back();
    for (const ReviewedPrediction& prediction : cycle) {
      stats.verdicts[prediction.row.verdict].add(prediction);
      week.verdicts[prediction.row.verdict].add(prediction);
      if (prediction.outcome && prediction.row.set != 0) stats.sets.add(at, prediction.row.set, *prediction.outcome);
    }
    stats.predictions += static_cast<std::int64_t>(cycle.size());
    stats.first = stats.first.value_or(at);
    stats.last = at;
    week.recent_accuracy = stats.recent_accuracy = chain.recent_accuracy();
    week.recent_majority = stats.recent_majority = chain.recent_majority();
    stats.recent_count = chain.recent_count();
    return {};
  }));
  return stats;
}

Result<WhatIf> what_if(const DataDirectory& directory, const SignalRules& changed, TimeRange range) {
  EL_TRY(SignalChain kept_chain, SignalChain::make(directory.profile().signal));
  EL_TRY(SignalChain changed_chain, SignalChain::make(changed));
  Maturing for_kept, for_changed;
  WhatIf result;
  EL_CHECK(review_predictions(directory, {Timestamp::min(), range.to}, [&](const auto& cycle) -> Result<void> {
    const Timestamp at = cycle.front().row.event_time;
    for_kept.take(at, kept_chain);
    for_changed.take(at, changed_chain);
    std::vector<const ReviewedPrediction*> replayed;
    std::vector<SignalInput> inputs;
    for (const ReviewedPrediction& prediction : cycle) {
      for_kept.said(prediction);
      for_changed.said(prediction);
      if (auto input = input_of(prediction.row)) {
        replayed.push_back(&prediction);
        inputs.push_back(std::move(*input));
      } else if (at >= range.from) {
        ++result.not_replayed;
      }
    }
    const double recent_accuracy = kept_chain.recent_accuracy();
    const auto again = kept_chain.judge(at, inputs);
    const auto would = changed_chain.judge(at, inputs);
    if (at < range.from) return {};
    for (std::size_t i = 0; i < replayed.size(); ++i) {
      const PredictionRow& row = replayed[i]->row;
      ++result.predictions;
      result.was[row.verdict].add(*replayed[i]);
      result.would[would[i].filter].add(*replayed[i]);
      result.new_signals += would[i].passed && row.verdict != "passed";
      result.lost_signals += !would[i].passed && row.verdict == "passed";
      if (same_verdict(row, again[i], recent_accuracy)) continue;
      ++result.other_rules;
      if (!result.first_other) result.first_other = at;
    }
    return {};
  }));
  return result;
}

}  // namespace everlearn
