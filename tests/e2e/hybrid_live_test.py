"""The hybrid system as a person runs it: rows of a real PostgreSQL table, one `analyze` after the other on the real clock, a base that
is trained and promoted, tunes beside it, signals that arrive over Telegram. The rows are recorded ones whose clock goes sixty
times as fast (a five-minute bar every five seconds), so that it takes seconds."""

import csv
import datetime
import gzip
import os
import pathlib
import sys
import time

import pytest
from everlearn_cli import Everlearn, as_flags
from row_tables import database

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from bot_api import BotApi  # noqa: E402
from postgres_server import PostgresServer, programs  # noqa: E402

TOKEN, CHAT = "7264019385:AAHs3cr3t-t0ken_of-the-bot", "-1002000000001"
BAR, BARS, MORE = 5, 1600, 200  # seconds; bars of history, bars to come
# Thresholds are loosened until signals must come; what is tested is the way they go.
SETTINGS = ["cycle.every=10s", "source.bar_length=5s", "source.gap_after=1m", "examples.max_price_age=30s", "source.lookback=1m",
            "source.poll=100ms", "target.move.horizon=30s", "target.move.tolerance=10s", "target.move.flat=0", "train.embargo=30s",
            "target.move.comparison=non_inferior", "target.move.margin=0.5", "gate.max_gain_share=1", "train.auto_enable=500",
            "train.min_effective=100", "train.min_holdout_effective=20", "train.min_recent_accuracy=none", "scaling.first=3000",
            "learner.trees=30", "signal.min_recent_accuracy=none", "trade.cost_bps=0", "trade.half_spread_bps=0", "tune.newest=60",
            "tune.rows_min=300", "tune.rows_max=600", "cycle.commit_every=1000"]
FLAGS = ["--min_prob_margin", "0", "--max_entropy", "1", "--disable_sleep_window"]


@pytest.fixture(scope="module")
def server():
    if programs() is None:
        pytest.skip("no PostgreSQL server here: run scripts/bootstrap")
    server = PostgresServer().start()
    yield server
    server.remove()


class Table:
    """`bars`: history up to now, and further bars as their time comes."""

    def __init__(self, server, folder):
        self.server, self.database = server, server.make_database("hybrid")
        begin = int(time.time()) // BAR * BAR - BARS * BAR
        self.to_come = []
        for path in sorted(folder.glob("*.csv.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as file:
                for number, row in enumerate(csv.DictReader(file)):
                    if number == BARS + MORE:
                        break
                    prices = [row[name] for name in ("open", "high", "low", "close", "volume")]
                    self.to_come.append((begin + number * BAR, path.name.split("_")[0], *prices))
        self.to_come.sort()
        server.psql("CREATE TABLE bars(\"timestamp\" timestamptz, symbol text, open float8, high float8, low float8, close float8, "
                    "volume float8, PRIMARY KEY(\"timestamp\", symbol)); GRANT SELECT ON bars TO reader", self.database)

    def catch_up(self):
        """Bars that have closed by now."""
        due = [row for row in self.to_come if row[0] + BAR <= time.time()]
        self.to_come = self.to_come[len(due):]
        values = ",".join(f"('{datetime.datetime.fromtimestamp(t, datetime.timezone.utc).isoformat()}','{symbol}',{','.join(prices)})"
                          for t, symbol, *prices in due)
        if due:
            self.server.psql(f"INSERT INTO bars VALUES {values}", self.database)


def test_from_a_table_to_a_message(everlearn, server, shared_data, tmp_path):
    bars = shared_data / "crypto" / "bars_5m_2022_2023"
    if not bars.is_dir():
        pytest.skip("the recorded crypto bars are not here")
    table = Table(server, bars)
    program = Everlearn(pathlib.Path(everlearn.program).parent, tmp_path)
    program.environment |= {"NEON_CONN_STR": server.string(table.database), "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": CHAT}
    data, said = tmp_path / "data", []

    def run(*words, **how):
        done = program.run(*words, "--data", data, **how)
        said.append(done.out + done.err)
        return done

    with BotApi(TOKEN, CHAT) as telegram:
        settings = as_flags([*SETTINGS, f"alert.telegram.api={telegram.url}"])

        def analyze():
            table.catch_up()
            return run("analyze", "--profile", "hybrid", "--source", "db", *FLAGS, *settings, "--json").json()

        table.catch_up()
        checked = run("doctor", "--profile", "hybrid", "--dry-run", *settings, "--json", status=None).json()
        assert not [check for check in checked["checks"] if check["health"] == "bad"], checked
        first = analyze()
        assert first["rows"]["read"] >= BARS * 6 and first["cycles"] > 700
        assert [training["outcome"] for training in first["trainings"]] == ["promoted"], first["trainings"]
        # History was made up for: it counts as examples, and nothing was said about it.
        with database(data) as store:
            spoken = store.execute("SELECT count(*) FROM hot_predictions").fetchone()[0]
        assert spoken <= 6 * 7  # those of the last minute
        runs = []
        while len(runs) < 60 and not (signal_texts(telegram) and any(run["tune"] for run in runs)):
            runs.append(analyze())
            time.sleep(0.5)
        telegram.wait_for(2)
        texts = telegram.texts()
        assert any(text.startswith("training of move: promoted") for text in texts), texts
        signals = signal_texts(telegram)
        assert signals, (runs[-1], texts)
        assert any(run["tune"] for run in runs), runs[-1]
        listed = run("signals", "list", "--json").json()
        assert listed["signals"]
        told = run("status", "--json").json()
        assert told["tunes"] > 0 and told["learning"] == "active"
        assert "serves" in run("why", "stream").out and "passed" in run("why", "signal").out
        once = [text for text in texts if not text.startswith("training")]
        assert len(once) == len(set(once)), "a person is told once"

        # Both champions damaged: nothing unverified acts, and one is made from scratch in the next run.
        for forest in (data / "models").glob("*/forest.bin"):
            damaged = bytearray(forest.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            forest.write_bytes(damaged)
        again = [analyze()]
        while not again[-1]["trainings"] and len(again) < 40:
            time.sleep(0.5)
            again.append(analyze())
        assert "from scratch: neither the champion nor one before it can be loaded" in again[-1]["trainings"][0]["reason"]

    secrets = [TOKEN, server.password]
    everything = "".join(said) + "".join(path.read_bytes().decode("latin-1") for path in data.rglob("*")
                                         if path.is_file() and not path.is_socket())
    assert not [secret for secret in secrets if secret in everything]
    assert os.access(data / "profile.toml", os.R_OK)


def signal_texts(telegram):
    """One signal, or a list of those that waited."""
    return [text for text in telegram.texts() if ": buy, " in text or ": sell, " in text]
