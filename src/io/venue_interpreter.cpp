#include "io/venue_interpreter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "io/gamma_markets.hpp"
#include "io/market_selection.hpp"
#include "io/venue_messages.hpp"
#include "io/venue_replies.hpp"

namespace everlearn {
namespace {

constexpr std::uint8_t kLayout = 1;
constexpr Duration kClockError = Duration::minutes(1);     // of the venue's clock against ours
constexpr Duration kRememberResolved = Duration::days(1);  // a cached page of the list may still show it as open
constexpr double kFieldStep = 0.01;                        // smaller relative changes of a field are not told

constexpr auto kFieldNames = std::to_array<std::string_view>({"volume_24h", "liquidity", "volume"});

float field_of(const GammaMarket& market, std::string_view name) {
  const std::optional<double>& value = name == "volume_24h"  ? market.volume_24h
                                       : name == "liquidity" ? market.liquidity
                                                             : market.volume;
  return value ? static_cast<float>(*value) : std::numeric_limits<float>::quiet_NaN();
}

bool differs(float before, float now) {
  if (std::isnan(before) || std::isnan(now)) return std::isnan(before) != std::isnan(now);
  return std::abs(now - before) > kFieldStep * std::max(std::abs(before), std::abs(now));
}

bool is_open(Phase phase) { return phase == Phase::Trading || phase == Phase::Left; }

/// Full depth as the venue tells it, to see whether it agrees with itself. MarketState keeps its own from the events.
class TrackedBook {
 public:
  bool trusted = false;
  Timestamp snapshot_time = Timestamp::min();
  Timestamp last_time = Timestamp::min();
  std::optional<BestQuotes> claim;  // to be checked when something later is told

  void replace(const BookUpdate& update, Timestamp time) {
    bids_ = update.bids;
    asks_ = update.asks;
    trusted = true;
    snapshot_time = last_time = time;
    claim.reset();
    stale_.reset();
  }

  void drop() {
    bids_.clear();
    asks_.clear();
    trusted = false;
    claim.reset();
  }

  void change(const BookUpdate& update, Timestamp time) {
    for (const BookLevel& level : update.bids) set(bids_, level, std::greater<>{});
    for (const BookLevel& level : update.asks) set(asks_, level, std::less<>{});
    last_time = std::max(last_time, time);
  }

  bool crossed() const { return bid() && ask() && *bid() >= *ask(); }
  bool agrees(const BestQuotes& best) const { return bid() == best.bid && ask() == best.ask; }
  std::optional<Price> bid() const { return bids_.empty() ? std::nullopt : std::optional{bids_.front().price}; }
  std::optional<Price> ask() const { return asks_.empty() ? std::nullopt : std::optional{asks_.front().price}; }

  bool same(const BookUpdate& update) const { return equal(bids_, update.bids) && equal(asks_, update.asks); }

  /// A snapshot from before what is known is an old one, unless the venue says the same again while we doubt.
  bool is_stale(const BookUpdate& update, Timestamp time) {
    if (time >= last_time) return false;
    if (!trusted && stale_ && equal(stale_->bids, update.bids) && equal(stale_->asks, update.asks)) return false;
    stale_ = update;
    return true;
  }

 private:
  template <class Better>
  static void set(std::vector<BookLevel>& levels, const BookLevel& level, Better better) {
    const auto at = std::ranges::lower_bound(levels, level.price, better, &BookLevel::price);
    const bool there = at != levels.end() && at->price == level.price;
    if (!(level.size > 0)) {
      if (there) levels.erase(at);
    } else if (there) {
      at->size = level.size;
    } else {
      levels.insert(at, level);
    }
  }

  static bool equal(const std::vector<BookLevel>& a, const std::vector<BookLevel>& b) {
    return std::ranges::equal(
        a, b, [](const BookLevel& x, const BookLevel& y) { return x.price == y.price && x.size == y.size; });
  }

