#include "app/label_window.hpp"

#include <algorithm>

namespace everlearn {
namespace {

constexpr std::int64_t kLabelsAtOnce = 500'000;

auto key_of(const LabelRow& label) { return std::tuple{label.event_time, label.instrument, label.target}; }

}  // namespace

const LabelRow* LabelWindow::find(Timestamp event_time, InstrumentId instrument, std::uint16_t target) const {
  const Key key{event_time, instrument, target};
  const auto at = std::lower_bound(labels_.begin(), labels_.end(), key,
                                   [](const LabelRow& label, const Key& wanted) { return key_of(label) < wanted; });
  return at != labels_.end() && key_of(*at) == key ? &*at : nullptr;
}

Result<void> LabelWindow::walk(const Store& store, Dataset rows, TimeRange range,
                               const std::function<Result<void>(TimeRange, const LabelWindow&)>& visit) {
  EL_TRY(const auto stats, store.stats());
  std::int64_t labels = 0;
  std::optional<Timestamp> first, last;
  for (const DatasetStats& dataset : stats) {
    if (dataset.dataset == Dataset::Labels) labels = dataset.hot_rows + dataset.sealed_rows;
    if (dataset.dataset != rows) continue;
    first = dataset.first_event;
    last = dataset.last_event;
  }
  if (!first || !last) return {};
  const Timestamp from = std::max(range.from, *first);
  const Timestamp to = std::min(range.to, *last + Duration{1});
  if (from >= to) return {};
  const std::int64_t stretches = labels / kLabelsAtOnce + 1;
  const Duration length{(to - from).us() / stretches + 1};
  for (Timestamp at = from; at < to; at = at + length) {
    const TimeRange stretch{at, std::min(at + length, to)};
    LabelWindow window;
    EL_CHECK(store.scan_labels(stretch, [&](const LabelRow& label) {
      window.labels_.push_back(label);
      return true;
    }));
    std::sort(window.labels_.begin(), window.labels_.end(),
              [](const LabelRow& a, const LabelRow& b) { return key_of(a) < key_of(b); });
    EL_CHECK(visit(stretch, window));
  }
  return {};
}

}  // namespace everlearn
