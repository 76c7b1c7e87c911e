#include "app/occasions.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const Timestamp kAt = Timestamp::parse("2026-01-03T13:00:00Z").value();

TargetProfile target() {
  TargetProfile profile;
  profile.name = "next";
  return profile;
}

PredictionRow up_row() {
  PredictionRow row;
  row.event_time = kAt;
  row.bundle = "1f3a5b7c9d0e2f4a";
  row.probabilities = {0.125, 0.25, 0.625};
  row.price = 43210.5;
  row.rung = "champion";
  row.verdict = "passed";
  row.expected = 0.0042;
  row.half_spread = 0.0001;
  row.recent_accuracy = 0.52;
  return row;
}

TEST_CASE("occasions: a signal says all that a person needs, and expires with its horizon") {
  PredictionRow row = up_row();
  row.stream = Stream::Tuned;
  const AlertRow alert = signal_alert(
      target(),
      {.row = row, .instrument = "BTCUSDT", .side = 1, .until = kAt + Duration::minutes(30), .recent_rows = 200});
  CHECK(alert.text ==
        "BTCUSDT: buy, up 62.5 % at 43210.5, until 13:30 UTC\n"
        "probabilities: down 12.5 %, flat 25.0 %, up 62.5 %\n"
        "margin 0.375, entropy 0.819\n"
        "price 43210.5\n"
        "expected move +0.42 % over 30 min, half spread 0.010 %\n"
        "horizon ends 2026-01-03 13:30:00 UTC\n"
        "right lately: 52.0 % of the last 200\n"
        "model 1f3a5b7c9d0e, tuned stream, champion\n"
        "2026-01-03 13:00:00 UTC, target next");
  CHECK(alert.key == "signal/BTCUSDT/2026-01-03T13:00:00.000000Z");
  CHECK(alert.at == kAt);
  CHECK(alert.expires == kAt + Duration::minutes(30));
  CHECK(alert.quiet_may_hold);
  CHECK(alert.severity == Severity::Info);
}

TEST_CASE("occasions: a signal of a regression has no probabilities, one without a price no price") {
  PredictionRow row = up_row();
  row.probabilities.clear();
  row.expected = -0.01;
  const AlertRow sell =
      signal_alert(target(), {.row = row, .instrument = "A", .side = -1, .until = kAt + Duration::hours(1)});
  CHECK(sell.text.starts_with("A: sell at 43210.5, until 14:00 UTC\nprice 43210.5\nexpected move -1.00 % over 1 h"));
  row = up_row();
  row.price = kNaN;
  const AlertRow unpriced = signal_alert(target(), {.row = row, .instrument = "A", .side = 1, .until = kAt});
  CHECK(unpriced.text.starts_with("A: buy, up 62.5 %, until 13:00 UTC\nprobabilities"));
  CHECK(unpriced.text.find("price") == std::string::npos);
  CHECK(unpriced.text.find("move") == std::string::npos);
}

