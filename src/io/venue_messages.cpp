// Polymarket's market channel. Shapes by year: price_change came flat in 2024, as `changes` of one asset in mid 2025
// and as `price_changes` of several assets since 2025-09-15. Sizes in it are the new total of a level, 0 removes it;
// BUY is the bid side. A book replaces everything. Numbers come as text or as numbers; unknown keys and events are
// ignored.
#include "io/venue_messages.hpp"

#include <simdjson.h>

#include <algorithm>

#include <fmt/format.h>

#include "core/civil.hpp"
#include "core/decimal.hpp"
#include "core/quoted.hpp"
#include "io/table_format.hpp"

namespace everlearn {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::int64_t kEarliestMs = days_since_epoch({1990, 1, 1}) * 86'400'000;
constexpr std::int64_t kLatestMs = days_since_epoch({2100, 1, 1}) * 86'400'000;

/// Text or number as text; empty where the key is absent or null.
std::string text_of(const object& from, std::string_view key) {
  element value;
  if (from[key].get(value) != simdjson::SUCCESS || value.is_null()) return {};
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string{text};
  std::int64_t whole = 0;
  if (value.get(whole) == simdjson::SUCCESS) return fmt::format("{}", whole);
  double number = 0;
  if (value.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return simdjson::to_string(value);
}

RowResult<std::string> required_text(const object& from, std::string_view key) {
  std::string text = text_of(from, key);
  if (text.empty()) return refuse("incomplete message", fmt::format("no {}", key));
  return text;
}

RowResult<Timestamp> timestamp(const object& from) {
  const std::string text = text_of(from, "timestamp");
  const auto ms = parse_decimal(text, {"timestamp", 0});
  if (!ms || *ms < kEarliestMs || *ms >= kLatestMs) {
    return refuse("unreadable time", fmt::format("timestamp {} is no time in ms", everlearn::quoted(text)));
  }
  return Timestamp{*ms * 1'000};
}

RowResult<BookLevel> level(const object& from) {
  const auto price = checked_price(text_of(from, "price"), "price", true);
  if (!price) return tl::unexpected(price.error());
  const auto size = checked_size(text_of(from, "size"), "size");
  if (!size) return tl::unexpected(size.error());
  return BookLevel{*price, *size};
}

RowResult<Side> side(const object& from) {
  const std::string text = text_of(from, "side");
  if (text == "BUY") return Side::Buy;
  if (text == "SELL") return Side::Sell;
  return refuse("unknown side", everlearn::quoted(text));
}

RowResult<std::vector<BookLevel>> levels(const object& from, std::string_view key) {
  std::vector<BookLevel> all;
  simdjson::dom::array array;
  if (from[key].get(array) != simdjson::SUCCESS) return refuse("incomplete message", fmt::format("no {}", key));
  for (const element one : array) {
    object pair;
    if (one.get(pair) != simdjson::SUCCESS) return refuse("incomplete message", fmt::format("a level of {}", key));
    auto read = level(pair);
    if (!read) return tl::unexpected(std::move(read).error());
    if (read->size > 0) all.push_back(*read);
  }
  return all;
}

/// One event of a frame.
class PolymarketEvent {
 public:
  PolymarketEvent(const object& event, std::vector<VenueItem>& items) : event_{event}, items_{items} {}

  RowResult<void> read() {
    const std::string type = text_of(event_, "event_type");
    if (type == "book") return book();
    if (type == "price_change") return price_change();
    if (type == "last_trade_price") return trade();
    if (type == "tick_size_change") return tick_size("new_tick_size");
    if (type == "market_resolved") return resolved();
    return {};
  }

 private:
  RowResult<VenueItem> item(const object& about) {
    auto asset = required_text(about, "asset_id");
    if (!asset) return tl::unexpected(std::move(asset).error());
    const auto time = timestamp(event_);
    if (!time) return tl::unexpected(time.error());
    return VenueItem{*std::move(asset), text_of(event_, "market"), *time, Trade{}};
  }

  RowResult<void> book() {
    auto one = item(event_);
    if (!one) return tl::unexpected(std::move(one).error());
    if (!text_of(event_, "tick_size").empty()) {
      if (auto ok = tick_size("tick_size"); !ok) return ok;
    }
    auto bids = levels(event_, "bids");
    if (!bids) return tl::unexpected(std::move(bids).error());
    auto asks = levels(event_, "asks");
    if (!asks) return tl::unexpected(std::move(asks).error());
    if (auto ok = check_not_crossed(*bids, *asks); !ok) return ok;
    std::ranges::sort(*bids, [](const BookLevel& a, const BookLevel& b) { return a.price > b.price; });
    std::ranges::sort(*asks, [](const BookLevel& a, const BookLevel& b) { return a.price < b.price; });
    one->what = BookUpdate{true, *std::move(bids), *std::move(asks)};
    items_.push_back(*std::move(one));
    return {};
  }

  RowResult<void> price_change() {
    simdjson::dom::array changes;
    if (event_["price_changes"].get(changes) == simdjson::SUCCESS) return change_all(changes, true);
    if (event_["changes"].get(changes) == simdjson::SUCCESS) return change_all(changes, false);
    return change(event_, event_);
  }

  RowResult<void> change_all(const simdjson::dom::array& changes, bool each_names_its_asset) {
    for (const element one : changes) {
      object pair;
      if (one.get(pair) != simdjson::SUCCESS) return refuse("incomplete message", "a price change");
      if (auto ok = change(each_names_its_asset ? pair : event_, pair); !ok) return ok;
    }
    return {};
  }

  /// Changes of one asset that follow each other in a message are one update: half of them is no state of the market.
  RowResult<void> change(const object& about, const object& values) {
    auto one = item(about);
    if (!one) return tl::unexpected(std::move(one).error());
    const auto new_level = level(values);
    if (!new_level) return tl::unexpected(new_level.error());
    const auto which = side(values);
    if (!which) return tl::unexpected(which.error());
    auto* same = items_.size() > first_ && items_.back().instrument == one->instrument
                     ? std::get_if<BookUpdate>(&items_.back().what)
                     : nullptr;
    if (same == nullptr) {
      one->what = BookUpdate{};
      same = std::get_if<BookUpdate>(&items_.emplace_back(*std::move(one)).what);
    }
    (*which == Side::Buy ? same->bids : same->asks).push_back(*new_level);
    return {};
  }

  RowResult<void> trade() {
    auto one = item(event_);
    if (!one) return tl::unexpected(std::move(one).error());
    const auto read = level(event_);
    if (!read) return tl::unexpected(read.error());
    const auto taker = side(event_);
    one->what = Trade{read->price, read->size, taker.value_or(Side::Unknown)};
    items_.push_back(*std::move(one));
    return {};
  }

  RowResult<void> tick_size(std::string_view key) {
    auto one = item(event_);
    if (!one) return tl::unexpected(std::move(one).error());
    const auto size = checked_price(text_of(event_, key), key, true);
    if (!size) return tl::unexpected(size.error());
    one->what = TickSize{*size};
    items_.push_back(*std::move(one));
    return {};
  }

  RowResult<void> resolved() {
    const auto time = timestamp(event_);
    if (!time) return tl::unexpected(time.error());
    const auto winner = required_text(event_, "winning_asset_id");
    if (!winner) return tl::unexpected(winner.error());
    simdjson::dom::array assets;
    if (event_["assets_ids"].get(assets) != simdjson::SUCCESS) return refuse("incomplete message", "no assets_ids");
    for (const element one : assets) {
      std::string_view asset;
      if (one.get(asset) != simdjson::SUCCESS) return refuse("incomplete message", "an asset id");
      items_.push_back(
          {std::string{asset}, text_of(event_, "market"), *time, Resolution{asset == *winner ? 1.0 : 0.0}});
    }
    return {};
  }

  const object& event_;
  std::vector<VenueItem>& items_;
  const std::size_t first_ = items_.size();
};

RowResult<void> read_polymarket(element frame, std::vector<VenueItem>& items) {
  object event;
  if (frame.get(event) == simdjson::SUCCESS) return PolymarketEvent{event, items}.read();
  simdjson::dom::array events;
  if (frame.get(events) != simdjson::SUCCESS) return refuse("unreadable message", "neither an object nor an array");
  for (const element one : events) {
    if (one.get(event) != simdjson::SUCCESS) return refuse("unreadable message", "not an object");
    if (auto ok = PolymarketEvent{event, items}.read(); !ok) return ok;
  }
  return {};
}

}  // namespace

struct VenueMessages::Parser {
  simdjson::dom::parser lines;
  simdjson::dom::parser frames;
};

VenueMessages::VenueMessages() : parser_{std::make_unique<Parser>()} {}
VenueMessages::~VenueMessages() = default;

RowResult<Envelope> VenueMessages::envelope(std::string_view line) {
  element document;
  object fields;
  const auto error = parser_->lines.parse(line.data(), line.size()).get(document);
  if (error != simdjson::SUCCESS) return refuse("unreadable JSON", simdjson::error_message(error));
  if (document.get(fields) != simdjson::SUCCESS) return refuse("unreadable JSON", "not an object");
  Envelope envelope{text_of(fields, "received"), text_of(fields, "venue"), text_of(fields, "channel"), {}};
  if (envelope.received.empty() || envelope.venue.empty() || envelope.channel.empty()) {
    return refuse("incomplete message", "needs received, venue, channel and raw");
  }
  if (fields["raw"].error() != simdjson::SUCCESS) return refuse("incomplete message", "no raw");
  envelope.raw = text_of(fields, "raw");
  return envelope;
}

RowResult<void> VenueMessages::read(const Envelope& envelope, std::vector<VenueItem>& items) {
  if (envelope.venue != "polymarket") {
    return refuse("unknown venue",
                  fmt::format("venue {} is not known (known: polymarket)", everlearn::quoted(envelope.venue)));
  }
  if (envelope.channel != "market") return {};
  if (envelope.raw.empty() || envelope.raw == "PING" || envelope.raw == "PONG") return {};
  element frame;
  const auto error = parser_->frames.parse(envelope.raw).get(frame);
  if (error != simdjson::SUCCESS) return refuse("unreadable message", simdjson::error_message(error));
  const std::size_t had = items.size();
  auto result = read_polymarket(frame, items);
  if (!result) items.resize(had);
  return result;
}

}  // namespace everlearn
