// Labels whose window ends by the clock or the calendar: returns, directions and volatility over time or sessions.
// Questions to the prices ("what was it worth at t?") are queued in the order of t, which the order of decisions gives
// for free: every window of a target has the same length in its own measure.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "label/horizon.hpp"
#include "label/labeller_state.hpp"
#include "label/outbox.hpp"
#include "label/outcome.hpp"
#include "label/price_window.hpp"

namespace everlearn {

class ClockLabeller final : public Labeller {
 public:
  /// `spec` is valid and has a horizon in time or sessions; not TripleBarrier.
  ClockLabeller(const LabelSpec& spec, const Calendar& calendar) : Labeller{spec}, calendar_{calendar} {}

  Result<void> open(InstrumentId instrument, Timestamp at, Price price, double flat_band) override;
  void observe(const Event& event) override;
  std::vector<Label> settle(Timestamp now) override;
  std::size_t waiting() const override { return waiting_ + outbox_.size(); }
  Timestamp window_end(Timestamp at) const override;
  void encode(ByteWriter& out) const override;
  Result<void> decode(ByteReader& in) override;

 private:
  struct Window {
    Timestamp start, end;
    Price entry;
    double flat_band = 0;  // Direction3 only
    PathVariance path;     // volatility only
    Timestamp path_known_at = Timestamp::min();
  };
  struct Series {
    PriceWindow prices;
    std::deque<Window> windows;  // ascending start
    Resolved resolved;
    Timestamp last_open = Timestamp::min();
  };
  struct Question {
    Timestamp at;
    InstrumentId instrument{};
    Timestamp start;  // of the window that asks
  };

  bool is_path() const { return spec_.kind == LabelKind::RealisedVolatility; }
  Result<Timestamp> first_question(Timestamp after, Timestamp end) const;
  void answer(const Question& question, Timestamp now);
  void finish(InstrumentId instrument, const Window& window, const std::optional<SeenPrice>& price, Timestamp now);

  const Calendar& calendar_;
  std::vector<Series> series_;      // by instrument
  std::deque<Question> questions_;  // ascending `at`
  LabelOutbox outbox_;
  TimeOrder order_;
  std::size_t waiting_ = 0;
};

}  // namespace everlearn
