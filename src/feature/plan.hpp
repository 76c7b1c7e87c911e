// The chosen features as a straight list of operations with fixed places for their values and state. Instruments are
// worked on in blocks of kLanes: within a block each value is a row of kLanes doubles, so an operation is a loop over a
// few cache lines, and history is time-major (slot x lane).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "feature/graph.hpp"

namespace everlearn {

inline constexpr std::size_t kLanes = 16;

/// The last `length` values of a node, and how many up to now were known without a break.
struct Ring {
  std::size_t row = 0;      // first of `length` rows in the block's history
  std::size_t length = 0;   // 0: no history is kept
  std::size_t run_row = 0;  // in the block's state
};

struct Operation {
  Op op = Op::Constant;
  Input input = Input::Price;
  int window = 0;
  double number = 0;
  std::size_t out = 0;              // first row of the result
  std::array<std::size_t, 3> in{};  // rows of the inputs
  std::array<Ring, 2> past{};       // histories of the first two inputs, for operations over time
  std::size_t state = 0;            // first row of own state
  Ring own;                         // history to keep of the result
  bool track_run = false;
};

/// A row that outlives its stage: all instruments' values, `slot` x instrument.
struct Kept {
  std::size_t row = 0;
  std::size_t slot = 0;
};

/// An operation over all instruments: from one kept slot to another.
struct Crossing {
  Op op = Op::CrossMean;
  std::size_t from = 0;
  std::size_t to = 0;
};

struct Output {
  std::size_t row = 0;
  std::size_t column = 0;
};

/// A row of history that the stage will read.
struct Reading {
  Ring ring;
  std::int64_t back = 0;
};

/// Operations that can run block by block, once the crossings before them are done.
struct Stage {
  std::vector<Crossing> crossings;
  std::vector<Kept> loads;
  std::vector<Operation> operations;
  std::vector<Kept> stores;
  std::vector<Output> outputs;
  std::vector<Reading> readings;
};

struct Plan {
  std::vector<Stage> stages;
  std::size_t rows = 0;          // of results
  std::size_t state_rows = 0;    // of state
  std::size_t history_rows = 0;  // of all rings
  std::size_t slots = 0;         // of kept values
};

/// `wanted`: the node of each output column.
Plan make_plan(const Graph& graph, const std::vector<NodeId>& wanted);

}  // namespace everlearn
