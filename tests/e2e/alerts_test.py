"""Alerts through the program, against a server that behaves like Telegram's Bot API.

What an engine would raise is put into the store of a stopped daemon in the format of docs/formats/database-v1.md; then the
daemon runs, is killed, meets outages, and what arrived is compared with what was raised. The token is looked for in every
output and every file.
"""

import json
import pathlib
import signal
import sqlite3
import struct
import sys
import threading
import time
import zlib

import pytest

from everlearn_cli import Everlearn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from bot_api import BotApi, Fault  # noqa: E402

TOKEN = "7264019385:AAHs3cr3t-t0ken_of-the-bot"
CHAT = "-1002000000001"
PROFILE = """
name = "small"
[cycle]
every = "24h"
[features]
use = ["ret_1", "ret_2"]
[target.back]
acts = true
horizon = "24h"
tolerance = "24h"
"""
PERHAPS = "\n(This may have come before: the answer to it was lost.)"
PATIENCE_S = 60


def now_us():
    return int(time.time() * 1e6)


def text_bytes(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data


class Place:
    """A data directory, the daemon in it, and all that was ever said: none of it may hold the token."""

    def __init__(self, everlearn, folder, server):
        self.program = Everlearn(pathlib.Path(everlearn.program).parent, folder)
        self.folder, self.data, self.process, self.said = folder, folder / "data", None, []
        self.profile = folder / "small.toml"
        self.profile.write_text(PROFILE)
        (folder / "prices.csv").write_text("timestamp,token,price\n2026-01-03T13:00:00Z,A,1\n2026-01-03T14:00:00Z,A,2\n")
        self.point_at(server)

    def point_at(self, server, token=TOKEN, chat=CHAT):
        self.program.environment |= {
            "EVERLEARN__ALERT__TELEGRAM__TOKEN": token,
            "EVERLEARN__ALERT__TELEGRAM__CHAT": chat,
            "EVERLEARN__ALERT__TELEGRAM__API": server.url,
        }

    def run(self, *words, status=0, settings=()):
        flags = [word for setting in settings for word in ("--set", setting)]
        done = self.program.run(*words, "--profile", self.profile, "--data", self.data, *flags, status=status)
        self.said += [done.out, done.err]
        return done

    def start(self):
        self.process = self.program.start("run", "--profile", self.profile, "--input", self.folder / "prices.csv", "--data", self.data)
        limit = time.monotonic() + PATIENCE_S
        while not (self.data / "control.sock").exists() or self.run("status", "--json", status=None).status != 0:
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < limit
            time.sleep(0.05)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self.said += [out, err]
        assert self.process.returncode == (0 if number == signal.SIGTERM else -number), err

    def kill(self):
        self.end(signal.SIGKILL)
        (self.data / "control.sock").unlink(missing_ok=True)

    def make(self):
        """A directory as the daemon leaves it."""
        self.start()
        self.end()

    def raise_alerts(self, *texts, severity=0, expires=None, at=None):
        with sqlite3.connect(self.data / "everlearn.db") as database:
            for text in texts:
                number = database.execute("SELECT coalesce(max(id), 0) + 1 FROM alert").fetchone()[0]
                moment, key = at or now_us(), f"test/{number}"
                data = struct.pack("<qq", number, moment) + text_bytes("test") + struct.pack("<B", severity)
                data += text_bytes(key) + text_bytes(text) + struct.pack("<Bq", expires is not None, expires or 0) + b"\0"
                row = (number, moment, "test", severity, key, text, expires, 0, zlib.crc32(data))
                database.execute("INSERT INTO alert VALUES(?,?,?,?,?,?,?,?,?)", row)

    def states(self):
        alerts = self.run("alerts", "list", "--json").json()["alerts"]
        return [alert["told"][0]["state"] for alert in alerts]

    def until(self, what, seen):
        limit = time.monotonic() + PATIENCE_S
        while not seen():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < limit, f"never seen: {what}\n{self.run('alerts', 'list').out}"
            time.sleep(0.05)

    def check_secrecy(self):
        files = {str(path): path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        files |= {f"output {i}": text.encode() for i, text in enumerate(self.said)}
        parts = [TOKEN, TOKEN.split(":")[1], TOKEN.replace(":", "%3A")]
        for name, data in files.items():
            for part in parts:
                assert part.encode() not in data, f"the token stands in {name}"
        return files


@pytest.fixture
def server():
    with BotApi(TOKEN, CHAT) as api:
        yield api


@pytest.fixture
def place(everlearn, tmp_path, server):
    place = Place(everlearn, tmp_path, server)
    yield place
    if place.process and place.process.poll() is None:
        place.process.kill()
        place.process.communicate()
    if place.data.exists():
        place.check_secrecy()


def test_one_message_now_and_what_became_of_it(place, server):
    assert place.run("alerts", "test").out == "telegram: sent\n"
    message = server.messages[0]
    assert message.markup == "HTML" and message.text.startswith("everlearn: a test\nprofile small, ")
    assert message.text.endswith("< > & \" ' _ * ` \\") and message.sent.startswith("<b>everlearn: a test</b>\n")

    def said(fault, status=1):
        server.script = [fault]
        return place.run("alerts", "test", status=status).err.removeprefix("everlearn: telegram: ").strip()

    # A server that shows what it was sent, the token too.
    shown = f"no such method at /bot{TOKEN}/sendMessage"
    assert said(Fault(404, shown)) == "not sent; nothing will pass until this is put right: 404 no such method at /bot***/sendMessage"
    assert said(Fault(429, "Too Many Requests: retry after 5", 5)) == "not sent; it would be tried again later: 429 Too Many Requests: retry after 5"
    assert said(Fault(500, "Internal Server Error")) == "not known whether it arrived: 500 Internal Server Error"
    assert said(Fault(403, "Forbidden: bot was kicked")).startswith("not sent; nothing will pass")
    assert said(Fault(400, "Bad Request: message is too long")) == "refused: 400 Bad Request: message is too long"
    assert said(Fault(reset=True)).startswith(f"not known whether it arrived: {server.url}: ")
    taken = len(server.messages)
    server.script = [Fault(400, "Bad Request: can't parse entities: x")]
    place.run("alerts", "test")
    assert len(server.messages) == taken + 1 and server.messages[-1].markup == ""
    assert place.run("alerts", "test", "--json").json()["channels"] == [
        {"channel": "telegram", "sent": True, "what": "sent", "detail": ""}]
    place.point_at(server, chat="")
    assert "alert.telegram.chat is not" in place.run("alerts", "test", status=10).err


def test_a_connection_that_nobody_answers_names_the_server_alone(place, server):
    server.close()
    said = place.run("alerts", "test", status=1).err
    assert said.startswith(f"everlearn: telegram: not sent; it would be tried again later: {server.url}: ")
    assert "bot" not in said


def test_doctor_asks_the_bot_and_the_chat_and_sends_nothing(place, server):
    def finding(what, **how):
        checks = place.run("doctor", "--dry-run", "--json", **how).json()["checks"]
        return next((check["health"].lower(), check["text"]) for check in checks if check["what"] == what)

    assert finding("telegram") == ("ok", '@watch_bot may write to "Signals & <more>"')
    assert server.messages == []
    place.point_at(server, chat="5")
    assert finding("telegram", status=1) == (
        "fail", "@watch_bot answers, but not about chat 5: 400 Bad Request: chat not found; the bot must have been written to or let into it")
    place.point_at(server, token="1:wrong")
    assert finding("telegram", status=1) == ("fail", "401 Unauthorized")
    place.point_at(server, token="")
    assert finding("alerts") == ("warn", "no channel, so nobody is told: alert.telegram.chat is set, alert.telegram.token is not")
    place.point_at(server, token="", chat="")
    assert finding("alerts")[0] == "ok"


def test_the_token_comes_from_the_environment_or_a_file_of_its_own_and_is_shown_nowhere(place, server):
    shown = place.run("config", "show")
    assert "(set, not shown)" in shown.out
    file = place.folder / "token"
    file.write_text(TOKEN + "\n")
    place.point_at(server, token=f"file:{file}")
    file.chmod(0o644)
    refused = place.run("alerts", "test", status=10).err
    assert "may be read or written by others (mode 644): chmod 600 it" in refused
    file.chmod(0o600)
    assert place.run("alerts", "test").out == "telegram: sent\n"
    assert f"file:{file}" in place.run("config", "show", "--toml").out
    place.point_at(server, token="AAHs3cr3t-t0ken_of-the-bot")
    place.run("alerts", "test", status=10)
    for said in place.said:
        assert "AAHs3cr3t" not in said


def test_a_backlog_is_told_once_in_order_as_a_list_and_in_parts(place, server):
    place.make()
    long = "critical\n" + "\n".join(f"line {i} <b>&amp; {'x' * 60}" for i in range(120))
    place.raise_alerts(*(f"headline {i} <i>\nbody" for i in range(12)))
    place.raise_alerts(long, severity=2)
    place.raise_alerts("a signal of yesterday", expires=now_us() - 1)
    place.raise_alerts("last < & >")
    place.start()
    messages = server.wait_for(5)
    place.until("all settled", lambda: place.states() == ["sent"] * 13 + ["expired", "sent"])
    place.end()
    assert messages[0].text.startswith("12 messages, times in UTC; whole: everlearn alerts list\n")
    assert [line.split("  ")[1] for line in messages[0].text.split("\n")[1:13]] == [f"headline {i} <i>" for i in range(12)]
    assert "1 more came too late to be told" in messages[0].text
    parts = [message.text for message in messages[1:4]]
    assert "\n".join(parts) == long and all(len(part) <= 4096 for part in parts)
    assert messages[4].text == "last < & >"
    # Another start has nothing to tell.
    place.start()
    place.end()
    assert len(server.messages) == 5
    listed = place.run("alerts", "list", "--limit", 2).out
    assert "15 raised; telegram: 14 sent, 1 expired\n" in listed and "a signal of yesterday" in listed
    assert place.run("status", "--json").json()["alerts"]["channels"][0]["sent"] == 14
    files = place.check_secrecy()
    assert any(name.endswith("everlearn.jsonl") for name in files) and any(name.endswith("profile.toml") for name in files)


def test_a_kill_between_message_and_answer_repeats_that_one_and_says_so(place, server):
    place.make()
    place.raise_alerts("one", "two")
    hold = threading.Event()
    server.script = [Fault(hold=hold)]
    place.start()
    server.wait_for(1)
    place.kill()
    hold.set()
    assert place.states() == ["sending", "waiting"]
    place.start()
    server.wait_for(3)
    place.until("both sent", lambda: place.states() == ["sent", "sent"])
    place.end()
    assert server.texts() == ["one", "one" + PERHAPS, "two"]


def test_an_outage_loses_nothing_and_doubles_nothing(place, server):
    """Nobody listens; the daemon is killed, started again, and then somebody does."""
    place.make()
    place.raise_alerts("one", "two", "three")
    server.close()
    place.start()
    place.until("a try", lambda: place.run("alerts", "list", "--json").json()["alerts"][0]["told"][0]["attempts"] >= 1)
    place.until("a reason", lambda: server.url in place.run("status").out)
    place.kill()
    place.start()
    with BotApi(TOKEN, CHAT, server.port) as again:
        again.wait_for(3)
        place.until("all sent", lambda: place.states() == ["sent"] * 3)
        place.end()
        assert again.texts() == ["one", "two", "three"]


def test_a_wait_that_is_asked_for_is_kept_and_a_lost_answer_is_admitted(place, server):
    place.make()
    place.raise_alerts("one", "two")
    server.script = [Fault(429, "Too Many Requests: retry after 2", 2), Fault(), Fault(reset=True)]
    begin = time.monotonic()
    place.start()
    server.wait_for(3)
    assert time.monotonic() - begin >= 2
    place.until("all sent", lambda: place.states() == ["sent", "sent"])
    place.end()
    assert server.texts() == ["one", "two", "two" + PERHAPS]


def test_a_wrong_token_is_said_and_loses_nothing(place, server):
    place.make()
    place.raise_alerts("one")
    place.point_at(server, token="1:wrong")
    place.start()
    place.until("the reason", lambda: "telegram: 0 sent, 1 waiting (401 Unauthorized)" in place.run("status").out)
    place.end()
    assert server.messages == []
    log = [json.loads(line) for line in (place.data / "logs" / "everlearn.jsonl").read_text().splitlines()]
    assert any("401 Unauthorized; nothing passes until that is put right" in line["text"] for line in log)
    place.point_at(server)
    place.start()
    server.wait_for(1)
    place.end()
    assert server.texts() == ["one"]


def test_without_a_channel_alerts_are_kept(place, server):
    place.make()
    place.raise_alerts("one")
    place.point_at(server, token="", chat="")
    place.start()
    assert "1 raised; no channel, so nobody is told" in place.run("status").out
    place.end()
    assert place.states() == ["no channel"]
    place.point_at(server)
    place.start()
    server.wait_for(1)
    place.end()
    assert server.texts() == ["one"] and place.states() == ["sent"]
