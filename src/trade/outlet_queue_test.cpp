#include "trade/outlet_queue.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

Timestamp second(int n) { return Timestamp{} + Duration::seconds(n); }

OutletIntent intent(std::int64_t number, int created = 0) {
  return {.number = number,
          .id = "x-" + std::to_string(number),
          .body = "{}",
          .expires = second(created + 60),
          .to_file = true,
          .to_url = true,
          .next_try = second(created)};
}

TEST_CASE("outlet: the file gets each once, the address what it has not taken") {
  OutletQueue queue;
  queue.add(intent(1));
  queue.add(intent(2));
  CHECK(queue.for_file().size() == 2);
  queue.in_file(queue.for_file());
  CHECK(queue.for_file().empty());
  const auto first = queue.next(second(1), {});
  REQUIRE(first);
  CHECK(first->number == 1);
  CHECK(!queue.next(second(1), 1));  // one at a time
  queue.answered(1, OutletAnswer::Taken, {}, "", second(2));
  CHECK(queue.next(second(2), {})->number == 2);
  queue.answered(2, OutletAnswer::Taken, {}, "", second(2));
  CHECK(queue.empty());
}

TEST_CASE(
    "outlet: a failure waits, the longer the more there were, as long as the address asks, and no other is held up") {
  OutletQueue queue;
  queue.add(intent(1));
  queue.next(second(0), {});
  queue.answered(1, OutletAnswer::Later, {}, "status 500", second(0));
  CHECK(!queue.next(second(0), {}));
  CHECK(queue.due() == second(1));
  queue.add(intent(2));
  CHECK(queue.next(second(0), {})->number == 2);
  queue.answered(2, OutletAnswer::Taken, {}, "", second(0));
  queue.next(second(1), {});
  queue.answered(1, OutletAnswer::Later, {}, "status 500", second(1));
  CHECK(queue.due() == second(3));
  queue.next(second(3), {});
  queue.answered(1, OutletAnswer::Later, Duration::seconds(20), "status 503", second(3));
  CHECK(queue.due() == second(23));
}

TEST_CASE("outlet: never after the expiry; what is lost is told once") {
  OutletQueue queue;
  queue.add(intent(1));
  queue.in_file(queue.for_file());
  CHECK(queue.next(second(59), {})->attempts == 1);
  queue.answered(1, OutletAnswer::Later, {}, "no answer", second(59));
  CHECK(!queue.next(second(60), {}));
  CHECK(queue.empty());
  const auto losses = queue.take_losses();
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].why == "expired after 1 attempts");
  CHECK(queue.take_losses().empty());

  queue.add(intent(2));
  queue.in_file(queue.for_file());
  queue.next(second(0), {});
  queue.answered(2, OutletAnswer::Refused, {}, "status 422", second(0));
  CHECK(queue.empty());
  CHECK(queue.take_losses()[0].why == "status 422");
}

TEST_CASE("outlet: a restart goes on where it was; what was under way goes out again") {
  OutletQueue queue;
  queue.add(intent(1));
  queue.in_file(queue.for_file());
  queue.next(second(0), {});
  auto again = OutletQueue::from_json(queue.to_json());
  REQUIRE(again);
  CHECK(again->for_file().empty());
  const auto out = again->next(second(2), {});
  REQUIRE(out);
  CHECK(out->id == "x-1");
  CHECK(out->attempts == 2);
  CHECK(out->expires == second(60));
  CHECK(again->keep_for(true, false));
  CHECK(again->empty());
  CHECK(!OutletQueue::from_json("[]"));
}

}  // namespace
}  // namespace everlearn
