#include "app/report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "app/report/live_scorer.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "learn/metrics.hpp"
#include "registry/bundle.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kLabelsAtOnce = 1'000'000;  // how many the join of labels and predictions holds in memory
// How long a run must be to be scored by month, by year; a shorter one is scored by day.
constexpr Duration kMonthsFrom = Duration::days(92), kYearsFrom = Duration::days(730);

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    if (end > from) lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

Result<SourceReport> read_source(const std::string& text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  SourceReport source;
  in.get("inputs", source.inputs);
  in.get("time_unit", source.time_unit);
  in.get("rows", source.rows);
  in.get("refused", source.refused);
  EL_CHECK(in.finish("source report"));
  return source;
}

std::string horizon_text(const LabelSpec& label) {
  if (label.sessions > 0) return some(label.sessions, "session");
  if (label.bars > 0) return some(label.bars, "bar");
  return label.horizon.text();
}

TargetLine describe(const TargetProfile& target) {
  TargetLine line{.name = target.name, .what = {}, .acts = target.acts};
  const std::string over = horizon_text(target.label);
  switch (target.label.kind) {
    case LabelKind::ForwardReturn: {
      const bool points = target.label.unit == ReturnUnit::Points;
      line.what = fmt::format("{} over {}", points ? "change of the price" : "return", over);
      line.percent = !points;
      break;
    }
    case LabelKind::RealisedVolatility:
      line.what = fmt::format("volatility over {}, per step", over);
      line.percent = true;
      break;
    case LabelKind::OutcomeAfterBars:
      line.what = "up or not after " + over;
      break;
    case LabelKind::Direction2:
      line.what = "down or up over " + over;
      break;
    case LabelKind::Direction3:
      line.what = "down, flat or up over " + over;
      break;
    case LabelKind::TripleBarrier:
      line.what = fmt::format("first of profit, loss and {}", over);
      break;
    case LabelKind::Column:
      line.what = target.label.is_class() ? fmt::format("class of the row, known after {}", over)
                                          : fmt::format("value of the row, known after {}", over);
      break;
  }
  return line;
}

Result<TrainingLine> training_line(const VerdictRow& row, const std::vector<TargetLine>& targets) {
  if (row.target >= targets.size())
    return fail(Code::Damaged,
                fmt::format("verdict {} is of target {}, the profile has {}", row.id, row.target, targets.size()));
  TrainingLine line{.target = targets[row.target].name,
                    .model = row.bundle,
                    .reason = row.reason,
                    .verdict = row.outcome,
                    .champion_before = row.champion_before,
                    .why = {},
                    .as_of = row.as_of};
  EL_TRY(JsonIn in, JsonIn::parse(row.json));
  in.get("seconds", line.seconds);
  const std::string verdict_json = in.json("verdict"), result_json = in.json("result");
  EL_CHECK(in.finish(fmt::format("verdict {}", row.id)));
  EL_TRY(Verdict verdict, Verdict::from_json(verdict_json));
  line.why = verdict.reason;
  line.checks = std::move(verdict.checks);
  line.reliability_before = std::move(verdict.reliability_before);
  line.reliability_after = std::move(verdict.reliability_after);
  line.holdout_rows = verdict.rows;
  line.holdout_effective = verdict.effective;
  line.holdout_used_before = verdict.rows_used_before;
  if (verdict.rows > 0) {
    line.holdout_first = verdict.holdout_first;
    line.holdout_last = verdict.holdout_last;
  }
  if (result_json != "null") {
    EL_TRY(const TrainResult result, TrainResult::from_json(result_json));
    line.rows = result.rows_fit;
    line.effective = result.effective;
  }
  return line;
}

