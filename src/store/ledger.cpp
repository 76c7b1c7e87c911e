#include "store/ledger.hpp"

#include <algorithm>

#include "store/record.hpp"

namespace everlearn {
namespace {

// Datasets tag their rows by their number; what has no dataset follows.
constexpr std::uint8_t kIntent = 100;
constexpr std::uint8_t kFill = 101;
constexpr std::uint8_t kVerdict = 102;

template <class Row>
void add_record(ByteWriter& out, const Row& row) {
  const Record record = to_record(row);
  out.text(record.head(kDatasetOf<Row>));
  out.text(record.payload);
}

std::string_view view(const Sha256& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

}  // namespace

Ledger::Ledger() : hash_{everlearn::sha256("everlearn ledger v1")} {}

void Ledger::add(const ExampleRow& row) { add_record(pending_, row); }
void Ledger::add(const LabelRow& row) { add_record(pending_, row); }
void Ledger::add(const PredictionRow& row) { add_record(pending_, row); }

void Ledger::add(const IntentRow& row) {
  pending_.u8(kIntent);
  pending_.text(canonical(row));
}

void Ledger::add(const FillRow& row) {
  pending_.u8(kFill);
  pending_.text(canonical(row));
}

void Ledger::add_verdict(std::uint16_t target, std::string_view bundle, std::string_view champion_before,
                         Timestamp as_of, std::string_view outcome, std::string_view canonical_checks) {
  pending_.u8(kVerdict);
  pending_.u32(target);
  pending_.text(bundle);
  pending_.text(champion_before);
  pending_.time(as_of);
  pending_.text(outcome);
  pending_.text(canonical_checks);
}

// A cycle in which nothing was decided leaves the hash as it is: how long the engine waited is not a decision.
void Ledger::end_cycle() {
  if (pending_.bytes().empty()) return;
  Sha256Stream stream;
  stream.add(view(hash_));
  stream.add(pending_.bytes());
  hash_ = stream.finish();
  pending_.clear();
}

void Ledger::encode(ByteWriter& out) const {
  out.text(view(hash_));
  out.text(pending_.bytes());
}

Result<void> Ledger::decode(ByteReader& in) {
  const std::string hash = in.text();
  const std::string pending = in.text();
  if (!in.ok() || hash.size() != hash_.size()) return fail(Code::Damaged, "ledger: the bytes end too early");
  std::copy(hash.begin(), hash.end(), hash_.begin());
  pending_.clear();
  for (const char byte : pending) pending_.u8(static_cast<std::uint8_t>(byte));
  return {};
}

}  // namespace everlearn
