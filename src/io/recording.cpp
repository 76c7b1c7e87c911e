#include "io/recording.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "io/recording_loader.hpp"
#include "io/venue_replay.hpp"

namespace everlearn {
namespace {

enum class Part : std::uint8_t { Row, Outcome };

/// One event's place in the sequence, and where its content lies.
struct Entry {
  Timestamp known_at, event_time;
  std::uint32_t rank = 0;  // of the instrument's name
  std::uint32_t series = 0;
  std::uint32_t row = 0;
  Part part = Part::Row;

  auto order() const { return std::tuple{known_at, event_time, rank, series, row, part}; }
};

class Recording final : public Source {
 public:
  Recording(Recorded recorded, SourceReport report, const RecordingOptions& options, Instruments& instruments)
      : recorded_{std::move(recorded)},
        report_{std::move(report)},
        instruments_{instruments},
        ids_(recorded_.instruments.size()) {
    put_in_order(options);
  }

  Result<std::optional<Event>> next() override {
    while (at_ < entries_.size()) {
      if (auto event = make(entries_[at_++])) return event;
    }
    return std::optional<Event>{};
  }

  std::string position() const override { return fmt::format("{}", at_); }

  Result<void> seek(const std::string& position) override {
    std::size_t to = 0;
    const char* end = position.data() + position.size();
    const auto [read_to, error] = std::from_chars(position.data(), end, to);
    if (error != std::errc{} || read_to != end) {
      return fail(Code::Damaged, fmt::format("recording: position {} is no number", quoted(position)));
    }
    if (to > entries_.size()) {
      return fail(Code::BadData,
                  fmt::format("recording: it has {} events, the position to go on from is {}: is this the "
                              "input of the earlier run?",
                              entries_.size(), to));
    }
    at_ = to;
    ids_.assign(ids_.size(), std::nullopt);  // the table may be another one since
    return {};
  }

  const SourceReport& report() const override { return report_; }

  std::optional<double> progress() const override {
    return entries_.empty() ? 1.0 : static_cast<double>(at_) / static_cast<double>(entries_.size());
  }

 private:
  void put_in_order(const RecordingOptions& options) {
    std::vector<std::uint32_t> by_name(recorded_.instruments.size());
    std::iota(by_name.begin(), by_name.end(), 0u);
    std::ranges::sort(by_name, {},
                      [&](std::uint32_t i) -> const std::string& { return recorded_.instruments[i].name; });
    std::vector<std::uint32_t> rank(by_name.size());
    for (std::uint32_t i = 0; i < by_name.size(); ++i) rank[by_name[i]] = i;

    const auto add = [&](const Entry& entry) {
      if (options.from && entry.known_at < *options.from) return;
      if (options.to && entry.known_at >= *options.to) return;
      entries_.push_back(entry);
    };
    for (std::uint32_t s = 0; s < recorded_.series.size(); ++s) {
      const Series& series = recorded_.series[s];
      for (std::uint32_t r = 0; r < series.prices.size(); ++r) {
        const PriceRecord& row = series.prices[r];
        const Timestamp known_at = row.time + options.delay;
        add({known_at, row.time, rank[series.instrument], s, r, Part::Row});
        if (row.outcome >= 0) add({known_at, row.time, rank[series.instrument], s, r, Part::Outcome});
      }
      for (std::uint32_t r = 0; r < series.bars.size(); ++r) {
        const Timestamp close = series.bars[r].time;
        add({close + options.delay, close, rank[series.instrument], s, r, Part::Row});
      }
      for (std::uint32_t r = 0; r < series.messages.size(); ++r) {
        const MessageRecord& row = series.messages[r];
        add({row.known_at, row.event_time, rank[row.instrument], s, r, Part::Row});
      }
    }
    std::ranges::sort(entries_, {}, &Entry::order);
  }

  /// Empty where the entry changes an instrument instead of reporting an event.
  std::optional<Event> make(const Entry& entry) {
    Series& series = recorded_.series[entry.series];
    if (!series.messages.empty()) return from_message(entry, series.messages[entry.row]);
    Event event{id_of(series.instrument), entry.event_time, entry.known_at, {}};
    if (series.prices.empty()) {
      event.what = to_bar(series.bars[entry.row]);
    } else if (entry.part == Part::Outcome) {
      event.what = Resolution{static_cast<double>(series.prices[entry.row].outcome)};
    } else {
      event.what = to_point(series.prices[entry.row]);
    }
    return event;
  }

  std::optional<Event> from_message(const Entry& entry, const MessageRecord& row) {
    const std::string& name = recorded_.instruments[row.instrument].name;
    if (std::holds_alternative<Resolution>(row.what) && !instruments_.find(name)) {
      return std::nullopt;  // the venue tells of every market's end; this one was not recorded
    }
    Event event{id_of(row.instrument), entry.event_time, entry.known_at, {}};
    if (const auto* tick = std::get_if<TickSize>(&row.what)) {
      instruments_.edit(event.instrument).tick_size = tick->size;
      return std::nullopt;
    }
    if (const auto* trade = std::get_if<Trade>(&row.what)) event.what = *trade;
    if (const auto* book = std::get_if<BookUpdate>(&row.what)) event.what = *book;
    if (const auto* end = std::get_if<Resolution>(&row.what)) event.what = *end;
    return event;
  }

  InstrumentId id_of(std::uint32_t recorded_instrument) {
    auto& id = ids_[recorded_instrument];
    if (!id) id = intern(instruments_, recorded_.instruments[recorded_instrument]);
    return *id;
  }

  Recorded recorded_;
  const SourceReport report_;
  Instruments& instruments_;
  std::vector<std::optional<InstrumentId>> ids_;  // by recorded instrument, once met
  std::vector<Entry> entries_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> open_recording(World world, const RecordingOptions& options, Instruments& instruments) {
  if (options.from && options.to && *options.from >= *options.to) {
    return fail(Code::Usage,
                fmt::format("the recording's part from {} to {} is empty", options.from->iso(), options.to->iso()));
  }
  if (options.venue) {
    EL_TRY(auto files, input_files(world.fs, options));
    EL_TRY(const bool is_run, is_venue_run(world.fs, files));
    if (is_run) return open_venue_replay(world, options, std::move(files), instruments);
  }
  SourceReport report;
  EL_TRY(Recorded recorded, RecordingLoader(world.fs, options).load(report));
  return std::make_unique<Recording>(std::move(recorded), std::move(report), options, instruments);
}

}  // namespace everlearn
