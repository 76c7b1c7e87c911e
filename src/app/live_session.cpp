#include "app/live_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "app/live_source.hpp"
#include "app/report/words.hpp"
#include "app/row_schema.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr Duration kSayEvery = Duration::minutes(1);
constexpr Duration kLastAlerts = Duration::seconds(10);  // at the end

// What may not change under a checkpoint that was made with it.
constexpr std::array<std::string_view, 5> kFixedPrefixes{"cycle.every", "examples.every", "features.use",
                                                         "source.calendar", "source.probability"};
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

/// What a run has to tell people, from one commit to the next.
class LiveSession::Teller {
 public:
  Teller(Log& log, DataDirectory& directory, const Progress& start) : log_{log}, directory_{directory}, told_{start} {}

  void tell(const Progress& now, const SourceReport& source, Timestamp at) {
    if (now.learning != told_.learning && !told_.learning.empty())
      log_.write(LogLevel::Info, "learning", fmt::format("learning is {} (was {})", now.learning, told_.learning));
    if (now.trainings != told_.trainings) tell_trainings(now.trainings - told_.trainings);
    for (const auto& [target, model] : now.champions) {
      const auto before = told_.champions.find(target);
      if (before != told_.champions.end() && before->second == model) continue;
      log_.write(LogLevel::Info, "champion", fmt::format("{}: model {} serves", target, brief(model)),
                 JsonOut{}.put("target", target).put("model", model));
    }
    if (now.intents != told_.intents || now.fills != told_.fills)
      log_.write(
          LogLevel::Info, "trade",
          fmt::format("{}, {}", some(now.intents - told_.intents, "intent"), some(now.fills - told_.fills, "fill")),
          JsonOut{}.put("intents", now.intents).put("fills", now.fills).put("equity", now.equity));
    for (const auto& [reason, rows] : source.refused) {
      std::int64_t& said = refused_[reason];
      if (rows != said)
        log_.write(LogLevel::Warning, "input", fmt::format("{} set aside: {}", some(rows - said, "row"), reason),
                   JsonOut{}.put("reason", reason).put("rows", rows));
      said = rows;
    }
    tell_table(source);
    if (now.cycles != told_.cycles && at - said_at_ >= kSayEvery) {
      said_at_ = at;
      log_.write(LogLevel::Info, "cycle",
                 fmt::format("{} cycles up to {}, {} examples, {} effective, learning {}", grouped(now.cycles),
                             now.last_cycle ? now.last_cycle->iso().substr(0, 19) : "", grouped(now.examples),
                             grouped(now.effective), now.learning),
                 JsonOut{}.put("cycles", now.cycles).put("events", now.events).put("examples", now.examples));
    }
    told_ = now;
  }

 private:
  void tell_trainings(std::int64_t count) {
    const auto rows = directory_.store().verdicts();
    if (!rows) return;
    const std::size_t from = rows->size() - std::min(rows->size(), static_cast<std::size_t>(count));
    for (std::size_t i = from; i < rows->size(); ++i) {
      const VerdictRow& row = (*rows)[i];
      const auto record = training_record(row);
      const std::string& target = directory_.profile().targets[row.target].name;
      log_.write(
          LogLevel::Info, "verdict",
          fmt::format("{}: {}: {}", target, row.outcome, record ? record->verdict.reason : "unreadable"),
          JsonOut{}.put("target", target).put("outcome", row.outcome).put("model", row.bundle).put("why", row.reason));
    }
  }

  /// Of a table that others write.
  void tell_table(const SourceReport& source) {
    if (source.trouble != trouble_)
      log_.write(source.trouble.empty() ? LogLevel::Info : LogLevel::Warning, "input",
                 source.trouble.empty() ? "the table can be read again" : "cannot be read now: " + source.trouble);
    trouble_ = source.trouble;
    const auto say = [&](std::int64_t now, std::int64_t& said, const char* what) {
      if (now != said)
        log_.write(LogLevel::Info, "input", fmt::format("{} {}", some(now - said, "row"), what),
                   JsonOut{}.put("rows", now));
      said = now;
    };
    say(source.late, late_, "came late: known from when they were read");
    say(source.corrected, corrected_, "corrected: kept beside what was known before");
    say(source.gone, gone_, "no longer in the table: what they said stays");
  }

  Log& log_;
  DataDirectory& directory_;
  std::string trouble_;
  std::int64_t late_ = 0, corrected_ = 0, gone_ = 0;
  Progress told_;
  std::map<std::string, std::int64_t> refused_;
  Timestamp said_at_;
};

LiveSession::LiveSession(LiveRequest request, std::unique_ptr<DataDirectory> directory)
    : request_{std::move(request)},
      directory_{std::move(directory)},
      rng_{Rng::named(directory_->profile().seed, "engine")},
      world_{request_.clock ? *request_.clock : system_clock_, rng_, directory_->fs(), directory_->world().proc} {}

LiveSession::~LiveSession() = default;

Result<std::unique_ptr<LiveSession>> LiveSession::open(LiveRequest request) {
  EL_TRY(auto directory, DataDirectory::open(request.data_directory, request.config, DataDirectory::Access::Create));
  std::unique_ptr<LiveSession> session{new LiveSession{std::move(request), std::move(directory)}};
  EL_CHECK(session->prepare_directory());
  const std::string logs = session->directory_->path() + "/logs";
  EL_CHECK(session->directory_->fs().make_directories(logs));
  EL_TRY(session->log_, Log::open(session->clock(), {.directory = logs, .console = session->request_.console}));
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
    return fail(Code::Config, fmt::format("{}: the features are not those that its examples have (a new version of the "
                                          "program may compute some differently); take another --data",
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
  EL_TRY(source_, open_live_source(world_, profile, request_.source, recording, instruments_));
  EL_TRY(engine_,
         Engine::make(world_, profile, directory_->calendar(), directory_->store(), *source_, instruments_,
                      {.data_directory = directory_->path(), .trainer = request_.trainer, .trains = request_.trains}));
  const std::string input = live_source_name(profile, request_.source, recording);
  const Progress& so_far = engine_->progress();
  log_->write(LogLevel::Info, "start",
              fmt::format("{} on {}, paper only, learning {}, {} examples so far", profile.name, input,
                          so_far.learning.empty() ? "begins" : so_far.learning, grouped(so_far.examples)),
              JsonOut{}.put("profile", profile.name).put("input", input).put("data", directory_->path()));
  EL_TRY(delivery_, AlertDelivery::make(
                        profile, directory_->store(), clock(), *log_, [this] { return engine_->commit(); },
                        make_channels(request_.clock ? AlertSettings{} : profile.alert)));
  teller_ = std::make_unique<Teller>(*log_, *directory_, so_far);
  return {};
}

Result<Engine::LiveStep> LiveSession::step() {
  EL_TRY(const Engine::LiveStep step, engine_->run_until_now());
  teller_->tell(engine_->progress(), source_->report(), clock().now());
  EL_CHECK(delivery_->step());
  return step;
}

Result<void> LiveSession::stop(const std::string& why) {
  EL_CHECK(directory_->store().note(clock().now(), "stop", why));
  EL_CHECK(engine_->commit());
  return delivery_->finish(kLastAlerts);
}

}  // namespace everlearn
