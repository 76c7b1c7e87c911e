#include "app/outlet_delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "app/report/words.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr std::uint64_t kFileEnd = 1 << 20;             // bytes of an existing file that are looked through
constexpr Duration kFileAgain = Duration::seconds(10);  // after a file that could not be written

OutletAnswer answer_of(Fate fate) {
  switch (fate) {
    case Fate::Sent:
      return OutletAnswer::Taken;
    case Fate::Refused:
      return OutletAnswer::Refused;
    case Fate::Later:
    case Fate::Broken:
      return OutletAnswer::Later;
  }
  return OutletAnswer::Later;
}

}  // namespace

OutletDelivery::OutletDelivery(const OutletSettings& settings, OutletParts parts)
    : parts_{std::move(parts)},
      file_{settings.file.empty() || settings.file.starts_with('/') ? settings.file
                                                                    : parts_.data_directory + "/" + settings.file} {
  if (parts_.address) thread_ = std::make_unique<ChannelThread>(std::move(parts_.address));
}

Result<std::unique_ptr<OutletDelivery>> OutletDelivery::make(const OutletSettings& settings, OutletParts parts) {
  if (!settings.url.empty() && settings.secret.empty())
    return fail(Code::Config, "trade.outlet.url needs trade.outlet.secret: nobody could tell who posts there");
  return std::unique_ptr<OutletDelivery>{new OutletDelivery{settings, std::move(parts)}};
}

Result<void> OutletDelivery::step() {
  const Timestamp now = parts_.clock.now();
  EL_TRY(OutletQueue queue, load_outlet(parts_.store));
  if (queue.empty()) return {};
  bool changed = queue.keep_for(!file_.empty(), thread_ != nullptr);
  changed |= take_answers(queue, now);
  changed |= write_file(queue, now);
  std::optional<OutletIntent> leaving;
  if (thread_) {
    const std::size_t before = queue.waiting();
    leaving = queue.next(now, under_way_);
    changed |= leaving || queue.waiting() != before;
  }
  EL_CHECK(tell_losses(queue, now));
  if (!changed) return {};
  EL_CHECK(save_outlet(parts_.store, queue));
  EL_CHECK(parts_.commit());
  if (leaving && thread_->offer({.number = static_cast<std::uint64_t>(leaving->number),
                                 .text = leaving->body,
                                 .expires = leaving->expires,
                                 .key = leaving->id}))
    under_way_ = leaving->number;
  return {};
}

Result<void> OutletDelivery::finish(Duration at_most) {
  EL_CHECK(step());
  if (!thread_) return {};
  for (Duration left = at_most; left.us() > 0;) {
    EL_TRY(const OutletQueue queue, load_outlet(parts_.store));
    const std::optional<Timestamp> due = queue.due();
    if (!due) break;
    const Timestamp now = parts_.clock.now();
    if (!under_way_ && *due - now >= left) break;
    const Duration until_due = std::max(*due - now, Duration{1'000});
    left = left - thread_->wait(under_way_ ? left : std::min(left, until_due));
    EL_CHECK(step());
  }
  thread_->stop();
  EL_TRY(OutletQueue queue, load_outlet(parts_.store));
  const bool changed = take_answers(queue, parts_.clock.now());
  if (queue.waiting() > 0)
    parts_.log.write(LogLevel::Warning, "outlet",
                     fmt::format("{} not handed over yet; the next start goes on until they expire",
                                 some(static_cast<std::int64_t>(queue.waiting()), "intent")));
  if (!changed) return {};
  EL_CHECK(tell_losses(queue, parts_.clock.now()));
  EL_CHECK(save_outlet(parts_.store, queue));
  return parts_.commit();
}

bool OutletDelivery::take_answers(OutletQueue& queue, Timestamp now) {
  if (!thread_) return false;
  const std::vector<ChannelAnswer> answers = thread_->take_answers();
  for (const ChannelAnswer& answer : answers) {
    const auto number = static_cast<std::int64_t>(answer.number);
    queue.answered(number, answer_of(answer.fate), answer.again_after, answer.detail, now);
    if (under_way_ == number) under_way_.reset();
    if (answer.fate == Fate::Sent)
      parts_.log.write(LogLevel::Info, "outlet", fmt::format("intent {} was handed over", number));
    else
      parts_.log.write(LogLevel::Warning, "outlet",
                       fmt::format("intent {}: {}{}", number, answer.detail,
                                   answer.fate == Fate::Refused ? "" : "; tried again until it expires"));
  }
  return !answers.empty();
}

Result<void> OutletDelivery::tell_losses(OutletQueue& queue, Timestamp now) {
  for (const OutletLoss& loss : queue.take_losses()) {
    const std::string words = fmt::format("intent {} was not taken: {}", loss.number, loss.why);
    parts_.log.write(LogLevel::Warning, "outlet", words);
    EL_CHECK(parts_.store.note(now, "outlet", words));
  }
  return {};
}

// A file that cannot be written is the user's to put right; the engine goes on.
bool OutletDelivery::write_file(OutletQueue& queue, Timestamp now) {
  const std::vector<OutletIntent> intents = queue.for_file();
  if (file_.empty() || intents.empty() || (file_again_ && now < *file_again_)) return false;
  if (const auto written = append(intents); !written) {
    parts_.log.write(
        LogLevel::Warning, "outlet",
        fmt::format("{} waiting for {}: {}", some(std::ssize(intents), "intent"), file_, written.error().message));
    looked_ = false;  // how much of it got there is not known
    file_again_ = now + kFileAgain;
    return false;
  }
  file_again_.reset();
  queue.in_file(intents);
  return true;
}

Result<void> OutletDelivery::append(const std::vector<OutletIntent>& intents) {
  if (!looked_) EL_CHECK(look_at_file());
  std::string lines;
  if (cut_off_) lines += '\n';
  for (const OutletIntent& intent : intents)
    if (!in_file_.contains(intent.id)) lines += intent.body + "\n";
  const bool is_new = !parts_.fs.exists(file_);
  EL_TRY(const auto file, parts_.fs.open_append(file_));
  EL_CHECK(file->append(lines));
  EL_CHECK(file->sync());
  EL_CHECK(file->close());
  if (is_new) EL_CHECK(parts_.fs.sync_directory(parent_directory(file_)));
  cut_off_ = false;
  return {};
}

// A process that died may have written what its store does not remember, and a part of a line.
Result<void> OutletDelivery::look_at_file() {
  cut_off_ = false;
  in_file_.clear();
  if (parts_.fs.exists(file_)) {
    EL_TRY(const auto file, parts_.fs.open(file_));
    const std::uint64_t from = file->size() - std::min(file->size(), kFileEnd);
    std::string end(file->size() - from, '\0');
    std::size_t got = 0;
    while (got < end.size()) {
      EL_TRY(const std::size_t n, file->read_at(from + got, std::span{end}.subspan(got)));
      if (n == 0) break;
      got += n;
    }
    end.resize(got);
    cut_off_ = !end.empty() && end.back() != '\n';
    for (std::size_t at = 0; at < end.size();) {
      const std::size_t stop = std::min(end.find('\n', at), end.size());
      if (auto line = JsonIn::parse(end.substr(at, stop - at)); line && line->has("id")) {
        std::string id;
        line->get("id", id);
        in_file_.insert(std::move(id));
      }
      at = stop + 1;
    }
  }
  looked_ = true;
  return {};
}

}  // namespace everlearn
