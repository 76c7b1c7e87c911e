// What a person changes: the same words to a daemon through its socket, and to a data directory in which nothing runs.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "app/config/config.hpp"
#include "app/data_directory.hpp"
#include "app/engine.hpp"
#include "core/result.hpp"

namespace everlearn {

/// verb: "models.rollback" {target, to}, "models.promote" {model}, "models.pin" {model}, "models.unpin" {name: a target
/// or a model}, "intents.approve" {id}, "intents.reject" {id}, "pause", "resume", "train" {reason, rows, params: one a
/// line}, "backfill". Absent texts are empty.
struct HandRequest {
  std::string verb;
  std::map<std::string, std::string> args;

  std::string arg(const std::string& name) const;
  /// {"verb":"...","args":{...}}
  std::string to_json() const;
  /// Errors: BadData.
  static Result<HandRequest> from_json(std::string_view text);
};

/// {"ok":true,"text":"..."} or {"ok":false,"code":"NotFound","text":"..."}
std::string answer_json(const Result<std::string>& done);
/// What such an answer meant. Errors: those that are inside; BadData.
Result<std::string> answer_from_json(std::string_view text);

/// Between two cycles of a running engine, and committed. Returns a sentence. Errors: Usage for an unknown verb.
Result<std::string> apply_by_hand(const HandRequest& request, Engine& engine, DataDirectory& directory);
/// In a directory that is open for change and in which no engine runs; all but "train".
Result<std::string> apply_by_hand(const HandRequest& request, DataDirectory& directory);

/// Through the daemon of the directory if one listens, else in the directory itself.
Result<std::string> carry_out(const HandRequest& request, const std::string& directory, const Config& config);

std::string control_socket_path(const std::string& directory);

}  // namespace everlearn
