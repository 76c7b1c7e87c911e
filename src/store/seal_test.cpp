// From hot to sealed: nothing is lost and nothing doubled, whatever fails and whenever the power goes.
#include <algorithm>

#include "core/sim_fs.hpp"
#include "store/lake_file.hpp"
#include "store/sqlite.hpp"
#include "store/test_store.hpp"

using namespace everlearn;

namespace {

struct Crash {};

struct Fixture {
  StoreDirectory directory;
  TestWorld world;
  std::unique_ptr<Store> store = open_store(world.world(), directory.path());

  void reopen(StoreOptions options = {}) {
    store.reset();
    store = open_store(world.world(), directory.path(), std::move(options));
  }
  std::vector<std::string> quarantine() {
    std::vector<std::string> names;
    const auto entries = world.system.list(directory / "quarantine").value();
    for (const DirectoryEntry& entry : entries) names.push_back(entry.name);
    return names;
  }
};

/// SQLite on the real disk, the lake on a simulated one.
struct SimFixture {
  StoreDirectory directory;
  TestWorld world;
  SimFs lake;
  std::unique_ptr<Store> store;

  explicit SimFixture(std::uint64_t seed = 0) : lake{seed} { reopen(); }
  void reopen(StoreOptions options = {}) {
    store.reset();
    store = open_store(world.world(lake), directory.path(), std::move(options));
  }
};

std::vector<std::string> lake_files(Fs& fs, const std::string& below) {
  std::vector<std::string> files;
  const auto listed = fs.list(below);
  if (!listed) return files;
  for (const DirectoryEntry& entry : *listed) {
    const std::string path = below + "/" + entry.name;
    if (!entry.is_directory) files.push_back(path);
    const auto deeper = entry.is_directory ? lake_files(fs, path) : std::vector<std::string>{};
    files.insert(files.end(), deeper.begin(), deeper.end());
  }
  return files;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "seal: rows come back from the lake as they were, in their order") {
  append_all(*store, 0, 300);
  REQUIRE(store->commit("").has_value());
  const auto before = contents(*store);
  CHECK(store->seal_all().value() == 5);
  CHECK(contents(*store) == before);
  const auto all = store->stats().value();
  for (const DatasetStats& stats : all) CHECK(stats.hot_rows == 0);
  append_all(*store, 300, 10);
  const auto mixed = contents(*store);
  REQUIRE(store->commit("").has_value());
  reopen();
  CHECK(contents(*store) == mixed);
  CHECK(store->verify().value().empty());
  CHECK(contents(*store, {at_minute(290), at_minute(305)}).at(Dataset::Labels).size() == 15);
  CHECK(quarantine().empty());
}

TEST_CASE_FIXTURE(Fixture, "seal: a segment says what it holds, and its file is where it says") {
  append_all(*store, 0, 10);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  const std::vector<Segment> segments = store->segments(Dataset::Prices);
  REQUIRE(segments.size() == 1);
  const Segment& segment = segments[0];
  CHECK(segment.path == "lake/prices/2023-11/1-10." + segment.sha256.substr(0, 16) + ".parquet");
  CHECK(segment.rows == 10);
  CHECK(segment.first_seq == 1);
  CHECK(segment.last_seq == 10);
  CHECK(segment.first_event == at_minute(0));
  CHECK(segment.last_event == at_minute(9));
  CHECK(segment.last_known == at_minute(9) + Duration::seconds(1));
  const std::string bytes = read_file(world.system, directory / segment.path).value();
  CHECK(bytes.size() == segment.bytes);
  CHECK(sha256_hex(bytes) == segment.sha256);
}

TEST_CASE_FIXTURE(Fixture, "seal: the same rows make the same file") {
  append_all(*store, 0, 50);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  Fixture other;
  append_all(*other.store, 0, 50);
  REQUIRE(other.store->commit("").has_value());
  REQUIRE(other.store->seal_all().has_value());
  for (const Dataset dataset : kDatasets)
    CHECK(store->segments(dataset)[0].sha256 == other.store->segments(dataset)[0].sha256);
}

TEST_CASE_FIXTURE(Fixture, "seal: due by rows, the rest stays hot") {
  reopen({.segment_rows = 4});
  append_all(*store, 0, 11);
  REQUIRE(store->commit("").has_value());
  CHECK(store->seal_due(kStart).value() == 10);
  CHECK(store->seal_due(kStart).value() == 0);
  const auto stats = store->stats().value();
  CHECK(stats[0].segments == 2);
  CHECK(stats[0].hot_rows == 3);
}

TEST_CASE_FIXTURE(Fixture, "seal: due by bytes") {
  reopen({.segment_bytes = 200});
  for (std::int64_t n = 0; n < 8; ++n) REQUIRE(store->append(price_row(n)).has_value());  // 27 bytes each
  REQUIRE(store->commit("").has_value());
  CHECK(store->seal_due(kStart).value() == 1);
  CHECK(store->segments(Dataset::Prices)[0].rows == 7);
}

TEST_CASE_FIXTURE(Fixture, "seal: due by age, but never a handful of rows") {
  reopen({.segment_age = Duration::days(7), .aged_rows = 3});
  REQUIRE(store->append(price_row(0)).has_value());
  REQUIRE(store->append(price_row(1)).has_value());
  REQUIRE(store->commit("").has_value());
  CHECK(store->seal_due(kStart + Duration::days(30)).value() == 0);
  REQUIRE(store->append(price_row(2)).has_value());
  REQUIRE(store->commit("").has_value());
  const Timestamp week_old = price_row(0).known_at + Duration::days(7);
  CHECK(store->seal_due(week_old).value() == 0);
  CHECK(store->seal_due(week_old + Duration{1}).value() == 1);
}

TEST_CASE_FIXTURE(Fixture, "seal: rows that are not committed are not sealed") {
  append_all(*store, 0, 3);
  CHECK(code_of(store->seal_all()) == Code::Internal);
  CHECK(code_of(store->seal_due(kStart)) == Code::Internal);
}

TEST_CASE_FIXTURE(Fixture, "seal: examples of another width begin another segment") {
  for (std::int64_t n = 0; n < 5; ++n) REQUIRE(store->append(example_row(n, 0, n < 3 ? 4 : 6)).has_value());
  REQUIRE(store->commit("").has_value());
  const auto before = contents(*store);
  CHECK(store->seal_all().value() == 2);
  CHECK(contents(*store) == before);
}

TEST_CASE_FIXTURE(Fixture, "seal: predictions of both streams come back from the lake, and are known there") {
  const auto append_both = [&] {
    for (std::int64_t n = 0; n < 20; ++n) {
      REQUIRE(store->append(stream_row(n, Stream::Base, n % 2 == 0)).has_value());
      REQUIRE(store->append(stream_row(n, Stream::Tuned, n % 2 == 1)).has_value());
    }
  };
  append_both();
  REQUIRE(store->append(prediction_row(30)).has_value());
  REQUIRE(store->commit("").has_value());
  const auto before = contents(*store);
  CHECK(before.at(Dataset::Predictions).size() == 41);
  CHECK(store->seal_all().value() == 1);
  reopen();
  CHECK(contents(*store) == before);
  CHECK(store->verify().value().empty());
  append_both();
  CHECK(contents(*store) == before);
  CHECK(code_of(store->append(stream_row(3, Stream::Tuned, false))) == Code::Damaged);
}

TEST_CASE("lake: a file of predictions from before there were streams reads as it was written") {
  SystemFs fs;
  const std::string path = EVERLEARN_SOURCE_DIR "/src/store/testdata/predictions-without-streams.parquet";
  const std::string bytes = load_lake_file(fs, path, "").value();
  RowsHash hash;
  std::int64_t rows = 0;
  const auto read =
      read_lake_rows<PredictionRow>(path, bytes, {}, [&](std::int64_t seq, const PredictionRow& row) -> Result<bool> {
        ++rows;
        CHECK(row.served);
        CHECK(row.stream == Stream::Base);
        hash.add(Dataset::Predictions, seq, to_record(row));
        return true;
      });
  CHECK(message_of(read).empty());
  CHECK(rows == 8);
  // As the release that wrote it computed it for its catalogue.
  CHECK(hash.finish() == "44407192c45bdf0d75a80f5735419bc48622de738df3f487b38d7935b302a2e3");
}

TEST_CASE_FIXTURE(Fixture,
                  "seal: prices of many instruments, times and kinds come back in the order they were written") {
  Rng rng{5};
  for (std::int64_t n = 0; n < 300; ++n) {
    PriceRow row = kind_row(n / 7, static_cast<std::uint32_t>(n % 7));
    row.event_time = row.event_time + Duration::seconds(n % 2 == 0 ? 0 : -60 * static_cast<std::int64_t>(n));
    row.known_at = kStart + Duration{static_cast<std::int64_t>(rng.below(1'000'000))};
    REQUIRE(store->append(row).has_value());
  }
  REQUIRE(store->commit("").has_value());
  const auto before = contents(*store);
  const TimeRange part{at_minute(-30), at_minute(20)};
  const auto part_before = contents(*store, part);
  CHECK(part_before.at(Dataset::Prices).size() < before.at(Dataset::Prices).size());
  CHECK(store->seal_all().value() == 1);
  reopen();
  CHECK(contents(*store) == before);
  CHECK(contents(*store, part) == part_before);
  CHECK(store->verify().value().empty());
}

TEST_CASE_FIXTURE(Fixture, "seal: a price too large for a double to hold exactly has the exact one beside it") {
  PriceRow row = price_row(1);
  row.price = Price::from_nanos(8'999'999'999'999'999'999);
  row.last = Price::from_nanos(-1);
  REQUIRE(store->append(row).has_value());
  REQUIRE(store->commit("").has_value());
  const auto before = contents(*store);
  REQUIRE(store->seal_all().has_value());
  CHECK(contents(*store) == before);
  const std::string bytes = read_file(world.system, directory / store->segments(Dataset::Prices)[0].path).value();
  CHECK(bytes.find("price_nanos") != std::string::npos);
  CHECK(bytes.find("last_nanos") == std::string::npos);
}

TEST_CASE("lake: a file of prices from before there were kinds reads as it was written") {
  SystemFs fs;
  const std::string path = EVERLEARN_SOURCE_DIR "/src/store/testdata/prices-without-kinds.parquet";
  const std::string bytes = load_lake_file(fs, path, "").value();
  RowsHash hash;
  std::int64_t rows = 0;
  const auto read =
      read_lake_rows<PriceRow>(path, bytes, {}, [&](std::int64_t seq, const PriceRow& row) -> Result<bool> {
        ++rows;
        CHECK(row.kind == PriceKind::Unknown);
        CHECK_FALSE(row.last.has_value());
        hash.add(Dataset::Prices, seq, to_record(row));
        return true;
      });
  CHECK(message_of(read).empty());
  CHECK(rows == 100);
  // As the release that wrote it computed it for its catalogue.
  CHECK(hash.finish() == "04a03feffd3973a9897da951f46046eb3b47da38756bcc5d5e8573cb491ad808");
}

TEST_CASE_FIXTURE(Fixture, "seal: columns are not renamed under hot examples") {
  REQUIRE(store->put_state("columns", "a@1\nb@2").has_value());
  REQUIRE(store->append(example_row(0, 0, 2)).has_value());
  CHECK(store->put_state("columns", "a@1\nb@2").has_value());
  CHECK(code_of(store->put_state("columns", "a@1\nc@3")) == Code::Usage);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  CHECK(store->put_state("columns", "a@1\nc@3").has_value());
}

TEST_CASE_FIXTURE(Fixture, "seal: a key that is sealed already is compared with its file") {
  append_all(*store, 0, 20);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  append_all(*store, 5, 20);
  for (const Dataset dataset : kDatasets) CHECK(contents(*store).at(dataset).size() == 25);
  PriceRow late = price_row(10, 1);  // another instrument: not there
  CHECK(store->append(late).has_value());
  PriceRow other = price_row(7);
  other.price = Price::from_nanos(3);
  const auto refused = store->append(other);
  REQUIRE_FALSE(refused.has_value());
  CHECK(code_of(refused) == Code::Damaged);
  CHECK(message_of(refused).find("written twice with other bytes; the first is in lake/prices/") != std::string::npos);
  REQUIRE(store->rollback().has_value());
  reopen();
  CHECK(code_of(store->append(other)) == Code::Damaged);
}

TEST_CASE_FIXTURE(Fixture, "seal: a row between sealed ones that was not there is a new row") {
  for (const std::int64_t n : {0, 2, 4}) REQUIRE(store->append(price_row(n)).has_value());
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  CHECK(store->append(price_row(1)).has_value());
  CHECK(store->append(price_row(1)).has_value());
  CHECK(contents(*store).at(Dataset::Prices).size() == 4);
}

TEST_CASE("seal: a crash at any step, and what was not synced dropped, torn or kept: no row lost, none doubled") {
  for (int step = 0; step <= static_cast<int>(SealStep::Committed); ++step) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      CAPTURE(step);
      CAPTURE(seed);
      SimFixture fixture{seed};
      append_all(*fixture.store, 0, 30);
      REQUIRE(fixture.store->commit("here").has_value());
      REQUIRE(fixture.store->seal_all().has_value());  // something is in the lake already
      append_all(*fixture.store, 30, 30);
      REQUIRE(fixture.store->commit("there").has_value());
      const auto before = contents(*fixture.store);
      fixture.reopen({.at_seal_step = [step](SealStep at) {
        if (static_cast<int>(at) == step) throw Crash{};
      }});
      CHECK_THROWS_AS((void)fixture.store->seal_all(), Crash);
      fixture.store.reset();
      fixture.lake.crash();
      fixture.reopen();
      CHECK(contents(*fixture.store) == before);
      CHECK(fixture.store->checkpoint().value() == "there");
      CHECK(fixture.store->verify().value().empty());
      REQUIRE(fixture.store->seal_all().has_value());
      CHECK(contents(*fixture.store) == before);
      CHECK(lake_files(fixture.lake, fixture.directory / "lake").size() == 10);
    }
  }
}

