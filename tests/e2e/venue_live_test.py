"""The live system over several recorded days, against a venue whose clock runs as fast as the engine's: collects, is killed for
eight recorded hours, fills its holes, labels, enables itself, trains, promotes, survives the scripted faults, refuses a bad
candidate, rolls back; and what it says agrees with what the venue knows. Prices and outcomes are recorded; depth is made by the
venue's rule, so nothing here is a result about trading.
"""

import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import tomllib

import pyarrow.parquet as parquet
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from venue import Venue  # noqa: E402

SPEED = 1200.0  # a recorded day in 72 seconds
BEGIN = datetime.datetime(2026, 1, 12, tzinfo=datetime.timezone.utc)
MARKETS = 24
PATIENCE_S = 280
# No regression of these prices passes the gate, which is its verdict on them. What can be learned here is whether a price moves at
# all: the target that acts is a class, and the profile's two look on.
SETTINGS = [
    "cycle.every=60s", "venue.markets=24", "venue.min_volume_24h=0", "venue.refresh=10m", "train.auto_enable=300",
    "train.min_effective=120", "train.min_holdout_effective=40", "train.every=6h", "train.delay=10m", "train.stop_share=0.1",
    "target.change_1h.acts=false", "target.moves_1h.acts=true", "target.moves_1h.label=direction_3", "target.moves_1h.flat=0.005",
    "target.moves_1h.horizon=1h", "target.moves_1h.tolerance=20m", "target.moves_1h.comparison=non_inferior",
    "target.moves_1h.margin=0.1", "gate.max_gain_share=1", "gate.draws=200", "learner.trees=60", "learner.early_stopping=10",
    "signal.min_edge_bps=0", "store.base_every=2h", "alert.min_severity=critical",
]
DOT_ENV = "# of the bot\r\nPOLYBOT_ENABLE_ML=false  # later\r\nPOLYBOT_UNHEARD_OF=1\r\nWALLET_KEY=0xcanary000\r\n"


# At a cycle a minute, all the profile's features whose windows are minutes.
PROFILE = tomllib.loads((pathlib.Path(__file__).resolve().parents[2] / "profiles" / "polymarket.toml").read_text(encoding="utf-8"))
FEATURES = [name for name in PROFILE["features"]["use"] if not name.endswith("0s")]


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Run:
    """A data directory, the venue beside it, and the daemon that works there now."""

    def __init__(self, everlearn, shared, folder):
        self.everlearn, self.folder, self.data = everlearn, folder, folder / "data"
        everlearn.place = folder
        (folder / ".env").write_bytes(DOT_ENV.encode())
        self.real = datetime.datetime.now(datetime.timezone.utc)
        self.anchor = (stamp(self.real), stamp(BEGIN))
        self.venue = Venue(folder / "venue", shared / "polymarket", scenario={"made_every": "60s"},
                           recordings=["price_history_10m"], speed=SPEED, anchor=self.anchor, log=True)
        self.settings = [*SETTINGS, "features.use=" + ",".join(FEATURES), *(f"venue.{name}={self.venue.url}" for name in ("gamma", "clob", "data")),
                         f"venue.socket={self.venue.ws_url}"]
        self.daemon = None

    def now(self):
        return BEGIN + (datetime.datetime.now(datetime.timezone.utc) - self.real) * SPEED

    def start(self, *words):
        flags = [word for setting in self.settings for word in ("--set", setting)]
        (self.data / "control.sock").unlink(missing_ok=True)
        self.log = open(self.folder / "daemon.txt", "a", encoding="utf-8")
        self.daemon = subprocess.Popen(
            [self.everlearn.program, "run", "--profile", "polymarket", "--data", str(self.data), "--clock-speed", str(SPEED), "--clock-anchor",
             ",".join(self.anchor), *flags, *words], cwd=self.folder, env=self.everlearn.environment, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log)
        self.wait("its socket", (self.data / "control.sock").exists)

    def kill(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def stop_daemon(self):
        self.daemon.terminate()
        assert self.daemon.wait(60) == 0, self.tail()

    def tail(self):
        return (self.folder / "daemon.txt").read_text(encoding="utf-8", errors="replace")[-3000:]

    def run(self, *words, **how):
        return self.everlearn.run(*words, "--data", self.data, **how)

    def status(self):
        return self.run("status", "--json").json()

    def progress(self, name):
        status = self.status()
        return {**status, "labelled": status["examples"]["labelled"], "examples": status["examples"]["collected"]}[name]

    def champion(self):
        return {one["target"]: one["model"] for one in self.status()["champions"]}["moves_1h"]

    def wait(self, what, condition, limit_s=PATIENCE_S):
        deadline = time.monotonic() + limit_s
        while True:
            assert self.daemon.poll() is None, self.tail()
            found = condition()
            if found:
                return found
            assert time.monotonic() < deadline, f"{what}: not within {limit_s} s\n{self.tail()}\n{self.run('status', status=None).out}"
            time.sleep(0.3)

    def wait_market_hours(self, hours):
        until = self.now() + datetime.timedelta(hours=hours)
        self.wait(f"{hours} h of market time", lambda: self.now() >= until)

    def rows(self, dataset, **filters):
        file = self.folder / f"{dataset}.parquet"
        file.unlink(missing_ok=True)
        self.everlearn.export(self.data, dataset, file)
        rows = parquet.read_table(file).to_pylist()
        return [row for row in rows if all(row[key] == value for key, value in filters.items())]


@pytest.fixture(name="live")
def fixture_live(everlearn, shared_data, tmp_path):
    run = Run(everlearn, shared_data, tmp_path)
    try:
        yield run
    finally:
        if run.daemon and run.daemon.poll() is None:
            run.daemon.kill()
            run.daemon.wait()
        run.venue.process.kill()


def quarter_hours(first, last):
    step = datetime.timedelta(minutes=15)
    at = first.replace(minute=first.minute - first.minute % 15, second=0, microsecond=0) + step
    while at <= last:
        yield at
        at += step


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
