// The loop on the real clock: what the input has now, the cycles the clock has passed, then a wait of at most 200 ms
// for a caller at DIR/control.sock or a signal. Everything a caller changes happens between two cycles, and is
// committed before he is answered. A kill at any moment loses nothing that was committed; the next start goes on from
// there.
#pragma once

#include "app/live_session.hpp"
#include "core/result.hpp"

namespace everlearn {

/// Returns after SIGTERM, SIGINT or the verb "stop", with everything committed. Sets request.begins itself.
/// Errors: those of LiveSession, the input and the engine.
Result<void> run_daemon(LiveRequest request);

}  // namespace everlearn
