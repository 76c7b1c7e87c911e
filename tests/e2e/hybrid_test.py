"""The hybrid system on recorded bars of six pairs: bases on a growing number of rows, a fine-tune in each run, two streams of
predictions written down side by side, and the gate's daily choice between them."""

import json
import math
import random
import subprocess

import numpy
import pytest
from everlearn_cli import as_flags
from gate_test import gate_formulas
from row_tables import csv_rows, database

# Two weeks instead of months: the same system at a size for a test, trained daily and tuned every six hours. The gate is loosened
# so that something serves; what is tested is that the evidence is whole, not that the models are good.
SETTINGS = ["train.every=0 12 * * *", "train.auto_enable=1500", "train.min_effective=500", "train.min_holdout_effective=50",
            "scaling.first=4000", "scaling.step=1500", "scaling.most=9000", "scaling.every=3d", "learner.trees=40",
            "learner.early_stopping=10", "tune.every=6h", "streams.window=2d", "streams.min_accuracy=0.5",
            "target.move.comparison=non_inferior", "target.move.margin=0.2", "target.move.require=accuracy>=0.2", "gate.max_gain_share=1", "train.min_recent_accuracy=none",
            "signal.min_recent_accuracy=none", "gate.draws=200", "cycle.commit_every=24"]
WAYS = ["trees", "leaves", "calibration"]


@pytest.fixture(scope="module")
def bars(shared_data):
    folder = shared_data / "crypto" / "bars_5m_2022_2023"
    if not folder.is_dir():
        pytest.skip("the recorded crypto bars are not here")
    return folder


def arguments(bars, way, until="2022-12-15"):
    return ["simulate", "--profile", "hybrid", "--input", bars, "--columns", "timestamp=date", "--symbol-from-file", "--to", until,
            *as_flags([*SETTINGS, f"tune.way={way}"]), "--json"]


@pytest.fixture(scope="module")
def runs(everlearn, bars, tmp_path_factory):
    """One finished directory a way, and its report."""
    made = {}
    for way in WAYS:
        directory = tmp_path_factory.mktemp(way)
        report = everlearn.run(*arguments(bars, way), "--data", directory).json()
        made[way] = (directory, report)
    return made


def moment(text):
    return int(numpy.datetime64(text.removesuffix("Z"), "us").astype(numpy.int64))


def status(everlearn, directory):
    return everlearn.run("status", "--data", directory, "--json").json()


def stream_verdicts(directory):
    with database(directory) as store:
        texts = store.execute("SELECT at, text FROM note WHERE kind = 'stream verdict' ORDER BY id").fetchall()
    return [(at, json.loads(text.split("\n")[1])) for at, text in texts]


def test_both_streams_are_written_down_side_by_side_and_one_serves(everlearn, runs, tmp_path):
    for way, (directory, _) in runs.items():
        rows = csv_rows(everlearn.export(directory, "predictions", tmp_path / f"{way}.csv"))
        by_key = {}
        for row in rows:
            by_key.setdefault((row["instrument"], row["event_time"]), []).append(row)
        assert all(sum(r["served"] == "true" for r in said) == 1 for said in by_key.values()), way
        both = [said for said in by_key.values() if len(said) == 2]
        assert both and all({r["stream"] for r in said} == {"base", "tuned"} for said in both), way
        told = status(everlearn, directory)
        assert told["tunes"] > 10 and set(told["stream_accuracy"]) == {"base", "tuned"}
        assert told["stream_ledgers"]["base"] != told["stream_ledgers"]["tuned"] != told["ledger_sha256"]


def test_a_tune_is_a_small_difference_to_its_base(everlearn, runs):
    for way, (directory, _) in runs.items():
        bases = [tunes.parent for tunes in (directory / "models").glob("*/tunes")]
        assert bases, way
        for base in bases:
            whole = (base / "forest.bin").stat().st_size
            for tune in (base / "tunes").iterdir():
                assert tune.stat().st_size < whole, (way, tune.name)


