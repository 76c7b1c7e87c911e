#include "io/table_form.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/quoted.hpp"
#include "io/recorded.hpp"

namespace everlearn {
namespace {

constexpr std::array<std::string_view, 4> kBar{"open", "high", "low", "close"};
constexpr std::array<std::string_view, 3> kBarMore{"volume", "vwap", "trades"};
constexpr std::array<std::string_view, 2> kPointMore{"bid", "ask"};

std::string_view kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::Time:
      return "time";
    case ColumnKind::Date:
      return "date";
    case ColumnKind::Number:
      return "number";
    case ColumnKind::Bool:
      return "boolean";
    case ColumnKind::Text:
      return "text";
    case ColumnKind::Any:
      return "any";
    case ColumnKind::Other:
      return "other";
  }
  return "?";
}

const LiveColumn* find_column(std::span<const LiveColumn> there, std::string_view name) {
  const auto at = std::ranges::find(there, name, &LiveColumn::name);
  return at == there.end() ? nullptr : &*at;
}

std::string names_of(std::span<const LiveColumn> there) {
  constexpr std::size_t kShown = 40;
  std::string names;
  for (std::size_t i = 0; i < std::min(there.size(), kShown); ++i) names += (i > 0 ? ", " : "") + there[i].name;
  if (there.size() > kShown) names += fmt::format(" and {} more", there.size() - kShown);
  return names.empty() ? "none" : quoted(names, 600);
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_word(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, [](char a, char b) { return (a | 0x20) == b; });
}

/// Which columns a plan takes, each once.
class Chooser {
 public:
  Chooser(TablePlan& plan, std::string& in_use, const std::string& table, std::span<const LiveColumn> there)
      : plan_{plan}, in_use_{in_use}, table_{table}, there_{there} {}

  bool has(std::string_view name) const { return find_column(there_, name) != nullptr; }

  /// `kinds`: those it may have; Any may always stand for it.
  Result<std::size_t> take(std::string_view setting, std::string_view name, std::span<const ColumnKind> kinds) {
    const LiveColumn* column = find_column(there_, name);
    if (column == nullptr)
      return fail(Code::Config,
                  fmt::format("{} has no column {} ({}); it has {}", table_, quoted(name), setting, names_of(there_)));
    if (column->kind != ColumnKind::Any && std::ranges::find(kinds, column->kind) == kinds.end()) {
      std::vector<std::string_view> wanted;
      for (const ColumnKind kind : kinds) wanted.push_back(kind_name(kind));
      return fail(Code::Config, fmt::format("{}: column {} ({}) is {}, wanted is a {}", table_, quoted(name), setting,
                                            column->type, fmt::join(wanted, " or ")));
    }
    const auto at = std::ranges::find(plan_.columns, name);
    if (at != plan_.columns.end()) return static_cast<std::size_t>(at - plan_.columns.begin());
    plan_.columns.emplace_back(name);
    in_use_ += fmt::format("{} {}\n", kind_name(column->kind), name);
    return plan_.columns.size() - 1;
  }

 private:
  TablePlan& plan_;
  std::string& in_use_;
  const std::string& table_;
  const std::span<const LiveColumn> there_;
};

constexpr std::array kTimes{ColumnKind::Time, ColumnKind::Date};
constexpr std::array kMoments{ColumnKind::Time};
constexpr std::array kNames{ColumnKind::Text, ColumnKind::Number, ColumnKind::Bool, ColumnKind::Time, ColumnKind::Date};
constexpr std::array kNumbers{ColumnKind::Number};
constexpr std::array kValues{ColumnKind::Number, ColumnKind::Bool};
constexpr std::array kClasses{ColumnKind::Text, ColumnKind::Number, ColumnKind::Bool};

}  // namespace

TableForm::TableForm(const TableOptions& options, TimeReader times, TimeReader known_times, TimeReader end_times)
    : options_{options},
      instrument_{options.symbol.empty() ? options.short_name() : options.symbol},
      times_{std::move(times)},
      known_times_{std::move(known_times)},
      end_times_{std::move(end_times)},
      bars_{{options.bar_stamp_start, options.bar_length, true, options.calendar}} {}

