#include "app/daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "app/by_hand.hpp"
#include "app/data_directory.hpp"
#include "app/engine.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"
#include "io/control_socket.hpp"
#include "io/log.hpp"
#include "io/stop_signals.hpp"
#include "io/tail_source.hpp"

namespace everlearn {
namespace {

constexpr Duration kWait = Duration{200'000};
constexpr Duration kSayEvery = Duration::minutes(1);

// What may not change under a checkpoint that was made with it.
constexpr std::array<std::string_view, 5> kFixedPrefixes{"cycle.every", "examples.every", "features.use",
                                                         "source.calendar", "source.probability"};
constexpr std::array<std::string_view, 8> kFixedOfTarget{".acts", ".label",  ".unit", ".horizon",
                                                         ".flat", ".profit", ".loss", ".tolerance"};

bool is_fixed(const std::string& key) {
  if (std::find(kFixedPrefixes.begin(), kFixedPrefixes.end(), key) != kFixedPrefixes.end()) return true;
  return key.starts_with("target.") && std::any_of(kFixedOfTarget.begin(), kFixedOfTarget.end(),
                                                   [&](std::string_view end) { return key.ends_with(end); });
}

/// Says in the journal what a person changed since the last start, and refuses what the state cannot follow.
Result<void> compare_settings(DataDirectory& directory) {
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
      EL_CHECK(store.note(directory.now(), "setting changed", fmt::format("{}: {} -> {}", key, found->second, value)));
    }
  }
  return store.put_state("settings in effect", JsonOut{}.put("settings", now).text());
}

Result<void> prepare_directory(DataDirectory& directory, const std::vector<std::string>& columns) {
  Store& store = directory.store();
  if (directory.simulated())
    return fail(Code::Config, fmt::format("{} holds a simulation; give another --data", directory.path()));
  EL_CHECK(compare_settings(directory));
  std::string targets, features;
  for (const TargetProfile& target : directory.profile().targets)
    targets += (targets.empty() ? "" : "\n") + target.name;
  for (const std::string& column : columns) features += (features.empty() ? "" : "\n") + column;
  EL_TRY(const auto kept, store.state("columns"));
  if (kept && *kept != features)
    return fail(Code::Config, fmt::format("{}: the features are not those that its examples have (a new version of the "
                                          "program may compute some differently); take another --data",
                                          directory.path()));
  EL_CHECK(store.put_state("profile", directory.profile().name));
  EL_CHECK(store.put_state("input", std::string{kLiveInput}));
  EL_CHECK(store.put_state("targets", targets));
  EL_CHECK(store.put_state("columns", features));
  EL_CHECK(store.note(directory.now(), "start", "the daemon begins"));
  EL_CHECK(store.commit_state());
  return keep_settings(directory.fs(), directory.path(), directory.config());
}

/// What a run has to tell people, from one commit to the next.
class Teller {
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

  Log& log_;
  DataDirectory& directory_;
  Progress told_;
  std::map<std::string, std::int64_t> refused_;
  Timestamp said_at_;
};

class Daemon {
 public:
  Daemon(DataDirectory& directory, Engine& engine, Source& source, Log& log, StopSignals& signals,
         ControlSocket& socket, Clock& clock)
      : directory_{directory},
        engine_{engine},
        source_{source},
        log_{log},
        signals_{signals},
        socket_{socket},
        clock_{clock},
        started_{clock.now()},
        teller_{log, directory, engine.progress()} {}

  Result<void> run() {
    while (!stop_ && !signals_.requested()) {
      EL_TRY(const Engine::LiveStep step, engine_.run_until_now());
      teller_.tell(engine_.progress(), source_.report(), clock_.now());
      EL_CHECK(socket_.wait(step.more ? Duration{} : kWait, signals_.fd(),
                            [this](std::string_view request) { return answer(request); }));
      if (broken_) return tl::unexpected<Error>(*broken_);
    }
    log_.write(LogLevel::Info, "stop", stop_ ? "asked to stop" : "a signal came: stopping");
    EL_CHECK(directory_.store().note(clock_.now(), "stop", stop_ ? "by hand" : "by a signal"));
    return engine_.commit();
  }

