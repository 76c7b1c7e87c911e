// Labels whose window ends with the n-th closed bar after the decision: outcomes, returns, directions and volatility.
#pragma once

#include <deque>
#include <vector>

#include "label/bar_feed.hpp"
#include "label/labeller_state.hpp"
#include "label/outbox.hpp"
#include "label/outcome.hpp"

namespace everlearn {

class BarLabeller final : public Labeller {
 public:
  /// `spec` is valid and has a horizon in bars; not TripleBarrier.
  explicit BarLabeller(const LabelSpec& spec) : Labeller{spec} {}

  Result<void> open(InstrumentId instrument, Timestamp at, Price price, double flat_band) override;
  void observe(const Event& event) override;
  std::vector<Label> settle(Timestamp now) override;
  std::size_t waiting() const override { return waiting_ + outbox_.size(); }
  Timestamp window_end(Timestamp) const override { return Timestamp::max(); }
  void encode(ByteWriter& out) const override;
  Result<void> decode(ByteReader& in) override;

 private:
  struct Window {
    Timestamp start;
    Price entry;
    double flat_band = 0;       // Direction3 only
    std::int64_t last_bar = 0;  // number of the bar that ends it; set by the first bar after the decision
    PathVariance path;          // volatility only
  };
  struct Series {
    std::deque<Window> windows;  // ascending start
    std::size_t begun = 0;       // windows that had their first bar: the oldest ones
    std::int64_t bars = 0;       // seen so far
    Resolved resolved;
    Timestamp last_open = Timestamp::min();
  };

  void end_with(InstrumentId instrument, const Window& window, const ClosedBar& bar);

  BarFeed feed_;
  std::vector<Series> series_;  // by instrument
  LabelOutbox outbox_;
  TimeOrder order_;
  std::size_t waiting_ = 0;
};

}  // namespace everlearn
