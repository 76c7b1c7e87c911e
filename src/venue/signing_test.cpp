#include "venue/signing.hpp"

#include <simdjson.h>

#include <vector>

#include <doctest/doctest.h>

#include "venue/test_vectors.hpp"

namespace everlearn::venue {
namespace {

using simdjson::dom::element;

struct Vectors {
  simdjson::dom::parser parser;
  std::optional<element> root;

  Vectors() {
    const auto text = sample("signing_vectors.json");
    if (!text) return;
    element parsed;
    REQUIRE(parser.parse(*text).get(parsed) == simdjson::SUCCESS);
    root = parsed;
  }
  std::string key(element vector) {
    return std::string{std::string_view{(*root)["keys"][std::string_view{vector["private_key"]}]["private_key"]}};
  }
  std::string address(element vector) {
    return std::string{std::string_view{(*root)["keys"][std::string_view{vector["private_key"]}]["address"]}};
  }
};

std::string_view text(element e, std::string_view key) { return std::string_view{e[key]}; }
Word number(element e, std::string_view key) { return *word_from_decimal(text(e, key)); }

Domain domain_of(element e) {
  Domain domain{.name = std::string{text(e, "name")},
                .version = std::string{text(e, "version")},
                .chain = std::uint64_t{e["chainId"]},
                .contract = std::nullopt};
  if (std::string_view contract; e["verifyingContract"].get(contract) == simdjson::SUCCESS)
    domain.contract = *parse_address(contract);
  return domain;
}

TEST_CASE("signing: type strings hash as stated, an address carries its checksum in its letters") {
  Vectors v;
  if (!v.root) return;
  for (const auto [name, type] : simdjson::dom::object{(*v.root)["type_strings"]}) {
    CAPTURE(name);
    CHECK(hex_text(keccak256(std::string_view{type})) == std::string_view{(*v.root)["type_hashes"][name]});
  }
  CHECK(address_text(*parse_address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")) == kAddress1);
  CHECK_FALSE(parse_address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb9226"));
}

TEST_CASE("signing: whole numbers below 2^256 and back") {
  const std::string largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  CHECK(decimal_text(*word_from_decimal(largest)) == largest);
  CHECK(decimal_text(word_from(0)) == "0");
  CHECK_FALSE(word_from_decimal("115792089237316195423570985008687907853269984665640564039457584007913129639936"));
  CHECK_FALSE(word_from_decimal("0x12"));
}

TEST_CASE("signing: logins of the vectors are recognised, and nobody else's") {
  Vectors v;
  if (!v.root) return;
  int seen = 0;
  for (const element login : (*v.root)["l1"]) {
    CAPTURE(text(login, "name"));
    const Domain domain = domain_of(login["domain"]);
    CHECK(hex_text(domain_separator(domain)) == text(login, "domain_separator"));
    const element headers = login["headers"];
    const auto signer = login_signer(text(headers, "POLY_ADDRESS"), text(headers, "POLY_TIMESTAMP"),
                                     text(headers, "POLY_NONCE"), text(headers, "POLY_SIGNATURE"), domain.chain);
    REQUIRE(signer);
    CHECK(address_text(*signer) == v.address(login));
    CHECK_FALSE(login_signer(text(headers, "POLY_ADDRESS"), "1", text(headers, "POLY_NONCE"),
                             text(headers, "POLY_SIGNATURE"), domain.chain));
    CHECK(sign(*parse_word(text(login, "digest")), v.key(login)) == text(login, "signature"));
    ++seen;
  }
  CHECK(seen == 4);
}

TEST_CASE("signing: requests of the vectors have the signatures they should") {
  Vectors v;
  if (!v.root) return;
  int seen = 0;
  for (const element request : (*v.root)["l2"]) {
    CAPTURE(text(request, "name"));
    std::string_view body;
    if (request["body"].get(body) != simdjson::SUCCESS) body = "";
    const auto made = request_signature(text(request, "secret"), text(request, "timestamp"), text(request, "method"),
                                        text(request, "path"), body);
    REQUIRE(made);
    CHECK(*made == text(request, "signature"));
    ++seen;
  }
  CHECK(seen == 9);
  // Padding may be missing, and "+ /" stand for "- _".
  CHECK(*request_signature("-_-_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRob_-8", "1", "GET", "/", "") ==
        *request_signature("+/+/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRob/+8=", "1", "GET", "/", ""));
  CHECK_FALSE(request_signature("not base64!", "1", "GET", "/", ""));
}

TEST_CASE("signing: retired orders of the vectors hash and recover by the same code") {
  Vectors v;
  if (!v.root) return;
  int seen = 0;
  for (const element vector : (*v.root)["orders_v1"]) {
    CAPTURE(text(vector, "name"));
    const element o = vector["order"];
    const std::vector<Word> fields{number(o, "salt"),
                                   word_from(*parse_address(text(o, "maker"))),
                                   word_from(*parse_address(text(o, "signer"))),
                                   word_from(*parse_address(text(o, "taker"))),
                                   number(o, "tokenId"),
                                   number(o, "makerAmount"),
                                   number(o, "takerAmount"),
                                   number(o, "expiration"),
                                   number(o, "nonce"),
                                   number(o, "feeRateBps"),
                                   word_from(std::uint64_t{o["side"]}),
                                   word_from(std::uint64_t{o["signatureType"]})};
    const Word hash = struct_hash(std::string_view{(*v.root)["type_strings"]["OrderV1"]}, fields);
    CHECK(hex_text(hash) == text(vector, "struct_hash"));
    const Word digest = typed_digest(domain_separator(domain_of(vector["domain"])), hash);
    CHECK(hex_text(digest) == text(vector, "digest_is_order_id"));
    CHECK(address_text(*recover_signer(digest, *hex_bytes(text(vector, "signature")))) == v.address(vector));
    ++seen;
  }
  CHECK(seen == 5);
}

TEST_CASE("signing: orders of the vectors have their ids and their signers, of every kind of wallet") {
  Vectors v;
  if (!v.root) return;
  int seen = 0, wallets = 0;
  for (const element vector : (*v.root)["orders_v2"]) {
    CAPTURE(text(vector, "name"));
    const element o = vector["order"];
    const OrderFields order{.salt = number(o, "salt"),
                            .maker = *parse_address(text(o, "maker")),
                            .signer = *parse_address(text(o, "signer")),
                            .token = number(o, "tokenId"),
                            .maker_amount = number(o, "makerAmount"),
                            .taker_amount = number(o, "takerAmount"),
                            .side = static_cast<std::uint8_t>(std::uint64_t{o["side"]}),
                            .signature_type = static_cast<std::uint8_t>(std::uint64_t{o["signatureType"]}),
                            .timestamp = number(o, "timestamp"),
                            .metadata = *parse_word(text(o, "metadata")),
                            .builder = *parse_word(text(o, "builder"))};
    const Domain domain = domain_of(vector["domain"]);
    CHECK(hex_text(domain_separator(domain)) == text(vector, "domain_separator"));
    CHECK(hex_text(order_struct_hash(order)) == text(vector, "struct_hash"));
    CHECK(hex_text(order_digest(order, domain)) == text(vector, "digest_is_order_id"));
    const std::string signature = *hex_bytes(text(vector, "signature"));
    const auto signer = order_signer(order, domain, signature);
    REQUIRE(signer);
    CHECK(address_text(*signer) == v.address(vector));

    OrderFields other = order;
    other.taker_amount = word_from(1);
    const auto misled = order_signer(other, domain, signature);
    CHECK((!misled || address_text(*misled) != v.address(vector)));
    if (order.signature_type == 3) {
      CHECK_FALSE(misled);
      ++wallets;
    }
    ++seen;
  }
  CHECK(seen == 9);
  CHECK(wallets == 3);
}

TEST_CASE("signing: the exchange follows from the token and from neg-risk") {
  const Word old = *word_from_decimal("71321045679252212594626385532706912750332728571942532289631379312455583992563");
  CHECK(address_text(*exchange_domain(old, false, 137).contract) == "0xE111180000d2663C0091e4f400237545B87B996B");
  CHECK(address_text(*exchange_domain(old, true, 137).contract) == "0xe2222d279d744050d28e00520010520000310F59");
  Word newer = old;
  for (std::size_t i = 19; i < 27; ++i) newer[i] = 0;
  CHECK(exchange_domain(newer, false, 137).version == "3");
  CHECK(exchange_domain(old, false, 137).version == "2");
}

}  // namespace
}  // namespace everlearn::venue
