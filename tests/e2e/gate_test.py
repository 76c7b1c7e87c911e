"""The gate's numbers, recomputed in Python from exported rows and the exported model, agree to 1e-9; so does what
follows from them."""

import importlib.util
import itertools
import math
import pathlib

import demo_cut
import numpy
import pyarrow.parquet
import pytest
from judged_rows import DAY, Examples, Model, moment, outcome_of, passes, rows_of, rules_of
from row_tables import csv_rows


def measured_by(checks):
    return {row["check"]: float(row["measured"]) if row["measured"] else None for row in checks}


def gate_formulas():
    path = pathlib.Path(__file__).parents[1] / "gate" / "recompute.py"
    spec = importlib.util.spec_from_file_location("recompute", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(everlearn, recordings, tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    everlearn.simulate(directory, demo_cut.arguments(demo_cut.inputs(recordings), "1993-01-10"), demo_cut.SETTINGS)
    return directory


@pytest.fixture(scope="module")
def verdicts(everlearn, run):
    rows = csv_rows(everlearn.export(run, "verdicts", run / "verdicts.csv"))
    groups = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row["verdict"])]
    return [(checks[0], checks) for checks in groups if checks[0]["holdout_first"]]


@pytest.fixture(scope="module")
def examples(everlearn, run):
    return Examples(everlearn.export(run, "examples", run / "examples.parquet"))


def test_every_verdict_is_recomputed_from_exported_rows_and_model(everlearn, run, verdicts, examples, tmp_path):
    recompute = gate_formulas()
    models, seen = {}, set()

    def model(name):
        if name not in models:
            models[name] = Model(everlearn, run, name, tmp_path)
        return models[name]

    for verdict, checks in verdicts:
        target, as_of = verdict["target"], moment(verdict["as_of"])
        candidate = model(verdict["bundle"])
        champion = model(verdict["champion_before"]) if verdict["champion_before"] else None
        first, last = moment(verdict["holdout_first"]), moment(verdict["holdout_last"])
        rules = rules_of(run, target, candidate.card)
        rows = rows_of(examples, target, rules["unit"], first, last, as_of, candidate, champion)
        assert len(rows) == int(verdict["holdout_rows"])

        # Nobody is judged on what he saw: a day of embargo after the last outcome that a model learnt from.
        for speaker in filter(None, (candidate, champion)):
            assert first > speaker.card["seen_until"] + DAY

        measured = recompute.Gate(rules, rows).checks()
        which = f"verdict {verdict['verdict']} of {target}"
        said = [{"name": name, "measured": value} for name, value in measured_by(checks).items()]
        assert recompute.differences({"checks": said}, dict(measured)) == [], which

        passed = passes(rules, measured, len({row["instrument"] for row in rows}))
        assert passed == {c["check"]: c["passed"] == "true" for c in checks}, which
        assert outcome_of(passed, measured) == verdict["outcome"], which
        seen.add((target, champion is not None))
    assert len(verdicts) >= 6
    assert seen >= {("ret_5d", False), ("vol_5d", False), ("vol_5d", True)}
    assert {verdict["outcome"] for verdict, _ in verdicts} >= {"promoted", "refused"}


def test_evaluate_as_judged_hands_out_the_rows_that_were_recomputed(everlearn, run, verdicts, examples, tmp_path):
    verdict, checks = next((v, c) for v, c in reversed(verdicts) if v["champion_before"])
    out = tmp_path / "rows.json"
    everlearn.run("evaluate", "--data", run, "--model", verdict["bundle"], "--as-judged", "--out", out)
    recompute = gate_formulas()
    rows, rules, again = (recompute.json.loads((tmp_path / name).read_text(encoding="utf-8"))
                          for name in ("rows.json", "rows.rules.json", "rows.verdict.json"))
    candidate = Model(everlearn, run, verdict["bundle"], tmp_path)
    mine = rules_of(run, verdict["target"], candidate.card)
    assert rules == mine
    assert recompute.differences(again, recompute.Gate(rules, rows).checks()) == []
    assert {c["name"]: c["measured"] for c in again["checks"]} == measured_by(checks)


def test_an_exported_model_predicts_the_golden_rows_bit_for_bit(everlearn, run, verdicts, tmp_path):
    compared = 0
    for verdict, _ in verdicts:
        golden = pyarrow.parquet.read_table(run / "models" / verdict["bundle"] / "golden.parquet")
        names = [name for name in golden.column_names if not name.startswith("raw.")]
        rows = numpy.column_stack([golden[name].to_numpy() for name in names])
        model = Model(everlearn, run, verdict["bundle"], tmp_path)
        assert model.card["columns"] == names
        raw = golden["raw.0"].to_numpy()
        assert numpy.array_equal(model.raw(rows), raw)
        compared += len(raw)
    assert compared > 1000


def test_the_exported_model_says_what_was_logged(everlearn, run, examples, tmp_path):
    """Predictions as they were served: model column = calibrated model, blended column = what acts."""
    rows = csv_rows(everlearn.export(run, "predictions", run / "predictions.csv"))
    served = [row for row in rows if row["bundle"]]
    place = {(i, t): n for n, (i, t) in enumerate(zip(examples.instrument, examples.event_time.tolist()))}
    for bundle in {row["bundle"] for row in served}:
        mine = [row for row in served if row["bundle"] == bundle]
        chosen = numpy.array([place[row["instrument"], moment(row["event_time"])] for row in mine])
        baseline = examples.numbers(f"baseline.{mine[0]['target']}", chosen)
        acts = Model(everlearn, run, bundle, tmp_path).acts(examples, chosen, baseline)
        blended = numpy.array([float(row["blended"]) for row in mine])
        assert numpy.abs(acts - blended).max() <= 1e-9
        assert len(mine) > 100
    assert served and not math.isnan(float(served[0]["model"]))
