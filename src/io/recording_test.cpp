#include "io/recording.hpp"

#include <map>

#include "io/test_world.hpp"

namespace everlearn {
namespace {

using Lines = std::vector<std::string>;

RecordingOptions inputs(std::vector<std::string> paths) {
  RecordingOptions options;
  options.inputs = std::move(paths);
  return options;
}

/// The events, or the error.
Lines told(TestWorld& w, const RecordingOptions& options) {
  auto source = open_recording(w.world, options, w.instruments);
  if (!source) return {source.error().message};
  return all_told(**source, w.instruments);
}

constexpr const char* kPrices =
    "timestamp,token,price\n"
    "2026-01-03T00:01:00Z,yes,0.5\n"
    "2026-01-03T00:02:00Z,yes,0.6\n"
    "2026-01-03T00:01:00Z,no,0.5\n"
    "2026-01-03T00:01:30Z,no,0.4\n";

TEST_CASE("recording: a file grouped by instrument comes out in order of time, then of name") {
  TestWorld w;
  w.write("p.csv", kPrices);
  CHECK(told(w, inputs({"p.csv"})) ==
        Lines{"00:01:00 no price 0.5", "00:01:00 yes price 0.5", "00:01:30 no price 0.4", "00:02:00 yes price 0.6"});
  CHECK(w.instruments[InstrumentId{0}].name == "no");
}

TEST_CASE("recording: what is known late comes late") {
  TestWorld w;
  w.write("p.csv", kPrices);
  RecordingOptions options = inputs({"p.csv"});
  options.delay = Duration::seconds(5);
  CHECK(told(w, options).front() == "00:01:00/00:01:05 no price 0.5");
}

TEST_CASE("recording: gzip, a byte order mark and CRLF change nothing") {
  TestWorld w;
  std::string windows = "\xef\xbb\xbf";
  for (const char c : std::string{kPrices}) windows += c == '\n' ? std::string{"\r\n"} : std::string{c};
  w.write("plain.csv", kPrices);
  w.write("packed", gzipped(windows));
  TestWorld other;
  other.write("packed", gzipped(windows));
  CHECK(told(w, inputs({"plain.csv"})) == told(other, inputs({"packed"})));
}

TEST_CASE("recording: other column names are told by the user, ours stay valid beside them") {
  TestWorld w;
  w.write("p.csv", "datetime,market_slug,price,outcome\n2026-01-03 00:01:00Z,yes,0.5,Yes\n");
  w.write("q.csv", "timestamp,token,price\n2026-01-03 00:02:00Z,index,7\n");
  RecordingOptions options = inputs({"p.csv", "q.csv"});
  options.columns = {{"token", "market_slug"}, {"timestamp", "datetime"}, {"outcome", ""}};
  CHECK(told(w, options) == Lines{"00:01:00 yes price 0.5", "00:02:00 index price 7"});
}

TEST_CASE("recording: quotes, market and end are taken over; of a market the first row counts") {
  TestWorld w;
  w.write("p.csv",
          "timestamp,token,price,bid,ask,market,end_time\n"
          "2026-01-03T00:01:00Z,yes,0.5,0.49,0.51,election,2026-11-03T00:00:00Z\n"
          "2026-01-03T00:02:00Z,yes,0.6,,,other,2027-11-03T00:00:00Z\n"
          "2026-01-03T00:01:00Z,no,0.5,,,,\n"
          "2026-01-03T00:02:00Z,no,0.5,,,late,2027-11-03T00:00:00Z\n");
  RecordingOptions options = inputs({"p.csv"});
  options.probability = true;
  auto source = open_recording(w.world, options, w.instruments);
  REQUIRE(source);
  const Event other = **(*source)->next();
  CHECK(w.instruments[other.instrument].name == "no");
  CHECK_FALSE(w.instruments[other.instrument].end_time.has_value());
  const Event first = **(*source)->next();
  const auto& point = std::get<PricePoint>(first.what);
  CHECK(point.bid->text() == "0.49");
  CHECK(point.ask->text() == "0.51");
  const Instrument& yes = w.instruments[first.instrument];
  CHECK(yes.market == "election");
  CHECK(yes.end_time->date() == "2026-11-03");
  CHECK(yes.probability);
  (void)(*source)->next();
  CHECK_FALSE(std::get<PricePoint>((**(*source)->next()).what).bid.has_value());
}

TEST_CASE("recording: an outcome follows its row as a resolution") {
  TestWorld w;
  w.write("p.csv",
          "timestamp,token,price,outcome\n"
          "2026-01-03T00:01:00Z,a,0.5,\n2026-01-03T00:02:00Z,a,0.9,1\n2026-01-03T00:02:00Z,b,0.1,0\n");
  CHECK(told(w, inputs({"p.csv"})) == Lines{"00:01:00 a price 0.5", "00:02:00 a price 0.9", "00:02:00 a resolution 1",
                                            "00:02:00 b price 0.1", "00:02:00 b resolution 0"});
}

constexpr const char* kBars =
    "datetime,open,high,low,close,volume\n"
    "2025-09-15 09:30:00,10,12,9,11,100\n"
    "2025-09-15 09:32:00,11,11,11,11,0\n"
    "2025-09-15 09:33:00,11,13,10,12.5,7.5\n";

RecordingOptions bars(std::string path) {
  RecordingOptions options = inputs({std::move(path)});
  options.columns = {{"timestamp", "datetime"}};
  options.time_zone = "America/New_York";
  options.symbol_from_file = true;
  return options;
}

TEST_CASE("recording: a bar is an event when it closes; its length is the smallest step") {
  TestWorld w;
  w.write("dir/QQQ_1min.csv", kBars);
  CHECK(told(w, bars("dir/QQQ_1min.csv")) ==
        Lines{"13:31:00 QQQ bar 13:30:00 11", "13:33:00 QQQ bar 13:32:00 11", "13:34:00 QQQ bar 13:33:00 12.5"});
}

TEST_CASE("recording: an end stamp is the close of the bar") {
  TestWorld w;
  w.write("QQQ.csv", kBars);
  RecordingOptions options = bars("QQQ.csv");
  options.bar_stamp_start = false;
  CHECK(told(w, options).front() == "13:30:00 QQQ bar 13:29:00 11");
}

TEST_CASE("recording: daily bars and prices with bare dates close with their session") {
  TestWorld w;
  const auto us = make_us_equities();
  REQUIRE(us);
  w.write("d.csv", "timestamp,symbol,open,high,low,close,volume\n2025-11-26,A,1,1,1,1,5\n2025-11-28,A,2,2,2,2,5\n");
  w.write("p.csv", "timestamp,token,price\n2025-11-28,B,7\n");
  RecordingOptions options = inputs({"d.csv", "p.csv"});
  options.calendar = us->get();
  CHECK(told(w, options) == Lines{"21:00:00 A bar 14:30:00 1", "18:00:00 A bar 14:30:00 2", "18:00:00 B price 7"});
}

TEST_CASE("recording: average price and number of trades are optional, a bar without volume has no average") {
  TestWorld w;
  w.write("b.csv",
          "timestamp,symbol,open,high,low,close,volume,vwap,trades\n"
          "2025-09-15T13:30:00Z,A,10,12,9,11,100,10.5,7\n2025-09-15T13:31:00Z,A,10,12,9,11,0,0,\n");
  auto source = open_recording(w.world, inputs({"b.csv"}), w.instruments);
  REQUIRE(source);
  const Bar first = std::get<Bar>((**(*source)->next()).what);
  CHECK(first.vwap == 10.5);
  CHECK(first.trades == 7);
  const Bar second = std::get<Bar>((**(*source)->next()).what);
  CHECK_FALSE(second.vwap.has_value());
  CHECK_FALSE(second.trades.has_value());
}

TEST_CASE("recording: a directory gives its recordings in order of path, other files are left alone") {
  TestWorld w;
  w.write("in/2/b.csv", "timestamp,token,price\n2026-01-03T00:02:00Z,b,2\n");
  w.write("in/1.csv.gz", gzipped("timestamp,token,price\n2026-01-03T00:01:00Z,a,1\n"));
  w.write("in/README.md", "not a recording");
  w.write("in/.hidden.csv", "not a recording");
  auto source = open_recording(w.world, inputs({"in"}), w.instruments);
  REQUIRE(source);
  CHECK((*source)->report().inputs == Lines{"1.csv.gz", "b.csv"});
  CHECK(all_told(**source, w.instruments) == Lines{"00:01:00 a price 1", "00:02:00 b price 2"});
  w.write("none/README.md", "");
  CHECK(told(w, inputs({"none"})) == Lines{"input \"none\": no .csv, .parquet or .jsonl file in this directory"});
  CHECK(told(w, inputs({"gone"})) == Lines{"input \"gone\": no such file or directory"});
}

TEST_CASE("recording: several files may continue an instrument, in any order of names") {
  TestWorld w;
  w.write("a_later.csv", "timestamp,token,price\n2026-01-03T00:03:00Z,x,3\n2026-01-03T00:04:00Z,x,4\n");
  w.write("b_earlier.csv", "timestamp,token,price\n2026-01-03T00:01:00Z,x,1\n2026-01-03T00:02:00Z,x,2\n");
  CHECK(told(w, inputs({"a_later.csv", "b_earlier.csv"})) ==
        Lines{"00:01:00 x price 1", "00:02:00 x price 2", "00:03:00 x price 3", "00:04:00 x price 4"});
}

TEST_CASE("recording: --from and --to cut by the time at which events are known, from included, to not") {
  TestWorld w;
  w.write("p.csv", kPrices);
  RecordingOptions options = inputs({"p.csv"});
  options.delay = Duration::seconds(30);
  options.from = Timestamp::parse("2026-01-03T00:01:30Z").value();
  options.to = Timestamp::parse("2026-01-03T00:02:00Z").value();
  CHECK(told(w, options) == Lines{"00:01:00/00:01:30 no price 0.5", "00:01:00/00:01:30 yes price 0.5"});
  options.to = options.from;
  CHECK(told(w, options) ==
        Lines{"the recording's part from 2026-01-03T00:01:30.000000Z to 2026-01-03T00:01:30.000000Z is empty"});
}

TEST_CASE("recording: a restart seeks to its position and goes on with the next event") {
  TestWorld w;
  w.write("p.csv", kPrices);
  auto source = open_recording(w.world, inputs({"p.csv"}), w.instruments);
  REQUIRE(source);
  CHECK((*source)->position() == "0");
  (void)(*source)->next();
  (void)(*source)->next();
  const std::string position = (*source)->position();
  CHECK((*source)->progress() == 0.5);
  const Lines rest = all_told(**source, w.instruments);

  Instruments restored = w.instruments;
  auto again = open_recording(w.world, inputs({"p.csv"}), restored);
  REQUIRE((*again)->seek(position));
  CHECK(all_told(**again, restored) == rest);
  CHECK((*again)->seek("5").error().code == Code::BadData);
  CHECK((*again)->seek("two").error().code == Code::Damaged);
}

TEST_CASE("recording: context instruments are named, or come from a file of their own") {
  TestWorld w;
  w.write("p.csv", kPrices);
  w.write("index.csv", "timestamp,token,price\n2026-01-03T00:01:00Z,index,7\n");
  RecordingOptions options = inputs({"p.csv"});
  options.context = {"no", "index.csv"};
  CHECK(told(w, options).size() == 5);
  std::map<std::string, bool> context;
  for (std::uint32_t i = 0; i < w.instruments.size(); ++i) {
    context[w.instruments[InstrumentId{i}].name] = w.instruments[InstrumentId{i}].context;
  }
  CHECK(context == std::map<std::string, bool>{{"index", true}, {"no", true}, {"yes", false}});
  options.context = {"maybe"};
  CHECK(told(w, options) == Lines{"context \"maybe\" is neither a file nor an instrument of the inputs"});
}

TEST_CASE("recording: the report names inputs, time unit and rows") {
  TestWorld w;
  w.write("ms.csv", "timestamp,token,price\n1727740800000,a,1\n");
  w.write("us.csv", "timestamp,token,price\n1735689600000000,a,1\n");
  auto source = open_recording(w.world, inputs({"ms.csv", "us.csv"}), w.instruments);
  REQUIRE(source);
  CHECK((*source)->report().time_unit == "ms,us");
  CHECK((*source)->report().rows == 2);
  CHECK((*source)->report().refused.empty());
}

std::string message(const char* received, std::string_view raw) {
  std::string escaped;
  for (const char c : raw) escaped += c == '"' ? std::string{"\\\""} : std::string{c};
  return std::string{"{\"received\":\""} + received + "\",\"venue\":\"polymarket\",\"channel\":\"market\",\"raw\":\"" +
         escaped + "\"}\n";
}

TEST_CASE("recording: messages of a venue are known when they were received") {
  TestWorld w;
  // 1767398460000 ms = 2026-01-03T00:01:00Z
  w.write("m.jsonl",
          message("2026-01-03T00:01:02Z",
                  R"([{"event_type":"book","market":"m","asset_id":"A","timestamp":"1767398460000","tick_size":"0.01",)"
                  R"("bids":[{"price":"0.4","size":"10"},{"price":"0.45","size":"1"}],)"
                  R"("asks":[{"price":"0.6","size":"5"}]}])") +
              message("2026-01-03T00:01:03Z", "PONG") +
              message("2026-01-03T00:01:04Z",
                      R"({"event_type":"last_trade_price","market":"m","asset_id":"A","timestamp":"1767398465000",)"
                      R"("price":"0.6","size":"2","side":"BUY"})") +
              message("2026-01-03T00:01:05Z",
                      R"({"event_type":"tick_size_change","market":"m","asset_id":"A","timestamp":"1767398465000",)"
                      R"("old_tick_size":"0.01","new_tick_size":"0.001"})") +
              message("2026-01-03T00:01:06Z",
                      R"({"event_type":"market_resolved","market":"m","assets_ids":["A","B"],"winning_asset_id":"A",)"
                      R"("timestamp":"1767398465000"})"));
  auto source = open_recording(w.world, inputs({"m.jsonl"}), w.instruments);
  REQUIRE(source);
  CHECK(told(**(*source)->next(), w.instruments) == "00:01:00/00:01:02 A book b0.45 b0.4 a0.6");
  const Instrument& a = w.instruments[InstrumentId{0}];
  CHECK(a.market == "m");
  CHECK(a.probability);
  CHECK(a.tick_size->text() == "0.01");
  // Stamped by the venue a second after we had it: our clock counts.
  CHECK(all_told(**source, w.instruments) == Lines{"00:01:04 A trade 0.6", "00:01:05/00:01:06 A resolution 1"});
  CHECK(a.tick_size->text() == "0.001");
  CHECK(w.instruments.size() == 1);  // B was never seen
  CHECK((*source)->report().rows == 5);
}

TEST_CASE("recording: two whole books of one moment are told apart by their hash") {
  TestWorld w;
  w.write("b.csv",
          "asset_id,event_type,price,side,size,hash,timestamp\n"
          "A,book,0.4,bid,5,h1,1767398460000\nA,book,0.3,bid,5,h2,1767398460000\n");
  CHECK(told(w, inputs({"b.csv"})) == Lines{"00:01:00 A book b0.4", "00:01:00 A book b0.3"});
}

TEST_CASE("recording: a frame that came twice is one frame") {
  TestWorld w;
  const char* trade =
      R"({"event_type":"last_trade_price","asset_id":"A","timestamp":"1767398460000","price":"0.6","size":"2"})";
  w.write("m.jsonl", message("2026-01-03T00:01:00Z", trade) + message("2026-01-03T00:01:01Z", trade));
  auto source = open_recording(w.world, inputs({"m.jsonl"}), w.instruments);
  REQUIRE(source);
  CHECK(all_told(**source, w.instruments) == Lines{"00:01:00 A trade 0.6"});
  CHECK((*source)->report().refused == std::map<std::string, std::int64_t>{{"duplicate row", 1}});
}

TEST_CASE("recording: book events in a table are whole books and changes of levels") {
  TestWorld w;
  w.write("b.csv",
          "market_slug,asset_id,event_type,price,side,size,hash,timestamp\n"
          "game,A,book,0.7,ask,5,h1,1767398460000\ngame,A,book,0.6,ask,5,h1,1767398460000\n"
          "game,A,book,0.4,bid,5,h1,1767398460000\ngame,A,price_change,0.5,BUY,3,h2,1767398461000\n"
          "game,A,book,0.5,ask,5,h3,1767398462000\ngame,A,book,0.5,bid,5,h3,1767398462000\n");
  auto source = open_recording(w.world, inputs({"b.csv"}), w.instruments);
  REQUIRE(source);
  CHECK(all_told(**source, w.instruments) == Lines{"00:01:00 A book b0.4 a0.6 a0.7", "00:01:01 A delta b0.5"});
  CHECK(w.instruments[InstrumentId{0}].market == "game");
  CHECK((*source)->report().rows == 4);
  CHECK((*source)->report().refused == std::map<std::string, std::int64_t>{{"crossed book", 2}});
}

}  // namespace
}  // namespace everlearn
