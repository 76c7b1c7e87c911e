#include "alert/telegram_text.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace everlearn {
namespace {

const std::string kMoney = "\xF0\x9F\x92\xB0";  // U+1F4B0: two code units, four bytes

TEST_CASE("telegram text: length is counted in UTF-16 code units") {
  CHECK(utf16_units("") == 0);
  CHECK(utf16_units("abc") == 3);
  CHECK(utf16_units("é€") == 2);
  CHECK(utf16_units(kMoney) == 2);
  CHECK(utf16_units("\xFF\xC3") == 2);
}

TEST_CASE("telegram text: bytes that are no UTF-8 are replaced, control characters go") {
  CHECK(clean_utf8("a\x01\tb\r\n" + kMoney) == "a\tb\n" + kMoney);
  CHECK(clean_utf8("\xC3") == "\xEF\xBF\xBD");
  CHECK(clean_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // half a surrogate pair
  CHECK(clean_utf8("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // an overlong slash
  CHECK(clean_utf8("\xF4\x90\x80\x80").size() == 12);                           // beyond U+10FFFF
}

TEST_CASE("telegram text: the three characters of HTML are escaped, and only the first line is bold") {
  CHECK(telegram_html("a < b & c > d", false) == "a &lt; b &amp; c &gt; d");
  CHECK(telegram_html("one\ntwo\nthree", true) == "<b>one</b>\ntwo\nthree");
  CHECK(telegram_html("<script>alert(1)</script>", true) == "<b>&lt;script&gt;alert(1)&lt;/script&gt;</b>");
  CHECK(telegram_html("", true) == "<b></b>");
  CHECK(telegram_html("_*[`\\", false) == "_*[`\\");
}

TEST_CASE("telegram text: a short text is one part, the limit itself too") {
  CHECK(split_text("") == std::vector<std::string>{""});
  CHECK(split_text("abc\n", 4) == std::vector<std::string>{"abc\n"});
  CHECK(split_text(std::string(4096, 'x')).size() == 1);
  CHECK(split_text(std::string(4097, 'x')).size() == 2);
}

TEST_CASE("telegram text: a long text is cut at line ends, a long line between characters") {
  CHECK(split_text("aaa\nbbb\nccc", 7) == std::vector<std::string>{"aaa\nbbb", "ccc"});
  CHECK(split_text("aaa\nbbb\nccc", 6) == std::vector<std::string>{"aaa", "bbb", "ccc"});
  CHECK(split_text("abcdefgh\nij", 4) == std::vector<std::string>{"abcd", "efgh", "ij"});
  CHECK(split_text("a" + kMoney + kMoney, 3) == std::vector<std::string>{"a" + kMoney, kMoney});
  CHECK(split_text("ab" + kMoney, 3) == std::vector<std::string>{"ab", kMoney});
}

TEST_CASE("telegram text: parts fit, and together they are the text") {
  rc::check([] {
    const auto words = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("a", "\n", "é", kMoney, "long word"));
    std::string text;
    for (const std::string& word : words) text += word;
    const std::size_t units = *rc::gen::inRange<std::size_t>(2, 12);
    std::string joined;
    for (const std::string& part : split_text(text, units)) {
      RC_ASSERT(utf16_units(part) <= units);
      RC_ASSERT(clean_utf8(part) == part);
      joined += part;
    }
    const auto without_ends = [](std::string t) {
      t.erase(std::remove(t.begin(), t.end(), '\n'), t.end());
      return t;
    };
    RC_ASSERT(without_ends(joined) == without_ends(text));
  });
}

}  // namespace
}  // namespace everlearn
