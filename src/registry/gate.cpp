#include "registry/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "core/quoted.hpp"
#include "learn/conformal_coverage.hpp"
#include "learn/metrics.hpp"
#include "learn/reliability.hpp"
#include "registry/block_bootstrap.hpp"
#include "registry/holdout_strategy.hpp"

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kMajorityLead = 0.01;  // a direction must beat a constant guess by this
constexpr int kMaxDraws = 1'000'000;
constexpr std::string_view kRecent = "accuracy_recent_";

using Said = std::vector<double>;
using Speaker = std::function<const Said&(const HoldoutRow&)>;
/// The loss of one row; empty where the speaker is missing.
using Loss = std::function<std::optional<double>(const HoldoutRow&)>;

const Said& candidate_of(const HoldoutRow& row) { return row.candidate; }
const Said& champion_of(const HoldoutRow& row) { return row.champion; }
const Said& baseline_of(const HoldoutRow& row) { return row.baseline; }
const Said& uncalibrated_of(const HoldoutRow& row) { return row.candidate_uncalibrated; }

/// The n of "accuracy_recent_<n>"; empty for another name.
std::optional<std::int64_t> recent_rows(std::string_view name) {
  if (!name.starts_with(kRecent)) return std::nullopt;
  const std::string_view digits = name.substr(kRecent.size());
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (error != std::errc{} || end != digits.data() + digits.size() || n < 1) return std::nullopt;
  return n;
}

Result<void> check_rules(const GateRules& rules) {
  const auto refuse = [](std::string why) { return fail(Code::Config, "gate: " + std::move(why)); };
  if (rules.draws < 1 || rules.draws > kMaxDraws)
    return refuse(fmt::format("{} bootstrap draws are not in 1..{}", rules.draws, kMaxDraws));
  if (rules.block <= Duration{}) return refuse(fmt::format("block {} is not above 0", rules.block.text()));
  if (!(rules.margin >= 0 && std::isfinite(rules.margin)))
    return refuse(fmt::format("margin {} is not at least 0", rules.margin));
  if (rules.task == Task::Binary && rules.classes != 2)
    return refuse(fmt::format("{} classes in a binary task", rules.classes));
  if (rules.task == Task::Multiclass && rules.classes < 3)
    return refuse(fmt::format("{} classes in a multiclass task", rules.classes));
  const bool regression = rules.task == Task::Regression;
  // "Up" and "down" are the last class and the first; between more than three nothing is said about direction.
  const bool directional = rules.directional && (regression || rules.classes <= 3);
  const auto is_one_of = [](std::string_view name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
  };
  for (const Requirement& required : rules.require) {
    const std::string_view name = required.name;
    const bool fits =
        // Of a class the sign of the move is known, not what following it would have earned.
        is_one_of(name, {"sharpe", "sharpe_ratio"}) ? directional && regression
        : name == "direction_accuracy"              ? directional
        : regression ? is_one_of(name, {"r2", "r2_no_change", "r2_baseline", "rmse_ratio"})
                     : is_one_of(name, {"accuracy", "log_loss_gain", "brier_gain"}) || recent_rows(name).has_value();
    if (!fits) return refuse(fmt::format("requirement {} does not fit this target", quoted(name)));
    if (!std::isfinite(required.at_least))
      return refuse(fmt::format("requirement {} of {} is not finite", quoted(name), required.at_least));
  }
  return {};
}

/// One review: reads the rows, lists the checks, draws the conclusion.
class Review {
 public:
  Review(const GateRules& rules, const std::vector<HoldoutRow>& rows)
      : rules_{rules},
        rows_{rows},
        regression_{rules.task == Task::Regression},
        directional_{rules.directional && (regression_ || rules.classes <= 3)},
        has_champion_{!rows.empty() && !rows.front().champion.empty()},
        has_uncalibrated_{!rows.empty() && !rows.front().candidate_uncalibrated.empty()} {}

