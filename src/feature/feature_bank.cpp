#include "feature/feature_bank.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/assert.hpp"
#include "feature/kernels.hpp"
#include "feature/resolve.hpp"
#include "feature/sense.hpp"

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr std::uint32_t kVersion = 1;

Plan plan_of(const FeatureSet& set) {
  const Resolver resolver{set.step()};
  Graph graph;
  std::vector<NodeId> wanted;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const Result<Resolved> feature = resolver.find(set[i].name);
    EL_ASSERT(feature.has_value(), "a FeatureSet holds only features of the catalogue");
    wanted.push_back(build(graph, *feature));
  }
  return make_plan(graph, wanted);
}

/// State of kLanes instruments. Empty while none of them is alive: a dead one has no past (a gap ends every run of
/// known values), so markets that are over cost neither time nor memory.
struct Block {
  std::vector<double> state;
  std::vector<double> history;
  bool awake = false;
};

}  // namespace

struct FeatureBank::State {
  State(FeatureSet chosen, const Calendar& with)
      : set{std::move(chosen)}, calendar{with}, plan{plan_of(set)}, clock{with, set.step()}, kept(plan.slots) {
    values.assign(plan.rows * kLanes, kUnknown);
  }

  void resize(std::size_t instruments);
  void wake(Block& block) const;
  void wake_or_rest(std::size_t block);
  void load_inputs(const Stage& stage, std::size_t block, const Instruments& instruments, const MarketState& market);
  void run_stage(const Stage& stage, std::size_t block);
  void cross(const Crossing& crossing, const Instruments& instruments);
  void write_outputs(const Stage& stage, std::size_t block);

  const FeatureSet set;
  const Calendar& calendar;
  const Plan plan;
  StepClock clock;
  std::int64_t steps = 0;  // done
  Timestamp at = Timestamp::min();
  std::vector<Memory> memory;  // one an instrument
  std::vector<Block> blocks;
  std::vector<std::vector<double>> kept;              // slot -> one value an instrument
  std::vector<float> rows;                            // instrument x column
  std::vector<double> values;                         // scratch: results of one block
  std::vector<std::pair<double, std::size_t>> order;  // scratch of cross()
};

void FeatureBank::State::resize(std::size_t instruments) {
  if (instruments <= memory.size()) return;
  memory.resize(instruments);
  rows.resize(instruments * set.size(), kMissing);
  const std::size_t needed = (instruments + kLanes - 1) / kLanes;
  blocks.resize(needed);
  for (std::vector<double>& slot : kept) slot.resize(needed * kLanes, kUnknown);
}

void FeatureBank::State::wake(Block& block) const {
  block.state.assign(plan.state_rows * kLanes, kUnknown);
  block.history.assign(plan.history_rows * kLanes, kUnknown);
  block.awake = true;
}

void FeatureBank::State::wake_or_rest(std::size_t number) {
  const std::size_t first = number * kLanes;
  const std::size_t count = std::min(kLanes, memory.size() - first);
  const auto begin = memory.begin() + static_cast<std::ptrdiff_t>(first);
  const bool alive =
      std::any_of(begin, begin + static_cast<std::ptrdiff_t>(count), [](const Memory& m) { return m.alive; });
  Block& block = blocks[number];
  if (alive && !block.awake) wake(block);
  if (alive || !block.awake) return;
  block = Block{};
  std::fill_n(rows.begin() + static_cast<std::ptrdiff_t>(first * set.size()), count * set.size(), kMissing);
  for (std::vector<double>& slot : kept)
    std::fill_n(slot.begin() + static_cast<std::ptrdiff_t>(first), kLanes, kUnknown);
}

void FeatureBank::State::load_inputs(const Stage& stage, std::size_t block, const Instruments& instruments,
                                     const MarketState& market) {
  const std::size_t first = block * kLanes;
  const std::size_t count = std::min(kLanes, memory.size() - first);
  for (const Operation& op : stage.operations) {
    if (op.op != Op::Input) continue;
    double* out = values.data() + op.out * kLanes;
    const double of_clock = is_clock(op.input) ? clock.value(op.input) : kUnknown;
    for (std::size_t l = 0; l < kLanes; ++l) {
      const std::size_t i = first + l;
      const bool alive = l < count && memory[i].alive;
      if (!alive || is_clock(op.input)) {
        out[l] = alive ? of_clock : kUnknown;
        continue;
      }
      const auto id = static_cast<InstrumentId>(i);
      out[l] = sense(op.input, op.window, memory[i], instruments[id], market[id], at);
    }
  }
}