// The audit journal knows every change of office; the registry only the last one of a model.
std::vector<Reign> reigns_of(const std::vector<Store::Note>& notes) {
  std::vector<Reign> reigns;
  for (const Store::Note& note : notes) {
    if (note.kind != "promoted" && note.kind != "promoted by hand" && note.kind != "rolled back by hand") continue;
    const std::size_t colon = note.text.find(": ");
    if (colon == std::string::npos) continue;
    Reign reign{note.text.substr(0, colon), note.text.substr(colon + 2), note.at, {}, {}, note.kind};
    for (auto before = reigns.rbegin(); before != reigns.rend(); ++before) {
      if (before->target != reign.target) continue;
      before->to = reign.from;
      break;
    }
    reigns.push_back(std::move(reign));
  }
  return reigns;
}

// Labels of a stretch of time are held, predictions pass by.
Result<std::vector<LiveScore>> score_live(const Store& store, const Profile& profile,
                                          const std::vector<DatasetStats>& datasets) {
  std::optional<Timestamp> first, last;
  std::int64_t labels = 0;
  for (const DatasetStats& stats : datasets) {
    if (stats.dataset == Dataset::Labels) labels = stats.hot_rows + stats.sealed_rows;
    if (stats.dataset != Dataset::Predictions) continue;
    first = stats.first_event;
    last = stats.last_event;
  }
  if (!first || !last) return std::vector<LiveScore>{};
  const Duration span = *last - *first;
  const Period period = span < kMonthsFrom ? Period::Day : span < kYearsFrom ? Period::Month : Period::Year;
  std::vector<LiveScorer> scorers;
  for (const TargetProfile& target : profile.targets) scorers.emplace_back(target, profile.tick_size, period);

  using Key = std::tuple<std::int64_t, std::uint32_t, std::uint16_t>;
  std::vector<std::pair<Key, double>> known;
  const std::int64_t stretches = labels / kLabelsAtOnce + 1;
  const Duration stretch{(*last - *first).us() / stretches + 1};
  for (std::int64_t i = 0; i < stretches; ++i) {
    const TimeRange range{*first + stretch * i, *first + stretch * (i + 1)};
    known.clear();
    EL_CHECK(store.scan_labels(range, [&](const LabelRow& row) {
      if (row.known) known.emplace_back(Key{row.event_time.us(), index(row.instrument), row.target}, row.value);
      return true;
    }));
    std::sort(known.begin(), known.end());
    EL_CHECK(store.scan_predictions(range, [&](const PredictionRow& row) {
      if (row.bundle.empty() || !row.served || row.target >= scorers.size()) return true;
      const Key key{row.event_time.us(), index(row.instrument), row.target};
      const auto found = std::lower_bound(known.begin(), known.end(), key,
                                          [](const auto& entry, const Key& wanted) { return entry.first < wanted; });
      if (found != known.end() && found->first == key) scorers[row.target].add(row, found->second);
      return true;
    }));
  }
  std::vector<LiveScore> live;
  for (const LiveScorer& scorer : scorers) live.push_back(scorer.result());
  return live;
}

// Every fill of a position carries the intent that opened it.
std::optional<RoundTrip> best_round_trip(const std::vector<FillRow>& fills, const std::vector<std::string>& names) {
  struct Sum {
    double quantity = 0, traded = 0, pnl = 0;
  };
  std::map<std::int64_t, Sum> positions;
  std::optional<RoundTrip> best;
  for (const FillRow& fill : fills) {
    Sum& sum = positions[fill.intent];
    sum.quantity += fill.quantity;
    sum.traded += std::abs(fill.quantity);
    sum.pnl -= fill.quantity * fill.price.value() + fill.cost;
    const bool closed = std::abs(sum.quantity) <= 1e-9 * sum.traded;
    if (!closed || (best && sum.pnl <= best->pnl)) continue;
    const std::size_t id = index(fill.instrument);
    best = RoundTrip{id < names.size() ? names[id] : fmt::format("#{}", id), fill.event_time, sum.pnl};
  }
  return best;
}

