#include "app/row_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "app/config/setting_value.hpp"
#include "core/assert.hpp"
#include "core/hash.hpp"
#include "core/quoted.hpp"
#include "feature/stored_precision.hpp"

namespace everlearn {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A table may call its columns anything; files of columns may not.
std::string plain(std::string_view name) {
  std::string text{name};
  for (char& c : text)
    if (!is_letter(c) && !is_digit(c)) c = '_';
  return "x_" + text;
}

/// What an expression can call by its name.
bool is_name(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

std::string short_hash(const std::string& text) { return sha256_hex(text).substr(0, 8); }

/// A window of the dense bank is as many steps as one of the fast bank's, but not the same time.
std::string dense_column(const FeatureDefinition& feature, Duration step) {
  return feature.name + "@" + short_hash(fmt::format("{}\ndense {}\n", feature.column(), step.us()));
}

/// The columns so far, by name; where each definition stands.
class Names {
 public:
  /// `where`: the setting that asks for the column.
  Result<std::size_t> add(const std::string& name, const std::string& where) {
    const auto [at, is_new] = by_name_.try_emplace(name, Place{next_, where});
    if (!is_new)
      return fail(Code::Config, fmt::format("{}: {} is a column of {} already", where, quoted(name), at->second.where));
    return next_++;
  }
  /// A second name of the newest column, if nothing has it.
  void also(const std::string& name) { by_name_.try_emplace(name, Place{next_ - 1, ""}); }

  std::optional<std::size_t> find(const std::string& name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? std::nullopt : std::optional{at->second.column};
  }
  std::vector<std::string> all() const {
    std::vector<std::string> names;
    for (const auto& [name, place] : by_name_) names.push_back(name);
    return names;
  }

 private:
  struct Place {
    std::size_t column = 0;
    std::string where;
  };
  std::map<std::string, Place> by_name_;
  std::size_t next_ = 0;
};

std::string key_of(const std::string& defined) { return "features.define." + defined; }

Result<RowSchema::Defined> read(const std::string& name, const std::string& text, std::size_t column,
                                const Names& names) {
  auto expression = Expression::parse(text);
  if (!expression) return fail(expression.error(), key_of(name));
  RowSchema::Defined made{name, std::move(*expression), {}, column};
  for (const Expression::Name& input : made.expression.names()) {
    const auto at = names.find(input.text);
    if (!at) {
      const auto meant = nearest(input.text, names.all());
      return fail(Code::Config,
                  fmt::format("{}: at {}: {} is no column of the row{}", key_of(name), input.at, quoted(input.text),
                              meant ? fmt::format("; did you mean {}?", quoted(*meant)) : ""));
    }
    made.inputs.push_back(*at);
  }
  return made;
}

/// Each after those it needs. Errors: Config, naming the ring.
Result<std::vector<RowSchema::Defined>> in_order(std::vector<RowSchema::Defined> all) {
  std::vector<RowSchema::Defined> ordered;
  while (!all.empty()) {
    const auto waits = [&](const RowSchema::Defined& one) {
      return std::ranges::any_of(all,
                                 [&](const auto& other) { return std::ranges::count(one.inputs, other.column) > 0; });
    };
    const auto free = std::ranges::find_if_not(all, waits);
    if (free == all.end()) {
      std::vector<std::string> names;
      for (const auto& one : all) names.push_back(one.name);
      return fail(Code::Config, fmt::format("{}: needs itself; so do or on it wait {}", key_of(names.front()),
                                            fmt::join(names, ", ")));
    }
    ordered.push_back(std::move(*free));
    all.erase(free);
  }
  return ordered;
}

}  // namespace

Result<RowSchema> RowSchema::make(const Profile& profile) {
  return make({.step = profile.cycle.us() > 0 ? profile.cycle : Duration::days(1),
               .features = profile.features,
               .dense_step = profile.dense_every,
               .dense = profile.dense_features,
               .defined = profile.defined_features,
               .fields = profile.table.fields});
}

Result<RowSchema> RowSchema::make(const RowParts& parts) {
  FeatureSet fast = FeatureSet::none(parts.step);
  if (!parts.features.empty() || (parts.fields.empty() && parts.dense.empty())) {
    EL_TRY(fast, FeatureSet::choose(parts.step, parts.features));
  }
  FeatureSet dense = FeatureSet::none(parts.dense_step.us() > 0 ? parts.dense_step : parts.step);
  if (!parts.dense.empty()) {
    auto chosen = FeatureSet::choose(parts.dense_step, parts.dense);
    if (!chosen) return fail(chosen.error(), "features.dense");
    dense = std::move(*chosen);
  }

  RowSchema schema{std::move(fast), std::move(dense)};
  schema.columns_ = schema.features_.columns();
  schema.hash_ = schema.features_.hash();
  Names names;
  for (std::size_t i = 0; i < schema.features_.size(); ++i)
    EL_CHECK(names.add(schema.features_[i].name, "features.use"));
  for (std::size_t i = 0; i < schema.dense_.size(); ++i) {
    EL_CHECK(names.add(schema.dense_[i].name, "features.dense"));
    schema.columns_.push_back(dense_column(schema.dense_[i], parts.dense_step));
  }
  for (const auto& [name, text] : parts.defined) {
    if (!is_name(name))
      return fail(Code::Config, fmt::format("features.define: {} is no name: letters, digits and _", quoted(name)));
    EL_CHECK(names.add(name, key_of(name)));
    schema.columns_.push_back(name);  // its hash follows
  }
  schema.fields_from_ = schema.columns_.size();
  std::map<std::string, std::string> seen;
  for (const std::string& field : parts.fields) {
    if (field.empty()) return fail(Code::Config, "source.fields: a column without a name");
    const std::string name = plain(field);
    if (const auto [other, is_new] = seen.emplace(name, field); !is_new)
      return fail(Code::Config, fmt::format("source.fields: {} and {} are both the column {}", quoted(other->second),
                                            quoted(field), name));
    EL_CHECK(names.add(name, "source.fields"));
    names.also(field);
    schema.columns_.push_back(name + "@" + short_hash(field));
  }

  std::vector<Defined> defined;
  for (const auto& [name, text] : parts.defined) {
    EL_TRY(Defined one, read(name, text, *names.find(name), names));
    defined.push_back(std::move(one));
  }
  EL_TRY(schema.defined_, in_order(std::move(defined)));
  for (const Defined& one : schema.defined_) {
    std::string meaning = one.name + "\n" + one.expression.normalised() + "\n";
    for (const std::size_t input : one.inputs) meaning += schema.columns_[input] + "\n";
    schema.columns_[one.column] += "@" + short_hash(meaning);
  }

  if (schema.columns_.size() == schema.features_.size()) return schema;
  std::string text = schema.hash_ + "\n";
  if (schema.dense_.size() > 0) text += fmt::format("dense {}\n", schema.dense_.step().us());
  for (std::size_t i = schema.features_.size(); i < schema.columns_.size(); ++i) text += schema.columns_[i] + "\n";
  schema.hash_ = sha256_hex(text);
  return schema;
}

void RowSchema::fill(const FeatureBank& fast, const FeatureBank* dense, InstrumentId id, const InstrumentState& state,
                     std::span<float> out) const {
  EL_ASSERT(out.size() == size(), "one value for each column");
  std::ranges::fill(out, kMissing);
  if (state.phase == Phase::Trading && !state.payout) {
    fast.row(id, out.first(features_.size()));
    if (dense && dense_.size() > 0) dense->row(id, out.subspan(features_.size(), dense_.size()));
  }
  const std::span<float> fields = out.subspan(fields_from_);
  if (state.fields.size() == fields.size()) std::ranges::copy(state.fields, fields.begin());
  for (float& value : out) value = std::isfinite(value) ? stored_precision(value) : kMissing;
  define(out);
}

void RowSchema::define(std::span<float> row) const {
  for (const Defined& one : defined_) {
    const auto value = static_cast<float>(one.expression.evaluate(row, one.inputs));
    row[one.column] = std::isfinite(value) ? stored_precision(value) : kMissing;
  }
}

}  // namespace everlearn
