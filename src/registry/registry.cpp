#include "registry/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr std::array<std::string_view, 5> kStates{"candidate", "champion", "retired", "refused", "rolled back"};
constexpr std::size_t kKeptChampions = 3;    // besides the current one, per target
constexpr std::size_t kKeptCandidates = 20;  // newest, per target
constexpr std::size_t kShortestPrefix = 6;

Result<ModelState> state_from(std::string_view name) {
  for (std::size_t i = 0; i < kStates.size(); ++i)
    if (kStates[i] == name) return static_cast<ModelState>(i);
  return fail(Code::Damaged, fmt::format("registry: unknown model state \"{}\"", name));
}

std::string entry_json(const ModelEntry& e) {
  return JsonOut{}
      .put("id", e.id)
      .put("target", e.target)
      .put("state", text(e.state))
      .put("trained_at", e.trained_at)
      .put("seen_until", e.seen_until)
      .put("promoted_at", e.promoted_at)
      .put("retired_at", e.retired_at)
      .put("verdict", e.verdict)
      .put("summary", e.summary)
      .put("pinned", e.pinned)
      .put("whole", e.whole)
      .put("bytes", e.bytes)
      .text();
}

Result<ModelEntry> entry_from(std::string_view json) {
  EL_TRY(JsonIn in, JsonIn::parse(json));
  ModelEntry e;
  std::string state;
  in.get("id", e.id);
  in.get("target", e.target);
  in.get("state", state);
  in.get("trained_at", e.trained_at);
  in.get("seen_until", e.seen_until);
  in.get("promoted_at", e.promoted_at);
  in.get("retired_at", e.retired_at);
  in.get("verdict", e.verdict);
  in.get("summary", e.summary);
  in.get("pinned", e.pinned);
  in.get("whole", e.whole);
  in.get("bytes", e.bytes);
  EL_CHECK(in.finish("registry"));
  EL_TRY(e.state, state_from(state));
  return e;
}

}  // namespace

std::string_view text(ModelState state) { return kStates[static_cast<std::size_t>(state)]; }

void Registry::add(ModelEntry entry) { entries_.push_back(std::move(entry)); }

Registry::Line& Registry::line_of(const std::string& target) {
  for (Line& line : lines_)
    if (line.target == target) return line;
  return lines_.emplace_back(Line{target, {}, {}});
}

const Registry::Line* Registry::find_line(const std::string& target) const {
  for (const Line& line : lines_)
    if (line.target == target) return &line;
  return nullptr;
}

ModelEntry* Registry::edit(const std::string& id) {
  for (ModelEntry& entry : entries_)
    if (entry.id == id) return &entry;
  return nullptr;
}

const ModelEntry* Registry::find(const std::string& id) const {
  const ModelEntry* found = nullptr;
  for (const ModelEntry& entry : entries_) {
    if (entry.id == id) return &entry;
    if (id.size() < kShortestPrefix || !entry.id.starts_with(id)) continue;
    if (found != nullptr) return nullptr;  // ambiguous
    found = &entry;
  }
  return found;
}

Result<void> Registry::promote(const std::string& id, Timestamp now, bool by_hand) {
  ModelEntry* entry = edit(id);
  if (entry == nullptr) return fail(Code::NotFound, fmt::format("no model {}", id));
  if (!entry->whole) return fail(Code::NotFound, fmt::format("model {} was pruned: only its card is kept", id));
  Line& line = line_of(entry->target);
  if (!by_hand && !line.pinned.empty() && line.pinned != id)
    return fail(Code::InUse, fmt::format("{} is pinned to model {} by hand", line.target, line.pinned));
  if (!line.champions.empty() && line.champions.back() == id) return {};
  if (!line.champions.empty()) {
    ModelEntry* before = edit(line.champions.back());
    before->state = ModelState::Retired;
    before->retired_at = now;
  }
  line.champions.push_back(id);
  if (by_hand) line.pinned = id;
  entry->state = ModelState::Champion;
  entry->promoted_at = now;
  entry->retired_at.reset();
  return {};
}

