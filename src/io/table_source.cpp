#include "io/table_source.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "core/quoted.hpp"
#include "io/csv.hpp"
#include "io/quarantine.hpp"
#include "io/recorded.hpp"
#include "io/seen_rows.hpp"
#include "io/table_form.hpp"
#include "market/event_codec.hpp"

namespace everlearn {
namespace {

constexpr std::uint8_t kPositionVersion = 1;
constexpr std::size_t kMostWithoutTime = 1'000;           // rows looked at
constexpr Duration kOddEvery = Duration::hours(1);        // such rows need not be found at once
constexpr Duration kLongestPause = Duration::minutes(5);  // between looks at a table that cannot be read

std::uint64_t digest(std::string_view text) {
  const Sha256 hash = sha256(text);
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | hash[static_cast<std::size_t>(i)];
  return value;
}

/// Where reading goes on, and which earlier rows are still looked at.
struct Place {
  std::optional<RowPlace> cursor;           // the last row of the last batch that was given whole
  std::optional<Timestamp> window_from;     // rows from here on are remembered, up to window_to and in the lookback
  Timestamp window_to = Timestamp::min();   // rows up to here are read again once nothing new is left
  Timestamp read_to = Timestamp::min();     // where the cursor was when nothing new was left
  Timestamp told_until = Timestamp::min();  // all that was known by then has been given
  Timestamp last_known = Timestamp::min();

  void encode(ByteWriter& out) const {
    out.boolean(cursor.has_value());
    if (cursor) {
      out.time(cursor->order);
      out.text(cursor->tie);
    }
    out.boolean(window_from.has_value());
    out.time(window_from.value_or(Timestamp{}));
    for (const Timestamp t : {window_to, read_to, told_until, last_known}) out.time(t);
  }

  void decode(ByteReader& in) {
    if (in.boolean()) {
      cursor.emplace();
      cursor->order = in.time();
      cursor->tie = in.text();
    }
    const bool window = in.boolean();
    const Timestamp from = in.time();
    if (window) window_from = from;
    for (Timestamp* t : {&window_to, &read_to, &told_until, &last_known}) *t = in.time();
  }
};

class TableSource final : public Source {
 public:
  TableSource(World world, const TableOptions& options, std::unique_ptr<LiveTable> table, Instruments& instruments)
      : world_{world},
        options_{options},
        identity_{identity_settings(options)},
        table_{std::move(table)},
        instruments_{instruments},
        quarantine_{world.fs, options.quarantine_dir, Quarantine::Mode::Append} {
    report_.inputs.push_back(table_->name());
  }

  Result<std::optional<Event>> next() override {
    while (waiting_.empty()) {
      if (batch_end_) end_batch();
      const Timestamp now = world_.clock.now();
      if (finished_) return std::optional<Event>{};
      if (!more_ && looked_at_) told(*looked_at_);
      if (!more_ && next_look_ && now < *next_look_) return std::optional<Event>{};
      const auto looked = look(now);
      if (!looked) {
        if (looked.error().code != Code::Unavailable || options_.whole) return tl::unexpected<Error>(looked.error());
        in_trouble(now, looked.error().message);
        return std::optional<Event>{};
      }
      report_.trouble.clear();
      failures_ = 0;
      if (!more_) {
        next_look_ = now + options_.poll;
        finished_ = options_.whole;
        looked_at_ = now;
        if (waiting_.empty()) {
          end_batch();
          told(now);
          return std::optional<Event>{};
        }
      }
    }
    Waiting item = std::move(waiting_.front());
    waiting_.pop_front();
    seen_.put(item.after);
    place_.last_known = std::max(place_.last_known, item.known_at);
    if (item.first) {
      ++report_.rows;
      report_.late += item.late ? 1 : 0;
      report_.corrected += item.corrected ? 1 : 0;
    }
    const InstrumentId id =
        intern(instruments_, {item.instrument, {}, std::nullopt, options_.probability, is_context(item.instrument)});
    return std::optional{Event{id, item.event_time, place_.last_known, std::move(item.what), item.revision}};
  }

  Timestamp told_until(Timestamp) const override { return place_.told_until; }

  std::string position() const override {
    ByteWriter out;
    out.u8(kPositionVersion);
    out.text(identity_);
    out.text(reading_settings());
    out.text(columns_in_use_);
    out.i64(options_.bar_length.value_or(Duration{}).us());
    place_.encode(out);
    out.text(seen_.bytes());
    return out.take();
  }

