// Rolling moments are sums of deviations from an anchor, in double, one value in and one out at each step. Two things
// would spoil them: rounding that adds up over many steps, and cancellation after the values moved far from the anchor
// or after a large value left the window. So the sums are made anew from the ring, about the window's mean, (a) at
// fixed steps, counted from the step number, and (b) when the variance fell below 1e-4 of the largest second moment
// since then; each such fall takes an outlier or a move of hundred standard deviations, so the cost stays constant on
// average.
#include "feature/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/assert.hpp"

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kLostDigits = 1e-4;   // 2: variance against the peak of its sums
constexpr double kLostDigits4 = 1e-2;  // the same for third and fourth moments
constexpr std::int64_t kLeastPeriod = 64;
constexpr double kSmallest = 1e-100;  // an exponential mean's deviation below this counts as 0
constexpr int kRankSamples = 64;
constexpr double kTie = 1e-9;  // rounding must not decide which of two equal volatilities is larger
constexpr double kTwoPi = 6.283185307179586476925286766559;

bool unknown(double x) { return x != x; }

template <class F>
void each(double* __restrict out, const double* __restrict a, F f) {
  for (std::size_t l = 0; l < kLanes; ++l) out[l] = f(a[l]);
}

template <class F>
void each(double* __restrict out, const double* __restrict a, const double* __restrict b, F f) {
  for (std::size_t l = 0; l < kLanes; ++l) out[l] = f(a[l], b[l]);
}

double* row(double* base, std::size_t r) { return base + r * kLanes; }

/// The ring's row of `back` steps ago.
const double* past(const Lanes& lanes, const Ring& ring, std::int64_t back) {
  const auto length = static_cast<std::int64_t>(ring.length);
  return lanes.history + (ring.row + static_cast<std::size_t>((lanes.step - back + length) % length)) * kLanes;
}

bool fixed_re_anchoring(const Lanes& lanes, int window) {
  const std::int64_t period = std::max<std::int64_t>(window, kLeastPeriod);
  return (lanes.step + static_cast<std::int64_t>(lanes.block) * 17) % period == 0;
}

/// Visits the window's values of one lane, oldest first.
template <class F>
void window_values(const Lanes& lanes, const Ring& ring, int window, std::size_t lane, F f) {
  const std::size_t length = ring.length;
  std::size_t slot = static_cast<std::size_t>((lanes.step - window + 1 + static_cast<std::int64_t>(length)) %
                                              static_cast<std::int64_t>(length));
  const double* rows = lanes.history + ring.row * kLanes + lane;
  for (int i = 0; i < window; ++i) {
    f(rows[slot * kLanes]);
    slot = slot + 1 == length ? 0 : slot + 1;
  }
}

double window_mean(const Lanes& lanes, const Ring& ring, int window, std::size_t lane, double near) {
  double total = 0;
  window_values(lanes, ring, window, lane, [&](double x) { total += x - near; });
  return near + total / window;
}