  std::vector<BookLevel> bids_, asks_;  // best first
  std::optional<BookUpdate> stale_;     // the last snapshot that was set aside as old
};

struct Outcome {
  InstrumentId id{};
  std::string token;
  TrackedBook book;
  Timestamp last_trade = Timestamp::min();
  // Of one instrument nothing overtakes what came before it in the same Received:
  std::uint64_t told_in = 0;
  Timestamp told_until;
};

struct Market {
  std::string condition;
  std::array<Outcome, 2> sides;  // of the first outcome, of the second
  Phase phase = Phase::Trading;
  Tier tier = Tier::None;
  std::uint32_t strikes = 0;  // Candidate's
  Timestamp left_at = Timestamp::min();
  std::optional<Timestamp> resolved_at;
  std::vector<float> told;  // Fields
  std::uint64_t asked = 0;  // listing after which it was last asked for
  bool watched() const { return tier == Tier::First && phase == Phase::Trading; }
};

}  // namespace

struct VenueInterpreter::Inside {
  Inside(const VenueRules& venue_rules, Instruments& table) : rules{venue_rules}, instruments{table} {}

  // --- one Received

  RowResult<void> read(const Received& received, std::vector<Event>& out) {
    events = &out;
    begin = out.size();
    at = received.at;
    problem.reset();
    ++reads;
    if (!begun) begun = at;
    if (restored) doubt_all();
    dispatch(received);
    if (lists_changed) rebuild_lists();
    sort_events();
    if (problem) return tl::unexpected(*std::move(problem));
    ++report.rows;
    return {};
  }

  void dispatch(const Received& received) {
    const std::string_view channel = received.channel;
    if (channel == "market") return read_market_frame(received.raw);
    if (channel == "books") return read_books(received.raw);
    if (channel == "gamma") return read_gamma(received.raw);
    if (channel == "gamma end") return end_listing();
    if (channel == "quotes") return read_quotes(received.raw);
    if (channel == "trades") return read_trades(received.raw);
    if (channel == "history") return read_history(received.raw);
    if (channel == "market info") return read_market_info(received.raw);
    if (channel == "control") return read_control(received.raw);
    refused({"unknown channel", everlearn::quoted(channel)});
  }

  void refused(Refusal refusal) {
    ++report.refused[std::string{refusal.reason}];
    if (!problem) problem = std::move(refusal);
  }
  void set_aside(const char* reason) { ++report.refused[reason]; }

  void emit(Outcome& side, Timestamp time, EventBody what) {
    time = std::min(time, at);
    if (side.told_in == reads) time = std::max(time, side.told_until);
    side.told_in = reads;
    side.told_until = time;
    events->push_back({side.id, time, at, std::move(what)});
  }

  void sort_events() {
    const auto before = [&](const Event& a, const Event& b) {
      if (a.event_time != b.event_time) return a.event_time < b.event_time;
      return a.instrument != b.instrument && instruments[a.instrument].name < instruments[b.instrument].name;
    };
    const auto first = events->begin() + static_cast<std::ptrdiff_t>(begin);
    if (!std::is_sorted(first, events->end(), before)) std::stable_sort(first, events->end(), before);
  }

  // --- whom a token belongs to

  struct Place {
    Market* market = nullptr;
    std::size_t side = 0;
    Outcome& operator*() const { return market->sides[side]; }
    Outcome* operator->() const { return &market->sides[side]; }
  };

  std::optional<Place> find(const std::string& token) {
    const auto at_token = by_token.find(token);
    return at_token == by_token.end() ? std::nullopt : std::optional{at_token->second};
  }

  /// Tokens and markets of ours that a text names, whatever else it is.
  std::vector<Place> named(std::string_view words) {
    std::set<std::string> tokens;
    std::set<std::string> conditions;
    std::size_t begin_word = words.find('"');
    while (begin_word != std::string_view::npos) {
      const std::size_t end_word = words.find('"', begin_word + 1);
      if (end_word == std::string_view::npos) break;
      const std::string_view word = words.substr(begin_word + 1, end_word - begin_word - 1);
      if (word.size() == 66 && word.starts_with("0x")) conditions.emplace(word);
      if (!word.empty() && word.size() <= 78 && word.front() >= '0' && word.front() <= '9') tokens.emplace(word);
      begin_word = end_word;  // whatever stands between two quotes, also where one is missing
    }
    std::vector<Place> places;
    for (const std::string& token : tokens) {
      if (const auto place = find(token)) places.push_back(*place);
    }
    for (const std::string& condition : conditions) {
      const auto known = markets.find(condition);
      if (known == markets.end()) continue;
      for (std::size_t side = 0; side < 2; ++side) {
        if (!tokens.contains(known->second.sides[side].token)) places.push_back({&known->second, side});
      }
    }
    return places;
  }

