// An object of JSON as its members in order, each value as the text it was written in: so that one member can be
// changed and the rest stays what the venue sent, number for number.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace everlearn::venue {

class JsonMembers {
 public:
  JsonMembers() = default;
  /// Errors: BadData.
  static Result<JsonMembers> parse(std::string_view object);

  /// The value's JSON text; absent: no such member.
  std::optional<std::string_view> json(std::string_view key) const;
  /// The value of a text, unescaped; absent: no such member, or no text.
  std::optional<std::string> text(std::string_view key) const;
  /// A number, or a text that holds one.
  std::optional<double> number(std::string_view key) const;
  /// The elements of a list of texts, or of a text that holds such a list (Gamma writes both).
  std::vector<std::string> texts(std::string_view key) const;

  /// The elements of a list of objects; those that are none are left out.
  std::vector<JsonMembers> objects(std::string_view key) const;

  /// `json` is JSON; a new member goes to the end.
  void set(std::string_view key, std::string json);
  void set_text(std::string_view key, std::string_view text);
  void remove(std::string_view key);

  std::string object() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;  // keys as written, without quotes
};

/// "[\"Yes\", \"No\"]" as a JSON text, the way Gamma writes a list.
std::string list_in_text(const std::vector<std::string>& values);

}  // namespace everlearn::venue
