// A bundle is everything a model needs to act: models/<id>/ with card.json, forest.bin, calibrator.json, conformal.json
// (where it has prediction sets), golden.parquet and the trainer's own text as an attachment. Content-addressed: the id
// is the SHA-256 over forest, calibrator, schema, canonical job and prediction sets; nothing of the vendor's text goes
// in. See docs/formats/bundle-v1.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.hpp"
#include "core/time.hpp"
#include "forest/forest.hpp"
#include "learn/train_job.hpp"
#include "learn/training_interval.hpp"
#include "model/calibrator.hpp"
#include "model/conformal.hpp"
#include "registry/verdict.hpp"

namespace everlearn {

/// What stands on the card beside the model.
struct Card {
  std::string id;
  std::string profile, target;
  Task task = Task::Regression;
  int classes = 0;
  std::vector<std::string> columns;
  std::string schema_hash;
  Timestamp as_of;              // knowledge the training had
  Timestamp trained_at;         // clock when it was admitted (virtual in a simulation)
  Timestamp seen_until;         // latest label end of any row used
  TrainingIntervals intervals;  // of the rows it was fitted and stopped on; empty: a card from before they were kept
  Timestamp expires_at;         // acts no longer after this
  std::int64_t rows_fit = 0, rows_stop = 0, effective = 0;
  double label_min = 0, label_max = 0;
  int trees = 0;
  double blend_weight = 0;  // of the model against the baseline
  LearnerParams params;
  std::uint64_t seed = 0;
  std::string reason;  // why it was trained
  std::map<std::string, double> gain;
  std::vector<float> range_low,
      range_high;  // 0.1 % and 99.9 % quantile per column of the golden sample: out-of-distribution filter
  std::string canonical_job;
  std::string library;  // "LightGBM 4.7.0"
  Verdict verdict;

  /// What no row that judges it may touch: its intervals, or all time up to seen_until where they are not kept.
  TrainingIntervals seen() const;

  std::string to_json() const;
  static Result<Card> from_json(std::string_view text);
};

struct Bundle {
  Card card;
  Forest forest;
  Calibrator calibrator;
  std::optional<ConformalSets> sets;
};

/// SHA-256 hex over the parts that decide what a model says.
std::string bundle_id(const Forest& forest, const Calibrator& calibrator, std::string_view schema_hash,
                      std::string_view canonical_job, const std::optional<ConformalSets>& sets);

/// Takes a finished job directory and makes a bundle of it: decodes forest.bin, checks the golden rows bit for bit with
/// our evaluator, reads calibrator.json and conformal.json, gives the card its id and ranges, writes models/<id>/
/// (temporary directory, sync, rename). Doing it twice gives the same bundle. The verdict is added later by
/// write_card(). Errors: Model naming what does not agree; Storage.
Result<Bundle> admit(Fs& fs, const std::string& models_directory, const std::string& job_directory, Card card);
Result<void> write_card(Fs& fs, const std::string& models_directory, const Card& card);
/// Removes all files but the card: what pruning leaves of a model. Its tunes go with it.
Result<void> strip_bundle(Fs& fs, const std::string& models_directory, const std::string& id);

/// What its files take on the disk, its tunes included.
Result<std::uint64_t> bundle_bytes(Fs& fs, const std::string& models_directory, const std::string& id);

/// Reads and verifies: id against content, forest hash, golden rows. Errors: Model, NotFound.
Result<Bundle> load_bundle(Fs& fs, const std::string& models_directory, const std::string& id);

}  // namespace everlearn
