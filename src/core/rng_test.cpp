#include "core/rng.hpp"

#include <array>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace everlearn;

TEST_CASE("rng: from state 1, 2, 3, 4 come the numbers of the published generator") {
  Rng rng{0};
  rng.restore({1, 2, 3, 4});
  CHECK(rng.next() == 11'520);
  CHECK(rng.next() == 0);
  CHECK(rng.next() == 1'509'978'240);
  CHECK(rng.next() == 1'215'971'899'390'074'240);
}

TEST_CASE("rng: a seed becomes a state by splitmix64") {
  const Rng::State expected{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec};
  CHECK(Rng{0}.state() == expected);
}

TEST_CASE("rng: named streams depend on seed and name, and never change between versions") {
  CHECK(Rng::named(7, "gate").next() == Rng::named(7, "gate").next());
  CHECK(Rng::named(7, "gate").next() != Rng::named(8, "gate").next());
  CHECK(Rng::named(7, "gate").next() != Rng::named(7, "gates").next());
  CHECK(Rng::named(7, "gate").next() != Rng{7}.next());
  CHECK(Rng::named(0, "").state()[0] == 12984449153667689493u);  // SHA-256 of twelve zero bytes
}

TEST_CASE("rng: a restored state continues with the same numbers") {
  Rng first{42};
  (void)first.next();
  Rng second{0};
  second.restore(first.state());
  for (int i = 0; i < 10; ++i) CHECK(first.next() == second.next());
}

TEST_CASE("rng: uniform lies in [0, 1) and fills it evenly") {
  Rng rng{1};
  double sum = 0.0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = rng.uniform();
    REQUIRE((u >= 0.0 && u < 1.0));
    sum += u;
  }
  CHECK(sum / 100'000 == doctest::Approx(0.5).epsilon(0.01));
}

TEST_CASE("rng: below stays below, also for the largest n") {
  CHECK(rc::check([](std::uint64_t seed) {
    Rng rng{seed};
    const auto n = *rc::gen::suchThat(rc::gen::arbitrary<std::uint64_t>(), [](auto v) { return v > 0; });
    for (const std::uint64_t limit : std::vector<std::uint64_t>{n, ~n + 1, ~0ull, 1, (1ull << 63) + 1}) {
      if (limit > 0) RC_ASSERT(rng.below(limit) < limit);
    }
  }));
}

TEST_CASE("rng: below gives every value about equally often") {
  Rng rng{3};
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts[rng.below(6)];
  for (const int count : counts) CHECK(count == doctest::Approx(10'000).epsilon(0.04));
}

TEST_CASE("rng: below throws biased draws away") {
  // Of 3 * 2^62 values, a plain multiplication would give the multiples of 3 twice as often.
  Rng rng{5};
  const std::uint64_t n = 3ull << 62;
  int thirds = 0;
  for (int i = 0; i < 30'000; ++i) thirds += rng.below(n) % 3 == 0;
  CHECK(thirds == doctest::Approx(10'000).epsilon(0.05));
}
