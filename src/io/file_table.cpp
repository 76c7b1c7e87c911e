#include "io/file_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/quoted.hpp"
#include "io/table_reader.hpp"
#include "io/time_reader.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kFirstRows = 100;  // decide on the form of times
constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr char kBetween = '\x1e';  // of cells; no cell of a good row holds it

struct Bytes {
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  char last = '\n';
  bool operator==(const Bytes&) const = default;
};

Result<Bytes> bytes_of(Fs& fs, const std::string& path) {
  EL_TRY(const auto file, fs.open(path));
  Bytes bytes;
  std::string block(1 << 20, '\0');
  for (;;) {
    EL_TRY(const std::size_t n, file->read_at(bytes.size, block));
    if (n == 0) return bytes;
    bytes.crc = crc32(std::string_view{block}.substr(0, n), bytes.crc);
    bytes.size += n;
    bytes.last = block[n - 1];
  }
}

/// Numbers by value and before other texts, as a database's integer column would have them.
std::tuple<int, std::int64_t, std::string_view> rank(std::string_view tie) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(tie.data(), tie.data() + tie.size(), value);
  if (error == std::errc{} && end == tie.data() + tie.size()) return {0, value, {}};
  return {1, 0, tie};
}

/// A row in little space: a file may have many.
struct KeptRow {
  Timestamp order;
  std::int64_t line = 0;
  std::string cells;  // with kBetween between them
};

struct Contents {
  Bytes bytes;
  std::vector<LiveColumn> columns;
  std::vector<std::string> chosen;  // what `rows` hold
  std::size_t order = 0;
  std::optional<std::size_t> tie;
  std::vector<KeptRow> rows;    // in order of place
  std::vector<FoundRow> odd;    // without order
  bool last_line_open = false;  // and left out
};

std::string_view cell_of(const KeptRow& row, std::size_t place) {
  std::string_view rest = row.cells;
  for (; place > 0; --place) rest.remove_prefix(rest.find(kBetween) + 1);
  return rest.substr(0, rest.find(kBetween));
}

class FileView final : public TableView {
 public:
  FileView(Fs& fs, const TableOptions& options, FileForm form, std::shared_ptr<Contents> contents, bool stood_still)
      : fs_{fs}, options_{options}, form_{form}, contents_{std::move(contents)}, stood_still_{stood_still} {}

  const std::vector<LiveColumn>& columns() const override { return contents_->columns; }

  Result<std::vector<FoundRow>> rows(const TablePlan& plan, const TableRange& range, std::size_t limit) override {
    EL_CHECK(load(plan));
    const auto place_of = [&](const KeptRow& row) {
      return std::pair{row.order, rank(plan.tie ? cell_of(row, *plan.tie) : std::string_view{})};
    };
    auto at = contents_->rows.begin();
    if (range.after)
      at = std::ranges::upper_bound(contents_->rows, std::pair{range.after->order, rank(range.after->tie)}, {},
                                    place_of);
    std::vector<FoundRow> found;
    for (; at != contents_->rows.end() && at->order <= range.to && found.size() < limit; ++at) {
      if (at->order < range.from) {
        at = std::prev(std::ranges::lower_bound(at, contents_->rows.end(), range.from, {}, &KeptRow::order));
        continue;
      }
      FoundRow& row = found.emplace_back();
      row.line = at->line;
      for (std::size_t i = 0; i < plan.columns.size(); ++i) row.cells.emplace_back(cell_of(*at, i));
      row.place = {at->order, plan.tie ? row.cells[*plan.tie] : ""};
    }
    return found;
  }

