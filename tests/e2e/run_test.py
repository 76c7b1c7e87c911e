"""The daemon over a file that grows: it learns, obeys through its socket, is killed, and has lost nothing.

A thread appends prices that return to their mean, so that there is something to learn. Every step waits for what it wants to
see, however slow the machine is, up to a limit that only a broken daemon reaches.
"""

import datetime
import json
import random
import signal
import threading
import time

import pytest
from row_tables import csv_rows

PROFILE = """
name = "growing"
[cycle]
every = "200ms"
[examples]
max_price_age = "1h"
[features]
use = ["ret_1", "ret_2", "ret_3", "ret_5", "ret_10"]
[target.back]
acts = true
horizon = "1s"
tolerance = "1s"
[learner]
trees = 20
leaves = 7
min_rows_in_leaf = 20
[train]
auto_enable = 150
every = "24h"
min_effective = 20
min_holdout_effective = 10
[gate]
draws = 100
[trade]
capital = 1000
order = 10
instrument = 10
total = 100
daily_loss = 100
"""
PATIENCE_S = 300
TOKENS = [f"T{i:02}" for i in range(20)]


class Feeder(threading.Thread):
    """Appends whole lines; `lines` is what the file holds."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.enough, self.lines = path, threading.Event(), 0
        self.random = random.Random(1)

    def run(self):
        away = dict.fromkeys(TOKENS, 0.0)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("timestamp,token,price\n")
            while not self.enough.wait(0.1):
                now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                for token in TOKENS:
                    away[token] = 0.6 * away[token] + self.random.gauss(0, 1)
                    file.write(f"{now},{token},{100 + away[token]:.4f}\n")
                    self.lines += 1
                file.flush()


class Daemon:
    """One data directory and the process that works in it."""

    def __init__(self, everlearn, folder):
        self.everlearn, self.folder = everlearn, folder
        self.data, self.input = folder / "data", folder / "prices.csv"
        self.process = None

    def run(self, *words, **how):
        return self.everlearn.run(*words, "--data", self.data, **how)

    def ask(self, *words):
        return self.run(*words, "--json").json()

    def status(self):
        return self.ask("status")

    def models(self):
        return [model["id"] for model in self.ask("models", "list")["models"]]

    def serving(self):
        return next(champion["model"] for champion in self.status()["champions"])

    def start(self, *more):
        self.process = self.everlearn.start("run", "--input", self.input, "--data", self.data, "--quiet", *more)
        self.until("an answer", lambda: (self.data / "control.sock").exists() and self.status()["running"])

    def until(self, what, seen):
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            assert self.process.poll() is None, f"the daemon ended with {self.process.returncode}: {self.process.stderr.read()}"
            if found := seen():
                return found
            time.sleep(0.2)
        pytest.fail(f"never seen: {what}\n{self.run('status').out}\n{self.run('logs').out}")

    def another_model(self):
        """Asks until one is made: at first there are too few rows."""
        known = len(self.models())

        def made():
            if not self.status()["training_runs"]:
                self.run("train", "--force", status=None)
            return len(self.models()) > known

        self.until("another model", made)

    def end(self, number):
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode


@pytest.fixture
def feeder(tmp_path):
    feeder = Feeder(tmp_path / "prices.csv")
    yield feeder
    feeder.enough.set()


@pytest.fixture
def daemon(everlearn, tmp_path):
    (tmp_path / "growing.toml").write_text(PROFILE, encoding="utf-8")
    daemon = Daemon(everlearn, tmp_path)
    yield daemon
    if daemon.process and daemon.process.poll() is None:
        daemon.end(signal.SIGKILL)


def rows(path, when, who):
    return sorted((row[when], row[who], float(row["price"])) for row in csv_rows(path))


def test_live_trading_is_refused(daemon):
    refused = daemon.run("run", "--input", daemon.input, "--live", status=10)
    assert "live trading is not built; no order was sent" in refused.err
    assert not daemon.data.exists()


def test_a_daemon_learns_obeys_dies_and_goes_on(daemon, feeder, tmp_path):
    daemon.start("--profile", tmp_path / "growing.toml")
    assert (daemon.data / "control.sock").stat().st_mode & 0o777 == 0o600
    feeder.start()
    first = daemon.until("examples", lambda: daemon.status()["examples"]["collected"] > 0 and daemon.status())
    assert first["learning"] == "collecting" and first["examples"]["needed"] == 150
    assert "in use" in daemon.run("run", "--input", daemon.input, status=11).err

    daemon.until("learning that starts by itself", lambda: daemon.status()["learning"] != "collecting")
    while len(daemon.models()) < 2:
        daemon.another_model()
    old, new = daemon.models()[:2]
    daemon.run("models", "promote", old[:12])
    daemon.run("models", "promote", new[:12])
    assert daemon.serving() == new
    daemon.run("models", "rollback")
    assert daemon.serving() == old
    assert (daemon.data / "models/current_back").read_text(encoding="utf-8") == old + "\n"
    assert "ffffffff" in daemon.run("models", "rollback", "--to", "ffffffff", status=1).err
    daemon.until("predictions by it", lambda: old in {row["bundle"] for row in csv_rows(
        daemon.everlearn.export(daemon.data, "predictions", tmp_path / "predictions.csv"))})
    daemon.run("pause")
    before = daemon.status()
    assert before["off_by_hand"]

    daemon.end(signal.SIGKILL)
    after = daemon.status()
    assert not after["running"] and after["holder"] is None
    assert after["examples"]["collected"] >= before["examples"]["collected"]
    assert daemon.ask("data", "verify")["good"]
    assert daemon.ask("doctor")["failures"] == 0

    daemon.start()  # with the settings that the directory keeps
    daemon.until("more examples", lambda: daemon.status()["examples"]["collected"] > after["examples"]["collected"])
    assert daemon.status()["off_by_hand"] and daemon.status()["learning"] == "off"
    assert daemon.serving() == old
    daemon.run("resume")
    assert daemon.status()["learning"] == "active"

    feeder.enough.set()
    feeder.join()
    daemon.until("all rows", lambda: daemon.status()["coverage"]["points"] == feeder.lines)
    assert daemon.end(signal.SIGTERM) == 0
    assert not (daemon.data / "control.sock").exists()
    kept = daemon.everlearn.export(daemon.data, "prices", tmp_path / "kept.csv")
    assert rows(kept, "event_time", "instrument") == rows(daemon.input, "timestamp", "token")
    log = [json.loads(line) for line in (daemon.data / "logs/everlearn.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [log[0]["event"], log[-1]["event"]] == ["start", "stop"]


def test_by_hand_without_a_daemon(daemon, feeder, tmp_path):
    daemon.start("--profile", tmp_path / "growing.toml")
    feeder.start()
    daemon.until("learning that starts by itself",
                 lambda: daemon.status()["examples"]["effective"] > 500)
    daemon.run("stop")
    daemon.process.communicate(timeout=PATIENCE_S)
    assert daemon.process.returncode == 0
    made = len(daemon.models())
    daemon.run("train", "--force")
    assert len(daemon.models()) == made + 1
    model = daemon.models()[-1]
    daemon.run("models", "promote", model)
    assert daemon.serving() == model
    assert model[:12] in daemon.run("why", "model").out
    daemon.run("models", "unpin", "back")
    daemon.run("pause")
    assert daemon.status()["off_by_hand"]
    assert daemon.ask("models", "show", model)["card"]["id"] == model

    daemon.start()
    assert daemon.serving() == model and daemon.status()["off_by_hand"]
