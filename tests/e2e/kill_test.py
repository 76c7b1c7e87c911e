"""kill -9 at twenty random moments: each restart goes on, and the end is that of a run nobody disturbed."""

import random
import subprocess
import time

import demo_cut
import pytest
from everlearn_cli import as_flags
from row_tables import csv_rows, no_key_twice

KILLS = 20
KEYS = {"predictions": ("instrument", "event_time", "target"), "examples": ("instrument", "event_time"),
        "labels": ("instrument", "event_time", "target"), "verdicts": ("verdict", "check"),
        "prices": ("instrument", "event_time"), "intents": ("intent",), "equity": ("event_time",), "fills": ()}


@pytest.fixture(scope="module")
def command(recordings):
    settings = [*demo_cut.SETTINGS, "cycle.commit_every=8", "store.segment_rows=1000"]
    return ["simulate", *demo_cut.arguments(demo_cut.inputs(recordings), "1991-07-15"), *as_flags(settings), "--json"]


def exported(everlearn, directory):
    texts = {}
    for dataset, key in KEYS.items():
        file = everlearn.export(directory, dataset, directory / f"{dataset}.csv")
        texts[dataset] = file.read_text(encoding="utf-8")
        if key:
            no_key_twice(csv_rows(file), *key)
    return texts


def row_counts(everlearn, directory):
    stats = everlearn.run("data", "stats", "--data", directory, "--json").json()
    return {dataset["dataset"]: dataset["rows"] for dataset in stats["datasets"]}


def test_a_run_killed_again_and_again_ends_as_one_left_alone(everlearn, command, tmp_path):
    began = time.monotonic()
    calm = everlearn.run(*command, "--data", tmp_path / "calm").json()
    length = time.monotonic() - began
    rows, tables = row_counts(everlearn, tmp_path / "calm"), exported(everlearn, tmp_path / "calm")
    assert rows["predictions"] > 0 and rows["labels"] > 0 and calm["trainings"]

    moments = random.Random(3)
    kills, restarts_in_work, round_number = 0, 0, 0
    while kills < KILLS:
        round_number += 1
        directory = tmp_path / f"round-{round_number}"
        arguments = [*command, "--data", directory]
        cut_short = 0
        while kills < KILLS:
            child = everlearn.start(*arguments)
            try:
                _, problem = child.communicate(timeout=moments.uniform(0.02, 0.35) * length)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                kills += 1
                cut_short += 1
                continue
            assert child.returncode == 0, problem
            break  # it came to its end before its moment
        last = everlearn.run(*arguments)
        report = last.json()
        restarts_in_work += cut_short
        assert report["ledger_sha256"] == calm["ledger_sha256"], f"after {cut_short} kills"
        assert row_counts(everlearn, directory) == rows
        assert exported(everlearn, directory) == tables
        for figure in ("cycles", "events", "examples", "predictions", "signals", "intents", "fills", "live", "paper",
                       "coverage"):
            assert report[figure] == calm[figure], figure
        everlearn.run("data", "verify", "--data", directory)
    assert restarts_in_work == KILLS


def test_a_finished_directory_prints_its_report_again(everlearn, command, tmp_path):
    first = everlearn.run(*command, "--data", tmp_path / "run")
    again = everlearn.run(*command, "--data", tmp_path / "run")
    assert "done" in again.err
    a, b = first.json(), again.json()
    a.pop("bytes_on_disk"), b.pop("bytes_on_disk")  # a database closes its journal when it is left
    assert a == b
