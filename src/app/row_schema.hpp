// What the columns of an example are: the features of the bank, then the further columns of the profile's table. The
// engine, the data directory and the trainer all take them from here.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/profile.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "feature/feature_bank.hpp"
#include "feature/feature_set.hpp"
#include "market/market_state.hpp"

namespace everlearn {

class RowSchema {
 public:
  /// Errors: of FeatureSet::choose (a profile with fields may do without features); Config for a field without a name,
  /// or two that are one column.
  static Result<RowSchema> make(const Profile& profile);
  static Result<RowSchema> make(Duration step, const std::vector<std::string>& features,
                                const std::vector<std::string>& fields);

  const FeatureSet& features() const { return features_; }
  std::size_t size() const { return columns_.size(); }
  /// "ret_5@1c0ffee5" of a feature, "x_NAME@HASH" of a field: letters, digits and _ of its name, hash of all of it.
  const std::vector<std::string>& columns() const { return columns_; }
  /// SHA-256 over step and columns: the schema a model is bound to. Without fields that of the features.
  const std::string& hash() const { return hash_; }

  /// The features of one example as they are stored: `bank` after its step, then the fields of the newest row. NaN
  /// where the row has none, or of another number than the profile (it was read with other settings). Needs
  /// out.size() == size().
  void fill(const FeatureBank& bank, InstrumentId id, const InstrumentState& state, std::span<float> out) const;

 private:
  explicit RowSchema(FeatureSet features) : features_{std::move(features)} {}

  FeatureSet features_;
  std::vector<std::string> columns_;
  std::string hash_;
};

}  // namespace everlearn
