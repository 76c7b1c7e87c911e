#include "app/alert_state.hpp"

#include <fmt/format.h>

#include "alert/channel.hpp"
#include "app/alert_delivery.hpp"
#include "app/report/words.hpp"

namespace everlearn {

std::string_view text(DeliveryState state) {
  switch (state) {
    case DeliveryState::Waiting:
      return "waiting";
    case DeliveryState::Sending:
      return "sending";
    case DeliveryState::Sent:
      return "sent";
    case DeliveryState::Expired:
      return "expired";
    case DeliveryState::Refused:
      return "refused";
    case DeliveryState::Skipped:
      return "skipped";
  }
  return "?";
}

std::string_view text(Severity severity) {
  return severity == Severity::Info ? "info" : severity == Severity::Warning ? "warning" : "critical";
}

Result<AlertState> alert_state(const Store& store, const AlertSettings& settings) {
  EL_TRY(const auto alerts, store.alerts());
  EL_TRY(const auto deliveries, store.deliveries());
  AlertState state{.raised = std::ssize(alerts), .channels = {}};
  for (const auto& channel : make_channels(settings)) {
    ChannelState one{.name = channel->name(), .problem = {}};
    for (const DeliveryRow& row : deliveries) {
      if (row.channel != one.name) continue;
      one.sent += row.state == DeliveryState::Sent;
      one.expired += row.state == DeliveryState::Expired;
      one.refused += row.state == DeliveryState::Refused;
      one.skipped += row.state == DeliveryState::Skipped;
      if (!row.settled() && !row.detail.empty()) one.problem = row.detail;
    }
    one.waiting = state.raised - one.sent - one.expired - one.refused - one.skipped;
    state.channels.push_back(std::move(one));
  }
  return state;
}

std::string missing_for_telegram(const AlertSettings& settings) {
  const bool token = !settings.telegram.token.empty(), chat = !settings.telegram.chat.empty();
  if (!token && !chat) return "alert.telegram.token and alert.telegram.chat are not set";
  if (!token) return "alert.telegram.chat is set, alert.telegram.token is not";
  return chat ? "" : "alert.telegram.token is set, alert.telegram.chat is not";
}

std::string alert_words(const AlertState& state, const AlertSettings& settings) {
  std::string words = grouped(state.raised) + " raised";
  if (state.channels.empty()) return words + "; no channel, so nobody is told: " + missing_for_telegram(settings);
  for (const ChannelState& channel : state.channels) {
    words += fmt::format("; {}: {} sent", channel.name, grouped(channel.sent));
    if (channel.waiting > 0) words += fmt::format(", {} waiting", grouped(channel.waiting));
    if (channel.waiting > 0 && !channel.problem.empty()) words += fmt::format(" ({})", channel.problem);
    if (channel.expired > 0) words += fmt::format(", {} expired", grouped(channel.expired));
    if (channel.refused > 0) words += fmt::format(", {} refused", grouped(channel.refused));
    if (channel.skipped > 0) words += fmt::format(", {} below alert.min_severity", grouped(channel.skipped));
  }
  return words;
}

}  // namespace everlearn