  Result<Verdict> run() {
    EL_CHECK(check_rows());
    verdict_.rows = std::ssize(rows_);
    EffectiveCount effective;
    for (const HoldoutRow& row : rows_) effective.add(row.instrument, row.event_time, row.label_end);
    verdict_.effective = effective.value();
    if (rows_.empty()) {
      verdict_.outcome = Outcome::Insufficient;
      verdict_.reason = "no unseen rows";
      return std::move(verdict_);
    }
    verdict_.holdout_first = rows_.front().event_time;
    verdict_.holdout_last = rows_.back().event_time;
    check_amount();
    check_sanity();
    score_fit();
    if (!regression_) score_calibration();
    score_direction();
    for (const Requirement& required : rules_.require) require(required);
    check_shares();
    compare_all();
    conclude();
    return std::move(verdict_);
  }

 private:
  std::size_t width() const { return regression_ ? 1 : static_cast<std::size_t>(rules_.classes); }

  Result<void> check_rows() const {
    const auto refuse = [](const HoldoutRow& row, const std::string& why) {
      return fail(Code::BadData, fmt::format("hold-out row of instrument {} at {}: {}", index(row.instrument),
                                             row.event_time.iso(), why));
    };
    const HoldoutRow* before = nullptr;
    for (const HoldoutRow& row : rows_) {
      if (before != nullptr && std::tuple{before->event_time, index(before->instrument)} >=
                                   std::tuple{row.event_time, index(row.instrument)})
        return refuse(row, "not after the row before");
      before = &row;
      if (row.label_end < row.event_time) return refuse(row, "label ends before it begins");
      const bool known =
          regression_ ? std::isfinite(row.outcome)
                      : row.outcome >= 0 && row.outcome < rules_.classes && row.outcome == std::floor(row.outcome);
      if (!known) return refuse(row, fmt::format("outcome {} is none of this target", row.outcome));
      for (const Said* said : {&row.baseline, &row.candidate, &row.champion}) {
        if (said == &row.champion && said->empty() == has_champion_) return refuse(row, "a champion on some rows only");
        if (said->empty() && said == &row.champion) continue;
        if (said->size() != width()) return refuse(row, fmt::format("{} values, not {}", said->size(), width()));
      }
      const std::size_t uncalibrated = row.candidate_uncalibrated.size();
      if (uncalibrated != (has_uncalibrated_ ? width() : 0))
        return refuse(
            row, fmt::format("{} values before calibration, not {}", uncalibrated, has_uncalibrated_ ? width() : 0));
    }
    return {};
  }

  /// Finite, and for classes a distribution.
  bool is_valid(const Said& said) const {
    if (!std::ranges::all_of(said, [](double x) { return std::isfinite(x); })) return false;
    if (regression_) return true;
    double sum = 0;
    for (const double p : said) {
      if (p < 0 || p > 1) return false;
      sum += p;
    }
    return std::abs(sum - 1) <= 1e-6;
  }

  /// Loss of what someone said about a row.
  double loss_of(const HoldoutRow& row, const Said& said) const {
    if (!regression_) return log_loss_of(said[static_cast<std::size_t>(row.outcome)]);
    return (row.outcome - said[0]) * (row.outcome - said[0]);
  }
  Loss loss_of(const Speaker& speaker) const {
    return [this, speaker](const HoldoutRow& row) -> std::optional<double> {
      const Said& said = speaker(row);
      if (!is_valid(said)) return std::nullopt;
      return loss_of(row, said);
    };
  }

  void add(std::string name, double measured, double required, bool passed, std::string note) {
    verdict_.checks.push_back({std::move(name), measured, required, passed, std::move(note)});
  }
  void inform(std::string name, double measured, std::string note = {}) {
    add(std::move(name), measured, kUnknown, true, std::move(note));
  }
  void at_least(std::string name, double measured, double required, std::string note = {}) {
    add(std::move(name), measured, required, measured >= required, std::move(note));
  }
  void above(std::string name, double measured, double required, std::string note = {}) {
    add(std::move(name), measured, required, measured > required, std::move(note));
  }
  void at_most(std::string name, double measured, double required, std::string note = {}) {
    add(std::move(name), measured, required, measured <= required, std::move(note));
  }

  std::int64_t block_of(const HoldoutRow& row) const {
    return (row.event_time - rows_.front().event_time) / rules_.block;
  }

