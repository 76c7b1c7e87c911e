// What a profile says about a table that others write: where it is, what its columns mean, how it is read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/secret.hpp"
#include "core/time.hpp"
#include "market/calendar.hpp"

namespace everlearn {

enum class SourceKind : std::uint8_t {
  Files,      // recordings, or a CSV that is being appended to
  Postgres,   // a table or a query of a PostgreSQL database
  TableFile,  // a CSV or Parquet file with the columns of such a table
  Venue,      // a venue's markets as they trade (io/venue_options.hpp)
};

struct TableOptions {
  SourceKind kind = SourceKind::Files;
  Secret connection;  // "postgresql://user:password@host/db?sslmode=require" or "host=... user=... password=..."
  std::string table;  // "rows", "market.rows"; of a file: its path
  std::string query;  // in place of a table: a SELECT without ; at its end

  std::string time_column = "timestamp";
  std::string key_column;                      // names the instrument; empty: all rows are of one, `symbol`
  std::string symbol;                          // empty: the table's name
  std::string id_column;                       // tells apart rows of one key and time, the newest last
  std::string known_column;                    // when a row was known; empty: event_time + delay
  std::vector<std::string> fields;             // further columns, numbers
  std::string outcome_column;                  // what the row turned out to be
  std::vector<std::string> outcome_values;     // its texts, in order of class; empty: it holds numbers
  std::map<std::string, std::string> columns;  // our name of a price column -> the table's; empty: leave it out

  bool bar_stamp_start = true;           // a bar's time is its opening; else its close
  std::optional<Duration> bar_length;    // empty: found out
  std::optional<std::string> time_zone;  // of times written without one
  std::optional<std::string> time_unit;  // of times that are numbers: "s", "ms", "us", "ns"

  Duration lookback = Duration::hours(2);  // rows no older than this before the newest are read again each time
  std::int64_t batch_rows = 5'000;         // read at once
  Duration poll = Duration::seconds(10);   // between two looks
  Duration settle = Duration::seconds(5);  // whoever writes may take so long until a row is there
  Duration connect_timeout = Duration::seconds(30);  // a sleeping database has so long to wake
  Duration query_timeout = Duration::seconds(60);

  // What the caller adds:
  Duration delay;                      // known_at = event_time + delay, where there is no known_column
  bool probability = false;            // prices are probabilities in [0, 1]
  const Calendar* calendar = nullptr;  // gives bare dates and daily bars their sessions; outlives the source
  std::vector<std::string> context;    // instruments that feed others
  std::string quarantine_dir;          // where rows go that cannot be used; empty: they are only counted
  bool strict = false;                 // the first such row is an Error
  bool whole = false;                  // a simulation: read once from the first row to the last, with no regard to now

  /// The table's name without its schema, or "rows".
  std::string short_name() const {
    if (table.empty() || kind == SourceKind::TableFile) return "rows";
    const std::size_t dot = table.rfind('.');
    return dot == std::string::npos ? table : table.substr(dot + 1);
  }
};

}  // namespace everlearn
