// Test only: whole series at once in long double, each statistic recomputed from its window in two passes. Slow and
// plain on purpose: it is what the bank is compared with and shares no code with it.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace everlearn::testing {

using Real = long double;
inline constexpr Real kNaN = std::numeric_limits<Real>::quiet_NaN();

/// One value a step; NaN = unknown.
struct Series {
  std::vector<Real> v;
  std::size_t size() const { return v.size(); }
};

inline Series map(const Series& a, const std::function<Real(Real)>& f) {
  Series out = a;
  for (Real& x : out.v) x = std::isnan(x) ? kNaN : f(x);
  return out;
}

inline Series zip(const Series& a, const Series& b, const std::function<Real(Real, Real)>& f) {
  Series out = a;
  for (std::size_t t = 0; t < a.size(); ++t) {
    out.v[t] = std::isnan(a.v[t]) || std::isnan(b.v[t]) ? kNaN : f(a.v[t], b.v[t]);
  }
  return out;
}

inline Series operator+(const Series& a, const Series& b) {
  return zip(a, b, [](Real x, Real y) { return x + y; });
}
inline Series operator-(const Series& a, const Series& b) {
  return zip(a, b, [](Real x, Real y) { return x - y; });
}
inline Series operator*(const Series& a, const Series& b) {
  return zip(a, b, [](Real x, Real y) { return x * y; });
}
inline Series operator/(const Series& a, const Series& b) {
  return zip(a, b, [](Real x, Real y) { return y == 0 ? kNaN : x / y; });
}
inline Series operator+(const Series& a, Real c) {
  return map(a, [c](Real x) { return x + c; });
}
inline Series operator-(const Series& a, Real c) {
  return map(a, [c](Real x) { return x - c; });
}
inline Series operator*(const Series& a, Real c) {
  return map(a, [c](Real x) { return x * c; });
}
inline Series operator/(const Series& a, Real c) {
  return map(a, [c](Real x) { return x / c; });
}
inline Series operator-(Real c, const Series& a) {
  return map(a, [c](Real x) { return c - x; });
}

inline Series over(const Series& a, const Series& b, Real where_0) {
  return zip(a, b, [where_0](Real x, Real y) { return y == 0 ? where_0 : x / y; });
}
inline Series abs(const Series& a) {
  return map(a, [](Real x) { return std::fabs(x); });
}
inline Series sqrt(const Series& a) {
  return map(a, [](Real x) { return x < 0 ? kNaN : std::sqrt(x); });
}
inline Series log(const Series& a) {
  return map(a, [](Real x) { return x <= 0 ? kNaN : std::log(x); });
}
inline Series log1p(const Series& a) {
  return map(a, [](Real x) { return x <= -1 ? kNaN : std::log1p(x); });
}
inline Series sign(const Series& a) {
  return map(a, [](Real x) { return x > 0 ? 1.0L : x < 0 ? -1.0L : 0.0L; });
}
inline Series max(const Series& a, const Series& b) {
  return zip(a, b, [](Real x, Real y) { return std::max(x, y); });
}
inline Series min(const Series& a, const Series& b) {
  return zip(a, b, [](Real x, Real y) { return std::min(x, y); });
}
inline Series where(const Series& a, const std::function<bool(Real)>& f) {
  return map(a, [&f](Real x) { return f(x) ? 1.0L : 0.0L; });
}
inline Series positive(const Series& a) {
  return where(a, [](Real x) { return x > 0; });
}

/// The value k steps ago, if all since then are known.
inline Series lag(const Series& a, int k) {
  Series out = a;
  int run = 0;
  for (std::size_t t = 0; t < a.size(); ++t) {
    run = std::isnan(a.v[t]) ? 0 : run + 1;
    out.v[t] = run > k ? a.v[t - static_cast<std::size_t>(k)] : kNaN;
  }
  return out;
}

using Window = std::vector<Real>;

/// f of the last w values, oldest first, wherever all are known.
inline Series rolling(const Series& a, int w, const std::function<Real(const Window&)>& f) {
  Series out{std::vector<Real>(a.size(), kNaN)};
  for (std::size_t t = static_cast<std::size_t>(w) - 1; t < a.size(); ++t) {
    const Window window(a.v.begin() + static_cast<std::ptrdiff_t>(t + 1) - w,
                        a.v.begin() + static_cast<std::ptrdiff_t>(t + 1));
    bool known = true;
    for (const Real x : window) known = known && !std::isnan(x);
    if (known) out.v[t] = f(window);
  }
  return out;
}

