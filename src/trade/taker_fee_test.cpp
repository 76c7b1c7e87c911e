#include "trade/taker_fee.hpp"

#include <doctest/doctest.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/json.hpp"
#include "core/system_fs.hpp"

namespace everlearn {
namespace {

double number(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

TEST_CASE("fee: shares x rate x p (1 - p), five decimals, the same at p and 1 - p") {
  CHECK(taker_fee(100, 0.50, 0.07, 1) == doctest::Approx(1.75));
  CHECK(taker_fee(100, 0.01, 0.07, 1) == doctest::Approx(0.0693));
  CHECK(taker_fee(100, 0.99, 0.07, 1) == doctest::Approx(0.0693));
  CHECK(taker_fee(10, 0.5, 0.04, 2) == doctest::Approx(0.025));
  CHECK(taker_fee(100, 0.5, 0, 1) == 0);
  CHECK(taker_fee(100, 0, 0.07, 1) == 0);
  CHECK(taker_fee(100, 1, 0.07, 1) == 0);
  CHECK(taker_fee(0.01, 0.01, 0.03, 1) == 0);        // 0.00000297
  CHECK(taker_fee(0.2, 0.5, 0.0001, 1) == 0.00001);  // 0.000005: half up
}

TEST_CASE("fee: the venue's own vectors") {
  const char* shared = std::getenv("EVERLEARN_SHARED");
  const std::filesystem::path root =
      shared != nullptr ? std::filesystem::path{shared} : std::filesystem::path{EVERLEARN_SOURCE_DIR} / ".." / "shared";
  SystemFs fs;
  const auto text = read_file(fs, (root / "protocols/samples/polymarket/fee_vectors.json").string());
  if (!text) {
    MESSAGE("skipped: the vectors are not here");
    return;
  }
  auto in = JsonIn::parse(*text);
  REQUIRE(in);
  const auto rows = in->list("rows");
  REQUIRE(rows.size() >= 40);
  for (const std::string& row : rows) {
    auto one = JsonIn::parse(row);
    REQUIRE(one);
    std::string shares, rate, price, fee;
    int exponent = 0;
    one->get("shares", shares);
    one->get("fee_rate", rate);
    one->get("exponent", exponent);
    one->get("price", price);
    one->get("fee_5dp", fee);
    REQUIRE(one->finish("vector"));
    CHECK_MESSAGE(
        taker_fee(number(shares), number(price), number(rate), exponent) == doctest::Approx(number(fee)).epsilon(1e-12),
        row);
  }
}

}  // namespace
}  // namespace everlearn