  // --- trust in books

  /// From now on the book may be wrong. `ask`: we found out ourselves, so we ask for a snapshot.
  void doubt(const Place& place, Timestamp time, bool ask) {
    if (!place.market->watched()) return;
    const bool was_trusted = place->book.trusted;
    place->book.drop();
    if (was_trusted) emit(*place, time, BookDoubt{});
    if (ask && std::ranges::find(resyncs, place->token) == resyncs.end()) resyncs.push_back(place->token);
  }

  /// After a restart: what the books were is unknown, also to whoever kept what we told before.
  void doubt_all() {
    restored = false;
    for (auto& [condition, market] : markets) {
      if (!market.watched()) continue;
      for (Outcome& side : market.sides) emit(side, at, BookDoubt{});
    }
  }

  void refuse_words(FrameRefusal&& one) {
    for (const Place& place : named(one.words)) doubt(place, at, true);
    refused(std::move(one.refusal));
  }

  // --- market, books

  void read_market_frame(std::string_view raw) {
    frame.clear();
    messages.read_frame(raw, frame);
    bool repeated = false;
    if (!frame.items.empty()) {
      const std::uint64_t words = std::hash<std::string_view>{}(raw) | 1;
      repeated = std::ranges::find(recent, words) != recent.end();
      if (repeated) set_aside("repeated frame");
      if (!repeated) recent[next_recent++ % recent.size()] = words;
    }
    take_frame(repeated);
  }

  void read_books(std::string_view raw) {
    frame.clear();
    messages.read_books(raw, frame);
    take_frame(false);
  }

  void take_frame(bool repeated) {
    auto best = frame.best.begin();
    for (std::size_t i = 0; i <= frame.items.size(); ++i) {
      for (; best != frame.best.end() && best->after <= i; ++best) {
        if (!repeated) take_best(*best);
      }
      if (i < frame.items.size()) take_item(frame.items[i], repeated);
    }
    for (const auto& [token, size] : frame.min_sizes) {
      if (const auto place = find(token)) instruments.edit((*place)->id).min_size = size;
    }
    for (const std::string& condition : frame.undecided) {
      const auto known = markets.find(condition);
      if (known != markets.end() && !known->second.resolved_at) set_phase(known->second, Phase::Closed, at);
    }
    for (FrameRefusal& one : frame.refused) refuse_words(std::move(one));
  }

  void take_item(VenueItem& item, bool repeated) {
    const auto place = find(item.instrument);
    if (!place) return;  // of another market: the venue tells everybody of new and of resolved ones
    if (item.event_time > at + kClockError) {
      doubt(*place, at, true);
      return refused({"event after its reception", fmt::format("{} received {}", item.event_time.iso(), at.iso())});
    }
    if (const auto* tick = std::get_if<TickSize>(&item.what)) {
      instruments.edit((*place)->id).tick_size = tick->size;
    } else if (const auto* end = std::get_if<Resolution>(&item.what)) {
      resolve(*place->market, place->side == 0 ? end->payout : 1 - end->payout, false, item.event_time);
    } else if (!place->market->watched()) {
      return;
    } else if (const auto* trade = std::get_if<Trade>(&item.what)) {
      if (repeated) return;
      (*place)->last_trade = std::max((*place)->last_trade, item.event_time);
      emit(**place, item.event_time, *trade);
    } else if (auto* book = std::get_if<BookUpdate>(&item.what)) {
      book->snapshot ? take_snapshot(*place, item.event_time, std::move(*book), repeated)
                     : take_delta(*place, item.event_time, std::move(*book), repeated);
    }
  }

  void take_snapshot(const Place& place, Timestamp time, BookUpdate&& book, bool repeated) {
    TrackedBook& tracked = place->book;
    if (repeated && tracked.trusted) return;
    if (tracked.is_stale(book, time)) {
      set_aside("older snapshot");
      if (!tracked.trusted) doubt(place, time, true);
      return;
    }
    tracked.replace(book, time);
    emit(*place, time, std::move(book));
  }