Paper paper_of(const Profile& profile, const Progress& progress, std::vector<EquityRow> equity,
               const std::vector<FillRow>& fills) {
  Paper paper;
  paper.capital = profile.paper.limits.capital;
  paper.cost_bps = profile.paper.cost_bps;
  paper.half_spread_bps = profile.paper.half_spread_bps;
  paper.days_per_year = profile.calendar == "24/7" ? 365 : 252;
  paper.sharpe = paper.sharpe_se = kNaN;
  paper.round_trips = progress.round_trips;
  paper.costs = progress.costs;
  paper.committed = progress.committed;
  paper.locked = progress.locked;
  paper.wins = progress.wins;
  paper.baseline_wins = progress.baseline_wins;
  // Before the first cycle there is no account to speak of.
  if (progress.cycles > 0) {
    paper.pnl = progress.equity - paper.capital;
    paper.baseline_pnl = progress.baseline_equity - paper.capital;
  }
  if (!fills.empty()) {
    const Timestamp first = std::min_element(fills.begin(), fills.end(), [](const FillRow& a, const FillRow& b) {
                              return a.event_time < b.event_time;
                            })->event_time;
    paper.first_trade = first;
    std::vector<double> daily;
    Drawdown drawdown;
    drawdown.add(paper.capital);
    double before = paper.capital;
    for (const EquityRow& row : equity) {
      drawdown.add(row.equity);
      if (row.event_time >= first) daily.push_back(row.equity - before);
      before = row.equity;
    }
    const Sharpe figures = sharpe(daily, paper.days_per_year, paper.round_trips);
    paper.days = figures.days;
    if (!figures.insufficient()) {
      paper.sharpe = figures.value;
      paper.sharpe_se = figures.standard_error;
    }
    if (paper.capital > 0) paper.max_drawdown = drawdown.amount() / paper.capital;
  }
  paper.equity = std::move(equity);
  return paper;
}

void take_coverage(const Coverage& coverage, Report& report) {
  report.streams = static_cast<std::int64_t>(coverage.streams().size());
  report.points = coverage.points();
  report.gap_count = static_cast<std::int64_t>(coverage.gaps().size());
  report.longest_gap_s = coverage.longest_gap().as_seconds();
  for (const StreamCoverage& stream : coverage.streams()) {
    const std::size_t id = index(stream.instrument);
    report.stream_lines.push_back(
        {.name = id < report.instruments.size() ? report.instruments[id] : fmt::format("#{}", id),
         .first = stream.first,
         .last = stream.last,
         .points = stream.count});
  }
  report.longest_gaps = coverage.gaps();
  for (const Gap& gap : report.longest_gaps)
    if (index(gap.instrument) < report.stream_lines.size()) ++report.stream_lines[index(gap.instrument)].gaps;
  std::stable_sort(report.longest_gaps.begin(), report.longest_gaps.end(),
                   [](const Gap& a, const Gap& b) { return a.end - a.start > b.end - b.start; });
  if (report.longest_gaps.size() > Report::kGaps) report.longest_gaps.resize(Report::kGaps);
}

// Empty where there is none: a report is of use without it.
Result<std::optional<Card>> read_card(Fs& fs, const std::string& data_directory, const std::string& id) {
  const std::string path = fmt::format("{}/models/{}/card.json", data_directory, id);
  if (!fs.exists(path)) return std::optional<Card>{};
  EL_TRY(const std::string text, read_file(fs, path, 64 << 20));
  EL_TRY(Card card, Card::from_json(text));
  return std::optional{std::move(card)};
}

// A model acts until it is replaced or too old, whichever comes first.
Result<void> mark_expired(Fs& fs, const std::string& data_directory, Report& report) {
  const Timestamp now = report.progress.last_cycle.value_or(Timestamp::min());
  for (Reign& reign : report.reigns) {
    EL_TRY(const auto card, read_card(fs, data_directory, reign.model));
    if (card && card->expires_at < reign.to.value_or(now)) reign.expired = std::max(card->expires_at, reign.from);
  }
  return {};
}

