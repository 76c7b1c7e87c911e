#include "market/body_bytes.hpp"

namespace everlearn {

void put_price(ByteWriter& out, Price price) { out.i64(price.nanos()); }
Price get_price(ByteReader& in) { return Price::from_nanos(in.i64()); }

void put_price(ByteWriter& out, const std::optional<Price>& price) {
  out.boolean(price.has_value());
  if (price) put_price(out, *price);
}

std::optional<Price> get_optional_price(ByteReader& in) {
  if (!in.boolean()) return std::nullopt;
  return get_price(in);
}

void put_levels(ByteWriter& out, const std::vector<BookLevel>& levels) {
  out.u32(static_cast<std::uint32_t>(levels.size()));
  for (const BookLevel& level : levels) {
    put_price(out, level.price);
    out.f64(level.size);
  }
}

std::vector<BookLevel> get_levels(ByteReader& in) {
  std::vector<BookLevel> levels;
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {  // grows as bytes are there: a damaged count allocates nothing
    const Price price = get_price(in);
    levels.push_back({price, in.f64()});
  }
  return levels;
}

void put_bar(ByteWriter& out, const Bar& bar) {
  out.time(bar.open_time);
  for (const Price price : {bar.open, bar.high, bar.low, bar.close}) put_price(out, price);
  out.f64(bar.volume);
  out.boolean(bar.vwap.has_value());
  if (bar.vwap) out.f64(*bar.vwap);
  out.boolean(bar.trades.has_value());
  if (bar.trades) out.i64(*bar.trades);
}

Bar get_bar(ByteReader& in) {
  Bar bar;
  bar.open_time = in.time();
  bar.open = get_price(in);
  bar.high = get_price(in);
  bar.low = get_price(in);
  bar.close = get_price(in);
  bar.volume = in.f64();
  if (in.boolean()) bar.vwap = in.f64();
  if (in.boolean()) bar.trades = in.i64();
  return bar;
}

}  // namespace everlearn
