// For this module's tests: a world in memory, and a user who brings files.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/sim_fs.hpp"
#include "core/sim_proc.hpp"
#include "core/world.hpp"
#include "io/recording.hpp"
#include "market/event_codec.hpp"

namespace everlearn {

struct TestWorld {
  SimFs fs;
  ManualClock clock;
  Rng rng{1};
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  World world{clock, rng, fs, proc};
  Instruments instruments;

  void write(const std::string& path, std::string_view bytes) {
    REQUIRE(fs.make_directories(parent_directory(path)));
    if (fs.exists(path)) REQUIRE(fs.remove(path));
    append(path, bytes);
  }
  void append(const std::string& path, std::string_view bytes) {
    auto file = fs.open_append(path);
    REQUIRE(file);
    REQUIRE((*file)->append(bytes));
    REQUIRE((*file)->close());
  }
  std::string read(const std::string& path) {
    const auto bytes = read_file(fs, path);
    return bytes ? *bytes : "(" + bytes.error().message + ")";
  }
};

inline std::string gzipped(std::string_view bytes) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&z, bytes.size()) + 64, '\0');
  std::string input{bytes};
  z.next_in = reinterpret_cast<Bytef*>(input.data());
  z.avail_in = static_cast<uInt>(input.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - z.avail_out);
  deflateEnd(&z);
  return packed;
}

/// "00:01:00 btc price 0.5" or, where it is known at another time than it happened, "00:01:00/00:01:05 btc price 0.5".
inline std::string told(const Event& event, const Instruments& instruments) {
  const auto time_of_day = [](Timestamp t) { return t.iso().substr(11, 8); };
  std::string text = time_of_day(event.event_time);
  if (event.known_at != event.event_time) text += "/" + time_of_day(event.known_at);
  text += " " + instruments[event.instrument].name + " " + std::string{event_kind(event.what)};
  if (const auto* point = std::get_if<PricePoint>(&event.what)) text += " " + point->price.text();
  if (const auto* bar = std::get_if<Bar>(&event.what))
    text += " " + time_of_day(bar->open_time) + " " + bar->close.text();
  if (const auto* trade = std::get_if<Trade>(&event.what)) text += " " + trade->price.text();
  if (const auto* end = std::get_if<Resolution>(&event.what)) text += end->payout > 0 ? " 1" : " 0";
  if (const auto* book = std::get_if<BookUpdate>(&event.what)) {
    for (const BookLevel& bid : book->bids) text += " b" + bid.price.text();
    for (const BookLevel& ask : book->asks) text += " a" + ask.price.text();
  }
  if (const auto* fields = std::get_if<Fields>(&event.what)) {
    for (const float value : fields->values) text += fmt::format(" {}", value);
    if (fields->outcome) text += fmt::format(" = {}", *fields->outcome);
  }
  return text;
}

/// All that is there now.
inline std::vector<std::string> all_told(Source& source, const Instruments& instruments) {
  std::vector<std::string> lines;
  for (;;) {
    auto event = source.next();
    if (!event) lines.push_back(event.error().message);
    if (!event || !*event) return lines;
    lines.push_back(told(**event, instruments));
  }
}

}  // namespace everlearn
