#include "core/hash.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace everlearn;

TEST_CASE("sha256: the examples of FIPS 180-2") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: pieces give the hash of the whole") {
  CHECK(rc::check([](const std::string& first, const std::string& second) {
    Sha256Stream stream;
    stream.add(first);
    stream.add(second);
    RC_ASSERT(stream.finish() == sha256(first + second));
  }));
}

TEST_CASE("hmac-sha256: the test cases 1, 2 and 6 of RFC 4231") {
  CHECK(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("crc32: zlib's check value, and continuation") {
  CHECK(crc32("123456789") == 0xcbf43926);
  CHECK(crc32("") == 0);
  CHECK(crc32("6789", crc32("12345")) == 0xcbf43926);
}
