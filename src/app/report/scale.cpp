#include "app/report/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/report/words.hpp"
#include "core/civil.hpp"

namespace everlearn {
namespace {

constexpr double kBeyond = 0.4;  // of the width of the middle four fifths
constexpr std::int64_t kHour = Duration::hours(1).us(), kDay = Duration::days(1).us();
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::int64_t floor_to(std::int64_t value, std::int64_t step) { return value - (value % step + step) % step; }

std::int64_t first_of_month(std::int64_t month) {  // months since year 0
  return days_since_epoch({month / 12, static_cast<int>(month % 12) + 1, 1}) * kDay;
}

std::int64_t month_of(std::int64_t us) {
  const CivilDate date = civil_date(floor_to(us, kDay) / kDay);
  return date.year * 12 + date.month - 1;
}

std::vector<Tick> month_ticks(std::int64_t from, std::int64_t to, std::int64_t step) {
  std::vector<Tick> ticks;
  for (std::int64_t month = floor_to(month_of(from), step); first_of_month(month) <= to; month += step) {
    if (first_of_month(month) < from) continue;
    const std::int64_t year = month / 12;
    ticks.push_back({static_cast<double>(first_of_month(month)),
                     step % 12 == 0 ? fmt::format("{}", year)
                                    : fmt::format("{} {}", kMonths[static_cast<std::size_t>(month % 12)], year)});
  }
  return ticks;
}

std::vector<Tick> even_ticks(std::int64_t from, std::int64_t to, std::int64_t step) {
  std::vector<Tick> ticks;
  for (std::int64_t us = floor_to(from + step - 1, step); us <= to; us += step) {
    const CivilDate date = civil_date(floor_to(us, kDay) / kDay);
    const std::int64_t hour = (us - floor_to(us, kDay)) / kHour;
    const std::string day = fmt::format("{} {}", date.day, kMonths[static_cast<std::size_t>(date.month - 1)]);
    ticks.push_back({static_cast<double>(us), hour == 0 ? day : fmt::format("{:02}:00", hour)});
  }
  return ticks;
}

}  // namespace

Scale::Scale(double low, double high, double from, double to)
    : low_{low}, high_{high > low ? high : low + 1}, from_{from}, to_{to} {}

double Scale::operator()(double value) const {
  return from_ + (std::clamp(value, low_, high_) - low_) / (high_ - low_) * (to_ - from_);
}

Range robust_range(std::vector<double> values, double anchor) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return {anchor - 1, anchor + 1};
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    return values[static_cast<std::size_t>(std::lround(q * static_cast<double>(values.size() - 1)))];
  };
  const double bottom = std::min(quantile(0.1), anchor), top = std::max(quantile(0.9), anchor);
  Range range{std::max(std::min(values.front(), anchor), bottom - (top - bottom) * kBeyond),
              std::min(std::max(values.back(), anchor), top + (top - bottom) * kBeyond)};
  if (range.high <= range.low) {
    const double around = range.low == 0 ? 1 : std::abs(range.low) / 10;
    return {range.low - around, range.high + around};
  }
  const double margin = (range.high - range.low) * 0.06;
  return {range.low < anchor ? range.low - margin : range.low, range.high > anchor ? range.high + margin : range.high};
}

std::vector<Tick> value_ticks(double low, double high, int wanted, Unit unit) {
  if (!(high > low) || wanted < 1) return {};
  const double rough = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
  const double shown_step = unit == Unit::Percent ? 100 * step : step;
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(shown_step) - 1e-9)));
  std::vector<Tick> ticks;
  const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-9));
  for (auto i = static_cast<std::int64_t>(std::ceil(low / step - 1e-9)); i <= last; ++i) {
    const double at = static_cast<double>(i) * step;
    std::string label = unit == Unit::Percent ? percent(at, decimals)
                        : unit == Unit::Money ? grouped(static_cast<std::int64_t>(std::llround(at)))
                                              : figure(at, decimals);
    if (unit == Unit::Money && decimals > 0) label = figure(at, decimals);
    ticks.push_back({at, std::move(label)});
  }
  return ticks;
}

std::vector<Tick> time_ticks(Timestamp from, Timestamp to, int most) {
  const auto fits = [most](const std::vector<Tick>& ticks) { return std::ssize(ticks) <= most; };
  const std::int64_t span = to.us() - from.us();
  for (const std::int64_t hours : {1, 3, 6, 12, 24, 48, 120, 240})
    if (span / (hours * kHour) <= most)
      if (auto ticks = even_ticks(from.us(), to.us(), hours * kHour); fits(ticks)) return ticks;
  for (const std::int64_t months : {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200})
    if (span / (months * 28 * kDay) <= 2 * most)
      if (auto ticks = month_ticks(from.us(), to.us(), months); fits(ticks)) return ticks;
  return {};
}

}  // namespace everlearn
