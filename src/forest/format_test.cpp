// forest.bin: docs/formats/forest-v1.md.
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/hash.hpp"
#include "core/rng.hpp"
#include "forest/fixtures.hpp"
#include "forest/forest.hpp"
#include "forest/tables.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kHash = 32;

std::string mixed_bytes() { return Forest::build(mixed_forest()).value().encode(); }

/// `bytes` with a checksum that fits what stands before it.
std::string sealed(std::string bytes) {
  bytes.resize(bytes.size() - kHash);
  const Sha256 digest = sha256(bytes);
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return bytes;
}

/// Walks rows of all kinds: under the sanitizers this finds what verification let through.
void walk(const Forest& forest) {
  Rng rng{11};
  std::vector<float> rows(static_cast<std::size_t>(forest.features()) * 20);
  for (float& x : rows) {
    x = static_cast<float>(rng.uniform() * 100.0 - 20.0);
    if (rng.below(5) == 0) x = std::numeric_limits<float>::quiet_NaN();
    if (rng.below(9) == 0) x = std::numeric_limits<float>::infinity();
  }
  std::vector<double> out(static_cast<std::size_t>(forest.outputs()) * 20);
  forest.raw_batch(rows, out);
  forest.respond(out);
}

TEST_CASE("a forest comes back from its bytes, and gives the same bytes again") {
  const std::string bytes = mixed_bytes();
  const auto back = Forest::decode(bytes);
  REQUIRE(back.has_value());
  CHECK(back->encode() == bytes);
  CHECK(back->feature_names() == std::vector<std::string>{"a", "b", "c"});
  CHECK(back->gain() == std::vector<double>{10.0, 4.0, 1.0});
  double out = 0.0;
  back->raw(std::vector<float>{3.0F, 0.0F, 2.0F}, std::span{&out, 1});
  CHECK(out == 8.0 + 0.5 + 16.0);
}

TEST_CASE("link, factor and averaging are part of the bytes") {
  auto tables = mixed_forest();
  tables.link = Link::Logistic;
  tables.sigmoid = 0.75;
  tables.averaged = true;
  const auto back = Forest::decode(Forest::build(tables).value().encode()).value();
  CHECK(back.link() == Link::Logistic);
  CHECK(back.averaged());
  std::vector<double> raw{1.0};
  back.respond(raw);
  CHECK(raw[0] == 1.0 / (1.0 + std::exp(-0.75)));
}

TEST_CASE("version 1 is frozen: these bytes will be read for ever") {
  const std::string bytes = Forest::build(stump(0.5)).value().encode();
  const std::string header{
      "ELFOREST\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\xf0\x3f\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\0\0\0"
      "\0\0\0\0\0\0\0\0\0",
      60};
  CHECK(bytes.substr(0, 60) == header);
  CHECK(bytes.size() == 60 + 5 + 4 + 25 + 16 + kHash);
  CHECK(sha256_hex(mixed_bytes()) == "7800bd62f3603f72286ed0e8cb609b78af2bfcf0739bbbbdc06e208098421750");
}

TEST_CASE("another version is refused by number") {
  std::string bytes = mixed_bytes();
  bytes[8] = 2;
  const auto forest = Forest::decode(sealed(bytes));
  REQUIRE_FALSE(forest.has_value());
  CHECK(forest.error().code == Code::Unsupported);
  CHECK(forest.error().message == "forest: version 2, this program reads 1");
}

TEST_CASE("header bytes without a meaning must be zero, and averaging is 0 or 1") {
  for (const std::size_t at : {13, 14, 15, 56, 59}) {
    std::string bytes = mixed_bytes();
    bytes[at] = 2;
    const auto forest = Forest::decode(sealed(bytes));
    REQUIRE_FALSE(forest.has_value());
    CHECK(forest.error().code == Code::Model);
  }
}

TEST_CASE("a truncated file is refused at every length") {
  const std::string bytes = mixed_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto forest = Forest::decode(std::string_view{bytes}.substr(0, size));
    REQUIRE_FALSE(forest.has_value());
    REQUIRE(forest.error().code == Code::Damaged);
  }
  CHECK_FALSE(Forest::decode(bytes + '\0').has_value());
}

TEST_CASE("every flipped bit is refused") {
  const std::string bytes = mixed_bytes();
  for (std::size_t at = 0; at < bytes.size() * 8; ++at) {
    std::string damaged = bytes;
    damaged[at / 8] = static_cast<char>(damaged[at / 8] ^ (1 << (at % 8)));
    const auto forest = Forest::decode(damaged);
    REQUIRE_FALSE(forest.has_value());
    REQUIRE(forest.error().code == Code::Damaged);
  }
}

TEST_CASE("a zeroed sector is refused") {
  const std::string bytes = [] {
    ForestTables t = mixed_forest();  // longer than a few sectors
    for (int i = 0; i < 300; ++i) t.leaves_of_tree.push_back(1), t.leaf.push_back(i);
    return Forest::build(t).value().encode();
  }();
  REQUIRE(bytes.size() > 5 * 512);
  for (std::size_t at = 0; at < bytes.size(); at += 512) {
    std::string damaged = bytes;
    std::memset(damaged.data() + at, 0, std::min<std::size_t>(512, damaged.size() - at));
    CHECK_FALSE(Forest::decode(damaged).has_value());
  }
}

TEST_CASE("contents that lie under a true checksum are refused, or are another whole forest") {
  const std::string bytes = mixed_bytes();
  std::size_t accepted = 0;
  const auto offer = [&](const std::string& damaged) {
    const auto forest = Forest::decode(sealed(damaged));
    if (!forest) {
      REQUIRE(forest.error().code != Code::Internal);
      return;
    }
    ++accepted;
    walk(*forest);
    REQUIRE(Forest::decode(forest->encode()).has_value());
  };
  for (std::size_t at = 0; at + kHash < bytes.size(); ++at)
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff, (bytes[at] + 1) & 0xff, (bytes[at] ^ 0x10) & 0xff}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      offer(damaged);
    }
  // The sizes of the header, pushed to where sums and products overflow.
  for (std::size_t at = 8; at < 60; at += 4)
    for (const std::uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffffeu, 0xffffffffu}) {
      std::string damaged = bytes;
      std::memcpy(damaged.data() + at, &value, sizeof value);
      offer(damaged);
    }
  Rng rng{3};
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) {
      const std::size_t at = 60 + rng.below(bytes.size() - kHash - 60);
      damaged[at] = rng.below(2) == 0 ? static_cast<char>(rng.below(8)) : static_cast<char>(rng.next());
    }
    if (rng.below(4) == 0) damaged.erase(60 + rng.below(bytes.size() - kHash - 60), 1 + rng.below(4));
    offer(damaged);
  }
  CHECK(accepted > 1'000);  // else the mutants never reach the walk
}

}  // namespace
}  // namespace everlearn
