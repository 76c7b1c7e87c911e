"""The rows of a verdict put together again: exported examples and labels, the exported model read by Python's lightgbm,
and the formulas of docs/gate.md. Nothing of the engine's own evaluation is used."""

import json
import math
import tomllib

import lightgbm
import numpy
import pyarrow
import pyarrow.parquet

DAY = 86_400_000_000


def microseconds(column):
    return column.cast(pyarrow.timestamp("us", "UTC")).cast(pyarrow.int64()).to_numpy(zero_copy_only=False)


class Examples:
    """A table of `data export --dataset examples`, in the order of (event_time, instrument)."""

    def __init__(self, file):
        self.table = pyarrow.parquet.read_table(file)
        self.event_time = microseconds(self.table["event_time"])
        self.known_at = microseconds(self.table["known_at"])
        # Instruments are numbered as they first appear; within a cycle the rows come in that order.
        self.instrument = self.table["instrument"].to_pylist()
        assert (numpy.diff(self.event_time) >= 0).all()

    def features(self, columns, chosen):
        names = ["f." + column.split("@")[0] for column in columns]
        return numpy.column_stack([self.table[name].to_numpy(zero_copy_only=False)[chosen] for name in names])

    def numbers(self, name, chosen):
        column = self.table[name].to_numpy(zero_copy_only=False)
        return column.astype(float)[chosen]


class Model:
    """What one model says, from its exported text, its calibrator and its card."""

    def __init__(self, everlearn, directory, model, place):
        file = place / f"{model[:12]}.txt"
        everlearn.run("models", "export", "--data", directory, "--model", model, "--out", file)
        self.card = everlearn.run("models", "show", "--data", directory, "--model", model, "--json").json()["card"]
        self.calibrator = json.loads((directory / "models" / model / "calibrator.json").read_text(encoding="utf-8"))
        self.booster = lightgbm.Booster(model_file=str(file))

    def raw(self, rows):
        return self.booster.predict(rows, raw_score=True)

    def acts(self, examples, chosen, baseline):
        """Calibrated, then blended with the baseline where there is one."""
        said = self.booster.predict(examples.features(self.card["columns"], chosen))
        if self.calibrator["kind"] == "linear":
            said = self.calibrator["intercept"] + self.calibrator["slope"] * said
        weight = self.card["blend_weight"]
        return numpy.where(numpy.isnan(baseline), said, weight * said + (1 - weight) * baseline)


class ClassModel(Model):
    """The same for classes: one probability each, by docs/calibration.md."""

    def __init__(self, everlearn, directory, model, place):
        super().__init__(everlearn, directory, model, place)
        file = directory / "models" / model / "conformal.json"
        self.sets = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def said(self, examples, chosen):
        p = self.booster.predict(examples.features(self.card["columns"], chosen))
        return p if p.ndim == 2 else numpy.column_stack([1 - p, p])

    def calibrated(self, p):
        if self.calibrator["kind"] == "temperature":
            logs = numpy.log(numpy.maximum(p, 1e-15)) / self.calibrator["temperature"]
            p = numpy.exp(logs - logs.max(axis=1, keepdims=True))
            return p / p.sum(axis=1, keepdims=True)
        if self.calibrator["kind"] == "isotonic":
            curves = self.calibrator["curves"]
            if len(curves) == 1:
                up = numpy.interp(p[:, 1], curves[0]["x"], curves[0]["y"])
                return numpy.column_stack([1 - up, up])
            p = numpy.column_stack([numpy.interp(p[:, c], k["x"], k["y"]) for c, k in enumerate(curves)])
            return p / p.sum(axis=1, keepdims=True)
        return p

    def blended(self, p, baseline):
        weight = self.card["blend_weight"]
        missing = numpy.isnan(baseline).any(axis=1, keepdims=True)
        return numpy.where(missing, p, weight * p + (1 - weight) * baseline)

    def set_masks(self, acts):
        held = 1 - acts <= self.sets["threshold"]
        held[~held.any(axis=1), acts[~held.any(axis=1)].argmax(axis=1)] = True
        return (held << numpy.arange(acts.shape[1])).sum(axis=1)


def moment(text):
    """Microseconds of an exported time; exact, unlike a float of seconds."""
    return int(numpy.datetime64(text.removesuffix("Z"), "us").astype(numpy.int64))


