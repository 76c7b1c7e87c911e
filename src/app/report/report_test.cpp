#include "app/report/report.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "app/report/findings.hpp"
#include "app/report/report_fixture.hpp"
#include "app/report/svg.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"

using namespace everlearn;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Everything a run of no consequence leaves out.
Report nothing_happened() {
  Report report;
  report.profile = "empty";
  report.targets = {{"ret", "return over 1 session", true, true}};
  report.progress.learning = "collecting";
  report.paper.sharpe = report.paper.sharpe_se = kNaN;
  report.live.push_back({.target = "ret"});
  report.live[0].served = report.live[0].baseline = value_score(0, kNaN, kNaN);
  return report;
}

/// The first tag that is closed wrongly or not at all; empty if all are well.
std::string unbalanced(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at)) {
    const std::size_t end = html.find('>', at);
    if (end == std::string::npos) return html.substr(at, 40);
    const std::string tag = html.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with('!') || tag.ends_with('/') || tag.starts_with("meta")) continue;
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (!name.starts_with('/')) {
      open.push_back(name);
    } else if (open.empty() || "/" + open.back() != name) {
      return name;
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

}  // namespace

TEST_CASE("JSON report: every promised member is there, nested as promised") {
  const Report report = made_up_report();
  const auto has_all = [](const std::string& json, std::initializer_list<const char*> keys) {
    const auto in = JsonIn::parse(json);
    REQUIRE(in.has_value());
    for (const char* key : keys) {
      CAPTURE(key);
      CHECK(in->has(key));
    }
  };
  const std::string json = report_json(report);
  has_all(json, {"profile",  "inputs",   "time_unit",     "from",         "to",          "seed",    "cycles",  "events",
                 "examples", "coverage", "trainings",     "models",       "predictions", "signals", "intents", "fills",
                 "live",     "paper",    "ledger_sha256", "wall_seconds", "speed"});
  JsonIn in = JsonIn::parse(json).value();
  has_all(in.json("examples"), {"collected", "labelled", "effective", "void", "waiting"});
  has_all(in.json("coverage"), {"streams", "points", "gaps", "longest_gap_s"});
  const auto trainings = in.list("trainings");
  REQUIRE(trainings.size() == report.trainings.size());
  has_all(trainings[0], {"target", "model", "as_of", "rows", "effective", "reason", "seconds", "verdict",
                         "champion_before", "checks"});
  has_all(JsonIn::parse(trainings[0])->list("checks").at(0), {"name", "measured", "required", "passed"});
  has_all(in.json("models"), {"kept", "champions"});
  has_all(in.json("signals"), {"passed", "stopped"});
  const auto live = in.list("live");
  REQUIRE(live.size() == 2);
  has_all(live[0], {"target", "n", "r2", "r2_no_change", "direction_accuracy", "majority_direction", "zero_share",
                    "baseline", "by_period"});
  has_all(in.json("paper"), {"pnl", "costs", "sharpe", "sharpe_se", "max_drawdown", "baseline_pnl"});
}

TEST_CASE("JSON report: figures read back to the same bits, missing ones are null") {
  Report report = made_up_report();
  report.paper.pnl = 0.1 + 0.2;
  report.paper.sharpe = kNaN;
  JsonIn in = JsonIn::parse(report_json(report)).value();
  JsonIn paper = JsonIn::parse(in.json("paper")).value();
  double pnl = 0;
  paper.get("pnl", pnl);
  CHECK(pnl == 0.1 + 0.2);
  CHECK(paper.is_null("sharpe"));
  double error = 0;
  paper.get("sharpe_se", error);
  CHECK(error == report.paper.sharpe_se);
  CHECK_FALSE(has(report_json(report), "nan"));
}

TEST_CASE("JSON report: speed is market seconds per second of wall clock") {
  Report report = nothing_happened();
  CHECK(JsonIn::parse(report_json(report))->is_null("speed"));
  report.progress.first_cycle = Timestamp{0};
  report.progress.last_cycle = Timestamp{} + Duration::seconds(100);
  report.progress.wall_seconds = 4;
  JsonIn in = JsonIn::parse(report_json(report)).value();
  double speed = 0;
  in.get("speed", speed);
  CHECK(speed == 25);
}

