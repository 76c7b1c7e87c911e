#include "io/venue_answers.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

namespace dom = simdjson::dom;

std::string_view text_of(const dom::element& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

// A number, or a text that is one.
std::optional<double> number_of(const dom::element& object, std::string_view key) {
  double number = 0;
  if (object[key].get(number) == simdjson::SUCCESS) return number;
  const std::string_view text = text_of(object, key);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Text, or a number as it stands.
std::string price_text(const dom::element& value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string{text};
  return value.is_number() ? simdjson::minify(value) : std::string{};
}

void hear(const dom::element& event, std::vector<HeardAsset>& assets) {
  if (!event.is_object()) return;
  if (const auto asset = text_of(event, "asset_id"); !asset.empty())
    assets.push_back({std::string{asset}, std::string{text_of(event, "hash")}});
  dom::array changes;
  if (event["price_changes"].get(changes) == simdjson::SUCCESS)
    for (const dom::element& change : changes)
      if (const auto asset = text_of(change, "asset_id"); !asset.empty())
        assets.push_back({std::string{asset}, std::string{text_of(change, "hash")}});
  dom::array resolved;
  // Other events name assets too, of the whole venue.
  if (text_of(event, "event_type") == "market_resolved" && event["assets_ids"].get(resolved) == simdjson::SUCCESS)
    for (const dom::element& asset : resolved)
      if (std::string_view text; asset.get(text) == simdjson::SUCCESS) assets.push_back({std::string{text}, {}});
}

}  // namespace

struct VenueAnswers::Parser {
  dom::parser document;
  dom::parser inner;  // of texts that hold JSON

  Result<dom::element> read(std::string_view what, std::string_view body) {
    dom::element root;
    // Copies: the caller's text has no room behind it.
    if (const auto error = document.parse(body.data(), body.size()).get(root); error != simdjson::SUCCESS)
      return fail(Code::BadData, fmt::format("{}: {}: {}", what, simdjson::error_message(error), quoted(body)));
    return root;
  }

  Result<dom::array> read_list(std::string_view what, std::string_view body) {
    EL_TRY(const dom::element root, read(what, body));
    dom::array list;
    if (root.get(list) != simdjson::SUCCESS)
      return fail(Code::BadData, fmt::format("{}: no list: {}", what, quoted(body)));
    return list;
  }

  // Of a list, or of a text that holds one.
  void add_texts(const dom::element& object, std::string_view key, std::vector<std::string>& to) {
    dom::element value;
    if (object[key].get(value) != simdjson::SUCCESS) return;
    if (std::string_view text; value.get(text) == simdjson::SUCCESS)
      if (inner.parse(text.data(), text.size()).get(value) != simdjson::SUCCESS) return;
    dom::array list;
    if (value.get(list) != simdjson::SUCCESS) return;
    for (const dom::element& item : list)
      if (std::string_view text; item.get(text) == simdjson::SUCCESS) to.emplace_back(text);
  }
};

VenueAnswers::VenueAnswers() : parser_{std::make_unique<Parser>()} {}
VenueAnswers::~VenueAnswers() = default;

bool VenueAnswers::frame(std::string_view text, std::vector<HeardAsset>& assets) {
  const auto root = parser_->read("frame", text);
  if (!root) return false;
  if (dom::array events; root->get(events) == simdjson::SUCCESS)
    for (const dom::element& event : events) hear(event, assets);
  else
    hear(*root, assets);
  return true;
}

Result<ListedPage> VenueAnswers::listed_page(std::string_view body) {
  EL_TRY(const dom::element root, parser_->read("market list", body));
  ListedPage page;
  dom::array markets;
  // A bare list is the older form, which has no cursor.
  if (root.get(markets) != simdjson::SUCCESS && root["markets"].get(markets) != simdjson::SUCCESS)
    return fail(Code::BadData, "market list: no \"markets\": " + quoted(body));
  if (root.is_object()) page.next_cursor = text_of(root, "next_cursor");
  std::optional<double> before;
  bool falling = true;
  for (const dom::element& market : markets) {
    ++page.markets;
    const auto volume = number_of(market, "volume24hr");
    falling = falling && volume && (!before || *volume <= *before);
    before = volume;
    parser_->add_texts(market, "clobTokenIds", page.tokens);
  }
  if (falling) page.last_volume_24h = before;
  return page;
}

Result<std::vector<HeardAsset>> VenueAnswers::books(std::string_view body) {
  EL_TRY(const dom::array list, parser_->read_list("books", body));
  std::vector<HeardAsset> books;
  for (const dom::element& book : list)
    if (const auto asset = text_of(book, "asset_id"); !asset.empty())
      books.push_back({std::string{asset}, std::string{text_of(book, "hash")}});
  return books;
}

Result<void> VenueAnswers::prices(std::string_view body, Quotes& into) {
  EL_TRY(const dom::element root, parser_->read("prices", body));
  dom::object tokens;
  if (root.get(tokens) != simdjson::SUCCESS) return fail(Code::BadData, "prices: no object: " + quoted(body));
  for (const auto& [token, sides] : tokens)
    for (const char* side : {"BUY", "SELL"})
      if (dom::element price; sides[side].get(price) == simdjson::SUCCESS)
        if (std::string text = price_text(price); !text.empty()) into[std::string{token}][side] = std::move(text);
  return {};
}

Result<void> VenueAnswers::last_trades(std::string_view body, Quotes& into) {
  EL_TRY(const dom::array list, parser_->read_list("last trades", body));
  // Without a side there was no trade, whatever the price says.
  for (const dom::element& trade : list)
    if (dom::element price; trade["price"].get(price) == simdjson::SUCCESS && !text_of(trade, "side").empty())
      if (std::string text = price_text(price); !text.empty())
        into[std::string{text_of(trade, "token_id")}]["LAST"] = std::move(text);
  return {};
}

Result<std::map<std::string, std::string>> VenueAnswers::histories(std::string_view body) {
  EL_TRY(const dom::element root, parser_->read("price histories", body));
  dom::object tokens;
  if (root["history"].get(tokens) != simdjson::SUCCESS)
    return fail(Code::BadData, "price histories: no \"history\": " + quoted(body));
  std::map<std::string, std::string> histories;
  for (const auto& [token, points] : tokens)
    if (points.is_array()) histories[std::string{token}] = simdjson::minify(points);
  return histories;
}

Result<std::string> VenueAnswers::history(std::string_view body) {
  EL_TRY(const dom::element root, parser_->read("price history", body));
  dom::element points;
  if (root["history"].get(points) != simdjson::SUCCESS || !points.is_array())
    return fail(Code::BadData, "price history: no \"history\": " + quoted(body));
  return std::string{simdjson::minify(points)};
}

Result<std::int64_t> VenueAnswers::time(std::string_view body) {
  std::int64_t seconds = 0;
  while (body.ends_with('\n') || body.ends_with(' ')) body.remove_suffix(1);
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), seconds);
  if (error != std::errc{} || end != body.data() + body.size())
    return fail(Code::BadData, "time: no seconds: " + quoted(body));
  return seconds;
}

}  // namespace everlearn