void moments2(const Operation& op, const Lanes& lanes) {
  const double* __restrict x = row(lanes.values, op.in[0]);
  const double* __restrict oldest = past(lanes, op.past[0], op.window);
  const double* __restrict run = row(lanes.state, op.past[0].run_row);
  double* __restrict anchor = row(lanes.state, op.state);
  double* __restrict s1 = anchor + kLanes;
  double* __restrict s2 = s1 + kLanes;
  double* __restrict peak = s2 + kLanes;
  double* __restrict deviation = row(lanes.values, op.out);
  double* __restrict variance = deviation + kLanes;
  const double window = op.window;
  const double per_window = 1 / window;
  const bool anew_all = fixed_re_anchoring(lanes, op.window);

  double lost = 0;
  for (std::size_t l = 0; l < kLanes; ++l) {
    const bool first = run[l] <= 1;
    const double a = first ? x[l] : anchor[l];
    const double in = x[l] - a;
    const double out = run[l] > window ? oldest[l] - a : 0.0;
    const double sum1 = (first ? 0.0 : s1[l]) + (in - out);
    const double sum2 = (first ? 0.0 : s2[l]) + (in - out) * (in + out);
    const double top = first ? 0.0 : peak[l];
    anchor[l] = a;
    s1[l] = sum1;
    s2[l] = sum2;
    peak[l] = sum2 > top ? sum2 : top;
    const double offset = sum1 * per_window;
    const double v = sum2 * per_window - offset * offset;
    const bool full = run[l] >= window;
    lost += full && (anew_all || !(v * window >= kLostDigits * peak[l])) ? 1.0 : 0.0;
    deviation[l] = full ? in - offset : kUnknown;
    variance[l] = full ? (v > 0 ? v : 0.0) : kUnknown;
  }
  if (lost == 0) return;
  for (std::size_t l = 0; l < kLanes; ++l) {
    if (!(run[l] >= window)) continue;
    const double raw = s2[l] * per_window - s1[l] * per_window * s1[l] * per_window;
    if (!anew_all && raw * window >= kLostDigits * peak[l]) continue;
    const double a = window_mean(lanes, op.past[0], op.window, l, x[l]);
    double sum1 = 0;
    double sum2 = 0;
    window_values(lanes, op.past[0], op.window, l, [&](double value) {
      const double d = value - a;
      sum1 += d;
      sum2 += d * d;
    });
    anchor[l] = a;
    s1[l] = sum1;
    s2[l] = sum2;
    peak[l] = sum2;
    const double offset = sum1 * per_window;
    deviation[l] = (x[l] - a) - offset;
    variance[l] = std::max(sum2 * per_window - offset * offset, 0.0);
  }
}

/// Central moments from sums of powers about the anchor.
struct Central {
  double offset, m2, m3, m4;
  Central(double s1, double s2, double s3, double s4, double window) {
    offset = s1 / window;
    const double q2 = s2 / window;
    const double q3 = s3 / window;
    const double q4 = s4 / window;
    const double square = offset * offset;
    m2 = q2 - square;
    m3 = q3 - 3 * offset * q2 + 2 * offset * square;
    m4 = q4 - 4 * offset * q3 + 6 * square * q2 - 3 * square * square;
  }
};

void moments4(const Operation& op, const Lanes& lanes) {
  const double* x = row(lanes.values, op.in[0]);
  const double* oldest = past(lanes, op.past[0], op.window);
  const double* run = row(lanes.state, op.past[0].run_row);
  double* anchor = row(lanes.state, op.state);
  double* s = anchor + kLanes;  // four rows of sums
  double* peak2 = s + 4 * kLanes;
  double* peak4 = peak2 + kLanes;
  double* result = row(lanes.values, op.out);
  const double window = op.window;
  const bool anew_all = fixed_re_anchoring(lanes, op.window);

  for (std::size_t l = 0; l < kLanes; ++l) {
    const bool first = run[l] <= 1;
    if (first) {
      anchor[l] = x[l];
      for (std::size_t k = 0; k < 6; ++k) s[k * kLanes + l] = 0;
    }
    const double in = x[l] - anchor[l];
    const double out = run[l] > window ? oldest[l] - anchor[l] : 0.0;
    s[l] += in - out;
    s[kLanes + l] += in * in - out * out;
    s[2 * kLanes + l] += in * in * in - out * out * out;
    s[3 * kLanes + l] += in * in * in * in - out * out * out * out;
    peak2[l] = std::max(peak2[l], s[kLanes + l]);
    peak4[l] = std::max(peak4[l], s[3 * kLanes + l]);
    const auto sums = [&] { return Central{s[l], s[kLanes + l], s[2 * kLanes + l], s[3 * kLanes + l], window}; };
    Central c = sums();
    const bool full = run[l] >= window;
    if (full && (anew_all || !(c.m2 * window >= kLostDigits4 * peak2[l] && c.m4 * window >= kLostDigits4 * peak4[l]))) {
      anchor[l] = window_mean(lanes, op.past[0], op.window, l, x[l]);
      for (std::size_t k = 0; k < 4; ++k) s[k * kLanes + l] = 0;
      window_values(lanes, op.past[0], op.window, l, [&](double value) {
        const double d = value - anchor[l];
        s[l] += d;
        s[kLanes + l] += d * d;
        s[2 * kLanes + l] += d * d * d;
        s[3 * kLanes + l] += d * d * d * d;
      });
      peak2[l] = s[kLanes + l];
      peak4[l] = s[3 * kLanes + l];
      c = sums();
    }
    result[l] = full ? (x[l] - anchor[l]) - c.offset : kUnknown;
    result[kLanes + l] = full ? std::max(c.m2, 0.0) : kUnknown;
    const bool spread = full && c.m2 > 0;
    result[2 * kLanes + l] = spread ? c.m3 / (c.m2 * std::sqrt(c.m2)) : kUnknown;
    result[3 * kLanes + l] = spread ? c.m4 / (c.m2 * c.m2) - 3 : kUnknown;
  }
}

