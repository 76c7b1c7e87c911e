#include "learn/reliability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/assert.hpp"
#include "core/json.hpp"
#include "learn/metrics.hpp"

namespace everlearn {

std::int64_t Reliability::n() const {
  std::int64_t rows = 0;
  for (const ReliabilityBin& bin : bins) rows += bin.n;
  return rows;
}

double Reliability::ece() const {
  CompensatedSum sum;
  for (const ReliabilityBin& bin : bins) sum.add(static_cast<double>(bin.n) * std::abs(bin.share - bin.confidence));
  const std::int64_t rows = n();
  return rows > 0 ? sum.value() / static_cast<double>(rows) : std::numeric_limits<double>::quiet_NaN();
}

std::string Reliability::to_json() const {
  std::vector<std::string> list;
  for (const ReliabilityBin& bin : bins)
    list.push_back(fmt::format("[{},{},{}]", bin.n, json_number(bin.confidence), json_number(bin.share)));
  return fmt::format("[{}]", fmt::join(list, ","));
}

Result<Reliability> Reliability::from_json(std::string_view json) {
  EL_TRY(JsonIn in, JsonIn::parse(fmt::format("{{\"bins\":{}}}", json)));
  Reliability read;
  const std::vector<std::string> bins = in.list("bins");
  EL_CHECK(in.finish("reliability"));
  for (const std::string& text : bins) {
    EL_TRY(JsonIn row, JsonIn::parse(fmt::format("{{\"bin\":{}}}", text)));
    std::vector<double> figures;
    row.get("bin", figures);
    EL_CHECK(row.finish("reliability"));
    if (figures.size() != 3)
      return fail(Code::BadData, fmt::format("reliability: a bin of {} figures, 3 wanted", figures.size()));
    read.bins.push_back({static_cast<std::int64_t>(figures[0]), figures[1], figures[2]});
  }
  if (!read.bins.empty() && read.bins.size() != kBins)
    return fail(Code::BadData, fmt::format("reliability: {} bins, {} wanted", read.bins.size(), kBins));
  return read;
}

ReliabilityScore::ReliabilityScore(int classes) : by_class_(static_cast<std::size_t>(classes)) {}

void ReliabilityScore::put(Bins& bins, double confidence, bool came) {
  const double place = std::ceil(confidence * Reliability::kBins) - 1;
  Bin& bin = bins[static_cast<std::size_t>(std::clamp(place, 0.0, Reliability::kBins - 1.0))];
  ++bin.n;
  if (came) ++bin.came;
  bin.confidence.add(confidence);
}

void ReliabilityScore::add(double outcome, std::span<const double> probabilities) {
  EL_ASSERT(probabilities.size() == by_class_.size(), "one probability a class");
  const bool finite = std::ranges::all_of(probabilities, [](double p) { return std::isfinite(p); });
  if (!finite || !(outcome >= 0 && outcome < static_cast<double>(by_class_.size()))) return;
  const auto came = static_cast<std::size_t>(outcome);
  const std::size_t top = likeliest(probabilities);
  put(top_, probabilities[top], top == came);
  for (std::size_t c = 0; c < by_class_.size(); ++c) put(by_class_[c], probabilities[c], c == came);
}

Reliability ReliabilityScore::of(const Bins& bins) {
  Reliability reliability;
  for (const Bin& bin : bins) {
    const auto n = static_cast<double>(bin.n);
    reliability.bins.push_back(
        bin.n == 0 ? ReliabilityBin{}
                   : ReliabilityBin{bin.n, bin.confidence.value() / n, static_cast<double>(bin.came) / n});
  }
  return reliability;
}

Reliability ReliabilityScore::reliability() const { return of(top_); }

double ReliabilityScore::class_ece() const {
  CompensatedSum sum;
  for (const Bins& bins : by_class_) sum.add(of(bins).ece());
  return sum.value() / static_cast<double>(by_class_.size());
}

}  // namespace everlearn
