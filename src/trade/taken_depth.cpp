#include "trade/taken_depth.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace everlearn {
namespace {

double size_at(const std::vector<BookLevel>& levels, std::int64_t nanos) {
  const auto found =
      std::find_if(levels.begin(), levels.end(), [&](const BookLevel& level) { return level.price.nanos() == nanos; });
  return found == levels.end() ? 0 : found->size;
}

}  // namespace

double TakenDepth::left(InstrumentId id, BookSide side, const BookLevel& level) const {
  const auto found = taken_.find({id, side, level.price.nanos()});
  if (found == taken_.end() || found->second.of != level.size) return level.size;
  return std::max(0.0, level.size - found->second.units);
}

void TakenDepth::take(InstrumentId id, BookSide side, const BookLevel& level, double units) {
  Taken& taken = taken_[{id, side, level.price.nanos()}];
  if (taken.of != level.size) taken = {.of = level.size, .units = 0};
  taken.units += units;
}

void TakenDepth::forget_changed(InstrumentId id, const Book& book) {
  const auto first = taken_.lower_bound({id, BookSide::Bids, 0});
  for (auto at = first; at != taken_.end() && std::get<0>(at->first) == id;) {
    const auto& levels = std::get<1>(at->first) == BookSide::Bids ? book.bids : book.asks;
    at = size_at(levels, std::get<2>(at->first)) == at->second.of ? std::next(at) : taken_.erase(at);
  }
}

void TakenDepth::forget(InstrumentId id) {
  std::erase_if(taken_, [&](const auto& entry) { return std::get<0>(entry.first) == id; });
}

void TakenDepth::encode(ByteWriter& out) const {
  out.u32(static_cast<std::uint32_t>(taken_.size()));
  for (const auto& [key, taken] : taken_) {
    out.u32(static_cast<std::uint32_t>(std::get<0>(key)));
    out.u8(static_cast<std::uint8_t>(std::get<1>(key)));
    out.i64(std::get<2>(key));
    out.f64(taken.of);
    out.f64(taken.units);
  }
}

void TakenDepth::decode(ByteReader& in) {
  taken_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const InstrumentId id{in.u32()};
    const auto side = static_cast<BookSide>(in.u8());
    const std::int64_t price = in.i64();
    Taken& taken = taken_[{id, side, price}];
    taken.of = in.f64();
    taken.units = in.f64();
  }
}

}  // namespace everlearn
