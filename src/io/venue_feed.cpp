#include "io/venue_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "core/json.hpp"
#include "core/system_clock.hpp"
#include "io/venue_answers.hpp"
#include "io/venue_interpreter.hpp"
#include "io/venue_rest.hpp"
#include "io/venue_shards.hpp"
#include "io/web_socket.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kPageMarkets = 100;   // what the venue allows
constexpr std::size_t kMostPages = 2'000;   // a list that does not end is none
constexpr std::size_t kBooksAtOnce = 200;   // of one request
constexpr std::size_t kQuotesAtOnce = 250;  // tokens of one request, with two sides each
constexpr std::size_t kTokensInPath = 40;
constexpr std::size_t kMarketsInPath = 20;
constexpr int kMostTrades = 1'000;  // of one answer, newest first
constexpr int kTries = 4;
constexpr Duration kLeastWait{50'000};
constexpr Duration kLead = Duration::seconds(20);  // of quotes before their grid time, at least

std::string tokens_body(std::span<const std::string> tokens, std::initializer_list<const char*> sides) {
  std::string body = "[";
  for (const std::string& token : tokens) {
    if (sides.size() == 0) body += (body.size() > 1 ? "," : "") + JsonOut{}.put("token_id", token).text();
    for (const char* side : sides)
      body += (body.size() > 1 ? "," : "") + JsonOut{}.put("token_id", token).put("side", side).text();
  }
  return body + "]";
}

std::string counted(std::int64_t n, const char* one, const char* many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

}  // namespace

std::vector<std::string> FeedHealth::lines() const {
  std::vector<std::string> lines;
  std::size_t open = 0, assets = 0, waiting = 0;
  std::int64_t reconnects = 0, frames = 0;
  std::string last_error;
  for (const ShardHealth& shard : shards) {
    open += shard.open ? 1 : 0;
    assets += shard.assets;
    waiting += shard.waiting;
    reconnects += shard.reconnects;
    frames += shard.frames;
    if (!shard.last_error.empty()) last_error = shard.last_error;
  }
  lines.push_back(fmt::format("sockets: {} of {} open, {}, {} frames, {}", open, shards.size(),
                              counted(static_cast<std::int64_t>(assets), "asset", "assets"), frames,
                              counted(reconnects, "reconnect", "reconnects")));
  if (waiting > 0)
    lines.push_back(fmt::format("waiting for the first event of {}",
                                counted(static_cast<std::int64_t>(waiting), "asset", "assets")));
  if (polled > 0)
    lines.push_back(fmt::format("{} read by REST, since no socket tells of them",
                                counted(static_cast<std::int64_t>(polled), "book", "books")));
  if (!last_error.empty()) lines.push_back("last socket error: " + last_error);
  std::string requests_line = "requests:";
  for (const auto& [group, count] : requests) {
    const auto bad = failed.find(group);
    requests_line += fmt::format("{} {} {}", requests_line.back() == ':' ? "" : ",", group, count);
    if (bad != failed.end()) requests_line += fmt::format(" ({} failed)", bad->second);
  }
  if (!requests.empty()) lines.push_back(requests_line);
  if (!rest_error.empty()) lines.push_back("last request: " + rest_error);
  if (malformed > 0) lines.push_back(counted(malformed, "frame that is no JSON", "frames that are no JSON"));
  if (dropped > 0)
    lines.push_back(counted(dropped, "frame dropped: more came than could be taken",
                            "frames dropped: more came than could be taken"));
  return lines;
}

struct VenueFeed::Inside {
  Inside(const FeedSettings& settings, WebAddress socket, Clock& clock)
      : settings_{settings},
        socket_address_{std::move(socket)},
        clock_{clock},
        rest_{settings.venue, settings.authorities, settings.seed},
        shards_{rules_of(settings), settings.seed} {}

  ~Inside() { stop(); }

  void begin() {
    network_.every(
        std::clamp(Duration{scaled(settings_.venue.first_event).us() / 10}, Duration{20'000}, Duration{250'000}),
        [this] { tick(); });
    const auto work = [this](void (Inside::*job)(HttpSession&, const std::stop_token&)) {
      workers_.emplace_back([this, job](const std::stop_token& stop) {
        HttpSession session;
        while (!stop.stop_requested()) {
          try {
            (this->*job)(session, stop);
          } catch (const std::exception& thrown) {  // the edge of the thread: no memory
            const std::lock_guard lock{mutex_};
            thread_error_ = thrown.what();
          }
          (void)sleep_unless(stop, kLeastWait);
        }
      });
    };
    work(&Inside::read_books);
    work(&Inside::read_listings);
    work(&Inside::read_quotes);
    work(&Inside::read_history);
    work(&Inside::read_trades);
  }

  void stop() {
    for (std::jthread& worker : workers_) worker.request_stop();
    network_.stop();
    workers_.clear();
  }

  // --- the queue

  std::optional<Received> take() {
    const std::lock_guard lock{mutex_};
    if (queue_.empty()) return std::nullopt;
    Received first = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= first.raw.size();
    return first;
  }

  Timestamp told_until(Timestamp now) {
    const std::lock_guard lock{mutex_};
    if (!queue_.empty()) return std::min(now, queue_.front().at - Duration{1});
    last_at_ = std::max(last_at_, now);
    return now;
  }

  void push(const char* channel, std::string raw) {
    const std::lock_guard lock{mutex_};
    last_at_ = std::max(clock_.now(), last_at_ + Duration{1});
    queued_bytes_ += raw.size();
    queue_.push_back({last_at_, channel, std::move(raw)});
    ++received_;
  }

  bool queue_below(std::size_t share) const {  // of the limits, in halves
    const std::lock_guard lock{mutex_};
    return queue_.size() < settings_.most_queued * share / 2 && queued_bytes_ < settings_.most_queued_bytes * share / 2;
  }

  // --- network thread

  static ShardRules rules_of(const FeedSettings& settings) {
    const auto scaled = [&](Duration time) { return scaled_by(settings.speed, time); };
    const ShardRules usual;
    return {.assets_per_socket = static_cast<std::size_t>(settings.venue.assets_per_socket),
            .first_event = scaled(settings.venue.first_event),
            .silence = scaled(settings.venue.silence),
            .settle = std::min(scaled(usual.settle), scaled(settings.venue.first_event)),
            .first_retry = scaled(usual.first_retry),
            .most_retry = scaled(usual.most_retry)};
  }

  Duration now() const { return Duration{static_cast<std::int64_t>(since_start_.seconds() * 1e6)}; }

  void tick() {
    shards_.tick(now());
    if (dropping_ && queue_below(1)) end_dropping();
    carry_out();
    const bool hears = rest_.counts().last_problem.empty();
    const std::lock_guard lock{mutex_};
    if (hears || std::ranges::any_of(states_, [](const ShardState& state) { return state.open; }))
      blind_since_.reset();
    else if (!blind_since_)
      blind_since_ = now();
  }

  void end_dropping() {
    dropping_ = false;
    shards_.dropped(dropped_);
    dropped_.clear();
  }

  void carry_out() {
    const ShardOrders orders = shards_.take_orders();
    for (const Doubt& doubt : orders.doubts)
      push("control", JsonOut{}.put("doubt", doubt.assets).put("reason", doubt.reason).text());
    for (const std::uint32_t shard : orders.close) {
      network_.close(sockets_[shard]);
      sockets_.erase(shard);
    }
    for (const std::uint32_t shard : orders.open) sockets_[shard] = open(shard);
    for (const auto& [shard, text] : orders.send) network_.send(sockets_[shard], text);
    const std::vector<std::string> polled = shards_.polled(now());
    std::vector<ShardState> states = shards_.states();
    {
      const std::lock_guard lock{mutex_};
      wanted_.insert(orders.books.begin(), orders.books.end());
      note_markets(orders.questions, questions_);
      note_markets(orders.missed, missed_);
      polled_ = polled;
      states_ = std::move(states);
    }
    changed_.notify_all();
  }

  // Under the mutex.
  void note_markets(const std::vector<std::string>& tokens, std::set<std::string>& into) {
    for (const std::string& token : tokens)
      if (const auto market = market_of_.find(token); market != market_of_.end()) into.insert(market->second);
  }

  std::uint64_t open(std::uint32_t shard) {
    SocketRules rules;
    rules.authorities = settings_.authorities;
    SocketHandler handler;
    handler.opened = [this, shard] {
      shards_.opened(shard, now());
      carry_out();
    };
    handler.text = [this, shard](std::string_view text) { frame(shard, text); };
    handler.closed = [this, shard](const std::string& why) {
      sockets_.erase(shard);
      shards_.closed(shard, why, now());
      carry_out();
    };
    return network_.open(socket_address_, rules, std::move(handler));
  }

  void frame(std::uint32_t shard, std::string_view text) {
    heard_.clear();
    const bool good = frames_.frame(text, heard_);
    if (dropping_ && queue_below(1)) {
      end_dropping();
      carry_out();
    } else if (!dropping_ && !queue_below(2)) {
      dropping_ = true;
    }
    if (!dropping_) push("market", std::string{text});
    if (dropping_) dropped_.insert(dropped_.end(), heard_.begin(), heard_.end());
    if (dropping_ || !good) {
      const std::lock_guard lock{mutex_};
      dropped_count_ += dropping_ ? 1 : 0;
      malformed_ += good ? 0 : 1;
    }
    if (good) return shards_.heard(shard, heard_, now());
    shards_.malformed(shard, now());
    carry_out();
  }

  // --- decision thread

  void follow(const Following& following) {
    {
      const std::lock_guard lock{mutex_};
      followed_ = following.first_tier;
      second_tier_ = following.second_tier;
      unlisted_.insert(following.unlisted.begin(), following.unlisted.end());
      for (std::size_t i = 0; i < following.first_tier.size() && i < following.markets.size(); ++i)
        market_of_[following.first_tier[i]] = following.markets[i];
    }
    changed_.notify_all();
    if (following.first_tier == first_tier_) return;
    first_tier_ = following.first_tier;
    network_.post([this, assets = first_tier_] {
      shards_.follow(assets, now());
      carry_out();
    });
  }

  void resync(const std::vector<std::string>& tokens) {
    {
      const std::lock_guard lock{mutex_};
      wanted_.insert(tokens.begin(), tokens.end());
    }
    changed_.notify_all();
  }

  void ask_history(std::vector<TokenHole> holes) {
    {
      const std::lock_guard lock{mutex_};
      for (TokenHole& hole : holes) holes_.push_back(std::move(hole));
    }
    changed_.notify_all();
  }

  FeedHealth health() {
    const RestCounts counts = rest_.counts();
    FeedHealth health;
    const std::lock_guard lock{mutex_};
    for (const ShardState& state : states_)
      health.shards.push_back(
          {state.open, state.assets, state.waiting, state.reconnects, state.frames, state.last_error});
    health.polled = polled_.size();
    health.queued = queue_.size();
    health.received = received_;
    health.dropped = dropped_count_;
    health.malformed = malformed_;
    health.requests = counts.requests;
    health.failed = counts.failed;
    health.rest_error = thread_error_.empty() ? counts.last_problem : thread_error_;
    health.listings = listings_;
    health.blind = blind_since_ && now() - *blind_since_ >= scaled(settings_.venue.silence);
    return health;
  }

  // --- REST: a thread each, called again and again

  /// Until `ready` or the time is over; false: the feed ends.
  bool wait(const std::stop_token& stop, Duration time, const std::function<bool()>& ready) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, stop, std::chrono::microseconds{time.us()}, ready);
    return !stop.stop_requested();
  }

  void read_books(HttpSession& session, const std::stop_token& stop) {
    const Duration poll = scaled(settings_.poll_every);
    const auto poll_due = [&] { return !polled_.empty() && now() >= polled_at_ + poll; };
    if (!wait(stop, poll, [&] { return !wanted_.empty() || poll_due(); })) return;
    std::set<std::string> asked;
    std::vector<std::string> tokens;
    {
      const std::lock_guard lock{mutex_};
      asked = std::exchange(wanted_, {});
      tokens.assign(asked.begin(), asked.end());
      if (poll_due()) {
        polled_at_ = now();
        for (const std::string& token : polled_)
          if (!asked.contains(token)) tokens.push_back(token);
      }
    }
    for (std::size_t i = 0; i < tokens.size(); i += kBooksAtOnce)
      read_some_books(session, std::span{tokens}.subspan(i, std::min(kBooksAtOnce, tokens.size() - i)), stop);
  }

  void read_some_books(HttpSession& session, std::span<const std::string> tokens, const std::stop_token& stop) {
    const RestAnswer answer = rest_.ask(session, {RestGroup::Books, "/books", tokens_body(tokens, {})}, 1, stop);
    VenueAnswers answers;
    auto books = answer.good() ? answers.books(answer.body)
                               : Result<std::vector<HeardAsset>>{fail(Code::Unavailable, answer.problem)};
    if (!books) {
      // The group's gate says when; a request that is refused for good is not made again.
      const std::lock_guard lock{mutex_};
      if (answer.good() || may_pass(answer.status)) wanted_.insert(tokens.begin(), tokens.end());
      return;
    }
    push("books", answer.body);
    std::set<std::string> missing{tokens.begin(), tokens.end()};
    for (const HeardAsset& book : *books) missing.erase(book.asset);
    {
      // No book: perhaps no market any more.
      const std::lock_guard lock{mutex_};
      note_markets({missing.begin(), missing.end()}, questions_);
    }
    network_.post([this, heard = std::move(*books)] {
      shards_.read_by_rest(heard, now());
      carry_out();
    });
  }

  void read_listings(HttpSession& session, const std::stop_token& stop) {
    if (const Duration until = listing_due_ - now(); until.us() > 0) {
      if (!wait(stop, until, [&] { return !unlisted_.empty(); })) return;
      return ask_markets(session, unlisted_, stop);
    }
    const Duration begun = now();
    const bool whole = list_markets(session, stop);
    // After a failure sooner: the group's gate keeps the distance.
    listing_due_ = whole ? begun + scaled(settings_.venue.refresh)
                         : now() + std::min(scaled(settings_.venue.refresh), Duration::seconds(1));
    ask_markets(session, questions_, stop);
  }

  bool list_markets(HttpSession& session, const std::stop_token& stop) {
    // Markets come in falling order of their volume: those that no rule lets in or keeps need not be read.
    const double enough = settings_.venue.rules.min_volume_24h / 2;
    VenueAnswers answers;
    std::string cursor;
    std::set<std::string> seen;  // tokens
    for (std::size_t pages = 0; pages < kMostPages; ++pages) {
      const std::string path = fmt::format("/markets/keyset?limit={}&closed=false&order=volume24hr&ascending=false{}{}",
                                           kPageMarkets, cursor.empty() ? "" : "&after_cursor=", escaped(cursor));
      RestAnswer answer = rest_.ask(session, {RestGroup::GammaMarkets, path, {}}, kTries, stop);
      if (!answer.good()) return false;
      const auto page = answers.listed_page(answer.body);
      if (!page) {
        const std::lock_guard lock{mutex_};
        ++malformed_;
        return false;
      }
      push("gamma", std::move(answer.body));
      seen.insert(page->tokens.begin(), page->tokens.end());
      if (page->next_cursor.empty() || page->next_cursor == cursor || page->markets == 0 ||
          (page->last_volume_24h && *page->last_volume_24h < enough)) {
        if (!list_followed(session, seen, stop)) return false;
        std::int64_t number = 0;
        {
          const std::lock_guard lock{mutex_};
          number = ++listings_;
        }
        push("gamma end", JsonOut{}.put("listing", number).text());
        return true;
      }
      cursor = page->next_cursor;
    }
    return false;
  }

  // Followed markets below the last page. What is not there either has closed.
  bool list_followed(HttpSession& session, const std::set<std::string>& seen, const std::stop_token& stop) {
    std::vector<std::string> below;
    {
      const std::lock_guard lock{mutex_};
      for (const auto* tier : {&followed_, &second_tier_})
        for (const std::string& token : *tier)
          if (!seen.contains(token)) below.push_back(token);
    }
    for (std::size_t i = 0; i < below.size(); i += kTokensInPath) {
      std::string path = fmt::format("/markets/keyset?limit={}&closed=false", kPageMarkets);
      for (std::size_t j = i; j < std::min(i + kTokensInPath, below.size()); ++j)
        path += "&clob_token_ids=" + escaped(below[j]);
      RestAnswer answer = rest_.ask(session, {RestGroup::GammaMarkets, path, {}}, kTries, stop);
      if (!answer.good()) return false;
      push("gamma", std::move(answer.body));
    }
    return true;
  }

  /// Those of a set of conditions, which then is empty.
  void ask_markets(HttpSession& session, std::set<std::string>& conditions, const std::stop_token& stop) {
    for (const std::string& condition : taken(conditions)) {
      RestAnswer answer = rest_.ask(session, {RestGroup::Book, "/markets/" + escaped(condition), {}}, kTries, stop);
      if (answer.good()) push("market info", std::move(answer.body));
      if (stop.stop_requested()) return;
    }
  }

  void read_trades(HttpSession& session, const std::stop_token& stop) {
    if (!wait(stop, Duration::seconds(1), [&] { return !missed_.empty(); })) return;
    const std::set<std::string> missed = taken(missed_);
    for (auto condition = missed.begin(); condition != missed.end() && !stop.stop_requested();) {
      std::string path = fmt::format("/trades?limit={}&takerOnly=true&market=", kMostTrades);
      for (std::size_t i = 0; i < kMarketsInPath && condition != missed.end(); ++i, ++condition)
        path += (i > 0 ? "," : "") + escaped(*condition);
      RestAnswer answer = rest_.ask(session, {RestGroup::Trades, path, {}}, kTries, stop);
      if (answer.good()) push("trades", std::move(answer.body));
    }
  }

  std::set<std::string> taken(std::set<std::string>& from) {
    const std::lock_guard lock{mutex_};
    return std::exchange(from, {});
  }

  void read_quotes(HttpSession& session, const std::stop_token& stop) {
    const Duration every = settings_.venue.second_tier_every;
    // As long before the grid time as the last time took, twice over: what is known later misses it.
    const Duration lead = std::min(std::max(kLead, quotes_took_ * 2), Duration{every.us() / 2});
    const Timestamp clock_now = clock_.now();
    const Timestamp grid{(clock_now.us() / every.us() + 1) * every.us()};
    if (const Duration wait_for = grid - lead - clock_now; wait_for.us() > 0 || grid == quoted_for_) {
      const Duration until = grid == quoted_for_ ? grid - clock_now : wait_for;
      const Duration real{static_cast<std::int64_t>(static_cast<double>(until.us()) / settings_.speed)};
      (void)sleep_unless(stop, std::clamp(real, Duration{1'000}, Duration::seconds(1)));
      return;
    }
    std::vector<std::string> tokens;
    {
      const std::lock_guard lock{mutex_};
      tokens = second_tier_;
    }
    if (tokens.empty()) return;  // perhaps there will be some before the grid time
    quoted_for_ = grid;
    for (std::size_t i = 0; i < tokens.size() && !stop.stop_requested(); i += kQuotesAtOnce)
      read_some_quotes(session, std::span{tokens}.subspan(i, std::min(kQuotesAtOnce, tokens.size() - i)), stop);
    quotes_took_ = clock_.now() - clock_now;
  }

  void read_some_quotes(HttpSession& session, std::span<const std::string> tokens, const std::stop_token& stop) {
    VenueAnswers answers;
    Quotes quotes;
    const RestAnswer prices =
        rest_.ask(session, {RestGroup::Books, "/prices", tokens_body(tokens, {"BUY", "SELL"})}, kTries, stop);
    const RestAnswer trades =
        rest_.ask(session, {RestGroup::Books, "/last-trades-prices", tokens_body(tokens, {})}, kTries, stop);
    // Half of an answer is worth having: what was not given is absent.
    if (prices.good()) (void)static_cast<bool>(answers.prices(prices.body, quotes));
    if (trades.good()) (void)static_cast<bool>(answers.last_trades(trades.body, quotes));
    if (quotes.empty()) return;
    JsonOut out;
    for (const auto& [token, sides] : quotes) out.put(token, sides);
    push("quotes", out.text());
  }

  void read_history(HttpSession& session, const std::stop_token& stop) {
    if (!wait(stop, Duration::seconds(1), [&] { return !holes_.empty(); })) return;
    std::vector<TokenHole> holes;
    {
      // One request is about one stretch of time.
      const std::lock_guard lock{mutex_};
      for (auto hole = holes_.begin(); hole != holes_.end() && holes.size() < PastRequest::kMostTokens;) {
        const bool same = holes.empty() || (hole->from == holes.front().from && hole->to == holes.front().to);
        if (!same) {
          ++hole;
          continue;
        }
        holes.push_back(std::move(*hole));
        hole = holes_.erase(hole);
      }
    }
    if (holes.empty()) return;
    PastRequest request;
    for (const TokenHole& hole : holes) request.tokens.push_back(hole.token);
    request.from_s = holes.front().from.us() / 1'000'000;
    request.to_s = holes.front().to.us() / 1'000'000;
    request.fidelity_minutes = std::max<std::int64_t>(1, settings_.dense_every / Duration::minutes(1));
    const auto past = ask_past(rest_, session, request, stop);
    if (stop.stop_requested()) return;
    for (std::size_t i = 0; i < holes.size(); ++i)
      push("history", JsonOut{}
                          .put("token", holes[i].token)
                          .put("from", request.from_s)
                          .put("to", request.to_s)
                          .put_json("history", past[i].points)
                          .put("problem", past[i].problem)
                          .text());
  }

  static std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                         c == '_' || c == '.' || c == '~';
      out += plain ? std::string{c} : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
  }

  static Duration scaled_by(double speed, Duration time) {
    if (speed == 1) return time;
    return std::max(kLeastWait, Duration{static_cast<std::int64_t>(static_cast<double>(time.us()) / speed)});
  }
  Duration scaled(Duration time) const { return scaled_by(settings_.speed, time); }

  const FeedSettings settings_;
  const WebAddress socket_address_;
  Clock& clock_;
  const Stopwatch since_start_;
  VenueRest rest_;

  mutable std::mutex mutex_;  // of all until "network thread"
  std::condition_variable_any changed_;
  std::deque<Received> queue_;
  std::size_t queued_bytes_ = 0;
  Timestamp last_at_;
  std::set<std::string> wanted_;     // tokens to be read by REST once
  std::vector<std::string> polled_;  // and those to be read regularly
  std::set<std::string> questions_;  // conditions of markets that may have ended
  std::set<std::string> unlisted_;   // conditions that the list does not have
  std::set<std::string> missed_;     // conditions whose trades may have been missed
  std::vector<std::string> followed_, second_tier_;
  std::map<std::string, std::string> market_of_;  // token -> condition
  std::deque<TokenHole> holes_;
  std::vector<ShardState> states_;
  std::optional<Duration> blind_since_;
  std::int64_t received_ = 0, dropped_count_ = 0, malformed_ = 0, listings_ = 0;
  std::string thread_error_;

  VenueShards shards_;  // network thread, like the next ones
  VenueAnswers frames_;
  std::map<std::uint32_t, std::uint64_t> sockets_;  // by shard
  std::vector<HeardAsset> heard_, dropped_;
  bool dropping_ = false;

  std::vector<std::string> first_tier_;  // decision thread

  Duration polled_at_;    // books thread
  Duration listing_due_;  // listing thread
  Timestamp quoted_for_;  // quotes thread, like the next one
  Duration quotes_took_;

  NetworkThread network_;
  std::vector<std::jthread> workers_;  // last: they use all of the above
};

VenueFeed::VenueFeed(std::unique_ptr<Inside> inside) : inside_{std::move(inside)} {}
VenueFeed::~VenueFeed() = default;

Result<std::unique_ptr<VenueFeed>> VenueFeed::start(const FeedSettings& settings, Clock& clock) {
  for (const std::string* origin : {&settings.venue.gamma, &settings.venue.clob, &settings.venue.data})
    EL_CHECK(web_address(*origin, "https", "http"));
  EL_TRY(WebAddress socket, web_address(settings.venue.socket + "/ws/market", "wss", "ws"));
  auto inside = std::make_unique<Inside>(settings, std::move(socket), clock);
  inside->begin();
  return std::unique_ptr<VenueFeed>{new VenueFeed{std::move(inside)}};
}

std::optional<Received> VenueFeed::take() { return inside_->take(); }
Timestamp VenueFeed::told_until(Timestamp now) { return inside_->told_until(now); }
void VenueFeed::follow(const Following& following) { inside_->follow(following); }
void VenueFeed::resync(std::vector<std::string> tokens) { inside_->resync(tokens); }
void VenueFeed::ask_history(std::vector<TokenHole> holes) { inside_->ask_history(std::move(holes)); }
FeedHealth VenueFeed::health() { return inside_->health(); }
void VenueFeed::stop() { inside_->stop(); }

}  // namespace everlearn
