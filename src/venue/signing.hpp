// Who signed what: Keccak-256, EIP-712 digests and the recovery of a signer (secp256k1), for orders and for logins.
// Source: EIP-712, EIP-55, ERC-7739 (nested signatures of contract wallets), RFC 2104.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn::venue {

using Word = std::array<std::uint8_t, 32>;  // big endian, as Ethereum's ABI has it
using Address = std::array<std::uint8_t, 20>;

Word keccak256(std::string_view bytes);

/// "0x" and two digits a byte.
std::string hex_text(std::span<const std::uint8_t> bytes);
/// Bytes of "0x..."; absent: not hexadecimal, or an odd number of digits.
std::optional<std::string> hex_bytes(std::string_view text);
/// Errors: BadData.
Result<Address> parse_address(std::string_view text);
/// With the letter case that is its checksum (EIP-55).
std::string address_text(const Address& address);
/// 32 bytes as "0x..." Errors: BadData.
Result<Word> parse_word(std::string_view text);
/// A whole number in decimal below 2^256. Errors: BadData, OutOfRange.
Result<Word> word_from_decimal(std::string_view text);
std::string decimal_text(const Word& number);
Word word_from(std::uint64_t number);
Word word_from(const Address& address);

struct Domain {
  std::string name;
  std::string version;
  std::uint64_t chain = 0;
  std::optional<Address> contract;  // absent: the domain has no such field
};

Word domain_separator(const Domain& domain);
/// keccak(keccak(type), fields); texts and bytes among the fields are their hashes already.
Word struct_hash(std::string_view type, std::span<const Word> fields);
/// What is signed.
Word typed_digest(const Word& separator, const Word& struct_hash);

/// The address whose key made the 65 bytes r, s, v (v 27, 28, or 0, 1). Errors: BadData.
Result<Address> recover_signer(const Word& digest, std::string_view signature);

/// An order of exchange V2 or V3 as it is signed.
struct OrderFields {
  Word salt{};
  Address maker{}, signer{};
  Word token{}, maker_amount{}, taker_amount{};
  std::uint8_t side = 0;            // 0 buy, 1 sell
  std::uint8_t signature_type = 0;  // 0 key, 1 proxy, 2 safe, 3 contract wallet
  Word timestamp{}, metadata{}, builder{};
};

/// The exchange that settles a token: V3 for the newer position ids, else V2's, of which neg-risk markets have their
/// own.
Domain exchange_domain(const Word& token, bool neg_risk, std::uint64_t chain);
Word order_struct_hash(const OrderFields& order);
/// The id of an order everywhere.
Word order_digest(const OrderFields& order, const Domain& exchange);
/// The key's address behind an order's signature. Of a contract wallet (type 3) it is the key that signed for the
/// wallet; its nested signature must name this very order and exchange. Errors: BadData.
Result<Address> order_signer(const OrderFields& order, const Domain& exchange, std::string_view signature);

/// L1: the address proves that it holds its key. Errors: BadData.
Result<Address> login_signer(std::string_view address, std::string_view timestamp, std::string_view nonce,
                             std::string_view signature, std::uint64_t chain);
/// L2: the signature of one request; `secret` is base64url (base64 and missing padding are accepted). Errors: BadData.
Result<std::string> request_signature(std::string_view secret, std::string_view timestamp, std::string_view method,
                                      std::string_view path, std::string_view body);

/// Padding kept.
std::string base64url(std::string_view bytes);
/// 40 lower-case digits.
std::string sha1_hex(std::string_view bytes);

}  // namespace everlearn::venue
