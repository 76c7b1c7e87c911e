"""Retention deletes whole segments, says so, and changes no decision."""

import demo_cut
import pytest
from row_tables import csv_rows, database

TO, DAYS = "1993-01-01", 500
# Trainings look back less far than retention keeps.
SETTINGS = (*demo_cut.SETTINGS, "train.window=400d", "store.segment_rows=2000", "store.segment_age=60d")


@pytest.fixture(scope="module")
def runs(everlearn, recordings, tmp_path_factory):
    both = {}
    for name, days in (("kept", 0), ("thinned", DAYS)):
        directory = tmp_path_factory.mktemp(name)
        report = everlearn.simulate(directory, demo_cut.arguments(demo_cut.inputs(recordings), TO),
                                    [*SETTINGS, f"retention.days={days}"])
        both[name] = (report, directory)
    return both


def segments(directory):
    with database(directory) as db:
        rows = db.execute("select s.id, s.dataset, s.path, s.rows, s.first_event, s.last_event, r.at from segment s "
                          "left join retired r on r.segment = s.id order by s.id").fetchall()
        names = ("id", "dataset", "path", "rows", "first_event", "last_event", "retired")
    return [dict(zip(names, row)) for row in rows]


def test_what_was_deleted_changes_no_decision(runs):
    kept, thinned = runs["kept"][0], runs["thinned"][0]
    assert kept["ledger_sha256"] == thinned["ledger_sha256"]
    assert kept["trainings"] and kept["predictions"] == thinned["predictions"] > 0


def test_whole_segments_go_and_leave_a_tombstone(runs):
    _, directory = runs["thinned"]
    all_segments = segments(directory)
    gone = [s for s in all_segments if s["retired"] is not None]
    assert gone and len(gone) < len(all_segments)
    limit = DAYS * 86_400_000_000
    for segment in all_segments:
        there = (directory / segment["path"]).exists()
        assert there == (segment["retired"] is None), segment
        if segment["retired"] is not None:
            assert segment["last_event"] < segment["retired"] - limit  # its newest row was too old, so all were
    assert not [s for s in segments(runs["kept"][1]) if s["retired"] is not None]


def test_what_is_left_is_counted_and_readable(everlearn, runs):
    _, directory = runs["thinned"]
    stats = everlearn.run("data", "stats", "--data", directory, "--json").json()
    sealed = {}
    for segment in segments(directory):
        if segment["retired"] is None:
            sealed[segment["dataset"]] = sealed.get(segment["dataset"], 0) + segment["rows"]
    numbers = {"prices": 0, "events": 1, "examples": 2, "labels": 3, "predictions": 4}
    for dataset in stats["datasets"]:
        assert dataset["sealed_rows"] == sealed.get(numbers[dataset["dataset"]], 0), dataset
    everlearn.run("data", "verify", "--data", directory)
    # The rows that stayed are those of the run that deleted nothing.
    whole = csv_rows(everlearn.export(runs["kept"][1], "predictions", runs["kept"][1] / "p.csv"))
    left = csv_rows(everlearn.export(directory, "predictions", directory / "p.csv"))
    assert 0 < len(left) < len(whole)
    assert left == whole[-len(left):]


def test_a_model_whose_rows_went_keeps_its_verdict_marked_evidence_expired(everlearn, runs):
    report, directory = runs["thinned"]
    judged = [training["model"] for training in report["trainings"] if training["checks"]]

    def shown(model):
        return everlearn.run("models", "show", "--data", directory, "--model", model, "--json").json()

    assert shown(judged[0])["evidence_expired"] and shown(judged[0])["card"]["verdict"]["checks"]
    assert not shown(judged[-1])["evidence_expired"]


def test_deleting_is_noted(runs):
    with database(runs["thinned"][1]) as db:
        notes = [" ".join(map(str, row)) for row in db.execute("select * from note")]
    assert any("retention" in note or "retired" in note or "deleted" in note for note in notes), notes[:5]


def test_a_dry_run_says_what_would_go_and_deletes_nothing(everlearn, runs):
    _, directory = runs["kept"]
    before = segments(directory)
    rule = ["--data", directory, "--set", "retention.days=450"]
    plan = everlearn.run("data", "retain", *rule, "--dry-run", "--json").json()
    assert plan["segments"] and not plan["deleted"]
    assert segments(directory) == before
    assert all((directory / name).exists() for name in plan["segments"])
