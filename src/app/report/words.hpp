// Figures as a person reads them. Never the locale's business: the same everywhere. Not finite: "n/a".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace everlearn {

/// "0.034", "-1.20"; a value that rounds to zero has no sign.
std::string figure(double value, int decimals);
/// 0.512 -> "51.2 %"
std::string percent(double share, int decimals = 1);
/// "8,313"
std::string grouped(std::int64_t value);
/// "-1,234" from 1,000 on, "12.34" below.
std::string money(double value);
/// "45 s", "2 min 10 s", "3 h 20 min", "12 d"
std::string span_of(double seconds);
/// "1.2 GB"
std::string bytes_of(std::uint64_t bytes);
/// "1 day", "3 days"
std::string some(std::int64_t n, std::string_view thing);
/// The first twelve digits of an id.
std::string brief(std::string_view id);
/// "ret_5@1f3a" -> "ret_5"
std::string without_hash(std::string_view column);

}  // namespace everlearn
