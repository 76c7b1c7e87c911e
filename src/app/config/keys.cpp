#include "app/config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "io/web_address.hpp"

namespace everlearn {
namespace {

Result<void> parse_horizon(const SettingValue& value, LabelSpec& label) {
  EL_TRY(const std::string text, as_text(value));
  label.horizon = {};
  label.sessions = label.bars = 0;
  std::int32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  if (error == std::errc{} && count > 0 && (unit == " sessions" || unit == " session")) {
    label.sessions = count;
    return {};
  }
  if (error == std::errc{} && count > 0 && (unit == " bars" || unit == " bar")) {
    label.bars = count;
    return {};
  }
  EL_TRY(label.horizon, as_duration(value));
  if (label.horizon.us() == 0)
    return fail(Code::Config, fmt::format("\"{}\" is not a duration, \"5 sessions\" or \"10 bars\"", text));
  return {};
}

Result<void> parse_requirements(const SettingValue& value, std::vector<Requirement>& into) {
  EL_TRY(const auto items, as_list(value));
  into.clear();
  for (const std::string& item : items) {
    const std::size_t sign = item.find(">=");
    std::string name = item.substr(0, sign);
    while (!name.empty() && name.back() == ' ') name.pop_back();
    if (sign == std::string::npos || name.empty())
      return fail(Code::Config, fmt::format("\"{}\" is not a check such as \"r2>=0.03\"", item));
    std::string limit = item.substr(sign + 2);
    limit.erase(0, limit.find_first_not_of(' '));
    EL_TRY(const double least, as_number(SettingValue::one(limit), -1e9, 1e9));
    into.push_back({name, least});
  }
  return {};
}

Result<std::optional<Timestamp>> as_optional_time(const SettingValue& value) {
  EL_TRY(const std::string text, as_text(value));
  if (text.empty()) return std::optional<Timestamp>{};
  EL_TRY(const Timestamp time,
         Timestamp::parse(text.find_first_of("T ") == std::string::npos ? text + "T00:00:00Z" : text));
  return std::optional{time};
}

// A name inside a folder: nothing that leads out of it.
Result<std::string> as_file_name(const SettingValue& value, bool with_star) {
  EL_TRY(const std::string text, as_text(value));
  if (text.find('/') != std::string::npos || text.starts_with('.'))
    return fail(Code::Config, fmt::format("\"{}\" is not a file name without a folder", text));
  if (with_star && !text.empty() && std::count(text.begin(), text.end(), '*') != 1)
    return fail(Code::Config, fmt::format("\"{}\" needs one * where the model's id goes", text));
  return text;
}

// "ours=theirs" each; nothing after the sign leaves the column out.
Result<void> parse_columns(const SettingValue& value, std::map<std::string, std::string>& into) {
  EL_TRY(const auto items, as_list(value));
  into.clear();
  for (const std::string& item : items) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(Code::Config, fmt::format("\"{}\" is not OURS=THEIRS, such as \"close=last_price\"", item));
    into[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return {};
}

// "all" or how many.
Result<void> parse_markets(const SettingValue& value, VenueRules& rules) {
  EL_TRY(const std::string text, as_text(value));
  rules.rest = text == "all";
  if (rules.rest) return {};
  EL_TRY(rules.markets, as_integer(value, 1, 5'000));
  return {};
}

// "1000: 0.02 to 0.04; 52 to 54 %": rows, R2, direction.
Result<void> parse_stated_skill(const SettingValue& value, StatedSkill& into) {
  EL_TRY(const auto items, as_list(value));
  into.by_rows.clear();
  for (const std::string& item : items) {
    const std::size_t colon = item.find(": "), semicolon = item.find("; ");
    if (colon == std::string::npos || semicolon == std::string::npos || semicolon < colon)
      return fail(Code::Config, fmt::format("\"{}\" is not \"ROWS: R2; DIRECTION\"", item));
    EL_TRY(const std::int64_t rows, as_integer(SettingValue::one(item.substr(0, colon)), 1, 1'000'000'000));
    into.by_rows.push_back({rows, item.substr(colon + 2, semicolon - colon - 2), item.substr(semicolon + 2)});
  }
  return {};
}

Result<std::optional<std::string>> as_optional_text(const SettingValue& value) {
  EL_TRY(const std::string text, as_text(value));
  return text.empty() ? std::optional<std::string>{} : std::optional{text};
}

// It becomes a part of a URL as it stands.
Result<Secret> as_bot_token(const SettingValue& value) {
  EL_TRY(std::string text, as_text(value));
  const std::size_t colon = text.find(':');
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto letter = [&](char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  const bool good = colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
                    std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), digit) &&
                    std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(), letter);
  if (!text.empty() && !good) return fail(Code::Config, "not a bot's token");
  return Secret{std::move(text)};
}

// What is not encrypted may not leave the machine: the token is in each request.
Result<std::string> as_api_address(const SettingValue& value) {
  EL_TRY(std::string text, as_text(value));
  while (text.ends_with('/')) text.pop_back();
  bool here = false;
  for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]"})
    here = here || text == host || (text.starts_with(host) && (text[host.size()] == ':' || text[host.size()] == '/'));
  if (text.find('@') != std::string::npos || (!text.starts_with("https://") && !here))
    return fail(Code::Config, fmt::format("\"{}\" is not an https:// address, nor http:// on 127.0.0.1", text));
  return text;
}

// A venue's service: its origin, without a path.
Result<std::string> as_service(const SettingValue& value, const std::string& usual, std::string_view encrypted,
                               std::string_view plain) {
  EL_TRY(std::string text, as_text(value));
  if (text.empty()) return usual;
  while (text.ends_with('/')) text.pop_back();
  EL_TRY(const WebAddress address, web_address(text, encrypted, plain));
  if (address.path != "/")
    return fail(Code::Config, fmt::format("\"{}\" has a path, and its service adds its own", text));
  return text;
}

Result<Duration> as_duration_from(const SettingValue& value, Duration least) {
  EL_TRY(const Duration time, as_duration(value));
  if (time < least) return fail(Code::Config, fmt::format("\"{}\" is less than {}", value.text(), least.text()));
  return time;
}

Task task_of(const LabelSpec& label) {
  return !label.is_class() ? Task::Regression : label.classes() == 2 ? Task::Binary : Task::Multiclass;
}

using V = const SettingValue&;
using Done = Result<void>;

constexpr auto kProfileKeys = std::to_array<Key>({
    {"title", "", "one line for people", [](Profile& p, V v) -> Done { EL_TRY(p.title, as_text(v)); return {}; }},
    {"source.inputs", "", "recordings that `demo` replays: files or directories, relative to the repository", [](Profile& p, V v) -> Done { EL_TRY(p.inputs, as_list(v)); return {}; }},
    {"source.calendar", "24/7", "when the market is open: \"24/7\" or \"us_equities\"", [](Profile& p, V v) -> Done { EL_TRY(p.calendar, as_text(v)); return {}; }},
    {"source.delay", "0s", "known_at = event_time + delay where the input gives no receive time", [](Profile& p, V v) -> Done { EL_TRY(p.source_delay, as_duration(v)); return {}; }},
    {"source.probability", "false", "prices are probabilities in [0, 1]", [](Profile& p, V v) -> Done { EL_TRY(p.probability, as_bool(v)); return {}; }},
    {"source.tick_size", "0", "smallest price step; moves under half of it have no direction", [](Profile& p, V v) -> Done { EL_TRY(p.tick_size, as_number(v, 0, 1e6)); return {}; }},
    {"source.context", "", "instruments that feed features of others and make no examples", [](Profile& p, V v) -> Done { EL_TRY(p.context, as_list(v)); return {}; }},
    {"source.gap_after", "none", "a longer silence in open time is a gap; none: one session, or 2.5 sample steps", [](Profile& p, V v) -> Done { EL_TRY(p.gap_after, as_duration(v)); return {}; }},
    {"source.store_events", "true", "keep bars, trades and books as received (prices are always kept)", [](Profile& p, V v) -> Done { EL_TRY(p.store_events, as_bool(v)); return {}; }},
    {"source.watched_books", "false", "a trusted book is as it is now, however long ago it changed: its feed says when it may not be", [](Profile& p, V v) -> Done { EL_TRY(p.watched_books, as_bool(v)); return {}; }},
    {"source.limits", "", "what the data cannot tell: sentences for the report", [](Profile& p, V v) -> Done { EL_TRY(p.source_limits, as_list(v)); return {}; }},
    {"source.kind", "files", "where rows come from: files (recordings, a CSV that grows), postgres, table_file (a CSV or Parquet file with a table's columns), venue (markets watched live)", [](Profile& p, V v) -> Done { EL_TRY(const std::size_t i, as_choice(v, {"files", "postgres", "table_file", "venue"})); p.table.kind = static_cast<SourceKind>(i); return {}; }},
    {"source.connection", "", "postgres: a connection string, URI or key=value; a secret: give it by the environment", [](Profile& p, V v) -> Done { EL_TRY(std::string text, as_text(v)); p.table.connection = Secret{std::move(text)}; return {}; }, true},
    {"source.table", "", "the table, maybe with its schema; table_file: the file's path", [](Profile& p, V v) -> Done { EL_TRY(p.table.table, as_text(v)); return {}; }},
    {"source.query", "", "postgres: a SELECT in place of a table", [](Profile& p, V v) -> Done { EL_TRY(p.table.query, as_text(v)); return {}; }},
    {"source.time_column", "timestamp", "table: the column with a row's time", [](Profile& p, V v) -> Done { EL_TRY(p.table.time_column, as_text(v)); return {}; }},
    {"source.key_column", "", "table: the column that names the instrument; none: all rows are of one", [](Profile& p, V v) -> Done { EL_TRY(p.table.key_column, as_text(v)); return {}; }},
    {"source.symbol", "", "table without a key column: the instrument's name; none: the table's", [](Profile& p, V v) -> Done { EL_TRY(p.table.symbol, as_text(v)); return {}; }},
    {"source.id_column", "", "table: a column that tells apart rows of one key and time, newest last", [](Profile& p, V v) -> Done { EL_TRY(p.table.id_column, as_text(v)); return {}; }},
    {"source.known_column", "", "table: when a row was written; none: its time + source.delay", [](Profile& p, V v) -> Done { EL_TRY(p.table.known_column, as_text(v)); return {}; }},
    {"source.fields", "", "table: further columns, numbers, in this order", [](Profile& p, V v) -> Done { EL_TRY(p.table.fields, as_list(v)); return {}; }},
    {"source.outcome_column", "", "table: the column with what a row turned out to be, for label = \"column\"", [](Profile& p, V v) -> Done { EL_TRY(p.table.outcome_column, as_text(v)); return {}; }},
    {"source.outcome_values", "", "table: the outcome column's texts in order of class; none: it holds numbers", [](Profile& p, V v) -> Done { EL_TRY(p.table.outcome_values, as_list(v)); return {}; }},
    {"source.columns", "", "table: names of price columns, OURS=THEIRS; OURS= leaves one out", [](Profile& p, V v) -> Done { return parse_columns(v, p.table.columns); }},
    {"source.bar_stamp", "start", "table: a bar's time is its start or its end", [](Profile& p, V v) -> Done { EL_TRY(const std::size_t i, as_choice(v, {"start", "end"})); p.table.bar_stamp_start = i == 0; return {}; }},
    {"source.bar_length", "none", "table: length of a bar; none: found out", [](Profile& p, V v) -> Done { EL_TRY(const Duration length, as_duration(v)); p.table.bar_length = length.us() > 0 ? std::optional{length} : std::nullopt; return {}; }},
    {"source.time_zone", "", "table: IANA zone of times written without one", [](Profile& p, V v) -> Done { EL_TRY(p.table.time_zone, as_optional_text(v)); return {}; }},
    {"source.time_unit", "", "table: unit of times that are numbers: s, ms, us, ns", [](Profile& p, V v) -> Done { EL_TRY(p.table.time_unit, as_optional_text(v)); return {}; }},
    {"source.lookback", "2h", "table: so far before the newest row late and corrected rows are looked for", [](Profile& p, V v) -> Done { EL_TRY(p.table.lookback, as_duration(v)); return {}; }},
    {"source.batch_rows", "5000", "table: rows read at once", [](Profile& p, V v) -> Done { EL_TRY(p.table.batch_rows, as_integer(v, 10, 1'000'000)); return {}; }},
    {"source.poll", "10s", "table: least time between two looks", [](Profile& p, V v) -> Done { EL_TRY(p.table.poll, as_duration(v)); return {}; }},
    {"source.settle", "5s", "a table: whoever writes it may take so long until a row is there; a live cycle waits for a look after that", [](Profile& p, V v) -> Done { EL_TRY(p.table.settle, as_duration(v)); return {}; }},
    {"source.connect_timeout", "30s", "postgres: so long a sleeping database may take to wake", [](Profile& p, V v) -> Done { EL_TRY(p.table.connect_timeout, as_duration(v)); return {}; }},
    {"source.query_timeout", "60s", "postgres: a query that takes longer is given up", [](Profile& p, V v) -> Done { EL_TRY(p.table.query_timeout, as_duration(v)); return {}; }},
    {"venue.markets", "50", "markets followed with their books (each has two instruments), or \"all\": those that qualify beyond venue.first_tier are priced every venue.second_tier_every", [](Profile& p, V v) -> Done { return parse_markets(v, p.venue.rules); }},
    {"venue.first_tier", "50", "with markets = \"all\": so many are followed with their books", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 5'000)); if (p.venue.rules.rest) p.venue.rules.markets = n; return {}; }},
    {"venue.min_volume_24h", "10000", "dollars traded within 24 h that a new market needs; one that is followed stays down to half of it", [](Profile& p, V v) -> Done { EL_TRY(p.venue.rules.min_volume_24h, as_number(v, 0, 1e12)); return {}; }},
    {"venue.mid_from", "0.05", "a new market's mid is no less", [](Profile& p, V v) -> Done { EL_TRY(p.venue.rules.mid_from, as_number(v, 0, 1)); return {}; }},
    {"venue.mid_to", "0.95", "and no more", [](Profile& p, V v) -> Done { EL_TRY(p.venue.rules.mid_to, as_number(v, 0, 1)); return {}; }},
    {"venue.leave_below", "0.03", "a followed market leaves below this mid", [](Profile& p, V v) -> Done { EL_TRY(p.venue.rules.leave_below, as_number(v, 0, 1)); return {}; }},
    {"venue.leave_above", "0.97", "and above this one", [](Profile& p, V v) -> Done { EL_TRY(p.venue.rules.leave_above, as_number(v, 0, 1)); return {}; }},
    {"venue.max_spread", "0.03", "of a new market; one that is followed stays up to twice as much", [](Profile& p, V v) -> Done { EL_TRY(p.venue.rules.max_spread, as_number(v, 0, 1)); return {}; }},
    {"venue.min_horizons", "3", "a new market ends so many horizons from now, or later; a recurring one is no shorter", [](Profile& p, V v) -> Done { EL_TRY(p.venue.rules.min_horizons, as_integer(v, 1, 10'000)); return {}; }},
    {"venue.gamma", "", "address of the venue's market list, https://, or http:// on this machine; none: the venue's own, as for the next three", [](Profile& p, V v) -> Done { EL_TRY(p.venue.gamma, as_service(v, VenueOptions{}.gamma, "https", "http")); return {}; }},
    {"venue.clob", "", "of its books and prices", [](Profile& p, V v) -> Done { EL_TRY(p.venue.clob, as_service(v, VenueOptions{}.clob, "https", "http")); return {}; }},
    {"venue.data", "", "of its trades", [](Profile& p, V v) -> Done { EL_TRY(p.venue.data, as_service(v, VenueOptions{}.data, "https", "http")); return {}; }},
    {"venue.socket", "", "of its market sockets, wss://, or ws:// on this machine", [](Profile& p, V v) -> Done { EL_TRY(p.venue.socket, as_service(v, VenueOptions{}.socket, "wss", "ws")); return {}; }},
    {"venue.refresh", "60s", "time between two readings of the market list", [](Profile& p, V v) -> Done { EL_TRY(p.venue.refresh, as_duration_from(v, Duration::seconds(1))); return {}; }},
    {"venue.second_tier_every", "15m", "the second tier is priced shortly before each time of this grid", [](Profile& p, V v) -> Done { EL_TRY(p.venue.second_tier_every, as_duration_from(v, Duration::minutes(1))); return {}; }},
    {"venue.assets_per_socket", "200", "instruments of one socket, at most; beyond some hundreds the venue falls silent", [](Profile& p, V v) -> Done { EL_TRY(p.venue.assets_per_socket, as_integer(v, 1, 400)); return {}; }},
    {"venue.first_event", "15s", "an instrument that tells nothing so long after subscribing is subscribed again, then on a new socket, then read by REST", [](Profile& p, V v) -> Done { EL_TRY(p.venue.first_event, as_duration_from(v, Duration::seconds(1))); return {}; }},
    {"venue.silence", "30s", "a socket that tells nothing of its instruments for so long is checked against their books, and replaced if those moved", [](Profile& p, V v) -> Done { EL_TRY(p.venue.silence, as_duration_from(v, Duration::seconds(1))); return {}; }},
    {"venue.limits.gamma", "2000", "requests in any ten seconds: all of the market list's service", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.gamma, as_integer(v, 1, 1'000'000)); return {}; }},
    {"venue.limits.gamma_markets", "150", "the market list", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.gamma_markets, as_integer(v, 1, 1'000'000)); return {}; }},
    {"venue.limits.clob", "4500", "all of books and prices", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.clob, as_integer(v, 1, 1'000'000)); return {}; }},
    {"venue.limits.book", "750", "a book or a market by itself", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.book, as_integer(v, 1, 1'000'000)); return {}; }},
    {"venue.limits.books", "250", "books and prices of many at once", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.books, as_integer(v, 1, 1'000'000)); return {}; }},
    {"venue.limits.history", "500", "prices of the past", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.history, as_integer(v, 1, 1'000'000)); return {}; }},
    {"venue.limits.data", "500", "all of the trades' service", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.data, as_integer(v, 1, 1'000'000)); return {}; }},
    {"venue.limits.trades", "100", "trades", [](Profile& p, V v) -> Done { EL_TRY(p.venue.limits.trades, as_integer(v, 1, 1'000'000)); return {}; }},
    {"cycle.every", "session", "time between decisions, or \"session\": one at each close", [](Profile& p, V v) -> Done { if (!v.list && v.items.front() == "session") { p.cycle = {}; return {}; } EL_TRY(p.cycle, as_duration(v)); return {}; }},
    {"cycle.commit_every", "64", "cycles between commits in a simulation", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 1'000'000)); p.commit_every = static_cast<int>(n); return {}; }},
    {"examples.every", "cycle", "time between examples, or \"cycle\": each one", [](Profile& p, V v) -> Done { if (!v.list && v.items.front() == "cycle") { p.sample = {}; return {}; } EL_TRY(p.sample, as_duration(v)); return {}; }},
    {"examples.max_price_age", "1h", "open time after which a last price makes no example and no decision", [](Profile& p, V v) -> Done { EL_TRY(p.max_price_age, as_duration(v)); return {}; }},
    {"features.use", "ret_*", "names, globs (\"ret_*\"), groups (\"@time series\"), and \"!name\" to leave out", [](Profile& p, V v) -> Done { EL_TRY(p.features, as_list(v)); return {}; }},
    {"features.dense", "", "the same, computed on the grid of prices.every from its prices alone; no name of features.use", [](Profile& p, V v) -> Done { EL_TRY(p.dense_features, as_list(v)); return {}; }},
    {"prices.every", "none", "a dense price of each instrument on this grid, whatever else happens; none: no dense prices", [](Profile& p, V v) -> Done { EL_TRY(p.dense_every, as_duration(v)); return {}; }},
    {"train.learning", "true", "may a model act at all; off: the engine collects, samples and labels only", [](Profile& p, V v) -> Done { EL_TRY(p.learning, as_bool(v)); return {}; }},
    {"train.enabled", "", "true: a model that passes the gate acts from the start; false: only once train.auto_enable is reached; empty: the same as false", [](Profile& p, V v) -> Done { p.train_enabled.reset(); if (!v.list && v.items.front().empty()) return {}; EL_TRY(p.train_enabled, as_bool(v)); return {}; }},
    {"train.auto_enable", "2000", "effective labelled examples after which learning starts by itself; 0: never", [](Profile& p, V v) -> Done { EL_TRY(p.auto_enable, as_integer(v, 0, 1'000'000'000)); return {}; }},
    {"train.every", "24h", "\"6h\", \"quarterly\", \"monthly\" or a cron line", [](Profile& p, V v) -> Done { EL_TRY(p.train_schedule, as_text(v)); return {}; }},
    {"train.time_zone", "UTC", "IANA zone of a cron line", [](Profile& p, V v) -> Done { EL_TRY(p.train_zone, as_text(v)); return {}; }},
    {"train.max_age", "none", "a champion older than this asks for a training", [](Profile& p, V v) -> Done { EL_TRY(const Duration age, as_duration(v)); p.train_max_age = age.us() > 0 ? std::optional{age} : std::nullopt; return {}; }},
    {"train.min_sharpe", "none", "a live Sharpe ratio under this asks for a training", [](Profile& p, V v) -> Done { EL_TRY(p.train_min_sharpe, as_optional_number(v, -100, 100)); return {}; }},
    {"train.min_gap", "1d", "least time between triggered trainings", [](Profile& p, V v) -> Done { EL_TRY(p.train_min_gap, as_duration(v)); return {}; }},
    {"train.min_recent_accuracy", "none", "classes: served predictions right less often ask for a training from scratch", [](Profile& p, V v) -> Done { EL_TRY(p.train_min_recent_accuracy, as_optional_number(v, 0, 1)); return {}; }},
    {"train.recent_gap", "6h", "least time between those, and once for the same model", [](Profile& p, V v) -> Done { EL_TRY(p.train_recent_gap, as_duration(v)); return {}; }},
    {"train.window", "none", "examples no older than this are used; none: all", [](Profile& p, V v) -> Done { EL_TRY(p.window, as_duration(v)); return {}; }},
    {"train.stop_share", "0.15", "share of the window for early stopping and calibration", [](Profile& p, V v) -> Done { EL_TRY(p.stop_share, as_number(v, 0.01, 0.5)); return {}; }},
    {"train.holdout_share", "0.2", "share of the window, at its end, for the gate", [](Profile& p, V v) -> Done { EL_TRY(p.holdout_share, as_number(v, 0.01, 0.5)); return {}; }},
    {"train.stop_most", "none", "the time for early stopping and calibration is no longer than this", [](Profile& p, V v) -> Done { EL_TRY(p.stop_most, as_duration(v)); return {}; }},
    {"train.holdout_most", "none", "the time for the gate is no longer than this: after years a fifth of the window is months that no model has learned from, and millions of rows to judge by", [](Profile& p, V v) -> Done { EL_TRY(p.holdout_most, as_duration(v)); return {}; }},
    {"train.embargo", "0s", "distance between what a model saw and what it is judged on", [](Profile& p, V v) -> Done { EL_TRY(p.embargo, as_duration(v)); return {}; }},
    {"train.min_effective", "200", "fewer effective rows to fit: no training", [](Profile& p, V v) -> Done { EL_TRY(p.min_effective, as_integer(v, 0, 1'000'000'000)); return {}; }},
    {"train.min_holdout_effective", "100", "fewer effective hold-out rows: insufficient", [](Profile& p, V v) -> Done { EL_TRY(p.min_holdout_effective, as_integer(v, 0, 1'000'000'000)); return {}; }},
    {"train.max_examples", "25000000", "the newest rows that a training takes; deletes nothing", [](Profile& p, V v) -> Done { EL_TRY(p.max_examples, as_integer(v, 1, 1'000'000'000)); return {}; }},
    {"train.delay", "0s", "simulation: a training as of T takes effect at T + delay; 0: the next cycle", [](Profile& p, V v) -> Done { EL_TRY(p.train_delay, as_duration(v)); return {}; }},
    {"train.threads", "1", "threads of one trainer; targets train side by side", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 256)); p.threads = static_cast<int>(n); return {}; }},
    {"train.memory_mb", "8192", "address space of a trainer", [](Profile& p, V v) -> Done { EL_TRY(const auto mb, as_integer(v, 64, 1'000'000)); p.memory_bytes = static_cast<std::uint64_t>(mb) << 20; return {}; }},
    {"train.wall", "1h", "a trainer is killed after this", [](Profile& p, V v) -> Done { EL_TRY(p.train_wall, as_duration(v)); return {}; }},
    {"train.model_expiry", "none", "a champion older than this acts no longer", [](Profile& p, V v) -> Done { EL_TRY(p.model_expiry, as_duration(v)); return {}; }},
    {"tune.way", "none", "how the base is tuned to the newest rows: none, trees (more of them at a lower rate), leaves (refit with decay), calibration", [](Profile& p, V v) -> Done { EL_TRY(const std::size_t i, as_choice(v, {"none", "trees", "leaves", "calibration"})); p.tune.way = static_cast<TuneWay>(i); return {}; }},
    {"tune.every", "cycle", "time between fine-tunes, or \"cycle\": each one that makes examples", [](Profile& p, V v) -> Done { if (!v.list && v.items.front() == "cycle") { p.tune_every = {}; return {}; } EL_TRY(p.tune_every, as_duration(v)); return {}; }},
    {"tune.rows_min", "500", "fewer labelled rows before the newest ones: no tune", [](Profile& p, V v) -> Done { EL_TRY(p.tune.rows_min, as_integer(v, 50, 100'000)); return {}; }},
    {"tune.rows_max", "1000", "labelled rows that a tune takes, at most", [](Profile& p, V v) -> Done { EL_TRY(p.tune.rows_max, as_integer(v, 50, 100'000)); return {}; }},
    {"tune.newest", "200", "newest labelled rows that no tune sees", [](Profile& p, V v) -> Done { EL_TRY(p.tune.newest, as_integer(v, 0, 100'000)); return {}; }},
    {"tune.trees", "30", "trees: at most so many more, for each class", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 10'000)); p.tune.trees = static_cast<int>(n); return {}; }},
    {"tune.learning_rate", "0.01", "trees: shrinkage of each", [](Profile& p, V v) -> Done { EL_TRY(p.tune.learning_rate, as_number(v, 1e-5, 1)); return {}; }},
    {"tune.early_stopping", "5", "trees: rounds without improvement on the stop rows; 0: off", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 0, 10'000)); p.tune.early_stopping = static_cast<int>(n); return {}; }},
    {"tune.stop_share", "0.2", "share of a tune's rows, the newest: a tune that is no better there is not kept", [](Profile& p, V v) -> Done { EL_TRY(p.tune.stop_share, as_number(v, 0.05, 0.5)); return {}; }},
    {"tune.leaves", "8", "trees: leaves of a tree, at most", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 2, 4096)); p.tune.leaves = static_cast<int>(n); return {}; }},
    {"tune.depth", "3", "trees: of a tree", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 32)); p.tune.depth = static_cast<int>(n); return {}; }},
    {"tune.min_rows_in_leaf", "20", "trees: rows a leaf must have", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 1'000'000)); p.tune.min_rows_in_leaf = static_cast<int>(n); return {}; }},
    {"tune.decay", "0.9", "leaves: share of a leaf's old value that stays", [](Profile& p, V v) -> Done { EL_TRY(p.tune.decay, as_number(v, 0, 1)); return {}; }},
    {"tune.keep", "2d", "older tunes are pruned", [](Profile& p, V v) -> Done { EL_TRY(p.tune.keep, as_duration(v)); return {}; }},
    {"tune.keep_most", "600", "the oldest tunes above this number are pruned", [](Profile& p, V v) -> Done { EL_TRY(p.tune.keep_most, as_integer(v, 1, 1'000'000)); return {}; }},
    {"tune.wall", "2m", "a trainer that tunes is killed after this", [](Profile& p, V v) -> Done { EL_TRY(p.tune.wall, as_duration(v)); return {}; }},
    {"scaling.start", "", "start of period 0, RFC 3339 or a date (UTC); empty: the first training", [](Profile& p, V v) -> Done { EL_TRY(p.scaling_start, as_optional_time(v)); return {}; }},
    {"scaling.first", "0", "labelled rows of a training in period 0; 0: all of the window", [](Profile& p, V v) -> Done { EL_TRY(p.scaling.first, as_integer(v, 0, 1'000'000'000)); return {}; }},
    {"scaling.step", "0", "more of them each period", [](Profile& p, V v) -> Done { EL_TRY(p.scaling.step, as_integer(v, 0, 1'000'000'000)); return {}; }},
    {"scaling.most", "0", "never more; 0: no limit", [](Profile& p, V v) -> Done { EL_TRY(p.scaling.most, as_integer(v, 0, 1'000'000'000)); return {}; }},
    {"scaling.every", "7d", "length of a period", [](Profile& p, V v) -> Done { EL_TRY(p.scaling.every, as_duration(v)); if (p.scaling.every.us() <= 0) return fail(Code::Config, "\"none\" is no length of a period"); return {}; }},
    {"streams.judge", "0 0 * * *", "when the gate picks the stream that serves, base or tuned: an interval or a cron line", [](Profile& p, V v) -> Done { EL_TRY(p.streams.judge, as_text(v)); return {}; }},
    {"streams.time_zone", "UTC", "IANA zone of a cron line", [](Profile& p, V v) -> Done { EL_TRY(p.streams.zone, as_text(v)); return {}; }},
    {"streams.window", "1d", "it looks at what was said in this stretch before", [](Profile& p, V v) -> Done { EL_TRY(p.streams.window, as_duration(v)); return {}; }},
    {"streams.min_accuracy", "0.45", "the tuned stream must be right at least so often", [](Profile& p, V v) -> Done { EL_TRY(p.streams.min_accuracy, as_number(v, 0, 1)); return {}; }},
    {"gate.max_gain_share", "0.25", "most of the improvement that one instrument may give", [](Profile& p, V v) -> Done { EL_TRY(p.max_gain_share, as_number(v, 0, 1)); return {}; }},
    {"gate.draws", "1000", "bootstrap draws", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 100, 100'000)); p.gate_draws = static_cast<int>(n); return {}; }},
    {"signal.min_edge_bps", "0", "expected value wanted beyond costs and half spread", [](Profile& p, V v) -> Done { EL_TRY(p.signal.min_edge_bps, as_number(v, 0, 10000)); return {}; }},
    {"signal.long_only", "false", "no short positions", [](Profile& p, V v) -> Done { EL_TRY(p.signal.long_only, as_bool(v)); return {}; }},
    {"signal.baseline_may_act", "false", "signals also below a champion on the ladder", [](Profile& p, V v) -> Done { EL_TRY(p.signal.baseline_may_act, as_bool(v)); return {}; }},
    {"signal.min_margin", "none", "classes: probability of the first less that of the second", [](Profile& p, V v) -> Done { EL_TRY(p.signal.min_margin, as_optional_number(v, 0, 1)); return {}; }},
    {"signal.max_entropy", "none", "classes: normalised entropy", [](Profile& p, V v) -> Done { EL_TRY(p.signal.max_entropy, as_optional_number(v, 0, 1)); return {}; }},
    {"signal.min_recent_accuracy", "none", "classes: of the last matured predictions as served", [](Profile& p, V v) -> Done { EL_TRY(p.signal.min_recent_accuracy, as_optional_number(v, 0, 1)); return {}; }},
    {"signal.conformal", "false", "classes: act only when the prediction set has one class", [](Profile& p, V v) -> Done { EL_TRY(p.signal.conformal, as_bool(v)); return {}; }},
    {"signal.recent_penalty", "false", "ask for more margin and less entropy as recent accuracy falls (docs/signals.md)", [](Profile& p, V v) -> Done { EL_TRY(p.signal.recent_penalty, as_bool(v)); return {}; }},
    {"signal.penalty_from", "0.55", "recent accuracy under which the penalty begins", [](Profile& p, V v) -> Done { EL_TRY(p.signal.penalty_from, as_number(v, 0, 1)); return {}; }},
    {"signal.penalty_floor", "0.45", "recent accuracy at which it is whole", [](Profile& p, V v) -> Done { EL_TRY(p.signal.penalty_floor, as_number(v, 0, 1)); return {}; }},
    {"signal.penalty_margin", "0.15", "the whole penalty adds this to min_margin", [](Profile& p, V v) -> Done { EL_TRY(p.signal.penalty_margin, as_number(v, 0, 1)); return {}; }},
    {"signal.penalty_entropy", "0.15", "and takes this from max_entropy", [](Profile& p, V v) -> Done { EL_TRY(p.signal.penalty_entropy, as_number(v, 0, 1)); return {}; }},
    {"signal.recent_rows", "200", "how many matured predictions recent accuracy looks at", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 1'000'000)); p.signal.recent_rows = static_cast<int>(n); return {}; }},
    {"signal.out_of_distribution", "none", "share of features outside the trained range that stops a signal", [](Profile& p, V v) -> Done { EL_TRY(p.signal.out_of_distribution, as_optional_number(v, 0, 1)); return {}; }},
    {"signal.quiet_from", "", "start of the quiet hours, HH:MM", [](Profile& p, V v) -> Done { EL_TRY(p.signal.quiet_from, as_text(v)); return {}; }},
    {"signal.quiet_to", "", "end of the quiet hours, HH:MM", [](Profile& p, V v) -> Done { EL_TRY(p.signal.quiet_to, as_text(v)); return {}; }},
    {"signal.quiet_zone", "UTC", "their IANA zone", [](Profile& p, V v) -> Done { EL_TRY(p.signal.quiet_zone, as_text(v)); return {}; }},
    {"signal.max_signals", "0", "most signals of one cycle; 0: no limit", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 0, 1'000'000)); p.signal.max_signals = static_cast<int>(n); return {}; }},
    {"trade.capital", "0", "at the start, account currency; a limit of zero means none is allowed", [](Profile& p, V v) -> Done { EL_TRY(p.paper.limits.capital, as_number(v, 0, 1e12)); return {}; }},
    {"trade.order", "0", "most notional of one order", [](Profile& p, V v) -> Done { EL_TRY(p.paper.limits.order, as_number(v, 0, 1e12)); return {}; }},
    {"trade.instrument", "0", "most notional of one market, all its instruments together", [](Profile& p, V v) -> Done { EL_TRY(p.paper.limits.instrument, as_number(v, 0, 1e12)); return {}; }},
    {"trade.total", "0", "most notional of all positions", [](Profile& p, V v) -> Done { EL_TRY(p.paper.limits.total, as_number(v, 0, 1e12)); return {}; }},
    {"trade.daily_loss", "0", "no new risk for the rest of the UTC day after losing this", [](Profile& p, V v) -> Done { EL_TRY(p.paper.limits.daily_loss, as_number(v, 0, 1e12)); return {}; }},
    {"trade.kelly_fraction", "0.25", "of the Kelly size", [](Profile& p, V v) -> Done { EL_TRY(p.paper.limits.kelly_fraction, as_number(v, 0, 1)); return {}; }},
    {"trade.depth_share", "0.1", "of the visible depth, where a book is known", [](Profile& p, V v) -> Done { EL_TRY(p.paper.limits.depth_share, as_number(v, 0, 1)); return {}; }},
    {"trade.cost_bps", "0", "fee, one way, where the instrument has none of its own", [](Profile& p, V v) -> Done { EL_TRY(p.paper.cost_bps, as_number(v, 0, 10000)); p.signal.cost_bps = p.paper.cost_bps; return {}; }},
    {"trade.half_spread_bps", "0", "paid where no bid and ask are known", [](Profile& p, V v) -> Done { EL_TRY(p.paper.half_spread_bps, as_number(v, 0, 10000)); p.signal.half_spread_bps = p.paper.half_spread_bps; return {}; }},
    {"trade.latency", "1s", "decision to fill", [](Profile& p, V v) -> Done { EL_TRY(p.paper.latency, as_duration(v)); return {}; }},
    {"trade.intent_expiry", "60s", "an unfilled intent ends", [](Profile& p, V v) -> Done { EL_TRY(p.paper.intent_expiry, as_duration(v)); return {}; }},
    {"trade.tolerance_ticks", "none", "an order's limit lies so many ticks beyond the price at which it could be filled at the decision; none: it takes any price", [](Profile& p, V v) -> Done { EL_TRY(const auto ticks, as_optional_number(v, 0, 1000)); p.paper.tolerance_ticks = ticks ? std::optional{static_cast<int>(*ticks)} : std::nullopt; return {}; }},
    {"trade.size_step", "0", "orders are whole steps of this many units; 0: any size", [](Profile& p, V v) -> Done { EL_TRY(p.paper.size_step, as_number(v, 0, 1e6)); return {}; }},
    {"trade.min_notional", "0", "an order under this is not made", [](Profile& p, V v) -> Done { EL_TRY(p.paper.min_notional, as_number(v, 0, 1e12)); return {}; }},
    {"trade.approval", "auto", "auto, or hand: an intent waits until `everlearn intents approve ID`, and expires without it", [](Profile& p, V v) -> Done { EL_TRY(const std::size_t i, as_choice(v, {"auto", "hand"})); p.paper.by_hand = i == 1; return {}; }},
    {"trade.outlet.file", "", "intents for a program of your own: a line of JSON each is appended here; without a leading / inside the data directory", [](Profile& p, V v) -> Done { EL_TRY(p.outlet.file, as_text(v)); return {}; }},
    {"trade.outlet.url", "", "the same, posted to this address: https://, or http:// on this machine", [](Profile& p, V v) -> Done { EL_TRY(p.outlet.url, as_text(v)); if (p.outlet.url.empty()) return {}; EL_CHECK(as_api_address(v)); return {}; }},
    {"trade.outlet.secret", "", "what the posts are signed with (docs/formats/intent-v1.md)", [](Profile& p, V v) -> Done { EL_TRY(std::string text, as_text(v)); p.outlet.secret = Secret{std::move(text)}; return {}; }, true},
    {"mirror.model", "", "for older tools: models/<this> is the champion as its trainer wrote it", [](Profile& p, V v) -> Done { EL_TRY(p.mirror_model, as_file_name(v, false)); return {}; }},
    {"mirror.metadata", "", "for older tools: models/<this> is the champion's card in short, * its id", [](Profile& p, V v) -> Done { EL_TRY(p.mirror_metadata, as_file_name(v, true)); return {}; }},
    {"mirror.history", "", "for older tools: models/<this> is each model as its trainer wrote it, * the time of its training", [](Profile& p, V v) -> Done { EL_TRY(p.mirror_history, as_file_name(v, true)); return {}; }},
    {"mirror.pointer", "", "for older tools: models/<this> names the champion: its path and nothing else", [](Profile& p, V v) -> Done { EL_TRY(p.mirror_pointer, as_file_name(v, false)); return {}; }},
    {"mirror.log", "", "for older tools: logs/<this> is a link to the log that is being written", [](Profile& p, V v) -> Done { EL_TRY(p.mirror_log, as_file_name(v, false)); return {}; }},
    {"report.stated_skill", "", "what somebody else says, beside what was measured: \"ROWS: R2; DIRECTION\" each", [](Profile& p, V v) -> Done { return parse_stated_skill(v, p.stated); }},
    {"report.stated_wins", "", "the same of the gain in win rate, by month: the first, the second, ...", [](Profile& p, V v) -> Done { EL_TRY(p.stated.wins, as_list(v)); return {}; }},
    {"report.stated_by", "", "who says so", [](Profile& p, V v) -> Done { EL_TRY(p.stated.by, as_text(v)); return {}; }},
    {"backfill.use", "true", "holes in the history of prices are filled from the source's own history, where it has one", [](Profile& p, V v) -> Done { EL_TRY(p.backfill, as_bool(v)); return {}; }},
    {"retention.days", "1095", "rows older than this go, whole segments; 0: keep for ever", [](Profile& p, V v) -> Done { EL_TRY(const auto days, as_integer(v, 0, 100'000)); p.retention = Duration::days(days); return {}; }},
    {"retention.disk_gb", "0", "the oldest segments go above this; 0: no cap", [](Profile& p, V v) -> Done { EL_TRY(const double gb, as_number(v, 0, 1e6)); p.retention_bytes = static_cast<std::uint64_t>(gb * 1e9); return {}; }},
    {"retention.free_share", "0", "the oldest segments go above this share of the disk space that is free or the store's own; 0: no such cap", [](Profile& p, V v) -> Done { EL_TRY(p.retention_free_share, as_number(v, 0, 1)); return {}; }},
    {"ensemble.use", "false", "the champion and those before it speak together, weighted by how much less each one's loss was than the baseline's", [](Profile& p, V v) -> Done { EL_TRY(p.ensemble, as_bool(v)); return {}; }},
    {"ensemble.size", "5", "models of an ensemble, at most", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 1, 50)); p.ensemble_size = static_cast<int>(n); return {}; }},
    {"models.disk_gb", "0", "the oldest spare models are pruned above this; 0: no cap", [](Profile& p, V v) -> Done { EL_TRY(const double gb, as_number(v, 0, 1e6)); p.models_bytes = static_cast<std::uint64_t>(gb * 1e9); return {}; }},
    {"store.base_every", "none", "live: market and features are written whole so often, and in between what came in; none: with each commit", [](Profile& p, V v) -> Done { EL_TRY(p.base_every, as_duration(v)); return {}; }},
    {"store.segment_rows", "65536", "hot rows of a dataset that make a segment", [](Profile& p, V v) -> Done { EL_TRY(p.store.segment_rows, as_integer(v, 100, 10'000'000)); return {}; }},
    {"store.segment_age", "7d", "age of the oldest hot row that makes a segment", [](Profile& p, V v) -> Done { EL_TRY(p.store.segment_age, as_duration(v)); return {}; }},
    {"alert.min_severity", "info", "the least of what is sent: info, warning, critical", [](Profile& p, V v) -> Done { EL_TRY(const std::size_t i, as_choice(v, {"info", "warning", "critical"})); p.alert.least = static_cast<Severity>(i); return {}; }},
    {"alert.telegram.token", "", "of the bot that sends, as BotFather gives it: DIGITS:LETTERS", [](Profile& p, V v) -> Done { EL_TRY(p.alert.telegram.token, as_bot_token(v)); return {}; }, true},
    {"alert.telegram.chat", "", "where it sends: the number of a chat, or @name of a channel", [](Profile& p, V v) -> Done { EL_TRY(p.alert.telegram.chat, as_text(v)); return {}; }},
    {"alert.telegram.api", "https://api.telegram.org", "the Bot API; plain http:// only on this machine", [](Profile& p, V v) -> Done { EL_TRY(p.alert.telegram.api, as_api_address(v)); return {}; }},
    {"seed", "1", "of everything random", [](Profile& p, V v) -> Done { EL_TRY(const auto n, as_integer(v, 0, std::numeric_limits<std::int64_t>::max())); p.seed = static_cast<std::uint64_t>(n); return {}; }},
});

constexpr auto kTargetKeys = std::to_array<TargetKey>({
    {"acts", "false", "signals come from this target; exactly one of a profile",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.acts, as_bool(v));
       return {};
     }},
    {"label", "forward_return",
     "forward_return, realised_volatility, outcome_after_bars, direction_2, direction_3, triple_barrier, column (of a "
     "table: source.outcome_column)",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(const std::size_t i, as_choice(v, {"forward_return", "realised_volatility", "outcome_after_bars",
                                                 "direction_2", "direction_3", "triple_barrier", "column"}));
       p.label.kind = static_cast<LabelKind>(i);
       p.task = task_of(p.label);
       return {};
     }},
    {"classes", "0", "column: the outcome is a class 0..classes-1; 0: a value",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(const auto n, as_integer(v, 0, 32));
       p.label.column_classes = static_cast<std::int32_t>(n);
       p.task = task_of(p.label);
       return {};
     }},
    {"unit", "relative", "of a forward return: relative, points, log; of a volatility: relative, log",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(const std::size_t i, as_choice(v, {"relative", "points", "log"}));
       p.label.unit = static_cast<ReturnUnit>(i);
       return {};
     }},
    {"horizon", "1h", "a duration, \"5 sessions\" or \"10 bars\"",
     [](TargetProfile& p, V v) -> Done { return parse_horizon(v, p.label); }},
    {"tolerance", "0s",
     "the label price is the last one in (end - tolerance, end]; column: so long after the horizon the outcome may "
     "come",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.label.tolerance, as_duration(v));
       return {};
     }},
    {"flat", "0", "direction_3: a smaller relative return is flat",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.label.flat, as_number(v, 0, 1));
       return {};
     }},
    {"flat_volatility", "0",
     "direction_3: instead of flat, a return within so many trailing volatilities of the horizon is flat",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.label.flat_volatility, as_number(v, 0, 10));
       return {};
     }},
    {"profit", "0", "triple_barrier: upper barrier, relative",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.label.profit, as_number(v, 0, 10));
       return {};
     }},
    {"loss", "0", "triple_barrier: lower barrier, relative",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.label.loss, as_number(v, 0, 1));
       return {};
     }},
    {"require", "", "checks of the gate, such as \"r2>=0.03\"",
     [](TargetProfile& p, V v) -> Done { return parse_requirements(v, p.require); }},
    {"comparison", "better", "against the champion: better, superior, non_inferior",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(const std::size_t i, as_choice(v, {"better", "superior", "non_inferior"}));
       p.comparison = static_cast<Comparison>(i);
       return {};
     }},
    {"margin", "0.005", "by how much the lower bound may stay behind, as a share of the reference loss",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.margin, as_number(v, 0, 1));
       return {};
     }},
    {"blend_weight", "0.7", "of the model against the baseline",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.blend_weight, as_number(v, 0, 0.95));
       return {};
     }},
    {"calibration", "none", "none, linear (regression), temperature, isotonic (classes)",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(const std::size_t i, as_choice(v, {"none", "linear", "temperature", "isotonic"}));
       p.calibration = i == 0 ? "none" : i == 1 ? "linear" : i == 2 ? "temperature" : "isotonic";
       return {};
     }},
    {"conformal_alpha", "0", "classes: share of outcomes that prediction sets may miss; 0 = no sets",
     [](TargetProfile& p, V v) -> Done {
       EL_TRY(p.conformal_alpha, as_number(v, 0, 0.5));
       return {};
     }},
});

constexpr auto kLearnerKeys = std::to_array<LearnerKey>({
    {"library", "lightgbm", "lightgbm",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const std::size_t i, as_choice(v, {"lightgbm"}));
       (void)i;
       p.learner = "lightgbm";
       return {};
     }},
    {"boosting", "gbdt", "gbdt, rf (random forest)",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const std::size_t i, as_choice(v, {"gbdt", "rf"}));
       p.boosting = i == 0 ? "gbdt" : "rf";
       return {};
     }},
    {"trees", "100", "at most",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const auto n, as_integer(v, 1, 10000));
       p.trees = static_cast<int>(n);
       return {};
     }},
    {"depth", "5", "of a tree",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const auto n, as_integer(v, 1, 32));
       p.depth = static_cast<int>(n);
       return {};
     }},
    {"leaves", "31", "of a tree, at most",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const auto n, as_integer(v, 2, 4096));
       p.leaves = static_cast<int>(n);
       return {};
     }},
    {"learning_rate", "0.05", "shrinkage of each tree",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(p.learning_rate, as_number(v, 1e-4, 1));
       return {};
     }},
    {"l1", "0", "L1 regularisation of leaf values",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(p.l1, as_number(v, 0, 1e6));
       return {};
     }},
    {"l2", "0", "L2 regularisation of leaf values",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(p.l2, as_number(v, 0, 1e6));
       return {};
     }},
    {"row_fraction", "1", "of the rows, drawn for each tree",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(p.row_fraction, as_number(v, 0.01, 1));
       return {};
     }},
    {"feature_fraction", "1", "of the features, drawn for each tree",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(p.feature_fraction, as_number(v, 0.01, 1));
       return {};
     }},
    {"min_rows_in_leaf", "20", "rows a leaf must have",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const auto n, as_integer(v, 1, 1'000'000));
       p.min_rows_in_leaf = static_cast<int>(n);
       return {};
     }},
    {"early_stopping", "50", "rounds without improvement on the stop rows; 0: off",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const auto n, as_integer(v, 0, 10000));
       p.early_stopping = static_cast<int>(n);
       return {};
     }},
    {"max_bins", "255", "of a feature",
     [](LearnerParams& p, V v) -> Done {
       EL_TRY(const auto n, as_integer(v, 2, 65'535));
       p.max_bins = static_cast<int>(n);
       return {};
     }},
});

}  // namespace

std::span<const Key> profile_keys() { return kProfileKeys; }
std::span<const TargetKey> target_keys() { return kTargetKeys; }
std::span<const LearnerKey> learner_keys() { return kLearnerKeys; }

}  // namespace everlearn
