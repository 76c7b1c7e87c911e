// What is remembered of the rows of a table that may still change: enough to know a row again and to see that it says
// something else now. Kept in a source's position, so it is small, and cheap to put into text after each event.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

struct SeenRow {
  Timestamp order;             // where it stands; max: it has no time, and is never forgotten
  std::uint64_t row = 0;       // digest of what identifies it: key, time, id
  std::uint64_t slot = 0;      // digest of instrument and event time, which several rows may share
  std::uint32_t price = 0;     // checksums of what it said; of a refused row both are of its text
  std::uint32_t fields = 0;    //
  std::uint32_t versions = 0;  // events of the slot that were given, corrections and all
  bool refused = false;
  bool half = false;  // its price was given, its fields were not yet
  bool gone = false;  // no longer in the table, and said so
};

class SeenRows {
 public:
  const SeenRow* find(std::uint64_t row) const;
  /// Versions given of a slot, over all its rows.
  std::uint32_t versions(std::uint64_t slot) const;
  /// Adds or replaces.
  void put(const SeenRow& row);
  /// Keeps those that `wanted` says.
  void keep(const std::function<bool(const SeenRow&)>& wanted);
  /// In no particular order.
  void each(const std::function<void(const SeenRow&)>& visit) const;
  std::size_t size() const { return by_row_.size(); }

  /// Equal histories give equal bytes.
  const std::string& bytes() const { return bytes_; }
  /// Errors: Damaged.
  static Result<SeenRows> decode(std::string_view bytes);

 private:
  std::unordered_map<std::uint64_t, SeenRow> by_row_;
  std::unordered_map<std::uint64_t, std::uint32_t> versions_;  // by slot
  std::string bytes_;                                          // rows as they were put; a later one of a row replaces
};

}  // namespace everlearn
