#include "io/recording_loader.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/quoted.hpp"
#include "io/lines.hpp"
#include "io/time_reader.hpp"
#include "io/venue_messages.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kFirstRows = 100;    // decide on the time unit, and on whether this is a recording at all
constexpr std::int64_t kFirstBars = 1'000;  // decide on the bar length
constexpr Duration kClockError = Duration::minutes(1);  // of the venue's clock against the recorder's

TimeFormat time_format(const RecordingOptions& options) {
  return {options.time_zone, options.time_unit, options.calendar};
}

Result<std::vector<std::string>> first_times(Fs& fs, const std::string& path, FileForm form, std::size_t column) {
  EL_TRY(const auto table, open_table(fs, path, form));
  EL_CHECK(table->choose({column}));
  std::vector<std::string> times;
  TableRow row;
  for (std::int64_t i = 0; i < kFirstRows; ++i) {
    EL_TRY(const bool any, table->next(row));
    if (!any) break;
    if (!row.refusal && row.fields.size() > column) times.emplace_back(row.fields[column]);
  }
  return times;
}

}  // namespace

/// Counts what becomes of a file's rows, sends refused ones to the quarantine, and says when the file is hopeless.
class RecordingLoader::RowJudge {
 public:
  RowJudge(RecordingLoader& loader, std::uint32_t file, std::string_view kind)
      : loader_{loader}, file_{loader.files_[file]}, kind_{kind} {}

  void accept() {
    ++good_;
    ++loader_.good_rows_;
  }

  Result<void> refuse(std::int64_t line, const Refusal& refusal, std::string_view raw) {
    if (loader_.options_.strict) {
      return fail(Code::BadData, fmt::format("{}:{}: {}", file_.path, line, refusal.text()));
    }
    if (refused_ == 0) first_ = fmt::format("line {}: {}", line, refusal.text());
    ++refused_;
    if (refusal.reason == "step back in time") ++backward_;
    EL_CHECK(loader_.quarantine_.add(file_.path, file_.name, line, refusal, raw));
    if (good_ == 0 && refused_ == kFirstRows) return hopeless();
    if (good_ + refused_ == kFirstRows && backward_ * 10 > kFirstRows * 9) {
      return fail(Code::BadData,
                  fmt::format("{}: the rows go backwards in time ({}); sort them, oldest first", file_.path, first_));
    }
    return {};
  }

  Result<void> end(bool cut_short) {
    if (cut_short) EL_CHECK(refuse(0, {"file cut short", "the gzip data end early"}, {}));
    if (good_ == 0 && refused_ > 0) return hopeless();
    if (good_ == 0) EL_CHECK(refuse(1, {"empty file", "no rows"}, {}));
    return {};
  }

 private:
  tl::unexpected<Error> hopeless() const {
    return fail(Code::BadData, fmt::format("{}: none of its first {} rows can be used ({}): is this a file of {}?",
                                           file_.path, refused_, first_, kind_));
  }

  RecordingLoader& loader_;
  const InputFile& file_;
  const std::string_view kind_;
  std::int64_t good_ = 0, refused_ = 0, backward_ = 0;
  std::string first_;
};

RecordingLoader::RecordingLoader(Fs& fs, const RecordingOptions& options)
    : fs_{fs}, options_{options}, quarantine_{fs, options.quarantine_dir, Quarantine::Mode::Replace} {}

std::uint32_t RecordingLoader::instrument(std::string_view name, std::uint32_t file, RecordedInstrument&& first) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    if (files_[file].context) recorded_.instruments[found->second].context = true;
    return found->second;
  }
  const auto id = static_cast<std::uint32_t>(recorded_.instruments.size());
  first.name = name;
  first.context = files_[file].context || std::ranges::find(options_.context, name) != options_.context.end();
  recorded_.instruments.push_back(std::move(first));
  by_name_.emplace(name, id);
  return id;
}

Series& RecordingLoader::series_of(std::uint32_t instrument, std::uint32_t file) {
  Series*& at = series_by_key_[{file, instrument}];
  if (at == nullptr) {
    at = &recorded_.series.emplace_back();
    at->file = file;
    at->instrument = instrument;
  }
  return *at;
}

void RecordingLoader::note_time_unit(const std::string& unit) {
  if (!unit.empty() && std::ranges::find(time_units_, unit) == time_units_.end()) time_units_.push_back(unit);
}

