// What a Venue is made of: its markets as they are now, what will happen when, accounts and their orders. Inside only.
#pragma once

#include <deque>
#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <unordered_map>

#include "venue/gamma_text.hpp"
#include "venue/made_book.hpp"
#include "venue/order_rules.hpp"
#include "venue/recorded_market.hpp"
#include "venue/venue.hpp"

namespace everlearn::venue {

struct OpenOrder {
  std::string id;
  std::string account;  // address
  std::string owner;    // API key
  std::string maker;    // the wallet, as posted
  MarketIndex market = 0;
  bool second = false;  // for the second outcome's token
  OrderSide side = OrderSide::Buy;
  Price price;                             // of its token
  std::int64_t original = 0, matched = 0;  // micros of a share
  OrderType type = OrderType::Gtc;
  std::int64_t expiration_s = 0;
  Timestamp created;
  std::vector<std::string> trades;
  std::uint64_t number = 0;  // in order of arrival

  std::int64_t left() const { return original - matched; }
  /// In the first outcome's book it stands among the bids.
  bool bids() const { return (side == OrderSide::Buy) != second; }
  Price first_price() const { return second ? complement(price) : price; }
};

struct MakerPart {
  std::string order, owner, account, maker;  // account empty: the book's
  std::int64_t matched = 0;
  Price price;  // of its token
  bool second = false;
  OrderSide side = OrderSide::Buy;
};

/// A match of one taker with the orders at one price.
struct OwnTrade {
  std::string id;
  std::string taker_order, taker_owner, taker_account, taker_maker;  // empty account: the book took
  MarketIndex market = 0;
  bool second = false;
  OrderSide side = OrderSide::Buy;
  std::int64_t size = 0;
  Price price;  // of the taker's token
  std::string status = "MATCHED";
  Timestamp at, updated;
  std::string transaction;
  std::vector<MakerPart> makers;
};

struct Credentials {
  std::string key, secret, passphrase;
};

struct Account {
  std::string address;                         // with checksum
  std::map<std::uint64_t, Credentials> keys;   // by nonce
  std::int64_t dollars = 0;                    // micros
  std::map<std::string, std::int64_t> shares;  // micros, by token
  std::string heartbeat;                       // the id that is expected next; empty: not used
  Timestamp last_beat;
};

struct MarketState {
  RecordedMarket recorded;
  Stage stage = Stage::Trading;
  bool accepting = true;
  bool annulled = false;
  bool acted_on = false;  // by a script: its object is no longer the recorded one
  std::optional<Price> proposed, payout;
  bool outcome_scripted = false;
  Timestamp resolved_at;
  std::optional<Price> tick;  // by script
  std::vector<std::string> resolution_words;

  bool watched = false;  // its events are told
  bool touched = false;  // an order came once: its book is kept from then on
  Book base, taken, shown;
  std::optional<Price> last_recorded;
  std::uint64_t schedule = 0;        // number of the scheduled change that counts
  std::vector<std::string> orders;   // open ones, in order of arrival
  std::optional<TradeAt> own_trade;  // the last one with a real order in it

  bool active() const { return watched || touched; }
};

struct Due {
  enum class What : std::uint8_t { List, Scripted, Propose, Resolve, Change, RecordedTrade, TradeStatus, Expiry };
  Timestamp at;
  What what = What::Change;
  MarketIndex market = 0;
  std::uint64_t number = 0;  // schedule, index of a trade or of a script's act
  std::string id;            // of an order or trade

  bool operator>(const Due& other) const {
    return std::tie(at, what, market, number, id) >
           std::tie(other.at, other.what, other.market, other.number, other.id);
  }
};

struct Place {
  MarketIndex market = 0;
  bool second = false;
};

struct TradeRow {
  TradeAt trade;
  MarketIndex market = 0;
};

struct Venue::Parts {
  VenueSetup setup;
  MadeRule rule;
  Timestamp now, first_recorded, last_recorded;
  std::vector<MarketState> markets;
  std::map<std::string, Place, std::less<>> tokens;
  std::map<std::string, MarketIndex, std::less<>> conditions, slugs, gamma_ids;
  std::map<std::string, std::vector<MarketIndex>, std::less<>> events;
  std::vector<MarketIndex> in_order;  // of their Gamma ids
  std::vector<ScriptedAct> acts;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;

  std::map<std::string, Account, std::less<>> accounts;        // by address
  std::map<std::string, std::string, std::less<>> key_owners;  // API key -> address
  std::map<std::string, OpenOrder, std::less<>> orders;        // open ones, by id
  std::set<std::string, std::less<>> known_orders;             // ever accepted
  std::vector<OwnTrade> fills;
  std::uint64_t numbers = 0;
  std::string mode;

  std::deque<OracleEntry> log;
  std::uint64_t log_size = 0;

