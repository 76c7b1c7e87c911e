#include "signal/signal.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace everlearn;

namespace {

SignalInput input(double predicted) {
  SignalInput in;
  in.price = 100;
  in.predicted = predicted;
  in.champion = true;
  in.learning_active = true;
  return in;
}

SignalRules rules() {
  SignalRules r;
  r.cost_bps = 5;
  r.half_spread_bps = 10;
  r.min_edge_bps = 5;
  return r;
}

Signal judge(const SignalRules& r, const SignalInput& in, Timestamp now = Timestamp{}) {
  SignalChain chain = SignalChain::make(r).value();
  return chain.judge(now, std::span{&in, 1}).front();
}

}  // namespace

TEST_CASE("signal: passes when the expected value beats costs, half spread and the wanted edge") {
  // 2 x 5 bp fee + 10 bp half spread = 20 bp; 5 bp more are wanted.
  CHECK(judge(rules(), input(0.0026)).passed);
  const Signal stopped = judge(rules(), input(0.0024));
  CHECK(stopped.filter == "edge");
  CHECK(stopped.expected_value == doctest::Approx(0.0004));
  CHECK(stopped.required == doctest::Approx(0.0005));
}

TEST_CASE("signal: the quoted spread goes before the assumed one") {
  SignalInput in = input(0.0026);
  in.bid = 99.5;
  in.ask = 100.5;  // 50 bp to either side
  CHECK(judge(rules(), in).filter == "edge");
}

TEST_CASE("signal: where there is no price nothing costs, and a class must lead") {
  SignalRules some = rules();
  some.min_edge_bps = 0;
  SignalInput in = input(0.0001);
  CHECK(judge(some, in).filter == "edge");
  in.traded = false;
  CHECK(judge(some, in).passed);
  CHECK(judge(some, in).expected_value == 0.0001);
  CHECK(judge(some, in).half_spread == 0);
  in.predicted = 0;
  CHECK(judge(some, in).filter == "flat");
}

TEST_CASE("signal: a fall is sold, unless short positions are not allowed") {
  CHECK(judge(rules(), input(-0.01)).side == -1);
  CHECK(judge(rules(), input(-0.01)).passed);
  SignalRules long_only = rules();
  long_only.long_only = true;
  CHECK(judge(long_only, input(-0.01)).filter == "short not allowed");
}

TEST_CASE("signal: below a champion, and with learning off, the engine observes") {
  SignalInput in = input(0.01);
  in.learning_active = false;
  CHECK(judge(rules(), in).filter == "learning off");
  in.learning_active = true;
  in.champion = false;
  CHECK(judge(rules(), in).filter == "baseline may not act");
  SignalRules may = rules();
  may.baseline_may_act = true;
  CHECK(judge(may, in).passed);
}

TEST_CASE("signal: an unknown prediction is no prediction") {
  CHECK(judge(rules(), input(std::numeric_limits<double>::quiet_NaN())).filter == "no model");
  SignalInput stale = input(0.01);
  stale.fresh = false;
  CHECK(judge(rules(), stale).filter == "stale");
}

TEST_CASE("signal: classes pass with enough margin and little enough entropy") {
  SignalRules r = rules();
  r.min_margin = 0.2;
  r.max_entropy = 0.85;
  SignalInput in = input(0.01);
  in.probabilities = {0.15, 0.35, 0.5};
  CHECK(judge(r, in).filter == "margin");
  in.probabilities = {0.24, 0.26, 0.5};  // margin 0.24, entropy 0.95
  CHECK(judge(r, in).filter == "entropy");
  in.probabilities = {0.1, 0.1, 0.8};
  CHECK(judge(r, in).passed);
}

TEST_CASE("signal: recent accuracy must be known before it can be good enough") {
  SignalRules r = rules();
  r.min_recent_accuracy = 0.5;
  r.recent_rows = 4;
  SignalChain chain = SignalChain::make(r).value();
  const SignalInput in = input(0.01);
  const auto filter = [&] { return chain.judge(Timestamp{}, std::span{&in, 1}).front().filter; };
  CHECK(std::isnan(chain.recent_accuracy()));
  for (const int said : {2, 2, 0}) chain.matured(said, 2);
  CHECK(chain.recent_count() == 3);
  CHECK(chain.recent_accuracy() == doctest::Approx(2.0 / 3));  // shown, not yet trusted
  CHECK(filter() == "recent accuracy unknown");
  chain.matured(2, 0);
  CHECK(chain.recent_known());
  CHECK(filter() == "passed");
  chain.matured(2, 0);  // pushes a right one out: 1 of 4
  const Signal stopped = chain.judge(Timestamp{}, std::span{&in, 1}).front();
  CHECK(stopped.filter == "recent accuracy");
  CHECK(stopped.measured == 0.25);
  CHECK(stopped.required == 0.5);
}

