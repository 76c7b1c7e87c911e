// CSV as in RFC 4180: fields in double quotes may hold commas, line breaks and doubled quotes; lines end with LF or
// CRLF; a UTF-8 byte order mark is skipped. A record that breaks the format is reported and the next line is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "io/byte_stream.hpp"
#include "io/refusal.hpp"

namespace everlearn {

inline constexpr std::size_t kLongestRecord = 1 << 20;  // bytes

struct CsvRecord {
  std::int64_t line = 0;                 // of its first byte, from 1
  std::vector<std::string_view> fields;  // valid until the next call
  std::string_view raw;                  // without the line end; the beginning of a record that is too long
  std::optional<Refusal> refusal;        // then `fields` is empty
};

/// Splits one complete record, given without its line end, into fields. `unescaped` keeps fields that held doubled
/// quotes. Refuses text after a closing quote, NUL bytes and bytes that are not UTF-8.
RowResult<void> split_csv(std::string_view record, std::vector<std::string_view>& fields,
                          std::vector<std::unique_ptr<std::string>>& unescaped);

/// Takes a stream of bytes apart. Blank lines are skipped. One thread.
class CsvReader {
 public:
  explicit CsvReader(std::unique_ptr<ByteStream> bytes);
  /// The next record; false at the end. Errors: those of the stream.
  Result<bool> next(CsvRecord& record);
  bool cut_short() const { return bytes_->cut_short(); }

 private:
  struct Extent {
    std::size_t length = 0;     // without the line end
    std::size_t line_ends = 0;  // bytes of the line end: 0 at the end of the input, 1, 2
    std::int64_t lines = 1;     // physical lines
    std::optional<Refusal> refusal;
  };
  Result<bool> fill();
  Result<Extent> find_record();
  Result<void> skip_rest_of_line();

  const std::unique_ptr<ByteStream> bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet handed out
  std::int64_t line_ = 1;
  bool at_start_ = true;
  bool ended_ = false;
  std::vector<std::unique_ptr<std::string>> unescaped_;
};

/// A field as RFC 4180 writes it: quoted where it must be.
void append_csv_field(std::string& line, std::string_view field);

}  // namespace everlearn
