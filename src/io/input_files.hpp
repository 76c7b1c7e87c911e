#pragma once

#include <string>
#include <vector>

#include "core/fs.hpp"
#include "io/recording_options.hpp"

namespace everlearn {

struct InputFile {
  std::string path;
  std::string name;      // without the directory
  bool context = false;  // all its instruments are
};

/// The files of options.inputs in order, directories replaced by the recordings below them sorted by path (names ending
/// in .csv, .parquet, .jsonl, .ndjson, each maybe .gz; hidden names are left out), then the files named in
/// options.context that are not among them. Errors: NotFound, Storage.
Result<std::vector<InputFile>> input_files(Fs& fs, const RecordingOptions& options);

/// Of a file's bars that name none: options.symbol, or of "QQQ_1min.csv.gz" "QQQ" if the options say so; empty:
/// unknown.
std::string default_symbol(const RecordingOptions& options, const std::string& file_name);

}  // namespace everlearn
