// What the store promises while nothing goes wrong: append, commit, read, refuse. seal_test.cpp goes on from here.
#include "store/store.hpp"

#include <filesystem>

#include "store/sqlite.hpp"
#include "store/test_store.hpp"

using namespace everlearn;

namespace {

/// Changes the database behind the store's back.
void tamper(const std::string& directory, const std::string& sql) {
  auto database = sqlite::Database::open(directory + "/everlearn.db", sqlite::Database::Mode::Write);
  REQUIRE(database.has_value());
  const auto done = database->run(sql);
  if (!done) FAIL(done.error().message);
}

std::vector<std::int64_t> price_minutes(const Store& store, TimeRange range) {
  std::vector<std::int64_t> minutes;
  const auto scanned = store.scan_prices(range, [&](const PriceRow& row) {
    minutes.push_back((row.event_time - kStart) / Duration::minutes(1));
    return true;
  });
  REQUIRE(scanned.has_value());
  return minutes;
}

struct Fixture {
  StoreDirectory directory;
  TestWorld world;
  std::unique_ptr<Store> store = open_store(world.world(), directory.path());

  void reopen() {
    store.reset();
    store = open_store(world.world(), directory.path());
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "store: rows are visible to scans at once, in the order they were written") {
  append_all(*store, 0, 20);
  const auto rows = contents(*store);
  for (const Dataset dataset : kDatasets) CHECK(rows.at(dataset).size() == 20);
  const Record first = to_record(price_row(0));
  CHECK(rows.at(Dataset::Prices).front() == first.head(Dataset::Prices) + first.payload);
}

TEST_CASE_FIXTURE(Fixture, "store: what was committed is there after a restart, what was not is gone") {
  append_all(*store, 0, 5);
  REQUIRE(store->commit("after five").has_value());
  const auto committed = contents(*store);
  append_all(*store, 5, 3);
  REQUIRE(store->put_state("profile", "lost").has_value());
  reopen();
  CHECK(contents(*store) == committed);
  CHECK(store->checkpoint().value() == "after five");
  CHECK_FALSE(store->state("profile").value().has_value());
  append_all(*store, 5, 3);
  CHECK(contents(*store).at(Dataset::Labels).size() == 8);
}

TEST_CASE_FIXTURE(Fixture, "store: a rollback takes back rows, state and coverage") {
  store->coverage().add(InstrumentId{0}, kStart, {}, {});
  append_all(*store, 0, 2);
  REQUIRE(store->commit("two").has_value());
  append_all(*store, 2, 2);
  REQUIRE(store->commit_state().has_value());  // keeps the checkpoint
  append_all(*store, 4, 2);
  store->coverage().add(InstrumentId{0}, kStart + Duration::hours(1), Duration::hours(1), Duration::minutes(1));
  REQUIRE(store->rollback().has_value());
  CHECK(contents(*store).at(Dataset::Prices).size() == 4);
  CHECK(store->coverage().points() == 1);
  CHECK(store->coverage().gaps().empty());
  CHECK(store->checkpoint().value() == "two");
}

TEST_CASE_FIXTURE(Fixture, "store: coverage is saved with each commit") {
  store->coverage().add(InstrumentId{0}, kStart, {}, {});
  store->coverage().add(InstrumentId{0}, kStart + Duration::hours(2), Duration::hours(2), Duration::minutes(1));
  REQUIRE(store->commit("").has_value());
  store->coverage().add(InstrumentId{0}, kStart + Duration::hours(9), Duration::hours(7), Duration::minutes(1));
  REQUIRE(store->commit("").has_value());
  reopen();
  CHECK(store->coverage().points() == 3);
  CHECK(store->coverage().gaps().size() == 2);
  CHECK(store->coverage().longest_gap() == Duration::hours(7));
}

TEST_CASE_FIXTURE(Fixture, "store: a gap that is filled is saved with the next commit, or forgotten with it") {
  store->coverage().add(InstrumentId{0}, kStart, {}, {});
  store->coverage().add(InstrumentId{0}, kStart + Duration::hours(7), Duration::hours(7), Duration::minutes(1));
  REQUIRE(store->commit("").has_value());
  reopen();
  const auto fill = [&] {
    return store->coverage().fill(InstrumentId{0}, kStart + Duration::hours(1), kStart + Duration::hours(2), "history",
                                  kStart + Duration::hours(8));
  };
  REQUIRE(fill().has_value());
  REQUIRE(store->append(price_row(1)).has_value());
  REQUIRE(store->rollback().has_value());
  CHECK(store->coverage().gaps().size() == 1);
  REQUIRE(fill().has_value());
  REQUIRE(store->commit("").has_value());
  reopen();
  const std::vector<Gap>& gaps = store->coverage().gaps();
  REQUIRE(gaps.size() == 3);
  CHECK(gaps[0].filled_from == "history");
  CHECK(gaps[0].filled_at == kStart + Duration::hours(8));
  CHECK(gaps[1].open());
  CHECK(gaps[1].end == kStart + Duration::hours(1));
  CHECK(gaps[2].start == kStart + Duration::hours(2));
}

TEST_CASE_FIXTURE(Fixture, "store: a seal does not save coverage: it belongs to the checkpoint") {
  store->coverage().add(InstrumentId{0}, kStart, {}, {});
  append_all(*store, 0, 1);
  REQUIRE(store->commit("one point").has_value());
  store->coverage().add(InstrumentId{0}, kStart + Duration::minutes(1), Duration::minutes(1), Duration::minutes(1));
  REQUIRE(store->seal_all().has_value());
  CHECK(store->coverage().points() == 2);
  reopen();
  CHECK(store->coverage().points() == 1);
}

TEST_CASE_FIXTURE(Fixture, "store: a key written twice with the same bytes is ignored") {
  append_all(*store, 0, 3);
  append_all(*store, 0, 3);
  REQUIRE(store->commit("").has_value());
  append_all(*store, 0, 3);
  for (const Dataset dataset : kDatasets) CHECK(contents(*store).at(dataset).size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "store: a key written twice with other bytes is refused by name") {
  append_all(*store, 0, 3);
  PriceRow other = price_row(2);
  other.price = Price::from_nanos(1);
  const auto refused = store->append(other);
  REQUIRE_FALSE(refused.has_value());
  CHECK(code_of(refused) == Code::Damaged);
  CHECK(message_of(refused) == "prices: instrument 0 at 2023-11-14T22:15:20.000000Z written twice with other bytes");
  LabelRow label = label_row(1);
  label.value = 7;
  CHECK(message_of(store->append(label)) ==
        "labels: instrument 0 at 2023-11-14T22:14:20.000000Z, target 0 written twice with other bytes");
}

TEST_CASE_FIXTURE(Fixture, "store: rows of one time differ by instrument, target, kind or ordinal") {
  CHECK(store->append(price_row(0, 0)).has_value());
  CHECK(store->append(price_row(0, 1)).has_value());
  CHECK(store->append(label_row(0, 0, 0)).has_value());
  CHECK(store->append(label_row(0, 0, 1)).has_value());
  for (const char* kind : {"trade", "bar"}) {
    for (const std::uint32_t ordinal : {0u, 1u}) {
      EventRow row = event_row(0);
      row.kind = kind;
      row.ordinal = ordinal;
      CHECK(store->append(row).has_value());
    }
  }
  CHECK(contents(*store).at(Dataset::Events).size() == 4);
  CHECK(store->append(stream_row(0, Stream::Base, true)).has_value());
  CHECK(store->append(stream_row(0, Stream::Tuned, false)).has_value());
  CHECK(store->append(stream_row(0, Stream::Tuned, false)).has_value());  // the same bytes again
  CHECK(contents(*store).at(Dataset::Predictions).size() == 2);
  CHECK(code_of(store->append(stream_row(0, Stream::Tuned, true))) == Code::Damaged);
}

TEST_CASE_FIXTURE(Fixture, "store: a scan gives the rows from a time up to, not including, another") {
  append_all(*store, 0, 10);
  CHECK(price_minutes(*store, {at_minute(3), at_minute(6)}) == std::vector<std::int64_t>{3, 4, 5});
  CHECK(price_minutes(*store, {at_minute(8), Timestamp::max()}) == std::vector<std::int64_t>{8, 9});
}

TEST_CASE_FIXTURE(Fixture, "store: a callback stops a scan, and may append to what is scanned") {
  append_all(*store, 0, 10);
  int seen = 0;
  REQUIRE(store->scan_prices({}, [&](const PriceRow&) { return ++seen < 4; }).has_value());
  CHECK(seen == 4);
  seen = 0;
  const auto scanned = store->scan_prices({}, [&](const PriceRow&) {
    ++seen;
    return store->append(price_row(100 + seen)).has_value();
  });
  CHECK(scanned.has_value());
  CHECK(seen == 10);
}

TEST_CASE_FIXTURE(Fixture, "store: state is text under a key") {
  CHECK_FALSE(store->state("a").value().has_value());
  REQUIRE(store->put_state("a", std::string{"x\0y", 3}).has_value());
  REQUIRE(store->put_state("b", "").has_value());
  REQUIRE(store->put_state("a", "second").has_value());
  REQUIRE(store->commit_state().has_value());
  reopen();
  CHECK(store->state("a").value() == "second");
  CHECK(store->state("b").value() == "");
  REQUIRE(store->erase_state("a").has_value());
  CHECK_FALSE(store->state("a").value().has_value());
}

TEST_CASE_FIXTURE(Fixture, "store: intents and verdicts get running ids, and all state tables come back as written") {
  const IntentRow intent = intent_row();
  CHECK(store->append(intent).value() == 1);
  CHECK(store->append(intent).value() == 2);
  REQUIRE(store->update_intent(1, "filled", "at once").has_value());
  CHECK(code_of(store->update_intent(9, "filled", "")) == Code::NotFound);
  const FillRow fill = fill_row();
  REQUIRE(store->append(fill).has_value());
  const VerdictRow verdict = verdict_row();
  CHECK(store->append(verdict).value() == 1);
  CHECK(store->append(verdict).value() == 2);
  REQUIRE(store->append(EquityRow{at_minute(0), 1000, 1001.5, 0.25}).has_value());
  REQUIRE(store->append(EquityRow{at_minute(0), 1000, 1001.5, 0.25}).has_value());
  CHECK(code_of(store->append(EquityRow{at_minute(0), 1000, 1001.5, 0.5})) == Code::Damaged);
  REQUIRE(store->note(at_minute(4), "promotion", "b after a").has_value());
  REQUIRE(store->commit("").has_value());
  reopen();

  const auto intents = store->intents().value();
  REQUIRE(intents.size() == 2);
  CHECK(intents[0].state == "filled");
  CHECK(intents[0].reason == "at once");
  CHECK(intents[0].limit == intent.limit);
  CHECK(intents[0].quantity == -2.5);
  CHECK(intents[1].state == "open");
  const auto fills = store->fills().value();
  REQUIRE(fills.size() == 1);
  CHECK(fills[0].price == fill.price);
  CHECK(std::isnan(fills[0].cost));
  CHECK(store->verdicts().value()[1].id == 2);
  CHECK(store->verdicts().value()[1].json == "{}");
  REQUIRE(store->equity().value().size() == 1);
  CHECK(store->equity().value()[0].baseline_equity == 1001.5);
  REQUIRE(store->notes().value().size() == 1);
  CHECK(store->notes().value()[0].kind == "promotion");
  CHECK(store->append(intent).value() == 3);
}

TEST_CASE_FIXTURE(Fixture, "store: a flipped bit in a hot row is found by every read of it, and named") {
  append_all(*store, 0, 9);
  REQUIRE(store->commit("").has_value());
  store.reset();
  tamper(directory.path(), "UPDATE hot_labels SET known_at = known_at + 1 WHERE seq = 5");
  store = open_store(world.world(), directory.path());
  const auto scanned = store->scan_labels({}, [](const LabelRow&) { return true; });
  REQUIRE_FALSE(scanned.has_value());
  CHECK(code_of(scanned) == Code::Damaged);
  CHECK(message_of(scanned) == "labels: row 5 contradicts its checksum");
  CHECK(message_of(store->append(label_row(4))) == "labels: row 5 contradicts its checksum");
  CHECK(store->verify().value() == std::vector<std::string>{"labels: row 5 contradicts its checksum"});
  CHECK_FALSE(store->seal_all().has_value());
}

TEST_CASE_FIXTURE(Fixture, "store: every stored number and text of the state tables is under a checksum") {
  REQUIRE(store->put_state("profile", "p").has_value());
  REQUIRE(store->append(intent_row()).has_value());
  REQUIRE(store->append(fill_row()).has_value());
  REQUIRE(store->append(verdict_row()).has_value());
  REQUIRE(store->append(EquityRow{}).has_value());
  REQUIRE(store->note(kStart, "k", "t").has_value());
  REQUIRE(store->commit("c").has_value());
  CHECK(store->verify().value().empty());
  for (const char* sql :
       {"UPDATE state SET value = x'71' WHERE key = 'profile'", "UPDATE intent SET quantity = 1",
        "UPDATE fill SET quantity = 1", "UPDATE verdict SET json = '{ }'", "UPDATE equity SET costs = 1",
        "UPDATE note SET text = 'u'", "UPDATE checkpoint SET bytes = x'64'"}) {
    CAPTURE(sql);
    store.reset();
    const StoreDirectory copy;
    std::filesystem::copy_file(directory / "everlearn.db", copy / "everlearn.db");
    tamper(copy.path(), sql);
    CHECK(open_store(world.world(), copy.path())->verify().value().size() == 1);
    store = open_store(world.world(), directory.path());
  }
}

TEST_CASE_FIXTURE(Fixture, "store: rows that vanished from the hot tail are noticed at open") {
  append_all(*store, 0, 9);
  REQUIRE(store->commit("").has_value());
  store.reset();
  SUBCASE("the last") { tamper(directory.path(), "DELETE FROM hot_prices WHERE seq = 9"); }
  SUBCASE("the first") { tamper(directory.path(), "DELETE FROM hot_prices WHERE seq = 1"); }
  SUBCASE("one between") { tamper(directory.path(), "DELETE FROM hot_prices WHERE seq = 4"); }
  SUBCASE("one renumbered") { tamper(directory.path(), "UPDATE hot_prices SET seq = 20 WHERE seq = 9"); }
  SUBCASE("all") { tamper(directory.path(), "DELETE FROM hot_prices"); }
  const auto refused = Store::open(world.world(), directory.path(), {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(code_of(refused) == Code::Damaged);
  CHECK(message_of(refused).find("prices") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "store: a row that vanishes while the store is open is noticed by the next scan") {
  append_all(*store, 0, 9);
  REQUIRE(store->commit("").has_value());
  tamper(directory.path(), "DELETE FROM hot_prices WHERE seq = 4");
  int rows = 0;
  const auto scanned = store->scan_prices({}, [&](const PriceRow&) { return ++rows > 0; });
  REQUIRE_FALSE(scanned.has_value());
  CHECK(message_of(scanned) == "prices: row 4 is missing");
  CHECK(rows == 3);
}

TEST_CASE("store: another program's database, a newer layout and a file of junk are refused") {
  StoreDirectory directory;
  TestWorld world;
  open_store(world.world(), directory.path()).reset();
  SUBCASE("another program's") {
    tamper(directory.path(), "PRAGMA application_id = 1");
    CHECK(code_of(Store::open(world.world(), directory.path(), {})) == Code::Damaged);
  }
  SUBCASE("newer") {
    tamper(directory.path(), "PRAGMA user_version = 2");
    const auto refused = Store::open(world.world(), directory.path(), {});
    CHECK(code_of(refused) == Code::Unsupported);
    CHECK(message_of(refused) == directory.path() + ": everlearn.db: layout version 2, this program knows 1");
  }
  SUBCASE("junk") {
    REQUIRE(replace_file(world.system, directory / "everlearn.db", std::string(10'000, 'x')).has_value());
    CHECK(code_of(Store::open(world.world(), directory.path(), {})) == Code::Damaged);
  }
}

TEST_CASE_FIXTURE(Fixture, "store: a lake without its database is damaged, never a new directory") {
  append_all(*store, 0, 3);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().value() == 5);
  store.reset();
  for (const char* file : {"everlearn.db", "everlearn.db-wal", "everlearn.db-shm"})
    std::filesystem::remove(directory / file);
  const auto refused = Store::open(world.world(), directory.path(), {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(code_of(refused) == Code::Damaged);
  CHECK(message_of(refused) == directory.path() + ": everlearn.db is empty or was removed; lake/ holds 5 files");
}

TEST_CASE_FIXTURE(Fixture, "store: a reader sees one moment, whatever the writer does meanwhile, and cannot write") {
  append_all(*store, 0, 4);
  REQUIRE(store->commit("").has_value());
  const auto reader = open_store(world.world(), directory.path(), {.read_only = true});
  const auto seen = contents(*reader);
  CHECK(seen.at(Dataset::Prices).size() == 4);
  append_all(*store, 4, 4);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  CHECK(contents(*reader) == seen);
  CHECK(code_of(reader->append(price_row(99))) == Code::Usage);
  CHECK(code_of(reader->seal_all()) == Code::Usage);
  CHECK(contents(*open_store(world.world(), directory.path(), {.read_only = true})).at(Dataset::Prices).size() == 8);
}

TEST_CASE("store: a directory that does not exist is not created by a reader") {
  StoreDirectory directory;
  TestWorld world;
  CHECK(code_of(Store::open(world.world(), directory / "nothing", {.read_only = true})) == Code::NotFound);
  CHECK_FALSE(world.system.exists(directory / "nothing"));
}

TEST_CASE_FIXTURE(Fixture, "store: a second writer is refused") {
  append_all(*store, 0, 1);
  const auto second = Store::open(world.world(), directory.path(), {});
  REQUIRE_FALSE(second.has_value());
  CHECK(code_of(second) == Code::InUse);
}

TEST_CASE_FIXTURE(Fixture, "store: statistics count hot and sealed rows") {
  append_all(*store, 0, 4);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().value() == 5);
  append_all(*store, 4, 2);
  const auto stats = store->stats().value();
  REQUIRE(stats.size() == 5);
  CHECK(stats[0].dataset == Dataset::Prices);
  CHECK(stats[0].hot_rows == 2);
  CHECK(stats[0].sealed_rows == 4);
  CHECK(stats[0].segments == 1);
  CHECK(stats[0].sealed_bytes == store->segments(Dataset::Prices)[0].bytes);
  CHECK(stats[0].first_event == at_minute(0));
  CHECK(stats[0].last_event == at_minute(5));
  CHECK(store->bytes_on_disk() > stats[0].sealed_bytes);
}
