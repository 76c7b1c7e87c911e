#include "app/by_hand.hpp"

#include <doctest/doctest.h>

#include "core/test_directory.hpp"

namespace everlearn {
namespace {

TEST_CASE("by hand: a request survives its line") {
  const HandRequest request{"models.rollback", {{"target", "ret \"5\""}, {"to", ""}}};
  const auto back = HandRequest::from_json(request.to_json());
  REQUIRE(back);
  CHECK(back->verb == request.verb);
  CHECK(back->args == request.args);
  CHECK(back->arg("absent").empty());
  CHECK(!HandRequest::from_json("{\"verb\":7}"));
  CHECK(!HandRequest::from_json("nonsense"));
}

TEST_CASE("by hand: an answer keeps its kind of error") {
  const auto good = answer_from_json(answer_json(std::string{"done"}));
  REQUIRE(good);
  CHECK(*good == "done");
  const auto bad = answer_from_json(answer_json(fail(Code::NotFound, "no model x")));
  REQUIRE(!bad);
  CHECK(bad.error().code == Code::NotFound);
  CHECK(bad.error().message == "no model x");
}

Config demo_config() {
  SystemFs fs;
  auto config = Config::load(fs, {.profile = "demo", .environment = {}, .dot_env = {}, .overrides = {}});
  REQUIRE(config);
  return *config;
}

ModelEntry model(const std::string& id) {
  ModelEntry entry;
  entry.id = id;
  entry.target = "ret_5d";
  return entry;
}

struct Directory {
  TestDirectory folder;
  std::unique_ptr<DataDirectory> data;
  Directory() {
    auto opened = DataDirectory::open(folder.path() + "/data", demo_config(), DataDirectory::Access::Create);
    REQUIRE(opened);
    data = std::move(*opened);
    Registry registry;
    for (const char* id : {"aaaaaaaa", "bbbbbbbb"}) {
      registry.add(model(id));
      REQUIRE(registry.promote(id, Timestamp{1}, false));
    }
    REQUIRE(data->store().put_state("registry", registry.to_json()));
    REQUIRE(data->store().commit_state());
  }
  std::string champion() { return data->registry()->champion("ret_5d").value_or(""); }
  std::string pointer() { return *read_file(data->fs(), data->models() + "/current_ret_5d"); }
};

TEST_CASE("by hand: rolling back goes to the champion before, and pins the target") {
  Directory directory;
  const auto said = apply_by_hand({"models.rollback", {}}, *directory.data);
  REQUIRE(said);
  CHECK(directory.champion() == "aaaaaaaa");
  CHECK(directory.pointer() == "aaaaaaaa\n");
  CHECK(directory.data->registry()->pinned_target("ret_5d") == "aaaaaaaa");
  REQUIRE(apply_by_hand({"models.unpin", {{"name", "ret_5d"}}}, *directory.data));
  CHECK(!directory.data->registry()->pinned_target("ret_5d"));
  CHECK(directory.champion() == "aaaaaaaa");
}

TEST_CASE("by hand: a model is named by six digits, and an unknown one changes nothing") {
  Directory directory;
  REQUIRE(apply_by_hand({"models.promote", {{"model", "aaaaaa"}}}, *directory.data));
  CHECK(directory.champion() == "aaaaaaaa");
  const auto wrong = apply_by_hand({"models.promote", {{"model", "cccccc"}}}, *directory.data);
  REQUIRE(!wrong);
  CHECK(wrong.error().code == Code::NotFound);
  CHECK(directory.champion() == "aaaaaaaa");
}

TEST_CASE("by hand: off stays off until a hand turns it on") {
  Directory directory;
  REQUIRE(apply_by_hand({"pause", {}}, *directory.data));
  CHECK(**directory.data->store().state("learning") == "off");
  REQUIRE(apply_by_hand({"resume", {}}, *directory.data));
  CHECK(**directory.data->store().state("learning") == "on");
}

TEST_CASE("by hand: where no daemon works nobody looks for holes, and it says so") {
  Directory directory;
  const auto said = apply_by_hand({"backfill", {}}, *directory.data);
  REQUIRE(said);
  CHECK(said->find("no daemon works here") == 0);
}

TEST_CASE("by hand: an unknown verb is refused") {
  Directory directory;
  const auto wrong = apply_by_hand({"buy", {}}, *directory.data);
  REQUIRE(!wrong);
  CHECK(wrong.error().code == Code::Usage);
}

TEST_CASE("data directory: it knows who works in it") {
  Directory directory;
  const std::string path = directory.data->path();
  const auto holder = DirectoryLock::holder(path);
  REQUIRE(holder);
  CHECK(holder->has_value());
  const auto second = DataDirectory::open(path, demo_config(), DataDirectory::Access::Change);
  REQUIRE(!second);
  CHECK(second.error().code == Code::InUse);
  CHECK(DataDirectory::open(path, demo_config(), DataDirectory::Access::Read));
  directory.data.reset();
  CHECK(!DirectoryLock::holder(path)->has_value());
}

}  // namespace
}  // namespace everlearn
