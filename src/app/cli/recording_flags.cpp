#include "app/cli/recording_flags.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/cli/command.hpp"

namespace everlearn::cli {
void RecordingFlags::add_to(CLI::App& verb, bool inputs_required) {
  auto* input =
      verb.add_option("--input", inputs, "recordings: CSV, Parquet or JSON lines, plain or gzip; or directories");
  if (inputs_required) input->required();
  verb.add_option("--columns", columns, "names in the files: token=market_slug,timestamp=time");
  verb.add_option("--time-zone", time_zone, "IANA zone of times written without one");
  verb.add_option("--time-unit", time_unit, "of epochs: s, ms, us, ns");
  verb.add_option("--bar-stamp", bar_stamp, "a bar's time is its start or its end")
      ->check(CLI::IsMember({"start", "end"}));
  verb.add_option("--bar-length", bar_length, "such as 1m; found out from the file if not given");
  verb.add_option("--from", from, "first time, RFC 3339 or a date (UTC)");
  verb.add_option("--to", to, "end, not included");
  verb.add_option("--symbol", symbol, "bars without a symbol column: the name of all of them");
  verb.add_flag("--symbol-from-file", symbol_from_file, "bars without a symbol column: the file's name up to _ or .");
  verb.add_flag("--strict", strict, "stop at the first row that cannot be used");
}

Result<RecordingOptions> RecordingFlags::options() const {
  RecordingOptions options;
  options.inputs = inputs;
  options.strict = strict;
  options.symbol_from_file = symbol_from_file;
  options.symbol = symbol;
  options.bar_stamp_start = bar_stamp == "start";
  if (!time_zone.empty()) options.time_zone = time_zone;
  if (!time_unit.empty()) options.time_unit = time_unit;
  if (!bar_length.empty()) {
    const auto length = Duration::parse(bar_length);
    if (!length) return fail(Code::Usage, fmt::format("--bar-length: {}", length.error().message));
    options.bar_length = *length;
  }
  EL_TRY(options.from, parse_moment("--from", from));
  EL_TRY(options.to, parse_moment("--to", to));
  std::string_view rest = columns;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos)
      return fail(Code::Usage, fmt::format("--columns {}: wanted ours=theirs", pair));
    options.columns.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return options;
}

}  // namespace everlearn::cli
