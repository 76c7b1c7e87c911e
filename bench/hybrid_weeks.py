"""Eight weeks of the hybrid system on recorded bars: never retrained, weekly only, weekly and fine-tuned in three ways.

Each way is one simulation of the same rows under the same settings; what was served is read from its exported predictions and
labels, and every way is scored on the very same rows. Prints one table a week and the totals as Markdown.

  python bench/hybrid_weeks.py --everlearn build/release/bin/everlearn --bars ../shared/data/crypto/bars_5m_2022_2023 --work /tmp/weeks
"""

import argparse
import datetime
import json
import math
import pathlib
import subprocess
import time

import numpy
import pyarrow.parquet

WAYS = {
    "never retrained": ["tune.way=none", "train.every=3650d", "train.min_recent_accuracy=none", "train.model_expiry=none"],
    "weekly": ["tune.way=none", "train.min_recent_accuracy=none"],
    "weekly + from scratch": ["tune.way=none"],
    "weekly + trees": ["tune.way=trees"],
    "weekly + leaves": ["tune.way=leaves"],
    "weekly + calibration": ["tune.way=calibration"],
}


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}\nexit {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def scored(everlearn, directory, work):
    """(time, instrument) -> (class probabilities, outcome, passed) of every served prediction whose outcome is known."""
    file = work / f"{directory.name}.parquet"
    file.unlink(missing_ok=True)
    run(everlearn, "data", "export", "--data", directory, "--dataset", "predictions", "--format", "parquet", "--out", file)
    said = pyarrow.parquet.read_table(file).to_pydict()
    rows = {}
    for n, key in enumerate(zip(said["event_time"], said["instrument"])):
        p = [said[f"p.{k}"][n] for k in range(3)]
        outcome = said["outcome"][n]
        if said["served"][n] and outcome is not None and math.isfinite(outcome) and all(x is not None for x in p):
            rows[key] = (p, int(outcome), said["verdict"][n] == "passed")
    return rows


def simulate(everlearn, bars, work, name, settings, until):
    directory = work / name.replace(" ", "_").replace("+", "and")
    words = [everlearn, "simulate", "--profile", "hybrid", "--input", bars, "--columns", "timestamp=date", "--symbol-from-file",
             "--to", until, "--data", directory, "--json"]
    for setting in settings:
        words += ["--set", setting]
    begun = time.time()
    run(*words)
    status = json.loads(run(everlearn, "status", "--data", directory, "--json"))
    return directory, time.time() - begun, status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--everlearn", required=True, type=pathlib.Path)
    parser.add_argument("--bars", required=True, type=pathlib.Path, help="a folder of CSV files, one a symbol")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--since", default="2023-03-05", help="first day that is scored; week 0 of the scaling")
    parser.add_argument("--weeks", default=8, type=int)
    parser.add_argument("--effective", default=26_900, type=int, help="effective labelled rows at which the first base is trained")
    parser.add_argument("--tune-every", default="cycle")
    parser.add_argument("--ways", default="", help="only those with one of these words, comma-separated")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    since = datetime.date.fromisoformat(options.since)
    until = since + datetime.timedelta(days=7 * options.weeks)
    # The first training of every way comes at the same moment, just before the weeks that are scored: one base for all.
    common = [f"scaling.start={options.since}", f"tune.every={options.tune_every}", f"train.auto_enable={options.effective}"]
    chosen = [w for w in WAYS if not options.ways or any(part in w for part in options.ways.split(","))]

    results, seconds, states = {}, {}, {}
    for name in chosen:
        directory, seconds[name], states[name] = simulate(options.everlearn.resolve(), options.bars, options.work, name,
                                                          common + WAYS[name], until.isoformat())
        results[name] = scored(options.everlearn.resolve(), directory, options.work)
        print(f"{name}: {seconds[name]:.0f} s, {states[name]['tunes']} tunes", flush=True)
    report(results, seconds, states, since, options.weeks)


def report(results, seconds, states, since, weeks):
    shared_rows = set.intersection(*(set(r) for r in results.values()))
    week_of = {}
    for key in shared_rows:
        week = (key[0].date() - since).days // 7
        if 0 <= week < weeks:
            week_of.setdefault(week, []).append(key)
    for figure in ("accuracy", "log loss", "signals", "signals right"):
        print(f"\n### {figure} by week, on the same {sum(map(len, week_of.values())):,} rows\n")
        print("| way | " + " | ".join(str(w) for w in range(weeks)) + " | all |")
        print("|---|" + "---|" * (weeks + 1))
        for name, rows in results.items():
            cells = []
            for keys in [week_of.get(w, []) for w in range(weeks)] + [[k for ks in week_of.values() for k in ks]]:
                cells.append(cell(figure, [rows[k] for k in keys]))
            print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n### log loss against \"weekly\", all rows: mean difference with a 90 % interval over days\n")
    if "weekly" in results:
        for name, rows in results.items():
            if name != "weekly":
                print(f"- {name}: {interval(rows, results['weekly'], week_of)}")
    print("\n### how\n")
    for name in results:
        s = states[name]
        print(f"- {name}: {seconds[name]:.0f} s of wall time, {s['verdicts']['promoted']} promoted, {s['verdicts']['refused']} refused, "
              f"{s['tunes']} tunes" + (f", {s['stream']} served at the end" if s.get("stream") else ""))


def cell(figure, rows):
    if not rows:
        return "-"
    p = numpy.array([r[0] for r in rows])
    outcome = numpy.array([r[1] for r in rows])
    passed = numpy.array([r[2] for r in rows])
    right = p.argmax(axis=1) == outcome
    if figure == "accuracy":
        return f"{100 * right.mean():.1f} %"
    if figure == "log loss":
        return f"{-numpy.log(numpy.maximum(p[numpy.arange(len(p)), outcome], 1e-15)).mean():.4f}"
    if figure == "signals":
        return str(int(passed.sum()))
    return f"{100 * right[passed].mean():.0f} %" if passed.any() else "-"


def interval(rows, reference, week_of, draws=2000):
    days = {}
    for keys in week_of.values():
        for key in keys:
            loss = [-math.log(max(r[key][0][r[key][1]], 1e-15)) for r in (rows, reference)]
            total = days.setdefault(key[0].date(), [0.0, 0])
            total[0] += loss[0] - loss[1]
            total[1] += 1
    blocks = numpy.array(list(days.values()))
    generator = numpy.random.default_rng(1)
    picks = generator.integers(0, len(blocks), (draws, len(blocks)))
    means = blocks[picks, 0].sum(axis=1) / blocks[picks, 1].sum(axis=1)
    low, high = numpy.quantile(means, [0.05, 0.95])
    return f"{blocks[:, 0].sum() / blocks[:, 1].sum():+.5f} [{low:+.5f}, {high:+.5f}] (below 0: better)"


if __name__ == "__main__":
    main()
