#include "venue/desk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "core/json.hpp"

namespace everlearn::venue {
namespace {

namespace json = boost::json;

constexpr Duration kSilentClient = Duration::minutes(2);  // real time without a word from a socket: it is dropped

std::string_view kind_name(Outgoing::Kind kind) {
  switch (kind) {
    case Outgoing::Kind::Book:
      return "book";
    case Outgoing::Kind::PriceChange:
      return "price_change";
    case Outgoing::Kind::LastTradePrice:
      return "last_trade_price";
    case Outgoing::Kind::TickSizeChange:
      return "tick_size_change";
    case Outgoing::Kind::BestBidAsk:
      return "best_bid_ask";
    case Outgoing::Kind::NewMarket:
      return "new_market";
    case Outgoing::Kind::MarketResolved:
      return "market_resolved";
    case Outgoing::Kind::UserOrder:
      return "order";
    case Outgoing::Kind::UserTrade:
      return "trade";
  }
  return "";
}

bool is_user(Outgoing::Kind kind) { return kind == Outgoing::Kind::UserOrder || kind == Outgoing::Kind::UserTrade; }

std::string_view text_of(const json::value& value) {
  const json::string& text = value.get_string();
  return {text.data(), text.size()};
}

std::vector<std::string> texts_of(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const json::value* list = object.if_contains({key.data(), key.size()});
  if (list == nullptr || !list->is_array()) return texts;
  for (const json::value& item : list->get_array())
    if (item.is_string()) texts.emplace_back(text_of(item));
  return texts;
}

std::string_view member(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_string() ? text_of(*value) : std::string_view{};
}

/// Whose path it is. "/gamma/markets", "/clob/markets" and "/data-api/trades" say so; without such a beginning the path
/// tells, and "/markets" is the CLOB's when it carries a cursor or a condition.
std::pair<std::string_view, std::string> api_of(const WebRequest& request) {
  const std::string_view path = request.path;
  const auto starts = [path](std::string_view prefix) { return path.substr(0, prefix.size()) == prefix; };
  for (const auto& [prefix, api] :
       {std::pair<std::string_view, std::string_view>{"/gamma", "gamma"}, {"/clob", "clob"}, {"/data-api", "data"}})
    if (starts(prefix) && path.substr(prefix.size(), 1) == "/") return {api, std::string{path.substr(prefix.size())}};
  if (path == "/markets") return {request.value("next_cursor") ? "clob" : "gamma", request.path};
  if (starts("/markets/0x") || starts("/markets/live-activity/")) return {"clob", request.path};
  for (const std::string_view prefix :
       {"/markets/", "/events", "/tags", "/series", "/sports", "/teams", "/comments", "/public-search"})
    if (starts(prefix)) return {"gamma", request.path};
  for (const std::string_view prefix : {"/trades", "/positions", "/closed-positions", "/activity", "/value", "/holders",
                                        "/oi", "/live-volume", "/v1/leaderboard", "/v2/"})
    if (starts(prefix)) return {"data", request.path};
  return {"clob", request.path};
}

/// The path without what differs from request to request, for counting.
std::string route_of(std::string_view api, const WebRequest& request) {
  std::string path;
  std::string_view rest = request.path;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/', 1);
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(part.size());
    const bool id = part.size() > 2 && (part.substr(1, 2) == "0x" || (part[1] >= '0' && part[1] <= '9'));
    path += id ? "/{id}" : part;
    if (part == "/slug" && !rest.empty()) {
      path += "/{slug}";
      break;
    }
  }
  return fmt::format("{} {} {}", api, request.method, path);
}

std::string malformed(std::string_view frame) { return std::string{frame.substr(0, frame.size() / 2)}; }

std::string oversized(std::size_t bytes) {
  constexpr std::string_view kHead = R"({"event_type":"some_future_event","padding":")";
  std::string text{kHead};
  text.append(bytes > kHead.size() + 2 ? bytes - kHead.size() - 2 : 0, 'x');
  return text + "\"}";
}

}  // namespace

Desk::Desk(Venue& venue, const Clocks& clocks, const Scenario& scenario, const Log& log)
    : venue_{venue}, clocks_{clocks}, scenario_{scenario}, log_{log}, limits_{scenario.limits} {}

Result<std::unique_ptr<Desk>> Desk::open(Venue& venue, const Clocks& clocks, const Scenario& scenario, const Log& log) {
  std::unique_ptr<Desk> desk{new Desk{venue, clocks, scenario, log}};
  for (const std::string& text : scenario.faults) {
    EL_TRY(Fault fault, read_fault(text, venue.now()));
    desk->faults_.add(std::move(fault));
  }
  desk->tick();
  return desk;
}

