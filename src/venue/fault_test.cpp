#include "venue/fault.hpp"

#include <doctest/doctest.h>

namespace everlearn::venue {
namespace {

const Timestamp kBegin = *Timestamp::parse("2026-01-10T00:00:00Z");
const std::vector<std::string> kA{"a"}, kB{"b"}, kNone;

Fault fault(std::string_view json) {
  const auto read = read_fault(json, kBegin);
  REQUIRE_MESSAGE(read, read.error().message);
  return *read;
}

}  // namespace

TEST_CASE("fault: lasts from its time for its length") {
  FaultBoard board;
  board.add(fault(R"({"kind":"freeze","at":"+1h","for":"10m"})"));
  const FaultBoard::Target target{"market", kBegin, kA};
  CHECK_FALSE(board.acts(FaultKind::Freeze, kBegin + Duration::minutes(59), target));
  CHECK(board.acts(FaultKind::Freeze, kBegin + Duration::minutes(60), target));
  CHECK(board.acts(FaultKind::Freeze, kBegin + Duration::minutes(69), target));
  CHECK_FALSE(board.acts(FaultKind::Freeze, kBegin + Duration::minutes(70), target));
  CHECK_FALSE(board.acts(FaultKind::Drop, kBegin + Duration::minutes(60), target));
}

TEST_CASE("fault: without a length it stays until it is cleared") {
  FaultBoard board;
  const std::uint64_t id = board.add(fault(R"({"kind":"freeze"})"));
  CHECK(board.acts(FaultKind::Freeze, kBegin + Duration::days(900), {"market", kBegin, kA}));
  CHECK(board.clear(id));
  CHECK_FALSE(board.clear(id));
  CHECK_FALSE(board.acts(FaultKind::Freeze, kBegin, {"market", kBegin, kA}));
}

TEST_CASE("fault: names some assets, one channel, the sockets that were open") {
  FaultBoard board;
  board.add(fault(R"({"kind":"freeze","assets":["a"],"channel":"market","only_open":true})"));
  const Timestamp before = kBegin - Duration::seconds(1);
  CHECK(board.acts(FaultKind::Freeze, kBegin, {"market", before, kA}));
  CHECK_FALSE(board.acts(FaultKind::Freeze, kBegin, {"market", before, kB}));
  CHECK_FALSE(board.acts(FaultKind::Freeze, kBegin, {"market", before, kNone}));
  CHECK_FALSE(board.acts(FaultKind::Freeze, kBegin, {"user", before, kA}));
  CHECK_FALSE(board.acts(FaultKind::Freeze, kBegin, {"market", kBegin, kA}));
}

TEST_CASE("fault: every third acts, and that is counted") {
  FaultBoard board;
  board.add(fault(R"({"kind":"drop","every":3})"));
  int acted = 0;
  for (int i = 0; i < 9; ++i) acted += board.acts(FaultKind::Drop, kBegin, {"market", kBegin, kA}) != nullptr;
  CHECK(acted == 3);
  CHECK(board.all().front().hits == 3);
}

TEST_CASE("fault: routes are beginnings of paths") {
  FaultBoard board;
  board.add(fault(R"({"kind":"status","status":503,"retry_after":2,"routes":["/book","/markets"]})"));
  const Fault* storm = board.acts_on_route(FaultKind::Status, kBegin, "/books");
  REQUIRE(storm);
  CHECK(storm->status == 503);
  CHECK(storm->retry_after_s == 2);
  CHECK_FALSE(board.acts_on_route(FaultKind::Status, kBegin, "/prices-history"));
}

TEST_CASE("fault: what happens once comes due once, in order of time") {
  FaultBoard board;
  board.add(fault(R"({"kind":"resolve","at":"+2h","market":"x","payout":"0.5"})"));
  board.add(fault(R"({"kind":"disconnect","at":"+1h","code":1013})"));
  CHECK(board.next_due() == kBegin + Duration::hours(1));
  CHECK(board.due(kBegin).empty());
  const auto due = board.due(kBegin + Duration::hours(3));
  REQUIRE(due.size() == 2);
  CHECK(due[0].kind == FaultKind::Disconnect);
  CHECK(due[0].code == 1013);
  CHECK(due[1].act.act == Act::Resolve);
  CHECK(due[1].act.payout == Price::from_nanos(Price::kScale / 2));
  CHECK(due[1].act.at == kBegin + Duration::hours(2));
  CHECK(board.due(kBegin + Duration::hours(3)).empty());
  CHECK_FALSE(board.next_due());
}

TEST_CASE("fault: everything a market can be made to do") {
  const std::pair<const char*, Act> acts[] = {{"stop_orders", Act::StopOrders}, {"propose", Act::Propose},
                                              {"dispute", Act::Dispute},        {"resolve", Act::Resolve},
                                              {"reopen", Act::Reopen},          {"annul", Act::Annul}};
  for (const auto& [kind, act] : acts) {
    const Fault read = fault(std::string{R"({"market":"x","kind":")"} + kind + "\"}");
    CHECK(read.act.act == act);
    CHECK(read.text().find(kind) != std::string::npos);
  }
  CHECK(fault(R"({"kind":"tick_size","market":"x","tick":0.001})").act.tick == Price::from_nanos(Price::kScale / 1000));
}

TEST_CASE("fault: what is wrong with one is told by name") {
  const std::pair<const char*, const char*> wrong[] = {
      {"[]", "not a JSON object"},
      {R"({"kind":"melt"})", "there is no kind \"melt\""},
      {R"({"kind":"freeze","asset":["a"]})", "there is no member \"asset\""},
      {R"({"kind":"freeze","at":"soon"})", "\"at\" must be an RFC 3339 time"},
      {R"({"kind":"freeze","at":"+soon"})", "\"at\" must be a time, or as \"+2h\""},
      {R"({"kind":"freeze","for":10})", "\"for\" must be a duration"},
      {R"({"kind":"drop","every":0})", "\"every\" must be 1 or more"},
      {R"({"kind":"status","status":"503"})", "\"status\" must be a whole number"},
      {R"({"kind":"resolve"})", "\"market\" must be"},
      {R"({"kind":"tick_size","market":"x"})", "\"tick\" must be"},
      {R"({"kind":"oversized","bytes":0})", "\"bytes\" must be"},
      {R"({"kind":"history_hole","hole_from":"2026-01-02T00:00:00Z","hole_to":"2026-01-01T00:00:00Z"})", "\"hole_to\""},
  };
  for (const auto& [json, words] : wrong) {
    const auto read = read_fault(json, kBegin);
    REQUIRE_FALSE_MESSAGE(read, json);
    CHECK_MESSAGE(read.error().message.find(words) != std::string::npos, read.error().message);
  }
}

}  // namespace everlearn::venue
