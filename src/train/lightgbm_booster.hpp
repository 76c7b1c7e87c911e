// LightGBM 4.7.0 behind three calls. Rows are streamed: a pass for the bin edges, a pass that pushes. Deterministic:
// the same rows give the same trees with any number of threads (deterministic, column-wise histograms, our own stopping
// rule).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "learn/train_job.hpp"
#include "train/row_selection.hpp"

namespace everlearn {

struct Boosted {
  std::string model_text;  // at the best iteration
  int best_iteration = 0;
  double stop_loss = 0;               // squared error or log loss on the stop rows
  std::vector<double> stop_response;  // stop rows x outputs, response scale, at the best iteration
  double prepare_seconds = 0, train_seconds = 0;
};

using RowVisitor = std::function<void(const LabelledRow&, std::span<const float>)>;
using RowSource = std::function<Result<void>(const RowVisitor&)>;  // each call is one pass over the selected rows

/// Trees behind those of a forest that is there already: its raw scores, rows x outputs, and the loss that decides when
/// to stop, of the outputs (after the link) for the stop rows. best_iteration 0: none lowered `stop_loss`.
struct Continuation {
  std::vector<double> fit_raw, stop_raw;
  double stop_loss = 0;
  std::function<double(std::span<const double>)> loss;
};

/// Errors: Training, with the library's text.
Result<Boosted> boost(const TrainJob& job, const RowSelection& selection, const RowSource& rows,
                      const Continuation* from = nullptr);

/// Raw scores of `rows` (n x columns) by the library itself, from the model's text: n x outputs.
Result<std::vector<double>> library_raw(const std::string& model_text, std::span<const float> rows, std::size_t columns,
                                        int outputs);

}  // namespace everlearn
