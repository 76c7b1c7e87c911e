#include "core/rng.hpp"

#include <bit>
#include <string>

#include "core/assert.hpp"
#include "core/bytes.hpp"
#include "core/hash.hpp"

namespace everlearn {
namespace {

__extension__ typedef unsigned __int128 Uint128;

/// Steele, Lea, Flood (2014): recommended by the authors of xoshiro for seeding.
std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(std::uint64_t seed) {
  for (std::uint64_t& word : s_) word = splitmix64(seed);
}

Rng Rng::named(std::uint64_t seed, std::string_view name) {
  // A hash over both, so that neighbouring seeds and similar names share nothing.
  ByteWriter key;
  key.u64(seed);
  key.text(name);
  const Sha256 digest = sha256(key.bytes());
  ByteReader words{std::string_view{reinterpret_cast<const char*>(digest.data()), digest.size()}};
  Rng rng{seed};
  for (std::uint64_t& word : rng.s_) word = words.u64();
  return rng;
}

std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(s_[1] * 5, 7) * 9;
  const std::uint64_t t = s_[1] << 17;
  s_[2] ^= s_[0];
  s_[3] ^= s_[1];
  s_[1] ^= s_[2];
  s_[0] ^= s_[3];
  s_[2] ^= t;
  s_[3] = std::rotl(s_[3], 45);
  return result;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

std::uint64_t Rng::below(std::uint64_t n) {
  EL_ASSERT(n > 0, "Rng::below(0)");
  Uint128 product = Uint128{next()} * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t biased = (0 - n) % n;  // 2^64 mod n: this many low values occur once too often
    while (static_cast<std::uint64_t>(product) < biased) product = Uint128{next()} * n;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

}  // namespace everlearn