  void take_delta(const Place& place, Timestamp time, BookUpdate&& change, bool repeated) {
    TrackedBook& tracked = place->book;
    if (repeated || !tracked.trusted) return;
    if (time < tracked.snapshot_time) return set_aside("change older than the book");
    if (tracked.claim && time > tracked.claim->event_time) {
      const bool agreed = tracked.agrees(*tracked.claim);
      tracked.claim.reset();
      if (!agreed) return disagree(place, time);
    }
    tracked.change(change, time);
    if (tracked.crossed()) {
      set_aside("crossed book");
      return doubt(place, time, true);
    }
    emit(*place, time, std::move(change));
  }

  void take_best(const BestQuotes& best) {
    const auto place = find(best.instrument);
    if (!place || !place->market->watched() || best.event_time > at + kClockError) return;
    TrackedBook& tracked = (*place)->book;
    if (!tracked.trusted || best.event_time < tracked.last_time) return;  // of a state before this one
    if (!best.with_change) {
      tracked.claim = best;
    } else if (!tracked.agrees(best)) {
      disagree(*place, best.event_time);
    }
  }

  void disagree(const Place& place, Timestamp time) {
    set_aside("best prices disagree with the book");
    doubt(place, time, true);
  }

  // --- where a market stands

  /// `payout` of the first outcome's share.
  void resolve(Market& market, double payout, bool annulled, Timestamp time) {
    if (market.resolved_at) return;
    if (is_open(market.phase)) set_phase(market, Phase::Closed, time);
    market.resolved_at = at;
    leave(market);
    for (std::size_t side = 0; side < 2; ++side) {
      emit(market.sides[side], time, Resolution{annulled ? 0.0 : side == 0 ? payout : 1 - payout, annulled});
    }
  }

  void leave(Market& market) {
    lists_changed = true;
    market.tier = Tier::None;
    market.left_at = Timestamp::min();  // and no prices any more
    for (Outcome& side : market.sides) side.book.drop();
  }

  void set_phase(Market& market, Phase phase, Timestamp time) {
    if (market.phase == phase) return;
    market.phase = phase;
    if (!is_open(phase)) leave(market);
    for (Outcome& side : market.sides) {
      side.book.drop();
      emit(side, time, PhaseChange{phase});
    }
  }

  // --- the market list

  void read_gamma(std::string_view raw) {
    auto page = gamma.read(raw);
    if (!page) return refused(page.error());
    for (const auto& [reason, count] : page->refused) report.refused[reason] += count;
    for (GammaMarket& market : page->markets) {
      if (const auto known = markets.find(market.condition); known != markets.end()) update(known->second, market);
      std::string condition = market.condition;
      listing.insert_or_assign(std::move(condition), std::move(market));
    }
  }

  void update(Market& known, const GammaMarket& now) {
    if (known.resolved_at) return;
    if (now.tokens.size() == 2 && !same_tokens(known, now)) {
      return refused({"market with other tokens than before", now.slug});
    }
    for (const Outcome& side : known.sides) describe(instruments.edit(side.id), now);
    if (const auto end = settlement(now); end && now.outcomes.size() == 2) {
      return resolve(known, end->annulled ? 0 : end->payouts[0], end->annulled, at);
    }
    set_phase(known, phase_of(known, now), at);
  }

  static bool same_tokens(const Market& known, const GammaMarket& now) {
    return known.sides[0].token == now.tokens[0] && known.sides[1].token == now.tokens[1];
  }

  static Phase phase_of(const Market& known, const GammaMarket& now) {
    if (now.oracle == GammaMarket::Oracle::Disputed) return Phase::Disputed;
    if (now.oracle == GammaMarket::Oracle::Proposed) return Phase::Proposed;
    if (!now.trades()) return Phase::Closed;
    return known.tier == Tier::None ? Phase::Left : Phase::Trading;
  }

  /// What may change while a market is followed; its tick is the order book's affair, which is ahead of the list.
  static void describe(Instrument& instrument, const GammaMarket& market) {
    instrument.end_time = market.end_time;
    if (market.min_size) instrument.min_size = market.min_size;
    instrument.fee_rate = market.fee_rate;
    instrument.fee_exponent = market.fee_exponent;
  }

