// A program of the user's own behind an address: each message is one POST with a JSON body, signed with a secret that
// both know. What it has to check, and what its answers mean: docs/formats/intent-v1.md.
#pragma once

#include <string>

#include "alert/channel.hpp"
#include "core/clock.hpp"
#include "core/secret.hpp"

namespace everlearn {

/// Sends no message after its expiry, also where an answer takes long. 2xx and 409 (it is there already) are sent; 400,
/// 405, 413, 415 and 422 are refused; everything else, and no answer, is later.
class Webhook final : public Channel {
 public:
  /// `url`: https://, or http:// on this machine. `clock`: read by the thread that sends.
  Webhook(const std::string& url, Secret secret, const Clock& clock);
  const std::string& name() const override { return name_; }
  std::vector<std::string> parts(const std::string& text) const override { return {text}; }
  ChannelAnswer send(const Message& message, std::stop_token stop) override;

 private:
  const std::string name_ = "webhook";
  std::string origin_;
  Secret path_, secret_;
  const Clock& clock_;
};

/// "v1=" and the digits of HMAC-SHA256 over "<seconds>.<body>".
std::string webhook_signature(const Secret& secret, Timestamp at, std::string_view body);

}  // namespace everlearn
