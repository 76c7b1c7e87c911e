// Whatever markets and signals do: cash and positions are what the fills say, no limit is passed, and nothing is filled
// that was not there.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <map>
#include <tuple>

#include "trade/test_book_desk.hpp"

namespace everlearn {
namespace {

constexpr double kSlack = 1e-6;

PaperRules tight_rules() {
  PaperRules rules = book_rules();
  rules.limits.instrument = 15;
  rules.limits.total = 25;
  rules.limits.depth_share = 0.7;
  return rules;
}

/// A desk, and beside it what is checked: sums over fills, and how much each level has given since it changed.
class Checked {
 public:
  Checked() : desk_{tight_rules()} {
    desk_.instruments.edit(kYes).fee_rate = desk_.instruments.edit(kNo).fee_rate = 0.05;
    // Each has had a book, so that only a book fills from now on.
    for (const InstrumentId id : {kYes, kNo, kOther}) desk_.book(id, now_, {}, {});
  }

  void step() {
    now_ = now_ + Duration::seconds(*rc::gen::inRange(1, 15));
    const auto id = static_cast<InstrumentId>(*rc::gen::inRange(0, 3));
    switch (*rc::gen::weightedElement<int>({{8, 0}, {5, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}})) {
      case 0:
        show_book(id);
        break;
      case 1:
        decide(id);
        break;
      case 2:
        act(id, BookDoubt{});
        break;
      case 3:
        act(id, PhaseChange{*rc::gen::element(Phase::Trading, Phase::Trading, Phase::Closed, Phase::Disputed)});
        break;
      case 4:
        desk_.restart();
        break;
      case 5:
        act(id, Trade{price(*rc::gen::inRange(1, 100) / 100.0), 10, Side::Buy});
        break;
    }
    desk_.account.mark(now_, desk_.view());
    check();
  }
  void resolve_all() {
    now_ = now_ + Duration::seconds(1);
    for (const InstrumentId id : {kYes, kNo, kOther}) {
      const double payout = id == kYes ? 1 : id == kNo ? 0 : 0.5;
      for (const FillRow& fill : desk_.apply(id, now_, Resolution{payout})) add(fill);
    }
    check();
    RC_ASSERT(desk_.account.positions().empty());
    RC_ASSERT(desk_.account.exposure(desk_.view()).committed == 0);
  }