Result<std::string> Registry::rollback(const std::string& target, const std::string& id, Timestamp now) {
  Line& line = line_of(target);
  if (line.champions.empty()) return fail(Code::NotFound, fmt::format("target {} has no champion", target));
  std::string back_to = id;
  if (back_to.empty()) {
    const auto previous = previous_champions(target);
    if (previous.empty()) return fail(Code::NotFound, fmt::format("target {} had no champion before", target));
    back_to = previous.front();
  }
  const ModelEntry* entry = find(back_to);
  if (entry == nullptr || entry->target != target)
    return fail(Code::NotFound, fmt::format("target {} has no model {}", target, back_to));
  back_to = entry->id;
  const std::string leaving = line.champions.back();
  if (leaving == back_to) return fail(Code::NotFound, fmt::format("model {} serves already", back_to));
  EL_CHECK(promote(back_to, now, true));
  edit(leaving)->state = ModelState::RolledBack;
  return back_to;
}

Result<void> Registry::pin(const std::string& id, bool pinned) {
  const ModelEntry* entry = find(id);
  if (entry == nullptr) return fail(Code::NotFound, fmt::format("no model {}", id));
  edit(entry->id)->pinned = pinned;
  return {};
}

void Registry::unpin_target(const std::string& target) { line_of(target).pinned.clear(); }

std::optional<std::string> Registry::pinned_target(const std::string& target) const {
  const Line* line = find_line(target);
  if (line == nullptr || line->pinned.empty()) return std::nullopt;
  return line->pinned;
}

std::optional<std::string> Registry::champion(const std::string& target) const {
  const Line* line = find_line(target);
  if (line == nullptr || line->champions.empty()) return std::nullopt;
  return line->champions.back();
}

std::vector<std::string> Registry::previous_champions(const std::string& target) const {
  std::vector<std::string> before;
  const Line* line = find_line(target);
  if (line == nullptr) return before;
  for (auto it = line->champions.rbegin(); it != line->champions.rend(); ++it) {
    if (*it == line->champions.back() || std::find(before.begin(), before.end(), *it) != before.end()) continue;
    const ModelEntry* entry = find(*it);
    // What a hand rolled back, or what was pruned, is no rung to fall to.
    if (entry != nullptr && entry->whole && entry->state != ModelState::RolledBack) before.push_back(*it);
  }
  return before;
}

std::vector<std::string> Registry::prunable(std::uint64_t disk_cap) const {
  std::set<std::string> kept;
  std::map<std::string, std::size_t> candidates;
  for (const Line& line : lines_) {
    if (!line.champions.empty()) kept.insert(line.champions.back());
    auto before = previous_champions(line.target);
    before.resize(std::min(before.size(), kKeptChampions));
    kept.insert(before.begin(), before.end());
  }
  std::vector<const ModelEntry*> spare;  // kept by number only: the disk cap may take them, oldest first
  std::vector<std::string> prune;
  std::uint64_t bytes = 0;
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    if (!it->whole) continue;
    if (kept.contains(it->id) || it->pinned) {
      bytes += it->bytes;
    } else if (++candidates[it->target] <= kKeptCandidates) {
      bytes += it->bytes;
      spare.push_back(&*it);
    } else {
      prune.push_back(it->id);
    }
  }
  for (; disk_cap > 0 && bytes > disk_cap && !spare.empty(); spare.pop_back()) {
    bytes -= spare.back()->bytes;
    prune.push_back(spare.back()->id);
  }
  return prune;
}

std::string Registry::to_json() const {
  std::vector<std::string> models, lines;
  for (const ModelEntry& entry : entries_) models.push_back(entry_json(entry));
  for (const Line& line : lines_)
    lines.push_back(
        JsonOut{}.put("target", line.target).put("champions", line.champions).put("pinned", line.pinned).text());
  return JsonOut{}.put("format", 1).put_list("models", models).put_list("lines", lines).text();
}

Result<Registry> Registry::from_json(std::string_view text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  Registry registry;
  for (const std::string& json : in.list("models")) {
    EL_TRY(ModelEntry entry, entry_from(json));
    registry.entries_.push_back(std::move(entry));
  }
  for (const std::string& json : in.list("lines")) {
    EL_TRY(JsonIn line_in, JsonIn::parse(json));
    Line line;
    line_in.get("target", line.target);
    line_in.get("champions", line.champions);
    line_in.get("pinned", line.pinned);
    EL_CHECK(line_in.finish("registry line"));
    registry.lines_.push_back(std::move(line));
  }
  EL_CHECK(in.finish("registry"));
  return registry;
}

Result<void> write_pointer(Fs& fs, const std::string& models, const std::string& target, const std::string& id) {
  return replace_file(fs, models + "/current_" + target, id + "\n");
}

}  // namespace everlearn
