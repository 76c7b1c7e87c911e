#include <doctest/doctest.h>

#include "label/label_fixture.hpp"

using namespace everlearn;
using namespace everlearn::label_test;

TEST_CASE("effective: windows of one instrument that overlap count once, windows that touch count twice") {
  EffectiveCount count;
  for (std::int64_t start = 0; start < 100; start += 10) count.add(kA, at(start), at(start + 50));
  CHECK(count.value() == 2);  // 0..50 and 50..100
  count.add(kB, at(10), at(60));
  CHECK(count.value() == 3);
}

TEST_CASE("effective: the state survives a restart") {
  EffectiveCount count;
  count.add(kB, at(0), at(50));
  ByteWriter out;
  count.encode(out);
  EffectiveCount again;
  ByteReader in{out.bytes()};
  REQUIRE(again.decode(in));
  CHECK(in.at_end());
  again.add(kB, at(49), at(99));
  CHECK(again.value() == 1);
  again.add(kB, at(50), at(100));
  CHECK(again.value() == 2);
}