  Market& follow(const GammaMarket& from) {
    Market& market = markets[from.condition];
    if (!market.condition.empty()) return market;
    market.condition = from.condition;
    for (std::size_t side = 0; side < 2; ++side) {
      Outcome& one = market.sides[side];
      one.token = from.tokens[side];
      one.id = instruments.intern(one.token);
      by_token[one.token] = {&market, side};
      Instrument& instrument = instruments.edit(one.id);
      instrument.market = from.condition;
      instrument.probability = true;
      instrument.mirrors = side == 1;
      instrument.complement = from.tokens[1 - side];
      instrument.title = fmt::format("{}: {}", from.question, from.outcomes[side]);
      if (from.tick_size) instrument.tick_size = from.tick_size;
      describe(instrument, from);
    }
    return market;
  }

  void end_listing() {
    ++listings;
    for (auto& [condition, market] : listing) prefer_own_quotes(market);
    std::vector<Candidate> candidates;
    for (const auto& [condition, market] : listing) {
      const auto known = markets.find(condition);
      if (known == markets.end()) {
        candidates.push_back({&market, Tier::None, 0});
      } else if (!known->second.resolved_at) {
        candidates.push_back({&market, known->second.tier, known->second.strikes});
      }
    }
    // What is followed and not in the list keeps its place until we know what became of it.
    VenueRules now = rules;
    for (const auto& [condition, market] : markets) {
      if (market.tier == Tier::First && !listing.contains(condition))
        now.markets = std::max<std::int64_t>(now.markets - 1, 0);
    }
    const Selection selection = select_markets(candidates, now, at);
    report.left_out = selection.left_out;
    apply(candidates, selection);
    tell_fields();
    forget_resolved();
    in_listing.clear();
    for (const auto& [condition, market] : listing) in_listing.insert(condition);
    listing.clear();
    lists_changed = true;
  }

  /// The list is minutes old; a book that we trust is not.
  void prefer_own_quotes(GammaMarket& market) {
    const auto known = markets.find(market.condition);
    if (known == markets.end() || !known->second.watched() || !known->second.sides[0].book.trusted) return;
    market.bid = known->second.sides[0].book.bid();
    market.ask = known->second.sides[0].book.ask();
  }

  void apply(const std::vector<Candidate>& candidates, const Selection& selection) {
    std::vector<Tier> tiers(candidates.size(), Tier::None);
    for (const std::size_t i : selection.first) tiers[i] = Tier::First;
    for (const std::size_t i : selection.second) tiers[i] = Tier::Second;
    std::vector<bool> let_off(candidates.size());
    for (const std::size_t i : selection.let_off) let_off[i] = true;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (tiers[i] != Tier::None || candidates[i].was == Tier::None) continue;
      Market& market = markets.at(candidates[i].market->condition);
      market.tier = Tier::None;
      market.left_at = at;
      if (is_open(market.phase)) set_phase(market, Phase::Left, at);
    }
    for (const auto* chosen : {&selection.first, &selection.second}) {
      for (const std::size_t i : *chosen) {
        Market& market = follow(*candidates[i].market);
        if (market.tier == Tier::First && tiers[i] == Tier::Second) {
          for (std::size_t side = 0; side < 2; ++side) doubt({&market, side}, at, false);
        }
        if (market.tier != tiers[i]) entered.push_back(market.condition);
        market.tier = tiers[i];
        market.strikes = let_off[i] ? market.strikes + 1 : 0;
        set_phase(market, Phase::Trading, at);
      }
    }
  }

  void tell_fields() {
    if (rules.fields.empty()) return;
    for (const auto& [condition, from] : listing) {
      const auto known = markets.find(condition);
      if (known == markets.end() || !is_priced(known->second)) continue;
      std::vector<float> values;
      for (const std::string& name : rules.fields) values.push_back(field_of(from, name));
      std::vector<float>& told = known->second.told;
      bool changed = told.size() != values.size();
      for (std::size_t i = 0; i < values.size() && !changed; ++i) changed = differs(told[i], values[i]);
      if (!changed) continue;
      told = values;
      for (Outcome& side : known->second.sides) emit(side, at, Fields{values, {}});
    }
  }

