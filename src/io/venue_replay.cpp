#include "io/venue_replay.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "io/lines.hpp"
#include "io/quarantine.hpp"
#include "io/received_line.hpp"
#include "io/table_reader.hpp"
#include "io/venue_interpreter.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kFirstLines = 10'000;  // decide on what a file is
constexpr std::int64_t kHopeless = 100;       // so many refused and none good: no recording

Result<bool> has_run_channel(Fs& fs, const std::string& path) {
  EL_TRY(auto bytes, open_bytes(fs, path));
  LineSplitter lines{std::move(bytes)};
  ReceivedReader reader;
  TextLine line;
  for (std::int64_t i = 0; i < kFirstLines; ++i) {
    EL_TRY(const bool any, lines.next(line));
    if (!any) break;
    if (line.refusal) continue;
    if (const auto received = reader.read(line.text); received && is_run_channel(received->channel)) return true;
  }
  return false;
}

class VenueReplay final : public Source {
 public:
  VenueReplay(World world, const RecordingOptions& options, std::vector<InputFile> files, Instruments& instruments,
              VenueInterpreter interpreter)
      : fs_{world.fs},
        options_{options},
        files_{std::move(files)},
        instruments_{instruments},
        interpreter_{std::move(interpreter)},
        quarantine_{std::in_place, fs_, options_.quarantine_dir, Quarantine::Mode::Replace} {}

  Result<std::optional<Event>> next() override {
    for (;;) {
      if (at_ < events_.size()) {
        ++given_;
        Event event = std::move(events_[at_++]);
        if (options_.from && event.known_at < *options_.from) continue;
        if (options_.to && event.known_at >= *options_.to) return std::optional<Event>{};
        return std::optional{std::move(event)};
      }
      events_.clear();
      at_ = 0;
      EL_TRY(const bool any, read_line());
      if (!any) return std::optional<Event>{};
    }
  }

  std::string position() const override { return fmt::format("{}", given_); }

  Result<void> seek(const std::string& position) override {
    std::uint64_t to = 0;
    const char* end = position.data() + position.size();
    const auto [read_to, error] = std::from_chars(position.data(), end, to);
    if (error != std::errc{} || read_to != end) {
      return fail(Code::Damaged, fmt::format("recording: position {} is no number", quoted(position)));
    }
    EL_TRY(interpreter_, VenueInterpreter::make(*options_.venue, instruments_));
    quarantine_.emplace(fs_, options_.quarantine_dir, Quarantine::Mode::Replace);
    events_.clear();
    lines_.reset();
    at_ = 0;
    given_ = 0;
    file_ = 0;
    good_ = 0;
    last_ = Timestamp::min();
    while (given_ < to) {
      events_.clear();
      EL_TRY(const bool any, read_line());
      if (!any) {
        return fail(Code::BadData, fmt::format("recording: it has {} events, the position to go on from is {}: is this "
                                               "the input of the earlier run?",
                                               given_, to));
      }
      at_ = static_cast<std::size_t>(std::min<std::uint64_t>(events_.size(), to - given_));
      given_ += at_;
    }
    return {};
  }

  const SourceReport& report() const override {
    report_ = interpreter_.report();
    for (const InputFile& file : files_) report_.inputs.push_back(file.name);
    report_.time_unit = "rfc3339";
    for (const auto& [reason, count] : quarantine_->counts()) report_.refused.try_emplace(reason, count);
    return report_;
  }

  std::optional<double> progress() const override {
    return static_cast<double>(file_) / static_cast<double>(files_.size());
  }

 private:
  /// False at the end.
  Result<bool> read_line() {
    TextLine line;
    for (;;) {
      if (!lines_) {
        if (file_ == files_.size()) {
          EL_CHECK(quarantine_->finish());
          return false;
        }
        EL_TRY(auto bytes, open_bytes(fs_, files_[file_].path));
        lines_.emplace(std::move(bytes));
      }
      EL_TRY(const bool any, lines_->next(line));
      if (any) break;
      if (lines_->cut_short()) EL_CHECK(refuse({0, {}, {}}, {"file cut short", "the gzip data end early"}));
      lines_.reset();
      ++file_;
    }
    if (line.refusal) {
      EL_CHECK(refuse(line, *line.refusal));
      return true;
    }
    const auto received = reader_.read(line.text);
    if (!received) {
      EL_CHECK(refuse(line, received.error()));
    } else if (received->at <= last_) {
      EL_CHECK(
          refuse(line, {"step back in time", fmt::format("received {} after {}", received->at.iso(), last_.iso())}));
    } else {
      last_ = received->at;
      if (const auto read = interpreter_.read(*received, events_); !read) {
        EL_CHECK(refuse(line, read.error()));
      } else {
        ++good_;
      }
    }
    return true;
  }

  Result<void> refuse(const TextLine& line, const Refusal& refusal) {
    const InputFile& file = files_[file_];
    if (options_.strict) {
      return fail(Code::BadData, fmt::format("{}:{}: {}", file.path, line.number, refusal.text()));
    }
    EL_CHECK(quarantine_->add(file.path, file.name, line.number, refusal, line.text));
    if (good_ == 0 && ++bad_ == kHopeless) {
      return fail(Code::BadData, fmt::format("{}: none of its first {} lines can be used ({}): is this a recording of "
                                             "a venue?",
                                             file.path, bad_, refusal.text()));
    }
    return {};
  }

  Fs& fs_;
  const RecordingOptions options_;
  const std::vector<InputFile> files_;
  Instruments& instruments_;
  VenueInterpreter interpreter_;
  ReceivedReader reader_;
  std::optional<Quarantine> quarantine_;

  std::optional<LineSplitter> lines_;  // of files_[file_]
  std::size_t file_ = 0;
  std::int64_t good_ = 0, bad_ = 0;
  Timestamp last_ = Timestamp::min();
  std::vector<Event> events_;  // of the last line
  std::size_t at_ = 0;         // of them, the next
  std::uint64_t given_ = 0;    // events, those before `from` included
  mutable SourceReport report_;
};

}  // namespace

Result<bool> is_venue_run(Fs& fs, const std::vector<InputFile>& files) {
  std::string run, other;
  for (const InputFile& file : files) {
    EL_TRY(const FileForm form, file_form(fs, file.path));
    if (form != FileForm::JsonLines) {
      other = file.path;
    } else if (run.empty()) {
      EL_TRY(const bool is_run, has_run_channel(fs, file.path));
      if (is_run) run = file.path;
    }
  }
  if (!run.empty() && !other.empty()) {
    return fail(Code::BadData,
                fmt::format("{} is a venue's run and {} is a table: replay them one at a time", run, other));
  }
  return !run.empty();
}

Result<std::unique_ptr<Source>> open_venue_replay(World world, const RecordingOptions& options,
                                                  std::vector<InputFile> files, Instruments& instruments) {
  EL_TRY(auto interpreter, VenueInterpreter::make(*options.venue, instruments));
  return std::make_unique<VenueReplay>(world, options, std::move(files), instruments, std::move(interpreter));
}

}  // namespace everlearn
