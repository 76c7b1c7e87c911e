#include "venue/desk.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/json.hpp"
#include "core/system_fs.hpp"
#include "venue/test_vectors.hpp"

namespace everlearn::venue {
namespace {

const Timestamp kBegin = *Timestamp::parse("2026-01-20T12:00:00Z");

// A desk over recorded markets, on clocks that stand until they are moved.
class Bench {
 public:
  static std::unique_ptr<Bench> with(std::string_view scenario_json = "{}", std::size_t markets = 0) {
    SystemFs fs;
    const std::string data = shared_folder() + "/data/polymarket";
    if (!fs.exists(data)) {
      MESSAGE("skipped: no shared recordings");
      return nullptr;
    }
    Scenario defaults;
    defaults.setup = {.data = data, .recordings = {"price_history_10m"}, .markets = markets, .begin = kBegin};
    defaults.array_every = 0;
    const auto scenario = read_scenario(scenario_json, defaults);
    REQUIRE_MESSAGE(scenario, scenario.error().message);
    std::unique_ptr<Bench> bench{new Bench};
    auto venue = Venue::open(fs, scenario->setup);
    REQUIRE_MESSAGE(venue, venue.error().message);
    bench->venue_ = std::move(*venue);
    auto desk =
        Desk::open(*bench->venue_, {.shown = bench->held_, .real = bench->real_, .held = &bench->held_}, *scenario, {});
    REQUIRE_MESSAGE(desk, desk.error().message);
    bench->desk_ = std::move(*desk);
    return bench;
  }

  Venue& venue() { return *venue_; }
  Desk& desk() { return *desk_; }

  WebReply ask(std::string_view method, const std::string& target, std::string body = {}) {
    auto request = read_target(method, target);
    REQUIRE(request);
    request->body = std::move(body);
    return desk_->answer(*request);
  }
  WebReply get(const std::string& target) { return ask("GET", target); }
  /// As GET of 200.
  JsonIn object(const std::string& target) {
    const WebReply reply = get(target);
    REQUIRE_MESSAGE(reply.status == 200, reply.body);
    return *JsonIn::parse(reply.body);
  }
  void fault(std::string_view json) {
    const WebReply reply = ask("POST", "/control/fault", std::string{json});
    REQUIRE_MESSAGE(reply.status == 200, reply.body);
  }

  SocketId socket(const std::string& path = "/ws/market") {
    REQUIRE(desk_->open(++last_, *read_target("GET", path)).status == 101);
    return last_;
  }
  SocketId subscribed(const std::vector<std::string>& tokens, bool custom = false) {
    const SocketId id = socket();
    subscribe(id, tokens, custom);
    return id;
  }
  void subscribe(SocketId id, const std::vector<std::string>& tokens, bool custom = false) {
    desk_->heard(
        id, JsonOut{}.put("assets_ids", tokens).put("type", "market").put("custom_feature_enabled", custom).text());
  }
  /// Goes on by so long, in steps of ten seconds.
  void advance(Duration by) {
    const Timestamp to = held_.now() + by;
    while (held_.now() < to) {
      held_.move_to(std::min(to, held_.now() + Duration::seconds(10)));
      desk_->tick();
    }
  }
  void real_time(Duration by) { real_.set(real_.now() + by); }

  /// The frames of a socket since the last look at any.
  std::vector<std::string> frames(SocketId id) {
    std::vector<std::string> frames;
    collect();
    std::erase_if(seen_, [&](const SocketAct& act) {
      if (act.socket != id || act.what != SocketAct::What::Send) return false;
      frames.push_back(act.text);
      return true;
    });
    return frames;
  }
  /// Closings and resets.
  std::vector<SocketAct> ends() {
    collect();
    std::vector<SocketAct> ends;
    for (const SocketAct& act : seen_)
      if (act.what != SocketAct::What::Send) ends.push_back(act);
    return ends;
  }

  /// Tokens of markets that trade, with a price between 0.1 and 0.9.
  std::vector<std::vector<std::string>> pairs() {
    std::vector<std::vector<std::string>> pairs;
    for (const MarketIndex index : venue_->listed()) {
      const MarketView view = venue_->view(index);
      const auto price = venue_->true_price(index, venue_->now());
      if (view.accepting_orders && price && price->value() > 0.1 && price->value() < 0.9)
        pairs.push_back({view.tokens[0], view.tokens[1]});
    }
    REQUIRE(pairs.size() >= 2);
    return pairs;
  }

 private:
  void collect() {
    for (SocketAct& act : desk_->take_acts()) seen_.push_back(std::move(act));
  }

