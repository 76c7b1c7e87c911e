#include "app/dense_history.hpp"

#include <algorithm>
#include <limits>

#include "core/assert.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kSpare = 4;         // steps kept beyond what the longest feature needs
constexpr std::size_t kStepsAtOnce = 24;  // a cycle may take so many

constexpr std::int64_t kNoPrice = std::numeric_limits<std::int64_t>::min();

std::size_t longest(const FeatureSet& set) {
  std::int64_t steps = 1;
  for (std::size_t i = 0; i < set.size(); ++i) steps = std::max(steps, set[i].warm_up + 1);
  return static_cast<std::size_t>(steps);
}

}  // namespace

DenseHistory::DenseHistory(FeatureSet set, const Calendar& calendar, Duration bridge)
    : calendar_{calendar},
      set_{std::move(set)},
      bridge_{bridge},
      kept_{longest(set_) + kSpare},
      bank_{std::make_unique<FeatureBank>(set_, calendar_)} {}

DenseHistory::Step* DenseHistory::place(Timestamp at) {
  const Duration every = set_.step();
  if (steps_.empty()) steps_.push_back({at, {}});
  if (steps_.back().at - at > reach()) return nullptr;
  while (at < steps_.front().at) steps_.push_front({steps_.front().at - every, {}});
  while (at > steps_.back().at) steps_.push_back({steps_.back().at + every, {}});
  return &steps_[static_cast<std::size_t>((at - steps_.front().at) / every)];
}

void DenseHistory::step(Timestamp at, const Instruments& instruments, std::vector<std::optional<Price>> prices) {
  EL_ASSERT(steps_.empty() || at > bank_until_, "dense steps come in order of time");
  place(at)->prices = std::move(prices);
  forget_old();
  const auto first = std::upper_bound(steps_.begin(), steps_.end(), bank_until_,
                                      [](Timestamp time, const Step& step) { return time < step.at; });
  auto number = static_cast<std::size_t>(first - steps_.begin());
  if (steps_.size() - number > kStepsAtOnce) {  // after a long silence: from nothing, with the past as it gets known
    bank_ = std::make_unique<FeatureBank>(set_, calendar_);
    filled_ = true;
    number = steps_.size() - 1;
  }
  for (; number < steps_.size(); ++number) feed(*bank_, number, instruments);
  bank_until_ = at;
}

// The market of that step: every instrument with a price then, or not long before.
void DenseHistory::feed(FeatureBank& bank, std::size_t number, const Instruments& instruments) const {
  const Timestamp at = steps_[number].at;
  MarketState market;
  market.make_room(instruments.size());
  std::size_t count = 0;
  std::size_t first = number;
  while (first > 0 && at - steps_[first - 1].at <= bridge_) --first;
  for (std::size_t k = first; k <= number; ++k) count = std::max(count, steps_[k].prices.size());
  const auto apply = [&](std::size_t i, std::size_t k) {
    const Event event{static_cast<InstrumentId>(i), steps_[k].at, steps_[k].at,
                      PricePoint{*steps_[k].prices[i], std::nullopt, std::nullopt}};
    EL_ASSERT(market.apply(event).has_value(), "a price point is always taken");
  };
  const auto has = [&](std::size_t i, std::size_t k) {
    return i < steps_[k].prices.size() && steps_[k].prices[i].has_value();
  };
  for (std::size_t i = 0; i < count; ++i) {  // those carried over are no news
    if (has(i, number)) continue;
    for (std::size_t k = number; k-- > first;) {
      if (!has(i, k)) continue;
      apply(i, k);
      break;
    }
  }
  market.end_step();
  for (std::size_t i = 0; i < count; ++i)
    if (has(i, number)) apply(i, number);
  bank.step(at, instruments, market);
}

void DenseHistory::forget_old() {
  while (steps_.size() > kept_) {
    if (fresh_ && fresh_until_ < steps_.front().at) {  // it has not got there yet
      fresh_.reset();
      filled_ = true;
    }
    steps_.pop_front();
  }
}

bool DenseHistory::fill(InstrumentId instrument, Timestamp at, Price price) {
  Step* step = place(at);
  if (step == nullptr) return false;
  if (step->prices.size() <= index(instrument)) step->prices.resize(index(instrument) + 1);
  std::optional<Price>& there = step->prices[index(instrument)];
  if (there) return false;
  there = price;
  if (at <= bank_until_) filled_ = true;
  return true;
}

bool DenseHistory::knows_before(InstrumentId instrument, Timestamp at) const {
  return std::ranges::any_of(steps_, [&](const Step& step) {
    return step.at < at && index(instrument) < step.prices.size() && step.prices[index(instrument)].has_value();
  });
}

void DenseHistory::refresh(const Instruments& instruments) {
  if (filled_) {
    filled_ = false;
    fresh_ = std::make_unique<FeatureBank>(set_, calendar_);
    fresh_until_ = Timestamp::min();
  }
  if (!fresh_) return;
  auto next = std::upper_bound(steps_.begin(), steps_.end(), fresh_until_,
                               [](Timestamp time, const Step& step) { return time < step.at; });
  for (std::size_t n = 0; n < kStepsAtOnce && next != steps_.end() && next->at <= bank_until_; ++n, ++next) {
    feed(*fresh_, static_cast<std::size_t>(next - steps_.begin()), instruments);
    fresh_until_ = next->at;
  }
  if (fresh_until_ >= bank_until_) bank_ = std::move(fresh_);
}

std::optional<Timestamp> DenseHistory::last_step() const {
  return bank_until_ == Timestamp::min() ? std::nullopt : std::optional{bank_until_};
}

Duration DenseHistory::reach() const { return Duration{set_.step().us() * static_cast<std::int64_t>(kept_)}; }

void DenseHistory::encode(ByteWriter& out) const {
  out.u32(static_cast<std::uint32_t>(steps_.size()));
  for (const Step& step : steps_) {
    out.time(step.at);
    std::vector<std::int64_t> nanos;
    nanos.reserve(step.prices.size());
    for (const auto& price : step.prices) nanos.push_back(price ? price->nanos() : kNoPrice);
    out.i64s(nanos);
  }
  bank_->encode(out);
  out.time(bank_until_);
  out.boolean(fresh_ != nullptr);
  if (fresh_) fresh_->encode(out);
  out.time(fresh_until_);
  out.boolean(filled_);
}

Result<bool> DenseHistory::decode(ByteReader& in) {
  steps_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    Step& step = steps_.emplace_back();
    step.at = in.time();
    for (const std::int64_t nanos : in.i64s())
      step.prices.push_back(nanos == kNoPrice ? std::nullopt : std::optional{Price::from_nanos(nanos)});
  }
  EL_TRY(bool same, bank_->decode_or_begin(in));
  bank_until_ = in.time();
  fresh_.reset();
  if (in.boolean()) {
    fresh_ = std::make_unique<FeatureBank>(set_, calendar_);
    EL_CHECK(fresh_->decode_or_begin(in));
  }
  fresh_until_ = in.time();
  filled_ = in.boolean();
  if (!in.ok()) return fail(Code::Damaged, "the dense history ends early");
  if (same) return true;
  steps_.clear();
  fresh_.reset();
  filled_ = false;
  if (last_step()) bank_until_ = bank_until_ - Duration{bank_until_.us() % set_.step().us()};
  return false;
}

}  // namespace everlearn
