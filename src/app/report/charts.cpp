#include "app/report/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "app/report/findings.hpp"
#include "app/report/scale.hpp"
#include "app/report/svg.hpp"
#include "app/report/words.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kStreamsDrawn = 40;
constexpr std::size_t kLabelLetters = 26;
constexpr double kLetter = 8;   // width of one, in pixels; capitals are wider than most
constexpr double kPhone = 600;  // a narrower picture is drawn with less

using Anchor = Svg::Anchor;

/// The rectangle of the data, inside the room that ticks need.
struct Plot {
  double left, top, right, bottom;
  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

int ticks_across(const Plot& plot) { return std::max(2, static_cast<int>(plot.width() / 75)); }

double at(Timestamp t) { return static_cast<double>(t.us()); }

void draw_value_axis(Svg& svg, const Plot& plot, const Scale& y, Unit unit, std::string_view title) {
  for (const Tick& tick : value_ticks(y.low(), y.high(), std::max(2, static_cast<int>(plot.height() / 30)), unit)) {
    svg.line({plot.left, y(tick.at)}, {plot.right, y(tick.at)}, tick.at == 0 ? "zero" : "grid");
    svg.text({plot.left - 7, y(tick.at) + 4}, Anchor::End, tick.label);
  }
  svg.text({0, plot.top - 12}, Anchor::Start, title, "axis");
}

void draw_time_axis(Svg& svg, const Plot& plot, const Scale& x) {
  const auto from = Timestamp{static_cast<std::int64_t>(x.low())}, to = Timestamp{static_cast<std::int64_t>(x.high())};
  svg.line({plot.left, plot.bottom}, {plot.right, plot.bottom}, "frame");
  for (const Tick& tick : time_ticks(from, to, ticks_across(plot))) {
    svg.line({x(tick.at), plot.bottom}, {x(tick.at), plot.bottom + 4}, "frame");
    // A label at the edge would leave the picture.
    const double half = 3.4 * static_cast<double>(tick.label.size());
    svg.text({std::clamp(x(tick.at), half, svg.width() - half), plot.bottom + 18}, Anchor::Middle, tick.label);
  }
}

std::pair<Timestamp, Timestamp> run_span(const Report& report) {
  const Timestamp from = report.progress.first_cycle.value_or(Timestamp{});
  const Timestamp to = report.progress.last_cycle.value_or(from);
  return {from, std::max(to, from + Duration::seconds(1))};
}

std::string shortened(const std::string& text, std::size_t letters) {
  return text.size() <= letters ? text : text.substr(0, letters - 1) + "\u2026";
}

// --- trainings and reigns --------------------------------------------------------------------------------------------

double gain_of(const TrainingLine& line) {
  for (const Check& check : line.checks)
    if (check.name == "gain_over_baseline") return check.measured;
  return kNaN;
}

std::string training_title(const TrainingLine& line) {
  std::string title = fmt::format("{} {}: {}", line.as_of.date(), line.target, line.verdict);
  if (!line.model.empty()) title += "\nmodel " + brief(line.model);
  title += fmt::format("\ngain over the baseline {}", percent(gain_of(line), 2));
  for (const Check& check : line.checks)
    if (!check.passed)
      title += fmt::format("\nnot passed: {} {} (required {})", check.name, figure(check.measured, 4),
                           figure(check.required, 4));
  if (!line.why.empty()) title += "\n" + line.why;
  return title;
}

std::string until(const Reign& reign) {
  if (reign.expired) return reign.expired->date() + ", then expired";
  return reign.to ? reign.to->date() : "now";
}

void draw_mark(Svg& svg, Svg::Point at_point, const TrainingLine& line) {
  const std::string title = training_title(line);
  const double radius = svg.width() < kPhone ? 3 : 4;
  if (line.verdict == "promoted")
    svg.circle(at_point, radius + 1, "mark good", title);
  else if (line.verdict == "failed")
    svg.cross(at_point, radius, "cross bad", title);
  else
    svg.circle(at_point, radius, line.verdict == "refused" ? "ring bad" : "ring pale", title);
}

// --- periods ---------------------------------------------------------------------------------------------------------

/// Names of periods under their columns, as many as fit.
void draw_period_axis(Svg& svg, const Plot& plot, const std::vector<PeriodScore>& periods, double column) {
  svg.line({plot.left, plot.bottom}, {plot.right, plot.bottom}, "frame");
  const double room = kLetter * static_cast<double>(periods.front().period.size()) + 8;
  const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil(room / column)));
  for (std::size_t i = 0; i < periods.size(); i += every)
    svg.text({plot.left + column * (static_cast<double>(i) + 0.5), plot.bottom + 18}, Anchor::Middle,
             periods[i].period);
}

