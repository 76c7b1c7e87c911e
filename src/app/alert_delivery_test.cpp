#include "app/alert_delivery.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <future>

#include "app/alert_state.hpp"
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
  std::vector<std::string> taken;
  std::deque<ChannelAnswer> script;
};

class ScriptChannel final : public Channel {
 public:
  explicit ScriptChannel(std::shared_ptr<Wire> wire) : wire_{std::move(wire)} {}
  const std::string& name() const override { return name_; }
  std::vector<std::string> parts(const std::string& text) const override { return {text}; }
  ChannelAnswer send(const Message& message, std::stop_token stop) override {
    std::unique_lock lock{wire_->mutex};
    wire_->taken.push_back(message.text);
    if (wire_->script.empty()) return {.fate = Fate::Sent, .detail = {}};
    ChannelAnswer answer = wire_->script.front();
    wire_->script.pop_front();
    if (answer.detail != "hang") return answer;
    std::condition_variable_any never;
    never.wait(lock, stop, [] { return false; });
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
  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  std::unique_ptr<Log> log = Log::open(clock, {.directory = {}, .console = false}).value();
  std::unique_ptr<Store> store;
  std::unique_ptr<AlertDelivery> delivery;
  int commits = 0;

  Fixture() { start(); }
  void start() {
    delivery.reset();
    store.reset();
    store = Store::open(world, directory.path(), {}).value();
    std::vector<std::unique_ptr<Channel>> channels;
    channels.push_back(std::make_unique<ScriptChannel>(wire));
    delivery = AlertDelivery::make(
                   profile, *store, clock, *log,
                   [this] {
                     ++commits;
                     return store->commit("checkpoint");
                   },
                   std::move(channels))
                   .value();
  }
  void raise(const std::string& text) {
    AlertRow row;
    row.at = clock.now();
    row.kind = "signal";
    row.key = text;
    row.text = text;
    REQUIRE(store->append(row));
  }
  void raise_for_good(const std::string& text) {
    raise(text);
    REQUIRE(store->commit("checkpoint"));
  }
  std::vector<std::string> taken() {
    const std::lock_guard lock{wire->mutex};
    return wire->taken;
  }
  DeliveryRow row(std::int64_t alert) {
    const auto rows = store->deliveries().value();
    for (const DeliveryRow& one : rows)
      if (one.alert == alert) return one;
    return {};
  }
  void step() { REQUIRE(delivery->step()); }
  /// Steps until the answer of what was handed over is stored.
  void step_to_the_answer() {
    step();
    const auto unanswered = [&] {
      const auto rows = store->deliveries().value();
      return std::any_of(rows.begin(), rows.end(),
                         [](const DeliveryRow& one) { return one.state == DeliveryState::Sending; });
    };
    while (unanswered()) step();
  }
};

TEST_CASE_FIXTURE(Fixture, "delivery: an alert goes out once it is committed, and its state is committed first") {
  raise("one");
  step();
  CHECK(taken().empty());
  CHECK(commits == 0);
  REQUIRE(store->commit("checkpoint"));
  step_to_the_answer();
  CHECK(taken() == std::vector<std::string>{"one"});
  CHECK(row(1).state == DeliveryState::Sent);
  CHECK(commits == 2);  // before it left, and with the answer
  step();
  CHECK(commits == 2);
  CHECK(taken().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "delivery: what was sent is not sent by the next start, what was not is") {
  raise_for_good("one");
  step_to_the_answer();
  raise_for_good("two");
  start();
  clock.set(kNoon + Duration::seconds(5));
  step_to_the_answer();
  CHECK(taken() == std::vector<std::string>{"one", "two"});
  CHECK(row(2).state == DeliveryState::Sent);
}

TEST_CASE_FIXTURE(Fixture, "delivery: a failure is stored with what was said, and tried again after its wait") {
  wire->script.push_back({.fate = Fate::Later, .again_after = Duration::seconds(30), .detail = "429 busy"});
  raise_for_good("one");
  step_to_the_answer();
  CHECK(row(1).state == DeliveryState::Waiting);
  CHECK(row(1).detail == "429 busy");
  CHECK(row(1).next_try == kNoon + Duration::seconds(30));
  clock.set(kNoon + Duration::seconds(30));
  step_to_the_answer();
  CHECK(row(1).state == DeliveryState::Sent);
  CHECK(row(1).attempts == 2);
}

TEST_CASE_FIXTURE(Fixture, "delivery: the end waits for what can be sent, and no longer than it may for what hangs") {
  SUBCASE("sent") {
    raise_for_good("one");
    REQUIRE(delivery->finish(Duration::seconds(20)));
    CHECK(row(1).state == DeliveryState::Sent);
  }
  SUBCASE("hangs") {
    wire->script.push_back({.fate = Fate::Later, .perhaps_sent = true, .detail = "hang"});
    raise_for_good("one");
    REQUIRE(delivery->finish(Duration{50'000}));
    CHECK(row(1).state == DeliveryState::Sending);
    CHECK(row(1).detail == "hang");
    start();
    clock.set(kNoon + Duration::minutes(1));
    REQUIRE(delivery->finish(Duration::seconds(20)));
    CHECK(taken().back() == "one\n(This may have come before: the answer to it was lost.)");
  }
  SUBCASE("has to wait longer than that") {
    wire->script.push_back({.fate = Fate::Later, .again_after = Duration::hours(1), .detail = "429"});
    raise_for_good("one");
    REQUIRE(delivery->finish(Duration::seconds(20)));
    CHECK(taken().size() == 1);
    CHECK(row(1).state == DeliveryState::Waiting);
  }
}

TEST_CASE_FIXTURE(Fixture, "delivery: without a channel alerts are kept, and that is said") {
  raise_for_good("one");
  auto none = AlertDelivery::make(profile, *store, clock, *log, [] { return Result<void>{}; }, {}).value();
  REQUIRE(none->step());
  REQUIRE(none->finish(Duration::seconds(20)));
  CHECK(store->deliveries().value().empty());
  AlertSettings settings;
  CHECK(make_channels(settings).empty());
  CHECK(alert_words(alert_state(*store, settings).value(), settings) ==
        "1 raised; no channel, so nobody is told: alert.telegram.token and alert.telegram.chat are not set");
  settings.telegram.token = Secret{"1:a"};
  CHECK(make_channels(settings).empty());
  CHECK(missing_for_telegram(settings) == "alert.telegram.token is set, alert.telegram.chat is not");
  settings.telegram.chat = "7";
  CHECK(make_channels(settings).size() == 1);
  CHECK(alert_words(alert_state(*store, settings).value(), settings) == "1 raised; telegram: 0 sent, 1 waiting");
}

TEST_CASE_FIXTURE(Fixture, "delivery: quiet hours of the profile hold what may wait") {
  profile.signal.quiet_from = "11:00";
  profile.signal.quiet_to = "13:00";
  profile.signal.quiet_zone = "UTC";
  start();
  AlertRow signal;
  signal.at = clock.now();
  signal.kind = "signal";
  signal.key = signal.text = "signal";
  signal.quiet_may_hold = true;
  REQUIRE(store->append(signal));
  raise_for_good("training");
  step_to_the_answer();
  clock.set(kNoon + Duration::minutes(30));
  step_to_the_answer();
  CHECK(taken() == std::vector<std::string>{"training"});
  clock.set(kNoon + Duration::hours(1));
  step_to_the_answer();
  CHECK(taken() == std::vector<std::string>{"training", "signal"});
}

}  // namespace
}  // namespace everlearn
