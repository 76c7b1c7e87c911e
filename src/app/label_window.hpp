// Known labels of a stretch of time, for joining them with the examples or predictions they belong to: a directory of
// years is walked stretch by stretch and never held as a whole.
#pragma once

#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "store/store.hpp"

namespace everlearn {

class LabelWindow {
 public:
  /// Null while the label waits.
  const LabelRow* find(Timestamp event_time, InstrumentId instrument, std::uint16_t target) const;
  /// By (event_time, instrument, target).
  const std::vector<LabelRow>& all() const { return labels_; }

  /// Calls `visit` for one stretch after the other, each with all labels of its rows. `rows`: the dataset whose time
  /// range is walked. Errors: of the store and of `visit`.
  static Result<void> walk(const Store& store, Dataset rows, TimeRange range,
                           const std::function<Result<void>(TimeRange, const LabelWindow&)>& visit);

 private:
  using Key = std::tuple<Timestamp, InstrumentId, std::uint16_t>;
  std::vector<LabelRow> labels_;  // by key
};

}  // namespace everlearn