  HeldClock held_{kBegin};
  ManualClock real_{kBegin};
  std::unique_ptr<Venue> venue_;
  std::unique_ptr<Desk> desk_;
  std::vector<SocketAct> seen_;
  SocketId last_ = 0;
};

std::size_t count_of(const std::vector<std::string>& frames, std::string_view what) {
  return static_cast<std::size_t>(std::count_if(frames.begin(), frames.end(), [&](const std::string& f) {
    return f.find(fmt::format("\"event_type\":\"{}\"", what)) != std::string::npos;
  }));
}

bool names(const std::vector<std::string>& frames, const std::string& token) {
  return std::any_of(frames.begin(), frames.end(),
                     [&](const std::string& f) { return f.find(token) != std::string::npos; });
}

}  // namespace

// --- the market socket

TEST_CASE("market socket: an array of books first, then what happens; PING is PONG") {
  const auto bench = Bench::with();
  if (!bench) return;
  const auto pair = bench->pairs().front();
  const SocketId id = bench->subscribed(pair);
  const auto first = bench->frames(id);
  REQUIRE(first.size() == 1);
  CHECK(first[0].front() == '[');
  CHECK(first[0].find(pair[0]) != std::string::npos);
  CHECK(first[0].find(pair[1]) != std::string::npos);
  bench->desk().heard(id, "PING");
  CHECK(bench->frames(id) == std::vector<std::string>{"PONG"});
  bench->advance(Duration::hours(2));
  const auto later = bench->frames(id);
  CHECK(count_of(later, "price_change") > 0);
  CHECK(count_of(later, "best_bid_ask") == 0);
}

TEST_CASE("market socket: nothing known is an empty array, a second subscription of the same is no word at all") {
  const auto bench = Bench::with();
  if (!bench) return;
  const auto pair = bench->pairs().front();
  const SocketId id = bench->subscribed({"123"});
  CHECK(bench->frames(id) == std::vector<std::string>{"[]"});
  bench->subscribe(id, pair);
  CHECK(bench->frames(id).size() == 1);
  bench->subscribe(id, pair);
  CHECK(bench->frames(id).empty());
}

TEST_CASE("market socket: custom features bring best prices and resolutions, unsubscribing ends all of it") {
  const auto bench = Bench::with();
  if (!bench) return;
  const auto pairs = bench->pairs();
  const SocketId plain = bench->subscribed(pairs[0]), custom = bench->subscribed(pairs[0], true);
  bench->fault(fmt::format(R"({{"kind":"resolve","at":"+1h","market":"{}","payout":"1"}})",
                           bench->venue().view(*bench->venue().by_token(pairs[0][0])).condition));
  bench->subscribe(custom, pairs[1], true);
  bench->advance(Duration::minutes(59));
  CHECK(count_of(bench->frames(custom), "best_bid_ask") > 0);
  bench->frames(plain);
  bench->advance(Duration::minutes(2));
  CHECK(count_of(bench->frames(custom), "market_resolved") == 1);
  CHECK(count_of(bench->frames(plain), "market_resolved") == 0);
  // The plain one has nothing left to hear of, the other one has.
  const auto ends = bench->ends();
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].socket == plain);
  CHECK(ends[0].code == 1000);
  bench->desk().heard(custom, JsonOut{}.put("operation", "unsubscribe").put("assets_ids", pairs[1]).text());
  bench->frames(custom);
  bench->advance(Duration::hours(1));
  CHECK_FALSE(names(bench->frames(custom), pairs[1][0]));
}

TEST_CASE("market socket: too many assets on one get no first book, in silence") {
  const auto bench = Bench::with(R"({"assets_per_socket":2})");
  if (!bench) return;
  const auto pairs = bench->pairs();
  const SocketId id = bench->subscribed({pairs[0][0], pairs[0][1], pairs[1][0]});
  CHECK(bench->frames(id).empty());
}

TEST_CASE("market socket: two minutes without a word from the client and it is dropped") {
  const auto bench = Bench::with();
  if (!bench) return;
  const SocketId id = bench->subscribed(bench->pairs().front());
  bench->real_time(Duration::seconds(119));
  bench->desk().heard(id, "PING");
  bench->real_time(Duration::seconds(119));
  bench->desk().tick();
  CHECK(bench->ends().empty());
  bench->real_time(Duration::seconds(2));
  bench->desk().tick();
  REQUIRE(bench->ends().size() == 1);
  CHECK(bench->ends()[0].what == SocketAct::What::Reset);
}

// --- faults of frames

