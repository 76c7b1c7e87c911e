#include "app/by_hand.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "app/report/words.hpp"
#include "core/json.hpp"
#include "io/control_socket.hpp"

namespace everlearn {
namespace {

constexpr Duration kAnswerWithin = Duration::seconds(60);  // a cycle may take long

constexpr std::array<std::pair<Code, std::string_view>, 12> kCodes{{{Code::Usage, "Usage"},
                                                                    {Code::Config, "Config"},
                                                                    {Code::InUse, "InUse"},
                                                                    {Code::Damaged, "Damaged"},
                                                                    {Code::Storage, "Storage"},
                                                                    {Code::NotFound, "NotFound"},
                                                                    {Code::BadData, "BadData"},
                                                                    {Code::OutOfRange, "OutOfRange"},
                                                                    {Code::Model, "Model"},
                                                                    {Code::Training, "Training"},
                                                                    {Code::Unsupported, "Unsupported"},
                                                                    {Code::Internal, "Internal"}}};

std::string_view name_of(Code code) {
  for (const auto& [known, name] : kCodes)
    if (known == code) return name;
  return "Internal";
}

Code code_of(std::string_view name) {
  for (const auto& [code, known] : kCodes)
    if (known == name) return code;
  return Code::Internal;
}

Result<std::string> unknown(const std::string& verb) { return fail(Code::Usage, fmt::format("no verb \"{}\"", verb)); }

std::string rolled_back(const std::string& target, const std::string& id) {
  return fmt::format("{}: model {} serves again, and stays until `models unpin {}`", target, brief(id), target);
}
std::string promoted(const ModelEntry& model) {
  return fmt::format("{}: model {} serves now, by hand, and stays until `models unpin {}`", model.target,
                     brief(model.id), model.target);
}
std::string pinned(const ModelEntry& model, bool on) {
  return fmt::format("model {} {}", brief(model.id), on ? "is kept whole whatever comes" : "may be pruned again");
}
std::string unpinned(const std::string& target) {
  return fmt::format("{}: the gate decides again which model serves", target);
}
constexpr std::string_view kPaused =
    "learning is off: data is collected and labelled, no model acts, nothing is trained";
constexpr std::string_view kResumed = "learning is on";
constexpr std::string_view kNobodyFills = "no daemon works here: one looks for holes when it starts, and while it runs";

Result<std::int64_t> rows_asked(const std::string& text) {
  std::int64_t rows = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
  if (text.empty()) return std::int64_t{0};
  if (error != std::errc{} || end != text.data() + text.size() || rows < 1)
    return fail(Code::Usage, fmt::format("rows \"{}\" is not a number above 0", text));
  return rows;
}

Result<std::int64_t> intent_named(const std::string& text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id < 1)
    return fail(Code::Usage, fmt::format("\"{}\" is not an intent's number: `everlearn intents list`", text));
  return id;
}

bool is_target(const Profile& profile, const std::string& name) {
  for (const TargetProfile& target : profile.targets)
    if (target.name == name) return true;
  return false;
}

}  // namespace

std::string HandRequest::arg(const std::string& name) const {
  const auto found = args.find(name);
  return found == args.end() ? "" : found->second;
}

std::string HandRequest::to_json() const { return JsonOut{}.put("verb", verb).put("args", args).text(); }

Result<HandRequest> HandRequest::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  HandRequest request;
  in.get("verb", request.verb);
  if (in.has("args")) in.get("args", request.args);
  EL_CHECK(in.finish("request"));
  return request;
}

std::string answer_json(const Result<std::string>& done) {
  if (done) return JsonOut{}.put("ok", true).put("text", *done).text();
  return JsonOut{}.put("ok", false).put("code", name_of(done.error().code)).put("text", done.error().message).text();
}

Result<std::string> answer_from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  bool ok = false;
  std::string said, code;
  in.get("ok", ok);
  in.get("text", said);
  if (in.has("code")) in.get("code", code);
  EL_CHECK(in.finish("the daemon's answer"));
  if (!ok) return fail(code_of(code), said);
  return said;
}

