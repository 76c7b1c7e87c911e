#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <memory>

#include "app/by_hand.hpp"
#include "app/cli/command.hpp"
#include "app/explain.hpp"
#include "app/report/words.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "registry/bundle.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::string model, target, to, out;
  std::string format = "lightgbm";
};

std::string entry_json(const ModelEntry& model, bool serves, bool pinned_target) {
  const auto time = [](const std::optional<Timestamp>& t) { return t ? std::optional{t->iso()} : std::nullopt; };
  return JsonOut{}
      .put("id", model.id)
      .put("target", model.target)
      .put("state", text(model.state))
      .put("serves", serves)
      .put("pinned_by_hand", pinned_target)
      .put("trained_at", model.trained_at.iso())
      .put("seen_until", model.seen_until.iso())
      .put("promoted_at", time(model.promoted_at))
      .put("retired_at", time(model.retired_at))
      .put("kept_always", model.pinned)
      .put("whole", model.whole)
      .put("summary", model.summary)
      .text();
}

Result<void> list(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const Registry registry, directory->registry());
  if (!options.target.empty()) EL_CHECK(directory->find_target(options.target));
  std::vector<std::vector<std::string>> rows{{"", "model", "target", "state", "trained", "promoted", "kept", "why"}};
  std::vector<std::string> all;
  for (const ModelEntry& model : registry.entries()) {
    if (!options.target.empty() && model.target != options.target) continue;
    const bool serves = registry.champion(model.target) == model.id;
    const bool by_hand = registry.pinned_target(model.target) == model.id;
    all.push_back(entry_json(model, serves, by_hand));
    rows.push_back({serves ? "*" : "", brief(model.id), model.target,
                    std::string{text(model.state)} + (by_hand ? " (by hand)" : ""), model.trained_at.date(),
                    model.promoted_at ? model.promoted_at->date() : "",
                    model.pinned  ? "pinned"
                    : model.whole ? ""
                                  : "card only",
                    model.summary.substr(0, 90)});
  }
  if (options.common.json) return print_json(JsonOut{}.put_list("models", all).text());
  if (all.empty())
    fmt::print("no model has been made yet\n");
  else
    fmt::print("{}* serves\n", table_text(rows));
  return {};
}

