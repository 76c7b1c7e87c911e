// What needs no server; the rest is tests/e2e/postgres_test.py, against a real one.
#include <doctest/doctest.h>

#include <bit>
#include <limits>

#include "io/postgres_connection.hpp"
#include "io/postgres_table.hpp"
#include "io/postgres_values.hpp"

namespace everlearn {
namespace {

template <class Integer>
std::string big_endian(Integer value) {
  std::string bytes;
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xff);
  return bytes;
}

std::string double_bytes(double value) { return big_endian(std::bit_cast<std::int64_t>(value)); }

TEST_CASE("postgres: numbers keep every bit, times every microsecond") {
  CHECK(postgres_text(PostgresType::Float8, double_bytes(0.1 + 0.2)) == "0.30000000000000004");
  CHECK(postgres_text(PostgresType::Float8, double_bytes(std::numeric_limits<double>::quiet_NaN())) == "nan");
  CHECK(postgres_text(PostgresType::Int2, big_endian(std::int16_t{-2})) == "-2");
  CHECK(postgres_text(PostgresType::Int8, big_endian(std::numeric_limits<std::int64_t>::min())) ==
        "-9223372036854775808");
  CHECK(postgres_text(PostgresType::Bool, std::string(1, '\1')) == "1");
  CHECK(postgres_text(PostgresType::Timestamptz, big_endian(std::int64_t{1})) == "2000-01-01T00:00:00.000001Z");
  CHECK(postgres_text(PostgresType::Date, big_endian(std::int32_t{-1})) == "1999-12-31");
}

TEST_CASE("postgres: the ends of time, and times that no text has") {
  const std::string forever = big_endian(std::numeric_limits<std::int64_t>::max());
  CHECK(postgres_text(PostgresType::Timestamptz, forever) == "infinity");
  CHECK(postgres_time(PostgresType::Timestamptz, forever) == Timestamp::max());
  CHECK(postgres_text(PostgresType::Date, big_endian(std::numeric_limits<std::int32_t>::min())) == "-infinity");
  CHECK(postgres_text(PostgresType::Timestamptz, big_endian(std::numeric_limits<std::int64_t>::max() - 1)) ==
        "9892-03-08T12:26:40.000000Z");
}

TEST_CASE("postgres: bytes of another length are no value") {
  for (const PostgresType type :
       {PostgresType::Bool, PostgresType::Int2, PostgresType::Int4, PostgresType::Int8, PostgresType::Float4,
        PostgresType::Float8, PostgresType::Date, PostgresType::Timestamptz}) {
    CHECK(!postgres_text(type, ""));
    CHECK(!postgres_text(type, "abc"));
  }
}

TEST_CASE("postgres: names in SQL mean what they say") {
  CHECK(sql_name("a\"b") == "\"a\"\"b\"");
  CHECK(sql_table("rows").value() == "\"rows\"");
  CHECK(sql_table("market.rows").value() == "\"market\".\"rows\"");
  CHECK(sql_table("\"My.Market\".\"the \"\"rows\"\"\"").value() == "\"My.Market\".\"the \"\"rows\"\"\"");
  CHECK(sql_table("rows; DROP TABLE x").value() == "\"rows; DROP TABLE x\"");
  for (const char* wrong : {"", ".", "a.", ".a", "a..b", "\"a", "\"a\"b"}) CHECK(!sql_table(wrong));
}

TEST_CASE("postgres: a query ends where it ends") {
  TableOptions options;
  options.query = "SELECT 1 -- all; \n ;";
  CHECK(postgres_relation(options).value() == "(SELECT 1 -- all\n) AS rows");
}

TEST_CASE("postgres: a connection string tells where it leads, and never its password") {
  const auto target = PostgresTarget::of(Secret{"postgresql://me:p%40ss@db.example:6543/market?sslmode=require"});
  REQUIRE(target);
  CHECK(target->host == "db.example");
  CHECK(target->port == "6543");
  CHECK(target->sslmode == "require");
  CHECK(target->has_password);
  CHECK(target->text() == "market at db.example");
  for (const char* wrong : {"postgresql://me:hunter%2@db.example/market", "host=db password='hunter2", "hunter2"}) {
    const auto refused = PostgresTarget::of(Secret{wrong});
    REQUIRE(!refused);
    CHECK(refused.error().message.find("hunter") == std::string::npos);
    CHECK(!refused.error().may_pass());
  }
}

}  // namespace
}  // namespace everlearn
