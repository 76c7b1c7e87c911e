"""polymarket-client, unchanged, against the hosts of argv[1] and argv[2]: what it read and did, as one JSON object.

argv[3]: {"token", "other", "condition", "slug", "event", "key", "from", "to", "bid"}.
"""

import json
import sys

from eth_account import Account
from polymarket import PublicClient, SecureClient
from polymarket.errors import RequestRejectedError
from polymarket.models.clob import PriceRequest

import sdk


def main(url, ws_url, case):
    said = {}
    token, other, condition = case["token"], case["other"], case["condition"]
    with PublicClient(environment=sdk.environment(url, ws_url)) as client:
        by_volume = client.list_markets(closed=False, order="volume", ascending=False, page_size=7)
        said["first_page"] = [market.id for market in by_volume.first_page().items]
        listed = list(by_volume.iter_items())
        said["markets"] = [market.id for market in listed]
        said["volumes"] = [float(market.metrics.volume_num) for market in listed]
        said["named"] = [market.id for market in client.list_markets(condition_ids=[condition], page_size=5).iter_items()]
        said["market"] = client.get_market(slug=case["slug"])
        said["events"] = [event.id for event in client.list_events(closed=False, page_size=100).iter_items()]
        said["event"] = client.get_event(id=case["event"])
        said["book"] = client.get_order_book(asset_id=token)
        said["books"] = client.get_order_books(asset_ids=[token, other])
        said["midpoint"] = client.get_midpoint(asset_id=token)
        said["midpoints"] = client.get_midpoints(asset_ids=[token, other])
        said["price"] = {"buy": client.get_price(asset_id=token, side="BUY"), "sell": client.get_price(asset_id=token, side="SELL")}
        said["prices"] = client.get_prices(requests=[PriceRequest(token, "BUY"), PriceRequest(other, "SELL")])
        said["spread"] = client.get_spread(asset_id=token)
        said["spreads"] = client.get_spreads(asset_ids=[token, other])
        said["last"] = client.get_last_trade_price(asset_id=token)
        said["lasts"] = client.get_last_trade_prices(asset_ids=[token, other])
        said["history"] = list(client.list_price_history(asset_id=token, start=case["from"], end=case["to"], bucket_seconds=900,
                                                         page_size=10).iter_items())
        said["day"] = list(client.list_price_history(asset_id=token, interval="1d", bucket_seconds=3600).iter_items())
        said["trades"] = list(client.list_trades(condition_id=condition, page_size=20).first_page().items)
        said["resolutions"] = client.get_resolutions(condition_ids=[condition])
        said["tokens"] = client.get_token_references(asset_ids=[token, other])
        said["positions"] = len(list(client.list_positions(user=Account.from_key(case["key"]).address).iter_items()))
        try:
            client.get_order_book(asset_id="123")
            said["unknown"] = "answered"
        except RequestRejectedError as error:
            said["unknown"] = f"{error.status} {error}"

    wallet = Account.from_key(case["key"]).address
    with SecureClient.create(private_key=case["key"], wallet=wallet, environment=sdk.environment(url, ws_url)) as trader:
        said["keys"] = trader.credentials.key in trader.fetch_api_keys()
        said["closed_only"] = trader.get_closed_only_mode()
        said["balance"] = trader.get_balance_allowance(asset_type="COLLATERAL")
        placed = trader.place_limit_order(asset_id=token, price=case["bid"], size="20", side="BUY", post_only=True)
        said["placed"] = placed
        said["open"] = list(trader.list_open_orders(asset_id=token).iter_items())
        said["order"] = trader.get_order(order_id=placed.order_id)
        said["canceled"] = trader.cancel_order(order_id=placed.order_id)
        said["left"] = len(list(trader.list_open_orders().iter_items()))
        said["bought"] = trader.place_market_order(asset_id=token, side="BUY", amount="5", order_type="FAK")
        said["account_trades"] = list(trader.list_account_trades(asset_id=token).iter_items())
        said["after"] = trader.get_balance_allowance(asset_type="COLLATERAL")
        said["shares"] = trader.get_balance_allowance(asset_type="CONDITIONAL", asset_id=token)
    return sdk.plain(said)


print(json.dumps(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
