#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace everlearn {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
/// 64 lower-case digits.
std::string hex(const Sha256& digest);
inline std::string sha256_hex(std::string_view bytes) { return hex(sha256(bytes)); }

/// Keyed-hash message authentication code, RFC 2104, over SHA-256.
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

/// SHA-256 of bytes that come in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void add(std::string_view bytes);
  /// Ends the stream; call once.
  Sha256 finish();

 private:
  void* context_;
};

/// CRC-32 (zlib's polynomial); `seed` continues an earlier call.
std::uint32_t crc32(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace everlearn
