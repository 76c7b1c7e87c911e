// Seeded random numbers whose sequence is ours: the standard distributions differ between libraries.
// Generator: xoshiro256** 1.0, Blackman and Vigna (2018), seeded by splitmix64.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace everlearn {

class Rng {
 public:
  explicit Rng(std::uint64_t seed);
  /// An independent stream for a named purpose: the same (seed, name) gives the same numbers.
  static Rng named(std::uint64_t seed, std::string_view name);

  std::uint64_t next();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [0, n), n > 0, without bias (Lemire 2019).
  std::uint64_t below(std::uint64_t n);

  using State = std::array<std::uint64_t, 4>;
  const State& state() const { return s_; }
  void restore(const State& state) { s_ = state; }

 private:
  State s_{};
};

}  // namespace everlearn