TEST_CASE("fault: a frozen asset is silent, PING and the other assets are not, and a new socket hears it again") {
  const auto bench = Bench::with();
  if (!bench) return;
  const auto pairs = bench->pairs();
  const SocketId id = bench->subscribed({pairs[0][0], pairs[1][0]});
  bench->frames(id);
  bench->advance(Duration::seconds(10));
  bench->fault(fmt::format(R"({{"kind":"freeze","assets":["{}"],"only_open":true,"for":"3h"}})", pairs[0][0]));
  bench->frames(id);
  const SocketId fresh = bench->subscribed({pairs[0][0]});
  bench->advance(Duration::hours(2));
  bench->desk().heard(id, "PING");
  const auto frozen = bench->frames(id);
  CHECK_FALSE(names(frozen, pairs[0][0]));
  CHECK(names(frozen, pairs[1][0]));
  CHECK(frozen.back() == "PONG");
  CHECK(count_of(bench->frames(fresh), "price_change") > 0);
  bench->advance(Duration::hours(2));  // over by then
  CHECK(names(bench->frames(id), pairs[0][0]));
}

TEST_CASE("fault: dropped, doubled, broken and huge frames") {
  const auto bench = Bench::with();
  if (!bench) return;
  const auto pair = bench->pairs().front();
  const SocketId id = bench->subscribed(pair);
  bench->frames(id);
  const auto during = [&](std::string_view fault) {
    bench->fault(fault);
    bench->frames(id);
    bench->advance(Duration::minutes(30));
    const auto frames = bench->frames(id);
    bench->ask("DELETE", "/control/fault");
    return frames;
  };
  const auto dropped = during(R"({"kind":"drop"})");
  CHECK(count_of(dropped, "price_change") == 0);
  const auto doubled = during(R"({"kind":"duplicate"})");
  REQUIRE(doubled.size() >= 2);
  CHECK(doubled.size() % 2 == 0);
  for (std::size_t i = 0; i < doubled.size(); i += 2) CHECK(doubled[i] == doubled[i + 1]);
  const auto broken = during(R"({"kind":"malformed","instead":true})");
  REQUIRE_FALSE(broken.empty());
  for (const std::string& frame : broken) CHECK_FALSE(JsonIn::parse(frame));
  const auto huge = during(R"({"kind":"oversized","bytes":100000})");
  REQUIRE(huge.size() >= 2);
  CHECK(huge[0].size() == 100'000);
  CHECK(JsonIn::parse(huge[0]));
  const auto kept = bench->object("/control/sent").json("withheld");
  CHECK(kept.find("price_change") != std::string::npos);
}

TEST_CASE("fault: mute says not even PONG, disconnect resets, refuse keeps the door shut") {
  const auto bench = Bench::with();
  if (!bench) return;
  const auto pair = bench->pairs().front();
  const SocketId id = bench->subscribed(pair);
  bench->frames(id);
  bench->fault(R"({"kind":"mute","for":"5m"})");
  bench->desk().heard(id, "PING");
  bench->advance(Duration::minutes(4));
  CHECK(bench->frames(id).empty());
  bench->fault(R"({"kind":"disconnect"})");
  REQUIRE(bench->ends().size() == 1);
  CHECK(bench->ends()[0].what == SocketAct::What::Reset);
  bench->fault(R"({"kind":"refuse","for":"1m"})");
  CHECK(bench->desk().open(99, *read_target("GET", "/ws/market")).status == 503);
  bench->advance(Duration::minutes(1));
  CHECK(bench->desk().open(99, *read_target("GET", "/ws/market")).status == 101);
}

// --- faults of requests, limits

TEST_CASE("fault: a storm of refusals on some paths, slow answers on others, no answer at all") {
  const auto bench = Bench::with();
  if (!bench) return;
  const std::string book = "/book?token_id=" + bench->pairs().front()[0];
  bench->fault(R"({"kind":"status","status":429,"retry_after":7,"routes":["/book"],"for":"1m"})");
  const WebReply storm = bench->get(book);
  CHECK(storm.status == 429);
  CHECK(storm.body == R"({"error":"Too Many Requests"})");
  CHECK(storm.headers == std::vector<std::pair<std::string, std::string>>{{"Retry-After", "7"}});
  CHECK(bench->get("/time").status == 200);
  bench->advance(Duration::minutes(1));
  CHECK(bench->get(book).status == 200);
  bench->fault(R"({"kind":"slow","delay":"2s","routes":["/time"],"for":"1m"})");
  CHECK(bench->get("/time").after == Duration::seconds(2));
  CHECK(bench->get(book).after == Duration{});
  bench->fault(R"({"kind":"half_open","for":"2m"})");
  CHECK_FALSE(bench->desk().answers());
  CHECK(bench->get(book).fate == WebFate::Unanswered);
  CHECK(bench->desk().open(98, *read_target("GET", "/ws/market")).fate == WebFate::Unanswered);
  CHECK(bench->get("/control/clock").status == 200);
  bench->advance(Duration::minutes(2));
  CHECK(bench->get(book).status == 200);
}

TEST_CASE("limits: beyond them 429 with the seconds to wait, on the venue's clock") {
  const auto bench = Bench::with(R"({"limits":{"clob /book":2}})");
  if (!bench) return;
  const std::string book = "/book?token_id=" + bench->pairs().front()[0];
  CHECK(bench->get(book).status == 200);
  CHECK(bench->get("/clob" + book).status == 200);
  const WebReply third = bench->get(book);
  CHECK(third.status == 429);
  CHECK(third.headers == std::vector<std::pair<std::string, std::string>>{{"Retry-After", "10"}});
  CHECK(bench->get("/time").status == 200);
  bench->advance(Duration::seconds(10));
  CHECK(bench->get(book).status == 200);
  CHECK(bench->object("/control/requests").json("clob GET /book").find("\"429\":1") != std::string::npos);
}

TEST_CASE("fault: holes and coarse stretches in a history of prices") {
  const auto bench = Bench::with();
  if (!bench) return;
  const std::string token = bench->pairs().front()[0];
  const std::int64_t to = kBegin.us() / 1'000'000, from = to - 86'400;
  const std::string target = fmt::format("/prices-history?market={}&startTs={}&endTs={}&fidelity=15", token, from, to);
  const auto times = [&] {
    std::vector<std::int64_t> found;
    JsonIn body = bench->object(target);
    for (const std::string& point : body.list("history")) {
      JsonIn in = *JsonIn::parse(point);
      in.get("t", found.emplace_back());
    }
    return found;
  };
  const auto whole = times();
  REQUIRE(whole.size() > 80);
  const Timestamp hole = kBegin - Duration::hours(8);
  bench->fault(fmt::format(R"({{"kind":"history_hole","hole_from":"{}","hole_to":"{}"}})", hole.iso(),
                           (hole + Duration::hours(4)).iso()));
  const auto holed = times();
  CHECK(holed.size() <= whole.size() - 15);
  for (const std::int64_t t : holed) CHECK((t < to - 8 * 3'600 || t >= to - 4 * 3'600));
  bench->ask("DELETE", "/control/fault");
  bench->fault(R"({"kind":"history_coarse","resolution":"12h"})");
  const auto coarse = times();
  CHECK(coarse.size() >= 2);
  CHECK(coarse.size() <= 3);
}

// --- lists

TEST_CASE("gamma: keyset pages tell everything once, also when a market closes in between") {
  const auto bench = Bench::with();
  if (!bench) return;
  std::vector<std::string> ids;
  std::string cursor, victim;
  const auto page = [&] {
    JsonIn body = bench->object("/markets/keyset?limit=3&order=volumeNum&ascending=false" +
                                (cursor.empty() ? "" : "&after_cursor=" + cursor));
    for (const std::string& market : body.list("markets")) {
      JsonIn in = *JsonIn::parse(market);
      in.get("id", ids.emplace_back());
    }
    cursor.clear();
    if (body.has("next_cursor")) body.get("next_cursor", cursor);
  };
  page();
  const std::size_t open_ones = [&] {
    std::size_t n = 0;
    for (const MarketIndex index : bench->venue().listed()) n += !bench->venue().view(index).closed;
    return n;
  }();
  bench->fault(fmt::format(R"({{"kind":"resolve","market":"{}","payout":"0"}})", ids[0]));
  bench->advance(Duration::seconds(10));
  CHECK(bench->venue().view(*bench->venue().by_id(ids[0])).closed);
  while (!cursor.empty()) page();
  CHECK(ids.size() == open_ones);  // with an offset the fourth market would be missing
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == open_ones);
}

