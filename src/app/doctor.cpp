#include "app/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/alert_state.hpp"
#include "app/data_directory.hpp"
#include "app/report/words.hpp"
#include "app/row_schema.hpp"
#include "app/source_examination.hpp"
#include "io/path_owner.hpp"
#include "io/telegram.hpp"
#include "registry/bundle.hpp"
#include "schedule/rule.hpp"
#include "schedule/zone.hpp"
#include "store/sqlite.hpp"

namespace everlearn {
namespace {

constexpr std::uint64_t kDiskFail = 200'000'000, kDiskWarn = 2'000'000'000;
constexpr const char* kOldestSqlite = "3.51.3";  // an older one may lose a WAL that is reset
constexpr int kTrainerUsage = 2;                 // what it says to a call without a job

class Examiner {
 public:
  explicit Examiner(const Examination& examination) : examination_{examination} {}

  std::vector<Finding> run() {
    settings();
    clock();
    time_zones();
    sqlite_version();
    trainer();
    alerts();
    source();
    directory();
    if (examination_.dry_run &&
        std::ranges::none_of(findings_, [](const Finding& finding) { return finding.what == "next run"; }))
      next_run(nullptr);
    return std::move(findings_);
  }

 private:
  void add(Health health, std::string what, std::string text) {
    findings_.push_back({health, std::move(what), std::move(text)});
  }
  void ok(std::string what, std::string text) { add(Health::Ok, std::move(what), std::move(text)); }
  void warn(std::string what, std::string text) { add(Health::Warn, std::move(what), std::move(text)); }
  void failed(std::string what, std::string text) { add(Health::Fail, std::move(what), std::move(text)); }

  const Profile& profile() const { return examination_.config.profile; }

  void settings() {
    const auto schema = RowSchema::make(profile());
    if (!schema) return failed("settings", schema.error().message);
    if (const auto rule = Rule::parse(profile().train_schedule, profile().train_zone); !rule)
      return failed("settings", rule.error().message);
    ok("settings",
       fmt::format("profile {}: {} settings, {} features, {}", profile().name, examination_.config.settings.size(),
                   schema->size(), some(std::ssize(profile().targets), "target")));
    for (const std::string& line : unheard_words(examination_.config))
      add(line.starts_with("NOT") ? Health::Warn : Health::Ok, "variables", line);
  }

  void clock() {
    const Timestamp now = SystemClock{}.now();
    constexpr std::int64_t kYear2024 = 1'704'067'200'000'000, kYear2100 = 4'102'444'800'000'000;
    if (now.us() < kYear2024 || now.us() >= kYear2100) return failed("clock", fmt::format("it says {}", now.iso()));
    ok("clock", fmt::format("it says {}", now.iso().substr(0, 19) + "Z"));
  }

  void time_zones() {
    for (const std::string& name : {std::string{"America/New_York"}, profile().train_zone}) {
      if (const auto zone = Zone::find(name); !zone) return failed("time zones", zone.error().message);
    }
    ok("time zones", "the machine has its tzdata");
  }

  void sqlite_version() {
    auto database = sqlite::Database::open(":memory:", sqlite::Database::Mode::Write);
    const auto version = database ? database->text("SELECT sqlite_version()")
                                  : Result<std::string>{tl::unexpected<Error>(database.error())};
    if (!version) return failed("SQLite", version.error().message);
    const auto parts = [](std::string_view text) {
      std::vector<int> numbers{0};
      for (const char c : text) {
        if (c == '.')
          numbers.push_back(0);
        else
          numbers.back() = numbers.back() * 10 + (c - '0');
      }
      return numbers;
    };
    if (parts(*version) < parts(kOldestSqlite))
      return failed("SQLite", fmt::format("{}, at least {} is needed", *version, kOldestSqlite));
    ok("SQLite", *version);
  }

