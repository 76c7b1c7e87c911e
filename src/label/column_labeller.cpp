#include "label/column_labeller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace everlearn {
namespace {

/// Empty: the row does not say yet.
std::optional<double> said(const Fields& fields) {
  return fields.outcome && std::isfinite(*fields.outcome) ? fields.outcome : std::nullopt;
}

bool is_class(double outcome, std::int32_t classes) {
  return outcome >= 0 && outcome < classes && outcome == std::floor(outcome);
}

}  // namespace

Timestamp ColumnLabeller::window_end(Timestamp at) const {
  return clock_end(spec_, calendar_, at).value_or(Timestamp::max());
}

Result<void> ColumnLabeller::open(InstrumentId instrument, Timestamp at, Price /*price*/, double /*flat_band*/) {
  Series& series = place(series_, instrument);
  if (series.last_open == at) return tl::unexpected<Error>(second_label(instrument, at));
  Timestamp end = at;
  if (!series.rows.empty()) {
    EL_TRY(end, clock_end(spec_, calendar_, series.rows.back().time));
  }
  EL_CHECK(order_.open(at));
  series.last_open = at;
  if (series.rows.empty()) {
    outbox_.voided(instrument, at, at, at, "no row of the table by the decision");
    return {};
  }
  if (end <= at) {  // to say it now would be no prediction
    outbox_.voided(instrument, at, at, at, "the newest row's horizon was over at the decision");
    return {};
  }
  Row& row = series.rows.back();
  row.end = end;
  if (row.decisions.empty()) due_.insert({end, instrument, row.time});
  row.decisions.push_back(at);
  ++waiting_;
  return {};
}

void ColumnLabeller::observe(const Event& event) {
  const auto* fields = std::get_if<Fields>(&event.what);
  if (fields == nullptr) return;
  auto& rows = place(series_, event.instrument).rows;
  if (rows.empty() || rows.back().time < event.event_time) {
    if (!rows.empty() && rows.back().decisions.empty()) rows.pop_back();
    Row row;
    row.time = event.event_time;
    row.outcome = said(*fields);
    row.known_at = event.known_at;
    rows.push_back(std::move(row));
    return;
  }
  const auto row = std::ranges::lower_bound(rows, event.event_time, {}, &Row::time);
  if (row->time == event.event_time) correct(event.instrument, *row, event, said(*fields));
}

void ColumnLabeller::correct(InstrumentId instrument, Row& row, const Event& event, std::optional<double> outcome) {
  if (event.known_at > row.end) {
    const bool decided = row.outcome && row.known_at < event.known_at;
    if (decided || event.known_at > row.end + spec_.tolerance) return;
    due_.insert({event.known_at, instrument, row.time});
  }
  row.outcome = outcome;
  row.known_at = event.known_at;
}

std::vector<Label> ColumnLabeller::settle(Timestamp now) {
  while (!due_.empty() && std::get<0>(*due_.begin()) <= now) {
    const auto [at, instrument, time] = *due_.begin();
    due_.erase(due_.begin());
    auto& rows = series_[index(instrument)].rows;
    const auto row = std::ranges::lower_bound(rows, time, {}, &Row::time);
    if (row == rows.end() || row->time != time || row->decisions.empty()) continue;  // decided by now
    if (!finish(instrument, *row, now))
      due_.insert({row->end + spec_.tolerance, instrument, time});
    else if (std::next(row) != rows.end())
      rows.erase(row);
  }
  order_.settle(now);
  return outbox_.take(now);
}

bool ColumnLabeller::finish(InstrumentId instrument, Row& row, Timestamp now) {
  const Timestamp deadline = row.end + spec_.tolerance;
  if (!row.outcome && now < deadline) return false;
  for (const Timestamp start : row.decisions) {
    if (!row.outcome)
      outbox_.voided(instrument, start, row.end, deadline,
                     fmt::format("no outcome within {} after the horizon", spec_.tolerance.text()));
    else if (spec_.column_classes > 0 && !is_class(*row.outcome, spec_.column_classes))
      outbox_.voided(instrument, start, row.end, row.known_at,
                     fmt::format("outcome {} is none of the classes 0..{}", *row.outcome, spec_.column_classes - 1));
    else
      outbox_.known(instrument, start, row.end, row.known_at, *row.outcome);
  }
  waiting_ -= row.decisions.size();
  row.decisions.clear();
  return true;
}

void ColumnLabeller::encode(ByteWriter& out) const {
  out.text(fingerprint(spec_));
  order_.encode(out);
  outbox_.encode(out);
  out.u64(series_.size());
  for (const Series& series : series_) {
    out.time(series.last_open);
    out.u64(series.rows.size());
    for (const Row& row : series.rows) {
      out.time(row.time);
      out.time(row.end);
      out.boolean(row.outcome.has_value());
      if (row.outcome) out.f64(*row.outcome);
      out.time(row.known_at);
      out.u64(row.decisions.size());
      for (const Timestamp start : row.decisions) out.time(start);
    }
  }
  out.u64(due_.size());
  for (const auto& [at, instrument, time] : due_) {
    out.time(at);
    out.u32(static_cast<std::uint32_t>(instrument));
    out.time(time);
  }
}

Result<void> ColumnLabeller::decode(ByteReader& in) {
  EL_CHECK(check_fingerprint(in, spec_));
  order_.decode(in);
  outbox_.decode(in);
  series_.clear();
  due_.clear();
  waiting_ = 0;
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Series& series = series_.emplace_back();
    series.last_open = in.time();
    for (std::uint64_t rows = in.u64(); rows > 0 && in.ok(); --rows) {
      Row& row = series.rows.emplace_back();
      row.time = in.time();
      row.end = in.time();
      if (in.boolean()) row.outcome = in.f64();
      row.known_at = in.time();
      for (std::uint64_t decisions = in.u64(); decisions > 0 && in.ok(); --decisions)
        row.decisions.push_back(in.time());
      waiting_ += row.decisions.size();
    }
  }
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    const Timestamp at = in.time();
    const InstrumentId instrument{in.u32()};
    due_.insert({at, instrument, in.time()});
    if (index(instrument) >= series_.size())
      return fail(Code::Damaged, fmt::format("labeller state: no instrument {}", index(instrument)));
  }
  return check_read(in);
}

}  // namespace everlearn
