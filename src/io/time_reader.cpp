#include "io/time_reader.hpp"

#include <date/tz.h>

#include <array>
#include <vector>

#include <fmt/format.h>

#include "core/civil.hpp"
#include "core/decimal.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr Timestamp kEarliest{days_since_epoch({1990, 1, 1}) * kDayUs};
constexpr Timestamp kLatest{days_since_epoch({2100, 1, 1}) * kDayUs};

struct EpochUnit {
  std::string_view name;
  int places;  // one unit is 10^-places seconds
};
constexpr std::array kEpochUnits = {EpochUnit{"s", 0}, EpochUnit{"ms", 3}, EpochUnit{"us", 6}, EpochUnit{"ns", 9}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool in_range(Timestamp t) { return t >= kEarliest && t < kLatest; }

/// Microseconds of an epoch in the unit; empty if it is no number or far out of range. Decimals below 1 us are rounded,
/// nanoseconds cut.
std::optional<Timestamp> epoch(std::string_view text, const EpochUnit& unit) {
  const bool down = unit.places > 6;
  const auto value = parse_decimal(text, {"time", down ? 0 : 6 - unit.places});
  if (!value) return std::nullopt;
  return Timestamp{down ? *value / 1'000 : *value};
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!is_digit(text[i])) return false;
  }
  return true;
}

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

CivilDate date_of(std::string_view text) {
  return {number(text.substr(0, 4)), number(text.substr(5, 2)), number(text.substr(8, 2))};
}

/// Has a time of day, and nothing after it that could be a zone.
bool lacks_zone(std::string_view text) {
  if (text.size() < 16 || !is_date(text.substr(0, 10))) return false;
  return text.find_first_of("Zz+-", 11) == std::string_view::npos;
}

std::string range_text() { return "not between 1990 and 2100"; }

}  // namespace

struct TimeReader::State {
  TimeFormat format;
  const date::time_zone* zone = nullptr;
  std::optional<EpochUnit> epoch_unit;
  bool learned = false;
  bool epochs = false;
  std::string unit;

  // The stretch of equal offset from UTC that the last local time fell into; most times fall into the same one.
  date::local_seconds stretch_begin{}, stretch_end{};
  std::chrono::seconds stretch_offset{};
  // The last bare date: every instrument has the same ones.
  std::int64_t last_day = -1;
  std::optional<Session> last_session;

  RowResult<ReadTime> read_epoch(std::string_view text) const {
    const auto time = epoch(text, *epoch_unit);
    if (!time)
      return refuse("unreadable time", fmt::format("{} is not an epoch in {}", quoted(text), epoch_unit->name));
    if (!in_range(*time)) {
      for (const EpochUnit& other : kEpochUnits) {
        const auto as_other = epoch(text, other);
        if (as_other && in_range(*as_other)) {
          return refuse("mixed time units",
                        fmt::format("{} looks like {}, the file is in {}", quoted(text), other.name, epoch_unit->name));
        }
      }
      return refuse("time out of range", fmt::format("{} in {} is {}", quoted(text), epoch_unit->name, range_text()));
    }
    return ReadTime{*time, time->us() / kDayUs, std::nullopt};
  }

  RowResult<ReadTime> read_date(std::string_view text) {
    const CivilDate date = date_of(text);
    if (!is_valid(date)) return refuse("unreadable time", fmt::format("{}: no such date", quoted(text)));
    if (format.calendar == nullptr) {
      return refuse("date without a time", fmt::format("{}: needs a calendar with sessions", quoted(text)));
    }
    const std::int64_t day = days_since_epoch(date);
    if (day != last_day) {
      last_day = day;
      last_session = format.calendar->session_on(static_cast<std::int32_t>(date.year),
                                                 static_cast<unsigned>(date.month), static_cast<unsigned>(date.day));
    }
    if (!last_session) {
      return refuse("no session on that date", fmt::format("{} on calendar {}", text, format.calendar->name()));
    }
    return ReadTime{last_session->close, day, last_session};
  }

  RowResult<ReadTime> read_local(std::string_view text) {
    if (zone == nullptr) {
      return refuse("time without a zone", fmt::format("{}: give a time zone", quoted(text)));
    }
    // The same words without the zone are read by the one parser there is, as if they were UTC.
    std::string as_utc{text};
    if (as_utc.size() == 16) as_utc += ":00";
    const auto parsed = Timestamp::parse(as_utc + "Z");
    if (!parsed) return refuse("unreadable time", quoted(text));
    const std::int64_t local_us = parsed->us();
    const date::local_seconds local{std::chrono::seconds{local_us / 1'000'000 - (local_us % 1'000'000 < 0 ? 1 : 0)}};
    if (local < stretch_begin || local >= stretch_end) {
      const date::local_info info = zone->get_info(local);
      if (info.result == date::local_info::nonexistent) {
        return refuse("local time that never was", fmt::format("{} in {}", quoted(text), zone->name()));
      }
      const auto& sys = info.first;
      stretch_offset = sys.offset;
      // A day away from both ends nothing is ambiguous.
      stretch_begin = date::local_seconds{sys.begin.time_since_epoch() + sys.offset} + std::chrono::hours{24};
      stretch_end = date::local_seconds{sys.end.time_since_epoch() + sys.offset} - std::chrono::hours{24};
    }
    const Timestamp time{local_us - std::chrono::microseconds{stretch_offset}.count()};
    return ReadTime{time, days_since_epoch(date_of(text)), std::nullopt};
  }

