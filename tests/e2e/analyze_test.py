"""Runs of `analyze`, one after the other, against one uninterrupted pass over the same rows; what a dropped run leaves; and what a
run costs, printed with -s."""

import time

import pytest
from growing_prices import STEP, TABLE, GrowingPrices

STEPS = 34
QUICK = ("--set", "train.auto_enable=0")  # no base: only what comes in


@pytest.fixture
def prices(tmp_path):
    return GrowingPrices(tmp_path)


class Runs:
    def __init__(self, everlearn, prices, data):
        self.everlearn, self.prices, self.data = everlearn, prices, data

    def run(self, now, *more, status=0):
        return self.everlearn.run("analyze", "--profile", self.prices.profile, "--source", self.prices.file, "--now", now, "--data",
                                  self.data, "--json", *more, status=status)

    def ask(self, *words):
        return self.everlearn.run(*words, "--data", self.data, "--json").json()


@pytest.fixture
def runs(everlearn, prices, tmp_path):
    return Runs(everlearn, prices, tmp_path / "data")


def exported(everlearn, data, folder):
    return [everlearn.export(data, dataset, folder / f"{data.name}-{dataset}.csv").read_bytes()
            for dataset in ("prices", "examples", "labels", "predictions")]


def test_run_after_run_comes_to_what_one_pass_comes_to(runs, tmp_path):
    """The ledger is the same as long as nothing was trained: a pass on a virtual clock judges a model within its cycle, a run after
    it. The rows are the same to the end, with what two models said in them."""
    said, everlearn = [], runs.everlearn

    def in_one_pass(name):
        everlearn.simulate(tmp_path / name, ["--profile", runs.prices.profile, "--input", runs.prices.file])
        return everlearn.run("status", "--data", tmp_path / name, "--json").json()

    for step in range(STEPS):
        said.append(runs.run(runs.prices.grow()).json())
        if step == 20:
            assert said[-1]["ledger_sha256"] == in_one_pass("some")["ledger_sha256"]
    assert [run["cycles"] for run in said] == [0] + [1] * (STEPS - 1)
    assert [run["rows"]["read"] for run in said] == [20] * STEPS
    assert all(run["gap"] is None for run in said)
    outcomes = [training["outcome"] for run in said for training in run["trainings"]]
    assert outcomes.count("promoted") == 2 and sum(run["predictions"] for run in said) > 100
    one = in_one_pass("one")
    assert exported(everlearn, runs.data, tmp_path) == exported(everlearn, tmp_path / "one", tmp_path)
    assert said[-1]["champions"] == {champion["target"]: champion["model"] for champion in one["champions"]}


def test_a_table_run_after_run_and_what_changes_in_it(everlearn, tmp_path):
    prices = GrowingPrices(tmp_path, TABLE)
    runs = Runs(everlearn, prices, tmp_path / "data")
    said = [runs.run(prices.grow()).json() for _ in range(12)]
    assert [run["rows"]["read"] for run in said] == [20] * 12
    everlearn.simulate(tmp_path / "one", ["--profile", prices.profile, "--source", prices.file])
    one = everlearn.run("status", "--data", tmp_path / "one", "--json").json()
    assert said[-1]["ledger_sha256"] == one["ledger_sha256"] and said[-1]["labels"] == 20

    rows = prices.file.read_text(encoding="utf-8").splitlines()
    time, token, _ = rows[-25].split(",")
    rows[-25] = f"{time},{token},123.5"
    rows.append(f"{time[:14]}41:00Z,{token},99.5")
    prices.file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    run = runs.run(prices.grow()).json()
    assert (run["rows"]["corrected"], run["rows"]["late"]) == (1, 1)
    assert runs.run(prices.grow()).json()["rows"]["corrected"] == 0


def test_a_dropped_run_is_a_gap_and_its_cycles_say_nothing(runs):
    for _ in range(STEPS - 4):
        last = runs.run(runs.prices.grow()).json()
    assert last["predictions"] == 20
    runs.prices.grow()
    after = runs.run(runs.prices.grow()).json()
    assert after["cycles"] == 2 and after["examples"] == 40 and after["predictions"] == 20
    assert after["gap"]["reason"] == "no run" and after["gap"]["start"] == last["at"] and after["gap"]["end"] == after["at"]
    gaps = runs.ask("data", "gaps")["longest_first"]
    assert [(gap["instrument"], gap["reason"], gap["seconds"]) for gap in gaps] == [("(all)", "no run", 2 * STEP.total_seconds())]
    assert runs.run(runs.prices.grow()).json()["gap"] is None


def test_a_due_training_can_be_left_to_another_run(runs):
    for _ in range(STEPS - 6):
        last = runs.run(runs.prices.grow(), "--no-train").json()
    assert last["trainings"] == [] and last["learning"] == "collecting"
    now = runs.prices.grow()
    assert [training["outcome"] for training in runs.run(now).json()["trainings"]] == ["promoted"]


def test_a_run_has_no_input_or_a_wrong_one(runs, tmp_path):
    assert "--snapshot requires --state" in runs.run("2026-01-05", "--snapshot", 3, status=2).err
    assert "--lease never" in runs.run("2026-01-05", "--state", tmp_path / "s", "--lease", "never", status=2).err
    assert "--now yesterday" in runs.run("yesterday", status=2).err
    nothing = runs.everlearn.run("analyze", "--profile", runs.prices.profile, "--data", tmp_path / "other", status=2)
    assert "--source" in nothing.err


def test_a_thousand_new_rows(runs, capsys):
    """The budget is two seconds; a measurement, not an assertion."""
    now = runs.prices.grow(30)
    runs.run(now, *QUICK)
    seconds = []
    for _ in range(3):
        now = runs.prices.grow(50)  # 50 steps of 20 rows
        begin = time.monotonic()
        run = runs.run(now, *QUICK).json()
        seconds.append(time.monotonic() - begin)
        assert run["rows"]["read"] == 1000 and run["cycles"] == 50
    with capsys.disabled():
        print(f"\n1,000 new rows, 50 cycles of 20 instruments: {', '.join(f'{s:.2f}' for s in sorted(seconds))} s")