  Result<void> seek(const std::string& position) override {
    waiting_.clear();
    batch_end_.reset();
    more_ = false;
    finished_ = false;
    next_look_.reset();
    looked_at_.reset();
    place_ = {};
    seen_ = {};
    form_.reset();
    columns_in_use_.clear();
    if (position.empty()) return {};
    ByteReader in{position};
    const std::uint8_t version = in.u8();
    if (version != kPositionVersion)
      return fail(Code::Damaged, fmt::format("{}: position of version {}, this program knows {}", table_->name(),
                                             version, kPositionVersion));
    const std::string identity = in.text();
    const std::string reading = in.text();
    const std::string columns = in.text();
    const Duration bar_length{in.i64()};
    place_.decode(in);
    const std::string seen = in.text();
    EL_CHECK(in.finish(table_->name() + ": its position"));
    if (identity != identity_)
      return fail(Code::Config,
                  fmt::format("{}: its columns have other meanings than when it was first read ({} then, {} now); what "
                              "was read stands, take another --data for the new ones",
                              table_->name(), quoted(identity, 300), quoted(identity_, 300)));
    // Told to read times otherwise, a column may be of another kind.
    if (reading == reading_settings()) columns_in_use_ = columns;
    if (bar_length.us() > 0) options_.bar_length = bar_length;
    EL_TRY(seen_, SeenRows::decode(seen));
    return {};
  }

  const SourceReport& report() const override { return report_; }
  std::optional<double> progress() const override { return std::nullopt; }

 private:
  /// One event that was read and not yet given.
  struct Waiting {
    std::string instrument;
    Timestamp event_time, known_at;
    EventBody what;
    std::uint32_t revision = 0;
    SeenRow after;  // what is remembered of its row once it was given
    bool first = false, late = false, corrected = false;
  };

  struct Batch {
    std::vector<FoundRow> ahead;  // behind the cursor
    bool full = false;            // there may be more of them
    std::vector<FoundRow> again;  // of the window
    bool window_read = false;
  };

  /// All that the last look found has been given.
  void told(Timestamp looked_at) { place_.told_until = std::max(place_.told_until, looked_at - options_.settle); }

  void in_trouble(Timestamp now, const std::string& why) {
    report_.trouble = why;
    Duration pause = options_.poll;
    for (int i = 0; i < failures_ && pause < kLongestPause; ++i) pause = pause * 2;
    ++failures_;
    next_look_ = now + std::max(options_.poll, std::min(pause, kLongestPause));
    more_ = false;
  }

  /// What decides on the kinds of columns, beside the table.
  std::string reading_settings() const {
    return options_.time_zone.value_or("") + "\n" + options_.time_unit.value_or("");
  }

  bool is_context(const std::string& name) const {
    return std::ranges::find(options_.context, name) != options_.context.end();
  }

  bool by_time() const { return options_.known_column.empty(); }

  /// Reads one batch and puts its events in line. After an Error everything is as before.
  Result<void> look(Timestamp now) {
    EL_TRY(const auto view, table_->look());
    EL_CHECK(learn_columns(view->columns()));
    EL_TRY(Batch batch, read(*view, now));
    EL_CHECK(view->close());
    EL_TRY(const bool ready, form_->learn(batch.ahead));
    if (!ready) {
      if (options_.whole)
        return fail(Code::BadData, fmt::format("{}: too few rows to tell how long a bar is; source.bar_length says it",
                                               table_->name()));
      more_ = false;
      return {};
    }
    if (form_->bar_length()) options_.bar_length = form_->bar_length();
    return line_up(batch, now);
  }

  Result<void> learn_columns(std::span<const LiveColumn> there) {
    if (!columns_in_use_.empty()) {
      if (const std::string changed = changed_column(columns_in_use_, there); !changed.empty())
        return fail(Code::BadData,
                    fmt::format("{}: {}. What was read stands; nothing further is read until the column is back or "
                                "the settings say otherwise",
                                table_->name(), changed));
      if (form_) return {};
    }
    EL_TRY(form_, TableForm::make(options_, table_->name(), there));
    columns_in_use_ = form_->columns_in_use();
    return {};
  }

