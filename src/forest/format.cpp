// forest.bin, version 1: docs/formats/forest-v1.md.
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "forest/compiled.hpp"
#include "forest/forest.hpp"
#include "forest/tables.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kMagic = "ELFOREST";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 60;
constexpr std::size_t kHashBytes = 32;

// What each element takes behind the header.
constexpr std::uint64_t kBytesPerTree = 4;
constexpr std::uint64_t kBytesPerNode = 4 + 4 + 4 + 8 + 1 + 4;
constexpr std::uint64_t kBytesPerSet = 4;
constexpr std::uint64_t kBytesPerWord = 4;
constexpr std::uint64_t kBytesPerLeaf = 8;

struct Sizes {
  std::uint32_t outputs = 0, features = 0, name_bytes = 0, trees = 0, nodes = 0, leaves = 0, sets = 0, words = 0;

  std::uint64_t total() const {
    return kHeaderBytes + std::uint64_t{features} * 4 + name_bytes + kBytesPerTree * trees + kBytesPerNode * nodes +
           kBytesPerSet * sets + kBytesPerWord * words + kBytesPerLeaf * leaves + kHashBytes;
  }
};

std::string_view hash_view(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

void write(ByteWriter& to, std::int32_t value) { to.u32(static_cast<std::uint32_t>(value)); }
void write(ByteWriter& to, std::uint32_t value) { to.u32(value); }
void write(ByteWriter& to, std::uint8_t value) { to.u8(value); }
void write(ByteWriter& to, float value) { to.f32(value); }
void write(ByteWriter& to, double value) { to.f64(value); }

void read(ByteReader& from, std::int32_t& value) { value = static_cast<std::int32_t>(from.u32()); }
void read(ByteReader& from, std::uint32_t& value) { value = from.u32(); }
void read(ByteReader& from, std::uint8_t& value) { value = from.u8(); }
void read(ByteReader& from, float& value) { value = from.f32(); }
void read(ByteReader& from, double& value) { value = from.f64(); }

template <class T>
void write_all(ByteWriter& to, const std::vector<T>& values) {
  for (const T& value : values) write(to, value);
}

template <class T>
void read_all(ByteReader& from, std::vector<T>& values, std::uint32_t count) {
  values.resize(count);
  for (T& value : values) read(from, value);
}

}  // namespace

std::string Forest::encode() const {
  const ForestTables& t = compiled_->tables;
  ByteWriter to;
  for (const char c : kMagic) to.u8(static_cast<std::uint8_t>(c));
  to.u32(kVersion);
  to.u8(static_cast<std::uint8_t>(t.link));
  to.boolean(t.averaged);
  to.u8(0);
  to.u8(0);
  to.f64(t.sigmoid);
  std::size_t name_bytes = 0;
  for (const std::string& name : t.feature_names) name_bytes += name.size();
  to.u32(t.outputs);
  for (const std::size_t size : {t.feature_names.size(), name_bytes, t.leaves_of_tree.size(), t.left.size(),
                                 t.leaf.size(), t.set_end.size(), t.set_words.size()})
    to.u32(static_cast<std::uint32_t>(size));
  to.u32(0);

  for (const std::string& name : t.feature_names) to.text(name);
  write_all(to, t.leaves_of_tree);
  write_all(to, t.left);
  write_all(to, t.right);
  write_all(to, t.feature);
  write_all(to, t.threshold);
  write_all(to, t.flags);
  write_all(to, t.gain);
  write_all(to, t.set_end);
  write_all(to, t.set_words);
  write_all(to, t.leaf);

  std::string bytes = to.take();
  bytes += hash_view(sha256(bytes));
  return bytes;
}

Result<Forest> Forest::decode(std::string_view bytes) {
  // Nothing behind the magic is believed before the checksum holds.
  if (bytes.size() < kHeaderBytes + kHashBytes)
    return fail(Code::Damaged,
                fmt::format("forest: {} bytes, at least {} wanted", bytes.size(), kHeaderBytes + kHashBytes));
  if (bytes.substr(0, kMagic.size()) != kMagic) return fail(Code::Damaged, "forest: does not begin with ELFOREST");
  const std::string_view body = bytes.substr(0, bytes.size() - kHashBytes);
  if (bytes.substr(body.size()) != hash_view(sha256(body)))
    return fail(Code::Damaged, fmt::format("forest: checksum does not match its {} bytes", bytes.size()));

  ByteReader from{body.substr(kMagic.size())};
  if (const std::uint32_t version = from.u32(); version != kVersion)
    return fail(Code::Unsupported, fmt::format("forest: version {}, this program reads {}", version, kVersion));
  ForestTables t;
  t.link = static_cast<Link>(from.u8());
  const std::uint8_t averaged = from.u8();
  const bool reserved_zero = from.u8() == 0 && from.u8() == 0;
  t.sigmoid = from.f64();
  Sizes sizes;
  for (std::uint32_t* size : {&sizes.outputs, &sizes.features, &sizes.name_bytes, &sizes.trees, &sizes.nodes,
                              &sizes.leaves, &sizes.sets, &sizes.words})
    *size = from.u32();
  if (averaged > 1 || !reserved_zero || from.u32() != 0)
    return fail(Code::Model, "forest: a reserved byte of the header is not 0");
  if (sizes.total() != bytes.size())
    return fail(Code::Model, fmt::format("forest: {} bytes, its header wants {}", bytes.size(), sizes.total()));
  t.averaged = averaged == 1;
  t.outputs = sizes.outputs;

  // The sizes add up to the bytes that are there: no allocation below is larger than the file.
  std::uint64_t name_bytes = 0;
  t.feature_names.reserve(sizes.features);
  for (std::uint32_t i = 0; i < sizes.features && from.ok(); ++i) {
    t.feature_names.push_back(from.text());
    name_bytes += t.feature_names.back().size();
  }
  if (name_bytes != sizes.name_bytes)
    return fail(Code::Model,
                fmt::format("forest: {} bytes of names, its header wants {}", name_bytes, sizes.name_bytes));
  read_all(from, t.leaves_of_tree, sizes.trees);
  read_all(from, t.left, sizes.nodes);
  read_all(from, t.right, sizes.nodes);
  read_all(from, t.feature, sizes.nodes);
  read_all(from, t.threshold, sizes.nodes);
  read_all(from, t.flags, sizes.nodes);
  read_all(from, t.gain, sizes.nodes);
  read_all(from, t.set_end, sizes.sets);
  read_all(from, t.set_words, sizes.words);
  read_all(from, t.leaf, sizes.leaves);
  EL_CHECK(from.finish("forest"));
  auto forest = build(std::move(t));
  if (!forest) return fail(forest.error(), "forest");
  return forest;
}

}  // namespace everlearn
