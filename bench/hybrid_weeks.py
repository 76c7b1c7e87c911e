"""Does weekly training help, does fine-tuning? The hybrid system over weeks of recorded bars, each way on the very same rows.

Each way is one simulation of the whole loop on a virtual clock. What was served is read from its exported predictions, each written
before its outcome was known; every way is scored on the rows on which all of them served. Prints Markdown tables. A way whose
simulation is in the work folder already is not run again. docs/hybrid_weeks.md has what came out.

  python bench/hybrid_weeks.py --everlearn build/release/bin/everlearn --shared ../shared/data --work build/hybrid_weeks
"""

import argparse
import dataclasses
import datetime
import json
import pathlib
import sqlite3
import subprocess
import sys
import time

import numpy
import pyarrow.parquet

import recorded_bars

NO_SCRATCH = "train.min_recent_accuracy=none"
NEVER = "never retrained"
WEEKLY = "weekly"
ALWAYS = "always promoted"

# What each way changes of the common settings. From-scratch training is by itself: beside a tune it would hide what the tune does.
WAYS = {
    NEVER: ["tune.way=none", NO_SCRATCH, "train.every=3650d", "train.model_expiry=none"],
    WEEKLY: ["tune.way=none", NO_SCRATCH],
    "weekly + from scratch": ["tune.way=none"],
    "weekly + trees": ["tune.way=trees", NO_SCRATCH],
    "weekly + leaves": ["tune.way=leaves", NO_SCRATCH],
    "weekly + calibration": ["tune.way=calibration", NO_SCRATCH],
}
# Retraining without the gate: each candidate of a Sunday serves, however it was judged; what is tuned is always a week old at most.
UNGATED = ["target.move.require=", "target.move.comparison=non_inferior", "target.move.margin=1"]
WAYS |= {ALWAYS + name.removeprefix(WEEKLY): WAYS[name] + UNGATED for name in WAYS if name != NEVER and "scratch" not in name}
FEWER = [name for name in WAYS if "leaves" not in name and "scratch" not in name]


@dataclasses.dataclass
class Market:
    title: str
    bars: object  # (shared folder, work folder) -> words of `simulate`
    since: datetime.date  # a Sunday: week 0, the first row that is scored
    weeks: int
    settings: list  # all ways; train.auto_enable brings the first training just before `since`
    ways: list


def crypto(shared, _):
    return ["--input", shared / "crypto" / "bars_5m_2022_2023", "--columns", "timestamp=date", "--symbol-from-file"]


def nse(shared, work):
    if not (work / "bars").exists():
        print("NSE:", recorded_bars.nse_bars(shared / "fx_and_tables" / "nse_ticks_2021", work / "bars"), flush=True)
    return ["--input", work / "bars", "--symbol-from-file"]


def fx(shared, work):
    if not (work / "bars").exists():
        recorded_bars.fx_bars(shared / "fx_and_tables" / "fx_1hour", work / "bars")
    return ["--input", work / "bars", "--symbol-from-file"]


