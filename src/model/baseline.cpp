#include "model/baseline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <optional>

#include "core/assert.hpp"

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMomentumReturns = 8;  // k
constexpr std::size_t kVolatilityHorizons = 4;
constexpr std::size_t kLabels = 200;

Result<void> check_state(ByteReader& in, std::string_view wanted) {
  const std::string found = in.text();
  if (found != wanted)
    return fail(Code::Damaged, fmt::format("baseline state is of another target: '{}', not '{}'", found, wanted));
  return {};
}

Result<void> check_read(const ByteReader& in) {
  if (!in.ok()) return fail(Code::Damaged, "baseline state ends early");
  return {};
}

/// The last returns from sample to sample of every instrument.
class SampleReturns {
 public:
  SampleReturns(ReturnUnit unit, std::size_t keep) : unit_{unit}, keep_{keep} {}

  struct Series {
    bool seen = false;
    Timestamp at;
    Price price;
    std::deque<double> returns;  // oldest first
  };

  /// False for a sample that is not later than the one before.
  bool add(InstrumentId instrument, Timestamp at, Price price) {
    if (index(instrument) >= all_.size()) all_.resize(index(instrument) + 1);
    Series& series = all_[index(instrument)];
    if (series.seen && at <= series.at) return false;
    if (series.seen) {
      if (const auto r = between(series.price, price)) {
        series.returns.push_back(*r);
        if (series.returns.size() > keep_) series.returns.pop_front();
      }
    }
    series.seen = true;
    series.at = at;
    series.price = price;
    return true;
  }

  const Series* find(InstrumentId instrument) const {
    if (index(instrument) >= all_.size() || !all_[index(instrument)].seen) return nullptr;
    return &all_[index(instrument)];
  }

  void encode(ByteWriter& out) const {
    out.u64(all_.size());
    for (const Series& series : all_) {
      out.boolean(series.seen);
      out.time(series.at);
      out.i64(series.price.nanos());
      out.f64s(std::vector<double>(series.returns.begin(), series.returns.end()));
    }
  }

  void decode(ByteReader& in) {
    all_.clear();
    for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
      Series& series = all_.emplace_back();
      series.seen = in.boolean();
      series.at = in.time();
      series.price = Price::from_nanos(in.i64());
      const auto returns = in.f64s();
      series.returns.assign(returns.begin(), returns.end());
    }
  }

 private:
  std::optional<double> between(Price from, Price to) const {
    const double change = static_cast<double>(to.nanos() - from.nanos());
    switch (unit_) {
      case ReturnUnit::Points:
        return change / static_cast<double>(Price::kScale);
      case ReturnUnit::Relative:
        if (from.nanos() <= 0) return std::nullopt;
        return change / static_cast<double>(from.nanos());
      case ReturnUnit::Log:
        if (from.nanos() <= 0 || to.nanos() <= 0) return std::nullopt;
        return std::log(static_cast<double>(to.nanos()) / static_cast<double>(from.nanos()));
    }
    return std::nullopt;
  }

  const ReturnUnit unit_;
  const std::size_t keep_;
  std::vector<Series> all_;  // by instrument
};

class ShrinkageMomentum final : public Baseline {
 public:
  ShrinkageMomentum(ReturnUnit unit, int samples_per_horizon, bool bounded)
      : unit_{unit}, samples_{samples_per_horizon}, bounded_{bounded}, returns_{unit, kMomentumReturns} {}

  void observe(InstrumentId instrument, Timestamp at, Price price) override { returns_.add(instrument, at, price); }
  void observe(const Label&) override {}

  void predict(InstrumentId instrument, std::span<double> out) const override {
    EL_ASSERT(out.size() == 1, "a return is one value");
    const auto* series = returns_.find(instrument);
    if (series == nullptr) {
      out[0] = kUnknown;
      return;
    }
    const auto n = static_cast<double>(series->returns.size());
    double sum = 0;
    for (const double r : series->returns) sum += r;
    // The n returns are worth n / samples_per_horizon returns of the horizon: that is what the shrinkage counts.
    const double horizons = n / samples_;
    const double weight = horizons / (horizons + static_cast<double>(kMomentumReturns));
    const double mean = n > 0 ? sum / n * samples_ : 0;
    out[0] = inside(weight * mean, series->price.value());
  }

