#include "app/streams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool spoke(const PredictionRow& row) {
  return !row.probabilities.empty() &&
         std::ranges::all_of(row.probabilities, [](double p) { return std::isfinite(p); });
}

}  // namespace

std::string_view text(Stream stream) { return stream == Stream::Tuned ? "tuned" : "base"; }

void StreamRecord::matured(bool right) {
  if (recent_.size() < kRecentRows) {
    recent_.push_back(right ? 1 : 0);
    return;
  }
  recent_[next_] = right ? 1 : 0;
  next_ = (next_ + 1) % kRecentRows;
}

std::optional<double> StreamRecord::accuracy() const {
  if (recent_.empty()) return std::nullopt;
  const auto right = std::ranges::count(recent_, std::uint8_t{1});
  return static_cast<double>(right) / static_cast<double>(recent_.size());
}

void StreamRecord::encode(ByteWriter& out) const {
  ledger_.encode(out);
  out.u32(static_cast<std::uint32_t>(recent_.size()));
  for (const std::uint8_t right : recent_) out.u8(right);
  out.u64(next_);
}

Result<void> StreamRecord::decode(ByteReader& in) {
  EL_CHECK(ledger_.decode(in));
  recent_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) recent_.push_back(in.u8());
  next_ = static_cast<std::size_t>(in.u64());
  if (!in.ok() || recent_.size() > kRecentRows || next_ >= kRecentRows)
    return fail(Code::Damaged, "the checkpoint's stream record is damaged");
  return {};
}

void Streams::remember(Timestamp at, InstrumentId instrument, Stream stream, double said) {
  const auto [place, _] = waiting_.try_emplace({at, instrument}, std::array{kNaN, kNaN});
  place->second[static_cast<std::size_t>(stream)] = said;
}

void Streams::settle(Timestamp at, InstrumentId instrument, double outcome) {
  const auto found = waiting_.find({at, instrument});
  if (found == waiting_.end()) return;
  for (std::size_t stream = 0; stream < records_.size(); ++stream)
    if (std::isfinite(found->second[stream])) records_[stream].matured(found->second[stream] == outcome);
  waiting_.erase(found);
}

void Streams::forget(Timestamp at, InstrumentId instrument) { waiting_.erase({at, instrument}); }

void Streams::encode(ByteWriter& out) const {
  for (const StreamRecord& record : records_) record.encode(out);
  out.u8(static_cast<std::uint8_t>(serving_));
  out.i64(attempts_.verdicts);
  out.i64(attempts_.rows);
  out.i64(attempts_.uses);
  out.time(attempts_.judged_until);
  out.u32(static_cast<std::uint32_t>(waiting_.size()));
  for (const auto& [key, said] : waiting_) {
    out.time(key.first);
    out.u32(static_cast<std::uint32_t>(key.second));
    for (const double value : said) out.f64(value);
  }
}

Result<void> Streams::decode(ByteReader& in) {
  for (StreamRecord& record : records_) EL_CHECK(record.decode(in));
  const std::uint8_t serving = in.u8();
  if (serving > static_cast<std::uint8_t>(Stream::Tuned))
    return fail(Code::Damaged, fmt::format("checkpoint: stream {} does not exist", serving));
  serving_ = static_cast<Stream>(serving);
  attempts_.verdicts = in.i64();
  attempts_.rows = in.i64();
  attempts_.uses = in.i64();
  attempts_.judged_until = in.time();
  waiting_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const Timestamp at = in.time();
    const InstrumentId instrument{in.u32()};
    std::array<double, 2>& said = waiting_[{at, instrument}];
    for (double& value : said) value = in.f64();
  }
  return {};
}

