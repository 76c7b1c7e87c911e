#include "venue/request_limits.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace everlearn::venue {

const LimitTable& documented_limits() {
  // Requests per ten seconds; where the documentation gives a burst besides ten minutes, the burst.
  static const LimitTable table{
      {"all", 15'000},
      {"gamma", 4'000},
      {"gamma /events", 500},
      {"gamma /markets", 300},
      {"gamma listings", 900},
      {"gamma /public-search", 350},
      {"gamma /tags", 200},
      {"data", 1'000},
      {"data /trades", 200},
      {"data /positions", 150},
      {"data /closed-positions", 150},
      {"data v2", 800},
      {"data /v2/trades", 300},
      {"data /v2/positions", 200},
      {"data /v2/activity", 200},
      {"data /v2/prices-history", 200},
      {"clob", 9'000},
      {"clob /book", 1'500},
      {"clob /price", 1'500},
      {"clob /midpoint", 1'500},
      {"clob /books", 500},
      {"clob /prices", 500},
      {"clob /midpoints", 500},
      {"clob /prices-history", 1'000},
      {"clob /tick-size", 200},
      {"clob /balance-allowance", 200},
      {"clob /balance-allowance/update", 50},
      {"clob ledger", 900},
      {"clob /data/orders", 500},
      {"clob /data/trades", 500},
      {"clob /notifications", 125},
      {"clob auth", 100},
      {"clob POST /order", 5'000},
      {"clob DELETE /order", 5'000},
      {"clob POST /orders", 2'000},
      {"clob DELETE /orders", 2'000},
      {"clob /cancel-all", 250},
      {"clob /cancel-market-orders", 1'500},
      {"clob /ok", 100},
  };
  return table;
}

Duration RequestLimits::ask(const std::vector<std::string>& groups, Timestamp now) {
  Duration longest{};
  std::vector<std::deque<Timestamp>*> counted;
  for (const std::string& group : groups) {
    const auto limit = table_.find(group);
    if (limit == table_.end()) continue;
    std::deque<Timestamp>& taken = taken_[group];
    while (!taken.empty() && taken.front() + kWindow <= now) taken.pop_front();
    if (taken.size() < limit->second)
      counted.push_back(&taken);
    else if (taken.empty())  // a limit of zero
      longest = std::max(longest, kWindow);
    else
      longest = std::max(longest, taken.front() + kWindow - now);
  }
  if (longest == Duration{})
    for (std::deque<Timestamp>* taken : counted) taken->push_back(now);
  return longest;
}

SignerLimits::Standing SignerLimits::take(const std::string& signer, bool cancels, double cost, Timestamp now,
                                          bool enforced) {
  const Figures& figures = cancels ? kCancels : kOrders;
  const auto [found, fresh] = buckets_.try_emplace({signer, cancels}, Bucket{figures.burst, now});
  Bucket& bucket = found->second;
  bucket.tokens = std::min(figures.burst, bucket.tokens + (now - bucket.at).as_seconds() * figures.per_second);
  bucket.at = now;
  const bool over = bucket.tokens < cost;
  if (!over || !enforced) bucket.tokens -= cost;
  const double missing = (figures.burst - bucket.tokens) / figures.per_second;
  return {.left = bucket.tokens, .full = now + Duration{static_cast<std::int64_t>(missing * 1e6)}, .over = over};
}

std::vector<std::string> limit_groups(std::string_view api, std::string_view method, std::string_view path) {
  const auto starts = [path](std::string_view prefix) { return path.substr(0, prefix.size()) == prefix; };
  std::vector<std::string> groups{"all", std::string{api}};
  const auto add = [&](std::string_view rest) { groups.push_back(fmt::format("{} {}", api, rest)); };
  if (api == "gamma") {
    const bool markets = starts("/markets"), events = starts("/events");
    if (markets || events) add("listings");
    if (markets) return add("/markets"), groups;
    if (events) return add("/events"), groups;
    if (starts("/tags") || starts("/comments")) return add("/tags"), groups;
  }
  if (api == "data" && starts("/v2/")) add("v2");
  if (api == "clob") {
    if (starts("/auth/")) return add("auth"), groups;
    if (starts("/data/") || starts("/notifications") || starts("/order")) add("ledger");
    if (path == "/order" || path == "/orders") return add(fmt::format("{} {}", method, path)), groups;
  }
  add(path);
  return groups;
}

}  // namespace everlearn::venue
