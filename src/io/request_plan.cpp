#include "io/request_plan.hpp"

#include "io/venue_interpreter.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kMarketsOnPage = 100;
constexpr std::int64_t kBooksAtOnce = 200;     // tokens of one POST /books
constexpr std::int64_t kQuotesAtOnce = 250;    // tokens of one POST /prices, with two sides each
constexpr std::int64_t kHistoriesAtOnce = 20;  // tokens of one batch of prices of the past
constexpr std::int64_t kWindow = 10'000'000;   // ten seconds, in us

/// Requests for so many things.
std::int64_t batches(std::int64_t things, std::int64_t at_once) { return (things + at_once - 1) / at_once; }

/// What comes every so often, in ten seconds.
double rate(std::int64_t requests, Duration every) {
  return static_cast<double>(requests) * kWindow / static_cast<double>(every.us());
}

}  // namespace

std::vector<RequestRate> request_plan(const VenueOptions& options, const VenueScale& scale) {
  const VenueLimits& limits = options.limits;
  const std::int64_t first = scale.first_tier * 2;
  const std::int64_t second = scale.second_tier * 2;
  const std::int64_t pages = batches(scale.listed, kMarketsOnPage);
  const auto unlisted = static_cast<std::int64_t>(Following::kMostUnlisted);
  const std::int64_t books = batches(first, kBooksAtOnce);
  const std::int64_t quotes = 2 * batches(second, kQuotesAtOnce);  // prices, and last trades
  const std::int64_t histories = batches(first + second, kHistoriesAtOnce);

  std::vector<RequestRate> plan = {
      {"gamma /markets", rate(pages, options.refresh), pages, limits.gamma_markets, 300},
      {"clob /markets/{condition}", rate(unlisted, options.refresh), unlisted, limits.book, 1'500},
      {"clob /books, /prices, /last-trades-prices", rate(quotes, options.second_tier_every), books + quotes,
       limits.books, 500},
      {"clob /prices-history", 0, histories, limits.history, 1'000},
      {"data /trades", 0, scale.first_tier, limits.trades, 200},
  };
  RequestRate clob{"clob, all", 0, 0, limits.clob, 9'000};
  for (const RequestRate& one : plan) {
    if (!one.group.starts_with("clob")) continue;
    clob.usual += one.usual;
    clob.most += one.most;
  }
  const RequestRate gamma{"gamma, all", plan.front().usual, plan.front().most, limits.gamma, 4'000};
  const RequestRate data{"data, all", plan.back().usual, plan.back().most, limits.data, 1'000};
  plan.push_back(gamma);
  plan.push_back(clob);
  plan.push_back(data);
  return plan;
}

}  // namespace everlearn
