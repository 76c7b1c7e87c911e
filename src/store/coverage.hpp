// What was seen of each stream, and what was not: first, last, count, gaps with their reason. Missing is missing: a gap
// is a row of its own, also when it was filled later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

namespace everlearn {

/// Of a gap that is none of one stream: nobody looked at any.
inline constexpr InstrumentId kEveryInstrument{0xffff'ffff};

struct Gap {
  InstrumentId instrument{};
  Timestamp start, end;                     // last point before, first point after
  std::string reason;                       // "no data", "no run"
  std::string filled_from;                  // empty: not filled
  std::optional<Timestamp> filled_at = {};  // none too in rows of older releases

  bool open() const { return filled_from.empty(); }
};

struct StreamCoverage {
  InstrumentId instrument{};
  std::optional<Timestamp> first, last;
  std::int64_t count = 0;
};

class Coverage {
 public:
  /// A point of a stream. `expected_step`: the longest step that is no gap, already without closed sessions (the caller
  /// subtracts them); a longer silence opens and closes a gap.
  void add(InstrumentId instrument, Timestamp event_time, Duration silence, Duration expected_step);
  /// A gap that was found otherwise.
  void add(Gap gap);
  /// Points from `from` to `to` of a stream came from elsewhere at `at`: what lies between in its open gaps is filled
  /// now. A gap of which only a part was filled is split; what is left of it is a gap of its own, behind the others. A
  /// gap of every stream stays open for the others: the part is noted as a filled gap of this stream. Returns how much
  /// time was filled. Errors: Usage unless from < to, for kEveryInstrument, and for an empty `from_where`.
  Result<Duration> fill(InstrumentId instrument, Timestamp from, Timestamp to, std::string from_where, Timestamp at);
  /// What is still missing of a stream, by time: its open gaps, and what is left of those of every stream.
  std::vector<Gap> open(InstrumentId instrument) const;
  const std::vector<StreamCoverage>& streams() const { return streams_; }
  const std::vector<Gap>& gaps() const { return gaps_; }
  std::int64_t points() const;
  Duration longest_gap() const;

  void encode(ByteWriter& out) const;
  static Result<Coverage> decode(ByteReader& in);
  /// Only the streams; the store keeps gaps as rows of their own.
  void encode_streams(ByteWriter& out) const;
  static Result<Coverage> decode_streams(ByteReader& in, std::vector<Gap> gaps);
  /// The gaps that are new or other than at the last call, by index.
  std::vector<std::size_t> take_changed();

 private:
  std::vector<StreamCoverage> streams_;  // by instrument
  std::vector<Gap> gaps_;                // in order of discovery
  std::vector<std::size_t> changed_;     // indices that the store has not seen, in order of change
};

}  // namespace everlearn
