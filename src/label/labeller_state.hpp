// State that every labeller keeps beside its waiting labels, and how it is told apart in a checkpoint.
#pragma once

#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "label/label.hpp"

namespace everlearn {

/// When an instrument's outcome became known.
struct Resolved {
  bool yes = false;
  Timestamp event_time, known_at;

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);
};

/// Keeps the time order of open() and settle(), which the queues rely on.
class TimeOrder {
 public:
  /// Errors: BadData for a time before the latest one.
  Result<void> open(Timestamp at);
  void settle(Timestamp now);
  Timestamp settled() const { return settled_; }

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

 private:
  Timestamp opened_ = Timestamp::min();
  Timestamp settled_ = Timestamp::min();
};

Error second_label(InstrumentId instrument, Timestamp at);

/// Written first in a labeller's state, so that the state of another spec is refused.
std::string fingerprint(const LabelSpec& spec);
/// Errors: Damaged.
Result<void> check_fingerprint(ByteReader& in, const LabelSpec& spec);
Result<void> check_read(const ByteReader& in);

/// Grows `all` so that `id` has a place.
template <class T>
T& place(std::vector<T>& all, InstrumentId id) {
  if (index(id) >= all.size()) all.resize(index(id) + 1);
  return all[index(id)];
}

}  // namespace everlearn
