"""The sockets as polymarket-client reads them: prints "ready", then each event that came as a JSON line, until it has seen
all types in argv[3]["wanted"].

argv[3]: {"token", "other", "key", "wanted", "buy"}; for so many dollars it buys when the token's first book is there.
"""

import asyncio
import json
import sys

from eth_account import Account
from polymarket import AsyncSecureClient
from polymarket.streams import MarketSpec, UserSpec

import sdk


async def main(url, ws_url, case):
    wanted = set(case["wanted"])
    key = case["key"]
    client = await AsyncSecureClient.create(private_key=key, wallet=Account.from_key(key).address,
                                            environment=sdk.environment(url, ws_url))
    async with client:
        handle = await client.subscribe([MarketSpec(token_ids=[case["token"], case["other"]], custom_feature_enabled=True), UserSpec()])
        print("ready", flush=True)
        async for event in handle:
            print(json.dumps({"topic": event.topic, "type": event.type, "payload": sdk.plain(event.payload)}), flush=True)
            wanted.discard(event.type)
            if event.type == "book" and event.payload.asset_id == case["token"] and case.get("buy"):
                amount, case["buy"] = case["buy"], None
                await client.place_market_order(asset_id=case["token"], side="BUY", amount=amount, order_type="FAK")
            if not wanted:
                break
        await handle.close()


asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
