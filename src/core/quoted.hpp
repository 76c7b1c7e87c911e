#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace everlearn {

/// Foreign text made safe for an error message or a log line: in double quotes, control characters and quotes escaped,
/// bytes above 0x7e as \xNN, cut after `limit` bytes with the full length told: "abc"... (70000 bytes).
std::string quoted(std::string_view text, std::size_t limit = 60);

}  // namespace everlearn