// --- equity ----------------------------------------------------------------------------------------------------------

struct Sample {
  Timestamp at;
  double value;
};

// Of each pixel column the lowest and the highest value: the line keeps its look with a fraction of the points.
std::vector<Svg::Point> line_of(const std::vector<Sample>& samples, const Scale& x, const Scale& y) {
  std::vector<Svg::Point> points;
  for (std::size_t i = 0; i < samples.size();) {
    const double column = std::floor(x(at(samples[i].at)));
    std::size_t low = i, high = i, next = i;
    for (; next < samples.size() && std::floor(x(at(samples[next].at))) == column; ++next) {
      if (samples[next].value < samples[low].value) low = next;
      if (samples[next].value > samples[high].value) high = next;
    }
    points.push_back({x(at(samples[std::min(low, high)].at)), y(samples[std::min(low, high)].value)});
    if (low != high) points.push_back({x(at(samples[std::max(low, high)].at)), y(samples[std::max(low, high)].value)});
    if (next == samples.size() && next - 1 != std::max(low, high))
      points.push_back({x(at(samples.back().at)), y(samples.back().value)});
    i = next;
  }
  return points;
}

}  // namespace

std::string training_chart(const Report& report, const TargetLine& target, double width) {
  constexpr double kStrip = 20;
  Svg svg{width, 250, "trainings of " + target.name + " by date and gain, and who served"};
  const Plot plot{52, 26, width - 8, 166};
  const auto [from, to] = run_span(report);
  const Scale x{at(from), at(to), plot.left, plot.right};
  std::vector<double> gains;
  for (const TrainingLine& line : report.trainings)
    if (line.target == target.name) gains.push_back(gain_of(line));
  const Range range = robust_range(gains, 0);
  const Scale y{range.low, range.high, plot.bottom - 6, plot.top + 6};
  draw_value_axis(svg, plot, y, Unit::Percent, "loss saved against the baseline on unseen rows");

  const double strip = plot.bottom + 30;
  svg.text({0, strip - 6}, Anchor::Start, "serving", "axis");
  int turn = 0;
  for (const Reign& reign : report.reigns) {
    if (reign.target != target.name) continue;
    const Timestamp ended = reign.to.value_or(to);
    const double begin = x(at(reign.from)), end = x(at(reign.expired.value_or(ended)));
    const TrainingLine* training = training_of(report, reign.model);
    svg.rect({begin, strip}, std::max(1.0, end - begin), kStrip, turn++ % 2 == 0 ? "reign" : "reign other",
             fmt::format("{} served {} to {} ({}){}", brief(reign.model), reign.from.date(), until(reign), reign.how,
                         training != nullptr ? "\n" + training->why : ""));
    if (reign.expired)
      svg.rect({end, strip + 0.5}, x(at(ended)) - end, kStrip - 1, "vacant",
               fmt::format("no model from {} to {}: {} was too old to act, nothing had passed the gate",
                           reign.expired->date(), ended.date(), brief(reign.model)));
    if (end - begin > 56) svg.text({begin + 6, strip + 14}, Anchor::Start, reign.model.substr(0, 6), "inside");
  }
  if (turn == 0)
    svg.text({plot.left, strip + 14}, Anchor::Start, "no model has served; the baseline spoke alone", "soft");
  // Promoted ones last, so that nothing covers them.
  for (const bool promoted : {false, true})
    for (const TrainingLine& line : report.trainings) {
      if (line.target != target.name || (line.verdict == "promoted") != promoted) continue;
      const double gain = gain_of(line);
      draw_mark(svg, {x(at(line.as_of)), std::isfinite(gain) ? y(gain) : plot.bottom - 2}, line);
    }
  draw_time_axis(svg, {plot.left, plot.top, plot.right, strip + kStrip + 6}, x);
  return svg.markup();
}