TEST_CASE("text report: names refusals with their reason and the limits of the data, and fits on a few screens") {
  const std::string text = report_text(made_up_report());
  CHECK(has(text, "x refused by r2; such as"));
  CHECK(has(text, "required 0"));
  CHECK(has(text, "WHAT THE DATA CANNOT TELL\n  - Adjusted closes only."));
  CHECK(has(text, "Twenty survivors"));
  CHECK(has(text, std::string(64, 'a')));
  CHECK(has(text, "LightGBM 61.0 s"));
  CHECK(std::count(text.begin(), text.end(), '\n') <= 100);
}

TEST_CASE("missing figures are never printed as numbers") {
  Report report = nothing_happened();
  report.live[0].served = report.live[0].baseline = value_score(5, kNaN, kNaN);
  report.trainings.push_back({.target = "ret", .verdict = "insufficient", .why = "nothing to judge by"});
  report.trainings[0].checks = {{"sharpe", kNaN, 0.5, false, "insufficient: 2 of 20 days"}};
  report.progress.wall_seconds = kNaN;
  for (const std::string& written : {report_text(report), report_html(report)}) {
    CHECK(has(written, "n/a"));
    std::string lower = written;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    for (const auto* wrong : {" nan", ">nan", "-nan", "\"nan", "inf ", "null"}) {
      CAPTURE(wrong);
      CHECK_FALSE(has(lower, wrong));
    }
  }
}

TEST_CASE("a run in which nothing happened is told as that") {
  const Report report = nothing_happened();
  const std::string text = report_text(report);
  CHECK(has(text, "Nothing was trained"));
  CHECK(has(text, "nothing to score"));
  CHECK(has(text, "nothing was traded"));
  CHECK(has(text, "has not been read to its end"));
  CHECK(unbalanced(report_html(report)) == "");
}

TEST_CASE("findings: a model that lost against the baseline is called that") {
  Report report = made_up_report();
  report.live[1].served.r2 = 0.3;
  report.live[1].baseline.r2 = 0.31;
  const auto all = findings(report);
  CHECK(std::any_of(all.begin(), all.end(),
                    [](const std::string& s) { return has(s, "vol_5d") && has(s, "did not beat the baseline"); }));
}

TEST_CASE("findings: a Sharpe ratio within two standard errors of 0 is called indistinguishable") {
  Report report = made_up_report();
  CHECK(has(findings(report).back(), "not distinguishable from 0"));
  report.paper.sharpe = 0.9;
  CHECK_FALSE(has(findings(report).back(), "not distinguishable"));
  report.paper.sharpe = kNaN;
  CHECK(has(findings(report).back(), "insufficient"));
}

TEST_CASE("findings: time in which every model was too old to act is told") {
  Report report = made_up_report();
  report.progress.last_cycle = report.reigns[0].from + Duration::days(100);
  report.reigns = {{"ret_5d", "m", report.reigns[0].from, {}, report.reigns[0].from + Duration::days(60), "promoted"}};
  report.champions = {{"ret_5d", "m", report.reigns[0].from, {}, report.reigns[0].expired, 3, 0.7}};
  const auto all = findings(report);
  CHECK(std::any_of(all.begin(), all.end(), [](const std::string& s) {
    return has(s, "too old to act for 40 % of the time, the last one still is");
  }));
  CHECK(has(report_text(report), "too old to act since"));
  CHECK(has(report_html(report), "Too old to act since"));
}

TEST_CASE("findings: a gain that hangs on one trade is called that") {
  Report report = made_up_report();
  report.paper.pnl = 1000;
  report.paper.best = RoundTrip{"ABC", on("2020-03-02"), 900};
  CHECK(has(findings(report).back(), "One round trip alone (ABC, closed 2020-03-02) made 900.00 of it"));
  report.paper.best->pnl = 100;
  CHECK_FALSE(has(findings(report).back(), "One round trip alone"));
}

