#include "io/csv.hpp"

#include <rapidcheck.h>

#include "io/test_world.hpp"

namespace everlearn {
namespace {

/// Each record as "line: field|field", or "line: !reason".
std::vector<std::string> records(std::string_view text) {
  TestWorld w;
  w.write("t.csv", text);
  CsvReader reader{std::move(*open_bytes(w.fs, "t.csv"))};
  std::vector<std::string> all;
  CsvRecord record;
  while (reader.next(record).value()) {
    std::string shown = std::to_string(record.line) + ": ";
    if (record.refusal) {
      shown += "!" + record.refusal->text();
    } else {
      for (std::size_t i = 0; i < record.fields.size(); ++i)
        shown += (i > 0 ? "|" : "") + std::string{record.fields[i]};
    }
    all.push_back(shown);
  }
  return all;
}
using Lines = std::vector<std::string>;

TEST_CASE("csv: fields are split at commas, lines at LF or CRLF, the last line end may be missing") {
  CHECK(records("a,b\n1,\r\n,2") == Lines{"1: a|b", "2: 1|", "3: |2"});
}

TEST_CASE("csv: quoted fields hold commas, quotes and line breaks") {
  CHECK(records("\"a,b\",\"say \"\"hi\"\"\"\n\"two\nlines\",x\n\"\",end\n") ==
        Lines{"1: a,b|say \"hi\"", "2: two\nlines|x", "4: |end"});
}

TEST_CASE("csv: a byte order mark and blank lines are skipped, line numbers stay those of the file") {
  CHECK(records("\xef\xbb\xbf"
                "a\n\n\r\nb\n") == Lines{"1: a", "4: b"});
}

TEST_CASE("csv: a quote that is never closed spoils its line only") {
  CHECK(records("a\n\"oops,1\nb,2\nc\n") ==
        Lines{"1: a", "2: !broken quotes: a quote is never closed", "3: b|2", "4: c"});
  CHECK(records("\"a\"b,c\nd\n") == Lines{"1: !broken quotes: text after a closing quote", "2: d"});
}

TEST_CASE("csv: a quote inside an unquoted field is an ordinary character") {
  CHECK(records("5\" pipe,a\"\"b\nnext\n") == Lines{"1: 5\" pipe|a\"\"b", "2: next"});
}

TEST_CASE("csv: a line of more than a MiB is refused and skipped") {
  const std::string long_line(3 << 20, 'x');
  CHECK(records("a\n" + long_line + "\nb\n") == Lines{"1: a", "2: !line too long: more than 1048576 bytes", "3: b"});
  CHECK(records("a\n" + long_line) == Lines{"1: a", "2: !line too long: more than 1048576 bytes"});
}

TEST_CASE("csv: a quote that stays open for more than a MiB spoils its first line only") {
  std::string text = "\"open,1\n";
  for (int i = 0; i < 120'000; ++i) text += "good row,2\n";
  const auto all = records(text);
  REQUIRE(all.size() == 120'001);
  CHECK(all[0] == "1: !broken quotes: a quote stays open for 1048576 bytes");
  CHECK(all[1] == "2: good row|2");
  CHECK(all.back() == "120001: good row|2");
}

TEST_CASE("csv: NUL bytes and bytes that are not UTF-8 are refused") {
  using namespace std::string_view_literals;
  CHECK(records("a\0b\nc\n"sv) == Lines{"1: !not text: a NUL byte", "2: c"});
  CHECK(records("a\xff\nM\xc3\xbcnchen\n") == Lines{"1: !not UTF-8 text", "2: M\xc3\xbcnchen"});
}

TEST_CASE("csv: fields that were written are read back, whatever they hold") {
  CHECK(rc::check([](const std::vector<std::string>& raw) {
    std::string line;
    std::vector<std::string> fields;
    for (const std::string& text : raw) {
      std::string field;
      for (const char c : text)
        field.push_back(static_cast<char>(c & 0x7f) == '\0' ? '"' : static_cast<char>(c & 0x7f));
      if (!fields.empty()) line.push_back(',');
      append_csv_field(line, field);
      fields.push_back(field);
    }
    RC_PRE(!line.empty());
    const auto all = records(line + "\nend\n");
    RC_ASSERT(all.size() == 2u);
    std::string expected = "1: ";
    for (std::size_t i = 0; i < fields.size(); ++i) expected += (i > 0 ? "|" : "") + fields[i];
    RC_ASSERT(all[0] == expected);
  }));
}

TEST_CASE("csv: random bytes never do more than be refused") {
  CHECK(rc::check([](const std::string& bytes) { (void)records(bytes); }));
}

}  // namespace
}  // namespace everlearn
