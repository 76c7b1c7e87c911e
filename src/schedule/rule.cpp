#include "schedule/rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace everlearn {

Result<Rule> Rule::parse(std::string_view text, std::string_view zone) {
  constexpr std::string_view kEvery = "every ";
  if (text.starts_with(kEvery)) {
    EL_TRY(Interval interval, Interval::parse(text.substr(kEvery.size())));
    return Rule{interval};
  }
  const bool cron = text.starts_with('@') || text.find_first_of(" \t") != std::string_view::npos;
  if (!cron) {
    EL_TRY(Interval interval, Interval::parse(text));
    return Rule{interval};
  }
  EL_TRY(Cron parsed, Cron::parse(text, zone));
  return Rule{std::move(parsed)};
}

std::optional<Timestamp> Rule::next(Timestamp after) const {
  if (const auto* cron = std::get_if<Cron>(&when_)) return cron->next(after);
  return std::get<Interval>(when_).next(after);
}

std::optional<Timestamp> Rule::previous(Timestamp at) const {
  if (const auto* cron = std::get_if<Cron>(&when_)) return cron->previous(at);
  return std::get<Interval>(when_).start_of(at);
}

std::int64_t Rule::starts_between(Timestamp from, Timestamp to, std::int64_t most) const {
  const auto* cron = std::get_if<Cron>(&when_);
  if (cron == nullptr) return std::min(most, std::get<Interval>(when_).starts_between(from, to));
  std::int64_t count = 0;
  for (auto run = cron->next(from); run && *run <= to && count < most; run = cron->next(*run)) ++count;
  return count;
}

std::string Rule::text() const {
  if (const auto* cron = std::get_if<Cron>(&when_)) return fmt::format("{} ({})", cron->text(), cron->zone());
  return "every " + std::get<Interval>(when_).text();
}

}  // namespace everlearn
