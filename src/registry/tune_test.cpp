#include "registry/tune.hpp"

#include <doctest/doctest.h>

#include "core/hash.hpp"
#include "core/rng.hpp"
#include "core/sim_fs.hpp"
#include "forest/fixtures.hpp"
#include "forest/lightgbm.hpp"
#include "learn/golden.hpp"

using namespace everlearn;

namespace {

const std::string kModels = "/d/models";
const std::string kBase(64, 'b');

Forest forest() { return forest_from_lightgbm(small_model()).value(); }

TuneCard card() {
  TuneCard c;
  c.base = kBase;
  c.target = "next";
  c.made_at = Timestamp{1'000};
  c.intervals = {{Timestamp{1}, Timestamp{2}}, {Timestamp{10}, Timestamp{20}}};
  c.stop_loss_before = 1.0986;
  c.stop_loss = 1.05;
  c.canonical_job = "{}";
  return c;
}

// A finished job, and a base that is there.
void finish_job(Fs& fs, const TuneDifference& difference) {
  REQUIRE(fs.make_directories("/d/job"));
  REQUIRE(fs.make_directories(kModels + "/" + kBase));
  REQUIRE(replace_file(fs, kModels + "/" + kBase + "/forest.bin", forest().encode()));
  REQUIRE(replace_file(fs, "/d/job/tune.bin", encode_difference(difference)));
  Golden golden{{"a", "b", "c"}, 1, {0.F, 0.F, 7.F, 0.F, 0.F, 3.F}, std::vector<double>(2)};
  forest().raw_batch(golden.rows, golden.raw);
  REQUIRE(write_golden(fs, "/d/job/golden.parquet", golden));
}

std::vector<LeafStep> steps() { return {{0, 0.5F}, {1, -0.25F}, {200, 1e-9F}, {70'000, 3.0F}}; }

const std::vector<TuneDifference>& differences() {
  static const std::vector<TuneDifference> all{
      std::monostate{}, forest(), steps(),
      Calibrator::from_json(R"({"format":1,"kind":"temperature","temperature":1.5})").value()};
  return all;
}

std::string sealed(std::string body) {
  const Sha256 digest = sha256(body);
  return body.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string file_of(const Tune& tune) { return kModels + "/" + kBase + "/tunes/" + tune.card.id + ".tune"; }

}  // namespace

TEST_CASE("tune: a difference of any kind is read back as it was") {
  for (const TuneDifference& difference : differences()) {
    const std::string bytes = encode_difference(difference);
    const TuneDifference back = decode_difference(bytes).value();
    CHECK(back.index() == difference.index());
    CHECK(encode_difference(back) == bytes);
    CHECK(changes_of(back) == changes_of(difference));
  }
  CHECK(std::get<std::vector<LeafStep>>(decode_difference(encode_difference(steps())).value()) == steps());
}

TEST_CASE("tune: leaves that stand together take five bytes each") {
  std::vector<LeafStep> close;
  for (std::uint32_t leaf = 0; leaf < 1'000; ++leaf) close.push_back({leaf, 1.0F});
  CHECK(encode_difference(close).size() == 1 + 4 + 5 * 1'000 + 32);
}

TEST_CASE("tune: admitted under the hash of base, difference and job; loaded and verified again") {
  for (const TuneDifference& difference : differences()) {
    SimFs fs;
    finish_job(fs, difference);
    const Tune made = admit_tune(fs, kModels, "/d/job", card()).value();
    CHECK(made.card.id.size() == 64);
    CHECK(made.card.changed == changes_of(difference));
    const Tune loaded = load_tune(fs, kModels, kBase, made.card.id).value();
    CHECK(loaded.card.to_json() == made.card.to_json());
    CHECK(encode_difference(loaded.difference) == encode_difference(difference));
    CHECK(admit_tune(fs, kModels, "/d/job", card())->card.id == made.card.id);

    TuneCard other = card();
    other.canonical_job = "{\"seed\":2}";
    CHECK(admit_tune(fs, kModels, "/d/job", other)->card.id != made.card.id);
    CHECK(tune_id(std::string(64, 'c'), encode_difference(difference), "{}") != made.card.id);
    const auto elsewhere = load_tune(fs, kModels, std::string(64, 'c'), made.card.id);
    CHECK(elsewhere.error().code == Code::NotFound);
  }
}

TEST_CASE("tune: a file put below another base is refused") {
  SimFs fs;
  finish_job(fs, steps());
  const Tune made = admit_tune(fs, kModels, "/d/job", card()).value();
  const std::string other(64, 'c');
  REQUIRE(fs.make_directories(kModels + "/" + other + "/tunes"));
  REQUIRE(fs.rename(file_of(made), kModels + "/" + other + "/tunes/" + made.card.id + ".tune"));
  const auto refused = load_tune(fs, kModels, other, made.card.id);
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::Model);
}

TEST_CASE("tune: a file whose checksum was made to fit, but not its id, is refused") {
  SimFs fs;
  finish_job(fs, steps());
  const Tune made = admit_tune(fs, kModels, "/d/job", card()).value();
  const std::string whole = read_file(fs, file_of(made)).value();
  const auto refused = [&](std::size_t at, const std::string& bytes) {
    std::string body = whole.substr(0, whole.size() - 32);
    body.replace(at, bytes.size(), bytes);
    REQUIRE(replace_file(fs, file_of(made), sealed(body)));
    return load_tune(fs, kModels, kBase, made.card.id).error().message;
  };
  CHECK(refused(whole.find("\"canonical_job\":\"{}\"") + 17, "[]").find("the content gives id") != std::string::npos);
  CHECK(refused(12, "\x01").find("card and content disagree") != std::string::npos);  // made_at
  CHECK(refused(8, "\x02").find("version 2, this program reads 1") != std::string::npos);
}

TEST_CASE("tune: a base that is not whole, or trees that our evaluator does not reproduce, are refused") {
  SimFs fs;
  finish_job(fs, forest());
  REQUIRE(fs.remove(kModels + "/" + kBase + "/forest.bin"));
  CHECK(admit_tune(fs, kModels, "/d/job", card()).error().code == Code::NotFound);
  finish_job(fs, forest());
  Golden golden = read_golden(fs, "/d/job/golden.parquet").value();
  golden.raw[1] += golden.raw[1] * 1e-15;
  REQUIRE(write_golden(fs, "/d/job/golden.parquet", golden));
  const auto refused = admit_tune(fs, kModels, "/d/job", card());
  REQUIRE(!refused);
  CHECK(refused.error().message.find("golden row 1") != std::string::npos);
}

TEST_CASE("tune: a flipped bit anywhere in the file is refused") {
  for (const TuneDifference& difference : differences()) {
    SimFs fs;
    finish_job(fs, difference);
    const Tune made = admit_tune(fs, kModels, "/d/job", card()).value();
    const std::string path = file_of(made), whole = read_file(fs, path).value();
    for (std::size_t bit = 0; bit < whole.size() * 8; bit += 5) {
      std::string bytes = whole;
      bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
      REQUIRE(replace_file(fs, path, bytes));
      CHECK(!load_tune(fs, kModels, kBase, made.card.id));
    }
    for (std::size_t size = 0; size < whole.size(); size += 3) {
      REQUIRE(replace_file(fs, path, whole.substr(0, size)));
      CHECK(!load_tune(fs, kModels, kBase, made.card.id));
    }
    REQUIRE(replace_file(fs, path, whole));
    CHECK(load_tune(fs, kModels, kBase, made.card.id));
  }
}

TEST_CASE("tune: whatever stands behind a right checksum, decoding ends with a value or an error") {
  Rng rng{11};
  for (const TuneDifference& difference : differences()) {
    const std::string bytes = encode_difference(difference);
    const std::string body = bytes.substr(0, bytes.size() - 32);
    for (int round = 0; round < 2'000; ++round) {
      std::string mutated = body;
      for (std::uint64_t edits = 1 + rng.below(4); edits > 0; --edits) {
        const auto at = static_cast<std::size_t>(rng.below(mutated.size()));
        if (rng.below(4) == 0)
          mutated.erase(at, rng.below(8));
        else
          mutated[at] = static_cast<char>(rng.below(256));
        if (mutated.empty()) mutated = "x";
      }
      const auto read = decode_difference(sealed(mutated));
      if (!read) continue;
      // A mutation that still says something says it consistently.
      CHECK(changes_of(*read) >= 0);
      CHECK(decode_difference(encode_difference(*read)));
    }
  }
  SimFs fs;
  finish_job(fs, steps());
  const Tune made = admit_tune(fs, kModels, "/d/job", card()).value();
  const std::string whole = read_file(fs, file_of(made)).value();
  for (int round = 0; round < 2'000; ++round) {
    std::string body = whole.substr(0, whole.size() - 32);
    body[static_cast<std::size_t>(rng.below(body.size()))] = static_cast<char>(rng.below(256));
    if (rng.below(3) == 0) body.resize(static_cast<std::size_t>(rng.below(body.size())));
    REQUIRE(replace_file(fs, file_of(made), sealed(std::move(body))));
    const auto read = load_tune(fs, kModels, kBase, made.card.id);
    if (read) CHECK(encode_difference(read->difference) == encode_difference(steps()));
  }
  CHECK(decode_difference(sealed(std::string{"\x02\xff\xff\xff\xff", 5})).error().code == Code::Model);
  CHECK(decode_difference(sealed("\x07")).error().code == Code::Model);
  CHECK(decode_difference("").error().code == Code::Damaged);
}

TEST_CASE("tune: pruning takes the old and the surplus, never one that serves, and a write that a crash cut short") {
  SimFs fs;
  finish_job(fs, steps());
  std::vector<std::string> ids;
  for (int i = 0; i < 6; ++i) {
    TuneCard c = card();
    c.made_at = Timestamp{i * 100};
    c.canonical_job = std::string(static_cast<std::size_t>(i + 1), 'x');
    ids.push_back(admit_tune(fs, kModels, "/d/job", c)->card.id);
  }
  const std::string cut = kModels + "/" + kBase + "/tunes/" + std::string(64, 'f') + ".tune.tmp";
  REQUIRE(replace_file(fs, cut, "half"));
  const auto left = [&] {
    std::vector<std::int64_t> times;
    const std::vector<TuneFile> files = list_tunes(fs, kModels, kBase).value();
    for (const TuneFile& file : files) times.push_back(file.made_at.us());
    return times;
  };
  CHECK(left() == std::vector<std::int64_t>{0, 100, 200, 300, 400, 500});
  CHECK(prune_tunes(fs, kModels, Timestamp{200}, 100, {ids[0]}).value() == 1);
  CHECK(left() == std::vector<std::int64_t>{0, 200, 300, 400, 500});
  CHECK(!fs.exists(cut));
  CHECK(prune_tunes(fs, kModels, Timestamp{0}, 3, {ids[0]}).value() == 2);
  CHECK(left() == std::vector<std::int64_t>{0, 400, 500});
  CHECK(prune_tunes(fs, kModels, Timestamp{0}, 3, {}).value() == 0);
  CHECK(prune_tunes(fs, "/nowhere", Timestamp{0}, 3, {}).value() == 0);
}

TEST_CASE("tune: it counts as its base's bytes and goes when the base is stripped") {
  SimFs fs;
  finish_job(fs, steps());
  const std::uint64_t before = bundle_bytes(fs, kModels, kBase).value();
  const Tune made = admit_tune(fs, kModels, "/d/job", card()).value();
  const std::uint64_t size = read_file(fs, file_of(made)).value().size();
  CHECK(bundle_bytes(fs, kModels, kBase).value() == before + size);
  REQUIRE(strip_bundle(fs, kModels, kBase));
  CHECK(load_tune(fs, kModels, kBase, made.card.id).error().code == Code::NotFound);
}

TEST_CASE("tune: a crash while admitting leaves it whole or absent") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimFs fs{seed};
    finish_job(fs, steps());
    const std::string id = admit_tune(fs, kModels, "/d/job", card())->card.id;
    fs.crash();
    CHECK(load_tune(fs, kModels, kBase, id));  // admit_tune() returned: it is durable
  }
}

TEST_CASE("tune: its card holds the time of its base and its own, an old base's up to what it has seen") {
  TrainJob job;
  job.tune = TuneSpec{.way = TuneWay::Leaves, .base = kBase};
  TrainResult result;
  result.intervals = {{Timestamp{50}, Timestamp{60}}, {Timestamp{60}, Timestamp{70}}};
  result.seen_until = Timestamp{70};
  Card base;
  base.id = kBase;
  base.seen_until = Timestamp{40};
  base.expires_at = Timestamp{900};
  base.intervals = {{Timestamp{10}, Timestamp{40}}};
  const TuneCard made = tune_card(base, job, result, Timestamp{80});
  CHECK(made.intervals == TrainingIntervals{{Timestamp{10}, Timestamp{40}}, {Timestamp{50}, Timestamp{70}}});
  CHECK(made.seen_until == Timestamp{70});
  CHECK(made.expires_at == Timestamp{900});
  CHECK(made.way == TuneWay::Leaves);
  base.seen_until = Timestamp{75};
  CHECK(tune_card(base, job, result, Timestamp{80}).seen_until == Timestamp{75});
  base.seen_until = Timestamp{40};
  base.intervals.clear();
  CHECK(tune_card(base, job, result, Timestamp{80}).intervals.front() ==
        TrainingInterval{Timestamp::min(), Timestamp{40}});
}