Result<std::vector<HoldoutRow>> stream_rows(const Store& store, std::uint16_t target, const std::string& base,
                                            TimeRange range, Timestamp as_of) {
  using Key = std::pair<Timestamp, InstrumentId>;
  std::map<Key, HoldoutRow> rows;
  EL_CHECK(store.scan_labels(range, [&](const LabelRow& label) {
    if (label.target != target || !label.known || label.known_at > as_of) return true;
    HoldoutRow& row = rows[{label.event_time, label.instrument}];
    row.instrument = label.instrument;
    row.event_time = label.event_time;
    row.label_end = label.end;
    row.outcome = label.value;
    row.no_change = kNaN;
    return true;
  }));
  EL_CHECK(store.scan_predictions(range, [&](const PredictionRow& said) {
    const auto found = rows.find({said.event_time, said.instrument});
    if (said.target != target || found == rows.end() || !spoke(said)) return true;
    found->second.price = said.price;
    // What the tuned stream says beside a base is a tune of that base.
    if (said.stream == Stream::Tuned)
      found->second.candidate = said.probabilities;
    else if (said.bundle == base)
      found->second.champion = found->second.baseline = said.probabilities;
    return true;
  }));
  std::vector<HoldoutRow> both;
  for (auto& [key, row] : rows) {
    if (row.candidate.empty() || row.champion.empty()) continue;
    row.move = row.outcome - static_cast<double>(row.candidate.size() - 1) / 2;  // below or above the middle class
    both.push_back(std::move(row));
  }
  return both;
}

Result<Verdict> judge_streams(GateRules rules, const StreamRules& stream_rules, const std::vector<HoldoutRow>& rows,
                              Attempts& attempts) {
  rules.comparison = Comparison::NonInferior;
  rules.require = {{"accuracy", stream_rules.min_accuracy}};
  rules.max_gain_share = 1;
  EL_TRY(Verdict verdict, Gate{std::move(rules)}.review(rows));
  const auto fresh =
      std::ranges::count_if(rows, [&](const HoldoutRow& row) { return row.event_time > attempts.judged_until; });
  verdict.rows_used_before = std::ssize(rows) - fresh;
  ++attempts.verdicts;
  attempts.rows += fresh;
  attempts.uses += std::ssize(rows);
  if (!rows.empty()) attempts.judged_until = std::max(attempts.judged_until, rows.back().event_time);
  verdict.checks.push_back(
      {"attempts_per_row",
       attempts.rows > 0 ? static_cast<double>(attempts.uses) / static_cast<double>(attempts.rows) : kNaN, kNaN, true,
       fmt::format("{} verdicts on {} distinct rows", attempts.verdicts, attempts.rows)});
  return verdict;
}

std::string StreamVerdict::note() const {
  return fmt::format("the {} stream serves ({} until now): {}\n{}", text(after), text(before), verdict.reason,
                     JsonOut{}
                         .put("before", text(before))
                         .put("after", text(after))
                         .put("base", base)
                         .put("tune", tune)
                         .put_json("verdict", verdict.to_json())
                         .text());
}

Result<StreamVerdict> StreamVerdict::from_note(const Store::Note& note) {
  const auto damaged = [&](const std::string& why) {
    return fail(Code::Damaged, fmt::format("stream verdict of {}: {}", note.at.iso(), why));
  };
  const std::size_t line = note.text.find('\n');
  if (line == std::string::npos) return damaged("no second line");
  auto in = JsonIn::parse(std::string_view{note.text}.substr(line + 1));
  if (!in) return damaged(in.error().message);
  StreamVerdict told;
  told.at = note.at;
  std::string before, after;
  in->get("before", before);
  in->get("after", after);
  in->get("base", told.base);
  in->get("tune", told.tune);
  auto verdict = Verdict::from_json(in->json("verdict"));
  if (!verdict) return damaged(verdict.error().message);
  told.verdict = std::move(*verdict);
  if (const auto whole = in->finish("stream verdict"); !whole) return damaged(whole.error().message);
  told.before = before == text(Stream::Tuned) ? Stream::Tuned : Stream::Base;
  told.after = after == text(Stream::Tuned) ? Stream::Tuned : Stream::Base;
  return told;
}

}  // namespace everlearn
