#include "io/venue_diagnosis.hpp"

#include <algorithm>

#include "io/test_web_peer.hpp"

namespace everlearn {
namespace {

using Wire = TestWebPeer::Wire;
using Asked = TestWebPeer::Asked;
using Step = DiagnosisStep::Result;

const Timestamp kNow = Timestamp::parse("2026-03-01T12:00:00Z").value();

constexpr const char* kList =
    R"({"markets":[{"conditionId":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","question":"Will it?",)"
    R"("outcomes":"[\"Yes\",\"No\"]","clobTokenIds":"[\"111\",\"222\"]","active":true,"closed":false,)"
    R"("acceptingOrders":true,"enableOrderBook":true}]})";

void decent_socket(Wire& wire) {
  while (const auto words = wire.read()) {
    if (*words == "PING")
      wire.text("PONG");
    else
      wire.text(R"([{"asset_id":"111","hash":"h","event_type":"book"}])");
  }
}

std::string decent_answer(const Asked& asked) {
  const std::string path = asked.target.substr(0, asked.target.find('?'));
  if (path == "/markets/keyset") return TestWebPeer::ok(kList);
  if (path == "/time") return TestWebPeer::ok("1772366400");
  if (path == "/book") return TestWebPeer::ok(R"({"asset_id":"111","bids":[],"asks":[]})");
  if (path == "/prices-history") return TestWebPeer::ok(R"({"history":[{"t":1,"p":0.5},{"t":2,"p":0.5}]})");
  return TestWebPeer::answer(404, R"({"error":"not found"})");
}

std::vector<DiagnosisStep> diagnosed(const TestWebPeer& peer) {
  VenueOptions options;
  options.gamma = options.clob = options.data = peer.origin("http");
  options.socket = peer.origin("ws");
  options.first_event = Duration{200'000};
  return diagnose_venue(options, kNow);
}

const DiagnosisStep& step(const std::vector<DiagnosisStep>& steps, const std::string& what) {
  const auto found = std::ranges::find(steps, what, &DiagnosisStep::what);
  REQUIRE(found != steps.end());
  return *found;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("venue diagnosis: everything in order, each step once") {
  const TestWebPeer peer{decent_socket, decent_answer};
  const auto steps = diagnosed(peer);
  std::vector<std::string> names;
  for (const DiagnosisStep& one : steps) {
    CAPTURE(one.text);
    CHECK(one.result == Step::Ok);
    names.push_back(one.what);
  }
  CHECK(names == std::vector<std::string>{"host", "network", "market list", "time", "book", "market socket", "history",
                                          "book history"});
  CHECK(has(step(steps, "history").text, "2 prices of the last 8 h"));
  CHECK(step(steps, "book history").text == "does not answer (HTTP 404); not used, holes are filled with prices");
}

TEST_CASE("venue diagnosis: a region that is not served is told in plain words") {
  for (const int status : {403, 451}) {
    const TestWebPeer peer{decent_socket, [&](const Asked&) { return TestWebPeer::answer(status, "<html>"); }};
    const auto steps = diagnosed(peer);
    CHECK(step(steps, "market list").result == Step::Fail);
    CHECK(has(step(steps, "market list").text, "does not serve this region or address"));
    CHECK(step(steps, "book").result == Step::Warn);  // nobody to ask for
  }
}

TEST_CASE("venue diagnosis: clocks that differ, a little and too much") {
  for (const auto& [theirs, result] :
       {std::pair{"1772366402", Step::Ok}, std::pair{"1772366410", Step::Warn}, std::pair{"1772366000", Step::Fail}}) {
    const TestWebPeer peer{decent_socket, [theirs = theirs](const Asked& asked) {
                             return asked.target == "/time" ? TestWebPeer::ok(theirs) : decent_answer(asked);
                           }};
    CHECK(step(diagnosed(peer), "time").result == result);
  }
}

TEST_CASE("venue diagnosis: a socket that opens and tells nothing, one that does not open") {
  {
    const TestWebPeer peer{[](Wire& wire) { wire.freeze(); }, decent_answer};
    const auto steps = diagnosed(peer);
    CHECK(step(steps, "market socket").result == Step::Fail);
    CHECK(step(steps, "market socket").text == "opens, but the first book does not come within 200ms");
    CHECK(step(steps, "history").result == Step::Ok);  // and goes on
  }
  const TestWebPeer peer{{}, decent_answer};
  CHECK(has(step(diagnosed(peer), "market socket").text, "HTTP 404 to the upgrade"));
}

TEST_CASE("venue diagnosis: nobody there") {
  std::string port;
  { port = TestWebPeer{{}}.port(); }
  VenueOptions options;
  options.gamma = options.clob = options.data = "http://127.0.0.1:" + port;
  options.socket = "ws://127.0.0.1:" + port;
  const auto steps = diagnose_venue(options, kNow);
  CHECK(step(steps, "network").result == Step::Fail);
  CHECK(steps.size() == 2);  // what builds on it is not asked
}

TEST_CASE("venue diagnosis: what watching takes of the limits, and where it does not fit") {
  VenueOptions options;
  for (const DiagnosisStep& one : diagnose_venue_limits(options)) CHECK(one.result == Step::Ok);
  options.limits.gamma_markets = 1'000;  // more than the venue allows
  const auto steps = diagnose_venue_limits(options);
  CHECK(std::ranges::count(steps, Step::Warn, &DiagnosisStep::result) == 1);
}

}  // namespace
}  // namespace everlearn
