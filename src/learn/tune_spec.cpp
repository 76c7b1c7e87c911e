#include "learn/tune_spec.hpp"

#include <fmt/format.h>

#include <array>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr std::array<std::string_view, 4> kWays{"none", "trees", "leaves", "calibration"};

JsonOut shaping(const TuneSpec& spec) {
  JsonOut out;
  out.put("way", tune_way_name(spec.way))
      .put("base", spec.base)
      .put("trees", spec.trees)
      .put("learning_rate", spec.learning_rate)
      .put("early_stopping", spec.early_stopping)
      .put("leaves", spec.leaves)
      .put("depth", spec.depth)
      .put("min_rows_in_leaf", spec.min_rows_in_leaf)
      .put("decay", spec.decay);
  return out;
}

}  // namespace

std::string_view tune_way_name(TuneWay way) { return kWays[static_cast<std::size_t>(way)]; }

Result<TuneWay> tune_way_from(std::string_view name) {
  for (std::size_t i = 0; i < kWays.size(); ++i)
    if (kWays[i] == name) return static_cast<TuneWay>(i);
  return fail(Code::BadData, fmt::format("tune way \"{}\" is none of none, trees, leaves, calibration", name));
}

std::string TuneSpec::canonical() const { return shaping(*this).text(); }
std::string TuneSpec::to_json() const { return shaping(*this).put("base_directory", base_directory).text(); }

Result<TuneSpec> TuneSpec::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  TuneSpec spec;
  std::string way;
  in.get("way", way);
  in.get("base", spec.base);
  if (in.has("base_directory")) in.get("base_directory", spec.base_directory);  // a card's has none
  in.get("trees", spec.trees);
  in.get("learning_rate", spec.learning_rate);
  in.get("early_stopping", spec.early_stopping);
  in.get("leaves", spec.leaves);
  in.get("depth", spec.depth);
  in.get("min_rows_in_leaf", spec.min_rows_in_leaf);
  in.get("decay", spec.decay);
  EL_CHECK(in.finish("tune"));
  EL_TRY(spec.way, tune_way_from(way));
  return spec;
}

}  // namespace everlearn
