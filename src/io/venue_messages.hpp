// Recorded messages of a venue, one JSON object a line: {"received","venue","channel","raw"}, where `raw` is the frame
// as it came (text, or the JSON itself). What a frame says is read here; a venue is a reader of frames.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/price.hpp"
#include "core/time.hpp"
#include "io/refusal.hpp"
#include "market/event.hpp"

namespace everlearn {

struct Envelope {
  std::string received;  // a time, as written
  std::string venue;
  std::string channel;
  std::string raw;
};

struct TickSize {
  Price size;
};

/// One thing that a frame says about one instrument.
struct VenueItem {
  std::string instrument;
  std::string market;
  Timestamp event_time;  // the venue's
  std::variant<Trade, BookUpdate, Resolution, TickSize> what;
};

class VenueMessages {
 public:
  VenueMessages();
  ~VenueMessages();
  VenueMessages(const VenueMessages&) = delete;
  VenueMessages& operator=(const VenueMessages&) = delete;

  RowResult<Envelope> envelope(std::string_view line);

  /// Appends what the frame says, in its order; all or nothing. Frames that carry no market data (keep-alives, other
  /// channels of the venue, event types we do not use) say nothing. Refuses a venue that is not known.
  RowResult<void> read(const Envelope& envelope, std::vector<VenueItem>& items);

 private:
  struct Parser;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace everlearn
