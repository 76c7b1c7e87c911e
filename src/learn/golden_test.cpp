#include "learn/golden.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/sim_fs.hpp"

using namespace everlearn;

TEST_CASE("golden rows: written and read, NaN included; a damaged file is refused") {
  SimFs fs;
  REQUIRE(fs.make_directories("/m"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Golden golden{{"a@1", "b@2"}, 2, {1.F, nan, -0.F, 4.F}, {0.5, -0.5, 1e-300, 3.0}};
  REQUIRE(write_golden(fs, "/m/golden.parquet", golden));
  const Golden back = read_golden(fs, "/m/golden.parquet").value();
  CHECK(back.columns == golden.columns);
  CHECK(back.raw == golden.raw);
  CHECK(std::isnan(back.rows[1]));
  CHECK(back.rows[3] == 4.F);

  std::string bytes = read_file(fs, "/m/golden.parquet").value();
  bytes.resize(bytes.size() / 2);
  REQUIRE(replace_file(fs, "/m/golden.parquet", bytes));
  const auto damaged = read_golden(fs, "/m/golden.parquet");
  REQUIRE(!damaged);
  CHECK(damaged.error().code == Code::Damaged);
}
