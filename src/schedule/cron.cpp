#include "schedule/cron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include "core/civil.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 86'400;

constexpr std::array<std::string_view, 12> kMonthNames{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDayNames{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct FieldKind {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> words;  // the first means `least`
};

constexpr std::array<FieldKind, 5> kFields{{{"minute", 0, 59, {}},
                                            {"hour", 0, 23, {}},
                                            {"day of month", 1, 31, {}},
                                            {"month", 1, 12, kMonthNames},
                                            {"day of week", 0, 7, kDayNames}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kShorthands{{{"@hourly", "0 * * * *"},
                                                                                    {"@daily", "0 0 * * *"},
                                                                                    {"@midnight", "0 0 * * *"},
                                                                                    {"@weekly", "0 0 * * 0"},
                                                                                    {"@monthly", "0 0 1 * *"},
                                                                                    {"@yearly", "0 0 1 1 *"}}};

/// Pieces between separators; of "a,,b" the middle one is empty.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0;;) {
    begin = text.find_first_not_of(" \t", begin);
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool digits = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!digits || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A number or a name of the field.
Result<int> parse_value(std::string_view text, const FieldKind& kind) {
  const auto word = std::ranges::find(kind.words, text);
  if (word != kind.words.end()) return static_cast<int>(word - kind.words.begin()) + kind.least;
  const std::optional<int> value = parse_number(text);
  if (!value || *value < kind.least || *value > kind.most) {
    return fail(Code::Config, fmt::format("{} {} is not {} to {}", kind.name, quoted(text), kind.least, kind.most));
  }
  return *value;
}

/// Sets what one element of a list means: "*", "5", "mon-fri", "*/15", "9-17/2".
Result<void> parse_element(std::string_view text, const FieldKind& kind, std::bitset<64>& into) {
  const std::size_t slash = text.find('/');
  const std::string_view range = text.substr(0, slash);
  const std::size_t dash = range.find('-');
  int first = kind.least;
  int last = kind.most;
  if (range != "*") {
    EL_TRY(first, parse_value(range.substr(0, dash), kind));
    last = first;
    if (dash != std::string_view::npos) {
      EL_TRY(last, parse_value(range.substr(dash + 1), kind));
      // A week may end on Sunday: sat-sun.
      if (range.substr(dash + 1) == "sun" && first > 0) last = 7;
    }
    if (first > last) return fail(Code::Config, fmt::format("{} {} runs backwards", kind.name, quoted(range)));
  }
  int step = 1;
  if (slash != std::string_view::npos) {
    const std::optional<int> given = parse_number(text.substr(slash + 1));
    if (!given || *given < 1 || *given > kind.most) {
      return fail(Code::Config, fmt::format("{} {}: the step is not 1 to {}", kind.name, quoted(text), kind.most));
    }
    if (range != "*" && dash == std::string_view::npos) {
      return fail(Code::Config, fmt::format("{} {}: a step needs * or a range before it", kind.name, quoted(text)));
    }
    step = *given;
  }
  for (int value = first; value <= last; value += step) into.set(static_cast<std::size_t>(value));
  return {};
}

Result<std::bitset<64>> parse_field(std::string_view text, const FieldKind& kind) {
  std::bitset<64> values;
  for (const std::string_view element : split(text, ',')) EL_CHECK(parse_element(element, kind, values));
  return values;
}

template <std::size_t n>
std::bitset<n> low_bits(const std::bitset<64>& bits) {
  return std::bitset<n>{bits.to_ullong()};
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Result<Cron> Cron::parse(std::string_view text, std::string_view zone) {
  const auto context = [&] { return fmt::format("schedule {}", quoted(text)); };
  auto place = Zone::find(zone);
  if (!place) return fail(place.error(), context());

  std::string plain = lower(text);
  const auto shorthand = std::ranges::find(kShorthands, std::string_view{plain}, [](const auto& p) { return p.first; });
  if (shorthand != kShorthands.end()) plain = shorthand->second;

  const auto words = words_of(plain);
  if (words.size() != kFields.size()) {
    return fail(Code::Config, fmt::format("{}: {} fields, need 5: minute hour day-of-month month day-of-week",
                                          context(), words.size()));
  }
  std::array<std::bitset<64>, kFields.size()> parsed;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    auto field = parse_field(words[i], kFields[i]);
    if (!field) return fail(field.error(), context());
    parsed[i] = *field;
  }
  if (parsed[4].test(7)) parsed[4].set(0);

  Fields fields;
  fields.minutes = low_bits<60>(parsed[0]);
  fields.hours = low_bits<24>(parsed[1]);
  fields.days = low_bits<32>(parsed[2]);
  fields.months = low_bits<13>(parsed[3]);
  fields.weekdays = low_bits<7>(parsed[4] & std::bitset<64>{0x7f});
  fields.any_day_field = words[2].front() != '*' && words[4].front() != '*';

  bool comes = fields.any_day_field;
  for (int month = 1; month <= 12; ++month) {
    if (!fields.months.test(static_cast<std::size_t>(month))) continue;
    for (int day = 1; day <= days_in_month(2000, month); ++day) {
      comes = comes || fields.days.test(static_cast<std::size_t>(day));
    }
  }
  if (!comes) return fail(Code::Config, context() + ": no month that it names has such a day");
  return Cron{std::string{text}, *std::move(place), fields};
}

Cron::Cron(std::string text, Zone zone, const Fields& fields)
    : text_{std::move(text)}, zone_{std::move(zone)}, fields_{fields} {}

bool Cron::runs_on(std::int64_t day) const {
  const CivilDate date = civil_date(day);
  if (!fields_.months.test(static_cast<std::size_t>(date.month))) return false;
  const bool by_month = fields_.days.test(static_cast<std::size_t>(date.day));
  const bool by_week = fields_.weekdays.test(static_cast<std::size_t>(weekday(day)));
  return fields_.any_day_field ? by_month || by_week : by_month && by_week;
}

// Both searches walk over local minutes that match and turn them into instants. The instants never decrease along the
// walk (Zone::first_instant), so the first one on the far side is the answer; the few before it are the hour that comes
// twice.

std::optional<Timestamp> Cron::next(Timestamp after) const {
  if (after < Zone::kBegin || after >= Zone::kEnd) return std::nullopt;
  const LocalSeconds start = zone_.local(after);
  const std::int64_t last_day = floor_div(zone_.local(Zone::kEnd), kDay);
  std::int64_t minute = (start - floor_div(start, kDay) * kDay) / kMinute;
  for (std::int64_t day = floor_div(start, kDay); day <= last_day; ++day, minute = 0) {
    if (!runs_on(day)) continue;
    for (; minute < kDay / kMinute; ++minute) {
      if (!fields_.hours.test(static_cast<std::size_t>(minute / 60))) continue;
      if (!fields_.minutes.test(static_cast<std::size_t>(minute % 60))) continue;
      const Timestamp run = zone_.first_instant(day * kDay + minute * kMinute);
      if (run >= Zone::kEnd) return std::nullopt;
      if (run > after) return run;
    }
  }
  return std::nullopt;
}

std::optional<Timestamp> Cron::previous(Timestamp at) const {
  if (at < Zone::kBegin || at >= Zone::kEnd) return std::nullopt;
  const LocalSeconds start = zone_.latest_local(at);
  const std::int64_t first_day = floor_div(zone_.local(Zone::kBegin), kDay);
  std::int64_t minute = (start - floor_div(start, kDay) * kDay) / kMinute;
  for (std::int64_t day = floor_div(start, kDay); day >= first_day; --day, minute = kDay / kMinute - 1) {
    if (!runs_on(day)) continue;
    for (; minute >= 0; --minute) {
      if (!fields_.hours.test(static_cast<std::size_t>(minute / 60))) continue;
      if (!fields_.minutes.test(static_cast<std::size_t>(minute % 60))) continue;
      const Timestamp run = zone_.first_instant(day * kDay + minute * kMinute);
      if (run < Zone::kBegin) return std::nullopt;
      if (run <= at) return run;
    }
  }
  return std::nullopt;
}

}  // namespace everlearn
