#include "io/tail_source.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.hpp"
#include "core/quoted.hpp"
#include "io/bar_times.hpp"
#include "io/csv.hpp"
#include "io/input_files.hpp"
#include "io/quarantine.hpp"
#include "io/recorded.hpp"
#include "io/table_format.hpp"

namespace everlearn {
namespace {

constexpr std::uint64_t kHead = 4096;              // bytes that tell one file from another
constexpr std::uint64_t kBatch = 4 << 20;          // bytes read at once
constexpr std::size_t kFirstRows = 100;            // decide on the time unit
constexpr Duration kAhead = Duration::minutes(1);  // of the clock, for a row
constexpr std::size_t kMostAhead = 1'000;          // rows further ahead, in the life of a file

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

struct Position {
  std::uint64_t begin = 0, end = 0;  // bytes of the batch
  std::uint64_t given = 0;           // its events already given
  std::uint64_t head = 0;            // bytes of the beginning that `head_crc` covers
  std::uint32_t head_crc = 0;
  std::int64_t known_us = 0;        // of the last event given
  std::int64_t bar_us = 0;          // the bars' length; 0: none was needed
  std::vector<std::int64_t> ahead;  // lines refused because the clock had not come to them

  std::string text() const {
    return fmt::format("{} {} {} {} {} {} {}{}{}", begin, end, given, head, head_crc, known_us, bar_us,
                       ahead.empty() ? "" : " ", fmt::join(ahead, " "));
  }

  static Result<Position> parse(const std::string& text) {
    std::vector<std::int64_t> numbers;
    const char* at = text.data();
    const char* end = text.data() + text.size();
    bool good = true;
    while (good && at != end) {
      const auto [next, error] = std::from_chars(at, end, numbers.emplace_back());
      good = error == std::errc{} && (next == end || (*next == ' ' && next + 1 != end));
      at = good && next != end ? next + 1 : next;
    }
    if (!good || numbers.size() < 7) {
      return fail(Code::Damaged, fmt::format("file that grows: position {} is not one", quoted(text)));
    }
    return Position{static_cast<std::uint64_t>(numbers[0]),
                    static_cast<std::uint64_t>(numbers[1]),
                    static_cast<std::uint64_t>(numbers[2]),
                    static_cast<std::uint64_t>(numbers[3]),
                    static_cast<std::uint32_t>(numbers[4]),
                    numbers[5],
                    numbers[6],
                    {numbers.begin() + 7, numbers.end()}};
  }
};

class Tail final : public Source {
 public:
  Tail(World world, const RecordingOptions& options, Instruments& instruments, TimeReader times, TimeReader end_times)
      : world_{world},
        options_{options},
        path_{options.inputs.front()},
        name_{name_of(path_)},
        instruments_{instruments},
        times_{std::move(times)},
        end_times_{std::move(end_times)},
        bar_times_{bar_options(options.bar_length)},
        quarantine_{world.fs, options.quarantine_dir, Quarantine::Mode::Append} {
    report_.inputs.push_back(name_);
  }

  Result<std::optional<Event>> next() override {
    if (given_ == batch_.size()) EL_CHECK(read_batch());
    if (given_ == batch_.size()) return std::optional<Event>{};
    Row& row = batch_[given_++];
    last_known_ = std::max({last_known_, row.event_time, now_});
    return std::optional{
        Event{intern(instruments_, recorded_.at(row.instrument)), row.event_time, last_known_, std::move(row.what)}};
  }

  std::string position() const override {
    const std::int64_t bar_us = bar_times_.length().value_or(Duration{}).us();
    return Position{begin_, end_, given_, head_, head_crc_, last_known_.us(), bar_us, ahead_}.text();
  }

  Result<void> seek(const std::string& text) override {
    EL_TRY(const Position to, Position::parse(text));
    restart();
    head_ = to.head;
    head_crc_ = to.head_crc;
    end_ = to.end;  // what the file must still hold
    ahead_ = to.ahead;
    if (to.bar_us > 0) bar_times_ = BarTimes{bar_options(Duration{to.bar_us})};  // more rows might tell another length
    if (to.end == 0) return {};
    EL_TRY(const auto file, open_checked());
    if (!file) return fail(Code::NotFound, fmt::format("{}: is gone; {} bytes of it were read", path_, to.end));
    end_ = 0;
    EL_TRY(const bool ready, prepare(*file));
    if (!ready) return fail(Code::Damaged, fmt::format("{}: no rows where {} bytes were read", path_, to.end));
    quiet_ = true;  // these rows were counted and quarantined when they were first read
    while (end_ < to.begin) EL_CHECK(read_bytes(*file, to.begin));
    batch_.clear();
    begin_ = end_;
    while (end_ < to.end) EL_CHECK(read_bytes(*file, to.end));
    quiet_ = false;
    order_batch();
    begin_ = to.begin;
    if (to.given > batch_.size()) {
      return fail(Code::Damaged, fmt::format("{}: {} events where {} were given", path_, batch_.size(), to.given));
    }
    given_ = to.given;
    last_known_ = Timestamp{to.known_us};
    now_ = world_.clock.now();
    return {};
  }

