#include "app/alert_delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "app/report/words.hpp"
#include "core/json.hpp"
#include "io/telegram.hpp"
#include "signal/quiet_hours.hpp"

namespace everlearn {

std::vector<std::unique_ptr<Channel>> make_channels(const AlertSettings& settings) {
  std::vector<std::unique_ptr<Channel>> channels;
  if (!settings.telegram.token.empty() && !settings.telegram.chat.empty())
    channels.push_back(std::make_unique<Telegram>(settings.telegram));
  return channels;
}

AlertDelivery::Lane::Lane(std::unique_ptr<Channel> channel, const OutboxRules& rules, Rng rng,
                          std::function<bool(Timestamp)> quiet)
    : thread{std::move(channel)}, outbox{thread.channel(), rules, rng, std::move(quiet)} {}

AlertDelivery::AlertDelivery(Store& store, const Clock& clock, Log& log, std::function<Result<void>()> commit)
    : store_{store}, clock_{clock}, log_{log}, commit_{std::move(commit)} {}

Result<std::unique_ptr<AlertDelivery>> AlertDelivery::make(const Profile& profile, Store& store, const Clock& clock,
                                                           Log& log, std::function<Result<void>()> commit,
                                                           std::vector<std::unique_ptr<Channel>> channels) {
  std::function<bool(Timestamp)> quiet;
  if (!profile.signal.quiet_from.empty()) {
    EL_TRY(const QuietHours hours,
           QuietHours::make(profile.signal.quiet_from, profile.signal.quiet_to, profile.signal.quiet_zone));
    quiet = [hours](Timestamp at) { return hours.contains(at); };
  }
  OutboxRules rules;
  rules.least = profile.alert.least;
  std::unique_ptr<AlertDelivery> delivery{new AlertDelivery{store, clock, log, std::move(commit)}};
  for (std::unique_ptr<Channel>& channel : channels) {
    Rng rng = Rng::named(profile.seed, "alerts by " + channel->name());
    delivery->lanes_.push_back(std::make_unique<Lane>(std::move(channel), rules, rng, quiet));
  }
  return delivery;
}

Result<void> AlertDelivery::step() {
  const Timestamp now = clock_.now();
  std::vector<std::pair<Lane*, Message>> leaving;
  bool changed = false;
  for (const auto& lane : lanes_) {
    take_answers(*lane, now);
    EL_CHECK(add_new(*lane));
    if (auto message = lane->outbox.next(now)) leaving.emplace_back(lane.get(), std::move(*message));
    EL_TRY(const bool changes, keep_changes(*lane));
    changed = changed || changes;
  }
  if (changed) EL_CHECK(commit_());
  for (auto& [lane, message] : leaving) {
    const std::uint64_t number = message.number;
    if (!lane->thread.offer(std::move(message)))
      lane->outbox.answered({.number = number, .detail = "the thread of the channel is busy"}, now);
  }
  return {};
}

Result<void> AlertDelivery::finish(Duration at_most) {
  EL_CHECK(step());
  Duration left = at_most;
  while (left.us() > 0) {
    const Timestamp now = clock_.now();
    Duration wait = left;
    Lane* waits_for = nullptr;
    for (const auto& lane : lanes_) {
      const std::optional<Timestamp> due = lane->outbox.due(now);
      if (!lane->outbox.under_way() && (!due || *due - now >= left)) continue;
      waits_for = lane.get();
      if (due) wait = std::min(wait, std::max(*due - now, Duration{1'000}));
    }
    if (waits_for == nullptr) break;
    left = left - waits_for->thread.wait(wait);
    EL_CHECK(step());
  }
  bool changed = false;
  std::size_t waiting = 0;
  for (const auto& lane : lanes_) {
    lane->thread.stop();
    take_answers(*lane, clock_.now());
    EL_TRY(const bool changes, keep_changes(*lane));
    changed = changed || changes;
    waiting += lane->outbox.waiting();
  }
  if (waiting > 0)
    log_.write(
        LogLevel::Warning, "alerts",
        fmt::format("{} not sent yet; the next start goes on", some(static_cast<std::int64_t>(waiting), "alert")));
  return changed ? commit_() : Result<void>{};
}

void AlertDelivery::take_answers(Lane& lane, Timestamp now) {
  const std::string& name = lane.thread.channel().name();
  for (const ChannelAnswer& answer : lane.thread.take_answers()) {
    lane.outbox.answered(answer, now);
    const bool sent = answer.fate == Fate::Sent;
    const std::string& trouble = lane.outbox.trouble();
    if (sent) {
      log_.write(LogLevel::Debug, "alerts", fmt::format("{}: sent", name));
    } else if (answer.fate != Fate::Broken || trouble != lane.told) {
      log_.write(LogLevel::Warning, "alerts",
                 fmt::format("{}: {}{}", name, answer.detail,
                             answer.fate == Fate::Refused  ? "; this message is given up"
                             : answer.fate == Fate::Broken ? "; nothing passes until that is put right"
                                                           : "; tried again later"),
                 JsonOut{}.put("channel", name).put("waiting", static_cast<std::int64_t>(lane.outbox.waiting())));
    }
    lane.told = trouble;
  }
}

Result<void> AlertDelivery::add_new(Lane& lane) {
  EL_TRY(auto open, store_.open_alerts(lane.thread.channel().name(), lane.seen));
  for (Store::OpenAlert& alert : open) {
    lane.seen = alert.alert.id;
    lane.outbox.add(std::move(alert));
  }
  return {};
}

Result<bool> AlertDelivery::keep_changes(Lane& lane) {
  const std::vector<DeliveryRow> changes = lane.outbox.take_changes();
  for (const DeliveryRow& row : changes) EL_CHECK(store_.put_delivery(row));
  return !changes.empty();
}

}  // namespace everlearn
