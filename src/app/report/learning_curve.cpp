#include "app/report/learning_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "app/report/words.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::int64_t, 4> kRows{1'000, 10'000, 100'000, 1'000'000};

double measured(const TrainingLine& line, std::string_view name) {
  const auto check = std::ranges::find(line.checks, name, &Check::name);
  return check == line.checks.end() ? kNaN : check->measured;
}

CurvePoint::Figure figure_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {kNaN, kNaN, kNaN};
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  const double middle = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {middle, values.front(), values.back()};
}

}  // namespace

std::vector<LearningCurve> learning_curves(const Report& report) {
  std::vector<LearningCurve> curves;
  for (const TargetLine& target : report.targets) {
    LearningCurve curve{.target = target.name, .points = {}};
    std::vector<const TrainingLine*> judged;
    for (const TrainingLine& line : report.trainings)
      if (line.target == target.name && !std::isnan(measured(line, "r2"))) judged.push_back(&line);
    if (judged.empty()) continue;
    for (const TrainingLine* line : judged) curve.largest = std::max(curve.largest, line->rows);
    for (const std::int64_t rows : kRows) {
      CurvePoint point{.rows = rows};
      std::vector<double> r2, direction;
      for (const TrainingLine* line : judged) {
        if (line->rows * 2 < rows || (line->rows >= rows * 2 && rows != kRows.back())) continue;
        ++point.trainings;
        r2.push_back(measured(*line, "r2"));
        direction.push_back(measured(*line, "direction_accuracy"));
      }
      point.r2 = figure_of(std::move(r2));
      point.direction_accuracy = figure_of(std::move(direction));
      curve.points.push_back(point);
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

std::string curve_figure(const CurvePoint::Figure& value, bool as_share) {
  const auto shown = [&](double x) { return as_share ? percent(x) : figure(x, 3); };
  if (std::isnan(value.middle)) return "n/a";
  if (value.least == value.most) return shown(value.middle);
  return fmt::format("{} ({} to {})", shown(value.middle), shown(value.least), shown(value.most));
}

}  // namespace everlearn
