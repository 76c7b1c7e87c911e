#include "learn/conformal_coverage.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace everlearn {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : std::numeric_limits<double>::quiet_NaN();
}

Timestamp monday_of(Timestamp t) {
  constexpr Duration kWeek = Duration::days(7);
  const Timestamp first = Timestamp{} + Duration::days(4);  // 1970-01-05
  const std::int64_t into = (t - first).us() % kWeek.us();
  return t - Duration{into < 0 ? into + kWeek.us() : into};
}

}  // namespace

void SetCount::add(std::uint32_t set, double outcome) {
  if (set == 0 || !(outcome >= 0 && outcome < 32)) return;
  const bool holds = (set >> static_cast<std::uint32_t>(outcome) & 1u) != 0;
  const int size = std::popcount(set);
  ++n;
  classes += size;
  if (holds) ++covered;
  if (size == 1) ++single;
  if (size == 1 && holds) ++single_right;
}

double SetCount::coverage() const { return ratio(covered, n); }
double SetCount::standard_error() const {
  const double c = coverage();
  return std::sqrt(c * (1 - c) / static_cast<double>(n));
}
double SetCount::single_share() const { return ratio(single, n); }
double SetCount::single_accuracy() const { return ratio(single_right, single); }
double SetCount::mean_size() const { return ratio(classes, n); }

void ConformalCoverage::add(Timestamp event_time, std::uint32_t set, double outcome) {
  if (set == 0 || !(outcome >= 0 && outcome < 32)) return;
  weeks_[monday_of(event_time)].add(set, outcome);
  all_.add(set, outcome);
}

std::vector<ConformalCoverage::Week> ConformalCoverage::weeks() const {
  std::vector<Week> weeks;
  for (const auto& [monday, count] : weeks_) weeks.push_back({monday, count});
  return weeks;
}

}  // namespace everlearn
