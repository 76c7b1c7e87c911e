// Scores what was served against what came, one target at a time, row by row.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/profile.hpp"
#include "app/report/report.hpp"
#include "learn/metrics.hpp"

namespace everlearn {

enum class Period : std::uint8_t { Day, Month, Year };
/// "2026-01-15", "2026-01" or "2026"
std::string period_name(Timestamp t, Period period);

class LiveScorer {
 public:
  /// `tick_size` in price units; moves under half of it have no direction.
  LiveScorer(const TargetProfile& target, double tick_size, Period period);
  /// A row in which a model spoke, with its known label.
  void add(const PredictionRow& row, double outcome);
  LiveScore result() const;

 private:
  struct Figures {
    Figures(int class_count, double half_tick) : direction{half_tick}, classes{class_count} {}
    RegressionScore fit;
    DirectionScore direction;
    ClassScore classes;
  };
  struct Pair {
    Figures served, baseline;
  };
  struct Point {
    double predicted, outcome;
  };
  void add_class(Pair& into, const PredictionRow& row, double outcome) const;
  void add_value(Pair& into, const PredictionRow& row, double outcome) const;
  Score score(const Figures& figures, bool has_probabilities) const;

  const TargetProfile& target_;
  const double half_tick_;
  const Period period_;
  Pair all_;
  std::map<std::string, Pair> by_period_;
  std::vector<Point> points_, baseline_points_;
  ConformalCoverage sets_;
  std::optional<Timestamp> first_, last_;
};

}  // namespace everlearn
