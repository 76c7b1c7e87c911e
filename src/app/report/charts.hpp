// The pictures of the report page. Each is drawn for a width in pixels; colours come from the page's CSS classes:
// model, base, good, bad, pale.
#pragma once

#include <string>
#include <vector>

#include "app/report/report.hpp"

namespace everlearn {

/// Every training of a target at its date and at its gain on the hold-out; below, whose turn it was to serve.
std::string training_chart(const Report& report, const TargetLine& target, double width);

/// By period, model and baseline as bars from zero: R2; accuracy for classes.
std::string fit_chart(const LiveScore& live, double width);
/// By period, the share of directions foreseen, and what a constant guess gets.
std::string direction_chart(const LiveScore& live, double width);

/// Predicted against realised, by decile; on the diagonal a prediction means what it says.
std::string calibration_chart(const LiveScore& live, const TargetLine& target, double width);

/// What the likeliest class's probability said against how often it came, before and after calibration, with twice the
/// standard error of the latter; below, the rows of each bin. On the diagonal a probability means what it says.
std::string reliability_chart(const TrainingLine& training, double width);

/// The paper account from the first trade on: models, baseline, and the models before costs.
std::string equity_chart(const Paper& paper, double width);

struct ChartBar {
  std::string label;
  double value = 0;
  std::string text;            // beside the bar
  std::string look = "model";  // CSS class
};
std::string bar_chart(const std::vector<ChartBar>& bars, double width, const std::string& label);

/// When each stream was seen, and its longest gaps.
std::string coverage_chart(const Report& report, double width);

}  // namespace everlearn