  void trainer() {
    if (!fs_.exists(examination_.trainer))
      return failed("trainer", fmt::format("{} is not there: no model can be trained", examination_.trainer));
    SystemProc proc;
    ProcessSpec spec;
    spec.argv = {examination_.trainer};
    spec.limits.wall = Duration::seconds(20);
    auto child = proc.start(spec);
    if (!child) return failed("trainer", child.error().message);
    const auto exit = (*child)->wait();
    if (!exit || exit->signal != 0 || exit->code != kTrainerUsage)
      return failed("trainer", fmt::format("{} does not run: {}", examination_.trainer,
                                           !exit              ? exit.error().message
                                           : exit->signal > 0 ? fmt::format("signal {}", exit->signal)
                                                              : fmt::format("exit status {}", exit->code)));
    ok("trainer", fmt::format("{} runs", examination_.trainer));
  }

  void alerts() {
    const AlertSettings& settings = profile().alert;
    const std::string missing = missing_for_telegram(settings);
    const bool half = settings.telegram.token.empty() != settings.telegram.chat.empty();
    if (!missing.empty())
      return add(half ? Health::Warn : Health::Ok, "alerts", "no channel, so nobody is told: " + missing);
    if (!examination_.dry_run)
      return ok("alerts", fmt::format("telegram to {}; --dry-run asks it", settings.telegram.chat));
    Telegram telegram{settings.telegram};
    const auto bot = telegram.bot();
    if (!bot) return failed("telegram", bot.error().message);
    const auto chat = telegram.chat();
    if (!chat)
      return failed("telegram",
                    fmt::format("{} answers, but not about chat {}: {}; the bot must have been written to or "
                                "let into it",
                                *bot, settings.telegram.chat, chat.error().message));
    ok("telegram", fmt::format("{} may write to \"{}\"", *bot, *chat));
  }

  void directory() {
    const std::string& path = examination_.directory;
    if (!fs_.exists(path)) return warn("directory", fmt::format("{} is not there: nothing has run yet", path));
    const auto owner = owner_of(path);
    if (!owner) return failed("directory", owner.error().message);
    if (!owner->ours) warn("directory", fmt::format("{} belongs to another user", path));
    if (!owner->writable) return failed("directory", fmt::format("{} cannot be written", path));
    if (owner->ours && (owner->mode & 022u) != 0)
      warn("directory", fmt::format("{} can be written by others (mode {:03o})", path, owner->mode));
    else
      ok("directory", fmt::format("{}, ours, mode {:03o}", path, owner->mode));
    disk(path);
    const auto holder = DirectoryLock::holder(path);
    const bool running = holder && holder->has_value();
    ok("lock", running ? "held by " + **holder : "nobody works here");
    auto opened = DataDirectory::open(path, examination_.config, DataDirectory::Access::Read);
    if (!opened) {
      if (opened.error().code == Code::NotFound) return warn("database", opened.error().message);
      return failed("database", opened.error().message);
    }
    database(**opened);
    if (examination_.dry_run) next_run(opened->get());
    models(**opened);
    leftovers(path, running);
  }

  void source() {
    for (Finding& finding : examine_source(profile(), examination_.dry_run)) {
      source_reads_ = source_reads_ && finding.health != Health::Fail;
      findings_.push_back(std::move(finding));
    }
  }

  void next_run(DataDirectory* data) {
    for (Finding& finding : examine_next_run(profile(), data, source_reads_)) findings_.push_back(std::move(finding));
  }

  void disk(const std::string& path) {
    const auto free = fs_.free_bytes(path);
    if (!free) return failed("disk", free.error().message);
    const Health health = *free < kDiskFail ? Health::Fail : *free < kDiskWarn ? Health::Warn : Health::Ok;
    add(health, "disk", fmt::format("{} free", bytes_of(*free)));
  }