  const SourceReport& report() const override { return report_; }
  std::optional<double> progress() const override { return std::nullopt; }

 private:
  struct Row {
    Timestamp event_time;
    std::string instrument;
    EventBody what;
  };

  BarTimesOptions bar_options(std::optional<Duration> length) const {
    return {options_.bar_stamp_start, length, options_.daily_bars_close_with_session, options_.calendar};
  }

  void restart() {
    batch_.clear();
    begin_ = end_ = given_ = 0;
    line_ = 0;
    rows_.reset();
    recorded_.clear();
    last_price_.clear();
    last_bar_.clear();
    report_.rows = 0;
    report_.refused.clear();
    last_known_ = Timestamp::min();
    skipping_ = false;
    ahead_.clear();
  }

  /// The file, if it is there and still the one that was read before.
  Result<std::unique_ptr<ReadableFile>> open_checked() {
    if (!world_.fs.exists(path_)) {
      if (end_ == 0) return std::unique_ptr<ReadableFile>{};
      return fail(Code::NotFound, fmt::format("{}: is gone; {} bytes of it were read", path_, end_));
    }
    EL_TRY(auto file, world_.fs.open(path_));
    if (file->size() < end_) {
      return fail(Code::BadData, fmt::format("{}: has {} bytes where {} were read: it was cut or replaced", path_,
                                             file->size(), end_));
    }
    if (head_ > 0) {
      EL_TRY(const std::string head, read(*file, 0, head_));
      if (crc32(head) != head_crc_) {
        return fail(Code::BadData,
                    fmt::format("{}: its first {} bytes are not those that were read: it was replaced or rotated",
                                path_, head_));
      }
    }
    return file;
  }

  static Result<std::string> read(ReadableFile& file, std::uint64_t from, std::uint64_t count) {
    std::string bytes(count, '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
      EL_TRY(const std::size_t n, file.read_at(from + filled, std::span{bytes}.subspan(filled)));
      if (n == 0) break;
      filled += n;
    }
    bytes.resize(filled);
    return bytes;
  }

  Result<void> read_batch() {
    EL_TRY(const auto file, open_checked());
    if (!file || file->size() == end_) return {};
    EL_TRY(const bool ready, prepare(*file));
    if (!ready) return {};
    now_ = world_.clock.now();
    batch_.clear();
    given_ = 0;
    begin_ = end_;
    EL_CHECK(read_bytes(*file, begin_ + kBatch));
    order_batch();
    EL_TRY(const std::string head, read(*file, 0, std::min(end_, kHead)));
    head_ = head.size();
    head_crc_ = crc32(head);
    return {};
  }

