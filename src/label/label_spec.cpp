#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "label/bar_labeller.hpp"
#include "label/barrier_labeller.hpp"
#include "label/clock_labeller.hpp"
#include "label/column_labeller.hpp"
#include "label/label.hpp"

namespace everlearn {
namespace {

constexpr std::int32_t kMaxBars = 100'000;
constexpr std::int32_t kMaxSessions = 1'000;
constexpr Duration kMaxHorizon = Duration::days(3'650);
constexpr std::int64_t kMaxSteps = 100'000;
constexpr std::int32_t kMaxClasses = 32;  // a set of classes is a mask of as many bits

Result<void> check(const LabelSpec& spec) {
  const auto refuse = [](std::string why) { return fail(Code::Config, "label: " + std::move(why)); };
  const bool time = spec.horizon != Duration{};
  const int horizons = (time ? 1 : 0) + (spec.sessions != 0 ? 1 : 0) + (spec.bars != 0 ? 1 : 0);
  if (horizons != 1)
    return refuse(fmt::format("{} horizons given (time, sessions, bars); exactly one is needed", horizons));
  if (time && (spec.horizon < Duration{} || spec.horizon > kMaxHorizon))
    return refuse(fmt::format("horizon {} is not in (0, {}]", spec.horizon.text(), kMaxHorizon.text()));
  if (spec.sessions < 0 || spec.sessions > kMaxSessions)
    return refuse(fmt::format("horizon of {} sessions is not in 1..{}", spec.sessions, kMaxSessions));
  if (spec.bars < 0 || spec.bars > kMaxBars)
    return refuse(fmt::format("horizon of {} bars is not in 1..{}", spec.bars, kMaxBars));
  if (spec.bars == 0 && spec.tolerance <= Duration{})
    return refuse(fmt::format("tolerance {} is not above 0", spec.tolerance.text()));
  if (spec.kind == LabelKind::OutcomeAfterBars && spec.bars == 0)
    return refuse("outcome after bars needs a horizon in bars");
  if (spec.kind == LabelKind::RealisedVolatility && time) {
    if (spec.step <= Duration{} || spec.horizon.us() % spec.step.us() != 0)
      return refuse(fmt::format("volatility step {} is not a whole fraction of the horizon {}", spec.step.text(),
                                spec.horizon.text()));
    if (spec.horizon / spec.step > kMaxSteps)
      return refuse(fmt::format("volatility over {} steps, at most {}", spec.horizon / spec.step, kMaxSteps));
  }
  if (spec.kind == LabelKind::Direction3 && !(spec.flat >= 0 && std::isfinite(spec.flat)))
    return refuse(fmt::format("flat {} is not at least 0", spec.flat));
  if (!(spec.flat_volatility >= 0 && std::isfinite(spec.flat_volatility)))
    return refuse(fmt::format("flat_volatility {} is not at least 0", spec.flat_volatility));
  if (spec.flat_volatility > 0 && spec.kind != LabelKind::Direction3)
    return refuse("flat_volatility is of direction_3 only");
  if (spec.flat_volatility > 0 && spec.flat > 0)
    return refuse(fmt::format("flat {} and flat_volatility {} are both given", spec.flat, spec.flat_volatility));
  if (spec.kind == LabelKind::Column) {
    if (spec.bars > 0) return refuse("a column needs a horizon in time or sessions: its rows are no bars");
    if (spec.column_classes != 0 && (spec.column_classes < 2 || spec.column_classes > kMaxClasses))
      return refuse(fmt::format("{} classes of a column: 0 for a value, or 2..{}", spec.column_classes, kMaxClasses));
  }
  if (spec.kind == LabelKind::TripleBarrier) {
    if (!(spec.profit > 0 && std::isfinite(spec.profit)))
      return refuse(fmt::format("profit barrier {} is not above 0", spec.profit));
    if (!(spec.loss > 0 && spec.loss < 1)) return refuse(fmt::format("loss barrier {} is not in (0, 1)", spec.loss));
  }
  return {};
}

}  // namespace

int LabelSpec::classes() const {
  switch (kind) {
    case LabelKind::ForwardReturn:
    case LabelKind::RealisedVolatility:
      return 0;
    case LabelKind::OutcomeAfterBars:
    case LabelKind::Direction2:
      return 2;
    case LabelKind::Direction3:
    case LabelKind::TripleBarrier:
      return 3;
    case LabelKind::Column:
      return column_classes;
  }
  return 0;
}

Result<void> Labeller::open(InstrumentId instrument, Timestamp at, Price price) {
  return open(instrument, at, price, spec_.flat_volatility > 0 ? std::numeric_limits<double>::quiet_NaN() : spec_.flat);
}

Result<std::unique_ptr<Labeller>> make_labeller(const LabelSpec& spec, const Calendar& calendar) {
  EL_CHECK(check(spec));
  if (spec.kind == LabelKind::TripleBarrier) return std::make_unique<BarrierLabeller>(spec, calendar);
  if (spec.kind == LabelKind::Column) return std::make_unique<ColumnLabeller>(spec, calendar);
  if (spec.bars > 0) return std::make_unique<BarLabeller>(spec);
  return std::make_unique<ClockLabeller>(spec, calendar);
}

}  // namespace everlearn
