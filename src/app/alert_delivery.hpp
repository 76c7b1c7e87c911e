// Alerts on their way: what the store holds and a channel has not settled goes to the channel's outbox, from there to a
// thread that talks to the network, and the answer comes back into the store. Called between two cycles, on the
// decision thread; nothing here waits for the network but finish(). Never part of a simulation.
//
// At least once: a row says Sending, and that is committed, before its message leaves. What can happen in between is
// one thing: the program is killed, or the network breaks, after the channel took a message and before its answer is
// stored. That message goes out again at the next try and says that it may have come before.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alert/outbox.hpp"
#include "app/profile.hpp"
#include "core/clock.hpp"
#include "io/channel_thread.hpp"
#include "io/log.hpp"
#include "store/store.hpp"

namespace everlearn {

/// The channels that the settings name completely; none: alerts are kept in the store.
std::vector<std::unique_ptr<Channel>> make_channels(const AlertSettings& settings);

class AlertDelivery {
 public:
  /// `commit` makes what is in the store's open transaction durable, as the engine does it between cycles. What it
  /// refers to outlives it. Errors: Config: the profile's quiet hours.
  static Result<std::unique_ptr<AlertDelivery>> make(const Profile& profile, Store& store, const Clock& clock, Log& log,
                                                     std::function<Result<void>()> commit,
                                                     std::vector<std::unique_ptr<Channel>> channels);

  /// Takes answers, looks for new alerts, hands over what is due. Errors: of the store.
  Result<void> step();
  /// Goes on until nothing more can be sent now, for at most so long, then ends what is under way. The last call.
  Result<void> finish(Duration at_most);

 private:
  struct Lane {
    ChannelThread thread;
    Outbox outbox;
    std::int64_t seen = 0;  // the largest id that was added
    std::string told;       // trouble that the log has
    Lane(std::unique_ptr<Channel> channel, const OutboxRules& rules, Rng rng, std::function<bool(Timestamp)> quiet);
  };
  AlertDelivery(Store& store, const Clock& clock, Log& log, std::function<Result<void>()> commit);

  void take_answers(Lane& lane, Timestamp now);
  Result<void> add_new(Lane& lane);
  Result<bool> keep_changes(Lane& lane);

  Store& store_;
  const Clock& clock_;
  Log& log_;
  const std::function<Result<void>()> commit_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace everlearn
