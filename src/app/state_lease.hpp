// Who may work with a state now. A lease spares two runs from doing the same work; that neither overwrites the other is
// the head's condition (state_sync.hpp), which holds also where clocks are wrong and leases run out.
#pragma once

#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "io/object_store.hpp"

namespace everlearn {

struct LeaseOptions {
  std::string owner;  // of this run alone
  std::string who;    // for people: "runner-1, process 4242"
  Duration length = Duration::minutes(15);
};

/// One thread. Destroying it does not release: a run that died still holds it until it runs out.
class StateLease {
 public:
  StateLease(ObjectStore& store, const Clock& clock, LeaseOptions options)
      : store_{store}, clock_{clock}, options_{std::move(options)} {}

  /// Errors: InUse, naming the holder and until when.
  Result<void> take();
  /// Makes it longer once half of it is over; call as often as you like. Errors: InUse: it ran out, and another run has
  /// it.
  Result<void> keep();
  /// For the next one. If it is another's by now, nothing happens.
  Result<void> release();
  /// Whose lease had run out without a release when we took it: that run died.
  const std::optional<std::string>& died() const { return died_; }

 private:
  std::string text(Timestamp now, bool released) const;

  ObjectStore& store_;
  const Clock& clock_;
  const LeaseOptions options_;
  std::string tag_;
  Timestamp since_, until_;
  std::optional<std::string> died_;
};

}  // namespace everlearn