std::string fit_chart(const LiveScore& live, double width) {
  Svg svg{width, 240, (live.classes ? "accuracy of " : "R2 of ") + live.target + " by period, model and baseline"};
  const Plot plot{52, 26, width - 8, 210};
  const auto value = [&](const Score& score) { return live.classes ? score.accuracy : score.r2; };
  std::vector<double> values;
  for (const PeriodScore& period : live.periods) {
    if (!is_full(live, period)) continue;
    values.push_back(value(period.served));
    values.push_back(value(period.baseline));
  }
  const Range range = robust_range(values, 0);
  const Scale y{range.low, range.high, plot.bottom, plot.top};
  draw_value_axis(svg, plot, y, live.classes ? Unit::Percent : Unit::Number, live.classes ? "accuracy" : "R\u00b2");
  const double column = plot.width() / static_cast<double>(std::max<std::size_t>(1, live.periods.size()));
  const double thick = std::clamp(column * 0.34, 1.5, 26.0);
  for (std::size_t i = 0; i < live.periods.size(); ++i) {
    const PeriodScore& period = live.periods[i];
    const double middle = plot.left + column * (static_cast<double>(i) + 0.5);
    const std::string title = fmt::format("{}, {} rows\nmodel {}\nbaseline {}", period.period, grouped(period.served.n),
                                          figure(value(period.served), 4), figure(value(period.baseline), 4));
    const auto draw = [&](double measured, double left, std::string_view look) {
      if (!std::isfinite(measured)) return;
      const double end = y(measured), zero = y(0);
      svg.rect({left, std::min(end, zero)}, thick, std::max(1.0, std::abs(end - zero)), look, title);
      if (y.inside(measured)) return;
      // The bar goes on beyond the picture.
      const double cut = measured < 0 ? end - 7 : end + 4;
      svg.rect({left - 1, cut}, thick + 2, 3, "paper");
    };
    const std::string rest = is_full(live, period) ? "" : " faint";
    draw(value(period.baseline), middle, "bar base" + rest);
    draw(value(period.served), middle - thick, "bar model" + rest);
  }
  if (!live.periods.empty()) draw_period_axis(svg, plot, live.periods, column);
  return svg.markup();
}

std::string direction_chart(const LiveScore& live, double width) {
  Svg svg{width, 220, "direction accuracy of " + live.target + " by period"};
  const Plot plot{52, 26, width - 8, 190};
  std::vector<double> values;
  for (const PeriodScore& period : live.periods)
    if (is_full(live, period))
      for (const double share :
           {period.served.direction_accuracy, period.baseline.direction_accuracy, period.served.majority_direction})
        values.push_back(share);
  const Range range = robust_range(values, 0.5);
  const Scale y{range.low, range.high, plot.bottom, plot.top};
  draw_value_axis(svg, plot, y, Unit::Percent, "directions foreseen");
  svg.line({plot.left, y(0.5)}, {plot.right, y(0.5)}, "zero");
  const double column = plot.width() / static_cast<double>(std::max<std::size_t>(1, live.periods.size()));
  const auto draw = [&](const std::string& look, const std::string& name,
                        const std::function<double(const PeriodScore&)>& of) {
    std::vector<Svg::Point> points;
    for (std::size_t i = 0; i < live.periods.size(); ++i)
      if (std::isfinite(of(live.periods[i])))
        points.push_back({plot.left + column * (static_cast<double>(i) + 0.5), y(of(live.periods[i]))});
    svg.path(points, "line " + look);
    for (std::size_t i = 0, drawn = 0; i < live.periods.size(); ++i) {
      const PeriodScore& period = live.periods[i];
      if (!std::isfinite(of(period))) continue;
      svg.circle(
          points[drawn++], 3.5, "dot " + look,
          fmt::format("{}, {} rows\n{} {}", period.period, grouped(period.served.n), name, percent(of(period), 2)));
    }
  };
  draw("pale dashed", "constant guess", [](const PeriodScore& p) { return p.served.majority_direction; });
  draw("base", "baseline", [](const PeriodScore& p) { return p.baseline.direction_accuracy; });
  draw("model", "model", [](const PeriodScore& p) { return p.served.direction_accuracy; });
  if (!live.periods.empty()) draw_period_axis(svg, plot, live.periods, column);
  return svg.markup();
}

