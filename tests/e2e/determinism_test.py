"""Equal seed and input give an equal ledger: again, with other threads, and from the same rows in other files."""

import gzip
import shutil

import demo_cut
import pytest

TO = "1992-10-01"


@pytest.fixture(scope="module")
def simulate(everlearn, recordings, tmp_path_factory):
    def run(files=None, settings=()):
        files = files or demo_cut.inputs(recordings)
        directory = tmp_path_factory.mktemp("data")
        return everlearn.simulate(directory, demo_cut.arguments(files, TO), [*demo_cut.SETTINGS, *settings])

    return run


@pytest.fixture(scope="module")
def first(simulate):
    report = simulate()
    # A hash over a run in which nothing happens would prove nothing.
    assert report["predictions"] > 1000 and report["fills"] > 0
    assert any(training["verdict"] == "promoted" for training in report["trainings"])
    return report


def same(report, first):
    assert report["ledger_sha256"] == first["ledger_sha256"]
    for count in ("cycles", "events", "predictions", "intents", "fills", "examples", "signals", "live", "paper"):
        assert report[count] == first[count], count


def test_a_second_run_gives_the_same_ledger(simulate, first):
    same(simulate(), first)


def test_threads_and_commits_do_not_change_the_ledger(simulate, first):
    # cycle.commit_every only says how often a simulation writes down where it is.
    same(simulate(settings=["train.threads=2", "cycle.commit_every=17"]), first)


def test_plain_copies_under_other_names_in_another_order_give_the_same_ledger(simulate, first, recordings, tmp_path):
    copies = []
    for original, name in zip(demo_cut.inputs(recordings), ("twenty.csv", "a-market.csv")):
        with gzip.open(original, "rb") as packed, open(tmp_path / name, "wb") as plain:
            shutil.copyfileobj(packed, plain)
        copies.insert(0, tmp_path / name)
    same(simulate(files=copies), first)


def test_one_file_with_all_rows_gives_the_same_ledger(simulate, first, recordings, tmp_path):
    whole = tmp_path / "everything.csv"
    with open(whole, "wb") as plain:
        for number, original in enumerate(demo_cut.inputs(recordings)):
            lines = gzip.decompress(original.read_bytes()).splitlines(keepends=True)
            plain.writelines(lines if number == 0 else lines[1:])
    same(simulate(files=[whole]), first)


def test_another_seed_gives_another_ledger(simulate, first):
    assert simulate(settings=["seed=2"])["ledger_sha256"] != first["ledger_sha256"]
