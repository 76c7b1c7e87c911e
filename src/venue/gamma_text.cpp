#include "venue/gamma_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/json.hpp"
#include "venue/json_members.hpp"

namespace everlearn::venue {
namespace {

std::string yes_no(bool value) { return value ? "true" : "false"; }

/// A text that holds a number, as Gamma writes volumes.
std::string number_text(double value) { return json_quoted(json_number(value)); }

std::string fee_schedule(const MarketView& view) {
  return fmt::format(R"({{"exponent":{},"rate":{},"takerOnly":true,"rebateRate":0.25}})",
                     json_number(view.fee_exponent), json_number(view.fee_rate));
}

std::string resolution_status(const MarketView& view) {
  switch (view.stage) {
    case Stage::Proposed:
      return "proposed";
    case Stage::Disputed:
      return "disputed";
    case Stage::Resolved:
      return "resolved";
    case Stage::Trading:
    case Stage::Stopped:
      return "";
  }
  return "";
}

/// Of both outcomes: what they pay once that is known, else the middle and the rest to one.
std::vector<std::string> outcome_prices(const MarketText& market) {
  if (market.annulled) return {"0", "0"};
  const auto first = market.view.payout ? market.view.payout : market.middle;
  const Price price = first.value_or(Price::from_nanos(Price::kScale / 2));
  return {price.text(), complement(price).text()};
}

/// What a market's object says about now; the same members for recorded and for composed objects.
void put_state(JsonMembers& object, const MarketText& market) {
  const MarketView& view = market.view;
  object.set("outcomePrices", list_in_text(outcome_prices(market)));
  object.set("volume", number_text(view.volume));
  object.set("volumeNum", json_number(view.volume));
  object.set("volumeClob", json_number(view.volume));
  object.set("liquidity", number_text(view.closed ? 0 : view.liquidity));
  object.set("liquidityNum", json_number(view.closed ? 0 : view.liquidity));
  object.set("liquidityClob", json_number(view.closed ? 0 : view.liquidity));
  object.set("active", "true");
  object.set("closed", yes_no(view.closed));
  object.set("acceptingOrders", yes_no(view.accepting_orders));
  object.set("orderPriceMinTickSize", view.tick.text());
  if (view.best_bid) object.set("bestBid", view.best_bid->text());
  if (view.best_ask) object.set("bestAsk", view.best_ask->text());
  if (view.best_bid && view.best_ask)
    object.set("spread", Price::from_nanos(view.best_ask->nanos() - view.best_bid->nanos()).text());
  if (market.last_trade) object.set("lastTradePrice", market.last_trade->text());
  object.set("umaResolutionStatuses", list_in_text(market.resolution_words));
  if (const std::string status = resolution_status(view); !status.empty())
    object.set_text("umaResolutionStatus", status);
  if (view.closed) object.set_text("closedTime", gamma_time(market.closed_at));
  object.set_text("updatedAt", gamma_time(market.now));
}

/// What a market's composed object says for good.
JsonMembers composed(const MarketText& market) {
  const RecordedMarket& recorded = market.recorded;
  const MarketView& view = market.view;
  JsonMembers object;
  object.set_text("id", view.id);
  object.set_text("question", view.question);
  object.set_text("conditionId", view.condition);
  object.set_text("slug", view.slug);
  object.set_text("resolutionSource", "");
  object.set_text("endDate", gamma_time(view.end));
  object.set("liquidity", "\"0\"");
  object.set_text("startDate", gamma_time(view.start));
  object.set_text("image", "");
  object.set_text("icon", "");
  object.set_text("description", recorded.description);
  object.set("outcomes", list_in_text({view.outcomes[0], view.outcomes[1]}));
  object.set("outcomePrices", "\"[]\"");
  object.set("volume", "\"0\"");
  object.set("active", "true");
  object.set("closed", "false");
  object.set_text("marketMakerAddress", "");
  object.set_text("createdAt", gamma_time(view.created));
  object.set_text("updatedAt", gamma_time(view.created));
  for (const char* const never : {"new", "featured", "archived"}) object.set(never, "false");
  object.set("restricted", "true");
  object.set_text("questionID", view.question_id);
  object.set("enableOrderBook", "true");
  object.set("orderPriceMinTickSize", view.tick.text());
  object.set("orderMinSize", view.min_size.text());
  object.set("volumeNum", "0");
  object.set("liquidityNum", "0");
  object.set_text("endDateIso", view.end.date());
  object.set_text("startDateIso", view.start.date());
  object.set("hasReviewedDates", "true");
  object.set("volume24hr", json_number(view.volume_24h));
  object.set("volume1wk", json_number(std::min(view.volume, view.volume_24h * 7)));
  object.set("volume1mo", json_number(std::min(view.volume, view.volume_24h * 30)));
  object.set("volume1yr", json_number(view.volume));
  object.set("clobTokenIds", list_in_text({view.tokens[0], view.tokens[1]}));
  object.set("volumeClob", "0");
  object.set("liquidityClob", "0");
  object.set("makerBaseFee", "1000");
  object.set("takerBaseFee", "1000");
  object.set("acceptingOrders", "true");
  object.set("negRisk", yes_no(view.neg_risk));
  object.set("ready", "false");
  object.set("funded", "false");
  object.set_text("acceptingOrdersTimestamp", gamma_time(view.start));
  object.set("cyom", "false");
  object.set("approved", "true");
  object.set("rewardsMinSize", "0");
  object.set("rewardsMaxSpread", "0");
  object.set("automaticallyActive", "true");
  object.set("manualActivation", "false");
  object.set("negRiskOther", "false");
  object.set("pendingDeployment", "false");
  object.set("deploying", "false");
  object.set("rfqEnabled", "false");
  object.set("feesEnabled", yes_no(view.fee_rate > 0));
  object.set_text("feeType", view.tags + "_fees");
  object.set("feeSchedule", fee_schedule(view));
  return object;
}

/// Recurring markets belong to a series; the slug of one tells its interval.
std::string series_of(const RecordedMarket& recorded) {
  const auto at = recorded.slug.find("-updown-");
  if (at == std::string::npos) return "[]";
  const std::string coin = recorded.slug.substr(0, at);
  const std::string rest = recorded.slug.substr(at + 8);
  const std::string interval = rest.substr(0, rest.find('-'));
  const std::string slug = fmt::format("{}-up-or-down-{}", coin, interval);
  return fmt::format(
      R"([{{"id":"10000","ticker":"{0}","slug":"{0}","title":"{0}","seriesType":"single","recurrence":"{1}",)"
      R"("active":true,"closed":false,"archived":false}}])",
      slug, interval);
}

/// An event without its markets, as it stands inside a market's object.
JsonMembers event_members(const std::vector<MarketText>& markets) {
  const RecordedMarket& first = markets.front().recorded;
  const MarketView& view = markets.front().view;
  double volume = 0, volume_24h = 0, liquidity = 0;
  bool closed = true, neg_risk = false;
  Timestamp start = Timestamp::max(), end = Timestamp::min();
  for (const MarketText& market : markets) {
    volume += market.view.volume;
    volume_24h += market.view.volume_24h;
    liquidity += market.view.closed ? 0 : market.view.liquidity;
    closed = closed && market.view.closed;
    neg_risk = neg_risk || market.view.neg_risk;
    start = std::min(start, market.view.start);
    end = std::max(end, market.view.end);
  }
  JsonMembers object;
  object.set_text("id", view.event_id);
  object.set_text("ticker", view.event_slug);
  object.set_text("slug", view.event_slug);
  object.set_text("title", view.event_title);
  object.set_text("description", first.description);
  object.set_text("resolutionSource", "");
  object.set_text("startDate", gamma_time(start));
  object.set_text("creationDate", gamma_time(start));
  object.set_text("endDate", gamma_time(end));
  object.set_text("image", "");
  object.set_text("icon", "");
  object.set("active", "true");
  object.set("closed", yes_no(closed));
  for (const char* const never : {"archived", "new", "featured"}) object.set(never, "false");
  object.set("restricted", "true");
  object.set("liquidity", json_number(liquidity));
  object.set("volume", json_number(volume));
  object.set("openInterest", "0");
  object.set_text("createdAt", gamma_time(start));
  object.set_text("updatedAt", gamma_time(markets.front().now));
  object.set("volume24hr", json_number(volume_24h));
  object.set("enableOrderBook", "true");
  object.set("liquidityClob", json_number(liquidity));
  object.set("negRisk", yes_no(neg_risk));
  object.set("commentCount", "0");
  object.set("series", series_of(first));
  object.set("cyom", "false");
  object.set("enableNegRisk", yes_no(neg_risk));
  object.set("negRiskAugmented", "false");
  return object;
}

std::string tokens_text(const MarketText& market) {
  const auto prices = outcome_prices(market);
  std::string list = "[";
  for (int i = 0; i < 2; ++i) {
    const bool winner = market.view.closed && prices[static_cast<std::size_t>(i)] == "1";
    list += fmt::format(R"({}{{"token_id":"{}","outcome":{},"price":{},"winner":{}}})", i == 0 ? "" : ",",
                        market.view.tokens[i], json_quoted(market.view.outcomes[i]),
                        prices[static_cast<std::size_t>(i)], winner);
  }
  return list + "]";
}

}  // namespace

std::string gamma_time(Timestamp at) {
  std::string text = at.iso();  // with six decimals and Z
  const std::size_t dot = text.find('.');
  if (dot != std::string::npos && text.compare(dot, std::string::npos, ".000000Z") == 0)
    text = text.substr(0, dot) + "Z";
  return text;
}

std::string gamma_market_text(const MarketText& market) {
  if (!market.recorded.raw.empty()) {
    if (market.as_recorded) return market.recorded.raw;
    auto object = JsonMembers::parse(market.recorded.raw);
    if (object) {
      put_state(*object, market);
      return object->object();
    }
  }
  JsonMembers object = composed(market);
  object.set("events", fmt::format("[{}]", event_members({market}).object()));
  put_state(object, market);
  return object.object();
}

std::string gamma_event_text(const std::vector<MarketText>& markets) {
  if (markets.empty()) return {};
  JsonMembers object = event_members(markets);
  std::string list = "[";
  for (const MarketText& market : markets) {
    if (list.size() > 1) list += ',';
    auto inner = JsonMembers::parse(gamma_market_text(market));
    if (inner) inner->remove("events");
    list += inner ? inner->object() : "{}";
  }
  object.set("markets", list + "]");
  const std::string& category = markets.front().view.tags;
  object.set("tags", fmt::format(R"([{{"id":"{}","label":{},"slug":{}}}])", 1'000 + category.size(),
                                 json_quoted(category), json_quoted(category)));
  return object.object();
}

std::string clob_market_text(const MarketText& market) {
  const MarketView& view = market.view;
  JsonMembers object;
  object.set("enable_order_book", yes_no(!view.closed));
  object.set("active", "true");
  object.set("closed", yes_no(view.closed));
  object.set("archived", "false");
  object.set("accepting_orders", yes_no(view.accepting_orders));
  object.set_text("accepting_order_timestamp", gamma_time(view.start));
  object.set("minimum_order_size", view.min_size.text());
  object.set("minimum_tick_size", view.tick.text());
  object.set_text("condition_id", view.condition);
  object.set_text("question_id", view.question_id);
  object.set_text("question", view.question);
  object.set_text("description", market.recorded.description);
  object.set_text("market_slug", view.slug);
  object.set_text("end_date_iso", gamma_time(view.end));
  object.set("game_start_time", "null");
  object.set("seconds_delay", "0");
  object.set_text("fpmm", "");
  object.set("maker_base_fee", "0");
  object.set("taker_base_fee", "0");
  object.set("notifications_enabled", "true");
  object.set("neg_risk", yes_no(view.neg_risk));
  object.set_text("neg_risk_market_id", "");
  object.set_text("neg_risk_request_id", "");
  object.set_text("icon", "");
  object.set_text("image", "");
  object.set("rewards", R"({"rates":null,"min_size":0,"max_spread":0})");
  object.set("is_50_50_outcome", yes_no(view.closed && view.payout == Price::from_nanos(Price::kScale / 2)));
  object.set("tokens", tokens_text(market));
  object.set("tags", fmt::format("[{}]", json_quoted(view.tags)));
  return object.object();
}

std::string clob_simplified_text(const MarketText& market) {
  const MarketView& view = market.view;
  return fmt::format(
      R"({{"condition_id":"{}","rewards":{{"rates":null,"min_size":0,"max_spread":0}},"tokens":{},"active":true,)"
      R"("closed":{},"archived":false,"accepting_orders":{}}})",
      view.condition, tokens_text(market), view.closed, view.accepting_orders);
}

std::string clob_compact_text(const MarketText& market) {
  const MarketView& view = market.view;
  return fmt::format(
      R"({{"c":"{}","t":[{{"t":"{}","o":{}}},{{"t":"{}","o":{}}}],"mts":{},"mos":{},"nr":{},)"
      R"("fd":{{"r":{},"e":{},"to":true}},"mbf":1000,"tbf":1000,"ao":{},"sd":0,"itode":false,"rfqe":false,"cbos":false}})",
      view.condition, view.tokens[0], json_quoted(view.outcomes[0]), view.tokens[1], json_quoted(view.outcomes[1]),
      view.tick.text(), view.min_size.text(), view.neg_risk, json_number(view.fee_rate), json_number(view.fee_exponent),
      view.accepting_orders);
}

}  // namespace everlearn::venue
