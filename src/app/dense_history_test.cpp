#include "app/dense_history.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "market/calendar.hpp"

namespace everlearn {
namespace {

const Duration kEvery = Duration::minutes(15);
Timestamp grid(std::int64_t k) { return Timestamp{1'767'225'600'000'000} + kEvery * k; }
Price px(double value) { return Price::from(value).value(); }
double price_at(std::int64_t k) { return 0.5 + 0.01 * std::sin(static_cast<double>(k) * 1.7); }

struct Fixture {
  Fixture() : calendar{make_always_open()} {
    instruments.intern("A");
    instruments.intern("B");
  }
  DenseHistory make() const {
    return {FeatureSet::choose(kEvery, {"diff_1", "diff_4", "vol_20", "sma_ratio_5"}).value(), *calendar,
            Duration::minutes(45)};
  }
  std::vector<float> row(const DenseHistory& history, std::uint32_t id = 0) const {
    std::vector<float> out(4);
    history.bank().row(InstrumentId{id}, out);
    return out;
  }
  void settle(DenseHistory& history) const {
    for (int i = 0; i < 100 && history.refreshing(); ++i) history.refresh(instruments);
    CHECK_FALSE(history.refreshing());
  }

  std::unique_ptr<const Calendar> calendar;
  Instruments instruments;
};

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
  return a.size() == b.size();
}

TEST_CASE_FIXTURE(Fixture, "dense history: prices of the past give what stepping through them would have given") {
  DenseHistory all = make(), holed = make();
  for (std::int64_t k = 0; k < 40; ++k) {
    all.step(grid(k), instruments, {px(price_at(k)), px(0.4)});
    if (k < 25 || k >= 32) holed.step(grid(k), instruments, {px(price_at(k)), px(0.4)});
  }
  CHECK_FALSE(same(row(all), row(holed)));
  for (std::int64_t k = 25; k < 32; ++k) {
    CHECK(holed.fill(InstrumentId{0}, grid(k), px(price_at(k))));
    CHECK(holed.fill(InstrumentId{1}, grid(k), px(0.4)));
  }
  settle(holed);
  CHECK(same(row(all), row(holed)));
  CHECK_FALSE(holed.fill(InstrumentId{0}, grid(26), px(0.9)));  // what is known is not overwritten
  CHECK_FALSE(holed.refreshing());
}

TEST_CASE_FIXTURE(Fixture,
                  "dense history: over a long hole nothing is invented, over a short one the price is carried") {
  DenseHistory history = make();
  for (std::int64_t k = 0; k < 20; ++k) history.step(grid(k), instruments, {px(price_at(k))});
  history.step(grid(22), instruments, {px(0.51)});  // two steps were missed
  CHECK_FALSE(std::isnan(row(history)[1]));
  history.step(grid(30), instruments, {px(0.52)});
  CHECK(std::isnan(row(history)[0]));
  CHECK(std::isnan(row(history)[1]));
}

TEST_CASE_FIXTURE(Fixture, "dense history: while nobody looks for days the past comes later") {
  DenseHistory history = make(), all = make();
  for (std::int64_t k = 0; k < 500; ++k) {
    all.step(grid(k), instruments, {px(price_at(k))});
    if (k < 10 || k == 499) history.step(grid(k), instruments, {px(price_at(k))});
  }
  CHECK(std::isnan(row(history)[1]));
  std::int64_t taken = 0;
  for (std::int64_t k = 10; k < 499; ++k) taken += history.fill(InstrumentId{0}, grid(k), px(price_at(k)));
  CHECK(taken < 30);  // only what the features can need
  settle(history);
  CHECK(same(row(history), row(all)));
}

TEST_CASE_FIXTURE(Fixture, "dense history: the past of an instrument that is new") {
  DenseHistory history = make(), all = make();
  for (std::int64_t k = 100; k < 130; ++k) {
    all.step(grid(k), instruments, {px(price_at(k)), px(price_at(k + 3))});
    history.step(grid(k), instruments,
                 k < 129 ? std::vector<std::optional<Price>>{px(price_at(k))}
                         : std::vector<std::optional<Price>>{px(price_at(k)), px(price_at(k + 3))});
  }
  CHECK(std::isnan(row(history, 1)[0]));
  for (std::int64_t k = 90; k < 129; ++k) history.fill(InstrumentId{1}, grid(k), px(price_at(k + 3)));
  settle(history);
  CHECK(same(row(history, 1), row(all, 1)));
}

TEST_CASE_FIXTURE(Fixture, "dense history: a restart in the middle of making it anew") {
  DenseHistory history = make();
  for (std::int64_t k = 0; k < 13; ++k)
    if (k != 9) history.step(grid(k), instruments, {px(price_at(k))});
  history.fill(InstrumentId{0}, grid(9), px(price_at(9)));
  ByteWriter out;
  history.encode(out);
  const std::string bytes = out.take();
  DenseHistory back = make();
  ByteReader in{bytes};
  REQUIRE(back.decode(in));
  REQUIRE(in.finish("history"));
  settle(history);
  settle(back);
  CHECK(same(row(history), row(back)));
  ByteReader cut{std::string_view{bytes}.substr(0, bytes.size() / 2)};
  CHECK_FALSE(make().decode(cut));
}

TEST_CASE_FIXTURE(Fixture,
                  "dense history: read with other features it is empty, and made of the prices that are put in") {
  DenseHistory before = make();
  for (std::int64_t k = 0; k < 40; ++k) before.step(grid(k), instruments, {px(price_at(k))});
  ByteWriter out;
  before.encode(out);
  out.u32(77);
  const std::string bytes = out.take();
  const auto other = [&] {
    return DenseHistory{FeatureSet::choose(Duration::minutes(15), {"diff_4h", "vol_4h"}).value(), *calendar,
                        Duration::minutes(45)};
  };
  DenseHistory after = other(), whole = other();
  ByteReader in{bytes};
  CHECK(after.decode(in).value() == false);
  CHECK(in.u32() == 77);  // all of it was passed over
  CHECK(after.last_step() == grid(39));
  for (std::int64_t k = 0; k < 40; ++k) after.fill(InstrumentId{0}, grid(k), px(price_at(k)));
  settle(after);
  for (std::int64_t k = 0; k < 40; ++k) whole.step(grid(k), instruments, {px(price_at(k))});
  std::vector<float> a(2), b(2);
  after.bank().row(InstrumentId{0}, a);
  whole.bank().row(InstrumentId{0}, b);
  CHECK(std::isfinite(a[0]));
  CHECK(a == b);
}

}  // namespace
}  // namespace everlearn
