#include "label/label.hpp"
#include "label/labeller_state.hpp"

namespace everlearn {

void EffectiveCount::add(InstrumentId instrument, Timestamp start, Timestamp end) {
  if (index(instrument) >= busy_until_.size()) busy_until_.resize(index(instrument) + 1, Timestamp::min());
  Timestamp& busy = busy_until_[index(instrument)];
  if (start < busy) return;
  busy = end;
  ++count_;
}

void EffectiveCount::encode(ByteWriter& out) const {
  out.i64(count_);
  out.u64(busy_until_.size());
  for (const Timestamp t : busy_until_) out.time(t);
}

Result<void> EffectiveCount::decode(ByteReader& in) {
  count_ = in.i64();
  busy_until_.clear();
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) busy_until_.push_back(in.time());
  return check_read(in);
}

}  // namespace everlearn
