// The Data API, first and second version: trades and prices are the venue's, what belongs to accounts is empty.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "core/json.hpp"
#include "venue/desk.hpp"

namespace everlearn::venue {
namespace {

namespace json = boost::json;

constexpr std::int64_t kLongestPage = 10'000, kLastOffset = 10'000;
constexpr std::int64_t kPageV2 = 100, kLongestPageV2 = 1'000;

// Errors: BadData naming the key.
Result<std::optional<std::int64_t>> whole(const WebRequest& request, std::string_view key) {
  const auto text = request.value(key);
  if (!text || text->empty()) return std::optional<std::int64_t>{};
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size())
    return fail(Code::BadData, fmt::format("{}: '{}' is not a whole number", key, *text));
  return std::optional{value};
}

WebReply reply_of(Answer answer) { return {.status = answer.status, .body = std::move(answer.body)}; }

std::string page_v2(std::string_view list) {
  return fmt::format(R"({{"data":{},"pagination":{{"has_more":false,"next_cursor":null}}}})", list);
}

// One page of a list that is whole: {"data":[...]} becomes a part of it with its pagination.
std::string page_of(const std::string& body, std::int64_t offset, std::int64_t limit) {
  json::error_code error;
  json::value value = json::parse(body, error);
  json::value* data = !error && value.is_object() ? value.get_object().if_contains("data") : nullptr;
  if (data == nullptr || !data->is_array()) return body;
  json::array& all = data->get_array();
  const auto from = std::min<std::size_t>(static_cast<std::size_t>(offset), all.size());
  const auto to = std::min<std::size_t>(from + static_cast<std::size_t>(limit), all.size());
  const bool more = to < all.size();
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(to), all.end());
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
  value.get_object()["pagination"] = {{"has_more", more},
                                      {"next_cursor", more ? json::value(std::to_string(to)) : json::value(nullptr)}};
  return json::serialize(value);
}

Result<TradeQuery> trade_query(const WebRequest& request, std::string_view market_key) {
  TradeQuery query{.conditions = request.values(market_key),
                   .user = request.value("user").value_or(""),
                   .side = request.value("side").value_or("")};
  if (!query.side.empty() && query.side != "BUY" && query.side != "SELL")
    return fail(Code::BadData, fmt::format("side: '{}' is not BUY or SELL", query.side));
  EL_TRY(query.from_s, whole(request, "start"));
  EL_TRY(query.to_s, whole(request, "end"));
  const std::string amount = request.value("filterAmount").value_or(request.value("filter_amount").value_or(""));
  const std::string type = request.value("filterType").value_or(request.value("filter_type").value_or(""));
  if (!amount.empty()) {
    double value = 0;
    const auto [end, error] = std::from_chars(amount.data(), amount.data() + amount.size(), value);
    if (error != std::errc{} || end != amount.data() + amount.size() || value < 0)
      return fail(Code::BadData, fmt::format("filterAmount: '{}' is not a number from 0 on", amount));
    if (type != "CASH" && type != "TOKENS")
      return fail(Code::BadData, fmt::format("filterType: '{}' is not CASH or TOKENS", type));
    (type == "CASH" ? query.min_cash : query.min_tokens) = value;
  }
  return query;
}

std::string token_reference(const MarketView& market, int outcome) {
  JsonOut out;
  out.put("token_id", market.tokens[outcome])
      .put("condition_id", market.condition)
      .put_null("structural_condition_id")
      .put("module", "v1_ctf")
      .put("outcome_index", outcome)
      .put("clob_index", outcome)
      .put("outcome", market.outcomes[outcome])
      .put("opposite_token_id", market.tokens[1 - outcome])
      .put("resolved", market.closed);
  if (market.payout)
    out.put("final_price", outcome == 0 ? market.payout->value() : 1 - market.payout->value());
  else
    out.put_null("final_price");
  out.put("title", market.question)
      .put("market_slug", market.slug)
      .put("closed", market.closed)
      .put("neg_risk", market.neg_risk)
      .put_null("neg_risk_market_id")
      .put_null("question_index")
      .put_null("event_id");
  if (market.event_slug.empty()) return out.put_null("event_slug").text();
  return out.put("event_slug", market.event_slug).text();
}

}  // namespace