Result<Recorded> RecordingLoader::load(SourceReport& report) {
  EL_TRY(files_, input_files(fs_, options_));
  for (std::uint32_t file = 0; file < files_.size(); ++file) {
    recorded_.file_names.push_back(files_[file].name);
    report.inputs.push_back(files_[file].name);
    EL_TRY(const FileForm form, file_form(fs_, files_[file].path));
    if (form == FileForm::Empty) {
      EL_CHECK((RowJudge{*this, file, "prices"}.end(false)));
    } else if (form == FileForm::JsonLines) {
      EL_CHECK(load_messages(file));
    } else {
      EL_CHECK(load_table(file, form));
    }
  }
  EL_CHECK(refuse_late(recorded_.remove_overlaps()));
  EL_CHECK(check_context());
  EL_CHECK(quarantine_.finish());
  report.rows = good_rows_;
  report.refused = quarantine_.counts();
  report.time_unit = fmt::format("{}", fmt::join(time_units_, ","));
  if (good_rows_ == 0)
    return fail(Code::BadData, fmt::format("no row of {} can be used", fmt::join(report.inputs, ", ")));
  return std::move(recorded_);
}

Result<void> RecordingLoader::load_table(std::uint32_t file, FileForm form) {
  const InputFile& input = files_[file];
  EL_TRY(const auto table, open_table(fs_, input.path, form));
  const std::string symbol = default_symbol(options_, input.name);
  auto format = recognise_table(table->header(), options_.columns, !symbol.empty());
  if (!format) return fail(format.error(), input.path);
  std::vector<std::size_t> columns;
  for (const auto& [name, place] : format->columns) columns.push_back(place);
  EL_CHECK(table->choose(columns));

  EL_TRY(TimeReader times, TimeReader::make(time_format(options_)));
  EL_TRY(TimeReader end_times, TimeReader::make(time_format(options_)));
  EL_TRY(const auto samples, first_times(fs_, input.path, form, *format->find("timestamp")));
  if (auto learned = times.learn(samples); !learned) return fail(learned.error(), input.path);

  const TableKind kind = format->kind;
  const bool probability = options_.probability || kind == TableKind::BookEvents;
  RowReader rows{*std::move(format), symbol, probability, times, end_times};
  switch (kind) {
    case TableKind::Prices:
      EL_CHECK(load_prices(file, *table, rows));
      break;
    case TableKind::Bars:
      EL_CHECK(load_bars(file, *table, rows));
      break;
    case TableKind::BookEvents:
      EL_CHECK(load_book_events(file, *table, rows));
      break;
  }
  note_time_unit(times.unit());
  return {};
}

Result<void> RecordingLoader::load_prices(std::uint32_t file, TableReader& table, RowReader& rows) {
  RowJudge judge{*this, file, "prices"};
  Series* series = nullptr;  // of the last row: files are often grouped by instrument
  TableRow row;
  for (;;) {
    EL_TRY(const bool any, table.next(row));
    if (!any) break;
    if (row.refusal) {
      EL_CHECK(judge.refuse(row.line, *row.refusal, table.raw()));
      continue;
    }
    const auto line = rows.price(row.fields);
    if (!line) {
      EL_CHECK(judge.refuse(row.line, line.error(), table.raw()));
      continue;
    }
    if (series == nullptr || recorded_.instruments[series->instrument].name != line->instrument) {
      series = &series_of(
          instrument(line->instrument, file, {{}, std::string{line->market}, line->end_time, options_.probability}),
          file);
    }
    if (const auto admitted = series->admit(PriceRecord{*line, row.line}); !admitted) {
      EL_CHECK(judge.refuse(row.line, admitted.error(), table.raw()));
      continue;
    }
    judge.accept();
  }
  return judge.end(table.cut_short());
}

Result<void> RecordingLoader::load_bars(std::uint32_t file, TableReader& table, RowReader& rows) {
  RowJudge judge{*this, file, "bars"};
  BarTimes bar_times{
      {options_.bar_stamp_start, options_.bar_length, options_.daily_bars_close_with_session, options_.calendar}};
  const std::size_t first_series = recorded_.series.size();
  bool all_placed = true;
  std::int64_t accepted = 0;
  Series* series = nullptr;
  TableRow row;
  for (;;) {
    EL_TRY(const bool any, table.next(row));
    if (!any) break;
    if (row.refusal) {
      EL_CHECK(judge.refuse(row.line, *row.refusal, table.raw()));
      continue;
    }
    const auto line = rows.bar(row.fields);
    if (!line) {
      EL_CHECK(judge.refuse(row.line, line.error(), table.raw()));
      continue;
    }
    if (series == nullptr || recorded_.instruments[series->instrument].name != line->instrument) {
      series = &series_of(instrument(line->instrument, file, {{}, {}, {}, options_.probability}), file);
    }
    const std::optional<Timestamp> last = series->bars.empty() ? std::nullopt : std::optional{series->bars.back().time};
    const BarRecord bar{*line, row.line};
    if (const auto admitted = series->admit(bar); !admitted) {
      EL_CHECK(judge.refuse(row.line, admitted.error(), table.raw()));
      continue;
    }
    judge.accept();
    if (last && ++accepted <= kFirstBars) bar_times.see(bar.time - *last);
    all_placed = all_placed && bar.placed;
  }
  EL_CHECK(judge.end(table.cut_short()));
  if (all_placed) return {};  // dates: each is its session
  if (auto decided = bar_times.decide(); !decided) return fail(decided.error(), files_[file].path);
  return place_bars(file, first_series, bar_times);
}

