"""What people who come from the older Polymarket system find again: its settings, its log, its files.

The names are those of profiles/polymarket.toml, over a file that grows, so that learning starts within seconds.
"""

import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tomllib

import pytest

from everlearn_cli import Everlearn
from run_test import PROFILE, Daemon, Feeder

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CANARY = "canary-7f3a9e"
DOT_ENV = (b"# === ML Core ===\r\n"
           b"POLYBOT_ENABLE_ML=false  # Auto-enabled when ready\r\n"
           b"#POLYBOT_ENABLE_ML=false\n"
           b"POLYBOT_ML_MODEL_DIR=models\n"
           b"export POLYBOT_ML_AUTO_ENABLE_THRESHOLD='500'\n"
           b"POLYBOT_ML_MIN_TRAINING_EXAMPLES=20\n"
           b"POLYBOT_PRIVATE_KEY=\"" + CANARY.encode() + b"\"\n"
           b"WALLET_KEY=" + CANARY.encode() + b"   \n"
           b"\n"
           b"LAST=without a line end")


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture
def place(everlearn, tmp_path):
    """A folder to start in, and the programs with a trainer that tells what it was given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    real = pathlib.Path(everlearn.program).parent
    shutil.copy(real / "everlearn", folder / "everlearn")
    trainer = folder / "everlearn-train"
    trainer.write_text(f"#!/bin/sh\ncat /proc/$$/environ >> {tmp_path}/environ\nexec {real}/everlearn-train \"$@\"\n")
    trainer.chmod(0o755)
    ours = tomllib.loads((REPOSITORY / "profiles/polymarket.toml").read_text(encoding="utf-8"))
    # Only what the older system's names stand for and this small profile has.
    named = {name: old for name, old in ours["env"].items() if "target." not in str(old)}
    text = PROFILE
    for old, new in (('"1s"', '"400ms"'), ("auto_enable = 150", "enabled = false\nauto_enable = 2000"),
                     ("min_effective = 20", "min_effective = 1000\nholdout_share = 0.4"), ('every = "24h"', 'every = "10s"')):
        assert old in text
        text = text.replace(old, new)
    text += '[prices]\nevery = "200ms"\n'
    for section, entries in (("env", named), ("mirror", ours["mirror"])):
        text += f"[{section}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in entries.items())
    start = tmp_path / "start"
    start.mkdir()
    (start / "growing.toml").write_text(text, encoding="utf-8")
    (start / ".env").write_bytes(DOT_ENV)
    daemon = Daemon(Everlearn(folder, start), start)
    daemon.everlearn.environment |= {"POLYBOT_WALLET_SECRET": CANARY, "POLYBOT_ML_DATA_COLLECTION_LIMITS": "3"}
    feeder = Feeder(daemon.input)
    feeder.start()
    yield daemon
    feeder.enough.set()
    if daemon.process and daemon.process.poll() is None:
        daemon.end(signal.SIGKILL)


def grep(daemon, pattern):
    """As the documents tell people to look."""
    found = subprocess.run(["grep", pattern, "logs/polyb0t.log"], cwd=daemon.data, capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


def start(daemon, *more):
    daemon.start("--profile", "growing.toml", *more)


def test_a_dot_env_of_the_older_system_from_the_first_start_to_a_model_that_acts(place, tmp_path):
    daemon = place
    env = daemon.folder / ".env"
    env.chmod(0o640)
    before = env.stat()
    start(daemon)
    daemon.until("learning that starts by itself", lambda: grep(daemon, "AUTO-ENABLE"))
    daemon.until("the model that acts", lambda: grep(daemon, "Model swapped"))

    # Its log.
    lines = {text: grep(daemon, text) for text in (
        "Checking for missing price data to backfill...", "Price history: [0-9,]* points, [0-9,]* tokens, [0-9.]* days coverage",
        "avg interval: [a-z0-9.]* (target: [0-9.]*min)", "Data statistics: [0-9,]* usable examples, [0-9.]* labeled",
        "examples_with_targets", "ML AUTO-ENABLED!", "Training new model...", "New model trained", "Model swapped")}
    assert all(lines.values()), [text for text, found in lines.items() if not found]
    assert len(lines["ML AUTO-ENABLED!"]) == 1
    told = {text: json.loads(found[0]) for text, found in lines.items()}
    assert told["Training new model..."]["data"]["examples"] > 0
    assert {"val_r2", "val_direction_acc"} <= set(told["New model trained"]["data"])
    assert os.readlink(daemon.data / "logs/polyb0t.log") == "everlearn.jsonl"

    # Its files.
    path = json.loads(lines["Model swapped"][-1])["data"]["model_path"]
    named = (daemon.data / "models/current_model.txt").read_text(encoding="utf-8")
    assert path.startswith("models/model_20") and path.endswith(".txt")
    assert (daemon.data / named).read_text(encoding="utf-8").startswith("tree\n")
    serving = daemon.serving()
    daemon.until("the pointer", lambda: (daemon.data / (daemon.data / "models/current_model.txt").read_text()).read_bytes()
                 == (daemon.data / "models" / serving / "trainer/model.txt").read_bytes())

    # Its switch: one value, and nothing else.
    assert env.read_bytes() == DOT_ENV.replace(b"POLYBOT_ENABLE_ML=false  #", b"POLYBOT_ENABLE_ML=true  #", 1)
    after = env.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    copies = [file for file in daemon.folder.iterdir() if file.name.startswith(".env.")]
    assert [copy.read_bytes() for copy in copies] == [DOT_ENV]
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o640

    # Its status.
    text = daemon.run("status").out
    assert "ML Data: " in text and " labeled (active, auto-enabled " in text
    answers = daemon.status()
    assert answers["learning"] == "active" and answers["examples"]["auto_enabled"]
    assert answers["history"]["target_minutes"] == 0.2 / 60 and answers["history"]["points"] > 0

    # What is not ours is told by name, and goes nowhere.
    unheard = grep(daemon, "NOT HONOURED")
    for name in ("POLYBOT_PRIVATE_KEY (.env)", "POLYBOT_WALLET_SECRET (environment)",
                 "POLYBOT_ML_DATA_COLLECTION_LIMITS (environment)"):
        assert any(name in line for line in unheard), unheard
        for verb in (("doctor",), ("config", "show")):
            assert f"NOT HONOURED: {name}" in daemon.run(*verb, status=None).out
    assert any("did you mean POLYBOT_ML_DATA_COLLECTION_LIMIT?" in line for line in unheard)
    assert not any("WALLET_KEY" in line for line in unheard)  # begins otherwise: none of our business
    assert grep(daemon, "no effect: POLYBOT_ML_MODEL_DIR")
    given = (tmp_path / "environ").read_bytes()
    assert given and CANARY.encode() not in given and b"POLYBOT" not in given
    assert daemon.end(signal.SIGTERM) == 0
    for file in daemon.data.rglob("*"):
        if file.is_file() and not file.is_symlink():
            assert CANARY.encode() not in file.read_bytes(), file

    # Once in a life; and off by hand is off for good.
    start(daemon)
    assert daemon.status()["learning"] == "active"
    daemon.run("pause")
    assert daemon.end(signal.SIGTERM) == 0
    start(daemon)
    assert daemon.status()["off_by_hand"] and daemon.status()["learning"] == "off"
    assert "labeled (off by hand; " in daemon.run("status").out
    assert len(grep(daemon, "ML AUTO-ENABLED!")) == 1
    assert env.read_bytes().startswith(b"# === ML Core ===\r\nPOLYBOT_ENABLE_ML=true")


def test_a_dot_env_that_may_not_be_written_is_warned_of_and_learning_is_on_all_the_same(place):
    daemon = place
    env = daemon.folder / ".env"
    env.chmod(0o400)
    start(daemon)
    daemon.until("learning that starts by itself", lambda: daemon.status()["learning"] == "active")
    assert env.read_bytes() == DOT_ENV
    assert not [file for file in daemon.folder.iterdir() if file.name.startswith(".env.")]
    warned = [json.loads(line) for line in grep(daemon, "POLYBOT_ENABLE_ML=true is not written")]
    assert [line["level"] for line in warned] == ["warning"] and "read-only" in warned[0]["text"]
    assert daemon.end(signal.SIGTERM) == 0
    start(daemon)
    assert daemon.status()["learning"] == "active"


def test_the_files_that_init_writes_hold_the_older_names(everlearn, tmp_path):
    run = Everlearn(pathlib.Path(everlearn.program).parent, tmp_path)
    run.run("init", "--profile", "polymarket")
    example = (tmp_path / ".env.example").read_text(encoding="utf-8")
    for line in ("# POLYBOT_ENABLE_ML=false   means train.enabled", "# POLYBOT_ML_RETRAIN_INTERVAL_HOURS=6   means train.every",
                 "# POLYBOT_ML_VALIDATION_THRESHOLD_R2=0.03   means target.*.require",
                 "# POLYBOT_ML_PRICE_SNAPSHOT_INTERVAL_MINUTES=15   means prices.every"):
        assert line in example.splitlines(), example
    # Copied as it stands and read back, it changes nothing and is understood.
    (tmp_path / ".env").write_text("".join(f"{line[2:].split('   ')[0]}\n" for line in example.splitlines()
                                           if line.startswith("# POLYBOT_")), encoding="utf-8")
    shown = run.run("config", "show", "--profile", "polymarket", "--json").json()
    assert shown["not_honoured"] == []
    assert {one["name"] for one in shown["without_effect"]} == {"POLYBOT_ML_MODEL_DIR", "POLYBOT_ML_DATA_DB"}
