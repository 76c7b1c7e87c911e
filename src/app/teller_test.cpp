#include "app/teller.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"
#include "core/world.hpp"
#include "registry/registry.hpp"
#include "registry/verdict.hpp"

namespace everlearn {
namespace {

const Timestamp kNoon = Timestamp::parse("2026-01-04T12:00:00Z").value();

/// Lines as grep would see them: the text, and behind it the data.
struct LinesLog final : Log {
  void write(LogLevel, std::string_view, std::string_view text, const JsonOut& data) override {
    lines.push_back(std::string{text} + " " + data.text());
  }
  std::vector<std::string> lines;
};

struct Fixture {
  TestDirectory directory;
  ManualClock clock{kNoon};
  Rng rng{1};
  SystemFs fs;
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return fail(Code::NotFound, "no programs here"); }};
  World world{clock, rng, fs, proc};
  Profile profile;
  LinesLog log;
  std::unique_ptr<Store> store = Store::open(world, directory.path(), {}).value();
  std::unique_ptr<Teller> teller;
  SourceReport source;
  Progress progress;
  Timestamp at = kNoon;

  Fixture() {
    profile.targets.push_back({.name = "move", .acts = true});
    profile.auto_enable = 2000;
    profile.dense_every = Duration::minutes(15);
    profile.mirror_history = "model_*.txt";
    progress.learning = "collecting";
  }
  void begin() {
    teller = std::make_unique<Teller>(log, profile, *store, progress);
    teller->begin(at);
  }
  void tell(bool training = false) { teller->tell(progress, training, source, at); }
  /// The lines that hold all of it, in the order they were written.
  std::vector<std::string> grep(const std::string& pattern) const {
    std::vector<std::string> found;
    std::ranges::copy_if(log.lines, std::back_inserter(found),
                         [&](const std::string& line) { return line.find(pattern) != std::string::npos; });
    return found;
  }
  std::string only(const std::string& pattern) const {
    const auto found = grep(pattern);
    INFO(pattern);
    REQUIRE(found.size() == 1);
    return found.front();
  }
  void verdict(const std::string& bundle, const std::string& outcome) {
    Verdict verdict;
    verdict.outcome = outcome == "promoted" ? Outcome::Promoted : Outcome::Refused;
    verdict.reason = "because";
    verdict.checks = {{"r2", 0.0421, 0.03, true, ""}, {"direction_accuracy", 0.544, 0.52, true, ""}};
    REQUIRE(store->append(
        VerdictRow{.target = 0,
                   .bundle = bundle,
                   .champion_before = {},
                   .as_of = at,
                   .outcome = outcome,
                   .reason = "schedule: 6h",
                   .json = JsonOut{}.put_json("verdict", verdict.to_json()).put("stop_until", at).text()}));
  }
};

TEST_CASE_FIXTURE(Fixture, "teller: a start looks for what is missing and says how dense the history is") {
  for (std::int64_t i = 0; i <= 1200; ++i)
    for (std::uint32_t token = 0; token < 2; ++token)
      store->coverage().add(InstrumentId{token}, kNoon + profile.dense_every * i, profile.dense_every,
                            profile.dense_every * 2);
  begin();
  CHECK(log.lines.front() == "Checking for missing price data to backfill... {}");
  CHECK(only("Price history").starts_with("Price history: 2,402 points, 2 tokens, 12.5 days coverage {"));
  CHECK(only("avg interval").starts_with("avg interval: 15.0min (target: 15min) {"));
}

TEST_CASE_FIXTURE(Fixture,
                  "teller: without a history there is nothing to say of one, and an interval is not invented") {
  SUBCASE("no prices yet") {
    begin();
    CHECK(only("Price history").starts_with("Price history: 0 points, 0 tokens, 0.0 days coverage {"));
    CHECK(only("avg interval").starts_with("avg interval: unknown (target: 15min) {"));
  }
  SUBCASE("no dense prices in this profile") {
    profile.dense_every = {};
    begin();
    CHECK(grep("Price history").empty());
    CHECK(grep("missing price data").empty());
    CHECK(grep("Data statistics").size() == 1);
  }
  SUBCASE("backfill is off") {
    profile.backfill = false;
    begin();
    CHECK(grep("missing price data").empty());
    CHECK(grep("Price history").size() == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "teller: data statistics at the start, each hour, and when there is enough to learn from") {
  begin();
  CHECK(only("Data statistics")
            .starts_with("Data statistics: 0 usable examples, 0.00 labeled {\"examples_with_targets\":0"));
  progress.examples = 2332;
  progress.labelled = 2100;
  progress.effective = 1890;
  tell();
  CHECK(grep("Data statistics").size() == 1);
  at = at + Duration::hours(1);
  tell();
  CHECK(grep("examples_with_targets")
            .back()
            .starts_with("Data statistics: 1,890 usable examples, 0.90 labeled {\"examples_with_targets\":2100"));
  progress.effective = 2000;
  tell();
  CHECK(grep("Data statistics").size() == 3);
  progress.effective = 2001;
  tell();
  CHECK(grep("Data statistics").size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "teller: a training from its start to the model that acts") {
  begin();
  progress.labelled = 3500;
  tell(true);
  tell(true);
  CHECK(only("Training new model...").find("\"examples\":3500") != std::string::npos);
  verdict("abcdef123456", "promoted");
  ++progress.trainings;
  tell();
  const std::string trained = only("New model trained");
  CHECK(trained.find("\"val_r2\":0.0421,\"val_direction_acc\":0.544") != std::string::npos);
  CHECK(grep("Model swapped").empty());
  Registry registry;
  registry.add({.id = "abcdef123456", .target = "move", .trained_at = kNoon});
  REQUIRE(store->put_state("registry", registry.to_json()));
  progress.champions["move"] = "abcdef123456";
  progress.learning = "active";
  progress.auto_enabled = at;
  tell();
  CHECK(only("Model swapped").find("\"model_path\":\"models/model_20260104_120000.txt\"") != std::string::npos);
  CHECK(only("AUTO-ENABLE").starts_with("ML AUTO-ENABLED!"));
  tell();
  CHECK(grep("AUTO-ENABLE").size() == 1);
  CHECK(grep("Model swapped").size() == 1);
}

TEST_CASE_FIXTURE(
    Fixture, "teller: a training that ends within one step is told from its start too; a failed one made no model") {
  begin();
  verdict("", "failed");
  ++progress.trainings;
  tell();
  CHECK(grep("Training new model...").size() == 1);
  CHECK(grep("New model trained").empty());
  verdict("abcdef123456", "refused");
  ++progress.trainings;
  tell();
  CHECK(grep("Training new model...").size() == 2);
  CHECK(grep("New model trained").size() == 1);
  CHECK(grep("Model swapped").empty());
}

TEST_CASE_FIXTURE(Fixture, "teller: what was known at the start is not told again") {
  progress.champions["move"] = "abcdef123456";
  progress.auto_enabled = at;
  progress.learning = "active";
  progress.trainings = 3;
  begin();
  tell();
  CHECK(grep("Model swapped").empty());
  CHECK(grep("AUTO-ENABLE").empty());
  CHECK(grep("New model trained").empty());
}

}  // namespace
}  // namespace everlearn
