#include "app/feature_rebuild.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "app/cycle_grid.hpp"
#include "app/data_directory.hpp"
#include "app/dense_history.hpp"
#include "app/row_schema.hpp"
#include "app/stored_market.hpp"
#include "core/json.hpp"
#include "core/lock.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "feature/stored_precision.hpp"

namespace everlearn {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kRowsACommit = 5000;
constexpr Duration kPause = Duration::minutes(2);  // of a source that forgets: the engine begins anew after it
constexpr std::size_t kCopyBytes = 1 << 20;

bool of_features(const std::string& key) { return key.starts_with("features."); }

/// What the state of the directory was made with must stay. Errors: Config.
Result<void> check_settings(const RebuildRequest& request) {
  std::map<std::string, std::string> before;
  for (const Setting& setting : request.before.settings) before.emplace(setting.key, setting.value);
  for (const Setting& setting : request.now.settings) {
    const auto was = before.find(setting.key);
    const bool same = was != before.end() && was->second == setting.value;
    const bool of_rows = setting.key == "cycle.every" || setting.key == "examples.every" ||
                         setting.key == "source.calendar" || setting.key == "source.probability" ||
                         setting.key.starts_with("target.");
    // What may change at any start may change here.
    if (same || of_features(setting.key) || !of_rows || setting.key.find(".learner.") != std::string::npos) continue;
    return fail(Code::Config, fmt::format("{} was {}, is {}: a rebuild changes features alone", setting.key,
                                          was == before.end() ? "not there" : was->second, setting.value));
  }
  return {};
}

// --- the copy --------------------------------------------------------------------------------------------------------

Result<void> copy_file(Fs& fs, const std::string& from, const std::string& to) {
  EL_TRY(const auto in, fs.open(from));
  EL_TRY(const auto out, fs.create(to));
  std::string buffer(kCopyBytes, '\0');
  for (std::uint64_t at = 0;;) {
    EL_TRY(const std::size_t got, in->read_at(at, buffer));
    if (got == 0) break;
    EL_CHECK(out->append(std::string_view{buffer}.substr(0, got)));
    at += got;
  }
  EL_CHECK(out->sync());
  return out->close();
}

/// Files that never change are one with the old ones where the disk allows it.
Result<void> link_tree(Fs& fs, const std::string& from, const std::string& to) {
  if (!fs.exists(from)) return {};
  EL_CHECK(fs.make_directories(to));
  EL_TRY(const auto entries, fs.list(from));
  for (const DirectoryEntry& entry : entries) {
    const std::string source = from + "/" + entry.name, target = to + "/" + entry.name;
    if (entry.is_directory) {
      EL_CHECK(link_tree(fs, source, target));
    } else if (!fs.link(source, target)) {
      EL_CHECK(copy_file(fs, source, target));
    }
  }
  return fs.sync_directory(to);
}

/// No store is open there.
Result<void> copy_directory(Fs& fs, const std::string& from, const std::string& to) {
  EL_CHECK(fs.remove_tree(to));
  EL_CHECK(fs.make_directories(to));
  for (const char* file : {"everlearn.db", "everlearn.db-wal"})
    if (fs.exists(from + "/" + file)) EL_CHECK(copy_file(fs, from + "/" + file, to + "/" + file));
  for (const char* folder : {"lake", "models"}) EL_CHECK(link_tree(fs, from + "/" + folder, to + "/" + folder));
  return fs.sync_directory(to);
}

// --- the instruments -------------------------------------------------------------------------------------------------

/// As the engine knew them last; of a directory that keeps their names alone, with what the profile says of all.
Result<Instruments> stored_instruments(const Store& store, const Profile& profile) {
  EL_TRY(const auto table, store.state("instruments table"));
  if (table) {
    ByteReader in{*table};
    return Instruments::decode(in);
  }
  Instruments instruments;
  EL_TRY(const auto names, store.state("instruments"));
  for (const std::string& name : text_lines(names.value_or(""))) {
    Instrument& one = instruments.edit(instruments.intern(name));
    one.probability = profile.probability;
    one.context = std::ranges::count(profile.context, name) > 0;
    if (profile.tick_size > 0) {
      EL_TRY(one.tick_size, Price::from(profile.tick_size));
    }
  }
  return instruments;
}

// --- features once more ----------------------------------------------------------------------------------------------

/// A few features of one bank, and where they belong in a row.
struct Part {
  std::vector<std::string> names;
  std::vector<std::size_t> columns;
};

Result<FeatureSet> set_of(const Part& part, Duration step) {
  if (part.names.empty()) return FeatureSet::none(step);
  return FeatureSet::choose(step, part.names);
}

void put(const FeatureBank& bank, InstrumentId id, const Part& part, std::vector<float>& row) {
  std::vector<float> values(part.names.size());
  bank.row(id, values);
  for (std::size_t i = 0; i < values.size(); ++i) row[part.columns[i]] = stored_precision(values[i]);
}

/// Features of the dense bank, from the prices known at each moment.
class DensePast {
 public:
  DensePast(const Store& store, const Profile& profile, const Calendar& calendar, const Instruments& instruments,
            FeatureSet set)
      : every_{profile.dense_every},
        grid_{profile.dense_every, calendar},
        instruments_{instruments},
        market_{store, false},
        history_{std::move(set), calendar, profile.gap_after},
        prices_(instruments.size()) {}

