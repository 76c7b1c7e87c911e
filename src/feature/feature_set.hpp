#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// One feature as declared once in the catalogue.
struct FeatureDefinition {
  std::string name;          // "ret_5", "rsi_14", "vol_1h"
  std::string group;         // "time series", "indicators", "regime", "time", "derived", "trade flow", "book", "bars"
  std::string formula;       // in the symbols of docs/features.md
  std::string unit;          // "ratio", "log return", "price", "1/sqrt(year)", ...
  std::string source;        // what it reads: "price", "bar", "trades", "book", "clock", "context"
  std::string reference;     // paper or book, where there is one
  std::int64_t warm_up = 0;  // steps before it can be known
  std::string hash;          // first 8 hex digits of the SHA-256 over the definition's canonical text
  std::string column() const { return name + "@" + hash; }
};

/// An ordered choice of features for one step length: what a model's columns mean. A value; any thread may read it.
class FeatureSet {
 public:
  /// `step`: time between two steps; a day is one session on a session calendar. `patterns`, in the order of the
  /// columns: names with any window of their family in steps ("ret_37") or as time ("ret_1h": a whole number of steps;
  /// on a session calendar time while the market is open), globs over the catalogue ("ret_*"), groups ("@time series");
  /// "!" removes. Errors: NotFound naming the pattern and the nearest known name; OutOfRange for a window or step
  /// outside its limits.
  static Result<FeatureSet> choose(Duration step, const std::vector<std::string>& patterns);
  /// No features, where examples have other columns. `step` above 0.
  static FeatureSet none(Duration step);

  Duration step() const { return step_; }
  std::size_t size() const { return chosen_.size(); }
  const FeatureDefinition& operator[](std::size_t i) const { return chosen_[i]; }
  std::vector<std::string> columns() const;          // name@hash, in order
  const std::string& hash() const { return hash_; }  // SHA-256 over step and columns: the schema a model is bound to

 private:
  Duration step_;
  std::vector<FeatureDefinition> chosen_;
  std::string hash_;
};

/// Every feature we can compute at this step length, in catalogue order.
std::vector<FeatureDefinition> catalogue(Duration step);

}  // namespace everlearn
