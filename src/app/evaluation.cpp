#include "app/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/holdout.hpp"
#include "app/trainings.hpp"
#include "core/json.hpp"
#include "serve/predictor.hpp"

namespace everlearn {
namespace {

Result<std::shared_ptr<const Predictor>> load(DataDirectory& directory, const ModelEntry& model) {
  if (!model.whole)
    return fail(Code::Model, fmt::format("model {} was pruned: only its card and verdict are kept", model.id));
  EL_TRY(const auto columns, directory.store().state("columns"));
  EL_TRY(auto bundle, load_bundle(directory.fs(), directory.models(), model.id));
  return Predictor::bind(std::move(bundle), text_lines(columns.value_or("")));
}

}  // namespace

Result<Evaluation> evaluate(DataDirectory& directory, const std::string& id, const std::string& against,
                            EvaluationRows which) {
  const Profile& profile = directory.profile();
  EL_TRY(const Registry registry, directory.registry());
  EL_TRY(const ModelEntry model, directory.find_model(registry, id));
  EL_TRY(const std::uint16_t target, directory.find_target(model.target));
  EL_TRY(const auto predictor, load(directory, model));

  Evaluation evaluation{.model = model.id, .target = model.target};
  evaluation.as_of = Timestamp::max();
  Timestamp stop_until = Timestamp::min();
  std::string other = against;
  if (which == EvaluationRows::Verdict) {
    if (!against.empty())
      return fail(Code::Usage, "the verdict's own rows come with the champion of then: no --against");
    EL_TRY(const auto verdicts, directory.store().verdicts());
    const auto row =
        std::find_if(verdicts.begin(), verdicts.end(), [&](const VerdictRow& v) { return v.bundle == model.id; });
    if (row == verdicts.end()) return fail(Code::NotFound, fmt::format("model {} has no verdict", model.id));
    EL_TRY(const TrainingRecord record, training_record(*row));
    evaluation.as_of = row->as_of;
    stop_until = record.stop_until;
    other = row->champion_before;
  }
  std::shared_ptr<const Predictor> champion;
  Timestamp unseen = predictor->card().seen_until;
  if (!other.empty()) {
    EL_TRY(const ModelEntry entry, directory.find_model(registry, other));
    if (entry.target != model.target)
      return fail(Code::Usage,
                  fmt::format("model {} is of target {}, {} of {}", entry.id, entry.target, model.id, model.target));
    EL_TRY(champion, load(directory, entry));
    unseen = std::max(unseen, champion->card().seen_until);
    evaluation.against = entry.id;
  }
  evaluation.from = std::max(unseen + profile.embargo + Duration{1}, stop_until);
  const HoldoutQuery query{.target = target, .range = {evaluation.from, Timestamp::max()}, .as_of = evaluation.as_of};
  EL_TRY(evaluation.rows, assemble_holdout(directory.store(), profile, query, *predictor, champion.get()));
  if (evaluation.rows.empty())
    return fail(Code::BadData,
                fmt::format("model {} saw rows up to {}: no labelled row is later", model.id, evaluation.from.iso()));
  TrainResult trained;
  trained.label_min = predictor->card().label_min;
  trained.label_max = predictor->card().label_max;
  evaluation.rules = gate_rules(profile, profile.targets[target], trained);
  EL_TRY(evaluation.verdict, Gate{evaluation.rules}.review(evaluation.rows));
  return evaluation;
}

std::string rows_json(const std::vector<HoldoutRow>& rows) {
  std::string out = "[";
  for (const HoldoutRow& row : rows) {
    if (out.size() > 1) out += ",\n ";
    out += JsonOut{}
               .put("instrument", static_cast<std::int64_t>(index(row.instrument)))
               .put("event_time", row.event_time)
               .put("label_end", row.label_end)
               .put("outcome", row.outcome)
               .put("price", row.price)
               .put("move", row.move)
               .put("no_change", row.no_change)
               .put("baseline", row.baseline)
               .put("candidate", row.candidate)
               .put("champion", row.champion)
               .put("candidate_uncalibrated", row.candidate_uncalibrated)
               .put("set", static_cast<std::int64_t>(row.set))
               .text();
  }
  return out + "]\n";
}

std::string rules_json(const GateRules& rules) {
  std::map<std::string, double> require;
  for (const Requirement& requirement : rules.require) require[requirement.name] = requirement.at_least;
  const char* unit = rules.unit == ReturnUnit::Points ? "points" : rules.unit == ReturnUnit::Log ? "log" : "relative";
  const char* comparison = rules.comparison == Comparison::Better     ? "better"
                           : rules.comparison == Comparison::Superior ? "superior"
                                                                      : "non_inferior";
  return JsonOut{}
             .put("task", rules.task == Task::Regression ? "regression" : "classes")
             .put("classes", rules.classes)
             .put("directional", rules.directional)
             .put("unit", unit)
             .put("require", require)
             .put("comparison", comparison)
             .put("margin", rules.margin)
             .put("min_effective", rules.min_effective)
             .put("min_blocks", rules.min_blocks)
             .put("half_tick", rules.half_tick)
             .put("max_gain_share", rules.max_gain_share)
             .put("block", rules.block.us())
             .put("draws", rules.draws)
             .put("seed", rules.seed)
             .put("label_min", rules.label_min)
             .put("label_max", rules.label_max)
             .put("cost_relative", rules.cost_relative)
             .put("periods_per_year", rules.periods_per_year)
             .text() +
         "\n";
}

}  // namespace everlearn
