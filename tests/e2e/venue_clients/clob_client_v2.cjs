// @polymarket/clob-client-v2, unchanged, against the host of argv[2]: what it read and did, as one JSON object.
// argv[3]: {"token", "other", "condition", "key", "from", "to", "bid"}.
const { ClobClient, Chain, OrderType, Side, PriceHistoryInterval } = require("@polymarket/clob-client-v2");
const { Wallet } = require("@ethersproject/wallet");

async function main(host, { token, other, condition, key, from, to, bid }) {
  const said = {};
  const client = new ClobClient({ host, chain: Chain.POLYGON, signer: new Wallet(key), throwOnError: true });
  const both = [{ token_id: token, side: Side.BUY }, { token_id: other, side: Side.SELL }];
  said.ok = await client.getOk();
  said.version = await client.getVersion();
  said.time = await client.getServerTime();

  said.markets = [];
  for (let cursor; cursor !== "LTE="; ) {
    const page = await client.getMarkets(cursor);
    said.markets.push(...page.data.map((market) => market.condition_id));
    cursor = page.next_cursor;
  }
  said.simplified = (await client.getSimplifiedMarkets()).data.length;
  said.sampling = (await client.getSamplingMarkets()).data.length;
  said.market = await client.getMarket(condition);
  said.info = await client.getClobMarketInfo(condition);
  said.book = await client.getOrderBook(token);
  said.hash = await client.getOrderBookHash({ ...said.book });
  said.books = await client.getOrderBooks(both);
  said.midpoint = await client.getMidpoint(token);
  said.midpoints = await client.getMidpoints(both);
  said.price = { buy: await client.getPrice(token, Side.BUY), sell: await client.getPrice(token, Side.SELL) };
  said.prices = await client.getPrices(both);
  said.spread = await client.getSpread(token);
  said.spreads = await client.getSpreads(both);
  said.last = await client.getLastTradePrice(token);
  said.lasts = await client.getLastTradesPrices(both);
  said.tick = await new ClobClient({ host, chain: Chain.POLYGON }).getTickSize(token);
  said.negRisk = await new ClobClient({ host, chain: Chain.POLYGON }).getNegRisk(token);
  said.feeRate = await client.getFeeRateBps(token);
  said.history = await client.getPricesHistory({ market: token, startTs: from, endTs: to, fidelity: 15 });
  said.day = await client.getPricesHistory({ market: token, interval: PriceHistoryInterval.ONE_DAY, fidelity: 60 });
  said.unknown = await client.getOrderBook("123").then(() => "answered", (error) => `${error.status} ${error.message}`);

  const creds = await client.createOrDeriveApiKey();
  const again = await client.deriveApiKey();
  said.sameKey = creds.key === again.key && creds.secret === again.secret && creds.passphrase === again.passphrase;
  const trader = new ClobClient({ host, chain: Chain.POLYGON, signer: new Wallet(key), creds, throwOnError: true });
  said.keys = (await trader.getApiKeys()).apiKeys.includes(creds.key);
  said.closedOnly = await trader.getClosedOnlyMode();
  said.balance = await trader.getBalanceAllowance({ asset_type: "COLLATERAL" });
  said.placed = await trader.createAndPostOrder({ tokenID: token, price: bid, size: 20, side: Side.BUY }, undefined, OrderType.GTC);
  said.open = await trader.getOpenOrders({ asset_id: token });
  said.order = await trader.getOrder(said.placed.orderID);
  said.canceled = await trader.cancelOrder({ orderID: said.placed.orderID });
  said.left = await trader.getOpenOrders();
  said.trades = await trader.getTrades();
  said.refused = await trader.createAndPostOrder({ tokenID: token, price: bid, size: 1, side: Side.BUY }, undefined, OrderType.GTC)
    .then(() => "taken", (error) => `${error.status} ${error.message}`);
  const forged = new ClobClient({ host, chain: Chain.POLYGON, signer: new Wallet(key), creds: { ...creds, secret: Buffer.from("another").toString("base64") }, throwOnError: true });
  said.forged = await forged.getOpenOrders().then(() => "answered", (error) => `${error.status}`);
  return said;
}

main(process.argv[2], JSON.parse(process.argv[3])).then(
  (said) => console.log(JSON.stringify(said)),
  (error) => { console.error(error); process.exit(1); },
);
