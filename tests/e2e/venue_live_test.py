"""The live system over several recorded days, against a venue whose clock runs as fast as the engine's: collects, is killed for
eight recorded hours, fills its holes, labels, enables itself, trains, promotes, survives the scripted faults, refuses a bad
candidate, rolls back; and what it says agrees with what the venue knows. Prices and outcomes are recorded; depth is made by the
venue's rule, so nothing here is a result about trading.
"""

import datetime
import time

import pytest
from live_run import DOT_ENV, SPEED, Run, stamp


@pytest.fixture(name="live")
def fixture_live(everlearn, shared_data, tmp_path):
    run = Run(everlearn, shared_data, tmp_path)
    try:
        yield run
    finally:
        run.end()


def test_days_of_a_live_system(live):
    live.start()
    live.wait("examples", lambda: live.progress("examples") > 100)
    live.wait_market_hours(9)

    # Killed for eight recorded hours.
    killed = live.now()
    live.kill()
    time.sleep(8 * 3600 / SPEED)
    live.start()
    back = live.now()
    live.wait("labels", lambda: live.progress("labelled") > 100)
    live.wait("the past", lambda: any(row["origin"] == "backfill" and killed < row["event_time"] < back for row in live.rows("prices")))

    # Everything that a script can do to it, half an hour each.
    assert live.status()["learning"] == "collecting"
    half = {"for": "30m"}
    sampled = {row["instrument"] for row in live.rows("examples")}
    ended = next(market for market in live.venue.markets() if market["tokens"][0] in sampled and market["stage"] == "trading")
    for kind, members in [("freeze", half), ("drop", {**half, "every": 3}), ("disconnect", {}), ("duplicate", half), ("malformed", half),
                          ("oversized", {**half, "bytes": 32 << 20}), ("status", {**half, "status": 429, "retry_after": 1}),
                          ("status", {**half, "status": 503}), ("mute", half), ("refuse", half), ("half_open", half),
                          ("tick_size", {"market": ended["slug"], "tick": "0.01"}), ("stop_orders", {"market": ended["slug"]}),
                          ("propose", {"market": ended["slug"], "payout": "1"}), ("dispute", {"market": ended["slug"]}),
                          ("resolve", {"market": ended["slug"], "payout": "1"})]:
        live.venue.fault(kind, **members)
        live.wait_market_hours(0.6)
    cycles = live.progress("cycles")
    live.wait("cycles after the faults", lambda: live.progress("cycles") > cycles + 20)

    # It enables itself, in its state and in the file, and touches nothing else there.
    live.wait("learning", lambda: live.status()["learning"] == "active")
    assert (live.folder / ".env").read_bytes() == DOT_ENV.replace("=false", "=true").encode()
    assert any(path.read_bytes() == DOT_ENV.encode() for path in live.folder.glob(".env.2*"))
    text = (live.data / "logs" / "polyb0t.log").read_text(encoding="utf-8")
    for line in ("Checking for missing price data to backfill...", "ML AUTO-ENABLED!", "Training new model...", "New model trained",
                 "Model swapped", "examples_with_targets", "NOT HONOURED", "POLYBOT_UNHEARD_OF"):
        assert line in text, line
    first = live.champion()
    assert (live.data / "models" / "current_model.txt").read_text().startswith("models/model_")

    # A second one, a bad one, and back.
    second = live.wait("another champion", lambda: live.champion() != first and live.champion())
    refused = lambda: [row for row in live.rows("verdicts") if row["outcome"] == "refused"]
    before = len(refused())
    live.wait("a training by hand", lambda: live.run("train", "--force", *BAD, status=None).status == 0)
    live.wait("its refusal", lambda: len(refused()) > before)
    assert live.champion() == second
    live.run("models", "rollback")
    assert live.champion() == first

    # A market that closes, is disputed and resolved by the script; another that its recording resolves.
    live.stop_daemon()
    compare_with_the_venue(live, killed, back)
    reasons = {row["reason"] for row in live.rows("labels") if row["instrument"] == ended["tokens"][0] and row["label_state"] == "void"}
    assert reasons, "the market that ended has labels that its end cut"


# Learns its rows by heart.
BAD = [word for param in ("learning_rate=1", "num_leaves=255", "max_depth=16", "min_data_in_leaf=1", "n_estimators=200", "lambda_l2=0", "lambda_l1=0",
                          "early_stopping_round=0") for word in ("--param", param)]


def compare_with_the_venue(live, killed, back):
    prices = live.rows("prices")
    by_token = {}
    for row in prices:
        assert (row["event_time"].minute % 15, row["event_time"].second) == (0, 0)
        by_token.setdefault(row["instrument"], {})[row["event_time"]] = row
    assert len(by_token) >= 2 * 20
    # What it saw itself is what the venue's books were around, and what it was told later is the recorded history.
    away, checked = [], 0
    for token, rows in by_token.items():
        for at, row in list(rows.items())[::9]:
            true = live.venue.control(f"price?token={token}&at={stamp(at)}")["price"]
            if true is None or row["kind"] not in ("mid", "past"):
                continue
            away.append(abs(row["price"] - float(true)))
            checked += 1
    assert checked > 300
    away.sort()
    assert away[len(away) // 2] <= 0.001 and away[int(0.95 * len(away))] <= 0.03, away[-20:]
    # No point of the pause was seen; those there are came from the history, and nothing is made of them.
    for rows in by_token.values():
        for at, row in rows.items():
            if killed + datetime.timedelta(minutes=2) < at < back - datetime.timedelta(minutes=2):
                assert row["origin"] == "backfill" and row["known_at"] > row["event_time"]
    examples = live.rows("examples")
    assert not [row for row in examples if killed + datetime.timedelta(minutes=2) < row["event_time"] < back - datetime.timedelta(minutes=2)]
    mirrors = {market["tokens"][1] for market in live.venue.markets()}
    assert not [row for row in examples if row["instrument"] in mirrors]
    # A label is the difference of two dense prices that were seen.
    compared = 0
    for row in examples:
        if row["label_state.change_1h"] != "known":
            continue
        rows = by_token[row["instrument"]]
        entry = rows.get(row["event_time"])
        exits = [rows[at] for at in (row["event_time"] + datetime.timedelta(minutes=60 - k) for k in (0, 15)) if at in rows and rows[at]["origin"] == "live"]
        assert entry and exits and row["label.change_1h"] == pytest.approx(exits[0]["price"] - entry["price"], abs=1e-9)
        compared += 1
    assert compared > 300
    # Paper fills: inside the venue's prices, never the past's.
    for fill in live.rows("fills"):
        assert 0 < fill["price"] < 1 or fill["reason"] == "resolution"
