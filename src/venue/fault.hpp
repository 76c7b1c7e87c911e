// What goes wrong on purpose: a list of faults with their times on the virtual clock, from a scenario or by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "venue/venue.hpp"

namespace everlearn::venue {

enum class FaultKind : std::uint8_t {
  // Frames of the sockets, while it lasts.
  Freeze,     // nothing is sent any more; PING is still answered
  Drop,       // price changes are left out
  Duplicate,  // each frame comes twice
  Malformed,  // a frame that is no JSON comes before, or instead of, a frame
  Oversized,  // a frame of `bytes` comes before a frame
  // Connections.
  Mute,        // a socket stays open; nothing is sent, PING is not answered
  Refuse,      // new sockets are refused
  HalfOpen,    // new connections and requests get no answer at all
  Disconnect,  // once: sockets are closed with `code`, or reset
  // Requests, while it lasts.
  Status,  // they are answered with `status`
  Slow,    // ... after `delay`
  // What the histories of prices know.
  HistoryHole,    // nothing in [`hole_from`, `hole_to`)
  HistoryCoarse,  // one price per `resolution`, whatever was asked
  // Once: what a market does; the mode of the exchange.
  Market,
  Mode,
};

std::string_view name_of(FaultKind kind);

struct Fault {
  std::uint64_t id = 0;  // given by FaultBoard
  FaultKind kind = FaultKind::Freeze;
  Timestamp from;
  std::optional<Timestamp> until;   // absent: until it is cleared
  std::vector<std::string> assets;  // tokens; empty: all
  std::vector<std::string> routes;  // beginnings of paths; empty: all but /control
  std::string channel;              // "market", "user"; empty: both
  std::uint64_t every = 1;          // acts on each n-th time only
  bool only_open = false;           // spares the sockets that were opened since it began
  int status = 429;
  std::optional<std::int64_t> retry_after_s;
  Duration delay = Duration::seconds(1);  // real time
  std::size_t bytes = 16 << 20;
  bool instead = false;  // Malformed: the real frame is lost
  int code = 1006;       // Disconnect: 1006 resets
  Timestamp hole_from, hole_to;
  Duration resolution = Duration::hours(12);
  ScriptedAct act;         // Market
  std::string mode;        // Mode: "", "paused", "cancel-only", "post-only"; back to "" at `until`
  std::uint64_t seen = 0;  // how often it could have acted
  std::uint64_t hits = 0;  // how often it did

  bool once() const { return kind == FaultKind::Disconnect || kind == FaultKind::Market || kind == FaultKind::Mode; }
  /// As JSON, as read_fault() reads it and with "id", "hits".
  std::string text() const;
};

/// One object of a scenario's "faults", or the body of POST /control/fault: docs/venue.md lists the members. A fault
/// without "at" begins at `now`, one with "+2h" so much later. Errors: BadData naming the member.
Result<Fault> read_fault(std::string_view json, Timestamp now);

class FaultBoard {
 public:
  std::uint64_t add(Fault fault);
  /// False: there is none of this number.
  bool clear(std::uint64_t id);
  void clear();

  /// Those that act once and whose time is reached, earliest first; each is given once.
  std::vector<Fault> due(Timestamp now);
  /// The next time at which due() gives something; absent: never.
  std::optional<Timestamp> next_due() const;

  /// What a fault may act on among the sockets.
  struct Target {
    std::string_view channel;
    Timestamp opened;
    const std::vector<std::string>& assets;
  };
  /// The fault of this kind that acts on this thing, if there is one; counts it.
  const Fault* acts(FaultKind kind, Timestamp now, const Target& target);
  const Fault* acts_on_route(FaultKind kind, Timestamp now, std::string_view route);
  /// The same, without counting.
  std::vector<const Fault*> active(FaultKind kind, Timestamp now) const;

  const std::vector<Fault>& all() const { return faults_; }

 private:
  std::vector<Fault> faults_;  // in order of their numbers
  std::uint64_t last_ = 0;
};

}  // namespace everlearn::venue
