// Why: the stored evidence in plain words, nothing computed that was not decided by it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/data_directory.hpp"
#include "app/status.hpp"
#include "app/streams.hpp"
#include "registry/bundle.hpp"

namespace everlearn {

/// Why a model serves, or does not.
struct ModelWhy {
  ModelEntry model;
  std::optional<Card> card;  // absent: damaged
  std::optional<TrainingRecord> training;
  bool evidence_expired = false;  // retention took rows that the verdict was measured on
  std::vector<std::string> words;
};
/// `model` empty: the champion of `target` (empty: the one that acts). Errors: NotFound, also if none serves.
Result<ModelWhy> why_model(DataDirectory& directory, const std::string& model, const std::string& target);

/// Why a prediction of the acting target became a signal, or did not.
struct SignalWhy {
  PredictionRow row;
  std::string instrument, target;
  std::optional<LabelRow> outcome;
  std::vector<std::string> words;
};
/// The last prediction at or before `at` (absent: of all), of `instrument` (empty: any; one that passed is preferred).
/// Errors: NotFound.
Result<SignalWhy> why_signal(DataDirectory& directory, const std::string& instrument, std::optional<Timestamp> at);

/// Which stream of predictions serves, and what the last comparison of the two came to.
struct StreamWhy {
  std::optional<StreamVerdict> verdict;  // absent: none was made yet
  std::vector<std::string> words;
};
/// Errors: Usage where models are not fine-tuned; Damaged.
Result<StreamWhy> why_stream(const DataDirectory& directory);

/// Why nothing happens: every reason that holds, the nearest to the input first.
std::vector<std::string> why_quiet(const Status& status, const DataDirectory& directory);

/// A check of the gate as a sentence: "r2 0.034, wanted at least 0.03: passed".
std::string check_words(const Check& check);

}  // namespace everlearn
