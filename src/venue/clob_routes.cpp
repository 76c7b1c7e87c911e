// The CLOB's calls: public ones answered by their path, the others handed to the exchange as they came.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "core/json.hpp"
#include "venue/cursor.hpp"
#include "venue/desk.hpp"

namespace everlearn::venue {
namespace {

namespace json = boost::json;

std::optional<std::int64_t> whole(const WebRequest& request, std::string_view key) {
  const auto text = request.value(key);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc{} && end == text->data() + text->size() ? std::optional{value} : std::nullopt;
}

WebReply reply_of(Answer answer) { return {.status = answer.status, .body = std::move(answer.body)}; }

Request trading_request(const WebRequest& request) {
  Request call{.method = request.method, .path = request.path, .body = request.body};
  for (const auto& [key, text] : request.query) call.query.emplace(key, text);
  for (const auto& [name, text] : request.headers) {
    std::string upper = name;
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    call.headers.emplace(std::move(upper), text);
  }
  return call;
}

// One token for each order, or id, of a batch.
double cost_of(const WebRequest& request) {
  json::error_code error;
  const json::value body = json::parse(request.body, error);
  return !error && body.is_array() ? static_cast<double>(std::max<std::size_t>(1, body.get_array().size())) : 1;
}

// Leaves of a list of points what the faults leave: nothing inside a hole, one point for each stretch of a coarse one.
void thin_out(json::array& points, std::string_view time_key, const std::vector<const Fault*>& holes,
              const std::vector<const Fault*>& coarse) {
  json::array kept;
  std::vector<std::int64_t> stretch(coarse.size(), -1);
  for (json::value& point : points) {
    const json::value* time =
        point.is_object() ? point.get_object().if_contains({time_key.data(), time_key.size()}) : nullptr;
    if (time == nullptr || !time->is_number()) continue;
    const Timestamp at{time->to_number<std::int64_t>() * 1'000'000};
    bool stays = true;
    for (const Fault* fault : holes) stays = stays && (at < fault->hole_from || at >= fault->hole_to);
    for (std::size_t i = 0; stays && i < coarse.size(); ++i) {
      const std::int64_t number = (at - Timestamp{}) / coarse[i]->resolution;
      stays = number != stretch[i];
      stretch[i] = number;
    }
    if (stays) kept.push_back(std::move(point));
  }
  points = std::move(kept);
}

}  // namespace

std::string Desk::history_with_faults(std::string body, const std::vector<std::string>& tokens) const {
  const Timestamp now = venue_.now();
  const auto acting = [&](FaultKind kind, const std::string& token) {
    std::vector<const Fault*> found;
    for (const Fault* fault : faults_.active(kind, now))
      if (fault->assets.empty() || std::find(fault->assets.begin(), fault->assets.end(), token) != fault->assets.end())
        found.push_back(fault);
    return found;
  };
  if (faults_.active(FaultKind::HistoryHole, now).empty() && faults_.active(FaultKind::HistoryCoarse, now).empty())
    return body;
  json::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) return body;
  const auto thin = [&](json::value* points, const std::string& token, std::string_view key) {
    if (points != nullptr && points->is_array())
      thin_out(points->get_array(), key, acting(FaultKind::HistoryHole, token),
               acting(FaultKind::HistoryCoarse, token));
  };
  json::object& object = value.get_object();
  json::value* history = object.if_contains("history");
  const std::string first = tokens.empty() ? std::string{} : tokens.front();
  if (history != nullptr && history->is_object()) {
    for (auto& one : history->get_object()) thin(&one.value(), std::string{one.key().data(), one.key().size()}, "t");
  } else {
    thin(history, first, "t");
    thin(object.if_contains("data"), first, "timestamp");
  }
  return json::serialize(value);
}

WebReply Desk::clob_list(const WebRequest& request, bool sampling, bool simplified) {
  const auto decoded = from_base64(request.value("next_cursor").value_or(""));
  std::int64_t begin = 0;
  if (!decoded) return WebReply::refusal(400, "Invalid next_cursor");
  if (!decoded->empty()) {
    const auto [end, error] = std::from_chars(decoded->data(), decoded->data() + decoded->size(), begin);
    if (error != std::errc{} || end != decoded->data() + decoded->size())
      return WebReply::refusal(400, "Invalid next_cursor");
    if (begin < 0) return WebReply::refusal(400, "Next item should be greater than or equal to 0");
  }
  std::vector<MarketIndex> all = venue_.listed();
  if (sampling) std::erase_if(all, [this](MarketIndex index) { return !venue_.view(index).accepting_orders; });
  const std::size_t from = std::min(static_cast<std::size_t>(begin), all.size());
  const std::size_t to = std::min(from + scenario_.clob_page, all.size());
  std::string list = "[";
  for (std::size_t i = from; i < to; ++i) {
    if (i > from) list += ',';
    list += simplified ? venue_.clob_simplified_market(all[i]) : venue_.clob_market(all[i]);
  }
  list += ']';
  return WebReply::json(JsonOut{}
                            .put("limit", static_cast<std::uint64_t>(scenario_.clob_page))
                            .put("count", static_cast<std::uint64_t>(to - from))
                            .put("next_cursor", to < all.size() ? base64(std::to_string(to)) : std::string{kNoNextPage})
                            .put_json("data", list)
                            .text());
}

