#include "serve/ensemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "core/bytes.hpp"
#include "core/hash.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kShortId = 12;

std::string id_of(const std::vector<Ensemble::Member>& members) {
  if (members.size() == 1) return members.front().predictor->id();
  ByteWriter out;
  out.text("everlearn ensemble v1");
  for (const Ensemble::Member& member : members) {
    out.text(member.predictor->id());
    out.f64(member.weight);
  }
  return sha256_hex(out.bytes());
}

Result<void> fit_together(const Predictor& first, const Predictor& other) {
  const Card &a = first.card(), &b = other.card();
  if (a.target == b.target && a.task == b.task && a.classes == b.classes) return {};
  return fail(Code::Model, fmt::format("ensemble: {} is of target {} with {} classes, {} of {} with {}",
                                       first.id().substr(0, kShortId), a.target, a.classes,
                                       other.id().substr(0, kShortId), b.target, b.classes));
}

}  // namespace

std::vector<std::string> ensemble_candidates(const Registry& registry, const std::string& target, std::size_t size) {
  std::vector<std::string> ids;
  const auto champion = registry.champion(target);
  const ModelEntry* entry = champion ? registry.find(*champion) : nullptr;
  if (entry == nullptr || !entry->whole) return ids;
  ids.push_back(*champion);
  for (const std::string& id : registry.previous_champions(target)) ids.push_back(id);
  if (ids.size() > size) ids.resize(size);
  return ids;
}

double validation_gain(const Card& card) {
  const auto gain = std::ranges::find(card.verdict.checks, "gain_over_baseline", &Check::name);
  if (gain == card.verdict.checks.end() || !std::isfinite(gain->measured)) return 0;
  return std::max(0.0, gain->measured);
}

Ensemble::Ensemble(std::vector<Member> members) : members_{std::move(members)}, id_{id_of(members_)} {}

Result<std::shared_ptr<const Ensemble>> Ensemble::make(const std::vector<std::shared_ptr<const Predictor>>& models) {
  if (models.empty()) return fail(Code::Usage, "ensemble: no model");
  std::set<std::string> seen;
  std::vector<Member> members;
  double sum = 0;
  for (const auto& model : models) {
    EL_CHECK(fit_together(*models.front(), *model));
    if (!seen.insert(model->id()).second)
      return fail(Code::Usage, fmt::format("ensemble: {} is in it twice", model->id().substr(0, kShortId)));
    if (static_cast<std::size_t>(model->width()) > kMaxOutputs)
      return fail(Code::Usage, fmt::format("ensemble: {} values a row, {} at most", model->width(), kMaxOutputs));
    const double gain = validation_gain(model->card());
    if (gain > 0) members.push_back({model, gain});
    sum += gain;
  }
  if (members.empty())
    members.push_back({models.front(), 1});
  else
    for (Member& member : members) member.weight /= sum;
  return std::shared_ptr<const Ensemble>{new Ensemble{std::move(members)}};
}

Timestamp Ensemble::expires_at() const {
  Timestamp first = Timestamp::max();
  for (const Member& member : members_) first = std::min(first, member.predictor->card().expires_at);
  return first;
}

TrainingIntervals Ensemble::seen() const {
  TrainingIntervals all;
  for (const Member& member : members_) {
    const TrainingIntervals own = member.predictor->seen();
    all.insert(all.end(), own.begin(), own.end());
  }
  return united(std::move(all));
}

Timestamp Ensemble::seen_until() const {
  Timestamp last = Timestamp::min();
  for (const Member& member : members_) last = std::max(last, member.predictor->seen_until());
  return last;
}

void Ensemble::predict(std::span<const float> row, std::span<float> scratch, std::span<double> out) const {
  const auto width = static_cast<std::size_t>(this->width());
  std::ranges::fill(out.first(width), 0.0);
  std::array<double, kMaxOutputs> said{};
  for (const Member& member : members_) {
    member.predictor->predict(row, scratch, said);
    for (std::size_t i = 0; i < width; ++i) out[i] += member.weight * said[i];
  }
  const bool finite = std::ranges::all_of(out.first(width), [](double x) { return std::isfinite(x); });
  if (!finite) std::ranges::fill(out.first(width), std::numeric_limits<double>::quiet_NaN());
}

double Ensemble::outside_share(std::span<const float> row) const {
  double share = 0;
  for (const Member& member : members_) share += member.weight * member.predictor->outside_share(row);
  return share;
}

std::string Ensemble::text() const {
  std::string text = fmt::format("{} model{}:", members_.size(), members_.size() == 1 ? "" : "s");
  for (const Member& member : members_)
    text += fmt::format("{} {} {:.2f}", &member == &members_.front() ? "" : ",",
                        member.predictor->id().substr(0, kShortId), member.weight);
  return text;
}

}  // namespace everlearn