  void check_amount() {
    at_least("effective", static_cast<double>(verdict_.effective), static_cast<double>(rules_.min_effective),
             fmt::format("{} rows", rows_.size()));
    std::int64_t blocks = 0, last = -1;
    for (const HoldoutRow& row : rows_) {
      if (block_of(row) == last) continue;
      last = block_of(row);
      ++blocks;
    }
    at_least("blocks", static_cast<double>(blocks), rules_.min_blocks,
             fmt::format("of {} with rows", rules_.block.text()));
    enough_ = verdict_.checks[0].passed && verdict_.checks[1].passed;
  }

  void check_sanity() {
    std::int64_t invalid = 0, outside = 0;
    const Said* first = nullptr;
    std::vector<CompensatedSum> sum(width()), squares(width());
    for (const HoldoutRow& row : rows_) {
      const Said& said = row.candidate;
      if (!is_valid(said)) {
        ++invalid;
        continue;
      }
      // About the first prediction: of equal ones every difference is exactly 0.
      if (first == nullptr) first = &said;
      for (std::size_t i = 0; i < said.size(); ++i) {
        const double x = said[i] - (*first)[i];
        sum[i].add(x);
        squares[i].add(x * x);
      }
      // What acts is a blend, so a row's own baseline may carry it beyond the labels without the model being wild.
      const double base = std::isfinite(row.baseline[0]) ? row.baseline[0] : said[0];
      if (said[0] < std::min(rules_.label_min, base) || said[0] > std::max(rules_.label_max, base)) ++outside;
    }
    const double n = static_cast<double>(std::ssize(rows_) - invalid);
    double deviation = n > 0 ? 0 : kUnknown;
    for (std::size_t i = 0; i < width() && n > 0; ++i) {
      const double mean = sum[i].value() / n;
      deviation = std::max(deviation, std::sqrt(std::max(0.0, squares[i].value() / n - mean * mean)));
    }
    at_most("finite", static_cast<double>(invalid), 0, "rows without a usable prediction");
    above("not_constant", deviation, 0, "standard deviation of the predictions");
    if (regression_ && rules_.label_min < rules_.label_max)
      at_most("inside_label_range", static_cast<double>(outside), 0,
              fmt::format("rows outside {:.6g} to {:.6g}, the trained labels, and their baseline", rules_.label_min,
                          rules_.label_max));
  }

  RegressionScore fit_of(const Speaker& speaker, const std::function<double(const HoldoutRow&)>& reference) const {
    RegressionScore score;
    for (const HoldoutRow& row : rows_) score.add(row.outcome, speaker(row)[0], reference(row));
    return score;
  }
  ClassScore class_fit_of(const Speaker& speaker, std::size_t from = 0) const {
    ClassScore score{rules_.classes};
    for (std::size_t i = from; i < rows_.size(); ++i)
      if (is_valid(speaker(rows_[i]))) score.add(rows_[i].outcome, speaker(rows_[i]));
    return score;
  }

  /// "champion 0.031, baseline 0.012": the same figure of the others.
  std::string others(const std::function<double(const Speaker&)>& figure) const {
    std::string text;
    if (has_champion_) text = fmt::format("champion {:.4g}, ", figure(champion_of));
    return text + fmt::format("baseline {:.4g}", figure(baseline_of));
  }

  double required_of(std::string_view name) const {
    const auto found = std::ranges::find(rules_.require, name, &Requirement::name);
    return found == rules_.require.end() ? kUnknown : found->at_least;
  }

  void score_fit() {
    if (!regression_) {
      inform("log_loss", class_fit_of(candidate_of).log_loss(),
             others([this](const Speaker& speaker) { return class_fit_of(speaker).log_loss(); }));
      if (std::isnan(required_of("accuracy")))
        inform("accuracy", class_fit_of(candidate_of).accuracy(),
               others([this](const Speaker& speaker) { return class_fit_of(speaker).accuracy(); }));
      inform("majority_class", class_fit_of(candidate_of).majority_share(), "what always saying one class gets");
      return;
    }
    const auto no_change = [](const HoldoutRow& row) { return row.no_change; };
    const auto r2 = [&](const Speaker& speaker) { return fit_of(speaker, no_change).r2(); };
    const auto r2_no_change = [&](const Speaker& speaker) { return fit_of(speaker, no_change).r2_against(); };
    if (std::isnan(required_of("r2"))) inform("r2", r2(candidate_of), others(r2));
    const double asked = required_of("r2_no_change");
    if (asked > 0)
      at_least("r2_no_change", r2_no_change(candidate_of), asked, others(r2_no_change));
    else
      above("r2_no_change", r2_no_change(candidate_of), 0, others(r2_no_change));
  }

