#include "io/table_writer.hpp"

#include <cmath>
#include <limits>

#include <rapidcheck.h>

#include "io/table_reader.hpp"
#include "io/test_world.hpp"

namespace everlearn {
namespace {

const std::vector<TableColumn> kColumns = {{"name", ColumnType::Text},
                                           {"n", ColumnType::Int64},
                                           {"x", ColumnType::Double},
                                           {"t", ColumnType::Time},
                                           {"ok", ColumnType::Bool}};
const Timestamp kTime{1'767'445'207'000'001};  // 2026-01-03T13:00:07.000001Z

Result<void> write_rows(Fs& fs, TableFileFormat format, const std::vector<std::vector<Cell>>& rows) {
  EL_TRY(auto writer, TableWriter::create(fs, "out", format, kColumns));
  for (const auto& row : rows) EL_CHECK(writer->add_row(row));
  return writer->finish();
}

const std::vector<std::vector<Cell>> kRows = {
    {std::string_view{"a"}, std::int64_t{-7}, 0.1, kTime, true},
    {std::monostate{}, std::monostate{}, std::nan(""), std::monostate{}, std::monostate{}},
    {std::string_view{"x, \"y\"\nz"}, std::numeric_limits<std::int64_t>::min(), -1e300, Timestamp{0}, false}};

TEST_CASE("table writer: CSV") {
  TestWorld w;
  REQUIRE(write_rows(w.fs, TableFileFormat::Csv, kRows));
  CHECK(w.read("out") ==
        "name,n,x,t,ok\n"
        "a,-7,0.1,2026-01-03T13:00:07.000001Z,true\n"
        ",,,,\n"
        "\"x, \"\"y\"\"\nz\",-9223372036854775808,-1e+300,1970-01-01T00:00:00.000000Z,false\n");
}

TEST_CASE("table writer: Parquet holds the same values, read back by our own reader") {
  TestWorld w;
  REQUIRE(write_rows(w.fs, TableFileFormat::Parquet, kRows));
  CHECK(file_form(w.fs, "out").value() == FileForm::Parquet);
  auto table = open_parquet_table(w.fs, "out");
  REQUIRE(table);
  CHECK((*table)->header() == std::vector<std::string>{"name", "n", "x", "t", "ok"});
  std::vector<std::string> rows;
  TableRow row;
  while ((*table)->next(row).value()) rows.push_back((*table)->raw());
  CHECK(rows ==
        std::vector<std::string>{"a,-7,0.1,2026-01-03T13:00:07.000001Z,1", ",,,,",
                                 "\"x, \"\"y\"\"\nz\",-9223372036854775808,-1e+300,1970-01-01T00:00:00.000000Z,0"});
}

TEST_CASE("table writer: more rows than one row group keeps all of them in order") {
  TestWorld w;
  auto writer = TableWriter::create(w.fs, "out", TableFileFormat::Parquet, {{"n", ColumnType::Int64}});
  REQUIRE(writer);
  for (std::int64_t i = 0; i < 150'000; ++i) REQUIRE((*writer)->add_row(std::vector<Cell>{i}));
  REQUIRE((*writer)->finish());
  auto table = open_parquet_table(w.fs, "out");
  REQUIRE(table);
  TableRow row;
  std::int64_t n = 0;
  bool in_order = true;
  while ((*table)->next(row).value()) in_order = in_order && row.fields[0] == std::to_string(n++);
  CHECK(in_order);
  CHECK(n == 150'000);
}

TEST_CASE("table writer: a text that a spreadsheet would run gets a quote before it, unless asked not to") {
  for (const bool safe : {true, false}) {
    TestWorld w;
    auto writer = TableWriter::create(w.fs, "out", TableFileFormat::Csv,
                                      {{"text", ColumnType::Text}, {"x", ColumnType::Double}}, safe);
    REQUIRE(writer);
    for (const char* text : {"=cmd()", "+1", "-1", "@x", "a=b"}) {
      REQUIRE((*writer)->add_row(std::vector<Cell>{std::string_view{text}, -1.0}));
    }
    REQUIRE((*writer)->finish());
    CHECK(w.read("out") == (safe ? "text,x\n'=cmd(),-1\n'+1,-1\n'-1,-1\n'@x,-1\na=b,-1\n"
                                 : "text,x\n=cmd(),-1\n+1,-1\n-1,-1\n@x,-1\na=b,-1\n"));
  }
}

TEST_CASE("table writer: doubles in CSV read back with the same bits") {
  CHECK(rc::check([](double value) {
    TestWorld w;
    auto writer = TableWriter::create(w.fs, "out", TableFileFormat::Csv, {{"x", ColumnType::Double}});
    RC_ASSERT((*writer)->add_row(std::vector<Cell>{value}).has_value());
    RC_ASSERT((*writer)->finish().has_value());
    RC_ASSERT(std::stod(w.read("out").substr(2)) == value);
  }));
}

TEST_CASE("table writer: the file appears whole at the end or not at all") {
  TestWorld w;
  w.write("out", "earlier");
  {
    auto writer = TableWriter::create(w.fs, "out", TableFileFormat::Csv, kColumns);
    REQUIRE(writer);
    REQUIRE((*writer)->add_row(kRows[0]));
    CHECK(w.read("out") == "earlier");
  }
  CHECK(w.read("out") == "earlier");
  CHECK_FALSE(w.fs.exists("out.tmp"));
  for (const auto format : {TableFileFormat::Csv, TableFileFormat::Parquet}) {
    FaultRule full;
    full.fault = FsFault::NoSpace;
    full.kind = FsOperation::Append;
    w.fs.add_fault(full);
    const auto written = write_rows(w.fs, format, kRows);
    REQUIRE_FALSE(written);
    CHECK(written.error().code == Code::Storage);
    CHECK(written.error().message.find("cannot be written") == std::string::npos);  // our own words, not Arrow's
    CHECK(w.read("out") == "earlier");
    CHECK_FALSE(w.fs.exists("out.tmp"));
    w.fs.clear_faults();
  }
}

TEST_CASE("table writer: columns of one name and rows that do not fit are our own mistakes, and are named") {
  TestWorld w;
  CHECK(TableWriter::create(w.fs, "out", TableFileFormat::Csv, {{"a", ColumnType::Bool}, {"a", ColumnType::Bool}})
            .error()
            .message == "out: two columns are called \"a\"");
  auto writer = TableWriter::create(w.fs, "out", TableFileFormat::Csv, {{"a", ColumnType::Int64}});
  REQUIRE(writer);
  CHECK((*writer)->add_row(std::vector<Cell>{}).error().message == "table: a row of 0 cells for 1 columns");
  CHECK((*writer)->add_row(std::vector<Cell>{1.0}).error().message == "table: a cell of another type in column \"a\"");
}

}  // namespace
}  // namespace everlearn
