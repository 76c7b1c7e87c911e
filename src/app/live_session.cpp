#include "app/live_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "app/dot_env.hpp"
#include "app/file_time.hpp"
#include "app/live_source.hpp"
#include "app/report/words.hpp"
#include "app/row_schema.hpp"
#include "app/teller.hpp"
#include "core/json.hpp"
#include "io/webhook.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kEnabled = "train.enabled";
constexpr const char* kSettingsFile = ".env";            // of the working directory, as the command line reads it
constexpr Duration kLastAlerts = Duration::seconds(10);  // at the end
constexpr Duration kLastIntents = Duration::seconds(5);

// What may not change under a checkpoint that was made with it.
constexpr std::array<std::string_view, 4> kFixedPrefixes{"cycle.every", "examples.every", "source.calendar",
                                                         "source.probability"};
constexpr std::array<std::string_view, 10> kFixedOfTarget{
    ".acts", ".label", ".classes", ".unit", ".horizon", ".flat", ".flat_volatility", ".profit", ".loss", ".tolerance"};

bool is_fixed(const std::string& key) {
  if (std::find(kFixedPrefixes.begin(), kFixedPrefixes.end(), key) != kFixedPrefixes.end()) return true;
  return key.starts_with("target.") && std::any_of(kFixedOfTarget.begin(), kFixedOfTarget.end(),
                                                   [&](std::string_view end) { return key.ends_with(end); });
}

/// Says in the journal what a person changed since the last start, and refuses what the state cannot follow.
Result<void> compare_settings(DataDirectory& directory, Timestamp at) {
  Store& store = directory.store();
  EL_TRY(const auto before, store.state("settings in effect"));
  std::map<std::string, std::string> now;
  for (const Setting& setting : directory.config().settings) now.emplace(setting.key, setting.value);
  if (before) {
    EL_TRY(JsonIn in, JsonIn::parse(*before));
    std::map<std::string, std::string> old;
    in.get("settings", old);
    EL_CHECK(in.finish("settings in effect"));
    for (const auto& [key, value] : now) {
      const auto found = old.find(key);
      if (found == old.end() || found->second == value) continue;
      if (is_fixed(key))
        return fail(Code::Config, fmt::format("{} was {}, is {}: what {} has collected was made with the first; take "
                                              "another --data for the second",
                                              key, found->second, value, directory.path()));
      EL_CHECK(store.note(at, "setting changed", fmt::format("{}: {} -> {}", key, found->second, value)));
    }
  }
  return store.put_state("settings in effect", JsonOut{}.put("settings", now).text());
}

}  // namespace

LiveSession::LiveSession(LiveRequest request, std::unique_ptr<DataDirectory> directory)
    : request_{std::move(request)},
      directory_{std::move(directory)},
      scaled_clock_{request_.clock_anchor ? std::optional<ScaledClock>{std::in_place, system_clock_,
                                                                       *request_.clock_anchor, request_.clock_speed}
                                          : std::nullopt},
      rng_{Rng::named(directory_->profile().seed, "engine")},
      world_{request_.clock  ? *request_.clock
             : scaled_clock_ ? static_cast<Clock&>(*scaled_clock_)
                             : system_clock_,
             rng_, directory_->fs(), directory_->world().proc} {}

LiveSession::~LiveSession() = default;

Result<std::unique_ptr<LiveSession>> LiveSession::open(LiveRequest request) {
  EL_TRY(auto directory, DataDirectory::open(request.data_directory, request.config, DataDirectory::Access::Create));
  std::unique_ptr<LiveSession> session{new LiveSession{std::move(request), std::move(directory)}};
  EL_CHECK(session->prepare_directory());
  const std::string logs = session->directory_->path() + "/logs";
  EL_CHECK(session->directory_->fs().make_directories(logs));
  LogOptions options{.directory = logs, .console = session->request_.console};
  options.link = session->directory_->profile().mirror_log;
  auto log = Log::open(session->clock(), options);
  if (!log && log.error().code == Code::InUse) {  // a link for older tools is no reason not to run
    session->warnings_.push_back(log.error().message);
    options.link.clear();
    log = Log::open(session->clock(), options);
  }
  EL_TRY(session->log_, std::move(log));
  return session;
}

Result<void> LiveSession::prepare_directory() {
  DataDirectory& directory = *directory_;
  Store& store = directory.store();
  const Profile& profile = directory.profile();
  if (directory.simulated())
    return fail(Code::Config, fmt::format("{} holds a simulation; give another --data", directory.path()));
  EL_TRY(const RowSchema schema, RowSchema::make(profile));
  EL_CHECK(compare_settings(directory, clock().now()));
  std::string targets, features;
  for (const TargetProfile& target : profile.targets) targets += (targets.empty() ? "" : "\n") + target.name;
  for (const std::string& column : schema.columns()) features += (features.empty() ? "" : "\n") + column;
  EL_TRY(const auto kept, store.state("columns"));
  if (kept && *kept != features)
    return fail(
        Code::Config,
        fmt::format("{0}: the features are not those that its examples have (a new version of the program may "
                    "compute some differently). `everlearn features rebuild --data {0} --to DIRECTORY` makes a "
                    "directory with the new ones, computed for what is stored, and leaves this one as it is; or "
                    "take another --data and begin anew",
                    directory.path()));
  EL_CHECK(store.put_state("profile", profile.name));
  EL_CHECK(store.put_state("input", std::string{kLiveInput}));
  EL_CHECK(store.put_state("targets", targets));
  EL_CHECK(store.put_state("columns", features));
  EL_CHECK(store.note(clock().now(), "start", request_.begins));
  EL_CHECK(store.commit_state());
  return keep_settings(directory.fs(), directory.path(), directory.config());
}

