#include "schedule/job_schedule.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <string>
#include <vector>

namespace everlearn {
namespace {

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }

const Timestamp kStart = Timestamp::parse("2026-01-05T00:00:00Z").value();

Job job(const char* name, const char* rule, Missed missed = Missed::RunOnce) {
  return {name, Rule::parse(rule).value(), missed};
}

JobSchedule schedule(std::vector<Job> jobs) { return JobSchedule::make(std::move(jobs), kStart).value(); }

using Due = std::vector<DueJob>;

}  // namespace

TEST_CASE("job schedule: a job is due when its period begins, until it is marked") {
  JobSchedule jobs = schedule({job("train", "6h")});
  const Timestamp six = kStart + Duration::hours(6);
  CHECK(jobs.due(six - Duration{1}).empty());
  CHECK(jobs.due(six) == Due{{"train", six, 0}});
  CHECK(jobs.due(six) == Due{{"train", six, 0}});
  REQUIRE(jobs.mark_run("train", six));
  CHECK(jobs.due(six).empty());
  CHECK(jobs.due(six + Duration::hours(5)).empty());
}

TEST_CASE("job schedule: the period in which the engine starts is past, also if it begins that instant") {
  const JobSchedule jobs = schedule({job("train", "6h"), job("report", "30 23 * * *")});
  CHECK(jobs.due(kStart).empty());
  CHECK(jobs.due(kStart + Duration::hours(1)).empty());
}

TEST_CASE("job schedule: jobs are named in order of period, then of name") {
  const JobSchedule jobs = schedule({job("b", "2h"), job("c", "1h"), job("a", "1h")});
  CHECK(jobs.due(kStart + Duration::hours(3)) == Due{{"b", kStart + Duration::hours(2), 0},
                                                     {"a", kStart + Duration::hours(3), 2},
                                                     {"c", kStart + Duration::hours(3), 2}});
}

TEST_CASE("job schedule: run once, the default, runs the latest period for all that were missed") {
  JobSchedule jobs = schedule({job("train", "@daily")});
  const Timestamp now = at("2026-01-08T10:00:00Z");  // off for three days
  const Timestamp latest = at("2026-01-08T00:00:00Z");
  CHECK(jobs.due(now) == Due{{"train", latest, 2}});
  REQUIRE(jobs.mark_run("train", latest));
  CHECK(jobs.due(now).empty());
  CHECK(jobs.due(latest + Duration::days(1)) == Due{{"train", latest + Duration::days(1), 0}});
}

TEST_CASE("job schedule: skip leaves out what is found too late and runs what is not") {
  Job report = job("report", "@daily", Missed::Skip);
  report.late_after = Duration::minutes(10);
  JobSchedule jobs = schedule({report});
  CHECK(jobs.due(at("2026-01-08T10:00:00Z")).empty());
  CHECK(jobs.due(at("2026-01-09T00:10:00.000001Z")).empty());
  CHECK(jobs.due(at("2026-01-09T00:10:00Z")) == Due{{"report", at("2026-01-09T00:00:00Z"), 3}});
}