  Result<std::vector<FoundRow>> without_order(const TablePlan& plan, std::size_t limit) override {
    EL_CHECK(load(plan));
    return std::vector<FoundRow>{contents_->odd.begin(), contents_->odd.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                                      limit, contents_->odd.size()))};
  }

  Result<std::optional<Timestamp>> newest(const TablePlan& plan) override {
    EL_CHECK(load(plan));
    return contents_->rows.empty() ? std::optional<Timestamp>{} : std::optional{contents_->rows.back().order};
  }

  Result<void> close() override { return {}; }

 private:
  Result<void> load(const TablePlan& plan) {
    const bool takes_last = contents_->last_line_open && stood_still_;
    if (contents_->chosen == plan.columns && contents_->order == plan.order && contents_->tie == plan.tie &&
        !takes_last)
      return {};
    EL_TRY(const auto reader, open_table(fs_, options_.table, form_));
    std::vector<std::size_t> places;
    for (const std::string& name : plan.columns)
      places.push_back(static_cast<std::size_t>(std::ranges::find(reader->header(), name) - reader->header().begin()));
    EL_CHECK(reader->choose(places));
    Contents next;
    next.bytes = contents_->bytes;
    next.columns = contents_->columns;
    next.chosen = plan.columns;
    next.order = plan.order;
    next.tie = plan.tie;
    TableRow row;
    for (;;) {
      EL_TRY(const bool any, reader->next(row));
      if (!any) break;
      if (row.refusal) {
        next.odd.push_back({{}, row.line, {reader->raw()}, row.refusal});
        continue;
      }
      if (row.fields.size() != reader->header().size()) {
        next.odd.push_back({{},
                            row.line,
                            {reader->raw()},
                            Refusal{"wrong number of fields",
                                    fmt::format("{} instead of {}", row.fields.size(), reader->header().size())}});
        continue;
      }
      KeptRow kept;
      kept.line = row.line;
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (i > 0) kept.cells += kBetween;
        for (const char c : row.fields[places[i]]) kept.cells += c == kBetween ? '?' : c;
      }
      next.rows.push_back(std::move(kept));
    }
    if (reader->cut_short())
      return fail(Code::Unavailable, fmt::format("{}: the gzip data end early: is it being written?", options_.table));
    // Still the bytes that were looked at?
    EL_TRY(const Bytes now, bytes_of(fs_, options_.table));
    if (now != next.bytes) return fail(Code::Unavailable, fmt::format("{}: changed while it was read", options_.table));
    if (form_ == FileForm::Csv && now.last != '\n' && !is_packed() && !stood_still_ && !options_.whole &&
        !next.rows.empty()) {
      next.rows.pop_back();
      next.last_line_open = true;
    }
    EL_CHECK(place_rows(plan, next));
    *contents_ = std::move(next);
    return {};
  }

  bool is_packed() const {
    const auto file = fs_.open(options_.table);
    std::array<char, 2> head{};
    return file && (*file)->read_at(0, head).value_or(0) == 2 && head[0] == '\x1f' && head[1] == '\x8b';
  }

  /// Times get their zone, rows their order.
  Result<void> place_rows(const TablePlan& plan, Contents& contents) const {
    const TimeFormat format{options_.time_zone, options_.time_unit, options_.calendar};
    std::vector<std::pair<std::size_t, TimeReader>> readers;
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
      if (plan.columns[i] != options_.time_column && plan.columns[i] != options_.known_column) continue;
      EL_TRY(TimeReader reader, TimeReader::make(format));
      std::vector<std::string> samples;
      for (const KeptRow& row : contents.rows) {
        if (samples.size() == kFirstRows) break;
        if (const std::string_view cell = cell_of(row, i); !cell.empty()) samples.emplace_back(cell);
      }
      if (auto learned = reader.learn(samples); !learned) return fail(learned.error(), options_.table);
      readers.emplace_back(i, std::move(reader));
    }
    std::vector<KeptRow> placed;
    placed.reserve(contents.rows.size());
    for (KeptRow& row : contents.rows) {
      std::vector<std::string> cells;
      for (std::size_t i = 0; i < plan.columns.size(); ++i) cells.emplace_back(cell_of(row, i));
      std::optional<Refusal> why;
      for (auto& [place, reader] : readers) {
        const auto time = cells[place].empty() ? RowResult<ReadTime>{refuse("missing time", plan.columns[place])}
                                               : reader.read(cells[place]);
        if (!time) {
          if (place == plan.order) why = time.error();
          continue;
        }
        const bool is_date = time->session.has_value();
        if (place == plan.order) row.order = is_date ? Timestamp{time->day * kDayUs} : time->time;
        if (!is_date) cells[place] = time->time.iso();
      }
      if (why) {
        contents.odd.push_back({{}, row.line, std::move(cells), why});
        continue;
      }
      row.cells.clear();
      for (std::size_t i = 0; i < cells.size(); ++i) row.cells += (i > 0 ? std::string(1, kBetween) : "") + cells[i];
      placed.push_back(std::move(row));
    }
    std::ranges::stable_sort(placed, {}, [&](const KeptRow& row) {
      return std::pair{row.order, rank(plan.tie ? cell_of(row, *plan.tie) : std::string_view{})};
    });
    contents.rows = std::move(placed);
    return {};
  }

  Fs& fs_;
  const TableOptions& options_;
  const FileForm form_;
  const std::shared_ptr<Contents> contents_;  // of the table, until its bytes change
  const bool stood_still_;                    // since the look before
};

class FileTable final : public LiveTable {
 public:
  FileTable(Fs& fs, const TableOptions& options) : fs_{fs}, options_{options} {}

  std::string name() const override { return options_.table; }

  Result<std::unique_ptr<TableView>> look() override {
    if (!fs_.exists(options_.table)) return fail(Code::Unavailable, fmt::format("{}: is not there", options_.table));
    EL_TRY(const Bytes now, bytes_of(fs_, options_.table));
    const bool stood_still = contents_ && contents_->bytes == now;
    if (!stood_still) {
      EL_TRY(const FileForm form, file_form(fs_, options_.table));
      if (form == FileForm::Empty) return fail(Code::Unavailable, fmt::format("{}: is empty", options_.table));
      if (form == FileForm::JsonLines)
        return fail(Code::Unsupported, fmt::format("{}: is neither CSV nor Parquet", options_.table));
      EL_TRY(const auto reader, open_table(fs_, options_.table, form));
      auto next = std::make_shared<Contents>();
      next->bytes = now;
      for (const std::string& name : reader->header()) {
        if (std::ranges::find(next->columns, name, &LiveColumn::name) != next->columns.end())
          return fail(Code::BadData, fmt::format("{}: column {} stands twice", options_.table, quoted(name)));
        next->columns.push_back({name, "", ColumnKind::Any});
      }
      contents_ = std::move(next);
      form_ = form;
    }
    return std::make_unique<FileView>(fs_, options_, form_, contents_, stood_still);
  }

 private:
  Fs& fs_;
  const TableOptions options_;
  std::shared_ptr<Contents> contents_;
  FileForm form_ = FileForm::Empty;
};

}  // namespace

Result<std::unique_ptr<LiveTable>> open_file_table(Fs& fs, const TableOptions& options) {
  EL_CHECK(TimeReader::make({options.time_zone, options.time_unit, options.calendar}));
  return std::make_unique<FileTable>(fs, options);
}

}  // namespace everlearn
