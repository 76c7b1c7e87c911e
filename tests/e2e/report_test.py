"""The report: JSON with every key that other programs rely on, and one HTML file that needs nothing else."""

import html.parser
import re

import demo_cut
import pytest
from everlearn_cli import as_flags

KEYS = {"profile", "inputs", "time_unit", "from", "to", "seed", "cycles", "events", "examples", "coverage", "trainings",
        "models", "predictions", "signals", "intents", "fills", "live", "paper", "ledger_sha256", "wall_seconds",
        "speed"}
PARTS = {
    "examples": {"collected", "labelled", "effective", "void", "waiting"},
    "coverage": {"streams", "points", "gaps", "longest_gap_s"},
    "models": {"kept", "champions"},
    "signals": {"passed", "stopped"},
    "paper": {"pnl", "costs", "sharpe", "sharpe_se", "max_drawdown", "baseline_pnl"},
}
TRAINING = {"target", "model", "as_of", "rows", "effective", "reason", "seconds", "verdict", "champion_before",
            "checks"}
CHECK = {"name", "measured", "required", "passed"}
LIVE = {"target", "n", "r2", "r2_no_change", "direction_accuracy", "majority_direction", "zero_share", "baseline",
        "by_period"}


@pytest.fixture(scope="module")
def run(everlearn, recordings, tmp_path_factory):
    place = tmp_path_factory.mktemp("report")
    command = ["simulate", *demo_cut.arguments(demo_cut.inputs(recordings), "1992-10-01"), *as_flags(demo_cut.SETTINGS),
               "--data", place / "data"]
    json_run = everlearn.run(*command, "--json", "--html", place / "page.html")
    text_run = everlearn.run(*command)  # the same directory again, for people
    return json_run.json(), (place / "page.html").read_text(encoding="utf-8"), text_run.out


def test_json_has_every_key(run):
    report = run[0]
    assert KEYS <= report.keys()
    for part, keys in PARTS.items():
        assert keys <= report[part].keys(), part
    assert report["trainings"] and report["live"]
    for training in report["trainings"]:
        assert TRAINING <= training.keys()
        assert training["verdict"] in ("promoted", "refused", "insufficient", "failed")
        for check in training["checks"]:
            assert CHECK <= check.keys()
    for live in report["live"]:
        assert LIVE <= live.keys()
    assert re.fullmatch("[0-9a-f]{64}", report["ledger_sha256"])
    assert set(report["models"]["champions"]) <= {"ret_5d", "vol_5d"} and report["models"]["champions"]


def test_figures_of_the_report_fit_together(run):
    report = run[0]
    promoted = [t["model"] for t in report["trainings"] if t["verdict"] == "promoted"]
    assert set(report["models"]["champions"].values()) <= set(promoted)
    for training in report["trainings"]:
        passed = all(check["passed"] for check in training["checks"])
        assert passed or training["verdict"] != "promoted"
    stopped = sum(report["signals"]["stopped"].values())
    assert report["signals"]["passed"] + stopped == report["examples"]["collected"]  # one decision a share and session
    assert report["fills"] <= 2 * report["intents"]


LINKS = ("src", "href", "xlink:href", "data", "action", "srcset")


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = {}, []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.links += [value for name, value in attrs if name in LINKS]


def test_the_page_needs_nothing_but_itself(run):
    page = run[1]
    seen = Page()
    seen.feed(page)
    assert seen.tags.get("svg", 0) >= 3
    assert not seen.tags.keys() & {"script", "link", "iframe", "img", "object", "embed", "form"}
    assert all(link.startswith("#") for link in seen.links)
    for outside in ("http:", "https:", "@import", "javascript:", "<script"):
        assert outside not in page.lower()
    assert not re.search(r"url\((?!#)", page)


def test_the_text_tells_a_person_what_served_what_was_refused_and_what_the_data_cannot_tell(run):
    report, _, text = run
    for words in ("ret_5d", "vol_5d", "refused", "promoted", "baseline", "survivors", report["ledger_sha256"][:8]):
        assert words in text, words
