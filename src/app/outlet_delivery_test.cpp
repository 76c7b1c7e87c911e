#include "app/outlet_delivery.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "core/json.hpp"
#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"
#include "core/world.hpp"

namespace everlearn {
namespace {

const Timestamp kNoon = Timestamp::parse("2026-01-03T12:00:00Z").value();

/// Takes down what it is given and answers from a script; at its end it takes everything.
struct Wire {
  std::mutex mutex;
  std::vector<Message> taken;
  std::deque<ChannelAnswer> script;
};

class ScriptChannel final : public Channel {
 public:
  explicit ScriptChannel(std::shared_ptr<Wire> wire) : wire_{std::move(wire)} {}
  const std::string& name() const override { return name_; }
  std::vector<std::string> parts(const std::string& text) const override { return {text}; }
  ChannelAnswer send(const Message& message, std::stop_token) override {
    const std::lock_guard lock{wire_->mutex};
    wire_->taken.push_back(message);
    if (wire_->script.empty()) return {.fate = Fate::Sent, .detail = {}};
    ChannelAnswer answer = wire_->script.front();
    wire_->script.pop_front();
    return answer;
  }

 private:
  const std::string name_ = "script";
  std::shared_ptr<Wire> wire_;
};

struct Fixture {
  TestDirectory directory;
  ManualClock clock{kNoon};
  Rng rng{1};
  SystemFs fs;
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return fail(Code::NotFound, "no programs here"); }};
  World world{clock, rng, fs, proc};
  Profile profile;
  Instrument instrument{.name = "7132", .market = "0xc0", .title = "Will it rain? Yes"};
  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  std::unique_ptr<Log> log = Log::open(clock, {.directory = {}, .console = false}).value();
  std::unique_ptr<Store> store;
  std::unique_ptr<OutletDelivery> delivery;
  std::int64_t last = 0;

