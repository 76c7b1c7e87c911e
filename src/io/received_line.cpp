#include "io/received_line.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/json.hpp"
#include "core/quoted.hpp"
#include "io/venue_json.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kVenue = "polymarket";
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr auto kRunChannels = std::to_array<std::string_view>(
    {"gamma", "gamma end", "books", "quotes", "trades", "history", "market info", "control"});

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

RowResult<std::string> from_hex(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 2);
  int high = -1;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return refuse("unreadable message", "raw is not hexadecimal");
    if (high < 0) {
      high = static_cast<int>(digit);
    } else {
      bytes += static_cast<char>(high * 16 + static_cast<int>(digit));
      high = -1;
    }
  }
  if (high >= 0) return refuse("unreadable message", "raw has half a byte");
  return bytes;
}

}  // namespace

std::string recorded_line(const Received& received) {
  const bool text = simdjson::validate_utf8(received.raw.data(), received.raw.size());
  JsonOut line;
  line.put("received", received.at.iso()).put("venue", kVenue).put("channel", received.channel);
  if (!text) line.put("encoding", "hex");
  line.put("raw", text ? received.raw : to_hex(received.raw));
  return line.text() + "\n";
}

struct ReceivedReader::Parser {
  simdjson::dom::parser lines;
};

ReceivedReader::ReceivedReader() : parser_{std::make_unique<Parser>()} {}
ReceivedReader::~ReceivedReader() = default;

RowResult<Received> ReceivedReader::read(std::string_view line) {
  const auto document = parsed(parser_->lines, line);
  if (!document) return tl::unexpected(document.error());
  simdjson::dom::object fields;
  if (document->get(fields) != simdjson::SUCCESS) return refuse("unreadable message", "not an object");
  if (const std::string venue = text_of(fields, "venue"); venue != kVenue) {
    return refuse("unknown venue", fmt::format("venue {} is not known (known: {})", everlearn::quoted(venue), kVenue));
  }
  const std::string time = text_of(fields, "received");
  const auto at = Timestamp::parse(time);
  if (!at) return refuse("unreadable time", fmt::format("received {}", everlearn::quoted(time)));
  Received received{*at, text_of(fields, "channel"), text_of(fields, "raw")};
  if (received.channel.empty() || fields["raw"].error() != simdjson::SUCCESS) {
    return refuse("incomplete message", "needs received, venue, channel and raw");
  }
  const std::string encoding = text_of(fields, "encoding");
  if (encoding == "hex") {
    auto bytes = from_hex(received.raw);
    if (!bytes) return tl::unexpected(std::move(bytes).error());
    received.raw = *std::move(bytes);
  } else if (!encoding.empty()) {
    return refuse("unknown encoding", fmt::format("{} is not known (known: hex)", everlearn::quoted(encoding)));
  }
  return received;
}

bool is_run_channel(std::string_view channel) { return std::ranges::find(kRunChannels, channel) != kRunChannels.end(); }

}  // namespace everlearn