inline Real plain_mean(const Window& x) {
  Real total = 0;
  for (const Real value : x) total += value - x[0];
  return x[0] + total / static_cast<Real>(x.size());
}
/// Mean of the k-th powers of the deviations from the mean.
inline Real central(const Window& x, int k) {
  const Real center = plain_mean(x);
  Real total = 0;
  for (const Real value : x) total += std::pow(value - center, static_cast<Real>(k));
  return total / static_cast<Real>(x.size());
}

inline Series mean(const Series& a, int w) { return rolling(a, w, plain_mean); }
inline Series sum(const Series& a, int w) {
  return rolling(a, w, [](const Window& x) {
    Real total = 0;
    for (const Real value : x) total += value;
    return total;
  });
}
inline Series var(const Series& a, int w) {
  return rolling(a, w, [](const Window& x) { return central(x, 2); });
}
inline Series sd(const Series& a, int w) { return sqrt(var(a, w)); }
inline Series highest(const Series& a, int w) {
  return rolling(a, w, [](const Window& x) { return *std::max_element(x.begin(), x.end()); });
}
inline Series lowest(const Series& a, int w) {
  return rolling(a, w, [](const Window& x) { return *std::min_element(x.begin(), x.end()); });
}

inline Series cov(const Series& a, const Series& b, int w) {
  Series out{std::vector<Real>(a.size(), kNaN)};
  for (std::size_t t = static_cast<std::size_t>(w) - 1; t < a.size(); ++t) {
    const auto from = static_cast<std::ptrdiff_t>(t + 1) - w;
    const auto to = static_cast<std::ptrdiff_t>(t + 1);
    const Window x(a.v.begin() + from, a.v.begin() + to);
    const Window y(b.v.begin() + from, b.v.begin() + to);
    const Real mx = plain_mean(x);
    const Real my = plain_mean(y);
    Real total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) total += (x[i] - mx) * (y[i] - my);
    out.v[t] = total / w;  // NaN where a value is
  }
  return out;
}
inline Series var_where_both(const Series& a, const Series& b, int w) { return var(a + b * 0, w); }
inline Series corr(const Series& a, const Series& b, int w) {
  return cov(a, b, w) / sqrt(var_where_both(a, b, w) * var_where_both(b, a, w));
}
inline Series regress(const Series& y, const Series& x, int w) { return cov(y, x, w) / var_where_both(x, y, w); }

/// Weighted mean of the unbroken run of known values that ends at t, weights (1 - a)^age; known from w values on.
inline Real exponential_at(const std::function<Real(std::size_t back)>& x, std::size_t t, Real a, int w) {
  Real weight = 1;
  Real weights = 0;
  Real total = 0;
  int run = 0;
  for (std::size_t back = 0; back <= t && !std::isnan(x(back)); ++back) {
    total += weight * x(back);
    weights += weight;
    weight *= 1 - a;
    ++run;
  }
  return run >= w ? total / weights : kNaN;
}
inline Series exponential(const Series& x, Real a, int w) {
  Series out = x;
  for (std::size_t t = 0; t < x.size(); ++t) {
    out.v[t] = exponential_at([&](std::size_t back) { return x.v[t - back]; }, t, a, w);
  }
  return out;
}
inline Series ema(const Series& x, int w) { return exponential(x, 2.0L / (w + 1), w); }
/// x - ema, summed over differences so that this reference does not cancel either.
inline Series ema_gap(const Series& x, int w) {
  Series out = x;
  for (std::size_t t = 0; t < x.size(); ++t) {
    out.v[t] = exponential_at([&](std::size_t back) { return x.v[t] - x.v[t - back]; }, t, 2.0L / (w + 1), w);
  }
  return out;
}
inline Series wilder(const Series& x, int w) { return exponential(x, 1.0L / w, w); }

/// Share of up to 64 evenly spaced earlier values of the window below the last, ties (to nine digits) half.
inline Series rank(const Series& a, int w) {
  return rolling(a, w, [w](const Window& x) {
    const int samples = std::min(w - 1, 64);
    Real below = 0;
    for (int j = 1; j <= samples; ++j) {
      const int back = static_cast<int>(std::ceil(static_cast<double>(j) * (w - 1) / samples - 1e-9));
      const Real before = x[x.size() - 1 - static_cast<std::size_t>(back)];
      const bool tie = std::fabs(before - x.back()) <= 1e-9L * std::fabs(x.back());
      below += tie ? 0.5L : before < x.back() ? 1.0L : 0.0L;
    }
    return below / samples;
  });
}

inline Series since(const Series& a) {
  Series out = a;
  Real count = kNaN;
  for (std::size_t t = 0; t < a.size(); ++t) {
    count = std::isnan(a.v[t]) ? kNaN : a.v[t] != 0 ? 0 : count + 1;
    out.v[t] = count;
  }
  return out;
}

}  // namespace everlearn::testing