TEST_CASE("job schedule: catch up runs every missed period, oldest first, some at a time") {
  JobSchedule jobs = schedule({job("label", "1h", Missed::CatchUp)});
  CHECK(jobs.due(kStart + Duration::hours(3)) == Due{{"label", kStart + Duration::hours(1), 0},
                                                     {"label", kStart + Duration::hours(2), 0},
                                                     {"label", kStart + Duration::hours(3), 0}});
  REQUIRE(jobs.mark_run("label", kStart + Duration::hours(1)));
  CHECK(jobs.due(kStart + Duration::hours(3)).front().period_start == kStart + Duration::hours(2));
  CHECK(jobs.due(kStart + Duration::hours(1'000)).size() == JobSchedule::kCatchUpMost);
}

TEST_CASE("job schedule: missed periods are counted up to a limit") {
  const JobSchedule jobs = schedule({job("a", "* * * * *"), job("b", "1m")});
  const Timestamp later = kStart + Duration::days(365);
  CHECK(jobs.due(later) == Due{{"a", later, JobSchedule::kMissedMost}, {"b", later, JobSchedule::kMissedMost}});
}

TEST_CASE("job schedule: a clock that goes back never repeats a period") {
  JobSchedule jobs = schedule({job("train", "1h")});
  const Timestamp five = kStart + Duration::hours(5);
  REQUIRE(jobs.mark_run("train", five));
  CHECK(jobs.due(five - Duration::hours(2)).empty());
  CHECK(jobs.due(Timestamp{}).empty());
  CHECK(jobs.due(five).empty());
  CHECK(jobs.due(five + Duration::hours(1)) == Due{{"train", five + Duration::hours(1), 0}});
}

TEST_CASE("job schedule: marking an earlier period, or one twice, changes nothing") {
  JobSchedule jobs = schedule({job("train", "1h")});
  REQUIRE(jobs.mark_run("train", kStart + Duration::hours(5)));
  const std::string before = jobs.encode();
  REQUIRE(jobs.mark_run("train", kStart + Duration::hours(5)));
  REQUIRE(jobs.mark_run("train", kStart + Duration::hours(2)));
  CHECK(jobs.encode() == before);
}

TEST_CASE("job schedule: what is not a job or not its period cannot be marked") {
  JobSchedule jobs = schedule({job("train", "1h")});
  CHECK(jobs.mark_run("dream", kStart).error().code == Code::NotFound);
  const auto between = jobs.mark_run("train", kStart + Duration::minutes(30));
  REQUIRE_FALSE(between);
  CHECK(between.error().code == Code::OutOfRange);
  CHECK(between.error().message == "schedule: no period of \"train\" (every 1h) begins at 2026-01-05T00:30:00.000000Z");
}

TEST_CASE("job schedule: next is the first period to come") {
  JobSchedule jobs = schedule({job("train", "6h")});
  CHECK(jobs.next("train", kStart).value() == kStart + Duration::hours(6));
  CHECK(jobs.next("train", kStart + Duration::hours(7)).value() == kStart + Duration::hours(12));
  REQUIRE(jobs.mark_run("train", kStart + Duration::hours(12)));
  CHECK(jobs.next("train", kStart).value() == kStart + Duration::hours(18));  // the clock went back
  CHECK(jobs.next("dream", kStart).error().code == Code::NotFound);
}

TEST_CASE("job schedule: local times run once a day through both clock changes") {
  // 02:30 does not exist on 2026-03-08 in New York, 01:30 exists twice on 2026-11-01.
  std::vector<Job> list{{"spring", Rule::parse("30 2 * * *", "America/New_York").value()},
                        {"autumn", Rule::parse("30 1 * * *", "America/New_York").value()}};
  JobSchedule jobs = schedule(std::move(list));
  std::map<std::string, int> runs;
  for (Timestamp now = kStart; now < kStart + Duration::days(365); now = now + Duration::minutes(10)) {
    for (const DueJob& due : jobs.due(now)) {
      ++runs[due.name];
      CHECK(due.missed == 0);
      REQUIRE(jobs.mark_run(due.name, due.period_start));
    }
  }
  CHECK(runs["spring"] == 365);
  CHECK(runs["autumn"] == 365);
}

TEST_CASE("job schedule: states tell what ran and what comes") {
  JobSchedule jobs = schedule({job("train", "6h"), job("report", "@daily", Missed::Skip)});
  REQUIRE(jobs.mark_run("train", kStart + Duration::hours(6)));
  const auto states = jobs.states(kStart + Duration::hours(7));
  REQUIRE(states.size() == 2);
  CHECK(states[0].name == "report");
  CHECK(states[0].rule == "@daily (UTC)");
  CHECK(text(states[0].missed) == "skip");
  CHECK_FALSE(states[0].last_period);
  CHECK(states[0].next_period == kStart + Duration::days(1));
  CHECK(states[1].last_period == kStart + Duration::hours(6));
  CHECK(states[1].next_period == kStart + Duration::hours(12));
}

TEST_CASE("job schedule: the checkpoint goes on where it was, also for a process that was down") {
  JobSchedule before = schedule({job("train", "6h"), job("report", "@daily")});
  REQUIRE(before.mark_run("train", kStart + Duration::hours(6)));
  const Timestamp restart = kStart + Duration::hours(20);
  JobSchedule after = JobSchedule::make({job("train", "6h"), job("report", "@daily")}, restart).value();
  CHECK(after.due(restart).empty());
  REQUIRE(after.decode(before.encode()));
  CHECK(after.encode() == before.encode());
  CHECK(after.due(restart) == before.due(restart));
  CHECK(after.due(restart) == Due{{"train", kStart + Duration::hours(18), 1}});
}

TEST_CASE("job schedule: a job new since the checkpoint begins now, one that is gone is dropped") {
  JobSchedule before = schedule({job("old", "1h"), job("train", "6h")});
  REQUIRE(before.mark_run("train", kStart + Duration::hours(6)));
  const Timestamp restart = kStart + Duration::hours(10);
  JobSchedule after = JobSchedule::make({job("new", "1h"), job("train", "6h")}, restart).value();
  REQUIRE(after.decode(before.encode()));
  CHECK(after.due(restart).empty());
  CHECK(after.due(restart + Duration::hours(1)) == Due{{"new", restart + Duration::hours(1), 0}});
  CHECK(after.states(restart).size() == 2);
}

TEST_CASE("job schedule: a damaged checkpoint is refused and nothing changes") {
  JobSchedule jobs = schedule({job("train", "6h")});
  REQUIRE(jobs.mark_run("train", kStart + Duration::hours(6)));
  const std::string good = jobs.encode();
  JobSchedule other = schedule({job("train", "6h")});
  const std::string untouched = other.encode();
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    CAPTURE(cut);
    const auto read = other.decode(good.substr(0, cut));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Code::Damaged);
  }
  CHECK_FALSE(other.decode(good + "x"));
  CHECK_FALSE(other.decode("\x02" + good.substr(1)));
  CHECK(other.encode() == untouched);
}

TEST_CASE("job schedule: names are needed and differ") {
  CHECK_FALSE(JobSchedule::make({job("", "1h")}, kStart));
  const auto twice = JobSchedule::make({job("train", "1h"), job("train", "2h")}, kStart);
  REQUIRE_FALSE(twice);
  CHECK(twice.error().code == Code::Config);
}

TEST_CASE("job schedule: missed policies are read and written") {
  for (const char* name : {"run_once", "skip", "catch_up"}) CHECK(text(parse_missed(name).value()) == name);
  CHECK(parse_missed("never").error().code == Code::Config);
}

TEST_CASE("job schedule: whatever the clock does, no period runs twice, and none is lost once the clock is right") {
  CHECK(rc::check("jumping clock with restarts", [] {
    const std::vector<Job> list{job("all", "1h", Missed::CatchUp), job("once", "1h")};
    JobSchedule jobs = JobSchedule::make(list, kStart).value();
    std::map<std::string, std::vector<Timestamp>> ran;
    Timestamp now = kStart;
    const auto step = [&] {
      for (const DueJob& due : jobs.due(now)) {
        RC_ASSERT(due.period_start <= now);
        if (!ran[due.name].empty()) RC_ASSERT(ran[due.name].back() < due.period_start);
        ran[due.name].push_back(due.period_start);
        RC_ASSERT(jobs.mark_run(due.name, due.period_start).has_value());
      }
    };
    const auto jumps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-300, 600));
    for (const int minutes : jumps) {
      now = now + Duration::minutes(minutes);
      if (minutes % 7 == 0) {
        JobSchedule restarted = JobSchedule::make(list, now).value();
        RC_ASSERT(restarted.decode(jobs.encode()).has_value());
        jobs = std::move(restarted);
      }
      step();
    }
    now = std::max(now, kStart) + Duration::days(3);
    step();
    // Catch-up: every hour since the start, once.
    const auto& hours = ran["all"];
    for (std::size_t i = 0; i < hours.size(); ++i) {
      RC_ASSERT(hours[i] == kStart + Duration::hours(static_cast<std::int64_t>(i) + 1));
    }
    RC_ASSERT(jobs.due(now).empty());
  }));
}

}  // namespace everlearn
