#include "app/report/words.hpp"

#include <fmt/format.h>

#include <cmath>

namespace everlearn {
namespace {

constexpr std::size_t kBrief = 12;

std::string with_commas(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace

std::string figure(double value, int decimals) {
  if (!std::isfinite(value)) return "n/a";
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string percent(double share, int decimals) {
  return std::isfinite(share) ? figure(100 * share, decimals) + " %" : "n/a";
}

std::string grouped(std::int64_t value) { return with_commas(fmt::format("{}", value)); }

std::string money(double value) {
  if (!std::isfinite(value)) return "n/a";
  return std::abs(value) < 1000 ? figure(value, 2) : with_commas(figure(value, 0));
}

std::string span_of(double seconds) {
  if (!std::isfinite(seconds)) return "n/a";
  if (seconds < 10) return figure(seconds, 2) + " s";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  const std::int64_t days = whole / 86'400, hours = whole / 3'600 % 24, minutes = whole / 60 % 60;
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3'600) return fmt::format("{} min{}", minutes, whole % 60 > 0 ? fmt::format(" {} s", whole % 60) : "");
  if (days == 0) return fmt::format("{} h{}", hours, minutes > 0 ? fmt::format(" {} min", minutes) : "");
  return fmt::format("{} d{}", grouped(days), hours > 0 && days < 30 ? fmt::format(" {} h", hours) : "");
}

std::string bytes_of(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 1'000'000) return figure(value / 1e3, 0) + " kB";
  if (bytes < 1'000'000'000) return figure(value / 1e6, 1) + " MB";
  return figure(value / 1e9, 2) + " GB";
}

std::string some(std::int64_t n, std::string_view thing) {
  return fmt::format("{} {}{}", grouped(n), thing, n == 1 ? "" : "s");
}

std::string brief(std::string_view id) { return std::string{id.substr(0, kBrief)}; }

std::string without_hash(std::string_view column) { return std::string{column.substr(0, column.find('@'))}; }

}  // namespace everlearn
