"""Calibration and prediction sets of a class target on recorded crypto bars: what calibrator.json and conformal.json say
is fitted again, the gate's figures are recomputed from exported rows and models, and coverage from what was served."""

import collections
import datetime
import importlib.util
import json
import math
import pathlib

import numpy
import pytest
from judged_rows import ClassModel, Examples, microseconds, moment
from row_tables import csv_rows

# Two targets, so that the class target's baseline does not stand first in an example; little to learn, so that it is quick.
PROFILE = """
seed = 1
[source]
calendar = "24/7"
[cycle]
every = "15m"
[examples]
max_price_age = "20m"
[features]
use = ["ret_1", "ret_3", "ret_12", "vol_12", "vol_36", "rsi_14", "range_position_36", "hour_sin", "hour_cos"]
[target.a_vol]
label = "realised_volatility"
horizon = "1h"
tolerance = "10m"
[target.move]
acts = true
label = "direction_3"
horizon = "1h"
tolerance = "10m"
flat = 0.003
comparison = "non_inferior"
margin = 0.05
blend_weight = 0.7
calibration = "{calibration}"
conformal_alpha = 0.1
[learner]
trees = 40
depth = 4
leaves = 15
learning_rate = 0.1
min_rows_in_leaf = 50
early_stopping = 20
[train]
auto_enable = 1500
every = "7d"
min_gap = "1d"
stop_share = 0.3
embargo = "1h"
min_effective = 300
min_holdout_effective = 50
"""


@pytest.fixture(scope="module", params=["isotonic", "temperature"])
def run(request, everlearn, shared_data, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    profile = place / "bench.toml"
    profile.write_text(PROFILE.format(calibration=request.param), encoding="utf-8")
    bars = [shared_data / "crypto" / "bars_5m_2022_2023" / f"{coin}_USDT-5m.csv.gz" for coin in ("BTC", "ETH")]
    everlearn.simulate(place / "data", ["--profile", profile, "--input", *bars, "--columns", "timestamp=date",
                                        "--symbol-from-file", "--to", "2023-02-01"])
    return request.param, place / "data"


@pytest.fixture(scope="module")
def judged(everlearn, run, tmp_path_factory):
    """Rows, rules and verdict of every candidate of the class target, and its model."""
    _, directory = run
    place = tmp_path_factory.mktemp("judged")
    found = []
    for bundle in {row["bundle"]: 0 for row in csv_rows(everlearn.export(directory, "verdicts", place / "verdicts.csv"))
                   if row["target"] == "move" and row["holdout_first"]}:
        everlearn.run("evaluate", "--data", directory, "--model", bundle, "--as-judged", "--out", place / "rows.json")
        rows, rules, verdict = (json.loads((place / name).read_text(encoding="utf-8"))
                                for name in ("rows.json", "rows.rules.json", "rows.verdict.json"))
        found.append((ClassModel(everlearn, directory, bundle, place), rows, rules, verdict))
    return found


@pytest.fixture(scope="module")
def examples(everlearn, run):
    return Examples(everlearn.export(run[1], "examples", run[1] / "examples.parquet"))


def baseline_of(examples, chosen):
    return numpy.column_stack([examples.numbers(f"baseline.move.{c}", chosen) for c in range(3)])


def test_each_figure_of_the_gate_is_recomputed(judged):
    path = pathlib.Path(__file__).parents[1] / "gate" / "recompute.py"
    spec = importlib.util.spec_from_file_location("recompute", path)
    recompute = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recompute)
    assert len(judged) >= 3
    for _, rows, rules, verdict in judged:
        names = {check["name"] for check in verdict["checks"]}
        assert names >= {"ece_before", "ece_after", "class_ece_before", "class_ece_after", "log_loss_before",
                         "conformal_coverage", "conformal_single_share"}
        assert recompute.differences(verdict, recompute.Gate(rules, rows).checks()) == []


def test_numpy_finds_the_same_calibration_error_and_bins(judged):
    for _, rows, _, verdict in judged:
        measured = {check["name"]: check["measured"] for check in verdict["checks"]}
        outcome = numpy.array([row["outcome"] for row in rows]).astype(int)
        for who, when in (("candidate_uncalibrated", "before"), ("candidate", "after")):
            p = numpy.array([row[who] for row in rows])
            top, right = p.max(axis=1), p.argmax(axis=1) == outcome
            place = numpy.digitize(top, numpy.linspace(0, 1, 16)[1:-1], right=True)
            n, said, came = (numpy.bincount(place, weights, 15) for weights in (None, top, right))
            assert abs(numpy.abs(came - said).sum() / len(rows) - measured["ece_" + when]) <= 1e-9
            for mine, (rows_in, confidence, share) in zip(zip(n, said, came), verdict["reliability"][when]):
                assert mine[0] == rows_in
                assert not rows_in or (abs(mine[1] / rows_in - confidence) <= 1e-9 and mine[2] / rows_in == share)


