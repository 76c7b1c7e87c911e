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
  for (const bool right : {true, true, false}) chain.matured(right);
  CHECK(filter() == "recent accuracy");
  chain.matured(false);
  CHECK(filter() == "passed");
  chain.matured(false);  // pushes a right one out: 1 of 4
  CHECK(filter() == "recent accuracy");
}

TEST_CASE("signal: quiet hours are local time and may cross midnight") {
  const QuietHours night = QuietHours::make("22:00", "06:00", "Asia/Kolkata").value();
  CHECK(night.contains(Timestamp::parse("2026-01-01T00:00:00+05:30").value()));
  CHECK(!night.contains(Timestamp::parse("2026-01-01T06:00:00+05:30").value()));
  CHECK(night.contains(Timestamp::parse("2026-01-01T22:00:00+05:30").value()));
  CHECK(!QuietHours::make("25:00", "06:00", "UTC"));
  CHECK(!QuietHours::make("1:0", "06:00", "UTC"));
  CHECK(!QuietHours::make("01:00", "06:00", "Mars/Base"));
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
  chain.matured(true);
  ByteWriter out;
  chain.encode(out);
  SignalChain again = SignalChain::make(rules()).value();
  ByteReader reader{out.bytes()};
  REQUIRE(again.decode(reader));
  CHECK(again.passed() == 1);

  SignalRules wrong = rules();
  wrong.cost_bps = -1;
  CHECK(SignalChain::make(wrong).error().message == "signal.cost_bps is -1, not in 0..10000");
}
