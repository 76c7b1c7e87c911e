#!/usr/bin/env python3
"""Recomputes a verdict of the gate from exported rows, by the formulas of docs/gate.md and nothing of the engine's.

    recompute.py ROWS.json RULES.json VERDICT.json

ROWS: a list of {"instrument", "event_time", "label_end" (microseconds), "outcome", "price", "move", "no_change", "baseline",
"candidate", "champion" (lists; champion [] if there is none), "candidate_uncalibrated" (a list; [] if it is not known), "set"
(a bit a class; 0: unknown)}; missing numbers are null.
RULES: {"task": "regression"|"classes", "classes", "directional", "unit": "relative"|"points"|"log", "require": {name: least},
"comparison": "better"|"superior"|"non_inferior", "margin", "min_effective", "min_blocks", "half_tick", "max_gain_share",
"block" (microseconds), "draws", "seed", "label_min", "label_max", "cost_relative", "periods_per_year"}.
Exit status 1 and one line a difference above 1e-9 (relative to 1 + |value|).
"""

import hashlib
import json
import math
import sys

NAN = math.nan
MASK = (1 << 64) - 1
DAY = 86_400_000_000


class Generator:
    """xoshiro256** 1.0 for a named purpose."""

    def __init__(self, seed, name):
        key = seed.to_bytes(8, "little") + len(name).to_bytes(4, "little") + name.encode()
        digest = hashlib.sha256(key).digest()
        self.s = [int.from_bytes(digest[i : i + 8], "little") for i in range(0, 32, 8)]

    def next(self):
        def rotl(x, k):
            return ((x << k) | (x >> (64 - k))) & MASK

        s = self.s
        result = (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return result

    def below(self, n):
        product = self.next() * n
        if (product & MASK) < n:
            biased = (1 << 64) % n
            while (product & MASK) < biased:
                product = self.next() * n
        return product >> 64


def number(x):
    if x is None:
        return NAN
    return float(x)


def divide(a, b):
    return a / b if b else NAN


class Gate:
    def __init__(self, rules, rows):
        self.rules, self.rows = rules, rows
        self.regression = rules["task"] == "regression"
        self.directional = rules["directional"] and (self.regression or rules["classes"] <= 3)
        for row in rows:
            for key in ("outcome", "price", "move", "no_change"):
                row[key] = number(row[key])
            for who in ("baseline", "candidate", "champion", "candidate_uncalibrated"):
                row[who] = [number(x) for x in row.get(who, [])]
        self.has_champion = bool(rows) and bool(rows[0]["champion"])

    def usable(self, said):
        if not all(math.isfinite(x) for x in said):
            return False
        return self.regression or (all(0 <= p <= 1 for p in said) and abs(sum(said) - 1) <= 1e-6)

    def loss(self, row, said):
        if self.regression:
            return (row["outcome"] - said[0]) ** 2
        return -math.log(max(said[int(row["outcome"])], 1e-15))

    def likeliest(self, said):
        return said.index(max(said))

    def block(self, row):
        return (row["event_time"] - self.rows[0]["event_time"]) // self.rules["block"]

    def fit(self, who, reference):
        """R2 about the mean, and against a reference."""
        rows = [r for r in self.rows if math.isfinite(r[who][0])]
        if not rows:
            return NAN, NAN
        mean = math.fsum(r["outcome"] for r in rows) / len(rows)
        error = math.fsum((r["outcome"] - r[who][0]) ** 2 for r in rows)
        total = math.fsum((r["outcome"] - mean) ** 2 for r in rows)
        paired = [r for r in rows if math.isfinite(reference(r))]
        own = math.fsum((r["outcome"] - r[who][0]) ** 2 for r in paired)
        other = math.fsum((r["outcome"] - reference(r)) ** 2 for r in paired)
        return (1 - error / total if total > 0 else NAN, 1 - own / other if other > 0 else NAN)

    def direction(self, row, said):
        if self.regression:
            return said[0]
        lead = said[-1] - said[0]
        if len(said) == 2 or math.isnan(lead):
            return lead
        return 0 if self.likeliest(said) == 1 else lead

    def promise(self, row, said):
        if not self.regression:
            return self.direction(row, said)
        unit = self.rules["unit"]
        return {"relative": lambda: said[0], "points": lambda: divide(said[0], row["price"]),
                "log": lambda: math.expm1(said[0])}[unit]()

    def directions(self):
        least = self.rules["half_tick"] * (1 - 1e-9)
        up = down = right = zero = 0
        for row in self.rows:
            said = self.direction(row, row["candidate"])
            if not math.isfinite(said) or not math.isfinite(row["move"]):
                continue
            if row["move"] == 0 or abs(row["move"]) < least:
                zero += 1
                continue
            up += row["move"] > 0
            down += row["move"] < 0
            right += said != 0 and (said > 0) == (row["move"] > 0)
        return divide(right, up + down), divide(max(up, down), up + down), divide(zero, up + down + zero)

    def sharpe(self, who):
        hurdle = self.rules["cost_relative"] if self.regression else 0
        days, busy, trades = {}, {}, 0
        for row in self.rows:
            end = row["label_end"] // DAY
            days.setdefault(row["event_time"] // DAY, 0.0)
            days.setdefault(end, 0.0)
            until = busy.setdefault(row["instrument"], None)
            promise = self.promise(row, row[who])
            if not abs(promise) > hurdle or not row["price"] > 0 or not math.isfinite(row["move"]):
                continue
            if until is not None and row["event_time"] < until:
                continue
            days[end] += math.copysign(1, promise) * row["move"] / row["price"] - self.rules["cost_relative"]
            busy[row["instrument"]] = row["label_end"]
            trades += 1
        pnl = [days[d] / len(busy) for d in sorted(days)]
        n = len(pnl)
        if n < 20 or trades < 30:
            return NAN
        mean = math.fsum(pnl) / n
        deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in pnl) / (n - 1))
        return divide(mean, deviation) * math.sqrt(self.rules["periods_per_year"])

    def class_rows(self, who, rows):
        return [r for r in rows if self.usable(r[who])]

    def accuracy(self, rows):
        rows = self.class_rows("candidate", rows)
        return divide(sum(self.likeliest(r["candidate"]) == int(r["outcome"]) for r in rows), len(rows))

    def brier(self, row, said):
        errors = [(p - (c == int(row["outcome"]))) ** 2 for c, p in enumerate(said)]
        return errors[1] if len(said) == 2 else sum(errors)

    def mean_loss(self, who):
        rows = self.class_rows(who, self.rows)
        return divide(math.fsum(self.loss(r, r[who]) for r in rows), len(rows))

    def calibration_error(self, said):
        """`said`: (probability, whether it came true). Fifteen bins of equal width, each closed at its upper end."""
        bins = {}
        for p, came in said:
            bins.setdefault(min(max(math.ceil(p * 15) - 1, 0), 14), []).append((p, came))
        gaps = (abs(sum(came for _, came in b) - math.fsum(p for p, _ in b)) for b in bins.values())
        return divide(math.fsum(gaps), len(said))

    def reliability(self, who, when, out):
        rows = self.class_rows(who, self.rows)
        top = [(max(r[who]), self.likeliest(r[who]) == int(r["outcome"])) for r in rows]
        each = [[(r[who][c], c == int(r["outcome"])) for r in rows] for c in range(self.rules["classes"])]
        out["ece_" + when] = self.calibration_error(top)
        out["class_ece_" + when] = math.fsum(map(self.calibration_error, each)) / len(each)

    def sets(self, out):
        rows = [r for r in self.rows if r.get("set")]
        if not rows:
            return
        out["conformal_coverage"] = sum(r["set"] >> int(r["outcome"]) & 1 for r in rows) / len(rows)
        out["conformal_single_share"] = sum(r["set"].bit_count() == 1 for r in rows) / len(rows)

    def required(self, name):
        rules = self.rules
        if name == "r2":
            return self.fit("candidate", lambda r: r["no_change"])[0]
        if name == "r2_no_change":
            return self.fit("candidate", lambda r: r["no_change"])[1]
        if name == "r2_baseline":
            return self.fit("candidate", lambda r: r["baseline"][0])[1]
        if name == "rmse_ratio":
            return 1 / math.sqrt(1 - self.fit("candidate", lambda r: r["baseline"][0])[1])
        if name == "direction_accuracy":
            return self.directions()[0]
        if name == "accuracy":
            return self.accuracy(self.rows)
        if name.startswith("accuracy_recent_"):
            return self.accuracy(self.rows[-int(name.rsplit("_", 1)[1]) :])
        if name == "sharpe":
            return self.sharpe("candidate")
        if name == "sharpe_ratio":
            champion = self.sharpe("champion") if self.has_champion else NAN
            return self.sharpe("candidate") / champion if champion > 0 else NAN
        both = [r for r in self.rows if self.usable(r["candidate"]) and self.usable(r["baseline"])]
        score = self.loss if name == "log_loss_gain" else self.brier
        return 1 - math.fsum(score(r, r["candidate"]) for r in both) / math.fsum(score(r, r["baseline"]) for r in both)

    def compare(self, reference, out, name):
        """`reference`: row -> loss, or None."""
        blocks, own, other, count, last = [], [], [], 0, None
        for row in self.rows:
            b = reference(row)
            if b is None or not self.usable(row["candidate"]):
                continue
            a = self.loss(row, row["candidate"])
            if self.block(row) != last:
                blocks.append([0.0, 0])
            last = self.block(row)
            blocks[-1][0] += b - a
            blocks[-1][1] += 1
            own.append(a)
            other.append(b)
            count += 1
        if not count:
            out[name] = out[name + "_p05"] = out[name + "_p95"] = NAN
            return
        reference_loss = math.fsum(other) / count
        out[name] = (reference_loss - math.fsum(own) / count) / reference_loss
        generator = Generator(self.rules["seed"], "gate")
        means = []
        for _ in range(self.rules["draws"]):
            picked = [blocks[generator.below(len(blocks))] for _ in blocks]
            means.append(sum(s for s, _ in picked) / sum(n for _, n in picked))
        means.sort()
        tail = len(means) // 20
        out[name + "_p05"] = means[tail] / reference_loss
        out[name + "_p95"] = means[-1 - tail] / reference_loss

    def loss_of(self, who):
        return lambda row: self.loss(row, row[who]) if self.usable(row[who]) else None

    def checks(self):
        rules, rows, out = self.rules, self.rows, {}
        busy, effective = {}, 0
        for row in rows:
            if row["event_time"] >= busy.get(row["instrument"], -math.inf):
                busy[row["instrument"]] = row["label_end"]
                effective += 1
        out["effective"] = effective
        out["blocks"] = len({self.block(r) for r in rows})
        good = [r for r in rows if self.usable(r["candidate"])]
        out["finite"] = len(rows) - len(good)
        deviations = []
        for i in range(len(rows[0]["candidate"])):
            values = [r["candidate"][i] for r in good]
            mean = math.fsum(values) / len(values) if values else NAN
            deviations.append(math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values)) if values else NAN)
        out["not_constant"] = max(deviations)
        if self.regression and rules["label_min"] < rules["label_max"]:
            outside = 0
            for r in good:
                p, b = r["candidate"][0], r["baseline"][0]
                b = b if math.isfinite(b) else p
                outside += p < min(rules["label_min"], b) or p > max(rules["label_max"], b)
            out["inside_label_range"] = outside
        if self.regression:
            out["r2"], out["r2_no_change"] = self.fit("candidate", lambda r: r["no_change"])
        else:
            out["log_loss"] = divide(math.fsum(self.loss(r, r["candidate"]) for r in good), len(good))
            counts = [sum(int(r["outcome"]) == c for r in good) for c in range(rules["classes"])]
            out["accuracy"] = self.accuracy(self.rows)
            out["majority_class"] = divide(max(counts), len(good))
            if rows[0]["candidate_uncalibrated"]:
                out["log_loss_before"] = self.mean_loss("candidate_uncalibrated")
                self.reliability("candidate_uncalibrated", "before", out)
            self.reliability("candidate", "after", out)
            self.sets(out)
        if self.directional:
            out["direction_accuracy"], out["majority_direction"], out["zero_share"] = self.directions()
        for name in rules["require"]:
            out[name] = self.required(name)
        saved = {}
        for r in rows:
            saved.setdefault(r["instrument"], [])
            if self.usable(r["candidate"]) and self.usable(r["baseline"]):
                saved[r["instrument"]].append(self.loss(r, r["baseline"]) - self.loss(r, r["candidate"]))
        gains = [g for g in map(math.fsum, saved.values()) if g > 0]
        out["gain_share"] = max(gains) / math.fsum(gains) if gains else NAN
        if self.has_champion:
            self.compare(self.loss_of("champion"), out, "gain_over_champion")
            told = {}
            self.compare(self.loss_of("baseline"), told, "gain_over_baseline")
            out["gain_over_baseline"] = told["gain_over_baseline"]
        else:
            self.compare(self.loss_of("baseline"), out, "gain_over_baseline")
            if self.regression:
                self.compare(lambda r: (r["outcome"] - r["no_change"]) ** 2 if math.isfinite(r["no_change"]) else None,
                             out, "gain_over_no_change")
        return out


def differences(verdict, recomputed):
    """Lines that tell where the two do not agree to 1e-9."""
    lines = []
    for check in verdict["checks"]:
        mine, theirs = recomputed.pop(check["name"], "absent"), number(check["measured"])
        if mine == "absent":
            lines.append(f"{check['name']}: not recomputed")
        elif math.isnan(mine) and math.isnan(theirs):
            continue
        elif mine != theirs and not abs(mine - theirs) <= 1e-9 * (1 + abs(mine)):
            lines.append(f"{check['name']}: verdict {theirs!r}, recomputed {mine!r}")
    return lines + [f"{name}: not in the verdict" for name in recomputed]


def main():
    rows, rules, verdict = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:4])
    lines = differences(verdict, Gate(rules, rows).checks())
    print("\n".join(lines) if lines else f"{len(verdict['checks'])} checks agree")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
