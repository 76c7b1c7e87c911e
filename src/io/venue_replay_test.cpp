#include "io/venue_replay.hpp"

#include <algorithm>

#include "io/received_line.hpp"
#include "io/test_world.hpp"
#include "io/venue_interpreter.hpp"

namespace everlearn {
namespace {

using Lines = std::vector<std::string>;

/// One market that is followed, its book, a change, a doubt, quotes, a refused frame and the end.
std::vector<Received> run_of_one_market() {
  const std::string condition = "0x" + std::string(64, 'a');
  auto at = [second = std::int64_t{0}]() mutable { return Timestamp{(1'795'521'600 + second++) * 1'000'000}; };
  const std::string ms = "1795521600000";
  return {
      {at(), "gamma",
       R"({"markets":[{"conditionId":")" + condition +
           R"(","question":"Q \u2028","outcomes":["Yes","No"],"clobTokenIds":["11","12"],"bestBid":0.49,"bestAsk":0.51,)"
           R"("volume24hr":50000,"endDate":"2026-12-24T00:00:00Z","active":true,"acceptingOrders":true,)"
           R"("enableOrderBook":true}]})"},
      {at(), "gamma end", R"({"listing":1})"},
      {at(), "market",
       R"([{"event_type":"book","asset_id":"11","timestamp":")" + ms +
           R"(","bids":[{"price":"0.48","size":"10"}],"asks":[{"price":"0.49","size":"30"}]},{"event_type":"book",)"
           R"("asset_id":"12","timestamp":")" +
           ms + R"(","bids":[],"asks":[{"price":"0.52","size":"1"}]}])"},
      {at(), "market", "PONG"},
      {at(), "market",
       R"({"event_type":"price_change","price_changes":[{"asset_id":"11","price":"0.48","size":"11","side":"BUY"}],)"
       R"("timestamp":")" +
           ms + R"("})"},
      {at(), "control", R"({"doubt":["11"],"reason":"lost"})"},
      {at(), "quotes", R"({"11":{"BUY":"0.48","SELL":"0.50"}})"},
      {at(), "market", "no \xff frame"},
      {at(), "market info",
       R"({"condition_id":")" + condition + R"(","closed":true,"tokens":[{"token_id":"11","winner":true}]})"},
  };
}

std::string recording(const std::vector<Received>& run) {
  std::string lines;
  for (const Received& one : run) lines += recorded_line(one);
  return lines;
}

RecordingOptions inputs(std::vector<std::string> paths) {
  RecordingOptions options;
  options.inputs = std::move(paths);
  options.venue = VenueRules{};
  return options;
}

Lines told(TestWorld& w, const RecordingOptions& options) {
  auto source = open_recording(w.world, options, w.instruments);
  if (!source) return {source.error().message};
  return all_told(**source, w.instruments);
}

TEST_CASE("venue replay: the recording of a run gives the run's events") {
  TestWorld live;
  auto interpreter = VenueInterpreter::make({}, live.instruments);
  REQUIRE(interpreter);
  Lines events;
  for (const Received& one : run_of_one_market()) {
    std::vector<Event> out;
    (void)interpreter->read(one, out).has_value();
    for (const Event& event : out) events.push_back(told(event, live.instruments));
  }
  CHECK(events.size() == 9);

  TestWorld w;
  w.write("run.jsonl", recording(run_of_one_market()));
  CHECK(told(w, inputs({"run.jsonl"})) == events);
  TestWorld packed;
  packed.write("run.jsonl.gz", gzipped(recording(run_of_one_market())));
  CHECK(told(packed, inputs({"run.jsonl.gz"})) == events);
}

TEST_CASE("venue replay: several files are one recording; the second need not say so") {
  const auto run = run_of_one_market();
  TestWorld whole, w;
  whole.write("r.jsonl", recording(run));
  w.write("r/1.jsonl", recording({run.begin(), run.begin() + 3}));
  w.write("r/2.jsonl", recording({run.begin() + 3, run.begin() + 5}));
  w.write("r/3.jsonl", recording({run.begin() + 5, run.end()}));
  CHECK(told(w, inputs({"r"})) == told(whole, inputs({"r.jsonl"})));
}

