#include "schedule/job_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "core/bytes.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr std::uint8_t kFormat = 1;

constexpr std::array<std::pair<Missed, std::string_view>, 3> kMissedNames{
    {{Missed::RunOnce, "run_once"}, {Missed::Skip, "skip"}, {Missed::CatchUp, "catch_up"}}};

}  // namespace

Result<Missed> parse_missed(std::string_view text) {
  for (const auto& [missed, name] : kMissedNames) {
    if (name == text) return missed;
  }
  return fail(Code::Config, fmt::format("missed runs: {} is not run_once, skip or catch_up", quoted(text)));
}

std::string_view text(Missed missed) { return kMissedNames[static_cast<std::size_t>(missed)].second; }

void JobSchedule::Entry::finish(Timestamp until) {
  done = until;
  pending = job.rule.next(until);
}

std::optional<Timestamp> JobSchedule::Entry::next(Timestamp now) const {
  return now < done ? pending : job.rule.next(now);
}

Result<JobSchedule> JobSchedule::make(std::vector<Job> jobs, Timestamp since) {
  std::ranges::sort(jobs, {}, &Job::name);
  std::vector<Entry> entries;
  entries.reserve(jobs.size());
  for (Job& job : jobs) {
    if (job.name.empty()) return fail(Code::Config, "schedule: a job has no name");
    if (!entries.empty() && entries.back().job.name == job.name) {
      return fail(Code::Config, fmt::format("schedule: two jobs are called {}", quoted(job.name)));
    }
    entries.push_back({std::move(job), since, std::nullopt, std::nullopt});
    entries.back().finish(since);
  }
  return JobSchedule{std::move(entries)};
}

std::vector<DueJob> JobSchedule::due(Timestamp now) const {
  std::vector<DueJob> due;
  for (const Entry& entry : entries_) {
    if (!entry.pending || now < *entry.pending) continue;
    const Job& job = entry.job;
    if (job.missed == Missed::CatchUp) {
      std::optional<Timestamp> period = entry.pending;
      for (std::size_t n = 0; n < kCatchUpMost && period && *period <= now; ++n, period = job.rule.next(*period)) {
        due.push_back({job.name, *period, 0});
      }
      continue;
    }
    const std::optional<Timestamp> latest = job.rule.previous(now);
    if (!latest) continue;
    if (job.missed == Missed::Skip && now - *latest > job.late_after) continue;
    const Timestamp before_latest = *latest - Duration{1};
    due.push_back({job.name, *latest, job.rule.starts_between(entry.done, before_latest, kMissedMost)});
  }
  std::ranges::sort(due, {}, [](const DueJob& d) { return std::tie(d.period_start, d.name); });
  return due;
}

Result<void> JobSchedule::mark_run(std::string_view name, Timestamp period_start) {
  EL_TRY(const std::size_t place, place_of(name));
  Entry& entry = entries_[place];
  if (entry.job.rule.previous(period_start) != period_start) {
    return fail(Code::OutOfRange, fmt::format("schedule: no period of {} ({}) begins at {}", quoted(name),
                                              entry.job.rule.text(), period_start.iso()));
  }
  if (period_start <= entry.done) return {};
  entry.last_period = period_start;
  entry.finish(period_start);
  return {};
}

Result<std::size_t> JobSchedule::place_of(std::string_view name) const {
  const auto entry = std::ranges::find(entries_, name, [](const Entry& e) -> std::string_view { return e.job.name; });
  if (entry == entries_.end()) return fail(Code::NotFound, fmt::format("schedule: no job {}", quoted(name)));
  return static_cast<std::size_t>(entry - entries_.begin());
}

Result<std::optional<Timestamp>> JobSchedule::next(std::string_view name, Timestamp now) const {
  EL_TRY(const std::size_t place, place_of(name));
  return entries_[place].next(now);
}

std::vector<JobState> JobSchedule::states(Timestamp now) const {
  std::vector<JobState> states;
  states.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    states.push_back({entry.job.name, entry.job.rule.text(), entry.job.missed, entry.last_period, entry.next(now)});
  }
  return states;
}

std::string JobSchedule::encode() const {
  ByteWriter out;
  out.u8(kFormat);
  out.u32(static_cast<std::uint32_t>(entries_.size()));
  for (const Entry& entry : entries_) {
    out.text(entry.job.name);
    out.time(entry.done);
    out.boolean(entry.last_period.has_value());
    out.time(entry.last_period.value_or(Timestamp{}));
  }
  return out.take();
}

Result<void> JobSchedule::decode(std::string_view bytes) {
  ByteReader in{bytes};
  if (const std::uint8_t format = in.u8(); in.ok() && format != kFormat) {
    return fail(Code::Damaged, fmt::format("schedule checkpoint: format {}, this program reads {}", format, kFormat));
  }
  std::vector<Entry> entries = entries_;
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const std::string name = in.text();
    const Timestamp done = in.time();
    const bool ran = in.boolean();
    const Timestamp last_period = in.time();
    const auto entry = std::ranges::find(entries, name, [](const Entry& e) { return e.job.name; });
    if (!in.ok() || entry == entries.end()) continue;
    entry->last_period = ran ? std::optional{last_period} : std::nullopt;
    entry->finish(done);
  }
  EL_CHECK(in.finish("schedule checkpoint"));
  entries_ = std::move(entries);
  return {};
}

}  // namespace everlearn