Result<void> LiveSession::start() {
  const Profile& profile = directory_->profile();
  RecordingOptions recording = request_.recording;
  recording.calendar = &directory_->calendar();
  recording.context = profile.context;
  recording.probability = profile.probability;
  recording.quarantine_dir = directory_->path() + "/quarantine/input";
  EL_TRY(source_, open_live_source(world_, profile, request_.source, recording, instruments_,
                                   {.record = request_.record, .speed = request_.clock_speed}));
  const bool hands_out = !request_.clock && !scaled_clock_;  // in a replay intents stay here, as alerts do
  EL_TRY(engine_, Engine::make(world_, profile, directory_->calendar(), directory_->store(), *source_, instruments_,
                               {.data_directory = directory_->path(),
                                .trainer = request_.trainer,
                                .trains = request_.trains,
                                .hands_out = hands_out,
                                .clock_speed = request_.clock_speed,
                                .on_auto_enable = [this] { return switch_on_in_settings_file(); }}));
  const std::string input = live_source_name(profile, request_.source, recording);
  const Progress& so_far = engine_->progress();
  log_->write(LogLevel::Info, "start",
              fmt::format("{} on {}, paper only, learning {}, {} examples so far", profile.name, input,
                          so_far.learning.empty() ? "begins" : so_far.learning, grouped(so_far.examples)),
              JsonOut{}.put("profile", profile.name).put("input", input).put("data", directory_->path()));
  for (const std::string& line : unheard_words(directory_->config())) log_->write(LogLevel::Warning, "settings", line);
  for (const std::string& line : warnings_) log_->write(LogLevel::Warning, "log", line);
  EL_TRY(delivery_, AlertDelivery::make(
                        profile, directory_->store(), clock(), *log_, [this] { return engine_->commit(); },
                        make_channels(request_.clock || scaled_clock_ ? AlertSettings{} : profile.alert)));
  std::unique_ptr<Channel> address;
  if (hands_out && !profile.outlet.url.empty())
    address = std::make_unique<Webhook>(profile.outlet.url, profile.outlet.secret, clock());
  EL_TRY(outlet_, OutletDelivery::make(hands_out ? profile.outlet : OutletSettings{},
                                       {.store = directory_->store(),
                                        .fs = directory_->fs(),
                                        .clock = clock(),
                                        .log = *log_,
                                        .commit = [this] { return engine_->commit(); },
                                        .data_directory = directory_->path(),
                                        .address = std::move(address)}));
  teller_ = std::make_unique<Teller>(*log_, profile, directory_->store(), so_far);
  teller_->begin(clock().now());
  return {};
}

Result<Engine::LiveStep> LiveSession::step() {
  EL_TRY(const Engine::LiveStep step, engine_->run_until_now());
  teller_->tell(engine_->progress(), engine_->training(), source_->report(), clock().now());
  EL_CHECK(outlet_->step());
  EL_CHECK(delivery_->step());
  return step;
}

// What auto-enable does beside the state: the older system's switch, where there is a .env. Learning is on in any case.
Result<std::string> LiveSession::switch_on_in_settings_file() {
  const auto name = auto_enable_env_name(directory_->config());
  if (!name || request_.clock != nullptr) return std::string{};
  const auto& settings = directory_->config().settings;
  const auto enabled = std::ranges::find(settings, kEnabled, &Setting::key);
  if (enabled != settings.end() && (enabled->origin.starts_with("environment") || enabled->origin == "command line")) {
    log_->write(LogLevel::Warning, "settings",
                fmt::format("{} is left as it is: {} goes before it. Learning is on all the same", kSettingsFile,
                            enabled->origin));
    return std::string{};
  }
  const Timestamp now = system_clock_.now();
  const auto done = switch_on_in_dot_env(kSettingsFile, *name, now);
  if (!done) {
    log_->write(LogLevel::Warning, "settings",
                fmt::format("{}=true is not written, learning is on all the same: {}", *name, done.error().message));
    return tl::unexpected<Error>(done.error());
  }
  if (*done == DotEnvSwitch::NoFile) return std::string{};
  const std::string words = *done == DotEnvSwitch::Already
                                ? fmt::format("{} says {}=true already", kSettingsFile, *name)
                                : fmt::format("{}=true is written to {}; the file before is {}.{}", *name,
                                              kSettingsFile, kSettingsFile, file_time(now));
  log_->write(LogLevel::Info, "settings", words);
  return words;
}

Result<void> LiveSession::stop(const std::string& why) {
  EL_CHECK(directory_->store().note(clock().now(), "stop", why));
  EL_CHECK(engine_->commit());
  EL_CHECK(outlet_->finish(kLastIntents));
  return delivery_->finish(kLastAlerts);
}

}  // namespace everlearn
