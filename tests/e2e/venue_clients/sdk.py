"""The venue's environment of polymarket-client, with only the hosts changed."""

import dataclasses

from polymarket._internal.environment import PRODUCTION_CONFIG, create_environment


def environment(url, ws_url):
    return create_environment(name="loopback", config=dataclasses.replace(
        PRODUCTION_CONFIG, clob_url=url, gamma_url=url, data_url=url, relayer_url=url, rpc_url=url,
        clob_market_ws_url=ws_url + "/ws/market", clob_user_ws_url=ws_url + "/ws/user"))


def plain(value):
    """Models and decimals as JSON has them."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
