// The venue's REST endpoints under its rate limits: each request waits for its group's bucket, a refusal or a failure
// closes the group for a while, and what may pass is tried again. What the answers say is read elsewhere.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.hpp"
#include "core/system_clock.hpp"
#include "io/http_client.hpp"
#include "io/token_bucket.hpp"
#include "io/venue_options.hpp"

namespace everlearn {

enum class RestGroup : std::uint8_t { GammaMarkets, Book, Books, History, Trades };

struct RestRequest {
  RestGroup group = RestGroup::Books;
  std::string path;  // with its query
  std::string body;  // empty: GET, else POST
};

struct RestAnswer {
  int status = 0;  // of the last try; 0: no answer
  std::string body;
  std::string problem;  // one line; empty: 200

  bool good() const { return problem.empty(); }
};

struct RestCounts {
  std::map<std::string, std::int64_t> requests, failed;  // by group
  std::string last_problem;                              // of the last request; empty: it was answered well
};

/// Any thread; each brings its own session.
class VenueRest {
 public:
  VenueRest(const VenueOptions& options, std::string authorities, std::uint64_t seed);

  /// Blocks: at most `tries` times what may pass, with the waits between. Ends soon after `stop`.
  RestAnswer ask(HttpSession& session, const RestRequest& request, int tries, const std::stop_token& stop);
  RestCounts counts() const;

 private:
  struct Group {
    std::string name;
    std::string origin;
    RequestGate& service;  // all groups of a service also share one bucket
    RequestGate gate;
  };
  Group& of(RestGroup group) { return groups_.at(static_cast<std::size_t>(group)); }
  Duration now() const;
  bool wait_for_turn(Group& group, const std::stop_token& stop);

  const std::string authorities_;
  const Stopwatch since_start_;
  mutable std::mutex mutex_;  // of the rest
  Rng rng_;
  RequestGate gamma_, clob_, data_;
  std::vector<Group> groups_;  // in order of RestGroup
  RestCounts counts_;
};

/// Sleeps, or ends at once when `stop` is asked for: then false.
bool sleep_unless(const std::stop_token& stop, Duration time);

/// What a body that refuses says: its "error" or "message" if it is JSON with one, else how it begins.
std::string words_of_refusal(std::string_view body);

struct PastRequest {
  std::vector<std::string> tokens;  // at most kMostTokens
  std::int64_t from_s = 0, to_s = 0;
  std::int64_t fidelity_minutes = 15;

  static constexpr std::size_t kMostTokens = 20;
};

struct PastAnswer {
  std::string points;   // [{"t":..,"p":..},..]
  std::string problem;  // why there are none
};

/// Prices of the past, one answer a token in their order: many at once where the venue takes that, else one by one; a
/// long time in pieces that it allows.
std::vector<PastAnswer> ask_past(VenueRest& rest, HttpSession& session, const PastRequest& request,
                                 const std::stop_token& stop);

}  // namespace everlearn