  // --- markets (venue.cpp)
  Result<void> add(std::vector<RecordedMarket> recorded);
  void begin();
  bool listed(const MarketState& m) const { return m.recorded.begin <= now; }
  MarketIndex index(const MarketState& m) const { return static_cast<MarketIndex>(&m - markets.data()); }
  std::optional<Place> find(std::string_view token) const;
  Price tick(const MarketState& m) const { return m.tick.value_or(m.recorded.tick(now)); }
  bool has_book(const MarketState& m) const { return listed(m) && m.stage != Stage::Resolved; }
  Book visible(const MarketState& m) const;
  bool as_recorded(const MarketState& m) const { return m.recorded.recording == "gamma_markets" && !m.acted_on; }
  /// As the token sees it.
  Book visible(const Place& place) const;
  std::optional<TradeAt> last_trade(const MarketState& m) const;
  MarketView view(const MarketState& m) const;
  MarketText text(const MarketState& m, const MarketView& view) const;
  std::string book_json(const Place& place, const Book& book, Timestamp at) const;  // with its hash, as /book
  std::string last_price_text(const Place& place) const;
  /// Newest first: the page that the question asks for.
  std::vector<TradeRow> trades_of(const TradeQuery& query) const;

  // --- time (venue.cpp)
  void set_active(MarketState& m, bool was);
  void schedule_change(MarketState& m);
  void schedule_trade(const MarketState& m, std::size_t after);
  void happen(const Due& what, std::vector<Outgoing>& out);
  void change(MarketState& m, std::vector<Outgoing>& out);
  void recorded_trade(MarketState& m, std::size_t index, std::vector<Outgoing>& out);
  void act(const ScriptedAct& act, std::vector<Outgoing>& out);
  void propose(MarketState& m, std::optional<Price> payout);
  void resolve(MarketState& m, std::optional<Price> payout, bool annulled, std::vector<Outgoing>& out);
  void stop(MarketState& m, std::vector<Outgoing>& out);
  void note(std::string_view what, MarketIndex market, std::string_view token, std::string detail);
  void note_stage(const MarketState& m);

  // --- events (venue.cpp)
  Outgoing outgoing(Outgoing::Kind kind, const MarketState& m) const;
  /// The new visible book, told as its changes or, after a trade, whole.
  void show(MarketState& m, bool whole, std::vector<Outgoing>& out);
  void tell_trade(const MarketState& m, const TradeAt& trade, bool made, std::vector<Outgoing>& out);
  void tell_tick(const MarketState& m, Price from, Price to, std::vector<Outgoing>& out);

  // --- trading (venue_trading.cpp)
  Book own_levels(const MarketState& m) const;
  void fill_resting(MarketState& m, const std::optional<TradeAt>& trade, std::vector<Outgoing>& out);
  void fill_by_book(MarketState& m, OpenOrder& order, std::int64_t micros, std::vector<Outgoing>& out);
  void close_orders(MarketState& m, std::string_view reason, std::vector<Outgoing>& out);
  void settle(MarketState& m);
  void trade_status(std::string_view id, std::vector<Outgoing>& out);
  void expire(std::string_view order, std::vector<Outgoing>& out);
  Answer trading(const Request& request, std::vector<Outgoing>& out);
  Answer make_key(const Request& request, bool derive);
  Answer post_order(std::string_view body, Account& account, const std::string& key, std::vector<Outgoing>& out);
  Answer post_orders(std::string_view body, Account& account, const std::string& key, std::vector<Outgoing>& out);
  Answer cancel(const std::vector<std::string>& ids, const Account& account, std::vector<Outgoing>& out);
  std::vector<std::string> orders_of(const Account& account, std::string_view market, std::string_view token) const;
  bool remove_order(std::string_view id, std::string_view status, std::vector<Outgoing>& out);
  Account& account_of(std::string_view address);
  std::int64_t free_dollars(const Account& account) const;
  std::int64_t free_shares(const Account& account, const std::string& token) const;
  void record_trade(OwnTrade trade, std::vector<Outgoing>& out);
  void tell_order(const OpenOrder& order, std::string_view type, std::string_view status,
                  std::vector<Outgoing>& out) const;
  void tell_own_trade(const OwnTrade& trade, std::vector<Outgoing>& out) const;
  std::string order_json(const OpenOrder& order) const;
  std::string trade_json(const OwnTrade& trade, std::string_view account) const;
  void rest(OpenOrder order);
  Answer open_orders(const Request& request, const Account& account) const;
  Answer own_trades(const Request& request, const Account& account) const;
  Answer balance(const Request& request, const Account& account) const;
  Answer heartbeat(std::string_view body, Account& account);
  void check_heartbeats(std::vector<Outgoing>& out);
};

/// {"error":"..."}
Answer refusal(int status, std::string_view text);
std::string ms_text(Timestamp at);
std::string seconds_text(Timestamp at);

}  // namespace everlearn::venue