TEST_CASE("findings: the rest of a year does not count as a year") {
  Report report = made_up_report();
  LiveScore& live = report.live[1];
  live.periods.push_back({"2023", value_score(20, -1, kNaN), value_score(20, 0.5, kNaN)});
  CHECK_FALSE(is_full(live, live.periods.back()));
  const auto all = findings(report);
  CHECK(std::any_of(all.begin(), all.end(), [](const std::string& s) { return has(s, "ahead in 24 of 25 years"); }));
}

TEST_CASE("findings: why nothing was traded") {
  Report report = nothing_happened();
  CHECK(has(findings(report).back(), "no model of ret, the target that acts, has passed the gate"));
  report.reigns = {{"ret", "m", Timestamp{}, {}, {}, "promoted"}};
  report.progress.stopped = {{"edge", 9}, {"stale", 2}};
  CHECK(has(findings(report).back(), "no signal passed, most were stopped by \"edge\""));
}

TEST_CASE("findings: a direction no better than a constant guess was not foreseen") {
  Report report = made_up_report();
  const auto sentence = [&] {
    const auto all = findings(report);
    return *std::find_if(all.begin(), all.end(),
                         [](const std::string& s) { return has(s, "the direction was right"); });
  };
  report.live[0].served.direction_accuracy = 0.54;
  report.live[0].served.majority_direction = 0.541;
  CHECK(has(sentence(), "was not foreseen"));
  report.live[0].served.direction_accuracy = 0.543;
  CHECK(has(sentence(), "hardly better"));
  report.live[0].served.direction_accuracy = 0.56;
  CHECK(has(sentence(), "was foreseen better"));
}

TEST_CASE("refusals: counted by the first check that failed, the most frequent first") {
  Report report;
  const auto add = [&](const std::string& verdict, std::vector<Check> checks, const std::string& why) {
    report.trainings.push_back({.target = "ret", .verdict = verdict, .why = why});
    report.trainings.back().checks = std::move(checks);
  };
  add("promoted", {}, "");
  add("failed", {}, "constant label");
  add("refused", {{"finite", 0, 0, true, ""}, {"r2", -1, 0, false, ""}, {"sharpe", 0, 1, false, ""}}, "one");
  add("refused", {{"r2", -2, 0, false, ""}}, "two");
  add("insufficient", {{"r2", kNaN, 0, false, ""}}, "three");
  const auto all = refusals(report, "ret");
  REQUIRE(all.size() == 3);
  CHECK(all[0].cause == "r2");
  CHECK(all[0].count == 2);
  CHECK(all[0].example == "two");
  CHECK(all[1].cause == "constant label");
}

TEST_CASE("page: well formed, with every section and picture, and self-contained") {
  const std::string html = report_html(made_up_report());
  CHECK(unbalanced(html) == "");
  for (const auto* part :
       {"In short", "What was learned", "What was refused", "Live accuracy", "predicted against realised",
        "Paper account", "Signals, by the filter", "What the serving models look at", "Coverage",
        "What the data cannot tell", "Where the time went", "prefers-color-scheme", "viewport"}) {
    CAPTURE(part);
    CHECK(has(html, part));
  }
  CHECK_FALSE(has(html, "http"));
  CHECK_FALSE(has(html, "<script"));
  CHECK_FALSE(has(html, "src="));
  CHECK_FALSE(has(html, "@import"));
  CHECK_FALSE(has(html, "url("));
}