Result<std::unique_ptr<TableForm>> TableForm::make(const TableOptions& options, const std::string& table,
                                                   std::span<const LiveColumn> there) {
  const TimeFormat format{std::nullopt, std::nullopt, options.calendar};  // the table gives times with their zone
  EL_TRY(TimeReader times, TimeReader::make(format));
  EL_TRY(TimeReader known_times, TimeReader::make(format));
  EL_TRY(TimeReader end_times, TimeReader::make(format));
  std::unique_ptr<TableForm> form{
      new TableForm{options, std::move(times), std::move(known_times), std::move(end_times)}};
  EL_CHECK(form->choose(table, there));
  return form;
}

Result<void> TableForm::choose(const std::string& table, std::span<const LiveColumn> there) {
  Chooser chooser{plan_, in_use_, table, there};
  EL_TRY(time_, chooser.take("source.time_column", options_.time_column, kTimes));
  if (!options_.key_column.empty()) {
    EL_TRY(key_, chooser.take("source.key_column", options_.key_column, kNames));
  }
  if (!options_.id_column.empty()) {
    EL_TRY(id_, chooser.take("source.id_column", options_.id_column, kNames));
  }
  if (!options_.known_column.empty()) {
    EL_TRY(known_, chooser.take("source.known_column", options_.known_column, kMoments));
  }
  plan_.order = known_.value_or(time_);
  plan_.tie = id_ ? id_ : key_;

  for (const auto& [ours, theirs] : options_.columns) {
    if (ours != "price" && std::ranges::find(kBar, ours) == kBar.end() &&
        std::ranges::find(kBarMore, ours) == kBarMore.end() && std::ranges::find(kPointMore, ours) == kPointMore.end())
      return fail(Code::Config,
                  fmt::format("source.columns: {} is none of {}, {}, price, {}", quoted(ours), fmt::join(kBar, ", "),
                              fmt::join(kBarMore, ", "), fmt::join(kPointMore, ", ")));
    if (!theirs.empty() && !chooser.has(theirs))
      return fail(Code::Config, fmt::format("{} has no column {} (source.columns: {}); it has {}", table,
                                            quoted(theirs), ours, names_of(there)));
  }
  const auto theirs = [&](std::string_view ours) {
    const auto named = options_.columns.find(std::string{ours});
    return named == options_.columns.end() ? std::string{ours} : named->second;
  };
  const auto there_is = [&](std::string_view ours) {
    const std::string name = theirs(ours);
    return !name.empty() && chooser.has(name);
  };
  if (std::ranges::all_of(kBar, there_is)) {
    kind_ = TableKind::Bars;
  } else if (there_is("price")) {
    kind_ = TableKind::Prices;
  }
  if (kind_) {
    const bool bars = *kind_ == TableKind::Bars;
    std::vector<std::string> header{"timestamp"};
    price_.push_back(time_);
    if (key_) {
      header.emplace_back(bars ? "symbol" : "token");
      price_.push_back(key_);
    }
    const auto add = [&](std::string_view ours) -> Result<void> {
      EL_TRY(const std::size_t place, chooser.take("a price", theirs(ours), kNumbers));
      header.emplace_back(ours);
      price_.push_back(place);
      return {};
    };
    if (bars) {
      for (const std::string_view ours : kBar) EL_CHECK(add(ours));
      for (const std::string_view ours : kBarMore)
        if (there_is(ours)) EL_CHECK(add(ours));
      if (!there_is("volume")) {
        header.emplace_back("volume");
        price_.push_back(std::nullopt);
      }
    } else {
      EL_CHECK(add("price"));
      for (const std::string_view ours : kPointMore)
        if (there_is(ours)) EL_CHECK(add(ours));
    }
    // The reader's own rules for a table of this kind; a row without a key is of `instrument_`.
    TableFormat format{*kind_, {}, header.size()};
    for (std::size_t i = 0; i < header.size(); ++i) format.columns.emplace(header[i], i);
    rows_ = std::make_unique<RowReader>(std::move(format), instrument_, options_.probability, times_, end_times_);
  }
  for (const std::string& name : options_.fields) {
    EL_TRY(const std::size_t place, chooser.take("source.fields", name, kValues));
    if (std::ranges::find(fields_, place) != fields_.end())
      return fail(Code::Config, fmt::format("source.fields: {} stands twice", quoted(name)));
    fields_.push_back(place);
  }
  if (!options_.outcome_column.empty()) {
    const std::span<const ColumnKind> kinds =
        options_.outcome_values.empty() ? std::span<const ColumnKind>{kValues} : std::span<const ColumnKind>{kClasses};
    EL_TRY(outcome_, chooser.take("source.outcome_column", options_.outcome_column, kinds));
    if (std::ranges::find(fields_, *outcome_) != fields_.end())
      return fail(Code::Config, fmt::format("source.fields: {} is the outcome; a feature must not see it",
                                            quoted(options_.outcome_column)));
  }
  if (!kind_ && fields_.empty() && !outcome_)
    return fail(Code::Config,
                fmt::format("{} has neither price columns ({} or price; source.columns gives their names), nor does "
                            "source.fields name any; it has {}",
                            table, fmt::join(kBar, ", "), names_of(there)));
  return {};
}

