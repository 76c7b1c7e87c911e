#include <doctest/doctest.h>

#include "store/sqlite.hpp"
#include "store/test_store.hpp"

namespace everlearn {
namespace {

AlertRow alert_row(int n) {
  AlertRow row;
  row.at = at_minute(n);
  row.kind = "signal";
  row.severity = n % 2 == 0 ? Severity::Info : Severity::Critical;
  row.key = "signal/A/" + row.at.iso();
  row.text = "headline\nbody " + std::to_string(n);
  if (n % 3 == 0) row.expires = at_minute(n + 10);
  row.quiet_may_hold = n % 2 == 0;
  return row;
}

DeliveryRow delivery_row(std::int64_t alert, DeliveryState state) {
  return {.alert = alert,
          .channel = "telegram",
          .state = state,
          .attempts = 2,
          .parts = 1,
          .at = at_minute(5),
          .next_try = at_minute(6),
          .detail = "429, again in 3 s"};
}

void run_sql(const std::string& directory, const std::string& sql) {
  auto database = sqlite::Database::open(directory + "/everlearn.db", sqlite::Database::Mode::Write);
  REQUIRE(database.has_value());
  REQUIRE(database->run(sql).has_value());
}

struct Fixture {
  StoreDirectory directory;
  TestWorld world;
  std::unique_ptr<Store> store = open_store(world.world(), directory.path());
  void reopen() {
    store.reset();
    store = open_store(world.world(), directory.path());
  }
  std::vector<std::int64_t> open_ids(std::int64_t after = 0) const {
    std::vector<std::int64_t> ids;
    const auto rows = store->open_alerts("telegram", after);
    REQUIRE(rows.has_value());
    for (const Store::OpenAlert& open : *rows) ids.push_back(open.alert.id);
    return ids;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "alerts: what was raised reads back as it was, also after another open") {
  for (int n = 0; n < 4; ++n) REQUIRE(store->append(alert_row(n)).has_value());
  REQUIRE(store->put_delivery(delivery_row(2, DeliveryState::Sent)).has_value());
  REQUIRE(store->commit("").has_value());
  reopen();
  const auto rows = store->alerts().value();
  REQUIRE(rows.size() == 4);
  for (int n = 0; n < 4; ++n) {
    const AlertRow& row = rows[static_cast<std::size_t>(n)];
    AlertRow wanted = alert_row(n);
    wanted.id = n + 1;
    CHECK(canonical(row) == canonical(wanted));
  }
  const auto deliveries = store->deliveries().value();
  REQUIRE(deliveries.size() == 1);
  CHECK(canonical(deliveries[0]) == canonical(delivery_row(2, DeliveryState::Sent)));
  CHECK(store->verify().value().empty());
}

TEST_CASE_FIXTURE(Fixture, "alerts: a key raised twice is there once, with the first text") {
  REQUIRE(store->append(alert_row(1)).has_value());
  AlertRow again = alert_row(1);
  again.text = "other words";
  REQUIRE(store->append(again).has_value());
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->append(again).has_value());
  REQUIRE(store->append(alert_row(2)).has_value());
  REQUIRE(store->commit("").has_value());
  const auto rows = store->alerts().value();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].text == alert_row(1).text);
  CHECK(rows[1].id == 2);
}

TEST_CASE_FIXTURE(Fixture, "alerts: only what is committed is handed out, and what was undone is raised anew") {
  REQUIRE(store->append(alert_row(0)).has_value());
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->append(alert_row(1)).has_value());
  CHECK(open_ids() == std::vector<std::int64_t>{1});
  CHECK(store->alerts().value().size() == 1);
  REQUIRE(store->rollback().has_value());
  CHECK(open_ids() == std::vector<std::int64_t>{1});
  REQUIRE(store->append(alert_row(1)).has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(open_ids() == std::vector<std::int64_t>{1, 2});
  CHECK(open_ids(1) == std::vector<std::int64_t>{2});
}