  double no_change(InstrumentId) const override { return 0; }

  void encode(ByteWriter& out) const override {
    out.text(name());
    returns_.encode(out);
  }
  Result<void> decode(ByteReader& in) override {
    EL_CHECK(check_state(in, name()));
    returns_.decode(in);
    return check_read(in);
  }

 private:
  std::string name() const { return fmt::format("momentum v2 {} {} {}", static_cast<int>(unit_), samples_, bounded_); }

  /// The change, such that a price in [0, 1] stays there.
  double inside(double change, double price) const {
    if (!bounded_) return change;
    switch (unit_) {
      case ReturnUnit::Points:
        return std::clamp(change, std::min(0.0, -price), std::max(0.0, 1 - price));
      case ReturnUnit::Relative:
        return price > 0 ? std::clamp(change, -1.0, std::max(0.0, (1 - price) / price)) : 0;
      case ReturnUnit::Log:
        return price > 0 ? std::min(change, std::max(0.0, -std::log(price))) : 0;
    }
    return change;
  }

  const ReturnUnit unit_;
  const int samples_;
  const bool bounded_;
  SampleReturns returns_;
};

class TrailingVolatility final : public Baseline {
 public:
  TrailingVolatility(ReturnUnit unit, int samples_per_horizon)
      : logarithm_{unit == ReturnUnit::Log},
        samples_{static_cast<std::size_t>(samples_per_horizon)},
        returns_{ReturnUnit::Log, samples_ * kVolatilityHorizons} {}

  void observe(InstrumentId instrument, Timestamp at, Price price) override {
    if (!returns_.add(instrument, at, price)) return;
    // Computed once a sample, not once a cycle.
    if (index(instrument) >= said_.size()) said_.resize(index(instrument) + 1);
    said_[index(instrument)] = {trailing(instrument, samples_ * kVolatilityHorizons), trailing(instrument, samples_)};
  }
  void observe(const Label&) override {}

  void predict(InstrumentId instrument, std::span<double> out) const override {
    EL_ASSERT(out.size() == 1, "a volatility is one value");
    out[0] = index(instrument) < said_.size() ? said_[index(instrument)].baseline : kUnknown;
  }
  double no_change(InstrumentId instrument) const override {
    return index(instrument) < said_.size() ? said_[index(instrument)].no_change : kUnknown;
  }

  void encode(ByteWriter& out) const override {
    out.text(name());
    returns_.encode(out);
    out.u64(said_.size());
    for (const Said& said : said_) {
      out.f64(said.baseline);
      out.f64(said.no_change);
    }
  }
  Result<void> decode(ByteReader& in) override {
    EL_CHECK(check_state(in, name()));
    returns_.decode(in);
    said_.clear();
    for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
      Said& said = said_.emplace_back();
      said.baseline = in.f64();
      said.no_change = in.f64();
    }
    return check_read(in);
  }

 private:
  struct Said {
    double baseline = kUnknown, no_change = kUnknown;
  };

  std::string name() const { return fmt::format("trailing volatility v1 {} {}", logarithm_, samples_); }

  double trailing(InstrumentId instrument, std::size_t window) const {
    const auto& returns = returns_.find(instrument)->returns;
    const std::size_t n = std::min(window, returns.size());
    if (n == 0 || 2 * n < samples_) return kUnknown;
    double squares = 0;
    for (std::size_t i = returns.size() - n; i < returns.size(); ++i) squares += returns[i] * returns[i];
    const double rms = std::sqrt(squares / static_cast<double>(n));
    if (!logarithm_) return rms;
    return rms > 0 ? std::log(rms) : kUnknown;
  }

  const bool logarithm_;
  const std::size_t samples_;
  SampleReturns returns_;
  std::vector<Said> said_;  // by instrument
};

class TrailingFrequencies final : public Baseline {
 public:
  explicit TrailingFrequencies(int classes) : classes_{static_cast<std::size_t>(classes)} {}

  void observe(InstrumentId, Timestamp, Price) override {}
  void observe(const Label& label) override {
    if (label.state != LabelState::Known) return;
    const auto outcome = static_cast<std::size_t>(label.value);
    EL_ASSERT(label.value >= 0 && outcome < classes_, "label of another target");
    if (index(label.instrument) >= recent_.size()) recent_.resize(index(label.instrument) + 1);
    auto& recent = recent_[index(label.instrument)];
    recent.push_back(static_cast<std::uint8_t>(outcome));
    if (recent.size() > kLabels) recent.pop_front();
  }

