"""A cycle predicts and logs; it makes no example: an hour of 10-second cycles on 50 markets leaves at most 50."""

import random

import pytest
from row_tables import csv_rows

MARKETS, HOURS, STEP_S = 50, 2, 10


@pytest.fixture(scope="module")
def dense_prices(tmp_path_factory):
    """50 markets every 10 seconds for an hour, and the hour in which their outcomes become known."""
    file = tmp_path_factory.mktemp("dense") / "dense.csv"
    walk = random.Random(7)
    prices = [walk.uniform(0.2, 0.8) for _ in range(MARKETS)]
    with open(file, "w", encoding="utf-8") as out:
        out.write("timestamp,token,price\n")
        for second in range(0, HOURS * 3600, STEP_S):
            for market in range(MARKETS):
                prices[market] = min(0.95, max(0.05, prices[market] + walk.gauss(0, 0.002)))
                stamp = f"2026-01-05T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
                out.write(f"{stamp},m{market:02},{prices[market]:.4f}\n")
    return file


def simulate(everlearn, file, directory, sample):
    return everlearn.simulate(directory, ["--profile", "polymarket", "--preset", "prices", "--input", file],
                              ["cycle.every=10s", f"examples.every={sample}"])


def test_an_hour_of_ten_second_cycles_on_fifty_markets_leaves_at_most_fifty(everlearn, dense_prices, tmp_path):
    report = simulate(everlearn, dense_prices, tmp_path / "data", "15m")
    steps = HOURS * 4
    assert report["cycles"] == HOURS * 3600 // STEP_S - 1  # none after the last event
    assert report["examples"]["collected"] <= MARKETS * steps
    assert 0 < report["examples"]["effective"] <= MARKETS
    assert report["examples"]["effective"] < report["examples"]["labelled"]
    # Each cycle speaks about each market, and writes that down; of the target that does not act at samples alone.
    said = csv_rows(everlearn.export(tmp_path / "data", "predictions", tmp_path / "p.csv"))
    assert sum(row["target"] == "change_1h" for row in said) == MARKETS * report["cycles"]
    assert sum(row["target"] == "relative_1h" for row in said) == report["examples"]["collected"]
    examples = csv_rows(everlearn.export(tmp_path / "data", "examples", tmp_path / "e.csv"))
    assert {row["event_time"][14:19] for row in examples} == {"00:00", "15:00", "30:00", "45:00"}


def test_an_example_each_cycle_makes_more_rows_and_no_more_evidence(everlearn, dense_prices, tmp_path):
    report = simulate(everlearn, dense_prices, tmp_path / "data", "cycle")
    assert report["examples"]["labelled"] > MARKETS * 300
    assert 0 < report["examples"]["effective"] <= MARKETS
    assert report["trainings"] == []  # 2,000 effective samples are wanted, whatever the rows
