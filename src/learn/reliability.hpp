// Does a probability mean what it says? Rows in fifteen equal-width bins of the confidence; in each, the mean
// confidence against the share that came true. Guo et al. (2017); class by class: Kull et al. (2019). Values: any
// thread may own one.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "learn/compensated_sum.hpp"

namespace everlearn {

struct ReliabilityBin {
  std::int64_t n = 0;
  double confidence = 0, share = 0;  // mean said, and how often it came; 0 in an empty bin
  bool operator==(const ReliabilityBin&) const = default;
};

/// The bins of the likeliest class's probability. Bin b has the confidences in (b / 15, (b + 1) / 15], the first 0 too.
struct Reliability {
  static constexpr int kBins = 15;
  std::vector<ReliabilityBin> bins;  // kBins; empty: not measured

  std::int64_t n() const;
  /// Expected calibration error: the mean of |share - confidence| over the rows. NaN without rows.
  double ece() const;

  /// A list of [n, confidence, share].
  std::string to_json() const;
  /// Errors: BadData.
  static Result<Reliability> from_json(std::string_view json);
  bool operator==(const Reliability&) const = default;
};

class ReliabilityScore {
 public:
  explicit ReliabilityScore(int classes);
  /// A row with a probability that is not finite, or without a class as outcome, is left out.
  void add(double outcome, std::span<const double> probabilities);

  Reliability reliability() const;
  /// The expected calibration error of each class's probability, binned alike, averaged over the classes. NaN without
  /// rows.
  double class_ece() const;

 private:
  struct Bin {
    std::int64_t n = 0, came = 0;
    CompensatedSum confidence;
  };
  using Bins = std::array<Bin, Reliability::kBins>;
  static void put(Bins& bins, double confidence, bool came);
  static Reliability of(const Bins& bins);

  Bins top_{};
  std::vector<Bins> by_class_;
};

}  // namespace everlearn
