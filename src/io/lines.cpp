#include "io/lines.hpp"

#include <fmt/format.h>

namespace everlearn {
namespace {

constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kLongestLine = 16 << 20;
constexpr std::size_t kShown = 200;

}  // namespace

Result<bool> LineSplitter::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kChunk);
  EL_TRY(const std::size_t n, bytes_->read(std::span{buffer_}.subspan(had)));
  buffer_.resize(had + n);
  return n > 0;
}

Result<void> LineSplitter::skip_rest() {
  for (;;) {
    const std::size_t end = buffer_.find('\n', begin_);
    begin_ = end == std::string::npos ? buffer_.size() : end + 1;
    if (end != std::string::npos) return {};
    EL_TRY(const bool more, fill());
    if (!more) return {};
  }
}

Result<bool> LineSplitter::next(TextLine& line) {
  line.refusal.reset();
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = buffer_.find('\n', begin_ + searched);
    if (end == std::string::npos) {
      searched = buffer_.size() - begin_;
      if (searched > kLongestLine) {
        line.number = ++number_;
        line.refusal = Refusal{"line too long", fmt::format("more than {} bytes", kLongestLine)};
        shown_ = buffer_.substr(begin_, kShown);
        line.text = shown_;
        EL_CHECK(skip_rest());
        return true;
      }
      EL_TRY(const bool more, fill());
      if (more) continue;
      if (begin_ == buffer_.size()) return false;
    }
    const std::size_t stop = end == std::string::npos ? buffer_.size() : end;
    std::string_view text = std::string_view{buffer_}.substr(begin_, stop - begin_);
    begin_ = end == std::string::npos ? stop : stop + 1;
    searched = 0;
    ++number_;
    if (number_ == 1 && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.find_first_not_of(" \t") == std::string_view::npos) continue;
    line.number = number_;
    line.text = text;
    return true;
  }
}

}  // namespace everlearn
