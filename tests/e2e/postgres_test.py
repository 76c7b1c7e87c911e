"""Rows out of a real PostgreSQL server, directly over TLS and through PgBouncer in transaction mode: each once, also when
the server dies in the middle of a batch; what is wrong with a connection is said by name, and no password anywhere.
"""

import datetime
import os
import pathlib
import signal
import sys
import time
import urllib.parse

import pytest
from everlearn_cli import Everlearn
from row_tables import csv_rows, database

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from pgbouncer_server import PgBouncerServer  # noqa: E402
from postgres_server import PostgresServer, programs  # noqa: E402
from tcp_proxy import TcpProxy  # noqa: E402

PROFILE = """
name = "rows"
[source]
kind = "postgres"
table = "market.rows"
time_column = "ts"
key_column = "symbol"
id_column = "id"
fields = ["rsi"]
poll = "200ms"
batch_rows = 2000
[env]
NEON_CONN_STR = "source.connection"
[cycle]
every = "10m"
[examples]
max_price_age = "1h"
[features]
use = ["ret_1"]
[target.move]
acts = true
label = "direction_3"
horizon = "30m"
tolerance = "10m"
flat = 0.001
[train]
learning = false
"""
PATIENCE_S = 120
MANY = 100_000


@pytest.fixture(scope="session")
def server():
    if programs() is None or not os.path.exists("/usr/sbin/pgbouncer"):
        pytest.skip("no PostgreSQL server or PgBouncer here: run scripts/bootstrap")
    server = PostgresServer().start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def pooler(server):
    pooler = PgBouncerServer(server).start()
    yield pooler
    pooler.stop()


class Rows:
    """One table in a database of its own, and the program on it."""

    def __init__(self, everlearn, server, name, folder):
        self.server, self.folder = server, folder
        self.database = server.make_database(name)
        self.data = folder / "data"
        self.program = Everlearn(pathlib.Path(everlearn.program).parent, folder)
        (folder / "rows.toml").write_text(PROFILE, encoding="utf-8")
        self.said = ""
        self.sql("CREATE SCHEMA market; CREATE TABLE market.rows(id bigserial PRIMARY KEY, ts timestamptz NOT NULL, "
                 "symbol text NOT NULL, price double precision, rsi real, label text); "
                 "CREATE INDEX ON market.rows(ts, id); GRANT USAGE ON SCHEMA market TO reader; "
                 "GRANT SELECT ON market.rows TO reader")
        self.connect()

    def connect(self, string=None, **options):
        self.program.environment["NEON_CONN_STR"] = string or self.server.string(self.database, **options)

    def sql(self, text):
        return self.server.psql(text, self.database).stdout.strip()

    def insert(self, count, begin="'2026-01-05T00:00:00Z'", step="1 second", first=1):
        self.sql(f"INSERT INTO market.rows(ts, symbol, price, rsi) SELECT timestamptz {begin} + i * interval '{step}', "
                 f"'S' || i % 7, 100 + i / 3.0::float8, sin(i) FROM generate_series({first}, {first + count - 1}) AS i")

    def run(self, *words, **how):
        words = [*words, "--data", self.data]
        if words[0] in ("analyze", "doctor") and not (self.data / "profile.toml").exists():
            words += ["--profile", self.folder / "rows.toml"]
        done = self.program.run(*words, **how)
        self.said += done.out + done.err
        return done

    def analyze(self, *words, now="2026-02-01T00:00:00Z", **how):
        return self.run("analyze", "--source", "db", "--now", now, *words, **how)

    def doctor(self, *words):
        return {check["what"]: (check["health"], check["text"])
                for check in self.run("doctor", "--json", *words, status=None).json()["checks"]}

    def export(self, dataset):
        return list(csv_rows(self.program.export(self.data, dataset, self.folder / f"{dataset}.csv")))

    def kept(self):
        return sorted((row["event_time"], row["instrument"], float(row["price"])) for row in self.export("prices"))

    def events(self):
        with database(self.data) as there:
            return there.execute("SELECT instrument, event_time, kind, ordinal, known_at, payload FROM hot_events ORDER BY seq"
                                 ).fetchall()

    def there(self):
        """What the table has, as export writes it."""
        out = self.sql("SELECT to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') || ' ' || symbol || ' ' || "
                       "round(price::numeric, 9) FROM market.rows WHERE price IS NOT NULL")
        return sorted((time, symbol, float(price)) for time, symbol, price in (line.split() for line in out.splitlines()))

    def check_no_secret(self):
        forms = {self.server.password, urllib.parse.quote(self.server.password, safe=""), self.server.password[-16:]}
        files = b"".join(path.read_bytes() for path in self.data.rglob("*") if path.is_file()) if self.data.exists() else b""
        for form in forms:
            assert form not in self.said
            assert form.encode() not in files