TEST_CASE("signal: beside recent accuracy stands what always saying the most frequent outcome would have got") {
  SignalRules r = rules();
  r.recent_rows = 5;
  SignalChain chain = SignalChain::make(r).value();
  CHECK(std::isnan(chain.recent_majority()));
  for (const int outcome : {1, 1, 2, 2, 2, 2}) chain.matured(1, outcome);
  CHECK(chain.recent_accuracy() == 0.2);  // the first has left
  CHECK(chain.recent_majority() == 0.8);
}

TEST_CASE("signal: as recent accuracy falls, more margin and less entropy are asked for") {
  SignalRules r = rules();
  r.min_margin = 0.2;
  r.max_entropy = 0.85;
  r.recent_penalty = true;
  r.recent_rows = 100;
  SignalInput in = input(0.01);
  in.probabilities = {0.15, 0.35, 0.5};  // margin 0.15
  const auto after = [&](int right, int of, const SignalInput& said) {
    SignalChain chain = SignalChain::make(r).value();
    for (int i = 0; i < of; ++i) chain.matured(2, i < right ? 2 : 0);
    return chain.judge(Timestamp{}, std::span{&said, 1}).front();
  };
  CHECK(after(60, 100, in).required == doctest::Approx(0.2));    // s = 0
  CHECK(after(55, 100, in).required == doctest::Approx(0.2));    // s = 0
  CHECK(after(50, 100, in).required == doctest::Approx(0.275));  // s = (0.55 - 0.50) / 0.10 = 0.5
  CHECK(after(45, 100, in).required == doctest::Approx(0.35));   // s = 1
  CHECK(after(10, 100, in).required == doctest::Approx(0.35));   // never more
  CHECK(after(99, 99, in).required == doctest::Approx(0.35));    // not known yet: s = 1
  CHECK(after(99, 99, in).measured == doctest::Approx(0.15));
  in.probabilities = {0.1, 0.1, 0.8};    // margin 0.7, entropy 0.58
  CHECK(after(50, 100, in).passed);      // 0.85 - 0.5 * 0.15 = 0.775 is allowed
  in.probabilities = {0.18, 0.12, 0.7};  // margin 0.52, entropy 0.74
  CHECK(after(55, 100, in).passed);
  const Signal stopped = after(40, 100, in);
  CHECK(stopped.filter == "entropy");
  CHECK(stopped.required == doctest::Approx(0.7));
  r.min_margin.reset();
  r.max_entropy.reset();  // filters that are off stay off
  in.probabilities = {0.33, 0.33, 0.34};
  CHECK(after(10, 100, in).passed);
}

TEST_CASE("signal: where flat is the likeliest of three classes, there is nothing to act on") {
  SignalInput in = input(0.01);
  in.probabilities = {0.2, 0.5, 0.3};
  const Signal stopped = judge(rules(), in);
  CHECK(stopped.filter == "flat");
  CHECK(stopped.measured == 0.5);
  CHECK(stopped.required == 0.3);
  in.probabilities = {0.1, 0.45, 0.45};  // a tie leans to the move
  CHECK(judge(rules(), in).passed);
  in.probabilities = {0.4, 0.6};  // two classes have no middle
  CHECK(judge(rules(), in).passed);
}

TEST_CASE("signal: conformal: only a prediction set of one class acts, and an unknown set does not") {
  SignalRules r = rules();
  r.conformal = true;
  SignalInput in = input(0.01);
  in.probabilities = {0.1, 0.1, 0.8};
  in.set = 0b100;
  CHECK(judge(r, in).passed);
  in.set = 0b110;
  CHECK(judge(r, in).filter == "conformal");
  CHECK(judge(r, in).measured == 2);
  CHECK(judge(r, in).required == 1);
  in.set = 0;
  CHECK(judge(r, in).filter == "conformal");
  CHECK(judge(r, in).measured == 0);
  CHECK(judge(rules(), in).passed);  // the filter is off by default
}

TEST_CASE("signal: out of distribution stops above its share of features") {
  SignalRules r = rules();
  r.out_of_distribution = 0.1;
  SignalInput in = input(0.01);
  in.outside_share = 0.1;
  CHECK(judge(r, in).passed);
  in.outside_share = 0.11;
  CHECK(judge(r, in).filter == "out of distribution");
  CHECK(judge(r, in).measured == 0.11);
}

TEST_CASE("signal: what holds all signals is the verdict, in its own words") {
  SignalInput in = input(0.01);
  in.held = "training from scratch";
  CHECK(judge(rules(), in).filter == "training from scratch");
}

