// Gamma: lists of markets and events, filtered, ordered and paged as its documentation says.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/json.hpp"
#include "venue/cursor.hpp"
#include "venue/desk.hpp"

namespace everlearn::venue {
namespace {

constexpr std::size_t kPage = 20, kLongestPage = 100;
constexpr std::size_t kLongestLegacyPage = 500;

WebReply invalid(std::string_view words) {
  return {.status = 422, .body = JsonOut{}.put("type", "validation error").put("error", words).text()};
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> flag_of(const WebRequest& request, std::string_view key) {
  const auto text = request.value(key);
  if (!text) return std::nullopt;
  return *text == "true" || *text == "True" || *text == "1";
}

// A date is its first second.
std::optional<Timestamp> time_of(std::string text) {
  if (text.size() == 10) text += "T00:00:00Z";
  if (text.size() == 19) text += "Z";
  const auto time = Timestamp::parse(text);
  return time ? std::optional{*time} : std::nullopt;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool any(const std::vector<std::string>& wanted, const std::string& value) {
  return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& one) { return lower(one) == lower(value); });
}

// What a market, or the markets of an event together, are filtered and ordered by.
struct Listed {
  std::string id;
  MarketView market;  // of an event: the first market, with the sums of all
};

class Filter {
 public:
  /// Errors: BadData, in words for a 422.
  static Result<Filter> from(const WebRequest& request) {
    Filter filter;
    filter.ids_ = request.values("id");
    filter.slugs_ = request.values("slug");
    filter.tokens_ = request.values("clob_token_ids");
    filter.conditions_ = request.values("condition_ids");
    filter.questions_ = request.values("question_ids");
    // Since April 2026 what is closed is left out unless it is asked for; one that is named is given either way.
    filter.closed_ = flag_of(request, "closed");
    const bool named = !filter.ids_.empty() || !filter.slugs_.empty();
    if (!filter.closed_ && !named) filter.closed_ = false;
    filter.archived_ = flag_of(request, "archived");
    filter.active_ = flag_of(request, "active");
    for (const std::string_view field : {"volume", "liquidity"}) {
      for (const std::string_view form : {"_num_min", "_num_max", "_min", "_max"}) {
        const std::string key = fmt::format("{}{}", field, form);
        const auto text = request.value(key);
        if (!text) continue;
        const auto value = number_of(*text);
        if (!value) return fail(Code::BadData, fmt::format("{}: '{}' is not a number", key, *text));
        auto& range = field == "volume" ? filter.volume_ : filter.liquidity_;
        (form.ends_with("min") ? range.first : range.second) = *value;
      }
    }
    for (const std::string_view field : {"start", "end"}) {
      for (const std::string_view form : {"_date_min", "_date_max"}) {
        const std::string key = fmt::format("{}{}", field, form);
        const auto text = request.value(key);
        if (!text) continue;
        const auto time = time_of(*text);
        if (!time) return fail(Code::BadData, fmt::format("{}: '{}' is not an ISO 8601 time", key, *text));
        auto& range = field == "start" ? filter.start_ : filter.end_;
        (form.ends_with("min") ? range.first : range.second) = *time;
      }
    }
    return filter;
  }

  bool takes(const Listed& one) const {
    const MarketView& market = one.market;
    const auto in = [](const auto& range, const auto& value) {
      return (!range.first || value >= *range.first) && (!range.second || value <= *range.second);
    };
    if (!ids_.empty() && !any(ids_, one.id)) return false;
    if (!slugs_.empty() && !any(slugs_, market.slug) && !any(slugs_, market.event_slug)) return false;
    if (!tokens_.empty() && !any(tokens_, market.tokens[0]) && !any(tokens_, market.tokens[1])) return false;
    if (!conditions_.empty() && !any(conditions_, market.condition)) return false;
    if (!questions_.empty() && !any(questions_, market.question_id)) return false;
    if (closed_ && market.closed != *closed_) return false;
    if (archived_.value_or(false) || !active_.value_or(true)) return false;  // nothing here is archived or inactive
    return in(volume_, market.volume) && in(liquidity_, market.liquidity) && in(start_, market.start) &&
           in(end_, market.end);
  }

