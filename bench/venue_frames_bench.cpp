// What reading a venue's market socket costs: recorded order books (data/polymarket/book_events) written as frames of
// today's shape, best prices included, through the interpreter, and its events into the market state. All recorded
// tokens at once.
//   venue_frames_bench DIRECTORY_OF_BOOK_EVENTS
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/world.hpp"
#include "io/recording.hpp"
#include "io/venue_interpreter.hpp"
#include "market/market_state.hpp"

using namespace everlearn;

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

std::string side(const std::vector<BookLevel>& levels) {  // best last, as the venue writes them
  std::string text;
  for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
    text += fmt::format(R"({}{{"price":"{}","size":"{}"}})", text.empty() ? "" : ",", level->price.text(), level->size);
  }
  return text;
}

std::string best(const std::optional<Price>& price) { return price ? price->text() : "0"; }

/// The frame that would have told the event; `state` holds the book after it.
std::string frame_of(const Event& event, const BookUpdate& update, const Instrument& instrument,
                     const InstrumentState& state) {
  const std::int64_t ms = event.event_time.us() / 1'000;
  if (update.snapshot) {
    return fmt::format(R"({{"market":"{}","asset_id":"{}","timestamp":"{}","hash":"{:040x}","bids":[{}],"asks":[{}],)"
                       R"("event_type":"book"}})",
                       instrument.market, instrument.name, ms, ms, side(update.bids), side(update.asks));
  }
  std::string changes;
  const auto add = [&](const BookLevel& level, const char* which) {
    changes += fmt::format(R"({}{{"asset_id":"{}","price":"{}","size":"{}","side":"{}","hash":"{:040x}",)"
                           R"("best_bid":"{}","best_ask":"{}"}})",
                           changes.empty() ? "" : ",", instrument.name, level.price.text(), level.size, which, ms,
                           best(state.bid), best(state.ask));
  };
  for (const BookLevel& level : update.bids) add(level, "BUY");
  for (const BookLevel& level : update.asks) add(level, "SELL");
  return fmt::format(R"({{"market":"{}","price_changes":[{}],"timestamp":"{}","event_type":"price_change"}})",
                     instrument.market, changes, ms);
}

/// The market list that has these tokens, two a market.
std::string listing(const Instruments& instruments) {
  std::map<std::string, std::vector<std::string>> markets;
  for (std::uint32_t i = 0; i < instruments.size(); ++i) {
    const Instrument& one = instruments[InstrumentId{i}];
    markets[one.market].push_back(one.name);
  }
  std::string page;
  int number = 0;
  for (const auto& [market, tokens] : markets) {
    if (tokens.size() != 2) continue;
    page +=
        fmt::format(R"({}{{"conditionId":"0x{:064x}","question":"{}","outcomes":["A","B"],"clobTokenIds":["{}","{}"],)"
                    R"("bestBid":0.49,"bestAsk":0.51,"volume24hr":50000,"endDate":"2099-01-01T00:00:00Z",)"
                    R"("active":true,"acceptingOrders":true,"enableOrderBook":true}})",
                    page.empty() ? "" : ",", ++number, number, tokens[0], tokens[1]);
  }
  return "[" + page + "]";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return std::fprintf(stderr, "venue_frames_bench DIRECTORY_OF_BOOK_EVENTS\n"), 2;
  SystemClock clock;
  Rng rng{1};
  SystemFs fs;
  SystemProc proc;
  RecordingOptions options;
  for (const DirectoryEntry& entry : must(fs.list(arguments[1]))) {
    if (entry.name.ends_with(".csv.gz")) options.inputs.push_back(std::string{arguments[1]} + "/" + entry.name);
  }
  std::ranges::sort(options.inputs);

  Instruments recorded;
  MarketState state;
  std::vector<Received> frames;
  std::size_t bytes = 0;
  Timestamp at = Timestamp::min();
  const auto source = must(open_recording({clock, rng, fs, proc}, options, recorded));
  for (;;) {
    auto event = must(source->next());
    if (!event) break;
    const auto* update = std::get_if<BookUpdate>(&event->what);
    if (update == nullptr || !state.apply(*event)) continue;
    at = std::max(at + Duration{1}, event->known_at);
    frames.push_back({at, "market", frame_of(*event, *update, recorded[event->instrument], state[event->instrument])});
    bytes += frames.back().raw.size();
  }

  fmt::print("{} frames of {} tokens, {:.1f} MB\n", frames.size(), recorded.size(), static_cast<double>(bytes) / 1e6);
  for (int round = 0; round < 5; ++round) {
    Instruments instruments;
    auto interpreter = must(VenueInterpreter::make({}, instruments));
    std::vector<Event> events;
    const Timestamp begin = frames.front().at;
    (void)interpreter.read({begin - Duration{2}, "gamma", listing(recorded)}, events).has_value();
    (void)interpreter.read({begin - Duration{1}, "gamma end", "{}"}, events).has_value();
    const auto started = std::chrono::steady_clock::now();
    for (const Received& one : frames) (void)interpreter.read(one, events).has_value();
    const auto read = std::chrono::steady_clock::now();
    MarketState market;
    for (const Event& event : events) (void)market.apply(event).has_value();
    const auto applied = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(read - started).count();
    fmt::print("{:.0f} frames/s, {:.1f} MB/s, {:.2f} us a frame; {} events, {:.0f} events/s into the market state",
               static_cast<double>(frames.size()) / seconds, static_cast<double>(bytes) / 1e6 / seconds,
               1e6 * seconds / static_cast<double>(frames.size()), events.size(),
               static_cast<double>(events.size()) / std::chrono::duration<double>(applied - read).count());
    for (const auto& [reason, n] : interpreter.report().refused) fmt::print("; {}: {}", reason, n);
    fmt::print("\n");
  }
}
