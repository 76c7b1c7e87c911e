// How many requests the venue takes: a window of ten seconds for each group of paths that its documentation names.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.hpp"

namespace everlearn::venue {

/// Requests per ten seconds of a group; the groups of a request are those that name it.
using LimitTable = std::map<std::string, std::uint32_t>;

/// The documented ones: "all", "gamma", "gamma /markets", "clob /book", "data /v2/trades", ...
const LimitTable& documented_limits();

class RequestLimits {
 public:
  static constexpr Duration kWindow = Duration::seconds(10);

  explicit RequestLimits(LimitTable table) : table_{std::move(table)} {}

  /// Counts a request of these groups at `now`, unless one of them is full. Returns how long until it would be taken;
  /// zero: it is. A group that is in no table has no limit.
  Duration ask(const std::vector<std::string>& groups, Timestamp now);

 private:
  LimitTable table_;
  std::map<std::string, std::deque<Timestamp>> taken_;
};

/// A bucket of orders and one of cancellations for each signer, as the standard tier has them. Not enforced: what it
/// lacks is told in headers; enforced: refused.
class SignerLimits {
 public:
  struct Figures {
    double per_second, burst;
  };
  static constexpr Figures kOrders{40, 60}, kCancels{80, 120};

  struct Standing {
    double left = 0;  // below zero: more than was allowed
    Timestamp full;   // when the bucket is full again
    bool over = false;
  };
  /// Takes `cost` tokens. With `enforced` nothing is taken that is not there.
  Standing take(const std::string& signer, bool cancels, double cost, Timestamp now, bool enforced);

 private:
  struct Bucket {
    double tokens;
    Timestamp at;
  };
  std::map<std::pair<std::string, bool>, Bucket> buckets_;
};

/// The groups that a request of `api` ("gamma", "clob", "data") belongs to.
std::vector<std::string> limit_groups(std::string_view api, std::string_view method, std::string_view path);

}  // namespace everlearn::venue
