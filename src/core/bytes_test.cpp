#include "core/bytes.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "core/hash.hpp"

using namespace everlearn;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class Write>
std::string written(Write write) {
  ByteWriter out;
  write(out);
  return out.take();
}

}  // namespace

TEST_CASE("bytes: fixed width, little endian, text with its length") {
  ByteWriter out;
  out.u8(1);
  out.u32(0x01020304);
  out.u64(5);
  out.i64(-1);
  out.f32(1.0f);
  out.f64(1.0);
  out.boolean(true);
  out.time(Timestamp{2});
  out.text("ab");
  using namespace std::string_literals;
  CHECK(out.bytes() ==
        "\x01"
        "\x04\x03\x02\x01"
        "\x05\0\0\0\0\0\0\0"
        "\xff\xff\xff\xff\xff\xff\xff\xff"
        "\0\0\x80\x3f"
        "\0\0\0\0\0\0\xf0\x3f"
        "\x01"
        "\x02\0\0\0\0\0\0\0"
        "\x02\0\0\0ab"s);
}

TEST_CASE("bytes: every NaN is written as the same NaN, and -0 stays -0") {
  const auto nan_bytes = written([](ByteWriter& out) { out.f64(kNan); });
  for (const double nan :
       {-kNan, std::bit_cast<double>(0x7ff0000000000001), std::bit_cast<double>(0xffffffffffffffff)}) {
    CHECK(written([&](ByteWriter& out) { out.f64(nan); }) == nan_bytes);
    CHECK(written([&](ByteWriter& out) { out.f64s(std::vector{nan}); }).substr(4) == nan_bytes);
  }
  const auto float_bytes = written([](ByteWriter& out) { out.f32(std::numeric_limits<float>::quiet_NaN()); });
  const auto odd = std::bit_cast<float>(0xffc00123u);
  CHECK(written([&](ByteWriter& out) { out.f32(odd); }) == float_bytes);
  CHECK(written([&](ByteWriter& out) { out.f32s(std::vector{odd}); }).substr(4) == float_bytes);
  CHECK(written([](ByteWriter& out) { out.f64(-0.0); }) != written([](ByteWriter& out) { out.f64(0.0); }));
}

TEST_CASE("bytes: the reader gives back what was written") {
  CHECK(rc::check([](std::uint32_t a, std::int64_t b, bool c, const std::string& d, const std::vector<std::int64_t>& e,
                     const std::vector<float>& f, const std::vector<double>& g) {
    ByteWriter out;
    out.u32(a);
    out.i64(b);
    out.boolean(c);
    out.text(d);
    out.i64s(e);
    out.f32s(f);
    out.f64s(g);
    ByteReader in{out.bytes()};
    RC_ASSERT(in.u32() == a);
    RC_ASSERT(in.i64() == b);
    RC_ASSERT(in.boolean() == c);
    RC_ASSERT(in.text() == d);
    RC_ASSERT(in.i64s() == e);
    RC_ASSERT(in.f32s() == f);
    RC_ASSERT(in.f64s() == g);
    RC_ASSERT(in.finish("test").has_value());
  }));
}

TEST_CASE("bytes: after a short read everything is zero and finish tells it") {
  const auto bytes = written([](ByteWriter& out) { out.u32(7); });
  ByteReader in{bytes};
  CHECK(in.u64() == 0);
  CHECK_FALSE(in.ok());
  CHECK(in.u32() == 0);
  CHECK(in.text().empty());
  const auto done = in.finish("checkpoint");
  CHECK(done.error().code == Code::Damaged);
  CHECK(done.error().message == "checkpoint: the bytes end too early");
}

TEST_CASE("bytes: bytes left over are damage") {
  ByteReader in{"abc"};
  (void)in.u8();
  CHECK_FALSE(in.at_end());
  CHECK(in.finish("card").error().message == "card: 2 bytes left over");
}

TEST_CASE("bytes: a damaged count allocates nothing") {
  const auto bytes = written([](ByteWriter& out) { out.u32(0xffffffff); });
  CHECK(ByteReader{bytes}.f64s().empty());
  CHECK(ByteReader{bytes}.f32s().empty());
  CHECK(ByteReader{bytes}.i64s().empty());
  CHECK(ByteReader{bytes}.text().empty());
  ByteReader in{bytes};
  (void)in.f64s();
  CHECK_FALSE(in.ok());
}

TEST_CASE("bytes: any cut of a record is noticed") {
  const auto bytes = written([](ByteWriter& out) {
    out.text("abc");
    out.f64s(std::vector{1.0, kNan});
    out.u8(3);
  });
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    ByteReader in{std::string_view{bytes}.substr(0, n)};
    (void)in.text();
    (void)in.f64s();
    (void)in.u8();
    CHECK_FALSE(in.finish("record").has_value());
  }
}
