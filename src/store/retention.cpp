// Deleting by rule: whole segments, first out of the catalogue (leaving a tombstone), then from the disk. A crash in
// between leaves files that the next open removes by their tombstones.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "store/store_impl.hpp"

namespace everlearn {

Result<Store::RetentionPlan> StoreImpl::plan_retention(Timestamp keep_from, std::uint64_t disk_cap) const {
  RetentionPlan plan;
  std::vector<Segment> kept;
  for (const Dataset dataset : kDatasets) {
    plan.rows_total += hot(dataset).rows();
    for (const Segment& segment : catalogue_.segments(dataset)) {
      plan.rows_total += segment.rows;
      plan.bytes_total += segment.bytes;
      (segment.last_event < keep_from ? plan.segments : kept).push_back(segment);
    }
  }
  const auto oldest_first = [](const Segment& a, const Segment& b) {
    return std::tie(a.last_event, a.id) < std::tie(b.last_event, b.id);
  };
  std::sort(plan.segments.begin(), plan.segments.end(), oldest_first);
  std::sort(kept.begin(), kept.end(), oldest_first);
  for (const Segment& segment : plan.segments) plan.bytes += segment.bytes;
  for (const Segment& segment : kept) {
    if (disk_cap == 0 || plan.bytes_total - plan.bytes <= disk_cap) break;
    plan.segments.push_back(segment);
    plan.bytes += segment.bytes;
  }
  for (const Segment& segment : plan.segments) plan.rows += segment.rows;
  return plan;
}

Result<void> StoreImpl::retain(const RetentionPlan& plan, Timestamp now) {
  EL_CHECK(nothing_pending("retention"));
  if (plan.segments.empty()) return {};
  const auto unlist = [&]() -> Result<void> {
    EL_CHECK(begin());
    for (const Segment& segment : plan.segments) EL_CHECK(catalogue_.retire(database_, segment.id, now));
    EL_CHECK(journal_.note(now, "retention",
                           fmt::format("deleted {} segments, {} rows, {} bytes, up to {}", plan.segments.size(),
                                       plan.rows, plan.bytes, plan.segments.back().last_event.iso())));
    return finish_commit();
  };
  if (auto unlisted = unlist(); !unlisted) {
    (void)rollback();
    return unlisted;
  }
  std::set<std::string> touched;
  for (const Segment& segment : plan.segments) {
    std::erase_if(sealed_keys_, [&](const SealedKeys& keys) { return keys.segment == segment.id; });
    EL_CHECK(fs_.remove(path_of(segment)));
    touched.insert(path_of(segment).substr(0, path_of(segment).rfind('/')));
  }
  for (const std::string& month : touched) EL_CHECK(fs_.sync_directory(month));
  return {};
}

}  // namespace everlearn
