#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <array>
#include <cstdlib>

#include <doctest/doctest.h>

#include "core/fs.hpp"
#include "core/system_fs.hpp"
#include "venue/test_vectors.hpp"

namespace everlearn::venue {

std::string shared_folder() {
  const char* shared = std::getenv("EVERLEARN_SHARED");
  return shared != nullptr ? shared : EVERLEARN_SOURCE_DIR "/../shared";
}

std::optional<std::string> sample(const std::string& name) {
  SystemFs fs;
  const std::string path = shared_folder() + "/protocols/samples/polymarket/" + name;
  if (!fs.exists(path)) {
    MESSAGE("skipped: no shared sample ", name);
    return std::nullopt;
  }
  auto text = read_file(fs, path);
  REQUIRE(text);
  return std::move(*text);
}

std::string sign(const Word& digest, const std::string& key) {
  const std::string secret = *hex_bytes(key);
  secp256k1_context* context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
  secp256k1_ecdsa_recoverable_signature signature;
  REQUIRE(secp256k1_ecdsa_sign_recoverable(context, &signature, digest.data(),
                                           reinterpret_cast<const unsigned char*>(secret.data()), nullptr,
                                           nullptr) == 1);
  std::array<std::uint8_t, 65> bytes{};
  int id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context, bytes.data(), &id, &signature);
  bytes[64] = static_cast<std::uint8_t>(27 + id);
  secp256k1_context_destroy(context);
  return hex_text(bytes);
}

}  // namespace everlearn::venue
