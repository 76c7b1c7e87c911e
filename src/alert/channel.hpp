// One way to a person. What goes out is decided by the Outbox; a channel carries one message and says what became of
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace everlearn {

/// Plain text; how a channel marks it up is its own matter. Never changed once it is on its way.
struct Message {
  std::uint64_t number = 0;  // of the outbox, so that an answer finds its message
  std::string text;
  bool headline = true;  // the first line is one; not so in the second part of a long text
  // Of messages to programs:
  std::optional<Timestamp> expires = {};  // not to be sent from then on
  std::string key = {};                   // the same for each try of the same thing
};

enum class Fate : std::uint8_t {
  Sent,     // the channel has taken it
  Later,    // it was not taken, or nobody knows; worth another try
  Refused,  // this message never passes; others may
  Broken,   // nothing passes until a person changes something: a wrong token, a bot that was thrown out
};

struct ChannelAnswer {
  std::uint64_t number = 0;
  Fate fate = Fate::Later;
  std::optional<Duration> again_after;  // the channel's own wish
  bool perhaps_sent = false;            // it may have arrived although the answer did not
  std::string detail;                   // one line for people; no secret in it
};

class Channel {
 public:
  virtual ~Channel() = default;
  /// "telegram": the name under which deliveries are stored.
  virtual const std::string& name() const = 0;
  /// A text in as many pieces as the channel needs messages for it. Any thread.
  virtual std::vector<std::string> parts(const std::string& text) const = 0;
  /// Blocks, at most as long as the channel's own time limits; ends soon after `stop` is asked for. One thread at a
  /// time.
  virtual ChannelAnswer send(const Message& message, std::stop_token stop) = 0;
};

}  // namespace everlearn
