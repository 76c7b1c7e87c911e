#include "registry/tune.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "learn/golden.hpp"
#include "registry/golden_check.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kMagic = "ELTUNING";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMadeAtOffset = 12;  // behind magic and version, so that pruning reads little
constexpr std::size_t kHeadBytes = kMadeAtOffset + 8;
constexpr std::uint64_t kLargestFile = 256ull << 20;
constexpr std::string_view kEnding = ".tune";

std::string tunes_directory(const std::string& models, const std::string& base) {
  return models + "/" + base + "/tunes";
}
std::string file_of(const std::string& models, const std::string& base, const std::string& id) {
  return tunes_directory(models, base) + "/" + id + std::string{kEnding};
}

std::string with_hash(std::string bytes) {
  const Sha256 digest = sha256(bytes);
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return bytes;
}

Result<std::string_view> without_hash(std::string_view bytes, std::string_view what) {
  if (bytes.size() < kHashBytes) return fail(Code::Damaged, fmt::format("{}: only {} bytes", what, bytes.size()));
  const std::string_view body = bytes.substr(0, bytes.size() - kHashBytes);
  const Sha256 digest = sha256(body);
  if (bytes.substr(body.size()) != std::string_view{reinterpret_cast<const char*>(digest.data()), digest.size()})
    return fail(Code::Damaged, fmt::format("{}: checksum does not match its {} bytes", what, bytes.size()));
  return body;
}

// Leaves that move stand close together: most distances take one byte of seven bits.
void put_distance(ByteWriter& out, std::uint32_t distance) {
  for (; distance >= 0x80; distance >>= 7) out.u8(static_cast<std::uint8_t>(distance | 0x80));
  out.u8(static_cast<std::uint8_t>(distance));
}

std::uint64_t take_distance(ByteReader& in) {
  std::uint64_t distance = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const std::uint8_t byte = in.u8();
    distance |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) break;
  }
  return distance;
}

void put_steps(ByteWriter& out, const std::vector<LeafStep>& steps) {
  out.u32(static_cast<std::uint32_t>(steps.size()));
  std::uint32_t next = 0;  // the leaf after the one before
  for (const LeafStep& step : steps) {
    put_distance(out, step.leaf - next);
    out.f32(step.step);
    next = step.leaf + 1;
  }
}

Result<std::vector<LeafStep>> take_steps(ByteReader& in, std::size_t bytes) {
  constexpr std::size_t kFewestBytes = 5;  // of a step
  const std::uint32_t count = in.u32();
  if (count > bytes / kFewestBytes) return fail(Code::Model, fmt::format("tune: {} leaves in {} bytes", count, bytes));
  std::vector<LeafStep> steps(count);
  std::uint64_t next = 0;
  for (LeafStep& step : steps) {
    next += take_distance(in);
    if (next > 0xffffffffU) return fail(Code::Model, fmt::format("tune: a leaf of number {}", next));
    step = {static_cast<std::uint32_t>(next++), in.f32()};
  }
  return steps;
}

Result<Tune> decode_tune(std::string_view bytes, const std::string& path) {
  EL_TRY(const std::string_view body, without_hash(bytes, path));
  if (body.substr(0, kMagic.size()) != kMagic)
    return fail(Code::Damaged, fmt::format("{}: does not begin with {}", path, kMagic));
  ByteReader in{body.substr(kMagic.size())};
  if (const std::uint32_t version = in.u32(); version != kVersion)
    return fail(Code::Unsupported, fmt::format("{}: version {}, this program reads {}", path, version, kVersion));
  const Timestamp made_at = in.time();
  const std::string card_text = in.text();
  const std::string difference_bytes = in.text();
  EL_CHECK(in.finish(path));
  EL_TRY(TuneCard card, TuneCard::from_json(card_text));
  EL_TRY(TuneDifference difference, decode_difference(difference_bytes));
  const std::string id = tune_id(card.base, difference_bytes, card.canonical_job);
  if (card.id != id)
    return fail(Code::Model, fmt::format("{}: the content gives id {}, the card says {}", path, id, card.id));
  if (card.made_at != made_at || card.changed != changes_of(difference))
    return fail(Code::Model, fmt::format("{}: card and content disagree", path));
  return Tune{std::move(card), std::move(difference)};
}

std::string encode_tune(const Tune& tune, const std::string& difference) {
  ByteWriter out;
  for (const char c : kMagic) out.u8(static_cast<std::uint8_t>(c));
  out.u32(kVersion);
  out.time(tune.card.made_at);
  out.text(tune.card.to_json());
  out.text(difference);
  return with_hash(out.take());
}

Result<Timestamp> read_made_at(Fs& fs, const std::string& path) {
  EL_TRY(const auto file, fs.open(path));
  std::string head(kHeadBytes, '\0');
  EL_TRY(const std::size_t got, file->read_at(0, head));
  if (got < kHeadBytes) return Timestamp::min();
  ByteReader in{std::string_view{head}.substr(kMadeAtOffset)};
  return in.time();
}

// What a crash left of a write. Nobody writes while we prune: both happen on the decision thread.
Result<void> sweep(Fs& fs, const std::string& directory) {
  if (!fs.exists(directory)) return {};
  EL_TRY(const auto entries, fs.list(directory));
  for (const DirectoryEntry& entry : entries)
    if (!entry.is_directory && !entry.name.ends_with(kEnding)) EL_CHECK(fs.remove(directory + "/" + entry.name));
  return {};
}

}  // namespace

