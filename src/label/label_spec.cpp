#include <fmt/format.h>

#include <cmath>

#include "label/bar_labeller.hpp"
#include "label/barrier_labeller.hpp"
#include "label/clock_labeller.hpp"
#include "label/label.hpp"

namespace everlearn {
namespace {

constexpr std::int32_t kMaxBars = 100'000;
constexpr std::int32_t kMaxSessions = 1'000;
constexpr Duration kMaxHorizon = Duration::days(3'650);
constexpr std::int64_t kMaxSteps = 100'000;

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
  }
  return 0;
}

Result<std::unique_ptr<Labeller>> make_labeller(const LabelSpec& spec, const Calendar& calendar) {
  EL_CHECK(check(spec));
  if (spec.kind == LabelKind::TripleBarrier) return std::make_unique<BarrierLabeller>(spec, calendar);
  if (spec.bars > 0) return std::make_unique<BarLabeller>(spec);
  return std::make_unique<ClockLabeller>(spec, calendar);
}

}  // namespace everlearn
