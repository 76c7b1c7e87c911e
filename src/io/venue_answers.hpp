// What the feed itself has to read of a venue's frames and answers: whom they are about, what to ask next. Prices are
// read elsewhere, from the same texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "io/venue_shards.hpp"

namespace everlearn {

/// A page of Gamma's market list, as far as asking on goes.
struct ListedPage {
  std::size_t markets = 0;
  std::vector<std::string> tokens;        // of all of them
  std::string next_cursor;                // empty: the last page
  std::optional<double> last_volume_24h;  // of the last market, where the page is in falling order of it
};

using Quotes = std::map<std::string, std::map<std::string, std::string>>;  // token -> "BUY", "SELL", "LAST" -> price

/// Holds the parser's memory: one thread.
class VenueAnswers {
 public:
  VenueAnswers();
  ~VenueAnswers();
  VenueAnswers(const VenueAnswers&) = delete;
  VenueAnswers& operator=(const VenueAnswers&) = delete;

  /// The assets that a frame of the market socket tells something of, each as often as it does. False: not JSON.
  bool frame(std::string_view text, std::vector<HeardAsset>& assets);

  // Errors: BadData, naming what is missing.
  Result<ListedPage> listed_page(std::string_view body);
  Result<std::vector<HeardAsset>> books(std::string_view body);
  /// POST /prices and POST /last-trades-prices; prices as they stand.
  Result<void> prices(std::string_view body, Quotes& into);
  Result<void> last_trades(std::string_view body, Quotes& into);
  /// The lists of points as JSON texts: of POST /batch-prices-history by token, of GET /prices-history.
  Result<std::map<std::string, std::string>> histories(std::string_view body);
  Result<std::string> history(std::string_view body);
  /// GET /time: seconds.
  Result<std::int64_t> time(std::string_view body);

 private:
  struct Parser;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace everlearn
