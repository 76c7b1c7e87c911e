#include "app/mirror.hpp"

#include <doctest/doctest.h>

#include "core/sim_fs.hpp"

namespace everlearn {
namespace {

const Timestamp kNoon = Timestamp::parse("2026-01-04T12:00:00Z").value();

struct Place {
  SimFs fs;
  Profile profile;
  Registry registry;

  Place() {
    profile.targets.push_back({.name = "move", .acts = true});
    profile.targets.push_back({.name = "other"});
    profile.mirror_history = "model_*.txt";
    profile.mirror_pointer = "current_model.txt";
  }
  void model(const std::string& id, Timestamp trained_at, const std::string& target = "move") {
    registry.add({.id = id, .target = target, .trained_at = trained_at});
    REQUIRE(fs.make_directories("models/" + id + "/trainer"));
    REQUIRE(replace_file(fs, "models/" + id + "/trainer/model.txt", "trees of " + id));
  }
  void write(const std::string& champion = {}) {
    Card card;
    card.id = champion;
    const auto written = write_mirrors(fs, "models", profile, registry, champion.empty() ? nullptr : &card);
    INFO((written ? "" : written.error().message));
    REQUIRE(written);
  }
  std::string text(const std::string& name) { return read_file(fs, "models/" + name).value_or("(none)"); }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    const auto entries = fs.list("models").value();
    for (const DirectoryEntry& entry : entries)
      if (!entry.is_directory) names.push_back(entry.name);
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_CASE("mirror: each model of the target that acts, by the time of its training, and which one acts") {
  Place place;
  place.model("aaaaaa111111", kNoon);
  place.model("bbbbbb222222", kNoon + Duration::hours(6));
  place.model("cccccc333333", kNoon, "other");
  place.write();  // none acts yet
  CHECK(place.files() == Names{"model_20260104_120000.txt", "model_20260104_180000.txt"});
  place.write("bbbbbb222222");
  CHECK(place.text("current_model.txt") == "models/model_20260104_180000.txt");
  CHECK(place.text("model_20260104_180000.txt") == "trees of bbbbbb222222");
  place.write("aaaaaa111111");
  CHECK(place.text("current_model.txt") == "models/model_20260104_120000.txt");
  CHECK(place.files().size() == 3);
}

TEST_CASE("mirror: two models of one second have two names") {
  Place place;
  place.model("aaaaaa111111", kNoon);
  place.model("bbbbbb222222", kNoon);
  place.write("bbbbbb222222");
  CHECK(place.files() == Names{"current_model.txt", "model_20260104_120000.txt", "model_20260104_120000_bbbbbb.txt"});
  CHECK(place.text("current_model.txt") == "models/model_20260104_120000_bbbbbb.txt");
}

TEST_CASE("mirror: no longer than the archive keeps a model's files, and nothing else goes") {
  Place place;
  place.model("aaaaaa111111", kNoon);
  place.write();
  REQUIRE(replace_file(place.fs, "models/model_20250101_000000.txt", "of the older system"));
  place.registry.edit("aaaaaa111111")->whole = false;
  place.write();
  CHECK(place.files() == Names{"model_20250101_000000.txt"});
}

TEST_CASE("mirror: a pointer without a history names the trainer's text") {
  Place place;
  place.profile.mirror_history.clear();
  place.model("aaaaaa111111", kNoon);
  place.write("aaaaaa111111");
  CHECK(place.files() == Names{"current_model.txt"});
  CHECK(place.text("current_model.txt") == "models/aaaaaa111111/trainer/model.txt");
}

TEST_CASE("mirror: the pointer never names a file that is not there, whatever fails") {
  for (std::uint64_t step = 1; step < 40; ++step) {
    Place place;
    place.model("aaaaaa111111", kNoon);
    place.write("aaaaaa111111");
    place.model("bbbbbb222222", kNoon + Duration::hours(6));
    place.fs.add_fault({.fault = FsFault::IoError, .operation = place.fs.operations() + step, .times = 1});
    Card card;
    card.id = "bbbbbb222222";
    const bool written = write_mirrors(place.fs, "models", place.profile, place.registry, &card).has_value();
    auto named = read_file(place.fs, "models/current_model.txt");
    if (!named) named = read_file(place.fs, "models/current_model.txt");  // the fault was for later
    CAPTURE(step);
    CHECK(place.fs.exists(*named));
    if (written) CHECK(*named == "models/model_20260104_180000.txt");
  }
}

}  // namespace
}  // namespace everlearn
