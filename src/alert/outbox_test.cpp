#include "alert/outbox.hpp"

#include <doctest/doctest.h>

#include <map>

#include "alert/telegram_text.hpp"
#include "core/clock.hpp"

namespace everlearn {
namespace {

constexpr Timestamp kNoon{1'700'049'600'000'000};  // 2023-11-15T12:00:00Z

class ShortChannel final : public Channel {
 public:
  const std::string& name() const override { return name_; }
  std::vector<std::string> parts(const std::string& text) const override { return split_text(text, units); }
  ChannelAnswer send(const Message&, std::stop_token) override { return {}; }

  std::size_t units = 4096;

 private:
  const std::string name_ = "test";
};

/// An outbox whose rows are kept as the store would keep them.
struct Fixture {
  ShortChannel channel;
  ManualClock clock{kNoon};
  OutboxRules rules;
  bool quiet = false;
  std::map<std::int64_t, AlertRow> alerts;
  std::map<std::int64_t, DeliveryRow> rows;
  std::unique_ptr<Outbox> outbox;

  Outbox& box() {
    if (!outbox) outbox = std::make_unique<Outbox>(channel, rules, Rng{1}, [this](Timestamp) { return quiet; });
    return *outbox;
  }
  AlertRow& raise(const std::string& text) {
    const auto id = static_cast<std::int64_t>(alerts.size()) + 1;
    AlertRow row;
    row.id = id;
    row.at = clock.now();
    row.kind = "signal";
    row.key = "signal/" + std::to_string(id);
    row.text = text;
    return alerts[id] = row;
  }
  void add(std::int64_t id) {
    const auto row = rows.find(id);
    DeliveryRow none;
    none.alert = id;
    none.channel = "test";
    box().add({alerts[id], row == rows.end() ? none : row->second});
  }
  void tell(const std::string& text) {
    raise(text);
    add(static_cast<std::int64_t>(alerts.size()));
  }
  void keep() {
    for (const DeliveryRow& row : box().take_changes()) rows[row.alert] = row;
  }
  std::optional<Message> next() {
    auto message = box().next(clock.now());
    keep();
    return message;
  }
  std::string text() {
    const auto message = next();
    return message ? message->text : "nothing";
  }
  void answer(ChannelAnswer answer) {
    answer.number = last;
    box().answered(answer, clock.now());
    keep();
  }
  /// Sends what is due and has it answered.
  std::string send(Fate fate = Fate::Sent) {
    const auto message = next();
    if (!message) return "nothing";
    last = message->number;
    answer({.fate = fate, .detail = fate == Fate::Sent ? "" : "no luck"});
    return message->text;
  }
  void wait(Duration time) { clock.set(clock.now() + time); }
  /// As after a kill: the rows as they were stored last, nothing else.
  void restart() {
    outbox.reset();
    for (const auto& [id, alert] : alerts)
      if (!rows.contains(id) || !rows[id].settled()) add(id);
    keep();
  }
  DeliveryState state(std::int64_t id) { return rows[id].state; }

  std::uint64_t last = 0;
};

TEST_CASE_FIXTURE(Fixture, "outbox: messages go out in order, one at a time, and are settled by the answer") {
  tell("one");
  tell("two");
  const auto first = next();
  REQUIRE(first);
  CHECK(first->text == "one");
  CHECK(state(1) == DeliveryState::Sending);
  CHECK_FALSE(next());
  last = first->number;
  answer({.fate = Fate::Sent});
  CHECK(state(1) == DeliveryState::Sent);
  CHECK(rows[1].attempts == 1);
  wait(Duration::seconds(1));
  CHECK(send() == "two");
  CHECK(box().waiting() == 0);
  CHECK_FALSE(box().due(clock.now()));
}

TEST_CASE_FIXTURE(Fixture, "outbox: an answer to another message changes nothing") {
  tell("one");
  const auto message = next();
  last = message->number + 1;
  answer({.fate = Fate::Sent});
  CHECK(box().under_way());
  CHECK(state(1) == DeliveryState::Sending);
}

TEST_CASE_FIXTURE(Fixture, "outbox: one message a second, twenty a minute") {
  rules.digest_from = 100;
  for (int i = 0; i < 25; ++i) tell(std::to_string(i));
  CHECK(send() == "0");
  CHECK(send() == "nothing");
  CHECK(box().due(clock.now()) == kNoon + Duration::seconds(1));
  for (int i = 1; i < 20; ++i) {
    wait(Duration::seconds(1));
    CHECK(send() == std::to_string(i));
  }
  wait(Duration::seconds(1));
  CHECK(send() == "nothing");
  CHECK(box().due(clock.now()) == kNoon + Duration::minutes(1));
  clock.set(kNoon + Duration::minutes(1));
  CHECK(send() == "20");
}

TEST_CASE_FIXTURE(
    Fixture, "outbox: the wait doubles with each failure up to ten minutes, with jitter, and ends with a success") {
  tell("one");
  std::vector<double> waits;
  for (int i = 0; i < 12; ++i) {
    CHECK(send(Fate::Later) == "one");
    const Timestamp due = *box().due(clock.now());
    waits.push_back((due - clock.now()).as_seconds());
    CHECK(rows[1].next_try == due);
    clock.set(due - Duration{1});
    CHECK(send() == "nothing");
    clock.set(due);
  }
  double whole = 5;
  for (const double wait_s : waits) {
    CHECK(wait_s >= whole / 2);
    CHECK(wait_s <= whole);
    whole = std::min(whole * 2, 600.0);
  }
  CHECK(rows[1].attempts == 12);
  CHECK(send() == "one");
  tell("two");
  wait(Duration::seconds(1));
  CHECK(send(Fate::Later) == "two");
  CHECK((*box().due(clock.now()) - clock.now()).as_seconds() <= 5);
}

TEST_CASE_FIXTURE(Fixture, "outbox: what the channel asks for is waited for, to the second") {
  tell("one");
  last = next()->number;
  answer({.fate = Fate::Later, .again_after = Duration::seconds(33), .detail = "429"});
  CHECK(*box().due(clock.now()) == clock.now() + Duration::seconds(33));
  CHECK(state(1) == DeliveryState::Waiting);
  CHECK(rows[1].detail == "429");
  SUBCASE("also by the next process") { restart(); }
  wait(Duration::seconds(32));
  CHECK(text() == "nothing");
  wait(Duration::seconds(1));
  CHECK(text() == "one");
}

TEST_CASE_FIXTURE(Fixture, "outbox: a message that is refused is told of, and the next goes out") {
  tell("bad");
  tell("good");
  CHECK(send(Fate::Refused) == "bad");
  CHECK(state(1) == DeliveryState::Refused);
  CHECK(rows[1].detail == "no luck");
  wait(Duration::seconds(1));
  CHECK(send() == "good");
}

TEST_CASE_FIXTURE(Fixture, "outbox: a broken channel loses nothing, is named, and is tried again") {
  tell("one");
  CHECK(send(Fate::Broken) == "one");
  CHECK(box().trouble() == "no luck");
  CHECK(state(1) == DeliveryState::Waiting);
  CHECK(*box().due(clock.now()) == clock.now() + Duration::minutes(10));
  SUBCASE("by a person's restart at once") {
    restart();
    CHECK(send() == "one");
  }
  SUBCASE("after ten minutes") {
    wait(Duration::minutes(10));
    CHECK(send() == "one");
  }
  CHECK(box().trouble().empty());
}

TEST_CASE_FIXTURE(Fixture, "outbox: after a kill between the message and its answer it goes out again and says so") {
  tell("one");
  REQUIRE(next());
  restart();
  CHECK(text() == "one\n(This may have come before: the answer to it was lost.)");
}

TEST_CASE_FIXTURE(Fixture, "outbox: a lost answer is remembered over failures that are certain, and over a restart") {
  tell("one");
  last = next()->number;
  answer({.fate = Fate::Later, .perhaps_sent = true, .detail = "connection reset"});
  CHECK(state(1) == DeliveryState::Sending);
  clock.set(*box().due(clock.now()));
  CHECK(send(Fate::Later) == "one\n(This may have come before: the answer to it was lost.)");
  restart();
  clock.set(*box().due(clock.now()));
  CHECK(send() == "one\n(This may have come before: the answer to it was lost.)");
  CHECK(state(1) == DeliveryState::Sent);
}

TEST_CASE_FIXTURE(Fixture, "outbox: a signal past its horizon is not sent late, and the next message counts it") {
  raise("signal").expires = kNoon + Duration::minutes(10);
  add(1);
  tell("training");
  CHECK(send(Fate::Later) == "signal");
  clock.set(kNoon + Duration::minutes(10));
  CHECK(send() == "training\n(1 more came too late to be told: everlearn alerts list)");
  CHECK(state(1) == DeliveryState::Expired);
  CHECK(rows[1].detail == "worth telling until 2023-11-15T12:10:00; last: no luck");
  tell("third");
  wait(Duration::seconds(1));
  CHECK(send() == "third");
}

TEST_CASE_FIXTURE(Fixture, "outbox: what nobody could be told for three days, or in so many tries, expires") {
  rules.most_attempts = 2;
  tell("one");
  CHECK(send(Fate::Later) == "one");
  wait(Duration::days(1));
  tell("two");
  CHECK(send(Fate::Later) == "one");
  wait(Duration::hours(1));
  CHECK(send(Fate::Later) == "two\n(1 more came too late to be told: everlearn alerts list)");
  CHECK(rows[1].detail == "tried 2 times; last: no luck");
  wait(Duration::days(3));
  CHECK(send() == "nothing");
  CHECK(rows[2].detail == "older than 3d; last: no luck");
}

TEST_CASE_FIXTURE(Fixture, "outbox: from five on, those that wait become one list of their headlines") {
  for (int i = 1; i <= 4; ++i) tell("headline " + std::to_string(i) + "\nbody");
  SUBCASE("four do not") { CHECK(send() == "headline 1\nbody"); }
  SUBCASE("five do") {
    tell("headline 5\nbody");
    CHECK(send() ==
          "5 messages, times in UTC; whole: everlearn alerts list\n2023-11-15 12:00  headline 1\n2023-11-15 12:00  "
          "headline 2\n2023-11-15 12:00  headline 3\n2023-11-15 12:00  headline 4\n2023-11-15 12:00  headline 5");
    for (int i = 1; i <= 5; ++i) CHECK(state(i) == DeliveryState::Sent);
    CHECK(rows[3].detail == "in a list of 5");
  }
  SUBCASE("a critical one stands alone, and order is kept") {
    raise("fire").severity = Severity::Critical;
    add(5);
    for (int i = 6; i <= 10; ++i) tell("headline " + std::to_string(i));
    for (int i = 1; i <= 4; ++i) {
      CHECK(send() == "headline " + std::to_string(i) + "\nbody");
      wait(Duration::seconds(1));
    }
    CHECK(send() == "fire");
    wait(Duration::seconds(1));
    CHECK(send().starts_with("5 messages"));
  }
}

TEST_CASE_FIXTURE(Fixture, "outbox: a list fits one message; the rest makes the next one") {
  channel.units = 220;
  for (int i = 0; i < 12; ++i) tell("a headline of some length " + std::to_string(i));
  const std::string first = send();
  CHECK(first.starts_with("3 messages"));
  CHECK(utf16_units(first) <= 220);
  CHECK(state(3) == DeliveryState::Sent);
  CHECK(box().waiting() == 9);
}

TEST_CASE_FIXTURE(Fixture, "outbox: a refused list is sent one by one") {
  for (int i = 1; i <= 5; ++i) tell("headline " + std::to_string(i));
  CHECK(send(Fate::Refused).starts_with("5 messages"));
  for (int i = 1; i <= 5; ++i) {
    wait(Duration::seconds(1));
    CHECK(send(i == 2 ? Fate::Refused : Fate::Sent) == "headline " + std::to_string(i));
  }
  CHECK(state(2) == DeliveryState::Refused);
  CHECK(state(5) == DeliveryState::Sent);
}

TEST_CASE_FIXTURE(Fixture, "outbox: a long text goes out in parts, and what was taken is not sent again") {
  channel.units = 10;
  tell("part one\npart two\npart three");
  CHECK(send() == "part one");
  CHECK(state(1) == DeliveryState::Waiting);
  CHECK(rows[1].parts == 1);
  wait(Duration::seconds(1));
  CHECK(send(Fate::Later) == "part two");
  restart();
  clock.set(*box().due(clock.now()));
  CHECK(send() == "part two");
  wait(Duration::seconds(1));
  const auto third = next();
  CHECK(third->text == "part three");
  CHECK_FALSE(third->headline);
  last = third->number;
  answer({.fate = Fate::Sent});
  CHECK(state(1) == DeliveryState::Sent);
}

TEST_CASE_FIXTURE(Fixture, "outbox: quiet hours hold what may wait, and nothing else") {
  quiet = true;
  raise("signal").quiet_may_hold = true;
  add(1);
  CHECK_FALSE(box().due(clock.now()));
  tell("training");
  AlertRow& critical = raise("critical");
  critical.quiet_may_hold = true;
  critical.severity = Severity::Critical;
  add(3);
  CHECK(send() == "training");
  wait(Duration::seconds(1));
  CHECK(send() == "critical");
  wait(Duration::seconds(1));
  CHECK(send() == "nothing");
  quiet = false;
  CHECK(send() == "signal");
}

TEST_CASE_FIXTURE(Fixture, "outbox: what is less severe than wanted is skipped at once") {
  rules.least = Severity::Warning;
  tell("info");
  raise("warning").severity = Severity::Warning;
  add(2);
  keep();
  CHECK(state(1) == DeliveryState::Skipped);
  CHECK(send() == "warning");
}

}  // namespace
}  // namespace everlearn