TEST_CASE_FIXTURE(Fixture, "alerts: open are those that the channel has not settled") {
  for (int n = 0; n < 6; ++n) REQUIRE(store->append(alert_row(n)).has_value());
  REQUIRE(store->put_delivery(delivery_row(1, DeliveryState::Sent)).has_value());
  REQUIRE(store->put_delivery(delivery_row(2, DeliveryState::Waiting)).has_value());
  REQUIRE(store->put_delivery(delivery_row(3, DeliveryState::Sending)).has_value());
  REQUIRE(store->put_delivery(delivery_row(4, DeliveryState::Expired)).has_value());
  REQUIRE(store->put_delivery(delivery_row(5, DeliveryState::Refused)).has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(open_ids() == std::vector<std::int64_t>{2, 3, 6});
  const auto open = store->open_alerts("telegram", 0).value();
  CHECK(open[0].delivery.attempts == 2);
  CHECK(open[2].delivery.attempts == 0);
  CHECK(open[2].delivery.channel == "telegram");
  CHECK(store->open_alerts("mail", 0).value().size() == 6);
  // The second word on the same pair replaces the first.
  REQUIRE(store->put_delivery(delivery_row(2, DeliveryState::Sent)).has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(open_ids() == std::vector<std::int64_t>{3, 6});
}

TEST_CASE_FIXTURE(Fixture, "alerts: a delivery of no alert is refused") {
  const auto refused = store->put_delivery(delivery_row(1, DeliveryState::Sent));
  CHECK(code_of(refused) == Code::NotFound);
  CHECK(message_of(refused) == "alert 1 does not exist");
}

TEST_CASE_FIXTURE(Fixture, "alerts: a row that changed on the disk is an error that names it") {
  REQUIRE(store->append(alert_row(0)).has_value());
  REQUIRE(store->put_delivery(delivery_row(1, DeliveryState::Waiting)).has_value());
  REQUIRE(store->commit("").has_value());
  store.reset();
  SUBCASE("alert") {
    run_sql(directory.path(), "UPDATE alert SET text = 'buy everything'");
    store = open_store(world.world(), directory.path());
    CHECK(message_of(store->alerts()) == "alert: row 1 contradicts its checksum");
  }
  SUBCASE("delivery") {
    run_sql(directory.path(), "UPDATE delivery SET state = 2");
    store = open_store(world.world(), directory.path());
    CHECK(message_of(store->deliveries()) == "delivery: row 1 of telegram contradicts its checksum");
  }
  CHECK(store->verify().value().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "alerts: a directory from before there were alerts opens, and a writer makes their tables") {
  store.reset();
  run_sql(directory.path(), "DROP TABLE alert; DROP TABLE delivery");
  {
    const auto reader = open_store(world.world(), directory.path(), {.read_only = true});
    CHECK(reader->alerts().value().empty());
    CHECK(reader->deliveries().value().empty());
    CHECK(reader->open_alerts("telegram", 0).value().empty());
  }
  store = open_store(world.world(), directory.path());
  REQUIRE(store->append(alert_row(0)).has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(open_ids() == std::vector<std::int64_t>{1});
}

TEST_CASE_FIXTURE(Fixture, "alerts: retention takes old ones with their deliveries, and never gives an id twice") {
  for (int i = 0; i < 4; ++i) REQUIRE(store->append(alert_row(i)).has_value());
  const Timestamp keep_from = alert_row(2).at;
  REQUIRE(store->put_delivery({.alert = 1, .channel = "telegram", .state = DeliveryState::Sent}).has_value());
  REQUIRE(store->put_delivery({.alert = 3, .channel = "telegram", .state = DeliveryState::Sent}).has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(store->forget_alerts(keep_from).value() == 2);
  REQUIRE(store->commit("").has_value());
  CHECK(store->alerts().value().size() == 2);
  CHECK(store->alerts().value().front().id == 3);
  CHECK(store->deliveries().value().size() == 1);
  CHECK(store->forget_alerts(Timestamp::max()).value() == 1);  // the newest stays
  REQUIRE(store->append(alert_row(9)).has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(store->alerts().value().back().id == 5);
}

}  // namespace everlearn