TEST_CASE("seal: an operation of the file system that fails leaves the rows hot, and the next seal works") {
  for (const FsFault fault : {FsFault::IoError, FsFault::NoSpace, FsFault::ShortWrite}) {
    for (std::uint64_t operation = 1;; ++operation) {
      CAPTURE(operation);
      SimFixture fixture;
      for (std::int64_t n = 0; n < 5; ++n) REQUIRE(fixture.store->append(prediction_row(n)).has_value());
      for (std::int64_t n = 0; n < 5; ++n) REQUIRE(fixture.store->append(price_row(n)).has_value());
      REQUIRE(fixture.store->commit("").has_value());
      const auto before = contents(*fixture.store);
      const std::uint64_t now = fixture.lake.operations();
      fixture.lake.add_fault({.fault = fault, .operation = now + operation});
      const auto sealed = fixture.store->seal_all();
      const bool reached = fixture.lake.operations() >= now + operation;
      if (!sealed) CHECK(code_of(sealed) == Code::Storage);
      fixture.lake.clear_faults();
      CHECK(contents(*fixture.store) == before);
      REQUIRE(fixture.store->seal_all().has_value());
      CHECK(contents(*fixture.store) == before);
      fixture.reopen();
      CHECK(contents(*fixture.store) == before);
      CHECK(fixture.store->verify().value().empty());
      if (!reached) break;
    }
  }
}

