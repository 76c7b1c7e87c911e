// PostgreSQL's types: which kind of column each is, and its binary form as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "io/live_table.hpp"

namespace everlearn {

enum class PostgresType : std::uint32_t {  // OIDs, fixed for these (pg_type.dat)
  Bool = 16,
  Name = 19,
  Int8 = 20,
  Int2 = 21,
  Int4 = 23,
  Text = 25,
  Float4 = 700,
  Float8 = 701,
  Bpchar = 1042,
  Varchar = 1043,
  Date = 1082,
  Timestamp = 1114,
  Timestamptz = 1184,
  Numeric = 1700,
  Uuid = 2950,
};

ColumnKind postgres_kind(PostgresType type);
/// "double precision"; empty for a type that is none of them.
std::string_view postgres_type_name(PostgresType type);
/// Its binary form can be read; any other is asked for as text.
bool has_binary_form(PostgresType type);

/// As a FoundRow's cell: numbers exact, times RFC 3339 in UTC. Empty: not the bytes of such a value.
std::optional<std::string> postgres_text(PostgresType type, std::string_view bytes);
/// Of a timestamp with time zone or a date; infinities are the ends of time.
std::optional<Timestamp> postgres_time(PostgresType type, std::string_view bytes);

}  // namespace everlearn
