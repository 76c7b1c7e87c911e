"""What a user gets wrong: input, arguments, two at once, a damaged disk. Named on stderr, never a wrong result."""

import random
import shutil

import demo_cut
import pytest
from everlearn_cli import as_flags
from row_tables import csv_rows

PRICES = "timestamp,token,price\n"
QUOTES = "timestamp,token,price,bid,ask\n"
BARS = "timestamp,symbol,open,high,low,close,volume\n"


def price_rows(header=PRICES, rows=60):
    no_quotes = "," * (header.count(",") - 2)
    return header + "".join(f"2026-01-03T{i // 6:02}:{i % 6}0:00Z,a,0.{400 + i}{no_quotes}\n" for i in range(rows))


def epoch_rows(rows=150):
    return PRICES + "".join(f"{1767398400 + 600 * i},a,0.{400 + i}\n" for i in range(rows))


def bar_rows(rows=60):
    return BARS + "".join(f"2026-01-05T15:{i:02}:00Z,a,10,10,10,10,1\n" for i in range(rows))


GOOD_AFTER = {"prices": "2026-01-03T10:{:02}:00Z,a,0.5\n", "bars": "2026-01-05T16:{:02}:00Z,a,10,10,10,10,1\n"}

# name: profile, good rows, the bad line, the reason it is refused for, good rows after it
BAD_LINES = {
    "unsorted": ("polymarket", price_rows(), "2026-01-02T00:00:00Z,a,0.5", "step back in time", "prices"),
    "duplicate": ("polymarket", price_rows(), "2026-01-03T09:50:00Z,a,0.459", "duplicate row", "prices"),
    "two-values": ("polymarket", price_rows(), "2026-01-03T09:50:00Z,a,0.7", "second value for the same time",
                   "prices"),
    "negative": ("polymarket", price_rows(), "2026-01-03T10:00:00Z,a,-0.5", "negative price", "prices"),
    "nan": ("polymarket", price_rows(), "2026-01-03T10:00:00Z,a,NaN", "NaN price", "prices"),
    "above-one": ("polymarket", price_rows(), "2026-01-03T10:00:00Z,a,1.5", "price above 1", "prices"),
    "zoneless": ("polymarket", price_rows(), "2026-01-03 10:00:00,a,0.5", "time without a zone", "prices"),
    "no-time": ("polymarket", price_rows(), "yesterday,a,0.5", "unreadable time", "prices"),
    "gigantic": ("polymarket", price_rows(), "2026-01-03T10:00:00Z,a,0." + "5" * 3_000_000, "line too long", "prices"),
    "units": ("polymarket", epoch_rows(), "1767490000000,a,0.5", "mixed time units", None),
    "crossed": ("polymarket", price_rows(QUOTES), "2026-01-03T10:00:00Z,a,0.5,0.6,0.4", "crossed book", None),
    "high": ("watchlist", bar_rows(), "2026-01-05T16:00:00Z,a,10,9.5,9,9.2,1", "high below open or close", "bars"),
    "low": ("watchlist", bar_rows(), "2026-01-05T16:00:00Z,a,10,11,10.5,10.2,1", "low above open or close", "bars"),
}


def simulate(everlearn, profile, file, directory, *more):
    preset = ["--preset", "prices"] if profile == "polymarket" else []
    return everlearn.run("simulate", "--profile", profile, *preset, "--input", file, "--data", directory, "--json",
                         *more, status=None)


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_counted_and_set_aside_and_strict_names_file_line_and_reason(everlearn, tmp_path, name):
    profile, good, bad, reason, after = BAD_LINES[name]
    later = "".join(GOOD_AFTER[after].format(minute) for minute in range(5, 8)) if after else ""
    file = tmp_path / f"{name}.csv"
    file.write_text(good + bad + "\n" + later, encoding="utf-8")
    bad_line = good.count("\n") + 1

    kept = simulate(everlearn, profile, file, tmp_path / "kept")
    assert kept.status == 0, kept.err
    report = kept.json()
    assert report["refused_rows"] == {reason: 1}
    assert report["events"] == good.count("\n") - 1 + later.count("\n")  # what was good is kept
    assert reason in kept.err and "1 row" in kept.err
    (aside,) = csv_rows(tmp_path / "kept" / "quarantine" / "input" / f"{name}.csv.csv")
    assert (aside["file"], aside["line"]) == (str(file), str(bad_line))
    assert aside["reason"].startswith(reason) and bad.startswith(aside["raw"][:40])

    strict = simulate(everlearn, profile, file, tmp_path / "strict", "--strict")
    assert (strict.status, strict.out) == (1, "")
    assert f"{name}.csv:{bad_line}: {reason}" in strict.err