  Result<Batch> read(TableView& view, Timestamp now) {
    const auto limit = static_cast<std::size_t>(options_.batch_rows);
    Batch batch;
    TableRange range;
    range.after = place_.cursor;
    if (!options_.whole) range.to = by_time() ? now - options_.delay : now;
    EL_TRY(batch.ahead, page(view, range, limit));
    batch.full = batch.ahead.size() >= limit || trimmed_;
    if (batch.full || options_.whole) return batch;

    if (place_.window_from) {
      TableRange again{std::nullopt, *place_.window_from, place_.window_to};
      for (;;) {
        EL_TRY(auto rows, page(view, again, limit));
        const bool whole = rows.size() < limit && !trimmed_;
        if (!rows.empty()) again.after = rows.back().place;
        std::ranges::move(rows, std::back_inserter(batch.again));
        if (whole) break;
      }
      batch.window_read = true;
    }
    if (next_look_for_odd_ && now < *next_look_for_odd_) return batch;
    EL_TRY(auto odd, view.without_order(form_->plan(), kMostWithoutTime));
    for (FoundRow& row : odd) {
      row.place.order = Timestamp::max();
      batch.again.push_back(std::move(row));
    }
    next_look_for_odd_ = now + kOddEvery;
    return batch;
  }

  /// Up to `limit` rows. Where more follow, rows that share the last place are left for the next page, so that none is
  /// passed over.
  Result<std::vector<FoundRow>> page(TableView& view, const TableRange& range, std::size_t limit) {
    trimmed_ = false;
    EL_TRY(auto rows, view.rows(form_->plan(), range, limit));
    if (rows.size() < limit || id_is_unique()) return rows;
    const RowPlace last = rows.back().place;
    while (!rows.empty() && rows.back().place == last) rows.pop_back();
    trimmed_ = true;
    if (rows.empty())
      return fail(
          Code::Config,
          fmt::format("{}: more than {} rows have the time {}{}; source.id_column, source.key_column or a larger "
                      "source.batch_rows tells them apart",
                      table_->name(), limit, last.order.iso(),
                      last.tie.empty() ? "" : fmt::format(" and the key {}", quoted(last.tie))));
    return rows;
  }

  bool id_is_unique() const { return !options_.id_column.empty(); }

  /// A good row, before it is known whether it says anything new.
  struct Candidate {
    const FoundRow* row = nullptr;
    TableRowSays says;
    SeenRow digests;
    bool waits = false;  // for the last batch of a long catching up
    bool twin = false;   // another row of the look stands for it
  };

  Result<void> line_up(const Batch& batch, Timestamp now) {
    std::optional<RowPlace> end = place_.cursor;
    EL_TRY(std::vector<Candidate> rows, candidates(batch, now, end));
    const bool reached_now = end_reached_now_;
    EL_CHECK(settle_twins(rows));
    // A row that must be known only now would push what comes behind it in a long catching up; it waits for the last
    // batch. Where all of a batch are such rows there is nothing to push.
    const bool any_in_time = std::ranges::any_of(rows, [](const Candidate& row) { return !row.waits; });
    std::vector<Waiting> events;
    versions_.clear();
    for (const Candidate& row : rows) {
      if (row.twin) continue;
      if (row.waits && any_in_time) {
        // What was given of the lookback so far is remembered: the window may begin there.
        if (!place_.window_from)
          place_.window_from = (place_.cursor ? place_.cursor->order : row.row->place.order) - options_.lookback;
        place_.window_to = std::max(place_.window_to, row.row->place.order);
      } else {
        line_up(row, now, events);
      }
    }
    if (batch.window_read) count_gone(batch.again);
    std::ranges::stable_sort(events, [](const Waiting& a, const Waiting& b) {
      return std::tie(a.known_at, a.event_time, a.instrument) < std::tie(b.known_at, b.event_time, b.instrument);
    });
    std::ranges::move(events, std::back_inserter(waiting_));
    if (report_.time_unit.empty()) report_.time_unit = form_->time_unit();
    // A batch that does not move the cursor would be read for ever.
    more_ = batch.full && !reached_now && end != place_.cursor;
    batch_end_ = BatchEnd{end, !more_};
    return {};
  }