// The picture of the report in figures: a row a bin, a cell a speaker.
std::vector<std::vector<std::string>> reliability_rows(const Verdict& verdict) {
  std::vector<std::vector<std::string>> rows{
      {"bin", "rows before", "said", "came", "rows after", "said", "came", "standard error"}};
  const Reliability &before = verdict.reliability_before, &after = verdict.reliability_after;
  const auto edge = [](std::size_t b) { return figure(static_cast<double>(b) / Reliability::kBins, 3); };
  const auto add = [](std::vector<std::string>& row, const ReliabilityBin& bin) {
    row.push_back(grouped(bin.n));
    row.push_back(bin.n > 0 ? percent(bin.confidence) : "");
    row.push_back(bin.n > 0 ? percent(bin.share) : "");
  };
  for (std::size_t b = 0; b < after.bins.size(); ++b) {
    const ReliabilityBin none, &now = after.bins[b], &then = before.bins.empty() ? none : before.bins[b];
    if (now.n + then.n == 0) continue;
    std::vector<std::string> row{edge(b) + " to " + edge(b + 1)};
    add(row, then);
    add(row, now);
    row.push_back(now.n > 0 ? percent(std::sqrt(now.share * (1 - now.share) / static_cast<double>(now.n))) : "");
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<void> show(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const ModelWhy why, why_model(*directory, options.model, options.target));
  EL_TRY(const Registry registry, directory->registry());
  const bool serves = registry.champion(why.model.target) == why.model.id;
  if (options.common.json) {
    JsonOut out;
    out.put_json("entry", entry_json(why.model, serves, registry.pinned_target(why.model.target) == why.model.id));
    why.card ? out.put_json("card", why.card->to_json()) : out.put_null("card");
    why.training ? out.put_json("training", why.training->row.json) : out.put_null("training");
    return print_json(out.put("evidence_expired", why.evidence_expired).text());
  }
  fmt::print("{}\n{}: {}{}\n\n", why.model.id, why.model.target, text(why.model.state),
             why.model.pinned ? ", pinned" : "");
  for (const std::string& line : why.words) fmt::print("{}\n", line);
  if (!why.card) return {};
  const Card& card = *why.card;
  fmt::print("\nLearner: {} ({}), {} trees of at most {} leaves and depth {}, rate {}, seed {}; made by {}\n",
             card.params.learner, card.params.boosting, card.trees, card.params.leaves, card.params.depth,
             card.params.learning_rate, card.seed, card.library);
  std::vector<std::pair<std::string, double>> gain(card.gain.begin(), card.gain.end());
  std::stable_sort(gain.begin(), gain.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  double total = 0;
  for (const auto& [column, value] : gain) total += value;
  std::string columns;
  for (std::size_t i = 0; i < std::min<std::size_t>(gain.size(), 8); ++i)
    columns +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", without_hash(gain[i].first), percent(gain[i].second / total, 0));
  fmt::print("Columns: {}; most of the gain: {}\n", card.columns.size(), columns);
  if (!card.verdict.reliability_after.bins.empty())
    fmt::print("\nThe likeliest class's probability on the hold-out, before and after calibration:\n{}",
               table_text(reliability_rows(card.verdict)));
  return {};
}

Result<void> change(const CommonOptions& common, const HandRequest& request) {
  EL_TRY(const Place place, find_place(common));
  EL_TRY(const std::string said, carry_out(request, place.directory, place.config));
  if (common.json) return print_json(JsonOut{}.put("done", true).put("text", said).text());
  fmt::print("{}\n", said);
  return {};
}

Result<void> rollback(const Options& options) {
  return change(options.common, {"models.rollback", {{"target", options.target}, {"to", options.to}}});
}
Result<void> promote(const Options& options) {
  return change(options.common, {"models.promote", {{"model", options.model}}});
}
Result<void> pin(const Options& options) { return change(options.common, {"models.pin", {{"model", options.model}}}); }
Result<void> unpin(const Options& options) {
  return change(options.common, {"models.unpin", {{"name", options.model}}});
}

Result<void> export_model(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const Registry registry, directory->registry());
  EL_TRY(const ModelEntry model, directory->find_model(registry, options.model));
  if (!model.whole)
    return fail(Code::Model, fmt::format("model {} was pruned: only its card and verdict are kept", model.id));
  EL_CHECK(load_bundle(directory->fs(), directory->models(), model.id));  // what is damaged is not handed on
  EL_TRY(const std::string text,
         read_file(directory->fs(), fmt::format("{}/{}/trainer/model.txt", directory->models(), model.id)));
  EL_CHECK(replace_file(directory->fs(), options.out, text));
  if (options.common.json)
    return print_json(JsonOut{}
                          .put("model", model.id)
                          .put("format", options.format)
                          .put("file", options.out)
                          .put("bytes", static_cast<std::int64_t>(text.size()))
                          .put("sha256", sha256_hex(text))
                          .text());
  fmt::print("model {} as a LightGBM text model in {}\n", brief(model.id), options.out);
  return {};
}

}  // namespace

void add_models(Verbs& verbs) {
  CLI::App* models = verbs.app.add_subcommand("models", "what was learned");
  models->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, Result<void> (*run)(const Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = models->add_subcommand(name, what);
    add_common(*verb, options->common);
    verbs.runs[verb] = [options, run] { return run(*options); };
    return std::pair{verb, options};
  };
  constexpr const char* kId = "an id, or six digits of it";
  {
    const auto [verb, options] = add("list", "every model and what became of it", list);
    verb->add_option("--target", options->target, "of one target");
  }
  {
    const auto [verb, options] = add("show", "one model: card, verdict and checks", show);
    verb->add_option("model,--model", options->model, std::string{kId} + " (default: the champion)");
    verb->add_option("--target", options->target, "whose champion");
  }
  {
    const auto [verb, options] =
        add("rollback", "back to the champion before; the target stays there until unpin", rollback);
    verb->add_option("--target", options->target, "default: the target that acts");
    verb->add_option("--to", options->to, "a model of it (default: the champion before)");
  }
  {
    const auto [verb, options] = add("promote", "let this model serve, by hand; it stays until unpin", promote);
    verb->add_option("model,--model", options->model, kId)->required();
  }
  {
    const auto [verb, options] = add("pin", "never prune this model", pin);
    verb->add_option("model,--model", options->model, kId)->required();
  }
  {
    const auto [verb, options] = add("unpin", "a target: the gate decides again; a model: it may be pruned", unpin);
    verb->add_option("name,--name", options->model, "a target or a model (default: the target that acts)");
  }
  {
    const auto [verb, options] = add("export", "a model for other programs", export_model);
    verb->add_option("model,--model", options->model, kId)->required();
    verb->add_option("--format", options->format, "lightgbm: its text model")->check(CLI::IsMember({"lightgbm"}));
    verb->add_option("--out", options->out, "the file")->required();
  }
}

}  // namespace everlearn::cli
