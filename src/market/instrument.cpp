#include "market/instrument.hpp"

#include <limits>

#include <fmt/format.h>

#include "core/assert.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

void put(ByteWriter& out, const std::optional<std::int64_t>& value) {
  out.boolean(value.has_value());
  out.i64(value.value_or(0));
}

std::optional<std::int64_t> optional_i64(ByteReader& in) {
  const bool there = in.boolean();
  const std::int64_t value = in.i64();
  return there ? std::optional{value} : std::nullopt;
}

}  // namespace

InstrumentId Instruments::intern(std::string_view name) {
  if (const auto found = find(name)) return *found;
  EL_ASSERT(all_.size() < std::numeric_limits<std::uint32_t>::max(), "more than 2^32 - 1 instruments");
  const InstrumentId id{static_cast<std::uint32_t>(all_.size())};
  all_.emplace_back().name = name;
  by_name_.emplace(name, id);
  return id;
}

std::optional<InstrumentId> Instruments::find(std::string_view name) const {
  const auto at = by_name_.find(std::string{name});
  if (at == by_name_.end()) return std::nullopt;
  return at->second;
}

void Instruments::encode(ByteWriter& out) const {
  out.u32(static_cast<std::uint32_t>(all_.size()));
  for (const Instrument& one : all_) {
    out.text(one.name);
    out.text(one.market);
    put(out, one.tick_size ? std::optional{one.tick_size->nanos()} : std::nullopt);
    out.boolean(one.probability);
    out.boolean(one.context);
    put(out, one.end_time ? std::optional{one.end_time->us()} : std::nullopt);
    out.text(one.title);
    out.text(one.complement);
    out.boolean(one.mirrors);
    out.boolean(one.min_size.has_value());
    for (const double v : {one.min_size.value_or(0), one.fee_rate, one.fee_exponent}) out.f64(v);
  }
}

Result<Instruments> Instruments::decode(ByteReader& in) {
  Instruments table;
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const std::string name = in.text();
    if (table.find(name)) return fail(Code::Damaged, fmt::format("instruments: {} stands twice", quoted(name)));
    Instrument& one = table.edit(table.intern(name));
    one.market = in.text();
    if (const auto nanos = optional_i64(in)) one.tick_size = Price::from_nanos(*nanos);
    one.probability = in.boolean();
    one.context = in.boolean();
    if (const auto us = optional_i64(in)) one.end_time = Timestamp{*us};
    one.title = in.text();
    one.complement = in.text();
    one.mirrors = in.boolean();
    const bool has_min_size = in.boolean();
    if (const double size = in.f64(); has_min_size) one.min_size = size;
    one.fee_rate = in.f64();
    one.fee_exponent = in.f64();
  }
  if (!in.ok()) return fail(Code::Damaged, fmt::format("instruments: the bytes end before the last of {}", count));
  return table;
}

}  // namespace everlearn
