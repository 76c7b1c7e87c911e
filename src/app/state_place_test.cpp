#include "app/state_place.hpp"

#include <doctest/doctest.h>

#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

using namespace everlearn;

TEST_CASE("state place: a state does not lie in the directory whose state it is") {
  TestDirectory folder;
  SystemFs fs;
  const std::string data = folder / "data";
  const auto run = [&](const std::string& place) {
    int works = 0;
    const auto ran = run_in_state({.place = place, .environment = {}, .data_directory = data, .snapshot = {}},
                                  [&](const std::function<Result<void>()>&) -> Result<void> {
                                    ++works;
                                    return {};
                                  });
    CHECK(works == (ran ? 1 : 0));
    return ran;
  };
  for (const std::string& inside : {data, data + "/state", data + "//a/../b/./state/", folder / "x/../data/state"}) {
    CAPTURE(inside);
    const auto ran = run(inside);
    REQUIRE_FALSE(ran);
    CHECK(ran.error().code == Code::Usage);
    CHECK(ran.error().message.find("lies in the data directory " + data) != std::string::npos);
    CHECK_FALSE(fs.exists(inside));
  }
  for (const std::string& beside : {folder / "state", folder / "data2", data + "/../data3"}) {
    CAPTURE(beside);
    const auto ran = run(beside);
    CHECK_MESSAGE(ran, (ran ? "" : ran.error().message));
  }
}
