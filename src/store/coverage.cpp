#include "store/coverage.hpp"

#include <algorithm>

namespace everlearn {
namespace {

constexpr std::uint8_t kVersion = 1;

void put(ByteWriter& out, const std::optional<Timestamp>& time) {
  out.boolean(time.has_value());
  out.time(time.value_or(Timestamp{}));
}

std::optional<Timestamp> take_time(ByteReader& in) {
  const bool there = in.boolean();
  const Timestamp time = in.time();
  return there ? std::optional{time} : std::nullopt;
}

}  // namespace

void Coverage::add(InstrumentId instrument, Timestamp event_time, Duration silence, Duration expected_step) {
  while (streams_.size() <= index(instrument))
    streams_.push_back({.instrument = static_cast<InstrumentId>(streams_.size()), .first = {}, .last = {}});
  StreamCoverage& stream = streams_[index(instrument)];
  ++stream.count;
  // A point before the last one is a backfill: it ends no silence.
  const bool later = !stream.last || event_time > *stream.last;
  if (stream.last && later && silence > expected_step)
    gaps_.push_back({instrument, *stream.last, event_time, "no data", ""});
  if (later) stream.last = event_time;
  if (!stream.first || event_time < *stream.first) stream.first = event_time;
}

std::int64_t Coverage::points() const {
  std::int64_t sum = 0;
  for (const StreamCoverage& stream : streams_) sum += stream.count;
  return sum;
}

Duration Coverage::longest_gap() const {
  Duration longest;
  for (const Gap& gap : gaps_) longest = std::max(longest, gap.end - gap.start);
  return longest;
}

void Coverage::encode_streams(ByteWriter& out) const {
  out.u8(kVersion);
  out.u64(streams_.size());
  for (const StreamCoverage& stream : streams_) {
    out.u32(static_cast<std::uint32_t>(stream.instrument));
    put(out, stream.first);
    put(out, stream.last);
    out.i64(stream.count);
  }
}

void Coverage::encode(ByteWriter& out) const {
  encode_streams(out);
  out.u64(gaps_.size());
  for (const Gap& gap : gaps_) {
    out.u32(static_cast<std::uint32_t>(gap.instrument));
    out.time(gap.start);
    out.time(gap.end);
    out.text(gap.reason);
    out.text(gap.filled_from);
  }
}

Result<Coverage> Coverage::decode_streams(ByteReader& in, std::vector<Gap> gaps) {
  Coverage coverage;
  if (const std::uint8_t version = in.u8(); in.ok() && version != kVersion)
    return fail(Code::Unsupported, "coverage: version " + std::to_string(version) + ", this program reads 1");
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    StreamCoverage stream;
    stream.instrument = static_cast<InstrumentId>(in.u32());
    stream.first = take_time(in);
    stream.last = take_time(in);
    stream.count = in.i64();
    if (in.ok() && index(stream.instrument) != coverage.streams_.size())
      return fail(Code::Damaged, "coverage: streams out of order");
    coverage.streams_.push_back(stream);
  }
  if (!in.ok()) return fail(Code::Damaged, "coverage: the bytes end too early");
  coverage.gaps_ = std::move(gaps);
  return coverage;
}

Result<Coverage> Coverage::decode(ByteReader& in) {
  EL_TRY(Coverage coverage, decode_streams(in, {}));
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Gap gap;
    gap.instrument = static_cast<InstrumentId>(in.u32());
    gap.start = in.time();
    gap.end = in.time();
    gap.reason = in.text();
    gap.filled_from = in.text();
    coverage.gaps_.push_back(std::move(gap));
  }
  if (!in.ok()) return fail(Code::Damaged, "coverage: the bytes end too early");
  return coverage;
}

}  // namespace everlearn
