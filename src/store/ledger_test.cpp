#include "store/ledger.hpp"

#include "store/test_store.hpp"

using namespace everlearn;

namespace {

Ledger one_cycle() {
  Ledger ledger;
  ledger.add(example_row(1));
  ledger.add(prediction_row(1));
  ledger.end_cycle();
  return ledger;
}

}  // namespace

TEST_CASE("ledger: it begins with the hash of its name") {
  CHECK(Ledger{}.sha256() == sha256_hex("everlearn ledger v1"));
}

TEST_CASE("ledger: a cycle's hash is that of the hash before and the cycle's bytes") {
  const LabelRow row = label_row(1);
  Ledger ledger;
  ledger.add(row);
  ledger.end_cycle();
  const Record record = to_record(row);
  ByteWriter cycle;
  cycle.text(record.head(Dataset::Labels));
  cycle.text(record.payload);
  const Sha256 before = sha256("everlearn ledger v1");
  CHECK(ledger.sha256() == sha256_hex(std::string{before.begin(), before.end()} + cycle.bytes()));
}

TEST_CASE("ledger: equal decisions give equal hashes, any changed value another one") {
  CHECK(one_cycle().sha256() == one_cycle().sha256());
  Ledger other;
  other.add(example_row(1));
  PredictionRow changed = prediction_row(1);
  changed.blended = std::nextafter(changed.blended, 1);
  other.add(changed);
  other.end_cycle();
  CHECK(other.sha256() != one_cycle().sha256());
}

TEST_CASE("ledger: what was said on trial, and what a filter measured, count too") {
  const auto hash_with = [](const PredictionRow& row) {
    Ledger ledger;
    ledger.add(row);
    ledger.end_cycle();
    return ledger.sha256();
  };
  const PredictionRow base = stream_row(1, Stream::Base, true);
  PredictionRow other = base;
  other.stream = Stream::Tuned;
  CHECK(hash_with(other) != hash_with(base));
  other = base;
  other.served = false;
  CHECK(hash_with(other) != hash_with(base));
  other = base;
  other.measured = 0.15;
  CHECK(hash_with(other) != hash_with(base));
}

TEST_CASE("ledger: order and the borders of cycles count, cycles without decisions do not") {
  Ledger swapped;
  swapped.add(prediction_row(1));
  swapped.add(example_row(1));
  swapped.end_cycle();
  CHECK(swapped.sha256() != one_cycle().sha256());

  Ledger split;
  split.add(example_row(1));
  split.end_cycle();
  split.add(prediction_row(1));
  split.end_cycle();
  CHECK(split.sha256() != one_cycle().sha256());

  Ledger idle = one_cycle();
  idle.end_cycle();
  CHECK(idle.sha256() == one_cycle().sha256());
}

TEST_CASE("ledger: intents, fills and verdicts count") {
  const auto hash_with = [](const auto& add) {
    Ledger ledger;
    add(ledger);
    ledger.end_cycle();
    return ledger.sha256();
  };
  const std::string nothing = Ledger{}.sha256();
  const auto intent = hash_with([](Ledger& l) { l.add(intent_row("open")); });
  const auto filled = hash_with([](Ledger& l) { l.add(intent_row("filled")); });
  const auto fill = hash_with([](Ledger& l) { l.add(fill_row()); });
  const auto verdict = hash_with([](Ledger& l) { l.add_verdict(0, "b", "", kStart, "refused", "r2 0.01"); });
  const auto promoted = hash_with([](Ledger& l) { l.add_verdict(0, "b", "", kStart, "promoted", "r2 0.01"); });
  CHECK(intent != nothing);
  CHECK(filled != intent);
  CHECK(fill != nothing);
  CHECK(fill != intent);
  CHECK(verdict != promoted);
}

TEST_CASE("ledger: a restart in the middle of a cycle changes nothing") {
  Ledger ledger = one_cycle();
  ledger.add(label_row(4));
  ByteWriter out;
  ledger.encode(out);
  Ledger restarted;
  ByteReader in{out.bytes()};
  REQUIRE(restarted.decode(in).has_value());
  ledger.end_cycle();
  restarted.end_cycle();
  CHECK(restarted.sha256() == ledger.sha256());

  ByteReader cut{std::string_view{out.bytes()}.substr(0, 20)};
  CHECK(code_of(Ledger{}.decode(cut)) == Code::Damaged);
}
