#include "core/bytes.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "core/assert.hpp"

namespace everlearn {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in memory");
static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);

std::uint32_t bits(float v) { return std::isnan(v) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(v); }
std::uint64_t bits(double v) { return std::isnan(v) ? 0x7ff8000000000000u : std::bit_cast<std::uint64_t>(v); }

template <class T>
void put(std::string& bytes, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

std::uint32_t count32(std::size_t n) {
  EL_ASSERT(n <= std::numeric_limits<std::uint32_t>::max(), "more than 2^32 - 1 elements in one field");
  return static_cast<std::uint32_t>(n);
}

/// Room for `n` more values in one step; the caller fills it.
char* grow(std::string& bytes, std::size_t n) {
  const std::size_t at = bytes.size();
  bytes.resize(at + n);
  return bytes.data() + at;
}

}  // namespace

void ByteWriter::u8(std::uint8_t v) { bytes_.push_back(static_cast<char>(v)); }
void ByteWriter::u32(std::uint32_t v) { put(bytes_, v); }
void ByteWriter::u64(std::uint64_t v) { put(bytes_, v); }
void ByteWriter::f32(float v) { put(bytes_, bits(v)); }
void ByteWriter::f64(double v) { put(bytes_, bits(v)); }

void ByteWriter::text(std::string_view v) {
  u32(count32(v.size()));
  bytes_.append(v);
}

void ByteWriter::f32s(std::span<const float> v) {
  u32(count32(v.size()));
  char* at = grow(bytes_, v.size_bytes());
  for (const float value : v) {
    const std::uint32_t raw = bits(value);
    std::memcpy(at, &raw, sizeof raw);
    at += sizeof raw;
  }
}

void ByteWriter::f64s(std::span<const double> v) {
  u32(count32(v.size()));
  char* at = grow(bytes_, v.size_bytes());
  for (const double value : v) {
    const std::uint64_t raw = bits(value);
    std::memcpy(at, &raw, sizeof raw);
    at += sizeof raw;
  }
}

void ByteWriter::i64s(std::span<const std::int64_t> v) {
  u32(count32(v.size()));
  char* at = grow(bytes_, v.size_bytes());
  if (!v.empty()) std::memcpy(at, v.data(), v.size_bytes());
}

bool ByteReader::take(void* into, std::size_t n) {
  if (!ok_ || n > rest_.size()) {
    ok_ = false;
    return false;
  }
  if (n > 0) std::memcpy(into, rest_.data(), n);
  rest_.remove_prefix(n);
  return true;
}

std::uint8_t ByteReader::u8() {
  std::uint8_t v = 0;
  take(&v, sizeof v);
  return v;
}

std::uint32_t ByteReader::u32() {
  std::uint32_t v = 0;
  take(&v, sizeof v);
  return v;
}

std::uint64_t ByteReader::u64() {
  std::uint64_t v = 0;
  take(&v, sizeof v);
  return v;
}

float ByteReader::f32() { return std::bit_cast<float>(u32()); }
double ByteReader::f64() { return std::bit_cast<double>(u64()); }

namespace {

/// `count` elements of T, or none when fewer bytes are there: a damaged count must not allocate gigabytes.
template <class T>
std::size_t plausible(std::uint32_t count, std::size_t rest, bool& ok) {
  if (count <= rest / sizeof(T)) return count;
  ok = false;
  return 0;
}

}  // namespace

std::string ByteReader::text() {
  std::string v(plausible<char>(u32(), rest_.size(), ok_), '\0');
  take(v.data(), v.size());
  return v;
}

std::vector<float> ByteReader::f32s() {
  std::vector<float> v(plausible<float>(u32(), rest_.size(), ok_));
  take(v.data(), v.size() * sizeof(float));
  return v;
}

std::vector<double> ByteReader::f64s() {
  std::vector<double> v(plausible<double>(u32(), rest_.size(), ok_));
  take(v.data(), v.size() * sizeof(double));
  return v;
}

std::vector<std::int64_t> ByteReader::i64s() {
  std::vector<std::int64_t> v(plausible<std::int64_t>(u32(), rest_.size(), ok_));
  take(v.data(), v.size() * sizeof(std::int64_t));
  return v;
}

Result<void> ByteReader::finish(std::string_view what) const {
  if (!ok_) return fail(Code::Damaged, fmt::format("{}: the bytes end too early", what));
  if (!rest_.empty()) return fail(Code::Damaged, fmt::format("{}: {} bytes left over", what, rest_.size()));
  return {};
}

}  // namespace everlearn
