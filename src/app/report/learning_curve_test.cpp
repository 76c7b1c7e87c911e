#include "app/report/learning_curve.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace everlearn {
namespace {

TrainingLine training(std::int64_t rows, double r2, double direction) {
  TrainingLine line{.target = "move"};
  line.rows = rows;
  line.checks = {{"r2", r2, 0.03, true, ""}, {"direction_accuracy", direction, 0.52, true, ""}};
  return line;
}

Report report_of(std::vector<TrainingLine> trainings) {
  Report report;
  report.targets = {{.name = "move", .what = "change", .acts = true}};
  report.trainings = std::move(trainings);
  report.stated.by_rows = {{1000, "0.02 to 0.04", "52 to 54 %"}};
  report.stated.by = "somebody";
  return report;
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

TEST_CASE("learning curve: trainings of about so many rows, the middle one and how far they lie apart") {
  const auto curves =
      learning_curves(report_of({training(499, 9, 9), training(500, 0.01, 0.50), training(1000, 0.04, 0.56),
                                 training(1999, 0.02, 0.53), training(2000, 9, 9), training(20'000, 0.05, 0.55)}));
  REQUIRE(curves.size() == 1);
  REQUIRE(curves[0].points.size() == 4);
  const CurvePoint& thousand = curves[0].points[0];
  CHECK(thousand.trainings == 3);
  CHECK(thousand.r2.middle == 0.02);
  CHECK(thousand.r2.least == 0.01);
  CHECK(thousand.r2.most == 0.04);
  CHECK(thousand.direction_accuracy.middle == 0.53);
  CHECK(curve_figure(thousand.r2, false) == "0.020 (0.010 to 0.040)");
  CHECK(curve_figure(thousand.direction_accuracy, true) == "53.0 % (50.0 % to 56.0 %)");
  CHECK(curves[0].points[1].trainings == 0);  // 20,000 are twice as many
  CHECK(std::isnan(curves[0].points[1].r2.middle));
  CHECK(curves[0].points[3].trainings == 0);
  CHECK(curves[0].largest == 20'000);
}

TEST_CASE("learning curve: a million and more; what was not judged does not count") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto curves = learning_curves(
      report_of({training(25'000'000, 0.1, nan), training(500'000, 0.2, 0.6), training(1000, nan, nan)}));
  REQUIRE(curves.size() == 1);
  CHECK(curves[0].points[3].trainings == 2);
  CHECK(curves[0].points[3].r2.middle == doctest::Approx(0.15));
  CHECK(curves[0].points[3].direction_accuracy.middle == 0.6);
  CHECK(curves[0].points[0].trainings == 0);
  CHECK(learning_curves(report_of({training(1000, nan, nan)})).empty());
}

TEST_CASE("learning curve: told beside what is stated, and missing where nothing had so many rows") {
  const Report report = report_of({training(1000, 0.0123, 0.511)});
  const std::string text = report_text(report);
  CHECK(contains(text, "1,000 rows"));
  CHECK(contains(text, "0.012"));
  CHECK(contains(text, "0.02 to 0.04"));
  CHECK(contains(text, "none had so many: at most 1,000"));
  CHECK(contains(text, "stated by somebody"));
  const std::string json = report_json(report);
  CHECK(contains(
      json, "\"learning_curve\":[{\"target\":\"move\",\"largest\":1000,\"points\":[{\"rows\":1000,\"trainings\":1,"));
  CHECK(contains(json, "\"stated_r2\":\"0.02 to 0.04\",\"stated_direction\":\"52 to 54 %\""));
  CHECK(contains(json, "\"rows\":1000000,\"trainings\":0,\"r2\":{\"middle\":null"));
  CHECK(contains(report_html(report), "How skill grows with rows"));
  CHECK(!contains(report_text(report_of({})), "HOW SKILL GROWS"));
}

TEST_CASE(
    "learning curve: win rates stand by month with their interval, beside the baseline alone and what is stated") {
  Report report = report_of({});
  report.stated.wins = {"0 to 1 %"};
  CHECK(!contains(report_text(report), "WIN RATE"));
  report.paper.wins["2026-01"] = {.won = 30, .lost = 20, .pnl = 4};
  report.paper.baseline_wins["2026-02"] = {.won = 1, .lost = 3, .pnl = -1};
  const std::string text = report_text(report);
  CHECK(contains(text, "2026-01  60.0 % of 50 (46.2 % to 72.4 %)  none closed"));
  CHECK(contains(text, "0 to 1 %"));
  CHECK(contains(text, "25.0 % of 4 (4.6 % to 69.9 %)"));
}

}  // namespace
}  // namespace everlearn
