"""The proof against look-ahead: a run to T gives exactly what a longer run had said, decided and judged up to T."""

import csv
import gzip

import demo_cut
import pytest
from row_tables import csv_rows

# What an outcome made of a row later is no part of what was said.
LATER = {"predictions": ("outcome", "outcome_known_at"), "intents": ("state", "reason")}
DATASETS = {"examples": "event_time", "labels": "label_known_at", "predictions": "event_time", "intents": "created",
            "fills": "event_time", "verdicts": "as_of", "equity": "event_time"}


def said_until(everlearn, directory, dataset, until):
    rows = csv_rows(everlearn.export(directory, dataset, directory / f"{dataset}.csv"))
    rows = [row for row in rows if row[DATASETS[dataset]] <= until]
    for row in rows:
        for column in LATER.get(dataset, ()):
            row.pop(column)
        for column in [c for c in row if c.startswith("label") and dataset == "examples"]:
            row.pop(column)
    return rows


def outcomes_until(directory, until):
    """The outcomes that predictions had by then."""
    return [(row["instrument"], row["event_time"], row["target"], row["outcome"]) for row in
            csv_rows(directory / "predictions.csv") if row["outcome_known_at"] and row["outcome_known_at"] <= until]


def compare(everlearn, short, long, until):
    for dataset in DATASETS:
        mine = said_until(everlearn, short, dataset, until)
        theirs = said_until(everlearn, long, dataset, until)
        assert len(mine) == len(theirs), dataset
        for a, b in zip(mine, theirs):
            assert a == b, dataset
        assert mine or dataset in ("intents", "fills"), f"no {dataset}: nothing was compared"
    assert outcomes_until(short, until) == outcomes_until(long, until) != []


def cut_short(source, target, before):
    """The rows earlier than `before`, as another file: what lies behind it cannot even be read."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as rows, open(target, "w", encoding="utf-8") as out:
        reader, writer = csv.reader(rows), csv.writer(out, lineterminator="\n")
        writer.writerow(next(reader))
        writer.writerows(row for row in reader if row[0] < before)
    return target


@pytest.mark.parametrize("cut", ["1991-10-15", "1992-07-15"])
def test_daily_prices_cut_at_a_time_give_the_same_up_to_it(everlearn, recordings, tmp_path, cut):
    files = demo_cut.inputs(recordings)
    long = tmp_path / "long"
    everlearn.simulate(long, demo_cut.arguments(files, "1993-01-01"), demo_cut.SETTINGS)
    short_files = [cut_short(file, tmp_path / f"{file.name}.short.csv", cut) for file in files]
    report = everlearn.simulate(tmp_path / "short", demo_cut.arguments(short_files, "1993-01-01"), demo_cut.SETTINGS)
    compare(everlearn, tmp_path / "short", long, report["to"])
    # --to leaves out exactly what a shorter file does not have.
    same = everlearn.simulate(tmp_path / "to", demo_cut.arguments(files, cut), demo_cut.SETTINGS)
    assert same["ledger_sha256"] == report["ledger_sha256"]


def test_prediction_markets_cut_at_a_time_give_the_same_up_to_it(everlearn, shared_data, tmp_path):
    source = shared_data / "polymarket" / "price_history_10m" / "resolved_markets.csv.gz"
    settings = ["learner.trees=20", "train.every=24h", "train.auto_enable=500", "train.min_effective=200",
                "train.min_holdout_effective=50", "signal.baseline_may_act=true", "store.segment_rows=4000",
                "store.segment_age=1d"]
    # What decides the fate of a market stands in rows after the cut: the whole file, and a copy without them.
    common = ["--profile", "polymarket", "--preset", "prices", "--columns", "token=market_slug"]
    everlearn.simulate(tmp_path / "long", [*common, "--input", source, "--to", "2026-01-10"], settings)
    cut = cut_short(source, tmp_path / "short.csv", "2026-01-08 07:30:00")
    report = everlearn.simulate(tmp_path / "short", [*common, "--input", cut], settings)
    assert len(report["trainings"]) >= 2
    compare(everlearn, tmp_path / "short", tmp_path / "long", report["to"])
