// One thing that came from outside over a network, as it came: what is recorded is this, and what decides reads nothing
// else, so that a replay of a recording decides alike.
//
// Channels:
//   market       one text frame of the market socket
//   gamma        the body of one page of the market list
//   gamma end    {"listing":N}: the pages since the last one are listing N, whole
//   books        the body of POST /books
//   quotes       the second tier: {"<token>":{"BUY":"0.48","SELL":"0.49","LAST":"0.48"}}, BUY the best bid; what the
//                venue did not give is absent
//   trades       the body of GET /trades of the Data API
//   history      {"token":"..","from":s,"to":s,"history":[{"t":s,"p":0.5}],"problem":""}: one a token and hole
//   market info  the body of GET /markets/{condition}
//   control      ours: {"doubt":["<token>",..],"reason":".."}: books of which something may be missing from now on
#pragma once

#include <string>

#include "core/time.hpp"

namespace everlearn {

struct Received {
  Timestamp at;  // ours; strictly rising within a run
  std::string channel;
  std::string raw;
};

}  // namespace everlearn
