#include "app/outlet_queue.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/json.hpp"

namespace everlearn {
namespace {

const std::string kKey = "outlet";  // of the store's state

// A directory that was begun anew counts from 1 again: the moment tells its intents from the older ones.
std::string id_of(const Profile& profile, const IntentRow& intent) {
  return fmt::format("{}-{}-{}", profile.name, intent.created.us(), intent.id);
}

}  // namespace

std::string intent_json(const Profile& profile, const Instrument& instrument, const IntentRow& intent,
                        std::optional<Timestamp> exit_at) {
  JsonOut out;
  out.put("id", id_of(profile, intent))
      .put("number", intent.id)
      .put("profile", profile.name)
      .put("market", instrument.market)
      .put("token", instrument.name)
      .put("title", instrument.title)
      .put("side", intent.quantity > 0 ? "buy" : "sell")
      .put("size", Quantity::from(std::fabs(intent.quantity)).value_or(Quantity{}).text());
  profile.paper.tolerance_ticks ? out.put("limit", intent.limit.text()) : out.put_null("limit");
  out.put("reason", intent.reason).put("created", intent.created.iso()).put("expires", intent.expires.iso());
  exit_at ? out.put("exit_at", exit_at->iso()) : out.put_null("exit_at");
  return out.put("paper", true).text();
}

Result<OutletQueue> load_outlet(const Store& store) {
  EL_TRY(const auto kept, store.state(kKey));
  if (!kept) return OutletQueue{};
  return OutletQueue::from_json(*kept);
}

Result<void> save_outlet(Store& store, const OutletQueue& queue) {
  return queue.empty() ? store.erase_state(kKey) : store.put_state(kKey, queue.to_json());
}

Result<void> queue_intent(Store& store, const Profile& profile, const Instrument& instrument, const IntentRow& intent,
                          std::optional<Timestamp> exit_at) {
  EL_TRY(OutletQueue queue, load_outlet(store));
  queue.add({.number = intent.id,
             .id = id_of(profile, intent),
             .body = intent_json(profile, instrument, intent, exit_at),
             .expires = intent.expires,
             .to_file = !profile.outlet.file.empty(),
             .to_url = !profile.outlet.url.empty(),
             .next_try = intent.created});
  return save_outlet(store, queue);
}

}  // namespace everlearn
