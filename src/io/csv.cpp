#include "io/csv.hpp"

#include <simdjson.h>

#include <cstring>

#include <fmt/format.h>

namespace everlearn {
namespace {

constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kRawKept = 200;  // of a record that is too long
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

RowResult<void> split_csv(std::string_view record, std::vector<std::string_view>& fields,
                          std::vector<std::unique_ptr<std::string>>& unescaped) {
  fields.clear();
  unescaped.clear();
  if (!simdjson::validate_utf8(record.data(), record.size())) return refuse("not UTF-8 text");
  if (std::memchr(record.data(), '\0', record.size()) != nullptr) return refuse("not text", "a NUL byte");
  std::size_t at = 0;
  for (;;) {
    if (at < record.size() && record[at] == '"') {
      const std::size_t begin = ++at;
      bool doubled = false;
      for (;; ++at) {
        at = record.find('"', at);
        if (at == std::string_view::npos) return refuse("broken quotes", "a quote is never closed");
        if (at + 1 < record.size() && record[at + 1] == '"') {
          doubled = true;
          ++at;
          continue;
        }
        break;
      }
      std::string_view field = record.substr(begin, at - begin);
      if (doubled) {
        auto& plain = *unescaped.emplace_back(std::make_unique<std::string>());
        for (std::size_t i = 0; i < field.size(); ++i) {
          plain.push_back(field[i]);
          if (field[i] == '"') ++i;
        }
        field = plain;
      }
      fields.push_back(field);
      ++at;
      if (at == record.size()) return {};
      if (record[at] != ',') return refuse("broken quotes", "text after a closing quote");
    } else {
      const std::size_t comma = record.find(',', at);
      fields.push_back(record.substr(at, comma == std::string_view::npos ? comma : comma - at));
      if (comma == std::string_view::npos) return {};
      at = comma;
    }
    ++at;  // past the comma; another field follows, maybe an empty one
  }
}

CsvReader::CsvReader(std::unique_ptr<ByteStream> bytes) : bytes_{std::move(bytes)} {}

Result<bool> CsvReader::fill() {
  if (ended_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kChunk);
  EL_TRY(const std::size_t n, bytes_->read(std::span{buffer_}.subspan(had)));
  buffer_.resize(had + n);
  ended_ = n == 0;
  return n > 0;
}

/// The extent of the record at begin_: up to the first line end outside quotes. A quote that stays open for longer than
/// a record may be spoils its first line only.
Result<CsvReader::Extent> CsvReader::find_record() {
  bool quoted = false;
  bool at_field = true;      // the next byte begins a field
  bool just_closed = false;  // the last byte was a quote inside a quoted field
  std::size_t first_line_end = std::string::npos;
  std::int64_t lines = 1;
  const auto line_end_bytes = [&](std::size_t newline) -> std::size_t {
    return newline > 0 && buffer_[begin_ + newline - 1] == '\r' ? 2 : 1;
  };
  const auto until = [&](std::size_t newline, std::int64_t line_count) {
    const std::size_t ends = line_end_bytes(newline);
    return Extent{newline + 1 - ends, ends, line_count, std::nullopt};
  };
  for (std::size_t i = 0;; ++i) {
    if (begin_ + i == buffer_.size()) {
      EL_TRY(const bool more, fill());
      if (!more) {
        if (!quoted) return Extent{i, 0, lines, std::nullopt};
        Extent first = first_line_end == std::string::npos ? Extent{i, 0, 1, std::nullopt} : until(first_line_end, 1);
        first.refusal = Refusal{"broken quotes", "a quote is never closed"};
        return first;
      }
    }
    if (i >= kLongestRecord) {
      Extent cut;
      if (first_line_end != std::string::npos) {
        cut = until(first_line_end, 1);
        cut.refusal = Refusal{"broken quotes", fmt::format("a quote stays open for {} bytes", kLongestRecord)};
      } else {
        cut.length = i;
        cut.lines = 0;  // the line goes on
        cut.refusal = Refusal{"line too long", fmt::format("more than {} bytes", kLongestRecord)};
      }
      return cut;
    }
    const char c = buffer_[begin_ + i];
    if (quoted) {
      just_closed = c == '"';
      quoted = !just_closed;
      if (c == '\n') {
        if (first_line_end == std::string::npos) first_line_end = i;
        ++lines;
      }
    } else if (c == '\n') {
      return until(i, lines);
    } else {
      quoted = c == '"' && (at_field || just_closed);  // a doubled quote does not end the field
      just_closed = false;
    }
    at_field = c == ',';
  }
}

Result<void> CsvReader::skip_rest_of_line() {
  for (;;) {
    const std::size_t newline = buffer_.find('\n', begin_);
    if (newline != std::string::npos) {
      begin_ = newline + 1;
      ++line_;
      return {};
    }
    begin_ = buffer_.size();
    EL_TRY(const bool more, fill());
    if (!more) return {};
  }
}

Result<bool> CsvReader::next(CsvRecord& record) {
  record.refusal.reset();
  record.fields.clear();
  if (at_start_) {
    EL_CHECK(fill());
    if (std::string_view{buffer_}.starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
    at_start_ = false;
  }
  for (;;) {
    EL_TRY(Extent extent, find_record());
    record.line = line_;
    if (extent.refusal && extent.lines == 0) {
      // The buffer moves while the rest is skipped, so what is shown of the line is copied.
      auto& shown = *unescaped_.emplace_back(std::make_unique<std::string>(buffer_.substr(begin_, kRawKept)));
      record.raw = shown;
      record.refusal = std::move(extent.refusal);
      begin_ += extent.length;
      EL_CHECK(skip_rest_of_line());
      return true;
    }
    if (extent.length == 0 && extent.line_ends == 0) return false;
    record.raw = std::string_view{buffer_}.substr(begin_, extent.length);
    begin_ += extent.length + extent.line_ends;
    line_ += extent.lines;
    if (extent.length == 0) continue;  // a blank line
    if (extent.refusal) {
      record.refusal = std::move(extent.refusal);
    } else if (auto split = split_csv(record.raw, record.fields, unescaped_); !split) {
      record.fields.clear();
      record.refusal = std::move(split).error();
    }
    return true;
  }
}

void append_csv_field(std::string& line, std::string_view field) {
  const bool quotes =
      field.find_first_of(",\"\r\n") != std::string_view::npos || field.starts_with(' ') || field.ends_with(' ');
  if (!quotes) {
    line.append(field);
    return;
  }
  line.push_back('"');
  for (const char c : field) {
    line.push_back(c);
    if (c == '"') line.push_back('"');
  }
  line.push_back('"');
}

}  // namespace everlearn
