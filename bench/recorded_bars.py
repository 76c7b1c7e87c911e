"""Bars that `everlearn` reads, out of recordings that need a hand: ticks of the Indian market, hourly quotes of currency pairs.

What is left out or made up of a recording is written here and nowhere else. Each function writes one CSV file a symbol, times in UTC.
"""

import csv
import datetime
import gzip
import pathlib

HEADER = ["timestamp", "open", "high", "low", "close", "volume"]
INDIA = datetime.timedelta(hours=5, minutes=30)  # no summer time
OPEN, CLOSE = datetime.time(9, 15), datetime.time(15, 30)


def nse_bars(ticks, folder, minutes=5):
    """Bars of ticks recorded at the NSE: a folder a symbol, a file (or two) a day; returns what was dropped.

    Kept are rows of the file's own date from 09:15:00 until before 15:30:00 Indian time, sorted by time, exact repeats once. Within a
    second the running volume decides the order: it never falls. A bar's volume is what the day's running volume grew by since the bar
    before; the first bar of a day counts from its first tick, since nothing before that is known. An index has volume 0.
    """
    counts = {"ticks": 0, "other date": 0, "out of hours": 0, "repeats": 0, "kept": 0, "bars": 0}
    for symbol in sorted(p for p in pathlib.Path(ticks).iterdir() if p.is_dir()):
        days = {}
        for file in sorted(symbol.iterdir()):
            date = file.name.removeprefix(symbol.name + "_")[:10]
            days.setdefault(date, []).append(file)
        with bar_file(folder, symbol.name.replace("_", "")) as out:
            for date, files in days.items():
                bars = bars_of_day(day_ticks(date, files, counts), minutes)
                counts["bars"] += len(bars)
                out.writerows(bars)
    return counts


def day_ticks(date, files, counts):
    ticks = set()
    for file in files:
        with gzip.open(file, "rt", newline="") as text:
            for row in csv.DictReader(text):
                counts["ticks"] += 1
                day, _, clock = row["timestamp"].partition(" ")
                if day != date:
                    counts["other date"] += 1
                elif not OPEN <= datetime.time.fromisoformat(clock) < CLOSE:
                    counts["out of hours"] += 1
                else:
                    tick = (datetime.datetime.fromisoformat(row["timestamp"]), float(row["volume"]), float(row["ltp"]))
                    counts["repeats"] += tick in ticks
                    ticks.add(tick)
    counts["kept"] += len(ticks)
    return sorted(ticks)


def bars_of_day(ticks, minutes):
    bars, traded = [], ticks[0][1] if ticks else 0.0
    groups = {}
    for time, volume, price in ticks:
        start = time.replace(minute=time.minute - time.minute % minutes, second=0)
        groups.setdefault(start, []).append((price, volume))
    for start, group in groups.items():
        prices = [price for price, _ in group]
        until = max(traded, max(volume for _, volume in group))
        stamp = (start - INDIA).strftime("%Y-%m-%d %H:%M:%S+00:00")
        bars.append([stamp, prices[0], max(prices), min(prices), prices[-1], until - traded])
        traded = until
    return bars


FX_FROM = datetime.datetime(2010, 1, 1)
FX_LATE = {"fxcm": datetime.timedelta(hours=5), "oanda": datetime.timedelta()}


def fx_bars(quotes, folder):
    """The bid of hourly bid and ask bars from 2010 on, volume 0 (none was recorded); the file's pair is the symbol. Returns the bars.

    The files say that they are in UTC. That of "oanda" is; that of "fxcm" is stamped five hours early since October 2009, summer and
    winter (before that nine or ten): only at that distance do the hourly returns of the two go together (correlation 0.5, at 0 hours
    none), and only then do their spreads widen at the same hour, the New York close. Unshifted, the one file tells the other's future.
    """
    bars = 0
    for file in sorted(pathlib.Path(quotes).glob("*_1hour.csv.gz")):
        source, pair = file.name.split("_")[:2]
        with gzip.open(file, "rt", newline="") as text, bar_file(folder, pair.upper()) as out:
            for row in csv.DictReader(text):
                start = datetime.datetime.strptime(row["datetime"], "%Y%m%d %H:%M") + FX_LATE[source]
                if start >= FX_FROM:
                    bars += 1
                    out.writerow([f"{start}+00:00", row["bid_open"], row["bid_high"], row["bid_low"], row["bid_close"], 0])
    return bars


class bar_file:
    """folder/SYMBOL.csv with the header of bars, as a csv writer."""

    def __init__(self, folder, symbol):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        self.text = open(pathlib.Path(folder) / f"{symbol}.csv", "w", newline="")

    def __enter__(self):
        out = csv.writer(self.text, lineterminator="\n")
        out.writerow(HEADER)
        return out

    def __exit__(self, *_):
        self.text.close()
