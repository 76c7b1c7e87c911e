#include "app/teller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "app/data_directory.hpp"
#include "app/history_facts.hpp"
#include "app/mirror.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr Duration kSayEvery = Duration::minutes(1);
constexpr Duration kSayDataEvery = Duration::hours(1);

// What the gate measured on rows that the model had not seen, under the names that older tools look for.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kFigures{
    {{"r2", "val_r2"}, {"direction_accuracy", "val_direction_acc"}, {"accuracy", "val_accuracy"}}};

}  // namespace

void Teller::begin(Timestamp at) {
  said_at_ = at;
  if (profile_.dense_every.us() > 0 && profile_.backfill)
    log_.write(LogLevel::Info, "backfill", "Checking for missing price data to backfill...");
  tell_data(told_);
  data_said_at_ = at;
}

void Teller::tell(const Progress& now, bool training, const SourceReport& source, Timestamp at) {
  tell_learning(now);
  tell_trainings(now, training);
  tell_champions(now);
  if (now.intents != told_.intents || now.fills != told_.fills)
    log_.write(
        LogLevel::Info, "trade",
        fmt::format("{}, {}", some(now.intents - told_.intents, "intent"), some(now.fills - told_.fills, "fill")),
        JsonOut{}.put("intents", now.intents).put("fills", now.fills).put("equity", now.equity));
  if (now.backfilled != told_.backfilled)
    log_.write(LogLevel::Info, "backfill",
               fmt::format("{} from the price history of the source", some(now.backfilled - told_.backfilled, "point")),
               JsonOut{}.put("points", now.backfilled));
  tell_input(source);
  if (now.cycles != told_.cycles && at - said_at_ >= kSayEvery) {
    said_at_ = at;
    log_.write(LogLevel::Info, "cycle",
               fmt::format("{} cycles up to {}, {} examples, {} effective, learning {}", grouped(now.cycles),
                           now.last_cycle ? now.last_cycle->iso().substr(0, 19) : "", grouped(now.examples),
                           grouped(now.effective), now.learning),
               JsonOut{}.put("cycles", now.cycles).put("events", now.events).put("examples", now.examples));
  }
  const bool enough = told_.effective < profile_.auto_enable && now.effective >= profile_.auto_enable;
  if (enough || at - data_said_at_ >= kSayDataEvery) {
    data_said_at_ = at;
    tell_data(now);
  }
  told_ = now;
}

void Teller::tell_learning(const Progress& now) {
  if (now.learning != told_.learning && !told_.learning.empty())
    log_.write(LogLevel::Info, "learning", fmt::format("learning is {} (was {})", now.learning, told_.learning));
  if (now.auto_enabled && !told_.auto_enabled)
    log_.write(LogLevel::Info, "auto-enable",
               "ML AUTO-ENABLED! Learning is active from now on, no restart is needed; orders are what they were",
               JsonOut{}.put("effective", now.effective).put("threshold", profile_.auto_enable));
}

void Teller::tell_trainings(const Progress& now, bool training) {
  const std::int64_t ended = now.trainings - told_.trainings;
  if ((training || ended > 0) && !training_)
    log_.write(LogLevel::Info, "training", "Training new model...",
               JsonOut{}.put("examples", now.labelled).put("effective", now.effective));
  training_ = training;
  if (ended > 0) tell_verdicts(ended);
}

void Teller::tell_verdicts(std::int64_t count) {
  const auto rows = store_.verdicts();
  if (!rows) return;
  const std::size_t from = rows->size() - std::min(rows->size(), static_cast<std::size_t>(count));
  for (std::size_t i = from; i < rows->size(); ++i) {
    const VerdictRow& row = (*rows)[i];
    const auto record = training_record(row);
    const std::string& target = profile_.targets[row.target].name;
    if (record && !row.bundle.empty()) {
      JsonOut figures;
      for (const auto& [check, name] : kFigures) {
        const auto found = std::ranges::find(record->verdict.checks, check, &Check::name);
        if (found != record->verdict.checks.end()) figures.put(name, found->measured);
      }
      log_.write(LogLevel::Info, "model", "New model trained",
                 figures.put("target", target).put("model", row.bundle).put("outcome", row.outcome));
    }
    log_.write(
        LogLevel::Info, "verdict",
        fmt::format("{}: {}: {}", target, row.outcome, record ? record->verdict.reason : "unreadable"),
        JsonOut{}.put("target", target).put("outcome", row.outcome).put("model", row.bundle).put("why", row.reason));
  }
}

void Teller::tell_champions(const Progress& now) {
  for (const auto& [target, model] : now.champions) {
    const auto before = told_.champions.find(target);
    if (before != told_.champions.end() && before->second == model) continue;
    const auto registry = store_.state("registry");
    const auto read = registry && *registry ? Registry::from_json(**registry) : Result<Registry>{Registry{}};
    log_.write(LogLevel::Info, "champion", fmt::format("Model swapped: {}: model {} serves", target, brief(model)),
               JsonOut{}
                   .put("model_path", read ? model_path(profile_, *read, model) : "models/" + model)
                   .put("target", target)
                   .put("model", model));
  }
}

void Teller::tell_input(const SourceReport& source) {
  for (const auto& [reason, rows] : source.refused) {
    std::int64_t& said = refused_[reason];
    if (rows != said)
      log_.write(LogLevel::Warning, "input", fmt::format("{} set aside: {}", some(rows - said, "row"), reason),
                 JsonOut{}.put("reason", reason).put("rows", rows));
    said = rows;
  }
  tell_table(source);
}

// Of a table that others write, and of a venue that may be away.
void Teller::tell_table(const SourceReport& source) {
  if (source.trouble != trouble_)
    log_.write(source.trouble.empty() ? LogLevel::Info : LogLevel::Warning, "input",
               source.trouble.empty() ? "the source can be read again" : "cannot be read now: " + source.trouble);
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

// How much there is to learn from, and of a dense history how dense it is.
void Teller::tell_data(const Progress& now) {
  if (profile_.dense_every.us() > 0) tell_history(now);
  // Usable is what train.auto_enable counts: labels that share an outcome count as what they tell together.
  const double share = now.examples > 0 ? static_cast<double>(now.labelled) / static_cast<double>(now.examples) : 0.0;
  log_.write(LogLevel::Info, "data",
             fmt::format("Data statistics: {} usable examples, {} labeled", grouped(now.effective), figure(share, 2)),
             JsonOut{}
                 .put("examples_with_targets", now.labelled)
                 .put("examples", now.examples)
                 .put("usable", now.effective)
                 .put("threshold", profile_.auto_enable));
}

void Teller::tell_history(const Progress& now) {
  const HistoryFacts facts = history_facts(store_.coverage(), now.backfilled, profile_.dense_every);
  log_.write(LogLevel::Info, "prices",
             fmt::format("Price history: {} points, {} tokens, {} days coverage", grouped(facts.points),
                         grouped(facts.tokens), figure(facts.days, 1)),
             JsonOut{}.put("points", facts.points).put("tokens", facts.tokens).put("open_holes", facts.open_holes));
  const auto minutes = static_cast<double>(profile_.dense_every.us()) / 60e6;
  log_.write(LogLevel::Info, "prices",
             fmt::format("avg interval: {} (target: {:g}min)",
                         facts.interval_minutes ? figure(*facts.interval_minutes, 1) + "min" : "unknown", minutes),
             JsonOut{}.put("minutes", facts.interval_minutes).put("target_minutes", minutes));
}

}  // namespace everlearn