  ReliabilityScore reliability_of(const Speaker& speaker) const {
    ReliabilityScore score{rules_.classes};
    for (const HoldoutRow& row : rows_)
      if (is_valid(speaker(row))) score.add(row.outcome, speaker(row));
    return score;
  }

  /// Do its probabilities mean what they say, before and after calibration, and do its sets hold what they promise?
  /// Informs; a candidate is judged by its losses.
  void score_calibration() {
    const auto tell = [&](const Speaker& speaker, const std::string& when) {
      const ReliabilityScore score = reliability_of(speaker);
      const Reliability reliability = score.reliability();
      inform("ece_" + when, reliability.ece(),
             fmt::format("{} bins of the likeliest class's probability, {} rows", Reliability::kBins, reliability.n()));
      inform("class_ece_" + when, score.class_ece(), "of each class's probability, averaged");
      return reliability;
    };
    if (has_uncalibrated_) {
      inform("log_loss_before", class_fit_of(uncalibrated_of).log_loss(), "without its calibrator, blended alike");
      verdict_.reliability_before = tell(uncalibrated_of, "before");
    }
    verdict_.reliability_after = tell(candidate_of, "after");
    SetCount sets;
    for (const HoldoutRow& row : rows_) sets.add(row.set, row.outcome);
    if (sets.n == 0) return;
    inform("conformal_coverage", sets.coverage(),
           fmt::format("{} rows, standard error {:.4f} were they independent; {:.2f} classes a set", sets.n,
                       sets.standard_error(), sets.mean_size()));
    inform("conformal_single_share", sets.single_share(),
           fmt::format("sets of one class; of these {:.4f} are right", sets.single_accuracy()));
  }

  void score_direction() {
    if (!directional_) return;
    const auto direction_of = [this](const Speaker& speaker) {
      DirectionScore score{rules_.half_tick};
      for (const HoldoutRow& row : rows_)
        score.add(row.move, regression_ ? speaker(row)[0] : promise(rules_, row, speaker(row)));
      return score;
    };
    const DirectionScore score = direction_of(candidate_of);
    const double required = required_of("direction_accuracy");
    const std::string note = fmt::format("{} moves, majority {:.4f}; ", score.n(), score.majority_share()) +
                             others([&](const Speaker& speaker) { return direction_of(speaker).accuracy(); });
    if (std::isnan(required))
      inform("direction_accuracy", score.accuracy(), note);
    else
      at_least("direction_accuracy", score.accuracy(), std::max(required, score.majority_share() + kMajorityLead),
               note);
    inform("majority_direction", score.majority_share());
    inform("zero_share", score.zero_share(), "moves under half a tick");
  }

  void require(const Requirement& required) {
    const std::string& name = required.name;
    if (name == "direction_accuracy" || name == "r2_no_change") return;  // with their companions above
    if (name == "sharpe" || name == "sharpe_ratio") return require_sharpe(required);
    const auto figure = [&](const Speaker& speaker) { return figure_of(name, speaker); };
    at_least(name, figure(candidate_of), required.at_least, others(figure));
  }

