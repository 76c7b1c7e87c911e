#include "io/table_source.hpp"

#include <rapidcheck.h>

#include <set>

#include "io/fake_table.hpp"
#include "io/test_world.hpp"

namespace everlearn {
namespace {

using Lines = std::vector<std::string>;
using Counts = std::map<std::string, std::int64_t>;
using Cells = std::map<std::string, std::string>;

Timestamp at(const std::string& text) { return Timestamp::parse("2026-01-03T" + text + "Z").value(); }
std::string time_of(const std::string& text) { return "2026-01-03T" + text + "Z"; }

std::vector<LiveColumn> numbers(const std::vector<std::string>& names) {
  std::vector<LiveColumn> columns;
  for (const std::string& name : names) columns.push_back({name, "double precision", ColumnKind::Number});
  return columns;
}

struct Table : TestWorld {
  FakeRows there;
  TableOptions options;
  std::unique_ptr<Source> source;

  explicit Table(const std::vector<std::string>& names = {"price"}) {
    there.columns = numbers(names);
    there.columns.push_back({"timestamp", "timestamp with time zone", ColumnKind::Time});
    there.columns.push_back({"key", "text", ColumnKind::Text});
    there.columns.push_back({"id", "bigint", ColumnKind::Number});
    there.columns.push_back({"known", "timestamp with time zone", ColumnKind::Time});
    options.key_column = "key";
    options.id_column = "id";
    options.quarantine_dir = "quarantine";
    options.lookback = Duration::minutes(10);
    clock.set(at("00:10:00"));
  }

