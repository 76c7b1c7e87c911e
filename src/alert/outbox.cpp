#include "alert/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alert/telegram_text.hpp"

namespace everlearn {
namespace {

constexpr const char* kPerhapsAgain = "\n(This may have come before: the answer to it was lost.)";

constexpr std::size_t kHeadlineUnits = 200;  // in a list

std::string headline_of(const std::string& text) {
  return split_text(text.substr(0, text.find('\n')), kHeadlineUnits).front();
}

std::string minute_of(Timestamp at) {
  std::string text = at.iso().substr(0, 16);
  text[10] = ' ';
  return text;
}

}  // namespace

Outbox::Outbox(const Channel& channel, OutboxRules rules, Rng rng, std::function<bool(Timestamp)> quiet)
    : channel_{channel}, rules_{rules}, quiet_{std::move(quiet)}, rng_{rng} {}

void Outbox::add(Store::OpenAlert open) {
  Entry entry{std::move(open.alert), std::move(open.delivery)};
  if (entry.alert.severity < rules_.least) {
    settle(entry, DeliveryState::Skipped, entry.alert.at, "less severe than alert.min_severity");
    return;
  }
  entry.perhaps_sent = entry.delivery.state == DeliveryState::Sending;
  not_before_ = std::max(not_before_, entry.delivery.next_try);
  queue_.push_back(std::move(entry));
}

std::optional<Message> Outbox::next(Timestamp now) {
  if (flying_) return std::nullopt;
  expire(now);
  while (!sent_times_.empty() && now - sent_times_.front() >= Duration::minutes(1)) sent_times_.pop_front();
  if (now < free_from()) return std::nullopt;
  std::vector<Entry*> run = run_to_send(now);
  if (run.empty()) return std::nullopt;

  Message message{.number = ++last_number_, .text = {}};
  Flight flight{.number = message.number, .alerts = {}, .parts = 0};
  const std::string untold =
      untold_ == 0 ? "" : fmt::format("\n({} more came too late to be told: everlearn alerts list)", untold_);
  if (run.size() > 1) {
    message.text = list_of(run);
    if (channel_.parts(message.text + untold).size() == 1) message.text += untold;
  } else {
    const Entry& entry = *run.front();
    std::vector<std::string> parts = channel_.parts(entry.alert.text + (entry.perhaps_sent ? kPerhapsAgain : ""));
    if (parts.size() == 1 && !untold.empty() && channel_.parts(parts.front() + untold).size() == 1)
      parts.front() += untold;
    const auto part = std::min(static_cast<std::size_t>(entry.delivery.parts), parts.size() - 1);
    message.text = parts[part];
    message.headline = part == 0;
    flight.parts = static_cast<int>(parts.size());
  }
  for (Entry* entry : run) {
    entry->delivery.state = DeliveryState::Sending;
    ++entry->delivery.attempts;
    entry->delivery.at = now;
    changed(entry->delivery);
    flight.alerts.push_back(entry->alert.id);
  }
  sent_times_.push_back(now);
  flying_ = std::move(flight);
  return message;
}

void Outbox::answered(const ChannelAnswer& answer, Timestamp now) {
  if (!flying_ || flying_->number != answer.number) return;
  const Flight flight = *std::exchange(flying_, std::nullopt);
  const bool list = flight.parts == 0;
  if (answer.fate == Fate::Sent || answer.fate == Fate::Refused) {
    failures_ = 0;
    trouble_.clear();
  } else {
    ++failures_;
    not_before_ = now + (answer.fate == Fate::Broken ? rules_.most_retry : answer.again_after.value_or(back_off()));
    if (answer.fate == Fate::Broken) trouble_ = answer.detail;
  }
  if (answer.fate == Fate::Sent) untold_ = 0;
  for (const std::int64_t id : flight.alerts) {
    Entry& entry = *find(id);
    DeliveryRow& delivery = entry.delivery;
    delivery.at = now;
    delivery.detail = answer.detail;
    switch (answer.fate) {
      case Fate::Sent:
        entry.perhaps_sent = false;
        ++delivery.parts;
        if (list || delivery.parts >= flight.parts)
          settle(entry, DeliveryState::Sent, now, list ? fmt::format("in a list of {}", flight.alerts.size()) : "");
        else
          delivery.state = DeliveryState::Waiting;
        break;
      case Fate::Refused:
        // A list may hold one that nobody takes; the others are not lost for it.
        if (list) {
          entry.alone = true;
          delivery.state = DeliveryState::Waiting;
        } else {
          settle(entry, DeliveryState::Refused, now, answer.detail);
        }
        break;
      case Fate::Later:
      case Fate::Broken:
        entry.perhaps_sent = entry.perhaps_sent || answer.perhaps_sent;
        delivery.state = entry.perhaps_sent ? DeliveryState::Sending : DeliveryState::Waiting;
        // A person who repairs a channel starts anew, and need not wait then.
        delivery.next_try = answer.fate == Fate::Broken ? now : not_before_;
        break;
    }
    changed(delivery);
  }
  drop_settled();
}

std::vector<DeliveryRow> Outbox::take_changes() { return std::exchange(changes_, {}); }

std::optional<Timestamp> Outbox::due(Timestamp now) const {
  if (flying_ || std::all_of(queue_.begin(), queue_.end(), [&](const Entry& entry) { return held(entry, now); }))
    return std::nullopt;
  return std::max(now, free_from());
}

void Outbox::expire(Timestamp now) {
  for (Entry& entry : queue_) {
    const AlertRow& alert = entry.alert;
    std::string why;
    if (alert.expires && *alert.expires <= now)
      why = fmt::format("worth telling until {}", alert.expires->iso().substr(0, 19));
    else if (now - alert.at > rules_.most_age)
      why = fmt::format("older than {}", rules_.most_age.text());
    else if (entry.delivery.attempts >= rules_.most_attempts)
      why = fmt::format("tried {} times", entry.delivery.attempts);
    else
      continue;
    if (!entry.delivery.detail.empty()) why += "; last: " + entry.delivery.detail;
    settle(entry, DeliveryState::Expired, now, std::move(why));
    ++untold_;
  }
  drop_settled();
}

void Outbox::settle(Entry& entry, DeliveryState state, Timestamp now, std::string detail) {
  entry.delivery.state = state;
  entry.delivery.at = now;
  entry.delivery.detail = std::move(detail);
  changed(entry.delivery);
}

void Outbox::drop_settled() {
  std::erase_if(queue_, [](const Entry& entry) { return entry.delivery.settled(); });
}

void Outbox::changed(const DeliveryRow& row) {
  const auto there = std::find_if(changes_.begin(), changes_.end(),
                                  [&](const DeliveryRow& change) { return change.alert == row.alert; });
  if (there == changes_.end())
    changes_.push_back(row);
  else
    *there = row;
}

bool Outbox::held(const Entry& entry, Timestamp now) const {
  return entry.alert.quiet_may_hold && entry.alert.severity != Severity::Critical && quiet_ && quiet_(now);
}

Timestamp Outbox::free_from() const {
  Timestamp from = not_before_;
  if (!sent_times_.empty()) from = std::max(from, sent_times_.back() + rules_.between);
  if (static_cast<int>(sent_times_.size()) >= rules_.per_minute)
    from = std::max(
        from, sent_times_[sent_times_.size() - static_cast<std::size_t>(rules_.per_minute)] + Duration::minutes(1));
  return from;
}

// The first that may go, or a list of it and those after it: up to one that stands alone because it is critical, in
// parts already, or spoilt a list.
std::vector<Outbox::Entry*> Outbox::run_to_send(Timestamp now) {
  std::vector<Entry*> run;
  for (Entry& entry : queue_) {
    if (held(entry, now)) continue;
    const bool alone = entry.alert.severity == Severity::Critical || entry.delivery.parts > 0 || entry.alone;
    if (alone && !run.empty()) break;
    run.push_back(&entry);
    if (alone) break;
  }
  if (static_cast<int>(run.size()) < rules_.digest_from && run.size() > 1) run.resize(1);
  return run;
}

// One message; what does not fit is left for the next.
std::string Outbox::list_of(std::vector<Entry*>& run) const {
  const auto text_of = [&](std::size_t count) {
    std::string text = fmt::format("{} messages, times in UTC; whole: everlearn alerts list", count);
    bool perhaps = false;
    for (std::size_t i = 0; i < count; ++i) {
      text += fmt::format("\n{}  {}", minute_of(run[i]->alert.at), headline_of(run[i]->alert.text));
      perhaps = perhaps || run[i]->perhaps_sent;
    }
    return perhaps ? text + "\n(Some may have come before: the answer was lost.)" : text;
  };
  std::size_t count = run.size();
  while (count > 2 && channel_.parts(text_of(count)).size() > 1) --count;
  run.resize(count);
  return text_of(count);
}

Outbox::Entry* Outbox::find(std::int64_t alert) {
  const auto entry = std::find_if(queue_.begin(), queue_.end(), [&](const Entry& e) { return e.alert.id == alert; });
  return &*entry;
}

Duration Outbox::back_off() {
  Duration wait = rules_.first_retry;
  for (int i = 1; i < failures_ && wait < rules_.most_retry; ++i) wait = wait * 2;
  wait = std::min(wait, rules_.most_retry);
  // Between half of it and all of it, so that many do not come back together.
  return Duration{wait.us() / 2 + static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(wait.us() / 2) + 1))};
}

}  // namespace everlearn
