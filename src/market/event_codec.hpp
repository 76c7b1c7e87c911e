// The canonical bytes of what happened, as the store keeps them: equal bodies give equal bytes. The layout is fixed
// (docs/formats); a new field means a new kind.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "market/event.hpp"

namespace everlearn {

/// "price", "bar", "trade", "book" (a snapshot), "delta", "resolution" or "fields".
std::string_view event_kind(const EventBody& body);

/// The body's bytes. The kind is not among them: the store has it in a column of its own.
std::string encode_event(const EventBody& body);

/// Errors: Damaged for an unknown kind, bytes that end early or are left over, and values no body can have.
Result<EventBody> decode_event(std::string_view kind, std::string_view bytes);

}  // namespace everlearn
