// For tests: a table in memory that its writers change between looks, and that breaks off when told to.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/live_table.hpp"

namespace everlearn {

struct FakeRows {
  std::vector<LiveColumn> columns;
  std::vector<std::map<std::string, std::string>> rows;
  int reads_before_failure = -1;  // of pages; -1: none fails
  Error failure{Code::Unavailable, "the server went away"};
  int looks = 0;
  std::size_t largest_page = 0;

  std::map<std::string, std::string>& add(std::map<std::string, std::string> row) {
    rows.push_back(std::move(row));
    return rows.back();
  }
};

class FakeTable final : public LiveTable {
 public:
  explicit FakeTable(FakeRows& rows) : rows_{rows} {}
  std::string name() const override { return "table rows"; }

  Result<std::unique_ptr<TableView>> look() override {
    ++rows_.looks;
    if (rows_.reads_before_failure == 0) return tl::unexpected<Error>(rows_.failure);
    return std::make_unique<View>(rows_);
  }

 private:
  class View final : public TableView {
   public:
    explicit View(FakeRows& now) : rows_{now}, columns_{now.columns}, seen_{now.rows} {}
    const std::vector<LiveColumn>& columns() const override { return columns_; }

    Result<std::vector<FoundRow>> rows(const TablePlan& plan, const TableRange& range, std::size_t limit) override {
      if (rows_.reads_before_failure > 0 && --rows_.reads_before_failure == 0)
        return tl::unexpected<Error>(rows_.failure);
      std::vector<FoundRow> found;
      for (const FoundRow& row : placed(plan)) {
        const bool behind =
            !range.after || std::pair{row.place.order, std::pair{row.place.tie.size(), row.place.tie}} >
                                std::pair{range.after->order, std::pair{range.after->tie.size(), range.after->tie}};
        if (behind && row.place.order >= range.from && row.place.order <= range.to && found.size() < limit)
          found.push_back(row);
      }
      rows_.largest_page = std::max(rows_.largest_page, found.size());
      return found;
    }
    Result<std::vector<FoundRow>> without_order(const TablePlan& plan, std::size_t limit) override {
      std::vector<FoundRow> found;
      for (const auto& row : seen_)
        if (!order_of(row, plan) && found.size() < limit) found.push_back(cells_of(row, plan));
      return found;
    }
    Result<std::optional<Timestamp>> newest(const TablePlan& plan) override {
      const auto all = placed(plan);
      return all.empty() ? std::optional<Timestamp>{} : std::optional{all.back().place.order};
    }
    Result<void> close() override { return {}; }

   private:
    using Cells = std::map<std::string, std::string>;
    static std::string cell(const Cells& row, const std::string& column) {
      const auto at = row.find(column);
      return at == row.end() ? "" : at->second;
    }
    static std::optional<Timestamp> order_of(const Cells& row, const TablePlan& plan) {
      const auto time = Timestamp::parse(cell(row, plan.columns[plan.order]));
      return time ? std::optional{*time} : std::nullopt;
    }
    static FoundRow cells_of(const Cells& row, const TablePlan& plan) {
      FoundRow found;
      for (const std::string& column : plan.columns) found.cells.push_back(cell(row, column));
      return found;
    }
    /// Ties are numbers without leading zeros: the longer one is the greater.
    std::vector<FoundRow> placed(const TablePlan& plan) const {
      std::vector<FoundRow> all;
      for (const auto& row : seen_) {
        const auto order = order_of(row, plan);
        if (!order) continue;
        FoundRow found = cells_of(row, plan);
        found.place = {*order, plan.tie ? found.cells[*plan.tie] : ""};
        all.push_back(std::move(found));
      }
      std::ranges::stable_sort(all, {}, [](const FoundRow& row) {
        return std::pair{row.place.order, std::pair{row.place.tie.size(), row.place.tie}};
      });
      return all;
    }

    FakeRows& rows_;
    const std::vector<LiveColumn> columns_;
    const std::vector<Cells> seen_;
  };

  FakeRows& rows_;
};

}  // namespace everlearn
