#include "trade/outlet_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr Duration kFirstRetry = Duration::seconds(1);  // doubled with each failure
constexpr Duration kMostRetry = Duration::seconds(15);  // up to this: an intent does not live long

Duration back_off(int attempts) {
  Duration wait = kFirstRetry;
  for (int i = 1; i < attempts && wait < kMostRetry; ++i) wait = wait * 2;
  return std::min(wait, kMostRetry);
}

}  // namespace

Result<OutletQueue> OutletQueue::from_json(std::string_view text) {
  OutletQueue queue;
  EL_TRY(JsonIn in, JsonIn::parse(text));
  const std::vector<std::string> entries = in.list("intents");
  EL_CHECK(in.finish("the queue of intents"));
  for (const std::string& entry : entries) {
    EL_TRY(JsonIn one, JsonIn::parse(entry));
    OutletIntent intent;
    one.get("number", intent.number);
    one.get("id", intent.id);
    one.get("body", intent.body);
    one.get("expires", intent.expires);
    one.get("to_file", intent.to_file);
    one.get("to_url", intent.to_url);
    one.get("attempts", intent.attempts);
    one.get("next_try", intent.next_try);
    EL_CHECK(one.finish("the queue of intents"));
    queue.queue_.push_back(std::move(intent));
  }
  return queue;
}

std::string OutletQueue::to_json() const {
  std::vector<std::string> entries;
  for (const OutletIntent& intent : queue_)
    entries.push_back(JsonOut{}
                          .put("number", intent.number)
                          .put("id", intent.id)
                          .put("body", intent.body)
                          .put("expires", intent.expires)
                          .put("to_file", intent.to_file)
                          .put("to_url", intent.to_url)
                          .put("attempts", intent.attempts)
                          .put("next_try", intent.next_try)
                          .text());
  return JsonOut{}.put_list("intents", entries).text();
}

bool OutletQueue::keep_for(bool file, bool url) {
  bool changed = false;
  for (OutletIntent& intent : queue_) {
    changed |= (intent.to_file && !file) || (intent.to_url && !url);
    intent.to_file &= file;
    intent.to_url &= url;
  }
  drop_done();
  return changed;
}

std::vector<OutletIntent> OutletQueue::for_file() const {
  std::vector<OutletIntent> intents;
  for (const OutletIntent& intent : queue_)
    if (intent.to_file) intents.push_back(intent);
  return intents;
}

void OutletQueue::in_file(const std::vector<OutletIntent>& written) {
  for (const OutletIntent& done : written)
    if (OutletIntent* intent = find(done.number)) intent->to_file = false;
  drop_done();
}

std::optional<OutletIntent> OutletQueue::next(Timestamp now, std::optional<std::int64_t> under_way) {
  for (OutletIntent& intent : queue_) {
    if (!intent.to_url || now < intent.expires || under_way == intent.number) continue;
    intent.to_url = false;
    losses_.push_back({intent.number, fmt::format("expired after {} attempts", intent.attempts)});
  }
  drop_done();
  if (under_way) return std::nullopt;
  OutletIntent* first = nullptr;
  for (OutletIntent& intent : queue_)
    if (intent.to_url && intent.next_try <= now && (first == nullptr || intent.next_try < first->next_try))
      first = &intent;
  if (first == nullptr) return std::nullopt;
  ++first->attempts;
  return *first;
}

void OutletQueue::answered(std::int64_t number, OutletAnswer answer, std::optional<Duration> again_after,
                           const std::string& detail, Timestamp now) {
  OutletIntent* intent = find(number);
  if (intent == nullptr) return;
  switch (answer) {
    case OutletAnswer::Taken:
      intent->to_url = false;
      break;
    case OutletAnswer::Refused:
      intent->to_url = false;
      losses_.push_back({number, detail});
      break;
    case OutletAnswer::Later:
      intent->next_try = now + std::max(again_after.value_or(Duration{}), back_off(intent->attempts));
      break;
  }
  drop_done();
}

std::optional<Timestamp> OutletQueue::due() const {
  std::optional<Timestamp> due;
  for (const OutletIntent& intent : queue_)
    if (intent.to_url && (!due || intent.next_try < *due)) due = intent.next_try;
  return due;
}

OutletIntent* OutletQueue::find(std::int64_t number) {
  const auto found =
      std::find_if(queue_.begin(), queue_.end(), [&](const OutletIntent& intent) { return intent.number == number; });
  return found == queue_.end() ? nullptr : &*found;
}

void OutletQueue::drop_done() {
  std::erase_if(queue_, [](const OutletIntent& intent) { return !intent.to_file && !intent.to_url; });
}

}  // namespace everlearn