Result<std::string> apply_by_hand(const HandRequest& request, Engine& engine, DataDirectory& directory) {
  std::string said;
  if (request.verb == "pause" || request.verb == "resume") {
    EL_CHECK(engine.set_learning(request.verb == "resume"));
    said = request.verb == "resume" ? kResumed : kPaused;
  } else if (request.verb == "train") {
    const std::string reason = request.arg("reason").empty() ? "by hand" : request.arg("reason");
    if (engine.training()) return fail(Code::InUse, "a training runs already");
    EL_TRY(const std::int64_t rows, rows_asked(request.arg("rows")));
    EL_CHECK(engine.request_training({.reason = reason, .rows = rows, .params = text_lines(request.arg("params"))}));
    said = "a training starts now; `status` and `models list` tell how it ends";
  } else if (request.verb == "backfill") {
    EL_TRY(const std::int64_t holes, engine.look_for_holes());
    said = holes == 0 ? "no hole that the source's history could fill and that is not asked for already"
                      : fmt::format("the source's history is asked for {} hole{}", holes, holes == 1 ? "" : "s");
  } else if (request.verb == "intents.approve" || request.verb == "intents.reject") {
    EL_TRY(const std::int64_t id, intent_named(request.arg("id")));
    if (request.verb == "intents.approve") {
      EL_TRY(said, engine.approve_intent(id));
    } else {
      EL_TRY(said, engine.reject_intent(id));
    }
  } else if (request.verb == "models.rollback") {
    EL_TRY(const std::uint16_t target, directory.find_target(request.arg("target")));
    const std::string& name = directory.profile().targets[target].name;
    EL_TRY(const std::string id, engine.rollback_model(name, request.arg("to")));
    said = rolled_back(name, id);
  } else if (request.verb == "models.promote") {
    EL_TRY(const ModelEntry model, directory.find_model(engine.registry(), request.arg("model")));
    EL_CHECK(engine.promote_model(model.id));
    said = promoted(model);
  } else if (request.verb == "models.pin") {
    EL_TRY(const ModelEntry model, directory.find_model(engine.registry(), request.arg("model")));
    EL_CHECK(engine.pin_model(model.id, true));
    said = pinned(model, true);
  } else if (request.verb == "models.unpin") {
    const std::string name = request.arg("name");
    if (name.empty() || is_target(directory.profile(), name)) {
      EL_TRY(const std::uint16_t target, directory.find_target(name));
      said = unpinned(directory.profile().targets[target].name);
      EL_CHECK(engine.unpin_target(directory.profile().targets[target].name));
    } else {
      EL_TRY(const ModelEntry model, directory.find_model(engine.registry(), name));
      EL_CHECK(engine.pin_model(model.id, false));
      said = pinned(model, false);
    }
  } else {
    return unknown(request.verb);
  }
  EL_CHECK(engine.commit());  // said is done
  return said;
}

Result<std::string> apply_by_hand(const HandRequest& request, DataDirectory& directory) {
  Store& store = directory.store();
  const Timestamp now = directory.now();
  if (request.verb == "pause" || request.verb == "resume") {
    const bool on = request.verb == "resume";
    EL_CHECK(store.put_state("learning", on ? "on" : "off"));
    EL_CHECK(store.note(now, "learning", on ? "on by hand" : "off by hand"));
    EL_TRY(Progress progress, directory.progress());
    if (!on && progress.cycles > 0) {
      progress.learning = text(Learning::Off);
      EL_CHECK(store.put_state("progress", progress.to_json()));
    }
    EL_CHECK(store.commit_state());
    return std::string{on ? kResumed : kPaused};
  }

  if (request.verb.starts_with("intents."))
    return fail(Code::NotFound, fmt::format("no daemon works in {}: an intent waits for a person only while one does",
                                            directory.path()));

  if (request.verb == "backfill") return std::string{kNobodyFills};

  EL_TRY(Registry registry, directory.registry());
  std::string said, target;
  if (request.verb == "models.rollback") {
    EL_TRY(const std::uint16_t number, directory.find_target(request.arg("target")));
    target = directory.profile().targets[number].name;
    EL_TRY(const std::string id, registry.rollback(target, request.arg("to"), now));
    EL_CHECK(store.note(now, "rolled back by hand", target + ": " + id));
    said = rolled_back(target, id);
  } else if (request.verb == "models.promote") {
    EL_TRY(const ModelEntry model, directory.find_model(registry, request.arg("model")));
    EL_CHECK(registry.promote(model.id, now, true));
    EL_CHECK(store.note(now, "promoted by hand", model.target + ": " + model.id));
    target = model.target;
    said = promoted(model);
  } else if (request.verb == "models.pin") {
    EL_TRY(const ModelEntry model, directory.find_model(registry, request.arg("model")));
    EL_CHECK(registry.pin(model.id, true));
    EL_CHECK(store.note(now, "pinned by hand", model.id));
    said = pinned(model, true);
  } else if (request.verb == "models.unpin") {
    const std::string name = request.arg("name");
    if (name.empty() || is_target(directory.profile(), name)) {
      EL_TRY(const std::uint16_t number, directory.find_target(name));
      said = unpinned(directory.profile().targets[number].name);
      registry.unpin_target(directory.profile().targets[number].name);
    } else {
      EL_TRY(const ModelEntry model, directory.find_model(registry, name));
      EL_CHECK(registry.pin(model.id, false));
      said = pinned(model, false);
    }
    EL_CHECK(store.note(now, "unpinned by hand", name));
  } else {
    return unknown(request.verb);
  }
  EL_CHECK(store.put_state("registry", registry.to_json()));
  if (!target.empty()) {
    const std::string champion = registry.champion(target).value_or("");
    EL_TRY(Progress progress, directory.progress());
    progress.champions[target] = champion;
    EL_CHECK(store.put_state("progress", progress.to_json()));
    EL_CHECK(store.commit_state());
    EL_CHECK(write_pointer(directory.fs(), directory.models(), target, champion));
    return said;
  }
  EL_CHECK(store.commit_state());
  return said;
}

std::string control_socket_path(const std::string& directory) { return directory + "/control.sock"; }

Result<std::string> carry_out(const HandRequest& request, const std::string& directory, const Config& config) {
  const auto answer = ask_daemon(control_socket_path(directory), request.to_json(), kAnswerWithin);
  if (answer) return answer_from_json(*answer);
  if (answer.error().code != Code::NotFound) return tl::unexpected<Error>(answer.error());
  EL_TRY(const auto opened, DataDirectory::open(directory, config, DataDirectory::Access::Change));
  return apply_by_hand(request, *opened);
}

}  // namespace everlearn
