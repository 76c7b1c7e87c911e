// Telegram's Bot API: sendMessage, and what `doctor` asks. https://core.telegram.org/bots/api
#pragma once

#include <memory>
#include <string>

#include "alert/alert_settings.hpp"
#include "alert/channel.hpp"
#include "core/result.hpp"

namespace everlearn {

/// A bot that writes to one chat. send(): 200 is sent; 429 and 5xx are later, 429 with the wait it asks for; 401 and
/// 403, and 400 about the chat, are broken; markup that Telegram does not read is sent again at once as plain text; any
/// other 400 is refused. No text of ours or of the server's is passed on with the token in it.
class Telegram final : public Channel {
 public:
  explicit Telegram(TelegramAddress address);
  const std::string& name() const override { return name_; }
  std::vector<std::string> parts(const std::string& text) const override;
  ChannelAnswer send(const Message& message, std::stop_token stop) override;

  /// "@its_name". Errors: Config: the token is not one; NotFound: nobody answers.
  Result<std::string> bot();
  /// What the chat is called. Errors: Config: the bot may not see it; NotFound: nobody answers.
  Result<std::string> chat();

 private:
  const std::string name_ = "telegram";
  const TelegramAddress address_;
};

}  // namespace everlearn
