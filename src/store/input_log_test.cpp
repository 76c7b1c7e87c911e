#include "store/input_log.hpp"

#include "store/schema.hpp"
#include "store/test_store.hpp"

using namespace everlearn;

namespace {

std::vector<std::string> inputs_of(const Store& store) {
  std::vector<std::string> inputs;
  const auto scanned = store.scan_inputs([&](std::string_view input) -> Result<void> {
    inputs.emplace_back(input);
    return {};
  });
  if (!scanned) inputs.push_back("error: " + scanned.error().message);
  return inputs;
}

std::string base_of(const Store& store) {
  const auto base = store.base();
  if (!base) return "error: " + base.error().message;
  return base->value_or("none");
}

void run_sql(const StoreDirectory& directory, const std::string& sql) {
  auto database = sqlite::Database::open(directory / "everlearn.db", sqlite::Database::Mode::Write);
  REQUIRE(database.has_value());
  REQUIRE(database->run(sql).has_value());
}

/// Three inputs after a base.
void fill_in(const StoreDirectory& directory, TestWorld& world) {
  const auto store = open_store(world.world(), directory.path());
  REQUIRE(store->keep_base("state").has_value());
  for (const char* input : {"a", "", "c"}) REQUIRE(store->append_input(input).has_value());
  REQUIRE(store->commit("checkpoint").has_value());
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("base and inputs: a restart finds the base and what came in since, in order") {
  StoreDirectory directory;
  TestWorld world;
  {
    const auto store = open_store(world.world(), directory.path());
    CHECK(base_of(*store) == "none");
    REQUIRE(store->append_input("before any base").has_value());
    REQUIRE(store->commit("").has_value());
  }
  {
    const auto store = open_store(world.world(), directory.path());
    CHECK(inputs_of(*store) == Lines{"before any base"});
  }
  fill_in(directory, world);
  const auto store = open_store(world.world(), directory.path());
  CHECK(base_of(*store) == "state");
  CHECK(inputs_of(*store) == Lines{"a", "", "c"});
  CHECK(store->inputs() == 3);
  REQUIRE(store->append_input("d").has_value());
  CHECK(inputs_of(*store) == Lines{"a", "", "c", "d"});
}

TEST_CASE("base and inputs: a new base forgets the inputs in the same transaction") {
  StoreDirectory directory;
  TestWorld world;
  fill_in(directory, world);
  const auto store = open_store(world.world(), directory.path());
  REQUIRE(store->keep_base("later").has_value());
  REQUIRE(store->append_input("e").has_value());
  CHECK(inputs_of(*store) == Lines{"e"});
  SUBCASE("undone as one") {
    REQUIRE(store->rollback().has_value());
    CHECK(base_of(*store) == "state");
    CHECK(inputs_of(*store) == Lines{"a", "", "c"});
    REQUIRE(store->append_input("f").has_value());
    REQUIRE(store->commit("").has_value());
    CHECK(inputs_of(*store) == Lines{"a", "", "c", "f"});
  }
  SUBCASE("committed as one, and a reader sees it") {
    REQUIRE(store->commit("").has_value());
    const auto reader = open_store(world.world(), directory.path(), {.read_only = true});
    CHECK(base_of(*reader) == "later");
    CHECK(inputs_of(*reader) == Lines{"e"});
    CHECK(code_of(reader->append_input("x")) == Code::Usage);
    CHECK(code_of(reader->keep_base("x")) == Code::Usage);
  }
}

TEST_CASE("base and inputs: a base of many parts comes back whole, and a smaller one leaves nothing of it") {
  StoreDirectory directory;
  TestWorld world;
  const auto store = open_store(world.world(), directory.path());
  for (const std::size_t size : {std::size_t{0}, std::size_t{3 << 20}, (std::size_t{5} << 20) + 7, std::size_t{9}}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 24);
    REQUIRE(store->keep_base(bytes).has_value());
    REQUIRE(store->commit("").has_value());
    const auto reader = open_store(world.world(), directory.path(), {.read_only = true});
    CHECK((reader->base().value() == bytes));
  }
}

TEST_CASE("base and inputs: what changed on the disk is an error by name") {
  StoreDirectory directory;
  TestWorld world;
  fill_in(directory, world);
  const auto told = [&](const std::string& sql) {
    run_sql(directory, sql);
    const auto store = Store::open(world.world(), directory.path(), {.read_only = true});
    if (!store) return store.error().message.substr(directory.path().size() + 2);
    const auto wrong = (*store)->verify();
    return wrong && !wrong->empty() ? wrong->front() : std::string{"nothing"};
  };
  SUBCASE("the base") { CHECK(told("UPDATE base SET bytes = x'00'") == "base: part 1 of 1 contradicts its checksum"); }
  SUBCASE("a part of it is missing") { CHECK(told("UPDATE base SET parts = 2") == "base: 1 of 2 parts are there"); }
  SUBCASE("an input") {
    CHECK(told("UPDATE input SET bytes = x'00' WHERE id = 1") == "input: 1 contradicts its checksum");
  }
  SUBCASE("two inputs in each other's place") {
    CHECK(told("UPDATE input SET id = 9 WHERE id = 1; UPDATE input SET id = 1 WHERE id = 3;"
               "UPDATE input SET id = 3 WHERE id = 9") == "input: 1 contradicts its checksum");
  }
  SUBCASE("an input is missing") {
    CHECK(told("DELETE FROM input WHERE id = 2") == "input: 2 of the inputs 1 to 3 are there");
  }
}

TEST_CASE("base and inputs: a directory of an older release has none until it is written to") {
  StoreDirectory directory;
  TestWorld world;
  { const auto store = open_store(world.world(), directory.path()); }
  run_sql(directory, "DROP TABLE base; DROP TABLE input; DROP TABLE gap_filled;");
  {
    const auto reader = open_store(world.world(), directory.path(), {.read_only = true});
    CHECK(base_of(*reader) == "none");
    CHECK(inputs_of(*reader).empty());
  }
  const auto store = open_store(world.world(), directory.path());
  REQUIRE(store->append_input("a").has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(inputs_of(*store) == Lines{"a"});
}
