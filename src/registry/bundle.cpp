#include "registry/bundle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "learn/golden.hpp"
#include "registry/golden_check.hpp"

namespace everlearn {
namespace {

constexpr std::uint64_t kLargestFile = 1ull << 30;

std::string place(const std::string& models, const std::string& id) { return models + "/" + id; }

// The range a column was trained in, from the golden rows; a column without a known value has an empty range (low >
// high).
void ranges_from(const Golden& golden, Card& card) {
  const std::size_t width = golden.columns.size();
  card.range_low.assign(width, std::numeric_limits<float>::max());
  card.range_high.assign(width, std::numeric_limits<float>::lowest());
  for (std::size_t i = 0; i < golden.rows.size(); ++i) {
    const float value = golden.rows[i];
    if (!std::isfinite(value)) continue;
    card.range_low[i % width] = std::min(card.range_low[i % width], value);
    card.range_high[i % width] = std::max(card.range_high[i % width], value);
  }
}

Result<Bundle> read_parts(Fs& fs, const std::string& directory, Card card) {
  EL_TRY(const std::string forest_bytes, read_file(fs, directory + "/forest.bin", kLargestFile));
  EL_TRY(Forest forest, Forest::decode(forest_bytes));
  EL_TRY(const std::string calibrator_text, read_file(fs, directory + "/calibrator.json", 1 << 20));
  EL_TRY(Calibrator calibrator, Calibrator::from_json(calibrator_text));
  std::optional<ConformalSets> sets;
  if (fs.exists(directory + "/conformal.json")) {
    EL_TRY(const std::string text, read_file(fs, directory + "/conformal.json", 1 << 20));
    EL_TRY(sets, ConformalSets::from_json(text));
  }
  EL_TRY(const Golden golden, read_golden(fs, directory + "/golden.parquet"));
  EL_CHECK(check_golden(forest, golden, directory));
  if (golden.columns != card.columns)
    return fail(Code::Model, fmt::format("{}: the golden rows have other columns than the card", directory));
  if (card.range_low.empty()) ranges_from(golden, card);
  const std::string id = bundle_id(forest, calibrator, card.schema_hash, card.canonical_job, sets);
  if (card.id.empty()) card.id = id;
  if (card.id != id)
    return fail(Code::Model, fmt::format("{}: the content gives id {}, the card says {}", directory, id, card.id));
  return Bundle{std::move(card), std::move(forest), std::move(calibrator), sets};
}

Result<void> copy_file(Fs& fs, const std::string& from, const std::string& to) {
  EL_TRY(const std::string bytes, read_file(fs, from, kLargestFile));
  return replace_file(fs, to, bytes);
}

}  // namespace

std::string bundle_id(const Forest& forest, const Calibrator& calibrator, std::string_view schema_hash,
                      std::string_view canonical_job, const std::optional<ConformalSets>& sets) {
  ByteWriter out;
  out.text("everlearn bundle v1");
  out.text(forest.encode());
  out.text(calibrator.to_json());
  out.text(schema_hash);
  out.text(canonical_job);
  if (sets) out.text(sets->to_json());
  return sha256_hex(out.bytes());
}

Result<Bundle> admit(Fs& fs, const std::string& models, const std::string& job_directory, Card card) {
  EL_TRY(Bundle bundle, read_parts(fs, job_directory, std::move(card)));
  const std::string directory = place(models, bundle.card.id);
  if (fs.exists(directory + "/card.json")) {
    EL_CHECK(load_bundle(fs, models, bundle.card.id));  // an interrupted run made it: the same content, verified
    return bundle;
  }
  const std::string making = models + "/.making-" + bundle.card.id;
  EL_CHECK(fs.remove_tree(making));
  EL_CHECK(fs.remove_tree(directory));  // without a card it was never admitted
  EL_CHECK(fs.make_directories(making + "/trainer"));
  for (const std::string name : {"forest.bin", "calibrator.json", "golden.parquet"})
    EL_CHECK(copy_file(fs, job_directory + "/" + name, making + "/" + name));
  if (bundle.sets) EL_CHECK(copy_file(fs, job_directory + "/conformal.json", making + "/conformal.json"));
  EL_CHECK(copy_file(fs, job_directory + "/model.txt", making + "/trainer/model.txt"));
  EL_CHECK(replace_file(fs, making + "/card.json", bundle.card.to_json()));
  EL_CHECK(fs.rename(making, directory));
  EL_CHECK(fs.sync_directory(models));
  return bundle;
}

Result<void> write_card(Fs& fs, const std::string& models, const Card& card) {
  return replace_file(fs, place(models, card.id) + "/card.json", card.to_json());
}

Result<void> strip_bundle(Fs& fs, const std::string& models, const std::string& id) {
  const std::string directory = place(models, id);
  if (!fs.exists(directory)) return {};
  EL_TRY(const auto entries, fs.list(directory));
  for (const DirectoryEntry& entry : entries)
    if (entry.name != "card.json") {
      const std::string path = directory + "/" + entry.name;
      EL_CHECK(entry.is_directory ? fs.remove_tree(path) : fs.remove(path));
    }
  return fs.sync_directory(directory);
}

Result<std::uint64_t> bundle_bytes(Fs& fs, const std::string& models, const std::string& id) {
  std::uint64_t bytes = 0;
  for (const std::string& directory :
       {place(models, id), place(models, id) + "/trainer", place(models, id) + "/tunes"}) {
    if (!fs.exists(directory)) continue;  // a bundle without tunes
    EL_TRY(const auto entries, fs.list(directory));
    for (const DirectoryEntry& entry : entries) bytes += entry.size;
  }
  return bytes;
}

Result<Bundle> load_bundle(Fs& fs, const std::string& models, const std::string& id) {
  const std::string directory = place(models, id);
  EL_TRY(const std::string text, read_file(fs, directory + "/card.json", 64 << 20));
  EL_TRY(Card card, Card::from_json(text));
  if (card.id != id) return fail(Code::Model, fmt::format("{}: the card is of model {}", directory, card.id));
  return read_parts(fs, directory, std::move(card));
}

}  // namespace everlearn
