#include "store/coverage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace everlearn {
namespace {

constexpr std::uint8_t kVersion = 1;

using Span = std::pair<Timestamp, Timestamp>;

/// What is left of `spans` without [from, to].
std::vector<Span> without(const std::vector<Span>& spans, Timestamp from, Timestamp to) {
  std::vector<Span> left;
  for (const auto& [start, end] : spans) {
    if (to <= start || from >= end) {
      left.emplace_back(start, end);
      continue;
    }
    if (start < from) left.emplace_back(start, from);
    if (to < end) left.emplace_back(to, end);
  }
  return left;
}

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
    add(Gap{.instrument = instrument,
            .start = *stream.last,
            .end = event_time,
            .reason = "no data",
            .filled_from = "",
            .filled_at = {}});
  if (later) stream.last = event_time;
  if (!stream.first || event_time < *stream.first) stream.first = event_time;
}

void Coverage::add(Gap gap) {
  changed_.push_back(gaps_.size());
  gaps_.push_back(std::move(gap));
}

Result<Duration> Coverage::fill(InstrumentId instrument, Timestamp from, Timestamp to, std::string from_where,
                                Timestamp at) {
  if (!(from < to)) return fail(Code::Usage, fmt::format("fill: {} is not before {}", from.iso(), to.iso()));
  if (instrument == kEveryInstrument || from_where.empty())
    return fail(Code::Usage, "fill: one stream is filled at a time, and from somewhere");
  Duration filled;
  const std::size_t known = gaps_.size();
  for (std::size_t i = 0; i < known; ++i) {
    Gap gap = gaps_[i];
    const Timestamp start = std::max(gap.start, from), end = std::min(gap.end, to);
    if (!gap.open() || gap.instrument != instrument || !(start < end)) continue;
    filled = filled + (end - start);
    if (gap.start < start) {
      Gap before = gap;
      before.end = start;
      add(std::move(before));
    }
    if (end < gap.end) {
      Gap after = gap;
      after.start = end;
      add(std::move(after));
    }
    gap.start = start;
    gap.end = end;
    gap.filled_from = from_where;
    gap.filled_at = at;
    gaps_[i] = std::move(gap);
    changed_.push_back(i);
  }
  for (std::size_t i = 0; i < known; ++i) {
    const Gap all = gaps_[i];
    if (!all.open() || all.instrument != kEveryInstrument) continue;
    const Timestamp start = std::max(all.start, from), end = std::min(all.end, to);
    if (!(start < end)) continue;
    std::vector<Span> left{{start, end}};
    for (const Gap& gap : gaps_)
      if (gap.instrument == instrument && !gap.open()) left = without(left, gap.start, gap.end);
    for (const auto& [a, b] : left) {
      filled = filled + (b - a);
      add(Gap{.instrument = instrument,
              .start = a,
              .end = b,
              .reason = all.reason,
              .filled_from = from_where,
              .filled_at = at});
    }
  }
  return filled;
}

std::vector<Gap> Coverage::open(InstrumentId instrument) const {
  std::vector<Gap> open;
  for (const Gap& gap : gaps_) {
    if (!gap.open() || (gap.instrument != instrument && gap.instrument != kEveryInstrument)) continue;
    std::vector<Span> left{{gap.start, gap.end}};
    if (gap.instrument == kEveryInstrument)
      for (const Gap& other : gaps_)
        if (other.instrument == instrument) left = without(left, other.start, other.end);
    for (const auto& [start, end] : left) {
      open.push_back(gap);
      open.back().start = start;
      open.back().end = end;
    }
  }
  std::stable_sort(open.begin(), open.end(), [](const Gap& a, const Gap& b) { return a.start < b.start; });
  return open;
}

std::vector<std::size_t> Coverage::take_changed() {
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  return std::exchange(changed_, {});
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
    put(out, gap.filled_at);
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
    gap.filled_at = take_time(in);
    coverage.gaps_.push_back(std::move(gap));
  }
  if (!in.ok()) return fail(Code::Damaged, "coverage: the bytes end too early");
  return coverage;
}

}  // namespace everlearn
