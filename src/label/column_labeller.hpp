// Labels that a table brings itself: what its outcome column says about the row that was newest at the decision.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "label/horizon.hpp"
#include "label/labeller_state.hpp"
#include "label/outbox.hpp"

namespace everlearn {

/// However early a table holds an outcome, nobody knew it before the row's horizon was over. What the row says then
/// counts (the latest word, where it was corrected); a row that says nothing then may do so within `tolerance`, and its
/// first word counts (of two at the same moment the one observed last). An outcome is no price: a resolution voids
/// nothing here.
class ColumnLabeller final : public Labeller {
 public:
  /// `spec` is valid, a Column, and has a horizon in time or sessions.
  ColumnLabeller(const LabelSpec& spec, const Calendar& calendar) : Labeller{spec}, calendar_{calendar} {}

  Result<void> open(InstrumentId instrument, Timestamp at, Price price, double flat_band) override;
  void observe(const Event& event) override;
  std::vector<Label> settle(Timestamp now) override;
  std::size_t waiting() const override { return waiting_ + outbox_.size(); }
  Timestamp window_end(Timestamp at) const override;
  void encode(ByteWriter& out) const override;
  Result<void> decode(ByteReader& in) override;

 private:
  struct Row {
    Timestamp time;                    // event_time
    Timestamp end = Timestamp::max();  // of its horizon; known once a decision asks
    std::optional<double> outcome;
    Timestamp known_at;                // of `outcome`
    std::vector<Timestamp> decisions;  // that wait for it, ascending
  };
  struct Series {
    std::deque<Row> rows;  // ascending time: those that are waited for, and the newest
    Timestamp last_open = Timestamp::min();
  };
  using Due = std::tuple<Timestamp, InstrumentId, Timestamp>;  // when to look at which row

  /// A word about a row that is there already.
  void correct(InstrumentId instrument, Row& row, const Event& event, std::optional<double> outcome);
  /// Empty where an outcome may still come.
  bool finish(InstrumentId instrument, Row& row, Timestamp now);

  const Calendar& calendar_;
  std::vector<Series> series_;  // by instrument
  std::set<Due> due_;
  LabelOutbox outbox_;
  TimeOrder order_;
  std::size_t waiting_ = 0;
};

}  // namespace everlearn