@pytest.fixture
def rows(everlearn, server, tmp_path, request):
    rows = Rows(everlearn, server, f"db{abs(hash(request.node.name)) % 10**9}", tmp_path)
    yield rows
    rows.check_no_secret()


def test_the_doctor_names_what_is_wrong(rows, server, pooler):
    rows.insert(10)
    assert all(health != "FAIL" for health, _ in rows.doctor().values())
    good = rows.doctor("--dry-run")
    assert good["TLS"] == ("ok", "TLSv1.3") and good["pooler"] == ("ok", "none in between")
    assert good["columns"][1] == "prices by symbol, time ts, id id, 1 field"
    assert good["rights"] == ("ok", "reader can read and not write")
    assert good["index"][0] == "ok" and good["newest row"][0] == "warn"
    assert "10 new rows" in rows.run("doctor", "--dry-run", status=None).out
    assert not rows.data.exists()

    wrong = {  # what the connection string says -> the step that fails, and words of it
        rows.server.string(rows.database, password="nope"): ("login", "password authentication failed for user \"reader\""),
        rows.server.string(rows.database, user="nobody"): ("login", "nobody"),
        rows.server.string("nowhere"): ("database", "database \"nowhere\" does not exist"),
        rows.server.string(rows.database, host="no-such-host.invalid"): ("host", "no-such-host.invalid"),
        rows.server.string(rows.database, port=1): ("network", "nothing listens at this port"),
        rows.server.string(rows.database, sslmode="verify-full"): ("TLS", "root certificate file"),
        rows.server.string(rows.database, sslmode="disable"): ("login", "no encryption"),
        "postgresql://reader:100%@127.0.0.1/x": ("connection", "%25"),
        "": ("connection", "no connection string"),
    }
    for string, (step, words) in wrong.items():
        rows.connect(string or " ")
        if not string:
            del rows.program.environment["NEON_CONN_STR"]
        health, text = rows.doctor().get(step, ("nothing", ""))
        assert (health, words in text) == ("FAIL", True), (string, step, rows.doctor())

    ca = server.certificates / "ca.crt"
    rows.connect(sslmode="verify-full", sslrootcert=ca)
    assert rows.doctor()["TLS"] == ("ok", "TLSv1.3, the server's name is verified")
    rows.connect(host="127.0.0.2", sslmode="verify-full", sslrootcert=ca)  # loopback too; not in the certificate
    assert rows.doctor()["network"][0] == "FAIL"
    rows.connect(port=pooler.port)
    assert rows.doctor()["pooler"][1].startswith("there is one in between")
    rows.connect(port=pooler.port, password="nope")
    assert rows.doctor()["login"][0] == "FAIL"

    rows.connect()
    rows.sql("ALTER TABLE market.rows RENAME rsi TO rsi_14")
    assert "no column \"rsi\" (source.fields)" in rows.doctor()["columns"][1]
    rows.sql("REVOKE SELECT ON market.rows FROM reader")
    assert "GRANT SELECT ON \"market\".\"rows\" TO \"reader\"" in rows.doctor()["rights"][1]
    rows.sql("DROP TABLE market.rows")
    assert "does not exist" in rows.doctor()["table"][1]


def test_many_rows_through_a_pooler(rows, pooler):
    rows.insert(MANY)
    rows.connect(port=pooler.port)
    begin = time.monotonic()
    done = rows.analyze("--json").json()
    print(f"{MANY} rows in {time.monotonic() - begin:.1f} s")
    assert done["rows"]["read"] == MANY
    assert rows.kept() == rows.there()
    assert {row["known_at"] == row["event_time"] for row in rows.export("prices")} == {True}
    rows.analyze()  # nothing new: nothing twice
    assert len(rows.kept()) == MANY
    assert rows.run("data", "verify", "--json").json()["good"]
    assert "prepared statement" not in pooler.log()


