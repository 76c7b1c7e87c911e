// What the venue says to each request and on each socket: routes, limits, subscriptions, faults. Pure apart from the
// clocks it is given; the server brings the words in and out.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/clock.hpp"
#include "venue/fault.hpp"
#include "venue/request_limits.hpp"
#include "venue/scenario.hpp"
#include "venue/server.hpp"
#include "venue/venue.hpp"

namespace everlearn::venue {

/// A clock that stands until a control request moves it. The serving thread only.
class HeldClock final : public Clock {
 public:
  explicit HeldClock(Timestamp at) : now_{at} {}
  Timestamp now() const override { return now_; }
  void move_to(Timestamp to) { now_ = std::max(now_, to); }

 private:
  Timestamp now_;
};

class Desk final : public WebDesk {
 public:
  struct Clocks {
    const Clock& shown;         // the venue's, virtual
    const Clock& real;          // for sockets that say nothing any more
    HeldClock* held = nullptr;  // the shown one, if it moves by hand only
    double speed = 1;           // as told by /control/clock
  };
  struct Log {
    WritableFile* file = nullptr;  // gets the oracle's log, a JSON object a line
    bool frames = false;           // each frame that is sent or withheld becomes an entry of it
  };
  /// All outlive it. Errors: BadData for a fault of the scenario.
  static Result<std::unique_ptr<Desk>> open(Venue& venue, const Clocks& clocks, const Scenario& scenario,
                                            const Log& log);
  /// Writes what the log has. Errors: Storage, also of earlier writes.
  Result<void> finish();

  void tick() override;
  bool answers() override;
  WebReply answer(const WebRequest& request) override;
  WebReply open(SocketId socket, const WebRequest& request) override;
  void heard(SocketId socket, std::string_view text) override;
  void gone(SocketId socket) override;
  std::vector<SocketAct> take_acts() override;

 private:
  // One subscriber.
  struct Socket {
    std::string channel;  // "market", "user"
    Timestamp opened;     // virtual
    Timestamp heard;      // real
    bool custom = false;
    std::unordered_set<std::string> assets;   // market
    std::string owner;                        // user: its API key; empty before the first message
    std::unordered_set<std::string> markets;  // user: conditions; empty: all
    std::uint64_t frames = 0, bytes = 0, withheld = 0;
  };

  Desk(Venue& venue, const Clocks& clocks, const Scenario& scenario, const Log& log);

  // Time and what happens in it.
  void advance_to(Timestamp to);
  void carry_out(const Fault& fault);
  void write_log();
  void tell(const Outgoing& event);

  // Sockets.
  void heard_market(SocketId id, Socket& socket, std::string_view text);
  void heard_user(SocketId id, Socket& socket, std::string_view text);
  void subscribe(SocketId id, Socket& socket, const std::vector<std::string>& assets, bool first);
  void unsubscribe(SocketId id, Socket& socket, const std::vector<std::string>& assets);
  void watch_subscribed();
  void send(SocketId id, Socket& socket, std::string_view what, const std::vector<std::string>& tokens,
            std::string frame);
  void push(SocketId id, Socket& socket, std::string frame);
  void close_resolved();

  // Requests.
  WebReply routed(std::string_view api, const WebRequest& request);
  WebReply traded(const WebRequest& request);
  WebReply gamma(const WebRequest& request);
  WebReply clob(const WebRequest& request);
  WebReply clob_list(const WebRequest& request, bool sampling, bool simplified);
  WebReply data(const WebRequest& request);
  WebReply data_v2(const WebRequest& request);
  WebReply control(const WebRequest& request);
  WebReply control_clock(const WebRequest& request);
  WebReply control_fault(const WebRequest& request);
  WebReply control_sent() const;
  WebReply control_requests() const;
  WebReply control_markets() const;
  WebReply control_log(const WebRequest& request) const;
  /// A history of prices as the faults leave it.
  std::string history_with_faults(std::string body, const std::vector<std::string>& tokens) const;

  Venue& venue_;
  const Clocks clocks_;
  const Scenario scenario_;
  const Log log_;
  std::uint64_t logged_ = 0;    // entries of the log that are written
  Result<void> log_written_{};  // the first thing that went wrong
  FaultBoard faults_;
  RequestLimits limits_;
  SignerLimits signers_;
  std::map<SocketId, Socket> sockets_;
  std::unordered_map<std::string, std::set<SocketId>> subscribers_;  // by token
  std::unordered_set<std::string> resolved_;                         // tokens
  std::vector<SocketAct> acts_;
  std::map<std::string, std::map<int, std::uint64_t>> answered_;                   // by "GET /book", by status
  std::map<std::string, std::uint64_t> sent_;                                      // frames, by what
  std::map<std::string, std::uint64_t> withheld_;                                  // ... that a fault kept back
  std::unordered_map<std::string, std::map<std::string, std::uint64_t>> sent_of_;  // by token, by what
};

}  // namespace everlearn::venue