MARKETS = {
    "crypto": Market("six coins, five-minute bars", crypto, datetime.date(2023, 3, 5), 8,
                     ["train.auto_enable=26900", "tune.every=1h"], [name for name in WAYS if name != ALWAYS + " + leaves"]),
    "nse": Market("three Indian instruments, ticks made into five-minute bars", nse, datetime.date(2021, 5, 23), 3,
                  ["train.auto_enable=485", "train.min_effective=150", "train.min_holdout_effective=30", "streams.window=3d",
                   "gate.max_gain_share=1"],
                  FEWER),
    "fx": Market("two currency pairs, hourly bars", fx, datetime.date(2018, 5, 6), 8,
                 ["train.auto_enable=33735", "cycle.every=1h", "target.move.horizon=3h", "target.move.tolerance=1h",
                  "target.move.flat=0.0007", "train.embargo=3h", "examples.max_price_age=2h", "source.gap_after=3h",
                  "retention.days=0", "train.min_holdout_effective=30", "streams.window=3d", "gate.max_gain_share=1"],
                 FEWER[:5]),
}


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}\nexit {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


class Way:
    """One way of one market: simulated unless its folder has it already, and what it said."""

    def __init__(self, name, settings, words, everlearn, work):
        self.name, self.everlearn = name, everlearn
        self.directory = work / name.replace(" ", "_").replace("+", "and").replace(",", "")
        file = self.directory.with_suffix(".json")
        if not file.exists():
            begun = time.time()
            sets = [w for s in settings for w in ("--set", s)]
            report = json.loads(run(everlearn, "simulate", "--profile", "hybrid", *words, *sets, "--data", self.directory, "--json"))
            file.write_text(json.dumps({"seconds": time.time() - begun, "split": report["split_seconds"]}))
            print(f"{name}: {time.time() - begun:.0f} s", file=sys.stderr, flush=True)
        self.cost = json.loads(file.read_text())
        self.status = json.loads(run(everlearn, "status", "--data", self.directory, "--json"))
        self.read(work / (self.directory.name + ".parquet"))

    def read(self, file):
        if not file.exists():
            run(self.everlearn, "data", "export", "--data", self.directory, "--dataset", "predictions", "--format", "parquet", "--out", file)
        said = pyarrow.parquet.read_table(file).to_pydict()
        self.served, self.streams, self.accuracy_known = {}, {}, {}
        for n, key in enumerate(zip(said["event_time"], said["instrument"])):
            p = [said[f"p.{k}"][n] for k in range(3)]
            outcome, known_at = said["outcome"][n], said["outcome_known_at"][n]
            if said["served"][n]:
                self.accuracy_known[key] = said["recent_accuracy"][n]
            if outcome is None or not all(x is not None and numpy.isfinite(x) for x in p):
                continue
            assert known_at > key[0], f"{key}: known at {known_at}, before it was said"
            row = (p, int(outcome), said["verdict"][n] == "passed", said["rung"][n], said["stream"][n])
            self.streams.setdefault(said["stream"][n], {})[key] = row
            if said["served"][n]:
                self.served[key] = row

    def trainings(self):
        """Each training of the ledger: its verdict, with what the child process measured."""
        with sqlite3.connect(f"file:{self.directory}/everlearn.db?mode=ro", uri=True) as store:
            rows = store.execute("select as_of, outcome, reason, json from verdict order by id").fetchall()
        return [(datetime.datetime.fromtimestamp(at / 1e6, datetime.timezone.utc), outcome, reason, json.loads(text))
                for at, outcome, reason, text in rows]

    def net(self, since):
        stats = json.loads(run(self.everlearn, "signals", "stats", "--data", self.directory, "--from", since, "--json"))
        passed = [v for v in stats["verdicts"] if v["verdict"] == "passed"]
        return f"{1e4 * passed[0]['net_mean']:+.1f}" if passed and passed[0]["priced"] else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--everlearn", required=True, type=pathlib.Path)
    parser.add_argument("--shared", required=True, type=pathlib.Path, help="the folder of recordings")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="simulations and exports, a few hundred MB")
    parser.add_argument("--markets", default=",".join(MARKETS), help="comma-separated (default: all)")
    options = parser.parse_args()
    if not options.shared.is_dir():
        print(f"{options.shared} is not here: nothing is measured")
        return
    for name in options.markets.split(","):
        market, work = MARKETS[name], options.work / name
        work.mkdir(parents=True, exist_ok=True)
        until = market.since + datetime.timedelta(days=7 * market.weeks)
        words = [*market.bars(options.shared, work), "--to", until.isoformat()]
        common = [f"scaling.start={market.since}", *market.settings]
        ways = [Way(way, common + WAYS[way], words, options.everlearn.resolve(), work) for way in market.ways]
        report(market, ways)


