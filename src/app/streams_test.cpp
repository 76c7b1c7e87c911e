#include "app/streams.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace everlearn {
namespace {

const Timestamp kStart = Timestamp{} + Duration::days(19'000);
const InstrumentId kOne{0};

Timestamp cycle(std::int64_t n) { return kStart + Duration::minutes(10) * n; }

GateRules rules() {
  GateRules rules;
  rules.task = Task::Multiclass;
  rules.classes = 3;
  rules.margin = 0.005;
  rules.min_effective = 100;
  rules.block = Duration::minutes(60);
  rules.draws = 200;
  return rules;
}

// `right`: of ten predictions of the tuned stream, how many put 0.6 on the outcome; the base is right in five of ten.
std::vector<HoldoutRow> said(std::int64_t from, std::int64_t count, int right) {
  std::vector<HoldoutRow> rows;
  for (std::int64_t i = from; i < from + count; ++i) {
    HoldoutRow row;
    row.event_time = cycle(i);
    row.label_end = cycle(i) + Duration::minutes(10);
    row.outcome = static_cast<double>(i % 3);
    row.price = 100;
    const auto speak = [&](bool hit) {
      std::vector<double> p(3, 0.2);
      p[static_cast<std::size_t>(hit ? i % 3 : (i + 1) % 3)] = 0.6;
      return p;
    };
    row.candidate = speak(i % 10 < right);
    row.champion = row.baseline = speak(i % 10 < 5);
    rows.push_back(row);
  }
  return rows;
}

TEST_CASE("streams: the tuned stream serves when it is not worse and right often enough") {
  Attempts attempts;
  const auto better = judge_streams(rules(), {}, said(0, 300, 6), attempts);
  REQUIRE(better);
  CHECK(better->outcome == Outcome::Promoted);
}

TEST_CASE("streams: a tuned stream that is worse than the base is refused, though right in 45 of 100") {
  Attempts attempts;
  const auto worse = judge_streams(rules(), {.min_accuracy = 0.3}, said(0, 300, 4), attempts);
  REQUIRE(worse);
  CHECK(worse->outcome == Outcome::Refused);
}

TEST_CASE("streams: right too seldom is refused by the accuracy, however it compares") {
  Attempts attempts;
  const auto verdict = judge_streams(rules(), {.min_accuracy = 0.65}, said(0, 300, 6), attempts);
  REQUIRE(verdict);
  CHECK(verdict->outcome == Outcome::Refused);
  CHECK(verdict->reason.find("accuracy 0.6 (required 0.65)") != std::string::npos);
}

TEST_CASE("streams: too few rows decide nothing") {
  Attempts attempts;
  const auto verdict = judge_streams(rules(), {}, said(0, 30, 6), attempts);
  REQUIRE(verdict);
  CHECK(verdict->outcome == Outcome::Insufficient);
}

TEST_CASE("streams: attempts are counted for each distinct row, however many tunes there were") {
  Attempts attempts;
  REQUIRE(judge_streams(rules(), {}, said(0, 144, 6), attempts));
  CHECK(attempts.rows == 144);
  CHECK(attempts.uses == 144);
  const auto overlapping = judge_streams(rules(), {}, said(72, 144, 6), attempts);
  REQUIRE(overlapping);
  CHECK(overlapping->rows_used_before == 72);
  CHECK(attempts.rows == 216);
  CHECK(attempts.uses == 288);
  CHECK(overlapping->checks.back().name == "attempts_per_row");
  CHECK(overlapping->checks.back().measured == doctest::Approx(288.0 / 216));
}

TEST_CASE("streams: each keeps its own accuracy over what it said before the outcome") {
  Streams streams;
  CHECK_FALSE(streams[Stream::Base].accuracy());
  for (std::int64_t i = 0; i < 10; ++i) {
    streams.remember(cycle(i), kOne, Stream::Base, 0);
    if (i >= 5) streams.remember(cycle(i), kOne, Stream::Tuned, 1);
  }
  streams.forget(cycle(9), kOne);
  for (std::int64_t i = 0; i < 10; ++i) streams.settle(cycle(i), kOne, i < 6 ? 0 : 1);
  CHECK(streams[Stream::Base].accuracy() == doctest::Approx(6.0 / 9));
  CHECK(streams[Stream::Tuned].accuracy() == doctest::Approx(3.0 / 4));
  streams.settle(cycle(0), kOne, 1);  // a label is settled once
  CHECK(streams[Stream::Base].matured_rows() == 9);
}

TEST_CASE("streams: only the last 200 matured predictions count") {
  StreamRecord record;
  for (int i = 0; i < 200; ++i) record.matured(false);
  for (int i = 0; i < 50; ++i) record.matured(true);
  CHECK(record.accuracy() == doctest::Approx(0.25));
  CHECK(record.matured_rows() == 200);
}

TEST_CASE("streams: a verdict is a line for people and reads back whole") {
  Attempts attempts;
  const auto verdict = judge_streams(rules(), {}, said(0, 300, 6), attempts);
  REQUIRE(verdict);
  const StreamVerdict told{cycle(300), Stream::Base, Stream::Tuned, "base-id", "tune-id", *verdict};
  const Store::Note note{cycle(300), std::string{kStreamVerdict}, told.note()};
  CHECK(note.text.starts_with("the tuned stream serves (base until now): "));
  const auto read = StreamVerdict::from_note(note);
  REQUIRE(read);
  CHECK(read->before == Stream::Base);
  CHECK(read->after == Stream::Tuned);
  CHECK(read->tune == "tune-id");
  CHECK(read->verdict.canonical() == verdict->canonical());
  CHECK_FALSE(StreamVerdict::from_note({note.at, note.kind, note.text.substr(0, note.text.size() - 3)}));
  CHECK_FALSE(StreamVerdict::from_note({note.at, note.kind, "one line"}));
}

TEST_CASE("streams: a checkpoint gives back the same") {
  Streams streams;
  streams.serve(Stream::Tuned);
  streams.attempts() = {3, 300, 400, cycle(7)};
  for (std::int64_t i = 0; i < 5; ++i) streams.remember(cycle(i), kOne, Stream::Tuned, 2);
  streams.settle(cycle(0), kOne, 2);
  PredictionRow row{.instrument = kOne, .event_time = cycle(1), .bundle = "m"};
  streams[Stream::Tuned].said(row);
  streams[Stream::Tuned].end_cycle();
  ByteWriter out;
  streams.encode(out);
  const std::string bytes = out.take();

  Streams again;
  ByteReader in{bytes};
  REQUIRE(again.decode(in));
  CHECK(again.serving() == Stream::Tuned);
  CHECK(again.attempts().uses == 400);
  CHECK(again[Stream::Tuned].ledger_sha256() == streams[Stream::Tuned].ledger_sha256());
  CHECK(again[Stream::Tuned].ledger_sha256() != again[Stream::Base].ledger_sha256());
  again.settle(cycle(1), kOne, 0);
  CHECK(again[Stream::Tuned].accuracy() == doctest::Approx(0.5));

  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) {
    Streams broken;
    ByteReader part{std::string_view{bytes}.substr(0, cut)};
    const auto read = broken.decode(part);
    CHECK_FALSE((read && part.finish("streams")));
  }
}

}  // namespace
}  // namespace everlearn
