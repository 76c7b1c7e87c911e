// The cursors that lists hand out: opaque to whoever sends them back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace everlearn::venue {

std::string base64(std::string_view bytes);
/// Nothing for what is not base64.
std::optional<std::string> from_base64(std::string_view text);

/// Several texts in one cursor; none of them holds a zero byte.
std::string encode_cursor(const std::vector<std::string>& parts);
std::optional<std::vector<std::string>> decode_cursor(std::string_view cursor);

/// The CLOB's: "MA==" is the first page, "LTE=" says that there is no next one.
inline constexpr std::string_view kFirstPage = "MA==", kNoNextPage = "LTE=";

}  // namespace everlearn::venue
