// An event as the store keeps it until the next base: docs/formats/checkpoint-v1.md.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "market/event.hpp"

namespace everlearn {

std::string encode_input(const Event& event);
/// Errors: Damaged.
Result<Event> decode_input(std::string_view bytes);

}  // namespace everlearn