std::string TableForm::summary() const {
  std::string text = !kind_ ? "no price" : has_bars() ? "bars" : "prices";
  text += key_ ? fmt::format(" by {}", plan_.columns[*key_]) : fmt::format(" of {}", instrument_);
  text += fmt::format(", time {}", plan_.columns[time_]);
  if (known_) text += fmt::format(", known at {}", plan_.columns[*known_]);
  if (id_) text += fmt::format(", id {}", plan_.columns[*id_]);
  if (!fields_.empty()) text += fmt::format(", {} field{}", fields_.size(), fields_.size() == 1 ? "" : "s");
  if (outcome_) text += fmt::format(", outcome {}", plan_.columns[*outcome_]);
  return text;
}

Result<bool> TableForm::learn(std::span<const FoundRow> rows) {
  if (!has_bars() || bars_.length() || rows.empty()) return true;
  bool dates = false;
  for (const FoundRow& row : rows) {
    if (row.refusal || row.cells[time_].empty()) continue;
    const auto stamp = times_.read(row.cells[time_]);
    if (!stamp) continue;
    dates = dates || stamp->session.has_value();
    const std::string_view key = key_ ? std::string_view{row.cells[*key_]} : std::string_view{};
    const auto [at, is_first] = last_stamp_.try_emplace(std::string{key}, stamp->time);
    if (!is_first && stamp->time > at->second) bars_.see(stamp->time - at->second);
    at->second = std::max(at->second, stamp->time);
  }
  if (dates) return true;  // each is its session
  if (!bars_.can_decide()) return false;
  EL_CHECK(bars_.decide());
  last_stamp_.clear();
  return true;
}

RowResult<TableRowSays> TableForm::read(const FoundRow& row) {
  if (row.refusal) return tl::unexpected(*row.refusal);
  TableRowSays says;
  if (row.cells[time_].empty()) return refuse("missing time", options_.time_column);
  if (key_ && row.cells[*key_].empty()) return refuse("missing instrument", options_.key_column);
  if (id_ && row.cells[*id_].empty()) return refuse("missing id", options_.id_column);
  if (rows_) {
    if (auto read = read_price(row, says); !read) return tl::unexpected(std::move(read).error());
  } else {
    const auto time = times_.read(row.cells[time_]);
    if (!time) return tl::unexpected(time.error());
    says.event_time = time->time;
    says.instrument = key_ ? row.cells[*key_] : instrument_;
  }
  says.known_at = says.event_time + options_.delay;
  if (known_) {
    if (row.cells[*known_].empty()) return refuse("missing known time", options_.known_column);
    const auto known = known_times_.read(row.cells[*known_]);
    if (!known) return tl::unexpected(known.error());
    says.known_at = std::max(known->time, says.event_time);
  }
  if (!fields_.empty() || outcome_) {
    if (auto read = read_fields(row, says); !read) return tl::unexpected(std::move(read).error());
  }
  return says;
}

