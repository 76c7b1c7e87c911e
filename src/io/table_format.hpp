// What the columns of a table are, and what a row of it says. The header decides on the kind:
//   prices       timestamp, token, price             and maybe bid, ask, market, end_time, outcome
//   bars         timestamp, symbol, open, high, low, close, volume      and maybe vwap, trades
//   book events  timestamp, asset_id, event_type, price, side, size     and maybe market_slug, hash
// A row that contradicts itself is refused here; order and repetition are the reader's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/price.hpp"
#include "core/result.hpp"
#include "io/refusal.hpp"
#include "io/time_reader.hpp"
#include "market/event.hpp"

namespace everlearn {

enum class TableKind { Prices, Bars, BookEvents };

std::string_view table_kind_name(TableKind kind);

/// Where each column of ours stands in the file; absent ones have no entry.
struct TableFormat {
  TableKind kind{};
  std::map<std::string, std::size_t, std::less<>> columns;
  std::size_t width = 0;  // fields a row must have

  std::optional<std::size_t> find(std::string_view column) const;
};

/// `names`: our name -> the file's; an empty name means: read as if the file had no such column. A name the file does
/// not have is no error where the file has ours. `symbol_given`: a bars file may lack `symbol`. Errors: Usage for a
/// column that is not ours; BadData naming what is missing.
Result<TableFormat> recognise_table(std::span<const std::string> header,
                                    const std::map<std::string, std::string>& names, bool symbol_given);

struct PriceLine {
  std::string_view instrument;
  ReadTime time;
  Price price;
  std::optional<Price> bid, ask;
  std::string_view market;
  std::optional<Timestamp> end_time;
  std::optional<double> outcome;
};

struct BarLine {
  std::string_view instrument;
  ReadTime stamp;
  Price open, high, low, close;
  double volume = 0;
  std::optional<double> vwap;
  std::optional<std::int64_t> trades;
};

struct BookLine {
  std::string_view instrument;
  std::string_view market;
  std::string_view hash;
  ReadTime time;
  bool snapshot = false;  // one level of a whole book; else the new size of a level
  bool bid = false;
  BookLevel level;
};

/// Reads the rows of one file. Views point into the fields given. One thread.
class RowReader {
 public:
  /// `instrument`: of every row, where the table has no column for it. `times` and `end_times` outlive the reader.
  RowReader(TableFormat format, std::string instrument, bool probability, TimeReader& times, TimeReader& end_times)
      : format_{std::move(format)},
        instrument_{std::move(instrument)},
        probability_{probability},
        times_{times},
        end_times_{end_times} {}

  RowResult<PriceLine> price(std::span<const std::string_view> fields);
  RowResult<BarLine> bar(std::span<const std::string_view> fields);
  RowResult<BookLine> book(std::span<const std::string_view> fields);
  const TableFormat& format() const { return format_; }

 private:
  RowResult<void> check_width(std::span<const std::string_view> fields) const;
  std::string_view field(std::span<const std::string_view> fields, std::string_view column) const;
  RowResult<std::string_view> instrument(std::span<const std::string_view> fields, std::string_view column) const;
  RowResult<Price> price_field(std::span<const std::string_view> fields, std::string_view column) const;
  RowResult<std::optional<Price>> quote_field(std::span<const std::string_view> fields, std::string_view column) const;

  const TableFormat format_;
  const std::string instrument_;
  const bool probability_;
  TimeReader& times_;
  TimeReader& end_times_;
};

/// A price as any source may state it: above 0, and at most 1 for a probability. `what` names it in the refusal.
RowResult<Price> checked_price(std::string_view text, std::string_view what, bool probability);
/// A size or a volume: finite, 0 or more, at most 1e15.
RowResult<double> checked_size(std::string_view text, std::string_view what);
/// Bids and asks of a whole book: the best bid is below the best ask. Any order of levels.
RowResult<void> check_not_crossed(const std::vector<BookLevel>& bids, const std::vector<BookLevel>& asks);

}  // namespace everlearn
