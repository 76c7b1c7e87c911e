// Known answers that lie beside the repository (EVERLEARN_SHARED, or ../shared), and keys to sign with.
#pragma once

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "core/fs.hpp"
#include "core/system_fs.hpp"
#include "venue/signing.hpp"

namespace everlearn::venue {

inline std::string shared_folder() {
  const char* shared = std::getenv("EVERLEARN_SHARED");
  return shared != nullptr ? shared : EVERLEARN_SOURCE_DIR "/../shared";
}

/// The text of a file of protocols/samples; absent, with a message, where there is no shared folder.
inline std::optional<std::string> sample(const std::string& name) {
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

/// The development keys that common test chains publish; the same as in signing_vectors.json.
inline constexpr const char* kKey1 = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
inline constexpr const char* kAddress1 = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
inline constexpr const char* kKey2 = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
inline constexpr const char* kAddress2 = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// r, s, v in hexadecimal.
inline std::string sign(const Word& digest, const std::string& key) {
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