 private:
  std::vector<std::string> ids_, slugs_, tokens_, conditions_, questions_;
  std::optional<bool> closed_, archived_, active_;
  std::pair<std::optional<double>, std::optional<double>> volume_, liquidity_;
  std::pair<std::optional<Timestamp>, std::optional<Timestamp>> start_, end_;
};

// Where something stands in an order: compared as numbers, or as text where the venue does so.
struct Place {
  double number = 0;
  std::string text;
  std::uint64_t id = 0;  // breaks ties, ascending
};

std::uint64_t id_number(std::string_view id) {
  std::uint64_t value = 0;
  std::from_chars(id.data(), id.data() + id.size(), value);
  return value;
}

class Order {
 public:
  static Result<Order> from(const WebRequest& request) {
    Order order;
    order.field_ = request.value("order").value_or("");
    order.field_ = order.field_.substr(0, order.field_.find(','));
    order.ascending_ = flag_of(request, "ascending").value_or(true) || order.field_.empty();
    constexpr std::string_view kKnown[] = {
        "",          "id",      "volume",    "volumeNum",  "volume24hr", "volume_24hr", "liquidity", "liquidityNum",
        "startDate", "endDate", "createdAt", "start_date", "end_date",   "slug",        "question"};
    if (std::find(std::begin(kKnown), std::end(kKnown), order.field_) == std::end(kKnown))
      return fail(Code::BadData, fmt::format("order: there is no field '{}'", order.field_));
    return order;
  }

  Place place(const Listed& one) const {
    const MarketView& market = one.market;
    Place place{.id = id_number(one.id)};
    const auto seconds = [](Timestamp t) { return static_cast<double>(t.us()) / 1e6; };
    if (field_ == "volume")
      place.text = fmt::format("{:.6f}", market.volume);  // a column of text: sorts as text
    else if (field_ == "volumeNum")
      place.number = market.volume;
    else if (field_ == "volume24hr" || field_ == "volume_24hr")
      place.number = market.volume_24h;
    else if (field_ == "liquidity" || field_ == "liquidityNum")
      place.number = market.liquidity;
    else if (field_ == "startDate" || field_ == "start_date")
      place.number = seconds(market.start);
    else if (field_ == "endDate" || field_ == "end_date")
      place.number = seconds(market.end);
    else if (field_ == "createdAt")
      place.number = seconds(market.created);
    else if (field_ == "slug")
      place.text = market.slug;
    else if (field_ == "question")
      place.text = market.question;
    return place;
  }

  bool before(const Place& a, const Place& b) const {
    if (a.number != b.number) return (a.number < b.number) == ascending_;
    if (a.text != b.text) return (a.text < b.text) == ascending_;
    return a.id < b.id;
  }