  /// The good rows whose time has come; the others are refused, or left for a later look. `end`: where the cursor goes.
  Result<std::vector<Candidate>> candidates(const Batch& batch, Timestamp now, std::optional<RowPlace>& end) {
    std::vector<Candidate> rows;
    const auto add = [&](const FoundRow& row, TableRowSays&& says, bool waits) {
      Candidate candidate{&row, std::move(says), {}, waits, false};
      SeenRow& digests = candidate.digests;
      digests.order = row.place.order;
      digests.row = digest(form_->identity(row));
      digests.slot = digest(fmt::format("{}\x1f{}", candidate.says.instrument, candidate.says.event_time.us()));
      digests.price = candidate.says.price ? crc32(encode_event(*candidate.says.price)) : 0;
      digests.fields = candidate.says.fields ? crc32(encode_event(*candidate.says.fields)) : 0;
      rows.push_back(std::move(candidate));
    };
    end_reached_now_ = false;
    for (const FoundRow& row : batch.ahead) {
      auto says = form_->read(row);
      if (says && says->known_at > now && !options_.whole) {
        if (by_time()) {  // and so are all behind it
          end_reached_now_ = true;
          break;
        }
        end = row.place;
        if (says->event_time <= now + options_.lookback) continue;  // the window finds it once its time has come
        says = refuse_row("time in the future", fmt::format("{} read at {}", says->event_time.iso(), now.iso()));
      }
      end = row.place;
      if (!says) {
        EL_CHECK(refuse(row, says.error()));
        continue;
      }
      const bool waits = batch.full && !options_.whole && says->known_at <= place_.told_until;
      add(row, *std::move(says), waits);
    }
    for (const FoundRow& row : batch.again) {
      auto says = form_->read(row);
      if (!says) {
        EL_CHECK(refuse(row, says.error()));
      } else if (says->known_at <= now) {
        add(row, *std::move(says), false);
      }
    }
    return rows;
  }

  static RowResult<TableRowSays> refuse_row(std::string_view reason, std::string detail) {
    return everlearn::refuse(reason, std::move(detail));
  }

  /// Rows of one look that nothing tells apart: what was given before stands for them, else one by its content.
  Result<void> settle_twins(std::vector<Candidate>& rows) {
    std::unordered_map<std::uint64_t, std::size_t> first;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto [at, alone] = first.try_emplace(rows[i].digests.row, i);
      if (alone) continue;
      Candidate* stands = &rows[at->second];
      Candidate* other = &rows[i];
      const auto content = [](const Candidate& row) { return std::pair{row.digests.price, row.digests.fields}; };
      if (content(*stands) != content(*other)) {
        const SeenRow* seen = seen_.find(other->digests.row);
        const auto given = [&](const Candidate& row) {
          return seen != nullptr && std::pair{seen->price, seen->fields} == content(row);
        };
        if (given(*other) || (!given(*stands) && content(*other) < content(*stands))) {
          std::swap(stands, other);
          at->second = i;
        }
        EL_CHECK(refuse(*other->row, {"second value for the same time",
                                      fmt::format("{} of {}; source.id_column would tell which is newer",
                                                  other->says.event_time.iso(), quoted(other->says.instrument))}));
      }
      other->twin = true;
    }
    return {};
  }

  /// Whether an earlier row of its time may have been given and forgotten: a row is remembered by when it was known,
  /// and one that is corrected long after has its old time still.
  bool forgotten(const TableRowSays& says) const {
    return !by_time() && place_.cursor && says.event_time < place_.cursor->order - options_.lookback;
  }

  /// The events of one row, if it says anything new.
  void line_up(const Candidate& row, Timestamp now, std::vector<Waiting>& events) {
    const TableRowSays& says = row.says;
    SeenRow after = row.digests;
    const SeenRow* before = seen_.find(after.row);
    bool price_is_new = says.price.has_value(), fields_are_new = says.fields.has_value();
    bool continues = false;  // its price was given by an earlier run, its fields were not
    if (before != nullptr) {
      price_is_new = price_is_new && before->price != after.price;
      continues = before->half && !price_is_new;
      fields_are_new = fields_are_new && (before->half || before->fields != after.fields);
      if (!price_is_new && !fields_are_new) {
        if (!before->gone) return;
        SeenRow back = *before;  // it is there again, unchanged
        back.gone = false;
        seen_.put(back);
        return;
      }
    }
    std::uint32_t& versions = versions_.try_emplace(after.slot, seen_.versions(after.slot)).first->second;
    if (!continues) ++versions;
    after.versions = versions;
    const bool as_it_says = options_.whole || continues || (before == nullptr && says.known_at > place_.told_until);
    Waiting item{.instrument = says.instrument,
                 .event_time = says.event_time,
                 .known_at = as_it_says ? says.known_at : now,
                 .what = {},
                 .revision = forgotten(says) ? kAsStored : versions - 1,
                 .after = after,
                 .first = !continues,
                 .late = before == nullptr && place_.window_from && after.order <= place_.read_to,
                 .corrected = versions > 1 && !continues};
    if (price_is_new) {
      item.what = *says.price;
      item.after.half = fields_are_new;
      events.push_back(item);
      item.first = false;
    }
    if (fields_are_new) {
      item.what = *says.fields;
      item.after.half = false;
      events.push_back(std::move(item));
    }
  }

