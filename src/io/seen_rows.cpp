#include "io/seen_rows.hpp"

#include <algorithm>
#include <vector>

#include "core/bytes.hpp"

namespace everlearn {
namespace {

enum Flag : std::uint8_t { kRefused = 1, kHalf = 2, kGone = 4 };

void append(std::string& bytes, const SeenRow& row) {
  ByteWriter out;
  out.time(row.order);
  out.u64(row.row);
  out.u64(row.slot);
  out.u32(row.price);
  out.u32(row.fields);
  out.u32(row.versions);
  out.u8(static_cast<std::uint8_t>((row.refused ? kRefused : 0) | (row.half ? kHalf : 0) | (row.gone ? kGone : 0)));
  bytes += out.bytes();
}

}  // namespace

const SeenRow* SeenRows::find(std::uint64_t row) const {
  const auto at = by_row_.find(row);
  return at == by_row_.end() ? nullptr : &at->second;
}

std::uint32_t SeenRows::versions(std::uint64_t slot) const {
  const auto at = versions_.find(slot);
  return at == versions_.end() ? 0 : at->second;
}

void SeenRows::put(const SeenRow& row) {
  by_row_.insert_or_assign(row.row, row);
  std::uint32_t& versions = versions_[row.slot];
  versions = std::max(versions, row.versions);
  append(bytes_, row);
}

void SeenRows::keep(const std::function<bool(const SeenRow&)>& wanted) {
  std::vector<SeenRow> kept;
  for (const auto& [key, row] : by_row_)
    if (wanted(row)) kept.push_back(row);
  std::ranges::sort(
      kept, [](const SeenRow& a, const SeenRow& b) { return a.order != b.order ? a.order < b.order : a.row < b.row; });
  by_row_.clear();
  versions_.clear();
  bytes_.clear();
  for (const SeenRow& row : kept) put(row);
}

void SeenRows::each(const std::function<void(const SeenRow&)>& visit) const {
  for (const auto& [key, row] : by_row_) visit(row);
}

Result<SeenRows> SeenRows::decode(std::string_view bytes) {
  SeenRows rows;
  ByteReader in{bytes};
  while (in.ok() && !in.at_end()) {
    SeenRow row;
    row.order = in.time();
    row.row = in.u64();
    row.slot = in.u64();
    row.price = in.u32();
    row.fields = in.u32();
    row.versions = in.u32();
    const std::uint8_t flags = in.u8();
    row.refused = (flags & kRefused) != 0;
    row.half = (flags & kHalf) != 0;
    row.gone = (flags & kGone) != 0;
    if (in.ok()) rows.put(row);
  }
  EL_CHECK(in.finish("rows of a table"));
  return rows;
}

}  // namespace everlearn
