// Inside the module: a model's text taken line by line, strictly. Every Error names the line.
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "core/result.hpp"

namespace everlearn {

/// The whole of `text` as a number, in the C locale's form; false for anything else, also for what T cannot hold.
template <class T>
bool parse_number(std::string_view text, T& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_{text} {}

  /// Bytes taken so far.
  std::size_t offset() const { return offset_; }
  bool at_end() const { return rest_.empty(); }
  bool next_is(std::string_view line) const;
  bool next_begins(std::string_view prefix) const { return rest_.substr(0, prefix.size()) == prefix; }

  /// The next line without its end. Errors: Model at the end of the text, or where a line has no end.
  Result<std::string_view> line();
  /// Takes one line that must be exactly `wanted`.
  Result<void> expect(std::string_view wanted);
  /// Takes one line `key=...` and returns what stands behind the sign.
  Result<std::string_view> value(std::string_view key);

  template <class T>
  Result<T> number(std::string_view key) {
    EL_TRY(const std::string_view text, value(key));
    T number{};
    if (!parse_number(text, number)) return refuse(std::string{key} + " is not a number of its kind");
    return number;
  }

  /// `count` numbers with one space between two of them.
  template <class T>
  Result<std::vector<T>> numbers(std::string_view key, std::size_t count) {
    EL_TRY(const std::vector<std::string_view> words, this->words(key, count));
    std::vector<T> numbers(count);
    for (std::size_t i = 0; i < count; ++i)
      if (!parse_number(words[i], numbers[i])) return refuse_word(key, i, words[i]);
    return numbers;
  }

  /// `count` words with one space between two of them; none may be empty.
  Result<std::vector<std::string_view>> words(std::string_view key, std::size_t count);

  /// An Error about the line taken last.
  tl::unexpected<Error> refuse(const std::string& why, Code code = Code::Model) const;

 private:
  tl::unexpected<Error> refuse_word(std::string_view key, std::size_t at, std::string_view word) const;

  std::string_view rest_;
  std::size_t offset_ = 0;
  int number_ = 0;
};

}  // namespace everlearn
