#include <fmt/format.h>

#include <algorithm>

#include "core/json.hpp"
#include "registry/tune.hpp"

namespace everlearn {

std::string TuneCard::to_json() const {
  return JsonOut{}
      .put("format", 1)
      .put("id", id)
      .put("base", base)
      .put("target", target)
      .put("way", tune_way_name(way))
      .put("made_at", made_at)
      .put("as_of", as_of)
      .put("as_of_text", as_of.iso())
      .put("rows_fit", rows_fit)
      .put("rows_stop", rows_stop)
      .put("first_row", first_row)
      .put("last_row", last_row)
      .put("seen_until", seen_until)
      .put("expires_at", expires_at)
      .put_list("intervals", interval_jsons(intervals))
      .put("stop_loss_before", stop_loss_before)
      .put("stop_loss", stop_loss)
      .put("changed", changed)
      .put_json("params", params.canonical())
      .put("canonical_job", canonical_job)
      .text();
}

Result<TuneCard> TuneCard::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  TuneCard card;
  std::string way;
  int format = 0;
  in.get("format", format);
  in.get("id", card.id);
  in.get("base", card.base);
  in.get("target", card.target);
  in.get("way", way);
  in.get("made_at", card.made_at);
  in.get("as_of", card.as_of);
  in.get("rows_fit", card.rows_fit);
  in.get("rows_stop", card.rows_stop);
  in.get("first_row", card.first_row);
  in.get("last_row", card.last_row);
  in.get("seen_until", card.seen_until);
  in.get("expires_at", card.expires_at);
  in.get("stop_loss_before", card.stop_loss_before);
  in.get("stop_loss", card.stop_loss);
  in.get("changed", card.changed);
  in.get("canonical_job", card.canonical_job);
  const std::vector<std::string> intervals = in.list("intervals");
  EL_CHECK(in.finish("tune card"));
  if (format != 1) return fail(Code::Unsupported, fmt::format("tune card: format {} is not 1", format));
  EL_TRY(card.way, tune_way_from(way));
  EL_TRY(card.intervals, intervals_from(intervals));
  EL_TRY(card.params, TuneSpec::from_json(in.json("params")));
  return card;
}

TuneCard tune_card(const Card& base, const TrainJob& job, const TrainResult& result, Timestamp made_at) {
  TuneCard card;
  card.base = base.id;
  card.target = base.target;
  card.params = job.tune.value_or(TuneSpec{});
  card.way = card.params.way;
  card.made_at = made_at;
  card.as_of = job.as_of;
  card.rows_fit = result.rows_fit;
  card.rows_stop = result.rows_stop;
  card.first_row = result.fit_first;
  card.last_row = result.last_row;
  card.seen_until = std::max(base.seen_until, result.seen_until);
  card.expires_at = base.expires_at;
  card.intervals = base.seen();
  card.intervals.insert(card.intervals.end(), result.intervals.begin(), result.intervals.end());
  card.intervals = united(std::move(card.intervals));
  card.stop_loss_before = result.stop_loss_before;
  card.stop_loss = result.stop_loss;
  card.changed = result.changed;
  card.canonical_job = job.canonical();
  return card;
}

}  // namespace everlearn
