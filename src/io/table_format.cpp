#include "io/table_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr double kLargestSize = 1e15;

struct KindColumns {
  TableKind kind;
  std::string_view name;
  std::vector<std::string_view> required;
  std::vector<std::string_view> optional;
};

const std::vector<KindColumns>& kinds() {
  static const std::vector<KindColumns> kKinds = {
      {TableKind::Prices, "prices", {"timestamp", "token", "price"}, {"bid", "ask", "market", "end_time", "outcome"}},
      {TableKind::Bars, "bars", {"timestamp", "symbol", "open", "high", "low", "close", "volume"}, {"vwap", "trades"}},
      {TableKind::BookEvents,
       "book events",
       {"timestamp", "asset_id", "event_type", "price", "side", "size"},
       {"market_slug", "hash"}},
  };
  return kKinds;
}

bool is_ours(std::string_view column) {
  for (const KindColumns& kind : kinds()) {
    if (std::ranges::count(kind.required, column) + std::ranges::count(kind.optional, column) > 0) return true;
  }
  return false;
}

std::string our_columns() {
  std::string all;
  for (const KindColumns& kind : kinds()) {
    for (const auto* some : {&kind.required, &kind.optional}) {
      for (const std::string_view column : *some) {
        if (all.find(column) == std::string::npos) all += fmt::format("{}{}", all.empty() ? "" : ", ", column);
      }
    }
  }
  return all;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_nan_text(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() == 3 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'a' && (text[2] | 0x20) == 'n';
}

std::optional<double> to_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The one place of a name in the header; a name that stands twice is ambiguous.
Result<std::optional<std::size_t>> place_of(std::span<const std::string> header, std::string_view name) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (trimmed(header[i]) != name) continue;
    if (found) return fail(Code::BadData, fmt::format("column {} stands twice", quoted(name)));
    found = i;
  }
  return found;
}

std::string shown_header(std::span<const std::string> header) {
  std::string shown;
  for (const std::string& name : header) shown += (shown.empty() ? "" : ",") + name;
  return quoted(shown, 200);
}

}  // namespace

std::string_view table_kind_name(TableKind kind) {
  for (const KindColumns& one : kinds()) {
    if (one.kind == kind) return one.name;
  }
  return "";
}

std::optional<std::size_t> TableFormat::find(std::string_view column) const {
  const auto at = columns.find(column);
  if (at == columns.end()) return std::nullopt;
  return at->second;
}

Result<TableFormat> recognise_table(std::span<const std::string> header,
                                    const std::map<std::string, std::string>& names, bool symbol_given) {
  for (const auto& [ours, theirs] : names) {
    if (!is_ours(ours)) {
      return fail(Code::Usage, fmt::format("column {} is none of {}", quoted(ours), our_columns()));
    }
  }
  const auto locate = [&](std::string_view column) -> Result<std::optional<std::size_t>> {
    const auto named = names.find(std::string{column});
    if (named != names.end()) {
      if (named->second.empty()) return std::optional<std::size_t>{};
      EL_TRY(const auto place, place_of(header, named->second));
      if (place) return place;
    }
    return place_of(header, column);
  };

  // The kind that lacks the least, so that the message speaks of what was probably meant.
  std::optional<TableFormat> found;
  const KindColumns* closest = nullptr;
  std::vector<std::string_view> closest_missing;
  double closest_share = 0;
  for (const KindColumns& kind : kinds()) {
    TableFormat format{kind.kind, {}, header.size()};
    std::vector<std::string_view> missing;
    for (const std::string_view column : kind.required) {
      EL_TRY(const auto place, locate(column));
      if (place) {
        format.columns.emplace(column, *place);
      } else if (!(column == "symbol" && symbol_given)) {
        missing.push_back(column);
      }
    }
    if (missing.empty()) {
      for (const std::string_view column : kind.optional) {
        EL_TRY(const auto place, locate(column));
        if (place) format.columns.emplace(column, *place);
      }
      // A table of book events also has all columns of prices if its token is called so: the richer kind wins.
      if (!found || format.columns.size() > found->columns.size()) found = std::move(format);
      continue;
    }
    const double share = static_cast<double>(format.columns.size()) / static_cast<double>(kind.required.size());
    if (closest == nullptr || share > closest_share) {
      closest = &kind;
      closest_missing = missing;
      closest_share = share;
    }
  }
  if (found) return *found;

  if (closest_share == 0 && !header.empty() && std::ranges::any_of(header, looks_like_epoch)) {
    return fail(Code::BadData, fmt::format("no header line: the first line is data, {}; write the names of the columns "
                                           "above it, for example timestamp,token,price",
                                           shown_header(header)));
  }
  std::string hint = fmt::format("; --columns {}=NAME tells under which name it stands", closest_missing.front());
  if (closest_missing.front() == "symbol")
    hint += ", --symbol NAME gives it, --symbol-from-file takes it from the file's name";
  return fail(Code::BadData,
              fmt::format("missing column {} of {} ({}); the file has {}{}", fmt::join(closest_missing, ", "),
                          closest->name, fmt::join(closest->required, ","), shown_header(header), hint));
}