  RowResult<ReadTime> read_text(std::string_view text) {
    if (is_date(text)) return read_date(text);
    if (lacks_zone(text)) return read_local(text);
    const auto parsed = Timestamp::parse(text);
    if (!parsed) return refuse("unreadable time", quoted(text));
    return ReadTime{*parsed, days_since_epoch(date_of(text)), std::nullopt};
  }

  std::string_view text_form(std::string_view text) const {
    return is_date(text) ? "date" : lacks_zone(text) ? "local" : "rfc3339";
  }
};

bool looks_like_epoch(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  return text.find_first_not_of("0123456789.eE+") == std::string_view::npos;
}

TimeReader::TimeReader(std::unique_ptr<State> state) : state_{std::move(state)} {}
TimeReader::~TimeReader() = default;
TimeReader::TimeReader(TimeReader&&) noexcept = default;
TimeReader& TimeReader::operator=(TimeReader&&) noexcept = default;

const std::string& TimeReader::unit() const { return state_->unit; }

Result<TimeReader> TimeReader::make(const TimeFormat& format) {
  auto state = std::make_unique<State>();
  state->format = format;
  if (format.epoch_unit) {
    for (const EpochUnit& unit : kEpochUnits) {
      if (unit.name == *format.epoch_unit) state->epoch_unit = unit;
    }
    if (!state->epoch_unit) {
      return fail(Code::Usage, fmt::format("time unit {} is none of s, ms, us, ns", quoted(*format.epoch_unit)));
    }
  }
  if (format.zone) {
    try {
      state->zone = date::locate_zone(*format.zone);
    } catch (const std::exception&) {  // the library's only way to say so
      return fail(Code::Usage,
                  fmt::format("time zone {} is not known; write for example America/New_York", quoted(*format.zone)));
    }
  }
  return TimeReader{std::move(state)};
}

Result<void> TimeReader::learn(std::span<const std::string> first_times) {
  State& state = *state_;
  std::vector<std::string_view> numbers;
  for (const std::string& text : first_times) {
    if (looks_like_epoch(text)) numbers.push_back(text);
  }
  // What most of the first rows are decides; the others are refused one by one.
  state.epochs = numbers.size() * 2 > first_times.size();
  state.learned = true;
  if (!state.epochs || state.epoch_unit) return {};
  std::vector<EpochUnit> fitting_all;
  std::string counts;
  for (const EpochUnit& unit : kEpochUnits) {
    std::size_t fitting = 0;
    for (const std::string_view text : numbers) {
      const auto time = epoch(text, unit);
      if (time && in_range(*time)) ++fitting;
    }
    if (fitting == numbers.size()) fitting_all.push_back(unit);
    if (fitting > 0) counts += fmt::format("{}{} as {}", counts.empty() ? "" : ", ", fitting, unit.name);
  }
  if (fitting_all.size() != 1) {
    return fail(
        Code::BadData,
        fmt::format("time unit cannot be told: of the first {} times, from {} on, {} between 1990 and 2100; give "
                    "the time unit",
                    numbers.size(), quoted(numbers.front()), counts.empty() ? "none in any unit is" : counts + " are"));
  }
  state.epoch_unit = fitting_all.front();
  return {};
}

RowResult<ReadTime> TimeReader::read(std::string_view text) {
  State& state = *state_;
  const bool is_epoch = looks_like_epoch(text);
  if (state.learned && is_epoch != state.epochs) {
    return refuse("mixed time formats",
                  fmt::format("{} is {} epoch, unlike the rows before", quoted(text), state.epochs ? "no" : "an"));
  }
  auto result = is_epoch && state.epoch_unit ? state.read_epoch(text)
                : is_epoch ? RowResult<ReadTime>{refuse("unreadable time", quoted(text) + ": in which unit?")}
                           : state.read_text(text);
  if (result && !in_range(result->time)) {
    return refuse("time out of range", fmt::format("{} is {}", quoted(text), range_text()));
  }
  if (result && state.unit.empty()) state.unit = is_epoch ? state.epoch_unit->name : state.text_form(text);
  return result;
}

}  // namespace everlearn