void co_moments(const Operation& op, const Lanes& lanes) {
  const double* __restrict x = row(lanes.values, op.in[0]);
  const double* __restrict y = row(lanes.values, op.in[1]);
  const double* __restrict oldest_x = past(lanes, op.past[0], op.window);
  const double* __restrict oldest_y = past(lanes, op.past[1], op.window);
  const double* __restrict run_x = row(lanes.state, op.past[0].run_row);
  const double* __restrict run_y = row(lanes.state, op.past[1].run_row);
  double* __restrict ax = row(lanes.state, op.state);
  double* __restrict ay = ax + kLanes;
  double* __restrict sx = ay + kLanes;
  double* __restrict sy = sx + kLanes;
  double* __restrict sxx = sy + kLanes;
  double* __restrict syy = sxx + kLanes;
  double* __restrict sxy = syy + kLanes;
  double* __restrict px = sxy + kLanes;
  double* __restrict py = px + kLanes;
  double* __restrict covariance = row(lanes.values, op.out);
  double* __restrict variance_x = covariance + kLanes;
  double* __restrict variance_y = variance_x + kLanes;
  const double window = op.window;
  const double per_window = 1 / window;
  const bool anew_all = fixed_re_anchoring(lanes, op.window);

  double lost = 0;
  for (std::size_t l = 0; l < kLanes; ++l) {
    const double run = run_x[l] < run_y[l] ? run_x[l] : run_y[l];
    const bool first = run <= 1;
    const bool more = run > window;
    ax[l] = first ? x[l] : ax[l];
    ay[l] = first ? y[l] : ay[l];
    const double ix = x[l] - ax[l];
    const double iy = y[l] - ay[l];
    const double ox = more ? oldest_x[l] - ax[l] : 0.0;
    const double oy = more ? oldest_y[l] - ay[l] : 0.0;
    sx[l] = (first ? 0.0 : sx[l]) + (ix - ox);
    sy[l] = (first ? 0.0 : sy[l]) + (iy - oy);
    sxx[l] = (first ? 0.0 : sxx[l]) + (ix - ox) * (ix + ox);
    syy[l] = (first ? 0.0 : syy[l]) + (iy - oy) * (iy + oy);
    sxy[l] = (first ? 0.0 : sxy[l]) + (ix * iy - ox * oy);
    px[l] = first ? sxx[l] : (sxx[l] > px[l] ? sxx[l] : px[l]);
    py[l] = first ? syy[l] : (syy[l] > py[l] ? syy[l] : py[l]);
    const double mx = sx[l] * per_window;
    const double my = sy[l] * per_window;
    const double vx = sxx[l] * per_window - mx * mx;
    const double vy = syy[l] * per_window - my * my;
    const bool full = run >= window;
    const bool sound = vx * window >= kLostDigits * px[l] && vy * window >= kLostDigits * py[l];
    lost += full && (anew_all || !sound) ? 1.0 : 0.0;
    covariance[l] = full ? sxy[l] * per_window - mx * my : kUnknown;
    variance_x[l] = full ? (vx > 0 ? vx : 0.0) : kUnknown;
    variance_y[l] = full ? (vy > 0 ? vy : 0.0) : kUnknown;
  }
  if (lost == 0) return;
  for (std::size_t l = 0; l < kLanes; ++l) {
    if (!(std::min(run_x[l], run_y[l]) >= window)) continue;
    const double old_vx = sxx[l] * per_window - sx[l] * per_window * sx[l] * per_window;
    const double old_vy = syy[l] * per_window - sy[l] * per_window * sy[l] * per_window;
    if (!anew_all && old_vx * window >= kLostDigits * px[l] && old_vy * window >= kLostDigits * py[l]) continue;
    ax[l] = window_mean(lanes, op.past[0], op.window, l, x[l]);
    ay[l] = window_mean(lanes, op.past[1], op.window, l, y[l]);
    sx[l] = sy[l] = sxx[l] = syy[l] = sxy[l] = 0;
    for (int back = op.window - 1; back >= 0; --back) {
      const double dx = past(lanes, op.past[0], back)[l] - ax[l];
      const double dy = past(lanes, op.past[1], back)[l] - ay[l];
      sx[l] += dx;
      sy[l] += dy;
      sxx[l] += dx * dx;
      syy[l] += dy * dy;
      sxy[l] += dx * dy;
    }
    px[l] = sxx[l];
    py[l] = syy[l];
    const double mx = sx[l] * per_window;
    const double my = sy[l] * per_window;
    covariance[l] = sxy[l] * per_window - mx * my;
    variance_x[l] = std::max(sxx[l] * per_window - mx * mx, 0.0);
    variance_y[l] = std::max(syy[l] * per_window - my * my, 0.0);
  }
}

