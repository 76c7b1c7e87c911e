#pragma once

#include <string>

#include "core/secret.hpp"
#include "store/rows.hpp"

namespace everlearn {

/// A bot and the chat it writes to.
struct TelegramAddress {
  std::string api = "https://api.telegram.org";
  Secret token;
  std::string chat;  // "-1001234567890", "@channel"
};

/// What is told to people, and how it reaches them.
struct AlertSettings {
  Severity least = Severity::Info;
  TelegramAddress telegram;
};

}  // namespace everlearn