 private:
  std::string field_;
  bool ascending_ = true;
};

struct Page {
  std::vector<const Listed*> items;
  std::string next;  // empty on the last page
};

// Pages by where the last one ended, not by a count: what is closed meanwhile moves nothing.
Result<Page> page_of(std::vector<Listed>& all, const WebRequest& request, bool keyset, std::size_t longest) {
  EL_TRY(const Filter filter, Filter::from(request));
  EL_TRY(const Order order, Order::from(request));
  std::size_t limit = kPage, offset = 0;
  if (const auto text = request.value("limit")) {
    const auto value = number_of(*text);
    if (!value || *value < 0) return fail(Code::BadData, fmt::format("limit: '{}' is not a number from 0 on", *text));
    limit = std::min(longest, static_cast<std::size_t>(*value));
  }
  if (const auto text = request.value("offset")) {
    if (keyset) return fail(Code::BadData, "offset is not allowed with keyset pagination");
    const auto value = number_of(*text);
    if (!value || *value < 0) return fail(Code::BadData, fmt::format("offset: '{}' is not a number from 0 on", *text));
    offset = static_cast<std::size_t>(*value);
  }
  std::vector<std::pair<Place, const Listed*>> chosen;
  for (const Listed& one : all)
    if (filter.takes(one)) chosen.emplace_back(order.place(one), &one);
  std::sort(chosen.begin(), chosen.end(), [&](const auto& a, const auto& b) { return order.before(a.first, b.first); });
  std::size_t begin = std::min(offset, chosen.size());
  if (const auto cursor = request.value("after_cursor"); cursor && keyset) {
    const auto place = decode_cursor(*cursor);
    if (!place || place->size() != 3) return fail(Code::BadData, "after_cursor: not a cursor of this list");
    const Place after{.number = number_of((*place)[0]).value_or(0), .text = (*place)[1], .id = id_number((*place)[2])};
    while (begin < chosen.size() && !order.before(after, chosen[begin].first)) ++begin;
  }
  Page page;
  for (std::size_t i = begin; i < chosen.size() && page.items.size() < limit; ++i)
    page.items.push_back(chosen[i].second);
  const std::size_t end = begin + page.items.size();
  if (keyset && end < chosen.size() && end > begin) {
    const Place& last = chosen[end - 1].first;
    page.next = encode_cursor({fmt::format("{}", last.number), last.text, std::to_string(last.id)});
  }
  return page;
}

}  // namespace

WebReply Desk::gamma(const WebRequest& request) {
  const std::string_view path = request.path;
  if (request.method != "GET") return WebReply::refusal(405, "method not allowed");
  const auto starts = [path](std::string_view prefix) { return path.substr(0, prefix.size()) == prefix; };
  const bool events = starts("/events");

  if (path == "/markets" || path == "/markets/keyset" || path == "/events" || path == "/events/keyset") {
    const bool keyset = path.ends_with("/keyset");
    std::vector<Listed> all;
    if (events) {
      for (const std::string& id : venue_.event_ids()) {
        const std::vector<MarketIndex> markets = venue_.event_markets(id);
        if (markets.empty()) continue;
        Listed one{.id = id, .market = venue_.view(markets.front())};
        for (std::size_t i = 1; i < markets.size(); ++i) {
          const MarketView next = venue_.view(markets[i]);
          one.market.closed = one.market.closed && next.closed;
          one.market.volume += next.volume;
          one.market.volume_24h += next.volume_24h;
          one.market.liquidity += next.liquidity;
          one.market.end = std::max(one.market.end, next.end);
        }
        all.push_back(std::move(one));
      }
    } else {
      for (const MarketIndex index : venue_.listed()) {
        MarketView view = venue_.view(index);
        std::string id = view.id;
        all.push_back({.id = std::move(id), .market = std::move(view)});
      }
    }
    const auto page = page_of(all, request, keyset, keyset ? kLongestPage : kLongestLegacyPage);
    if (!page) return invalid(page.error().message);
    std::string list = "[";
    for (const Listed* one : page->items) {
      if (list.size() > 1) list += ',';
      list += events ? venue_.gamma_event(one->id) : venue_.gamma_market(one->market.index);
    }
    list += ']';
    if (!keyset) return WebReply::json(std::move(list));
    JsonOut out;
    out.put_json(events ? "events" : "markets", list);
    if (!page->next.empty()) out.put("next_cursor", page->next);
    return WebReply::json(out.text());
  }

  const WebReply missing{.status = 404, .body = R"({"type":"not found error","error":"id not found"})"};
  if (starts("/markets/")) {
    const std::string_view rest = path.substr(9);
    const auto market = rest.starts_with("slug/") ? venue_.by_slug(rest.substr(5)) : venue_.by_id(rest);
    return market ? WebReply::json(venue_.gamma_market(*market)) : missing;
  }
  if (starts("/events/")) {
    const std::string_view rest = path.substr(8);
    std::string event{rest};
    if (rest.starts_with("slug/")) {
      event.clear();
      for (const std::string& id : venue_.event_ids()) {
        const std::vector<MarketIndex> markets = venue_.event_markets(id);
        if (!markets.empty() && venue_.view(markets.front()).event_slug == rest.substr(5)) event = id;
      }
    }
    std::string object = event.empty() ? std::string{} : venue_.gamma_event(event);
    return object.empty() ? missing : WebReply::json(std::move(object));
  }
  if (path == "/public-search") {
    const std::string wanted = lower(request.value("q").value_or(""));
    std::string list;
    for (const std::string& id : venue_.event_ids()) {
      const std::vector<MarketIndex> markets = venue_.event_markets(id);
      const auto named = [&](MarketIndex index) {
        const MarketView view = venue_.view(index);
        return lower(view.question + " " + view.event_title).find(wanted) != std::string::npos;
      };
      if (wanted.empty() || std::none_of(markets.begin(), markets.end(), named)) continue;
      if (!list.empty()) list += ',';
      list += venue_.gamma_event(id);
    }
    return WebReply::json(fmt::format(
        R"({{"events":[{}],"tags":[],"profiles":[],"pagination":{{"hasMore":false,"totalResults":0}}}})", list));
  }
  // The recordings hold nothing of these.
  for (const std::string_view empty : {"/tags", "/series", "/sports", "/teams", "/comments"})
    if (path == empty) return WebReply::json("[]");
  if (path == "/sports/market-types") return WebReply::json(R"({"marketTypes":[]})");
  return missing;
}

}  // namespace everlearn::venue