void mean_abs_deviation(const Operation& op, const Lanes& lanes) {
  const double* x = row(lanes.values, op.in[0]);
  const double* run = row(lanes.state, op.past[0].run_row);
  double* result = row(lanes.values, op.out);
  for (std::size_t l = 0; l < kLanes; ++l) {
    result[l] = kUnknown;
    if (!(run[l] >= op.window)) continue;
    const double center = window_mean(lanes, op.past[0], op.window, l, x[l]);
    double total = 0;
    window_values(lanes, op.past[0], op.window, l, [&](double value) { total += std::fabs(value - center); });
    result[l] = total / op.window;
  }
}

void rank_in_window(const Operation& op, const Lanes& lanes) {
  const double* __restrict x = row(lanes.values, op.in[0]);
  const double* __restrict run = row(lanes.state, op.past[0].run_row);
  double* __restrict result = row(lanes.values, op.out);
  const int earlier = op.window - 1;
  const int samples = std::min(earlier, kRankSamples);
  for (std::size_t l = 0; l < kLanes; ++l) result[l] = 0;
  for (int j = 1; j <= samples; ++j) {
    const double* __restrict before = past(lanes, op.past[0], (j * earlier + samples - 1) / samples);
    for (std::size_t l = 0; l < kLanes; ++l) {
      const double gap = x[l] - before[l];
      const bool tie = std::fabs(gap) <= kTie * std::fabs(x[l]);
      result[l] += tie ? 0.5 : gap > 0 ? 1.0 : 0.0;
    }
  }
  for (std::size_t l = 0; l < kLanes; ++l) result[l] = run[l] >= op.window ? result[l] / samples : kUnknown;
}

