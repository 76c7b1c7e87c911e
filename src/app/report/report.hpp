// What a run has to say, computed from its data directory alone: the same directory gives the same report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/config/config.hpp"
#include "app/progress.hpp"
#include "learn/conformal_coverage.hpp"
#include "learn/reliability.hpp"
#include "learn/train_job.hpp"
#include "market/source.hpp"
#include "registry/registry.hpp"
#include "registry/verdict.hpp"
#include "store/store.hpp"
#include "trade/win_rate.hpp"

namespace everlearn {

/// How good predictions were, as served, against what came. NaN: the rows do not determine it.
struct Score {
  std::int64_t n = 0;
  double r2 = 0, r2_no_change = 0, rmse = 0;
  double direction_accuracy = 0, majority_direction = 0, zero_share = 0;  // returns
  double accuracy = 0, majority_class = 0, log_loss = 0;                  // classes
};

struct PeriodScore {
  std::string period;  // "1996", "2026-01", "2026-01-15"
  Score served, baseline;
};

/// A tenth of the rows in order of what was predicted: the mean of that, and of what came. Classes: of the last one.
struct Decile {
  double predicted = 0, outcome = 0;
  std::int64_t n = 0;
};

struct LiveScore {
  std::string target;
  bool classes = false;
  bool directional = false;              // a sign means something
  Score served, baseline;                // rows where a model spoke
  std::optional<Timestamp> first, last;  // of these rows
  std::vector<PeriodScore> periods;
  std::vector<Decile> deciles, baseline_deciles;  // empty under 100 rows
  ConformalCoverage sets;                         // of the prediction sets that were served, where there are some
  double set_alpha = 0;                           // the share they may miss, by the settings of now
};

struct TargetLine {
  std::string name;
  std::string what;  // "forward return over 5 sessions"
  bool acts = false;
  bool percent = false;  // values are shares and are shown in percent
};

struct TrainingLine {
  std::string target, model, reason, verdict, champion_before, why;
  Timestamp as_of;
  std::int64_t rows = 0, effective = 0;  // fitted
  std::int64_t holdout_rows = 0, holdout_effective = 0, holdout_used_before = 0;
  std::optional<Timestamp> holdout_first, holdout_last;
  double seconds = 0;
  std::vector<Check> checks;
  Reliability reliability_before, reliability_after;  // classes: of its calibration, on the hold-out
};

/// A model's time in office.
struct Reign {
  std::string target, model;
  Timestamp from;
  std::optional<Timestamp> to;       // empty: nothing has replaced it
  std::optional<Timestamp> expired;  // from then until `to` it was too old to act
  std::string how;                   // "promoted", "promoted by hand", "rolled back by hand"
};

/// What serves now.
struct ChampionLine {
  std::string target, model;
  Timestamp since, learned_until;
  std::optional<Timestamp> expired;  // it is too old to act
  int trees = 0;
  double blend_weight = 0;  // of the model against the baseline
};

struct StreamLine {
  std::string name;
  std::optional<Timestamp> first, last;
  std::int64_t points = 0, gaps = 0;
};

/// A position from its entry to its exit.
struct RoundTrip {
  std::string instrument;
  Timestamp exit;
  double pnl = 0;  // after costs
};

struct Paper {
  double capital = 0, pnl = 0, costs = 0, baseline_pnl = 0;
  double cost_bps = 0, half_spread_bps = 0;  // one way
  double sharpe = 0, sharpe_se = 0;          // NaN: insufficient
  double days_per_year = 252;
  std::int64_t days = 0, round_trips = 0;  // days from the first trade on
  double max_drawdown = 0;                 // of capital
  std::optional<Timestamp> first_trade;
  std::optional<RoundTrip> best;     // how much hangs on one
  std::vector<EquityRow> equity;     // one a day, from the start of the run
  double committed = 0, locked = 0;  // now; locked: in markets that do not trade and are not resolved
  WinMonths wins, baseline_wins;     // by the month of the close; what a win is: trade/win_rate.hpp
};

struct Report {
  std::string profile, title;
  std::uint64_t seed = 0;
  SourceReport source;
  Progress progress;
  std::vector<TargetLine> targets;
  std::int64_t streams = 0, points = 0, gap_count = 0;
  double longest_gap_s = 0;
  std::vector<StreamLine> stream_lines;  // by id
  std::vector<Gap> longest_gaps;         // at most kGaps, the longest first
  std::vector<std::string> instruments;  // names by id
  std::vector<TrainingLine> trainings;   // in order
  std::vector<ModelEntry> models;
  std::vector<Reign> reigns;            // in order
  std::vector<ChampionLine> champions;  // of each target that has one
  std::map<std::string, std::vector<std::pair<std::string, double>>>
      importance;  // target -> columns by gain, of the champion
  std::vector<LiveScore> live;
  Paper paper;
  std::vector<Store::Note> notes;
  std::vector<DatasetStats> datasets;
  std::uint64_t bytes_on_disk = 0;
  std::vector<std::string> limits;  // what the data cannot tell
  StatedSkill stated;               // what somebody else says of the skill

  static constexpr std::size_t kGaps = 200;
};

/// Errors: NotFound: no run there. Config: the directory belongs to other targets than the profile's. Those of Store.
Result<Report> make_report(const std::string& data_directory, const Config& config);
/// The document of `--json`: times as ISO 8601 in UTC, NaN as null.
std::string report_json(const Report& report);
/// For a person at a terminal.
std::string report_text(const Report& report);
/// One self-contained page: inline SVG, no script, no other file.
std::string report_html(const Report& report);

}  // namespace everlearn