  /// Learns the columns and the forms of the values from the first lines; false while there are too few.
  Result<bool> prepare(ReadableFile& file) {
    if (rows_) return true;
    EL_TRY(const std::string bytes, read(file, 0, kBatch));
    if (bytes.starts_with("\x1f\x8b") || bytes.starts_with("PAR1") || bytes.starts_with("{")) {
      return fail(Code::Unsupported, fmt::format("{}: only a plain CSV can be read while it grows", path_));
    }
    std::vector<std::string_view> lines;
    for (std::size_t at = 0;;) {
      const std::size_t end = bytes.find('\n', at);
      if (end == std::string::npos) break;
      lines.push_back(without_end(std::string_view{bytes}.substr(at, end - at)));
      at = end + 1;
    }
    if (lines.empty()) return false;
    if (lines.front().starts_with("\xef\xbb\xbf")) lines.front().remove_prefix(3);
    std::vector<std::string_view> fields;
    std::vector<std::unique_ptr<std::string>> unescaped;
    if (auto split = split_csv(lines.front(), fields, unescaped); !split) {
      return fail(Code::BadData, fmt::format("{}:1: {}: is this a CSV file?", path_, split.error().text()));
    }
    const std::string symbol = default_symbol(options_, name_);
    auto format =
        recognise_table(std::vector<std::string>(fields.begin(), fields.end()), options_.columns, !symbol.empty());
    if (!format) return fail(format.error(), path_);
    if (format->kind == TableKind::BookEvents) {
      return fail(Code::Unsupported, fmt::format("{}: book events cannot be read while the file grows", path_));
    }

    std::vector<std::string> samples;
    const std::size_t time_column = *format->find("timestamp");
    for (std::size_t i = 1; i < lines.size() && samples.size() < kFirstRows; ++i) {
      if (split_csv(lines[i], fields, unescaped) && fields.size() > time_column)
        samples.emplace_back(fields[time_column]);
    }
    if (samples.empty()) return false;
    if (auto learned = times_.learn(samples); !learned) return fail(learned.error(), path_);
    const TableKind kind = format->kind;
    RowReader rows{*std::move(format), symbol, options_.probability, times_, end_times_};
    if (kind == TableKind::Bars && !bar_times_.length()) {
      std::map<std::string, Timestamp, std::less<>> last;
      bool by_session = false;
      for (std::size_t i = 1; i < lines.size(); ++i) {
        if (!split_csv(lines[i], fields, unescaped)) continue;
        const auto bar = rows.bar(fields);
        if (!bar) continue;
        by_session = by_session || bar->stamp.session;
        const auto [at, is_first] = last.try_emplace(std::string{bar->instrument}, bar->stamp.time);
        if (!is_first && bar->stamp.time > at->second) bar_times_.see(bar->stamp.time - at->second);
        at->second = std::max(at->second, bar->stamp.time);
      }
      if (!by_session) {
        if (!bar_times_.can_decide()) return false;  // two bars of one symbol are needed
        if (auto decided = bar_times_.decide(); !decided) return fail(decided.error(), path_);
      }
    }
    rows_.emplace(std::move(rows));
    report_.time_unit = times_.unit();
    return true;
  }