Result<void> take_models(Fs& fs, const std::string& data_directory, const Registry& registry, Report& report) {
  report.models = registry.entries();
  for (const TargetLine& target : report.targets) {
    const auto id = registry.champion(target.name);
    if (!id) continue;
    const ModelEntry* entry = registry.find(*id);
    EL_TRY(const auto card, read_card(fs, data_directory, *id));
    if (entry == nullptr || !card) continue;
    ChampionLine line{.target = target.name,
                      .model = *id,
                      .since = entry->promoted_at.value_or(card->trained_at),
                      .learned_until = card->seen_until,
                      .expired = {},
                      .trees = card->trees,
                      .blend_weight = card->blend_weight};
    if (card->expires_at < report.progress.last_cycle.value_or(Timestamp::min())) line.expired = card->expires_at;
    report.champions.push_back(std::move(line));
    auto& columns = report.importance[target.name];
    columns.assign(card->gain.begin(), card->gain.end());
    std::stable_sort(columns.begin(), columns.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  }
  return {};
}

}  // namespace

Result<Report> make_report(const std::string& data_directory, const Config& config) {
  const Profile& profile = config.profile;
  SystemFs fs;
  SystemProc proc;
  ManualClock clock;
  Rng rng = Rng::named(profile.seed, "report");
  StoreOptions options = profile.store;
  options.read_only = true;
  EL_TRY(const auto store, Store::open(World{clock, rng, fs, proc}, data_directory, options));

  Report report;
  report.profile = profile.name;
  report.title = profile.title;
  report.seed = profile.seed;
  report.limits = profile.source_limits;
  report.stated = profile.stated;
  std::string targets;
  for (const TargetProfile& target : profile.targets) {
    report.targets.push_back(describe(target));
    targets += (targets.empty() ? "" : "\n") + target.name;
  }
  EL_TRY(const auto kept_targets, store->state("targets"));
  if (kept_targets && lines_of(*kept_targets) != lines_of(targets))
    return fail(Code::Config, fmt::format("{} was made with the targets {}, profile {} has {}", data_directory,
                                          fmt::join(lines_of(*kept_targets), ", "), profile.name,
                                          fmt::join(lines_of(targets), ", ")));
  EL_TRY(const auto progress, store->state("progress"));
  if (!progress) return fail(Code::NotFound, fmt::format("no run in {}: nothing was committed yet", data_directory));
  EL_TRY(report.progress, Progress::from_json(*progress));
  EL_TRY(const auto source, store->state("source"));
  if (source) {
    EL_TRY(report.source, read_source(*source));
  }
  EL_TRY(const auto instruments, store->state("instruments"));
  if (instruments) report.instruments = lines_of(*instruments);
  take_coverage(store->coverage(), report);

  EL_TRY(const auto verdicts, store->verdicts());
  for (const VerdictRow& row : verdicts) {
    EL_TRY(TrainingLine line, training_line(row, report.targets));
    report.trainings.push_back(std::move(line));
  }
  EL_TRY(report.notes, store->notes());
  report.reigns = reigns_of(report.notes);
  EL_CHECK(mark_expired(fs, data_directory, report));
  EL_TRY(const auto registry_text, store->state("registry"));
  if (registry_text) {
    EL_TRY(const Registry registry, Registry::from_json(*registry_text));
    EL_CHECK(take_models(fs, data_directory, registry, report));
  }
  EL_TRY(report.datasets, store->stats());
  report.bytes_on_disk = store->bytes_on_disk();
  EL_TRY(report.live, score_live(*store, profile, report.datasets));
  EL_TRY(auto equity, store->equity());
  EL_TRY(const auto fills, store->fills());
  report.paper = paper_of(profile, report.progress, std::move(equity), fills);
  report.paper.best = best_round_trip(fills, report.instruments);
  return report;
}

}  // namespace everlearn
