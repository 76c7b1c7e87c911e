#include "feature/resolve.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

struct TimeWindow {
  std::string_view text;
  Duration length;
};

const std::vector<TimeWindow> kTimeGrid{{"5m", Duration::minutes(5)}, {"15m", Duration::minutes(15)},
                                        {"1h", Duration::hours(1)},   {"4h", Duration::hours(4)},
                                        {"24h", Duration::hours(24)}, {"7d", Duration::days(7)}};

void add_group(std::vector<Family>& all, std::string_view group, std::vector<Family> families) {
  for (Family& family : families) {
    family.group = group;
    all.push_back(std::move(family));
  }
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

bool is_number(std::string_view text) {
  return !text.empty() && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<Family> all_families() {
  std::vector<Family> all;
  add_group(all, "time series", time_series_families());
  add_group(all, "indicators", indicator_families());
  add_group(all, "bars", bar_families());
  add_group(all, "regime", regime_families());
  add_group(all, "time", time_families());
  add_group(all, "derived", derived_families());
  add_group(all, "derived", flow_derived_families());
  add_group(all, "trade flow", trade_flow_families());
  add_group(all, "book", book_families());
  add_group(all, "market quality", market_quality_families());
  add_group(all, "context", context_families());
  return all;
}

std::string with_window(std::string text, std::string_view window) {
  for (std::size_t at = text.find("{W}"); at != std::string::npos; at = text.find("{W}", at)) {
    text.replace(at, 3, window);
  }
  return text;
}

Resolver::Resolver(Duration step) : step_{step}, families_{all_families()} {
  for (const Family& family : families_) {
    if (family.steps.empty()) {
      listed_.push_back({family.stem, &family, 0});
      continue;
    }
    for (const int w : family.steps) listed_.push_back({fmt::format("{}_{}", family.stem, w), &family, w});
    if (step_ >= Duration::days(1) || step_.us() <= 0) continue;
    for (const TimeWindow& time : kTimeGrid) {
      if (time.length.us() % step_.us() != 0) continue;
      const std::int64_t w = time.length / step_;
      if (w < std::max(family.least, family.steps.front()) || w > family.most) continue;
      listed_.push_back({fmt::format("{}_{}", family.stem, time.text), &family, static_cast<int>(w)});
    }
  }
}

const Family* Resolver::family(std::string_view stem) const {
  const auto at = std::find_if(families_.begin(), families_.end(), [&](const Family& f) { return f.stem == stem; });
  return at == families_.end() ? nullptr : &*at;
}

Result<int> Resolver::window(const Family& family, std::string_view name, std::string_view text) const {
  std::int64_t steps = 0;
  if (is_number(text)) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), steps);
    if (error != std::errc{}) steps = std::numeric_limits<std::int64_t>::max();
  } else {
    EL_TRY(const Duration length, Duration::parse(text));
    if (length.us() % step_.us() != 0) {
      return fail(Code::OutOfRange, fmt::format("feature {}: {} is not a whole number of steps of {}", quoted(name),
                                                length.text(), step_.text()));
    }
    steps = length / step_;
  }
  if (steps < family.least || steps > family.most) {
    return fail(Code::OutOfRange, fmt::format("feature {}: a window of {} steps, the limits are {} to {}", quoted(name),
                                              steps, family.least, family.most));
  }
  return static_cast<int>(steps);
}

Result<Resolved> Resolver::find(std::string_view name) const {
  if (const Family* plain = family(name); plain && plain->steps.empty()) {
    return Resolved{std::string{name}, plain, 0};
  }
  const std::size_t cut = name.rfind('_');
  if (cut != std::string_view::npos) {
    const std::string_view text = name.substr(cut + 1);
    const Family* windowed = family(name.substr(0, cut));
    const bool looks_like_a_window = is_number(text) || Duration::parse(text).has_value();
    if (windowed && !windowed->steps.empty() && looks_like_a_window) {
      EL_TRY(const int w, window(*windowed, name, text));
      return Resolved{std::string{name}, windowed, w};
    }
  }
  const auto nearest = std::min_element(listed_.begin(), listed_.end(), [&](const Resolved& a, const Resolved& b) {
    return distance(name, a.name) < distance(name, b.name);
  });
  return fail(Code::NotFound,
              fmt::format("no feature {}; the nearest known name is \"{}\"", quoted(name), nearest->name));
}

NodeId build(Graph& graph, const Resolved& feature) { return feature.family->build(graph, feature.window).id; }

FeatureDefinition define(Graph& graph, const Resolved& feature) {
  const Family& family = *feature.family;
  const NodeId node = build(graph, feature);
  FeatureDefinition definition;
  definition.name = feature.name;
  definition.group = family.group;
  definition.formula = with_window(family.formula, std::to_string(feature.window));
  definition.unit = family.unit;
  definition.source = family.source;
  definition.reference = family.reference;
  definition.warm_up = graph.needs(node) - 1;
  // The digest stands for the computation itself, so that no change of a formula can pass under its old name.
  definition.hash = sha256_hex(definition.name + '\n' + definition.unit + '\n' + graph.digest(node)).substr(0, 8);
  return definition;
}

}  // namespace everlearn
