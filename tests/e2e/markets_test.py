"""Recorded markets other than the demo's: a month of prediction markets, six weeks of minute bars."""

import csv
import datetime
import gzip
import math

import pytest
from row_tables import csv_rows


PRICES = ["--profile", "polymarket", "--preset", "prices", "--columns", "token=market_slug"]


def not_overlapping(rows, instrument, start, end):
    """Windows [start, end) that do not overlap, per instrument, earliest first."""
    busy, count = {}, 0
    for row in sorted(rows, key=lambda row: row[start]):
        if row[start] >= busy.get(row[instrument], ""):
            busy[row[instrument]] = row[end]
            count += 1
    return count


@pytest.fixture(scope="module")
def month(everlearn, shared_data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("month")
    source = shared_data / "polymarket" / "price_history_10m" / "resolved_markets.csv.gz"
    report = everlearn.simulate(
        directory, [*PRICES, "--input", source],
        # The gate refuses nearly everything here. What is looked for is a leak, so something has to serve.
        ["learner.trees=50", "train.every=96h", "target.change_1h.require=r2>=-1", "gate.max_gain_share=1"])
    return report, directory, source


def test_a_month_of_prediction_markets_runs_through_with_trainings(month):
    report, _, source = month
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        rows = sum(1 for _ in csv.DictReader(lines))
    assert report["finished"] and rows * 0.99 <= report["events"] <= rows + 200  # outcomes are events of their own
    judged = [t for t in report["trainings"] if t["checks"]]
    assert len(judged) >= 5
    assert "failed" not in {t["verdict"] for t in report["trainings"]}, report["trainings"]
    assert report["time_unit"]


def test_labelled_rows_and_effective_samples_are_two_counts(everlearn, month):
    report, directory, _ = month
    examples = report["examples"]
    assert 0 < examples["effective"] <= examples["labelled"] <= examples["collected"]
    assert examples["labelled"] + examples["void"] + examples["waiting"] == examples["collected"]
    labels = csv_rows(everlearn.export(directory, "labels", directory / "labels.csv"))
    known = [row for row in labels if row["label_state"] == "known" and row["target"] == "change_1h"]
    assert len(known) == examples["labelled"]
    assert not_overlapping(known, "instrument", "event_time", "label_end") == examples["effective"]
    # An hour of cycles on N markets gives at most N effective samples.
    hours = {}
    for row in known:
        hours.setdefault(row["event_time"][:13], []).append(row)
    for hour, rows in hours.items():
        markets = {row["instrument"] for row in rows}
        assert not_overlapping(rows, "instrument", "event_time", "label_end") <= len(markets), hour


def silences(source, longer_than_s, to="9999"):
    """Of each market, from the file itself; a time that stands twice is one."""
    last, count, longest = {}, 0, 0.0
    with gzip.open(source, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["timestamp"] >= to:
                continue
            at = datetime.datetime.fromisoformat(row["timestamp"]).timestamp()
            silence = at - last.get(row["market_slug"], at)
            last[row["market_slug"]] = at
            if silence > longer_than_s:
                count, longest = count + 1, max(longest, silence)
    return count, longest


def test_silences_longer_than_expected_are_recorded_as_gaps(everlearn, month, tmp_path):
    report, _, source = month
    assert report["coverage"]["streams"] == 142
    assert (report["coverage"]["gaps"], report["coverage"]["longest_gap_s"]) == silences(source, 45 * 60)
    week = everlearn.simulate(
        tmp_path / "data",
        [*PRICES, "--input", source, "--to", "2026-01-22"],
        ["source.gap_after=15m", "train.learning=false"])
    assert week["coverage"]["gaps"] > 0
    assert (week["coverage"]["gaps"], week["coverage"]["longest_gap_s"]) == silences(source, 15 * 60, "2026-01-22")
    gaps = everlearn.run("data", "gaps", "--data", tmp_path / "data", "--json").json()
    assert gaps["gaps"] == week["coverage"]["gaps"] == len(gaps["longest_first"])
    assert gaps["longest_first"][0]["seconds"] == week["coverage"]["longest_gap_s"]


def test_an_hour_ahead_is_not_predicted_suspiciously_well(month):
    """An R2 that markets do not give would be a leak."""
    live = month[0]["live"]
    assert [score["target"] for score in live] == ["change_1h", "relative_1h"]
    assert live[0]["n"] > 1000
    assert -0.2 < live[0]["r2"] < 0.2
    assert live[0]["direction_accuracy"] is None or live[0]["direction_accuracy"] < 0.75


def test_six_weeks_of_minute_bars_train_a_random_forest(everlearn, shared_data, tmp_path):
    files = [shared_data / "us_equities" / "bars_1min" / f"{symbol}_1min.csv.gz" for symbol in ("QQQ", "SPY", "NVDA")]
    report = everlearn.simulate(
        tmp_path / "data",
        ["--profile", "watchlist", "--columns", "timestamp=datetime", "--time-zone", "America/New_York", "--bar-stamp",
         "start", "--symbol-from-file", "--input", *files, "--to", "2025-10-27"],
        ["learner.trees=50", "train.auto_enable=300", "train.min_effective=150", "train.min_holdout_effective=30"])
    assert report["finished"] and report["refused_rows"] == {}
    assert report["examples"]["effective"] <= 3 * 13 * 31  # half hours of 30 sessions and a bit, three symbols
    judged = [t for t in report["trainings"] if t["checks"]]
    assert judged, report["trainings"]
    last = ["--data", tmp_path / "data", "--model", judged[-1]["model"]]
    model = everlearn.run("models", "show", *last, "--json").json()
    assert model["card"]["params"]["boosting"] == "rf" and model["card"]["trees"] == 50
    text = tmp_path / "model.txt"
    everlearn.run("models", "export", *last, "--out", text)
    assert "average_output" in text.read_text(encoding="utf-8")
    shares = csv_rows(everlearn.export(tmp_path / "data", "predictions", tmp_path / "p.csv"))
    said = [float(row["p.0"]) + float(row["p.1"]) for row in shares if row["p.0"] and row["p.1"]]
    assert said and all(math.isclose(total, 1, abs_tol=1e-6) for total in said)
