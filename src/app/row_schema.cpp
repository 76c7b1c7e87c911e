#include "app/row_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/assert.hpp"
#include "core/hash.hpp"
#include "core/quoted.hpp"
#include "feature/stored_precision.hpp"

namespace everlearn {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

/// A table may call its columns anything; files of columns may not.
std::string plain(std::string_view name) {
  std::string text{name};
  for (char& c : text) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!kept) c = '_';
  }
  return "x_" + text;
}

}  // namespace

Result<RowSchema> RowSchema::make(const Profile& profile) {
  const Duration step = profile.cycle.us() > 0 ? profile.cycle : Duration::days(1);
  return make(step, profile.features, profile.table.fields);
}

Result<RowSchema> RowSchema::make(Duration step, const std::vector<std::string>& features,
                                  const std::vector<std::string>& fields) {
  FeatureSet chosen = FeatureSet::none(step);
  if (!features.empty() || fields.empty()) {
    EL_TRY(chosen, FeatureSet::choose(step, features));
  }
  RowSchema schema{std::move(chosen)};
  schema.columns_ = schema.features_.columns();
  schema.hash_ = schema.features_.hash();
  if (fields.empty()) return schema;

  std::map<std::string, std::string> seen;
  std::string text = schema.hash_ + "\n";
  for (const std::string& field : fields) {
    if (field.empty()) return fail(Code::Config, "source.fields: a column without a name");
    const std::string name = plain(field);
    if (const auto [other, is_new] = seen.emplace(name, field); !is_new)
      return fail(Code::Config, fmt::format("source.fields: {} and {} are both the column {}", quoted(other->second),
                                            quoted(field), name));
    schema.columns_.push_back(name + "@" + sha256_hex(field).substr(0, 8));
    text += schema.columns_.back() + "\n";
  }
  schema.hash_ = sha256_hex(text);
  return schema;
}

void RowSchema::fill(const FeatureBank& bank, InstrumentId id, const InstrumentState& state,
                     std::span<float> out) const {
  EL_ASSERT(out.size() == size(), "one value for each column");
  const std::size_t computed = features_.size();
  bank.row(id, out.first(computed));
  const std::span<float> fields = out.subspan(computed);
  std::ranges::fill(fields, kMissing);
  if (state.fields.size() == fields.size()) std::ranges::copy(state.fields, fields.begin());
  for (float& value : fields)
    if (!std::isfinite(value)) value = kMissing;
  for (float& value : out) value = stored_precision(value);
}

}  // namespace everlearn
