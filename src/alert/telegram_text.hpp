// Texts as Telegram takes them: at most 4,096 UTF-16 code units a message, counted after the markup is read; markup as
// HTML, in which three characters have a meaning. Bot API, "Formatting options".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace everlearn {

inline constexpr std::size_t kTelegramUnits = 4096;

/// UTF-16 code units of a UTF-8 text; a byte that is no part of one counts as one, as its replacement would.
std::size_t utf16_units(std::string_view text);

/// UTF-8 as it should be: bytes that are none become U+FFFD, control characters but line ends and tabs are left out.
std::string clean_utf8(std::string_view text);

/// In pieces of at most `units`, cut after line ends where there are some, else between characters. Joined they are the
/// text, but for the line ends at the cuts. Never empty.
std::vector<std::string> split_text(std::string_view text, std::size_t units = kTelegramUnits);

/// `<`, `>` and `&` as entities; the first line bold where it is a headline.
std::string telegram_html(std::string_view text, bool headline);

}  // namespace everlearn
