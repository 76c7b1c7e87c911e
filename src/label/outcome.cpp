#include "label/outcome.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/assert.hpp"

namespace everlearn {

bool needs_positive_prices(const LabelSpec& spec) {
  switch (spec.kind) {
    case LabelKind::ForwardReturn:
      return spec.unit != ReturnUnit::Points;
    case LabelKind::RealisedVolatility:
    case LabelKind::Direction3:
    case LabelKind::TripleBarrier:
      return true;
    case LabelKind::OutcomeAfterBars:
    case LabelKind::Direction2:
    case LabelKind::Column:
      return false;
  }
  return true;
}

bool needs_positive_end(const LabelSpec& spec) {
  return spec.kind == LabelKind::ForwardReturn && spec.unit == ReturnUnit::Log;
}

bool lacks_flat_band(const LabelSpec& spec, double flat_band) {
  return spec.kind == LabelKind::Direction3 && std::isnan(flat_band);
}

double price_return(ReturnUnit unit, Price from, Price to) {
  // The difference of two integers is exact; dividing first would lose digits of a small move.
  const double change = static_cast<double>(to.nanos() - from.nanos());
  switch (unit) {
    case ReturnUnit::Relative:
      return change / static_cast<double>(from.nanos());
    case ReturnUnit::Points:
      return change / static_cast<double>(Price::kScale);
    case ReturnUnit::Log:
      return std::log(static_cast<double>(to.nanos()) / static_cast<double>(from.nanos()));
  }
  return 0;
}

double move_label(const LabelSpec& spec, Price from, Price to, double flat_band) {
  switch (spec.kind) {
    case LabelKind::ForwardReturn:
      return price_return(spec.unit, from, to);
    case LabelKind::OutcomeAfterBars:
    case LabelKind::Direction2:
      return to > from ? 1 : 0;
    case LabelKind::Direction3: {
      const double move = price_return(ReturnUnit::Relative, from, to);
      return std::abs(move) <= flat_band ? 1 : (move > 0 ? 2 : 0);
    }
    case LabelKind::RealisedVolatility:
    case LabelKind::TripleBarrier:
    case LabelKind::Column:
      break;
  }
  EL_ASSERT(false, "this label is not told by two prices");
  return 0;
}

void PathVariance::add(std::optional<Price> price) {
  ++steps;
  if (!price || price->nanos() <= 0) return;
  const double r = price_return(ReturnUnit::Log, last, *price);
  squares += r * r;
  ++observed;
  last = *price;
}

std::optional<double> PathVariance::volatility(ReturnUnit unit) const {
  if (observed == 0 || observed * 2 < steps || (unit == ReturnUnit::Log && squares == 0)) return std::nullopt;
  const double rms = std::sqrt(squares / observed);
  return unit == ReturnUnit::Log ? std::log(rms) : rms;
}

std::string PathVariance::why_unknown() const {
  if (observed > 0 && observed * 2 >= steps) return "the price did not move: its log volatility is unknown";
  return fmt::format("prices at {} of {} steps, fewer than half", observed, steps);
}

}  // namespace everlearn