def test_what_was_judged_is_what_the_exported_model_says(judged, examples):
    place = {(i, t): n for n, (i, t) in enumerate(zip(examples.instrument, examples.event_time.tolist()))}
    names = list(dict.fromkeys(examples.instrument))
    kinds = collections.Counter()
    for model, rows, _, _ in judged:
        chosen = numpy.array([place[names[row["instrument"]], row["event_time"]] for row in rows])
        said, baseline = model.said(examples, chosen), baseline_of(examples, chosen)
        acts = model.blended(model.calibrated(said), baseline)
        assert numpy.abs(acts - [row["candidate"] for row in rows]).max() <= 1e-9
        uncalibrated = model.blended(said, baseline)
        assert numpy.abs(uncalibrated - [row["candidate_uncalibrated"] for row in rows]).max() <= 1e-9
        assert (model.set_masks(acts) == [row["set"] for row in rows]).all()
        kinds[model.calibrator["kind"]] += 1
    assert set(kinds) - {"identity"}, kinds


def test_calibrator_and_sets_are_fitted_on_the_two_halves_of_the_stop_rows(run, judged, examples):
    known = numpy.array(examples.table["label_state.move"].to_pylist()) == "known"
    known_at = microseconds(examples.table["label_known_at.move"].fill_null(0))
    end = microseconds(examples.table["label_end.move"].fill_null(0))
    for model, _, _, _ in judged:
        job = json.loads(model.card["canonical_job"])
        assert job["conformal_alpha"] == model.sets["alpha"] == 0.1
        stop = numpy.flatnonzero(known & (known_at <= job["as_of"]) & (known_at <= job["purge_stop_by"]) &
                                 (examples.event_time >= job["stop_from"]) & (examples.event_time < job["stop_until"]))
        assert len(stop) == model.card["rows_stop"]
        middle = examples.event_time[stop[len(stop) // 2]]
        later = stop[examples.event_time[stop] >= middle]
        outcome = examples.numbers("label.move", later).astype(int)
        acts = model.blended(model.calibrated(model.said(examples, later)), baseline_of(examples, later))
        scores = numpy.sort(1 - acts[numpy.arange(len(later)), outcome])
        rank = math.ceil(round((len(later) + 1) * 0.9, 6))
        assert abs(scores[rank - 1] - model.sets["threshold"]) <= 1e-9
        assert len(later) == model.sets["rows"]
        if run[0] == "temperature" and model.calibrator["kind"] == "temperature":
            # No other temperature does better on the earlier half.
            earlier = stop[(examples.event_time[stop] < middle) & (end[stop] <= middle)]
            came = examples.numbers("label.move", earlier).astype(int)
            logs = numpy.log(model.said(examples, earlier))

            def loss(temperature):
                p = numpy.exp(logs / temperature)
                return -numpy.log(p[numpy.arange(len(came)), came] / p.sum(axis=1)).mean()

            best = loss(model.calibrator["temperature"])
            assert best < loss(1) and all(best <= loss(t) for t in numpy.geomspace(0.06, 18, 400))


def test_coverage_as_served_is_counted_by_week(everlearn, run, tmp_path):
    _, directory = run
    rows = [row for row in csv_rows(everlearn.export(directory, "predictions", tmp_path / "predictions.csv"))
            if row["target"] == "move" and row["set"] and row["outcome"]]
    weeks = collections.defaultdict(list)
    for row in rows:
        day = datetime.datetime.fromtimestamp(moment(row["event_time"]) / 1e6, datetime.UTC).date()
        monday = day - datetime.timedelta(days=day.weekday())
        weeks[monday.isoformat()].append(int(row["set"]) >> int(float(row["outcome"])) & 1)
        p = [float(row[f"p.{c}"]) for c in range(3)]
        assert int(row["set"]) >> p.index(max(p)) & 1  # the likeliest class is in every set
    live = next(live for live in everlearn.run("performance", "--data", directory, "--json").json()["live"]
                if live["target"] == "move")
    told = {week["week"]: week for week in live["sets_by_week"]}
    assert len(told) >= 3 and set(told) == set(weeks)
    for week, held in weeks.items():
        assert told[week]["n"] == len(held)
        assert abs(told[week]["coverage"] - sum(held) / len(held)) <= 1e-9


def test_a_person_sees_the_picture_in_figures(everlearn, run, judged):
    model = next(model for model, _, _, _ in judged if model.calibrator["kind"] != "identity")
    text = everlearn.run("models", "show", "--data", run[1], "--model", model.card["id"]).out
    assert "before and after calibration" in text and "ece_before" in text and "conformal_coverage" in text