  Result<void> advance(Timestamp to) {
    while (true) {
      // Prices of a grid time are written at that time: first all that was known by it, then the step.
      const Timestamp until = next_ ? std::min(*next_, to) : to;
      EL_TRY(const auto item, market_.next(until));
      if (item) {
        if (!next_) next_ = grid_.at_or_after(item->event.known_at);
        take(*item);
        continue;
      }
      if (!next_ || *next_ > to) return {};
      step();
    }
  }
  const FeatureBank& bank() {
    while (history_.refreshing()) history_.refresh(instruments_);
    return history_.bank();
  }

 private:
  struct Latest {
    Timestamp at = Timestamp::min();
    Price price;
  };

  void take(const StoredMarket::Item& item) {
    const Price price = std::get<PricePoint>(item.event.what).price;
    const Timestamp at = item.event.event_time;
    if (item.of_the_past) {
      if (grid_.on_grid(at)) history_.fill(item.event.instrument, at, price);
      return;
    }
    const std::size_t i = index(item.event.instrument);
    if (i >= prices_.size()) prices_.resize(i + 1);
    if (at >= prices_[i].at) prices_[i] = {at, price};
  }

  void step() {
    std::vector<std::optional<Price>> prices(prices_.size());
    for (std::size_t i = 0; i < prices.size(); ++i)
      if (prices_[i].at > *next_ - every_ && prices_[i].at != Timestamp::min()) prices[i] = prices_[i].price;
    history_.step(*next_, instruments_, std::move(prices));
    next_ = grid_.after(*next_);
  }

  const Duration every_;
  const CycleGrid grid_;
  const Instruments& instruments_;
  StoredMarket market_;
  DenseHistory history_;
  std::vector<Latest> prices_;  // the newest of each instrument
  std::optional<Timestamp> next_;
};

/// Features of the cycles, from all that is stored of the market.
class CyclePast {
 public:
  CyclePast(const Store& store, const Profile& profile, const Calendar& calendar, const Instruments& instruments,
            FeatureSet set)
      : forgets_{profile.dense_every.us() > 0},
        set_{std::move(set)},
        calendar_{calendar},
        instruments_{instruments},
        grid_{profile.cycle, calendar},
        stored_{store, profile.store_events},
        bank_{std::make_unique<FeatureBank>(set_, calendar)} {}

  Result<void> advance(Timestamp to) {
    while (true) {
      const Timestamp until = next_ ? std::min(*next_, to) : to;
      EL_TRY(const auto item, stored_.next(until));
      if (item) {
        if (!next_) next_ = grid_.at_or_after(item->event.known_at);
        take(*item);
        continue;
      }
      if (!next_ || *next_ > to) return {};
      bank_->step(*next_, instruments_, market_);
      market_.end_step();
      next_ = grid_.after(*next_);
    }
  }
  const FeatureBank& bank() const { return *bank_; }
  /// Of a market without a book the price came as such, and beside a dense history that is not stored.
  bool knows(InstrumentId id) const { return !forgets_ || (index(id) < market_.size() && market_[id].book.trusted); }

 private:
  void take(const StoredMarket::Item& item) {
    if (forgets_ && item.is_price) return;  // dense prices are of the other grid
    if (forgets_ && latest_ != Timestamp::min() && item.event.known_at - latest_ > kPause) {
      bank_ = std::make_unique<FeatureBank>(set_, calendar_);
      market_ = MarketState{};
    }
    latest_ = item.event.known_at;
    (void)market_.apply(item.event);  // a crossed book: it is untrusted now, as it was then
  }

