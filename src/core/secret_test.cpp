#include "core/secret.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace everlearn {
namespace {

TEST_CASE("secret: it cannot be formatted, and is told apart from nothing") {
  static_assert(!fmt::is_formattable<Secret>::value);
  CHECK(Secret{}.empty());
  CHECK(Secret{"a"}.reveal() == "a");
  CHECK(Secret{"a"} != Secret{"b"});
}

TEST_CASE("secret: a text is shown without it, plain and as a URL writes it") {
  const Secret token{"123456:AA-b_c/d"};
  CHECK(without("GET /bot123456:AA-b_c/d/getMe failed; 123456:AA-b_c/d", token) == "GET /bot***/getMe failed; ***");
  CHECK(without("/bot123456%3AAA-b_c%2Fd/", token) == "/bot***/");
  CHECK(without("/bot123456%3aAA-b_c%2fd/", token) == "/bot***/");
  CHECK(without("nothing of it: 123456", token) == "nothing of it: 123456");
  CHECK(without("as it was", Secret{}) == "as it was");
}

}  // namespace
}  // namespace everlearn