def rules_of(directory, target, card):
    """The gate's rules as the settings of the directory say them."""
    with open(directory / "profile.toml", "rb") as file:
        settings = tomllib.load(file)
    mine = settings["target"][target]
    sessions = int(mine["horizon"].split()[0])  # "5 sessions": seven days each five
    require = dict(item.replace(" ", "").split(">=") for item in mine["require"])
    return {
        "task": "regression", "classes": 0, "directional": mine["label"] != "realised_volatility", "unit": mine["unit"],
        "require": {name: float(least) for name, least in require.items()}, "comparison": mine["comparison"],
        "margin": mine["margin"], "min_effective": settings["train"]["min_holdout_effective"], "min_blocks": 5,
        "half_tick": settings["source"]["tick_size"] / 2, "max_gain_share": settings["gate"]["max_gain_share"],
        "block": 2 * 7 * DAY * math.ceil(sessions / 5), "draws": settings["gate"]["draws"], "seed": settings["seed"],
        "label_min": card["label_min"], "label_max": card["label_max"],
        "cost_relative": 2 * (settings["trade"]["cost_bps"] + settings["trade"]["half_spread_bps"]) / 1e4,
        "periods_per_year": 252,
    }


def rows_of(examples, target, unit, first, last, as_of, candidate, champion):
    """The hold-out: examples decided in [first, last] whose outcome was known by `as_of`."""
    known = numpy.array(examples.table[f"label_state.{target}"].to_pylist()) == "known"
    label_known_at = numpy.where(known, microseconds(examples.table[f"label_known_at.{target}"].fill_null(0)), 0)
    chosen = numpy.flatnonzero(known & (label_known_at <= as_of) & (examples.known_at <= as_of) &
                               (examples.event_time >= first) & (examples.event_time <= last))
    outcome = examples.numbers(f"label.{target}", chosen)
    price = examples.numbers("price", chosen)
    no_change = examples.numbers(f"no_change.{target}", chosen)
    baseline = examples.numbers(f"baseline.{target}", chosen)
    label_end = microseconds(examples.table[f"label_end.{target}"].fill_null(0))[chosen]
    said = candidate.acts(examples, chosen, baseline)
    before = champion.acts(examples, chosen, baseline) if champion else None
    rows = []
    for i, row in enumerate(chosen):
        rows.append({
            "instrument": examples.instrument[row], "event_time": int(examples.event_time[row]),
            "label_end": int(label_end[i]), "outcome": outcome[i], "price": price[i], "no_change": no_change[i],
            "baseline": [baseline[i]],
            "move": outcome[i] * price[i] if unit == "relative" else outcome[i],
            "candidate": [said[i]], "champion": [before[i]] if champion else []})
    return rows


def passes(rules, measured, instruments):
    """Each check's pass or fail by the table of docs/gate.md."""
    require, has_champion, margin = rules["require"], "gain_over_champion" in measured, rules["margin"]
    limits = {
        "effective": lambda x: x >= rules["min_effective"], "blocks": lambda x: x >= rules["min_blocks"],
        "finite": lambda x: x == 0, "not_constant": lambda x: x > 0, "inside_label_range": lambda x: x == 0,
        "r2_no_change": lambda x: x > 0 and x >= require.get("r2_no_change", -math.inf),
        "gain_share": lambda x: x <= max(rules["max_gain_share"], 2 / instruments),
    }
    if "direction_accuracy" in require:
        least = max(require["direction_accuracy"], measured["majority_direction"] + 0.01)
        limits["direction_accuracy"] = lambda x, least=least: x >= least
    for name, least in require.items():
        limits.setdefault(name, lambda x, least=least: x >= least)
    for reference in ("champion", "baseline", "no_change"):
        if reference == "baseline" and has_champion:
            continue
        limits[f"gain_over_{reference}"] = lambda x: x > 0
        limits[f"gain_over_{reference}_p05"] = lambda x: x > (0 if rules["comparison"] == "superior" else -margin)
    if rules["comparison"] != "better":
        limits = {k: v for k, v in limits.items() if not k.startswith("gain_over_") or k.endswith("_p05")}
    return {name: limits[name](value) if name in limits else True for name, value in measured.items()}


def outcome_of(passed, measured):
    if not (passed["effective"] and passed["blocks"]):
        return "insufficient"
    if any(not ok and not math.isnan(measured[name]) for name, ok in passed.items()):
        return "refused"
    return "promoted" if all(passed.values()) else "insufficient"