std::string calibration_chart(const LiveScore& live, const TargetLine& target, double width) {
  const double height = width * 0.86;
  Svg svg{width, height, "predicted against realised, by decile, of " + target.name};
  const Plot plot{58, 28, width - 12, height - 44};
  std::vector<double> values;
  for (const auto* deciles : {&live.deciles, &live.baseline_deciles})
    for (const Decile& decile : *deciles) {
      values.push_back(decile.predicted);
      values.push_back(decile.outcome);
    }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (values.empty()) {
    svg.text({plot.left, plot.top + 30}, Anchor::Start, "too few scored rows", "soft");
    return svg.markup();
  }
  const double margin = std::max((*high - *low) * 0.07, 1e-12);
  const Scale x{*low - margin, *high + margin, plot.left, plot.right},
      y{*low - margin, *high + margin, plot.bottom, plot.top};
  const Unit unit = target.percent || live.classes ? Unit::Percent : Unit::Number;
  draw_value_axis(svg, plot, y, unit, live.classes ? "came true" : "realised, mean");
  for (const Tick& tick : value_ticks(x.low(), x.high(), std::max(2, static_cast<int>(plot.width() / 80)), unit)) {
    svg.line({x(tick.at), plot.top}, {x(tick.at), plot.bottom}, tick.at == 0 ? "zero" : "grid");
    svg.text({x(tick.at), plot.bottom + 18}, Anchor::Middle, tick.label);
  }
  svg.text({plot.right, plot.bottom + 36}, Anchor::End, "predicted, mean of each tenth of the rows", "axis");
  svg.line({x(x.low()), y(y.low())}, {x(x.high()), y(y.high())}, "diagonal");
  const auto draw = [&](const std::vector<Decile>& deciles, const std::string& look, const std::string& name) {
    std::vector<Svg::Point> points;
    for (const Decile& decile : deciles) points.push_back({x(decile.predicted), y(decile.outcome)});
    svg.path(points, "line " + look);
    const auto shown = [&](double v) { return unit == Unit::Percent ? percent(v, 3) : figure(v, 5); };
    for (std::size_t i = 0; i < deciles.size(); ++i)
      svg.circle(points[i], 4, "dot " + look,
                 fmt::format("{}, decile {}: {} rows\npredicted {}\nrealised {}", name, i + 1, grouped(deciles[i].n),
                             shown(deciles[i].predicted), shown(deciles[i].outcome)));
  };
  draw(live.baseline_deciles, "base", "baseline");
  draw(live.deciles, "model", "model");
  return svg.markup();
}