  void database(DataDirectory& data) {
    const auto progress = data.progress();
    if (!progress) return failed("database", progress.error().message);
    ok("database", fmt::format("{} examples, {} on disk, last cycle {}", grouped(progress->examples),
                               bytes_of(data.store().bytes_on_disk()),
                               progress->last_cycle ? progress->last_cycle->iso().substr(0, 16) : "none"));
    if (!data.simulated() && progress->last_cycle && *progress->last_cycle > data.now() + Duration::minutes(1))
      failed("clock",
             fmt::format("the last cycle was at {}, after now: the clock went back", progress->last_cycle->iso()));
    std::int64_t segments = 0;
    for (const Dataset dataset :
         {Dataset::Prices, Dataset::Events, Dataset::Examples, Dataset::Labels, Dataset::Predictions})
      for (const Segment& segment : data.store().segments(dataset)) {
        ++segments;
        const auto file = fs_.open(data.path() + "/" + segment.path);
        if (!file) {
          failed("lake", file.error().message);
        } else if ((*file)->size() != segment.bytes) {
          failed("lake",
                 fmt::format("{} has {} bytes, the catalogue says {}", segment.path, (*file)->size(), segment.bytes));
        }
      }
    if (!examination_.deep) {
      ok("lake", fmt::format("{}, each there with its size (--deep reads them)", some(segments, "segment")));
      return;
    }
    const auto wrong = data.store().verify();
    if (!wrong) return failed("lake", wrong.error().message);
    for (const std::string& line : *wrong) failed("lake", line);
    if (wrong->empty()) ok("lake", fmt::format("{}, every row agrees with its checksum", some(segments, "segment")));
  }

  void models(DataDirectory& data) {
    const auto registry = data.registry();
    if (!registry) return failed("models", registry.error().message);
    const auto columns = data.store().state("columns");
    std::int64_t whole = 0;
    for (const ModelEntry& model : registry->entries()) whole += model.whole ? 1 : 0;
    for (const TargetProfile& target : profile().targets) {
      const std::string pointer_path = fmt::format("{}/current_{}", data.models(), target.name);
      const auto champion = registry->champion(target.name);
      const auto pointer = read_file(fs_, pointer_path, 4096);
      if (!champion) {
        if (pointer)
          warn("models", fmt::format("{} is there, but no model serves {}", pointer_path, target.name));
        else
          ok("models", fmt::format("{}: no model serves yet", target.name));
        continue;
      }
      const auto bundle = load_bundle(fs_, data.models(), *champion);
      if (!bundle) {
        failed("models", bundle.error().message);
        continue;
      }
      if (!pointer || *pointer != *champion + "\n")
        warn("models", fmt::format("{} does not name the champion {}: the next commit of the engine writes it",
                                   pointer_path, brief(*champion)));
      else
        ok("models", fmt::format("{}: {} verified, golden rows and pointer agree", target.name, brief(*champion)));
    }
    const auto entries = fs_.list(data.models());
    std::int64_t strangers = 0;
    if (entries)
      for (const DirectoryEntry& entry : *entries)
        if (entry.is_directory && registry->find(entry.name) == nullptr) ++strangers;
    if (strangers > 0)
      warn("models", fmt::format("{} in {} that no verdict names", some(strangers, "folder"), data.models()));
    ok("archive", fmt::format("{}, {} of them whole", some(std::ssize(registry->entries()), "model"), grouped(whole)));
  }

  void leftovers(const std::string& path, bool running) {
    const auto count = [&](const std::string& below) -> std::int64_t {
      const auto entries = fs_.list(path + "/" + below);
      return entries ? std::ssize(*entries) : 0;
    };
    if (const std::int64_t jobs = count("jobs"); jobs > 0 && !running)
      warn("leftovers",
           fmt::format("{} in jobs/: a training was interrupted; the next one clears its own", some(jobs, "folder")));
    if (const std::int64_t held = count("quarantine"); held > 0)
      warn("quarantine", fmt::format("{} in quarantine/: rows or files that were set aside, for you to look at",
                                     some(held, "thing")));
    else
      ok("quarantine", "empty");
  }

  const Examination& examination_;
  SystemFs fs_;
  std::vector<Finding> findings_;
  bool source_reads_ = true;
};

}  // namespace

std::string_view text(Health health) {
  switch (health) {
    case Health::Ok:
      return "ok";
    case Health::Warn:
      return "warn";
    case Health::Fail:
      return "FAIL";
  }
  return "?";
}

std::vector<Finding> examine(const Examination& examination) { return Examiner{examination}.run(); }

}  // namespace everlearn