void exponential_deviation(const Operation& op, const Lanes& lanes) {
  const double* __restrict x = row(lanes.values, op.in[0]);
  double* __restrict deviation = row(lanes.state, op.state);
  double* __restrict before = deviation + kLanes;
  double* __restrict weight = before + kLanes;
  double* __restrict count = weight + kLanes;
  double* __restrict result = row(lanes.values, op.out);
  for (std::size_t l = 0; l < kLanes; ++l) {
    const bool known = x[l] == x[l];
    const bool first = !(count[l] >= 1);
    const double n = known ? (first ? 1.0 : count[l] + 1) : 0.0;
    const double w = first ? 1.0 : 1 + (1 - op.number) * weight[l];
    const double d = first ? 0.0 : (1 - 1 / w) * (deviation[l] + (x[l] - before[l]));
    count[l] = n;
    weight[l] = w;
    before[l] = x[l];
    deviation[l] = std::fabs(d) < kSmallest ? 0.0 : d;
    result[l] = n >= op.window ? deviation[l] : kUnknown;
  }
}

void session(const Operation& op, const Lanes& lanes) {
  const double* x = row(lanes.values, op.in[0]);
  double* kept = row(lanes.state, op.state);
  double* result = row(lanes.values, op.out);
  for (std::size_t l = 0; l < kLanes; ++l) {
    const bool begins = lanes.session_changed || unknown(kept[l]) || unknown(x[l]);
    double now = x[l];
    if (!begins) {
      if (op.op == Op::SessionFirst) now = kept[l];
      if (op.op == Op::SessionMax) now = std::max(kept[l], x[l]);
      if (op.op == Op::SessionMin) now = std::min(kept[l], x[l]);
      if (op.op == Op::SessionSum) now = kept[l] + x[l];
    }
    kept[l] = now;
    result[l] = now;
  }
}

void previous_session(const Operation& op, const Lanes& lanes) {
  const double* x = row(lanes.values, op.in[0]);
  double* latest = row(lanes.state, op.state);
  double* before = latest + kLanes;
  double* result = row(lanes.values, op.out);
  for (std::size_t l = 0; l < kLanes; ++l) {
    if (lanes.session_changed) before[l] = latest[l];
    latest[l] = x[l];
    if (unknown(x[l])) before[l] = kUnknown;
    result[l] = before[l];
  }
}

void lag(const Operation& op, const Lanes& lanes) {
  const double* __restrict before = past(lanes, op.past[0], op.window);
  const double* __restrict run = row(lanes.state, op.past[0].run_row);
  double* __restrict result = row(lanes.values, op.out);
  const double window = op.window;
  for (std::size_t l = 0; l < kLanes; ++l) result[l] = run[l] > window ? before[l] : kUnknown;
}

void since(const Operation& op, const Lanes& lanes) {
  const double* x = row(lanes.values, op.in[0]);
  double* count = row(lanes.state, op.state);
  double* result = row(lanes.values, op.out);
  for (std::size_t l = 0; l < kLanes; ++l) {
    count[l] = unknown(x[l]) ? kUnknown : x[l] != 0 ? 0 : count[l] + 1;
    result[l] = count[l];
  }
}

}  // namespace

void prefetch(const Stage& stage, const double* history, std::int64_t step) {
  for (const Reading& reading : stage.readings) {
    const auto length = static_cast<std::int64_t>(reading.ring.length);
    const auto slot = static_cast<std::size_t>((step - reading.back + length) % length);
    const double* lanes = history + (reading.ring.row + slot) * kLanes;
    __builtin_prefetch(lanes);
    __builtin_prefetch(lanes + kLanes / 2);
  }
}

