#include "serve/predictor.hpp"

#include <fmt/format.h>

#include <cmath>
#include <unordered_map>

namespace everlearn {

Result<std::shared_ptr<const Predictor>> Predictor::bind(Bundle bundle, const std::vector<std::string>& columns) {
  std::unordered_map<std::string_view, std::uint32_t> place;
  for (std::size_t i = 0; i < columns.size(); ++i) place.emplace(columns[i], static_cast<std::uint32_t>(i));
  std::vector<std::uint32_t> source;
  for (const std::string& column : bundle.card.columns) {
    const auto found = place.find(column);
    if (found == place.end())
      return fail(Code::Model, fmt::format("model {} needs column {}, which the running feature set does not have",
                                           bundle.card.id.substr(0, 12), column));
    source.push_back(found->second);
  }
  const int width = bundle.card.task == Task::Regression ? 1 : bundle.card.classes;
  std::shared_ptr<Predictor> predictor{new Predictor{std::move(bundle)}};
  predictor->source_ = std::move(source);
  predictor->width_ = width;
  return std::shared_ptr<const Predictor>{std::move(predictor)};
}

Result<std::shared_ptr<const Predictor>> Predictor::tuned(const std::shared_ptr<const Predictor>& base, Tune tune) {
  const std::string name = tune.card.id.substr(0, 12);
  if (base->tune_)
    return fail(Code::Usage,
                fmt::format("tune {}: {} is a tune itself, and only a base is tuned", name, base->id().substr(0, 12)));
  if (tune.card.base != base->card().id)
    return fail(Code::Model, fmt::format("tune {} is of base {}, not of {}", name, tune.card.base.substr(0, 12),
                                         base->card().id.substr(0, 12)));
  std::shared_ptr<Predictor> predictor{new Predictor{*base}};
  const Forest& forest = base->bundle_.forest;
  if (auto* trees = std::get_if<Forest>(&tune.difference)) {
    if (forest.averaged() || trees->averaged() || trees->outputs() != forest.outputs() ||
        trees->link() != forest.link() || trees->feature_names() != forest.feature_names())
      return fail(Code::Model, fmt::format("tune {}: its trees do not go behind those of its base", name));
    predictor->further_ = std::move(*trees);
  } else if (const auto* steps = std::get_if<std::vector<LeafStep>>(&tune.difference)) {
    auto moved = forest.moved(*steps);
    if (!moved) return fail(moved.error(), "tune " + name);
    predictor->bundle_.forest = std::move(*moved);
  } else if (const auto* calibrator = std::get_if<Calibrator>(&tune.difference)) {
    predictor->bundle_.calibrator = *calibrator;
  }
  predictor->tune_ = std::move(tune.card);
  return std::shared_ptr<const Predictor>{std::move(predictor)};
}

void Predictor::predict_uncalibrated(std::span<const float> row, std::span<float> scratch,
                                     std::span<double> out) const {
  for (std::size_t i = 0; i < source_.size(); ++i) scratch[i] = row[source_[i]];
  const auto outputs = static_cast<std::size_t>(bundle_.forest.outputs());
  bundle_.forest.raw(scratch.first(source_.size()), out.first(outputs));
  if (further_) further_->add_raw(scratch.first(source_.size()), out.first(outputs));
  bundle_.forest.respond(out.first(outputs));
  if (bundle_.card.task == Task::Binary) {
    out[1] = out[0];
    out[0] = 1 - out[1];
  }
}

void Predictor::predict(std::span<const float> row, std::span<float> scratch, std::span<double> out) const {
  predict_uncalibrated(row, scratch, out);
  if (bundle_.card.task == Task::Regression)
    out[0] = bundle_.calibrator.apply(out[0]);
  else
    bundle_.calibrator.apply(out.first(static_cast<std::size_t>(width_)));
}

double Predictor::outside_share(std::span<const float> row) const {
  std::size_t known = 0, outside = 0;
  for (std::size_t i = 0; i < source_.size(); ++i) {
    const float value = row[source_[i]];
    if (!std::isfinite(value)) continue;
    ++known;
    if (value < bundle_.card.range_low[i] || value > bundle_.card.range_high[i]) ++outside;
  }
  return known == 0 ? 1.0 : static_cast<double>(outside) / static_cast<double>(known);
}

}  // namespace everlearn