TEST_CASE("seal: a file that reads back otherwise than it was written does not become data") {
  SimFixture fixture;
  append_all(*fixture.store, 0, 5);
  REQUIRE(fixture.store->commit("").has_value());
  const auto before = contents(*fixture.store);
  const std::string temporary = fixture.directory / "lake/.tmp";
  fixture.reopen({.at_seal_step = [&](SealStep step) {
    if (step != SealStep::FileWritten) return;
    const std::string file = fixture.lake.list(temporary).value().front().name;
    REQUIRE(fixture.lake.damage(temporary + "/" + file, 100, 1).has_value());
  }});
  const auto sealed = fixture.store->seal_all();
  CHECK(code_of(sealed) == Code::Storage);
  CHECK(message_of(sealed).find("SHA-256") != std::string::npos);
  CHECK(fixture.lake.list(temporary).value().empty());
  CHECK(contents(*fixture.store) == before);
  fixture.reopen();
  CHECK(fixture.store->seal_all().value() == 5);
}

TEST_CASE("seal: the power may go at any operation of the file system") {
  for (std::uint64_t operation = 1;; ++operation) {
    CAPTURE(operation);
    SimFixture fixture{operation};
    append_all(*fixture.store, 0, 5);
    REQUIRE(fixture.store->commit("").has_value());
    const auto before = contents(*fixture.store);
    fixture.lake.cut_power_at(fixture.lake.operations() + operation);
    const bool sealed = fixture.store->seal_all().has_value();
    fixture.store.reset();
    fixture.lake.crash();
    fixture.reopen();
    CHECK(contents(*fixture.store) == before);
    CHECK(fixture.store->verify().value().empty());
    REQUIRE(fixture.store->seal_all().has_value());
    CHECK(contents(*fixture.store) == before);
    if (sealed) break;
  }
}

