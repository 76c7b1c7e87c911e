// The venue that tests and demonstrations run against: recorded markets on a virtual clock, their books, trades and
// outcomes, and orders under the exchange's rules. Pure: no clock, no thread, no socket; what it answers depends on the
// recordings, the setup and the sequence of calls. Serving it is `main.cpp`'s affair. docs/venue.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.hpp"
#include "core/price.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn::venue {

using MarketIndex = std::uint32_t;

/// What a script does to a market at a time, besides what its recording does by itself.
enum class Act : std::uint8_t {
  StopOrders,  // no orders any more; not resolved
  Propose,     // an outcome is proposed
  Dispute,     // ... and disputed
  Resolve,     // closed for good
  TickSize,    // `tick` from now on
  Reopen,      // takes orders again
  Annul,       // closed for good without an outcome: prices 0 and 0, what was held pays a half
};

struct ScriptedAct {
  Timestamp at;        // past: done at the next advance_to()
  std::string market;  // slug, condition id or Gamma id
  Act act = Act::StopOrders;
  std::optional<Price> payout;  // of the first outcome, for Propose and Resolve: 0, 0.5, 1; absent: the recording's
  std::optional<Price> tick;    // for TickSize
};

struct VenueSetup {
  std::string data;                                 // the folder with the folders of recordings
  std::vector<std::string> recordings;              // names of those folders: known_recordings()
  std::size_t markets = 0;                          // the first so many of each recording by volume; 0: all
  std::vector<std::string> only;                    // slugs; empty: all
  std::uint64_t seed = 1;                           // of made books and made trades
  Timestamp begin;                                  // the virtual clock starts here; 0: the first recorded time
  Duration made_every = Duration::seconds(10);      // how often a made book may change
  bool made_trades = true;                          // where no trades are recorded
  Duration proposal_after = Duration::minutes(10);  // after the last recorded price of a market with an outcome
  Duration resolve_after = Duration::hours(2);      // after the proposal
  std::vector<ScriptedAct> script;
  std::int64_t chain = 137;
  Price collateral = Price::from_nanos(1'000 * Price::kScale);  // what a new account holds, dollars
  std::optional<Duration> login_skew;  // how far a login's time may be from the virtual clock; absent: any
  std::int64_t log_limit = 1'000'000;  // entries of the oracle's log that are kept
};

/// "price_history_10m", "live_scan_1m", "updown_15m_top_of_book", "book_events", "gamma_markets", "onchain_fills_2024",
/// "trades_2022_midterms". The books of "book_snapshots" belong to "gamma_markets" (recording_reader.hpp).
const std::vector<std::string>& known_recordings();

/// Something that happens on the venue and that its sockets tell.
struct Outgoing {
  enum class Kind : std::uint8_t {
    Book,
    PriceChange,
    LastTradePrice,
    TickSizeChange,
    BestBidAsk,      // only to those with custom features
    NewMarket,       // the same; to everyone, whatever they subscribed to
    MarketResolved,  // the same; to subscribers of one of `tokens`
    UserOrder,       // on the user socket of `owner`
    UserTrade,       // on the user socket of `owner`
  };
  Timestamp at;
  Kind kind = Kind::Book;
  MarketIndex market = 0;
  std::vector<std::string> tokens;  // a subscriber of any of these gets it
  std::string owner;                // API key, for the user socket
  std::string json;                 // the event as one object, event_type last
  bool made = false;                // from a made book or made trades, not recorded
};

bool for_custom_only(Outgoing::Kind kind);

enum class Stage : std::uint8_t { Trading, Stopped, Proposed, Disputed, Resolved };

/// What is known of a market now, for lists, filters and orders of lists.
struct MarketView {
  MarketIndex index = 0;
  std::string id;  // Gamma's
  std::string slug;
  std::string question;
  std::string condition;  // 0x + 64 digits, lower case
  std::string question_id;
  std::string tokens[2];
  std::string outcomes[2];
  std::string event_id, event_slug, event_title;
  std::string recording;
  std::string tags;  // category, as the fee schedule knows it
  Timestamp created, start, end;
  Stage stage = Stage::Trading;
  bool closed = false;  // resolved
  bool accepting_orders = true;
  bool neg_risk = false;
  Price tick, min_size;
  double fee_rate = 0, fee_exponent = 1;
  double volume = 0, volume_24h = 0, liquidity = 0;  // dollars
  std::optional<Price> best_bid, best_ask;           // of the first outcome
  std::optional<Price> payout;                       // of the first outcome, once resolved
  bool made_book = false;                            // its depth is made, not recorded
  bool made_trades = false;
};

struct Answer {
  int status = 200;
  std::string body = {};
};

/// One call of an API, as the server read it.
struct Request {
  std::string method;  // "GET"
  std::string path;    // without host and query string
  std::multimap<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in upper case: "POLY_ADDRESS"
  std::string body;
};

struct PriceQuery {
  std::string token;
  std::optional<std::int64_t> from_s, to_s;  // startTs, endTs
  std::string interval;                      // "", "max", "all", "1m", "1w", "1d", "6h", "1h"
  std::optional<std::int64_t> fidelity;      // minutes
};

struct BookHistoryQuery {
  std::string token, condition;  // one of both
  std::optional<std::int64_t> from_ms, to_ms;
  std::int64_t limit = 100, offset = 0;
};

struct TradeQuery {
  std::vector<std::string> conditions;  // empty: all markets
  std::string user, side;               // side "", "BUY", "SELL"
  std::optional<std::int64_t> from_s, to_s;
  double min_cash = 0, min_tokens = 0;  // filterType CASH, TOKENS
  std::int64_t limit = 100, offset = 0;
};

/// What the venue knows to be true and what it told. One line of the log a JSON object with "at" and "what".
struct OracleEntry {
  Timestamp at;
  std::string what;  // "price", "trade", "stage", "tick", "order", "fill", "cancel", "sent"
  MarketIndex market = 0;
  std::string token;
  std::string detail;  // JSON object
};

class Venue {
 public:
  /// Reads the recordings. Errors: Usage for a recording or market that is not known; NotFound, Storage, BadData.
  static Result<std::unique_ptr<Venue>> open(Fs& fs, const VenueSetup& setup);
  ~Venue();
  Venue(const Venue&) = delete;
  Venue& operator=(const Venue&) = delete;