// --- time

void Desk::tick() {
  const Timestamp now = clocks_.shown.now();
  for (std::optional<Timestamp> next = faults_.next_due(); next && *next <= now; next = faults_.next_due()) {
    advance_to(*next);
    for (const Fault& fault : faults_.due(*next)) carry_out(fault);
  }
  advance_to(now);
  const Timestamp real = clocks_.real.now();
  for (const auto& [id, socket] : sockets_)
    if (real - socket.heard > kSilentClient) acts_.push_back({.socket = id, .what = SocketAct::What::Reset});
  write_log();
}

void Desk::write_log() {
  constexpr std::size_t kAtOnce = 10'000;
  while (log_.file != nullptr && log_written_ && logged_ < venue_.log_size()) {
    std::string lines;
    const std::vector<OracleEntry> entries = venue_.log(logged_, kAtOnce);
    for (const OracleEntry& entry : entries) lines += Venue::log_line(entry, venue_.view(entry.market).slug) + '\n';
    logged_ = entries.size() < kAtOnce ? venue_.log_size() : logged_ + kAtOnce;
    log_written_ = log_.file->append(lines);
  }
}

Result<void> Desk::finish() {
  write_log();
  if (log_.file == nullptr || !log_written_) return log_written_;
  return log_.file->close();
}

void Desk::advance_to(Timestamp to) {
  std::vector<Outgoing> happened;
  venue_.advance_to(to, happened);
  bool resolved = false;
  for (const Outgoing& event : happened) {
    tell(event);
    if (event.kind != Outgoing::Kind::MarketResolved) continue;
    resolved_.insert(event.tokens.begin(), event.tokens.end());
    resolved = true;
  }
  if (resolved) close_resolved();
}

void Desk::carry_out(const Fault& fault) {
  venue_.note("fault", "", fault.text());
  switch (fault.kind) {
    case FaultKind::Market:
      venue_.script(fault.act);
      break;
    case FaultKind::Mode:
      (void)venue_.set_mode(fault.mode);
      if (fault.until) {
        Fault end = fault;
        end.from = *fault.until;
        end.until.reset();
        end.mode.clear();
        end.hits = 0;
        faults_.add(std::move(end));
      }
      break;
    case FaultKind::Disconnect:
      for (const auto& [id, socket] : sockets_) {
        if (!fault.channel.empty() && fault.channel != socket.channel) continue;
        const auto has = [&](const std::string& asset) { return socket.assets.contains(asset); };
        if (!fault.assets.empty() && std::none_of(fault.assets.begin(), fault.assets.end(), has)) continue;
        const auto what = fault.code == 1006 ? SocketAct::What::Reset : SocketAct::What::Close;
        acts_.push_back(
            {.socket = id, .what = what, .text = "by script", .code = static_cast<std::uint16_t>(fault.code)});
      }
      break;
    default:
      break;  // those that last are looked up when something is sent or asked
  }
}

void Desk::tell(const Outgoing& event) {
  const std::string_view what = kind_name(event.kind);
  if (is_user(event.kind)) {
    const std::string condition = venue_.view(event.market).condition;
    for (auto& [id, socket] : sockets_) {
      if (socket.channel != "user" || socket.owner.empty() || socket.owner != event.owner) continue;
      if (socket.markets.empty() || socket.markets.contains(condition))
        send(id, socket, what, event.tokens, event.json);
    }
    return;
  }
  const bool custom_only = for_custom_only(event.kind);
  std::set<SocketId> to;
  if (event.kind == Outgoing::Kind::NewMarket) {
    for (const auto& [id, socket] : sockets_)
      if (socket.channel == "market") to.insert(id);
  }
  for (const std::string& token : event.tokens) {
    const auto found = subscribers_.find(token);
    if (found != subscribers_.end()) to.insert(found->second.begin(), found->second.end());
  }
  for (const SocketId id : to) {
    Socket& socket = sockets_.at(id);
    if (!custom_only || socket.custom) send(id, socket, what, event.tokens, event.json);
  }
}

// --- sockets

bool Desk::answers() { return faults_.active(FaultKind::HalfOpen, venue_.now()).empty(); }

WebReply Desk::open(SocketId id, const WebRequest& request) {
  if (!answers()) return {.fate = WebFate::Unanswered};
  const bool market = request.path == "/ws/market";
  const bool user = request.path == "/ws/user";
  if (!market && !user) return WebReply::refusal(404, "no socket at " + request.path);
  Socket socket{.channel = market ? "market" : "user", .opened = venue_.now(), .heard = clocks_.real.now()};
  const std::vector<std::string> none;
  if (const Fault* fault = faults_.acts(FaultKind::Refuse, venue_.now(), {socket.channel, socket.opened, none}))
    return WebReply::refusal(fault->status == 429 ? 503 : fault->status, "refused by script");
  sockets_.emplace(id, std::move(socket));
  return {.status = 101};
}

