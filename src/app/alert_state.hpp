// How far alerts got, for people: `status`, `doctor` and `alerts list`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alert/alert_settings.hpp"
#include "store/store.hpp"

namespace everlearn {

struct ChannelState {
  std::string name;
  std::int64_t sent = 0, waiting = 0, expired = 0, refused = 0, skipped = 0;
  std::string problem;  // what the channel said last to one that waits
};

struct AlertState {
  std::int64_t raised = 0;
  std::vector<ChannelState> channels;  // that the settings name; none: alerts are kept, and nobody is told
};
Result<AlertState> alert_state(const Store& store, const AlertSettings& settings);

/// What is missing for a channel: "alert.telegram.token and alert.telegram.chat are not set"; empty: nothing is.
std::string missing_for_telegram(const AlertSettings& settings);

/// "12 raised; telegram: 9 sent, 3 wait (429 Too Many Requests)"
std::string alert_words(const AlertState& state, const AlertSettings& settings);

/// "waiting", "sending", "sent", "expired", "refused", "skipped".
std::string_view text(DeliveryState state);
std::string_view text(Severity severity);

}  // namespace everlearn