  double figure_of(const std::string& name, const Speaker& speaker) const {
    if (regression_) {
      const RegressionScore score = fit_of(speaker, [](const HoldoutRow& row) { return row.baseline[0]; });
      if (name == "r2") return score.r2();
      // The baseline's root mean square error over the rows that have one, and the speaker's over the same.
      if (name == "rmse_ratio") return 1 / std::sqrt(1 - score.r2_against());
      return score.r2_against();
    }
    if (name == "accuracy") return class_fit_of(speaker).accuracy();
    if (const auto recent = recent_rows(name))
      return class_fit_of(speaker, static_cast<std::size_t>(std::max<std::int64_t>(0, std::ssize(rows_) - *recent)))
          .accuracy();
    // Gains are over the rows on which both spoke.
    ClassScore own{rules_.classes}, base{rules_.classes};
    for (const HoldoutRow& row : rows_) {
      if (!is_valid(speaker(row)) || !is_valid(row.baseline)) continue;
      own.add(row.outcome, speaker(row));
      base.add(row.outcome, row.baseline);
    }
    if (name == "log_loss_gain") return 1 - own.log_loss() / base.log_loss();
    return 1 - own.brier() / base.brier();
  }

  void require_sharpe(const Requirement& required) {
    const Sharpe own = holdout_sharpe(rules_, rows_, candidate_of);
    const std::string amount = fmt::format("{} days, {} trades", own.days, own.trades);
    if (required.name == "sharpe_ratio") {
      const Sharpe champion = has_champion_ ? holdout_sharpe(rules_, rows_, champion_of) : Sharpe{};
      if (!(champion.value > 0))
        inform(required.name, kUnknown, "no champion with a Sharpe ratio above 0 to compare with");
      else if (own.insufficient() || champion.insufficient())
        add(required.name, kUnknown, required.at_least, false, "insufficient: " + amount);
      else
        at_least(required.name, own.value / champion.value, required.at_least,
                 fmt::format("{}, candidate {:.3f}, champion {:.3f}", amount, own.value, champion.value));
      return;
    }
    if (own.insufficient())
      add("sharpe", kUnknown, required.at_least, false,
          fmt::format("insufficient: {} of {} days, {} of {} trades, so far {:.3f}", own.days, Sharpe::kMinDays,
                      own.trades, Sharpe::kMinTrades, own.value));
    else
      at_least("sharpe", own.value, required.at_least,
               fmt::format("{}, standard error {:.3f}", amount, own.standard_error));
  }

  /// What a single instrument saves against the baseline, of all that the instruments that improve save together.
  void check_shares() {
    std::map<InstrumentId, CompensatedSum> saved;
    for (const HoldoutRow& row : rows_) {
      CompensatedSum& sum = saved[row.instrument];
      if (is_valid(row.candidate) && is_valid(row.baseline))
        sum.add(loss_of(row, row.baseline) - loss_of(row, row.candidate));
    }
    CompensatedSum total;
    double most = 0;
    InstrumentId who{};
    for (const auto& [instrument, sum] : saved) {
      if (!(sum.value() > 0)) continue;
      total.add(sum.value());
      if (sum.value() <= most) continue;
      most = sum.value();
      who = instrument;
    }
    const auto instruments = static_cast<double>(saved.size());
    const double limit = std::max(rules_.max_gain_share, 2 / instruments);
    if (total.value() > 0)
      at_most("gain_share", most / total.value(), limit,
              fmt::format("instrument {}, of {} instruments", index(who), saved.size()));
    else
      inform("gain_share", kUnknown, "no instrument gains over the baseline");
  }

  void compare_all() {
    if (has_champion_) {
      compare("champion", loss_of(champion_of));
      inform_gain("baseline", loss_of(baseline_of));
      return;
    }
    compare("baseline", loss_of(baseline_of));
    if (regression_)
      compare("no_change", [](const HoldoutRow& row) -> std::optional<double> {
        if (!std::isfinite(row.no_change)) return std::nullopt;
        return (row.outcome - row.no_change) * (row.outcome - row.no_change);
      });
  }

  struct Paired {
    std::vector<Block> blocks;
    double own_loss = kUnknown, reference_loss = kUnknown;  // means
    std::int64_t rows = 0;
    /// Of the reference's mean loss.
    double share(double difference) const {
      if (reference_loss > 0 || std::isnan(difference) || difference == 0)
        return difference == 0 ? 0 : difference / reference_loss;
      return difference > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    }
  };

