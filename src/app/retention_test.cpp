#include "app/retention.hpp"

#include "store/test_store.hpp"

using namespace everlearn;

namespace {

constexpr std::int64_t kPerSegment = 100,
                       kMinutes = 240;  // a segment is 100 rows, four hours apart: 16 days and 16 hours

struct Fixture {
  StoreDirectory directory;
  TestWorld world;
  std::unique_ptr<Store> store = open_store(world.world(), directory.path());
  Profile profile;
  Timestamp now;

  /// `segments` of prices, one after the other.
  explicit Fixture(std::int64_t segments = 10) {
    for (std::int64_t segment = 0; segment < segments; ++segment) {
      for (std::int64_t n = 0; n < kPerSegment; ++n) {
        PriceRow row = price_row(segment * kPerSegment + n);
        row.event_time = row.known_at = now = at_minute((segment * kPerSegment + n) * kMinutes);
        REQUIRE(store->append(row).has_value());
      }
      REQUIRE(store->commit("").has_value());
      REQUIRE(store->seal_all().has_value());
    }
  }
  std::uint64_t lake() const {
    std::uint64_t bytes = 0;
    for (const Segment& segment : store->segments(Dataset::Prices)) bytes += segment.bytes;
    return bytes;
  }
  std::int64_t segments() const { return std::ssize(store->segments(Dataset::Prices)); }
  void clean(std::optional<std::uint64_t> free = {}) {
    REQUIRE(message_of(clean_up(*store, profile, free, now)).empty());
  }
  std::vector<std::string> notes() const {
    std::vector<std::string> kinds;
    const auto all = store->notes().value();
    for (const Store::Note& note : all) kinds.push_back(note.kind);
    return kinds;
  }
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "retention: the cap is the lesser of the setting and the share of the free disk") {
  CHECK(lake_cap(profile, *store, 1000).bytes == 0);
  profile.retention_bytes = 5000;
  CHECK(lake_cap(profile, *store, 1000).bytes == 5000);
  profile.retention_free_share = 0.5;
  const std::uint64_t own = store->bytes_on_disk();
  CHECK(lake_cap(profile, *store, std::nullopt).bytes == 5000);  // a simulation
  CHECK(lake_cap(profile, *store, 1'000'000 + own).bytes == 5000);
  profile.retention_bytes = 0;
  CHECK(lake_cap(profile, *store, 1'000'000).bytes == (1'000'000 + own) / 2);  // what it has itself is not against it
  CHECK(lake_cap(profile, *store, 1'000'000).by_free_space);
}

TEST_CASE_FIXTURE(Fixture, "retention: what is older than the days goes, then the oldest above the cap") {
  profile.retention = Duration::days(90);
  clean();
  CHECK(segments() == 6);
  profile.retention_bytes = lake() / 2 + 10;
  REQUIRE(store->put_state("retention", retention_setting(profile)).has_value());
  REQUIRE(store->commit_state().has_value());
  clean();
  CHECK(segments() == 3);
}

TEST_CASE_FIXTURE(Fixture, "retention: a changed setting that would delete much waits for a hand") {
  profile.retention = Duration::days(365);
  clean();
  CHECK(segments() == 10);
  profile.retention = Duration::days(30);
  clean();
  CHECK(segments() == 10);
  CHECK(notes() == Words{"retention waits"});
}

TEST_CASE_FIXTURE(Fixture, "retention: a disk that something else fills costs no history, but what the days say") {
  profile.retention = Duration::days(150);
  profile.retention_free_share = 0.5;
  clean(100'000'000);
  CHECK(segments() == 10);
  now = now + Duration::days(30);
  // Room for a third of what there is.
  const std::uint64_t own = store->bytes_on_disk();
  REQUIRE(lake() > 3000);
  profile.retention_free_share = static_cast<double>(lake()) / 3 / static_cast<double>(own);
  REQUIRE(store->put_state("retention", retention_setting(profile)).has_value());
  REQUIRE(store->commit_state().has_value());
  clean(0);
  CHECK(segments() == 8);  // two are older than 150 days by now
  CHECK(notes() == Words{"retention waits", "retention"});
}

TEST_CASE("retention: the growth of the last 7 days, when the cap is reached, and what it comes to in years") {
  Fixture fixture{3};
  const Profile& profile = fixture.profile;
  const auto at = [&](const LakeCap& cap) { return forecast_disk(*fixture.store, profile, cap, fixture.now).value(); };
  const double lake = static_cast<double>(fixture.lake());
  const DiskForecast open = at({});
  CHECK(open.measured == Duration::days(7));
  CHECK(open.lake == fixture.lake());
  CHECK(open.total > open.lake);
  const double day = static_cast<double>(fixture.store->segments(Dataset::Prices).back().bytes) / (99.0 * 4 / 24);
  CHECK(open.per_day == doctest::Approx(day));
  CHECK_FALSE(open.days_to_cap.has_value());
  const double rest = static_cast<double>(open.total - open.lake);
  CHECK(open.after_one_year == doctest::Approx(lake + rest + day * 365.25));

  const DiskForecast capped = at({.bytes = static_cast<std::uint64_t>(lake + 100 * day), .words = ""});
  CHECK(capped.days_to_cap.value() == doctest::Approx(100).epsilon(0.01));
  CHECK(capped.after_three_years == doctest::Approx(lake + 100 * day + rest).epsilon(0.01));
  CHECK(at({.bytes = 1, .words = ""}).days_to_cap == 0.0);

  fixture.profile.retention = Duration::days(100);
  const DiskForecast kept = at({.bytes = static_cast<std::uint64_t>(lake + 1000 * day), .words = ""});
  CHECK_FALSE(kept.days_to_cap.has_value());  // 100 days of it are less
  CHECK(kept.after_one_year == doctest::Approx(100 * day + rest).epsilon(0.01));
}

TEST_CASE("retention: an empty directory has no growth") {
  Fixture fixture{0};
  const auto forecast = forecast_disk(*fixture.store, fixture.profile, {}, kStart);
  REQUIRE(forecast.has_value());
  CHECK(forecast->per_day == 0);
  CHECK(forecast->measured == Duration{});
}
