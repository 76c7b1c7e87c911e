"""The workflow files and the lines of docs/cron.md, as a user copies them: they are YAML that a scheduler takes, and each line that
names the program is given to the real one. Without keys it must get as far as asking for them: a flag that is no more ends it
before, with 2."""

import configparser
import re
import shlex

import pytest
import yaml
from conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PLACE = "s3://bucket/prefix"


def workflow(name):
    text = (DOCS / "workflows" / name).read_text(encoding="utf-8")
    return yaml.safe_load(text), text


def lines_in(text):
    """Arguments of each call of the program in a text of shell lines."""
    return [line.split("#")[0].strip() for line in re.findall(r"(?:^|[\s/])everlearn ((?:analyze|train) [^\n`]*)", text)]


def refused_for_want_of_keys(everlearn, line, folder):
    words = shlex.split(line.replace('"$STATE"', PLACE))
    more = [] if "--state" in words else ["--state", PLACE]
    refused = everlearn.run(*words, *more, "--data", folder, status=10)
    assert "AWS_ACCESS_KEY_ID is not set" in refused.err, line


@pytest.fixture
def bare(everlearn):
    """Without a key in its environment."""
    bare = type(everlearn)(everlearn.program.rsplit("/", 1)[0], everlearn.place)
    bare.environment = {k: v for k, v in bare.environment.items() if not k.startswith("AWS_")}
    return bare


@pytest.mark.parametrize("name", ["analyze.yml", "train.yml"])
def test_a_workflow_is_one_a_scheduler_takes(bare, tmp_path, name):
    parsed, text = workflow(name)
    assert parsed["name"] == name.removesuffix(".yml")
    assert parsed["concurrency"] == {"group": "everlearn-state", "cancel-in-progress": False}
    assert parsed["permissions"] == {"contents": "read"}
    (job,) = parsed["jobs"].values()
    calls = [line for step in job["steps"] for line in lines_in(step.get("run", ""))]
    assert len(calls) == 1
    refused_for_want_of_keys(bare, calls[0], tmp_path / "data")
    # Secrets come by name; what is given to a step by value is none.
    names = set(re.findall(r"secrets\.(\w+)", text))
    assert names == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} | (
        {"NEON_CONN_STR", "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"} if name == "analyze.yml" else set())
    assert all(value.startswith("${{ ") for value in job["env"].values())


def test_the_schedules_are_those_of_the_profile(everlearn):
    shown = {setting["key"]: setting["value"] for setting in
             everlearn.run("config", "show", "--profile", "hybrid", "--json").json()["settings"]}
    # YAML 1.1 reads the key "on" as true.
    assert workflow("train.yml")[0][True]["schedule"] == [{"cron": shown["train.every"].replace("sun", "0")}]
    assert workflow("analyze.yml")[0][True]["schedule"] == [{"cron": f"3/{shown['cycle.every'].removesuffix('m')} * * * *"}]


def test_the_lines_of_the_page_are_understood(bare, tmp_path):
    text = (DOCS / "cron.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```\n(.*?)```", text, re.S) for line in lines_in(block)]
    assert len(lines) == 5
    for number, line in enumerate(lines):
        refused_for_want_of_keys(bare, line, tmp_path / str(number))
    units = re.findall(r"# (/etc/systemd/system/\S+)\n(.*?)(?=\n# /etc|\n```)", text, re.S)
    assert len(units) == 2
    for name, unit in units:
        parser = configparser.ConfigParser(strict=True)
        parser.optionxform = str
        parser.read_string(unit)
        assert parser.sections()[0] == ("Timer" if name.endswith(".timer") else "Service")
