#include "app/progress.hpp"

#include "core/json.hpp"

namespace everlearn {
namespace {

std::vector<std::string> wins_json(const WinMonths& months) {
  std::vector<std::string> list;
  for (const auto& [month, tally] : months)
    list.push_back(
        JsonOut{}.put("month", month).put("won", tally.won).put("lost", tally.lost).put("pnl", tally.pnl).text());
  return list;
}

Result<WinMonths> wins_from(const std::vector<std::string>& list) {
  WinMonths months;
  for (const std::string& text : list) {
    EL_TRY(JsonIn in, JsonIn::parse(text));
    std::string month;
    in.get("month", month);
    WinTally& tally = months[month];
    in.get("won", tally.won);
    in.get("lost", tally.lost);
    in.get("pnl", tally.pnl);
    EL_CHECK(in.finish("wins of a month"));
  }
  return months;
}

}  // namespace

std::string Progress::to_json() const {
  return JsonOut{}
      .put("learning", learning)
      .put("first_cycle", first_cycle)
      .put("last_cycle", last_cycle)
      .put("scaling_start", scaling_start)
      .put("cycles", cycles)
      .put("events", events)
      .put("predictions", predictions)
      .put("examples", examples)
      .put("labelled", labelled)
      .put("effective", effective)
      .put("void_labels", void_labels)
      .put("waiting", waiting)
      .put("labelled_of", labelled_of)
      .put("auto_enabled", auto_enabled)
      .put("trainings", trainings)
      .put("last_training", last_training)
      .put("last_periods", last_periods)
      .put("promoted", promoted)
      .put("signals", signals)
      .put("intents", intents)
      .put("fills", fills)
      .put("contradictions", contradictions)
      .put("backfilled", backfilled)
      .put("stopped", stopped)
      .put("champions", champions)
      .put("recent_accuracy", recent_accuracy)
      .put("recent_majority", recent_majority)
      .put("recent_rows", recent_rows)
      .put("stream", stream)
      .put("stream_accuracy", stream_accuracy)
      .put("stream_ledgers", stream_ledgers)
      .put("tunes", tunes)
      .put("tunes_not", tunes_not)
      .put("tune", tune)
      .put("equity", equity)
      .put("baseline_equity", baseline_equity)
      .put("costs", costs)
      .put("round_trips", round_trips)
      .put("committed", committed)
      .put("locked", locked)
      .put("positions", positions)
      .put("locked_positions", locked_positions)
      .put("waiting_intents", waiting_intents)
      .put_list("wins", wins_json(wins))
      .put_list("baseline_wins", wins_json(baseline_wins))
      .put("ledger_sha256", ledger_sha256)
      .put("finished", finished)
      .put("fraction", fraction)
      .put("wall_seconds", wall_seconds)
      .put("split_seconds", split_seconds)
      .text();
}

Result<Progress> Progress::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  Progress p;
  in.get("learning", p.learning);
  in.get("first_cycle", p.first_cycle);
  in.get("last_cycle", p.last_cycle);
  in.get("scaling_start", p.scaling_start);
  in.get("cycles", p.cycles);
  in.get("events", p.events);
  in.get("predictions", p.predictions);
  in.get("examples", p.examples);
  in.get("labelled", p.labelled);
  in.get("effective", p.effective);
  in.get("void_labels", p.void_labels);
  in.get("waiting", p.waiting);
  in.get("labelled_of", p.labelled_of);
  in.get("auto_enabled", p.auto_enabled);
  in.get("trainings", p.trainings);
  in.get("last_training", p.last_training);
  in.get("last_periods", p.last_periods);
  in.get("promoted", p.promoted);
  in.get("signals", p.signals);
  in.get("intents", p.intents);
  in.get("fills", p.fills);
  in.get("contradictions", p.contradictions);
  in.get("backfilled", p.backfilled);
  in.get("stopped", p.stopped);
  in.get("champions", p.champions);
  in.get("recent_accuracy", p.recent_accuracy);
  in.get("recent_majority", p.recent_majority);
  in.get("recent_rows", p.recent_rows);
  in.get("stream", p.stream);
  in.get("stream_accuracy", p.stream_accuracy);
  in.get("stream_ledgers", p.stream_ledgers);
  in.get("tunes", p.tunes);
  in.get("tunes_not", p.tunes_not);
  in.get("tune", p.tune);
  in.get("equity", p.equity);
  in.get("baseline_equity", p.baseline_equity);
  in.get("costs", p.costs);
  in.get("round_trips", p.round_trips);
  if (in.has("committed")) {  // not in directories of older releases
    in.get("committed", p.committed);
    in.get("locked", p.locked);
    in.get("positions", p.positions);
    in.get("locked_positions", p.locked_positions);
    in.get("waiting_intents", p.waiting_intents);
    EL_TRY(p.wins, wins_from(in.list("wins")));
    EL_TRY(p.baseline_wins, wins_from(in.list("baseline_wins")));
  }
  in.get("ledger_sha256", p.ledger_sha256);
  in.get("finished", p.finished);
  in.get("fraction", p.fraction);
  in.get("wall_seconds", p.wall_seconds);
  in.get("split_seconds", p.split_seconds);
  EL_CHECK(in.finish("progress"));
  return p;
}

}  // namespace everlearn
