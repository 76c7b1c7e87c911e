#include "io/byte_stream.hpp"

#include "io/test_world.hpp"

namespace everlearn {
namespace {

Result<std::string> all(ByteStream& stream) {
  std::string text, piece(7, '\0');
  for (;;) {
    EL_TRY(const std::size_t n, stream.read(piece));
    if (n == 0) return text;
    text += piece.substr(0, n);
  }
}

TEST_CASE("byte stream: gzip is known by its first bytes, not by the name") {
  TestWorld w;
  w.write("a.csv", gzipped("hello, world"));
  w.write("b.csv.gz", "hello, world");
  for (const char* path : {"a.csv", "b.csv.gz"}) {
    auto stream = open_bytes(w.fs, path);
    REQUIRE(stream);
    CHECK(all(**stream).value() == "hello, world");
    CHECK_FALSE((*stream)->cut_short());
  }
}

TEST_CASE("byte stream: gzip files joined one after the other are read as one") {
  TestWorld w;
  w.write("a", gzipped("one,") + gzipped("") + gzipped("two"));
  CHECK(all(**open_bytes(w.fs, "a")).value() == "one,two");
}

TEST_CASE("byte stream: gzip that ends early gives what came before and says so") {
  TestWorld w;
  const std::string packed = gzipped("a line that was written before the recorder was killed");
  w.write("a", packed.substr(0, packed.size() - 6));
  auto stream = open_bytes(w.fs, "a");
  CHECK(all(**stream).value() == "a line that was written before the recorder was killed");
  CHECK((*stream)->cut_short());
}

TEST_CASE("byte stream: gzip whose checksum contradicts its bytes is bad data") {
  TestWorld w;
  std::string packed = gzipped("hello, world");
  packed[packed.size() - 8] ^= 1;
  w.write("a", packed);
  const auto text = all(**open_bytes(w.fs, "a"));
  REQUIRE_FALSE(text);
  CHECK(text.error().code == Code::BadData);
  CHECK(text.error().message == "a: damaged gzip data (incorrect data check)");
}

TEST_CASE("byte stream: an empty file has no bytes") {
  TestWorld w;
  w.write("a", "");
  CHECK(all(**open_bytes(w.fs, "a")).value().empty());
  CHECK(open_bytes(w.fs, "b").error().code == Code::NotFound);
}

}  // namespace
}  // namespace everlearn