  /// Followed in either tier, or left so lately that open examples wait for its price.
  bool is_priced(const Market& market) const { return market.tier != Tier::None || lingers(market); }
  bool lingers(const Market& market) const {
    return market.phase == Phase::Left && market.left_at != Timestamp::min() && at < market.left_at + rules.linger;
  }

  void forget_resolved() {
    for (auto one = markets.begin(); one != markets.end();) {
      if (!one->second.resolved_at || at < *one->second.resolved_at + kRememberResolved) {
        ++one;
        continue;
      }
      for (const Outcome& side : one->second.sides) by_token.erase(side.token);
      one = markets.erase(one);
    }
  }

  /// Who stays keeps its place, so that few sockets change.
  void rebuild_lists() {
    lists_changed = false;
    Following next;
    std::vector<std::string> order;
    std::set<std::string> placed;
    const auto place = [&](const std::string& condition) {
      const auto known = markets.find(condition);
      if (known != markets.end() && known->second.tier != Tier::None && placed.insert(condition).second) {
        order.push_back(condition);
      }
    };
    for (const std::string& condition : first_order) place(condition);
    for (const std::string& condition : second_order) place(condition);
    for (const std::string& condition : entered) place(condition);
    entered.clear();
    first_order.clear();
    second_order.clear();
    for (const std::string& condition : order) {
      const Market& market = markets.at(condition);
      const bool first = market.tier == Tier::First;
      (first ? first_order : second_order).push_back(condition);
      for (const Outcome& side : market.sides) {
        (first ? next.first_tier : next.second_tier).push_back(side.token);
        if (first) next.markets.push_back(condition);
      }
    }
    for (const auto& [condition, market] : markets) {
      if (market.tier != Tier::None || !lingers(market)) continue;
      for (const Outcome& side : market.sides) next.second_tier.push_back(side.token);
    }
    report.followed = static_cast<std::int64_t>(first_order.size());
    report.second_tier = static_cast<std::int64_t>(second_order.size());
    next.unlisted = unlisted();
    const bool same = next.first_tier == following.first_tier && next.second_tier == following.second_tier;
    if (same && next.unlisted.empty()) return;
    next.version = following.version + 1;
    following = std::move(next);
  }

  /// Chosen once a listing, those first that have waited longest.
  std::vector<std::string> unlisted() {
    if (chosen_for == listings) return {};
    chosen_for = listings;
    std::vector<Market*> open;
    for (auto& [condition, market] : markets) {
      if (!market.resolved_at && !in_listing.contains(condition)) open.push_back(&market);
    }
    std::ranges::stable_sort(open, {}, [](const Market* market) { return market->asked; });
    if (open.size() > Following::kMostUnlisted) open.resize(Following::kMostUnlisted);
    std::vector<std::string> conditions;
    for (Market* market : open) {
      market->asked = listings;
      conditions.push_back(market->condition);
    }
    return conditions;
  }

  // --- prices without books, and of the past

  void read_quotes(std::string_view raw) {
    const auto quotes = replies.quotes(raw);
    if (!quotes) return refused(quotes.error());
    for (const QuoteReply& quote : *quotes) {
      const auto place = find(quote.token);
      if (!place || place->market->resolved_at || !is_open(place->market->phase)) continue;
      if (place->market->watched() && (*place)->book.trusted) continue;  // it knows better
      if (auto point = to_point(quote)) emit(**place, at, *std::move(point));
    }
  }

  /// Nothing where neither two sides nor a trade say what it costs.
  std::optional<PricePoint> to_point(const QuoteReply& quote) {
    PricePoint point{{}, quote.bid, quote.ask};
    if (point.bid && point.ask && *point.bid >= *point.ask) {
      set_aside("crossed quotes");
      point.bid.reset();
      point.ask.reset();
    }
    if (point.bid && point.ask) {
      point.price = Price::from_nanos(point.bid->nanos() + (point.ask->nanos() - point.bid->nanos()) / 2);
    } else if (quote.last_trade) {
      point.price = *quote.last_trade;
    } else {
      return std::nullopt;
    }
    return point;
  }

