#include "learn/train_job.hpp"

#include <doctest/doctest.h>

using namespace everlearn;

namespace {

TrainJob job() {
  TrainJob j;
  j.target = "ret_5d";
  j.task = Task::Multiclass;
  j.classes = 3;
  j.as_of = Timestamp{100};
  j.columns = {"ret_1@aaaaaaaa", "ret_5@bbbbbbbb"};
  j.examples = {{"/data/lake/x.parquet", "00ff", 12}};
  j.params.learning_rate = 0.1;
  j.seed = 7;
  return j;
}

}  // namespace

TEST_CASE("train job: what is written to job.json reads back") {
  const TrainJob back = TrainJob::from_json(job().to_json()).value();
  CHECK(back.to_json() == job().to_json());
  CHECK(back.task == Task::Multiclass);
  CHECK(back.examples.front().rows == 12);
}

TEST_CASE("train job: paths, segments and threads do not shape the model, anything else does") {
  TrainJob moved = job();
  moved.examples = {{"/elsewhere/a.parquet", "11", 5}, {"/elsewhere/b.parquet", "22", 7}};
  moved.tail_examples = "/elsewhere/t.parquet";
  moved.threads = 2;
  CHECK(moved.canonical() == job().canonical());
  TrainJob other = job();
  other.params.learning_rate = 0.2;
  CHECK(other.canonical() != job().canonical());
  other = job();
  other.as_of = Timestamp{101};
  CHECK(other.canonical() != job().canonical());
}

TEST_CASE("train job: a tune shapes the model, where its base lies does not") {
  TrainJob tuned = job();
  tuned.tune = TuneSpec{.way = TuneWay::Leaves, .base = std::string(64, 'b'), .base_directory = "/data/models/b"};
  CHECK(TrainJob::from_json(tuned.to_json())->tune == tuned.tune);
  CHECK(!TrainJob::from_json(job().to_json())->tune);
  CHECK(tuned.canonical() != job().canonical());
  TrainJob moved = tuned;
  moved.tune->base_directory = "/elsewhere";
  CHECK(moved.canonical() == tuned.canonical());
  moved.tune->decay = 0.5;
  CHECK(moved.canonical() != tuned.canonical());
  std::string text = tuned.to_json();
  text.replace(text.find("leaves", text.find("tune_job")), 6, "roots");
  CHECK(TrainJob::from_json(text).error().message.find("\"roots\"") != std::string::npos);
}

TEST_CASE("train job: prediction sets shape the model, and the weight with which it acts then does too") {
  TrainJob sets = job();
  sets.blend_weight = 0.7;
  CHECK(sets.canonical() == job().canonical());
  sets.conformal_alpha = 0.1;
  sets.baseline_start = 4;
  CHECK(sets.canonical() != job().canonical());
  const TrainJob back = TrainJob::from_json(sets.to_json()).value();
  CHECK(back.conformal_alpha == 0.1);
  CHECK(back.blend_weight == 0.7);
  CHECK(back.baseline_start == 4);
  CHECK(back.canonical() == sets.canonical());
  TrainJob other = sets;
  other.blend_weight = 0.6;
  CHECK(other.canonical() != sets.canonical());
  other = sets;
  other.baseline_start = 0;  // where the values lie, not what they are
  CHECK(other.canonical() == sets.canonical());
}

TEST_CASE("train job: a member of the wrong type is named") {
  std::string text = job().to_json();
  text.replace(text.find("\"trees\":100"), 11, "\"trees\":\"x\"");
  const auto read = TrainJob::from_json(text);
  REQUIRE(!read);
  CHECK(read.error().message.find("\"trees\" should be an integer") != std::string::npos);
}

TEST_CASE("train result: reads back") {
  TrainResult result;
  result.ok = true;
  result.gain = {{"ret_1@aaaaaaaa", 1.5}};
  result.stop_loss = 0.1;
  result.stop_loss_before = 0.2;
  result.changed = 3;
  result.intervals = {{Timestamp{1}, Timestamp{2}}};
  CHECK(TrainResult::from_json(result.to_json())->to_json() == result.to_json());
  const TrainResult old =
      TrainResult::from_json(
          R"({"ok":true,"refused":"","rows_fit":9,"rows_stop":3,"effective":4,"seen_until":5,"fit_first":1,"fit_last":2,)"
          R"("label_min":0,"label_max":1,"best_iteration":7,"stop_loss":0.5,"gain":{},"dead_features":[],)"
          R"("read_seconds":0.1,"prepare_seconds":0.1,"train_seconds":0.1})")
          .value();
  CHECK(old.rows_fit == 9);
  CHECK(old.intervals.empty());
}
