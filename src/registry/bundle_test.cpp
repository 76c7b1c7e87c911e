#include "registry/bundle.hpp"

#include <doctest/doctest.h>

#include "core/sim_fs.hpp"
#include "forest/fixtures.hpp"
#include "forest/lightgbm.hpp"
#include "learn/golden.hpp"

using namespace everlearn;

namespace {

// A finished job of the smallest model there is.
void finish_job(Fs& fs, const std::string& directory) {
  const std::string text = small_model();
  const Forest forest = forest_from_lightgbm(text).value();
  Golden golden{{"a", "b", "c"}, 1, {0.F, 0.F, 7.F, 0.F, 0.F, 3.F}, std::vector<double>(2)};
  forest.raw_batch(golden.rows, golden.raw);
  REQUIRE(fs.make_directories(directory));
  REQUIRE(replace_file(fs, directory + "/model.txt", text));
  REQUIRE(replace_file(fs, directory + "/forest.bin", forest.encode()));
  REQUIRE(replace_file(fs, directory + "/calibrator.json", Calibrator{}.to_json()));
  REQUIRE(write_golden(fs, directory + "/golden.parquet", golden));
}

Card card() {
  Card c;
  c.profile = "p";
  c.target = "ret";
  c.columns = {"a", "b", "c"};
  c.schema_hash = "s";
  c.canonical_job = "{}";
  return c;
}

void flip_byte(Fs& fs, const std::string& path, std::size_t at) {
  std::string bytes = read_file(fs, path).value();
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  REQUIRE(replace_file(fs, path, bytes));
}

}  // namespace

TEST_CASE("bundle: admitted under the hash of what decides its words, loaded and verified again") {
  SimFs fs;
  REQUIRE(fs.make_directories("/d/models"));
  finish_job(fs, "/d/job");
  const Bundle made = admit(fs, "/d/models", "/d/job", card()).value();
  CHECK(made.card.id.size() == 64);
  const Bundle loaded = load_bundle(fs, "/d/models", made.card.id).value();
  CHECK(loaded.card.to_json() == made.card.to_json());
  CHECK(loaded.card.range_low == std::vector{0.F, 0.F, 3.F});
  CHECK(loaded.card.range_high == std::vector{0.F, 0.F, 7.F});
  CHECK(fs.exists("/d/models/" + made.card.id + "/trainer/model.txt"));

  SUBCASE("its size is that of its files, the attachment included") {
    std::uint64_t sum = 0;
    for (const char* name : {"card.json", "forest.bin", "calibrator.json", "golden.parquet", "trainer/model.txt"})
      sum += read_file(fs, "/d/models/" + made.card.id + "/" + name).value().size();
    CHECK(bundle_bytes(fs, "/d/models", made.card.id).value() == sum);
  }
  SUBCASE("admitting the same job twice gives the same bundle") {
    CHECK(admit(fs, "/d/models", "/d/job", card())->card.id == made.card.id);
  }
  SUBCASE("another canonical job is another bundle") {
    Card other = card();
    other.canonical_job = "{\"seed\":2}";
    CHECK(admit(fs, "/d/models", "/d/job", other)->card.id != made.card.id);
  }
  SUBCASE("a flipped bit anywhere in the forest is refused") {
    const std::string path = "/d/models/" + made.card.id + "/forest.bin";
    const std::size_t size = read_file(fs, path)->size();
    for (std::size_t at = 0; at < size; at += 7) {
      flip_byte(fs, path, at);
      CHECK(!load_bundle(fs, "/d/models", made.card.id));
      flip_byte(fs, path, at);
    }
    CHECK(load_bundle(fs, "/d/models", made.card.id));
  }
  SUBCASE("a card whose content was edited no longer fits its id") {
    Card edited = made.card;
    edited.canonical_job = "{\"seed\":3}";
    REQUIRE(write_card(fs, "/d/models", edited));
    CHECK(load_bundle(fs, "/d/models", made.card.id).error().code == Code::Model);
  }
  SUBCASE("prediction sets make another bundle, and go with it") {
    const ConformalSets sets = ConformalSets::fit({}, 3, {}, 0.1);
    REQUIRE(replace_file(fs, "/d/job/conformal.json", sets.to_json()));
    const std::string id = admit(fs, "/d/models", "/d/job", card())->card.id;
    CHECK(id != made.card.id);
    CHECK(load_bundle(fs, "/d/models", id)->sets == sets);
    CHECK(!loaded.sets);
    const std::string kept = "/d/models/" + id + "/conformal.json";
    const ConformalSets other = ConformalSets::fit({}, 3, {}, 0.2);
    REQUIRE(replace_file(fs, kept, other.to_json()));
    CHECK(load_bundle(fs, "/d/models", id).error().code == Code::Model);
    REQUIRE(fs.remove(kept));
    CHECK(load_bundle(fs, "/d/models", id).error().code == Code::Model);
  }
  SUBCASE("pruning leaves the card") {
    REQUIRE(strip_bundle(fs, "/d/models", made.card.id));
    CHECK(fs.exists("/d/models/" + made.card.id + "/card.json"));
    CHECK(!load_bundle(fs, "/d/models", made.card.id));
  }
}

TEST_CASE("bundle: golden rows that our evaluator does not reproduce are refused") {
  SimFs fs;
  REQUIRE(fs.make_directories("/d/models"));
  finish_job(fs, "/d/job");
  Golden golden = read_golden(fs, "/d/job/golden.parquet").value();
  golden.raw[1] += 1e-16 + golden.raw[1] * 1e-15;
  REQUIRE(write_golden(fs, "/d/job/golden.parquet", golden));
  const auto refused = admit(fs, "/d/models", "/d/job", card());
  REQUIRE(!refused);
  CHECK(refused.error().message.find("golden row 1") != std::string::npos);
}

TEST_CASE("bundle: a crash while admitting leaves the bundle whole or absent") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimFs fs{seed};
    REQUIRE(fs.make_directories("/d/models"));
    finish_job(fs, "/d/job");
    const std::string id = admit(fs, "/d/models", "/d/job", card())->card.id;
    fs.crash();
    const auto loaded = load_bundle(fs, "/d/models", id);
    CHECK(loaded);  // admit() returned: it is durable
  }
}
