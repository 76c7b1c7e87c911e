#include "io/venue_messages.hpp"

#include <cstdlib>
#include <filesystem>

#include "core/system_fs.hpp"
#include "io/lines.hpp"
#include "io/test_world.hpp"

namespace everlearn {
namespace {

/// "A book ...": what a frame says, one text an item; or the refusal.
std::vector<std::string> said(const std::string& frame) {
  VenueMessages messages;
  std::vector<VenueItem> items;
  if (auto read = messages.read({"", "polymarket", "market", frame}, items); !read) {
    CHECK(items.empty());
    return {"!" + read.error().text()};
  }
  std::vector<std::string> all;
  for (const VenueItem& item : items) {
    std::string text = item.instrument + "@" + std::to_string(item.event_time.us() / 1'000);
    if (const auto* book = std::get_if<BookUpdate>(&item.what)) {
      text += book->snapshot ? " book" : " delta";
      for (const BookLevel& bid : book->bids) text += " b" + bid.price.text() + "x" + std::to_string(int(bid.size));
      for (const BookLevel& ask : book->asks) text += " a" + ask.price.text() + "x" + std::to_string(int(ask.size));
    }
    if (const auto* trade = std::get_if<Trade>(&item.what)) {
      text += " trade " + trade->price.text() + (trade->side == Side::Sell ? " sell" : " other");
    }
    if (const auto* tick = std::get_if<TickSize>(&item.what)) text += " tick " + tick->size.text();
    if (const auto* end = std::get_if<Resolution>(&item.what)) text += end->payout > 0 ? " won" : " lost";
    all.push_back(text);
  }
  return all;
}
using Items = std::vector<std::string>;

TEST_CASE("polymarket: price changes of all three shapes; consecutive ones of an asset are one update") {
  CHECK(said(R"({"market":"m","price_changes":[{"asset_id":"A","price":"0.6","side":"BUY","size":"3300"},)"
             R"({"asset_id":"A","price":"0.7","side":"SELL","size":"0"},{"asset_id":"B","price":".4","side":"SELL",)"
             R"("size":1}],)"
             R"("timestamp":"1767398460000","event_type":"price_change"})") ==
        Items{"A@1767398460000 delta b0.6x3300 a0.7x0", "B@1767398460000 delta a0.4x1"});
  CHECK(said(R"({"asset_id":"A","changes":[{"price":"0.6","side":"BUY","size":"5"}],"timestamp":1767398460000,)"
             R"("event_type":"price_change"})") == Items{"A@1767398460000 delta b0.6x5"});
  CHECK(said(R"({"asset_id":"A","price":"0.514","side":"SELL","size":"7","timestamp":"1767398460000",)"
             R"("event_type":"price_change"})") == Items{"A@1767398460000 delta a0.514x7"});
}

TEST_CASE("polymarket: unknown events, other events of the channel and empty arrays say nothing") {
  for (const char* frame : {"[]", R"({"event_type":"some_future_event"})", R"({"event_type":"new_market","id":"1"})",
                            R"({"event_type":"best_bid_ask","asset_id":"A"})", "PING", "PONG", ""}) {
    CHECK(said(frame).empty());
  }
}

TEST_CASE("polymarket: a resolution pays one to the winner and nothing to the others") {
  CHECK(said(R"({"event_type":"market_resolved","assets_ids":["A","B"],"winning_asset_id":"B",)"
             R"("timestamp":"1767398460000"})") == Items{"A@1767398460000 lost", "B@1767398460000 won"});
}

TEST_CASE("polymarket: changes of both tokens that take turns in a message are one update of each") {
  CHECK(said(R"({"market":"m","price_changes":[{"asset_id":"A","price":"0.6","side":"BUY","size":"5"},)"
             R"({"asset_id":"B","price":"0.4","side":"SELL","size":"5"},)"
             R"({"asset_id":"A","price":"0.6","side":"SELL","size":"0"},)"
             R"({"asset_id":"B","price":"0.4","side":"BUY","size":"0"}],)"
             R"("timestamp":"1767398460000","event_type":"price_change"})") ==
        Items{"A@1767398460000 delta b0.6x5 a0.6x0", "B@1767398460000 delta b0.4x0 a0.4x5"});
}

TEST_CASE("polymarket: a frame is taken as a whole or not at all") {
  CHECK(
      said(
          R"([{"event_type":"last_trade_price","asset_id":"A","price":"0.5","size":"1","timestamp":"1767398460000"},)"
          R"({"event_type":"last_trade_price","asset_id":"A","price":"-1","size":"1","timestamp":"1767398460000"}])") ==
      Items{"!negative price: price -1"});
  CHECK(said("[1]") == Items{"!unreadable message: not an object"});
  CHECK(said("7") == Items{"!unreadable message: neither an object nor an array"});
  CHECK(said(R"({"event_type":"book","asset_id":"A","timestamp":"7","bids":[],"asks":[]})") ==
        Items{"!unreadable time: timestamp \"7\" is no time in ms"});
  CHECK(said(R"({"event_type":"book","asset_id":"A","timestamp":"1767398460000","bids":[]})") ==
        Items{"!incomplete message: no asks"});
}

TEST_CASE("polymarket: a level of size 0 in a whole book is no level") {
  CHECK(said(R"({"event_type":"book","asset_id":"A","timestamp":"1767398460000","bids":[{"price":"0.4","size":"0"},)"
             R"({"price":"0.3","size":"2"},{"price":"0.35","size":"2"}],"asks":[]})") ==
        Items{"A@1767398460000 book b0.35x2 b0.3x2"});
}

TEST_CASE("venue messages: a raw frame may stand as text or as JSON itself") {
  VenueMessages messages;
  const auto text = messages.envelope(R"({"received":"r","venue":"v","channel":"c","raw":"[1, 2]"})");
  const auto json = messages.envelope(R"({"received":5,"venue":"v","channel":"c","raw":[1, 2]})");
  REQUIRE(text);
  REQUIRE(json);
  CHECK(text->raw == "[1, 2]");
  CHECK(json->raw == "[1,2]");
  CHECK(json->received == "5");
}

TEST_CASE("polymarket: every recorded sample of the market channel is understood") {
  const char* shared = std::getenv("EVERLEARN_SHARED");
  const std::string root = shared != nullptr ? shared : EVERLEARN_SOURCE_DIR "/../shared";
  const std::string directory = root + "/protocols/samples/polymarket/ws_market";
  SystemFs fs;
  if (!fs.exists(directory)) {
    MESSAGE("skipped: no shared samples");
    return;
  }
  std::map<std::string, std::size_t> items;
  const auto entries = fs.list(directory);
  REQUIRE(entries);
  for (const DirectoryEntry& entry : *entries) {
    if (!entry.name.ends_with(".json")) continue;
    items[entry.name] = said(read_file(fs, directory + "/" + entry.name).value()).size();
    CHECK(said(read_file(fs, directory + "/" + entry.name).value()).size() <= 2);
  }
  CHECK(said(read_file(fs, directory + "/last_trade_price_2024.json").value()) ==
        Items{"21742633143463906290569050155826241533067272736897614950488156847949938836455@1724564136087 trade 0.491 "
              "sell"});
  CHECK(said(read_file(fs, directory + "/price_change_2024_flat.json").value()) ==
        Items{"48331043336612883890938759509493159234755048973500640148014422747788308965732@1723967931411 delta "
              "a0.514x21574"});
  CHECK(items.at("book_2024.json") == 1);
  CHECK(items.at("price_change_2025_batch.json") >= 1);
  CHECK(items.at("tick_size_change_2025.json") == 1);
  CHECK(items.at("ws_market_resolved_msg.json") == 2);
  CHECK(items.at("ws_market_best_bid_ask_msg.json") == 0);
}

}  // namespace
}  // namespace everlearn
