// A family is one formula over all its windows. The catalogue is families x windows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "feature/graph.hpp"

namespace everlearn {

struct Family {
  std::string stem;     // "ret"; a feature is stem_window, or just the stem
  std::string formula;  // in the symbols of docs/features.md; {W} is the window
  std::string unit;
  std::string source;  // what it reads
  std::function<Expr(Graph&, int window)> build;
  std::vector<int> steps{};  // windows in the catalogue; empty: the family has no window
  int least = 1;             // smallest and largest window that a name may ask for
  int most = 5000;
  std::string reference{};
  std::string group{};
};

inline const std::vector<int> kStepGrid{1, 2, 3, 5, 10, 20, 60, 120, 250};

/// All groups, in catalogue order.
std::vector<Family> all_families();

// The groups. Each sets everything but `group`.
std::vector<Family> time_series_families();
std::vector<Family> indicator_families();
std::vector<Family> bar_families();
std::vector<Family> regime_families();
std::vector<Family> time_families();
std::vector<Family> derived_families();
std::vector<Family> flow_derived_families();  // derived, of trades and books
std::vector<Family> trade_flow_families();
std::vector<Family> book_families();
std::vector<Family> market_quality_families();
std::vector<Family> context_families();

}  // namespace everlearn