void Desk::gone(SocketId id) {
  const auto found = sockets_.find(id);
  if (found == sockets_.end()) return;
  const std::vector<std::string> assets{found->second.assets.begin(), found->second.assets.end()};
  unsubscribe(id, found->second, assets);
  sockets_.erase(found);
  watch_subscribed();
}

void Desk::heard(SocketId id, std::string_view text) {
  const auto found = sockets_.find(id);
  if (found == sockets_.end()) return;
  Socket& socket = found->second;
  socket.heard = clocks_.real.now();
  if (text == "PING") {
    const std::vector<std::string> assets{socket.assets.begin(), socket.assets.end()};
    if (faults_.acts(FaultKind::Mute, venue_.now(), {socket.channel, socket.opened, assets}) == nullptr)
      push(id, socket, "PONG");
    return;
  }
  if (socket.channel == "market") return heard_market(id, socket, text);
  heard_user(id, socket, text);
}

void Desk::heard_market(SocketId id, Socket& socket, std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return push(id, socket, "INVALID OPERATION");
  const json::object& said = value.get_object();
  const std::vector<std::string> assets = texts_of(said, "assets_ids");
  const std::string_view operation = member(said, "operation");
  if (operation == "unsubscribe") {
    unsubscribe(id, socket, assets);
    return watch_subscribed();
  }
  if (const json::value* custom = said.if_contains("custom_feature_enabled"); custom != nullptr && custom->is_bool())
    socket.custom = custom->get_bool();
  const json::value* dump = said.if_contains("initial_dump");
  const bool without_books = dump != nullptr && dump->is_bool() && !dump->get_bool();
  subscribe(id, socket, assets, !without_books);
}

void Desk::subscribe(SocketId id, Socket& socket, const std::vector<std::string>& assets, bool books) {
  std::vector<std::string> fresh;
  for (const std::string& asset : assets) {
    if (!socket.assets.insert(asset).second) continue;
    subscribers_[asset].insert(id);
    fresh.push_back(asset);
  }
  watch_subscribed();
  // Assets that are subscribed already are refused without a word; too many on a socket get no book, also silently.
  if (fresh.empty() && !assets.empty()) return;
  if (!books || socket.assets.size() > scenario_.assets_per_socket) return;
  const Timestamp now = venue_.now();
  std::string frame = "[";
  std::vector<std::string> told;
  for (const std::string& asset : fresh) {
    const std::vector<std::string> one{asset};
    if (faults_.acts(FaultKind::Freeze, now, {socket.channel, socket.opened, one}) != nullptr) continue;
    const std::string book = venue_.book_event(asset);
    if (book.empty()) continue;
    if (told.size() > 0) frame += ',';
    frame += book;
    told.push_back(asset);
    ++sent_of_[asset]["book"];
  }
  frame += ']';
  send(id, socket, "books", {}, std::move(frame));
}

void Desk::unsubscribe(SocketId id, Socket& socket, const std::vector<std::string>& assets) {
  for (const std::string& asset : assets) {
    if (socket.assets.erase(asset) == 0) continue;
    const auto found = subscribers_.find(asset);
    found->second.erase(id);
    if (found->second.empty()) subscribers_.erase(found);
  }
}

void Desk::watch_subscribed() {
  std::vector<std::string> tokens;
  tokens.reserve(subscribers_.size());
  for (const auto& [token, sockets] : subscribers_) tokens.push_back(token);
  std::sort(tokens.begin(), tokens.end());
  venue_.watch(tokens);
}

void Desk::heard_user(SocketId id, Socket& socket, std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return push(id, socket, "INVALID OPERATION");
  const json::object& said = value.get_object();
  if (const json::value* auth = said.if_contains("auth"); auth != nullptr && auth->is_object()) {
    const json::object& who = auth->get_object();
    if (!venue_.knows_key(member(who, "apiKey"), member(who, "secret"), member(who, "passphrase"))) {
      acts_.push_back({.socket = id, .what = SocketAct::What::Close, .text = "unauthorized", .code = 1008});
      return;
    }
    socket.owner = member(who, "apiKey");
    for (std::string& market : texts_of(said, "markets")) socket.markets.insert(std::move(market));
    return;
  }
  const bool off = member(said, "operation") == "unsubscribe";
  for (std::string& market : texts_of(said, "markets")) {
    if (off)
      socket.markets.erase(market);
    else
      socket.markets.insert(std::move(market));
  }
}

