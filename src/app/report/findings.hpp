// What the figures of a report come to, in sentences: no kinder than they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/report/report.hpp"

namespace everlearn {

std::vector<std::string> findings(const Report& report);

/// Not a rest of a period, such as two days of a year: at least a tenth of the rows of the fullest one.
bool is_full(const LiveScore& live, const PeriodScore& period);

/// Trainings of one target that brought nothing into office, by the first check that failed (or by what went wrong).
struct Refusal {
  std::string verdict, cause;
  std::int64_t count = 0;
  Timestamp last;
  std::string example;  // why the last of them was refused
};
/// The most frequent first.
std::vector<Refusal> refusals(const Report& report, const std::string& target);

/// The first required check that failed; null if none.
const Check* first_failed(const TrainingLine& training);
/// The training that made a model; null if none is known.
const TrainingLine* training_of(const Report& report, const std::string& model);

}  // namespace everlearn
