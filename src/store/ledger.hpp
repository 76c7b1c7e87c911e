// One hash over everything the engine decided: examples, labels, predictions, verdicts, signals, intents and fills in
// sequence order, without wall times, paths, restarts, thread counts or segment layout. Equal hashes mean equal runs.
// Chain: h' = SHA-256(h || bytes of one cycle), h0 = SHA-256("everlearn ledger v1").
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "store/rows.hpp"

namespace everlearn {

class Ledger {
 public:
  Ledger();
  void add(const ExampleRow& row);
  void add(const LabelRow& row);
  void add(const PredictionRow& row);
  void add(const IntentRow& row);
  void add(const FillRow& row);
  /// Target, candidate, champion before, as-of, outcome and the checks' text; not the timing.
  void add_verdict(std::uint16_t target, std::string_view bundle, std::string_view champion_before, Timestamp as_of,
                   std::string_view outcome, std::string_view canonical_checks);
  /// Folds what was added since the last call into the hash. Call at the end of each cycle.
  void end_cycle();
  std::string sha256() const { return hex(hash_); }

  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  Sha256 hash_;
  ByteWriter pending_;
};

}  // namespace everlearn
