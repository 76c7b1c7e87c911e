#include "app/report/live_scorer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/civil.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kDeciles = 10, kFewestForDeciles = 100;

/// What a label of the target means as a move of the price.
double move_of(const LabelSpec& label, double outcome, double price) {
  switch (label.unit) {
    case ReturnUnit::Points:
      return outcome;
    case ReturnUnit::Relative:
      return outcome * price;
    case ReturnUnit::Log:
      return std::expm1(outcome) * price;
  }
  return kNaN;
}

template <class Point>
std::vector<Decile> deciles_of(std::vector<Point> points) {
  if (points.size() < kFewestForDeciles) return {};
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.predicted < b.predicted; });
  std::vector<Decile> deciles;
  for (std::size_t d = 0; d < kDeciles; ++d) {
    const std::size_t from = points.size() * d / kDeciles, to = points.size() * (d + 1) / kDeciles;
    CompensatedSum predicted, outcome;
    for (std::size_t i = from; i < to; ++i) {
      predicted.add(points[i].predicted);
      outcome.add(points[i].outcome);
    }
    const auto n = static_cast<double>(to - from);
    deciles.push_back({predicted.value() / n, outcome.value() / n, static_cast<std::int64_t>(to - from)});
  }
  return deciles;
}

}  // namespace

std::string period_name(Timestamp t, Period period) {
  if (period == Period::Day) return t.date();
  const std::int64_t day_us = Duration::days(1).us();
  const CivilDate date = civil_date((t.us() - (t.us() % day_us + day_us) % day_us) / day_us);
  return period == Period::Year ? fmt::format("{:04}", date.year) : fmt::format("{:04}-{:02}", date.year, date.month);
}

LiveScorer::LiveScorer(const TargetProfile& target, double tick_size, Period period)
    : target_{target},
      half_tick_{tick_size / 2},
      period_{period},
      all_{{target.label.classes(), half_tick_}, {target.label.classes(), half_tick_}} {}

void LiveScorer::add(const PredictionRow& row, double outcome) {
  const bool classes = target_.task != Task::Regression;
  const Figures empty{target_.label.classes(), half_tick_};
  Pair& period = by_period_.try_emplace(period_name(row.event_time, period_), Pair{empty, empty}).first->second;
  for (Pair* into : {&all_, &period}) classes ? add_class(*into, row, outcome) : add_value(*into, row, outcome);
  first_ = std::min(first_.value_or(row.event_time), row.event_time);
  last_ = std::max(last_.value_or(row.event_time), row.event_time);
  if (classes) {
    sets_.add(row.event_time, row.set, outcome);
    const bool last = outcome == target_.label.classes() - 1;
    if (!row.probabilities.empty() && std::isfinite(row.probabilities.back()))
      points_.push_back({row.probabilities.back(), last ? 1.0 : 0.0});
    return;
  }
  if (std::isfinite(row.blended)) points_.push_back({row.blended, outcome});
  if (std::isfinite(row.baseline)) baseline_points_.push_back({row.baseline, outcome});
}

void LiveScorer::add_value(Pair& into, const PredictionRow& row, double outcome) const {
  const double move = move_of(target_.label, outcome, row.price);
  for (auto& [figures, said] : {std::pair{&into.served, row.blended}, std::pair{&into.baseline, row.baseline}}) {
    figures->fit.add(outcome, said, row.no_change);
    if (target_.label.kind == LabelKind::ForwardReturn) figures->direction.add(move, said);
  }
}

void LiveScorer::add_class(Pair& into, const PredictionRow& row, double outcome) const {
  // Only the winner of the baseline's classes is kept: enough for its accuracy.
  std::vector<double> winner(static_cast<std::size_t>(target_.label.classes()), kNaN);
  into.served.classes.add(outcome, row.probabilities.size() == winner.size() ? row.probabilities : winner);
  if (row.baseline >= 0 && row.baseline < static_cast<double>(winner.size())) {
    std::fill(winner.begin(), winner.end(), 0.0);
    winner[static_cast<std::size_t>(row.baseline)] = 1;
  }
  into.baseline.classes.add(outcome, winner);
}

Score LiveScorer::score(const Figures& figures, bool has_probabilities) const {
  Score score{.r2 = kNaN,
              .r2_no_change = kNaN,
              .rmse = kNaN,
              .direction_accuracy = kNaN,
              .majority_direction = kNaN,
              .zero_share = kNaN,
              .accuracy = kNaN,
              .majority_class = kNaN,
              .log_loss = kNaN};
  if (target_.task != Task::Regression) {
    score.n = figures.classes.n();
    score.accuracy = figures.classes.accuracy();
    score.majority_class = figures.classes.majority_share();
    if (has_probabilities) score.log_loss = figures.classes.log_loss();
    return score;
  }
  score.n = figures.fit.n();
  score.r2 = figures.fit.r2();
  score.r2_no_change = figures.fit.r2_against();
  score.rmse = figures.fit.rmse();
  score.direction_accuracy = figures.direction.accuracy();
  score.majority_direction = figures.direction.majority_share();
  score.zero_share = figures.direction.zero_share();
  return score;
}

LiveScore LiveScorer::result() const {
  LiveScore live{.target = target_.name,
                 .classes = target_.task != Task::Regression,
                 .directional = target_.label.kind == LabelKind::ForwardReturn,
                 .served = score(all_.served, true),
                 .baseline = score(all_.baseline, false),
                 .first = first_,
                 .last = last_};
  for (const auto& [name, pair] : by_period_)
    live.periods.push_back({name, score(pair.served, true), score(pair.baseline, false)});
  live.deciles = deciles_of(points_);
  live.baseline_deciles = deciles_of(baseline_points_);
  live.sets = sets_;
  live.set_alpha = target_.conformal_alpha;
  return live;
}

}  // namespace everlearn
