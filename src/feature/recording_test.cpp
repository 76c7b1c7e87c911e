// Each feature against its plain formula on recorded markets: what made-up series do not think of. Skips what is
// absent.
#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <zlib.h>

#include "feature/testing/compare.hpp"

using namespace everlearn;
using namespace everlearn::testing;

namespace {

std::optional<std::string> shared_file(const std::string& name) {
  const char* folder = std::getenv("EVERLEARN_SHARED");
  const std::string path =
      (folder ? std::string{folder} : std::string{EVERLEARN_SOURCE_DIR "/../shared"}) + "/data/" + name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped: no " << name);
  return std::nullopt;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find(',', begin), line.size());
    cells.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return cells;
}

/// Calls `use` with the cells of each line after the header until it says false.
void read_lines(const std::string& path, const std::function<bool(const std::vector<std::string_view>&)>& use) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file{gzopen(path.c_str(), "rb"), &gzclose};
  REQUIRE(file);
  std::string buffer(1 << 16, '\0');
  bool header = true;
  while (gzgets(file.get(), buffer.data(), static_cast<int>(buffer.size()))) {
    std::string_view line{buffer.c_str()};
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (header) {
      header = false;
    } else if (!use(split(line))) {
      return;
    }
  }
}

int number(std::string_view text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Price price(std::string_view text) { return Price::parse(text).value(); }

/// Steps at `at`, each with the events known by then.
void fill(Tape& tape, std::vector<Event> events) {
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.known_at < b.known_at; });
  tape.events.resize(tape.at.size());
  std::size_t next = 0;
  for (std::size_t t = 0; t < tape.at.size(); ++t) {
    while (next < events.size() && events[next].known_at <= tape.at[t]) tape.events[t].push_back(events[next++]);
  }
}

}  // namespace

TEST_CASE("recorded: QQQ minute bars, two sessions") {
  const auto path = shared_file("us_equities/bars_1min/QQQ_1min.csv.gz");
  if (!path) return;
  const auto calendar = make_us_equities().value();
  Tape tape;
  tape.step = Duration::minutes(1);
  tape.calendar = calendar.get();
  const InstrumentId qqq = tape.instruments.intern("QQQ");
  std::vector<Event> events;
  read_lines(*path, [&](const std::vector<std::string_view>& cells) {
    const std::string_view stamp = cells[0];  // 2025-09-15 09:30:00, New York, start of the bar
    const auto session =
        calendar->session_on(number(stamp.substr(0, 4)), static_cast<unsigned>(number(stamp.substr(5, 2))),
                             static_cast<unsigned>(number(stamp.substr(8, 2))));
    REQUIRE(session);
    if (events.size() >= 2 * 390) return false;
    const int minute = number(stamp.substr(11, 2)) * 60 + number(stamp.substr(14, 2)) - (9 * 60 + 30);
    const Timestamp open = session->open + Duration::minutes(minute);
    const Timestamp close = open + Duration::minutes(1);
    Bar bar;
    bar.open_time = open;
    bar.open = price(cells[1]);
    bar.high = price(cells[2]);
    bar.low = price(cells[3]);
    bar.close = price(cells[4]);
    bar.volume = number(cells[5]);
    events.push_back({.instrument = qqq, .event_time = close, .known_at = close, .what = bar});
    tape.at.push_back(close);
    return true;
  });
  fill(tape, std::move(events));
  const Comparison result = compare(tape, every_family({20, 250}));
  CHECK_MESSAGE(result.worst <= 1, result.where);
  CHECK(result.known.contains("adx_250"));
}

TEST_CASE("recorded: Polymarket prices, eight markets on a 15 minute grid") {
  const auto path = shared_file("polymarket/price_history_10m/resolved_markets.csv.gz");
  if (!path) return;
  const auto calendar = make_always_open();
  Tape tape;
  tape.step = Duration::minutes(15);
  tape.calendar = calendar.get();
  std::vector<Event> events;
  read_lines(*path, [&](const std::vector<std::string_view>& cells) {
    // The question may hold commas: count from both ends.
    const InstrumentId id = tape.instruments.intern(cells[1]);
    if (index(id) >= 8) return false;
    tape.instruments.edit(id).probability = true;
    const Timestamp at = Timestamp::parse(cells[0]).value();
    events.push_back({.instrument = id,
                      .event_time = at,
                      .known_at = at,
                      .what = PricePoint{.price = price(cells[cells.size() - 3]), .bid = {}, .ask = {}}});
    return true;
  });
  REQUIRE(events.size() > 1000);
  const Timestamp begin = Timestamp::parse("2026-01-03T13:15:00Z").value();
  for (int i = 0; i < 700; ++i) tape.at.push_back(begin + tape.step * i);
  fill(tape, std::move(events));
  const Comparison result = compare(tape, every_family({7, 96}));
  CHECK_MESSAGE(result.worst <= 1, result.where);
  CHECK(result.known.contains("logit_96"));
}

TEST_CASE("recorded: daily closes of twenty S&P 500 stocks with the index as context") {
  const std::string folder = EVERLEARN_SOURCE_DIR "/recordings/";
  if (!std::filesystem::exists(folder + "sp500_prices.csv.gz")) {
    MESSAGE("skipped: no recordings/sp500_prices.csv.gz");
    return;
  }
  const auto calendar = make_us_equities().value();
  Tape tape;
  tape.step = Duration::days(1);
  tape.calendar = calendar.get();
  std::vector<Event> events;
  for (const char* name : {"sp500_index.csv.gz", "sp500_prices.csv.gz"}) {
    read_lines(folder + name, [&](const std::vector<std::string_view>& cells) {
      const std::string_view date = cells[0];
      const auto session =
          calendar->session_on(number(date.substr(0, 4)), static_cast<unsigned>(number(date.substr(5, 2))),
                               static_cast<unsigned>(number(date.substr(8, 2))));
      REQUIRE(session);
      const InstrumentId id = tape.instruments.intern(cells[1]);
      tape.instruments.edit(id).context = index(id) == 0;
      if (session->index >= 330) return true;
      if (index(id) == 0) tape.at.push_back(session->close);
      events.push_back({.instrument = id,
                        .event_time = session->close,
                        .known_at = session->close,
                        .what = PricePoint{.price = price(cells[2]), .bid = {}, .ask = {}}});
      return true;
    });
  }
  REQUIRE(tape.instruments.size() > 20);
  fill(tape, std::move(events));
  const Comparison result = compare(tape, every_family({20, 250}));
  CHECK_MESSAGE(result.worst <= 1, result.where);
  CHECK(result.known.contains("beta_250"));
  CHECK(result.known.contains("rank_ret_250"));
}
