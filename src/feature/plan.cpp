#include "feature/plan.hpp"

#include <algorithm>

namespace everlearn {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

bool is_crossing(Op op) {
  return op == Op::CrossMean || op == Op::CrossDeviation || op == Op::CrossRank || op == Op::Context;
}

std::size_t state_rows(Op op) {
  switch (op) {
    case Op::Moments2:
      return 4;  // anchor, two sums, peak
    case Op::Moments4:
      return 7;  // anchor, four sums, two peaks
    case Op::CoMoments:
      return 9;  // two anchors, five sums, two peaks
    case Op::Ema:
      return 4;  // deviation, value before, weight so far, count
    case Op::Since:
    case Op::SessionFirst:
    case Op::SessionMax:
    case Op::SessionMin:
    case Op::SessionSum:
      return 1;
    case Op::PreviousSession:
      return 2;
    default:
      return 0;
  }
}

/// How far back the operation reads its inputs; 0: only the present.
std::size_t reach(const Node& node) {
  switch (node.op) {
    case Op::Lag:
    case Op::Moments2:
    case Op::Moments4:
    case Op::CoMoments:
    case Op::MeanAbsDeviation:
    case Op::Rank:
      return static_cast<std::size_t>(node.window);
    default:
      return 0;
  }
}

struct Place {
  bool used = false;
  std::size_t stage = 0;
  std::size_t row = kNone;
  std::size_t history = 0;  // steps back that others read
  bool runs = false;        // others need its run
  std::size_t slot = kNone;
  Ring ring;
};

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<NodeId>& wanted) : graph_{graph}, places_(graph.size()) {
    for (const NodeId id : wanted) places_[id].used = true;
    mark_used();
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (places_[id].used) locate(id);
    }
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (places_[id].used) emit(id);
    }
    for (std::size_t column = 0; column < wanted.size(); ++column) {
      const Place& place = places_[wanted[column]];
      stage(place.stage).outputs.push_back({place.row, column});
    }
    for (std::size_t s = 0; s < plan_.stages.size(); ++s) {
      add_loads(s);
      for (const Operation& operation : plan_.stages[s].operations) add_readings(operation, plan_.stages[s]);
    }
  }

  Plan take() { return std::move(plan_); }

 private:
  void mark_used() {
    for (NodeId id = static_cast<NodeId>(graph_.size()); id-- > 0;) {
      if (!places_[id].used) continue;
      const Node& node = graph_[id];
      for (int i = 0; i < node.inputs; ++i) {
        Place& from = places_[node.in[i]];
        from.used = true;
        from.history = std::max(from.history, reach(node));
        from.runs |= node.op == Op::Run;
      }
    }
  }

  void locate(NodeId id) {
    const Node& node = graph_[id];
    Place& place = places_[id];
    for (int i = 0; i < node.inputs; ++i) place.stage = std::max(place.stage, places_[node.in[i]].stage);
    if (is_crossing(node.op)) {
      keep(node.in[0]);
      place.stage += 1;
      keep(id);
    }
    for (int i = 0; i < node.inputs; ++i) {
      if (places_[node.in[i]].stage < place.stage) keep(node.in[i]);
    }
    if (node.op == Op::Pick) {
      // The picked output has the row already.
      place.row = places_[node.in[0]].row + static_cast<std::size_t>(node.window);
    } else {
      place.row = plan_.rows;
      plan_.rows += static_cast<std::size_t>(outputs(node.op));
    }
    if (place.history > 0) {
      place.ring.row = plan_.history_rows;
      place.ring.length = place.history + 1;
      plan_.history_rows += place.ring.length;
    }
    if (place.history > 0 || place.runs) place.ring.run_row = plan_.state_rows++;
  }

  void keep(NodeId id) {
    if (places_[id].slot == kNone) places_[id].slot = plan_.slots++;
  }

  Stage& stage(std::size_t s) {
    if (plan_.stages.size() <= s) plan_.stages.resize(s + 1);
    return plan_.stages[s];
  }

  void emit(NodeId id) {
    const Node& node = graph_[id];
    const Place& place = places_[id];
    Stage& where = stage(place.stage);
    if (is_crossing(node.op)) {
      where.crossings.push_back({node.op, places_[node.in[0]].slot, place.slot});
    }
    Operation operation;
    operation.op = node.op;
    operation.input = node.input;
    operation.window = node.window;
    operation.number = node.number;
    operation.out = place.row;
    for (int i = 0; i < node.inputs; ++i) {
      const Place& from = places_[node.in[i]];
      operation.in[i] = from.row;
      if (i < 2) operation.past[i] = from.ring;
    }
    operation.state = plan_.state_rows;
    plan_.state_rows += state_rows(node.op);
    operation.own = place.ring;
    operation.track_run = place.history > 0 || place.runs;
    // A crossing's value and a pick's are in place already: they are listed for their history only.
    const bool computed = !is_crossing(node.op) && node.op != Op::Pick;
    if (computed || operation.track_run) where.operations.push_back(operation);
    if (place.slot != kNone && !is_crossing(node.op)) where.stores.push_back({place.row, place.slot});
  }

  void add_loads(std::size_t s) {
    std::vector<bool> needed(graph_.size(), false);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Place& place = places_[id];
      if (!place.used || place.stage != s) continue;
      if (is_crossing(graph_[id].op)) {
        needed[id] = true;
        continue;
      }
      for (int i = 0; i < graph_[id].inputs; ++i) {
        if (places_[graph_[id].in[i]].stage < s) needed[graph_[id].in[i]] = true;
      }
    }
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (needed[id]) plan_.stages[s].loads.push_back({places_[id].row, places_[id].slot});
    }
  }

  static void add_readings(const Operation& operation, Stage& into) {
    if (operation.own.length > 0) into.readings.push_back({operation.own, 0});
    for (const Ring& ring : operation.past) {
      const bool by_window = operation.op == Op::Lag || operation.op == Op::Moments2 || operation.op == Op::Moments4 ||
                             operation.op == Op::CoMoments;
      if (by_window && ring.length > 0) into.readings.push_back({ring, operation.window});
    }
  }

  const Graph& graph_;
  std::vector<Place> places_;
  Plan plan_;
};

}  // namespace

Plan make_plan(const Graph& graph, const std::vector<NodeId>& wanted) { return Planner{graph, wanted}.take(); }

}  // namespace everlearn