  /// Once a row and text: what stays bad is not told again at each look.
  Result<void> refuse(const FoundRow& row, const Refusal& refusal) {
    std::string raw;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (i > 0) raw += ',';
      append_csv_field(raw, row.cells[i]);
    }
    SeenRow seen;
    seen.order = row.place.order;
    seen.row = digest("refused\x1f" + raw);
    seen.refused = true;
    if (seen_.find(seen.row) != nullptr) return {};
    if (options_.strict)
      return fail(Code::BadData, fmt::format("{}: {}: {}", table_->name(), refusal.text(), quoted(raw, 200)));
    seen_.put(seen);
    ++report_.refused[std::string{refusal.reason}];
    return quarantine_.add(table_->name(), options_.short_name(), row.line, refusal, raw);
  }

  /// Rows that were read and are not there any more. What they said was known, and stays.
  void count_gone(const std::vector<FoundRow>& again) {
    std::unordered_set<std::uint64_t> there;
    for (const FoundRow& row : again)
      if (!row.refusal) there.insert(digest(form_->identity(row)));
    std::vector<SeenRow> gone;
    seen_.each([&](const SeenRow& row) {
      const bool in_window = row.order >= *place_.window_from && row.order <= place_.read_to;
      if (in_window && !row.refused && !row.gone && !there.contains(row.row)) gone.push_back(row);
    });
    std::ranges::sort(gone, {}, &SeenRow::row);
    for (SeenRow& row : gone) {
      row.gone = true;
      seen_.put(row);
      ++report_.gone;
    }
  }

  struct BatchEnd {
    std::optional<RowPlace> cursor;
    bool nothing_left = false;
  };

  /// All of a batch was given: the cursor moves, and what is too old to change is forgotten.
  void end_batch() {
    if (!batch_end_) return;
    const BatchEnd end = *std::exchange(batch_end_, std::nullopt);
    const bool moved = end.cursor != place_.cursor;
    place_.cursor = end.cursor;
    if (!place_.cursor) return;
    const Timestamp lookback_from = place_.cursor->order - options_.lookback;
    if (end.nothing_left && !options_.whole) {
      place_.window_from = std::max(place_.window_from.value_or(Timestamp::min()), lookback_from);
      place_.window_to = place_.read_to = place_.cursor->order;
    }
    if (!moved) return;
    seen_.keep([&](const SeenRow& row) {
      if (row.order == Timestamp::max() || row.order >= lookback_from) return true;
      return place_.window_from && row.order >= *place_.window_from && row.order <= place_.window_to;
    });
  }

  World world_;
  TableOptions options_;  // bar_length once it is learned
  const std::string identity_;
  const std::unique_ptr<LiveTable> table_;
  Instruments& instruments_;
  Quarantine quarantine_;
  SourceReport report_;

  std::unique_ptr<TableForm> form_;  // since the first look
  std::string columns_in_use_;
  Place place_;
  SeenRows seen_;

  std::deque<Waiting> waiting_;
  std::optional<BatchEnd> batch_end_;               // of what waits
  bool more_ = false;                               // the batch was full
  bool finished_ = false;                           // options_.whole: all was read
  bool trimmed_ = false;                            // by page()
  std::optional<Timestamp> next_look_, looked_at_;  // looked_at_: the last time that nothing was left to read
  std::optional<Timestamp> next_look_for_odd_;
  int failures_ = 0;  // in a row

  // Of one look:
  bool end_reached_now_ = false;                               // a row's time had not come
  std::unordered_map<std::uint64_t, std::uint32_t> versions_;  // by slot, with those that wait
};

}  // namespace

Result<std::unique_ptr<Source>> open_table(World world, const TableOptions& options, std::unique_ptr<LiveTable> table,
                                           Instruments& instruments) {
  return std::make_unique<TableSource>(world, options, std::move(table), instruments);
}

}  // namespace everlearn
