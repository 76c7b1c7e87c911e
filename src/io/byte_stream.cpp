#include "io/byte_stream.hpp"

#include <zlib.h>

#include <vector>

#include <fmt/format.h>

namespace everlearn {
namespace {

constexpr std::size_t kChunk = 256 << 10;

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(std::unique_ptr<ReadableFile> file) : file_{std::move(file)} {}

  Result<std::size_t> read(std::span<char> into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      EL_TRY(const std::size_t n, file_->read_at(offset_, into.subspan(filled)));
      if (n == 0) break;
      filled += n;
      offset_ += n;
    }
    return filled;
  }
  bool cut_short() const override { return false; }

 private:
  const std::unique_ptr<ReadableFile> file_;
  std::uint64_t offset_ = 0;
};

/// RFC 1952, also several members one after the other (bgzip, files joined with cat).
class GzipStream final : public ByteStream {
 public:
  GzipStream(std::string path, std::unique_ptr<ReadableFile> file)
      : path_{std::move(path)}, packed_{std::move(file)}, buffer_(kChunk) {
    ready_ = inflateInit2(&z_, 15 + 16) == Z_OK;  // 15: largest window; 16: gzip header
  }
  ~GzipStream() override {
    if (ready_) inflateEnd(&z_);
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  Result<std::size_t> read(std::span<char> into) override {
    if (!ready_) return fail(Code::Internal, fmt::format("{}: no memory to unpack it", path_));
    z_.next_out = reinterpret_cast<Bytef*>(into.data());
    z_.avail_out = static_cast<uInt>(into.size());
    while (z_.avail_out > 0 && !ended_) {
      if (z_.avail_in == 0) EL_CHECK(refill());
      if (z_.avail_in == 0) {
        ended_ = true;
        cut_short_ = inside_member_;
        break;
      }
      if (!inside_member_) {
        inflateReset(&z_);
        inside_member_ = true;
      }
      const int code = inflate(&z_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        inside_member_ = false;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return fail(Code::BadData, fmt::format("{}: damaged gzip data ({})", path_, z_.msg ? z_.msg : "no reason"));
      }
    }
    return into.size() - z_.avail_out;
  }
  bool cut_short() const override { return cut_short_; }

 private:
  Result<void> refill() {
    EL_TRY(const std::size_t n, packed_.read(buffer_));
    z_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    z_.avail_in = static_cast<uInt>(n);
    return {};
  }

  const std::string path_;
  PlainStream packed_;
  std::vector<char> buffer_;
  z_stream z_{};
  bool ready_ = false;
  bool inside_member_ = false;
  bool ended_ = false;
  bool cut_short_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> open_bytes(Fs& fs, const std::string& path) {
  EL_TRY(auto file, fs.open(path));
  char magic[2] = {};
  EL_TRY(const std::size_t n, file->read_at(0, magic));
  if (n == 2 && magic[0] == '\x1f' && magic[1] == '\x8b') return std::make_unique<GzipStream>(path, std::move(file));
  return std::make_unique<PlainStream>(std::move(file));
}

}  // namespace everlearn