  const bool forgets_;
  const FeatureSet set_;
  const Calendar& calendar_;
  const Instruments& instruments_;
  const CycleGrid grid_;
  StoredMarket stored_;
  MarketState market_;
  std::unique_ptr<FeatureBank> bank_;
  std::optional<Timestamp> next_;
  Timestamp latest_ = Timestamp::min();
};

/// Prices alone make it.
bool of_prices(const std::string& source) {
  return source == "price" || source == "clock" || source == "price, clock" || source == "price, context" ||
         source == "context";
}

/// Bars, trades and books are kept; where there is a dense history no other price is, so that some must be there.
Result<bool> has_events(const Store& store, const Profile& profile) {
  if (!profile.store_events || profile.dense_every.us() == 0) return profile.store_events;
  EL_TRY(const auto stats, store.stats());
  return std::ranges::any_of(stats, [](const DatasetStats& one) {
    return one.dataset == Dataset::Events && one.hot_rows + one.sealed_rows > 0;
  });
}

/// What becomes of each column.
class Rows {
 public:
  static Result<std::unique_ptr<Rows>> make(const Store& store, const Profile& profile, const Calendar& calendar,
                                            RebuildResult& result) {
    EL_TRY(RowSchema schema, RowSchema::make(profile));
    std::unique_ptr<Rows> rows{new Rows{std::move(schema)}};
    EL_TRY(const auto text, store.state("columns"));
    const std::vector<std::string> before = text_lines(text.value_or(""));
    rows->width_before_ = before.size();
    EL_TRY(rows->instruments_, stored_instruments(store, profile));
    const auto& columns = rows->schema_.columns();
    Part fast, dense;
    const bool prices_kept = profile.dense_every.us() == 0;
    EL_TRY(const bool events, has_events(store, profile));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (const auto was = std::ranges::find(before, columns[i]); was != before.end()) {
        rows->copied_.emplace_back(i, static_cast<std::size_t>(was - before.begin()));
        result.kept.push_back(columns[i]);
        continue;
      }
      const std::size_t fasts = rows->schema_.features().size(), denses = rows->schema_.dense().size();
      bool known = false;
      if (i < fasts) {
        const FeatureDefinition& feature = rows->schema_.features()[i];
        known = events || (prices_kept && of_prices(feature.source));
        if (known) fast.names.push_back(feature.name), fast.columns.push_back(i);
      } else if (i < fasts + denses) {
        known = true;
        dense.names.push_back(rows->schema_.dense()[i - fasts].name), dense.columns.push_back(i);
      } else {
        known = std::ranges::any_of(rows->schema_.defined(), [&](const auto& one) { return one.column == i; });
      }
      (known ? result.computed : result.missing).push_back(columns[i]);
    }
    for (const std::string& column : before)
      if (std::ranges::count(columns, column) == 0) result.dropped.push_back(column);

    if (!fast.names.empty()) {
      EL_TRY(FeatureSet set, set_of(fast, rows->schema_.features().step()));
      rows->cycles_ = std::make_unique<CyclePast>(store, profile, calendar, rows->instruments_, std::move(set));
    }
    if (!dense.names.empty()) {
      EL_TRY(FeatureSet set, set_of(dense, rows->schema_.dense().step()));
      rows->dense_ = std::make_unique<DensePast>(store, profile, calendar, rows->instruments_, std::move(set));
    }
    rows->fast_part_ = std::move(fast);
    rows->dense_part_ = std::move(dense);
    return rows;
  }

  const RowSchema& schema() const { return schema_; }

  /// Examples in order of time.
  Result<void> refill(ExampleRow& example) {
    if (example.features.size() != width_before_)
      return fail(
          Code::Damaged,
          fmt::format("example of instrument {} at {}: {} features, the directory has {} columns",
                      index(example.instrument), example.event_time.iso(), example.features.size(), width_before_));
    std::vector<float> row(schema_.size(), kMissing);
    for (const auto& [to, from] : copied_) row[to] = example.features[from];
    if (cycles_) {
      EL_CHECK(cycles_->advance(example.known_at));
      if (cycles_->knows(example.instrument)) put(cycles_->bank(), example.instrument, fast_part_, row);
    }
    if (dense_) {
      EL_CHECK(dense_->advance(example.known_at));
      put(dense_->bank(), example.instrument, dense_part_, row);
    }
    schema_.define(row);  // those that were copied too: from the same columns the same bits
    example.features = std::move(row);
    return {};
  }

 private:
  explicit Rows(RowSchema schema) : schema_{std::move(schema)} {}

  RowSchema schema_;
  Instruments instruments_;
  std::size_t width_before_ = 0;
  std::vector<std::pair<std::size_t, std::size_t>> copied_;  // new column, old column
  Part fast_part_, dense_part_;
  std::unique_ptr<CyclePast> cycles_;
  std::unique_ptr<DensePast> dense_;
};