TEST_CASE("signal: of several filters that would stop it the first in the order is the verdict") {
  SignalRules r = rules();
  r.long_only = true;
  r.out_of_distribution = 0;
  r.conformal = true;
  r.min_margin = 0.9;
  r.max_entropy = 0.1;
  r.min_edge_bps = 1000;
  r.min_recent_accuracy = 0.5;
  r.recent_rows = 1;
  r.quiet_from = "00:00";
  r.quiet_to = "24:00";
  r.quiet_zone = "UTC";
  SignalInput in = input(-0.01);
  in.probabilities = {0.3, 0.4, 0.3};
  in.outside_share = 0.5;
  const auto filter = [&](int right) {
    SignalChain chain = SignalChain::make(r).value();
    if (right >= 0) chain.matured(0, 1 - right);
    return chain.judge(Timestamp{}, std::span{&in, 1}).front().filter;
  };
  CHECK(filter(-1) == "flat");
  in.probabilities = {0.5, 0.2, 0.3};
  CHECK(filter(-1) == "short not allowed");
  r.long_only = false;
  CHECK(filter(-1) == "out of distribution");
  r.out_of_distribution.reset();
  CHECK(filter(-1) == "conformal");
  in.set = 1;
  CHECK(filter(-1) == "margin");
  r.min_margin.reset();
  CHECK(filter(-1) == "entropy");
  r.max_entropy.reset();
  CHECK(filter(-1) == "edge");
  r.min_edge_bps = 0;
  CHECK(filter(-1) == "recent accuracy unknown");
  CHECK(filter(0) == "recent accuracy");
  CHECK(filter(1) == "quiet hours");
  r.quiet_from = r.quiet_to = "";
  CHECK(filter(1) == "passed");
}

TEST_CASE("signal: quiet hours are local time and may cross midnight") {
  const QuietHours night = QuietHours::make("22:00", "06:00", "Asia/Kolkata").value();
  CHECK(night.contains(Timestamp::parse("2026-01-01T00:00:00+05:30").value()));
  CHECK(!night.contains(Timestamp::parse("2026-01-01T06:00:00+05:30").value()));
  CHECK(night.contains(Timestamp::parse("2026-01-01T22:00:00+05:30").value()));
  CHECK(night.contains(Timestamp::parse("2026-01-01T05:59:59+05:30").value()));
  CHECK(night.local_hours(Timestamp::parse("2026-01-01T01:10:00+05:30").value()) == doctest::Approx(7.0 / 6));
  CHECK(QuietHours::make("01:10", "09:00", "UTC").value().contains(Timestamp::parse("2026-01-01T01:10:00Z").value()));
  CHECK(!QuietHours::make("25:00", "06:00", "UTC"));
  CHECK(!QuietHours::make("1:0", "06:00", "UTC"));
  CHECK(!QuietHours::make("01:00", "06:00", "Mars/Base"));
}

TEST_CASE("signal: in the quiet hours a verdict says what the time is there, and when they end") {
  SignalRules r = rules();
  r.quiet_from = "01:00";
  r.quiet_to = "09:00";
  r.quiet_zone = "Asia/Kolkata";
  const Signal night = judge(r, input(0.01), Timestamp::parse("2026-01-01T03:30:00+05:30").value());
  CHECK(night.filter == "quiet hours");
  CHECK(night.measured == 3.5);
  CHECK(night.required == 9);
  CHECK(judge(r, input(0.01), Timestamp::parse("2026-01-01T09:00:00+05:30").value()).passed);
}

TEST_CASE("signal: of too many the best expected values pass") {
  SignalRules r = rules();
  r.max_signals = 1;
  SignalChain chain = SignalChain::make(r).value();
  const std::vector<SignalInput> inputs{input(0.01), input(0.03), input(0.02)};
  const auto signals = chain.judge(Timestamp{}, inputs);
  CHECK(signals[0].filter == "max signals");
  CHECK(signals[1].passed);
  CHECK(signals[2].filter == "max signals");
  CHECK(chain.passed() == 1);
  CHECK(chain.stopped().at("max signals") == 2);
}

TEST_CASE("signal: counters survive a restart; a wrong setting is named") {
  SignalChain chain = SignalChain::make(rules()).value();
  const SignalInput in = input(0.01);
  (void)chain.judge(Timestamp{}, std::span{&in, 1});
  for (const int said : {1, 2, 2}) chain.matured(said, 2);
  ByteWriter out;
  chain.encode(out);
  SignalChain again = SignalChain::make(rules()).value();
  ByteReader reader{out.bytes()};
  REQUIRE(again.decode(reader));
  CHECK(reader.at_end());
  CHECK(again.passed() == 1);
  CHECK(again.recent_accuracy() == doctest::Approx(2.0 / 3));

  SignalRules fewer = rules();  // of what was kept the newest stay
  fewer.recent_rows = 2;
  SignalChain shorter = SignalChain::make(fewer).value();
  ByteReader same{out.bytes()};
  REQUIRE(shorter.decode(same));
  CHECK(shorter.recent_accuracy() == 1);

  for (std::size_t cut = 0; cut < out.bytes().size(); ++cut) {
    ByteReader half{std::string_view{out.bytes()}.substr(0, cut)};
    CHECK(!SignalChain::make(rules()).value().decode(half));
  }

  SignalRules wrong = rules();
  wrong.cost_bps = -1;
  CHECK(SignalChain::make(wrong).error().message == "signal.cost_bps is -1, not in 0..10000");
  wrong = rules();
  wrong.penalty_from = 0.45;
  CHECK(SignalChain::make(wrong).error().message == "signal.penalty_from is 0.45, not above signal.penalty_floor 0.45");
}
