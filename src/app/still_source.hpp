#pragma once

#include <string>

#include "market/source.hpp"

namespace everlearn {

/// An input that has nothing, and keeps the place of the one that had: for an engine that is only asked to do something
/// with what it has.
class StillSource final : public Source {
 public:
  Result<std::optional<Event>> next() override { return std::optional<Event>{}; }
  std::string position() const override { return position_; }
  Result<void> seek(const std::string& position) override {
    position_ = position;
    return {};
  }
  const SourceReport& report() const override { return report_; }
  std::optional<double> progress() const override { return std::nullopt; }

 private:
  std::string position_;
  SourceReport report_;
};

}  // namespace everlearn