void FeatureBank::State::run_stage(const Stage& stage, std::size_t block) {
  const std::size_t first = block * kLanes;
  for (const Kept& load : stage.loads) {
    std::copy_n(kept[load.slot].data() + first, kLanes, values.data() + load.row * kLanes);
  }
  const Lanes lanes{.values = values.data(),
                    .state = blocks[block].state.data(),
                    .history = blocks[block].history.data(),
                    .step = steps,
                    .block = block,
                    .session_changed = clock.session_changed()};
  for (const Operation& op : stage.operations) {
    evaluate(op, lanes);
    remember(op, lanes);
  }
  for (const Kept& store : stage.stores) {
    std::copy_n(values.data() + store.row * kLanes, kLanes, kept[store.slot].data() + first);
  }
}

void FeatureBank::State::write_outputs(const Stage& stage, std::size_t block) {
  const std::size_t first = block * kLanes;
  const std::size_t count = std::min(kLanes, memory.size() - first);
  for (const Output& output : stage.outputs) {
    const double* from = values.data() + output.row * kLanes;
    for (std::size_t l = 0; l < count; ++l) {
      const auto value = static_cast<float>(from[l]);
      rows[(first + l) * set.size() + output.column] =
          memory[first + l].alive && std::isfinite(value) ? value : kMissing;
    }
  }
}

void FeatureBank::State::cross(const Crossing& crossing, const Instruments& instruments) {
  const std::vector<double>& from = kept[crossing.from];
  std::vector<double>& to = kept[crossing.to];
  const bool of_context = crossing.op == Op::Context;
  order.clear();
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const bool counts = memory[i].alive && instruments[static_cast<InstrumentId>(i)].context == of_context;
    if (counts && std::isfinite(from[i])) order.emplace_back(from[i], i);
  }
  const auto n = static_cast<double>(order.size());
  std::fill(to.begin(), to.end(), kUnknown);
  if (order.size() < (of_context ? 1 : 2)) return;

  if (crossing.op == Op::CrossRank) {
    std::sort(order.begin(), order.end());
    for (std::size_t begin = 0; begin < order.size();) {
      std::size_t end = begin;
      while (end < order.size() && order[end].first == order[begin].first) ++end;
      const double ties = static_cast<double>(end - begin) - 1;
      for (std::size_t k = begin; k < end; ++k) {
        to[order[k].second] = (static_cast<double>(begin) + ties / 2) / (n - 1);
      }
      begin = end;
    }
    return;
  }
  double offset = 0;
  for (const auto& [value, i] : order) offset += value - order.front().first;
  const double mean = order.front().first + offset / n;
  double result = mean;
  if (crossing.op == Op::CrossDeviation) {
    double squares = 0;
    for (const auto& [value, i] : order) squares += (value - mean) * (value - mean);
    result = std::sqrt(squares / n);
  }
  for (std::size_t i = 0; i < memory.size(); ++i) {
    if (memory[i].alive) to[i] = result;
  }
}

FeatureBank::FeatureBank(FeatureSet set, const Calendar& calendar)
    : state_{std::make_unique<State>(std::move(set), calendar)} {}
FeatureBank::~FeatureBank() = default;
FeatureBank::FeatureBank(FeatureBank&&) noexcept = default;
FeatureBank& FeatureBank::operator=(FeatureBank&&) noexcept = default;

void FeatureBank::step(Timestamp at, const Instruments& instruments, const MarketState& market) {
  State& s = *state_;
  EL_ASSERT(at > s.at, "steps come in order of time");
  s.at = at;
  s.clock.advance(at);
  s.resize(std::min(instruments.size(), market.size()));
  for (std::size_t i = 0; i < s.memory.size(); ++i) {
    const auto id = static_cast<InstrumentId>(i);
    // What only mirrors another has no features, and does not count twice where instruments are compared.
    if (!instruments[id].mirrors) update(s.memory[i], market[id], s.calendar, at);
  }
  for (std::size_t block = 0; block < s.blocks.size(); ++block) s.wake_or_rest(block);
  for (const Stage& stage : s.plan.stages) {
    for (const Crossing& crossing : stage.crossings) s.cross(crossing, instruments);
    for (std::size_t block = 0; block < s.blocks.size(); ++block) {
      if (!s.blocks[block].awake) continue;
      if (block + 1 < s.blocks.size() && s.blocks[block + 1].awake)
        prefetch(stage, s.blocks[block + 1].history.data(), s.steps);
      s.load_inputs(stage, block, instruments, market);
      s.run_stage(stage, block);
      s.write_outputs(stage, block);
    }
  }
  ++s.steps;
}

void FeatureBank::row(InstrumentId id, std::span<float> out) const {
  const State& s = *state_;
  EL_ASSERT(out.size() == s.set.size(), "one value for each column");
  if (index(id) >= s.memory.size()) {
    std::fill(out.begin(), out.end(), kMissing);
    return;
  }
  std::copy_n(s.rows.begin() + static_cast<std::ptrdiff_t>(index(id) * s.set.size()), s.set.size(), out.begin());
}