Result<void> RecordingLoader::place_bars(std::uint32_t file, std::size_t first_series, BarTimes& times) {
  std::vector<LateRefusal> late;
  for (std::size_t i = first_series; i < recorded_.series.size(); ++i) {
    Series& series = recorded_.series[i];
    std::vector<BarRecord> kept;
    kept.reserve(series.bars.size());
    for (BarRecord& bar : series.bars) {
      if (!bar.placed) {
        const auto span = times.span(bar.time, bar.day);
        if (!span) {
          late.push_back({file, bar.line, span.error()});
          continue;
        }
        bar.open_time = span->open;
        bar.time = span->close;
        bar.placed = true;
      }
      // Two daily stamps may belong to one session (a file that mixes dates and times of day).
      if (!kept.empty() && bar.time <= kept.back().time) {
        late.push_back({file, bar.line, {"second value for the same time", bar.time.iso()}});
        continue;
      }
      kept.push_back(bar);
    }
    series.bars = std::move(kept);
  }
  return refuse_late(std::move(late));
}

Result<void> RecordingLoader::load_book_events(std::uint32_t file, TableReader& table, RowReader& rows) {
  RowJudge judge{*this, file, "book events"};
  Series& series = recorded_.series.emplace_back();
  series.file = file;
  std::map<std::uint32_t, Timestamp> last;  // by instrument

  // A snapshot is several rows with the same token, hash and time.
  struct Pending {
    std::uint32_t instrument = 0;
    Timestamp time;
    std::string hash;
    BookUpdate book;
    std::vector<std::pair<std::int64_t, std::string>> rows;
  };
  std::optional<Pending> pending;
  const auto add = [&](std::uint32_t instrument, Timestamp time, BookUpdate&& update) {
    series.messages.push_back({time, time + options_.delay, instrument, std::move(update)});
  };
  const auto close_pending = [&]() -> Result<void> {
    if (!pending) return {};
    const auto crossed = check_not_crossed(pending->book.bids, pending->book.asks);
    for (const auto& [line, raw] : pending->rows) {
      if (!crossed) {
        EL_CHECK(judge.refuse(line, crossed.error(), raw));
      } else {
        judge.accept();
      }
    }
    if (crossed) {
      std::ranges::sort(pending->book.bids, [](const BookLevel& a, const BookLevel& b) { return a.price > b.price; });
      std::ranges::sort(pending->book.asks, [](const BookLevel& a, const BookLevel& b) { return a.price < b.price; });
      add(pending->instrument, pending->time, std::move(pending->book));
    }
    pending.reset();
    return {};
  };

  TableRow row;
  for (;;) {
    EL_TRY(const bool any, table.next(row));
    if (!any) break;
    if (row.refusal) {
      EL_CHECK(judge.refuse(row.line, *row.refusal, table.raw()));
      continue;
    }
    const auto line = rows.book(row.fields);
    if (!line) {
      EL_CHECK(judge.refuse(row.line, line.error(), table.raw()));
      continue;
    }
    const std::uint32_t id = instrument(line->instrument, file, {{}, std::string{line->market}, {}, true});
    const auto [at, is_first] = last.try_emplace(id, line->time.time);
    if (!is_first && line->time.time < at->second) {
      const Refusal back{"step back in time", fmt::format("{} after {}", line->time.time.iso(), at->second.iso())};
      EL_CHECK(judge.refuse(row.line, back, table.raw()));
      continue;
    }
    at->second = line->time.time;
    const bool continues = pending && line->snapshot && pending->instrument == id && pending->time == line->time.time &&
                           pending->hash == line->hash;
    if (!continues) EL_CHECK(close_pending());
    if (line->snapshot) {
      if (!pending) pending = Pending{id, line->time.time, std::string{line->hash}, BookUpdate{true, {}, {}}, {}};
      (line->bid ? pending->book.bids : pending->book.asks).push_back(line->level);
      pending->rows.emplace_back(row.line, table.raw());
    } else {
      BookUpdate delta;
      (line->bid ? delta.bids : delta.asks).push_back(line->level);
      add(id, line->time.time, std::move(delta));
      judge.accept();
    }
  }
  EL_CHECK(close_pending());
  return judge.end(table.cut_short());
}

