// Labels that are decided and wait to be handed out, with the reasons of void ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "label/label.hpp"

namespace everlearn {

inline constexpr std::string_view kMarketResolved = "market resolved";
inline constexpr std::string_view kEntryNotPositive = "price at the decision is not above zero";
inline constexpr std::string_view kNoVolatility = "no trailing volatility yet";
inline constexpr std::string_view kEndNotPositive = "price at the end is not above zero";

class LabelOutbox {
 public:
  /// `known_at` of the deciding price; the label's is not before its end.
  void known(InstrumentId instrument, Timestamp start, Timestamp end, Timestamp known_at, double value);
  void voided(InstrumentId instrument, Timestamp start, Timestamp end, Timestamp known_at, std::string_view reason);
  /// Removes and returns what was known at `now`, ordered by (known_at, event_time, instrument).
  std::vector<Label> take(Timestamp now);
  std::size_t size() const { return labels_.size(); }

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

 private:
  std::vector<Label> labels_;
};

}  // namespace everlearn