  // --- time
  Timestamp now() const;
  /// First and last recorded time.
  Timestamp first() const;
  Timestamp last() const;
  /// Everything that happens in (now(), to], in order, into `out`: for all markets their stages, new markets and what
  /// orders did; books and trades only for tokens that are watched. `to` before now(): nothing.
  void advance_to(Timestamp to, std::vector<Outgoing>& out);
  /// The tokens whose books and trades are told, all at once; unknown ones are ignored.
  void watch(const std::vector<std::string>& tokens);
  /// The `book` event that answers a new subscription; empty for a token that has no book (unknown, closed, not yet
  /// there).
  std::string book_event(std::string_view token) const;
  void script(const ScriptedAct& act);

  // --- markets
  /// Listed now, in order of their Gamma ids; resolved ones too.
  std::vector<MarketIndex> listed() const;
  MarketView view(MarketIndex market) const;
  std::optional<MarketIndex> by_token(std::string_view token) const;
  std::optional<MarketIndex> by_condition(std::string_view condition) const;
  std::optional<MarketIndex> by_slug(std::string_view slug) const;
  std::optional<MarketIndex> by_id(std::string_view gamma_id) const;
  /// Gamma's object: the recorded one, word for word where nothing has changed, or a composed one.
  std::string gamma_market(MarketIndex market) const;
  /// Gamma's event with its markets inside; by `event_id`. Empty if there is none.
  std::string gamma_event(std::string_view event_id) const;
  std::vector<std::string> event_ids() const;
  std::vector<MarketIndex> event_markets(std::string_view event_id) const;
  /// CLOB: an element of GET /markets, the same of /simplified-markets, and GET /clob-markets/{condition}.
  std::string clob_market(MarketIndex market) const;
  std::string clob_simplified_market(MarketIndex market) const;
  Answer clob_compact_market(std::string_view condition) const;
  Answer clob_market_of(std::string_view condition) const;  // GET /markets/{condition}

