// The same market in the words of Gamma and of the CLOB.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "venue/recorded_market.hpp"
#include "venue/venue.hpp"

namespace everlearn::venue {

/// What the lists show besides the view.
struct MarketText {
  const RecordedMarket& recorded;
  const MarketView& view;
  std::optional<Price> middle;                // of the first outcome
  std::optional<Price> last_trade;            // of the first outcome
  std::vector<std::string> resolution_words;  // "proposed", "disputed", ...
  bool annulled = false;
  Timestamp now, closed_at;
  bool as_recorded = false;  // nothing has changed since: word for word
};

/// "2026-03-12T09:25:00Z"
std::string gamma_time(Timestamp at);
/// A market's object; recorded ones keep every member that says nothing about now.
std::string gamma_market_text(const MarketText& market);
/// An event with its markets, as Gamma lists it.
std::string gamma_event_text(const std::vector<MarketText>& markets);
std::string clob_market_text(const MarketText& market);
std::string clob_simplified_text(const MarketText& market);
std::string clob_compact_text(const MarketText& market);

}  // namespace everlearn::venue