TEST_CASE("seal: a name that was never synced would lose the file: the protocol is what saves it") {
  // The planted bug: a directory sync that does nothing but say yes.
  class Forgetful final : public Fs {
   public:
    explicit Forgetful(SimFs& fs) : fs_{fs} {}
    Result<std::unique_ptr<WritableFile>> create(const std::string& path) override { return fs_.create(path); }
    Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
      return fs_.open_append(path);
    }
    Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override { return fs_.open(path); }
    Result<void> rename(const std::string& from, const std::string& to) override { return fs_.rename(from, to); }
    Result<void> rename_no_replace(const std::string& from, const std::string& to) override {
      return fs_.rename_no_replace(from, to);
    }
    Result<void> link(const std::string& from, const std::string& to) override { return fs_.link(from, to); }
    Result<void> remove(const std::string& path) override { return fs_.remove(path); }
    Result<void> remove_tree(const std::string& path) override { return fs_.remove_tree(path); }
    Result<void> make_directories(const std::string& path) override { return fs_.make_directories(path); }
    Result<void> sync_directory(const std::string&) override { return {}; }
    Result<std::vector<DirectoryEntry>> list(const std::string& path) override { return fs_.list(path); }
    bool exists(const std::string& path) override { return fs_.exists(path); }
    Result<std::uint64_t> free_bytes(const std::string& path) override { return fs_.free_bytes(path); }

   private:
    SimFs& fs_;
  };
  StoreDirectory directory;
  TestWorld world;
  SimFs lake;
  Forgetful forgetful{lake};
  auto store = open_store(world.world(forgetful), directory.path());
  append_all(*store, 0, 5);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  store.reset();
  lake.crash(SimFs::Unsynced::Dropped);
  const auto refused = Store::open(world.world(lake), directory.path(), {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(code_of(refused) == Code::Damaged);
}

TEST_CASE_FIXTURE(Fixture, "recovery: files that the catalogue does not name go to quarantine, foreign ones too") {
  append_all(*store, 0, 5);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  const auto before = contents(*store);
  const std::string segment = store->segments(Dataset::Prices)[0].path;
  store.reset();
  REQUIRE(replace_file(world.system, directory / "lake/.tmp/prices-7.parquet", "half").has_value());
  REQUIRE(replace_file(world.system, directory / "lake/prices/2023-11/6-9.0123456789abcdef.parquet", "x").has_value());
  REQUIRE(replace_file(world.system, directory / "lake/notes.txt", "mine").has_value());
  REQUIRE(replace_file(world.system, directory / "quarantine/notes.txt", "older").has_value());
  reopen();
  CHECK(contents(*store) == before);
  CHECK(quarantine() ==
        std::vector<std::string>{"6-9.0123456789abcdef.parquet", "notes.txt", "notes.txt.1", "prices-7.parquet"});
  CHECK(read_file(world.system, directory / "quarantine/notes.txt.1").value() == "mine");
  CHECK(world.system.exists(directory / segment));
}

TEST_CASE_FIXTURE(Fixture,
                  "recovery: a segment that is missing or of another size stops the start, naming file and range") {
  append_all(*store, 0, 5);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  const Segment segment = store->segments(Dataset::Labels)[0];
  store.reset();
  const std::string path = directory / segment.path;
  const std::string bytes = read_file(world.system, path).value();
  SUBCASE("missing") {
    REQUIRE(world.system.remove(path).has_value());
    CHECK(message_of(Store::open(world.world(), directory.path(), {})) ==
          directory.path() + ": " + segment.path +
              " is missing (labels rows 1 to 5, 2023-11-14T22:13:20.000000Z to 2023-11-14T22:17:20.000000Z)");
  }
  SUBCASE("longer") {
    REQUIRE(replace_file(world.system, path, bytes + "x").has_value());
    const auto refused = Store::open(world.world(), directory.path(), {});
    CHECK(code_of(refused) == Code::Damaged);
    CHECK(message_of(refused).find("instead of") != std::string::npos);
  }
  SUBCASE("an older copy of the same size") {
    std::string other = bytes;
    other[other.size() / 2] = static_cast<char>(other[other.size() / 2] ^ 1);
    REQUIRE(replace_file(world.system, path, other).has_value());
    reopen();
    CHECK(code_of(store->scan_labels({}, [](const LabelRow&) { return true; })) == Code::Damaged);
    CHECK(store->verify().value().size() == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "recovery: an edited catalogue breaks its chain") {
  append_all(*store, 0, 5);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  append_all(*store, 5, 5);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  store.reset();
  const char* sql = nullptr;
  SUBCASE("an entry removed") { sql = "DELETE FROM segment WHERE dataset = 0 AND first_seq = 1"; }
  SUBCASE("the last entry removed") { sql = "DELETE FROM segment WHERE dataset = 0 AND first_seq = 6"; }
  SUBCASE("a hash edited") { sql = "UPDATE segment SET sha256 = rows_hash WHERE id = 3"; }
  SUBCASE("a range edited") { sql = "UPDATE segment SET last_event = last_event + 1 WHERE id = 3"; }
  SUBCASE("a tombstone forged") { sql = "INSERT INTO retired VALUES(3, 0, 'x')"; }
  {
    auto database = sqlite::Database::open(directory / "everlearn.db", sqlite::Database::Mode::Write);
    REQUIRE(database->run(sql).has_value());
  }
  const auto refused = Store::open(world.world(), directory.path(), {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(code_of(refused) == Code::Damaged);
}

TEST_CASE("damage: a flipped bit, a cut or a blank sector in a sealed file is found; wrong rows are never given") {
  SimFixture fixture;
  append_all(*fixture.store, 0, 400);
  REQUIRE(fixture.store->commit("").has_value());
  REQUIRE(fixture.store->seal_all().has_value());
  Rng rng{7};
  for (int mutant = 0; mutant < 200; ++mutant) {
    CAPTURE(mutant);
    const Dataset dataset = kDatasets[rng.below(kDatasets.size())];
    const Segment segment = fixture.store->segments(dataset)[0];
    const std::string path = fixture.directory / segment.path;
    const std::string intact = read_file(fixture.lake, path).value();
    std::string damaged = intact;
    const std::uint64_t at = rng.below(damaged.size());
    switch (mutant % 3) {
      case 0:
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.below(8)));
        break;
      case 1:
        damaged.resize(at);
        break;
      default:
        std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(512, damaged.size() - at),
                    '\0');
    }
    if (damaged == intact) continue;
    REQUIRE(replace_file(fixture.lake, path, damaged).has_value());
    int rows = 0;
    const auto count = [&](const auto&) {
      ++rows;
      return true;
    };
    Result<void> scanned;
    switch (dataset) {
      case Dataset::Prices:
        scanned = fixture.store->scan_prices({}, count);
        break;
      case Dataset::Events:
        scanned = fixture.store->scan_events({}, count);
        break;
      case Dataset::Examples:
        scanned = fixture.store->scan_examples({}, count);
        break;
      case Dataset::Labels:
        scanned = fixture.store->scan_labels({}, count);
        break;
      case Dataset::Predictions:
        scanned = fixture.store->scan_predictions({}, count);
        break;
    }
    REQUIRE_FALSE(scanned.has_value());
    CHECK(code_of(scanned) == Code::Damaged);
    CHECK(message_of(scanned).find(segment.path) != std::string::npos);
    CHECK(rows == 0);
    CHECK(fixture.store->verify().value().size() == 1);
    REQUIRE(replace_file(fixture.lake, path, intact).has_value());
  }
  CHECK(fixture.store->verify().value().empty());
}

TEST_CASE("damage: without a hash to compare with, page checksums find what changed in the data") {
  SimFixture fixture;
  for (std::int64_t n = 0; n < 2000; ++n) REQUIRE(fixture.store->append(example_row(n)).has_value());
  REQUIRE(fixture.store->commit("").has_value());
  REQUIRE(fixture.store->seal_all().has_value());
  const Segment segment = fixture.store->segments(Dataset::Examples)[0];
  const std::string intact = read_file(fixture.lake, fixture.directory / segment.path).value();
  std::vector<std::string> expected;
  REQUIRE(read_lake_rows<ExampleRow>("intact", intact, {}, [&](std::int64_t, const ExampleRow& row) -> Result<bool> {
            expected.push_back(to_record(row).payload);
            return true;
          }).has_value());
  REQUIRE(expected.size() == 2000);
  Rng rng{3};
  int found = 0;
  for (int mutant = 0; mutant < 200; ++mutant) {
    std::string damaged = intact;
    const std::uint64_t at = 4 + rng.below(damaged.size() / 2);  // the first half holds pages only
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.below(8)));
    std::size_t n = 0;
    bool wrong = false;
    const auto compare = [&](std::int64_t, const ExampleRow& row) -> Result<bool> {
      wrong = wrong || n >= expected.size() || to_record(row).payload != expected[n];
      ++n;
      return true;
    };
    const auto read = read_lake_rows<ExampleRow>("damaged", damaged, {}, compare);
    CHECK_FALSE(wrong);
    if (!read) ++found;
  }
  CHECK(found > 150);  // the rest fell on bytes that say nothing about rows
}

