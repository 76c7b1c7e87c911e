// What everlearn-venue is told to serve and to do wrong: a JSON file. docs/venue.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "venue/request_limits.hpp"
#include "venue/venue.hpp"

namespace everlearn::venue {

struct Scenario {
  VenueSetup setup;
  LimitTable limits = documented_limits();
  bool signer_limits = false;            // enforced, instead of told in headers only
  std::uint64_t array_every = 7;         // of the frames of a socket, each n-th comes as an array of one; 0: none
  std::size_t assets_per_socket = 500;   // more: a socket never gets its first books, and nobody says so
  std::size_t clob_page = 1'000;         // markets on a page of the CLOB's lists
  std::size_t socket_backlog = 8 << 20;  // bytes waiting for a slow reader; more: closed with 1013
  std::vector<std::string> faults;       // objects for read_fault(), at the time the venue begins
};

/// Members that are absent stay as they are in `defaults`. Errors: BadData naming the member.
Result<Scenario> read_scenario(std::string_view text, Scenario defaults = {});

}  // namespace everlearn::venue
