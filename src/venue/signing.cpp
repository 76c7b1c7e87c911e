#include "venue/signing.hpp"

#include <cryptopp/keccak.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include <fmt/format.h>

namespace everlearn::venue {
namespace {

constexpr std::string_view kDomainType =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
constexpr std::string_view kDomainTypeWithoutContract = "EIP712Domain(string name,string version,uint256 chainId)";
constexpr std::string_view kLoginType = "ClobAuth(address address,string timestamp,uint256 nonce,string message)";
constexpr std::string_view kLoginMessage = "This message attests that I control the given wallet";
constexpr std::string_view kOrderType =
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,uint8 "
    "side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)";
constexpr std::string_view kNestedType =
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)";

constexpr std::string_view kExchange = "0xE111180000d2663C0091e4f400237545B87B996B";
constexpr std::string_view kExchangeNegRisk = "0xe2222d279d744050d28e00520010520000310F59";
constexpr std::string_view kExchangeV3 = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa";
constexpr std::string_view kExchangeV3Amoy = "0x9fE6e61422AdB6F610d8597F9684b16912D50C3D";
constexpr std::uint64_t kAmoy = 80002;

constexpr std::size_t kSignatureBytes = 65;

std::string_view view(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const std::uint8_t* octets(std::string_view bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct FreeContext {
  void operator()(secp256k1_context* context) const noexcept { secp256k1_context_destroy(context); }
};

/// base64 or base64url, padding or none.
Result<std::string> base64_bytes(std::string_view text) {
  std::string bytes;
  std::uint32_t held = 0;
  int bits = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (const char c : text) {
    int value = 0;
    if (c >= 'A' && c <= 'Z')
      value = c - 'A';
    else if (c >= 'a' && c <= 'z')
      value = c - 'a' + 26;
    else if (c >= '0' && c <= '9')
      value = c - '0' + 52;
    else if (c == '+' || c == '-')
      value = 62;
    else if (c == '/' || c == '_')
      value = 63;
    else
      return fail(Code::BadData, fmt::format("secret: '{}' is not base64", c));
    held = held << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(held >> bits & 0xff));
  }
  return bytes;
}

}  // namespace

Word keccak256(std::string_view bytes) {
  Word digest{};
  CryptoPP::Keccak_256 keccak;
  keccak.CalculateDigest(digest.data(), octets(bytes), bytes.size());
  return digest;
}

std::string hex_text(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  text.reserve(2 + 2 * bytes.size());
  for (const std::uint8_t b : bytes) {
    text.push_back(kDigits[b >> 4]);
    text.push_back(kDigits[b & 15]);
  }
  return text;
}

std::optional<std::string> hex_bytes(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
  text.remove_prefix(2);
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return bytes;
}

Result<Address> parse_address(std::string_view text) {
  const auto bytes = hex_bytes(text);
  Address address{};
  if (!bytes || bytes->size() != address.size())
    return fail(Code::BadData, fmt::format("address '{}': not 0x and 40 hexadecimal digits", text));
  std::copy(bytes->begin(), bytes->end(), address.begin());
  return address;
}

std::string address_text(const Address& address) {
  std::string text = hex_text(address);
  const Word hash = keccak256(std::string_view{text}.substr(2));
  for (std::size_t i = 2; i < text.size(); ++i) {
    const std::size_t n = i - 2;
    const int nibble = n % 2 == 0 ? hash[n / 2] >> 4 : hash[n / 2] & 15;
    if (text[i] >= 'a' && nibble >= 8) text[i] = static_cast<char>(text[i] - 'a' + 'A');
  }
  return text;
}

Result<Word> parse_word(std::string_view text) {
  const auto bytes = hex_bytes(text);
  Word word{};
  if (!bytes || bytes->size() != word.size())
    return fail(Code::BadData, fmt::format("'{}': not 0x and 64 hexadecimal digits", text));
  std::copy(bytes->begin(), bytes->end(), word.begin());
  return word;
}

Result<Word> word_from_decimal(std::string_view text) {
  Word number{};
  if (text.empty()) return fail(Code::BadData, "'': not a whole number");
  for (const char c : text) {
    if (c < '0' || c > '9') return fail(Code::BadData, fmt::format("'{}': not a whole number", text));
    unsigned carry = static_cast<unsigned>(c - '0');
    for (std::size_t i = number.size(); i-- > 0;) {
      carry += number[i] * 10u;
      number[i] = static_cast<std::uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) return fail(Code::OutOfRange, fmt::format("'{}': not below 2^256", text));
  }
  return number;
}

std::string decimal_text(const Word& number) {
  Word rest = number;
  std::string text;
  do {
    unsigned remainder = 0;
    for (std::uint8_t& byte : rest) {
      remainder = remainder << 8 | byte;
      byte = static_cast<std::uint8_t>(remainder / 10);
      remainder %= 10;
    }
    text.push_back(static_cast<char>('0' + remainder));
  } while (std::any_of(rest.begin(), rest.end(), [](std::uint8_t b) { return b != 0; }));
  std::reverse(text.begin(), text.end());
  return text;
}

Word word_from(std::uint64_t number) {
  Word word{};
  for (std::size_t i = 0; i < 8; ++i) word[31 - i] = static_cast<std::uint8_t>(number >> (8 * i) & 0xff);
  return word;
}

Word word_from(const Address& address) {
  Word word{};
  std::copy(address.begin(), address.end(), word.begin() + 12);
  return word;
}

Word struct_hash(std::string_view type, std::span<const Word> fields) {
  const Word type_hash = keccak256(type);
  std::string bytes{view(type_hash)};
  for (const Word& field : fields) bytes += view(field);
  return keccak256(bytes);
}

Word domain_separator(const Domain& domain) {
  std::vector<Word> fields{keccak256(domain.name), keccak256(domain.version), word_from(domain.chain)};
  if (!domain.contract) return struct_hash(kDomainTypeWithoutContract, fields);
  fields.push_back(word_from(*domain.contract));
  return struct_hash(kDomainType, fields);
}

Word typed_digest(const Word& separator, const Word& struct_hash) {
  std::string bytes = "\x19\x01";
  bytes += view(separator);
  bytes += view(struct_hash);
  return keccak256(bytes);
}

Result<Address> recover_signer(const Word& digest, std::string_view signature) {
  if (signature.size() != kSignatureBytes)
    return fail(Code::BadData, fmt::format("signature of {} bytes, not {}", signature.size(), kSignatureBytes));
  int v = static_cast<std::uint8_t>(signature[64]);
  if (v >= 27) v -= 27;
  if (v > 1) return fail(Code::BadData, fmt::format("signature: recovery id {}", v));
  const std::unique_ptr<secp256k1_context, FreeContext> context{secp256k1_context_create(SECP256K1_CONTEXT_VERIFY)};
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context.get(), &parsed, octets(signature), v) != 1 ||
      secp256k1_ecdsa_recover(context.get(), &key, &parsed, digest.data()) != 1)
    return fail(Code::BadData, "signature: nobody's");
  std::array<std::uint8_t, 65> point{};
  std::size_t size = point.size();
  secp256k1_ec_pubkey_serialize(context.get(), point.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
  const Word hash = keccak256(view(std::span{point}.subspan(1)));
  Address address{};
  std::copy(hash.begin() + 12, hash.end(), address.begin());
  return address;
}

