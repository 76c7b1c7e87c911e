// One Parquet file of the lake (docs/formats/lake-v1.md): rows of one dataset in sequence order, plain named columns
// for other tools, page checksums, and everything it takes to get the same rows back. Stateless; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/fs.hpp"
#include "store/record.hpp"
#include "store/store.hpp"

namespace everlearn {

/// What the numbers in rows are called. Names may be fewer than the numbers: then "#7" stands for instrument 7 and
/// "f.7" for column 7.
struct LakeNames {
  std::string profile;
  std::vector<std::string> instruments;  // by id
  std::vector<std::string> columns;      // name@hash, in the order of ExampleRow::features
  std::vector<std::string> targets;
};

struct WrittenFile {
  std::string sha256;
  std::uint64_t bytes = 0;
};

/// Writes, syncs and closes a new file. `rows` are numbered from `first_seq`; examples must all have the same number of
/// features, baselines and no-change values (BadData). Errors: Storage, as the file system reports it.
template <class Row>
Result<WrittenFile> write_lake_file(Fs& fs, const std::string& path, std::span<const Row> rows, std::int64_t first_seq,
                                    const LakeNames& names, int zstd_level);

/// The bytes of a file, if they have this SHA-256 (empty: not checked). Errors: Damaged, naming the file.
Result<std::string> load_lake_file(Fs& fs, const std::string& path, const std::string& sha256);

/// Rows of the range in sequence order, out of a whole file's `bytes`; the callback returns false to stop. Page
/// checksums are verified. Errors: Damaged, naming `name`; what the callback says.
template <class Row>
Result<void> read_lake_rows(const std::string& name, const std::string& bytes, TimeRange range,
                            const std::function<Result<bool>(std::int64_t seq, const Row& row)>& row);

}  // namespace everlearn
