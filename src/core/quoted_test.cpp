#include "core/quoted.hpp"

#include <doctest/doctest.h>

using namespace everlearn;

TEST_CASE("quoted: plain text stands in double quotes") { CHECK(quoted("0.5") == "\"0.5\""); }

TEST_CASE("quoted: quotes, control characters and foreign bytes are escaped") {
  CHECK(quoted("a\"b\\c\n\t\r") == R"("a\"b\\c\n\t\r")");
  CHECK(quoted(std::string_view{"\0\x1b\xff", 3}) == R"("\x00\x1b\xff")");
}

TEST_CASE("quoted: long text is cut and its length told") {
  CHECK(quoted(std::string(60, 'x')) == "\"" + std::string(60, 'x') + "\"");
  CHECK(quoted("abcdef", 3) == "\"abc\"... (6 bytes)");
}
