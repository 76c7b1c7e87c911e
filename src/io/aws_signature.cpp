#include "io/aws_signature.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "core/assert.hpp"
#include "core/hash.hpp"

namespace everlearn {
namespace {

std::string hmac(std::string_view key, std::string_view text) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  const auto* made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), reinterpret_cast<unsigned char*>(mac.data()), &size);
  EL_ASSERT(made != nullptr, "HMAC-SHA256 of libcrypto");
  mac.resize(size);
  return mac;
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

}  // namespace

std::string aws_date(Timestamp at) {
  std::string text = at.iso().substr(0, 19) + "Z";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string aws_encoded(std::string_view text, bool path) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (path && c == '/');
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string aws_query(const std::map<std::string, std::string>& query) {
  std::string out;
  for (const auto& [key, value] : query)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", aws_encoded(key, false), aws_encoded(value, false));
  return out;
}

std::string aws_authorization(const AwsRequest& request, const AwsKeys& keys, const std::string& region,
                              const std::string& service, Timestamp at) {
  std::string headers, names;
  for (const auto& [name, value] : request.headers) {
    headers += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  const auto body = request.headers.find("x-amz-content-sha256");
  EL_ASSERT(body != request.headers.end(), "a signed request names the hash of its body");
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, aws_encoded(request.path, true),
                                            aws_query(request.query), headers, names, body->second);
  const std::string date = aws_date(at), day = date.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, scope, sha256_hex(canonical));
  const std::string key = hmac(hmac(hmac(hmac("AWS4" + keys.secret.reveal(), day), region), service), "aws4_request");
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}", keys.id, scope, names,
                     hexadecimal(hmac(key, to_sign)));
}

}  // namespace everlearn
