// Which stored rows a job may learn from, as of its T, and which role each plays. Labels first: they are small and
// decide. Rows come in (event_time, instrument) order whatever the segment layout, so equal histories give equal
// models.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "learn/train_job.hpp"

namespace everlearn {

struct ExampleRow;  // store/rows.hpp

enum class Role : std::uint8_t { Fit, Stop };

struct LabelledRow {
  InstrumentId instrument{};
  Timestamp event_time, label_end;
  double label = 0;
  Role role = Role::Fit;
};

struct RowSelection {
  std::vector<LabelledRow> rows;  // ascending (event_time, instrument)
  std::int64_t purged = 0;        // known as of T but with an outcome that reaches past the boundary
};

/// Errors: Damaged (checksum, rows out of order); NotFound.
Result<RowSelection> select_rows(const TrainJob& job);

/// Calls `row` with each selected row and its example, in order. Errors as for_each_row().
Result<void> for_each_example(const TrainJob& job, const RowSelection& selection,
                              const std::function<void(const LabelledRow&, const ExampleRow&)>& row);

/// Calls `row` with each selected row and its features (columns of the job, float32), in order. A selected row whose
/// example is not stored is an Error (Damaged): labels do not exist without examples.
Result<void> for_each_row(const TrainJob& job, const RowSelection& selection,
                          const std::function<void(const LabelledRow&, std::span<const float>)>& row);

}  // namespace everlearn