TEST_CASE("occasions: a training tells its rows, verdict and figures") {
  Verdict verdict;
  verdict.outcome = Outcome::Refused;
  verdict.reason = "accuracy_recent_200 0.4400 is under 0.4500";
  verdict.rows = 1200;
  verdict.effective = 800;
  verdict.holdout_first = kAt - Duration::days(3);
  verdict.holdout_last = kAt - Duration::days(1);
  verdict.checks = {{"accuracy", 0.51, kNaN, true, ""}, {"accuracy_recent_200", 0.44, 0.45, false, ""}};
  TrainingOccasion occasion{.as_of = kAt,
                            .reason = "schedule: 0 0 * * sun",
                            .bundle = "abcdef0123456789",
                            .champion_before = "",
                            .rows_used = 40'000,
                            .rows_wanted = 53'000,
                            .rows_there = 41'000};
  const AlertRow alert = training_alert(target(), occasion, verdict);
  CHECK(alert.text ==
        "training of next: refused\n"
        "accuracy_recent_200 0.4400 is under 0.4500\n"
        "rows: 53,000 wanted, 41,000 there, 40,000 used: fewer than the target\n"
        "hold-out: 1,200 rows, 800 effective, 2025-12-31 to 2026-01-02\n"
        "accuracy 0.5100\n"
        "accuracy_recent_200 0.4400, at least 0.4500: not passed\n"
        "model abcdef012345, champion before none\n"
        "as of 2026-01-03 13:00:00 UTC\n"
        "why: schedule: 0 0 * * sun");
  CHECK(alert.key == "training/next/2026-01-03T13:00:00.000000Z/abcdef012345");
  CHECK(alert.severity == Severity::Info);
  occasion.rows_wanted = 0;
  verdict.outcome = Outcome::Failed;
  verdict.rows = 0;
  const AlertRow failed = training_alert(target(), occasion, verdict);
  CHECK(failed.severity == Severity::Warning);
  CHECK(failed.text.find("\nrows used: 40,000\n") != std::string::npos);
  CHECK(failed.text.find("hold-out") == std::string::npos);
}

TEST_CASE("occasions: a fall-back names what speaks instead and why, each time it happens") {
  FallBackOccasion occasion{.at = kAt,
                            .model = "aaaaaaaaaaaaaaaa",
                            .rung = "previous champion",
                            .speaks = "bbbbbbbbbbbbbbbb",
                            .reason = "forest.bin: wrong checksum"};
  const AlertRow alert = fall_back_alert(target(), occasion);
  CHECK(alert.text ==
        "fall-back of next: the previous champion speaks\nreason: forest.bin: wrong checksum\n"
        "model that should speak: aaaaaaaaaaaa\nmodel that speaks: bbbbbbbbbbbb\n2026-01-03 13:00:00 UTC");
  CHECK(alert.severity == Severity::Warning);
  occasion.at = kAt + Duration::days(1);
  CHECK(fall_back_alert(target(), occasion).key != alert.key);
  occasion.rung = "none";
  occasion.speaks = "";
  CHECK(fall_back_alert(target(), occasion).severity == Severity::Critical);
  CHECK(fall_back_alert(target(), occasion).text.starts_with("fall-back of next: nothing acts\n"));
  occasion.rung = "from scratch";
  CHECK(
      fall_back_alert(target(), occasion).text.starts_with("fall-back of next: a new model is trained from scratch\n"));
}

TEST_CASE("occasions: poor accuracy stands beside what the majority would have got, and says what happens now") {
  const AlertRow alert = accuracy_alert(target(), {.at = kAt,
                                                   .model = "aaaaaaaaaaaaaaaa",
                                                   .rows = 200,
                                                   .accuracy = 0.42,
                                                   .majority = 0.48,
                                                   .least = 0.45,
                                                   .now = "trained from scratch; no signals until then"});
  CHECK(alert.text ==
        "poor recent accuracy of next: 42.0 % of 200 right\n"
        "wanted: 45.0 %; always saying the most frequent class: 48.0 %\n"
        "now: trained from scratch; no signals until then\nmodel aaaaaaaaaaaa\n2026-01-03 13:00:00 UTC");
  CHECK(alert.severity == Severity::Warning);
}

TEST_CASE("occasions: a switch of streams tells the figures it was decided by") {
  StreamVerdict verdict;
  verdict.at = kAt;
  verdict.after = Stream::Tuned;
  verdict.base = "aaaaaaaaaaaaaaaa";
  verdict.tune = "bbbbbbbbbbbbbbbb";
  verdict.verdict.rows = 144;
  verdict.verdict.effective = 140;
  verdict.verdict.checks = {{"accuracy", 0.5, 0.45, true, ""}};
  const AlertRow alert = stream_alert(target(), verdict);
  CHECK(alert.text ==
        "the tuned stream serves next now\nbefore: the base stream; compared on 144 rows, 140 effective\n"
        "accuracy 0.5000, at least 0.4500\nbase aaaaaaaaaaaa, tune bbbbbbbbbbbb\n2026-01-03 13:00:00 UTC");
  CHECK(alert.key == "stream/2026-01-03T13:00:00.000000Z");
}

TEST_CASE("occasions: a source in trouble, and out of it, are two alerts under one moment") {
  const AlertRow trouble = source_trouble_alert(kAt, "table market.rows", "password authentication failed");
  CHECK(trouble.severity == Severity::Critical);
  CHECK(trouble.text ==
        "no data from table market.rows\npassword authentication failed\nsince 2026-01-03 13:00:00 UTC; nothing is "
        "predicted on old rows");
  const AlertRow over = source_recovered_alert(kAt, kAt + Duration::minutes(20), "table market.rows");
  CHECK(over.key == trouble.key + "/over");
  CHECK(over.text.starts_with("data from table market.rows again\nafter 20 min"));
}

}  // namespace
}  // namespace everlearn
