"""Turns skfolio's wide price tables into the recordings that `everlearn demo` replays.

usage: make_recordings.py DATA_DIRECTORY OUTPUT_DIRECTORY

In: `Date,AAPL,AMD,...`, one row per session. Out: `timestamp,token,price`, one row per session and instrument, ordered by
time, then token. The timestamp is the session's date as the table has it: a reader with the exchange's calendar knows when that
session closed. Prices keep the source's digits; an empty cell gives no row. The same input gives the same bytes.
"""

import csv
import gzip
import hashlib
import io
import pathlib
import sys

PACKAGE = "skfolio 1.12.2"
TABLES = {"sp500_dataset.csv.gz": "sp500_prices.csv.gz", "sp500_index.csv.gz": "sp500_index.csv.gz"}


def to_long(wide):
    """Yields (timestamp, token, price) from rows of text; refuses a table that is not what it was."""
    header = next(wide)
    if header[0] != "Date":
        raise ValueError(f"first column is {header[0]!r}, not 'Date'")
    columns = sorted(range(1, len(header)), key=lambda i: header[i])
    before = ""
    for row in wide:
        if len(row) != len(header):
            raise ValueError(f"{row[0]}: {len(row)} cells, the header has {len(header)}")
        if row[0] <= before:
            raise ValueError(f"{row[0]} does not come after {before}")
        before = row[0]
        for i in columns:
            if row[i]:
                yield row[0], header[i], row[i]


def convert(source, target):
    """Writes `target` and returns (rows, first timestamp, last timestamp)."""
    count, first, last = 0, None, None
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["timestamp", "token", "price"])
    with gzip.open(source, "rt", newline="") as wide:
        for line in to_long(csv.reader(wide)):
            writer.writerow(line)
            first, last, count = first or line[0], line[0], count + 1
    # No name and no time in the header, so that equal content is equal bytes.
    with open(target, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as out:
        out.write(text.getvalue().encode())
    return count, first, last


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    data, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    output.mkdir(exist_ok=True)
    lines = []
    for source_name, target_name in TABLES.items():
        source, target = data / source_name, output / target_name
        count, first, last = convert(source, target)
        lines.append(f"| {target_name} | {count} | {first} | {last} | `{sha256(target)}` |")
        lines.append(f"| from {source_name} | | | | `{sha256(source)}` |")
    origin = f"""# Origin of these recordings

Unpacked by `scripts/bootstrap` from the data files of the PyPI package {PACKAGE} (BSD-3-Clause), which its authors mean for
tests and examples. Not committed. `timestamp` is the date of the session, `price` its adjusted close, both as written there.

| file | rows | first | last | SHA-256 |
|---|---|---|---|---|
{chr(10).join(lines)}

Limits, which every report repeats:
- adjusted closes only: no open, high, low, volume, no bid or ask; splits and dividends are already worked in, so an old price
  is not what was paid that day
- rounded to three decimals: in the early years of some stocks one step is a third of a percent
- twenty companies that were still large in 2022: survivors, so any buy-and-hold result is flattered
"""
    (output / "ORIGIN.md").write_text(origin)


if __name__ == "__main__":
    main()
