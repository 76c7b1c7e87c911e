// What goes out on one channel, and when. Messages keep their order, one is under way at a time. A failure holds the
// whole channel back: the wait doubles with each, with jitter, or is what the channel asked for. Many that wait become
// one message that lists them. What is too old to be worth telling is marked expired, never sent late.
//
// At least once: a message is marked Sending before it goes out; the caller stores that first. Where the answer is
// lost, by a crash or on the network, it goes out again and says that it may have come before.
//
// No clock, no thread, no input or output: `now` is told, rows come in and changed rows go out. Decision thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "alert/channel.hpp"
#include "core/rng.hpp"
#include "store/rows.hpp"
#include "store/store.hpp"

namespace everlearn {

struct OutboxRules {
  Severity least = Severity::Info;              // a less severe alert is skipped
  Duration between = Duration::seconds(1);      // two messages; Telegram's limits for one chat:
  int per_minute = 20;                          // "Bots FAQ", My bot is hitting limits
  Duration first_retry = Duration::seconds(5);  // doubled with each failure
  Duration most_retry = Duration::minutes(10);  // up to this
  Duration most_age = Duration::days(3);        // of an alert, then it expires
  int most_attempts = 500;                      // of an alert, then it expires
  int digest_from = 5;                          // so many that wait become one message
};

class Outbox {
 public:
  /// `channel` outlives it. `quiet`: holds back what may wait for the end of the quiet hours.
  Outbox(const Channel& channel, OutboxRules rules, Rng rng, std::function<bool(Timestamp)> quiet = {});

  /// In order of id, each once.
  void add(Store::OpenAlert open);
  /// What to send now. Its rows are Sending; store them before it goes out.
  std::optional<Message> next(Timestamp now);
  void answered(const ChannelAnswer& answer, Timestamp now);
  /// Rows that changed since the last call, each once.
  std::vector<DeliveryRow> take_changes();

  /// Not settled, with the one under way.
  std::size_t waiting() const { return queue_.size(); }
  bool under_way() const { return flying_.has_value(); }
  /// When next() may give something; none: nothing waits for the clock alone.
  std::optional<Timestamp> due(Timestamp now) const;
  /// Why nothing passes until a person changes something; empty: it does, as far as is known.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Entry {
    AlertRow alert;
    DeliveryRow delivery;
    bool perhaps_sent = false;
    bool alone = false;  // a list with it in was refused
  };
  struct Flight {
    std::uint64_t number;
    std::vector<std::int64_t> alerts;
    int parts;  // of the text; 0: a list
  };

  void expire(Timestamp now);
  void settle(Entry& entry, DeliveryState state, Timestamp now, std::string detail);
  void drop_settled();
  void changed(const DeliveryRow& row);
  bool held(const Entry& entry, Timestamp now) const;
  Timestamp free_from() const;
  std::vector<Entry*> run_to_send(Timestamp now);
  std::string list_of(std::vector<Entry*>& run) const;
  Entry* find(std::int64_t alert);
  Duration back_off();

  const Channel& channel_;
  const OutboxRules rules_;
  const std::function<bool(Timestamp)> quiet_;
  Rng rng_;
  std::deque<Entry> queue_;  // by id
  std::vector<DeliveryRow> changes_;
  std::optional<Flight> flying_;
  std::uint64_t last_number_ = 0;
  int failures_ = 0;                  // in a row
  Timestamp not_before_;              // after a failure
  std::deque<Timestamp> sent_times_;  // of the last minute
  std::int64_t untold_ = 0;           // expired since the last message that was sent
  std::string trouble_;
};

}  // namespace everlearn
