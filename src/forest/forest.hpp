// A trained forest of decision trees and its evaluation.
//
// Raw scores are bit-equal to LightGBM 4.7.0 (C API, float32 input) for every float32 row, NaN and infinities included:
// the same decisions, and the leaves summed in double in the order of the trees. One exception by intent: where
// LightGBM averages (random forest), its "raw" score is the sum over the trees and raw() here is the mean. Numbers
// written by a trainer become a Forest through forest/lightgbm.hpp; files of ours through decode().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace everlearn {

struct ForestTables;
struct CompiledForest;

/// A leaf that moves: its number through the whole forest, and what is added to its value.
struct LeafStep {
  std::uint32_t leaf = 0;
  float step = 0;
  bool operator==(const LeafStep&) const = default;
};

/// What turns raw scores into outputs: regression, binary classes, multiclass.
enum class Link : std::uint8_t { Identity, Logistic, Softmax };

/// Immutable; any thread may call. Copies share their tables.
class Forest {
 public:
  /// Verifies `tables` (forest/tables.hpp says what must hold) and prepares them for evaluation.
  /// Errors: Model, naming the tree and the node; nothing unverified is ever walked.
  static Result<Forest> build(ForestTables tables);

  int features() const;  // columns of a row
  int outputs() const;   // 1, or k classes
  Link link() const;
  bool averaged() const;  // random forest: raw = mean of trees
  int trees() const;
  const std::vector<std::string>& feature_names() const;

  /// Raw scores of one row of `features()` float32 values (NaN = missing); `out` has outputs() doubles.
  /// No allocation, no lock. A span of another size is the caller's mistake and ends the process.
  void raw(std::span<const float> row, std::span<double> out) const;
  /// rows x features, row-major; out rows x outputs. The bits are those of raw() row by row.
  void raw_batch(std::span<const float> rows, std::span<double> out) const;
  /// Adds the trees to the raw scores that `out` holds: the bits of one forest with these trees behind those that were
  /// summed before. Not for averaged forests. No allocation, no lock.
  void add_raw(std::span<const float> row, std::span<double> out) const;
  /// raw -> response scale in place, for one row or several: logistic 1/(1+exp(-s x)) with the model's s, softmax with
  /// the largest score subtracted first, as LightGBM does it.
  void respond(std::span<double> raw) const;

  /// Which leaf of each tree a row reaches, counted through the whole forest; `out` has trees() numbers.
  void leaves(std::span<const float> row, std::span<std::uint32_t> out) const;
  const std::vector<double>& leaf_values() const;
  const std::vector<std::uint32_t>& leaves_of_tree() const;
  /// The same trees with some leaves moved. `steps` ascend by leaf. Errors: Model for a leaf that is not there, twice,
  /// or no longer finite.
  Result<Forest> moved(std::span<const LeafStep> steps) const;

  /// Split gain summed per feature, and number of splits per feature. Splits without a positive gain do not count
  /// (LightGBM's rule for importances).
  std::vector<double> gain() const;
  std::vector<std::int64_t> splits() const;

  /// The bytes of forest.bin (docs/formats/forest-v1.md): equal forests give equal bytes.
  std::string encode() const;
  /// Errors: Damaged (length, checksum), Unsupported (version), Model (contents that contradict themselves).
  static Result<Forest> decode(std::string_view bytes);

 private:
  explicit Forest(std::shared_ptr<const CompiledForest> compiled) : compiled_{std::move(compiled)} {}
  void sum(std::span<const float> row, std::span<double> out) const;

  std::shared_ptr<const CompiledForest> compiled_;  // set once, never null
};

}  // namespace everlearn
