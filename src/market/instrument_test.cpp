#include "market/instrument.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

Instruments two() {
  Instruments table;
  table.intern("yes");
  Instrument& no = table.edit(table.intern("no"));
  no.market = "election";
  no.tick_size = Price::from_nanos(10'000'000);
  no.probability = true;
  no.context = true;
  no.end_time = Timestamp{5};
  return table;
}

TEST_CASE("instruments: ids are given in order of first appearance and never change") {
  Instruments table;
  CHECK(index(table.intern("b")) == 0);
  CHECK(index(table.intern("a")) == 1);
  CHECK(index(table.intern("b")) == 0);
  CHECK(table.size() == 2);
  CHECK(table[InstrumentId{1}].name == "a");
  CHECK(table.find("a") == InstrumentId{1});
  CHECK_FALSE(table.find("c").has_value());
}

TEST_CASE("instruments: what was encoded is decoded, field by field") {
  ByteWriter out;
  two().encode(out);
  ByteReader in{out.bytes()};
  const auto back = Instruments::decode(in);
  REQUIRE(back);
  CHECK(in.at_end());
  REQUIRE(back->size() == 2);
  CHECK(back->find("no") == InstrumentId{1});
  const Instrument& no = (*back)[InstrumentId{1}];
  CHECK(no.market == "election");
  CHECK(no.tick_size == Price::from_nanos(10'000'000));
  CHECK(no.probability);
  CHECK(no.context);
  CHECK(no.end_time == Timestamp{5});
  CHECK_FALSE((*back)[InstrumentId{0}].tick_size.has_value());
}

TEST_CASE("instruments: bytes that end early or name an instrument twice are damaged") {
  ByteWriter out;
  two().encode(out);
  for (std::size_t n = 0; n < out.bytes().size(); ++n) {
    ByteReader in{std::string_view{out.bytes()}.substr(0, n)};
    const auto back = Instruments::decode(in);
    REQUIRE_FALSE(back);
    CHECK(back.error().code == Code::Damaged);
  }
  Instruments same;
  same.intern("yes");
  same.intern("zes");
  ByteWriter other;
  same.encode(other);
  std::string twice = other.bytes();
  twice[twice.find("zes")] = 'y';
  ByteReader in{twice};
  CHECK(Instruments::decode(in).error().message == "instruments: \"yes\" stands twice");
}

}  // namespace
}  // namespace everlearn