Domain exchange_domain(const Word& token, bool neg_risk, std::uint64_t chain) {
  Domain domain{.name = "Polymarket CTF Exchange", .version = "2", .chain = chain, .contract = std::nullopt};
  // Bits 40..103 of the newer ids are zero: bytes 19..26 from the front.
  const bool newer = std::all_of(token.begin() + 19, token.begin() + 27, [](std::uint8_t b) { return b == 0; });
  std::string_view contract = neg_risk ? kExchangeNegRisk : kExchange;
  if (newer && !neg_risk) {
    domain.version = "3";
    contract = chain == kAmoy ? kExchangeV3Amoy : kExchangeV3;
  }
  domain.contract = *parse_address(contract);
  return domain;
}

Word order_struct_hash(const OrderFields& order) {
  const std::array<Word, 11> fields{
      order.salt,         word_from(order.maker), word_from(order.signer),         order.token,     order.maker_amount,
      order.taker_amount, word_from(order.side),  word_from(order.signature_type), order.timestamp, order.metadata,
      order.builder};
  return struct_hash(kOrderType, fields);
}

Word order_digest(const OrderFields& order, const Domain& exchange) {
  return typed_digest(domain_separator(exchange), order_struct_hash(order));
}

Result<Address> order_signer(const OrderFields& order, const Domain& exchange, std::string_view signature) {
  if (order.signature_type != 3) return recover_signer(order_digest(order, exchange), signature);
  // ERC-7739: the key's signature, the exchange's separator, the order's hash, the order's type and its length.
  const Word separator = domain_separator(exchange);
  const Word contents = order_struct_hash(order);
  std::string expected;
  expected += view(separator);
  expected += view(contents);
  expected += kOrderType;
  expected.push_back(static_cast<char>(kOrderType.size() >> 8));
  expected.push_back(static_cast<char>(kOrderType.size() & 0xff));
  if (signature.size() != kSignatureBytes + expected.size() || signature.substr(kSignatureBytes) != expected)
    return fail(Code::BadData, "signature of a contract wallet: it names another order or exchange");
  const std::array<Word, 6> fields{
      contents, keccak256("DepositWallet"), keccak256("1"), word_from(exchange.chain), word_from(order.signer), Word{}};
  const Word nested = struct_hash(std::string{kNestedType} + std::string{kOrderType}, fields);
  return recover_signer(typed_digest(separator, nested), signature.substr(0, kSignatureBytes));
}