  void price(const std::string& time, const std::string& id, const std::string& value, const std::string& key = "a") {
    there.add({{"timestamp", time_of(time)}, {"key", key}, {"id", id}, {"price", value}});
  }
  void open() {
    auto opened = open_table(world, options, std::make_unique<FakeTable>(there), instruments);
    REQUIRE(opened);
    source = std::move(*opened);
  }
  /// As a restart finds it.
  void restart() {
    const std::string position = source->position();
    open();
    REQUIRE(source->seek(position));
  }
  Lines now() {
    if (!source) open();
    return all_told(*source, instruments);
  }
  Lines later(const std::string& time) {
    clock.set(at(time));
    return now();
  }
};

TEST_CASE("table: rows are known when they say, in order of time; then what is new") {
  Table t;
  t.options.delay = Duration::seconds(5);
  t.price("00:01:00", "1", "1");
  t.price("00:02:00", "2", "2");
  CHECK(t.now() == Lines{"00:01:00/00:01:05 a price 1", "00:02:00/00:02:05 a price 2"});
  CHECK(t.now().empty());
  t.price("00:10:20", "3", "3");
  CHECK(t.later("00:10:30") == Lines{"00:10:20/00:10:25 a price 3"});
  CHECK(t.source->report().rows == 3);
  CHECK(t.source->report().time_unit == "rfc3339");
  CHECK(t.source->report().late == 0);
}

TEST_CASE("table: it is looked at no more often than source.poll") {
  Table t;
  CHECK(t.now().empty());
  t.price("00:09:00", "1", "1");
  CHECK(t.later("00:10:09").empty());
  CHECK(t.there.looks == 1);
  CHECK(t.later("00:10:10") == Lines{"00:09:00/00:10:10 a price 1"});
  CHECK(t.there.looks == 2);
}

TEST_CASE("table: a row that was not there when its time was read is known when it is read, and counted") {
  Table t;
  t.price("00:01:00", "1", "1");
  t.price("00:09:00", "3", "3");
  CHECK(t.now().size() == 2);
  t.price("00:08:00", "2", "2");
  CHECK(t.later("00:11:00") == Lines{"00:08:00/00:11:00 a price 2"});
  CHECK(t.source->report().late == 1);
  t.price("00:10:30", "4", "4");  // new, yet before the last look: nobody knew it then
  CHECK(t.later("00:12:00") == Lines{"00:10:30/00:12:00 a price 4"});
  CHECK(t.source->report().late == 1);
}

TEST_CASE("table: a row older than the lookback is not looked for") {
  Table t;
  t.price("00:09:00", "2", "2");
  CHECK(t.now().size() == 1);
  t.clock.set(at("00:30:00"));
  t.price("00:25:00", "3", "3");
  CHECK(t.now().size() == 1);
  t.price("00:10:00", "1", "1");
  t.price("00:16:00", "4", "4");
  CHECK(t.later("00:31:00") == Lines{"00:16:00/00:31:00 a price 4"});
}

TEST_CASE("table: a corrected row is a new event with a revision; the first one stands") {
  Table t;
  t.price("00:08:00", "1", "1");
  t.price("00:09:00", "2", "2");
  CHECK(t.now().size() == 2);
  t.there.rows[0]["price"] = "1.5";
  t.clock.set(at("00:11:00"));
  const auto event = t.source->next();
  REQUIRE(event);
  REQUIRE(*event);
  CHECK((*event)->revision == 1);
  CHECK(told(**event, t.instruments) == "00:08:00/00:11:00 a price 1.5");
  CHECK(t.now().empty());
  CHECK(t.source->report().corrected == 1);
  t.there.rows[0]["price"] = "1";  // and back
  CHECK(t.later("00:12:00") == Lines{"00:08:00/00:12:00 a price 1"});
  CHECK(t.later("00:13:00").empty());
}

TEST_CASE("table: a second row of one key and time is a correction by its id") {
  Table t;
  t.price("00:08:00", "1", "1");
  t.price("00:08:00", "2", "2");
  t.open();
  for (const std::uint32_t revision : {0u, 1u}) {
    const auto event = t.source->next();
    REQUIRE(event);
    REQUIRE(*event);
    CHECK((*event)->revision == revision);
  }
  t.restart();
  t.price("00:08:00", "3", "3");
  t.clock.set(at("00:11:00"));
  const auto event = t.source->next();
  REQUIRE(event);
  REQUIRE(*event);
  CHECK((*event)->revision == 2);
}

TEST_CASE("table: without an id, rows that nothing tells apart are refused but one") {
  Table t;
  t.options.id_column.clear();
  t.price("00:08:00", "", "2");
  t.price("00:08:00", "", "1");
  t.price("00:08:00", "", "1");
  const Lines first = t.now();
  REQUIRE(first.size() == 1);
  CHECK(t.source->report().refused == Counts{{"second value for the same time", 1}});
  std::ranges::reverse(t.there.rows);  // the table has no order of its own
  CHECK(t.later("00:11:00").empty());
  CHECK(t.source->report().refused == Counts{{"second value for the same time", 1}});
}

TEST_CASE("table: bad rows go to the quarantine once, and the source goes on") {
  Table t{{"open", "high", "low", "close", "volume"}};
  t.options.bar_length = Duration::minutes(1);
  const auto bar = [&](const std::string& time, const std::string& id, const char* high, const char* close) {
    t.there.add({{"timestamp", time},
                 {"key", "a"},
                 {"id", id},
                 {"open", "2"},
                 {"high", high},
                 {"low", "1"},
                 {"close", close},
                 {"volume", "5"}});
  };
  bar(time_of("00:01:00"), "1", "3", "2.5");
  bar(time_of("00:02:00"), "2", "3", "NaN");
  bar(time_of("00:03:00"), "3", "1.5", "2");
  bar("", "4", "3", "2");
  bar(time_of("00:04:00"), "5", "3", "2");
  CHECK(t.now() == Lines{"00:02:00 a bar 00:01:00 2.5", "00:05:00 a bar 00:04:00 2"});
  const Counts refused{{"NaN price", 1}, {"high below open or close", 1}, {"missing time", 1}};
  CHECK(t.source->report().refused == refused);
  CHECK(t.later("00:10:30").empty());
  CHECK(t.source->report().refused == refused);
  t.restart();
  CHECK(t.later("00:11:00").empty());
  CHECK(t.source->report().refused.empty());
  const std::string kept = t.read("quarantine/rows.csv");
  CHECK(kept.find("NaN price: close") != std::string::npos);
  CHECK(std::ranges::count(kept, '\n') == 4);
  t.there.rows[1]["close"] = "2";  // repaired
  CHECK(t.later("00:12:00") == Lines{"00:03:00/00:12:00 a bar 00:02:00 2"});
}

TEST_CASE("table: a bar that is not closed yet waits") {
  Table t{{"open", "high", "low", "close"}};
  t.options.delay = Duration::seconds(2);
  const auto bar = [&](const std::string& time, const std::string& close) {
    t.there.add({{"timestamp", time_of(time)},
                 {"key", "a"},
                 {"id", "1"},
                 {"open", "2"},
                 {"high", "9"},
                 {"low", "1"},
                 {"close", close}});
  };
  bar("00:08:00", "2");
  bar("00:09:00", "3");
  bar("00:10:00", "4");
  CHECK(t.later("00:10:30") == Lines{"00:09:00/00:09:02 a bar 00:08:00 2", "00:10:00/00:10:02 a bar 00:09:00 3"});
  t.there.rows[2]["close"] = "5";
  CHECK(t.later("00:11:01").empty());
  CHECK(t.later("00:11:12") == Lines{"00:11:00/00:11:02 a bar 00:10:00 5"});
  CHECK(t.source->report().corrected == 0);
}

TEST_CASE("table: how long a bar is must be seen first, and is kept") {
  Table t{{"open", "high", "low", "close"}};
  const auto bar = [&](const std::string& time) {
    t.there.add({{"timestamp", time_of(time)},
                 {"key", "a"},
                 {"id", "1"},
                 {"open", "2"},
                 {"high", "2"},
                 {"low", "2"},
                 {"close", "2"}});
  };
  bar("00:01:00");
  CHECK(t.now().empty());
  bar("00:06:00");
  CHECK(t.later("00:12:00").size() == 2);
  t.restart();
  bar("00:12:00");
  CHECK(t.later("00:18:00") == Lines{"00:17:00 a bar 00:12:00 2"});
}

TEST_CASE("table: fields and an outcome come beside the price, and an outcome that is filled in later comes alone") {
  Table t{{"price", "rsi"}};
  t.there.columns.push_back({"move", "text", ColumnKind::Text});
  t.options.fields = {"rsi"};
  t.options.outcome_column = "move";
  t.options.outcome_values = {"down", "flat", "up"};
  t.there.add({{"timestamp", time_of("00:08:00")}, {"key", "a"}, {"id", "1"}, {"price", "1"}, {"rsi", "0.5"}});
  t.there.add({{"timestamp", time_of("00:09:00")}, {"key", "a"}, {"id", "2"}, {"price", "2"}, {"move", "sideways"}});
  t.open();
  std::vector<Event> events;
  const auto take = [&] {
    events.clear();
    for (;;) {
      auto event = t.source->next();
      REQUIRE(event);
      if (!*event) return;
      events.push_back(**event);
    }
  };
  take();
  REQUIRE(events.size() == 2);
  CHECK(std::holds_alternative<PricePoint>(events[0].what));
  const auto* fields = std::get_if<Fields>(&events[1].what);
  REQUIRE(fields != nullptr);
  CHECK(fields->values == std::vector<float>{0.5f});
  CHECK(!fields->outcome);
  CHECK(events[1].known_at == events[0].known_at);
  CHECK(t.source->report().refused == Counts{{"unknown outcome", 1}});

  t.there.rows[0]["move"] = "up";
  t.clock.set(at("00:11:00"));
  take();
  REQUIRE(events.size() == 1);
  fields = std::get_if<Fields>(&events[0].what);
  REQUIRE(fields != nullptr);
  CHECK(fields->outcome == 2.0);
  CHECK(events[0].revision == 1);
  CHECK(events[0].known_at == at("00:11:00"));
}

TEST_CASE("table: a restart between a row's price and its fields gives each once, as one version") {
  Table t{{"price", "rsi"}};
  t.options.fields = {"rsi"};
  const auto row = [&](const std::string& time, const std::string& id, const std::string& price) {
    t.there.add({{"timestamp", time_of(time)}, {"key", "a"}, {"id", id}, {"price", price}, {"rsi", "0." + id}});
  };
  row("00:07:00", "1", "1");
  row("00:08:00", "2", "2");
  t.open();
  Lines got;
  const auto take = [&] {
    t.restart();
    const auto event = t.source->next();
    REQUIRE(event);
    if (!*event) return false;
    got.push_back(fmt::format("{} revision {}", told(**event, t.instruments), (*event)->revision));
    return true;
  };
  while (take()) {
  }
  CHECK(got == Lines{"00:07:00 a price 1 revision 0", "00:07:00 a fields 0.1 revision 0",
                     "00:08:00 a price 2 revision 0", "00:08:00 a fields 0.2 revision 0"});
  got.clear();
  t.clock.set(at("00:11:00"));
  row("00:10:30", "3", "3");
  REQUIRE(take());
  t.there.rows.back()["price"] = "3.5";  // corrected before its fields were given: the whole row comes again
  t.clock.set(at("00:12:00"));
  while (take()) {
  }
  CHECK(got == Lines{"00:10:30 a price 3 revision 0", "00:10:30/00:12:00 a price 3.5 revision 1",
                     "00:10:30/00:12:00 a fields 0.3 revision 1"});
}

TEST_CASE("table: what is read together comes in order of time, then of name") {
  Table t;
  t.price("00:08:00", "1", "1", "b");
  t.price("00:08:00", "2", "2", "a");
  t.price("00:09:00", "3", "3", "c");
  CHECK(t.now() == Lines{"00:08:00 a price 2", "00:08:00 b price 1", "00:09:00 c price 3"});
  t.price("00:10:30", "6", "6", "c");
  t.price("00:08:30", "7", "7", "b");
  CHECK(t.later("00:11:00") == Lines{"00:10:30 c price 6", "00:08:30/00:11:00 b price 7"});
}

TEST_CASE("table: the known column says when, and puts the rows in order") {
  Table t;
  t.options.known_column = "known";
  const auto row = [&](const std::string& time, const std::string& known, const std::string& id) {
    t.there.add({{"timestamp", time_of(time)},
                 {"known", known.empty() ? "" : time_of(known)},
                 {"key", "a"},
                 {"id", id},
                 {"price", id}});
  };
  row("00:01:00", "00:01:10", "1");
  row("00:03:00", "00:03:10", "3");
  row("00:02:00", "00:04:00", "2");
  row("00:05:00", "", "9");
  CHECK(t.now() == Lines{"00:01:00/00:01:10 a price 1", "00:03:00/00:03:10 a price 3", "00:02:00/00:04:00 a price 2"});
  CHECK(t.source->report().refused == Counts{{"missing known time", 1}});
  row("00:10:05", "00:10:01", "4");  // known before it happened: when it happened
  CHECK(t.later("00:10:20") == Lines{"00:10:05 a price 4"});
}

TEST_CASE("table: a batch that breaks off half-way gives nothing, and is read again") {
  Table t;
  t.price("00:01:00", "1", "1");
  CHECK(t.now().size() == 1);
  t.price("00:10:05", "2", "2");
  t.there.reads_before_failure = 2;  // the second page of the look
  CHECK(t.later("00:10:10").empty());
  CHECK(t.source->report().trouble == "the server went away");
  const std::string position = t.source->position();
  t.there.reads_before_failure = -1;
  CHECK(t.later("00:10:15").empty());  // not yet
  CHECK(t.later("00:10:20") == Lines{"00:10:05 a price 2"});
  CHECK(t.source->report().trouble.empty());
  t.open();
  REQUIRE(t.source->seek(position));
  CHECK(t.later("00:10:40") == Lines{"00:10:05 a price 2"});
}

TEST_CASE(
    "table: what it has told reaches to its last look, less the time that a writer may take; a row after that is on "
    "time") {
  Table t;
  t.options.settle = Duration::seconds(5);
  t.price("00:09:50", "1", "1");
  CHECK(t.now().size() == 1);
  CHECK(t.source->told_until(t.clock.now()) == at("00:09:55"));
  t.price("00:09:57", "2", "2");
  CHECK(t.later("00:10:05").empty());  // no look yet, so nothing more is told
  CHECK(t.source->told_until(t.clock.now()) == at("00:09:55"));
  CHECK(t.later("00:10:10") == Lines{"00:09:57 a price 2"});
  CHECK(t.source->told_until(t.clock.now()) == at("00:10:05"));
  t.price("00:10:04", "3", "3");
  CHECK(t.later("00:10:20") == Lines{"00:10:04/00:10:20 a price 3"});  // too late: a cycle may have run
}

TEST_CASE("table: looks at a table in trouble come further and further apart") {
  Table t;
  t.there.reads_before_failure = 0;
  std::vector<std::int64_t> gaps;
  Timestamp last = t.clock.now();
  int looks = 0;
  for (int second = 0; second < 1'500; ++second) {
    CHECK(t.now().empty());
    if (t.there.looks != looks) {
      looks = t.there.looks;
      gaps.push_back((t.clock.now() - last).us() / 1'000'000);
      last = t.clock.now();
    }
    t.clock.set(t.clock.now() + Duration::seconds(1));
  }
  CHECK(gaps == std::vector<std::int64_t>{0, 10, 20, 40, 80, 160, 300, 300, 300});
}

TEST_CASE("table: an Error that needs a person is an Error") {
  Table t;
  t.there.reads_before_failure = 0;
  t.there.failure = {Code::Config, "no right to read table rows"};
  CHECK(t.now() == Lines{"no right to read table rows"});
}

TEST_CASE("table: a column that is gone or of another kind stops reading by name, also after a restart") {
  Table t{{"price", "rsi"}};
  t.options.fields = {"rsi"};
  t.there.add({{"timestamp", time_of("00:08:00")}, {"key", "a"}, {"id", "1"}, {"price", "1"}, {"rsi", "0.5"}});
  CHECK(t.now().size() == 2);
  const auto columns = t.there.columns;
  SUBCASE("gone") {
    t.there.columns[1].name = "rsi_14";
    for (int i = 0; i < 2; ++i) {
      const Lines lines = t.later("00:11:00");
      REQUIRE(lines.size() == 1);
      CHECK(lines[0].starts_with("table rows: column \"rsi\" was a number and is gone; there are "));
      CHECK(lines[0].find("rsi_14") != std::string::npos);
      t.restart();
    }
  }
  SUBCASE("another kind") {
    t.there.columns[1].kind = ColumnKind::Text;
    t.there.columns[1].type = "text";
    const Lines lines = t.later("00:11:00");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("table rows: column \"rsi\" was a number and is text now"));
  }
  SUBCASE("a wider type of the same kind is none") {
    t.there.columns[1].type = "numeric";
    t.there.columns.push_back({"more", "text", ColumnKind::Text});
    CHECK(t.later("00:11:00").empty());
  }
  t.there.columns = columns;
  CHECK(t.later("00:12:00").empty());
}

TEST_CASE("table: settings that name what is not there are errors that say so") {
  Table t;
  SUBCASE("a field") {
    t.options.fields = {"rsi"};
    CHECK(t.now().at(0).starts_with("table rows has no column \"rsi\" (source.fields); it has \"price, timestamp"));
  }
  SUBCASE("a kind") {
    t.options.fields = {"key"};
    CHECK(t.now().at(0) == "table rows: column \"key\" (source.fields) is text, wanted is a number or boolean");
  }
  SUBCASE("nothing to read") {
    t.options.columns = {{"price", ""}};
    CHECK(t.now().at(0).starts_with("table rows has neither price columns"));
  }
  SUBCASE("an outcome among the fields") {
    t.options.fields = {"price"};
    t.options.outcome_column = "price";
    CHECK(t.now().at(0).find("a feature must not see it") != std::string::npos);
  }
  SUBCASE("other meanings after a restart") {
    t.price("00:08:00", "1", "1");
    CHECK(t.now().size() == 1);
    const std::string position = t.source->position();
    t.options.key_column.clear();
    t.open();
    const auto sought = t.source->seek(position);
    REQUIRE(!sought);
    CHECK(sought.error().code == Code::Config);
  }
}

TEST_CASE("table: more rows of one time than a batch are read with an id, and refused by name with nothing") {
  Table t;
  t.options.batch_rows = 10;
  for (int i = 1; i <= 25; ++i) t.price("00:08:00", std::to_string(i), "1", "k" + std::to_string(i));
  SUBCASE("id") { CHECK(t.now().size() == 25); }
  SUBCASE("key") {
    t.options.id_column.clear();
    CHECK(t.now().size() == 25);
  }
  SUBCASE("nothing") {
    t.options.id_column.clear();
    t.options.key_column.clear();
    CHECK(t.now().at(0).find("more than 10 rows have the time 2026-01-03T00:08:00.000000Z") != std::string::npos);
  }
  CHECK(t.there.largest_page <= 10);
}

TEST_CASE("table: rows that are deleted stay what they were, and are counted once") {
  Table t;
  t.price("00:08:00", "1", "1");
  t.price("00:09:00", "2", "2");
  CHECK(t.now().size() == 2);
  t.there.rows.erase(t.there.rows.begin());
  CHECK(t.later("00:10:30").empty());
  CHECK(t.later("00:11:00").empty());
  CHECK(t.source->report().gone == 1);
  t.price("00:08:00", "1", "1");
  CHECK(t.later("00:12:00").empty());
}

TEST_CASE("table: after a long silence rows keep their times, and a late one waits for the end") {
  Table t;
  t.options.batch_rows = 10;
  t.price("00:09:00", "1", "1");
  CHECK(t.now().size() == 1);
  t.price("00:09:30", "1000", "9.5");  // while nobody looked
  t.price("00:08:30", "1001", "8.5");
  Lines wanted;
  for (int i = 0; i < 35; ++i) {
    const std::string time = fmt::format("01:{:02}:00", i);
    t.price(time, std::to_string(10 + i), std::to_string(10 + i));
    wanted.push_back(fmt::format("{} a price {}", time, 10 + i));
  }
  wanted.push_back("00:08:30/01:40:00 a price 8.5");
  wanted.push_back("00:09:30/01:40:00 a price 9.5");
  SUBCASE("in one go") { CHECK(t.later("01:40:00") == wanted); }
  SUBCASE("with a restart before each event") {
    t.clock.set(at("01:40:00"));
    Lines got;
    for (;;) {
      t.restart();
      const auto event = t.source->next();
      REQUIRE(event);
      if (!*event) break;
      got.push_back(told(**event, t.instruments));
    }
    CHECK(got == wanted);
  }
}

TEST_CASE("table: a simulation reads all there is, once") {
  Table t;
  t.options.whole = true;
  t.options.batch_rows = 10;
  t.clock.set(Timestamp{});
  for (int i = 0; i < 25; ++i) t.price(fmt::format("00:{:02}:00", i), std::to_string(i + 1), "1");
  t.open();
  CHECK(t.now().size() == 25);
  CHECK(t.now().empty());
  CHECK(t.there.looks == 3);
}

// However the rows arrive: each version of each row is given once, in order of known_at, none before its time, and what
// was known at a cycle was given before it.
TEST_CASE("table: however rows arrive and whenever the program ends, each is given once, in order of known_at") {
  CHECK(rc::check([] {
    Table t;
    t.options.batch_rows = 10;
    t.options.lookback = Duration::hours(2);
    t.options.delay = Duration::seconds(*rc::gen::inRange(0, 20));
    t.options.settle = Duration::seconds(*rc::gen::inRange(0, 15));
    if (*rc::gen::arbitrary<bool>()) t.options.known_column = "known";
    std::multiset<std::string> wanted, got;
    std::map<std::pair<std::string, Timestamp>, std::set<std::uint32_t>> revisions;
    Timestamp last = Timestamp::min(), told_until = Timestamp::min();
    int next_id = 1;
    const Timestamp begin = at("01:00:00");
    t.clock.set(begin);
    t.open();
    const int steps = *rc::gen::inRange(1, 30);
    const auto version = [](const Cells& row) {
      return row.at("key") + " " + row.at("timestamp") + " " + row.at("price");
    };
    const auto read_some = [&](int most) {
      for (int i = 0; i < most; ++i) {
        auto event = t.source->next();
        RC_ASSERT(event.has_value());
        if (!*event) {
          told_until = t.source->told_until(t.clock.now());
          RC_ASSERT(told_until <= t.clock.now());
          return;
        }
        const Event& e = **event;
        RC_ASSERT(e.known_at >= last);
        RC_ASSERT(e.known_at >= e.event_time);
        RC_ASSERT(e.known_at <= t.clock.now());
        RC_ASSERT(e.known_at > told_until);
        last = e.known_at;
        const std::string name = t.instruments[e.instrument].name;
        RC_ASSERT((revisions[{name, e.event_time}].insert(e.revision).second));
        got.insert(name + " " + e.event_time.iso() + " " + std::get<PricePoint>(e.what).price.text());
      }
    };
    for (int step = 0; step < steps; ++step) {
      const Timestamp now = t.clock.now();
      const int arriving = *rc::gen::inRange(0, 15);
      for (int i = 0; i < arriving; ++i) {
        const Timestamp time = now - Duration::seconds(*rc::gen::inRange(0, 1'500));
        const std::string key(1, static_cast<char>('a' + *rc::gen::inRange(0, 3)));
        const int id = next_id++;
        wanted.insert(version(t.there.add({{"timestamp", time.iso()},
                                           {"known", (now - Duration::seconds(*rc::gen::inRange(0, 30))).iso()},
                                           {"key", key},
                                           {"id", std::to_string(id)},
                                           {"price", std::to_string(id)}})));
      }
      // Corrections of rows that were given, so that each version is seen.
      if (!t.there.rows.empty() && got == wanted && *rc::gen::arbitrary<bool>()) {
        Cells& row = t.there.rows[*rc::gen::inRange<std::size_t>(0, t.there.rows.size())];
        row["price"] = std::to_string(next_id++);
        wanted.insert(version(row));
      }
      t.there.reads_before_failure = *rc::gen::arbitrary<bool>() ? -1 : *rc::gen::inRange(1, 4);
      read_some(*rc::gen::inRange(0, 40));
      if (*rc::gen::arbitrary<bool>()) t.restart();
      t.there.reads_before_failure = -1;
      t.clock.set(now + Duration::seconds(*rc::gen::inRange(1, 120)));
    }
    t.clock.set(t.clock.now() + Duration::minutes(10));
    for (int i = 0; i < 3; ++i) {
      read_some(100'000);
      t.clock.set(t.clock.now() + Duration::minutes(10));
    }
    RC_ASSERT(got == wanted);
  }));
}

}  // namespace
}  // namespace everlearn
