"""Exported tables and the engine's own database, as Python's libraries read them."""

import csv
import sqlite3


def csv_rows(file):
    with open(file, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def database(directory):
    """Read-only: a test never changes what it looks at."""
    return sqlite3.connect(f"file:{directory}/everlearn.db?mode=ro", uri=True)


def no_key_twice(rows, *key):
    keys = [tuple(row[name] for name in key) for row in rows]
    assert len(keys) == len(set(keys)), f"{len(keys) - len(set(keys))} rows have a key {key} that another row has"