 private:
  void show_book(InstrumentId id) {
    const int middle = *rc::gen::inRange(5, 95);
    Levels bids, asks;
    for (int i = 0; i < *rc::gen::inRange(0, 4); ++i)
      bids.emplace_back((middle - 1 - i) / 100.0, *rc::gen::inRange(1, 4) * 7.5);
    for (int i = 0; i < *rc::gen::inRange(0, 4); ++i)
      asks.emplace_back((middle + 1 + i) / 100.0, *rc::gen::inRange(1, 4) * 7.5);
    BookUpdate update{.snapshot = true};
    for (const auto& [p, size] : bids)
      if (p > 0) update.bids.push_back({price(p), size});
    for (const auto& [p, size] : asks)
      if (p < 1) update.asks.push_back({price(p), size});
    // Now and then the same again: it never saw what was taken from it.
    if (const auto last = last_.find(id); last != last_.end() && *rc::gen::inRange(0, 5) > 1) update = last->second;
    last_[id] = update;
    remember_levels(id, update);
    act(id, update);
  }
  void remember_levels(InstrumentId id, const BookUpdate& update) {
    std::map<std::tuple<InstrumentId, bool, std::int64_t>, Level> kept;
    for (const auto& [key, level] : levels_)
      if (std::get<0>(key) != id) kept[key] = level;
    for (const bool ask : {false, true})
      for (const BookLevel& level : ask ? update.asks : update.bids) {
        const auto key = std::tuple{id, ask, level.price.nanos()};
        const auto before = levels_.find(key);
        kept[key] =
            before != levels_.end() && before->second.size == level.size ? before->second : Level{level.size, 0};
      }
    levels_ = std::move(kept);
  }
  void act(InstrumentId id, EventBody what) {
    const bool was_book = std::holds_alternative<BookUpdate>(what);
    for (const FillRow& fill : desk_.apply(id, now_, std::move(what))) {
      const InstrumentState& state = desk_.market[id];
      RC_ASSERT(was_book);
      RC_ASSERT(state.book.trusted);
      RC_ASSERT(state.phase == Phase::Trading);
      Level& level = levels_.at({id, fill.quantity > 0, fill.price.nanos()});
      level.given += std::fabs(fill.quantity);
      RC_ASSERT(level.given <= level.size + kSlack);
      if (fill.reason == "entry") {
        const IntentRow& intent = intents_.at(fill.intent);
        RC_ASSERT(fill.price <= intent.limit);
        RC_ASSERT(fill.event_time > intent.created);
        RC_ASSERT(fill.event_time <= intent.expires);
        filled_[fill.intent] += fill.quantity;
        RC_ASSERT(filled_[fill.intent] <= intent.quantity + kSlack);
      }
      add(fill);
    }
  }
  void decide(InstrumentId id) {
    desk_.account.expire(now_);
    if (!desk_.market.size() || index(id) >= desk_.market.size() || !desk_.market[id].priced || id == kNo) return;
    const int side = *rc::gen::element(-1, 1);
    if (id == kOther && side < 0) return;  // that one may be sold short
    for (const IntentRow& intent : desk_.signal(id, now_, side, now_ + Duration::seconds(*rc::gen::inRange(1, 90)))) {
      intents_[intent.id] = intent;
      if (intent.state == "rejected") continue;
      const double hundredths = intent.quantity * 100;
      RC_ASSERT(std::fabs(hundredths - std::round(hundredths)) < kSlack);
      RC_ASSERT(intent.quantity >= 5);
      RC_ASSERT(intent.quantity * intent.limit.value() <= 10 + kSlack);
      RC_ASSERT(intent.quantity * intent.limit.value() >= 1);
      RC_ASSERT(intent.limit.nanos() % 10'000'000 == 0);
      RC_ASSERT(intent.limit >= price(0.01));
      RC_ASSERT(intent.limit <= price(0.99));
    }
  }
  void add(const FillRow& fill) {
    cash_ -= fill.quantity * fill.price.value() + fill.cost;
    held_[fill.instrument] += fill.quantity;
  }
  void check() {
    RC_ASSERT(std::fabs(desk_.account.cash() - cash_) < kSlack);
    for (const auto& [id, quantity] : held_) {
      const auto found = desk_.account.positions().find(id);
      const double there = found == desk_.account.positions().end() ? 0 : found->second.quantity;
      RC_ASSERT(std::fabs(there - quantity) < kSlack);
      RC_ASSERT(quantity > -kSlack);
    }
    const auto exposure = desk_.account.exposure(desk_.view());
    RC_ASSERT(exposure.committed <= 25 + kSlack);
    RC_ASSERT(exposure.locked <= exposure.committed + kSlack);
    std::map<std::string, double> by_market;
    for (const auto& [id, position] : desk_.account.positions())
      by_market[desk_.instruments[id].market] += position.entry_value;
    for (const auto& [market, value] : by_market) RC_ASSERT(value <= 15 + kSlack);
  }

  struct Level {
    double size = 0, given = 0;
  };
  BookDesk desk_;
  Timestamp now_;
  double cash_ = 1000;
  std::map<InstrumentId, double> held_;
  std::map<InstrumentId, BookUpdate> last_;
  std::map<std::int64_t, IntentRow> intents_;
  std::map<std::int64_t, double> filled_;
  std::map<std::tuple<InstrumentId, bool, std::int64_t>, Level> levels_;
};

TEST_CASE("paper: cash and positions are what the fills say, within every limit, whatever comes") {
  CHECK(rc::check([] {
    Checked checked;
    for (int n = *rc::gen::inRange(1, 120); n > 0; --n) checked.step();
    checked.resolve_all();
  }));
}

}  // namespace
}  // namespace everlearn
