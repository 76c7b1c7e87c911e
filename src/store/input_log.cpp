#include "store/input_log.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.hpp"

namespace everlearn {
namespace {

constexpr const char* kTables = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE base(part INTEGER PRIMARY KEY, parts INTEGER NOT NULL, bytes BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE input(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
COMMIT;
)sql";

constexpr std::size_t kPartBytes = 1 << 20;

}  // namespace

Result<void> InputLog::open(sqlite::Database& database, bool read_only) {
  EL_TRY(const std::int64_t tables,
         database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'input'"));
  if (tables == 0 && read_only) return {};
  if (tables == 0) EL_CHECK(database.run(kTables));
  there_ = true;
  return reload();
}

Result<void> InputLog::reload() {
  if (!there_) return {};
  EL_TRY(const std::int64_t rows, database_->integer("SELECT count(*) FROM input"));
  EL_TRY(last_, database_->integer("SELECT coalesce(max(id), 0) FROM input"));
  if (rows != last_) return fail(Code::Damaged, fmt::format("input: {} of the inputs 1 to {} are there", rows, last_));
  EL_TRY(const std::int64_t crc,
         database_->integer(last_ > 0 ? "SELECT crc FROM input ORDER BY id DESC LIMIT 1"
                                      : "SELECT coalesce((SELECT crc FROM base ORDER BY part DESC LIMIT 1), 0)"));
  link_ = static_cast<std::uint32_t>(crc);
  return {};
}

Result<void> InputLog::append(std::string_view bytes) {
  const std::uint32_t crc = crc32(bytes, link_);
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT INTO input VALUES(?,?,?)"));
  EL_CHECK(insert.run(last_ + 1, sqlite::Blob{bytes}, crc));
  ++last_;
  link_ = crc;
  return {};
}

Result<void> InputLog::keep_base(std::string_view bytes) {
  for (const char* sql : {"DELETE FROM input", "DELETE FROM base"}) {
    EL_TRY(sqlite::Statement remove, database_->prepare(sql));
    EL_CHECK(remove.run());
  }
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT INTO base VALUES(?,?,?,?)"));
  const std::size_t parts = std::max<std::size_t>(1, (bytes.size() + kPartBytes - 1) / kPartBytes);
  last_ = 0;
  link_ = 0;
  for (std::size_t part = 1; part <= parts; ++part) {
    const std::string_view piece = bytes.substr((part - 1) * kPartBytes, kPartBytes);
    link_ = crc32(piece, link_);
    EL_CHECK(insert.run(part, parts, sqlite::Blob{piece}, link_));
  }
  return {};
}

Result<std::optional<std::string>> InputLog::base() const {
  if (!there_) return std::nullopt;
  EL_TRY(sqlite::Statement select, database_->prepare("SELECT part, parts, bytes, crc FROM base ORDER BY part"));
  std::string bytes;
  std::int64_t part = 0, parts = 0;
  for (std::uint32_t link = 0;;) {
    EL_TRY(const bool found, select.step());
    if (!found) break;
    parts = select.integer(1);
    link = crc32(select.blob(2), link);
    if (select.integer(0) != ++part || link != static_cast<std::uint32_t>(select.integer(3)))
      return fail(Code::Damaged, fmt::format("base: part {} of {} contradicts its checksum", part, parts));
    bytes.append(select.blob(2));
  }
  if (part != parts) return fail(Code::Damaged, fmt::format("base: {} of {} parts are there", part, parts));
  return part == 0 ? std::nullopt : std::optional{std::move(bytes)};
}

Result<void> InputLog::scan(const std::function<Result<void>(std::string_view input)>& input) const {
  if (!there_) return {};
  EL_TRY(const std::int64_t before,
         database_->integer("SELECT coalesce((SELECT crc FROM base ORDER BY part DESC LIMIT 1), 0)"));
  auto link = static_cast<std::uint32_t>(before);
  EL_TRY(sqlite::Statement select, database_->prepare("SELECT id, bytes, crc FROM input WHERE id <= ? ORDER BY id"));
  EL_CHECK(select.bind(last_));
  for (std::int64_t id = 1; id <= last_; ++id) {
    EL_TRY(const bool found, select.step());
    if (!found || select.integer(0) != id) return fail(Code::Damaged, fmt::format("input: {} is missing", id));
    link = crc32(select.blob(1), link);
    if (link != static_cast<std::uint32_t>(select.integer(2)))
      return fail(Code::Damaged, fmt::format("input: {} contradicts its checksum", id));
    EL_CHECK(input(select.blob(1)));
  }
  return {};
}

}  // namespace everlearn
