// Prices on a grid of their own, coarser than the cycles, and the features over them. Each step keeps the price of
// every instrument that has one; prices of the past that were asked for later fill the holes. After a filling the
// features are made anew from what is kept, a few steps a cycle, and until then go on as they were.
//
// A price is carried over holes shorter than `bridge`; over a longer one it is missing, and so is what needs it.
// Decision thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "feature/feature_bank.hpp"
#include "market/calendar.hpp"
#include "market/market_state.hpp"

namespace everlearn {

class DenseHistory {
 public:
  /// `set` has the grid's step. `calendar` outlives it.
  DenseHistory(FeatureSet set, const Calendar& calendar, Duration bridge);

  /// A grid time: the prices as known then, by instrument; empty where there is none. `at` is later than the step
  /// before.
  void step(Timestamp at, const Instruments& instruments, std::vector<std::optional<Price>> prices);
  /// A price of the past at a grid time. False: it changes nothing, since there was one or the time is kept no longer.
  bool fill(InstrumentId instrument, Timestamp at, Price price);
  /// Once a cycle: goes on making the features anew if something was filled.
  void refresh(const Instruments& instruments);
  /// Whether a price of before that time is kept.
  bool knows_before(InstrumentId instrument, Timestamp at) const;
  bool refreshing() const { return fresh_ != nullptr || filled_; }

  const FeatureBank& bank() const { return *bank_; }
  /// The latest grid time at which step() was called.
  std::optional<Timestamp> last_step() const;
  /// How far back prices are kept and worth asking for.
  Duration reach() const;

  void encode(ByteWriter& out) const;
  /// False: it was of another set of features, or of another grid. Then no price is here any more; what is filled in
  /// again up to last_step() is made into features by refresh(). Errors: Damaged.
  Result<bool> decode(ByteReader& in);

 private:
  struct Step {
    Timestamp at;
    std::vector<std::optional<Price>> prices;
  };
  /// The step of a grid time, made with those between if it is not there; null: too old to be kept.
  Step* place(Timestamp at);
  void feed(FeatureBank& bank, std::size_t step, const Instruments& instruments) const;
  void forget_old();

  const Calendar& calendar_;
  const FeatureSet set_;
  const Duration bridge_;
  const std::size_t kept_;  // steps
  std::deque<Step> steps_;  // every grid time from the first to the last; without prices where nobody looked
  std::unique_ptr<FeatureBank> bank_;
  Timestamp bank_until_ = Timestamp::min();  // the last step it has seen
  std::unique_ptr<FeatureBank> fresh_;       // being made anew
  Timestamp fresh_until_ = Timestamp::min();
  bool filled_ = false;  // before bank_until_, since `fresh_` was begun
};

}  // namespace everlearn
