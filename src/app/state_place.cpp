#include "app/state_place.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "app/report/words.hpp"
#include "app/state_lease.hpp"
#include "core/json.hpp"
#include "core/lock.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "io/s3_store.hpp"
#include "store/fold_log.hpp"

namespace everlearn {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  const bool named = ::gethostname(host.data(), host.size() - 1) == 0;
  return fmt::format("{}, process {}", named ? host.data() : "a host without a name", ::getpid());
}

// "/a/b/c" of "../b/./c" in /a/d. Links are taken as they are called.
std::string absolute(const std::string& path) {
  std::array<char, 4096> here{};
  std::string text = path;
  if (!path.starts_with('/') && ::getcwd(here.data(), here.size()) != nullptr)
    text = std::string{here.data()} + "/" + path;
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t slash = std::min(text.find('/', from), text.size());
    const std::string_view part = std::string_view{text}.substr(from, slash - from);
    from = slash + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.push_back(part);
    else if (!parts.empty())
      parts.pop_back();
  }
  return fmt::format("/{}", fmt::join(parts, "/"));
}

// A state inside the directory it is the state of would be part of itself, and set aside as foreign by the next pull.
Result<void> check_apart(const StateRequest& request) {
  const std::string place = absolute(request.place), data = absolute(request.data_directory);
  if (place != data && !place.starts_with(data + "/")) return {};
  return fail(Code::Usage, fmt::format("--state {} lies in the data directory {}, which is what it keeps: take a place "
                                       "outside it",
                                       request.place, request.data_directory));
}

Result<std::unique_ptr<ObjectStore>> open_place(const StateRequest& request, Fs& fs, const Clock& clock,
                                                const std::string& owner) {
  if (request.place.starts_with("s3://")) {
    EL_TRY(S3Options options, s3_options(request.place, request.environment));
    return open_s3_store(std::move(options), clock);
  }
  if (request.place.find("://") != std::string::npos)
    return fail(Code::Usage, fmt::format("--state {}: wanted a directory or s3://bucket/prefix", request.place));
  EL_CHECK(check_apart(request));
  return open_directory_store(fs, request.place, owner);
}

// An answer about the input or a model leaves a directory that is as good as before; others do not.
bool may_travel(Code code) {
  switch (code) {
    case Code::Usage:
    case Code::Config:
    case Code::InUse:
    case Code::Damaged:
    case Code::Storage:
    case Code::Internal:
      return false;
    default:
      return true;
  }
}

}  // namespace

Result<void> run_in_state(const StateRequest& request,
                          const std::function<Result<void>(const std::function<Result<void>()>&)>& work,
                          StateRun* run) {
  StateRun unasked;
  StateRun& done = run ? *run : unasked;
  SystemFs fs;
  SystemClock clock;
  const std::string owner = unique_token(), who = this_process();
  EL_TRY(const auto store, open_place(request, fs, clock, owner));
  StateLease lease{*store, clock, {.owner = owner, .who = who, .length = request.lease}};
  EL_CHECK(lease.take());
  done.died = lease.died();
  StateSync sync{fs, clock, *store, who};

  const auto ran = [&]() -> Result<void> {
    {
      const Stopwatch stopwatch;
      EL_CHECK(fs.make_directories(request.data_directory));
      EL_TRY(const auto lock, DirectoryLock::take(request.data_directory));
      EL_TRY(done.pulled, sync.pull(request.data_directory, request.snapshot));
      done.pull_seconds = stopwatch.seconds();
    }
    const auto worked = work([&] { return lease.keep(); });
    if (!worked && !may_travel(worked.error().code)) return worked;
    const auto pushed = [&]() -> Result<void> {
      const Stopwatch stopwatch;
      EL_TRY(const auto lock, DirectoryLock::take(request.data_directory));
      EL_CHECK(lease.keep());
      EL_CHECK(fold_log(request.data_directory));
      EL_TRY(done.pushed, sync.push(request.data_directory));
      done.push_seconds = stopwatch.seconds();
      return {};
    }();
    return worked ? pushed : worked;
  }();
  const auto released = lease.release();
  return ran ? released : ran;
}

std::string StateRun::text(const std::string& place) const {
  std::string out = pulled.snapshot == 0 ? fmt::format("{} was empty", place)
                                         : fmt::format("snapshot {} of {} pulled ({}, {})", pulled.snapshot, place,
                                                       some(pulled.fetched, "file"), bytes_of(pulled.fetched_bytes));
  if (!pushed)
    out += "; nothing was pushed";
  else if (pushed->unchanged)
    out += "; nothing changed";
  else
    out += fmt::format("; {} pushed ({}, {})", pushed->snapshot, some(pushed->sent, "piece"),
                       bytes_of(pushed->sent_bytes));
  if (died) out += fmt::format("\nthe run before died and held the lease until it ran out: {}", *died);
  if (pulled.set_aside > 0)
    out += fmt::format("\n{} that no snapshot held moved to quarantine/before-pull", some(pulled.set_aside, "file"));
  if (pushed && (pushed->dropped > 0 || pushed->collected > 0))
    out += fmt::format("\nremoved {} and {} that nothing had referred to for a day",
                       some(pushed->dropped, "old snapshot"), some(pushed->collected, "object"));
  if (pushed && !pushed->uncollected.empty()) out += "\nnot all that is old could be removed: " + pushed->uncollected;
  return out;
}

std::string StateRun::to_json(const std::string& place) const {
  JsonOut out;
  out.put("place", place)
      .put("pulled", pulled.snapshot)
      .put("fetched_files", pulled.fetched)
      .put("fetched_bytes", pulled.fetched_bytes)
      .put("set_aside", pulled.set_aside)
      .put("pull_seconds", pull_seconds);
  if (pushed)
    out.put("pushed", pushed->snapshot)
        .put("unchanged", pushed->unchanged)
        .put("sent_pieces", pushed->sent)
        .put("sent_bytes", pushed->sent_bytes)
        .put("dropped_snapshots", pushed->dropped)
        .put("collected_objects", pushed->collected)
        .put("push_seconds", push_seconds);
  else
    out.put_null("pushed");
  return out.put("died", died).text();
}

}  // namespace everlearn
