#pragma once

#include <functional>
#include <utility>

#include "core/proc.hpp"

namespace everlearn {

/// Proc for tests: a function stands for the program. It runs to its end inside start(); the child has then exited with
/// what it returned. An Error from the function is a program that could not be started.
class FakeProc final : public Proc {
 public:
  using Program = std::function<Result<ProcessExit>(const ProcessSpec&)>;

  explicit FakeProc(Program program) : program_{std::move(program)} {}

  Result<std::unique_ptr<Child>> start(const ProcessSpec& spec) override {
    started_.push_back(spec);
    EL_TRY(const ProcessExit exit, program_(spec));
    return std::make_unique<Exited>(exit);
  }

  /// Every spec start() was called with, in order.
  const std::vector<ProcessSpec>& started() const { return started_; }

 private:
  class Exited final : public Child {
   public:
    explicit Exited(ProcessExit exit) : exit_{exit} {}
    Result<std::optional<ProcessExit>> poll() override { return std::optional{exit_}; }
    Result<ProcessExit> wait() override { return exit_; }

   private:
    const ProcessExit exit_;
  };

  const Program program_;
  std::vector<ProcessSpec> started_;
};

}  // namespace everlearn
