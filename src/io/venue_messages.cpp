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
#include "io/venue_json.hpp"

namespace everlearn {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::int64_t kEarliestMs = days_since_epoch({1990, 1, 1}) * 86'400'000;
constexpr std::int64_t kLatestMs = days_since_epoch({2100, 1, 1}) * 86'400'000;

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

/// A side of the best prices: nothing, 0 and, for asks, 1 stand for an empty one.
std::optional<Price> best_of(const object& from, std::string_view key) {
  const auto price = checked_price(text_of(from, key), key, true);
  if (!price || price->nanos() >= Price::kScale) return std::nullopt;
  return *price;
}

/// One event of a frame.
class PolymarketEvent {
 public:
  PolymarketEvent(const object& event, VenueFrame& frame) : event_{event}, frame_{frame} {}

  RowResult<void> read() {
    const std::string type = text_of(event_, "event_type");
    if (type == "book") return book();
    if (type == "price_change") return price_change();
    if (type == "last_trade_price") return trade();
    if (type == "tick_size_change") return tick_size("new_tick_size");
    if (type == "market_resolved") return resolved();
    if (type == "best_bid_ask") return best_bid_ask();
    return {};
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
    if (const auto least = number_of(event_, "min_order_size"); least && *least >= 0) {
      frame_.min_sizes.emplace_back(one->instrument, *least);
    }
    one->what = BookUpdate{true, *std::move(bids), *std::move(asks)};
    frame_.items.push_back(*std::move(one));
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

  RowResult<void> price_change() {
    simdjson::dom::array changes;
    RowResult<void> done;
    if (event_["price_changes"].get(changes) == simdjson::SUCCESS) {
      done = change_all(changes, true);
    } else if (event_["changes"].get(changes) == simdjson::SUCCESS) {
      done = change_all(changes, false);
    } else {
      done = change(event_, event_);
    }
    if (!done) return done;
    for (BestQuotes& one : best_) one.after = frame_.items.size();
    std::ranges::move(best_, std::back_inserter(frame_.best));
    return {};
  }

  RowResult<void> change_all(const simdjson::dom::array& changes, bool each_names_its_asset) {
    for (const element one : changes) {
      object pair;
      if (one.get(pair) != simdjson::SUCCESS) return refuse("incomplete message", "a price change");
      if (auto ok = change(each_names_its_asset ? pair : event_, pair); !ok) return ok;
    }
    return {};
  }

  /// All changes of one asset in a message are one update, also between those of its complement: half of them is no
  /// state of the market.
  RowResult<void> change(const object& about, const object& values) {
    auto one = item(about);
    if (!one) return tl::unexpected(std::move(one).error());
    const auto new_level = level(values);
    if (!new_level) return tl::unexpected(new_level.error());
    const auto which = side(values);
    if (!which) return tl::unexpected(which.error());
    note_best(values, one->instrument, one->event_time);
    const auto begin = frame_.items.begin() + static_cast<std::ptrdiff_t>(first_);
    const auto there = std::find_if(begin, frame_.items.end(), [&](const VenueItem& item) {
      return item.instrument == one->instrument && std::holds_alternative<BookUpdate>(item.what);
    });
    BookUpdate* same = there == frame_.items.end() ? nullptr : std::get_if<BookUpdate>(&there->what);
    if (same == nullptr) {
      one->what = BookUpdate{};
      same = std::get_if<BookUpdate>(&frame_.items.emplace_back(*std::move(one)).what);
    }
    (*which == Side::Buy ? same->bids : same->asks).push_back(*new_level);
    return {};
  }

  /// Of an asset that a message changes several times, what is said last.
  void note_best(const object& from, const std::string& instrument, Timestamp time) {
    if (from["best_bid"].error() != simdjson::SUCCESS || from["best_ask"].error() != simdjson::SUCCESS) return;
    auto at = std::ranges::find(best_, instrument, &BestQuotes::instrument);
    if (at == best_.end()) at = best_.insert(best_.end(), BestQuotes{instrument, time, {}, {}, true, 0});
    at->bid = best_of(from, "best_bid");
    at->ask = best_of(from, "best_ask");
  }

  /// It changes nothing: one that cannot be read is no loss.
  RowResult<void> best_bid_ask() {
    const auto one = item(event_);
    if (!one) return {};
    frame_.best.push_back({one->instrument, one->event_time, best_of(event_, "best_bid"), best_of(event_, "best_ask"),
                           false, frame_.items.size()});
    return {};
  }

  RowResult<void> trade() {
    auto one = item(event_);
    if (!one) return tl::unexpected(std::move(one).error());
    const auto read = level(event_);
    if (!read) return tl::unexpected(read.error());
    const auto taker = side(event_);
    one->what = Trade{read->price, read->size, taker.value_or(Side::Unknown)};
    frame_.items.push_back(*std::move(one));
    return {};
  }

  RowResult<void> tick_size(std::string_view key) {
    auto one = item(event_);
    if (!one) return tl::unexpected(std::move(one).error());
    const auto size = checked_price(text_of(event_, key), key, true);
    if (!size) return tl::unexpected(size.error());
    one->what = TickSize{*size};
    frame_.items.push_back(*std::move(one));
    return {};
  }

  RowResult<void> resolved() {
    const auto time = timestamp(event_);
    if (!time) return tl::unexpected(time.error());
    simdjson::dom::array assets;
    if (event_["assets_ids"].get(assets) != simdjson::SUCCESS) return refuse("incomplete message", "no assets_ids");
    const std::string market = text_of(event_, "market");
    const std::string winner = text_of(event_, "winning_asset_id");
    if (winner.empty()) {
      frame_.undecided.push_back(market);
      return {};
    }
    for (const element one : assets) {
      std::string_view asset;
      if (one.get(asset) != simdjson::SUCCESS) return refuse("incomplete message", "an asset id");
      frame_.items.push_back({std::string{asset}, market, *time, Resolution{asset == winner ? 1.0 : 0.0}});
    }
    return {};
  }

  const object& event_;
  VenueFrame& frame_;
  const std::size_t first_ = frame_.items.size();
  std::vector<BestQuotes> best_;  // of this message, one an asset
};

using ReadEvent = RowResult<void> (PolymarketEvent::*)();

/// One event, all of it or nothing.
RowResult<void> read_event(const element& one, ReadEvent read, VenueFrame& frame) {
  object event;
  if (one.get(event) != simdjson::SUCCESS) return refuse("unreadable message", "not an object");
  const std::size_t items = frame.items.size();
  const std::size_t sizes = frame.min_sizes.size();
  auto done = (PolymarketEvent{event, frame}.*read)();
  if (!done) {
    frame.items.resize(items);
    frame.min_sizes.resize(sizes);
  }
  return done;
}

/// Reads one object or the objects of an array. What is refused is kept in the frame.
void read_events(const element& document, ReadEvent read, VenueFrame& frame) {
  const auto one_event = [&](const element& one) {
    if (auto done = read_event(one, read, frame); !done) {
      frame.refused.push_back({std::move(done).error(), simdjson::to_string(one)});
    }
  };
  simdjson::dom::array events;
  if (document.get(events) == simdjson::SUCCESS) {
    for (const element one : events) one_event(one);
  } else if (document.is_object()) {
    one_event(document);
  } else {
    frame.refused.push_back({{"unreadable message", "neither an object nor an array"}, simdjson::to_string(document)});
  }
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
  VenueFrame frame;
  read_frame(envelope.raw, frame);
  if (!frame.refused.empty()) return tl::unexpected(std::move(frame.refused.front().refusal));
  std::ranges::move(frame.items, std::back_inserter(items));
  return {};
}

void VenueMessages::read_frame(std::string_view raw, VenueFrame& frame) {
  if (raw.empty() || raw == "PING" || raw == "PONG") return;
  if (raw.size() > kLargestFrame) {
    frame.refused.push_back(
        {{"oversized frame", fmt::format("{} bytes, at most {}", raw.size(), kLargestFrame)}, std::string{raw}});
    return;
  }
  const auto document = parsed(parser_->frames, raw);
  if (!document) {
    frame.refused.push_back({document.error(), std::string{raw}});
  } else {
    read_events(*document, &PolymarketEvent::read, frame);
  }
}

void VenueMessages::read_books(std::string_view raw, VenueFrame& frame) {
  const auto document = parsed(parser_->frames, raw);
  if (!document) {
    frame.refused.push_back({document.error(), std::string{raw}});
  } else {
    read_events(*document, &PolymarketEvent::book, frame);
  }
}

}  // namespace everlearn
