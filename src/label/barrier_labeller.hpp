// Triple barrier: the first touch of profit or loss, or the end of time. Lopez de Prado (2018), ch. 3.
// Barriers are rounded to price units, so that "touched" is an exact comparison.
#pragma once

#include <deque>
#include <vector>

#include "label/bar_feed.hpp"
#include "label/horizon.hpp"
#include "label/labeller_state.hpp"
#include "label/outbox.hpp"

namespace everlearn {

class BarrierLabeller final : public Labeller {
 public:
  /// Classes of the label.
  static constexpr double kLoss = 0, kTime = 1, kProfit = 2;

  /// `spec` is valid and a TripleBarrier; any horizon.
  BarrierLabeller(const LabelSpec& spec, const Calendar& calendar) : Labeller{spec}, calendar_{calendar} {}

  Result<void> open(InstrumentId instrument, Timestamp at, Price price, double flat_band) override;
  void observe(const Event& event) override;
  std::vector<Label> settle(Timestamp now) override;
  std::size_t waiting() const override { return waiting_ + outbox_.size(); }
  Timestamp window_end(Timestamp at) const override;
  void encode(ByteWriter& out) const override;
  Result<void> decode(ByteReader& in) override;

 private:
  struct Window {
    Timestamp start, end;  // end is max() with a horizon in bars
    Price lower, upper;
    std::int32_t bars = 0;                         // seen within the window
    Timestamp last_event_time = Timestamp::min();  // of those
    Timestamp last_known_at = Timestamp::min();
  };
  struct Series {
    std::deque<Window> windows;  // ascending start
    Resolved resolved;
    Timestamp last_open = Timestamp::min();
  };
  struct Deadline {
    Timestamp at;
    InstrumentId instrument{};
    Timestamp start;
  };

  bool by_bars() const { return spec_.bars > 0; }
  /// True when the bar decided the window.
  bool touch(InstrumentId instrument, Window& window, const ClosedBar& bar);
  void reach(const Deadline& deadline, Timestamp now);

  const Calendar& calendar_;
  BarFeed feed_;
  std::vector<Series> series_;      // by instrument
  std::deque<Deadline> deadlines_;  // ascending `at`; empty with a horizon in bars
  LabelOutbox outbox_;
  TimeOrder order_;
  std::size_t waiting_ = 0;
};

}  // namespace everlearn
