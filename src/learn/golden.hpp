// 256 rows and what the library itself says about them: the proof, carried by every bundle, that our evaluator computes
// what was trained. golden.parquet: one float32 column a feature, raw.<k> double columns.
#pragma once

#include <string>
#include <vector>

#include "core/fs.hpp"

namespace everlearn {

constexpr std::size_t kGoldenRows = 256;

struct Golden {
  std::vector<std::string> columns;
  int outputs = 1;
  std::vector<float> rows;  // n x columns, row-major
  std::vector<double> raw;  // n x outputs, the library's raw scores
  std::size_t size() const { return columns.empty() ? 0 : rows.size() / columns.size(); }
};

/// Errors: Storage.
Result<void> write_golden(Fs& fs, const std::string& path, const Golden& golden);
/// Errors: Damaged, NotFound.
Result<Golden> read_golden(Fs& fs, const std::string& path);

}  // namespace everlearn
