#include "app/dataset_export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "app/holdout.hpp"
#include "app/label_window.hpp"
#include "app/report/words.hpp"
#include "store/record.hpp"

namespace everlearn {
namespace {

bool inside(TimeRange range, Timestamp t) { return t >= range.from && t < range.to; }

Cell price_cell(const std::optional<Price>& price) { return price ? Cell{price->value()} : Cell{}; }
Cell text_or_none(const std::string& text) { return text.empty() ? Cell{} : Cell{std::string_view{text}}; }

/// A writer with the row count and the first error, so that a scan can stop there.
class Table {
 public:
  static Result<Table> create(Fs& fs, const std::string& path, TableFileFormat format,
                              std::vector<TableColumn> columns) {
    EL_TRY(auto writer, TableWriter::create(fs, path, format, std::move(columns)));
    return Table{std::move(writer)};
  }
  /// False: stop, an error is kept.
  bool add(const std::vector<Cell>& row) {
    if (const auto added = writer_->add_row(row); !added) {
      error_ = added.error();
      return false;
    }
    ++rows_;
    return true;
  }
  Result<void> good() const {
    if (error_) return tl::unexpected<Error>(*error_);
    return {};
  }
  Result<std::int64_t> finish() {
    EL_CHECK(good());
    EL_CHECK(writer_->finish());
    return rows_;
  }

 private:
  explicit Table(std::unique_ptr<TableWriter> writer) : writer_{std::move(writer)} {}
  std::unique_ptr<TableWriter> writer_;
  std::int64_t rows_ = 0;
  std::optional<Error> error_;
};

struct Job {
  DataDirectory& directory;
  TimeRange range;
  const std::string& path;
  TableFileFormat format;