RowResult<Price> checked_price(std::string_view text, std::string_view what, bool probability) {
  if (text.empty()) return refuse("missing price", std::string{what});
  if (is_nan_text(text)) return refuse("NaN price", std::string{what});
  const auto price = Price::parse(text);
  if (!price) {
    const bool too_large = price.error().code == Code::OutOfRange;
    return refuse(too_large ? "price out of range" : "unreadable price", fmt::format("{} {}", what, quoted(text)));
  }
  if (price->nanos() < 0) return refuse("negative price", fmt::format("{} {}", what, text));
  if (price->nanos() == 0) return refuse("zero price", fmt::format("{} {}", what, text));
  if (probability && price->nanos() > Price::kScale) return refuse("price above 1", fmt::format("{} {}", what, text));
  return *price;
}

RowResult<double> checked_size(std::string_view text, std::string_view what) {
  const auto value = to_double(text);
  if (!value) return refuse("unreadable number", fmt::format("{} {}", what, quoted(text)));
  if (!(*value >= 0 && *value <= kLargestSize)) {
    return refuse("number out of range", fmt::format("{} {} not in 0..1e15", what, text));
  }
  return *value;
}

RowResult<void> check_not_crossed(const std::vector<BookLevel>& bids, const std::vector<BookLevel>& asks) {
  const auto by_price = [](const BookLevel& a, const BookLevel& b) { return a.price < b.price; };
  if (bids.empty() || asks.empty()) return {};
  const Price bid = std::ranges::max_element(bids, by_price)->price;
  const Price ask = std::ranges::min_element(asks, by_price)->price;
  if (bid < ask) return {};
  return refuse("crossed book", fmt::format("bid {} is not below ask {}", bid.text(), ask.text()));
}

RowResult<void> RowReader::check_width(std::span<const std::string_view> fields) const {
  if (fields.size() == format_.width) return {};
  return refuse("wrong number of fields", fmt::format("{} instead of {}", fields.size(), format_.width));
}

std::string_view RowReader::field(std::span<const std::string_view> fields, std::string_view column) const {
  const auto at = format_.find(column);
  return at ? trimmed(fields[*at]) : std::string_view{};
}

RowResult<std::string_view> RowReader::instrument(std::span<const std::string_view> fields,
                                                  std::string_view column) const {
  if (!format_.find(column)) return std::string_view{instrument_};
  const std::string_view name = field(fields, column);
  if (name.empty()) return refuse("missing instrument", std::string{column});
  return name;
}

RowResult<Price> RowReader::price_field(std::span<const std::string_view> fields, std::string_view column) const {
  return checked_price(field(fields, column), column, probability_);
}

RowResult<std::optional<Price>> RowReader::quote_field(std::span<const std::string_view> fields,
                                                       std::string_view column) const {
  const std::string_view text = field(fields, column);
  if (text.empty() || is_nan_text(text)) return std::optional<Price>{};
  const auto price = checked_price(text, column, probability_);
  if (!price) return tl::unexpected(price.error());
  return std::optional{*price};
}

// Passes a refusal on; the row formats have too many fields to spell it out each time.
#define EL_ROW(declaration, expression)                                                                \
  auto EL_CONCAT(row_, __LINE__) = (expression);                                                       \
  if (!EL_CONCAT(row_, __LINE__)) return tl::unexpected(std::move(EL_CONCAT(row_, __LINE__)).error()); \
  declaration = *EL_CONCAT(row_, __LINE__)

