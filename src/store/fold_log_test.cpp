#include "store/fold_log.hpp"

#include "store/sqlite.hpp"
#include "store/test_store.hpp"

namespace everlearn {
namespace {

// What an open of the file alone, without its log, holds.
std::int64_t rows_of_a_copy(const StoreDirectory& directory) {
  SystemFs fs;
  const auto bytes = read_file(fs, directory / "everlearn.db");
  REQUIRE(bytes);
  REQUIRE(fs.make_directories(directory / "copy"));
  REQUIRE(replace_file(fs, directory / "copy/everlearn.db", *bytes));
  const auto copy = sqlite::Database::open(directory / "copy/everlearn.db", sqlite::Database::Mode::ReadOnly);
  REQUIRE(copy);
  const auto rows = copy->integer("SELECT count(*) FROM t");
  return rows ? *rows : -1;
}

TEST_CASE("fold log: what was committed stands in the file alone, also after a process that died") {
  StoreDirectory directory;
  CHECK(fold_log(directory.path()));
  CHECK_FALSE(SystemFs{}.exists(directory / "everlearn.db"));
  auto writer = sqlite::Database::open(directory / "everlearn.db", sqlite::Database::Mode::Write);
  REQUIRE(writer);
  REQUIRE(writer->run("PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)"));
  CHECK(rows_of_a_copy(directory) == -1);
  REQUIRE(fold_log(directory.path()));
  CHECK(rows_of_a_copy(directory) == 2);

  SUBCASE("a reader of an older moment is named as the reason why not") {
    auto reader = sqlite::Database::open(directory / "everlearn.db", sqlite::Database::Mode::ReadOnly);
    REQUIRE(reader);
    REQUIRE(reader->run("BEGIN; SELECT * FROM t"));
    REQUIRE(writer->run("INSERT INTO t VALUES (3)"));
    CHECK(fold_log(directory.path()).error().code == Code::InUse);
  }
}

}  // namespace
}  // namespace everlearn
