"""The daemon against a venue whose clock runs as fast as its own, in a folder of a test."""

import datetime
import pathlib
import signal
import subprocess
import sys
import time
import tomllib

import pyarrow.parquet as parquet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from venue import Venue  # noqa: E402

SPEED = 1200.0  # a recorded day in 72 seconds
BEGIN = datetime.datetime(2026, 1, 12, tzinfo=datetime.timezone.utc)
PATIENCE_S = 280
# No regression of these prices passes the gate, which is its verdict on them. What can be learned here is whether a price moves at
# all: the target that acts is a class, and the profile's two look on.
SETTINGS = [
    "cycle.every=60s", "venue.markets=24", "venue.min_volume_24h=0", "venue.refresh=10m", "train.auto_enable=300",
    "train.min_effective=120", "train.min_holdout_effective=40", "train.every=6h", "train.delay=10m", "train.stop_share=0.3",
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

    def __init__(self, everlearn, shared, folder, settings=()):
        self.everlearn, self.folder, self.data = everlearn, folder, folder / "data"
        everlearn.place = folder
        (folder / ".env").write_bytes(DOT_ENV.encode())
        self.real = datetime.datetime.now(datetime.timezone.utc)
        self.anchor = (stamp(self.real), stamp(BEGIN))
        self.venue = Venue(folder / "venue", shared / "polymarket", scenario={"made_every": "60s"},
                           recordings=["price_history_10m"], speed=SPEED, anchor=self.anchor, log=True)
        self.settings = [*SETTINGS, "features.use=" + ",".join(FEATURES), *settings,
                         *(f"venue.{name}={self.venue.url}" for name in ("gamma", "clob", "data")), f"venue.socket={self.venue.ws_url}"]
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

    def end(self):
        """However the test went."""
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        self.venue.process.kill()
        self.venue.process.wait()

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
