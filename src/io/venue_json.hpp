// How the readers of a venue's JSON take values out of it: a number may come as text and text as a number. For the
// .cpp files that read such answers; the parser is theirs to include.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/refusal.hpp"

namespace simdjson::dom {
class element;
class object;
class parser;
}  // namespace simdjson::dom

namespace everlearn {

/// Text or number as text; empty where the member is absent or null.
std::string text_of(const simdjson::dom::object& from, std::string_view key);
std::string text_of(const simdjson::dom::element& value);

/// Text or number as a finite number; empty where it is absent, null or neither.
std::optional<double> number_of(const simdjson::dom::object& from, std::string_view key);
std::optional<double> number_of(const simdjson::dom::element& value);

/// False where it is absent or not a bool.
bool flag_of(const simdjson::dom::object& from, std::string_view key);

/// The document as an element; it lives until the parser's next document.
RowResult<simdjson::dom::element> parsed(simdjson::dom::parser& parser, std::string_view text);

}  // namespace everlearn
