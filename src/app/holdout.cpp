#include "app/holdout.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "model/target_blend.hpp"

namespace everlearn {
namespace {

using Key = std::pair<Timestamp, InstrumentId>;

// The outcome as a move of the price: what the half-tick rule is about. Of a class only the sign means something: below
// or above the middle one.
double move_of(const LabelSpec& label, double outcome, double price) {
  if (label.is_class()) return outcome - (label.classes() - 1) / 2.0;
  if (label.kind != LabelKind::ForwardReturn) return outcome;
  switch (label.unit) {
    case ReturnUnit::Points:
      return outcome;
    case ReturnUnit::Relative:
      return outcome * price;
    case ReturnUnit::Log:
      return std::expm1(outcome) * price;
  }
  return outcome;
}

}  // namespace

BaselineLayout::BaselineLayout(const Profile& profile) {
  for (const TargetProfile& target : profile.targets) {
    start.push_back(total);
    width.push_back(static_cast<std::size_t>(target.outputs()));
    total += width.back();
  }
}

Result<std::vector<HoldoutRow>> assemble_holdout(const Store& store, const Profile& profile, const HoldoutQuery& query,
                                                 const Predictor& candidate, const Predictor* champion) {
  const TargetProfile& target = profile.targets[query.target];
  const BaselineLayout layout{profile};
  const std::size_t start = layout.start[query.target];
  const std::size_t width = layout.width[query.target];

  std::map<Key, LabelRow> labels;
  EL_CHECK(store.scan_labels(query.range, [&](const LabelRow& label) {
    if (label.target == query.target && label.known && label.known_at <= query.as_of)
      labels.emplace(Key{label.event_time, label.instrument}, label);
    return true;
  }));

  const TargetBlend blend{target.blend_weight, target.label, profile.probability, profile.tick_size};
  std::vector<float> scratch;
  std::vector<double> said(width), acts(width);
  const auto speak = [&](const Predictor& model, const ExampleRow& example, std::span<const double> baseline,
                         bool calibrated = true) {
    scratch.resize(model.card().columns.size());
    calibrated ? model.predict(example.features, scratch, said)
               : model.predict_uncalibrated(example.features, scratch, said);
    blend.apply(said, baseline, example.price, acts);
    return acts;
  };

  TrainingIntervals seen = candidate.seen();
  if (champion != nullptr) {
    const TrainingIntervals too = champion->seen();
    seen.insert(seen.end(), too.begin(), too.end());
  }
  seen = united(std::move(seen));

  std::vector<HoldoutRow> rows;
  bool whole = true;
  EL_CHECK(store.scan_examples(query.range, [&](const ExampleRow& example) {
    const auto found = labels.find(Key{example.event_time, example.instrument});
    if (found == labels.end() || example.known_at > query.as_of) return true;
    if (touches(seen, example.event_time, found->second.end, profile.embargo)) return true;
    if (example.baseline.size() != layout.total) return whole = false;
    HoldoutRow row;
    row.instrument = example.instrument;
    row.event_time = example.event_time;
    row.label_end = found->second.end;
    row.outcome = found->second.value;
    row.price = example.price;
    row.move = move_of(target.label, row.outcome, row.price);
    row.no_change = example.no_change[query.target];
    const auto first = example.baseline.begin() + static_cast<std::ptrdiff_t>(start);
    row.baseline.assign(first, first + static_cast<std::ptrdiff_t>(width));
    row.candidate = speak(candidate, example, row.baseline);
    if (target.task != Task::Regression) {
      row.candidate_uncalibrated = speak(candidate, example, row.baseline, false);
      row.set = candidate.prediction_set(row.candidate);
    }
    if (champion != nullptr) row.champion = speak(*champion, example, row.baseline);
    rows.push_back(std::move(row));
    return true;
  }));
  if (!whole)
    return fail(Code::Internal, "an example has another number of baseline values than the profile's targets need");

  std::sort(rows.begin(), rows.end(), [](const HoldoutRow& a, const HoldoutRow& b) {
    return Key{a.event_time, a.instrument} < Key{b.event_time, b.instrument};
  });
  return rows;
}

}  // namespace everlearn
