// For the tests of this module: events in one line, and a run of the loop's order (observe, settle, open).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "label/label.hpp"

namespace everlearn::label_test {

inline Timestamp at(std::int64_t seconds) { return Timestamp{seconds * 1'000'000}; }
inline Price price(double value) { return Price::from(value).value(); }
inline constexpr InstrumentId kA{0};
inline constexpr InstrumentId kB{1};

/// `known` in seconds; -1: at its event time.
inline Event point(InstrumentId id, std::int64_t event, double value, std::int64_t known = -1) {
  return {id, at(event), at(known < 0 ? event : known), PricePoint{price(value), {}, {}}};
}
inline Event bar(InstrumentId id, std::int64_t open_time, std::int64_t close_time, double high, double low,
                 double close, std::int64_t known = -1) {
  Bar b;
  b.open_time = at(open_time);
  b.open = price(close);
  b.high = price(high);
  b.low = price(low);
  b.close = price(close);
  return {id, at(close_time), at(known < 0 ? close_time : known), b};
}
inline Event resolution(InstrumentId id, std::int64_t event, std::int64_t known = -1) {
  return {id, at(event), at(known < 0 ? event : known), Resolution{1.0}};
}

/// A row of a table with one field.
inline Event fields(InstrumentId id, std::int64_t event, std::optional<double> outcome, std::int64_t known = -1) {
  return {id, at(event), at(known < 0 ? event : known), Fields{{1.0f}, outcome}};
}

inline const Calendar& always_open() {
  static const auto calendar = make_always_open();
  return *calendar;
}

inline std::unique_ptr<Labeller> make(const LabelSpec& spec, const Calendar& calendar = always_open()) {
  return std::move(make_labeller(spec, calendar)).value();
}

/// One line a label, to compare and to read: "0 100..160 @161 = 0.25" or "... void: reason" (seconds).
inline std::string text(const Label& label) {
  const auto seconds = [](Timestamp t) { return std::to_string(t.us() / 1'000'000); };
  std::string line = std::to_string(index(label.instrument)) + " " + seconds(label.event_time) + ".." +
                     seconds(label.end) + " @" + seconds(label.known_at);
  if (label.state == LabelState::Void) return line + " void: " + label.reason;
  ByteWriter bits;  // every bit of the value counts
  bits.f64(label.value);
  return line + " = " + std::to_string(label.value) + " " + std::to_string(ByteReader{bits.bytes()}.u64());
}

inline std::vector<std::string> text(const std::vector<Label>& labels) {
  std::vector<std::string> lines;
  for (const Label& label : labels) lines.push_back(text(label));
  return lines;
}

}  // namespace everlearn::label_test
