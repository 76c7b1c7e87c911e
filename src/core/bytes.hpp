// One byte encoding for hashes, checkpoints and hot rows: little endian, fixed width, length-prefixed text. Equal
// values give equal bytes: every NaN is written as the one quiet NaN, and -0 as +0 is NOT merged (bits are kept).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

class ByteWriter {
 public:
  void u8(std::uint8_t v);
  void u32(std::uint32_t v);
  void u64(std::uint64_t v);
  void i64(std::int64_t v) { u64(static_cast<std::uint64_t>(v)); }
  void f32(float v);
  void f64(double v);
  void boolean(bool v) { u8(v ? 1 : 0); }
  void time(Timestamp t) { i64(t.us()); }
  void text(std::string_view v);         // u32 length, bytes
  void f32s(std::span<const float> v);   // u32 count, values
  void f64s(std::span<const double> v);  // u32 count, values
  void i64s(std::span<const std::int64_t> v);

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote. After the first short read every value is zero and ok() is false: check once at the
/// end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_{bytes} {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  float f32();
  double f64();
  bool boolean() { return u8() != 0; }
  Timestamp time() { return Timestamp{i64()}; }
  std::string text();
  std::vector<float> f32s();
  std::vector<double> f64s();
  std::vector<std::int64_t> i64s();

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  /// Damaged, naming `what`, unless everything was read and nothing is left over.
  Result<void> finish(std::string_view what) const;

 private:
  bool take(void* into, std::size_t n);
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace everlearn
