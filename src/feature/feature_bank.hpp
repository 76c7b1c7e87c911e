// Steps every feature of every instrument once a cycle. History is time-major (slot x instrument, in blocks of 16
// instruments), so a step walks contiguous arrays and costs the same whatever the window or the past. The same bank
// runs live and in replay. Values are computed in double and given as float32. Decision thread only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "feature/feature_set.hpp"
#include "market/calendar.hpp"
#include "market/market_state.hpp"

namespace everlearn {

class FeatureBank {
 public:
  /// `calendar` outlives the bank.
  FeatureBank(FeatureSet set, const Calendar& calendar);
  ~FeatureBank();
  FeatureBank(FeatureBank&&) noexcept;
  FeatureBank& operator=(FeatureBank&&) noexcept;

  /// Closes the step at `at` (strictly later than the one before) from the market as known then, before its end_step().
  /// An instrument without news since the last step keeps its price. Features are missing for one never seen, of a
  /// market that does not trade or is resolved, or without a price for more than five sessions; a price after that
  /// begins a new warm-up.
  /// What mirrors another instrument has none, and does not count where instruments are compared.
  void step(Timestamp at, const Instruments& instruments, const MarketState& market);

  /// The selected columns of one instrument after the latest step; NaN = missing. `out` has set().size() values.
  void row(InstrumentId id, std::span<float> out) const;

  const FeatureSet& set() const;

  /// State for a checkpoint; decode() into a bank made with the same set gives the same bits afterwards. Its size is
  /// 8 bytes x instruments x (longest windows, summed over what has a history): from kilobytes to many megabytes.
  /// Errors: Damaged, also for another set; the bank is then as it was.
  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);
  /// The same, but bytes of another set are passed over and the bank begins anew: false.
  Result<bool> decode_or_begin(ByteReader& in);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace everlearn
