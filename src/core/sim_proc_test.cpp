#include "core/sim_proc.hpp"

#include <doctest/doctest.h>

using namespace everlearn;

TEST_CASE("fake proc: the function stands for the program and sees its spec") {
  FakeProc proc{[](const ProcessSpec& spec) { return ProcessExit{.code = spec.argv.at(1) == "bad" ? 3 : 0}; }};
  auto good = proc.start({.argv = {"train", "good"}}).value();
  auto bad = proc.start({.argv = {"train", "bad"}}).value();
  CHECK(good->wait().value().ok());
  CHECK(bad->poll().value().value().code == 3);
  CHECK_FALSE(bad->wait().value().ok());
  REQUIRE(proc.started().size() == 2);
  CHECK(proc.started()[1].argv[1] == "bad");
}

TEST_CASE("fake proc: an error of the function is a program that does not start") {
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return fail(Code::NotFound, "no such program"); }};
  const auto child = proc.start({.argv = {"train"}});
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().message == "no such program");
  CHECK(proc.started().size() == 1);
}

TEST_CASE("process exit: a status, a signal or a timeout other than zero is not ok") {
  CHECK(ProcessExit{}.ok());
  CHECK_FALSE(ProcessExit{.code = 1}.ok());
  CHECK_FALSE(ProcessExit{.signal = 9}.ok());
  CHECK_FALSE(ProcessExit{.timed_out = true}.ok());
}
