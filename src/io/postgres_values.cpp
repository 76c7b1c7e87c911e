#include "io/postgres_values.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include <fmt/format.h>

namespace everlearn {
namespace {

constexpr std::int64_t kEpoch = 946'684'800'000'000;  // us from 1970 to 2000-01-01, where PostgreSQL counts from
constexpr std::int64_t kDayUs = 86'400'000'000;
// Far outside what is accepted, and what iso() can write: the years 1 and 9892.
constexpr std::int64_t kFirst = -62'135'596'800'000'000, kLast = 250'000'000'000'000'000;

template <class Integer>
std::optional<Integer> big_endian(std::string_view bytes) {
  if (bytes.size() != sizeof(Integer)) return std::nullopt;
  std::make_unsigned_t<Integer> value = 0;
  for (const char c : bytes)
    value = static_cast<std::make_unsigned_t<Integer>>(value << 8 | static_cast<unsigned char>(c));
  return static_cast<Integer>(value);
}

template <class Value>
std::optional<std::string> shown(const std::optional<Value>& value) {
  if (!value) return std::nullopt;
  return fmt::format("{}", *value);
}

}  // namespace

ColumnKind postgres_kind(PostgresType type) {
  switch (type) {
    case PostgresType::Bool:
      return ColumnKind::Bool;
    case PostgresType::Int2:
    case PostgresType::Int4:
    case PostgresType::Int8:
    case PostgresType::Float4:
    case PostgresType::Float8:
    case PostgresType::Numeric:
      return ColumnKind::Number;
    case PostgresType::Name:
    case PostgresType::Text:
    case PostgresType::Bpchar:
    case PostgresType::Varchar:
    case PostgresType::Uuid:
      return ColumnKind::Text;
    case PostgresType::Date:
      return ColumnKind::Date;
    case PostgresType::Timestamptz:
      return ColumnKind::Time;
    case PostgresType::Timestamp:
      break;  // a time without a zone says no moment
  }
  return ColumnKind::Other;
}

std::string_view postgres_type_name(PostgresType type) {
  switch (type) {
    case PostgresType::Bool:
      return "boolean";
    case PostgresType::Name:
      return "name";
    case PostgresType::Int2:
      return "smallint";
    case PostgresType::Int4:
      return "integer";
    case PostgresType::Int8:
      return "bigint";
    case PostgresType::Text:
      return "text";
    case PostgresType::Float4:
      return "real";
    case PostgresType::Float8:
      return "double precision";
    case PostgresType::Bpchar:
      return "character";
    case PostgresType::Varchar:
      return "character varying";
    case PostgresType::Date:
      return "date";
    case PostgresType::Timestamp:
      return "timestamp without time zone";
    case PostgresType::Timestamptz:
      return "timestamp with time zone";
    case PostgresType::Numeric:
      return "numeric";
    case PostgresType::Uuid:
      return "uuid";
  }
  return {};
}

bool has_binary_form(PostgresType type) {
  const bool known = !postgres_type_name(type).empty();
  return known && type != PostgresType::Numeric && type != PostgresType::Uuid && type != PostgresType::Timestamp;
}

std::optional<std::string> postgres_text(PostgresType type, std::string_view bytes) {
  switch (type) {
    case PostgresType::Bool:
      if (bytes.size() != 1) return std::nullopt;
      return bytes[0] != 0 ? "1" : "0";
    case PostgresType::Int2:
      return shown(big_endian<std::int16_t>(bytes));
    case PostgresType::Int4:
      return shown(big_endian<std::int32_t>(bytes));
    case PostgresType::Int8:
      return shown(big_endian<std::int64_t>(bytes));
    case PostgresType::Float4: {
      const auto bits = big_endian<std::int32_t>(bytes);
      if (!bits) return std::nullopt;
      return fmt::format("{}", std::bit_cast<float>(*bits));
    }
    case PostgresType::Float8: {
      const auto bits = big_endian<std::int64_t>(bytes);
      if (!bits) return std::nullopt;
      return fmt::format("{}", std::bit_cast<double>(*bits));
    }
    case PostgresType::Timestamptz: {
      const auto time = postgres_time(type, bytes);
      if (!time) return std::nullopt;
      if (*time == Timestamp::max()) return "infinity";
      if (*time == Timestamp::min()) return "-infinity";
      return Timestamp{std::clamp(time->us(), kFirst, kLast)}.iso();
    }
    case PostgresType::Date: {
      const auto time = postgres_time(type, bytes);
      if (!time) return std::nullopt;
      if (*time == Timestamp::max()) return "infinity";
      if (*time == Timestamp::min()) return "-infinity";
      return Timestamp{std::clamp(time->us(), kFirst, kLast)}.date();
    }
    default:
      return std::string{bytes};
  }
}

std::optional<Timestamp> postgres_time(PostgresType type, std::string_view bytes) {
  if (type == PostgresType::Date) {
    const auto days = big_endian<std::int32_t>(bytes);
    if (!days) return std::nullopt;
    if (*days == std::numeric_limits<std::int32_t>::max()) return Timestamp::max();
    if (*days == std::numeric_limits<std::int32_t>::min()) return Timestamp::min();
    return Timestamp{*days * kDayUs + kEpoch};
  }
  const auto us = big_endian<std::int64_t>(bytes);
  if (!us) return std::nullopt;
  if (*us == std::numeric_limits<std::int64_t>::max()) return Timestamp::max();
  if (*us == std::numeric_limits<std::int64_t>::min()) return Timestamp::min();
  if (*us > std::numeric_limits<std::int64_t>::max() - kEpoch - 1) return Timestamp{Timestamp::max().us() - 1};
  return Timestamp{*us + kEpoch};
}

}  // namespace everlearn