RowResult<void> TableForm::read_price(const FoundRow& row, TableRowSays& says) {
  std::vector<std::string_view> cells;
  for (const auto& place : price_) cells.push_back(place ? std::string_view{row.cells[*place]} : "0");
  if (*kind_ == TableKind::Prices) {
    const auto line = rows_->price(cells);
    if (!line) return tl::unexpected(line.error());
    says.event_time = line->time.time;
    says.instrument = line->instrument;
    says.price = to_point(PriceRecord{*line, 0});
    return {};
  }
  const auto line = rows_->bar(cells);
  if (!line) return tl::unexpected(line.error());
  BarRecord bar{*line, 0};
  if (!bar.placed) {
    const auto span = bars_.span(bar.time, bar.day);
    if (!span) return tl::unexpected(span.error());
    bar.open_time = span->open;
    bar.time = span->close;
  }
  says.event_time = bar.time;
  says.instrument = line->instrument;
  says.price = to_bar(bar);
  return {};
}

RowResult<void> TableForm::read_fields(const FoundRow& row, TableRowSays& says) const {
  Fields fields;
  for (const std::size_t place : fields_) {
    const std::string& cell = row.cells[place];
    if (cell.empty() || is_word(cell, "nan")) {
      fields.values.push_back(std::numeric_limits<float>::quiet_NaN());
      continue;
    }
    const auto value = is_word(cell, "true") ? 1.0 : is_word(cell, "false") ? 0.0 : number(cell);
    if (!value) return refuse("unreadable number", fmt::format("{} {}", plan_.columns[place], quoted(cell)));
    if (!(std::abs(*value) <= std::numeric_limits<float>::max()))
      return refuse("number out of range", fmt::format("{} {}", plan_.columns[place], cell));
    fields.values.push_back(static_cast<float>(*value));
  }
  if (outcome_) {
    auto outcome = outcome_of(row.cells[*outcome_]);
    if (!outcome) return tl::unexpected(std::move(outcome).error());
    fields.outcome = *outcome;
  }
  says.fields = std::move(fields);
  return {};
}

RowResult<std::optional<double>> TableForm::outcome_of(std::string_view cell) const {
  if (cell.empty()) return std::optional<double>{};
  if (!options_.outcome_values.empty()) {
    const auto at = std::ranges::find(options_.outcome_values, cell);
    if (at == options_.outcome_values.end())
      return refuse("unknown outcome", fmt::format("{} {} is none of {}", options_.outcome_column, quoted(cell),
                                                   fmt::join(options_.outcome_values, ", ")));
    return std::optional{static_cast<double>(at - options_.outcome_values.begin())};
  }
  if (is_word(cell, "nan")) return std::optional<double>{};
  const auto value = is_word(cell, "true") ? 1.0 : is_word(cell, "false") ? 0.0 : number(cell);
  if (!value || !std::isfinite(*value))
    return refuse("unknown outcome", fmt::format("{} {} is no number", options_.outcome_column, quoted(cell)));
  return value;
}

std::string TableForm::identity(const FoundRow& row) const {
  std::string text;
  if (key_) text += row.cells[*key_];
  text += '\x1f' + row.cells[time_] + '\x1f';
  if (id_) text += row.cells[*id_];
  return text;
}

std::string changed_column(const std::string& in_use, std::span<const LiveColumn> there) {
  std::string_view rest = in_use;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const std::size_t space = line.find(' ');
    const std::string_view was = line.substr(0, space);
    const std::string_view name = line.substr(space + 1);
    const LiveColumn* column = find_column(there, name);
    if (column == nullptr)
      return fmt::format("column {} was a {} and is gone; there are {}", quoted(name), was, names_of(there));
    const std::string_view is = kind_name(column->kind);
    if (was != is && was != kind_name(ColumnKind::Any) && column->kind != ColumnKind::Any)
      return fmt::format("column {} was a {} and is {} now", quoted(name), was, column->type);
  }
  return {};
}

std::string identity_settings(const TableOptions& options) {
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", options.time_column, options.key_column,
                                 options.key_column.empty() ? options.symbol : "", options.id_column,
                                 options.known_column, fmt::join(options.fields, ","), options.outcome_column,
                                 fmt::join(options.outcome_values, ","), options.bar_stamp_start);
  for (const auto& [ours, theirs] : options.columns) text += fmt::format("\n{}={}", ours, theirs);
  return text;
}

}  // namespace everlearn
