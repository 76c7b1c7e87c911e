#include "learn/train_job.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr std::array<std::pair<Task, std::string_view>, 3> kTasks{
    {{Task::Regression, "regression"}, {Task::Binary, "binary"}, {Task::Multiclass, "multiclass"}}};

std::string params_json(const LearnerParams& p) {
  return JsonOut{}
      .put("learner", p.learner)
      .put("boosting", p.boosting)
      .put("trees", p.trees)
      .put("depth", p.depth)
      .put("leaves", p.leaves)
      .put("learning_rate", p.learning_rate)
      .put("l1", p.l1)
      .put("l2", p.l2)
      .put("row_fraction", p.row_fraction)
      .put("feature_fraction", p.feature_fraction)
      .put("min_rows_in_leaf", p.min_rows_in_leaf)
      .put("early_stopping", p.early_stopping)
      .put("max_bins", p.max_bins)
      .text();
}

Result<LearnerParams> params_from(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  LearnerParams p;
  in.get("learner", p.learner);
  in.get("boosting", p.boosting);
  in.get("trees", p.trees);
  in.get("depth", p.depth);
  in.get("leaves", p.leaves);
  in.get("learning_rate", p.learning_rate);
  in.get("l1", p.l1);
  in.get("l2", p.l2);
  in.get("row_fraction", p.row_fraction);
  in.get("feature_fraction", p.feature_fraction);
  in.get("min_rows_in_leaf", p.min_rows_in_leaf);
  in.get("early_stopping", p.early_stopping);
  in.get("max_bins", p.max_bins);
  EL_CHECK(in.finish("learner parameters"));
  return p;
}

std::string segments_json(const std::vector<SegmentRef>& segments) {
  std::vector<std::string> jsons;
  for (const SegmentRef& s : segments)
    jsons.push_back(JsonOut{}.put("path", s.path).put("sha256", s.sha256).put("rows", s.rows).text());
  return fmt::format("[{}]", fmt::join(jsons, ","));
}

Result<std::vector<SegmentRef>> segments_from(const std::vector<std::string>& jsons) {
  std::vector<SegmentRef> segments;
  for (const std::string& json : jsons) {
    EL_TRY(JsonIn in, JsonIn::parse(json));
    SegmentRef segment;
    in.get("path", segment.path);
    in.get("sha256", segment.sha256);
    in.get("rows", segment.rows);
    EL_CHECK(in.finish("segment"));
    segments.push_back(std::move(segment));
  }
  return segments;
}

// What shapes the model; to_json() adds where the rows are.
JsonOut shaping(const TrainJob& job) {
  JsonOut out;
  out.put("target", job.target)
      .put("target_index", static_cast<std::int64_t>(job.target_index))
      .put("task", task_name(job.task))
      .put("classes", job.classes)
      .put("as_of", job.as_of)
      .put("fit_from", job.fit_from)
      .put("stop_from", job.stop_from)
      .put("stop_until", job.stop_until)
      .put("purge_stop_by", job.purge_stop_by)
      .put("columns", job.columns)
      .put("schema_hash", job.schema_hash)
      .put("group_by_market", job.group_by_market)
      .put("max_examples", job.max_examples)
      .put("min_effective", job.min_effective)
      .put_json("params", params_json(job.params))
      .put("calibration", job.calibration)
      .put("seed", job.seed);
  if (job.conformal_alpha > 0) out.put("conformal_alpha", job.conformal_alpha).put("blend_weight", job.blend_weight);
  if (job.tune) out.put_json("tune", job.tune->canonical());
  return out;
}

}  // namespace

std::string_view task_name(Task task) {
  for (const auto& [value, name] : kTasks)
    if (value == task) return name;
  return "?";
}

Result<Task> task_from(std::string_view name) {
  for (const auto& [value, text] : kTasks)
    if (text == name) return value;
  return fail(Code::BadData, fmt::format("task \"{}\" is none of regression, binary, multiclass", name));
}

std::string to_json(const LearnerParams& params) { return params_json(params); }
Result<LearnerParams> learner_params_from_json(std::string_view text) { return params_from(text); }

std::string TrainJob::canonical() const { return shaping(*this).text(); }

