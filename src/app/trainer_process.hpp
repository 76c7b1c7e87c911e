// How everlearn-train is started, for a training and for a tune.
#pragma once

#include <string>

#include "core/fs.hpp"
#include "core/proc.hpp"
#include "core/time.hpp"

namespace everlearn {

/// The child gets nothing of our environment but what keeps its threads from spinning beside a busy daemon; its stderr
/// goes to trainer.log in `directory`.
ProcessSpec trainer_process(const std::string& trainer, const std::string& directory, int threads,
                            std::uint64_t memory_bytes, Duration wall);

/// In one line, of a child whose exit is not ok.
std::string why_trainer_ended(Fs& fs, const std::string& directory, const ProcessExit& exit, Duration wall);

}  // namespace everlearn
