// What dense prices cost on the disk, what a snapshot costs in time, and how long an open takes with many of them; and
// what a heavy base costs the commits beside it. By the store's own append, commit and seal.
//   store_bench prices DIR SERIES.csv [POINTS]   appends the series (bench/price_series.py), again and again, each time
//                                                later by its length, until POINTS are there
//   store_bench open DIR                         to write, as a daemon opens it, and to read
//   store_bench base DIR MEGABYTES               a base every 300 commits of an input of 20 KB each
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/world.hpp"
#include "store/store.hpp"

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
void must(const Result<void>& result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str()), std::exit(1);
}

struct Real {
  SystemClock clock;
  Rng rng{1};
  SystemFs fs;
  SystemProc proc;
  World world{clock, rng, fs, proc};

  std::unique_ptr<Store> open(const std::string& directory, bool read_only = false) {
    if (!read_only) must(fs.make_directories(directory));
    StoreOptions options;
    options.read_only = read_only;
    return must(Store::open(world, directory, options));
  }
};

/// p50, p99 and the longest, in milliseconds.
std::string spread(std::vector<double> seconds) {
  if (seconds.empty()) return "none";
  std::sort(seconds.begin(), seconds.end());
  const auto last = static_cast<double>(seconds.size() - 1);
  const auto at = [&](double share) { return 1000 * seconds[static_cast<std::size_t>(share * last)]; };
  return fmt::format("p50 {:.1f} ms, p99 {:.1f} ms, longest {:.1f} ms", at(0.5), at(0.99), at(1));
}

std::vector<PriceRow> read_series(const std::string& path) {
  std::vector<PriceRow> rows;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> cells;
    std::istringstream in{line};
    for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
    PriceRow row;
    row.event_time = row.known_at = Timestamp{std::stoll(cells[0]) * 1'000'000};
    row.instrument = InstrumentId{static_cast<std::uint32_t>(std::stoul(cells[1]))};
    row.price = must(Price::parse(cells[2]));
    row.bid = must(Price::parse(cells[3]));
    row.ask = must(Price::parse(cells[4]));
    row.last = must(Price::parse(cells[5]));
    row.origin = Origin::Live;
    row.kind = PriceKind::Mid;
    rows.push_back(row);
  }
  return rows;
}

void tell(const Store& store) {
  for (const DatasetStats& stats : must(store.stats()))
    if (stats.dataset == Dataset::Prices && stats.sealed_rows > 0)
      fmt::print("{} sealed points in {} segments, {} bytes: {:.2f} a point; {} hot; {} bytes in all\n",
                 stats.sealed_rows, stats.segments, stats.sealed_bytes,
                 static_cast<double>(stats.sealed_bytes) / static_cast<double>(stats.sealed_rows), stats.hot_rows,
                 store.bytes_on_disk());
}

void prices(Real& real, const std::string& directory, const std::string& series, std::int64_t points) {
  std::vector<PriceRow> rows = read_series(series);
  if (rows.empty()) std::fprintf(stderr, "%s: no prices\n", series.c_str()), std::exit(1);
  const Duration length = rows.back().event_time - rows.front().event_time + Duration::minutes(15);
  const auto store = real.open(directory);
  std::string names;
  for (const PriceRow& row : rows)
    for (static std::size_t named = 0; named <= index(row.instrument); ++named)
      names += fmt::format("token{}\n", named);
  must(store->put_state("instruments", names));
  std::vector<double> snapshots, seals;
  std::int64_t written = 0;
  const Stopwatch whole;
  for (std::size_t from = 0; written < points;) {
    std::size_t to = from;
    const Stopwatch snapshot;
    for (; to < rows.size() && rows[to].event_time == rows[from].event_time; ++to) {
      must(store->append(rows[to]));
      store->coverage().add(rows[to].instrument, rows[to].event_time, {}, Duration::minutes(16));
    }
    must(store->commit("checkpoint"));
    snapshots.push_back(snapshot.seconds());
    written += static_cast<std::int64_t>(to - from);
    const Stopwatch seal;
    if (must(store->seal_due(rows[from].event_time)) > 0) seals.push_back(seal.seconds());
    from = to;
    if (from < rows.size()) continue;
    from = 0;
    for (PriceRow& row : rows) row.event_time = row.known_at = row.event_time + length;
  }
  fmt::print("{} points in {:.0f} s; a snapshot: {}; a seal: {}\n", written, whole.seconds(), spread(snapshots),
             spread(seals));
  tell(*store);
}

void open(Real& real, const std::string& directory) {
  for (const bool read_only : {false, true, false}) {
    const Stopwatch stopwatch;
    const auto store = real.open(directory, read_only);
    fmt::print("open to {}: {:.3f} s\n", read_only ? "read" : "write", stopwatch.seconds());
    if (!read_only) continue;
    tell(*store);
    // What a restart reads of them: the features of the longest window, 7 days.
    Timestamp last = Timestamp::min();
    for (const DatasetStats& stats : must(store->stats()))
      if (stats.dataset == Dataset::Prices && stats.last_event) last = *stats.last_event;
    std::int64_t points = 0;
    const Stopwatch scan;
    must(store->scan_prices({last - Duration::days(7), Timestamp::max()},
                            [&](const PriceRow&) { return ++points > 0; }));
    fmt::print("the last 7 days: {} points in {:.3f} s\n", points, scan.seconds());
  }
}

void base(Real& real, const std::string& directory, std::size_t megabytes) {
  const auto store = real.open(directory);
  std::string bytes(megabytes << 20, '\0'), input(20'000, '\0');
  for (std::string* text : {&bytes, &input})
    for (char& byte : *text) byte = static_cast<char>(real.rng.below(256));
  std::vector<double> commits, bases;
  for (int n = 0; n < 1500; ++n) {
    const Stopwatch stopwatch;
    must(store->append_input(input));
    if (n % 300 == 0) must(store->keep_base(bytes));
    must(store->commit("checkpoint"));
    (n % 300 == 0 ? bases : commits).push_back(stopwatch.seconds());
  }
  fmt::print("a base of {} MB: {}\na commit of an input: {}\n{} bytes on disk\n", megabytes, spread(bases),
             spread(commits), store->bytes_on_disk());
  const Stopwatch reading;
  std::size_t read = must(store->base()).value().size();
  must(store->scan_inputs([&](std::string_view one) -> Result<void> {
    read += one.size();
    return {};
  }));
  fmt::print("read again: {} bytes in {:.3f} s\n", read, reading.seconds());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  Real real;
  if (args.size() >= 3 && args[0] == "prices")
    prices(real, args[1], args[2], args.size() > 3 ? std::stoll(args[3]) : 1);
  else if (args.size() == 2 && args[0] == "open")
    open(real, args[1]);
  else if (args.size() == 3 && args[0] == "base")
    base(real, args[1], std::stoul(args[2]));
  else
    return std::fputs("usage: store_bench prices DIR SERIES.csv [POINTS] | open DIR | base DIR MEGABYTES\n", stderr), 2;
  return 0;
}