def test_the_daily_choice_is_recomputed_from_what_both_had_written_down(everlearn, runs, tmp_path):
    recompute, judged = gate_formulas(), 0
    for way, (directory, _) in runs.items():
        predictions = csv_rows(everlearn.export(directory, "predictions", tmp_path / f"{way}-said.csv"))
        said = {}
        for row in predictions:
            if row["p.0"] and row["rung"] != "baseline":
                said.setdefault((row["event_time"], row["instrument"]), {})[row["stream"]] = row
        labels = {(row["event_time"], row["instrument"]): row
                  for row in csv_rows(everlearn.export(directory, "labels", tmp_path / f"{way}-labels.csv"))
                  if row["label_state"] == "known"}
        serving = "base"
        for at, told in stream_verdicts(directory):
            verdict = told["verdict"]
            assert told["before"] == serving or told["before"] == "base"  # a new base starts with its own stream
            expected = {"promoted": "tuned", "refused": "base"}.get(verdict["outcome"], told["before"])
            assert told["after"] == expected
            serving = told["after"]
            if verdict["outcome"] == "insufficient" or not verdict["rows"]:
                continue
            rows = []
            for (event_time, instrument), streams in sorted(said.items()):
                label = labels.get((event_time, instrument))
                when = moment(event_time)
                if len(streams) < 2 or label is None or not verdict["holdout_first"] <= when <= verdict["holdout_last"]:
                    continue
                if moment(label["label_known_at"]) > at:
                    continue
                p = {name: [float(row[f"p.{k}"]) for k in range(3)] for name, row in streams.items()}
                outcome = float(label["label"])
                rows.append({"instrument": instrument, "event_time": when, "label_end": moment(label["label_end"]),
                             "outcome": outcome, "price": float(streams["base"]["price"]), "move": outcome - 1, "no_change": None,
                             "candidate": p["tuned"], "champion": p["base"], "baseline": p["base"],
                             "candidate_uncalibrated": [], "set": 0})
            assert len(rows) == verdict["rows"]
            rules = {"task": "classes", "classes": 3, "directional": True, "unit": "relative", "require": {"accuracy": 0.5},
                     "comparison": "non_inferior", "margin": 0.2, "min_effective": 50, "min_blocks": 5, "half_tick": 0,
                     "max_gain_share": 1, "block": 60 * 60 * 1_000_000, "draws": 200, "seed": 1, "label_min": 0, "label_max": 0,
                     "cost_relative": 0, "periods_per_year": 365}
            mine = recompute.Gate(rules, rows).checks()
            verdict["checks"] = [c for c in verdict["checks"] if c["name"] != "attempts_per_row"]
            assert recompute.differences(verdict, mine) == []
            judged += 1
    assert judged > 3


def test_trainings_say_how_many_rows_were_wanted_and_there(everlearn, runs):
    directory, _ = runs["trees"]
    reasons = [row[0] for row in database(directory).execute("SELECT reason FROM verdict ORDER BY id")]
    assert any("scaling, period 2: 7000 rows wanted, " in reason for reason in reasons), reasons
    timeline = everlearn.run("schedule", "scaling", "--data", directory, "--json").json()
    assert [step["rows"] for step in timeline["steps"]] == [4000, 5500, 7000, 8500, 9000]
    assert timeline["period"] == 2 and timeline["rows_wanted"] == 7000


def test_a_training_by_hand_takes_the_newest_rows_it_is_told_and_validates(everlearn, runs):
    directory, _ = runs["calibration"]
    done = everlearn.run("train", "--data", directory, "--limit", "5000", "--validate", "--force", status=None)
    assert done.status in (0, 1) and "validated on" in done.err and "not_constant" in done.err
    assert done.status == (0 if " promoted: " in done.out else 1)
    reason = database(directory).execute("SELECT reason FROM verdict ORDER BY id DESC").fetchone()[0]
    assert "by hand: 5000 rows wanted, all there" in reason
    refused = everlearn.run("train", "--data", directory, "--limit", "5000", "--progressive", status=None)
    assert refused.status == 2


