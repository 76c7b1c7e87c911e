#include "registry/holdout_strategy.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace everlearn {
namespace {

constexpr std::int64_t kDayUs = Duration::days(1).us();

std::int64_t utc_day(Timestamp t) {
  const std::int64_t day = t.us() / kDayUs;
  return t.us() % kDayUs < 0 ? day - 1 : day;
}

}  // namespace

double promise(const GateRules& rules, const HoldoutRow& row, const std::vector<double>& said) {
  if (rules.task == Task::Regression) {
    switch (rules.unit) {
      case ReturnUnit::Relative:
        return said[0];
      case ReturnUnit::Points:
        return said[0] / row.price;
      case ReturnUnit::Log:
        return std::expm1(said[0]);
    }
  }
  const double lead = said.back() - said.front();
  if (std::isnan(lead) || said.size() == 2) return lead;
  return likeliest(said) == 1 ? 0 : lead;
}

Sharpe holdout_sharpe(const GateRules& rules, const std::vector<HoldoutRow>& rows,
                      const std::function<const std::vector<double>&(const HoldoutRow&)>& said) {
  const double hurdle = rules.task == Task::Regression ? rules.cost_relative : 0;
  std::map<std::int64_t, double> days;
  std::map<InstrumentId, Timestamp> busy_until;
  std::int64_t trades = 0;
  for (const HoldoutRow& row : rows) {
    days.try_emplace(utc_day(row.event_time), 0.0);
    double& day = days.try_emplace(utc_day(row.label_end), 0.0).first->second;
    Timestamp& busy = busy_until.try_emplace(row.instrument, Timestamp::min()).first->second;
    const double promised = promise(rules, row, said(row));
    if (!(std::abs(promised) > hurdle) || !(row.price > 0) || !std::isfinite(row.move) || row.event_time < busy)
      continue;
    day += (promised > 0 ? 1 : -1) * row.move / row.price - rules.cost_relative;
    busy = row.label_end;
    ++trades;
  }
  std::vector<double> pnl;
  for (const auto& [day, sum] : days) pnl.push_back(sum / static_cast<double>(busy_until.size()));
  return sharpe(pnl, rules.periods_per_year, trades);
}

}  // namespace everlearn