Result<void> RecordingLoader::load_messages(std::uint32_t file) {
  const InputFile& input = files_[file];
  VenueMessages messages;
  EL_TRY(TimeReader times, TimeReader::make(time_format(options_)));
  {
    EL_TRY(auto bytes, open_bytes(fs_, input.path));
    LineSplitter lines{std::move(bytes)};
    std::vector<std::string> samples;
    TextLine line;
    for (std::int64_t i = 0; i < kFirstRows; ++i) {
      EL_TRY(const bool any, lines.next(line));
      if (!any) break;
      if (auto envelope = messages.envelope(line.text)) samples.push_back(std::move(envelope->received));
    }
    if (auto learned = times.learn(samples); !learned) return fail(learned.error(), input.path);
  }

  RowJudge judge{*this, file, "venue messages"};
  EL_TRY(auto bytes, open_bytes(fs_, input.path));
  LineSplitter lines{std::move(bytes)};
  Series& series = recorded_.series.emplace_back();
  series.file = file;
  Timestamp last = Timestamp::min();
  // Venues repeat frames; a trade that came twice was one trade. The same words inside this many frames are a
  // repetition.
  std::array<std::uint64_t, 64> recent{};
  std::size_t next_recent = 0;
  std::vector<VenueItem> items;
  TextLine line;

  const auto read_line = [&]() -> RowResult<void> {
    if (line.refusal) return tl::unexpected(*line.refusal);
    const auto envelope = messages.envelope(line.text);
    if (!envelope) return tl::unexpected(envelope.error());
    const auto received = times.read(envelope->received);
    if (!received) return tl::unexpected(received.error());
    items.clear();
    if (auto read = messages.read(*envelope, items); !read) return read;
    if (received->time < last) {
      return refuse("step back in time", fmt::format("received {} after {}", received->time.iso(), last.iso()));
    }
    if (!items.empty()) {
      const std::uint64_t words = std::hash<std::string_view>{}(envelope->raw);
      if (std::ranges::find(recent, words) != recent.end()) return refuse("duplicate row", "the same frame again");
      recent[next_recent++ % recent.size()] = words;
    }
    for (VenueItem& item : items) {
      if (item.event_time > received->time + kClockError) {
        return refuse("event after its reception",
                      fmt::format("{} received {}", item.event_time.iso(), received->time.iso()));
      }
    }
    last = received->time;
    for (VenueItem& item : items) {
      const std::uint32_t id = instrument(item.instrument, file, {{}, item.market, {}, true});
      // Nothing happens after we heard of it: where the venue's clock is ahead, ours counts.
      const Timestamp happened = std::min(item.event_time, received->time);
      series.messages.push_back({happened, received->time, id, std::move(item.what)});
    }
    return {};
  };

  for (;;) {
    EL_TRY(const bool any, lines.next(line));
    if (!any) break;
    if (const auto read = read_line(); !read) {
      EL_CHECK(judge.refuse(line.number, read.error(), line.text));
    } else {
      judge.accept();
    }
  }
  EL_CHECK(judge.end(lines.cut_short()));
  note_time_unit(times.unit());
  return {};
}

/// Reads the files once more for the text of rows that were good on their own.
Result<void> RecordingLoader::refuse_late(std::vector<LateRefusal> late) {
  std::ranges::stable_sort(late, {}, [](const LateRefusal& one) { return std::pair{one.file, one.line}; });
  auto at = late.begin();
  while (at != late.end()) {
    const InputFile& input = files_[at->file];
    if (options_.strict) {
      return fail(Code::BadData, fmt::format("{}:{}: {}", input.path, at->line, at->refusal.text()));
    }
    EL_TRY(const FileForm form, file_form(fs_, input.path));
    EL_TRY(const auto table, open_table(fs_, input.path, form));
    TableRow row;
    for (const std::uint32_t file = at->file; at != late.end() && at->file == file;) {
      EL_TRY(const bool any, table->next(row));
      if (!any) return fail(Code::BadData, fmt::format("{}: changed while it was read", input.path));
      if (row.line != at->line) continue;
      EL_CHECK(quarantine_.add(input.path, input.name, row.line, at->refusal, table->raw()));
      --good_rows_;
      ++at;
    }
  }
  return {};
}

Result<void> RecordingLoader::check_context() const {
  for (const std::string& entry : options_.context) {
    const bool is_file = std::ranges::any_of(files_, [&](const InputFile& file) {
      return file.context && (file.path == entry || file.name == entry || file.path.starts_with(entry + "/"));
    });
    if (!is_file && by_name_.find(std::string_view{entry}) == by_name_.end()) {
      return fail(Code::NotFound,
                  fmt::format("context {} is neither a file nor an instrument of the inputs", quoted(entry)));
    }
  }
  return {};
}

}  // namespace everlearn
