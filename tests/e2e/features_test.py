"""What a row is made of, and rows of the past that get new columns."""

import collections
import csv
import datetime
import random

import pytest
from row_tables import csv_rows

MARKETS = 3
STEP_S = 60


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    """Two days of prices each minute, with quotes; one market begins late, one is silent for hours."""
    file = tmp_path_factory.mktemp("prices") / "prices.csv"
    walk = random.Random(3)
    value = [0.3, 0.5, 0.7]
    begin = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)
    with open(file, "w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["timestamp", "token", "price"])
        for step in range(2 * 86400 // STEP_S):
            at = begin + datetime.timedelta(seconds=step * STEP_S)
            for market in range(MARKETS):
                value[market] = min(0.95, max(0.05, value[market] + walk.gauss(0, 0.003)))
                silent = (market == 1 and step < 300) or (market == 2 and 900 < step < 1300)
                if not silent:
                    rows.writerow([at.isoformat().replace("+00:00", "Z"), f"m{market}", f"{value[market]:.4f}"])
    return file


BASE = ["cycle.every=5m", "examples.every=15m", "train.learning=false"]
DENSE = ["prices.every=15m", "features.dense=diff_1h", "source.gap_after=45m"]
FEW = "features.use=ret_1,hour_sin"
MORE = "features.use=ret_1,hour_sin,vol_12,rsi_14,breadth_1"


def simulate(everlearn, prices, directory, *settings):
    return everlearn.simulate(directory, ["--profile", "polymarket", "--preset", "prices", "--input", prices],
                              [*BASE, *settings])


def examples(everlearn, directory):
    return csv_rows(everlearn.export(directory, "examples", directory / "examples.csv"))


def rebuild(everlearn, directory, to, *settings, status=0):
    return everlearn.run("features", "rebuild", "--data", directory, "--to", to, "--json",
                         *[part for setting in settings for part in ("--set", setting)], status=status)


def test_the_profile_for_prediction_markets_has_every_group_of_features(everlearn):
    told = everlearn.run("features", "list", "--profile", "polymarket", "--used", "--json").json()
    groups = collections.Counter(feature["group"] for feature in told["features"])
    assert told["used"] == len(told["features"]) >= 130
    assert groups["book"] >= 20
    assert groups["time series"] >= 25
    assert groups["trade flow"] >= 15
    assert groups["market quality"] >= 10
    assert groups["derived"] + groups["regime"] + groups["indicators"] + groups["defined"] >= 20 <= groups["derived"]
    assert groups["time"] + groups["fields"] >= 10
    names = {feature["name"]: feature for feature in told["features"]}
    for wanted in ("spread", "relative_spread", "spread_change_1m", "imbalance5", "bid_slope5", "ask_slope5",
                   "microprice", "weighted_mid5", "ret_5m", "ret_15m", "ret_1h", "ret_4h", "ret_24h", "vol_1h", "vol_1d", "vol_7d",
                   "vol_ann_1h", "vol_ann_1d", "sma_ratio_5", "sma_ratio_20", "combined_momentum_6h", "acf1_1d",
                   "hurst_1d", "trade_rate_5m", "flow_imbalance_1h", "buy_ratio_1h", "effective_spread_1h",
                   "liquidity_score", "regime_7d", "flow_depth_5m", "reversion_1d", "quality_momentum_1h", "rsi_14",
                   "z_1h", "jump_count_1d", "gap_count_1h", "liquidity_events_1h", "days_to_end", "hour", "weekday",
                   "volume_24h", "liquidity"):
        assert wanted in names, wanted
    for side in ("bid_size", "ask_size"):
        assert all(f"{side}{level}" in names for level in range(1, 6))
    for amount in (10, 50, 100):
        assert {f"buy_impact{amount}", f"sell_impact{amount}", f"round_trip{amount}"} <= names.keys()
    # Windows of the cycles end at an hour, those of the dense grid at seven days.
    cycles = [feature for feature in told["features"] if feature["use"] == "each cycle"]
    dense = [feature for feature in told["features"] if feature["use"] == "dense"]
    assert told["step"] == "10s" and told["dense_step"] == "15m"
    assert max(feature["warm_up"] for feature in cycles) <= 3600 / 10 + 1
    assert max(feature["warm_up"] for feature in dense) <= 7 * 96 + 20
    assert len({feature["column"] for feature in told["features"]}) == told["used"]


def test_a_rebuilt_directory_has_what_a_run_with_these_features_would_have_had(everlearn, prices, tmp_path):
    simulate(everlearn, prices, tmp_path / "old", FEW)
    before = examples(everlearn, tmp_path / "old")
    wanted = [MORE, "features.define.twice=2 * rsi_14", "features.define.loud=where(vol_12 > 0.01, 1, 0) + twice"]
    told = rebuild(everlearn, tmp_path / "old", tmp_path / "new", *wanted).json()
    assert told["examples"] == len(before)
    assert [name.split("@")[0] for name in told["computed"]] == ["vol_12", "rsi_14", "breadth_1", "loud", "twice"]
    assert [name.split("@")[0] for name in told["kept"]] == ["ret_1", "hour_sin"]
    assert told["missing"] == told["dropped"] == []

    simulate(everlearn, prices, tmp_path / "whole", *wanted)
    rebuilt, whole = examples(everlearn, tmp_path / "new"), examples(everlearn, tmp_path / "whole")
    assert len(whole) > 400 and rebuilt == whole
    assert sum(row["f.rsi_14"] not in ("", "NaN", "nan") for row in whole) > 400
    # The old one is as it was, and both agree with their checksums.
    assert examples(everlearn, tmp_path / "old") == before
    for directory in ("old", "new"):
        assert everlearn.run("data", "verify", "--data", tmp_path / directory, "--json").json()["good"]
    assert csv_rows(everlearn.export(tmp_path / "new", "labels", tmp_path / "l1.csv")) == \
        csv_rows(everlearn.export(tmp_path / "old", "labels", tmp_path / "l2.csv"))


def test_dense_features_are_computed_of_the_dense_prices_known_then(everlearn, prices, tmp_path):
    simulate(everlearn, prices, tmp_path / "old", FEW, *DENSE)
    wanted = ["features.dense=diff_1h,vol_4h,range_position_1d", "features.define.both=diff_1h * vol_4h", MORE]
    told = rebuild(everlearn, tmp_path / "old", tmp_path / "new", *wanted).json()
    # Dense prices are all that is kept of prices here: features of the cycles are missing in the past.
    assert [name.split("@")[0] for name in told["missing"]] == ["vol_12", "rsi_14", "breadth_1"]
    assert [name.split("@")[0] for name in told["computed"]] == ["vol_4h", "range_position_1d", "both"]
    simulate(everlearn, prices, tmp_path / "whole", FEW, *DENSE, *wanted)
    rebuilt, whole = examples(everlearn, tmp_path / "new"), examples(everlearn, tmp_path / "whole")
    unknown = {"f.vol_12", "f.rsi_14", "f.breadth_1"}
    assert len(rebuilt) == len(whole) > 400
    for ours, theirs in zip(rebuilt, whole):
        assert all(ours[name] in ("", "NaN", "nan") for name in unknown)
        assert ours | {name: theirs[name] for name in unknown} == theirs
    assert sum(row["f.vol_4h"] not in ("", "NaN", "nan") for row in whole) > 300


def test_a_rebuild_that_cannot_be_says_why_and_leaves_nothing(everlearn, prices, tmp_path):
    simulate(everlearn, prices, tmp_path / "old", FEW)
    nothing = rebuild(everlearn, tmp_path / "old", tmp_path / "new", status=10)
    assert "nothing to rebuild" in nothing.err
    cycle = rebuild(everlearn, tmp_path / "old", tmp_path / "new", MORE, "cycle.every=15m", status=10)
    assert "cycle.every was 5m, is 15m: a rebuild changes features alone" in cycle.err
    wrong = rebuild(everlearn, tmp_path / "old", tmp_path / "new", "features.define.mine=ret_2 + 1", status=10)
    assert 'features.define.mine: at 1: "ret_2" is no column of the row; did you mean "ret_1"?' in wrong.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]
    rebuild(everlearn, tmp_path / "old", tmp_path / "new", MORE)
    again = rebuild(everlearn, tmp_path / "old", tmp_path / "new", MORE, status=2)
    assert "is there already" in again.err
