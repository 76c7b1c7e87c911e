// What the columns of an example are: the features of the fast bank, those of the dense bank, what the profile defines
// as expressions over the row, then the further columns of the profile's source. The engine, the data directory and the
// trainer all take them from here.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/profile.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "feature/expression.hpp"
#include "feature/feature_bank.hpp"
#include "feature/feature_set.hpp"
#include "market/market_state.hpp"

namespace everlearn {

/// What a schema is made of; a profile has the same under [features], [prices] and [source].
struct RowParts {
  Duration step;  // of the fast bank
  std::vector<std::string> features;
  Duration dense_step;  // of the dense bank; not needed without dense features
  std::vector<std::string> dense;
  std::vector<std::pair<std::string, std::string>> defined;  // name, expression
  std::vector<std::string> fields;
};

class RowSchema {
 public:
  /// One feature that is an expression.
  struct Defined {
    std::string name;
    Expression expression;
    std::vector<std::size_t> inputs;  // columns it reads, in the order of the expression's names
    std::size_t column = 0;
  };

  /// Errors: of FeatureSet::choose (what has other columns may do without features). Config for a column without a
  /// name, two that have one name, and an expression that cannot be read, names no column or needs itself.
  static Result<RowSchema> make(const Profile& profile);
  static Result<RowSchema> make(const RowParts& parts);

  const FeatureSet& features() const { return features_; }          // of the fast bank
  const FeatureSet& dense() const { return dense_; }                // of the dense bank; may be empty
  const std::vector<Defined>& defined() const { return defined_; }  // each after those it needs
  std::size_t size() const { return columns_.size(); }
  /// NAME@HASH: "ret_5@1c0ffee5" of a feature (the hash of a dense one covers its grid), the defined name with the hash
  /// of the expression and of what it reads, "x_NAME@HASH" of a field: letters, digits and _ of its name, hash of all
  /// of it. No two have one name.
  const std::vector<std::string>& columns() const { return columns_; }
  /// SHA-256 over steps and columns: the schema a model is bound to. Of a fast bank alone that of its features.
  const std::string& hash() const { return hash_; }

  /// The features of one example as they are stored: `fast` after its step, `dense` after its latest (null: missing),
  /// the expressions, the fields of the newest row. NaN where the row has none, or of another number than the profile
  /// (it was read with other settings); features of a market that does not trade, or no more, are all missing, its
  /// fields are not. Needs out.size() == size().
  void fill(const FeatureBank& fast, const FeatureBank* dense, InstrumentId id, const InstrumentState& state,
            std::span<float> out) const;

  /// Computes the expressions of a row whose other columns are there, as stored.
  void define(std::span<float> row) const;

 private:
  RowSchema(FeatureSet features, FeatureSet dense) : features_{std::move(features)}, dense_{std::move(dense)} {}

  FeatureSet features_, dense_;
  std::vector<Defined> defined_;
  std::size_t fields_from_ = 0;
  std::vector<std::string> columns_;
  std::string hash_;
};

}  // namespace everlearn
