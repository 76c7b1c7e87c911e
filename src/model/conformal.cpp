#include "model/conformal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/assert.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

bool finite(std::span<const double> p) {
  return std::ranges::all_of(p, [](double x) { return std::isfinite(x); });
}

}  // namespace

ConformalSets ConformalSets::fit(std::span<const double> acts, int classes, std::span<const double> outcomes,
                                 double alpha) {
  const auto width = static_cast<std::size_t>(classes);
  EL_ASSERT(classes >= 2 && classes <= kMaxClasses, "a bit a class");
  EL_ASSERT(acts.size() == outcomes.size() * width, "one probability a class and row");
  EL_ASSERT(alpha > 0 && alpha < 1, "alpha in (0, 1)");
  std::vector<double> scores;
  for (std::size_t row = 0; row < outcomes.size(); ++row) {
    const auto p = acts.subspan(row * width, width);
    if (finite(p) && outcomes[row] >= 0 && outcomes[row] < classes)
      scores.push_back(1 - p[static_cast<std::size_t>(outcomes[row])]);
  }
  ConformalSets sets;
  sets.alpha_ = alpha;
  sets.rows_ = std::ssize(scores);
  // A part in 1e9 less: (9 + 1) (1 - 0.1) is 9, not the 10 that rounding could make of it.
  const double rank = std::ceil(static_cast<double>(scores.size() + 1) * (1 - alpha) * (1 - 1e-9));
  if (rank > static_cast<double>(scores.size())) return sets;
  const auto nth = scores.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(scores.begin(), nth, scores.end());
  sets.threshold_ = std::clamp(*nth, 0.0, 1.0);
  return sets;
}

std::uint32_t ConformalSets::set(std::span<const double> acts) const {
  if (acts.empty() || !finite(acts)) return 0;
  std::uint32_t set = 0;
  for (std::size_t k = 0; k < acts.size(); ++k)
    if (1 - acts[k] <= threshold_) set |= 1u << k;
  if (set == 0) set = 1u << static_cast<std::size_t>(std::ranges::max_element(acts) - acts.begin());
  return set;
}

std::string ConformalSets::to_json() const {
  return JsonOut{}
      .put("format", 1)
      .put("score", "1 - p(outcome)")
      .put("alpha", alpha_)
      .put("threshold", threshold_)
      .put("rows", rows_)
      .text();
}

Result<ConformalSets> ConformalSets::from_json(std::string_view json) {
  EL_TRY(JsonIn in, JsonIn::parse(json));
  int format = 0;
  std::string score;
  ConformalSets read;
  in.get("format", format);
  in.get("score", score);
  in.get("alpha", read.alpha_);
  in.get("threshold", read.threshold_);
  in.get("rows", read.rows_);
  EL_CHECK(in.finish("conformal sets"));
  if (format != 1) return fail(Code::BadData, fmt::format("conformal sets: format {} is not 1", format));
  if (score != "1 - p(outcome)")
    return fail(Code::BadData, fmt::format("conformal sets: score '{}' is not '1 - p(outcome)'", score));
  if (!(read.alpha_ > 0 && read.alpha_ < 1))
    return fail(Code::BadData, fmt::format("conformal sets: alpha {} is not in (0, 1)", read.alpha_));
  if (!(read.threshold_ >= 0 && read.threshold_ <= 1))
    return fail(Code::BadData, fmt::format("conformal sets: threshold {} is not in [0, 1]", read.threshold_));
  if (read.rows_ < 0) return fail(Code::BadData, fmt::format("conformal sets: {} rows", read.rows_));
  return read;
}

}  // namespace everlearn
