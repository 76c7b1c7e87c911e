#include "venue/request_limits.hpp"

#include <algorithm>

#include <doctest/doctest.h>

namespace everlearn::venue {
namespace {
Timestamp at(std::int64_t ms) { return Timestamp{ms * 1'000}; }
}  // namespace

TEST_CASE("request limits: a window of ten seconds that slides") {
  RequestLimits limits{{{"clob /book", 2}}};
  CHECK(limits.ask({"clob /book"}, at(0)) == Duration{});
  CHECK(limits.ask({"clob /book"}, at(4'000)) == Duration{});
  CHECK(limits.ask({"clob /book"}, at(9'000)) == Duration::seconds(1));
  CHECK(limits.ask({"clob /book"}, at(10'000)) == Duration{});           // the first one is ten seconds ago
  CHECK(limits.ask({"clob /book"}, at(10'001)) == Duration{3'999'000});  // a refused request does not count
}

TEST_CASE("request limits: full for one group is refused in all, and counted in none") {
  RequestLimits limits{{{"all", 3}, {"gamma /markets", 1}}};
  CHECK(limits.ask({"all", "gamma /markets"}, at(0)) == Duration{});
  for (int i = 0; i < 5; ++i) CHECK(limits.ask({"all", "gamma /markets"}, at(1)) > Duration{});
  CHECK(limits.ask({"all", "clob /book"}, at(2)) == Duration{});
  CHECK(limits.ask({"all", "clob /book"}, at(2)) == Duration{});
  CHECK(limits.ask({"all", "clob /book"}, at(2)) > Duration{});
}

TEST_CASE("request limits: zero is never, no figure is always") {
  RequestLimits limits{{{"all", 0}}};
  CHECK(limits.ask({"all"}, at(0)) == RequestLimits::kWindow);
  CHECK(limits.ask({"elsewhere"}, at(0)) == Duration{});
}

TEST_CASE("signer limits: a bucket for orders, one for cancellations, one pair for each signer") {
  SignerLimits limits;
  CHECK(limits.take("a", false, 60, at(0), false).left == 0);
  CHECK(limits.take("a", true, 1, at(0), false).left == 119);
  CHECK(limits.take("b", false, 1, at(0), false).left == 59);
  const auto over = limits.take("a", false, 2, at(0), false);  // told, not refused
  CHECK(over.over);
  CHECK(over.left == -2);
  CHECK(over.full == at(1'550));
  CHECK(limits.take("a", false, 1, at(1'000), false).left == doctest::Approx(37));
}

TEST_CASE("signer limits: enforced, what is not there is not taken; a batch above the burst never fits") {
  SignerLimits limits;
  CHECK(limits.take("a", false, 61, at(0), true).over);
  CHECK(limits.take("a", false, 60, at(0), true).left == 0);
  CHECK(limits.take("a", false, 1, at(0), true).over);
  CHECK_FALSE(limits.take("a", false, 1, at(25), true).over);
}

TEST_CASE("request limits: the groups of a path, as documented") {
  const auto has = [](const std::vector<std::string>& groups, const std::string& one) {
    return std::find(groups.begin(), groups.end(), one) != groups.end();
  };
  CHECK(has(limit_groups("gamma", "GET", "/markets/keyset"), "gamma /markets"));
  CHECK(has(limit_groups("gamma", "GET", "/markets/keyset"), "gamma listings"));
  CHECK(has(limit_groups("clob", "POST", "/books"), "clob /books"));
  CHECK_FALSE(has(limit_groups("clob", "POST", "/books"), "clob /book"));
  CHECK(has(limit_groups("clob", "DELETE", "/order"), "clob DELETE /order"));
  CHECK(has(limit_groups("clob", "GET", "/data/orders"), "clob ledger"));
  CHECK(has(limit_groups("data", "GET", "/v2/trades"), "data v2"));
  for (const auto& [group, figure] : documented_limits()) CHECK_MESSAGE(figure > 0, group);
}

}  // namespace everlearn::venue
