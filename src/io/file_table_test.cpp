#include "io/file_table.hpp"

#include "io/table_source.hpp"
#include "io/table_writer.hpp"
#include "io/test_world.hpp"

namespace everlearn {
namespace {

using Lines = std::vector<std::string>;
using Counts = std::map<std::string, std::int64_t>;

Timestamp at(const std::string& text) { return Timestamp::parse("2026-01-03T" + text + "Z").value(); }

struct File : TestWorld {
  TableOptions options;
  std::unique_ptr<const Calendar> calendar = make_always_open();
  std::unique_ptr<Source> source;

  File() {
    options.kind = SourceKind::TableFile;
    options.table = "in/rows.csv";
    options.key_column = "key";
    options.calendar = calendar.get();
    clock.set(at("00:10:00"));
  }
  Lines now() {
    if (!source) {
      auto table = open_file_table(fs, options);
      REQUIRE(table);
      auto opened = open_table(world, options, std::move(*table), instruments);
      REQUIRE(opened);
      source = std::move(*opened);
    }
    return all_told(*source, instruments);
  }
  Lines later(const std::string& time) {
    clock.set(at(time));
    return now();
  }
};

TEST_CASE("file table: rows in any order, read again when the file changed") {
  File f;
  f.write("in/rows.csv",
          "timestamp,key,price\n2026-01-03T00:02:00Z,a,2\n2026-01-03T00:01:00Z,b,1\n2026-01-03T00:01:00Z,a,1\n");
  CHECK(f.now() == Lines{"00:01:00 a price 1", "00:01:00 b price 1", "00:02:00 a price 2"});
  CHECK(f.later("00:10:30").empty());
  f.write("in/rows.csv",
          "timestamp,key,price\n2026-01-03T00:02:00Z,a,2\n2026-01-03T00:01:00Z,b,1.5\n2026-01-03T00:01:00Z,a,1\n"
          "2026-01-03T00:10:40Z,a,3\n");
  CHECK(f.later("00:11:00") == Lines{"00:10:40 a price 3", "00:01:00/00:11:00 b price 1.5"});
}

TEST_CASE("file table: one that is not there yet is waited for") {
  File f;
  CHECK(f.now().empty());
  CHECK(f.source->report().trouble == "in/rows.csv: is not there");
  f.write("in/rows.csv", "timestamp,key,price\n2026-01-03T00:09:00Z,a,1\n");
  CHECK(f.later("00:11:00").size() == 1);
  CHECK(f.source->report().trouble.empty());
}

TEST_CASE("file table: a last line without its end waits until the file stands still") {
  File f;
  f.write("in/rows.csv", "timestamp,key,price\n2026-01-03T00:01:00Z,a,1\n2026-01-03T00:02:00Z,a,2.5");
  CHECK(f.now().size() == 1);
  f.append("in/rows.csv", "5");
  CHECK(f.later("00:10:30").empty());
  CHECK(f.later("00:11:00") == Lines{"00:02:00/00:11:00 a price 2.55"});
}

TEST_CASE("file table: lines that are none, and times in other forms") {
  File f;
  f.options.time_zone = "Asia/Kolkata";
  f.write("in/rows.csv",
          "timestamp,key,price\n2026-01-03 05:31:00,a,1\nnoon,a,2\n2026-01-03 05:32:00,a\n2026-01-03 05:33:00,a,3\n");
  CHECK(f.now() == Lines{"00:01:00 a price 1", "00:03:00 a price 3"});
  CHECK(f.source->report().refused == Counts{{"unreadable time", 1}, {"wrong number of fields", 1}});
}

TEST_CASE("file table: gzip, epochs and an id that counts") {
  File f;
  f.options.id_column = "id";
  f.options.batch_rows = 10;
  std::string text = "timestamp,key,id,price\n";
  for (int i = 30; i > 0; --i) text += fmt::format("1767398{}00,k,{},{}\n", 4 + i % 2, i, i);
  f.write("in/rows.csv", gzipped(text));
  const Lines lines = f.now();
  REQUIRE(lines.size() == 30);
  CHECK(lines[0].ends_with("k price 2"));
  CHECK(lines[14].ends_with("k price 30"));
  CHECK(lines[15].ends_with("k price 1"));
}

TEST_CASE("file table: Parquet gives the same rows as CSV") {
  File f;
  f.options.table = "in/rows.parquet";
  f.options.fields = {"rsi"};
  REQUIRE(f.fs.make_directories("in"));
  auto writer = TableWriter::create(f.fs, f.options.table, TableFileFormat::Parquet,
                                    {{"timestamp", ColumnType::Time},
                                     {"key", ColumnType::Text},
                                     {"price", ColumnType::Double},
                                     {"rsi", ColumnType::Double}});
  REQUIRE(writer);
  REQUIRE((*writer)->add_row(std::vector<Cell>{at("00:02:00"), "a", 0.1 + 0.2, 0.5}));
  REQUIRE((*writer)->add_row(std::vector<Cell>{at("00:01:00"), "a", 1.0, std::monostate{}}));
  REQUIRE((*writer)->finish());
  CHECK(f.now() ==
        Lines{"00:01:00 a price 1", "00:01:00 a fields nan", "00:02:00 a price 0.3", "00:02:00 a fields 0.5"});
}

TEST_CASE("file table: two columns of one name are ambiguous") {
  File f;
  f.write("in/rows.csv", "timestamp,key,price,price\n2026-01-03T00:02:00Z,a,2,3\n");
  CHECK(f.now() == Lines{"in/rows.csv: column \"price\" stands twice"});
}

}  // namespace
}  // namespace everlearn