WebReply Desk::data(const WebRequest& request) {
  const std::string& path = request.path;
  if (request.method != "GET") return WebReply::refusal(405, "method not allowed");
  if (path.starts_with("/v2/")) return data_v2(request);
  if (path == "/trades") {
    auto query = trade_query(request, "market");
    if (!query) return WebReply::refusal(400, query.error().message);
    const auto limit = whole(request, "limit"), offset = whole(request, "offset");
    if (!limit) return WebReply::refusal(400, limit.error().message);
    if (!offset) return WebReply::refusal(400, offset.error().message);
    query->limit = std::clamp<std::int64_t>(limit->value_or(100), 0, kLongestPage);
    query->offset = offset->value_or(0);
    if (query->offset < 0 || query->offset > kLastOffset)
      return WebReply::refusal(400, fmt::format("max historical trades offset of {} exceeded", kLastOffset));
    return reply_of(venue_.data_trades(*query));
  }
  if (path == "/value")
    return WebReply::json(
        fmt::format("[{}]", JsonOut{}.put("user", request.value("user").value_or("")).put("value", 0).text()));
  if (path == "/oi") {
    std::string list;
    for (const std::string& condition : request.values("market"))
      list += fmt::format("{}{}", list.empty() ? "" : ",", JsonOut{}.put("market", condition).put("value", 0).text());
    return WebReply::json("[" + list + "]");
  }
  for (const std::string_view empty :
       {"/positions", "/closed-positions", "/activity", "/holders", "/live-volume", "/v1/leaderboard"})
    if (path == empty) return WebReply::json("[]");
  return WebReply::refusal(404, "not found");
}

WebReply Desk::data_v2(const WebRequest& request) {
  const std::string& path = request.path;
  if (path == "/v2/trades") {
    auto query = trade_query(request, "condition_id");
    if (!query) return WebReply::refusal(400, query.error().message);
    const auto limit = whole(request, "limit"), cursor = whole(request, "cursor");
    if (!limit) return WebReply::refusal(400, limit.error().message);
    if (!cursor || cursor->value_or(0) < 0) return WebReply::refusal(400, "cursor: not a cursor of this list");
    query->limit = std::clamp<std::int64_t>(limit->value_or(kPageV2), 1, kLongestPageV2);
    query->offset = cursor->value_or(0);
    return reply_of(venue_.data_trades_v2(*query));
  }
  if (path == "/v2/prices-history") {
    const auto from = whole(request, "start"), to = whole(request, "end"), as_of = whole(request, "as_of"),
               bucket = whole(request, "bucket_seconds"), limit = whole(request, "limit"),
               cursor = whole(request, "cursor");
    for (const auto* number : {&from, &to, &as_of, &bucket, &limit, &cursor})
      if (!*number) return WebReply::refusal(400, number->error().message);
    const PriceQuery query{.token = request.value("token_id").value_or(""),
                           .from_s = *from,
                           .to_s = *to,
                           .interval = request.value("interval").value_or("")};
    const bool coarse = query.interval == "max" || query.interval == "all" || query.interval == "1m";
    const std::int64_t usual = coarse ? 600 : query.interval == "1w" ? 300 : 60;
    WebReply reply = reply_of(venue_.data_prices_v2(query, *as_of, bucket->value_or(usual)));
    if (reply.status != 200) return reply;
    const std::int64_t page = std::clamp<std::int64_t>(limit->value_or(kLongestPage), 1, kLongestPage);
    reply.body = page_of(history_with_faults(std::move(reply.body), {query.token}),
                         std::max<std::int64_t>(0, cursor->value_or(0)), page);
    return reply;
  }
  if (path == "/v2/resolutions") return reply_of(venue_.data_resolutions_v2(request.values("condition_id")));
  if (path == "/v2/tokens") {
    std::string list;
    const auto add = [&](MarketIndex index, int outcome) {
      if (!list.empty()) list += ',';
      list += token_reference(venue_.view(index), outcome);
    };
    for (const std::string& token : request.values("token_id"))
      if (const auto market = venue_.by_token(token)) add(*market, venue_.view(*market).tokens[0] == token ? 0 : 1);
    for (const std::string& condition : request.values("condition")) {
      const auto market = venue_.by_condition(condition);
      if (!market) continue;
      add(*market, 0);
      add(*market, 1);
    }
    return WebReply::json("{\"data\":[" + list + "]}");
  }
  if (path == "/v2/value")
    return WebReply::json(fmt::format(
        R"({{"data":{}}})", JsonOut{}.put("user", request.value("user").value_or("")).put("value", 0).text()));
  if (path == "/v2/user-stats") return WebReply::json(R"({"data":null})");
  if (path == "/v2/oi") {
    std::string list;
    for (const std::string& condition : request.values("condition_id"))
      list +=
          fmt::format("{}{}", list.empty() ? "" : ",", JsonOut{}.put("condition_id", condition).put("value", 0).text());
    return WebReply::json("{\"data\":[" + list + "]}");
  }
  if (path == "/v2/live-volume") return WebReply::json(R"({"data":{"taker_volume_total":0,"conditions":[]}})");
  for (const std::string_view empty : {"/v2/positions", "/v2/activity", "/v2/holders", "/v2/leaderboard",
                                       "/v2/biggest-winners", "/v2/user-pnl", "/v2/user-volume"})
    if (path == empty) return WebReply::json(page_v2("[]"));
  return WebReply::refusal(404, "not found");
}

}  // namespace everlearn::venue