  void predict(InstrumentId instrument, std::span<double> out) const override {
    EL_ASSERT(out.size() == classes_, "one probability a class");
    if (index(instrument) >= recent_.size() || recent_[index(instrument)].empty()) {
      std::ranges::fill(out, kUnknown);
      return;
    }
    const auto& recent = recent_[index(instrument)];
    std::ranges::fill(out, 1.0);  // the pseudo-counts
    for (const std::uint8_t outcome : recent) out[outcome] += 1;
    for (double& p : out) p /= static_cast<double>(recent.size() + classes_);
  }
  double no_change(InstrumentId) const override { return kUnknown; }

  void encode(ByteWriter& out) const override {
    out.text(name());
    out.u64(recent_.size());
    for (const auto& recent : recent_) {
      out.u64(recent.size());
      for (const std::uint8_t outcome : recent) out.u8(outcome);
    }
  }
  Result<void> decode(ByteReader& in) override {
    EL_CHECK(check_state(in, name()));
    recent_.clear();
    for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
      auto& recent = recent_.emplace_back();
      for (std::uint64_t labels = in.u64(); labels > 0 && in.ok(); --labels) {
        recent.push_back(in.u8());
        if (recent.back() >= classes_)
          return fail(Code::Damaged, fmt::format("baseline state: class {}", recent.back()));
      }
    }
    return check_read(in);
  }

 private:
  std::string name() const { return fmt::format("trailing frequencies v1 {}", classes_); }

  const std::size_t classes_;
  std::vector<std::deque<std::uint8_t>> recent_;  // by instrument, oldest first
};

class TrailingMean final : public Baseline {
 public:
  void observe(InstrumentId, Timestamp, Price) override {}
  void observe(const Label& label) override {
    if (label.state != LabelState::Known) return;
    if (index(label.instrument) >= recent_.size()) recent_.resize(index(label.instrument) + 1);
    auto& recent = recent_[index(label.instrument)];
    recent.push_back(label.value);
    if (recent.size() > kLabels) recent.pop_front();
  }

  void predict(InstrumentId instrument, std::span<double> out) const override {
    EL_ASSERT(out.size() == 1, "a column's value is one value");
    const auto* recent = find(instrument);
    double sum = 0;
    if (recent != nullptr)
      for (const double value : *recent) sum += value;
    out[0] = recent != nullptr ? sum / static_cast<double>(recent->size()) : kUnknown;
  }
  double no_change(InstrumentId instrument) const override {
    const auto* recent = find(instrument);
    return recent != nullptr ? recent->back() : kUnknown;
  }

  void encode(ByteWriter& out) const override {
    out.text(kName);
    out.u64(recent_.size());
    for (const auto& recent : recent_) out.f64s(std::vector<double>(recent.begin(), recent.end()));
  }
  Result<void> decode(ByteReader& in) override {
    EL_CHECK(check_state(in, kName));
    recent_.clear();
    for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
      const auto values = in.f64s();
      recent_.emplace_back(values.begin(), values.end());
    }
    return check_read(in);
  }

 private:
  static constexpr std::string_view kName = "trailing mean v1";

  /// Null before the first label.
  const std::deque<double>* find(InstrumentId instrument) const {
    if (index(instrument) >= recent_.size() || recent_[index(instrument)].empty()) return nullptr;
    return &recent_[index(instrument)];
  }

  std::vector<std::deque<double>> recent_;  // by instrument, oldest first
};

}  // namespace

std::unique_ptr<Baseline> make_baseline(const LabelSpec& spec, int samples_per_horizon, bool bounded) {
  EL_ASSERT(samples_per_horizon >= 1, "a horizon has at least one sample");
  if (spec.is_class()) return std::make_unique<TrailingFrequencies>(spec.classes());
  if (spec.kind == LabelKind::Column) return std::make_unique<TrailingMean>();
  if (spec.kind == LabelKind::RealisedVolatility)
    return std::make_unique<TrailingVolatility>(spec.unit, samples_per_horizon);
  return std::make_unique<ShrinkageMomentum>(spec.unit, samples_per_horizon, bounded);
}

}  // namespace everlearn