  Paired pair_with(const Loss& reference) const {
    Paired paired;
    CompensatedSum own_sum, reference_sum;
    std::int64_t last = -1;
    const Loss own = loss_of(candidate_of);
    for (const HoldoutRow& row : rows_) {
      const auto a = own(row), b = reference(row);
      if (!a || !b) continue;
      if (block_of(row) != last) paired.blocks.emplace_back();
      last = block_of(row);
      paired.blocks.back().sum += *b - *a;
      paired.blocks.back().rows += 1;
      own_sum.add(*a);
      reference_sum.add(*b);
      ++paired.rows;
    }
    if (paired.rows > 0) {
      paired.own_loss = own_sum.value() / static_cast<double>(paired.rows);
      paired.reference_loss = reference_sum.value() / static_cast<double>(paired.rows);
    }
    return paired;
  }

  void inform_gain(const std::string& whom, const Loss& reference) {
    const Paired paired = pair_with(reference);
    inform("gain_over_" + whom, paired.share(mean_of(paired.blocks)), loss_note(whom, paired));
  }

  static std::string loss_note(const std::string& whom, const Paired& paired) {
    return fmt::format("mean loss {:.6g}, {} {:.6g}, {} rows", paired.own_loss, whom, paired.reference_loss,
                       paired.rows);
  }

  void compare(const std::string& whom, const Loss& reference) {
    const Paired paired = pair_with(reference);
    const Interval interval = block_bootstrap(paired.blocks, rules_.draws, Rng::named(rules_.seed, "gate"));
    const double gain = paired.share(mean_of(paired.blocks));
    const double low = paired.share(interval.low), high = paired.share(interval.high);
    const std::string name = "gain_over_" + whom;
    const std::string note =
        fmt::format("{} draws of {} blocks of {}", rules_.draws, paired.blocks.size(), rules_.block.text());
    if (rules_.comparison == Comparison::Better)
      above(name, gain, 0, loss_note(whom, paired));
    else
      inform(name, gain, loss_note(whom, paired));
    above(name + "_p05", low, rules_.comparison == Comparison::Superior ? 0.0 : 0.0 - rules_.margin, note);
    inform(name + "_p95", high, note);
    gains_.push_back(fmt::format("{:.3g} % less loss than the {} (5 % quantile {:.3g} %)", 100 * gain,
                                 whom == "no_change" ? "\"no change\"" : whom, 100 * low));
  }

  void conclude() {
    // The first two checks ask whether there is enough to judge by; they do not speak about the candidate.
    std::vector<std::string> failed, unknown;
    for (std::size_t i = 2; i < verdict_.checks.size(); ++i) {
      const Check& check = verdict_.checks[i];
      if (check.passed) continue;
      if (std::isnan(check.measured))
        unknown.push_back(fmt::format("{} not measurable ({})", check.name, check.note));
      else
        failed.push_back(fmt::format("{} {:.4g} (required {:.4g})", check.name, check.measured, check.required));
    }
    const auto list = [](const std::vector<std::string>& items) { return fmt::format("{}", fmt::join(items, ", ")); };
    if (!enough_) {
      verdict_.outcome = Outcome::Insufficient;
      verdict_.reason = fmt::format("too little to judge by: {} of {} effective samples, {:.0f} of {} blocks of {}",
                                    verdict_.effective, rules_.min_effective, verdict_.checks[1].measured,
                                    rules_.min_blocks, rules_.block.text());
    } else if (!failed.empty()) {
      verdict_.outcome = Outcome::Refused;
      verdict_.reason = "refused by " + list(failed);
    } else if (!unknown.empty()) {
      verdict_.outcome = Outcome::Insufficient;
      verdict_.reason = "too little to judge by: " + list(unknown);
    } else {
      verdict_.outcome = Outcome::Promoted;
      verdict_.reason = list(gains_);
    }
  }

  const GateRules& rules_;
  const std::vector<HoldoutRow>& rows_;
  const bool regression_, directional_, has_champion_, has_uncalibrated_;
  bool enough_ = false;
  Verdict verdict_;
  std::vector<std::string> gains_;  // for the reason of a promotion
};

}  // namespace

Result<Verdict> Gate::review(const std::vector<HoldoutRow>& rows) const {
  EL_CHECK(check_rules(rules_));
  return Review{rules_, rows}.run();
}

}  // namespace everlearn