def test_a_damaged_champion_is_never_used_and_another_can_be_trained(everlearn, runs):
    directory, _ = runs["calibration"]
    for forest in (directory / "models").glob("*/forest.bin"):
        bytes_ = bytearray(forest.read_bytes())
        bytes_[len(bytes_) // 2] ^= 1
        forest.write_bytes(bytes_)
    everlearn.run("train", "--data", directory, "--force", status=None)
    with database(directory) as store:
        notes = [text for (text,) in store.execute("SELECT text FROM note WHERE kind = 'model refused at load'")]
        reasons = [reason for (reason,) in store.execute("SELECT reason FROM verdict ORDER BY id")]
    assert notes and "by hand" in reasons[-1]


def test_copies_for_older_tools_lie_under_their_names(runs):
    directory, _ = runs["trees"]
    champion = (directory / "models" / "current_move").read_text().strip()
    text = (directory / "models" / "lightgbm_model.txt").read_bytes()
    assert text == (directory / "models" / champion / "trainer" / "model.txt").read_bytes()
    told = json.loads((directory / "models" / f"model_metadata_{champion[:12]}.json").read_text())
    assert told["model_id"] == champion and 0 < told["accuracy"] < 1 and told["rows"] > 1000


def test_killed_runs_continue_to_the_same_streams(everlearn, bars, runs, tmp_path):
    directory, calm = runs["trees"]
    moments = random.Random(5)
    for _ in range(3):
        child = everlearn.start(*arguments(bars, "trees"), "--data", tmp_path)
        try:
            child.communicate(timeout=moments.uniform(2, 6))
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
    again = everlearn.run(*arguments(bars, "trees"), "--data", tmp_path).json()
    assert again["ledger_sha256"] == calm["ledger_sha256"]
    assert status(everlearn, tmp_path)["stream_ledgers"] == status(everlearn, directory)["stream_ledgers"]


def test_why_tells_which_stream_serves(everlearn, runs):
    directory, _ = runs["leaves"]
    why = everlearn.run("why", "stream", "--data", directory).out
    assert "serves" in why and "gain_over_champion_p05" in why and "attempts_per_row" in why
    machine = everlearn.run("why", "stream", "--data", directory, "--json").json()
    assert machine["serves"] in ("base", "tuned") and math.isfinite(machine["accuracy"]["base"])


def test_a_new_base_is_not_blamed_for_the_one_before(everlearn, bars, tmp_path):
    """Asked for an accuracy that nothing reaches: one training from scratch a champion, not within six hours of any training, and not
    before 200 predictions of its own are known (34 cycles of six pairs, and half an hour until the last outcome)."""
    asked = as_flags(["tune.way=none", "train.min_recent_accuracy=0.99", "train.recent_gap=6h"])
    everlearn.run(*arguments(bars, "none", until="2022-12-10"), *asked, "--data", tmp_path)
    with database(tmp_path) as store:
        trainings = store.execute("SELECT as_of, reason, champion_before FROM verdict ORDER BY id").fetchall()
        promoted = dict((text.split(": ")[1], at) for at, text in
                        store.execute("SELECT at, text FROM note WHERE kind = 'promoted' ORDER BY id DESC"))
    scratch = [(number, row) for number, row in enumerate(trainings) if row[1].startswith("from scratch")]
    assert len(scratch) > 2
    hour = 3_600_000_000
    for number, (as_of, _, champion) in scratch:
        assert as_of - trainings[number - 1][0] >= 6 * hour
        assert as_of - promoted[champion] >= 34 * hour / 6
    assert len({champion for _, (_, _, champion) in scratch}) == len(scratch)