Result<Address> login_signer(std::string_view address, std::string_view timestamp, std::string_view nonce,
                             std::string_view signature, std::uint64_t chain) {
  EL_TRY(const Address claimed, parse_address(address));
  EL_TRY(const Word number, word_from_decimal(nonce));
  const auto bytes = hex_bytes(signature);
  if (!bytes) return fail(Code::BadData, "signature: not hexadecimal");
  const std::array<Word, 4> fields{word_from(claimed), keccak256(timestamp), number, keccak256(kLoginMessage)};
  const Domain domain{.name = "ClobAuthDomain", .version = "1", .chain = chain, .contract = std::nullopt};
  EL_TRY(const Address signer,
         recover_signer(typed_digest(domain_separator(domain), struct_hash(kLoginType, fields)), *bytes));
  if (signer != claimed)
    return fail(Code::BadData, fmt::format("signed by {}, not by {}", address_text(signer), address_text(claimed)));
  return signer;
}

Result<std::string> request_signature(std::string_view secret, std::string_view timestamp, std::string_view method,
                                      std::string_view path, std::string_view body) {
  EL_TRY(const std::string key, base64_bytes(secret));
  const std::string message = fmt::format("{}{}{}{}", timestamp, method, path, body);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(message), message.size(), digest.data(), &size);
  return base64url(view(std::span{digest}.first(size)));
}

std::string base64url(std::string_view bytes) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t held = 0;
    for (std::size_t k = 0; k < 3; ++k) held = held << 8 | (k < n ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text.push_back(k <= n ? kLetters[held >> (18 - 6 * k) & 63] : '=');
  }
  return text;
}

std::string sha1_hex(std::string_view bytes) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return hex_text(std::span{digest}.first(size)).substr(2);
}

}  // namespace everlearn::venue