TEST_CASE("gamma: what is closed comes when asked for; limits and refusals") {
  const auto bench = Bench::with();
  if (!bench) return;
  const MarketView market = bench->venue().view(bench->venue().listed().front());
  bench->fault(fmt::format(R"({{"kind":"resolve","market":"{}","payout":"1"}})", market.id));
  bench->advance(Duration::seconds(10));
  const std::string quoted = fmt::format("\"id\":\"{}\"", market.id);
  CHECK(bench->get("/markets?limit=100").body.find(quoted) == std::string::npos);
  CHECK(bench->get("/markets?limit=100&closed=true").body.find(quoted) != std::string::npos);
  CHECK(bench->get("/markets?id=" + market.id).body.find(quoted) != std::string::npos);
  CHECK(bench->get("/markets/" + market.id).status == 200);
  CHECK(bench->get("/markets/slug/" + market.slug).status == 200);
  CHECK(bench->get("/gamma/markets?condition_ids=" + market.condition + "&closed=true").body.find(quoted) !=
        std::string::npos);
  const WebReply offset = bench->get("/markets/keyset?offset=5");
  CHECK(offset.status == 422);
  CHECK(offset.body.find("\"type\":\"validation error\"") != std::string::npos);
  CHECK(bench->get("/markets/keyset?after_cursor=AAAA").status == 422);
  CHECK(bench->get("/markets/keyset?order=colour").status == 422);
  CHECK(bench->get("/markets/keyset?volume_num_min=much").status == 422);
  CHECK(bench->get("/markets/999999999").status == 404);
}