def report(market, ways):
    keys = set.intersection(*(set(way.served) for way in ways))
    weeks = [sorted(k for k in keys if (k[0].date() - market.since).days // 7 == week) for week in range(market.weeks)]
    rows = [k for week in weeks for k in week]
    print(f"\n## {market.title}: {len(rows):,} rows from {market.since}, {market.weeks} weeks\n")
    heading = "| way | " + " | ".join(map(str, range(market.weeks))) + " | all |\n|---|" + "---|" * (market.weeks + 1)

    outcomes = numpy.array([ways[0].served[k][1] for k in rows])
    for figure in (accuracy, log_loss, signals, signals_right, champion_share, poor_share):
        print(f"{figure.__doc__}\n\n{heading}")
        for way in ways:
            print(f"| {way.name} | " + " | ".join(figure(way, part) for part in [*weeks, rows]) + " |")
        if figure is accuracy:
            print("| most frequent class, known afterwards | " + " | ".join(majority(ways[0], part) for part in [*weeks, rows]) + " |")
        if figure is log_loss:
            print("| class shares of all rows before the week | " + " | ".join(shares_so_far(ways[0], weeks)) + " |")
        print()
    shares = numpy.bincount(outcomes, minlength=3) / len(outcomes)
    print("Down, flat, up: " + ", ".join(f"{100 * s:.1f} %" for s in shares) + "\n")

    never, weekly = (next(w for w in ways if w.name == name) for name in (NEVER, WEEKLY))
    print("| way | log loss less that of weekly | 90 % interval over days | less that of never retrained | 90 % interval | net of a signal, bps |")
    print("|---|---|---|---|---|---|")
    for way in ways:
        differences = " ".join("| 0 |" if way is other else interval(way.served, other.served, rows) for other in (weekly, never))
        print(f"| {way.name} {differences} | {way.net(market.since)} |")

    print("\n| way | rows with both streams | log loss of tuned less base | 90 % interval over days | accuracy of base | of tuned | tuned served |")
    print("|---|---|---|---|---|---|---|")
    for way in ways:
        tuned, base = way.streams.get("tuned"), way.streams.get("base")
        if tuned:
            both = [k for k in sorted(tuned.keys() & base.keys()) if k[0].date() >= market.since]
            served = sum(way.served[k][4] == "tuned" for k in both) / len(both)
            print(f"| {way.name} | {len(both):,} {interval(tuned, base, both)} | {share(base, both)} | {share(tuned, both)} "
                  f"| {100 * served:.0f} % |")

    print("\n| way | seconds | trained | promoted | refused | insufficient | tunes |\n|---|---|---|---|---|---|---|")
    for way in ways:
        t = way.status["trainings"]
        print(f"| {way.name} | {way.cost['seconds']:.0f} | {len(way.trainings())} | {t['promoted']} | {t['refused']} | {t['insufficient']} "
              f"| {way.status['tunes']} |")
    for way in ways:
        print(f"- {way.name}: " + ", ".join(f"{k} {v:.1f}" for k, v in way.cost["split"].items())
              + (f"; not tuned: {way.status['tunes_not']}" if way.status["tunes_not"] else ""))
    trainings(weekly)


def table(way, keys):
    said = [way.served[k] for k in keys]
    return (numpy.array([r[0] for r in said]).reshape(-1, 3), numpy.array([r[1] for r in said], int),
            numpy.array([r[2] for r in said], bool))


def accuracy(way, keys):
    """Accuracy"""
    return share(way.served, keys)


def share(rows, keys):
    if not keys:
        return "-"
    return f"{100 * numpy.mean([numpy.argmax(rows[k][0]) == rows[k][1] for k in keys]):.1f} %"


def log_loss(way, keys):
    """Log loss"""
    p, outcome, _ = table(way, keys)
    return f"{-numpy.log(numpy.maximum(p[numpy.arange(len(p)), outcome], 1e-15)).mean():.4f}" if len(p) else "-"


def signals(way, keys):
    """Signals"""
    return str(int(table(way, keys)[2].sum()))


def signals_right(way, keys):
    """Signals that were right"""
    p, outcome, passed = table(way, keys)
    return f"{100 * (p.argmax(axis=1) == outcome)[passed].mean():.0f} %" if passed.any() else "-"


def champion_share(way, keys):
    """Rows on which a model that had passed the gate spoke, not the baseline"""
    return f"{100 * numpy.mean([way.served[k][3] == 'champion' for k in keys]):.0f} %" if keys else "-"


def poor_share(way, keys):
    """Of these, decided while recent accuracy stood under 45 %"""
    known = [way.accuracy_known[k] for k in keys if way.served[k][3] == "champion" and way.accuracy_known[k] is not None]
    return f"{100 * numpy.mean(numpy.array(known) < 0.45):.0f} %" if known else "-"


def majority(way, keys):
    return f"{100 * numpy.bincount(table(way, keys)[1], minlength=3).max() / len(keys):.1f} %" if keys else "-"


def shares_so_far(way, weeks):
    """Log loss of always saying how often each class came in all rows before the week: no model, no look ahead."""
    losses, cells = [], []
    for week in weeks:
        if not week:
            cells.append("-")
            continue
        before = numpy.bincount([r[1] for k, r in way.served.items() if k[0] < week[0][0] - datetime.timedelta(hours=3)], minlength=3)
        p = before / before.sum()
        loss = -numpy.log(p[table(way, week)[1]])
        losses.append(loss)
        cells.append(f"{loss.mean():.4f}")
    return [*cells, f"{numpy.concatenate(losses).mean():.4f}"]


def interval(rows, reference, keys, draws=2000):
    days = {}
    for key in keys:
        loss = [-numpy.log(max(r[key][0][r[key][1]], 1e-15)) for r in (rows, reference)]
        total = days.setdefault(key[0].date(), [0.0, 0])
        total[0] += loss[0] - loss[1]
        total[1] += 1
    blocks = numpy.array(list(days.values()))
    generator = numpy.random.default_rng(1)
    picks = generator.integers(0, len(blocks), (draws, len(blocks)))
    means = blocks[picks, 0].sum(axis=1) / blocks[picks, 1].sum(axis=1)
    low, high = numpy.quantile(means, [0.05, 0.95])
    return f"| {blocks[:, 0].sum() / blocks[:, 1].sum():+.5f} | {low:+.5f} to {high:+.5f}"


def trainings(way):
    print(f"\nTrainings of *{way.name}*\n\n| as of | why | rows fit, stop, hold-out | trees | last row fit or stopped on | seconds | verdict |\n" + "|---|" * 1 + "---|" * 6)
    for at, outcome, reason, text in way.trainings():
        r = text.get("result") or {}
        fitted = f"{r['rows_fit']:,}, {r['rows_stop']:,}, {text['verdict']['rows']:,}" if r else "-"
        last = datetime.datetime.fromtimestamp(r["seen_until"] / 1e6, datetime.timezone.utc).strftime("%m-%d") if r else "-"
        print(f"| {at:%m-%d %H:%M} | {reason} | {fitted} | {r.get('best_iteration', '-')} | {last} | {text['seconds']:.1f} "
              f"| {outcome}: {text['verdict']['reason']} |")


if __name__ == "__main__":
    main()
