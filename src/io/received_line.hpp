// A recording of a venue: one line of JSON for each Received, in the order they came (docs/formats/received-v1.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/received.hpp"
#include "io/refusal.hpp"

namespace everlearn {

/// {"received":"2026-11-24T12:00:00.000000Z","venue":"polymarket","channel":"market","raw":"..."} and a line end. Text
/// that is no UTF-8 is written as hexadecimal digits, and that is said in the line: nothing is lost.
std::string recorded_line(const Received& received);

/// Reads such lines, and those of older recordings in which `raw` is JSON itself. One thread.
class ReceivedReader {
 public:
  ReceivedReader();
  ~ReceivedReader();
  ReceivedReader(const ReceivedReader&) = delete;
  ReceivedReader& operator=(const ReceivedReader&) = delete;

  RowResult<Received> read(std::string_view line);

 private:
  struct Parser;
  const std::unique_ptr<Parser> parser_;
};

/// Channels that only the interpreter reads: with one of them in it, a recording is of a whole run and not just of a
/// market socket.
bool is_run_channel(std::string_view channel);

}  // namespace everlearn
