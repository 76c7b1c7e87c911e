#include "core/json.hpp"
#include "registry/bundle.hpp"

namespace everlearn {
namespace {

std::vector<double> widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

std::vector<float> narrowed(const std::vector<double>& values) {
  std::vector<float> floats;
  for (const double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

}  // namespace

TrainingIntervals Card::seen() const {
  return intervals.empty() ? TrainingIntervals{{Timestamp::min(), seen_until}} : intervals;
}

std::string Card::to_json() const {
  return JsonOut{}
      .put("format", 1)
      .put("id", id)
      .put("profile", profile)
      .put("target", target)
      .put("task", task_name(task))
      .put("classes", classes)
      .put("as_of", as_of)
      .put("as_of_text", as_of.iso())
      .put("trained_at", trained_at)
      .put("seen_until", seen_until)
      .put_list("intervals", interval_jsons(intervals))
      .put("expires_at", expires_at)
      .put("rows_fit", rows_fit)
      .put("rows_stop", rows_stop)
      .put("effective", effective)
      .put("label_min", label_min)
      .put("label_max", label_max)
      .put("trees", trees)
      .put("blend_weight", blend_weight)
      .put_json("params", everlearn::to_json(params))
      .put("seed", seed)
      .put("reason", reason)
      .put("library", library)
      .put("schema_hash", schema_hash)
      .put("columns", columns)
      .put("range_low", widened(range_low))
      .put("range_high", widened(range_high))
      .put("gain", gain)
      .put("canonical_job", canonical_job)
      .put_json("verdict", verdict.to_json())
      .text();
}

Result<Card> Card::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  Card card;
  std::string task;
  std::vector<double> low, high;
  int format = 0;
  in.get("format", format);
  in.get("id", card.id);
  in.get("profile", card.profile);
  in.get("target", card.target);
  in.get("task", task);
  in.get("classes", card.classes);
  in.get("as_of", card.as_of);
  in.get("trained_at", card.trained_at);
  in.get("seen_until", card.seen_until);
  in.get("expires_at", card.expires_at);
  in.get("rows_fit", card.rows_fit);
  in.get("rows_stop", card.rows_stop);
  in.get("effective", card.effective);
  in.get("label_min", card.label_min);
  in.get("label_max", card.label_max);
  in.get("trees", card.trees);
  in.get("blend_weight", card.blend_weight);
  in.get("seed", card.seed);
  in.get("reason", card.reason);
  in.get("library", card.library);
  in.get("schema_hash", card.schema_hash);
  in.get("columns", card.columns);
  in.get("range_low", low);
  in.get("range_high", high);
  in.get("gain", card.gain);
  in.get("canonical_job", card.canonical_job);
  const std::vector<std::string> intervals = in.has("intervals") ? in.list("intervals") : std::vector<std::string>{};
  EL_CHECK(in.finish("card.json"));
  if (format != 1) return fail(Code::Unsupported, "card.json: format is not 1");
  EL_TRY(card.task, task_from(task));
  EL_TRY(card.intervals, intervals_from(intervals));
  EL_TRY(card.params, learner_params_from_json(in.json("params")));
  EL_TRY(card.verdict, Verdict::from_json(in.json("verdict")));
  card.range_low = narrowed(low);
  card.range_high = narrowed(high);
  return card;
}

}  // namespace everlearn