RowResult<PriceLine> RowReader::price(std::span<const std::string_view> fields) {
  if (auto width = check_width(fields); !width) return tl::unexpected(std::move(width).error());
  PriceLine line;
  EL_ROW(line.instrument, instrument(fields, "token"));
  EL_ROW(line.time, times_.read(field(fields, "timestamp")));
  EL_ROW(line.price, price_field(fields, "price"));
  EL_ROW(line.bid, quote_field(fields, "bid"));
  EL_ROW(line.ask, quote_field(fields, "ask"));
  if (line.bid && line.ask && *line.bid > *line.ask) {
    return refuse("crossed book", fmt::format("bid {} is above ask {}", line.bid->text(), line.ask->text()));
  }
  line.market = field(fields, "market");
  if (const std::string_view text = field(fields, "end_time"); !text.empty()) {
    const auto end = end_times_.read(text);
    if (!end) return refuse("unreadable end_time", end.error().detail);
    line.end_time = end->time;
  }
  if (const std::string_view text = field(fields, "outcome"); !text.empty()) {
    line.outcome = to_double(text);
    if (!line.outcome || (*line.outcome != 0 && *line.outcome != 1)) {
      return refuse("unreadable outcome",
                    fmt::format("{} is neither 0 nor 1 nor empty; --columns outcome= leaves it out", quoted(text)));
    }
  }
  return line;
}

RowResult<BarLine> RowReader::bar(std::span<const std::string_view> fields) {
  if (auto width = check_width(fields); !width) return tl::unexpected(std::move(width).error());
  BarLine line;
  EL_ROW(line.instrument, instrument(fields, "symbol"));
  EL_ROW(line.stamp, times_.read(field(fields, "timestamp")));
  EL_ROW(line.open, price_field(fields, "open"));
  EL_ROW(line.high, price_field(fields, "high"));
  EL_ROW(line.low, price_field(fields, "low"));
  EL_ROW(line.close, price_field(fields, "close"));
  EL_ROW(line.volume, checked_size(field(fields, "volume"), "volume"));
  if (line.high < std::max(line.open, line.close)) {
    return refuse("high below open or close",
                  fmt::format("high {}, open {}, close {}", line.high.text(), line.open.text(), line.close.text()));
  }
  if (line.low > std::min(line.open, line.close)) {
    return refuse("low above open or close",
                  fmt::format("low {}, open {}, close {}", line.low.text(), line.open.text(), line.close.text()));
  }
  // A bar without trades has no average price, whatever stands there.
  if (const std::string_view text = field(fields, "vwap"); line.volume > 0 && !text.empty() && !is_nan_text(text)) {
    EL_ROW(const Price vwap, checked_price(text, "vwap", probability_));
    line.vwap = vwap.value();
  }
  if (const std::string_view text = field(fields, "trades"); !text.empty() && !is_nan_text(text)) {
    EL_ROW(const double trades, checked_size(text, "trades"));
    if (trades != std::floor(trades)) return refuse("unreadable number", fmt::format("trades {}", text));
    line.trades = static_cast<std::int64_t>(trades);
  }
  return line;
}

RowResult<BookLine> RowReader::book(std::span<const std::string_view> fields) {
  if (auto width = check_width(fields); !width) return tl::unexpected(std::move(width).error());
  BookLine line;
  EL_ROW(line.instrument, instrument(fields, "asset_id"));
  EL_ROW(line.time, times_.read(field(fields, "timestamp")));
  const std::string_view type = field(fields, "event_type");
  if (type != "book" && type != "price_change") return refuse("unknown event type", quoted(type));
  line.snapshot = type == "book";
  const std::string_view side = field(fields, "side");
  line.bid = side == "bid" || side == "BUY";
  if (!line.bid && side != "ask" && side != "SELL") return refuse("unknown side", quoted(side));
  EL_ROW(line.level.price, price_field(fields, "price"));
  EL_ROW(line.level.size, checked_size(field(fields, "size"), "size"));
  line.market = field(fields, "market_slug");
  line.hash = field(fields, "hash");
  return line;
}

}  // namespace everlearn
