#include "app/recent_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace everlearn {
namespace {

constexpr std::size_t kPruneAfter = 1'024;  // rows more than at the last pruning: it looks at every row

}  // namespace

RecentRows::RecentRows(std::uint16_t target, std::size_t columns, const TuneRules& rules, Duration embargo)
    : target_{target}, columns_{columns}, rules_{rules}, embargo_{embargo}, prune_at_{kPruneAfter} {}

void RecentRows::add(const ExampleRow& example) {
  if (example.features.size() != columns_) return;
  waiting_.insert_or_assign({example.event_time, example.instrument}, example);
  if (waiting_.size() > kMostKept) waiting_.erase(waiting_.begin());
}

void RecentRows::settle(const LabelRow& label) {
  if (label.target != target_) return;
  const auto found = waiting_.find({label.event_time, label.instrument});
  if (found == waiting_.end()) return;
  if (label.known) labelled_.insert_or_assign(found->first, Row{std::move(found->second), label});
  waiting_.erase(found);
  if (labelled_.size() >= prune_at_) prune();
}

// The newest rows, and before them the last whose label was known at their beginning. As rows come the boundary only
// moves on: what is too old once stays so.
RecentRows::Cut RecentRows::cut(Timestamp as_of) const {
  Cut cut;
  const auto newest = static_cast<std::size_t>(rules_.newest);
  if (labelled_.size() <= newest) return cut;
  auto at = std::prev(labelled_.end(), static_cast<std::ptrdiff_t>(newest));
  cut.boundary = at == labelled_.end() ? as_of : std::min(as_of, at->first.first);
  while (at != labelled_.begin() && cut.rows.size() < static_cast<std::size_t>(rules_.rows_max)) {
    --at;
    if (at->second.label.known_at + embargo_ <= cut.boundary) cut.rows.push_back(at);
  }
  std::reverse(cut.rows.begin(), cut.rows.end());
  return cut;
}

void RecentRows::prune() {
  const Cut kept = cut(Timestamp::max());
  if (kept.rows.size() == static_cast<std::size_t>(rules_.rows_max))
    labelled_.erase(labelled_.begin(), kept.rows.front());
  if (labelled_.size() > kMostKept)
    labelled_.erase(labelled_.begin(), std::prev(labelled_.end(), static_cast<std::ptrdiff_t>(kMostKept)));
  prune_at_ = labelled_.size() + kPruneAfter;
}

TuneRows RecentRows::tune_rows(Timestamp as_of) const {
  const Cut found = cut(as_of);
  TuneRows rows;
  if (static_cast<std::int64_t>(found.rows.size()) < rules_.rows_min) {
    rows.lacking = fmt::format("fewer than {} labelled rows before the newest {}", rules_.rows_min, rules_.newest);
    return rows;
  }
  rows.boundary = found.boundary;
  for (const auto& at : found.rows) {
    rows.examples.push_back(at->second.example);
    rows.labels.push_back(at->second.label);
  }
  return rows;
}

// Everything from `from` on.
Result<void> RecentRows::read(const Store& store, Timestamp from) {
  waiting_.clear();
  labelled_.clear();
  prune_at_ = kPruneAfter;
  std::map<Key, LabelRow> labels;
  EL_CHECK(store.scan_labels({from, Timestamp::max()}, [&](const LabelRow& label) {
    if (label.target == target_) labels.emplace(Key{label.event_time, label.instrument}, label);
    return true;
  }));
  return store.scan_examples({from, Timestamp::max()}, [&](const ExampleRow& example) {
    add(example);
    const auto label = labels.find({example.event_time, example.instrument});
    if (label != labels.end()) settle(label->second);
    return true;
  });
}

Result<void> RecentRows::rebuild(const Store& store) {
  EL_TRY(const auto stats, store.stats());
  const auto examples =
      std::find_if(stats.begin(), stats.end(), [](const DatasetStats& of) { return of.dataset == Dataset::Examples; });
  if (examples == stats.end() || !examples->first_event) {
    waiting_.clear();
    labelled_.clear();
    return {};
  }
  // As if rows came evenly, then further back until it is enough.
  const std::int64_t rows = std::max<std::int64_t>(1, examples->hot_rows + examples->sealed_rows);
  const Duration whole = *examples->last_event - *examples->first_event;
  const double share = 1.25 * static_cast<double>(rules_.rows_max + rules_.newest) / static_cast<double>(rows);
  Duration span = share < 1 ? Duration{static_cast<std::int64_t>(static_cast<double>(whole.us()) * share)} : whole;
  while (true) {
    const Timestamp from = span < whole ? *examples->last_event - span : *examples->first_event;
    EL_CHECK(read(store, from));
    const bool enough = cut(Timestamp::max()).rows.size() == static_cast<std::size_t>(rules_.rows_max);
    if (from <= *examples->first_event || enough) return {};
    span = std::max(span * 2, Duration::minutes(1));
  }
}

}  // namespace everlearn
