#include "venue/made_book.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace everlearn::venue {
namespace {

// What a draw is for, so that two draws of one market and step are independent.
enum Purpose : std::uint64_t {
  kPhase = 1,
  kSpread,
  kWide,
  kLife,
  kSize,
  kTradeHappens,
  kTradeSide,
  kTradeSize,
  kTradeToken,
  kMood,
  kWallet
};

constexpr std::array<int, 10> kTicksFromBest{0, 1, 2, 3, 4, 6, 9, 14, 22, 35};
constexpr double kCheapest = 0.02;           // sizes in shares do not grow further below this price
constexpr std::int64_t kShareUnit = 10'000;  // sizes have two decimals
constexpr std::int64_t kSmallest = 5'000'000;

std::int64_t floor_divided(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

std::int64_t phase(const MadeRule& rule, const RecordedMarket& market) {
  return static_cast<std::int64_t>(mixed(market.key, kPhase) % static_cast<std::uint64_t>(rule.every.us()));
}

double draw(const MadeRule& rule, const RecordedMarket& market, Purpose purpose, std::int64_t a, std::int64_t b = 0) {
  return share_of(mixed(rule.seed ^ market.key, purpose, static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
}

/// Shares at a level. They stay for some steps, each level's own number, then are drawn anew.
Quantity drawn_size(const MadeRule& rule, const RecordedMarket& market, bool bid, Price price, std::size_t rank,
                    std::int64_t step, double liquidity) {
  const std::int64_t place = price.nanos() * 2 + (bid ? 1 : 0);
  const auto life = 3 + static_cast<std::int64_t>(draw(rule, market, kLife, place) * 15);
  const std::int64_t epoch = floor_divided(step + place % life, life);
  const double factor = 0.4 + 1.4 * draw(rule, market, kSize, place, epoch);
  const double weight = (1.0 + static_cast<double>(rank)) / 55.0;  // 55 = 1 + 2 + ... + 10
  const double paid = std::max(kCheapest, bid ? price.value() : 1 - price.value());
  const double shares = 0.5 * liquidity * weight * factor / paid;
  const auto micros = static_cast<std::int64_t>(shares * 1e6) / kShareUnit * kShareUnit;
  return Quantity::from_micros(std::max(kSmallest, micros));
}

TopAt made_top(const MadeRule& rule, const RecordedMarket& market, Price price, Price tick, std::int64_t step) {
  // In half ticks, so that the middle is the recorded price exactly: an odd price has an odd spread.
  const std::int64_t half = tick.nanos() / 2;
  const std::int64_t mid = (price.nanos() + half / 2) / half;
  std::int64_t spread = mid % 2 != 0 ? 1 : 2;
  // A market is tight or not for good, and wider for a while now and then.
  if (draw(rule, market, kSpread, 0) < 0.25) spread += 2;
  if (draw(rule, market, kWide, floor_divided(step, 30)) < 0.15) spread += 2;
  // ... as far as the scale leaves room for both sides.
  const std::int64_t room = std::min(mid, Price::kScale / half - mid) - 2;
  while (spread > 2 && spread > room) spread -= 2;
  TopAt top;
  const std::int64_t bid = (mid - spread) * half, ask = (mid + spread) * half;
  if (bid >= tick.nanos()) top.bid = Price::from_nanos(bid);
  if (ask <= Price::kScale - tick.nanos()) top.ask = Price::from_nanos(ask);
  return top;
}

void make_side(const MadeRule& rule, const RecordedMarket& market, bool bid, Price best, Price tick, std::int64_t step,
               std::optional<Quantity> best_five, double liquidity, std::vector<Level>& levels) {
  for (std::size_t rank = 0; rank < kTicksFromBest.size(); ++rank) {
    if (best_five && rank == 5) break;
    const std::int64_t away = kTicksFromBest[rank] * tick.nanos();
    const Price price = Price::from_nanos(bid ? best.nanos() - away : best.nanos() + away);
    if (price < tick || price > complement(tick)) break;
    levels.push_back(
        {.price = price, .size = drawn_size(rule, market, bid, price, rank, best_five ? 0 : step, liquidity)});
  }
  if (!best_five || levels.empty()) return;
  // The recorded total, shared out in the drawn proportions.
  std::int64_t total = 0, given = 0;
  for (const Level& level : levels) total += level.size.micros();
  for (std::size_t i = levels.size(); i-- > 0;) {
    const double part = static_cast<double>(levels[i].size.micros()) / static_cast<double>(total);
    const auto micros = i == 0 ? best_five->micros() - given
                               : static_cast<std::int64_t>(part * best_five->value() * 1e6) / kShareUnit * kShareUnit;
    given += micros;
    levels[i].size = Quantity::from_micros(micros);
  }
  std::erase_if(levels, [](const Level& level) { return level.size <= Quantity{}; });
}

/// Without what the step's own trade takes.
Book untouched_book(const MadeRule& rule, const RecordedMarket& market, Timestamp at, std::int64_t step) {
  if (auto recorded = market.recorded_book(at)) return std::move(*recorded);
  const auto price = market.price(at);
  if (!price) return {};
  const Price tick = market.tick(at);
  const TopAt* recorded_top = market.top(at);
  const TopAt top = recorded_top != nullptr ? *recorded_top : made_top(rule, market, *price, tick, step);
  const double liquidity = market.volume(at).liquidity;
  Book book;
  if (top.bid) make_side(rule, market, true, *top.bid, tick, step, top.bid_size, liquidity, book.bids);
  if (top.ask) make_side(rule, market, false, *top.ask, tick, step, top.ask_size, liquidity, book.asks);
  return book;
}

}  // namespace

std::uint64_t mixed(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
  // splitmix64's finisher over a running sum (Steele, Lea, Flood 2014).
  std::uint64_t sum = 0x9e3779b97f4a7c15u;
  for (const std::uint64_t part : {a, b, c, d}) {
    sum += part + 0x9e3779b97f4a7c15u;
    sum = (sum ^ (sum >> 30)) * 0xbf58476d1ce4e5b9u;
    sum = (sum ^ (sum >> 27)) * 0x94d049bb133111ebu;
    sum ^= sum >> 31;
  }
  return sum;
}

double share_of(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

std::int64_t made_step(const MadeRule& rule, const RecordedMarket& market, Timestamp at) {
  return floor_divided(at.us() - phase(rule, market), rule.every.us());
}

Timestamp step_begin(const MadeRule& rule, const RecordedMarket& market, std::int64_t step) {
  return Timestamp{step * rule.every.us() + phase(rule, market)};
}

bool makes_depth(const RecordedMarket& market) { return market.words.empty(); }

Book base_book(const MadeRule& rule, const RecordedMarket& market, Timestamp at) {
  const std::int64_t step = made_step(rule, market, at);
  Book book = untouched_book(rule, market, at, step);
  if (!market.words.empty() && !book.empty()) return book;
  if (const auto trade = made_trade(rule, market, step)) {
    const Price price = trade->second ? complement(trade->price) : trade->price;
    const bool takes_asks = trade->buy != trade->second;
    std::vector<Level>& levels = takes_asks ? book.asks : book.bids;
    // The best level always outlives the trade: the recorded price is what the middle shows.
    if (!levels.empty() && levels.front().price == price) {
      const std::int64_t left = levels.front().size.micros() - trade->size.micros();
      levels.front().size = Quantity::from_micros(std::max(kShareUnit, left));
    }
  }
  return book;
}

std::optional<Timestamp> next_change(const MadeRule& rule, const RecordedMarket& market, Timestamp after) {
  auto next = market.next_word(after);
  const bool trades = rule.trades && !market.trades_recorded;
  if (!market.words.empty() && market.words.front().at <= after && !trades) return next;
  const TopAt* top = market.top(after);
  if (top != nullptr && top->bid_size && !trades) return next;
  const Timestamp step = step_begin(rule, market, made_step(rule, market, after) + 1);
  return next && *next < step ? next : step;
}

std::optional<TradeAt> made_trade(const MadeRule& rule, const RecordedMarket& market, std::int64_t step) {
  if (!rule.trades || market.trades_recorded) return std::nullopt;
  const Timestamp at = step_begin(rule, market, step);
  const auto price = market.price(at);
  const auto before = market.price(at - rule.every);
  if (!price || !before) return std::nullopt;
  // About one trade for each 200 dollars of daily volume; a move of the recorded price is mostly a trade towards it.
  const double daily = std::clamp(market.volume_24h / 200, 20.0, 2000.0);
  double chance = std::min(0.5, daily * rule.every.as_seconds() / 86'400);
  double buys = 0.35 + 0.3 * draw(rule, market, kMood, floor_divided(at.us(), Duration::hours(1).us()));
  if (*price != *before) {
    chance = std::max(chance, 0.6);
    buys = *price > *before ? 0.8 : 0.2;
  }
  if (draw(rule, market, kTradeHappens, step) >= chance) return std::nullopt;
  const Book book = untouched_book(rule, market, at, step);
  const bool up = draw(rule, market, kTradeSide, step) < buys;
  const std::vector<Level>& levels = up ? book.asks : book.bids;
  if (levels.empty()) return std::nullopt;
  TradeAt trade{.at = at,
                .second = draw(rule, market, kTradeToken, step) < 0.5,
                .buy = up,
                .price = levels.front().price,
                .size = {},
                .wallet = {},
                .transaction = {}};
  if (trade.second) {  // the same match, told as an order for the other token
    trade.buy = !trade.buy;
    trade.price = complement(trade.price);
  }
  const double dollars = 2 * std::pow(150.0, draw(rule, market, kTradeSize, step));
  const auto micros = static_cast<std::int64_t>(dollars / std::max(kCheapest, trade.price.value()) * 1e6);
  trade.size = Quantity::from_micros(
      std::clamp(micros / kShareUnit * kShareUnit, kShareUnit, std::max(kShareUnit, levels.front().size.micros())));
  const std::uint64_t who = mixed(rule.seed ^ market.key, kWallet, static_cast<std::uint64_t>(step));
  trade.wallet = fmt::format("0x{:016x}{:016x}{:08x}", who, mixed(who, 1), static_cast<std::uint32_t>(mixed(who, 2)));
  trade.transaction =
      fmt::format("0x{:016x}{:016x}{:016x}{:016x}", mixed(who, 3), mixed(who, 4), mixed(who, 5), mixed(who, 6));
  return trade;
}

}  // namespace everlearn::venue
