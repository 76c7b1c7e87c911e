// From names to formulas: what the catalogue lists at a step length, and any window that a name may ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "feature/family.hpp"
#include "feature/feature_set.hpp"

namespace everlearn {

struct Resolved {
  std::string name;
  const Family* family = nullptr;
  int window = 0;  // in steps; 0: none
};

class Resolver {
 public:
  explicit Resolver(Duration step);
  Resolver(const Resolver&) = delete;  // what it hands out points into it

  /// What the catalogue lists, in order.
  const std::vector<Resolved>& listed() const { return listed_; }
  /// A listed feature, or another window of a family ("ret_37", "vol_3h"). Errors: NotFound, naming the nearest known
  /// name; OutOfRange for a window that the family does not have.
  Result<Resolved> find(std::string_view name) const;
  const std::vector<Family>& families() const { return families_; }

 private:
  const Family* family(std::string_view stem) const;
  Result<int> window(const Family& family, std::string_view name, std::string_view text) const;

  Duration step_;
  std::vector<Family> families_;
  std::vector<Resolved> listed_;
};

/// The node that computes the feature.
NodeId build(Graph& graph, const Resolved& feature);
FeatureDefinition define(Graph& graph, const Resolved& feature);

/// `text` with {W} replaced.
std::string with_window(std::string text, std::string_view window);

}  // namespace everlearn
