#include "feature/feature_set.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/quoted.hpp"
#include "feature/resolve.hpp"

namespace everlearn {
namespace {

/// '*' stands for any characters, '?' for one.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// What one pattern without its '!' stands for.
Result<std::vector<Resolved>> expand(const Resolver& resolver, std::string_view pattern) {
  std::vector<Resolved> found;
  if (pattern.starts_with('@')) {
    const std::string_view group = pattern.substr(1);
    for (const Resolved& feature : resolver.listed()) {
      if (feature.family->group == group) found.push_back(feature);
    }
    if (found.empty()) return fail(Code::NotFound, fmt::format("no feature group {}", quoted(group)));
    return found;
  }
  if (pattern.find_first_of("*?") == std::string_view::npos) {
    EL_TRY(Resolved feature, resolver.find(pattern));
    found.push_back(std::move(feature));
    return found;
  }
  for (const Resolved& feature : resolver.listed()) {
    if (matches(pattern, feature.name)) found.push_back(feature);
  }
  if (!found.empty()) return found;
  std::string plain{pattern};
  std::erase_if(plain, [](char c) { return c == '*' || c == '?'; });
  return fail(resolver.find(plain + "~").error(), fmt::format("pattern {} matches nothing", quoted(pattern)));
}

}  // namespace

Result<FeatureSet> FeatureSet::choose(Duration step, const std::vector<std::string>& patterns) {
  if (step.us() <= 0) return fail(Code::OutOfRange, fmt::format("feature step {}: must be above 0", step.text()));
  const Resolver resolver{step};
  std::vector<Resolved> chosen;
  for (const std::string& pattern : patterns) {
    const bool remove = pattern.starts_with('!');
    EL_TRY(const std::vector<Resolved> found, expand(resolver, std::string_view{pattern}.substr(remove ? 1 : 0)));
    for (const Resolved& feature : found) {
      const auto at =
          std::find_if(chosen.begin(), chosen.end(), [&](const Resolved& c) { return c.name == feature.name; });
      if (remove && at != chosen.end()) chosen.erase(at);
      if (!remove && at == chosen.end()) chosen.push_back(feature);
    }
  }
  if (chosen.empty()) return fail(Code::NotFound, "no features are chosen");

  FeatureSet set;
  set.step_ = step;
  Graph graph;
  std::string schema = fmt::format("{}\n", step.us());
  for (const Resolved& feature : chosen) {
    set.chosen_.push_back(define(graph, feature));
    schema += set.chosen_.back().column() + '\n';
  }
  set.hash_ = sha256_hex(schema);
  return set;
}

FeatureSet FeatureSet::none(Duration step) {
  FeatureSet set;
  set.step_ = step;
  set.hash_ = sha256_hex(fmt::format("{}\n", step.us()));
  return set;
}

std::vector<std::string> FeatureSet::columns() const {
  std::vector<std::string> names;
  names.reserve(chosen_.size());
  for (const FeatureDefinition& feature : chosen_) names.push_back(feature.column());
  return names;
}

std::vector<FeatureDefinition> catalogue(Duration step) {
  const Resolver resolver{step};
  std::vector<FeatureDefinition> all;
  Graph graph;
  for (const Resolved& feature : resolver.listed()) all.push_back(define(graph, feature));
  return all;
}

}  // namespace everlearn
