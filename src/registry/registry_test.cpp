#include "registry/registry.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using namespace everlearn;

namespace {

// Ids of one letter repeated, so that prefixes are easy to read.
std::string id(char letter) { return std::string(64, letter); }

Registry with(std::initializer_list<char> letters) {
  Registry registry;
  for (const char letter : letters) {
    ModelEntry entry;
    entry.id = id(letter);
    entry.target = "ret";
    entry.bytes = 100;
    registry.add(entry);
  }
  return registry;
}

Timestamp day(int n) { return Timestamp{} + Duration::days(n); }

}  // namespace

TEST_CASE("registry: a promotion retires the champion before") {
  Registry registry = with({'a', 'b'});
  CHECK(!registry.champion("ret"));
  REQUIRE(registry.promote(id('a'), day(1), false));
  REQUIRE(registry.promote(id('b'), day(2), false));
  CHECK(registry.champion("ret") == id('b'));
  CHECK(registry.find(id('a'))->state == ModelState::Retired);
  CHECK(registry.find(id('a'))->retired_at == day(2));
  CHECK(registry.previous_champions("ret") == std::vector{id('a')});
}

TEST_CASE("registry: a rollback by hand pins the target until it is unpinned") {
  Registry registry = with({'a', 'b', 'c'});
  REQUIRE(registry.promote(id('a'), day(1), false));
  REQUIRE(registry.promote(id('b'), day(2), false));
  CHECK(registry.rollback("ret", "", day(3)).value() == id('a'));
  CHECK(registry.champion("ret") == id('a'));
  CHECK(registry.find(id('b'))->state == ModelState::RolledBack);
  CHECK(registry.pinned_target("ret") == id('a'));

  const auto refused = registry.promote(id('c'), day(4), false);
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::InUse);
  registry.unpin_target("ret");
  CHECK(registry.promote(id('c'), day(5), false));
  // What a hand rolled back is no rung of the ladder.
  CHECK(registry.previous_champions("ret") == std::vector{id('a')});
}

TEST_CASE("registry: nothing to roll back to is an error that says so") {
  Registry registry = with({'a'});
  CHECK(registry.rollback("ret", "", day(1)).error().message == "target ret has no champion");
  REQUIRE(registry.promote(id('a'), day(1), false));
  CHECK(registry.rollback("ret", "", day(2)).error().message == "target ret had no champion before");
  CHECK(registry.rollback("ret", "zzzzzz", day(2)).error().code == Code::NotFound);
}

TEST_CASE("registry: a unique prefix of six digits names a model") {
  const Registry registry = with({'a', 'b'});
  CHECK(registry.find("aaaaaa")->id == id('a'));
  CHECK(registry.find("aaaaa") == nullptr);
  CHECK(registry.find("cccccc") == nullptr);
}

TEST_CASE("registry: pruning keeps the champion, three before it, pinned ones and the last twenty candidates") {
  Registry registry;
  const auto name = [](int i) { return fmt::format("{:064d}", i); };
  for (int i = 0; i < 40; ++i) {
    ModelEntry entry;
    entry.id = name(i);
    entry.target = "ret";
    entry.bytes = 10;
    registry.add(entry);
    if (i < 6) REQUIRE(registry.promote(entry.id, day(i), false));
  }
  REQUIRE(registry.pin(name(0), true));
  auto prune = registry.prunable(0);
  std::sort(prune.begin(), prune.end());
  // Champions were 0..5: 5 serves, 4 3 2 before it, 0 is pinned; 20..39 are the newest candidates.
  REQUIRE(prune.size() == 15);
  CHECK(prune.front() == name(1));
  CHECK(prune[1] == name(6));
  CHECK(prune.back() == name(19));

  SUBCASE("a disk cap takes the oldest candidates too, never the champions") {
    const auto capped = registry.prunable(60);
    CHECK(capped.size() == 15 + 19);
    CHECK(std::find(capped.begin(), capped.end(), name(5)) == capped.end());
    CHECK(std::find(capped.begin(), capped.end(), name(39)) == capped.end());
  }
}

TEST_CASE("registry: a pruned model cannot serve again") {
  Registry registry = with({'a', 'b'});
  registry.edit(id('a'))->whole = false;
  CHECK(registry.promote(id('a'), day(1), true).error().code == Code::NotFound);
}

TEST_CASE("registry: reads back what it wrote") {
  Registry registry = with({'a', 'b'});
  REQUIRE(registry.promote(id('a'), day(1), false));
  REQUIRE(registry.promote(id('b'), day(2), true));
  const Registry back = Registry::from_json(registry.to_json()).value();
  CHECK(back.to_json() == registry.to_json());
  CHECK(back.champion("ret") == id('b'));
  CHECK(back.pinned_target("ret") == id('b'));
}