  Fixture() {
    profile.name = "small";
    profile.paper.tolerance_ticks = 1;
    profile.outlet = {.file = "intents.jsonl", .url = "https://example.org/hook", .secret = Secret{"a secret"}};
    start();
  }
  void start() {
    delivery.reset();
    store.reset();
    store = Store::open(world, directory.path(), {}).value();
    delivery = OutletDelivery::make(profile.outlet, {.store = *store,
                                                     .fs = fs,
                                                     .clock = clock,
                                                     .log = *log,
                                                     .commit = [this] { return store->commit("checkpoint"); },
                                                     .data_directory = directory.path(),
                                                     .address = std::make_unique<ScriptChannel>(wire)})
                   .value();
  }
  IntentRow intend() {
    IntentRow intent{.id = ++last, .created = clock.now(), .expires = clock.now() + Duration::seconds(60)};
    intent.quantity = 20.83;
    intent.limit = Price::parse("0.48").value();
    intent.reason = "expected to rise";
    REQUIRE(queue_intent(*store, profile, instrument, intent, clock.now() + Duration::hours(1)));
    REQUIRE(store->commit("checkpoint"));
    return intent;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> all;
    const auto text = read_file(fs, directory.path() + "/intents.jsonl");
    if (!text) return all;
    for (std::size_t at = 0; at < text->size();) {
      const std::size_t end = std::min(text->find('\n', at), text->size());
      all.push_back(text->substr(at, end - at));
      at = end + 1;
    }
    return all;
  }
  std::vector<Message> taken() {
    const std::lock_guard lock{wire->mutex};
    return wire->taken;
  }
  void step_until_empty() {
    for (int n = 0; n < 100'000 && store->state("outlet").value(); ++n) REQUIRE(delivery->step());
    REQUIRE(!store->state("outlet").value());
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "outlet: an intent is a line in the file and a post, and says all that is needed") {
  const IntentRow intent = intend();
  step_until_empty();
  const auto posts = taken();
  REQUIRE(lines().size() == 1);
  REQUIRE(posts.size() == 1);
  CHECK(lines()[0] == posts[0].text);
  CHECK(posts[0].key == "small-1767441600000000-1");
  CHECK(posts[0].expires == intent.expires);
  CHECK(lines()[0] ==
        R"({"id":"small-1767441600000000-1","number":1,"profile":"small","market":"0xc0","token":"7132",)"
        R"("title":"Will it rain? Yes","side":"buy","size":"20.83","limit":"0.48","reason":"expected to rise",)"
        R"("created":"2026-01-03T12:00:00.000000Z","expires":"2026-01-03T12:01:00.000000Z",)"
        R"("exit_at":"2026-01-03T13:00:00.000000Z","paper":true})");
  REQUIRE(delivery->step());
  CHECK(lines().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "outlet: a kill between the write and the commit writes nothing twice, nor half") {
  intend();
  // Written, and the store does not know: as if the process had died before its commit.
  const std::string before = store->state("outlet").value().value();
  step_until_empty();
  REQUIRE(store->put_state("outlet", before));
  REQUIRE(store->commit("checkpoint"));
  SUBCASE("a whole line") {}
  SUBCASE("and then a part of a line") {
    const auto file = fs.open_append(directory.path() + "/intents.jsonl").value();
    REQUIRE(file->append(R"({"id":"small-17674416)"));
    REQUIRE(file->close());
  }
  start();
  intend();
  step_until_empty();
  std::vector<std::string> ids;
  for (const std::string& line : lines())
    if (auto in = JsonIn::parse(line)) {
      std::string id;
      in->get("id", id);
      ids.push_back(id);
    }
  CHECK(ids == std::vector<std::string>{"small-1767441600000000-1", "small-1767441600000000-2"});
}

TEST_CASE_FIXTURE(Fixture, "outlet: what was not taken goes out again under the same key, also after a restart") {
  wire->script = {{.fate = Fate::Later, .detail = "status 500"}, {.fate = Fate::Later, .detail = "status 500"}};
  intend();
  while (taken().empty()) REQUIRE(delivery->step());
  start();
  clock.set(kNoon + Duration::seconds(30));
  while (taken().size() < 2) REQUIRE(delivery->step());
  // Its answer asks for some seconds' patience.
  for (int n = 0; n < 200; ++n) REQUIRE(delivery->step());
  clock.set(kNoon + Duration::seconds(50));
  step_until_empty();
  const auto posts = taken();
  REQUIRE(posts.size() == 3);
  for (const Message& post : posts) CHECK(post.key == "small-1767441600000000-1");
}

TEST_CASE_FIXTURE(Fixture, "outlet: an expired intent is not sent; the journal says so") {
  intend();
  clock.set(kNoon + Duration::seconds(60));
  step_until_empty();
  CHECK(taken().empty());
  CHECK(lines().size() == 1);  // the file is a record
  const auto notes = store->notes().value();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].text == "intent 1 was not taken: expired after 0 attempts");
}

TEST_CASE_FIXTURE(Fixture, "outlet: a file that cannot be written holds nobody up, and is caught up with") {
  REQUIRE(fs.make_directories(directory.path() + "/intents.jsonl"));
  intend();
  while (taken().empty()) REQUIRE(delivery->step());
  REQUIRE(fs.remove_tree(directory.path() + "/intents.jsonl"));
  clock.set(kNoon + Duration::seconds(30));
  step_until_empty();
  CHECK(lines().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "outlet: the end waits for what is under way") {
  intend();
  REQUIRE(delivery->finish(Duration::seconds(5)));
  CHECK(taken().size() == 1);
  CHECK(!store->state("outlet").value());
}

TEST_CASE_FIXTURE(Fixture, "outlet: an address without a secret is refused") {
  const auto made = OutletDelivery::make({.file = {}, .url = "https://example.org/hook", .secret = {}},
                                         {.store = *store,
                                          .fs = fs,
                                          .clock = clock,
                                          .log = *log,
                                          .commit = [] { return Result<void>{}; },
                                          .data_directory = directory.path(),
                                          .address = nullptr});
  CHECK(made.error().message == "trade.outlet.url needs trade.outlet.secret: nobody could tell who posts there");
}

}  // namespace everlearn
