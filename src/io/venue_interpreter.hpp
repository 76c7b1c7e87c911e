// What a venue's messages mean: Received in, Events out. It decides which markets are followed (market_selection.hpp),
// how far a book may be trusted, where a market stands between trading and its resolution, and what answers about the
// past are good for. Pure: no clock, no network; the same sequence of Received gives the same events, so a replay of a
// recording decides as the live run did. docs/venue_source.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "io/received.hpp"
#include "io/refusal.hpp"
#include "io/venue_options.hpp"
#include "market/event.hpp"
#include "market/instrument.hpp"
#include "market/source.hpp"

namespace everlearn {

/// Whom the feed is to listen to. Tokens are instruments' names.
struct Following {
  std::uint64_t version = 0;             // rises with each change of the lists
  std::vector<std::string> first_tier;   // books; both outcomes of a market side by side
  std::vector<std::string> second_tier;  // prices now and then; also what left lately
  std::vector<std::string> markets;      // condition ids of first_tier, one a token
  std::vector<std::string> unlisted;     // condition ids whose outcome is open and that the last listing did not have:
                                         // GET /markets/{condition}, at most kMostUnlisted a listing, in turn

  static constexpr std::size_t kMostUnlisted = 20;
};

/// Decision thread only.
class VenueInterpreter {
 public:
  /// `instruments` outlives it. Errors: Config for a field that is not known and for rules that contradict each other.
  static Result<VenueInterpreter> make(const VenueRules& rules, Instruments& instruments);
  ~VenueInterpreter();
  VenueInterpreter(VenueInterpreter&&) noexcept;
  VenueInterpreter& operator=(VenueInterpreter&&) noexcept;

  /// Appends what it means, in order of (event_time, instrument name), all known at `received.at`. A refusal says that
  /// nothing or not all of it could be used; what could be used is in `out`, and books that it may have been about are
  /// doubted. Nothing happens after we heard of it: where the venue's clock is ahead, ours counts.
  RowResult<void> read(const Received& received, std::vector<Event>& out);

  /// Changes when its `version` does.
  const Following& following() const;
  /// Tokens whose books are doubted here (they contradict themselves or what the venue says of them) and need a
  /// snapshot; each is given once a doubt.
  std::vector<std::string> take_resyncs();
  /// `rows` are Received, `refused` counts refusals and things set aside by reason, `left_out` markets by rule.
  const SourceReport& report() const;

  /// What is known of markets, for the checkpoint; books are not kept: after decode() all are doubted, and the next
  /// read() says so.
  void encode(ByteWriter& out) const;
  /// Errors: Damaged; the instruments must be those of then.
  Result<void> decode(ByteReader& in);

 private:
  struct Inside;
  explicit VenueInterpreter(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace everlearn