std::string encode_difference(const TuneDifference& difference) {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(difference.index()));
  if (const auto* trees = std::get_if<Forest>(&difference)) out.text(trees->encode());
  if (const auto* steps = std::get_if<std::vector<LeafStep>>(&difference)) put_steps(out, *steps);
  if (const auto* calibrator = std::get_if<Calibrator>(&difference)) out.text(calibrator->to_json());
  return with_hash(out.take());
}

Result<TuneDifference> decode_difference(std::string_view bytes) {
  EL_TRY(const std::string_view body, without_hash(bytes, "tune"));
  ByteReader in{body};
  TuneDifference difference;
  switch (const std::uint8_t kind = in.u8(); kind) {
    case 0:
      break;
    case 1: {
      EL_TRY(difference, Forest::decode(in.text()));
      break;
    }
    case 2: {
      EL_TRY(difference, take_steps(in, body.size()));
      break;
    }
    case 3: {
      EL_TRY(difference, Calibrator::from_json(in.text()));
      break;
    }
    default:
      return fail(Code::Model, fmt::format("tune: difference of kind {}", kind));
  }
  EL_CHECK(in.finish("tune"));
  return difference;
}

std::int64_t changes_of(const TuneDifference& difference) {
  if (const auto* trees = std::get_if<Forest>(&difference)) return trees->trees();
  if (const auto* steps = std::get_if<std::vector<LeafStep>>(&difference))
    return static_cast<std::int64_t>(steps->size());
  return std::holds_alternative<Calibrator>(difference) ? 1 : 0;
}

std::string tune_id(std::string_view base, std::string_view difference, std::string_view canonical_job) {
  ByteWriter out;
  out.text("everlearn tune v1");
  out.text(base);
  out.text(difference);
  out.text(canonical_job);
  return sha256_hex(out.bytes());
}

Result<Tune> admit_tune(Fs& fs, const std::string& models, const std::string& job_directory, TuneCard card) {
  EL_TRY(const std::string bytes, read_file(fs, job_directory + "/tune.bin", kLargestFile));
  EL_TRY(TuneDifference difference, decode_difference(bytes));
  if (const auto* trees = std::get_if<Forest>(&difference)) {
    EL_TRY(const Golden golden, read_golden(fs, job_directory + "/golden.parquet"));
    EL_CHECK(check_golden(*trees, golden, job_directory));
  }
  if (!fs.exists(models + "/" + card.base + "/forest.bin"))
    return fail(Code::NotFound, fmt::format("no base {} to tune: only what is whole is tuned", card.base));
  card.changed = changes_of(difference);
  card.id = tune_id(card.base, bytes, card.canonical_job);
  Tune tune{std::move(card), std::move(difference)};
  const std::string path = file_of(models, tune.card.base, tune.card.id);
  if (fs.exists(path)) return load_tune(fs, models, tune.card.base, tune.card.id);  // an interrupted run made it
  EL_CHECK(fs.make_directories(tunes_directory(models, tune.card.base)));
  EL_CHECK(replace_file(fs, path, encode_tune(tune, bytes)));
  return tune;
}

Result<Tune> load_tune(Fs& fs, const std::string& models, const std::string& base, const std::string& id) {
  const std::string path = file_of(models, base, id);
  EL_TRY(const std::string bytes, read_file(fs, path, kLargestFile));
  EL_TRY(Tune tune, decode_tune(bytes, path));
  if (tune.card.id != id || tune.card.base != base)
    return fail(Code::Model, fmt::format("{}: the file is of tune {} of base {}", path, tune.card.id, tune.card.base));
  return tune;
}

Result<std::vector<TuneFile>> list_tunes(Fs& fs, const std::string& models, const std::string& base) {
  std::vector<TuneFile> tunes;
  const std::string directory = tunes_directory(models, base);
  if (!fs.exists(directory)) return tunes;
  EL_TRY(const auto entries, fs.list(directory));
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_directory || !entry.name.ends_with(kEnding)) continue;
    TuneFile file{base, entry.name.substr(0, entry.name.size() - kEnding.size()), {}, entry.size};
    EL_TRY(file.made_at, read_made_at(fs, directory + "/" + entry.name));
    tunes.push_back(std::move(file));
  }
  std::stable_sort(tunes.begin(), tunes.end(),
                   [](const TuneFile& a, const TuneFile& b) { return a.made_at < b.made_at; });
  return tunes;
}

Result<std::int64_t> prune_tunes(Fs& fs, const std::string& models, Timestamp keep_from, std::int64_t keep_most,
                                 const std::set<std::string>& in_use) {
  std::vector<TuneFile> tunes;
  if (!fs.exists(models)) return 0;
  EL_TRY(const auto bases, fs.list(models));
  for (const DirectoryEntry& base : bases) {
    if (!base.is_directory) continue;
    EL_CHECK(sweep(fs, tunes_directory(models, base.name)));
    EL_TRY(const auto of_base, list_tunes(fs, models, base.name));
    tunes.insert(tunes.end(), of_base.begin(), of_base.end());
  }
  std::stable_sort(tunes.begin(), tunes.end(),
                   [](const TuneFile& a, const TuneFile& b) { return a.made_at < b.made_at; });
  std::int64_t gone = 0;
  auto left = static_cast<std::int64_t>(tunes.size());
  for (const TuneFile& tune : tunes) {
    if (in_use.contains(tune.id) || (tune.made_at >= keep_from && left <= keep_most)) continue;
    EL_CHECK(fs.remove(file_of(models, tune.base, tune.id)));
    --left;
    ++gone;
  }
  return gone;
}

}  // namespace everlearn