UNUSABLE = {
    "missing column": (b"timestamp,slug,price\n2026-01-03T00:00:00Z,a,0.5\n", "missing column token"),
    "empty": (b"", "empty"),
    "only a header": (PRICES.encode(), "empty"),
    "binary": (bytes(random.Random(1).randbytes(20_000)), ""),
    "zone-less from the first row": (b"timestamp,token,price\n2026-01-03 00:00:00,a,0.5\n", "time without a zone"),
    "units that cannot be told": (b"timestamp,token,price\n1767398460,a,0.5\n1767398461000,a,0.5\n", "time unit"),
    "newest row first": (b"timestamp,token,price\n" + b"".join(b"%d,a,0.5\n" % (1767398460 - i) for i in range(200)),
                         "back"),
    "gzip that is none": (b"\x1f\x8b\x08\x00 and so on", ""),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_without_one_good_row_is_named_with_the_reason(everlearn, tmp_path, name):
    content, reason = UNUSABLE[name]
    file = tmp_path / "theirs.csv"
    file.write_bytes(content)
    for number, flags in enumerate(([], ["--strict"])):
        run = simulate(everlearn, "polymarket", file, tmp_path / str(number), *flags)
        assert (run.status, run.out) == (1, "")
        assert "theirs.csv" in run.err and (reason in run.err or not flags)
        assert len(run.err) < 2_000  # no page of junk on the terminal


def test_a_file_that_is_not_there_is_named(everlearn, tmp_path):
    run = simulate(everlearn, "polymarket", tmp_path / "nowhere.csv", tmp_path / "data")
    assert run.status == 1 and "nowhere.csv" in run.err


def test_usage_errors_exit_2(everlearn, tmp_path):
    for wrong in (["simulate", "--profile", "demo"], ["simulate", "--no-such-flag"], ["no-such-verb"], [],
                  ["data", "retain", "--data", tmp_path], ["simulate", "--input", "x", "--from", "yesterday"],
                  ["simulate", "--input", "x", "--columns", "token"], ["simulate", "--input", "x", "--set", "seed"]):
        run = everlearn.run(*wrong, status=None)
        assert (run.status, run.out) == (2, ""), (wrong, run.err)
        assert run.err


def test_wrong_settings_exit_10_and_say_what_was_meant(everlearn, tmp_path):
    file = tmp_path / "p.csv"
    file.write_text(price_rows(), encoding="utf-8")
    unknown = simulate(everlearn, "polymarket", file, tmp_path / "d", "--set", "learner.treess=20")
    assert unknown.status == 10 and "learner.treess" in unknown.err and "learner.trees" in unknown.err
    value = simulate(everlearn, "polymarket", file, tmp_path / "d", "--set", "learner.trees=many")
    assert value.status == 10 and "learner.trees" in value.err and "many" in value.err
    profile = simulate(everlearn, "polymarkt", file, tmp_path / "d")
    assert profile.status in (10, 1) and "polymarket" in profile.err
    first = simulate(everlearn, "polymarket", file, tmp_path / "d")
    assert first.status == 0, first.err
    other = simulate(everlearn, "polymarket", file, tmp_path / "d", "--set", "seed=9")
    assert other.status == 10 and "--fresh" in other.err


@pytest.fixture(scope="module")
def small_run(everlearn, recordings, tmp_path_factory):
    """A few months of the demo: rows both in the lake and in the database."""
    directory = tmp_path_factory.mktemp("small") / "data"
    settings = [*demo_cut.SETTINGS, "features.use=ret_1,ret_5,vol_20", "store.segment_rows=1000"]
    everlearn.simulate(directory, demo_cut.arguments(demo_cut.inputs(recordings), "1990-09-01"), settings)
    return directory


def test_two_at_once_in_one_directory_exit_11(everlearn, recordings, tmp_path):
    command = ["simulate", *demo_cut.arguments(demo_cut.inputs(recordings), "1991-02-01"), *as_flags(demo_cut.SETTINGS),
               "--data", tmp_path / "data", "--json"]
    children = [everlearn.start(*command), everlearn.start(*command)]
    ended = [child.communicate(timeout=120) + (child.returncode,) for child in children]
    assert sorted(status for _, _, status in ended) == [0, 11]
    refused = next(err for _, err, status in ended if status == 11)
    assert str(tmp_path / "data") in refused and str(children[ended[0][2] == 11].pid) in refused  # who holds it


def exports(everlearn, directory, datasets, place):
    """What the verbs that read everything say: text, or why not."""
    said = {}
    for dataset in datasets:
        out = place / f"{dataset}.csv"
        out.unlink(missing_ok=True)
        run = everlearn.run("data", "export", "--data", directory, "--dataset", dataset, "--out", out, status=None)
        said[dataset] = (run, out.read_text(encoding="utf-8") if run.status == 0 else None)
    return said


def test_a_flipped_byte_in_a_lake_segment_stops_every_verb_that_reads_it(everlearn, small_run, tmp_path):
    place = random.Random(5)
    segments = sorted(small_run.glob("lake/predictions/*/*.parquet"))
    assert segments
    for number in range(6):
        damaged = tmp_path / f"damaged-{number}"
        shutil.copytree(small_run, damaged)
        segment = damaged / place.choice(segments).relative_to(small_run)
        content = bytearray(segment.read_bytes())
        content[place.randrange(len(content))] ^= 1 << place.randrange(8)
        segment.chmod(0o644)
        segment.write_bytes(content)
        for verb in (["data", "export", "--dataset", "predictions", "--out", tmp_path / "p.csv"], ["data", "verify"]):
            run = everlearn.run(*verb, "--data", damaged, status=None)
            assert run.status == 12, (verb, run.err)
            assert segment.name in run.err + run.out, (verb, run.err, run.out)
        assert not (tmp_path / "p.csv").exists()


def test_a_missing_segment_is_named(everlearn, small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "data")
    segment = sorted((tmp_path / "data").glob("lake/labels/*/*.parquet"))[0]
    segment.unlink()
    run = everlearn.run("data", "stats", "--data", tmp_path / "data", status=None)
    assert run.status == 12 and segment.name in run.err


def test_flipped_bytes_in_the_database_are_found_or_change_nothing(everlearn, small_run, tmp_path):
    datasets = ("predictions", "labels", "examples", "verdicts", "fills")
    whole = exports(everlearn, small_run, datasets, tmp_path)
    place, found = random.Random(11), 0
    size = (small_run / "everlearn.db").stat().st_size
    for number in range(24):
        damaged = tmp_path / f"damaged-{number}"
        shutil.copytree(small_run, damaged)
        with open(damaged / "everlearn.db", "r+b") as file:
            at = place.randrange(size)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << place.randrange(8))]))
        for dataset, (run, text) in exports(everlearn, damaged, datasets, tmp_path).items():
            if run.status == 0:
                assert text == whole[dataset][1], f"byte {at}: another {dataset} without a word"
            else:
                assert run.status in (1, 12), (at, dataset, run.status, run.err)
                assert run.err.strip(), (at, dataset)
                found += 1
        shutil.rmtree(damaged)
    assert found > 0  # some of the flips hit what is read


def test_a_database_that_is_something_else_is_refused_by_name(everlearn, small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "data")
    for leftover in ("everlearn.db-wal", "everlearn.db-shm"):
        (tmp_path / "data" / leftover).unlink(missing_ok=True)
    (tmp_path / "data" / "everlearn.db").write_bytes(b"not a database at all" * 500)
    run = everlearn.run("data", "stats", "--data", tmp_path / "data", status=None)
    assert run.status == 12 and "everlearn.db" in run.err