  /// Whole seconds there, milliseconds on the socket: only what is surely later than the last one known is news.
  void read_trades(std::string_view raw) {
    std::int64_t unreadable = 0;
    const auto trades = replies.trades(raw, unreadable);
    if (!trades) return refused(trades.error());
    if (unreadable > 0) report.refused["unreadable trade"] += unreadable;
    std::map<InstrumentId, Timestamp> known_until;
    for (const TradeReply& one : *trades) {
      const auto place = find(one.token);
      if (!place || !place->market->watched()) continue;
      const Timestamp until =
          known_until.try_emplace((*place)->id, std::max((*place)->last_trade, *begun)).first->second;
      if (one.time <= until || one.time > at + kClockError) continue;
      (*place)->last_trade = std::max((*place)->last_trade, one.time);
      emit(**place, one.time, one.trade);
    }
  }

  void read_history(std::string_view raw) {
    auto answer = replies.history(raw);
    if (!answer) return refused(answer.error());
    const auto id = instruments.find(answer->token);
    if (!id) return refused({"history of an unknown token", everlearn::quoted(answer->token)});
    events->push_back({*id, at, at, past_prices(*std::move(answer), rules.past_step)});
  }

  void read_market_info(std::string_view raw) {
    const auto info = replies.market(raw);
    if (!info) return refused(info.error());
    const auto known = markets.find(info->condition);
    if (known == markets.end() || known->second.resolved_at) return;
    Market& market = known->second;
    if (info->closed) {
      if (info->winner && (info->tokens[*info->winner] == market.sides[0].token ||
                           info->tokens[*info->winner] == market.sides[1].token)) {
        resolve(market, info->tokens[*info->winner] == market.sides[0].token ? 1 : 0, false, at);
      } else if (info->split) {
        resolve(market, 0.5, false, at);
      } else if (is_open(market.phase)) {
        set_phase(market, Phase::Closed, at);  // what was proposed or disputed is still
      }
    } else if (!info->accepting_orders && is_open(market.phase)) {
      set_phase(market, Phase::Closed, at);
    }
  }

  void read_control(std::string_view raw) {
    const auto tokens = replies.doubts(raw);
    if (!tokens) return refused(tokens.error());
    for (const std::string& token : *tokens) {
      if (const auto place = find(token)) doubt(*place, at, false);
    }
  }

  const VenueRules rules;
  Instruments& instruments;
  VenueMessages messages;
  VenueReplies replies;
  GammaReader gamma;

  std::map<std::string, Market> markets;            // by condition id; nodes stay where they are
  std::unordered_map<std::string, Place> by_token;  // look-up only, never iterated
  std::map<std::string, GammaMarket> listing;       // of the pages since the last whole list
  std::set<std::string> in_listing;                 // the last whole list
  std::uint64_t reads = 0;
  std::uint64_t listings = 0;
  std::uint64_t chosen_for = 0;

  std::vector<std::string> first_order, second_order;  // condition ids, as they stand in `following`
  std::vector<std::string> entered;                    // since the lists were built
  bool lists_changed = false;
  Following following;
  std::vector<std::string> resyncs;

  // Venues repeat frames; the same words inside this many are a repetition, and news only to a book in doubt. 0: none.
  std::array<std::uint64_t, 256> recent{};
  std::size_t next_recent = 0;

  bool restored = false;           // and nothing read since
  std::optional<Timestamp> begun;  // the first Received of this run
  SourceReport report;

  // Of the Received that is being read:
  VenueFrame frame;
  std::vector<Event>* events = nullptr;
  std::size_t begin = 0;
  Timestamp at;
  std::optional<Refusal> problem;
};

Result<VenueInterpreter> VenueInterpreter::make(const VenueRules& rules, Instruments& instruments) {
  for (const std::string& field : rules.fields) {
    if (std::ranges::find(kFieldNames, field) == kFieldNames.end()) {
      return fail(Code::Config, fmt::format("source.fields: a venue has no {} (it has {})", everlearn::quoted(field),
                                            "volume_24h, liquidity, volume"));
    }
  }
  if (!(rules.mid_from < rules.mid_to)) {
    return fail(Code::Config,
                fmt::format("venue.mid_from {} is not below venue.mid_to {}", rules.mid_from, rules.mid_to));
  }
  if (rules.leave_below > rules.mid_from || rules.leave_above < rules.mid_to) {
    return fail(Code::Config, fmt::format("venue.leave_below {} and venue.leave_above {} lie inside {} to {}: a market "
                                          "would leave as it comes",
                                          rules.leave_below, rules.leave_above, rules.mid_from, rules.mid_to));
  }
  return VenueInterpreter{std::make_unique<Inside>(rules, instruments)};
}

