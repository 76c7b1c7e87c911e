"""py-clob-client-v2, unchanged, against the host of argv[1]: what it read and did, as one JSON object.

argv[2]: {"token", "other", "condition", "key", "from", "to", "bid"}.
"""

import json
import sys

from py_clob_client_v2 import (
    ApiCreds, AssetType, BalanceAllowanceParams, BookParams, ClobClient, OpenOrderParams, OrderArgsV2, OrderPayload, OrderType,
    PricesHistoryParams,
)
from py_clob_client_v2.exceptions import PolyApiException


def refusal(call):
    try:
        return call() and "answered"
    except PolyApiException as error:
        return f"{error.status_code} {error.error_msg}"


def main(host, case):
    said = {}
    token, other, condition = case["token"], case["other"], case["condition"]
    client = ClobClient(host, 137, key=case["key"])
    both = [BookParams(token_id=token, side="BUY"), BookParams(token_id=other, side="SELL")]
    said["ok"] = client.get_ok()
    said["version"] = client.get_version()
    said["time"] = client.get_server_time()

    said["markets"], cursor = [], "MA=="
    while cursor != "LTE=":
        page = client.get_markets(cursor)
        said["markets"] += [market["condition_id"] for market in page["data"]]
        cursor = page["next_cursor"]
    said["simplified"] = len(client.get_sampling_simplified_markets()["data"])
    said["market"] = client.get_market(condition)
    said["info"] = ClobClient(host, 137).get_clob_market_info(condition)
    said["book"] = client.get_order_book(token)
    said["hash"] = client.get_order_book_hash(dict(said["book"]))
    said["books"] = client.get_order_books(both)
    said["midpoint"] = client.get_midpoint(token)
    said["midpoints"] = client.get_midpoints(both)
    said["price"] = {"buy": client.get_price(token, "BUY"), "sell": client.get_price(token, "SELL")}
    said["prices"] = client.get_prices(both)
    said["spread"] = client.get_spread(token)
    said["spreads"] = client.get_spreads(both)
    said["last"] = client.get_last_trade_price(token)
    said["lasts"] = client.get_last_trades_prices(both)
    said["tick"] = client.get_tick_size(token)
    said["neg_risk"] = client.get_neg_risk(token)
    said["fee_rate"] = client.get_fee_rate_bps(token)
    said["history"] = client.get_prices_history(PricesHistoryParams(market=token, start_ts=case["from"], end_ts=case["to"], fidelity=15))
    said["day"] = client.get_prices_history(PricesHistoryParams(market=token, interval="1d", fidelity=60))
    said["unknown"] = refusal(lambda: client.get_order_book("123"))

    creds = client.create_or_derive_api_key()
    said["same_key"] = client.derive_api_key() == creds
    client.set_api_creds(creds)
    said["keys"] = creds.api_key in client.get_api_keys()["apiKeys"]
    said["closed_only"] = client.get_closed_only_mode()
    said["balance"] = client.get_balance_allowance(BalanceAllowanceParams(asset_type=AssetType.COLLATERAL))
    order = OrderArgsV2(token_id=token, price=case["bid"], size=20, side="BUY")
    said["placed"] = client.create_and_post_order(order, order_type=OrderType.GTC)
    said["open"] = client.get_open_orders(OpenOrderParams(asset_id=token))
    said["order"] = client.get_order(said["placed"]["orderID"])
    said["canceled"] = client.cancel_order(OrderPayload(orderID=said["placed"]["orderID"]))
    said["left"] = client.get_open_orders()
    said["trades"] = client.get_trades()
    small = OrderArgsV2(token_id=token, price=case["bid"], size=1, side="BUY")
    said["refused"] = refusal(lambda: client.create_and_post_order(small, order_type=OrderType.GTC))
    client.set_api_creds(ApiCreds(creds.api_key, "YW5vdGhlcg==", creds.api_passphrase))
    said["forged"] = refusal(client.get_open_orders)
    return said


print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
