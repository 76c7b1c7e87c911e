// /control: how a test steers the venue and learns what is true. No limits, no faults.
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/json.hpp"
#include "venue/desk.hpp"

namespace everlearn::venue {
namespace {

constexpr std::size_t kLogPage = 10'000;

std::string_view stage_name(Stage stage) {
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

std::string counts(const std::map<std::string, std::uint64_t>& counts) {
  JsonOut out;
  for (const auto& [name, count] : counts) out.put(name, count);
  return out.text();
}

template <class T>
T number_of(const WebRequest& request, std::string_view key, T otherwise) {
  const std::string text = request.value(key).value_or("");
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() ? value : otherwise;
}

}  // namespace

WebReply Desk::control(const WebRequest& request) {
  const std::string_view what = std::string_view{request.path}.substr(std::min<std::size_t>(request.path.size(), 9));
  const bool get = request.method == "GET";
  if (what == "clock") return control_clock(request);
  if (what == "fault") return control_fault(request);
  if (what == "faults" && get) {
    std::vector<std::string> list;
    for (const Fault& fault : faults_.all()) list.push_back(fault.text());
    return WebReply::json(JsonOut{}.put("now", venue_.now().iso()).put_list("faults", list).text());
  }
  if (what == "sent" && get) return control_sent();
  if (what == "requests" && get) return control_requests();
  if (what == "markets" && get) return control_markets();
  if (what == "log" && get) return control_log(request);
  if (what == "price" && get) {
    const std::string name = request.value("token").value_or(request.value("market").value_or(""));
    const auto by_token = venue_.by_token(name);
    const auto market = by_token ? by_token : venue_.by_condition(name);
    if (!market) return WebReply::refusal(404, fmt::format("there is no token or condition '{}'", name));
    const auto at = Timestamp::parse(request.value("at").value_or(venue_.now().iso()));
    if (!at) return WebReply::refusal(400, at.error().message);
    auto price = venue_.true_price(*market, *at);
    if (price && by_token && venue_.view(*market).tokens[1] == name)
      price = Price::from_nanos(Price::kScale - price->nanos());
    JsonOut out;
    if (price)
      out.put("price", price->text());
    else
      out.put_null("price");
    return WebReply::json(out.text());
  }
  if (what == "balance" && !get) {
    const auto in = JsonIn::parse(request.body);
    if (!in) return WebReply::refusal(400, in.error().message);
    JsonIn body = *in;
    std::string address, token, amount;
    body.get("address", address);
    body.get("amount", amount);
    if (body.has("token")) body.get("token", token);
    const auto read = body.finish("balance");
    if (!read) return WebReply::refusal(400, read.error().message);
    const auto quantity = Quantity::parse(amount);
    if (!quantity) return WebReply::refusal(400, quantity.error().message);
    venue_.set_balance(address, token, *quantity);
    return WebReply::json("{}");
  }
  return WebReply::refusal(404, fmt::format("there is no control '{}' for {}", what, request.method));
}

WebReply Desk::control_clock(const WebRequest& request) {
  if (request.method != "GET") {
    if (clocks_.held == nullptr)
      return WebReply::refusal(400, "the clock runs by itself: only with --speed 0 it is moved");
    const auto in = JsonIn::parse(request.body);
    if (!in) return WebReply::refusal(400, in.error().message);
    JsonIn body = *in;
    Timestamp to = venue_.now();
    std::string text;
    if (body.has("by")) {
      body.get("by", text);
      const auto by = Duration::parse(text);
      if (!by) return WebReply::refusal(400, by.error().message);
      to = to + *by;
    } else {
      body.get("to", text);
      const auto time = Timestamp::parse(text);
      if (!time) return WebReply::refusal(400, time.error().message);
      to = *time;
    }
    clocks_.held->move_to(to);
    tick();
  }
  return WebReply::json(JsonOut{}
                            .put("now", venue_.now().iso())
                            .put("first", venue_.first().iso())
                            .put("last", venue_.last().iso())
                            .put("speed", clocks_.held != nullptr ? 0.0 : clocks_.speed)
                            .text());
}

WebReply Desk::control_fault(const WebRequest& request) {
  if (request.method == "POST") {
    auto fault = read_fault(request.body, venue_.now());
    if (!fault) return WebReply::refusal(400, fault.error().message);
    const std::uint64_t id = faults_.add(std::move(*fault));
    tick();
    return WebReply::json(JsonOut{}.put("id", id).text());
  }
  if (request.method == "DELETE") {
    if (!request.value("id")) {
      faults_.clear();
      return WebReply::json("{}");
    }
    const auto id = number_of<std::uint64_t>(request, "id", 0);
    if (!faults_.clear(id))
      return WebReply::refusal(404, fmt::format("there is no fault '{}'", request.value("id").value_or("")));
    return WebReply::json("{}");
  }
  return WebReply::refusal(405, "POST adds a fault, DELETE clears one or all");
}

WebReply Desk::control_sent() const {
  std::vector<std::string> sockets;
  for (const auto& [id, socket] : sockets_)
    sockets.push_back(JsonOut{}
                          .put("id", id)
                          .put("channel", socket.channel)
                          .put("opened", socket.opened.iso())
                          .put("assets", static_cast<std::uint64_t>(socket.assets.size()))
                          .put("custom", socket.custom)
                          .put("frames", socket.frames)
                          .put("bytes", socket.bytes)
                          .put("withheld", socket.withheld)
                          .text());
  JsonOut tokens;
  std::map<std::string, const std::map<std::string, std::uint64_t>*> sorted;
  for (const auto& [token, sent] : sent_of_) sorted.emplace(token, &sent);
  for (const auto& [token, sent] : sorted) tokens.put_json(token, counts(*sent));
  return WebReply::json(JsonOut{}
                            .put_list("sockets", sockets)
                            .put_json("sent", counts(sent_))
                            .put_json("withheld", counts(withheld_))
                            .put_json("tokens", tokens.text())
                            .text());
}

WebReply Desk::control_requests() const {
  JsonOut out;
  for (const auto& [route, by_status] : answered_) {
    JsonOut statuses;
    for (const auto& [status, count] : by_status) statuses.put(std::to_string(status), count);
    out.put_json(route, statuses.text());
  }
  return WebReply::json(out.text());
}

WebReply Desk::control_markets() const {
  std::vector<std::string> list;
  for (const MarketIndex index : venue_.listed()) {
    const MarketView market = venue_.view(index);
    JsonOut out;
    out.put("id", market.id)
        .put("slug", market.slug)
        .put("condition", market.condition)
        .put("tokens", std::vector<std::string>{market.tokens[0], market.tokens[1]})
        .put("recording", market.recording)
        .put("stage", stage_name(market.stage))
        .put("accepting_orders", market.accepting_orders)
        .put("end", market.end.iso())
        .put("tick", market.tick.text())
        .put("volume_24h", market.volume_24h)
        .put("made_book", market.made_book)
        .put("made_trades", market.made_trades);
    if (market.payout) out.put("payout", market.payout->text());
    if (const auto outcome = venue_.outcome(index))
      out.put_json("outcome", JsonOut{}
                                  .put("at", outcome->at.iso())
                                  .put("payout", outcome->payout.text())
                                  .put("scripted", outcome->scripted)
                                  .text());
    list.push_back(out.text());
  }
  return WebReply::json(JsonOut{}.put("now", venue_.now().iso()).put_list("markets", list).text());
}

WebReply Desk::control_log(const WebRequest& request) const {
  const auto from = number_of<std::uint64_t>(request, "from", 0);
  const auto limit = std::min(kLogPage, number_of<std::size_t>(request, "limit", kLogPage));
  std::vector<std::string> lines;
  for (const OracleEntry& entry : venue_.log(from, limit))
    lines.push_back(Venue::log_line(entry, venue_.view(entry.market).slug));
  return WebReply::json(JsonOut{}.put("size", venue_.log_size()).put("from", from).put_list("entries", lines).text());
}

}  // namespace everlearn::venue