void Desk::send(SocketId id, Socket& socket, std::string_view what, const std::vector<std::string>& tokens,
                std::string frame) {
  const Timestamp now = venue_.now();
  const FaultBoard::Target target{socket.channel, socket.opened, tokens};
  const auto note = [&](std::string_view fault) {
    if (!log_.frames) return;
    JsonOut out;
    out.put("socket", id).put("event", what).put("bytes", static_cast<std::uint64_t>(frame.size()));
    if (!fault.empty()) out.put("fault", fault);
    venue_.note(fault.empty() ? "sent" : "withheld", tokens.empty() ? std::string_view{} : tokens.front(), out.text());
  };
  for (const FaultKind kind : {FaultKind::Mute, FaultKind::Freeze, FaultKind::Drop}) {
    if (kind == FaultKind::Drop && what != "price_change") continue;
    if (faults_.acts(kind, now, target) == nullptr) continue;
    ++socket.withheld;
    ++withheld_[std::string{what}];
    return note(name_of(kind));
  }
  if (const Fault* fault = faults_.acts(FaultKind::Oversized, now, target)) push(id, socket, oversized(fault->bytes));
  if (const Fault* fault = faults_.acts(FaultKind::Malformed, now, target)) {
    push(id, socket, malformed(frame));
    if (fault->instead) {
      ++socket.withheld;
      ++withheld_[std::string{what}];
      return note("malformed");
    }
  }
  const bool twice = faults_.acts(FaultKind::Duplicate, now, target) != nullptr;
  ++sent_[std::string{what}];
  for (const std::string& token : tokens)
    if (socket.assets.contains(token)) ++sent_of_[token][std::string{what}];
  note("");
  const bool as_array =
      scenario_.array_every > 0 && frame.front() == '{' && (socket.frames + 1) % scenario_.array_every == 0;
  if (as_array) frame = "[" + frame + "]";
  if (twice) push(id, socket, frame);
  push(id, socket, std::move(frame));
}

void Desk::push(SocketId id, Socket& socket, std::string frame) {
  ++socket.frames;
  socket.bytes += frame.size();
  acts_.push_back({.socket = id, .what = SocketAct::What::Send, .text = std::move(frame)});
}

void Desk::close_resolved() {
  for (const auto& [id, socket] : sockets_) {
    if (socket.channel != "market" || socket.assets.empty()) continue;
    const auto over = [this](const std::string& asset) { return resolved_.contains(asset); };
    if (std::all_of(socket.assets.begin(), socket.assets.end(), over))
      acts_.push_back(
          {.socket = id, .what = SocketAct::What::Close, .text = "all subscribed assets resolved", .code = 1000});
  }
}

std::vector<SocketAct> Desk::take_acts() { return std::exchange(acts_, {}); }

// --- requests

WebReply Desk::answer(const WebRequest& request) {
  if (request.path == "/control" || request.path.substr(0, 9) == "/control/") return control(request);
  const auto [api, path] = api_of(request);
  WebRequest inner = request;
  inner.path = path;
  const Timestamp now = venue_.now();
  const std::string route = route_of(api, inner);
  WebReply reply;
  if (!answers()) {
    reply.fate = WebFate::Unanswered;
    ++answered_[route][0];
    return reply;
  }
  const Fault* slow = faults_.acts_on_route(FaultKind::Slow, now, path);
  const Duration delay = slow != nullptr ? slow->delay : Duration{};
  if (const Fault* fault = faults_.acts_on_route(FaultKind::Status, now, path)) {
    reply = WebReply::refusal(fault->status, fault->status == 429   ? "Too Many Requests"
                                             : fault->status >= 500 ? "Internal server error"
                                                                    : "refused by script");
    if (fault->retry_after_s) reply.headers.emplace_back("Retry-After", std::to_string(*fault->retry_after_s));
  } else if (const Duration wait = limits_.ask(limit_groups(api, inner.method, path), now); wait > Duration{}) {
    reply = WebReply::refusal(429, "Too Many Requests");
    reply.headers.emplace_back("Retry-After", std::to_string((wait.us() + 999'999) / 1'000'000));
  } else {
    reply = routed(api, inner);
  }
  reply.after = delay;
  ++answered_[route][reply.status];
  return reply;
}

WebReply Desk::routed(std::string_view api, const WebRequest& request) {
  if (api == "gamma") return gamma(request);
  if (api == "data") return data(request);
  return clob(request);
}

}  // namespace everlearn::venue
