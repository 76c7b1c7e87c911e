#include "feature/testing/compare.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "feature/resolve.hpp"
#include "feature/testing/plain_features.hpp"

namespace everlearn::testing {
namespace {

double largest(const Series& s) {
  double scale = 0;
  for (const Real x : s.v) {
    if (std::isfinite(x)) scale = std::max(scale, std::fabs(static_cast<double>(x)));
  }
  return scale;
}

/// The mid and the traded value are rounded before we see them; these features are differences of their last digits.
double rounding_of_inputs(const std::string& stem) {
  if (stem == "trade_momentum") return 6e-15;  // of two traded values
  return stem == "mid_dist" || stem == "trade_vwap_dist" ? 2e-15 : 0;
}

double error(float got, double want, double slack) {
  if (std::isnan(got) && !std::isfinite(want)) return 0;
  const double difference = std::fabs(static_cast<double>(got) - want);
  return std::isnan(difference) ? 1e300 : difference / (1.3e-7 * std::fabs(want) + slack + 1e-30);
}

}  // namespace

Comparison compare(const Tape& tape, const std::vector<std::string>& features) {
  const FeatureSet set = FeatureSet::choose(tape.step, features).value();
  const Resolver resolver{tape.step};
  const Rows rows = run(tape, set);
  const PlainMarket plain{tape};
  Comparison result;
  for (std::size_t f = 0; f < set.size(); ++f) {
    const Resolved feature = resolver.find(set[f].name).value();
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const Series expected = plain.feature(feature.family->stem, feature.window, i);
      const double slack = 1e-9 * largest(expected) + rounding_of_inputs(feature.family->stem);
      for (std::size_t t = 0; t < tape.at.size(); ++t) {
        const float got = rows[t][i][f];
        const auto want = static_cast<double>(expected.v[t]);
        if (!std::isnan(got)) result.known.insert(set[f].name);
        const double now = error(got, want, slack);
        if (now <= result.worst) continue;
        result.worst = now;
        result.where = fmt::format("{} of instrument {} at step {}: {} instead of {}", set[f].name, i, t, got, want);
      }
    }
  }
  return result;
}

std::vector<std::string> every_family(const std::vector<int>& windows) {
  std::vector<std::string> all;
  for (const Family& family : all_families()) {
    if (family.steps.empty()) all.push_back(family.stem);
    std::set<int> chosen;
    for (const int w : windows) {
      if (!family.steps.empty() && w <= family.most) chosen.insert(std::max(w, family.least));
    }
    for (const int w : chosen) all.push_back(fmt::format("{}_{}", family.stem, w));
  }
  return all;
}

}  // namespace everlearn::testing
