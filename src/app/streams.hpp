// Two streams of predictions for the target that acts, side by side: what the base model says, and what its latest
// fine-tune says. Both are written down before the outcome; one of them serves. Once a day the gate compares them on
// what they said of the same rows, and picks: the tuned stream if it is not worse and right often enough, else the
// base. No single fine-tune is ever promoted. docs/streams.md. Decision thread only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "registry/gate.hpp"
#include "registry/verdict.hpp"
#include "store/ledger.hpp"
#include "store/store.hpp"

namespace everlearn {

struct StreamRules {
  std::string judge = "0 0 * * *";      // when the gate picks the stream that serves: a cron line or an interval
  std::string zone = "UTC";             // of the cron line
  Duration window = Duration::days(1);  // it looks at the predictions of this stretch before
  double min_accuracy = 0.45;           // the tuned stream is right at least so often, as served
};

std::string_view text(Stream stream);

/// What one stream said and how it fared.
class StreamRecord {
 public:
  static constexpr std::size_t kRecentRows = 200;

  void said(const PredictionRow& row) { ledger_.add(row); }
  void matured(bool right);
  void end_cycle() { ledger_.end_cycle(); }
  std::string ledger_sha256() const { return ledger_.sha256(); }
  /// Share that was right of the last kRecentRows matured predictions; empty before the first.
  std::optional<double> accuracy() const;
  std::int64_t matured_rows() const { return static_cast<std::int64_t>(recent_.size()); }

  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  Ledger ledger_;
  std::vector<std::uint8_t> recent_;  // ring
  std::size_t next_ = 0;
};

/// How often the rows that streams were judged on have been used: a row that is looked at again and again would at last
/// say yes to something.
struct Attempts {
  std::int64_t verdicts = 0;
  std::int64_t rows = 0;                      // distinct
  std::int64_t uses = 0;                      // (row, verdict) pairs
  Timestamp judged_until = Timestamp::min();  // event_time of the latest row used
};

class Streams {
 public:
  StreamRecord& operator[](Stream stream) { return records_[static_cast<std::size_t>(stream)]; }
  const StreamRecord& operator[](Stream stream) const { return records_[static_cast<std::size_t>(stream)]; }
  Stream serving() const { return serving_; }
  void serve(Stream stream) { serving_ = stream; }
  Attempts& attempts() { return attempts_; }
  const Attempts& attempts() const { return attempts_; }

  /// The class a stream said of an instrument at a decision, until its label is known.
  void remember(Timestamp at, InstrumentId instrument, Stream stream, double said);
  /// A label became known: both streams' predictions of it mature.
  void settle(Timestamp at, InstrumentId instrument, double outcome);
  /// No label will come.
  void forget(Timestamp at, InstrumentId instrument);

  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  std::array<StreamRecord, 2> records_;
  Stream serving_ = Stream::Base;
  Attempts attempts_;
  using Key = std::pair<Timestamp, InstrumentId>;
  std::map<Key, std::array<double, 2>> waiting_;  // NaN: that stream said nothing
};

/// The rows of a stretch of time about which `base` and a tune of it spoke and whose label is known by `as_of`: the
/// tuned stream as the candidate, the base as champion and baseline, each as it was written down. In (event_time,
/// instrument) order.
Result<std::vector<HoldoutRow>> stream_rows(const Store& store, std::uint16_t target, const std::string& base,
                                            TimeRange range, Timestamp as_of);

/// Asks the gate about the tuned stream and counts the attempt. `rules` are the target's; what differs here is set:
/// non-inferior, accuracy >= min_accuracy, no limit to one instrument's share (both streams are of one base).
Result<Verdict> judge_streams(GateRules rules, const StreamRules& stream_rules, const std::vector<HoldoutRow>& rows,
                              Attempts& attempts);

/// Kind of the journal's notes that hold a StreamVerdict.
inline constexpr std::string_view kStreamVerdict = "stream verdict";

/// What one day's comparison came to.
struct StreamVerdict {
  Timestamp at;
  Stream before = Stream::Base, after = Stream::Base;  // which one served, which one serves
  std::string base, tune;                              // ids: the base, its latest fine-tune
  Verdict verdict;

  /// A line for people, then all of it as JSON on a second line.
  std::string note() const;
  /// Errors: Damaged.
  static Result<StreamVerdict> from_note(const Store::Note& note);
};

}  // namespace everlearn
