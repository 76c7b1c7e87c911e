// Known answers that lie beside the repository (EVERLEARN_SHARED, or ../shared), and keys to sign with. For tests.
#pragma once

#include <optional>
#include <string>

#include "venue/signing.hpp"

namespace everlearn::venue {

std::string shared_folder();

/// The text of a file of the venue's recorded samples; absent, with a message, where there is no shared folder.
std::optional<std::string> sample(const std::string& name);

/// The development keys that common test chains publish; the same as in signing_vectors.json.
inline constexpr const char* kKey1 = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
inline constexpr const char* kAddress1 = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
inline constexpr const char* kKey2 = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
inline constexpr const char* kAddress2 = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// r, s, v in hexadecimal.
std::string sign(const Word& digest, const std::string& key);

}  // namespace everlearn::venue
