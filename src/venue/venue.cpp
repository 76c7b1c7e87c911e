#include "venue/venue.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include <fmt/format.h>

#include "core/json.hpp"
#include "venue/recording_reader.hpp"
#include "venue/venue_parts.hpp"

namespace everlearn::venue {
namespace {

constexpr Price kOne = Price::from_nanos(Price::kScale);
constexpr int kStepsBack = 20'000;  // how far a last made trade is looked for

std::uint64_t number_of(std::string_view id) {
  std::uint64_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  return number;
}

std::string_view text_of(Stage stage) {
  switch (stage) {
    case Stage::Trading:
      return "trading";
    case Stage::Stopped:
      return "stopped";
    case Stage::Proposed:
      return "proposed";
    case Stage::Disputed:
      return "disputed";
    case Stage::Resolved:
      return "resolved";
  }
  return "";
}

/// 40 digits that differ with the book; the exchange's own hash of a change cannot be recomputed from the socket
/// anyway.
std::string change_hash(std::uint64_t key, Timestamp at, std::uint64_t which) {
  const std::uint64_t a = mixed(key, static_cast<std::uint64_t>(at.us()), which);
  return fmt::format("{:016x}{:016x}{:08x}", a, mixed(a, 1), static_cast<std::uint32_t>(mixed(a, 2)));
}

std::string price_or(std::optional<Price> price, std::string_view otherwise) {
  return price ? price->text() : std::string{otherwise};
}

}  // namespace

bool for_custom_only(Outgoing::Kind kind) {
  return kind == Outgoing::Kind::BestBidAsk || kind == Outgoing::Kind::NewMarket ||
         kind == Outgoing::Kind::MarketResolved;
}

Answer refusal(int status, std::string_view text) {
  return {.status = status, .body = JsonOut{}.put("error", text).text()};
}

std::string ms_text(Timestamp at) { return std::to_string(at.us() / 1'000); }
std::string seconds_text(Timestamp at) { return std::to_string(at.us() / 1'000'000); }

// --- opening

Venue::Venue(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}
Venue::~Venue() = default;

Result<std::unique_ptr<Venue>> Venue::open(Fs& fs, const VenueSetup& setup) {
  auto parts = std::make_unique<Parts>();
  parts->setup = setup;
  parts->rule = {.seed = setup.seed, .every = setup.made_every, .trades = setup.made_trades};
  if (setup.made_every <= Duration{})
    return fail(Code::Usage, fmt::format("made_every {}: not positive", setup.made_every.text()));
  for (const std::string& name : setup.recordings) {
    EL_TRY(std::vector<RecordedMarket> markets, read_recording(fs, setup.data, name));
    if (!setup.only.empty())
      std::erase_if(markets, [&](const RecordedMarket& m) {
        return std::find(setup.only.begin(), setup.only.end(), m.slug) == setup.only.end();
      });
    // By volume; where none is recorded, the longest recordings first.
    std::stable_sort(markets.begin(), markets.end(), [](const RecordedMarket& a, const RecordedMarket& b) {
      const bool recorded = a.recording == "live_scan_1m" || a.recording == "gamma_markets";
      return recorded ? a.volumes.front().volume > b.volumes.front().volume : a.points.size() > b.points.size();
    });
    if (setup.markets > 0 && markets.size() > setup.markets) markets.resize(setup.markets);
    EL_CHECK(parts->add(std::move(markets)));
  }
  if (parts->markets.empty()) return fail(Code::Usage, "no market: no recording named, or none has a market of `only`");
  for (const ScriptedAct& act : setup.script)
    if (!parts->slugs.contains(act.market) && !parts->conditions.contains(act.market) &&
        !parts->gamma_ids.contains(act.market))
      return fail(Code::Usage, fmt::format("script: market '{}' is not among the {} that are served", act.market,
                                           parts->markets.size()));
  parts->begin();
  return std::unique_ptr<Venue>{new Venue{std::move(parts)}};
}

Result<void> Venue::Parts::add(std::vector<RecordedMarket> recorded) {
  for (RecordedMarket& market : recorded) {
    const auto i = static_cast<MarketIndex>(markets.size());
    if (slugs.contains(market.slug)) continue;  // in two recordings: the first counts
    if (gamma_ids.contains(market.id) || conditions.contains(market.condition))
      return fail(Code::BadData, fmt::format("market {}: id {} is another market's", market.slug, market.id));
    slugs[market.slug] = i;
    gamma_ids[market.id] = i;
    conditions[market.condition] = i;
    for (int side = 0; side < 2; ++side) {
      // One recording names the tokens of another game: they stay that game's.
      if (tokens.contains(market.tokens[side])) market.tokens[side] += "0";
      tokens[market.tokens[side]] = {.market = i, .second = side == 1};
    }
    events[market.event_id].push_back(i);
    MarketState state;
    state.recorded = std::move(market);
    markets.push_back(std::move(state));
  }
  return {};
}

void Venue::Parts::begin() {
  first_recorded = Timestamp::max();
  last_recorded = Timestamp::min();
  for (const MarketState& m : markets) {
    first_recorded = std::min(first_recorded, m.recorded.points.front().at);
    last_recorded = std::max(last_recorded, m.recorded.points.back().at);
    in_order.push_back(index(m));
  }
  std::sort(in_order.begin(), in_order.end(), [&](MarketIndex a, MarketIndex b) {
    const std::uint64_t left = number_of(markets[a].recorded.id), right = number_of(markets[b].recorded.id);
    return std::tie(left, a) < std::tie(right, b);
  });
  now = setup.begin == Timestamp{} ? first_recorded : setup.begin;
  std::vector<Outgoing> nobody;
  for (MarketState& m : markets) {
    const MarketIndex i = index(m);
    if (!listed(m)) due.push({.at = m.recorded.begin, .what = Due::What::List, .market = i, .number = 0, .id = {}});
    if (!m.recorded.payout) continue;
    const Timestamp proposed = m.recorded.closes + setup.proposal_after;
    for (const auto& [what, at] :
         {std::pair{Due::What::Propose, proposed}, {Due::What::Resolve, proposed + setup.resolve_after}}) {
      const Due due_then{.at = at, .what = what, .market = i, .number = 0, .id = {}};
      if (at <= now)
        happen(due_then, nobody);  // before anybody listened
      else
        due.push(due_then);
    }
  }
  acts = setup.script;
  for (std::size_t i = 0; i < acts.size(); ++i)
    due.push({.at = acts[i].at, .what = Due::What::Scripted, .market = 0, .number = i, .id = {}});
}

// --- markets

std::optional<Place> Venue::Parts::find(std::string_view token) const {
  const auto found = tokens.find(token);
  if (found == tokens.end() || !listed(markets[found->second.market])) return std::nullopt;
  return found->second;
}

Book Venue::Parts::visible(const MarketState& m) const {
  if (!has_book(m) || !m.accepting) return {};
  return m.active() ? m.shown : base_book(rule, m.recorded, now);
}

Book Venue::Parts::visible(const Place& place) const {
  Book book = visible(markets[place.market]);
  return place.second ? mirrored(book) : book;
}

std::optional<TradeAt> Venue::Parts::last_trade(const MarketState& m) const {
  std::optional<TradeAt> found;
  if (m.recorded.trades_recorded) {
    if (const auto i = last_at(m.recorded.trades, now)) found = m.recorded.trades[*i];
  } else if (rule.trades) {
    const std::int64_t step =
        made_step(rule, m.recorded, std::min(now, m.stage == Stage::Resolved ? m.recorded.closes : now));
    for (std::int64_t back = 0; back < kStepsBack && !found; ++back) {
      if (step_begin(rule, m.recorded, step - back) < m.recorded.begin) break;
      found = made_trade(rule, m.recorded, step - back);
    }
  }
  if (m.own_trade && (!found || m.own_trade->at >= found->at)) return m.own_trade;
  return found;
}

std::string Venue::Parts::last_price_text(const Place& place) const {
  const auto trade = last_trade(markets[place.market]);
  if (!trade) return "";
  return (trade->second == place.second ? trade->price : complement(trade->price)).text();
}

MarketView Venue::Parts::view(const MarketState& m) const {
  const RecordedMarket& r = m.recorded;
  const VolumeAt volume = r.volume(now);
  const Book book = visible(m);
  MarketView view{.index = index(m),
                  .id = r.id,
                  .slug = r.slug,
                  .question = r.question,
                  .condition = r.condition,
                  .question_id = r.question_id,
                  .tokens = {r.tokens[0], r.tokens[1]},
                  .outcomes = {r.outcomes[0], r.outcomes[1]},
                  .event_id = r.event_id,
                  .event_slug = r.event_slug,
                  .event_title = r.event_title,
                  .recording = r.recording,
                  .tags = r.category,
                  .created = r.begin,
                  .start = r.begin,
                  .end = r.end,
                  .stage = m.stage,
                  .closed = m.stage == Stage::Resolved,
                  .accepting_orders = m.accepting,
                  .neg_risk = r.neg_risk,
                  .tick = tick(m),
                  .min_size = r.min_size,
                  .fee_rate = r.fee_rate,
                  .fee_exponent = r.fee_exponent,
                  .volume = volume.volume,
                  .volume_24h = r.volume_24h,
                  .liquidity = volume.liquidity,
                  .best_bid = book.best_bid(),
                  .best_ask = book.best_ask(),
                  .payout = m.payout,
                  .made_book = makes_depth(r),
                  .made_trades = !r.trades_recorded && rule.trades};
  return view;
}

MarketText Venue::Parts::text(const MarketState& m, const MarketView& view) const {
  const auto trade = last_trade(m);
  const auto of_first = [](const TradeAt& t) { return t.second ? complement(t.price) : t.price; };
  return {.recorded = m.recorded,
          .view = view,
          .middle = m.recorded.price(now),
          .last_trade = trade ? std::optional{of_first(*trade)} : std::nullopt,
          .resolution_words = m.resolution_words,
          .annulled = m.annulled,
          .now = now,
          .closed_at = m.resolved_at,
          .as_recorded = as_recorded(m)};
}

std::string Venue::Parts::book_json(const Place& place, const Book& book, Timestamp at) const {
  const MarketState& m = markets[place.market];
  const auto with = [&](std::string_view hash) {
    return fmt::format(R"({{"market":"{}","asset_id":"{}","timestamp":"{}","hash":"{}","bids":{},"asks":{},)"
                       R"("min_order_size":"{}","tick_size":"{}","neg_risk":{},"last_trade_price":"{}"}})",
                       m.recorded.condition, m.recorded.tokens[place.second ? 1 : 0], ms_text(at), hash,
                       levels_json(book.bids), levels_json(book.asks), m.recorded.min_size.text(), tick(m).text(),
                       m.recorded.neg_risk, last_price_text(place));
  };
  return with(sha1_hex(with("")));
}

// --- the oracle

void Venue::Parts::note(std::string_view what, MarketIndex market, std::string_view token, std::string detail) {
  ++log_size;
  log.push_back({.at = now,
                 .what = std::string{what},
                 .market = market,
                 .token = std::string{token},
                 .detail = std::move(detail)});
  if (static_cast<std::int64_t>(log.size()) > setup.log_limit) log.pop_front();
}

void Venue::Parts::note_stage(const MarketState& m) {
  JsonOut detail;
  detail.put("stage", text_of(m.stage)).put("accepting_orders", m.accepting);
  const auto payout = m.payout ? m.payout : m.proposed;
  if (payout) detail.put("payout", payout->text());
  if (m.annulled) detail.put("annulled", true);
  note("stage", index(m), "", detail.text());
}

// --- events

Outgoing Venue::Parts::outgoing(Outgoing::Kind kind, const MarketState& m) const {
  return {.at = now,
          .kind = kind,
          .market = index(m),
          .tokens = {m.recorded.tokens[0], m.recorded.tokens[1]},
          .owner = {},
          .json = {},
          .made = makes_depth(m.recorded)};
}

void Venue::Parts::show(MarketState& m, bool whole, std::vector<Outgoing>& out) {
  Book next;
  if (has_book(m) && m.accepting) {
    next = m.base;
    for (const bool bid : {true, false})
      for (const Level& level : bid ? m.taken.bids : m.taken.asks) next.add(bid, level.price, -level.size.micros());
    const Book own = own_levels(m);
    for (const bool bid : {true, false})
      for (const Level& level : bid ? own.bids : own.asks) next.add(bid, level.price, level.size.micros());
  }
  const auto changed = changes(m.shown, next);
  const bool best_moved = m.shown.best_bid() != next.best_bid() || m.shown.best_ask() != next.best_ask();
  m.shown = std::move(next);
  if (!m.watched || (changed.empty() && !whole)) return;
  if (whole) {
    for (const bool second : {false, true}) {
      const Place place{.market = index(m), .second = second};
      const Book seen = second ? mirrored(m.shown) : m.shown;
      Outgoing event = outgoing(Outgoing::Kind::Book, m);
      event.tokens = {m.recorded.tokens[second ? 1 : 0]};
      event.json = fmt::format(
          R"({{"market":"{}","asset_id":"{}","timestamp":"{}","hash":"{}","bids":{},"asks":{},"event_type":"book"}})",
          m.recorded.condition, event.tokens.front(), ms_text(now),
          change_hash(m.recorded.key, now, place.second ? 3 : 2), levels_json(seen.bids), levels_json(seen.asks));
      out.push_back(std::move(event));
    }
  } else {
    Outgoing event = outgoing(Outgoing::Kind::PriceChange, m);
    event.json = fmt::format(R"({{"market":"{}","price_changes":[)", m.recorded.condition);
    const std::string bid = price_or(m.shown.best_bid(), "0"), ask = price_or(m.shown.best_ask(), "1");
    const std::string other_bid = m.shown.best_ask() ? complement(*m.shown.best_ask()).text() : "0";
    const std::string other_ask = m.shown.best_bid() ? complement(*m.shown.best_bid()).text() : "1";
    const std::string hashes[2] = {change_hash(m.recorded.key, now, 0), change_hash(m.recorded.key, now, 1)};
    bool comma = false;
    for (const LevelChange& change : changed) {
      for (const bool second : {false, true}) {
        const std::size_t side = second ? 1 : 0;
        fmt::format_to(
            std::back_inserter(event.json),
            R"({}{{"asset_id":"{}","price":"{}","size":"{}","side":"{}","hash":"{}","best_bid":"{}","best_ask":"{}"}})",
            comma ? "," : "", m.recorded.tokens[side], (second ? complement(change.price) : change.price).text(),
            change.size.text(), change.bid != second ? "BUY" : "SELL", hashes[side], second ? other_bid : bid,
            second ? other_ask : ask);
        comma = true;
      }
    }
    fmt::format_to(std::back_inserter(event.json), R"(],"timestamp":"{}","event_type":"price_change"}})", ms_text(now));
    out.push_back(std::move(event));
  }
  if (!best_moved) return;
  for (const bool second : {false, true}) {
    const Book seen =
        second ? mirrored(Book{.bids = {m.shown.bids.begin(), m.shown.bids.begin() + (m.shown.bids.empty() ? 0 : 1)},
                               .asks = {m.shown.asks.begin(), m.shown.asks.begin() + (m.shown.asks.empty() ? 0 : 1)}})
               : m.shown;
    const std::int64_t spread =
        (seen.best_ask() ? seen.best_ask()->nanos() : Price::kScale) - (seen.best_bid() ? seen.best_bid()->nanos() : 0);
    Outgoing event = outgoing(Outgoing::Kind::BestBidAsk, m);
    event.tokens = {m.recorded.tokens[second ? 1 : 0]};
    event.json = fmt::format(
        R"({{"market":"{}","asset_id":"{}","best_bid":"{}","best_ask":"{}","spread":"{}","timestamp":"{}","event_type":"best_bid_ask"}})",
        m.recorded.condition, event.tokens.front(), price_or(seen.best_bid(), "0"), price_or(seen.best_ask(), "1"),
        Price::from_nanos(spread).text(), ms_text(now));
    out.push_back(std::move(event));
  }
}

void Venue::Parts::tell_trade(const MarketState& m, const TradeAt& trade, bool made, std::vector<Outgoing>& out) {
  if (!m.watched) return;
  Outgoing event = outgoing(Outgoing::Kind::LastTradePrice, m);
  event.tokens = {m.recorded.tokens[trade.second ? 1 : 0]};
  event.made = made;
  event.json = fmt::format(
      R"({{"market":"{}","asset_id":"{}","price":"{}","size":"{}","fee_rate_bps":"0","side":"{}","timestamp":"{}",)"
      R"("event_type":"last_trade_price","transaction_hash":"{}"}})",
      m.recorded.condition, event.tokens.front(), trade.price.text(), trade.size.text(), trade.buy ? "BUY" : "SELL",
      ms_text(now), trade.transaction);
  note("trade", index(m), event.tokens.front(),
       JsonOut{}
           .put("price", trade.price.text())
           .put("size", trade.size.text())
           .put("side", trade.buy ? "BUY" : "SELL")
           .put("made", made)
           .text());
  out.push_back(std::move(event));
}

void Venue::Parts::tell_tick(const MarketState& m, Price from, Price to, std::vector<Outgoing>& out) {
  if (from == to) return;
  note("tick", index(m), "", JsonOut{}.put("from", from.text()).put("to", to.text()).text());
  for (const std::string& token : m.recorded.tokens) {
    Outgoing event = outgoing(Outgoing::Kind::TickSizeChange, m);
    event.tokens = {token};
    event.json =
        fmt::format(R"({{"market":"{}","asset_id":"{}","old_tick_size":"{}","new_tick_size":"{}","timestamp":"{}",)"
                    R"("event_type":"tick_size_change"}})",
                    m.recorded.condition, token, from.text(), to.text(), ms_text(now));
    out.push_back(std::move(event));
  }
}

// --- time

void Venue::Parts::set_active(MarketState& m, bool was) {
  if (m.active() == was) return;
  ++m.schedule;  // what was scheduled counts no longer
  if (!m.active()) return;
  m.base = base_book(rule, m.recorded, now);
  m.taken = {};
  m.shown = has_book(m) && m.accepting ? m.base : Book{};
  m.last_recorded = m.recorded.price(now);
  schedule_change(m);
  if (m.recorded.trades_recorded) schedule_trade(m, last_at(m.recorded.trades, now).value_or(SIZE_MAX) + 1);
}

void Venue::Parts::schedule_change(MarketState& m) {
  if (m.stage == Stage::Resolved) return;
  if (const auto next = next_change(rule, m.recorded, now))
    due.push({.at = *next, .what = Due::What::Change, .market = index(m), .number = m.schedule, .id = {}});
}

void Venue::Parts::schedule_trade(const MarketState& m, std::size_t next) {
  if (next < m.recorded.trades.size())
    due.push({.at = m.recorded.trades[next].at,
              .what = Due::What::RecordedTrade,
              .market = index(m),
              .number = next,
              .id = std::to_string(m.schedule)});
}

void Venue::Parts::happen(const Due& what, std::vector<Outgoing>& out) {
  MarketState& m = markets[what.market];
  switch (what.what) {
    case Due::What::List: {
      Outgoing event = outgoing(Outgoing::Kind::NewMarket, m);
      const RecordedMarket& r = m.recorded;
      event.json = fmt::format(
          R"({{"id":"{}","question":{},"market":"{}","slug":"{}","description":{},"assets_ids":["{}","{}"],"outcomes":[{},{}],)"
          R"("event_message":{{"id":"{}","ticker":"{}","slug":"{}","title":{},"description":""}},"timestamp":"{}","tags":[{}],)"
          R"("condition_id":"{}","active":true,"clob_token_ids":["{}","{}"],"sports_market_type":"","line":"",)"
          R"("game_start_time":"","order_price_min_tick_size":"{}","group_item_title":"","fees_enabled":{},"event_type":"new_market"}})",
          r.id, json_quoted(r.question), r.condition, r.slug, json_quoted(r.description), r.tokens[0], r.tokens[1],
          json_quoted(r.outcomes[0]), json_quoted(r.outcomes[1]), r.event_id, r.event_slug, r.event_slug,
          json_quoted(r.event_title), ms_text(now), json_quoted(r.category), r.condition, r.tokens[0], r.tokens[1],
          tick(m).text(), r.fee_rate > 0);
      note("listed", what.market, "", "{}");
      out.push_back(std::move(event));
      return;
    }
    case Due::What::Scripted:
      return act(acts[what.number], out);
    case Due::What::Propose:
      // After its last recorded price nothing is known of what would be traded.
      if (m.stage != Stage::Trading && m.stage != Stage::Stopped) return;
      stop(m, out);
      return propose(m, m.recorded.payout);
    case Due::What::Resolve:
      // A disputed market waits for its script.
      if (m.stage != Stage::Resolved && m.stage != Stage::Disputed)
        resolve(m, m.proposed ? m.proposed : m.recorded.payout, false, out);
      return;
    case Due::What::Change:
      if (what.number == m.schedule) change(m, out);
      return;
    case Due::What::RecordedTrade:
      if (what.id == std::to_string(m.schedule)) recorded_trade(m, what.number, out);
      return;
    case Due::What::TradeStatus:
      return trade_status(what.id, out);
    case Due::What::Expiry:
      return expire(what.id, out);
  }
}

void Venue::Parts::change(MarketState& m, std::vector<Outgoing>& out) {
  if (m.stage == Stage::Resolved) return;
  const auto price = m.recorded.price(now);
  if (price && price != m.last_recorded) {
    m.last_recorded = price;
    note("price", index(m), m.recorded.tokens[0], JsonOut{}.put("price", price->text()).text());
  }
  if (!m.tick) tell_tick(m, m.recorded.tick(now - Duration{1}), m.recorded.tick(now), out);
  if (m.accepting) {
    m.base = base_book(rule, m.recorded, now);
    m.taken = {};
    std::optional<TradeAt> trade;
    const std::int64_t step = made_step(rule, m.recorded, now);
    if (step_begin(rule, m.recorded, step) == now) trade = made_trade(rule, m.recorded, step);
    const auto word = last_at(m.recorded.words, now);
    const bool snapshot = word && m.recorded.words[*word].at == now && m.recorded.words[*word].snapshot;
    fill_resting(m, trade, out);
    if (trade) tell_trade(m, *trade, true, out);
    show(m, trade.has_value() || snapshot, out);
  }
  schedule_change(m);
}

void Venue::Parts::recorded_trade(MarketState& m, std::size_t which, std::vector<Outgoing>& out) {
  const TradeAt& trade = m.recorded.trades[which];
  if (m.accepting && m.stage != Stage::Resolved) {
    tell_trade(m, trade, false, out);
    const std::size_t before = out.size();
    fill_resting(m, trade, out);
    if (out.size() != before) show(m, true, out);
  }
  schedule_trade(m, which + 1);
}

void Venue::Parts::act(const ScriptedAct& act, std::vector<Outgoing>& out) {
  std::optional<MarketIndex> which;
  for (const auto* names : {&slugs, &conditions, &gamma_ids})
    if (const auto found = names->find(act.market); found != names->end()) which = found->second;
  if (!which) return note("refused", 0, "", JsonOut{}.put("error", "no such market").put("market", act.market).text());
  MarketState& m = markets[*which];
  if (m.stage == Stage::Resolved) return;
  m.acted_on = true;
  const auto payout = act.payout ? act.payout : m.recorded.payout;
  switch (act.act) {
    case Act::StopOrders:
      m.stage = m.stage == Stage::Trading ? Stage::Stopped : m.stage;
      stop(m, out);
      return note_stage(m);
    case Act::Reopen:
      m.stage = Stage::Trading;
      m.accepting = true;
      m.proposed.reset();
      if (m.active()) {
        m.base = base_book(rule, m.recorded, now);
        show(m, true, out);
      }
      return note_stage(m);
    case Act::Propose:
      m.outcome_scripted = act.payout.has_value();
      return propose(m, payout);
    case Act::Dispute:
      m.stage = Stage::Disputed;
      m.resolution_words.emplace_back("disputed");
      return note_stage(m);
    case Act::Resolve:
      m.outcome_scripted = m.outcome_scripted || act.payout.has_value();
      return resolve(m, act.payout ? act.payout : (m.proposed ? m.proposed : payout), false, out);
    case Act::Annul:
      m.outcome_scripted = true;
      return resolve(m, Price::from_nanos(Price::kScale / 2), true, out);
    case Act::TickSize:
      if (!act.tick || !rules_of(*act.tick)) return;
      tell_tick(m, tick(m), *act.tick, out);
      m.tick = act.tick;
      return;
  }
}

void Venue::Parts::propose(MarketState& m, std::optional<Price> payout) {
  m.stage = Stage::Proposed;
  m.acted_on = true;
  m.proposed = payout;
  m.resolution_words.emplace_back("proposed");
  note_stage(m);
}

void Venue::Parts::stop(MarketState& m, std::vector<Outgoing>& out) {
  if (!m.accepting) return;
  m.accepting = false;
  close_orders(m, "CANCELED_market stopped", out);
  if (m.active()) show(m, true, out);
}

void Venue::Parts::resolve(MarketState& m, std::optional<Price> payout, bool annulled, std::vector<Outgoing>& out) {
  if (!payout) return;  // nobody knows: it stays as it is
  stop(m, out);
  m.stage = Stage::Resolved;
  m.acted_on = true;
  m.annulled = annulled;
  m.payout = payout;
  m.resolved_at = now;
  m.resolution_words.emplace_back("resolved");
  settle(m);
  note_stage(m);
  const bool first_wins = *payout == kOne, second_wins = *payout == Price{};
  const std::string winner = first_wins ? m.recorded.tokens[0] : second_wins ? m.recorded.tokens[1] : "";
  const std::string outcome = first_wins ? m.recorded.outcomes[0] : second_wins ? m.recorded.outcomes[1] : "";
  Outgoing event = outgoing(Outgoing::Kind::MarketResolved, m);
  event.json = fmt::format(
      R"({{"id":"{}","market":"{}","assets_ids":["{}","{}"],"winning_asset_id":"{}","winning_outcome":{},"timestamp":"{}",)"
      R"("tags":[],"event_type":"market_resolved"}})",
      m.recorded.id, m.recorded.condition, m.recorded.tokens[0], m.recorded.tokens[1], winner, json_quoted(outcome),
      ms_text(now));
  out.push_back(std::move(event));
}

Timestamp Venue::now() const { return parts_->now; }
Timestamp Venue::first() const { return parts_->first_recorded; }
Timestamp Venue::last() const { return parts_->last_recorded; }

void Venue::advance_to(Timestamp to, std::vector<Outgoing>& out) {
  Parts& p = *parts_;
  while (!p.due.empty() && p.due.top().at <= to) {
    const Due what = p.due.top();
    p.due.pop();
    p.now = std::max(p.now, what.at);
    p.happen(what, out);
  }
  p.now = std::max(p.now, to);
  p.check_heartbeats(out);
}

void Venue::watch(const std::vector<std::string>& tokens) {
  Parts& p = *parts_;
  std::vector<bool> wanted(p.markets.size());
  for (const std::string& token : tokens)
    if (const auto place = p.tokens.find(token); place != p.tokens.end()) wanted[place->second.market] = true;
  for (std::size_t i = 0; i < p.markets.size(); ++i) {
    MarketState& m = p.markets[i];
    const bool was = m.active();
    m.watched = wanted[i];
    p.set_active(m, was);
  }
}

std::string Venue::book_event(std::string_view token) const {
  const Parts& p = *parts_;
  const auto place = p.find(token);
  if (!place || !p.has_book(p.markets[place->market])) return {};
  const MarketState& m = p.markets[place->market];
  const Book book = p.visible(*place);
  return fmt::format(
      R"({{"market":"{}","asset_id":"{}","timestamp":"{}","hash":"{}","bids":{},"asks":{},"tick_size":"{}",)"
      R"("last_trade_price":"{}","event_type":"book"}})",
      m.recorded.condition, token, ms_text(p.now), change_hash(m.recorded.key, p.now, place->second ? 3 : 2),
      levels_json(book.bids), levels_json(book.asks), p.tick(m).text(), p.last_price_text(*place));
}

void Venue::script(const ScriptedAct& act) {
  Parts& p = *parts_;
  p.acts.push_back(act);
  p.due.push({.at = act.at, .what = Due::What::Scripted, .market = 0, .number = p.acts.size() - 1, .id = {}});
}

// --- lists

std::vector<MarketIndex> Venue::listed() const {
  std::vector<MarketIndex> found;
  for (const MarketIndex i : parts_->in_order)
    if (parts_->listed(parts_->markets[i])) found.push_back(i);
  return found;
}

MarketView Venue::view(MarketIndex market) const { return parts_->view(parts_->markets[market]); }

std::optional<MarketIndex> Venue::by_token(std::string_view token) const {
  const auto place = parts_->find(token);
  return place ? std::optional{place->market} : std::nullopt;
}

namespace {

std::optional<MarketIndex> one_of(const std::map<std::string, MarketIndex, std::less<>>& names, std::string_view name) {
  const auto found = names.find(name);
  return found == names.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace

std::optional<MarketIndex> Venue::by_condition(std::string_view condition) const {
  std::string lower{condition};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto found = one_of(parts_->conditions, lower);
  return found && parts_->listed(parts_->markets[*found]) ? found : std::nullopt;
}
std::optional<MarketIndex> Venue::by_slug(std::string_view slug) const {
  const auto found = one_of(parts_->slugs, slug);
  return found && parts_->listed(parts_->markets[*found]) ? found : std::nullopt;
}
std::optional<MarketIndex> Venue::by_id(std::string_view gamma_id) const {
  const auto found = one_of(parts_->gamma_ids, gamma_id);
  return found && parts_->listed(parts_->markets[*found]) ? found : std::nullopt;
}

std::string Venue::gamma_market(MarketIndex market) const {
  const MarketState& m = parts_->markets[market];
  if (parts_->as_recorded(m)) return m.recorded.raw;
  const MarketView view = parts_->view(m);
  return gamma_market_text(parts_->text(m, view));
}

std::vector<MarketIndex> Venue::event_markets(std::string_view event_id) const {
  const auto found = parts_->events.find(event_id);
  if (found == parts_->events.end()) return {};
  std::vector<MarketIndex> there = found->second;
  std::erase_if(there, [&](MarketIndex i) { return !parts_->listed(parts_->markets[i]); });
  return there;
}

std::string Venue::gamma_event(std::string_view event_id) const {
  const std::vector<MarketIndex> there = event_markets(event_id);
  std::vector<MarketView> views;
  views.reserve(there.size());
  std::vector<MarketText> texts;
  for (const MarketIndex i : there) {
    views.push_back(parts_->view(parts_->markets[i]));
    texts.push_back(parts_->text(parts_->markets[i], views.back()));
  }
  return gamma_event_text(texts);
}

std::vector<std::string> Venue::event_ids() const {
  std::vector<std::string> found;
  for (const auto& [id, there] : parts_->events)
    if (std::any_of(there.begin(), there.end(), [&](MarketIndex i) { return parts_->listed(parts_->markets[i]); }))
      found.push_back(id);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return number_of(a) < number_of(b); });
  return found;
}

std::string Venue::clob_market(MarketIndex market) const {
  const MarketState& m = parts_->markets[market];
  const MarketView view = parts_->view(m);
  return clob_market_text(parts_->text(m, view));
}

std::string Venue::clob_simplified_market(MarketIndex market) const {
  const MarketState& m = parts_->markets[market];
  const MarketView view = parts_->view(m);
  return clob_simplified_text(parts_->text(m, view));
}

Answer Venue::clob_compact_market(std::string_view condition) const {
  const auto found = by_condition(condition);
  if (!found) return refusal(404, "market not found");
  const MarketState& m = parts_->markets[*found];
  const MarketView view = parts_->view(m);
  return {.status = 200, .body = clob_compact_text(parts_->text(m, view))};
}

Answer Venue::clob_market_of(std::string_view condition) const {
  if (!parse_word(condition)) return refusal(400, "Invalid market");
  const auto found = by_condition(condition);
  if (!found) return refusal(404, "market not found");
  return {.status = 200, .body = clob_market(*found)};
}

// --- what is true

std::optional<Price> Venue::true_price(MarketIndex market, Timestamp at) const {
  const MarketState& m = parts_->markets[market];
  if (m.payout && at >= m.resolved_at) return m.payout;
  return m.recorded.fresh_price(at);
}

std::optional<Venue::Outcome> Venue::outcome(MarketIndex market) const {
  const MarketState& m = parts_->markets[market];
  if (!m.payout) return std::nullopt;
  return Outcome{.at = m.resolved_at, .payout = *m.payout, .scripted = m.outcome_scripted};
}

void Venue::note(std::string_view what, std::string_view token, std::string_view detail) {
  const auto place = parts_->tokens.find(token);
  parts_->note(what, place == parts_->tokens.end() ? 0 : place->second.market, token, std::string{detail});
}

std::vector<OracleEntry> Venue::log(std::uint64_t from, std::size_t limit) const {
  const std::uint64_t gone = parts_->log_size - parts_->log.size();
  std::vector<OracleEntry> entries;
  for (std::uint64_t i = std::max(from, gone); i < parts_->log_size && entries.size() < limit; ++i)
    entries.push_back(parts_->log[i - gone]);
  return entries;
}

std::uint64_t Venue::log_size() const { return parts_->log_size; }

std::string Venue::log_line(const OracleEntry& entry, std::string_view slug) {
  JsonOut line;
  line.put("at", entry.at.iso()).put("what", entry.what).put("market", slug);
  if (!entry.token.empty()) line.put("token", entry.token);
  line.put_json("detail", entry.detail.empty() ? "{}" : entry.detail);
  return line.text();
}

}  // namespace everlearn::venue