/// Only examples go, all of them.
Store::RetentionPlan all_examples(const Store& store) {
  Store::RetentionPlan plan;
  plan.segments = store.segments(Dataset::Examples);
  for (const Segment& segment : plan.segments) {
    plan.rows += segment.rows;
    plan.bytes += segment.bytes;
  }
  return plan;
}

std::string lines(const std::vector<std::string>& all) { return fmt::format("{}", fmt::join(all, "\n")); }

Result<void> write_examples(Store& into, const Store& from, Rows& rows, Timestamp now, const RebuildRequest& request,
                            RebuildResult& result) {
  EL_CHECK(into.seal_all());
  EL_CHECK(into.retain(all_examples(into), now));
  EL_CHECK(into.put_state("columns", lines(rows.schema().columns())));
  EL_TRY(const auto stats, from.stats());
  std::int64_t all = 0;
  for (const DatasetStats& one : stats)
    if (one.dataset == Dataset::Examples) all = one.hot_rows + one.sealed_rows;
  Result<void> done;
  const auto scanned = from.scan_examples({}, [&](const ExampleRow& before) {
    const auto take = [&]() -> Result<void> {
      ExampleRow example = before;
      EL_CHECK(rows.refill(example));
      EL_CHECK(into.append(example));
      if (++result.examples % kRowsACommit != 0) return {};
      EL_CHECK(into.commit_state());
      EL_TRY([[maybe_unused]] const int sealed, into.seal_due(example.known_at));
      if (request.on_progress) request.on_progress(result.examples, all);
      return {};
    };
    done = take();
    return done.has_value();
  });
  EL_CHECK(done);
  EL_CHECK(scanned);
  std::map<std::string, std::string> settings;
  for (const Setting& setting : request.now.settings) settings.emplace(setting.key, setting.value);
  EL_CHECK(into.put_state("settings in effect", JsonOut{}.put("settings", settings).text()));
  EL_CHECK(into.note(
      now, "features rebuilt",
      fmt::format("{} examples: {} columns as they were, {} computed, {} missing, {} dropped", result.examples,
                  result.kept.size(), result.computed.size(), result.missing.size(), result.dropped.size())));
  return into.commit_state();
}

}  // namespace

Result<RebuildResult> rebuild_features(const RebuildRequest& request) {
  EL_CHECK(check_settings(request));
  SystemFs fs;
  SystemProc proc;
  SystemClock clock;
  const Profile& profile = request.now.profile;
  Rng rng = Rng::named(profile.seed, "rebuild");
  const World world{clock, rng, fs, proc};
  if (!fs.exists(request.from + "/everlearn.db"))
    return fail(Code::NotFound, fmt::format("no data in {}: nothing has run there yet", request.from));
  if (fs.exists(request.to))
    return fail(Code::Usage, fmt::format("{} is there already; give another --to", request.to));
  EL_TRY(const auto calendar, make_calendar(profile.calendar));
  EL_TRY(const auto lock, DirectoryLock::take(request.from));
  // What a crash left half done there is put right before it is copied.
  EL_TRY(auto checked, Store::open(world, request.from, profile.store));
  EL_TRY(const auto of, checked->state("profile"));
  EL_TRY(const auto columns, checked->state("columns"));
  checked.reset();
  if (of && *of != profile.name)
    return fail(Code::Config, fmt::format("{} belongs to profile {}, not to {}", request.from, *of, profile.name));

  EL_TRY(const RowSchema schema, RowSchema::make(profile));
  if (text_lines(columns.value_or("")) == schema.columns())
    return fail(Code::Config,
                fmt::format("{}: the features are those that its examples have: nothing to rebuild", request.from));

  const std::string unfinished = request.to + ".unfinished";
  EL_CHECK(copy_directory(fs, request.from, unfinished));
  RebuildResult result;
  {
    StoreOptions reading = profile.store;
    reading.read_only = true;
    EL_TRY(const auto from, Store::open(world, request.from, reading));
    EL_TRY(const auto rows, Rows::make(*from, profile, *calendar, result));
    EL_TRY(const auto into, Store::open(world, unfinished, profile.store));
    EL_CHECK(write_examples(*into, *from, *rows, clock.now(), request, result));
  }
  EL_CHECK(keep_settings(fs, unfinished, request.now));
  EL_CHECK(fs.rename(unfinished, request.to));
  EL_CHECK(fs.sync_directory(parent_directory(request.to)));
  return result;
}

}  // namespace everlearn