std::string reliability_chart(const TrainingLine& training, double width) {
  constexpr double kCountHeight = 70, kBins = Reliability::kBins;
  const double height = width * 0.86 + kCountHeight + 22;
  Svg svg{width, height, "reliability before and after calibration of " + training.target};
  const Plot plot{58, 28, width - 12, height - 44 - kCountHeight - 22};
  const Plot counts{plot.left, plot.bottom + 42, plot.right, plot.bottom + 42 + kCountHeight};
  struct Line {
    const Reliability& bins;
    std::string name, look;
    double side;  // of the bin's middle, where its rows are drawn
  };
  const std::vector<Line> lines{{training.reliability_before, "before calibration", "base", -1},
                                {training.reliability_after, "after calibration", "model", 1}};
  // Both axes span what was said and what came, in whole bins: the diagonal keeps its slope.
  double low = 1, high = 0;
  std::int64_t most = 0;
  for (const Line& line : lines)
    for (std::size_t b = 0; b < line.bins.bins.size(); ++b) {
      const ReliabilityBin& bin = line.bins.bins[b];
      if (bin.n == 0) continue;
      most = std::max(most, bin.n);
      low = std::min({low, static_cast<double>(b) / kBins, bin.share});
      high = std::max({high, static_cast<double>(b + 1) / kBins, bin.share});
    }
  if (most == 0) {
    svg.text({plot.left, plot.top + 30}, Anchor::Start, "no rows", "soft");
    return svg.markup();
  }
  low = std::floor(low * kBins) / kBins;
  high = std::ceil(high * kBins) / kBins;
  const Scale x{low, high, plot.left, plot.right}, y{low, high, plot.bottom, plot.top};
  draw_value_axis(svg, plot, y, Unit::Percent, "came true");
  for (const Tick& tick : value_ticks(low, high, std::max(2, static_cast<int>(plot.width() / 80)), Unit::Percent)) {
    svg.line({x(tick.at), plot.top}, {x(tick.at), plot.bottom}, "grid");
    svg.text({std::min(x(tick.at), svg.width() - 20), plot.bottom + 18}, Anchor::Middle, tick.label);
  }
  svg.line({x(low), y(low)}, {x(high), y(high)}, "diagonal");
  const Scale rows{0, static_cast<double>(most), 0, kCountHeight};
  const double bin_width = (x(high) - x(low)) / ((high - low) * kBins);
  svg.line({counts.left, counts.bottom}, {counts.right, counts.bottom}, "frame");
  svg.text({counts.left - 7, counts.top + 4}, Anchor::End, grouped(most));
  svg.text({counts.right, counts.bottom + 18}, Anchor::End, "said of the likeliest class; below, rows in each bin",
           "axis");
  for (const Line& line : lines) {
    std::vector<Svg::Point> points;
    for (std::size_t b = 0; b < line.bins.bins.size(); ++b) {
      const ReliabilityBin& bin = line.bins.bins[b];
      if (bin.n == 0) continue;
      const double error = 2 * std::sqrt(bin.share * (1 - bin.share) / static_cast<double>(bin.n));
      if (line.side > 0)
        svg.line({x(bin.confidence), y(bin.share - error)}, {x(bin.confidence), y(bin.share + error)},
                 "line thin " + line.look);
      points.push_back({x(bin.confidence), y(bin.share)});
      const double middle = x((static_cast<double>(b) + 0.5) / kBins), tall = rows(static_cast<double>(bin.n));
      const double bar = bin_width * 0.42;
      svg.rect({line.side > 0 ? middle + 1 : middle - 1 - bar, counts.bottom - tall}, bar, tall, "bar " + line.look,
               fmt::format("{}: {} rows said {} to {}", line.name, grouped(bin.n),
                           percent(static_cast<double>(b) / kBins), percent(static_cast<double>(b + 1) / kBins)));
    }
    svg.path(points, line.side > 0 ? "line " + line.look : "line dashed " + line.look);
    std::size_t i = 0;
    for (const ReliabilityBin& bin : line.bins.bins)
      if (bin.n > 0)
        svg.circle(points[i++], 4, "dot " + line.look,
                   fmt::format("{}: {} rows\nsaid {}\ncame {}", line.name, grouped(bin.n), percent(bin.confidence, 2),
                               percent(bin.share, 2)));
  }
  return svg.markup();
}

std::string equity_chart(const Paper& paper, double width) {
  Svg svg{width, 320, "paper account, models and baseline"};
  const Plot plot{66, 26, width - 8, 290};
  std::vector<Sample> models, baseline, before_costs;
  for (std::size_t i = 0; i < paper.equity.size(); ++i) {
    // From the day before the first trade on: the account stood still until then.
    const bool next_trades =
        i + 1 < paper.equity.size() && paper.first_trade && paper.equity[i + 1].event_time >= *paper.first_trade;
    const EquityRow& row = paper.equity[i];
    if (!paper.first_trade || (row.event_time < *paper.first_trade && !next_trades)) continue;
    models.push_back({row.event_time, row.equity});
    baseline.push_back({row.event_time, row.baseline_equity});
    before_costs.push_back({row.event_time, row.equity + row.costs});
  }
  if (models.size() < 2) {
    svg.text({plot.left, plot.top + 30}, Anchor::Start, "nothing was traded", "soft");
    return svg.markup();
  }
  double low = paper.capital, high = paper.capital;
  for (const auto* samples : {&models, &baseline, &before_costs})
    for (const Sample& sample : *samples) {
      low = std::min(low, sample.value);
      high = std::max(high, sample.value);
    }
  const double margin = std::max((high - low) * 0.05, 1e-9);
  const Scale x{at(models.front().at), at(models.back().at), plot.left, plot.right};
  const Scale y{low - margin, high + margin, plot.bottom, plot.top};
  draw_value_axis(svg, plot, y, Unit::Money, "account value, in the currency of the account");
  std::vector<Sample> peaks;
  double peak = paper.capital;
  for (const Sample& sample : models) peaks.push_back({sample.at, peak = std::max(peak, sample.value)});
  std::vector<Svg::Point> fall = line_of(peaks, x, y);
  const std::vector<Svg::Point> line = line_of(models, x, y);
  fall.insert(fall.end(), line.rbegin(), line.rend());
  svg.area(fall, "fall");
  svg.line({plot.left, y(paper.capital)}, {plot.right, y(paper.capital)}, "zero");
  svg.path(line_of(before_costs, x, y), "line thin model dashed");
  svg.path(line_of(baseline, x, y), "line base");
  svg.path(line, "line model");
  draw_time_axis(svg, plot, x);
  return svg.markup();
}

