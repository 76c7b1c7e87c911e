// The newest labelled examples of the target that acts, in memory: what a tune is fitted on. The newest `newest` of
// them are seen by no tune; of those before, the last `rows_max` whose outcome was known before the first of the newest
// was decided are given out. Kept as rows come and labels settle; rebuilt from the store after a restart, to the same
// rows. Decision thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/time.hpp"
#include "learn/tune_spec.hpp"
#include "store/store.hpp"

namespace everlearn {

struct TuneRows {
  std::string lacking;               // why there are none; empty: there are
  std::vector<ExampleRow> examples;  // ascending (event_time, instrument),
  std::vector<LabelRow> labels;      // one each
  Timestamp boundary;                // no label was known later than this
};

class RecentRows {
 public:
  /// Examples that wait for their label, and labelled ones beyond what a tune takes, are at most so many; the oldest
  /// go.
  static constexpr std::size_t kMostKept = 100'000;

  /// `columns`: features of an example; rows of another width (an earlier feature set) are left out. `embargo`: how
  /// long before the first of the newest rows a label must have been known.
  RecentRows(std::uint16_t target, std::size_t columns, const TuneRules& rules, Duration embargo);

  void add(const ExampleRow& example);
  /// Labels of other targets, void ones and those of examples not kept are taken note of and no more.
  void settle(const LabelRow& label);
  /// Starts over with what the store holds, read from its end backwards until a tune's rows are there: an older row
  /// that still waits could only come before them. Cost: a pass over the segments that overlap that stretch of time,
  /// and where rows come unevenly over one twice as long, and so on: 10 ms of 21,000 rows with 100 features.
  Result<void> rebuild(const Store& store);

  /// Rows for a tune as of `as_of`; none, and why, where there are fewer than rows_min.
  TuneRows tune_rows(Timestamp as_of) const;

  std::size_t labelled() const { return labelled_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  using Key = std::pair<Timestamp, InstrumentId>;
  struct Row {
    ExampleRow example;
    LabelRow label;
  };
  using Labelled = std::map<Key, Row>;
  /// First of the rows for a tune, and first of the newest; equal where there are none.
  struct Cut {
    Timestamp boundary = Timestamp::min();
    std::vector<Labelled::const_iterator> rows;
  };
  Cut cut(Timestamp as_of) const;
  Result<void> read(const Store& store, Timestamp from);
  void prune();

  const std::uint16_t target_;
  const std::size_t columns_;
  const TuneRules rules_;
  const Duration embargo_;
  std::map<Key, ExampleRow> waiting_;
  Labelled labelled_;
  std::size_t prune_at_ = 0;
};

}  // namespace everlearn
