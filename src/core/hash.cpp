#include "core/hash.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include "core/assert.hpp"

namespace everlearn {
namespace {

EVP_MD_CTX* evp(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

// OpenSSL fails here only without memory or without its default provider: nothing could go on without hashes.
Sha256Stream::Sha256Stream() : context_{EVP_MD_CTX_new()} {
  EL_ASSERT(context_ != nullptr && EVP_DigestInit_ex(evp(context_), EVP_sha256(), nullptr) == 1, "no SHA-256");
}

Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(evp(context_)); }

void Sha256Stream::add(std::string_view bytes) {
  EL_ASSERT(EVP_DigestUpdate(evp(context_), bytes.data(), bytes.size()) == 1, "SHA-256 fails");
}

Sha256 Sha256Stream::finish() {
  Sha256 digest{};
  EL_ASSERT(EVP_DigestFinal_ex(evp(context_), digest.data(), nullptr) == 1, "SHA-256 fails, or was finished twice");
  return digest;
}

Sha256 sha256(std::string_view bytes) {
  Sha256Stream stream;
  stream.add(bytes);
  return stream.finish();
}

std::string hex(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  constexpr std::size_t kBlock = 64;
  const auto view = [](const Sha256& digest) {
    return std::string_view{reinterpret_cast<const char*>(digest.data()), digest.size()};
  };
  const Sha256 short_key = sha256(key);
  std::string inner{key.size() > kBlock ? view(short_key) : key};
  inner.resize(kBlock, '\0');
  std::string outer = inner;
  for (char& byte : inner) byte = static_cast<char>(byte ^ 0x36);
  for (char& byte : outer) byte = static_cast<char>(byte ^ 0x5c);
  Sha256Stream within, around;
  within.add(inner);
  within.add(bytes);
  around.add(outer);
  around.add(view(within.finish()));
  return around.finish();
}

std::uint32_t crc32(std::string_view bytes, std::uint32_t seed) {
  return static_cast<std::uint32_t>(
      ::crc32_z(seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace everlearn