VenueInterpreter::VenueInterpreter(std::unique_ptr<Inside> inside) : inside_{std::move(inside)} {}
VenueInterpreter::~VenueInterpreter() = default;
VenueInterpreter::VenueInterpreter(VenueInterpreter&&) noexcept = default;
VenueInterpreter& VenueInterpreter::operator=(VenueInterpreter&&) noexcept = default;

RowResult<void> VenueInterpreter::read(const Received& received, std::vector<Event>& out) {
  return inside_->read(received, out);
}

const Following& VenueInterpreter::following() const { return inside_->following; }
const SourceReport& VenueInterpreter::report() const { return inside_->report; }

std::vector<std::string> VenueInterpreter::take_resyncs() { return std::exchange(inside_->resyncs, {}); }

void VenueInterpreter::encode(ByteWriter& out) const {
  const Inside& in = *inside_;
  out.u8(kLayout);
  out.u64(in.following.version);
  std::vector<std::string> order = in.first_order;
  order.insert(order.end(), in.second_order.begin(), in.second_order.end());
  const std::set<std::string> placed{order.begin(), order.end()};
  for (const auto& [condition, market] : in.markets) {
    if (!placed.contains(condition)) order.push_back(condition);
  }
  out.u32(static_cast<std::uint32_t>(order.size()));
  for (const std::string& condition : order) {
    const Market& market = in.markets.at(condition);
    for (const Outcome& side : market.sides) out.u32(static_cast<std::uint32_t>(index(side.id)));
    out.u8(static_cast<std::uint8_t>(market.phase));
    out.u8(static_cast<std::uint8_t>(market.tier));
    out.u32(market.strikes);
    out.time(market.left_at);
    out.boolean(market.resolved_at.has_value());
    if (market.resolved_at) out.time(*market.resolved_at);
    out.f32s(market.told);
  }
}

Result<void> VenueInterpreter::decode(ByteReader& in) {
  Inside& to = *inside_;
  if (const std::uint8_t layout = in.u8(); layout != kLayout) {
    return fail(Code::Damaged, fmt::format("venue: state of layout {}, known is {}", layout, kLayout));
  }
  to.following.version = in.u64();
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    std::array<InstrumentId, 2> ids{};
    for (InstrumentId& id : ids) {
      id = InstrumentId{in.u32()};
      if (index(id) >= to.instruments.size()) {
        return fail(Code::Damaged, fmt::format("venue: instrument {} of {}", index(id), to.instruments.size()));
      }
    }
    const std::string& condition = to.instruments[ids[0]].market;
    Market& market = to.markets[condition];
    market.condition = condition;
    for (std::size_t side = 0; side < 2; ++side) {
      market.sides[side].id = ids[side];
      market.sides[side].token = to.instruments[ids[side]].name;
      to.by_token[market.sides[side].token] = {&market, side};
    }
    const std::uint8_t phase = in.u8();
    const std::uint8_t tier = in.u8();
    const std::uint32_t strikes = in.u32();
    if (phase > static_cast<std::uint8_t>(Phase::Disputed) || tier > static_cast<std::uint8_t>(Tier::Second)) {
      return fail(Code::Damaged, fmt::format("venue: phase {} and tier {} of a market", phase, tier));
    }
    market.phase = static_cast<Phase>(phase);
    market.tier = static_cast<Tier>(tier);
    market.strikes = strikes;
    market.left_at = in.time();
    if (in.boolean()) market.resolved_at = in.time();
    market.told = in.f32s();
    to.entered.push_back(condition);
  }
  if (!in.ok()) return fail(Code::Damaged, fmt::format("venue: the bytes end before the last of {} markets", count));
  to.restored = true;
  to.rebuild_lists();
  return {};
}

}  // namespace everlearn
