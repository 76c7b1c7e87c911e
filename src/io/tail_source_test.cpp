#include "io/tail_source.hpp"

#include "io/test_world.hpp"

namespace everlearn {
namespace {

using Lines = std::vector<std::string>;
using Counts = std::map<std::string, std::int64_t>;

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }

struct Growing : TestWorld {
  RecordingOptions options;
  std::unique_ptr<Source> source;

  explicit Growing(std::string_view first = "timestamp,token,price\n") {
    options.inputs = {"p.csv"};
    options.quarantine_dir = "quarantine";
    clock.set(at("2026-01-03T00:10:00Z"));
    write("p.csv", first);
    open();
  }
  void open() {
    auto opened = open_tail(world, options, instruments);
    REQUIRE(opened);
    source = std::move(*opened);
  }
  Lines now() { return all_told(*source, instruments); }
};

TEST_CASE("tail: rows are known when they are read, whole lines only") {
  Growing g;
  CHECK(g.now().empty());
  g.append("p.csv", "2026-01-03T00:09:00Z,a,1\n2026-01-03T00:09:30Z,a,2\n2026-01-03T00:09");
  CHECK(g.now() == Lines{"00:09:00/00:10:00 a price 1", "00:09:30/00:10:00 a price 2"});
  CHECK(g.now().empty());
  g.append("p.csv", ":45Z,a,3\n");
  g.clock.set(at("2026-01-03T00:11:00Z"));
  CHECK(g.now() == Lines{"00:09:45/00:11:00 a price 3"});
  CHECK(g.source->report().rows == 3);
  CHECK(g.source->report().time_unit == "rfc3339");
}

TEST_CASE("tail: a file that does not exist yet is waited for") {
  Growing g;
  REQUIRE(g.fs.remove("p.csv"));
  CHECK(g.now().empty());
  g.write("p.csv", "timestamp,token,price\n2026-01-03T00:09:00Z,a,1\n");
  CHECK(g.now().size() == 1);
}

TEST_CASE("tail: what is read together comes in order of time, then of name") {
  Growing g;
  g.append("p.csv", "2026-01-03T00:09:00Z,b,1\n2026-01-03T00:09:30Z,b,2\n2026-01-03T00:09:00Z,a,3\n");
  CHECK(g.now() == Lines{"00:09:00/00:10:00 a price 3", "00:09:00/00:10:00 b price 1", "00:09:30/00:10:00 b price 2"});
}

TEST_CASE("tail: bad rows go to the quarantine as in a recording, and the source goes on") {
  Growing g;
  g.append("p.csv", "2026-01-03T00:09:00Z,a,1\nnonsense\n2026-01-03T00:08:00Z,a,1\n2026-01-03T00:09:00Z,a,1\n");
  CHECK(g.now().size() == 1);
  g.append("p.csv", "2026-01-03T00:09:01Z,a,-1\n2026-01-03T00:09:02Z,a,2\n");
  CHECK(g.now().size() == 1);
  CHECK(g.source->report().refused ==
        Counts{{"duplicate row", 1}, {"negative price", 1}, {"step back in time", 1}, {"wrong number of fields", 1}});
  const std::string quarantine = g.read("quarantine/p.csv.csv");
  CHECK(quarantine.find("p.csv,3,wrong number of fields: 1 instead of 3,nonsense\n") != std::string::npos);
  CHECK(quarantine.find("p.csv,6,negative price: price -1,") != std::string::npos);
}

TEST_CASE("tail: with strict the first bad row is an error that names file and line") {
  Growing g;
  g.options.strict = true;
  g.open();
  g.append("p.csv", "2026-01-03T00:09:00Z,a,1\nnonsense\n");
  CHECK(g.now() == Lines{"p.csv:3: wrong number of fields: 1 instead of 3"});
}

TEST_CASE("tail: a row ahead of the clock is refused, and still is when it is read again later") {
  Growing g;
  g.append("p.csv", "2026-01-03T00:30:00Z,a,9\n2026-01-03T00:10:30Z,a,1\n2026-01-03T00:10:40Z,a,2\n");
  REQUIRE(told(**g.source->next(), g.instruments) == "00:10:30 a price 1");
  CHECK(g.source->report().refused == Counts{{"time in the future", 1}});
  const std::string position = g.source->position();
  g.clock.set(at("2026-01-03T01:00:00Z"));
  g.open();
  REQUIRE(g.source->seek(position));
  CHECK(g.now() == Lines{"00:10:40/01:00:00 a price 2"});
}

TEST_CASE("tail: a restart at any event goes on with the next, whatever was appended meanwhile") {
  const std::string rows =
      "2026-01-03T00:01:00Z,b,1\n2026-01-03T00:02:00Z,b,2\nbad\n2026-01-03T00:01:00Z,a,3\n"
      "2026-01-03T00:02:00Z,a,4\n";
  const std::string more = "2026-01-03T00:03:00Z,a,5\n2026-01-03T00:02:00Z,a,6\n";
  for (std::size_t given = 0; given <= 4; ++given) {
    Growing g;
    g.append("p.csv", rows);
    Lines all;
    for (std::size_t i = 0; i < given; ++i) all.push_back(told(**g.source->next(), g.instruments));
    const std::string position = g.source->position();
    g.append("p.csv", more);
    g.open();
    REQUIRE(g.source->seek(position));
    CHECK(g.source->position() == position);
    for (const std::string& line : g.now()) all.push_back(line);
    CHECK(all == Lines{"00:01:00/00:10:00 a price 3", "00:01:00/00:10:00 b price 1", "00:02:00/00:10:00 a price 4",
                       "00:02:00/00:10:00 b price 2", "00:03:00/00:10:00 a price 5"});
    CHECK(g.source->report().rows == 5);
    CHECK(g.source->report().refused == Counts{{"step back in time", 1}, {"wrong number of fields", 1}});
    const std::string quarantine = g.read("quarantine/p.csv.csv");
    CHECK(quarantine.find("bad") == quarantine.rfind("bad"));  // once
  }
}

TEST_CASE("tail: a file that was cut, replaced or removed is an error, never read on") {
  Growing g;
  g.append("p.csv", "2026-01-03T00:09:00Z,a,1\n2026-01-03T00:09:01Z,a,2\n");
  CHECK(g.now().size() == 2);
  const std::string position = g.source->position();

  g.write("p.csv", "timestamp,token,price\n");
  CHECK(g.now() == Lines{"p.csv: has 22 bytes where 72 were read: it was cut or replaced"});
  g.write("p.csv",
          "timestamp,token,price\n2026-01-03T00:09:00Z,b,1\n2026-01-03T00:09:01Z,b,2\n2026-01-03T00:09:02Z,b,2\n");
  CHECK(g.now() == Lines{"p.csv: its first 72 bytes are not those that were read: it was replaced or rotated"});
  REQUIRE(g.fs.remove("p.csv"));
  CHECK(g.now() == Lines{"p.csv: is gone; 72 bytes of it were read"});
  g.open();
  CHECK(g.source->seek(position).error().code == Code::NotFound);
  CHECK(g.source->seek("1 2 three").error().code == Code::Damaged);
}

TEST_CASE("tail: bars wait until two of one symbol tell their length") {
  Growing g{"timestamp,symbol,open,high,low,close,volume\n2026-01-03T00:00:00Z,a,1,1,1,1,1\n"};
  CHECK(g.now().empty());
  g.append("p.csv", "2026-01-03T00:01:00Z,a,2,2,2,2,1\n");
  CHECK(g.now() == Lines{"00:01:00/00:10:00 a bar 00:00:00 1", "00:02:00/00:10:00 a bar 00:01:00 2"});
}

TEST_CASE("tail: the bars' length stays what it was, also over a restart") {
  Growing g{
      "timestamp,symbol,open,high,low,close,volume\n2026-01-03T00:00:00Z,a,1,1,1,1,1\n"
      "2026-01-03T00:05:00Z,a,2,2,2,2,1\n"};
  CHECK(g.now().back() == "00:10:00 a bar 00:05:00 2");
  const std::string position = g.source->position();
  g.append("p.csv", "2026-01-03T00:06:00Z,a,2,2,2,2,1\n");
  g.open();
  REQUIRE(g.source->seek(position));
  CHECK(g.now() == Lines{"00:11:00 a bar 00:06:00 2"});
}

TEST_CASE("tail: only a plain CSV of prices or bars can be read while it grows") {
  Growing packed{gzipped("timestamp,token,price\n")};
  CHECK(packed.now() == Lines{"p.csv: only a plain CSV can be read while it grows"});
  Growing none{"a,b\n1,2\n"};
  CHECK(none.now().front().starts_with("p.csv: missing column"));
}

TEST_CASE("tail: a line that never ends is skipped once it does") {
  Growing g;
  g.append("p.csv", "2026-01-03T00:09:00Z,a,1\n");
  CHECK(g.now().size() == 1);
  g.append("p.csv", std::string(2 << 20, 'x'));
  CHECK(g.now().empty());
  g.append("p.csv", std::string(2 << 20, 'x'));
  CHECK(g.now().empty());
  g.append("p.csv", "xx\n2026-01-03T00:09:30Z,a,2\n");
  CHECK(g.now() == Lines{"00:09:30/00:10:00 a price 2"});
  CHECK(g.source->report().refused == Counts{{"line too long", 1}});
}

}  // namespace
}  // namespace everlearn