  Result<Table> table(std::vector<TableColumn> columns) const {
    return Table::create(directory.fs(), path, format, std::move(columns));
  }
  const Store& store() const { return directory.store(); }
  const std::vector<TargetProfile>& targets() const { return directory.profile().targets; }
};

Result<std::int64_t> prices(const Job& job) {
  EL_TRY(Table table, job.table({{"instrument", ColumnType::Text},
                                 {"event_time", ColumnType::Time},
                                 {"known_at", ColumnType::Time},
                                 {"price", ColumnType::Double},
                                 {"bid", ColumnType::Double},
                                 {"ask", ColumnType::Double},
                                 {"last", ColumnType::Double},
                                 {"kind", ColumnType::Text},
                                 {"origin", ColumnType::Text}}));
  EL_CHECK(job.store().scan_prices(job.range, [&](const PriceRow& row) {
    const std::string name = job.directory.instrument(row.instrument);
    return table.add({std::string_view{name}, row.event_time, row.known_at, row.price.value(), price_cell(row.bid),
                      price_cell(row.ask), price_cell(row.last), text(row.kind), text(row.origin)});
  }));
  return table.finish();
}

// A class target has one value a class.
std::vector<std::string> baseline_columns(const TargetProfile& target) {
  if (target.task == Task::Regression) return {"baseline." + target.name};
  std::vector<std::string> names;
  for (int c = 0; c < target.outputs(); ++c) names.push_back(fmt::format("baseline.{}.{}", target.name, c));
  return names;
}

/// Of prices by time, the latest one that was known at `at`; null: none.
const PriceRow* newest_known(const std::vector<PriceRow>& prices, Timestamp at) {
  auto after = std::ranges::upper_bound(prices, at, {}, &PriceRow::event_time);
  while (after != prices.begin())
    if ((--after)->known_at <= at) return &*after;
  return nullptr;
}

Result<std::int64_t> examples(const Job& job) {
  std::vector<TableColumn> columns{
      {"instrument", ColumnType::Text}, {"event_time", ColumnType::Time}, {"known_at", ColumnType::Time}};
  for (const TargetProfile& target : job.targets()) {
    columns.push_back({"label." + target.name, ColumnType::Double});
    columns.push_back({"label_state." + target.name, ColumnType::Text});
    columns.push_back({"label_end." + target.name, ColumnType::Time});
    columns.push_back({"label_known_at." + target.name, ColumnType::Time});
  }
  EL_TRY(const auto kept, job.store().state("columns"));
  const std::vector<std::string> features = text_lines(kept.value_or(""));
  for (const std::string& feature : features) columns.push_back({"f." + without_hash(feature), ColumnType::Double});
  columns.push_back({"price", ColumnType::Double});
  for (const TargetProfile& target : job.targets()) {
    for (const std::string& name : baseline_columns(target)) columns.push_back({name, ColumnType::Double});
    columns.push_back({"no_change." + target.name, ColumnType::Double});
  }
  columns.push_back({"price_kind", ColumnType::Text});
  columns.push_back({"price_origin", ColumnType::Text});
  const BaselineLayout layout{job.directory.profile()};
  EL_TRY(Table table, job.table(std::move(columns)));

  EL_TRY(const auto stats, job.store().stats());
  std::optional<Timestamp> first_label;
  for (const DatasetStats& dataset : stats)
    if (dataset.dataset == Dataset::Labels) first_label = dataset.first_event;
  EL_TRY(const auto notes, job.store().notes());
  const bool deleted =
      std::any_of(notes.begin(), notes.end(), [](const auto& note) { return note.kind == "retention"; });
  if (!deleted) first_label.reset();
  bool whole = true;
  std::vector<Cell> cells;
  const Duration oldest_price = std::max(job.directory.profile().max_price_age, Duration::hours(1));
  const auto visit = [&](TimeRange stretch, const LabelWindow& labels) -> Result<void> {
    std::map<InstrumentId, std::vector<PriceRow>> prices;
    const Timestamp from = stretch.from == Timestamp::min() ? stretch.from : stretch.from - oldest_price;
    EL_CHECK(job.store().scan_prices({from, stretch.to}, [&](const PriceRow& row) {
      prices[row.instrument].push_back(row);
      return true;
    }));
    for (auto& [id, of_one] : prices) std::ranges::stable_sort(of_one, {}, &PriceRow::event_time);
    return job.store().scan_examples(stretch, [&](const ExampleRow& row) {
      whole = row.features.size() == features.size() && row.baseline.size() == layout.total &&
              row.no_change.size() == job.targets().size();
      if (!whole) return false;
      const std::string name = job.directory.instrument(row.instrument);
      cells.assign({std::string_view{name}, row.event_time, row.known_at});
      for (std::uint16_t target = 0; target < job.targets().size(); ++target) {
        const LabelRow* label = labels.find(row.event_time, row.instrument, target);
        cells.push_back(label != nullptr && label->known ? Cell{label->value} : Cell{});
        // Labels as old as the oldest one that is left may have gone by retention.
        const char* missing = first_label && row.event_time <= *first_label ? "expired" : "waiting";
        cells.push_back(std::string_view{label == nullptr ? missing : label->known ? "known" : "void"});
        cells.push_back(label != nullptr ? Cell{label->end} : Cell{});
        cells.push_back(label != nullptr ? Cell{label->known_at} : Cell{});
      }
      for (const float value : row.features) cells.push_back(static_cast<double>(value));
      cells.push_back(row.price);
      for (std::size_t target = 0; target < job.targets().size(); ++target) {
        for (std::size_t i = 0; i < layout.width[target]; ++i) cells.push_back(row.baseline[layout.start[target] + i]);
        cells.push_back(row.no_change[target]);
      }
      const PriceRow* price = newest_known(prices[row.instrument], row.event_time);
      cells.push_back(price == nullptr ? Cell{} : Cell{text(price->kind)});
      cells.push_back(price == nullptr ? Cell{} : Cell{text(price->origin)});
      return table.add(cells);
    });
  };
  EL_CHECK(LabelWindow::walk(job.store(), Dataset::Examples, job.range, visit));
  EL_CHECK(table.good());
  if (!whole)
    return fail(Code::Config, "an example has other features or targets than the settings: was the profile changed?");
  return table.finish();
}

Result<std::int64_t> labels(const Job& job) {
  EL_TRY(Table table, job.table({{"instrument", ColumnType::Text},
                                 {"event_time", ColumnType::Time},
                                 {"target", ColumnType::Text},
                                 {"label", ColumnType::Double},
                                 {"label_state", ColumnType::Text},
                                 {"label_end", ColumnType::Time},
                                 {"label_known_at", ColumnType::Time},
                                 {"reason", ColumnType::Text}}));
  EL_CHECK(job.store().scan_labels(job.range, [&](const LabelRow& row) {
    const std::string name = job.directory.instrument(row.instrument);
    return table.add({std::string_view{name}, row.event_time, std::string_view{job.targets().at(row.target).name},
                      row.known ? Cell{row.value} : Cell{}, std::string_view{row.known ? "known" : "void"}, row.end,
                      row.known_at, text_or_none(row.reason)});
  }));
  return table.finish();
}

Result<std::int64_t> predictions(const Job& job) {
  std::vector<TableColumn> columns{{"instrument", ColumnType::Text}, {"event_time", ColumnType::Time},
                                   {"target", ColumnType::Text},     {"bundle", ColumnType::Text},
                                   {"model", ColumnType::Double},    {"baseline", ColumnType::Double},
                                   {"blended", ColumnType::Double},  {"verdict", ColumnType::Text},
                                   {"outcome", ColumnType::Double},  {"outcome_known_at", ColumnType::Time}};
  std::size_t classes = 0;
  for (const TargetProfile& target : job.targets())
    if (target.task != Task::Regression) classes = std::max(classes, static_cast<std::size_t>(target.outputs()));
  for (std::size_t c = 0; c < classes; ++c) columns.push_back({fmt::format("p.{}", c), ColumnType::Double});
  columns.push_back({"rung", ColumnType::Text});
  columns.push_back({"no_change", ColumnType::Double});
  columns.push_back({"price", ColumnType::Double});
  columns.push_back({"stream", ColumnType::Text});
  columns.push_back({"served", ColumnType::Bool});
  for (const char* name : {"expected", "half_spread", "outside_share", "recent_accuracy", "measured", "required"})
    columns.push_back({name, ColumnType::Double});
  columns.push_back({"set", ColumnType::Int64});
  EL_TRY(Table table, job.table(std::move(columns)));
  std::vector<Cell> cells;
  EL_CHECK(
      LabelWindow::walk(job.store(), Dataset::Predictions, job.range, [&](TimeRange stretch, const LabelWindow& known) {
        return job.store().scan_predictions(stretch, [&](const PredictionRow& row) {
          const std::string name = job.directory.instrument(row.instrument);
          const LabelRow* label = known.find(row.event_time, row.instrument, row.target);
          if (label != nullptr && !label->known) label = nullptr;
          cells.assign({std::string_view{name}, row.event_time, std::string_view{job.targets().at(row.target).name},
                        text_or_none(row.bundle), row.model, row.baseline, row.blended, text_or_none(row.verdict),
                        label != nullptr ? Cell{label->value} : Cell{},
                        label != nullptr ? Cell{label->known_at} : Cell{}});
          for (std::size_t c = 0; c < classes; ++c)
            cells.push_back(c < row.probabilities.size() ? Cell{row.probabilities[c]} : Cell{});
          cells.push_back(std::string_view{row.rung});
          cells.push_back(row.no_change);
          cells.push_back(row.price);
          cells.push_back(std::string_view{row.stream == Stream::Tuned ? "tuned" : "base"});
          cells.push_back(row.served);
          for (const double value :
               {row.expected, row.half_spread, row.outside_share, row.recent_accuracy, row.measured, row.required})
            cells.push_back(value);
          cells.push_back(row.set != 0 ? Cell{std::int64_t{row.set}} : Cell{});
          return table.add(cells);
        });
      }));
  return table.finish();
}

Result<std::int64_t> intents(const Job& job) {
  EL_TRY(Table table, job.table({{"intent", ColumnType::Int64},
                                 {"instrument", ColumnType::Text},
                                 {"created", ColumnType::Time},
                                 {"expires", ColumnType::Time},
                                 {"quantity", ColumnType::Double},
                                 {"limit", ColumnType::Double},
                                 {"expected_value", ColumnType::Double},
                                 {"state", ColumnType::Text},
                                 {"reason", ColumnType::Text}}));
  EL_TRY(const auto rows, job.store().intents());
  for (const IntentRow& row : rows) {
    if (!inside(job.range, row.created)) continue;
    const std::string name = job.directory.instrument(row.instrument);
    if (!table.add({row.id, std::string_view{name}, row.created, row.expires, row.quantity, row.limit.value(),
                    row.expected_value, std::string_view{row.state}, text_or_none(row.reason)}))
      break;
  }
  return table.finish();
}

Result<std::int64_t> fills(const Job& job) {
  EL_TRY(Table table, job.table({{"intent", ColumnType::Int64},
                                 {"instrument", ColumnType::Text},
                                 {"event_time", ColumnType::Time},
                                 {"quantity", ColumnType::Double},
                                 {"price", ColumnType::Double},
                                 {"cost", ColumnType::Double},
                                 {"reason", ColumnType::Text}}));
  EL_TRY(const auto rows, job.store().fills());
  for (const FillRow& row : rows) {
    if (!inside(job.range, row.event_time)) continue;
    const std::string name = job.directory.instrument(row.instrument);
    if (!table.add({row.intent, std::string_view{name}, row.event_time, row.quantity, row.price.value(), row.cost,
                    std::string_view{row.reason}}))
      break;
  }
  return table.finish();
}

/// Every position that was held: from the fill that opened it to the one that closed it.
Result<std::int64_t> positions(const Job& job) {
  EL_TRY(Table table, job.table({{"instrument", ColumnType::Text},
                                 {"opened", ColumnType::Time},
                                 {"closed", ColumnType::Time},
                                 {"quantity", ColumnType::Double},
                                 {"entry_price", ColumnType::Double},
                                 {"exit_price", ColumnType::Double},
                                 {"costs", ColumnType::Double},
                                 {"pnl", ColumnType::Double},
                                 {"exit_reason", ColumnType::Text}}));
  struct Open {
    double quantity = 0, bought = 0, entry_quantity = 0, exit_value = 0, cost = 0;
    Timestamp opened, closed;
    std::string reason;
  };
  std::map<InstrumentId, Open> open;
  const auto add = [&](InstrumentId id, const Open& position, bool closed) {
    if (!inside(job.range, position.opened)) return true;
    const std::string name = job.directory.instrument(id);
    const double entry = position.entry_quantity == 0 ? NAN : position.bought / position.entry_quantity;
    const double exit = closed ? position.exit_value / position.entry_quantity : NAN;
    return table.add({std::string_view{name}, position.opened, closed ? Cell{position.closed} : Cell{},
                      position.entry_quantity, entry, exit, position.cost,
                      closed ? position.exit_value - position.bought - position.cost : NAN,
                      closed ? text_or_none(position.reason) : Cell{}});
  };
  EL_TRY(const auto rows, job.store().fills());
  for (const FillRow& row : rows) {
    Open& position = open[row.instrument];
    const double value = row.quantity * row.price.value();
    if (position.entry_quantity == 0) position.opened = row.event_time;
    position.quantity += row.quantity;
    position.cost += row.cost;
    const bool opens = position.entry_quantity == 0 || (row.quantity > 0) == (position.entry_quantity > 0);
    if (opens) {
      position.bought += value;
      position.entry_quantity += row.quantity;
    } else {
      position.exit_value -= value;
      position.closed = row.event_time;
      position.reason = row.reason;
    }
    if (std::abs(position.quantity) > 1e-9 * std::abs(position.entry_quantity)) continue;
    if (!add(row.instrument, position, true)) break;
    position = {};
  }
  for (const auto& [id, position] : open)
    if (position.entry_quantity != 0 && !add(id, position, false)) break;
  return table.finish();
}

Result<std::int64_t> verdicts(const Job& job) {
  EL_TRY(Table table, job.table({{"verdict", ColumnType::Int64},
                                 {"as_of", ColumnType::Time},
                                 {"target", ColumnType::Text},
                                 {"bundle", ColumnType::Text},
                                 {"champion_before", ColumnType::Text},
                                 {"reason", ColumnType::Text},
                                 {"outcome", ColumnType::Text},
                                 {"why", ColumnType::Text},
                                 {"holdout_rows", ColumnType::Int64},
                                 {"holdout_effective", ColumnType::Int64},
                                 {"holdout_used_before", ColumnType::Int64},
                                 {"holdout_first", ColumnType::Time},
                                 {"holdout_last", ColumnType::Time},
                                 {"check", ColumnType::Text},
                                 {"measured", ColumnType::Double},
                                 {"required", ColumnType::Double},
                                 {"passed", ColumnType::Bool},
                                 {"note", ColumnType::Text}}));
  EL_TRY(const auto rows, job.store().verdicts());
  for (const VerdictRow& row : rows) {
    if (!inside(job.range, row.as_of)) continue;
    EL_TRY(const TrainingRecord record, training_record(row));
    const Verdict& verdict = record.verdict;
    const bool judged = verdict.rows > 0;
    std::vector<Cell> cells{row.id,
                            row.as_of,
                            std::string_view{job.targets().at(row.target).name},
                            text_or_none(row.bundle),
                            text_or_none(row.champion_before),
                            std::string_view{row.reason},
                            std::string_view{row.outcome},
                            text_or_none(verdict.reason),
                            verdict.rows,
                            verdict.effective,
                            verdict.rows_used_before,
                            judged ? Cell{verdict.holdout_first} : Cell{},
                            judged ? Cell{verdict.holdout_last} : Cell{}};
    const std::size_t fixed = cells.size();
    if (verdict.checks.empty()) {
      cells.resize(fixed + 5);
      if (!table.add(cells)) break;
    }
    for (const Check& check : verdict.checks) {
      cells.resize(fixed);
      cells.push_back(std::string_view{check.name});
      cells.push_back(check.measured);
      cells.push_back(check.required);
      cells.push_back(check.passed);
      cells.push_back(text_or_none(check.note));
      if (!table.add(cells)) break;
    }
  }
  return table.finish();
}

Result<std::int64_t> equity(const Job& job) {
  EL_TRY(Table table, job.table({{"event_time", ColumnType::Time},
                                 {"equity", ColumnType::Double},
                                 {"baseline_equity", ColumnType::Double},
                                 {"costs", ColumnType::Double}}));
  EL_TRY(const auto rows, job.store().equity());
  for (const EquityRow& row : rows)
    if (inside(job.range, row.event_time) && !table.add({row.event_time, row.equity, row.baseline_equity, row.costs}))
      break;
  return table.finish();
}

using Exporter = Result<std::int64_t> (*)(const Job&);
const std::vector<std::pair<std::string, Exporter>>& exporters() {
  static const std::vector<std::pair<std::string, Exporter>> all{
      {"prices", prices},           {"examples", examples}, {"labels", labels},
      {"predictions", predictions}, {"intents", intents},   {"fills", fills},
      {"positions", positions},     {"verdicts", verdicts}, {"equity", equity}};
  return all;
}

}  // namespace

const std::vector<std::string>& export_datasets() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, write] : exporters()) all.push_back(name);
    return all;
  }();
  return names;
}

Result<std::int64_t> export_dataset(DataDirectory& directory, const std::string& dataset, TimeRange range,
                                    const std::string& path, TableFileFormat format) {
  for (const auto& [name, write] : exporters())
    if (name == dataset) return write(Job{directory, range, path, format});
  return fail(Code::Usage, fmt::format("no dataset \"{}\": there are {}", dataset, fmt::join(export_datasets(), ", ")));
}

}  // namespace everlearn
