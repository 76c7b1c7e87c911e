// A stored model judged again: on everything that came after what it saw, or on exactly the rows of its verdict.
#pragma once

#include <string>
#include <vector>

#include "app/data_directory.hpp"
#include "registry/gate.hpp"
#include "registry/verdict.hpp"

namespace everlearn {

enum class EvaluationRows {
  Since,    // labelled by now, after all that the model (and the one it is compared with) saw
  Verdict,  // those the gate had when it judged it, with the champion of then
};

struct Evaluation {
  std::string model, target;
  std::string against;    // the model it is compared with; empty: the baseline only
  Timestamp from, as_of;  // rows with event_time >= from whose label was known by as_of
  GateRules rules;
  std::vector<HoldoutRow> rows;
  ::everlearn::Verdict verdict;
};

/// `model`: an id or six digits of it. `against`: another one, compared row by row (Since only). Errors: NotFound;
/// Model if one of them is pruned or damaged; BadData if no row is left.
Result<Evaluation> evaluate(DataDirectory& directory, const std::string& model, const std::string& against,
                            EvaluationRows which);

/// For tests/gate/recompute.py: a list of rows, and the rules.
std::string rows_json(const std::vector<HoldoutRow>& rows);
std::string rules_json(const GateRules& rules);

}  // namespace everlearn
