"""A live run on a venue is recorded, and the recording replayed: the same examples, labels, predictions, models, intents and fills,
row by row. In between the venue drops frames and connections, so that doubts and fresh books are part of it.
"""

import pytest
from live_run import Run

SETTINGS = ["train.enabled=false", "train.auto_enable=120", "train.min_effective=30", "train.min_holdout_effective=12", "train.every=1h",
            "train.embargo=15m", "train.holdout_share=0.3", "gate.draws=100", "target.moves_1h.blend_weight=0.05"]
# What a simulation says otherwise: where it ran. What became of a row is compared as labels are: the last cycle's come live alone.
OF_THE_RUN = {"origin", "price_origin"}


@pytest.fixture(name="live")
def fixture_live(everlearn, shared_data, tmp_path):
    run = Run(everlearn, shared_data, tmp_path, SETTINGS)
    try:
        yield run
    finally:
        run.end()


def test_a_replay_decides_as_the_live_run_did(live):
    recording = live.folder / "run.jsonl"
    live.start("--record", recording)
    live.wait_market_hours(1)
    for kind, members in [("drop", {"for": "20m", "every": 4}), ("disconnect", {}), ("status", {"for": "15m", "status": 503})]:
        live.venue.fault(kind, **members)
        live.wait_market_hours(0.5)
    live.wait("a model", lambda: live.champion())
    live.wait_market_hours(1)
    live.stop_daemon()
    live_rows = {dataset: live.rows(dataset) for dataset in ("examples", "labels", "predictions", "verdicts", "intents", "fills", "prices")}
    assert len(live_rows["predictions"]) > 5_000 and any(row["bundle"] for row in live_rows["predictions"])

    again = live.folder / "again"
    flags = [word for setting in live.settings for word in ("--set", setting)]
    live.everlearn.run("simulate", "--profile", "polymarket", "--input", recording, *flags, "--data", again)
    live.data = again
    for dataset, expected in live_rows.items():
        rows = live.rows(dataset)
        # The last cycle runs live when its time has passed, in a replay only when something later is known.
        assert 0 <= len(expected) - len(rows) <= 250, dataset
        key = lambda row: tuple(str(row.get(name)) for name in ("event_time", "instrument", "target", "id", "verdict", "check", "created", "intent"))
        there = {key(row): plain(row) for row in expected}
        for row in rows:
            assert there[key(row)] == plain(row), dataset


def plain(row):
    """Comparable, missing numbers too."""
    return {name: "nan" if value != value else value for name, value in row.items()
            if name not in OF_THE_RUN and not name.startswith(("label.", "label_state.", "label_end.", "label_known_at.", "outcome"))}
