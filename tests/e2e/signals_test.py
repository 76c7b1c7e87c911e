"""Signals and what stopped them, on three weeks of three real crypto pairs: every figure that `signals` prints is computed
again here from exported tables, and every verdict from the columns beside it."""

import collections
import datetime
import json
import math

import pytest
from row_tables import csv_rows

# Base and tuned, one of them serving. Few trees and a gate that promotes nearly everything: what is looked at are filters, and they need a champion.
SETTINGS = (
    "learner.trees=20", "learner.row_fraction=1", "tune.every=12h", "tune.rows_min=200", "scaling.first=0", "scaling.step=0", "scaling.most=0",
    "train.auto_enable=600", "train.min_effective=200", "train.min_holdout_effective=50", "train.every=72h",
    "train.min_recent_accuracy=none", "gate.max_gain_share=1", "target.move.require=accuracy>=0",
    "target.move.comparison=non_inferior", "target.move.margin=0.5", "target.move.conformal_alpha=0.2",
    "trade.cost_bps=0.5", "trade.half_spread_bps=0.5",
    "features.use=ret_1,ret_3,ret_12,vol_12,vol_36,rsi_14,z_36,hour_sin,hour_cos",
)
# Rules under which every filter has something to stop.
RULES = {"min_margin": 0.05, "max_entropy": 0.99, "min_recent_accuracy": 0.43, "recent_penalty": True,
         "penalty_from": 0.55, "penalty_floor": 0.45, "penalty_margin": 0.05, "penalty_entropy": 0.05,
         "out_of_distribution": 0.3, "max_signals": 1, "recent_rows": 200, "cost_bps": 0.5, "min_edge_bps": 0}


