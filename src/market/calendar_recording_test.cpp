// The US calendar against recorded markets. Skipped where the recordings are not: `recordings/` is made by
// scripts/bootstrap, the minute bars lie in EVERLEARN_SHARED or ../shared.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "market/calendar.hpp"

namespace everlearn {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot{EVERLEARN_SOURCE_DIR};

fs::path shared() {
  const char* named = std::getenv("EVERLEARN_SHARED");
  return named != nullptr ? fs::path{named} : kRoot / ".." / "shared";
}

/// The lines of a gzip file without its header; empty if there is no such file.
std::optional<std::vector<std::string>> lines_of(const fs::path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file{gzopen(path.c_str(), "rb"), gzclose};
  if (!file) return std::nullopt;
  std::vector<std::string> lines;
  std::string buffer(1 << 16, '\0');
  while (gzgets(file.get(), buffer.data(), static_cast<int>(buffer.size())) != nullptr) {
    lines.emplace_back(buffer.c_str());
  }
  REQUIRE_FALSE(lines.empty());
  lines.erase(lines.begin());
  return lines;
}

std::vector<Session> sessions_between(const Calendar& calendar, const std::string& first, const std::string& last) {
  std::vector<Session> sessions;
  for (Session s = calendar.next(Timestamp::parse(first + "T00:00:00Z").value()); s.open.date() <= last;
       s = calendar.at(s.index + 1)) {
    sessions.push_back(s);
  }
  return sessions;
}

}  // namespace

TEST_CASE("us_equities: its days are exactly the days of the demo recording") {
  const auto lines = lines_of(kRoot / "recordings" / "sp500_prices.csv.gz");
  if (!lines) {
    MESSAGE("skipped: recordings/sp500_prices.csv.gz is absent, scripts/bootstrap makes it");
    return;
  }
  std::set<std::string> recorded;
  for (const std::string& line : *lines) recorded.insert(line.substr(0, 10));

  const auto calendar = std::move(make_us_equities()).value();
  std::set<std::string> expected;
  for (const Session& s : sessions_between(*calendar, *recorded.begin(), *recorded.rbegin())) {
    expected.insert(s.open.date());
  }
  for (const std::string& date : recorded) CHECK_MESSAGE(expected.contains(date), "recorded on a closed day: ", date);
  for (const std::string& date : expected) CHECK_MESSAGE(recorded.contains(date), "session not recorded: ", date);
  CHECK(recorded.size() == 8'313);
}

TEST_CASE("us_equities: recorded minute bars begin at the open and end at the close, on half days too") {
  // SPY trades in every minute. A few prints after the close of a half day are recorded too: at most 15 bars.
  const auto lines = lines_of(shared() / "data" / "us_equities" / "bars_1min" / "SPY_1min.csv.gz");
  if (!lines) {
    MESSAGE("skipped: the shared minute bars are absent");
    return;
  }
  std::map<std::string, std::vector<std::string>> starts;  // date -> "09:30", ... in New York
  for (const std::string& line : *lines) starts[line.substr(0, 10)].push_back(line.substr(11, 5));

  const auto calendar = std::move(make_us_equities()).value();
  const auto sessions = sessions_between(*calendar, starts.begin()->first, starts.rbegin()->first);
  CHECK(sessions.size() == 129);
  REQUIRE(sessions.size() == starts.size());
  std::vector<std::string> short_days;
  for (const Session& session : sessions) {
    const std::string date = session.open.date();
    CAPTURE(date);
    REQUIRE(starts.contains(date));
    CHECK(starts[date].front() == "09:30");
    // Minutes from the open, so that the test needs no time zone: 09:30 is minute 0 of every session.
    const std::int64_t length = (session.close - session.open) / Duration::minutes(1);
    std::int64_t late = 0;
    std::int64_t last = 0;
    for (const std::string& start : starts[date]) {
      const std::int64_t minute = std::stoi(start.substr(0, 2)) * 60 + std::stoi(start.substr(3, 2)) - (9 * 60 + 30);
      if (minute < length) last = minute;
      if (minute >= length) ++late;
    }
    CHECK(last == length - 1);
    CHECK(late <= (length < 390 ? 15 : 0));
    if (length < 390) short_days.push_back(date);
  }
  CHECK(short_days == std::vector<std::string>{"2025-11-28", "2025-12-24"});
}

}  // namespace everlearn
