#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/bytes.hpp"
#include "core/ids.hpp"
#include "core/price.hpp"
#include "core/time.hpp"

namespace everlearn {

/// What does not change from tick to tick about something that has a price.
struct Instrument {
  std::string name;                   // the token or symbol as the source spells it
  std::string market;                 // instruments of one market share an outcome; empty: it stands alone
  std::optional<Price> tick_size;     // smallest price step
  bool probability = false;           // the price is a probability in [0, 1]
  bool context = false;               // feeds features of others; makes no example itself
  std::optional<Timestamp> end_time;  // the market's scheduled end
  std::string title = {};             // for people: the question, and which answer this is
  std::string complement = {};        // of a market with two outcomes: the other one's instrument
  bool mirrors = false;               // moves against its complement alone: it is traded, but makes no example
  std::optional<double> min_size;     // least units of an order
  double fee_rate = 0;                // of a taker: size x rate x (price (1 - price)) ^ exponent
  double fee_exponent = 1;
};

/// The instruments of one data directory. Ids are given in order of first appearance and never change.
/// Decision thread only.
class Instruments {
 public:
  /// Finds or adds.
  InstrumentId intern(std::string_view name);
  std::optional<InstrumentId> find(std::string_view name) const;
  const Instrument& operator[](InstrumentId id) const { return all_[index(id)]; }
  Instrument& edit(InstrumentId id) { return all_[index(id)]; }
  std::size_t size() const { return all_.size(); }

  void encode(ByteWriter& out) const;
  static Result<Instruments> decode(ByteReader& in);

 private:
  std::vector<Instrument> all_;
  std::unordered_map<std::string, InstrumentId> by_name_;  // look-up only, never iterated
};

}  // namespace everlearn