  static std::string_view without_end(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  /// Reads whole lines from end_ up to byte `until` into the batch.
  Result<void> read_bytes(ReadableFile& file, std::uint64_t until) {
    EL_TRY(const std::string bytes, read(file, end_, std::min(until - end_, kBatch)));
    std::size_t at = 0;
    for (;;) {
      const std::size_t end = bytes.find('\n', at);
      if (end == std::string::npos) break;
      const std::string_view line = without_end(std::string_view{bytes}.substr(at, end - at));
      at = end + 1;
      ++line_;
      if (std::exchange(skipping_, false) || line_ == 1 || line.empty()) continue;
      EL_CHECK(read_line(line));
    }
    if (at == 0 && bytes.size() > kLongestRecord) {
      if (!skipping_)
        EL_CHECK(refuse(line_ + 1, {"line too long", fmt::format("more than {} bytes", kLongestRecord)}, {}));
      skipping_ = true;
      at = bytes.size();
    }
    if (at == 0 && quiet_) {  // an earlier reading stopped inside a line that is too long
      if (bytes.empty()) return fail(Code::Damaged, fmt::format("{}: ends before byte {}", path_, until));
      skipping_ = true;
      at = bytes.size();
    }
    end_ += at;
    return {};
  }

  Result<void> read_line(std::string_view line) {
    if (auto read = admit(line); !read) return refuse(line_, read.error(), line);
    ++report_.rows;
    if (report_.time_unit.empty()) report_.time_unit = times_.unit();
    return {};
  }

  RowResult<void> admit(std::string_view line) {
    if (line.size() > kLongestRecord) return everlearn::refuse("line too long", fmt::format("{} bytes", line.size()));
    if (auto split = split_csv(line, fields_, unescaped_); !split) return split;
    return rows_->format().kind == TableKind::Bars ? admit_bar() : admit_price();
  }

  RowResult<void> admit_price() {
    const auto line = rows_->price(fields_);
    if (!line) return tl::unexpected(line.error());
    if (auto ahead = check_not_ahead(line->time.time); !ahead) return ahead;
    const PriceRecord row{*line, line_};
    const std::string name{line->instrument};
    if (auto admitted = follow(last_price_, name, row); !admitted) return admitted;
    meet({name, std::string{line->market}, line->end_time, options_.probability, is_context(name)});
    batch_.push_back({row.time, name, to_point(row)});
    if (row.outcome >= 0) batch_.push_back({row.time, name, Resolution{static_cast<double>(row.outcome)}});
    return {};
  }

  RowResult<void> admit_bar() {
    const auto line = rows_->bar(fields_);
    if (!line) return tl::unexpected(line.error());
    BarRecord row{*line, line_};
    if (!row.placed) {
      const auto span = bar_times_.span(row.time, row.day);
      if (!span) return tl::unexpected(span.error());
      row.open_time = span->open;
      row.time = span->close;
      row.placed = true;
    }
    if (auto ahead = check_not_ahead(row.time); !ahead) return ahead;
    const std::string name{line->instrument};
    if (auto admitted = follow(last_bar_, name, row); !admitted) return admitted;
    meet({name, {}, std::nullopt, options_.probability, is_context(name)});
    batch_.push_back({row.time, name, to_bar(row)});
    return {};
  }

  RowResult<void> check_not_ahead(Timestamp time) {
    if (quiet_) {  // judged by the clock of the first reading
      if (std::ranges::find(ahead_, line_) == ahead_.end()) return {};
    } else {
      if (time <= now_ + kAhead) return {};
      ahead_.push_back(line_);
    }
    return everlearn::refuse("time in the future", fmt::format("{} read at {}", time.iso(), now_.iso()));
  }

  /// Only the last row of each instrument is kept: the process runs for years.
  template <class Record>
  static RowResult<void> follow(std::map<std::string, Series>& last, const std::string& name, const Record& row) {
    Series& series = last[name];
    Series alone;
    if (auto admitted = series.admit(row); !admitted) return admitted;
    (void)alone.admit(row);
    series = std::move(alone);
    return {};
  }

  void meet(RecordedInstrument instrument) { recorded_.try_emplace(instrument.name, instrument); }

  bool is_context(const std::string& name) const {
    return std::ranges::any_of(
        options_.context, [&](const std::string& entry) { return entry == name || entry == path_ || entry == name_; });
  }

  Result<void> refuse(std::int64_t line, const Refusal& refusal, std::string_view raw) {
    if (options_.strict && !quiet_) {
      return fail(Code::BadData, fmt::format("{}:{}: {}", path_, line, refusal.text()));
    }
    if (ahead_.size() > kMostAhead) {
      return fail(Code::BadData, fmt::format("{}:{}: {}, like {} rows before it: is the time zone right?", path_, line,
                                             refusal.text(), kMostAhead));
    }
    ++report_.refused[std::string{refusal.reason}];
    return quiet_ ? Result<void>{} : quarantine_.add(path_, name_, line, refusal, raw);
  }

  /// The order of a source; all rows of a batch were learned of together.
  void order_batch() {
    std::ranges::stable_sort(batch_, {}, [](const Row& row) { return std::tie(row.event_time, row.instrument); });
  }

  World world_;
  const RecordingOptions options_;  // before bar_times_
  const std::string path_;
  const std::string name_;
  Instruments& instruments_;
  TimeReader times_, end_times_;
  BarTimes bar_times_;
  Quarantine quarantine_;
  SourceReport report_;

  std::optional<RowReader> rows_;  // once the first lines are there
  std::map<std::string, RecordedInstrument> recorded_;
  std::map<std::string, Series> last_price_, last_bar_;
  std::vector<std::string_view> fields_;
  std::vector<std::unique_ptr<std::string>> unescaped_;

  std::vector<Row> batch_;
  std::size_t given_ = 0;              // of the batch
  std::uint64_t begin_ = 0, end_ = 0;  // its bytes
  std::int64_t line_ = 0;              // lines before end_
  std::uint64_t head_ = 0;
  std::uint32_t head_crc_ = 0;
  Timestamp now_ = Timestamp::min();  // when the batch was read
  Timestamp last_known_ = Timestamp::min();
  bool quiet_ = false;               // reading again what was read before
  std::vector<std::int64_t> ahead_;  // lines that were ahead of the clock
  bool skipping_ = false;            // inside a line that is too long
};

}  // namespace

Result<std::unique_ptr<Source>> open_tail(World world, const RecordingOptions& options, Instruments& instruments) {
  if (options.inputs.size() != 1) {
    return fail(Code::Usage,
                fmt::format("a file that grows: one input is needed, {} are given", options.inputs.size()));
  }
  const TimeFormat format{options.time_zone, options.time_unit, options.calendar};
  EL_TRY(TimeReader times, TimeReader::make(format));
  EL_TRY(TimeReader end_times, TimeReader::make(format));
  return std::make_unique<Tail>(world, options, instruments, std::move(times), std::move(end_times));
}

}  // namespace everlearn
