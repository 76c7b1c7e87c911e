#include "io/channel_thread.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

namespace everlearn {
namespace {

constexpr Duration kSoon = Duration::seconds(20);

/// Answers at once, throws at "throw", and holds on to "hang" until it is asked to stop.
class Script final : public Channel {
 public:
  const std::string& name() const override { return name_; }
  std::vector<std::string> parts(const std::string& text) const override { return {text}; }
  ChannelAnswer send(const Message& message, std::stop_token stop) override {
    if (message.text == "throw") throw std::runtime_error("with a secret in it");
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    if (message.text == "hang") never.wait(lock, stop, [] { return false; });
    return {.fate = Fate::Sent, .detail = message.text};
  }

 private:
  const std::string name_ = "script";
};

TEST_CASE("channel thread: messages go in, their answers come out in order") {
  ChannelThread thread{std::make_unique<Script>()};
  REQUIRE(thread.offer({.number = 1, .text = "one"}));
  REQUIRE(thread.offer({.number = 2, .text = "two"}));
  std::vector<ChannelAnswer> answers;
  while (answers.size() < 2) {
    (void)thread.wait(kSoon);
    for (ChannelAnswer& answer : thread.take_answers()) answers.push_back(std::move(answer));
  }
  CHECK(answers[0].number == 1);
  CHECK(answers[0].detail == "one");
  CHECK(answers[1].number == 2);
  CHECK(thread.take_answers().empty());
}

TEST_CASE("channel thread: an exception is an answer that leaves open what happened, without its words") {
  ChannelThread thread{std::make_unique<Script>()};
  REQUIRE(thread.offer({.number = 3, .text = "throw"}));
  (void)thread.wait(kSoon);
  const auto answers = thread.take_answers();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].number == 3);
  CHECK(answers[0].fate == Fate::Later);
  CHECK(answers[0].perhaps_sent);
  CHECK(answers[0].detail == "the channel threw an exception");
}

TEST_CASE("channel thread: what hangs fills the queue, and is given up at the end") {
  ChannelThread thread{std::make_unique<Script>()};
  int taken = 0;
  while (taken < 10 && thread.offer({.number = 1, .text = "hang"})) ++taken;
  CHECK(taken >= 4);
  CHECK(taken <= 5);  // one may be in the thread's hands
  CHECK(thread.wait(Duration{1'000}) >= Duration{1'000});
  CHECK(thread.take_answers().empty());
}

TEST_CASE("channel thread: after the end the answer of what was under way is there, and nothing else goes out") {
  ChannelThread thread{std::make_unique<Script>()};
  REQUIRE(thread.offer({.number = 1, .text = "hang"}));
  REQUIRE(thread.offer({.number = 2, .text = "never"}));
  thread.stop();
  const auto answers = thread.take_answers();
  CHECK(answers.size() <= 1);  // none: it ended before the first was taken
  for (const ChannelAnswer& answer : answers) CHECK(answer.number == 1);
}

}  // namespace
}  // namespace everlearn