WebReply Desk::clob(const WebRequest& request) {
  const std::string& path = request.path;
  const std::string token = request.value("token_id").value_or("");
  const auto after = [&](std::string_view prefix) { return path.substr(prefix.size()); };
  if (request.method == "GET") {
    if (path == "/" || path == "/ok") return WebReply::json("\"OK\"");
    if (path == "/time") return reply_of(venue_.server_time());
    if (path == "/version") return reply_of(venue_.version());
    if (path == "/book") return reply_of(venue_.book(token));
    if (path == "/midpoint") return reply_of(venue_.midpoint(token));
    if (path == "/price") return reply_of(venue_.price(token, request.value("side").value_or("")));
    if (path == "/spread") return reply_of(venue_.spread(token));
    if (path == "/last-trade-price") return reply_of(venue_.last_trade_price(token));
    if (path == "/tick-size") return reply_of(venue_.tick_size(token));
    if (path == "/neg-risk") return reply_of(venue_.neg_risk(token));
    if (path == "/fee-rate") return reply_of(venue_.fee_rate(token));
    if (path == "/markets") return clob_list(request, false, false);
    if (path == "/simplified-markets") return clob_list(request, false, true);
    if (path == "/sampling-markets") return clob_list(request, true, false);
    if (path == "/sampling-simplified-markets") return clob_list(request, true, true);
    if (path.starts_with("/clob-markets/")) return reply_of(venue_.clob_compact_market(after("/clob-markets/")));
    if (path.starts_with("/markets-by-token/")) return reply_of(venue_.market_by_token(after("/markets-by-token/")));
    if (path.starts_with("/markets/live-activity/")) return WebReply::json("[]");
    if (path.starts_with("/markets/")) return reply_of(venue_.clob_market_of(after("/markets/")));
    if (path == "/prices-history") {
      PriceQuery query{.token = request.value("market").value_or(""),
                       .from_s = whole(request, "startTs"),
                       .to_s = whole(request, "endTs"),
                       .interval = request.value("interval").value_or(""),
                       .fidelity = whole(request, "fidelity")};
      WebReply reply = reply_of(venue_.prices_history(query));
      if (reply.status == 200) reply.body = history_with_faults(std::move(reply.body), {query.token});
      return reply;
    }
    if (path == "/orderbook-history") {
      return reply_of(venue_.book_history({.token = request.value("asset_id").value_or(""),
                                           .condition = request.value("market").value_or(""),
                                           .from_ms = whole(request, "startTs"),
                                           .to_ms = whole(request, "endTs"),
                                           .limit = whole(request, "limit").value_or(100),
                                           .offset = whole(request, "offset").value_or(0)}));
    }
    // Rewards, builders, notifications: nothing of them is recorded.
    if (path == "/notifications") return WebReply::json("[]");
    if (path.starts_with("/rewards/") || path == "/builder/trades" || path == "/data/pre-migration-orders")
      return WebReply::json(R"({"limit":500,"count":0,"next_cursor":"LTE=","data":[]})");
    if (path.starts_with("/fees/builder-fees/"))
      return WebReply::json(R"({"builder_maker_fee_rate_bps":0,"builder_taker_fee_rate_bps":0})");
    if (path == "/v1/user/rate-limit-tier") return WebReply::json(R"({"tier":"standard"})");
  }
  if (request.method == "POST") {
    if (path == "/books") return reply_of(venue_.books(request.body));
    if (path == "/midpoints") return reply_of(venue_.midpoints(request.body));
    if (path == "/prices") return reply_of(venue_.prices(request.body));
    if (path == "/spreads") return reply_of(venue_.spreads(request.body));
    if (path == "/last-trades-prices") return reply_of(venue_.last_trades_prices(request.body));
    if (path == "/batch-prices-history") {
      WebReply reply = reply_of(venue_.batch_prices_history(request.body));
      if (reply.status == 200) reply.body = history_with_faults(std::move(reply.body), {});
      return reply;
    }
  }
  return traded(request);
}

WebReply Desk::traded(const WebRequest& request) {
  const bool cancels = request.method == "DELETE" && !request.path.starts_with("/auth/");
  const bool orders = request.method == "POST" && (request.path == "/order" || request.path == "/orders");
  std::optional<SignerLimits::Standing> standing;
  if (cancels || orders) {
    standing =
        signers_.take(request.header("poly_address"), cancels, cost_of(request), venue_.now(), scenario_.signer_limits);
    if (standing->over && scenario_.signer_limits) {
      const std::int64_t wait = ((standing->full - venue_.now()).us() + 999'999) / 1'000'000;
      return {.status = 429,
              .body = JsonOut{}.put("error", "Too Many Requests").put("retry_after_seconds", wait).text(),
              .headers = {{"Retry-After", std::to_string(wait)}}};
    }
  }
  std::vector<Outgoing> happened;
  WebReply reply = reply_of(venue_.trading(trading_request(request), happened));
  for (const Outgoing& event : happened) tell(event);
  if (standing) {
    reply.headers.emplace_back("Poly-RateLimit-Remaining", fmt::format("{:.0f}", standing->left));
    reply.headers.emplace_back("Poly-RateLimit-Reset", std::to_string(standing->full.us() / 1'000'000));
    reply.headers.emplace_back("Poly-RateLimit-Tier", "standard");
    if (standing->over) reply.headers.emplace_back("Poly-RateLimit-Warning", "true");
  }
  return reply;
}

}  // namespace everlearn::venue
