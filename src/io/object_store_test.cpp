#include "io/object_store.hpp"

#include "io/s3_store.hpp"
#include "io/test_world.hpp"

namespace everlearn {
namespace {

std::string bytes_of(ObjectStore& store, const std::string& name) {
  const auto object = store.get(name);
  if (!object) return "(" + object.error().message + ")";
  return *object ? (*object)->bytes : "(none)";
}

TEST_CASE("directory store: what is put is there, under its name") {
  TestWorld world;
  const auto store = open_directory_store(world.fs, "/share/state", "one");
  CHECK(bytes_of(*store, "objects/ab/abc") == "(none)");
  CHECK(store->list("objects/")->empty());
  REQUIRE(store->put("objects/ab/abc", "first"));
  REQUIRE(store->put("objects/ab/abc", "first"));
  REQUIRE(store->put("objects/cd/cde", "second"));
  REQUIRE(store->put("snapshots/1", "third"));
  CHECK(bytes_of(*store, "objects/ab/abc") == "first");
  CHECK(*store->list("objects/") == std::vector<std::string>{"objects/ab/abc", "objects/cd/cde"});
  CHECK(*store->list("objects/c") == std::vector<std::string>{"objects/cd/cde"});
  REQUIRE(store->remove("objects/ab/abc"));
  REQUIRE(store->remove("objects/ab/abc"));
  CHECK(bytes_of(*store, "objects/ab/abc") == "(none)");
  CHECK(store->list(".tmp/")->empty());
}

TEST_CASE("directory store: of two writers under a condition one wins, and the other is told") {
  TestWorld world;
  const auto one = open_directory_store(world.fs, "/share", "one");
  const auto two = open_directory_store(world.fs, "/share", "two");
  const auto first = one->put_if_absent("head", "by one");
  REQUIRE(first);
  const auto late = two->put_if_absent("head", "by two");
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Code::InUse);
  CHECK(bytes_of(*two, "head") == "by one");

  const auto second = two->put_if_match("head", *first, "by two");
  REQUIRE(second);
  const auto lost = one->put_if_match("head", *first, "by one again");
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == Code::InUse);
  CHECK((*one->get("head"))->tag == *second);
  CHECK(bytes_of(*one, "head") == "by two");
  CHECK(one->list(".tmp/")->empty());
}

TEST_CASE("directory store: who wrote the same bytes before has won, as after an answer that got lost") {
  TestWorld world;
  const auto store = open_directory_store(world.fs, "/share", "one");
  const auto tag = store->put_if_absent("lease", "mine");
  CHECK(*store->put_if_absent("lease", "mine") == *tag);
  const auto next = store->put_if_match("lease", *tag, "mine, longer");
  CHECK(*store->put_if_match("lease", *tag, "mine, longer") == *next);
}

TEST_CASE("directory store: a writer that slept while two others wrote does not bring an old version back") {
  TestWorld world;
  const auto store = open_directory_store(world.fs, "/share", "one");
  std::string tag = *store->put_if_absent("head", "version 1");
  for (int i = 2; i <= 9; ++i) tag = *store->put_if_match("head", tag, fmt::format("version {}", i));
  const auto slept = store->put_if_match("head", "3", "from long ago");
  REQUIRE_FALSE(slept);
  CHECK(bytes_of(*store, "head") == "version 9");
  CHECK(world.fs.list("/share")->size() == 3);  // .tmp and two versions
}

TEST_CASE("directory store: whatever a power cut leaves, an object is the old one or the new one") {
  for (std::uint64_t operation = 1;; ++operation) {
    TestWorld world;
    REQUIRE(world.fs.make_directories("/share"));
    const auto store = open_directory_store(world.fs, "/share", "one");
    const std::string tag = *store->put_if_absent("head", "old");
    REQUIRE(store->put("objects/1", "content"));
    world.fs.cut_power_at(world.fs.operations() + operation);
    const bool object = store->put("objects/2", "more content").has_value();
    const bool head = object && store->put_if_match("head", tag, "new").has_value();
    world.fs.crash();
    const auto after = open_directory_store(world.fs, "/share", "two");
    CHECK(bytes_of(*after, "objects/1") == "content");
    const std::string now = bytes_of(*after, "head"), second = bytes_of(*after, "objects/2");
    CHECK((now == "new" || (now == "old" && !head)));
    CHECK((second == "more content" || (second == "(none)" && !object)));
    // And it can be written again.
    const auto there = *after->get("head");
    REQUIRE(after->put_if_match("head", there->tag, "newer"));
    CHECK(bytes_of(*after, "head") == "newer");
    if (head) break;
  }
}

TEST_CASE("s3 options: from the place and the environment, without a word about secrets") {
  const std::map<std::string, std::string> keys{{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "hush"}};
  const auto plain = s3_options("s3://bucket/a/b/", keys);
  REQUIRE(plain);
  CHECK(plain->bucket == "bucket");
  CHECK(plain->prefix == "a/b");
  CHECK(plain->endpoint == "https://s3.us-east-1.amazonaws.com");
  auto elsewhere = keys;
  elsewhere["AWS_REGION"] = "eu-central-1";
  CHECK(s3_options("s3://bucket", elsewhere)->endpoint == "https://s3.eu-central-1.amazonaws.com");
  elsewhere["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5000/";
  CHECK(s3_options("s3://bucket", elsewhere)->endpoint == "http://127.0.0.1:5000");

  const auto told = [](const std::string& place, const std::map<std::string, std::string>& environment) {
    const auto options = s3_options(place, environment);
    return options ? std::string{"good"} : options.error().message;
  };
  CHECK(told("s3://bucket", {{"AWS_ACCESS_KEY_ID", "id"}}) == "s3://bucket: AWS_SECRET_ACCESS_KEY is not set");
  CHECK(told("s3://", keys).find("wanted s3://bucket/prefix") != std::string::npos);
  elsewhere["AWS_ENDPOINT_URL"] = "http://user:hush@host";
  CHECK(told("s3://bucket", elsewhere).find("hush") == std::string::npos);
}

}  // namespace
}  // namespace everlearn
