// The one Store. store.cpp: open, state, append, commit, read; seal.cpp: from hot to sealed; recovery.cpp: what a crash
// left behind; retention.cpp; verify.cpp.
#pragma once

#include <deque>
#include <unordered_map>

#include "store/alert_table.hpp"
#include "store/catalogue.hpp"
#include "store/hot_table.hpp"
#include "store/input_log.hpp"
#include "store/journal.hpp"
#include "store/lake_file.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"

namespace everlearn {

class StoreImpl final : public Store {
 public:
  static Result<std::unique_ptr<StoreImpl>> open(World world, const std::string& directory, StoreOptions options);

  Result<void> put_state(const std::string& key, const std::string& value) override;
  Result<std::optional<std::string>> state(const std::string& key) const override;
  Result<void> erase_state(const std::string& key) override;

  Result<void> append(const PriceRow& row) override { return append_row(row); }
  Result<void> append(const EventRow& row) override { return append_row(row); }
  Result<void> append(const ExampleRow& row) override { return append_row(row); }
  Result<void> append(const LabelRow& row) override { return append_row(row); }
  Result<void> append(const PredictionRow& row) override { return append_row(row); }
  Result<std::int64_t> append(const IntentRow& row) override;
  Result<void> update_intent(std::int64_t id, const std::string& state, const std::string& reason) override;
  Result<void> append(const FillRow& row) override;
  Result<std::int64_t> append(const VerdictRow& row) override;
  Result<void> append(const EquityRow& row) override;
  Result<void> append(const AlertRow& row) override;
  Result<void> put_delivery(const DeliveryRow& row) override;
  Result<std::int64_t> forget_alerts(Timestamp keep_from) override;
  Result<void> note(Timestamp at, const std::string& kind, const std::string& text) override;

  Result<void> commit(std::string_view checkpoint) override;
  Result<std::optional<std::string>> checkpoint() const override;
  Result<void> commit_state() override;
  Result<void> rollback() override;

  Result<void> append_input(std::string_view input) override;
  Result<void> keep_base(std::string_view base) override;
  Result<std::optional<std::string>> base() const override { return inputs_.base(); }
  Result<void> scan_inputs(const std::function<Result<void>(std::string_view input)>& input) const override {
    return inputs_.scan(input);
  }
  std::int64_t inputs() const override { return inputs_.inputs(); }

  Result<int> seal_due(Timestamp now) override;
  Result<int> seal_all() override;
  Result<RetentionPlan> plan_retention(Timestamp keep_from, std::uint64_t disk_cap) const override;
  Result<void> retain(const RetentionPlan& plan, Timestamp now) override;

  Result<void> scan_prices(TimeRange range, const std::function<bool(const PriceRow&)>& row) const override;
  Result<void> scan_events(TimeRange range, const std::function<bool(const EventRow&)>& row) const override;
  Result<void> scan_examples(TimeRange range, const std::function<bool(const ExampleRow&)>& row) const override;
  Result<void> scan_labels(TimeRange range, const std::function<bool(const LabelRow&)>& row) const override;
  Result<void> scan_predictions(TimeRange range, const std::function<bool(const PredictionRow&)>& row) const override;
  Result<std::vector<IntentRow>> intents() const override { return journal_.intents(); }
  Result<std::vector<FillRow>> fills() const override { return journal_.fills(); }
  Result<std::vector<VerdictRow>> verdicts() const override { return journal_.verdicts(); }
  Result<std::vector<EquityRow>> equity() const override { return journal_.equity(); }
  Result<std::vector<Note>> notes() const override { return journal_.notes(); }
  Result<std::vector<AlertRow>> alerts() const override { return alerts_.alerts(); }
  Result<std::vector<OpenAlert>> open_alerts(const std::string& channel, std::int64_t after) const override {
    return alerts_.open_alerts(channel, after);
  }
  Result<std::vector<DeliveryRow>> deliveries() const override { return alerts_.deliveries(); }

  std::vector<Segment> segments(Dataset dataset) const override { return catalogue_.segments(dataset); }
  Result<std::vector<DatasetStats>> stats() const override;
  std::uint64_t bytes_on_disk() const override;
  Result<std::int64_t> export_hot(Dataset dataset, const std::string& path) const override;
  Result<std::vector<std::string>> verify() const override;

  Coverage& coverage() override { return coverage_; }
  const Coverage& coverage() const override { return coverage_; }

 private:
  StoreImpl(World world, const std::string& directory, StoreOptions options, sqlite::Database database)
      : fs_{world.fs},
        directory_{directory},
        options_{std::move(options)},
        database_{std::move(database)},
        journal_{database_},
        alerts_{database_},
        inputs_{database_} {}
  Result<void> load();

  // store.cpp
  Result<void> begin();
  Result<void> finish_commit();
  Result<void> save_coverage();
  Result<void> load_coverage();
  template <class Row>
  Result<void> append_row(const Row& row);
  Result<bool> sealed_already(Dataset dataset, const Record& record);
  template <class Row>
  Result<void> scan(TimeRange range, const std::function<bool(const Row&)>& callback) const;
  HotTable& hot(Dataset dataset) { return hot_[static_cast<std::size_t>(dataset)]; }
  const HotTable& hot(Dataset dataset) const { return hot_[static_cast<std::size_t>(dataset)]; }
  std::string path_of(const Segment& segment) const { return directory_ + "/" + segment.path; }
  Result<LakeNames> lake_names() const;

  // seal.cpp
  struct Draft;
  Result<void> nothing_pending(const char* what) const;
  Result<bool> is_due(Dataset dataset, Timestamp now) const;
  Result<void> seal_front(Dataset dataset);
  template <class Row>
  Result<void> seal_front_of();
  Result<void> publish(Draft& draft, const std::string& temporary);
  Result<void> enter(Draft& draft, std::int64_t intent);
  void at(SealStep step) const {
    if (options_.at_seal_step) options_.at_seal_step(step);
  }

  // recovery.cpp
  Result<void> recover();
  Result<void> check_files() const;
  Result<void> clear_orphans(const std::string& relative);
  Result<void> quarantine(const std::string& relative);
  Result<std::vector<std::string>> files_below(const std::string& relative) const;

  Fs& fs_;  // lake/ and quarantine/; SQLite has its own files
  const std::string directory_;
  const StoreOptions options_;
  sqlite::Database database_;
  std::vector<HotTable> hot_;  // by dataset
  Catalogue catalogue_;
  SealedUntil sealed_until_;
  Journal journal_;
  AlertTable alerts_;
  InputLog inputs_;
  Coverage coverage_;
  std::string saved_streams_;  // coverage as it stands in the database
  bool pending_ = false;       // a transaction of ours is open; SQLite may have ended it after an error

  // Hashes of the rows of the segments that rewritten keys were looked up in last, newest first.
  struct SealedKeys {
    std::int64_t segment = 0;
    std::unordered_map<std::string, Sha256> rows;  // look-up only, never iterated
  };
  std::deque<SealedKeys> sealed_keys_;
};

}  // namespace everlearn