std::string TrainJob::to_json() const {
  JsonOut out = shaping(*this);
  if (tune) out.put_json("tune_job", tune->to_json());
  if (conformal_alpha > 0) out.put("baseline_start", baseline_start);
  return out.put("markets", markets)
      .put_json("examples", segments_json(examples))
      .put_json("labels", segments_json(labels))
      .put("tail_examples", tail_examples)
      .put("tail_labels", tail_labels)
      .put("threads", threads)
      .text();
}

Result<TrainJob> TrainJob::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  TrainJob job;
  std::string task;
  in.get("target", job.target);
  in.get("target_index", job.target_index);
  in.get("task", task);
  in.get("classes", job.classes);
  in.get("as_of", job.as_of);
  in.get("fit_from", job.fit_from);
  in.get("stop_from", job.stop_from);
  in.get("stop_until", job.stop_until);
  in.get("purge_stop_by", job.purge_stop_by);
  in.get("columns", job.columns);
  in.get("schema_hash", job.schema_hash);
  in.get("group_by_market", job.group_by_market);
  in.get("max_examples", job.max_examples);
  in.get("min_effective", job.min_effective);
  in.get("calibration", job.calibration);
  in.get("seed", job.seed);
  in.get("markets", job.markets);
  in.get("tail_examples", job.tail_examples);
  in.get("tail_labels", job.tail_labels);
  in.get("threads", job.threads);
  if (in.has("conformal_alpha")) {
    in.get("conformal_alpha", job.conformal_alpha);
    in.get("blend_weight", job.blend_weight);
    in.get("baseline_start", job.baseline_start);
  }
  EL_TRY(job.params, params_from(in.json("params")));
  EL_TRY(job.examples, segments_from(in.list("examples")));
  EL_TRY(job.labels, segments_from(in.list("labels")));
  EL_CHECK(in.finish("job.json"));
  EL_TRY(job.task, task_from(task));
  if (in.has("tune_job")) {
    EL_TRY(job.tune, TuneSpec::from_json(in.json("tune_job")));
  }
  return job;
}

std::string TrainResult::to_json() const {
  return JsonOut{}
      .put("ok", ok)
      .put("refused", refused)
      .put("rows_fit", rows_fit)
      .put("rows_stop", rows_stop)
      .put("effective", effective)
      .put("seen_until", seen_until)
      .put("fit_first", fit_first)
      .put("fit_last", fit_last)
      .put("last_row", last_row)
      .put("label_min", label_min)
      .put("label_max", label_max)
      .put("best_iteration", best_iteration)
      .put("stop_loss", stop_loss)
      .put("stop_loss_before", stop_loss_before)
      .put("changed", changed)
      .put_list("intervals", interval_jsons(intervals))
      .put("gain", gain)
      .put("dead_features", dead_features)
      .put("read_seconds", read_seconds)
      .put("prepare_seconds", prepare_seconds)
      .put("train_seconds", train_seconds)
      .text();
}

Result<TrainResult> TrainResult::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  TrainResult result;
  in.get("ok", result.ok);
  in.get("refused", result.refused);
  in.get("rows_fit", result.rows_fit);
  in.get("rows_stop", result.rows_stop);
  in.get("effective", result.effective);
  in.get("seen_until", result.seen_until);
  in.get("fit_first", result.fit_first);
  in.get("fit_last", result.fit_last);
  in.get("label_min", result.label_min);
  in.get("label_max", result.label_max);
  in.get("best_iteration", result.best_iteration);
  in.get("stop_loss", result.stop_loss);
  in.get("gain", result.gain);
  in.get("dead_features", result.dead_features);
  in.get("read_seconds", result.read_seconds);
  in.get("prepare_seconds", result.prepare_seconds);
  in.get("train_seconds", result.train_seconds);
  if (in.has("intervals")) {  // verdicts that were stored before tunes have none of these
    in.get("last_row", result.last_row);
    in.get("stop_loss_before", result.stop_loss_before);
    in.get("changed", result.changed);
    EL_TRY(result.intervals, intervals_from(in.list("intervals")));
  }
  EL_CHECK(in.finish("result.json"));
  return result;
}

}  // namespace everlearn
