#include "io/recorded.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace everlearn {
namespace {

constexpr Refusal kAfterOutcome{"price after the outcome", {}};

template <class Record>
const Record* find_time(const std::vector<Record>& rows, Timestamp time) {
  const auto at =
      std::lower_bound(rows.begin(), rows.end(), time, [](const Record& row, Timestamp t) { return row.time < t; });
  return at != rows.end() && at->time == time ? &*at : nullptr;
}

template <class Record>
Refusal repeated(const Record& first, const Record& second, const std::string& where) {
  const std::string detail = fmt::format("{} stands in {} already", second.time.iso(), where);
  return first.same_values(second) ? Refusal{"duplicate row", detail}
                                   : Refusal{"second value for the same time", detail};
}

template <class Record>
RowResult<void> admit_row(std::vector<Record>& rows, const Record& row) {
  if (rows.empty() || row.time > rows.back().time) {
    rows.push_back(row);
    return {};
  }
  if (const Record* same = find_time(rows, row.time)) {
    return tl::unexpected(repeated(*same, row, fmt::format("line {}", same->line)));
  }
  return refuse("step back in time",
                fmt::format("{} after {} in line {}", row.time.iso(), rows.back().time.iso(), rows.back().line));
}

bool ends(const PriceRecord& row) { return row.outcome >= 0; }
bool ends(const BarRecord&) { return false; }

/// Why `row` cannot follow the series before it, of which `latest` reaches furthest; empty if it can.
template <class Record>
std::optional<Refusal> conflict(const std::vector<const Series*>& before, const Series& latest,
                                std::vector<Record> Series::*rows, const Record& row,
                                const std::vector<std::string>& file_names) {
  const Record& last = (latest.*rows).back();
  if (row.time > last.time) return ends(last) ? std::optional{kAfterOutcome} : std::nullopt;
  for (const Series* series : before) {
    if (const Record* same = find_time(series->*rows, row.time)) {
      return repeated(*same, row, fmt::format("{}:{}", file_names[series->file], same->line));
    }
  }
  return Refusal{"overlap with another file",
                 fmt::format("{} holds rows until {}", file_names[latest.file], last.time.iso())};
}

template <class Record>
void remove_overlaps_of(std::vector<Series*> parts, std::vector<Record> Series::*rows,
                        const std::vector<std::string>& file_names, std::vector<LateRefusal>& late) {
  std::erase_if(parts, [&](const Series* series) { return (series->*rows).empty(); });
  if (parts.size() < 2) return;
  std::ranges::stable_sort(parts, {}, [&](const Series* series) { return (series->*rows).front().time; });
  std::vector<const Series*> before = {parts.front()};
  const Series* latest = parts.front();
  for (Series* series : std::span{parts}.subspan(1)) {
    std::vector<Record> kept;
    for (const Record& row : series->*rows) {
      if (auto refusal = conflict(before, *latest, rows, row, file_names)) {
        late.push_back({series->file, row.line, *std::move(refusal)});
      } else {
        kept.push_back(row);
      }
    }
    series->*rows = std::move(kept);
    if ((series->*rows).empty()) continue;
    before.push_back(series);
    if ((series->*rows).back().time > (latest->*rows).back().time) latest = series;
  }
}

}  // namespace

InstrumentId intern(Instruments& instruments, const RecordedInstrument& from) {
  if (const auto known = instruments.find(from.name)) return *known;
  const InstrumentId id = instruments.intern(from.name);
  Instrument& to = instruments.edit(id);
  to.market = from.market;
  to.probability = from.probability;
  to.context = from.context;
  to.end_time = from.end_time;
  return id;
}

Bar to_bar(const BarRecord& row) {
  return Bar{row.open_time,
             row.open,
             row.high,
             row.low,
             row.close,
             row.volume,
             row.has_vwap ? std::optional{row.vwap} : std::nullopt,
             row.trades >= 0 ? std::optional{row.trades} : std::nullopt};
}

PricePoint to_point(const PriceRecord& row) { return PricePoint{row.price, row.bid.get(), row.ask.get()}; }

PriceRecord::PriceRecord(const PriceLine& from, std::int64_t line_number)
    : time{from.time.time},
      price{from.price},
      bid{from.bid},
      ask{from.ask},
      line{static_cast<std::uint32_t>(line_number)},
      outcome{static_cast<std::int8_t>(from.outcome ? (*from.outcome > 0 ? 1 : 0) : -1)} {}

bool PriceRecord::same_values(const PriceRecord& other) const {
  return price == other.price && bid == other.bid && ask == other.ask && outcome == other.outcome;
}

BarRecord::BarRecord(const BarLine& from, std::int64_t line_number)
    : time{from.stamp.time},
      open{from.open},
      high{from.high},
      low{from.low},
      close{from.close},
      volume{from.volume},
      vwap{from.vwap.value_or(0)},
      trades{from.trades.value_or(-1)},
      line{static_cast<std::uint32_t>(line_number)},
      day{static_cast<std::int32_t>(from.stamp.day)},
      has_vwap{from.vwap.has_value()} {
  if (from.stamp.session) {
    open_time = from.stamp.session->open;
    placed = true;
  }
}

bool BarRecord::same_values(const BarRecord& other) const {
  return open == other.open && high == other.high && low == other.low && close == other.close &&
         volume == other.volume && vwap == other.vwap && has_vwap == other.has_vwap && trades == other.trades;
}

RowResult<void> Series::admit(const PriceRecord& row) {
  if (!prices.empty() && ends(prices.back()) && row.time > prices.back().time) return tl::unexpected(kAfterOutcome);
  return admit_row(prices, row);
}

RowResult<void> Series::admit(const BarRecord& row) { return admit_row(bars, row); }

std::vector<LateRefusal> Recorded::remove_overlaps() {
  std::vector<std::vector<Series*>> by_instrument(instruments.size());
  for (Series& one : series) {
    if (!one.prices.empty() || !one.bars.empty()) by_instrument[one.instrument].push_back(&one);
  }
  std::vector<LateRefusal> late;
  for (const auto& parts : by_instrument) {
    remove_overlaps_of(parts, &Series::prices, file_names, late);
    remove_overlaps_of(parts, &Series::bars, file_names, late);
  }
  return late;
}

}  // namespace everlearn
