"""A CSV of prices that return to their mean, so that there is something to learn, and a profile for it. A minute before each cycle
it grows by a row a token; a run of `analyze` stands seven seconds behind these, by the clock of the test, never the real one, and
runs the cycle before: it has what that knew, and one more row to label with."""

import datetime
import random

STEP = datetime.timedelta(minutes=10)
BEGIN = datetime.datetime(2026, 1, 4, 23, 59)
BEHIND = datetime.timedelta(seconds=7)
TOKENS = [f"T{i:02}" for i in range(20)]
PROFILE = """
name = "growing"
[cycle]
every = "10m"
[examples]
max_price_age = "1h"
[source]
delay = "7s"
[features]
use = ["ret_1", "ret_2", "ret_3", "ret_5", "ret_10"]
[target.back]
acts = true
horizon = "10m"
tolerance = "10m"
[learner]
trees = 20
leaves = 7
min_rows_in_leaf = 20
[train]
auto_enable = 480
every = "1h"
holdout_share = 0.45
min_effective = 20
min_holdout_effective = 10
[gate]
draws = 100
[trade]
capital = 1000
order = 10
instrument = 10
total = 100
daily_loss = 100
"""


# The same rows as a table that others write: late and corrected ones are found within the lookback.
TABLE = """
[source]
kind = "table_file"
time_column = "timestamp"
key_column = "token"
lookback = "2h"
"""


class GrowingPrices:
    def __init__(self, folder, source="[source]\n"):
        self.file, self.profile = folder / "prices.csv", folder / "growing.toml"
        self.profile.write_text(PROFILE.replace("[source]\n", source), encoding="utf-8")
        self.file.write_text("timestamp,token,price\n", encoding="utf-8")
        self.random = random.Random(1)
        self.away = dict.fromkeys(TOKENS, 0.0)
        self.steps = 0

    def grow(self, steps=1):
        """Appends the rows of the next steps; returns when a run after the last of them begins."""
        with open(self.file, "a", encoding="utf-8") as file:
            for _ in range(steps):
                at = BEGIN + self.steps * STEP
                self.steps += 1
                for token in TOKENS:
                    self.away[token] = 0.6 * self.away[token] + self.random.gauss(0, 1)
                    file.write(f"{at.isoformat()}Z,{token},{100 + self.away[token]:.4f}\n")
        return (at + BEHIND).isoformat() + "Z"
