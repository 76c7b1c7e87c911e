#include "market/event_codec.hpp"

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "market/body_bytes.hpp"

namespace everlearn {
namespace {

struct Kind {
  std::string_view operator()(const PricePoint&) const { return "price"; }
  std::string_view operator()(const Bar&) const { return "bar"; }
  std::string_view operator()(const Trade&) const { return "trade"; }
  std::string_view operator()(const BookUpdate& update) const { return update.snapshot ? "book" : "delta"; }
  std::string_view operator()(const Resolution& of) const { return of.annulled ? "annulment" : "resolution"; }
  std::string_view operator()(const Fields&) const { return "fields"; }
  std::string_view operator()(const PhaseChange&) const { return "phase"; }
  std::string_view operator()(const BookDoubt&) const { return "doubt"; }
  std::string_view operator()(const PastPrices&) const { return "past prices"; }
};

struct Encode {
  ByteWriter& out;
  void operator()(const PricePoint& point) const {
    put_price(out, point.price);
    put_price(out, point.bid);
    put_price(out, point.ask);
  }
  void operator()(const Bar& bar) const { put_bar(out, bar); }
  void operator()(const Trade& trade) const {
    put_price(out, trade.price);
    out.f64(trade.size);
    out.u8(static_cast<std::uint8_t>(trade.side));
  }
  void operator()(const BookUpdate& update) const {
    put_levels(out, update.bids);
    put_levels(out, update.asks);
  }
  void operator()(const Resolution& resolution) const { out.f64(resolution.payout); }
  void operator()(const Fields& fields) const {
    out.f32s(fields.values);
    out.boolean(fields.outcome.has_value());
    if (fields.outcome) out.f64(*fields.outcome);
  }
  void operator()(const PhaseChange& change) const { out.u8(static_cast<std::uint8_t>(change.phase)); }
  void operator()(const BookDoubt&) const {}
  void operator()(const PastPrices& past) const {
    out.time(past.from);
    out.time(past.to);
    out.u32(static_cast<std::uint32_t>(past.prices.size()));
    for (const auto& [time, price] : past.prices) {
      out.time(time);
      put_price(out, price);
    }
    out.text(past.problem);
  }
};

PricePoint get_point(ByteReader& in) {
  PricePoint point;
  point.price = get_price(in);
  point.bid = get_optional_price(in);
  point.ask = get_optional_price(in);
  return point;
}

Result<EventBody> get_trade(ByteReader& in) {
  Trade trade;
  trade.price = get_price(in);
  trade.size = in.f64();
  const std::uint8_t side = in.u8();
  if (side > static_cast<std::uint8_t>(Side::Sell))
    return fail(Code::Damaged, fmt::format("trade: side {} of 2", side));
  trade.side = static_cast<Side>(side);
  return trade;
}

BookUpdate get_book(ByteReader& in, bool snapshot) {
  BookUpdate update;
  update.snapshot = snapshot;
  update.bids = get_levels(in);
  update.asks = get_levels(in);
  return update;
}

Result<EventBody> get_phase(ByteReader& in) {
  const std::uint8_t phase = in.u8();
  if (phase > static_cast<std::uint8_t>(Phase::Disputed))
    return fail(Code::Damaged, fmt::format("phase: {} of {}", phase, static_cast<int>(Phase::Disputed)));
  return PhaseChange{static_cast<Phase>(phase)};
}

PastPrices get_past(ByteReader& in) {
  PastPrices past;
  past.from = in.time();
  past.to = in.time();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const Timestamp time = in.time();
    past.prices.emplace_back(time, get_price(in));
  }
  past.problem = in.text();
  return past;
}

Fields get_fields(ByteReader& in) {
  Fields fields;
  fields.values = in.f32s();
  if (in.boolean()) fields.outcome = in.f64();
  return fields;
}

}  // namespace

std::string_view event_kind(const EventBody& body) { return std::visit(Kind{}, body); }

std::string encode_event(const EventBody& body) {
  ByteWriter out;
  std::visit(Encode{out}, body);
  return out.take();
}

Result<EventBody> decode_event(std::string_view kind, std::string_view bytes) {
  ByteReader in{bytes};
  EventBody body;
  if (kind == "price") {
    body = get_point(in);
  } else if (kind == "bar") {
    body = get_bar(in);
  } else if (kind == "trade") {
    EL_TRY(body, get_trade(in));
  } else if (kind == "book" || kind == "delta") {
    body = get_book(in, kind == "book");
  } else if (kind == "resolution" || kind == "annulment") {
    body = Resolution{.payout = in.f64(), .annulled = kind == "annulment"};
  } else if (kind == "fields") {
    body = get_fields(in);
  } else if (kind == "phase") {
    EL_TRY(body, get_phase(in));
  } else if (kind == "doubt") {
    body = BookDoubt{};
  } else if (kind == "past prices") {
    body = get_past(in);
  } else {
    return fail(Code::Damaged, fmt::format("event of unknown kind {}", quoted(kind)));
  }
  EL_CHECK(in.finish(kind));
  return body;
}

}  // namespace everlearn
