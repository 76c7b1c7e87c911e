#include "train/golden_proof.hpp"

#include <utility>

#include "train/lightgbm_booster.hpp"

namespace everlearn {

Result<Golden> prove_conversion(const Forest& forest, const std::string& model_text,
                                const std::vector<std::string>& columns, std::vector<float> rows) {
  Golden golden{columns, forest.outputs(), std::move(rows), {}};
  EL_TRY(golden.raw, library_raw(model_text, golden.rows, columns.size(), golden.outputs));
  if (forest.averaged()) {  // the library's raw score is the sum of a random forest's trees, ours their mean
    const double trees = static_cast<double>(forest.trees() / forest.outputs());
    for (double& score : golden.raw) score /= trees;
  }
  std::vector<double> ours(golden.raw.size());
  forest.raw_batch(golden.rows, ours);
  if (ours != golden.raw) return fail(Code::Model, "the converted forest does not give LightGBM's scores bit for bit");
  return golden;
}

}  // namespace everlearn