const FeatureSet& FeatureBank::set() const { return state_->set; }

namespace {

/// The lanes in use of every row.
std::vector<double> used_lanes(const std::vector<double>& rows, std::size_t lanes) {
  std::vector<double> packed;
  packed.reserve(rows.size() / kLanes * lanes);
  for (std::size_t row = 0; row < rows.size(); row += kLanes) {
    packed.insert(packed.end(), rows.begin() + static_cast<std::ptrdiff_t>(row),
                  rows.begin() + static_cast<std::ptrdiff_t>(row + lanes));
  }
  return packed;
}

bool unpack(const std::vector<double>& packed, std::size_t lanes, std::vector<double>& rows) {
  if (packed.size() != rows.size() / kLanes * lanes) return false;
  for (std::size_t row = 0; row * kLanes < rows.size(); ++row) {
    std::copy_n(packed.begin() + static_cast<std::ptrdiff_t>(row * lanes), lanes,
                rows.begin() + static_cast<std::ptrdiff_t>(row * kLanes));
  }
  return true;
}

}  // namespace

void FeatureBank::encode(ByteWriter& out) const {
  const State& s = *state_;
  out.u32(kVersion);
  out.text(s.set.hash());
  out.i64(s.steps);
  out.time(s.at);
  out.i64(s.clock.session_index());
  out.u32(static_cast<std::uint32_t>(s.memory.size()));
  for (const Memory& memory : s.memory) {
    out.boolean(memory.alive);
    out.boolean(memory.has_bar);
    out.boolean(memory.has_trade);
    out.i64(memory.quiet_steps);
  }
  for (std::size_t block = 0; block < s.blocks.size(); ++block) {
    const std::size_t lanes = std::min(kLanes, s.memory.size() - block * kLanes);
    out.boolean(s.blocks[block].awake);
    out.f64s(used_lanes(s.blocks[block].state, lanes));
    out.f64s(used_lanes(s.blocks[block].history, lanes));
  }
  out.f32s(s.rows);
}

namespace {

tl::unexpected<Error> damaged(const char* what) { return fail(Code::Damaged, fmt::format("feature bank: {}", what)); }

/// What encode() writes after the set's hash, of whatever set.
Result<void> pass_over(ByteReader& in) {
  in.i64();
  in.time();
  in.i64();
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    for (int flag = 0; flag < 3; ++flag) in.boolean();
    in.i64();
  }
  for (std::size_t block = 0; block * kLanes < count && in.ok(); ++block) {
    in.boolean();
    in.f64s();
    in.f64s();
  }
  in.f32s();
  if (!in.ok()) return damaged("cut short");
  return {};
}

}  // namespace

Result<bool> FeatureBank::decode_or_begin(ByteReader& in) {
  ByteReader ahead = in;
  ahead.u32();
  if (const std::string hash = ahead.text(); !ahead.ok() || hash == state_->set.hash()) {
    EL_CHECK(decode(in));
    return true;
  }
  EL_CHECK(pass_over(ahead));
  in = ahead;
  state_ = std::make_unique<State>(state_->set, state_->calendar);
  return false;
}

Result<void> FeatureBank::decode(ByteReader& in) {
  if (const std::uint32_t version = in.u32(); version != kVersion) {
    return fail(Code::Damaged, fmt::format("feature bank: version {}, known is {}", version, kVersion));
  }
  if (in.text() != state_->set.hash()) return damaged("made for another set of features");
  State fresh{state_->set, state_->calendar};
  fresh.steps = in.i64();
  fresh.at = in.time();
  fresh.clock.restore(in.i64());
  const std::uint32_t count = in.u32();
  std::vector<Memory> memory;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Memory one;
    one.alive = in.boolean();
    one.has_bar = in.boolean();
    one.has_trade = in.boolean();
    one.quiet_steps = in.i64();
    memory.push_back(one);
  }
  if (!in.ok() || fresh.steps < 0) return damaged("cut short");
  fresh.resize(memory.size());
  fresh.memory = std::move(memory);
  for (std::size_t block = 0; block < fresh.blocks.size(); ++block) {
    const std::size_t lanes = std::min(kLanes, fresh.memory.size() - block * kLanes);
    if (in.boolean()) fresh.wake(fresh.blocks[block]);
    if (!unpack(in.f64s(), lanes, fresh.blocks[block].state) ||
        !unpack(in.f64s(), lanes, fresh.blocks[block].history)) {
      return damaged("a block of another size");
    }
  }
  std::vector<float> rows = in.f32s();
  if (!in.ok() || rows.size() != fresh.rows.size()) return damaged("cut short");
  fresh.rows = std::move(rows);
  state_ = std::make_unique<State>(std::move(fresh));
  return {};
}

}  // namespace everlearn
