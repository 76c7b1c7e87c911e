"""What is stored as a person asks for it: how it grows, what is missing, training data as a file, a training by other settings."""

import json

import pyarrow.csv
import pyarrow.parquet
import pytest
from growing_prices import BEGIN, STEP, GrowingPrices

STEPS = 400
HOLE = range(200, 230)  # five hours without a row


@pytest.fixture(scope="module")
def filled(everlearn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    prices = GrowingPrices(folder)
    prices.grow(STEPS)
    lines = prices.file.read_text(encoding="utf-8").splitlines(keepends=True)
    missing = {(BEGIN + step * STEP).isoformat() for step in HOLE}
    prices.file.write_text("".join(line for line in lines if line[:19] not in missing), encoding="utf-8")
    directory = folder / "filled"
    everlearn.simulate(directory, ["--profile", prices.profile, "--input", prices.file],
                       ["store.segment_rows=500", "train.auto_enable=0"])
    return directory


def test_stats_say_how_large_it_is_and_what_it_will_come_to(everlearn, filled):
    stats = everlearn.run("data", "stats", "--data", filled, "--json").json()
    lake = sum(dataset["sealed_bytes"] for dataset in stats["datasets"])
    assert stats["lake_bytes"] == lake > 0
    assert stats["growth_bytes_per_day"] > lake / 3  # the whole of it is under three days old
    assert 2 * 86400 < stats["growth_measured_seconds"] < 3 * 86400
    assert stats["cap_bytes"] == 0 and stats["days_to_cap"] is None
    assert stats["bytes_after_3_years"] > 2.9 * stats["bytes_after_1_year"]
    capped = everlearn.run("data", "stats", "--data", filled, "--json", "--set", "retention.disk_gb=0.1").json()
    assert capped["cap_bytes"] == 100_000_000 and 0 < capped["days_to_cap"] < 1000
    words = everlearn.run("data", "stats", "--data", filled).out
    assert "it grows by" in words and "after 1 year" in words and "retention: older than 1095d" in words


def test_gaps_are_listed_and_nobody_fills_them_here(everlearn, filled):
    gaps = everlearn.run("data", "gaps", "--data", filled, "--json").json()
    assert gaps["gaps"] == gaps["open"] == 20  # one a token
    first = gaps["longest_first"][0]
    assert first["seconds"] == (len(HOLE) + 1) * STEP.total_seconds()
    assert first["filled_from"] == "" and first["filled_at"] is None
    asked = everlearn.run("data", "backfill", "--data", filled, "--json").json()
    assert asked["text"].startswith("no daemon works here") and len(asked["open_longest_first"]) == 20


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_training_data_are_one_file_with_features_labels_and_where_the_price_came_from(everlearn, filled, tmp_path, form):
    file = everlearn.export(filled, "examples", tmp_path / f"training.{form}")
    table = pyarrow.parquet.read_table(file) if form == "parquet" else pyarrow.csv.read_csv(file)
    rows = table.to_pylist()
    # No cycle runs after the last row; a price of up to an hour ago makes an example in the hole.
    assert len(rows) == (STEPS - len(HOLE) - 1 + 5) * 20
    known = [row for row in rows if row["label_state.back"] == "known"]
    assert len(known) > 0.9 * len(rows)
    for row in known[100:110]:
        assert isinstance(row["label.back"], float) and isinstance(row["f.ret_1"], float)
    assert {(row["price_kind"], row["price_origin"]) for row in rows} == {("unknown", "recording")}
    prices = pyarrow.parquet.read_table(everlearn.export(filled, "prices", tmp_path / "prices.parquet"))
    assert set(prices.column("origin").to_pylist()) == {"recording"}
    assert prices.column_names == ["instrument", "event_time", "known_at", "price", "bid", "ask", "last", "kind", "origin"]


def test_a_training_by_other_settings_says_so_on_its_card(everlearn, filled):
    before = everlearn.run("models", "list", "--data", filled, "--json").json()
    everlearn.run("train", "--force", "--data", filled, "--param", "max_depth=2", "--param", "num_leaves=3",
                  "--param", "n_estimators=5")
    cards = [json.loads(card.read_text(encoding="utf-8")) for card in (filled / "models").glob("*/card.json")]
    assert len(cards) == 1 and before != everlearn.run("models", "list", "--data", filled, "--json").json()
    card = cards[0]
    assert (card["params"]["depth"], card["params"]["leaves"], card["params"]["trees"]) == (2, 3, 5)
    assert card["params"]["learning_rate"] == 0.05  # the profile's
    assert "with max_depth=2, num_leaves=3, n_estimators=5" in card["reason"]
    refused = everlearn.run("train", "--force", "--data", filled, "--param", "max_dept=2", status=2)
    assert '"max_depth" is near it' in refused.err
