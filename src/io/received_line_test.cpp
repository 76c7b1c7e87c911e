#include "io/received_line.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace everlearn {
namespace {

const Timestamp kAt = Timestamp::parse("2026-11-24T12:00:00.000123Z").value();

Received back(const std::string& line) {
  ReceivedReader reader;
  auto read = reader.read(line);
  REQUIRE(read);
  return *std::move(read);
}

TEST_CASE("received line: what is written is read back, whatever the text holds, and it is one line") {
  using namespace std::string_literals;
  std::string all_bytes;
  for (int c = 0; c < 256; ++c) all_bytes += static_cast<char>(c);
  const std::vector<std::string> texts = {
      "",
      "[]",
      "PONG",
      R"({"event_type":"book","bids":[{"price":"0.48","size":"10"}]})",
      "quotes \" and \\ and \\\" and \\u0041",
      "lines\nof\r\nall \xe2\x80\xa8 kinds \xe2\x80\xa9 and \xc2\x85 \x7f\ttabs",
      "nothing \0 in between"s,
      "\xf0\x9f\x8e\xb2 outside the first plane",
      "cut \xf0\x9f\x8e",   // no UTF-8
      "\xed\xa0\x80",       // half a surrogate pair
      "\xc0\xaf overlong",  // written longer than it may be
      all_bytes,
  };
  for (const std::string& text : texts) {
    const std::string line = recorded_line({kAt, "market info", text});
    CHECK(std::ranges::count(line, '\n') == 1);
    CHECK(line.back() == '\n');
    const Received read = back(line);
    CHECK(read.at == kAt);
    CHECK(read.channel == "market info");
    CHECK(read.raw == text);
  }
}

TEST_CASE("received line: the form is the one of older recordings; only what is no text says how it is written") {
  CHECK(recorded_line({kAt, "market", "[]"}) ==
        R"({"received":"2026-11-24T12:00:00.000123Z","venue":"polymarket","channel":"market","raw":"[]"})"
        "\n");
  CHECK(
      recorded_line({kAt, "books", "\xff"}) ==
      R"({"received":"2026-11-24T12:00:00.000123Z","venue":"polymarket","channel":"books","encoding":"hex","raw":"ff"})"
      "\n");
  CHECK(back(R"({"received":"2026-11-24T12:00:00Z","venue":"polymarket","channel":"market","raw":[1, 2]})").raw ==
        "[1,2]");
}

TEST_CASE("received line: what is no such line is refused by name") {
  ReceivedReader reader;
  const auto why = [&](std::string_view line) {
    const auto read = reader.read(line);
    return read ? std::string{"read"} : std::string{read.error().reason};
  };
  CHECK(why("") == "unreadable message");
  CHECK(why("7") == "unreadable message");
  CHECK(why(R"({"received":"2026-11-24T12:00:00Z","venue":"other","channel":"market","raw":""})") == "unknown venue");
  CHECK(why(R"({"received":"yesterday","venue":"polymarket","channel":"market","raw":""})") == "unreadable time");
  CHECK(why(R"({"received":"2026-11-24T12:00:00Z","venue":"polymarket","channel":"market"})") == "incomplete message");
  CHECK(why(R"({"received":"2026-11-24T12:00:00Z","venue":"polymarket","channel":"m","encoding":"b","raw":""})") ==
        "unknown encoding");
  CHECK(why(R"({"received":"2026-11-24T12:00:00Z","venue":"polymarket","channel":"m","encoding":"hex","raw":"f"})") ==
        "unreadable message");
}

TEST_CASE("received line: channels of a run, apart from the market socket's own") {
  for (const char* channel : {"gamma", "gamma end", "books", "quotes", "trades", "history", "market info", "control"}) {
    CHECK(is_run_channel(channel));
  }
  CHECK_FALSE(is_run_channel("market"));
  CHECK_FALSE(is_run_channel("user"));
}

}  // namespace
}  // namespace everlearn