def test_late_and_corrected_rows_keep_both_times(rows):
    rows.insert(100, step="1 minute")
    rows.analyze(now="2026-01-05T01:41:00Z")
    first = rows.kept()
    rows.sql("UPDATE market.rows SET price = 1 WHERE id = 90; UPDATE market.rows SET rsi = NULL WHERE id = 91; "
             "DELETE FROM market.rows WHERE id = 92; "
             "INSERT INTO market.rows(ts, symbol, price) VALUES ('2026-01-05T01:00:30Z', 'S1', 5), "
             "('2026-01-05T01:01:30Z', 'S1', 'NaN')")
    said = rows.analyze(now="2026-01-05T01:45:00Z").out
    assert "1 late" in said and "2 corrected" in said and "1 gone" in said and "NaN price" in said
    assert set(rows.kept()) - set(first) == {("2026-01-05T01:00:30.000000Z", "S1", 5.0)}
    assert set(first) <= set(rows.kept())  # the past is not rewritten
    late = [row for row in rows.export("prices") if row["price"] == "5"]
    assert [row["known_at"] for row in late] == ["2026-01-05T01:45:00.000000Z"]
    corrections = [(kind, ordinal, known) for _, _, kind, ordinal, known, _ in rows.events() if ordinal > 0]
    read_at = int(datetime.datetime(2026, 1, 5, 1, 45, tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000
    assert corrections == [("price", 1, read_at), ("fields", 1, read_at)]
    again = rows.analyze(now="2026-01-05T01:46:00Z").out
    assert "late" not in again and "corrected" not in again and "NaN" not in again
    assert "NaN price" in (rows.data / "quarantine/input/rows.csv").read_text(encoding="utf-8")


def test_a_file_stands_in_for_the_table(rows):
    rows.insert(500)
    rows.sql("UPDATE market.rows SET price = 'NaN' WHERE id = 17")
    rows.analyze()
    from_table = rows.kept(), rows.events()
    copied = rows.sql("SET DateStyle = ISO; SET TimeZone = UTC; SET extra_float_digits = 1; COPY market.rows TO STDOUT WITH "
                      "CSV HEADER")
    (rows.folder / "rows.csv").write_text(copied.replace("+00,", "+00:00,") + "\n", encoding="utf-8")
    reports = []
    for source in ["db", rows.folder / "rows.csv"]:
        rows.data = rows.folder / f"simulated-{len(reports)}"
        rows.run("simulate", "--source", source, "--profile", rows.folder / "rows.toml", "--json")
        reports.append(rows.run("simulate", "--source", source, "--profile", rows.folder / "rows.toml", "--json").json())
        assert rows.kept() == from_table[0]
    assert reports[0]["ledger_sha256"] == reports[1]["ledger_sha256"]
    rows.data = rows.folder / "from-file"
    rows.run("analyze", "--source", rows.folder / "rows.csv", "--now", "2026-02-01T00:00:00Z")
    assert (rows.kept(), rows.events()) == from_table


def test_columns_of_other_types_and_a_query(rows):
    rows.sql("""CREATE TYPE market.move AS ENUM ('down', 'up'); CREATE TABLE market.odd(at_ms bigint, who varchar(9),
        "the ""price"" now" numeric(20, 10), known timestamp, flag boolean, moved market.move, born date, no uuid);
        INSERT INTO market.odd SELECT 1767571200000 + i * 60000, 'w', 0.1 + i * 0.0000000001::numeric,
          timestamp '2026-01-05 09:00:30' + i * interval '1 minute', i % 2 = 0, 'up', '2026-01-05',
          md5(i::text)::uuid FROM generate_series(1, 50) AS i;
        INSERT INTO market.odd VALUES (NULL, 'w', 1, '2026-01-05 09:30:00', true, 'up', 'infinity', md5('x')::uuid),
          (1767574200000 + 60000, 'w', 1, 'infinity', true, 'up', '2026-01-05', md5('y')::uuid);
        GRANT SELECT ON market.odd TO reader""")
    settings = ["source.query=SELECT * FROM market.odd -- all of it;", "source.time_column=at_ms", "source.time_unit=ms",
                "source.key_column=who", "source.id_column=no", "source.known_column=known",
                "source.time_zone=Asia/Tokyo", "source.fields=flag", "source.outcome_column=moved",
                "source.outcome_values=down,up", "source.columns=price=the \"price\" now"]
    said = rows.analyze(*[word for setting in settings for word in ("--set", setting)]).out
    assert "50 read" in said and "missing time" in said and "unreadable time" in said
    prices = rows.export("prices")
    assert len(prices) == 50 and prices[0]["price"] == "0.1" and prices[-1]["price"] == "0.100000005"
    assert prices[0]["event_time"] == "2026-01-05T00:01:00.000000Z"
    assert prices[0]["known_at"] == "2026-01-05T00:01:30.000000Z"


def test_a_changed_table_stops_reading_by_name(rows):
    rows.insert(100)
    rows.analyze()
    before = rows.kept()
    rows.sql("ALTER TABLE market.rows ALTER rsi TYPE text")
    done = rows.analyze(status=None)
    assert done.status not in (0, None) and "column \"rsi\" was a number and is text now" in done.err
    rows.sql("ALTER TABLE market.rows DROP rsi")
    done = rows.analyze(status=None)
    assert done.status != 0 and "column \"rsi\" was a number and is gone; there are" in done.err
    rows.sql("ALTER TABLE market.rows ADD rsi real; REVOKE SELECT ON market.rows FROM reader")
    done = rows.analyze(status=10)
    assert "permission denied for table rows" in done.err
    assert rows.kept() == before and rows.run("data", "verify", "--json").json()["good"]
    rows.sql("GRANT SELECT ON market.rows TO reader")
    rows.insert(1, first=101)
    rows.analyze()
    assert len(rows.kept()) == 101


def test_a_sleeping_database_is_waited_for(rows, server):
    rows.insert(10)
    proxy = TcpProxy(server.port, answers_after_s=3)
    rows.connect(port=proxy.port)
    rows.analyze()
    assert len(rows.kept()) == 10
    proxy.answers_after_s = 60
    rows.insert(10, first=11)
    done = rows.analyze("--set", "source.connect_timeout=1s", status=1)
    assert "within 1 s" in done.err
    assert len(rows.kept()) == 10
    proxy.close()


def test_the_server_dies_in_the_middle_of_a_batch(rows, server):
    now = datetime.datetime.now(datetime.timezone.utc)
    begin = f"'{(now - datetime.timedelta(hours=8)).isoformat()}'"
    rows.insert(20_000, begin=begin)
    proxy = TcpProxy(server.port)
    rows.connect(port=proxy.port)
    proxy.after(300_000, server.kill)
    daemon = rows.program.start("run", "--profile", rows.folder / "rows.toml", "--data", rows.data, "--quiet")
    try:
        def until(what, seen):
            limit = time.monotonic() + PATIENCE_S
            while time.monotonic() < limit:
                assert daemon.poll() is None, f"the daemon ended: {daemon.stderr.read()}"
                if seen():
                    return
                time.sleep(0.2)
            pytest.fail(f"never seen: {what}\n{rows.run('status').out}")

        def status():
            answer = rows.run("status", "--json", status=None)
            return answer.json() if answer.status == 0 and (rows.data / "control.sock").exists() else {}

        until("trouble", lambda: status().get("source_trouble"))
        assert "cannot be read now" in rows.run("status").out
        server.start()
        rows.insert(5_000, begin=begin, first=20_001)
        until("all rows", lambda: status().get("coverage", {}).get("points") == 25_000)
        assert not status()["source_trouble"]
        rows.sql("INSERT INTO market.rows(ts, symbol, price) SELECT ts + interval '0.5 s', symbol, price FROM market.rows "
                 "WHERE id > 24000 AND id % 500 = 0; UPDATE market.rows SET price = price + 1 WHERE id = 24900")
        until("late rows", lambda: "1 row corrected" in (rows.data / "logs/everlearn.jsonl").read_text(encoding="utf-8"))
        daemon.send_signal(signal.SIGTERM)
        rows.said += "".join(daemon.communicate(timeout=PATIENCE_S))
        assert daemon.returncode == 0
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.communicate()
        if server.process.poll() is not None:
            server.start()
        proxy.close()
    rows.sql("UPDATE market.rows SET price = price - 1 WHERE id = 24900")  # as it was known first
    assert rows.kept() == rows.there()
    assert rows.run("data", "verify", "--json").json()["good"]
