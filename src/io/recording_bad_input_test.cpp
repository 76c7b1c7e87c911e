// What a user's file may break, one case each: with --strict an error that names file, line and reason; otherwise the
// row goes to the quarantine, is counted, and the good rows are used.
#include <map>

#include <rapidcheck.h>

#include "io/recording.hpp"
#include "io/test_world.hpp"

namespace everlearn {
namespace {

using Counts = std::map<std::string, std::int64_t>;

struct Outcome {
  std::int64_t rows = 0;
  Counts refused;
  std::string quarantined;  // without the header
  std::string strict;       // the error with --strict
  std::string error;        // the error without
};

Outcome outcome_of(std::string_view bytes, RecordingOptions options = {}, const std::string& name = "t.csv") {
  TestWorld w;
  w.write(name, bytes);
  options.inputs = {name};
  options.quarantine_dir = "quarantine";
  Outcome outcome;
  if (auto source = open_recording(w.world, options, w.instruments)) {
    outcome.rows = (*source)->report().rows;
    outcome.refused = (*source)->report().refused;
  } else {
    outcome.error = source.error().message;
  }
  if (w.fs.exists("quarantine/" + name + ".csv")) {
    outcome.quarantined =
        w.read("quarantine/" + name + ".csv").substr(std::string_view{"file,line,reason,raw\n"}.size());
  }
  options.strict = true;
  if (auto source = open_recording(w.world, options, w.instruments); !source) outcome.strict = source.error().message;
  return outcome;
}

constexpr const char* kGood = "2026-01-03T00:00:00Z,a,0.5\n";

/// A good row, then the bad one.
Outcome price_row(const std::string& row, RecordingOptions options = {}) {
  return outcome_of(std::string{"timestamp,token,price\n"} + kGood + row + "\n", std::move(options));
}
Outcome quote_row(const std::string& row) {
  return outcome_of("timestamp,token,price,bid,ask\n2026-01-03T00:00:00Z,a,0.5,,\n" + row + "\n");
}
Outcome bar_row(const std::string& row) {
  return outcome_of(
      "timestamp,symbol,open,high,low,close,volume\n2026-01-03T00:00:00Z,a,1,1,1,1,1\n"
      "2026-01-03T00:01:00Z,a,1,1,1,1,1\n" +
      row + "\n");
}

void check_refused(const Outcome& outcome, const std::string& reason, const std::string& detail, int line = 3) {
  CHECK(outcome.error == "");
  CHECK(outcome.refused == Counts{{reason, 1}});
  CHECK(outcome.rows == line - 2);
  const std::string text = detail.empty() ? reason : reason + ": " + detail;
  CHECK(outcome.strict == "t.csv:" + std::to_string(line) + ": " + text);
  CHECK(outcome.quarantined.starts_with("t.csv," + std::to_string(line) + ","));
}

TEST_CASE("bad input: the quarantine names file, line and reason and keeps the row as it was") {
  CHECK(price_row("2026-01-03T00:01:00Z,\"a\",-1").quarantined ==
        "t.csv,3,negative price: price -1,\"2026-01-03T00:01:00Z,\"\"a\"\",-1\"\n");
}

TEST_CASE("bad input: prices") {
  check_refused(price_row("2026-01-03T00:01:00Z,a,-0.5"), "negative price", "price -0.5");
  check_refused(price_row("2026-01-03T00:01:00Z,a,0"), "zero price", "price 0");
  check_refused(price_row("2026-01-03T00:01:00Z,a,NaN"), "NaN price", "price");
  check_refused(price_row("2026-01-03T00:01:00Z,a,"), "missing price", "price");
  check_refused(price_row("2026-01-03T00:01:00Z,a,abc"), "unreadable price", "price \"abc\"");
  check_refused(price_row("2026-01-03T00:01:00Z,a,1e300"), "price out of range", "price \"1e300\"");
  check_refused(price_row("2026-01-03T00:01:00Z,,0.5"), "missing instrument", "token");
}

TEST_CASE("bad input: a probability above 1, which is a good price elsewhere") {
  RecordingOptions options;
  options.probability = true;
  check_refused(price_row("2026-01-03T00:01:00Z,a,1.01", options), "price above 1", "price 1.01");
  CHECK(price_row("2026-01-03T00:01:00Z,a,1.01").rows == 2);
  CHECK(price_row("2026-01-03T00:01:00Z,a,1", options).rows == 2);
}

TEST_CASE("bad input: a crossed book") {
  check_refused(quote_row("2026-01-03T00:01:00Z,a,0.5,0.6,0.4"), "crossed book", "bid 0.6 is above ask 0.4");
}

TEST_CASE("bad input: high or low that contradicts open and close, volumes that cannot be") {
  check_refused(bar_row("2026-01-03T00:02:00Z,a,10,9.5,9,9.2,1"), "high below open or close",
                "high 9.5, open 10, close 9.2", 4);
  check_refused(bar_row("2026-01-03T00:02:00Z,a,10,11,9.5,9.2,1"), "low above open or close",
                "low 9.5, open 10, close 9.2", 4);
  check_refused(bar_row("2026-01-03T00:02:00Z,a,1,1,1,1,-5"), "number out of range", "volume -5 not in 0..1e15", 4);
  check_refused(bar_row("2026-01-03T00:02:00Z,a,1,1,1,1,nan"), "number out of range", "volume nan not in 0..1e15", 4);
  check_refused(bar_row("2026-01-03T00:02:00Z,a,1,1,1,1,1e400"), "unreadable number", "volume \"1e400\"", 4);
  check_refused(bar_row("2026-01-03T00:02:00Z,a,1,1,-1,1,1"), "negative price", "low -1", 4);
}

TEST_CASE("bad input: times that cannot be read, have no zone or another unit") {
  check_refused(price_row("yesterday,a,0.5"), "unreadable time", "\"yesterday\"");
  check_refused(price_row("2026-01-03 00:01:00,a,0.5"), "time without a zone",
                "\"2026-01-03 00:01:00\": give a time zone");
  check_refused(price_row("1767398460,a,0.5"), "mixed time formats",
                "\"1767398460\" is an epoch, unlike the rows before");
  std::string rows = "timestamp,token,price\n";
  for (int i = 0; i < 100; ++i) rows += std::to_string(1767398460 + i) + ",a,0.5\n";
  check_refused(outcome_of(rows + "1767398600000,a,0.5\n"), "mixed time units",
                "\"1767398600000\" looks like ms, the file is in s", 102);
}

TEST_CASE("bad input: mixed units among the first rows cannot be told apart at all") {
  const Outcome mixed = outcome_of("timestamp,token,price\n1767398460,a,0.5\n1767398461000,a,0.5\n");
  CHECK(mixed.error.starts_with("t.csv: time unit cannot be told: of the first 2 times"));
  CHECK(mixed.strict == mixed.error);
}

TEST_CASE("bad input: a step back, a repetition, a second value for one time") {
  check_refused(price_row("2026-01-02T00:00:00Z,a,0.5"), "step back in time",
                "2026-01-02T00:00:00.000000Z after 2026-01-03T00:00:00.000000Z in line 2");
  check_refused(price_row("2026-01-03T00:00:00Z,a,0.50"), "duplicate row",
                "2026-01-03T00:00:00.000000Z stands in line 2 already");
  check_refused(price_row("2026-01-03T00:00:00Z,a,0.6"), "second value for the same time",
                "2026-01-03T00:00:00.000000Z stands in line 2 already");
}

TEST_CASE("bad input: a block of an instrument that stands twice is a repetition row by row") {
  std::string rows = "timestamp,token,price\n";
  const std::string block = "2026-01-03T00:00:00Z,a,1\n2026-01-03T00:01:00Z,a,2\n2026-01-03T00:02:00Z,a,3\n";
  const Outcome twice = outcome_of(rows + block + block + "2026-01-03T00:03:00Z,a,4\n");
  CHECK(twice.rows == 4);
  CHECK(twice.refused == Counts{{"duplicate row", 3}});
}

TEST_CASE("bad input: a price after the outcome, and an outcome that is none") {
  const std::string head = "timestamp,token,price,outcome\n2026-01-03T00:00:00Z,a,0.5,1\n";
  const Outcome after = outcome_of(head + "2026-01-03T00:01:00Z,a,0.5,\n");
  CHECK(after.refused == Counts{{"price after the outcome", 1}});
  const Outcome text = outcome_of(head + "2026-01-03T00:01:00Z,b,0.5,Yes\n");
  CHECK(text.strict ==
        "t.csv:3: unreadable outcome: \"Yes\" is neither 0 nor 1 nor empty; --columns outcome= leaves it out");
}

TEST_CASE("bad input: wrong number of fields, broken quotes, text that is none, a gigantic line") {
  check_refused(price_row("2026-01-03T00:01:00Z,a"), "wrong number of fields", "2 instead of 3");
  check_refused(price_row("2026-01-03T00:01:00Z,\"a,0.5"), "broken quotes", "a quote is never closed");
  check_refused(price_row("2026-01-03T00:01:00Z,\xff,0.5"), "not UTF-8 text", "");
  check_refused(price_row(std::string(2 << 20, '7')), "line too long", "more than 1048576 bytes");
}

TEST_CASE("bad input: a missing column is named with what the file has, strict or not") {
  const Outcome missing = outcome_of("timestamp,slug,price\n2026-01-03T00:00:00Z,a,0.5\n");
  CHECK(
      missing.error ==
      "t.csv: missing column token of prices (timestamp,token,price); the file has \"timestamp,slug,price\"; --columns "
      "token=NAME tells under which name it stands");
  CHECK(missing.strict == missing.error);
  const Outcome no_header = outcome_of("1767398460,a,0.5\n");
  CHECK(no_header.error ==
        "t.csv: no header line: the first line is data, \"1767398460,a,0.5\"; write the names of the columns above it, "
        "for "
        "example timestamp,token,price");
  RecordingOptions options;
  options.columns = {{"tokn", "slug"}};
  CHECK(
      outcome_of("timestamp,slug,price\n", options).error.starts_with("t.csv: column \"tokn\" is none of timestamp, "));
}

TEST_CASE("bad input: an empty file, and one with nothing but a header") {
  const Outcome empty = outcome_of("");
  CHECK(empty.strict == "t.csv:1: empty file: no rows");
  CHECK(empty.error == "no row of t.csv can be used");
  CHECK(outcome_of("timestamp,token,price\n").strict == "t.csv:1: empty file: no rows");
}

TEST_CASE("bad input: beside a good file an empty one is only counted") {
  TestWorld w;
  w.write("in/a.csv", "");
  w.write("in/b.csv", std::string{"timestamp,token,price\n"} + kGood);
  RecordingOptions options;
  options.inputs = {"in"};
  auto source = open_recording(w.world, options, w.instruments);
  REQUIRE(source);
  CHECK((*source)->report().rows == 1);
  CHECK((*source)->report().refused == Counts{{"empty file", 1}});
}

TEST_CASE("bad input: binary junk is not taken for a table") {
  std::string junk;
  for (int i = 0; i < 5'000; ++i) junk.push_back(static_cast<char>(i * 37 % 251));
  CHECK(outcome_of(junk).error.ends_with("is this a CSV file?"));
  CHECK(outcome_of("PAR1 but nothing else").error.starts_with("t.csv: not a good Parquet file: "));
}

TEST_CASE("bad input: a hundred bad rows and no good one say that this is something else") {
  std::string rows = "timestamp,token,price\n";
  for (int i = 0; i < 500; ++i) rows += "a,b,c\n";
  CHECK(outcome_of(rows).error ==
        "t.csv: none of its first 100 rows can be used (line 2: unreadable time: \"a\"): is this a file of prices?");
  CHECK(outcome_of("timestamp,token,price\na,b,c\n").error ==
        "t.csv: none of its first 1 rows can be used (line 2: unreadable time: \"a\"): is this a file of prices?");
}

TEST_CASE("bad input: a file with the newest row first is told apart from one with bad rows") {
  std::string rows = "timestamp,token,price\n";
  for (int i = 0; i < 200; ++i) rows += std::to_string(1767398460 - i) + ",a,0.5\n";
  CHECK(outcome_of(rows).error.starts_with("t.csv: the rows go backwards in time (line 3: step back in time: "));
}

TEST_CASE("bad input: files of one instrument that overlap") {
  TestWorld w;
  w.write("a.csv", "timestamp,token,price\n2026-01-03T00:00:00Z,x,1\n2026-01-03T00:04:00Z,x,2\n");
  w.write("b.csv",
          "timestamp,token,price\n2026-01-03T00:02:00Z,x,3\n2026-01-03T00:04:00Z,x,2\n2026-01-03T00:05:00Z,x,5\n");
  RecordingOptions options;
  options.inputs = {"a.csv", "b.csv"};
  options.quarantine_dir = "quarantine";
  auto source = open_recording(w.world, options, w.instruments);
  REQUIRE(source);
  CHECK((*source)->report().rows == 3);
  CHECK((*source)->report().refused == Counts{{"duplicate row", 1}, {"overlap with another file", 1}});
  CHECK(w.read("quarantine/b.csv.csv") ==
        "file,line,reason,raw\n"
        "b.csv,2,overlap with another file: a.csv holds rows until 2026-01-03T00:04:00.000000Z,"
        "\"2026-01-03T00:02:00Z,x,3\"\n"
        "b.csv,3,duplicate row: 2026-01-03T00:04:00.000000Z stands in a.csv:3 already,\"2026-01-03T00:04:00Z,x,2\"\n");
  CHECK(all_told(**source, w.instruments) ==
        std::vector<std::string>{"00:00:00 x price 1", "00:04:00 x price 2", "00:05:00 x price 5"});
  options.strict = true;
  CHECK(open_recording(w.world, options, w.instruments)
            .error()
            .message.starts_with("b.csv:2: overlap with another file"));
}

TEST_CASE("bad input: a file that goes on after the outcome in another one") {
  TestWorld w;
  w.write("a.csv", "timestamp,token,price,outcome\n2026-01-03T00:00:00Z,x,1,1\n");
  w.write("b.csv", "timestamp,token,price\n2026-01-03T00:01:00Z,x,1\n2026-01-03T00:01:00Z,y,1\n");
  RecordingOptions options;
  options.inputs = {"a.csv", "b.csv"};
  auto source = open_recording(w.world, options, w.instruments);
  REQUIRE(source);
  CHECK((*source)->report().refused == Counts{{"price after the outcome", 1}});
  CHECK((*source)->report().rows == 2);
}

TEST_CASE("bad input: bars whose length cannot be told") {
  const std::string header = "timestamp,symbol,open,high,low,close,volume\n2026-01-03T00:00:00Z,a,1,1,1,1,1\n";
  CHECK(outcome_of(header).error == "t.csv: bar length cannot be told from single bars; give the bar length");
  RecordingOptions options;
  options.bar_length = Duration::minutes(1);
  CHECK(outcome_of(header, options).rows == 1);
}

TEST_CASE("bad input: a daily bar on a day without a session") {
  const auto us = make_us_equities();
  REQUIRE(us);
  RecordingOptions options;
  options.calendar = us->get();
  const Outcome holiday = outcome_of(
      "timestamp,symbol,open,high,low,close,volume\n2025-12-23T05:00:00Z,a,1,1,1,1,1\n2025-12-24T05:00:00Z,a,1,1,1,1,"
      "1\n"
      "2025-12-25T05:00:00Z,a,1,1,1,1,1\n",
      options);
  CHECK(holiday.refused == Counts{{"no session on that date", 1}});
  CHECK(holiday.rows == 2);
  CHECK(holiday.quarantined ==
        "t.csv,4,no session on that date: 2025-12-25 on calendar us_equities,\"2025-12-25T05:00:00Z,a,1,1,1,1,1\"\n");
}

TEST_CASE("bad input: gzip that ends early keeps what was good and says so") {
  std::string rows = "timestamp,token,price\n";
  for (int i = 0; i < 5'000; ++i)
    rows += std::to_string(1767398460 + i * 7919) + ",a,0." + std::to_string(i + 1) + "\n";
  const std::string packed = gzipped(rows);
  const Outcome cut = outcome_of(packed.substr(0, packed.size() / 2));
  CHECK(cut.error == "");
  CHECK(cut.rows > 1'000);
  CHECK(cut.refused.at("file cut short") == 1);
}

TEST_CASE("bad input: venue messages") {
  const auto line = [](const char* received, const char* venue, const char* raw) {
    return std::string{"{\"received\":\""} + received + "\",\"venue\":\"" + venue +
           "\",\"channel\":\"market\",\"raw\":" + raw + "}\n";
  };
  const char* good =
      R"({"event_type":"last_trade_price","asset_id":"A","timestamp":"1767398460000","price":"0.6","size":"2"})";
  const std::string first = line("2026-01-03T00:01:00Z", "polymarket", good);
  const auto second = [&](const std::string& text) { return outcome_of(first + text + "\n", {}, "m.jsonl").strict; };
  CHECK(second("{\"received\":").starts_with("m.jsonl:2: unreadable JSON: "));
  CHECK(second("{\"venue\":\"polymarket\"}") ==
        "m.jsonl:2: incomplete message: needs received, venue, channel and raw");
  CHECK(second(line("2026-01-03T00:02:00Z", "kalshi", good)) ==
        "m.jsonl:2: unknown venue: venue \"kalshi\" is not known (known: polymarket)");
  CHECK(
      second(line("2026-01-03T00:00:00Z", "polymarket", good)).starts_with("m.jsonl:2: step back in time: received "));
  CHECK(second(line("2026-01-03T00:01:00", "polymarket", good)).starts_with("m.jsonl:2: time without a zone"));
  CHECK(second(line("2026-01-03T00:02:00Z", "polymarket",
                    R"({"event_type":"book","asset_id":"A","timestamp":"1767398460000",)"
                    R"("bids":[{"price":"0.6","size":"1"}],"asks":[{"price":"0.6","size":"1"}]})")) ==
        "m.jsonl:2: crossed book: bid 0.6 is not below ask 0.6");
  CHECK(
      second(line(
          "2026-01-03T00:02:00Z", "polymarket",
          R"({"event_type":"last_trade_price","asset_id":"A","timestamp":"1767398640000","price":"1","size":"2"})")) ==
      "m.jsonl:2: event after its reception: 2026-01-03T00:04:00.000000Z received 2026-01-03T00:02:00.000000Z");
  CHECK(second(line("2026-01-03T00:02:00Z", "polymarket",
                    R"({"event_type":"last_trade_price","asset_id":"A","timestamp":"1767398460000",)"
                    R"("price":"1.5","size":"2"})")) == "m.jsonl:2: price above 1: price 1.5");
  const Outcome other = outcome_of(line("2026-01-03T00:01:00Z", "kalshi", "{}"), {}, "m.jsonl");
  CHECK(other.error ==
        "m.jsonl: none of its first 1 rows can be used (line 1: unknown venue: venue \"kalshi\" is not known (known: "
        "polymarket)): is this a file of venue messages?");
}

TEST_CASE("bad input: reading an input again replaces its quarantine, it does not grow") {
  TestWorld w;
  w.write("t.csv", std::string{"timestamp,token,price\n"} + kGood + "x,a,1\n");
  RecordingOptions options;
  options.inputs = {"t.csv"};
  options.quarantine_dir = "q/rows";
  REQUIRE(open_recording(w.world, options, w.instruments));
  const std::string once = w.read("q/rows/t.csv.csv");
  w.write("q/rows/t.csv.csv.tmp", "left behind by a crash");
  REQUIRE(open_recording(w.world, options, w.instruments));
  CHECK(w.read("q/rows/t.csv.csv") == once);
}

TEST_CASE("bad input: inputs of one name keep quarantines of their own") {
  TestWorld w;
  w.write("a/t.csv", std::string{"timestamp,token,price\n"} + kGood + "x,a,1\n");
  w.write("b/t.csv", "timestamp,token,price\n2026-01-04T00:00:00Z,a,0.5\ny,a,1\n");
  RecordingOptions options;
  options.inputs = {"a", "b"};
  options.quarantine_dir = "q";
  REQUIRE(open_recording(w.world, options, w.instruments));
  CHECK(w.read("q/t.csv.csv").find("a/t.csv,3") != std::string::npos);
  CHECK(w.read("q/t.csv~2.csv").find("b/t.csv,3") != std::string::npos);
}

TEST_CASE("bad input: a disk that cannot take the quarantine stops the import") {
  TestWorld w;
  w.write("t.csv", std::string{"timestamp,token,price\n"} + kGood + "x,a,1\n");
  FaultRule full;
  full.fault = FsFault::NoSpace;
  full.path_contains = "quarantine/";
  w.fs.add_fault(full);
  RecordingOptions options;
  options.inputs = {"t.csv"};
  options.quarantine_dir = "quarantine";
  CHECK(open_recording(w.world, options, w.instruments).error().code == Code::Storage);
}

TEST_CASE("bad input: whatever is done to a good file, it is read or refused, and rows stay in order") {
  std::string good = "timestamp,symbol,open,high,low,close,volume,vwap\n";
  for (int i = 0; i < 30; ++i) {
    good += "2026-01-03T00:" + std::to_string(10 + i) + ":00Z,a,10,12,9,11," + std::to_string(i) + ",10.5\n";
  }
  CHECK(rc::check([&](std::vector<std::pair<std::size_t, char>> changes) {
    std::string bytes = good;
    for (const auto& [at, c] : changes) bytes[at % bytes.size()] = c;
    TestWorld w;
    w.write("t.csv", bytes);
    RecordingOptions options;
    options.inputs = {"t.csv"};
    options.symbol_from_file = true;
    auto source = open_recording(w.world, options, w.instruments);
    if (!source) return;
    Timestamp last = Timestamp::min();
    std::int64_t events = 0;
    for (;;) {
      const auto event = (*source)->next();
      RC_ASSERT(event.has_value());
      if (!*event) break;
      RC_ASSERT((*event)->known_at >= last);
      last = (*event)->known_at;
      ++events;
    }
    RC_ASSERT(events == (*source)->report().rows);
  }));
}

}  // namespace
}  // namespace everlearn