TEST_CASE("gamma: volume sorts as text, volumeNum as a number") {
  const auto bench = Bench::with();
  if (!bench) return;
  const auto volumes = [&](const std::string& order) {
    std::vector<double> found;
    const std::string list = bench->get("/markets?limit=100&order=" + order).body;
    JsonIn body = *JsonIn::parse("{\"all\":" + list + "}");
    for (const std::string& market : body.list("all")) {
      JsonIn in = *JsonIn::parse(market);
      in.get("volumeNum", found.emplace_back());
    }
    return found;
  };
  const auto numbers = volumes("volumeNum"), texts = volumes("volume");
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(numbers.size() == texts.size());
  CHECK(std::is_sorted(texts.begin(), texts.end(),
                       [](double a, double b) { return fmt::format("{:.6f}", a) < fmt::format("{:.6f}", b); }));
}

TEST_CASE("clob: lists go from MA== to LTE=, and whose /markets it is shows in the query") {
  const auto bench = Bench::with(R"({"clob_page":5})");
  if (!bench) return;
  const std::size_t all = bench->venue().listed().size();
  std::size_t seen = 0;
  std::string cursor = "MA==";
  while (cursor != "LTE=") {
    JsonIn body = bench->object("/markets?next_cursor=" + cursor);
    const std::size_t count = body.list("data").size();
    CHECK(count <= 5);
    seen += count;
    body.get("next_cursor", cursor);
  }
  CHECK(seen == all);
  CHECK(bench->get("/markets?next_cursor=LTE=").status == 400);
  CHECK(bench->get("/clob/simplified-markets").status == 200);
  CHECK(bench->get("/markets").body.front() == '[');
  CHECK(bench->get("/data/trades").status == 401);      // the CLOB's: who asks?
  CHECK(bench->get("/data-api/trades").status == 200);  // the Data API's
  CHECK(bench->get("/trades?offset=10001").status == 400);
  CHECK(bench->get("/trades?side=HOLD").status == 400);
}

// --- steering

TEST_CASE("control: the clock goes where it is put, a script runs on the way, the truth can be asked for") {
  const auto bench = Bench::with(R"({"faults":[{"kind":"mode","mode":"cancel-only","at":"+1h","for":"1h"}]})");
  if (!bench) return;
  JsonIn clock = *JsonIn::parse(bench->ask("POST", "/control/clock", R"({"by":"90m"})").body);
  std::string now;
  clock.get("now", now);
  CHECK(now == "2026-01-20T13:30:00.000000Z");
  CHECK(bench->ask("POST", "/control/clock", R"({"by":"soon"})").status == 400);
  CHECK(bench->ask("POST", "/control/fault", R"({"kind":"melt"})").body.find("there is no kind") != std::string::npos);
  CHECK(bench->get("/control/faults").body.find("\"kind\":\"mode\"") != std::string::npos);
  const std::string token = bench->pairs().front()[0];
  CHECK(bench->get("/control/price?token=" + token + "&at=2026-01-20T12:00:00Z").body.find("\"price\":\"0.") !=
        std::string::npos);
  CHECK(bench->get("/control/price?token=1").status == 404);
  CHECK(bench->get("/control/nothing").status == 404);
}

TEST_CASE("user socket: a wrong key is sent away") {
  const auto bench = Bench::with();
  if (!bench) return;
  const SocketId id = bench->socket("/ws/user");
  bench->desk().heard(id, R"({"auth":{"apiKey":"a","secret":"b","passphrase":"c"},"type":"user"})");
  REQUIRE(bench->ends().size() == 1);
  CHECK(bench->ends()[0].code == 1008);
  CHECK(bench->desk().open(77, *read_target("GET", "/ws/other")).status == 404);
}

}  // namespace everlearn::venue