TEST_CASE_FIXTURE(Fixture, "retention: whole segments before a time, then the oldest until the cap holds") {
  reopen({.segment_rows = 10});
  append_all(*store, 0, 35);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_due(kStart).value() == 15);

  const auto nothing = store->plan_retention(at_minute(4), 0).value();
  CHECK(nothing.segments.empty());
  CHECK(nothing.rows_total == 175);

  const auto by_age = store->plan_retention(at_minute(20), 0).value();
  CHECK(by_age.rows == 110);  // two of each, of the events, two to a minute, all three
  CHECK(by_age.segments.size() == 11);

  const auto capped = store->plan_retention(Timestamp::min(), by_age.bytes_total - 1).value();
  CHECK(capped.segments.size() == 1);
  CHECK(capped.segments[0].last_event == at_minute(4));  // events reach their tenth row first
  CHECK(store->plan_retention(Timestamp::min(), by_age.bytes_total).value().segments.empty());
}

TEST_CASE_FIXTURE(Fixture, "retention: deletes what was planned, keeps the rest, and says so") {
  reopen({.segment_rows = 10});
  append_all(*store, 0, 35);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_due(kStart).has_value());
  const auto plan = store->plan_retention(at_minute(15), 0).value();
  REQUIRE(store->retain(plan, at_minute(99)).has_value());
  const auto rows = contents(*store);
  CHECK(rows.at(Dataset::Prices).size() == 25);
  CHECK(rows.at(Dataset::Events).size() == 5);
  for (const Segment& segment : plan.segments) CHECK_FALSE(world.system.exists(directory / segment.path));
  REQUIRE(store->notes().value().size() == 1);
  CHECK(store->notes().value()[0].kind == "retention");
  CHECK(store->notes().value()[0].text.starts_with("deleted 7 segments, 70 rows, "));
  reopen();
  CHECK(contents(*store) == rows);
  CHECK(store->verify().value().empty());
  CHECK(quarantine().empty());
  CHECK(code_of(store->retain(plan, at_minute(99))) == Code::NotFound);
  CHECK(contents(*store) == rows);
}