std::string bar_chart(const std::vector<ChartBar>& bars, double width, const std::string& label) {
  constexpr double kRow = 24;
  Svg svg{width, kRow * static_cast<double>(std::max<std::size_t>(1, bars.size())) + 8, label};
  double most = 0;
  std::size_t letters = 4, figures = 4;
  for (const ChartBar& bar : bars) {
    most = std::max(most, bar.value);
    letters = std::max(letters, std::min(bar.label.size(), kLabelLetters));
    figures = std::max(figures, bar.text.size());
  }
  const double left = kLetter * static_cast<double>(letters) + 10;
  const Scale x{0, most, left, width - kLetter * static_cast<double>(figures) - 12};
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double top = kRow * static_cast<double>(i) + 4;
    svg.text({left - 8, top + 14}, Anchor::End, shortened(bars[i].label, kLabelLetters));
    svg.rect({left, top + 2}, std::max(1.0, x(bars[i].value) - left), kRow - 8, "bar " + bars[i].look,
             bars[i].label + ": " + bars[i].text);
    svg.text({x(bars[i].value) + 7, top + 14}, Anchor::Start, bars[i].text, "soft");
  }
  if (bars.empty()) svg.text({0, 18}, Anchor::Start, "none", "soft");
  return svg.markup();
}

std::string coverage_chart(const Report& report, double width) {
  constexpr double kRow = 17;
  const std::size_t drawn = std::min(report.stream_lines.size(), kStreamsDrawn);
  std::size_t letters = 4;
  for (std::size_t i = 0; i < drawn; ++i)
    letters = std::max(letters, std::min(report.stream_lines[i].name.size(), kLabelLetters));
  const double height = kRow * static_cast<double>(std::max<std::size_t>(1, drawn)) + 34;
  Svg svg{width, height, "when each stream was seen, with its gaps"};
  const bool wide = width > kPhone;
  const Plot plot{kLetter * static_cast<double>(letters) + 10, 6, width - (wide ? 150 : 8), height - 26};
  if (drawn == 0) {
    svg.text({0, 18}, Anchor::Start, "no stream was seen", "soft");
    return svg.markup();
  }
  auto [from, to] = run_span(report);
  for (const StreamLine& line : report.stream_lines) {
    from = std::min(from, line.first.value_or(from));
    to = std::max(to, line.last.value_or(to));
  }
  const Scale x{at(from), at(to), plot.left, plot.right};
  for (std::size_t i = 0; i < drawn; ++i) {
    const StreamLine& line = report.stream_lines[i];
    const double top = plot.top + kRow * static_cast<double>(i);
    svg.text({plot.left - 8, top + 11}, Anchor::End, shortened(line.name, kLabelLetters));
    if (!line.first || !line.last) continue;
    svg.rect({x(at(*line.first)), top + 3}, std::max(1.5, x(at(*line.last)) - x(at(*line.first))), kRow - 8, "seen",
             fmt::format("{}: {} to {}, {}, {}", line.name, line.first->date(), line.last->date(),
                         some(line.points, "point"), some(line.gaps, "gap")));
    for (const Gap& gap : report.longest_gaps)
      if (index(gap.instrument) == i)
        svg.rect({x(at(gap.start)), top + 1}, std::max(1.5, x(at(gap.end)) - x(at(gap.start))), kRow - 4, "gap",
                 fmt::format("{}: nothing from {} to {} ({})", line.name, gap.start.iso(), gap.end.iso(), gap.reason));
    if (wide)
      svg.text({width, top + 11}, Anchor::End,
               fmt::format("{}, {}", some(line.points, "point"), some(line.gaps, "gap")), "soft");
  }
  draw_time_axis(svg, plot, x);
  return svg.markup();
}

}  // namespace everlearn