 private:
  std::string answer(std::string_view text) {
    const auto request = HandRequest::from_json(text);
    if (!request) return answer_json(fail(Code::Usage, request.error().message));
    if (request->verb == "status") return status();
    if (request->verb == "stop") {
      stop_ = true;
      return answer_json(std::string{"stopping"});
    }
    const auto done = apply_by_hand(*request, engine_, directory_);
    log_.write(done ? LogLevel::Info : LogLevel::Warning, "by hand",
               fmt::format("{}: {}", request->verb, done ? *done : done.error().message),
               JsonOut{}.put("verb", request->verb).put("args", request->args));
    // A disk that fails is no answer to go on after.
    if (!done && (done.error().code == Code::Storage || done.error().code == Code::Damaged)) broken_ = done.error();
    return answer_json(done);
  }

  std::string status() const {
    return JsonOut{}
        .put("ok", true)
        .put("text", engine_.training() ? "a training runs" : "waiting for data or the next cycle")
        .put("process", static_cast<std::int64_t>(::getpid()))
        .put("started", started_)
        .put("training", engine_.training())
        .put("rows", source_.report().rows)
        .put_json("progress", engine_.progress().to_json())
        .text();
  }

  DataDirectory& directory_;
  Engine& engine_;
  Source& source_;
  Log& log_;
  StopSignals& signals_;
  ControlSocket& socket_;
  Clock& clock_;
  const Timestamp started_;
  Teller teller_;
  bool stop_ = false;
  std::optional<Error> broken_;
};

}  // namespace

Result<void> run_daemon(const DaemonRequest& request) {
  const Profile& profile = request.config.profile;
  EL_TRY(StopSignals signals, StopSignals::take());
  EL_TRY(const auto directory,
         DataDirectory::open(request.data_directory, request.config, DataDirectory::Access::Create));
  const Duration step = profile.cycle.us() > 0 ? profile.cycle : Duration::days(1);
  EL_TRY(const FeatureSet features, FeatureSet::choose(step, profile.features));
  EL_CHECK(prepare_directory(*directory, features.columns()));
  EL_CHECK(directory->fs().make_directories(directory->path() + "/logs"));
  SystemClock clock;
  EL_TRY(const auto log, Log::open(clock, {.directory = directory->path() + "/logs", .console = request.console}));
  EL_TRY(const auto socket, ControlSocket::listen(control_socket_path(directory->path())));

  Rng rng = Rng::named(profile.seed, "engine");
  SystemFs fs;
  SystemProc proc;
  const World world{clock, rng, fs, proc};
  Instruments instruments;
  RecordingOptions recording = request.recording;
  recording.calendar = &directory->calendar();
  recording.context = profile.context;
  recording.probability = profile.probability;
  recording.quarantine_dir = directory->path() + "/quarantine/input";
  const auto ran = [&]() -> Result<void> {
    EL_TRY(const auto source, open_tail(world, recording, instruments));
    EL_TRY(const auto engine,
           Engine::make(world, directory->profile(), directory->calendar(), directory->store(), *source, instruments,
                        {.data_directory = directory->path(), .trainer = request.trainer}));
    log->write(
        LogLevel::Info, "start",
        fmt::format("{} on {}, paper only, learning {}, {} examples so far", profile.name, recording.inputs.front(),
                    engine->progress().learning.empty() ? "begins" : engine->progress().learning,
                    grouped(engine->progress().examples)),
        JsonOut{}.put("profile", profile.name).put("input", recording.inputs.front()).put("data", directory->path()));
    Daemon daemon{*directory, *engine, *source, *log, signals, *socket, clock};
    return daemon.run();
  }();
  if (!ran) log->write(LogLevel::Error, "failed", ran.error().message);
  return ran;
}

}  // namespace everlearn
