"""Intents by the program: handed to a program of the user's own through a file and an address, and approved by hand.

The daemon follows a CSV that grows; the baseline may act, so there are intents within seconds. The address is an HTTP server that
fails now and then and checks each signature as docs/formats/intent-v1.md says.
"""

import collections
import datetime
import hashlib
import hmac
import http.server
import json
import math
import signal
import threading
import time

import pytest

SECRET = "a-secret-that-both-know"
PATIENCE_S = 60
PROFILE = """
name = "waves"
[cycle]
every = "200ms"
[examples]
max_price_age = "1s"
[features]
use = ["ret_1", "ret_2"]
[target.next]
acts = true
horizon = "1s"
tolerance = "1s"
[signal]
baseline_may_act = true
[trade]
capital = 1000
order = 10
instrument = 10
total = 100
daily_loss = 1000
latency = "50ms"
intent_expiry = "{expiry}"
tolerance_ticks = 100
[source]
tick_size = 0.01
[train]
auto_enable = 0
every = "24h"
"""


class Feeder(threading.Thread):
    """Waves, one row a token ten times a second."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.enough = path, threading.Event()

    def run(self):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("timestamp,token,price\n")
            step = 0
            while not self.enough.wait(0.1):
                step += 1
                now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                for i in range(3):
                    file.write(f"{now},W{i},{100 + math.sin(step / 15 + i):.4f}\n")
                file.flush()


class Hook:
    """Takes posts; every third one is refused for now, every seventh gets no answer at all. `taken` is what was accepted."""

    def __init__(self):
        self.lock, self.seen, self.taken, self.wrong = threading.Lock(), 0, [], []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.hear(self, body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/intents"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hear(self, request, body):
        head = request.headers
        signed = head["X-Everlearn-Timestamp"].encode() + b"." + body
        right = "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        with self.lock:
            self.seen += 1
            intent = json.loads(body)
            if not hmac.compare_digest(right, head["X-Everlearn-Signature"]) or head["Idempotency-Key"] != intent["id"]:
                self.wrong.append(body)
            if self.seen % 7 == 0:
                request.connection.close()
                return
            later = self.seen % 3 == 0
            if not later:
                self.taken.append(intent)
        request.send_response(503 if later else 200)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Daemon:
    def __init__(self, everlearn, folder, **how):
        self.everlearn, self.folder, self.data, self.process = everlearn, folder, folder / "data", None
        self.profile = folder / "waves.toml"
        self.profile.write_text(PROFILE.format(**{"expiry": "5s", **how}), encoding="utf-8")
        self.said = []

    def run(self, *words, status=0):
        done = self.everlearn.run(*words, "--data", self.data, status=status)
        self.said += [done.out, done.err]
        return done

    def intents(self, *words):
        return self.run("intents", "list", "--limit", "100000", "--json", *words).json()["intents"]

    def start(self, settings):
        flags = [word for setting in settings for word in ("--set", setting)]
        self.process = self.everlearn.start("run", "--profile", self.profile, "--input", self.folder / "waves.csv", "--data",
                                            self.data, "--quiet", *flags)
        self.until("an answer", lambda: (self.data / "control.sock").exists() and
                   self.run("status", "--json", status=None).status == 0)

    def until(self, what, seen):
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.process.stderr.read()}"
            if found := seen():
                return found
            time.sleep(0.1)
        pytest.fail(f"never seen: {what}\n{self.run('intents', 'list').out}\n{self.run('logs').out}")

    def end(self, number):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self.said += [out, err]
        (self.data / "control.sock").unlink(missing_ok=True)


@pytest.fixture
def feeder(tmp_path):
    feeder = Feeder(tmp_path / "waves.csv")
    feeder.start()
    while not (tmp_path / "waves.csv").exists() or (tmp_path / "waves.csv").stat().st_size < 200:
        time.sleep(0.02)
    yield feeder
    feeder.enough.set()


@pytest.fixture
def daemon(everlearn, tmp_path, request):
    daemon = Daemon(everlearn, tmp_path, **getattr(request, "param", {}))
    daemon.everlearn.environment["EVERLEARN__TRADE__OUTLET__SECRET"] = SECRET
    yield daemon
    del daemon.everlearn.environment["EVERLEARN__TRADE__OUTLET__SECRET"]
    if daemon.process and daemon.process.poll() is None:
        daemon.end(signal.SIGKILL)


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.stop()


def test_each_intent_reaches_the_file_once_and_the_address_signed_through_a_kill(daemon, feeder, hook):
    settings = [f"trade.outlet.url={hook.url}", "trade.outlet.file=intents.jsonl"]
    daemon.start(settings)
    for round_number in (1, 2):
        wanted = len(hook.taken) + 7
        daemon.until("posts", lambda: len(hook.taken) >= wanted)
        if round_number == 1:
            daemon.end(signal.SIGKILL)
            daemon.start(settings)
    feeder.enough.set()
    daemon.until("the last ones", lambda: not [i for i in daemon.intents("--state", "open")])
    daemon.end(signal.SIGTERM)

    assert not hook.wrong
    lines = [json.loads(line) for line in (daemon.data / "intents.jsonl").read_text().splitlines()]
    rows = {row["id"]: row for row in daemon.intents() if row["state"] != "rejected"}
    # The file: each once, in order. The address: some twice, none unknown, and of those that are missing the log says so.
    assert [line["number"] for line in lines] == sorted(rows)
    posted = collections.Counter(intent["number"] for intent in hook.taken)
    assert set(posted) <= set(rows)
    lost = [number for number in rows if number not in posted]
    log = (daemon.data / "logs/everlearn.jsonl").read_text()
    assert all(f"intent {number} was not taken" in log for number in lost), (lost, log)
    assert len(lost) < len(rows) / 2
    by_number = {line["number"]: line for line in lines}
    for intent in hook.taken:
        assert intent == by_number[intent["number"]]
        row = rows[intent["number"]]
        assert (intent["token"], intent["side"], float(intent["size"]), float(intent["limit"])) == (
            row["instrument"], row["side"], pytest.approx(row["size"], abs=1e-6), row["limit"])
        assert intent["paper"] is True and intent["expires"] == row["expires"]
    assert any(row["filled"] > 0 for row in rows.values())

    for file in daemon.data.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file
    assert not any(SECRET in text for text in daemon.said)


def test_by_hand_an_intent_waits_for_its_approval(daemon, feeder, hook):
    daemon.start([f"trade.outlet.url={hook.url}", "trade.approval=hand", "trade.intent_expiry=30s"])
    waiting = daemon.until("three that wait", lambda: len(w := daemon.intents("--state", "waiting")) >= 3 and w)
    assert not hook.taken and daemon.run("status", "--json").json()["paper"]["waiting_intents"] >= 3
    approved, rejected = waiting[-1]["id"], waiting[-2]["id"]
    daemon.run("intents", "approve", approved)
    daemon.run("intents", "reject", rejected)
    assert "does not wait" in daemon.run("intents", "approve", rejected, status=1).err
    assert "is not an intent's number" in daemon.run("intents", "approve", "all", status=2).err
    row = daemon.until("its end", lambda: next(
        (i for i in daemon.intents() if i["id"] == approved and i["state"] in ("filled", "part filled", "expired")), None))
    assert "approved by hand" in row["reason"]
    assert next(i for i in daemon.intents() if i["id"] == rejected)["state"] == "rejected"
    daemon.until("its post", lambda: hook.taken)
    assert {intent["number"] for intent in hook.taken} == {approved}
    daemon.end(signal.SIGTERM)
    assert "no daemon works in" in daemon.run("intents", "approve", "1", status=1).err


def test_what_cannot_be_is_refused_before_anything_starts(daemon, feeder):
    def refused(*settings, status=10):
        flags = [word for setting in settings for word in ("--set", setting)]
        return daemon.run("run", "--profile", daemon.profile, "--input", daemon.folder / "waves.csv", "--quiet", *flags,
                          status=status).err

    assert "http://" in refused("trade.outlet.url=http://example.org/hook")
    del daemon.everlearn.environment["EVERLEARN__TRADE__OUTLET__SECRET"]
    assert "trade.outlet.url needs trade.outlet.secret" in refused("trade.outlet.url=https://example.org/hook")
    daemon.everlearn.environment["EVERLEARN__TRADE__OUTLET__SECRET"] = SECRET
    live = daemon.run("run", "--profile", daemon.profile, "--live", status=10)
    assert live.err == "everlearn: live trading is not built; no order was sent\n" and live.out == ""
