// Recorded messages of a venue, one JSON object a line: {"received","venue","channel","raw"}, where `raw` is the frame
// as it came (text, or the JSON itself). What a frame says is read here; a venue is a reader of frames.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

/// What the venue says the best prices of an instrument are; absent: that side is empty.
struct BestQuotes {
  std::string instrument;
  Timestamp event_time;
  std::optional<Price> bid, ask;
  bool with_change = false;  // said with a change of the book: true once that is applied. Else its place among other
                             // events of the same time is not known
  std::size_t after = 0;     // items of the frame that come before it
};

/// What could not be used, and the words it stood in.
struct FrameRefusal {
  Refusal refusal;
  std::string words;
};

/// A frame of the market socket, event by event: one that cannot be read takes no other with it.
struct VenueFrame {
  std::vector<VenueItem> items;
  std::vector<BestQuotes> best;        // ascending by `after`
  std::vector<std::string> undecided;  // markets that are over, with no winner named
  std::vector<FrameRefusal> refused;
  std::vector<std::pair<std::string, double>> min_sizes;  // instrument -> least units of an order

  void clear() { *this = {}; }
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

  /// The same for one frame of the market socket, with all it says and what can be used of it. Frames above
  /// kLargestFrame are refused unread.
  void read_frame(std::string_view raw, VenueFrame& frame);
  /// The answer of POST /books: whole books without a type.
  void read_books(std::string_view raw, VenueFrame& frame);

  static constexpr std::size_t kLargestFrame = 12 << 20;

 private:
  struct Parser;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace everlearn
