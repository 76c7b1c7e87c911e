#!/usr/bin/env python3
"""Makes the input of store_bench: dense prices of many tokens on a 15-minute grid, from the recorded 10-minute histories.

The recordings hold one price a point. Both outcomes of a market become tokens (the second one's price is 1 minus the
first's); where there are fewer markets than wanted, they are taken again with their time moved on by some days. Bid, ask
and last trade are made: a spread of 0.001 to 0.03 that changes in one snapshot of ten, around the recorded price; a last
trade on bid or ask that stands still in half of them. So the prices are real and the rest has the shape of the real thing.

  price_series.py SHARED/polymarket OUT.csv [TOKENS] [DAYS]
"""

import csv
import datetime
import gzip
import pathlib
import random
import sys

STEP = 900


def histories(folder: pathlib.Path) -> list[list[tuple[int, float]]]:
    """Of each market its (seconds, price) in order of time."""
    markets: dict[str, list[tuple[int, float]]] = {}
    with gzip.open(folder / "price_history_10m" / "resolved_markets.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            at = int(datetime.datetime.fromisoformat(row["timestamp"]).timestamp())
            markets.setdefault(row["market_slug"], []).append((at, float(row["price"])))
    return [sorted(points) for _, points in sorted(markets.items())]


def on_grid(points: list[tuple[int, float]], start: int, steps: int, shift: int) -> list[float | None]:
    """The last price at each step; none before the first and an hour after the last one."""
    prices: list[float | None] = []
    at = 0
    for step in range(steps):
        now = start + step * STEP - shift
        while at + 1 < len(points) and points[at + 1][0] <= now:
            at += 1
        known = points[at][0] <= now < points[at][0] + 3600
        prices.append(points[at][1] if known else None)
    return prices


def main() -> None:
    folder, out = pathlib.Path(sys.argv[1]), sys.argv[2]
    tokens = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    days = int(sys.argv[4]) if len(sys.argv) > 4 else 14
    markets = histories(folder)
    first = min(points[0][0] for points in markets)
    last = max(points[-1][0] for points in markets)
    steps = days * 86400 // STEP
    start = (last - days * 86400) // STEP * STEP
    dice = random.Random(1)
    series = []
    turn = 0
    while len(series) < tokens:
        for points in markets:
            prices = on_grid(points, start, steps, turn * 3 * 86400)
            if sum(price is not None for price in prices) > steps // 2:
                series += [prices, [None if price is None else 1 - price for price in prices]]
        turn += 1
        if start - turn * 3 * 86400 < first:
            turn = 0
    series = series[:tokens]
    spreads = [dice.choice([1, 1, 2, 3, 5, 10, 20, 30]) for _ in series]
    lasts: list[float | None] = [None] * len(series)
    with open(out, "w") as file:
        for step in range(steps):
            for token, prices in enumerate(series):
                price = prices[step]
                if price is None:
                    continue
                if dice.random() < 0.1:
                    spreads[token] = dice.choice([1, 1, 2, 3, 5, 10, 20, 30])
                half = spreads[token] / 2000
                bid, ask = max(0.001, price - half), min(0.999, price + half)
                if lasts[token] is None or dice.random() < 0.5:
                    lasts[token] = dice.choice([bid, ask])
                file.write(f"{start + step * STEP},{token},{price:.4f},{bid:.4f},{ask:.4f},{lasts[token]:.4f}\n")


if __name__ == "__main__":
    main()