TEST_CASE("venue replay: it goes on where it was") {
  TestWorld w;
  w.write("run.jsonl", recording(run_of_one_market()));
  const Lines all = told(w, inputs({"run.jsonl"}));
  for (std::size_t stop = 0; stop <= all.size(); ++stop) {
    auto first = open_recording(w.world, inputs({"run.jsonl"}), w.instruments);
    REQUIRE(first);
    for (std::size_t i = 0; i < stop; ++i) REQUIRE((*first)->next().value());
    auto second = open_recording(w.world, inputs({"run.jsonl"}), w.instruments);
    REQUIRE(second);
    REQUIRE((*second)->seek((*first)->position()));
    CHECK((*second)->position() == (*first)->position());
    CHECK(all_told(**second, w.instruments) == Lines(all.begin() + static_cast<std::ptrdiff_t>(stop), all.end()));
  }
  auto source = open_recording(w.world, inputs({"run.jsonl"}), w.instruments);
  REQUIRE(source);
  CHECK((*source)->seek("1000").error().message.find("1000") != std::string::npos);
  CHECK((*source)->seek("x").error().code == Code::Damaged);
}

TEST_CASE("venue replay: a part of it: what was before is known, though not told") {
  TestWorld w;
  w.write("run.jsonl", recording(run_of_one_market()));
  RecordingOptions options = inputs({"run.jsonl"});
  options.from = Timestamp{1'795'521'604'000'000};
  options.to = Timestamp{1'795'521'606'000'000};
  CHECK(told(w, options) == Lines{"12:00:00/12:00:04 11 delta b0.48", "12:00:05 11 doubt"});
}

TEST_CASE("venue replay: lines that cannot be used are kept with their reason; with strict the first ends it") {
  TestWorld w;
  auto run = run_of_one_market();
  w.write("run.jsonl", recording(run) + recording({run[0]}) + "{\"cut\n");
  RecordingOptions options = inputs({"run.jsonl"});
  options.quarantine_dir = "q";
  auto source = open_recording(w.world, options, w.instruments);
  REQUIRE(source);
  CHECK(all_told(**source, w.instruments).size() == 9);
  const SourceReport& report = (*source)->report();
  CHECK(report.inputs == Lines{"run.jsonl"});
  CHECK(report.rows == 8);
  CHECK(report.refused.at("unreadable message") >= 1);  // the frame, the cut line
  CHECK(report.refused.at("step back in time") == 1);
  CHECK(w.read("q/run.jsonl.csv").find("step back in time") != std::string::npos);
  options.strict = true;
  TestWorld strict;
  strict.write("run.jsonl", recording(run));
  CHECK(told(strict, options).back().find("run.jsonl:8: unreadable message") != std::string::npos);
}

TEST_CASE("venue replay: market frames alone are read as ever, and so is a run where nobody says how it is read") {
  TestWorld w, old;
  const auto run = run_of_one_market();
  const std::string frames = recording({run[2], run[4]});
  w.write("market.jsonl", frames);
  old.write("market.jsonl", frames);
  RecordingOptions plain = inputs({"market.jsonl"});
  plain.venue.reset();
  CHECK(told(w, inputs({"market.jsonl"})) == told(old, plain));
  CHECK(w.instruments.size() == 2);
  TestWorld whole;
  whole.write("run.jsonl", recording(run));
  plain.inputs = {"run.jsonl"};
  CHECK(told(whole, plain).size() == 3);  // two books and a change
}

TEST_CASE("venue replay: a run and a table are not one input") {
  TestWorld w;
  w.write("run.jsonl", recording(run_of_one_market()));
  w.write("p.csv", "timestamp,token,price\n2026-01-03T00:01:00Z,yes,0.5\n");
  const Lines error = told(w, inputs({"run.jsonl", "p.csv"}));
  REQUIRE(error.size() == 1);
  CHECK(error[0].find("p.csv is a table") != std::string::npos);
}

}  // namespace
}  // namespace everlearn