@pytest.fixture(scope="module")
def run(everlearn, shared_data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("signals")
    bars = [shared_data / "crypto" / "bars_5m_2022_2023" / f"{pair}_USDT-5m.csv.gz" for pair in ("BTC", "ETH", "XRP")]
    rules = [f"signal.{name}={value if value is not True else 'true'}" for name, value in RULES.items()
             if name != "cost_bps"]
    report = everlearn.simulate(
        directory, ["--profile", "hybrid", "--columns", "timestamp=date", "--bar-stamp", "start", "--symbol-from-file",
                    "--input", *bars, "--to", "2022-12-22"], (*SETTINGS, *rules))
    assert report["finished"] and "promoted" in {t["verdict"] for t in report["trainings"]}
    return directory, report


@pytest.fixture(scope="module")
def served(everlearn, run):
    """Predictions as served, cycle by cycle, each with its label's end and what trading it would have brought."""
    directory, _ = run
    labels = {(row["instrument"], row["event_time"]): row
              for row in csv_rows(everlearn.export(directory, "labels", directory / "labels.csv"))}
    prices = {(row["instrument"], row["event_time"]): float(row["price"])
              for row in csv_rows(everlearn.export(directory, "prices", directory / "prices.csv"))}
    rows = csv_rows(everlearn.export(directory, "predictions", directory / "predictions.csv"))
    for row in rows:
        assert (row["served"] == "true") == bool(row["verdict"]), row
    rows = [row for row in rows if row["served"] == "true"]  # beside it spoke the stream on trial
    assert {row["stream"] for row in rows} == {"base", "tuned"}
    for row in rows:
        row["p"] = [float(row[f"p.{c}"]) for c in range(3)] if row["p.0"] else []
        row["side"] = 0 if not row["expected"] else 1 if float(row["expected"]) > 0 else -1
        row["right"] = row["net"] = None
        if row["outcome"] and row["side"]:
            row["right"] = float(row["outcome"]) == 1 + row["side"]
            end = prices[row["instrument"], labels[row["instrument"], row["event_time"]]["label_end"]]
            cost = 2 * RULES["cost_bps"] * 1e-4 + float(row["half_spread"])
            row["net"] = row["side"] * (end / float(row["price"]) - 1) - cost
    return rows


def tallies(rows):
    """As `signals` counts: by verdict."""
    found = collections.defaultdict(list)
    for row in rows:
        found[row["verdict"]].append(row)
    return {verdict: {"count": len(of), "known": sum(row["right"] is not None for row in of),
                      "right": sum(row["right"] is True for row in of),
                      "wrong": sum(row["right"] is False for row in of),
                      "net": math.fsum(row["net"] for row in of if row["net"] is not None)}
            for verdict, of in found.items()}


def same_tallies(said, counted):
    assert {one["verdict"] for one in said} == set(counted)
    for one in said:
        expected = counted[one["verdict"]]
        for name in ("count", "known", "right", "wrong"):
            assert one[name] == expected[name], (one, expected)
        assert one["net"] == pytest.approx(expected["net"], abs=1e-9)
        share = one["precision" if one["verdict"] == "passed" else "regret"]
        assert share is None if not one["known"] else share == pytest.approx(one["right"] / one["known"])


def test_stats_are_what_the_exported_tables_say(everlearn, run, served):
    directory, report = run
    stats = everlearn.run("signals", "stats", "--data", directory, "--json").json()
    assert stats["predictions"] == len(served)
    same_tallies(stats["verdicts"], tallies(served))
    assert len(stats["verdicts"]) >= 9, "the run meets most filters"
    counts = {one["verdict"]: one["count"] for one in stats["verdicts"]}
    assert counts.pop("passed") == report["signals"]["passed"] > 0 and counts == report["signals"]["stopped"]

    by_week = collections.defaultdict(list)
    for row in served:
        year, week, _ = datetime.datetime.fromisoformat(row["event_time"]).isocalendar()
        by_week[f"{year}-W{week:02}"].append(row)
    assert [week["week"] for week in stats["weeks"]] == sorted(by_week)
    for week in stats["weeks"]:
        same_tallies(week["verdicts"], tallies(by_week[week["week"]]))

    known = [row for row in served if row["set"] and row["outcome"]]
    covered = sum(int(row["set"]) >> int(float(row["outcome"])) & 1 for row in known)
    assert stats["sets"]["rows"] == len(known) > 1000
    assert stats["sets"]["coverage"] == pytest.approx(covered / len(known))


def matured_before(served):
    """Of each decision's time: what had been said and come true by then, the newest 200, oldest first."""
    waiting = sorted((row["outcome_known_at"], row["event_time"], order, row) for order, row in enumerate(served)
                     if row["outcome"] and row["bundle"])
    recent, before, at = collections.deque(maxlen=RULES["recent_rows"]), {}, 0
    for time in sorted({row["event_time"] for row in served}):
        while at < len(waiting) and waiting[at][0] <= time:
            recent.append((float(waiting[at][3]["blended"]), float(waiting[at][3]["outcome"])))
            at += 1
        before[time] = list(recent)
    return before


def accuracy(recent):
    return sum(said == came for said, came in recent) / len(recent)


def test_recent_accuracy_is_of_what_was_known_at_the_decision(everlearn, run, served):
    before = matured_before(served)
    for row in served:
        recent = before[row["event_time"]]
        assert float(row["recent_accuracy"]) == accuracy(recent) if recent else not row["recent_accuracy"]
    stats = everlearn.run("signals", "stats", "--data", run[0], "--json").json()["recent"]
    last = before[max(before)]
    commonest = collections.Counter(came for _, came in last).most_common(1)[0][1]
    assert (stats["rows"], stats["accuracy"], stats["majority"]) == (200, accuracy(last), commonest / 200)


def judged_again(served, rules):
    """The filters from their documentation (docs/signals.md): the verdict of each row. The profile's quiet hours, 01:00 to
    09:00 in Kolkata, are 19:30 to 03:30 UTC."""
    before, verdicts, passing = matured_before(served), [], collections.defaultdict(list)
    for index, row in enumerate(served):
        recent, p = before[row["event_time"]], row["p"]
        known = len(recent) == rules["recent_rows"]
        short = 0.0
        if rules["recent_penalty"]:
            reach = rules["penalty_from"] - rules["penalty_floor"]
            short = min(1, max(0, (rules["penalty_from"] - accuracy(recent)) / reach)) if known else 1.0
        ordered = sorted(p, reverse=True)
        clock = row["event_time"][11:16]

        def stopped_by():
            if not row["expected"]:
                return "no model"
            if row["rung"] != "champion":
                return "baseline may not act"
            if p[1] > p[0] and p[1] > p[2]:
                return "flat"
            if float(row["outside_share"]) > rules["out_of_distribution"]:
                return "out of distribution"
            if ordered[0] - ordered[1] < rules["min_margin"] + short * rules["penalty_margin"]:
                return "margin"
            if -sum(x * math.log(x) for x in p) / math.log(3) > rules["max_entropy"] - short * rules["penalty_entropy"]:
                return "entropy"
            value = abs(float(row["expected"])) - 2 * rules["cost_bps"] * 1e-4 - float(row["half_spread"])
            if value < rules["min_edge_bps"] * 1e-4:
                return "edge"
            if not known:
                return "recent accuracy unknown"
            if accuracy(recent) < rules["min_recent_accuracy"]:
                return "recent accuracy"
            if clock >= "19:30" or clock < "03:30":
                return "quiet hours"
            passing[row["event_time"]].append((-value, index))
            return "passed"

        verdicts.append(stopped_by())
    for of_cycle in passing.values():
        for _, index in sorted(of_cycle)[rules["max_signals"] or len(of_cycle):]:
            verdicts[index] = "max signals"
    return verdicts


def test_every_stored_verdict_follows_from_the_columns_beside_it(served):
    again = judged_again(served, RULES)
    assert [row["verdict"] for row in served] == again


def test_what_if_with_the_same_rules_gives_every_verdict_again(everlearn, run):
    same = everlearn.run("signals", "what-if", "--data", run[0], "--json").json()
    assert same["predictions"] > 9000 and same["changed"] == []
    assert (same["other_rules"], same["not_replayed"], same["new_signals"], same["lost_signals"]) == (0, 0, 0, 0)
    assert same["was"] == same["would_be"]
    assert "every stored verdict comes out again" in everlearn.run("signals", "what-if", "--data", run[0]).out


@pytest.mark.parametrize("flags, changes", [
    (["--min_prob_margin", "0.15"], {"min_margin": 0.15}),
    (["--max_entropy", "0.9", "--max_signals", "0"], {"max_entropy": 0.9, "max_signals": 0}),
    (["--preset", "strict", "--max_entropy", "0.97"],
     {"min_margin": 0.3, "max_entropy": 0.97, "recent_penalty": True, "max_signals": 3}),
    (["--preset", "loose"], {"min_margin": 0.1, "max_entropy": 0.95, "recent_penalty": False, "max_signals": 0}),
])
def test_what_if_gives_the_verdicts_of_other_rules(everlearn, run, served, flags, changes):
    asked = everlearn.run("signals", "what-if", "--data", run[0], *flags, "--json").json()
    assert asked["other_rules"] == 0
    would = judged_again(served, RULES | changes)
    was = [row["verdict"] for row in served]
    same_tallies(asked["was"], tallies(served))
    same_tallies(asked["would_be"], tallies([row | {"verdict": verdict} for row, verdict in zip(served, would)]))
    assert asked["new_signals"] == sum(b == "passed" != a for a, b in zip(was, would))
    assert asked["lost_signals"] == sum(a == "passed" != b for a, b in zip(was, would))


def test_what_if_of_a_stretch_keeps_the_past_of_recent_accuracy(everlearn, run, served):
    stretch = ["--from", "2022-12-12", "--to", "2022-12-14"]
    asked = everlearn.run("signals", "what-if", "--data", run[0], *stretch, "--disable_sleep_window", "--json").json()
    inside = [row for row in served if "2022-12-12" <= row["event_time"] < "2022-12-14"]
    assert (asked["predictions"], asked["other_rules"]) == (len(inside), 0)
    assert {change["key"] for change in asked["changed"]} == {"signal.quiet_from", "signal.quiet_to"}
    same_tallies(asked["was"], tallies(inside))


def test_list_shows_the_newest_with_verdict_and_outcome(everlearn, run, served):
    def listed(*more):
        return everlearn.run("signals", "list", "--data", run[0], "--json", *more).json()["signals"]

    signals = [row for row in served if row["verdict"] == "passed"]
    newest = listed("--limit", 7)
    assert [(one["event_time"], one["instrument"]) for one in newest] == \
        [(row["event_time"], row["instrument"]) for row in reversed(signals[-7:])]
    for one, row in zip(newest, reversed(signals[-7:])):
        assert one["probabilities"] == row["p"] and one["required"] == float(row["required"])
        assert (one["right"], one["net"] is None) == (row["right"], row["net"] is None)
    everything = listed("--all", "--limit", 50, "--from", "2022-12-10", "--to", "2022-12-10T02:00:00Z")
    assert len(everything) == 12 * 3 and {one["verdict"] for one in everything} > {"flat"}
    text = everlearn.run("signals", "list", "--data", run[0]).out
    assert newest[0]["instrument"] in text.splitlines()[1] and "passed" in text


def test_a_preset_is_settings_under_a_name(everlearn, run):
    show = everlearn.run("config", "show", "--profile", "hybrid", "--preset", "strict", "--max_entropy", "0.75", "--json")
    settings = {one["key"]: (one["value"], one["origin"]) for one in show.json()["settings"]}
    assert settings["signal.min_margin"] == ("0.3", "preset strict")
    assert settings["signal.max_signals"] == ("3", "preset strict")
    assert settings["signal.recent_penalty"] == ("true", "preset strict")
    assert settings["signal.max_entropy"] == ("0.75", "command line")
    unknown = everlearn.run("config", "show", "--profile", "hybrid", "--preset", "stern", status=10)
    assert "balanced, loose, strict" in unknown.err
    fast = everlearn.run("config", "show", "--profile", "hybrid", "--fast_mode", "--json").json()["settings"]
    assert {one["value"] for one in fast if one["key"] in ("tune.way", "tune.rows_max")} == {"calibration", "500"}


def test_a_directory_keeps_the_preset_it_ran_with_and_all_presets(everlearn, run):
    kept = (run[0] / "profile.toml").read_text(encoding="utf-8")
    assert "presets.strict.signal.min_margin" in kept
    assert json.loads(everlearn.run("config", "show", "--data", run[0], "--preset", "loose", "--json").out)["settings"]
