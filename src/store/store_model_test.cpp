// Any order of what a store does, with crashes between, against a list in memory.
#include <rapidcheck.h>

#include "core/sim_fs.hpp"
#include "store/test_store.hpp"

using namespace everlearn;

namespace {

enum class Step : std::uint8_t { Append, AppendAgain, Commit, Rollback, SealDue, SealAll, Retain, Reopen, Crash };
constexpr int kSteps = 9;

/// What must be there: row n of the prices has sequence number n + 1, of the labels too.
struct Model {
  std::int64_t committed = 0;  // rows 0 .. committed - 1
  std::int64_t appended = 0;
  std::map<Dataset, std::int64_t> kept_from{{Dataset::Prices, 0}, {Dataset::Labels, 0}};  // older ones are deleted

  std::map<Dataset, std::vector<std::string>> rows() const {
    std::map<Dataset, std::vector<std::string>> all;
    const auto add = [&](const auto& row) {
      using Row = std::decay_t<decltype(row)>;
      const Record record = to_record(row);
      all[kDatasetOf<Row>].push_back(record.head(kDatasetOf<Row>) + record.payload);
    };
    for (std::int64_t n = kept_from.at(Dataset::Prices); n < appended; ++n) add(price_row(n, n % 2 == 0 ? 0 : 3));
    for (std::int64_t n = kept_from.at(Dataset::Labels); n < appended; ++n)
      add(label_row(n / 2, 1, static_cast<std::uint16_t>(n % 2)));
    return all;
  }
};

}  // namespace

TEST_CASE(
    "store: any sequence of appends, commits, seals, deletions, restarts and power cuts equals a list in memory") {
  const bool held = rc::check([](const std::vector<std::uint16_t>& script) {
    StoreDirectory directory;
    TestWorld world;
    SimFs lake{script.size()};
    const StoreOptions options{.segment_rows = 7};
    auto store = open_store(world.world(lake), directory.path(), options);
    Model model;
    const auto append = [&](std::int64_t n) {
      RC_ASSERT(store->append(price_row(n, n % 2 == 0 ? 0 : 3)).has_value());
      RC_ASSERT(store->append(label_row(n / 2, 1, static_cast<std::uint16_t>(n % 2))).has_value());
    };
    const auto reopen = [&] {
      store = open_store(world.world(lake), directory.path(), options);
      model.appended = model.committed;
    };
    for (const std::uint16_t word : script) {
      const std::int64_t argument = word / kSteps % 16;
      switch (static_cast<Step>(word % kSteps)) {
        case Step::Append:
          for (std::int64_t i = 0; i < argument; ++i) append(model.appended++);
          break;
        case Step::AppendAgain: {
          const std::int64_t n = model.appended - 1 - argument;
          if (n >= model.kept_from.at(Dataset::Prices) && n >= model.kept_from.at(Dataset::Labels)) append(n);
          break;
        }
        case Step::Commit:
          RC_ASSERT(store->commit(std::to_string(model.appended)).has_value());
          model.committed = model.appended;
          break;
        case Step::Rollback:
          RC_ASSERT(store->rollback().has_value());
          model.appended = model.committed;
          break;
        case Step::SealDue:
          (void)store->seal_due(kStart);
          break;  // refuses if rows are not committed
        case Step::SealAll:
          (void)store->seal_all();
          break;
        case Step::Retain: {
          const auto plan = store->plan_retention(at_minute(model.committed / 4), 0);
          RC_ASSERT(plan.has_value());
          if (!store->retain(*plan, kStart)) break;
          for (const Segment& segment : plan->segments)
            model.kept_from[segment.dataset] = std::max(model.kept_from[segment.dataset], segment.last_seq);
          break;
        }
        case Step::Reopen:
          store.reset();
          reopen();
          break;
        case Step::Crash:
          store.reset();
          lake.crash();
          reopen();
          break;
      }
      RC_ASSERT(contents(*store) == model.rows());
      RC_ASSERT(store->checkpoint().value().value_or("0") == std::to_string(model.committed));
    }
    RC_ASSERT(store->verify().value().empty());
  });
  CHECK(held);
}