  // --- CLOB market data: the bodies of the answers, with their errors
  Answer book(std::string_view token) const;
  Answer books(std::string_view body) const;
  Answer midpoint(std::string_view token) const;
  Answer midpoints(std::string_view body) const;
  Answer price(std::string_view token, std::string_view side) const;
  Answer prices(std::string_view body) const;
  Answer spread(std::string_view token) const;
  Answer spreads(std::string_view body) const;
  Answer last_trade_price(std::string_view token) const;
  Answer last_trades_prices(std::string_view body) const;
  Answer tick_size(std::string_view token) const;
  Answer neg_risk(std::string_view token) const;
  Answer fee_rate(std::string_view token) const;
  Answer market_by_token(std::string_view token) const;
  Answer prices_history(const PriceQuery& query) const;
  Answer batch_prices_history(std::string_view body) const;
  Answer book_history(const BookHistoryQuery& query) const;
  Answer server_time() const;  // GET /time
  Answer version() const;      // GET /version

  // --- Data API
  Answer data_trades(const TradeQuery& query) const;     // /trades
  Answer data_trades_v2(const TradeQuery& query) const;  // /v2/trades; the cursor is the offset in decimal
  /// /v2/prices-history; exactly one of interval, from, as_of. `bucket_s` 60..86400.
  Answer data_prices_v2(const PriceQuery& query, std::optional<std::int64_t> as_of_s, std::int64_t bucket_s) const;
  Answer data_resolutions_v2(const std::vector<std::string>& conditions) const;

  // --- trading. All of it is one call: who asks is checked here (L1 for the two that make keys, L2 for the rest).
  /// POST /auth/api-key, GET /auth/derive-api-key, GET /auth/api-keys, DELETE /auth/api-key,
  /// GET /auth/ban-status/closed-only, POST /order, POST /orders, DELETE /order, /orders, /cancel-all,
  /// /cancel-market-orders, GET /data/orders, /data/order/{id}, /data/trades, /balance-allowance,
  /// /balance-allowance/update, POST /v1/heartbeats. 404 for any other.
  Answer trading(const Request& request, std::vector<Outgoing>& out);
  /// Is this an existing API key with its secret and passphrase? (first message of the user socket)
  bool knows_key(std::string_view api_key, std::string_view secret, std::string_view passphrase) const;
  /// Sets what an account holds: dollars, or shares of a token. The account is made if it is not there.
  void set_balance(std::string_view address, std::string_view token_or_empty, Quantity amount);
  /// Modes of the exchange, for the errors of section 8: "", "paused", "cancel-only", "post-only".
  Result<void> set_mode(std::string_view mode);

  // --- the oracle
  /// The recorded price of the first outcome that held at `at`; absent before the first, after a hole, and once
  /// resolved its payout. This is the truth a test compares with.
  std::optional<Price> true_price(MarketIndex market, Timestamp at) const;
  struct Outcome {
    Timestamp at;
    Price payout;  // of the first outcome
    bool scripted = false;
  };
  std::optional<Outcome> outcome(MarketIndex market) const;
  /// For the server: that a frame left for a subscriber, or a fault changed it.
  void note(std::string_view what, std::string_view token, std::string_view detail);
  /// Entries in order, from entry number `from` on; at most `limit`.
  std::vector<OracleEntry> log(std::uint64_t from, std::size_t limit) const;
  std::uint64_t log_size() const;  // entries ever made
  static std::string log_line(const OracleEntry& entry, std::string_view slug);

 private:
  struct Parts;
  explicit Venue(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace everlearn::venue
