#include "train/row_selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "store/store.hpp"

namespace everlearn {
namespace {

auto key(const LabelledRow& row) { return std::tuple{row.event_time, row.instrument}; }

TimeRange range_of(const TrainJob& job) { return {job.fit_from, job.stop_until}; }

std::vector<SegmentRef> with_tail(const std::vector<SegmentRef>& sealed, const std::string& tail) {
  std::vector<SegmentRef> files = sealed;
  if (!tail.empty()) files.push_back({tail, "", 0});
  return files;
}

// Purge: a row may be fitted only if its outcome was known before the first stop decision, and may stop the training
// only if it was known before the hold-out's.
std::optional<Role> role_of(const TrainJob& job, const LabelRow& label) {
  if (label.event_time < job.stop_from)
    return label.known_at <= job.stop_from ? std::optional{Role::Fit} : std::nullopt;
  return label.known_at <= job.purge_stop_by ? std::optional{Role::Stop} : std::nullopt;
}

void keep_markets_apart(const TrainJob& job, std::vector<LabelledRow>& rows) {
  std::set<std::string> in_stop;
  const auto market = [&](const LabelledRow& row) -> const std::string& { return job.markets[index(row.instrument)]; };
  for (const LabelledRow& row : rows)
    if (row.role == Role::Stop && !market(row).empty()) in_stop.insert(market(row));
  std::erase_if(rows, [&](const LabelledRow& row) { return row.role == Role::Fit && in_stop.contains(market(row)); });
}

void keep_newest(const TrainJob& job, std::vector<LabelledRow>& rows) {
  const auto fit =
      std::count_if(rows.begin(), rows.end(), [](const LabelledRow& row) { return row.role == Role::Fit; });
  const auto surplus = fit - job.max_examples;
  if (surplus > 0) rows.erase(rows.begin(), rows.begin() + surplus);  // fit rows come first in time
}

}  // namespace

Result<RowSelection> select_rows(const TrainJob& job) {
  RowSelection selection;
  for (const SegmentRef& file : with_tail(job.labels, job.tail_labels)) {
    EL_CHECK(read_labels(file.path, file.sha256, range_of(job), [&](const LabelRow& label) {
      if (label.target != job.target_index || !label.known || label.known_at > job.as_of) return true;
      if (const auto role = role_of(job, label))
        selection.rows.push_back({label.instrument, label.event_time, label.end, label.value, *role});
      else
        ++selection.purged;
      return true;
    }));
  }
  // Labels are written when they become known; examples, which are merged with them below, when they were decided.
  std::sort(selection.rows.begin(), selection.rows.end(),
            [](const LabelledRow& a, const LabelledRow& b) { return key(a) < key(b); });
  const auto twice = std::adjacent_find(selection.rows.begin(), selection.rows.end(),
                                        [](const LabelledRow& a, const LabelledRow& b) { return key(a) == key(b); });
  if (twice != selection.rows.end())
    return fail(Code::Damaged,
                fmt::format("two labels of instrument {} at {}", index(twice->instrument), twice->event_time.iso()));
  if (job.group_by_market) keep_markets_apart(job, selection.rows);
  keep_newest(job, selection.rows);
  return selection;
}

Result<void> for_each_example(const TrainJob& job, const RowSelection& selection,
                              const std::function<void(const LabelledRow&, const ExampleRow&)>& row) {
  if (selection.rows.empty()) return {};
  const TimeRange range{selection.rows.front().event_time, job.stop_until};
  auto wanted = selection.rows.begin();
  std::string problem;
  for (const SegmentRef& file : with_tail(job.examples, job.tail_examples)) {
    if (wanted == selection.rows.end()) break;
    EL_CHECK(read_examples(file.path, file.sha256, range, [&](const ExampleRow& example) {
      const auto at = std::tuple{example.event_time, example.instrument};
      if (wanted == selection.rows.end() || at < key(*wanted)) return true;
      if (at > key(*wanted)) {
        problem = fmt::format("no example of instrument {} at {}, though it has a label", index(wanted->instrument),
                              wanted->event_time.iso());
        return false;
      }
      if (example.features.size() != job.columns.size()) {
        problem = fmt::format("{}: an example has {} features, the job wants {}", file.path, example.features.size(),
                              job.columns.size());
        return false;
      }
      row(*wanted++, example);
      return true;
    }));
    if (!problem.empty()) return fail(Code::Damaged, problem);
  }
  if (wanted != selection.rows.end())
    return fail(Code::Damaged, fmt::format("no example of instrument {} at {}, though it has a label",
                                           index(wanted->instrument), wanted->event_time.iso()));
  return {};
}

Result<void> for_each_row(const TrainJob& job, const RowSelection& selection,
                          const std::function<void(const LabelledRow&, std::span<const float>)>& row) {
  return for_each_example(job, selection,
                          [&](const LabelledRow& wanted, const ExampleRow& example) { row(wanted, example.features); });
}

}  // namespace everlearn
