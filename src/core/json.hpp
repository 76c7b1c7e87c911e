// JSON for our own documents: job files, cards, reports. Doubles are written so that they read back to the same bits;
// NaN is null, infinities are the texts "inf" and "-inf"; times are integers of microseconds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// Writes one object, members in the order they are put.
class JsonOut {
 public:
  JsonOut& put(std::string_view key, std::string_view value);
  JsonOut& put(std::string_view key, const char* value) { return put(key, std::string_view{value}); }
  JsonOut& put(std::string_view key, bool value);
  JsonOut& put(std::string_view key, double value);
  JsonOut& put(std::string_view key, int value) { return put(key, static_cast<std::int64_t>(value)); }
  JsonOut& put(std::string_view key, std::int64_t value);
  JsonOut& put(std::string_view key, std::uint64_t value);
  JsonOut& put(std::string_view key, Timestamp value) { return put(key, value.us()); }
  JsonOut& put(std::string_view key, const std::vector<std::string>& values);
  JsonOut& put(std::string_view key, const std::vector<double>& values);
  JsonOut& put(std::string_view key, const std::map<std::string, double>& values);
  JsonOut& put(std::string_view key, const std::map<std::string, std::int64_t>& values);
  JsonOut& put(std::string_view key, const std::map<std::string, std::string>& values);
  JsonOut& put_null(std::string_view key) { return put_json(key, "null"); }
  /// `json` is JSON already.
  JsonOut& put_json(std::string_view key, std::string_view json);
  JsonOut& put_list(std::string_view key, const std::vector<std::string>& jsons);
  template <class T>
  JsonOut& put(std::string_view key, const std::optional<T>& value) {
    return value ? put(key, *value) : put_null(key);
  }
  /// "{...}"
  std::string text() const { return body_.empty() ? "{}" : "{" + body_ + "}"; }

 private:
  void key(std::string_view name);
  std::string body_;
};

/// A JSON text literal with quotes: every character escaped that has to be.
std::string json_quoted(std::string_view text);
/// The shortest number that reads back to the same bits; "null" for NaN, "\"inf\"" for infinity.
std::string json_number(double value);
/// The same document indented by two spaces, for people. Errors: BadData.
Result<std::string> json_pretty(std::string_view json);

/// Reads one object. A member that is absent or of another type is an error that finish() tells; what is read after it
/// is left as it was. Unknown members are ignored (a newer program may have written them).
class JsonIn {
 public:
  /// Errors: BadData naming what and where.
  static Result<JsonIn> parse(std::string_view text);

  void get(std::string_view key, std::string& into);
  void get(std::string_view key, bool& into);
  void get(std::string_view key, double& into);
  void get(std::string_view key, int& into);
  void get(std::string_view key, std::int64_t& into);
  void get(std::string_view key, std::uint64_t& into);
  void get(std::string_view key, std::uint16_t& into);
  void get(std::string_view key, Timestamp& into);
  void get(std::string_view key, std::vector<std::string>& into);
  void get(std::string_view key, std::vector<double>& into);
  void get(std::string_view key, std::map<std::string, double>& into);
  void get(std::string_view key, std::map<std::string, std::int64_t>& into);
  void get(std::string_view key, std::map<std::string, std::string>& into);
  template <class T>
  void get(std::string_view key, std::optional<T>& into) {
    if (is_null(key)) {
      into.reset();
      return;
    }
    T value{};
    get(key, value);
    into = value;
  }
  bool has(std::string_view key) const;
  bool is_null(std::string_view key) const;
  /// The member as JSON text; "null" if absent.
  std::string json(std::string_view key) const;
  /// The elements of a list as JSON texts.
  std::vector<std::string> list(std::string_view key);
  /// Errors: BadData naming `what`, the member and what it should be.
  Result<void> finish(std::string_view what) const;

 private:
  struct Document;
  explicit JsonIn(std::shared_ptr<Document> document);
  std::shared_ptr<Document> document_;
};

}  // namespace everlearn
