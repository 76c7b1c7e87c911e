// What was seen of each stream, and what was not: first, last, count, gaps with their reason. Missing is missing: a gap
// is a row of its own.
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
  Timestamp start, end;     // last point before, first point after
  std::string reason;       // "no data", "no run"
  std::string filled_from;  // empty: not filled
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
  void add(Gap gap) { gaps_.push_back(std::move(gap)); }
  const std::vector<StreamCoverage>& streams() const { return streams_; }
  const std::vector<Gap>& gaps() const { return gaps_; }
  std::int64_t points() const;
  Duration longest_gap() const;

  void encode(ByteWriter& out) const;
  static Result<Coverage> decode(ByteReader& in);
  /// Only the streams; the store keeps gaps as rows of their own.
  void encode_streams(ByteWriter& out) const;
  static Result<Coverage> decode_streams(ByteReader& in, std::vector<Gap> gaps);

 private:
  std::vector<StreamCoverage> streams_;  // by instrument
  std::vector<Gap> gaps_;                // in order of discovery
};

}  // namespace everlearn