TEST_CASE("retention: the power may go at any operation: the segments are there or not, and a second run is a no-op") {
  for (std::uint64_t operation = 1;; ++operation) {
    CAPTURE(operation);
    SimFixture fixture{operation};
    fixture.reopen({.segment_rows = 10});
    append_all(*fixture.store, 0, 25);
    REQUIRE(fixture.store->commit("").has_value());
    REQUIRE(fixture.store->seal_due(kStart).has_value());
    const auto plan = fixture.store->plan_retention(at_minute(10), 0).value();
    fixture.lake.cut_power_at(fixture.lake.operations() + operation);
    const bool done = fixture.store->retain(plan, kStart).has_value();
    fixture.store.reset();
    fixture.lake.crash();
    fixture.reopen();
    CHECK(contents(*fixture.store).at(Dataset::Prices).size() == 15);
    CHECK(fixture.store->verify().value().empty());
    CHECK(fixture.store->plan_retention(at_minute(10), 0).value().segments.empty());
    for (const Segment& segment : plan.segments) CHECK_FALSE(fixture.lake.exists(fixture.directory / segment.path));
    CHECK(fixture.lake.list(fixture.directory / "quarantine").value().empty());
    if (done) break;
  }
}

TEST_CASE_FIXTURE(Fixture, "lake: the trainer reads a segment or an export of the hot rows without a store") {
  REQUIRE(store->put_state("columns", "one@1\ntwo@2\nthree@3").has_value());
  append_all(*store, 0, 30);
  REQUIRE(store->commit("").has_value());
  REQUIRE(store->seal_all().has_value());
  append_all(*store, 30, 12);
  CHECK(store->export_hot(Dataset::Examples, directory / "tail.parquet").value() == 12);
  CHECK(store->export_hot(Dataset::Labels, directory / "labels.parquet").value() == 12);

  std::vector<std::string> examples, labels;
  const auto collect_examples = [&](const ExampleRow& row) {
    examples.push_back(to_record(row).head(Dataset::Examples) + to_record(row).payload);
    return true;
  };
  const auto collect_labels = [&](const LabelRow& row) {
    labels.push_back(to_record(row).head(Dataset::Labels) + to_record(row).payload);
    return true;
  };
  const Segment segment = store->segments(Dataset::Examples)[0];
  REQUIRE(read_examples(directory / segment.path, segment.sha256, {}, collect_examples).has_value());
  REQUIRE(read_examples(directory / "tail.parquet", "", {}, collect_examples).has_value());
  REQUIRE(read_labels(directory / store->segments(Dataset::Labels)[0].path, "", {}, collect_labels).has_value());
  REQUIRE(read_labels(directory / "labels.parquet", "", {}, collect_labels).has_value());
  CHECK(examples == contents(*store).at(Dataset::Examples));
  CHECK(labels == contents(*store).at(Dataset::Labels));
  CHECK(read_columns(directory / "tail.parquet").value() == std::vector<std::string>{"one@1", "two@2", "three@3"});

  std::size_t n = 0;
  const auto count = [&](const ExampleRow&) { return ++n < 5; };
  REQUIRE(read_examples(directory / segment.path, "", {at_minute(3), at_minute(9)}, count).has_value());
  CHECK(n == 5);
  CHECK(code_of(read_examples(directory / segment.path, std::string(64, '0'), {}, collect_examples)) == Code::Damaged);
  CHECK(message_of(read_examples(directory / "labels.parquet", "", {}, collect_examples)) ==
        directory / "labels.parquet: not a file of examples");
  CHECK(code_of(read_examples(directory / "nothing.parquet", "", {}, collect_examples)) == Code::NotFound);
}

TEST_CASE_FIXTURE(Fixture, "lake: an export of no rows is a file of no rows") {
  CHECK(store->export_hot(Dataset::Examples, directory / "tail.parquet").value() == 0);
  CHECK(store->export_hot(Dataset::Labels, directory / "labels.parquet").value() == 0);
  int rows = 0;
  CHECK(read_examples(directory / "tail.parquet", "", {}, [&](const ExampleRow&) { return ++rows > 0; }).has_value());
  CHECK(read_labels(directory / "labels.parquet", "", {}, [&](const LabelRow&) { return ++rows > 0; }).has_value());
  CHECK(rows == 0);
  CHECK(code_of(store->export_hot(Dataset::Labels, directory / "labels.parquet")) == Code::InUse);
}
