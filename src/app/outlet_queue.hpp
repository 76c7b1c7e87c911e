// The queue of intents on their way out, as the store keeps it, and what an intent says to the program that reads it.
// docs/formats/intent-v1.md.
#pragma once

#include <optional>
#include <string>

#include "app/profile.hpp"
#include "market/instrument.hpp"
#include "store/store.hpp"
#include "trade/outlet_queue.hpp"

namespace everlearn {

/// One line of JSON. `exit_at`: when the account on paper means to close the position.
std::string intent_json(const Profile& profile, const Instrument& instrument, const IntentRow& intent,
                        std::optional<Timestamp> exit_at);

Result<OutletQueue> load_outlet(const Store& store);
Result<void> save_outlet(Store& store, const OutletQueue& queue);
/// Into the queue, in the store's open transaction, for what the profile names.
Result<void> queue_intent(Store& store, const Profile& profile, const Instrument& instrument, const IntentRow& intent,
                          std::optional<Timestamp> exit_at);

}  // namespace everlearn
