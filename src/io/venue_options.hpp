// What a profile says about a venue that is watched live: which markets are followed, and how it is asked. Two parts,
// because the first decides and the second only carries: a replay needs the rules and no network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace everlearn {

/// Which markets are followed, and how what they say is read.
struct VenueRules {
  std::int64_t markets = 50;       // followed with their books, at most (two instruments each)
  bool rest = false;               // the others that qualify too, as a second tier: priced now and then, without books
  double min_volume_24h = 10'000;  // dollars; what is followed stays down to half of it
  double mid_from = 0.05, mid_to = 0.95;          // of the first outcome; a new market's mid lies within
  double leave_below = 0.03, leave_above = 0.97;  // one that is followed leaves beyond these
  double max_spread = 0.03;                       // of a new market; what is followed stays up to twice as much
  std::int64_t min_horizons = 3;                  // a new market ends no earlier; a recurring one is no shorter

  // What the caller adds:
  Duration horizon = Duration::hours(1);       // of the target that acts
  Duration linger = Duration::minutes(90);     // what left is priced so much longer, so that its open examples find
                                               // their outcome: the horizon and its tolerance
  Duration past_step = Duration::minutes(15);  // prices of the past that are further apart fill no hole
  std::vector<std::string> fields;             // of Fields, in this order: "volume_24h", "liquidity", "volume"
  bool operator==(const VenueRules&) const = default;
};

/// Requests in any ten seconds, by group of endpoints. The defaults are half of what the venue documents.
struct VenueLimits {
  std::int64_t gamma = 2'000;        // all of Gamma
  std::int64_t gamma_markets = 150;  // its list of markets
  std::int64_t clob = 4'500;         // all of the CLOB
  std::int64_t book = 750;           // /book, /price, /midpoint: of one token
  std::int64_t books = 250;          // /books, /prices, /last-trades-prices: of many
  std::int64_t history = 500;        // /prices-history
  std::int64_t data = 500;           // all of the Data API
  std::int64_t trades = 100;         // its /trades
  bool operator==(const VenueLimits&) const = default;
};

struct VenueOptions {
  VenueRules rules;

  // Base addresses, without a path; http:// and ws:// only on this machine.
  std::string gamma = "https://gamma-api.polymarket.com";
  std::string clob = "https://clob.polymarket.com";
  std::string data = "https://data-api.polymarket.com";
  std::string socket = "wss://ws-subscriptions-clob.polymarket.com";

  Duration refresh = Duration::seconds(60);            // between two listings of the markets
  Duration second_tier_every = Duration::minutes(15);  // between two prices of the second tier, on that grid
  std::int64_t assets_per_socket = 200;
  Duration first_event = Duration::seconds(15);  // after subscribing, else the asset is subscribed again
  Duration silence = Duration::seconds(30);      // without any frame: the connection counts as dead
  VenueLimits limits;

  // What the caller adds:
  std::string quarantine_dir;  // where messages go that cannot be used; empty: they are only counted
};

}  // namespace everlearn
