#include "io/venue_source.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "core/assert.hpp"
#include "core/bytes.hpp"
#include "io/quarantine.hpp"
#include "io/received_line.hpp"
#include "io/venue_interpreter.hpp"

namespace everlearn {
namespace {

constexpr std::uint32_t kPositionVersion = 1;
constexpr std::int64_t kMostSetAside = 10'000;  // kept in a run; more are only counted
constexpr std::size_t kFullBatch = 1u << 20;    // bytes of lines that are written at once

// Appends what comes to a file, until the disk refuses: then the run goes on and the recording does not.
class Recorder {
 public:
  Recorder(Fs& fs, std::string path) : fs_{fs}, path_{std::move(path)} {}

  Result<void> open() {
    EL_TRY(const bool torn, ends_torn());
    EL_TRY(file_, fs_.open_append(path_));
    if (torn) batch_.push_back('\n');  // the line that a crash cut short stays one line
    return {};
  }

  void add(const Received& received) {
    if (!file_) return;
    batch_ += recorded_line(received);
    ++lines_;
    if (batch_.size() >= kFullBatch) flush();
  }

  void flush() {
    if (!file_ || batch_.empty()) return;
    if (const auto written = file_->append(batch_); !written) {
      problem_ = written.error().message;
      file_.reset();
    }
    batch_.clear();
  }

  std::string health() const {
    if (!problem_.empty()) return fmt::format("recording to {} ended: {}", path_, problem_);
    return fmt::format("recording to {}: {} lines", path_, lines_);
  }

 private:
  Result<bool> ends_torn() {
    if (!fs_.exists(path_)) return false;
    EL_TRY(const auto file, fs_.open(path_));
    char last = '\n';
    if (file->size() > 0) EL_CHECK(file->read_at(file->size() - 1, {&last, 1}));
    return last != '\n';
  }

  Fs& fs_;
  const std::string path_;
  std::unique_ptr<WritableFile> file_;
  std::string batch_;
  std::int64_t lines_ = 0;
  std::string problem_;
};

class VenueSource final : public Source {
 public:
  VenueSource(World world, const VenueSourceOptions& options, Instruments& instruments, VenueInterpreter interpreter)
      : world_{world},
        options_{options},
        instruments_{instruments},
        interpreter_{std::move(interpreter)},
        quarantine_{world.fs, options.feed.venue.quarantine_dir, Quarantine::Mode::Append} {}

  Result<void> open() {
    if (options_.record.empty()) return {};
    recorder_.emplace(world_.fs, options_.record);
    return recorder_->open();
  }

  Result<std::optional<Event>> next() override {
    if (!feed_) {
      EL_TRY(feed_, VenueFeed::start(options_.feed, world_.clock));
      feed_->follow(interpreter_.following());
      followed_ = interpreter_.following().version;
    }
    for (;;) {
      if (given_ < events_.size()) return std::optional{std::move(events_[given_++])};
      events_.clear();
      given_ = 0;
      const auto received = feed_->take();
      if (!received) {
        if (recorder_) recorder_->flush();
        return std::optional<Event>{};
      }
      EL_CHECK(read(*received));
    }
  }

  Timestamp told_until(Timestamp now) const override { return feed_ ? feed_->told_until(now) : now; }

  std::string position() const override {
    ByteWriter out;
    out.u32(kPositionVersion);
    interpreter_.encode(out);
    return out.take();
  }

  Result<void> seek(const std::string& position) override {
    EL_ASSERT(!feed_, "a venue is sought before it is read");
    ByteReader in{position};
    if (const std::uint32_t version = in.u32(); version != kPositionVersion)
      return fail(Code::Damaged,
                  fmt::format("the input's position has version {}, {} is known", version, kPositionVersion));
    EL_CHECK(interpreter_.decode(in));
    return in.finish("the input's position");
  }

  const SourceReport& report() const override {
    report_ = interpreter_.report();
    report_.inputs = {options_.feed.venue.socket, options_.feed.venue.clob, options_.feed.venue.gamma};
    report_.health.clear();
    report_.trouble.clear();
    if (feed_) {
      const FeedHealth health = feed_->health();
      report_.health = health.lines();
      if (health.blind) report_.trouble = health.rest_error;
    }
    if (recorder_) report_.health.push_back(recorder_->health());
    return report_;
  }

  bool remembers() const override { return false; }
  bool given_whole() const override { return given_ >= events_.size(); }

  void ask_past(const std::vector<Hole>& holes) override {
    std::vector<TokenHole> wanted;
    for (const Hole& hole : holes) wanted.push_back({instruments_[hole.instrument].name, hole.from, hole.to});
    if (feed_) feed_->ask_history(std::move(wanted));
  }

  std::optional<double> progress() const override { return std::nullopt; }

 private:
  Result<void> read(const Received& received) {
    if (recorder_) recorder_->add(received);
    const auto understood = interpreter_.read(received, events_);
    if (!understood && set_aside_ < kMostSetAside) {
      ++set_aside_;
      const std::string name = "venue " + received.channel;
      EL_CHECK(quarantine_.add(name, name, interpreter_.report().rows, understood.error(), received.raw));
    }
    if (interpreter_.following().version != followed_) {
      followed_ = interpreter_.following().version;
      feed_->follow(interpreter_.following());
    }
    if (auto doubted = interpreter_.take_resyncs(); !doubted.empty()) feed_->resync(std::move(doubted));
    return {};
  }

  const World world_;
  const VenueSourceOptions options_;
  Instruments& instruments_;
  VenueInterpreter interpreter_;
  Quarantine quarantine_;
  std::optional<Recorder> recorder_;
  std::vector<Event> events_;
  std::size_t given_ = 0;
  std::uint64_t followed_ = 0;
  std::int64_t set_aside_ = 0;
  mutable SourceReport report_;  // put together when it is asked for
  std::unique_ptr<VenueFeed> feed_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_venue(World world, const VenueSourceOptions& options, Instruments& instruments) {
  EL_TRY(VenueInterpreter interpreter, VenueInterpreter::make(options.feed.venue.rules, instruments));
  auto source = std::make_unique<VenueSource>(world, options, instruments, std::move(interpreter));
  EL_CHECK(source->open());
  return std::unique_ptr<Source>{std::move(source)};
}

}  // namespace everlearn