TEST_CASE("page: reliability before and after calibration, of the champion where its verdict has bins") {
  Report report = made_up_report();
  CHECK_FALSE(has(report_html(report), "Do probabilities mean"));
  Reliability bins;
  bins.bins.resize(Reliability::kBins);
  bins.bins[5] = {900, 0.37, 0.41};
  bins.bins[6] = {100, 0.44, 0.39};
  const auto give = [&](const std::string& model) {
    for (TrainingLine& line : report.trainings)
      if (line.model == model) {
        line.reliability_before = line.reliability_after = bins;
        line.checks.push_back({"ece_before", 0.0421, kNaN, true, ""});
        line.checks.push_back({"conformal_coverage", 0.897, kNaN, true, ""});
        line.checks.push_back({"conformal_single_share", 0.311, kNaN, true, ""});
      }
  };
  const std::string champion = report.champions[0].model;
  give(champion);
  std::string html = report_html(report);
  CHECK(unbalanced(html) == "");
  for (const auto* part : {"Do probabilities mean what they say?", "reliability before and after calibration of ret_5d",
                           "after calibration: 900 rows\nsaid 37.00 %\ncame 41.00 %", "0.0421",
                           "89.7&nbsp;% hold what came; 31.1&nbsp;% have one class"}) {
    CAPTURE(part);
    CHECK(has(html, part));
  }
  CHECK(has(html, "ret_5d: model " + champion.substr(0, 12)));
  CHECK_FALSE(has(html, "prediction sets as served"));
  CHECK(has(report_text(report), "ece_before 0.0421"));

  report.live[0].sets.add(Timestamp::parse("2022-11-09T00:00:00Z").value(), 0b1, 0);
  html = report_html(report);
  CHECK(unbalanced(html) == "");
  CHECK(has(html, "prediction sets as served"));
  CHECK(has(html, "2022-11-07"));  // the Monday
  JsonIn live = JsonIn::parse(JsonIn::parse(report_json(report))->list("live")[0]).value();
  REQUIRE(live.list("sets_by_week").size() == 1);
}

TEST_CASE("page: a hostile name stays text") {
  Report report = made_up_report();
  const std::string hostile = "<script>alert('x')</script>\"&";
  report.profile = report.title = hostile;
  report.instruments[3] = report.stream_lines[3].name = hostile;
  report.trainings[0].why = report.trainings[0].reason = report.trainings[0].model = hostile;
  report.trainings[0].checks[0].name = report.trainings[0].checks[0].note = hostile;
  report.reigns[0].how = hostile;
  report.targets[0].name = report.targets[0].what = report.live[0].target = report.champions[0].target = hostile;
  report.trainings[0].target = hostile;
  report.importance[hostile] = {{hostile, 1}};
  report.progress.stopped[hostile] = 3;
  report.progress.split_seconds[hostile] = 3;
  report.source.refused[hostile] = 2;
  report.source.inputs.push_back(hostile);
  report.limits.push_back(hostile);
  report.progress.learning = report.progress.ledger_sha256 = hostile;
  const std::string html = report_html(report);
  CHECK_FALSE(has(html, "<script"));
  CHECK_FALSE(has(html, "alert('x')"));
  CHECK(has(html, "&lt;script&gt;"));
  CHECK(unbalanced(html) == "");
}

TEST_CASE("page: the same report gives the same bytes") {
  CHECK(report_html(made_up_report()) == report_html(made_up_report()));
  CHECK(report_text(made_up_report()) == report_text(made_up_report()));
}

TEST_CASE("figures: no sign on zero, thousands apart, n/a where there is none") {
  CHECK(figure(-0.00004, 3) == "0.000");
  CHECK(figure(-0.5, 1) == "-0.5");
  CHECK(figure(kNaN, 2) == "n/a");
  CHECK(percent(-0.0512) == "-5.1 %");
  CHECK(grouped(1'234'567) == "1,234,567");
  CHECK(grouped(-123) == "-123");
  CHECK(money(-1234.4) == "-1,234");
  CHECK(money(12.345) == "12.35");
  CHECK(span_of(125) == "2 min 5 s");
  CHECK(span_of(6 * 86'400) == "6 d");
  CHECK(some(1, "day") == "1 day");
  CHECK(without_hash("ret_5@12") == "ret_5");
}

TEST_CASE("escaping: markup, quotes and control characters") {
  CHECK(escaped("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  CHECK(escaped(std::string_view{"a\0b", 3}) == "a b");
}