void evaluate(const Operation& op, const Lanes& lanes) {
  double* out = row(lanes.values, op.out);
  const double* a = row(lanes.values, op.in[0]);
  const double* b = row(lanes.values, op.in[1]);
  const double* c = row(lanes.values, op.in[2]);
  switch (op.op) {
    case Op::Constant:
      std::fill_n(out, kLanes, op.number);
      return;
    case Op::Add:
      return each(out, a, b, [](double x, double y) { return x + y; });
    case Op::Subtract:
      return each(out, a, b, [](double x, double y) { return x - y; });
    case Op::Multiply:
      return each(out, a, b, [](double x, double y) { return x * y; });
    case Op::Divide:
      return each(out, a, b, [](double x, double y) { return y == 0 ? kUnknown : x / y; });
    case Op::DivideOr: {
      const double otherwise = op.number;
      return each(out, a, b, [otherwise](double x, double y) { return y == 0 && x == x ? otherwise : x / y; });
    }
    case Op::Max:
      return each(out, a, b, [](double x, double y) { return x > y || unknown(x) ? x : y; });
    case Op::Min:
      return each(out, a, b, [](double x, double y) { return x < y || unknown(x) ? x : y; });
    case Op::Abs:
      return each(out, a, [](double x) { return std::fabs(x); });
    case Op::SquareRoot:
      return each(out, a, [](double x) { return x < 0 ? kUnknown : std::sqrt(x); });
    case Op::Log:
      return each(out, a, [](double x) { return x <= 0 ? kUnknown : std::log(x); });
    case Op::Log1p:
      return each(out, a, [](double x) { return x <= -1 ? kUnknown : std::log1p(x); });
    case Op::Sign:
      return each(out, a, [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; });
    case Op::SineTurn:
      return each(out, a, [](double x) { return std::sin(kTwoPi * x); });
    case Op::CosineTurn:
      return each(out, a, [](double x) { return std::cos(kTwoPi * x); });
    case Op::Greater:
      return each(out, a, b, [](double x, double y) {
        return unknown(x) || unknown(y) ? kUnknown : x > y ? 1.0 : 0.0;
      });
    case Op::Choose:
      for (std::size_t l = 0; l < kLanes; ++l) out[l] = unknown(a[l]) ? kUnknown : a[l] != 0 ? b[l] : c[l];
      return;
    case Op::Lag:
      return lag(op, lanes);
    case Op::Moments2:
      return moments2(op, lanes);
    case Op::Moments4:
      return moments4(op, lanes);
    case Op::CoMoments:
      return co_moments(op, lanes);
    case Op::MeanAbsDeviation:
      return mean_abs_deviation(op, lanes);
    case Op::Rank:
      return rank_in_window(op, lanes);
    case Op::Ema:
      return exponential_deviation(op, lanes);
    case Op::Run:
      std::copy_n(row(lanes.state, op.past[0].run_row), kLanes, out);
      return;
    case Op::Since:
      return since(op, lanes);
    case Op::SessionFirst:
    case Op::SessionMax:
    case Op::SessionMin:
    case Op::SessionSum:
      return session(op, lanes);
    case Op::PreviousSession:
      return previous_session(op, lanes);
    case Op::Pick:
    case Op::Input:
    case Op::CrossMean:
    case Op::CrossDeviation:
    case Op::CrossRank:
    case Op::Context:
      return;  // in place already
  }
}

void remember(const Operation& op, const Lanes& lanes) {
  if (!op.track_run) return;
  double* __restrict x = row(lanes.values, op.out);
  double* __restrict run = row(lanes.state, op.own.run_row);
  for (std::size_t l = 0; l < kLanes; ++l) {
    const bool known = std::fabs(x[l]) <= std::numeric_limits<double>::max();
    x[l] = known ? x[l] : kUnknown;
    run[l] = known ? (run[l] >= 1 ? run[l] + 1 : 1.0) : 0.0;
  }
  if (op.own.length == 0) return;
  const auto slot = static_cast<std::size_t>(lanes.step % static_cast<std::int64_t>(op.own.length));
  std::copy_n(x, kLanes, row(lanes.history, op.own.row + slot));
}

}  // namespace everlearn
