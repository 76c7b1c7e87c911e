#include "app/status.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

Status some_status() {
  Status status;
  status.progress.learning = "collecting";
  status.progress.examples = 3450;
  status.labelled = 2100;
  status.effective = 1890;
  status.needed = 2000;
  return status;
}

bool has_line(const std::string& text, const std::string& line) {
  INFO(text);
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("status: one line says how far the data is, and what becomes of it") {
  Status status = some_status();
  const std::string data = "3,450 examples collected, 2,100 labeled ";
  CHECK(has_line(status_text(status), "ML Data: " + data + "(auto-enable pending: 1,890 effective of 2,000)"));
  status.needed = 0;
  CHECK(ml_data_words(status) == data + "(auto-enable never; 1,890 effective)");
  status.enabled = true;
  CHECK(ml_data_words(status) == data + "(enabled, before the first training; 1,890 effective)");
  status.progress.learning = "training";
  CHECK(ml_data_words(status) == data + "(enabled, no model has passed the gate yet; 1,890 effective)");
  status.enabled = false;
  CHECK(ml_data_words(status) == data + "(auto-enable pending: no model has passed the gate yet; 1,890 effective)");
  status.progress.learning = "active";
  CHECK(ml_data_words(status) == data + "(active; 1,890 effective)");
  status.progress.auto_enabled = Timestamp::parse("2026-01-04T12:00:00Z").value();
  CHECK(ml_data_words(status) == data + "(active, auto-enabled 2026-01-04T12:00:00Z; 1,890 effective)");
  status.off_by_hand = true;
  status.progress.learning = "off";
  CHECK(ml_data_words(status) == data + "(off by hand; 1,890 effective)");
  status.off_by_hand = false;
  CHECK(ml_data_words(status) == data + "(off by the profile; 1,890 effective)");
}

TEST_CASE("status: a venue's markets, why others are left out, and how its feed is") {
  Status status = some_status();
  CHECK(status_text(status).find("Markets") == std::string::npos);
  status.engine.followed = 50;
  status.engine.second_tier = 120;
  status.engine.left_out = {{"limit", 7}, {"price outside", 1203}, {"spread", 8}};
  status.engine.health = {"2 sockets, 100 tokens, all alive", "REST 12 of 150 requests per 10 s"};
  const std::string text = status_text(status);
  CHECK(has_line(text,
                 "Markets      50 followed with their books, 120 by their prices; left out: price outside 1,203, "
                 "spread 8, limit 7"));
  CHECK(has_line(text, "Feed         2 sockets, 100 tokens, all alive"));
  CHECK(has_line(text, "             REST 12 of 150 requests per 10 s"));
  const std::string json = status_json(status);
  CHECK(
      json.find("\"markets\":{\"followed\":50,\"second_tier\":120,\"left_out\":{\"limit\":7,\"price outside\":1203,") !=
      std::string::npos);
  CHECK(json.find("\"feed\":[\"2 sockets, 100 tokens, all alive\",") != std::string::npos);
}

TEST_CASE("status: how dense the history is, and what is locked") {
  Status status = some_status();
  CHECK(status_text(status).find("avg interval") == std::string::npos);
  status.history =
      HistoryFacts{.points = 125'430, .tokens = 1250, .days = 12.5, .interval_minutes = 16.2, .open_holes = 3};
  status.history_step = Duration::minutes(15);
  status.progress.backfilled = 320;
  status.progress.committed = 120;
  status.progress.locked = 40;
  status.progress.positions = 3;
  status.progress.locked_positions = 1;
  status.progress.waiting_intents = 2;
  const std::string text = status_text(status);
  CHECK(has_line(text,
                 "Prices       125,430 points, 1,250 tokens, 12.5 days coverage; avg interval: 16.2min (target: "
                 "15min); 320 from a history, 3 holes open"));
  CHECK(
      has_line(text,
               "             120.00 committed, 40.00 of it locked: 1 position in markets that do not trade and are not "
               "resolved"));
  CHECK(has_line(text, "Intents      2 wait for approval: `everlearn intents list --state waiting`"));
  CHECK(status_json(status).find(
            "\"interval_minutes\":16.2,\"target_minutes\":15.0,\"open_holes\":3,\"backfilled\":320") !=
        std::string::npos);
}

}  // namespace
}  // namespace everlearn
