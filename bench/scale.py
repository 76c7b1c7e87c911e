"""The measurements of docs/scale.md, each beside what the older system's documents say of it (they give no measurement).

    scale.py --bin build/release/bin --shared ../shared/data --work build/scale [PART ...]

Parts: cycle_500, cycle_10000, restart, backfill, training (10 to 60 minutes; the last one is asked for by name).
Market objects and dense prices are recorded; books and trades are made, so a figure is one of time and bytes only.
"""

import argparse
import datetime
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "servers"))
from venue import Venue  # noqa: E402

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
OLDER = {
    "cycle": "older system: a cycle < 1 s",
    "restart": "older system: 3 KB a row, 75 GB",
    "backfill": "older system: a backfill check 2 to 5 s",
    "training": "older system: a training 15 to 30 minutes",
}


def say(part):
    print(f"\n== {part}, {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f}; {OLDER[part.split('_')[0]]}",
          flush=True)


def run(*command):
    subprocess.run([str(word) for word in command], check=True)


def markets_file(args):
    """The recorded list; then the same markets with other ids, for more instruments than it holds."""
    file = args.work / "markets.jsonl"
    if file.exists():
        return file
    lines = gzip.open(args.shared / "polymarket/gamma_markets/markets_2026-03-11.jsonl.gz", "rt", encoding="utf-8").readlines()
    with open(args.work / "markets.part", "w", encoding="utf-8") as out:
        for copy in range(4):
            for line in lines:
                market = json.loads(line)
                if copy:
                    market["id"] = f"{copy}{market['id']}"
                    market["conditionId"] = f"0x{copy:02x}{market['conditionId'][4:]}"
                    market["clobTokenIds"] = json.dumps([f"{copy}{token[1:]}" for token in json.loads(market.get("clobTokenIds") or "[]")])
                out.write(json.dumps(market) + "\n")
    (args.work / "markets.part").rename(file)
    return file


def cycle(args, instruments, cycles, hours):
    say(f"cycle_{instruments}")
    run(args.bin / "scale_bench", REPOSITORY / "profiles/polymarket.toml", markets_file(args), args.bin / "everlearn-train",
        "--instruments", instruments, "--cycles", cycles, "--hours", hours)


def restart(args, points=50_000_000):
    say("restart")
    series = args.work / "series.csv"
    if not series.exists():
        run(sys.executable, REPOSITORY / "bench/price_series.py", args.shared / "polymarket", series)
    folder = args.work / "prices"
    if not folder.exists():
        run(args.bin / "store_bench", "prices", folder, series, points)
    run(args.bin / "store_bench", "open", folder)


def training(args, rows):
    say("training")
    if args.examples is None:
        sys.exit("training: --examples DATA, a directory of everlearn's with labelled examples")
    run(args.bin / "training_set_bench", args.examples, args.work / f"rows-{rows}", rows, args.bin / "everlearn-train")


def backfill(args, markets=250):
    """The daemon, killed for eight hours of market time on a venue of ours; from its start to the last point filled."""
    say("backfill")
    folder = args.work / f"backfill-{int(time.time())}"
    begin, speed = datetime.datetime(2026, 1, 12, 0, 10, tzinfo=datetime.timezone.utc), 60.0
    stamp = lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    def daemon(venue, anchor):
        settings = {"venue.markets": markets, "venue.min_volume_24h": 0, "venue.mid_from": 0.001, "venue.mid_to": 0.999, "venue.leave_below": 0,
                    "venue.leave_above": 1, "venue.max_spread": 1, "venue.min_horizons": 1, "venue.gamma": venue.url, "venue.clob": venue.url, "venue.data": venue.url, "venue.socket": venue.ws_url}
        words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        with open(folder / "daemon.txt", "a", encoding="utf-8") as log:
            return subprocess.Popen([args.bin / "everlearn", "run", "--profile", "polymarket", "--data", folder / "data", "--clock-speed", str(speed),
                                     "--clock-anchor", ",".join(anchor), *words], stdout=log, stderr=log, cwd=folder)

    def status():
        answer = subprocess.run([args.bin / "everlearn", "status", "--json", "--data", folder / "data"], capture_output=True, text=True, check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else {}

    def filled_by_now():
        return (status().get("history") or {}).get("backfilled", 0)

    def wait_for_more(points):
        deadline = time.monotonic() + 60
        while (now := filled_by_now()) <= points:
            if time.monotonic() > deadline:
                sys.exit(f"nothing was filled within a minute: {folder / 'daemon.txt'}")
            time.sleep(0.1)
        return time.monotonic(), now

    def wait_until_no_more(points):
        since = time.monotonic()
        while time.monotonic() - since < 4:
            if (now := filled_by_now()) != points:
                points, since = now, time.monotonic()
            time.sleep(0.1)
        return since, points

    folder.mkdir(parents=True)
    os.environ.setdefault("EVERLEARN_BIN", str(args.bin))
    filled = 0
    for later, what in ((datetime.timedelta(0), "an empty directory, asked for all that the features reach back to"),
                        (datetime.timedelta(hours=8, minutes=5), "killed, and eight hours later")):
        anchor = (stamp(datetime.datetime.now(datetime.timezone.utc)), stamp(begin + later))
        with Venue(folder / "venue", args.shared / "polymarket", scenario={"made_every": "60s"}, recordings=["price_history_10m"], speed=speed,
                   anchor=anchor) as venue:
            (folder / "data" / "control.sock").unlink(missing_ok=True)
            start, process = time.monotonic(), daemon(venue, anchor)
            try:
                began, points = wait_for_more(filled)
                last, points = wait_until_no_more(points)
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
            print(f"{what}: {2 * len(venue.markets())} tokens listed, {points - filled} points; the first {began - start:.1f} s, the last {last - start:.1f} s "
                  "after the start of the process", flush=True)
            filled = points


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--examples", type=pathlib.Path, help="data directory whose labelled rows are repeated for the training set")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("parts", nargs="*", default=["cycle_500", "cycle_10000", "restart", "backfill"])
    args = parser.parse_args()
    for name in ("bin", "shared", "work"):
        setattr(args, name, getattr(args, name).resolve())
    args.work.mkdir(parents=True, exist_ok=True)
    parts = {"cycle_500": lambda: cycle(args, 500, 2000, 5), "cycle_10000": lambda: cycle(args, 10_000, 200, 4), "restart": lambda: restart(args),
             "backfill": lambda: backfill(args), "training": lambda: training(args, args.rows)}
    for part in args.parts:
        parts[part]()


if __name__ == "__main__":
    main()
