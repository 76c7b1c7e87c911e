// One row that cannot be used. Not an Error: the row is set aside and the file goes on, unless the caller is strict.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace everlearn {

struct Refusal {
  std::string_view reason;  // one of few, counted in the report: "negative price"
  std::string detail;       // the value and the limit; may be empty

  std::string text() const { return detail.empty() ? std::string{reason} : std::string{reason} + ": " + detail; }
};

template <class T>
using RowResult = tl::expected<T, Refusal>;

/// `reason` must be a string literal: the report keeps views of it.
[[nodiscard]] inline tl::unexpected<Refusal> refuse(std::string_view reason, std::string detail = {}) {
  return tl::unexpected<Refusal>(Refusal{reason, std::move(detail)});
}

}  // namespace everlearn
