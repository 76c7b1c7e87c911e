// Intents on their way out: what the engine put into the queue goes to the file and to the address that the profile
// names, and what became of it goes back into the store. Called between two cycles, on the decision thread; nothing
// here waits for the network but finish(). Never part of a simulation.
//
// The file: each intent once, also across a crash between the write and the commit that remembers it: what the file's
// end holds is not written again. The address: at least once, under the same key, and never after the intent's expiry.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "alert/channel.hpp"
#include "app/outlet_queue.hpp"
#include "core/clock.hpp"
#include "core/fs.hpp"
#include "io/channel_thread.hpp"
#include "io/log.hpp"
#include "store/store.hpp"

namespace everlearn {

struct OutletParts {
  Store& store;
  Fs& fs;
  const Clock& clock;
  Log& log;
  std::function<Result<void>()> commit;  // makes the store's open transaction durable
  std::string data_directory;
  std::unique_ptr<Channel> address;  // null: none
};

class OutletDelivery {
 public:
  /// Errors: Config: an address without a secret.
  static Result<std::unique_ptr<OutletDelivery>> make(const OutletSettings& settings, OutletParts parts);

  /// Takes answers, writes and hands over what is new. Errors: of the store.
  Result<void> step();
  /// Goes on until nothing more can be sent now, for at most so long. The last call.
  Result<void> finish(Duration at_most);

 private:
  OutletDelivery(const OutletSettings& settings, OutletParts parts);
  bool take_answers(OutletQueue& queue, Timestamp now);
  bool write_file(OutletQueue& queue, Timestamp now);
  Result<void> append(const std::vector<OutletIntent>& intents);
  Result<void> look_at_file();
  Result<void> tell_losses(OutletQueue& queue, Timestamp now);

  OutletParts parts_;
  const std::string file_;                 // empty: none
  bool looked_ = false;                    // at its end, since the start or a failure:
  std::set<std::string> in_file_;          // the ids it holds there
  bool cut_off_ = false;                   // its last line has no end
  std::optional<Timestamp> file_again_;    // after a failure
  std::unique_ptr<ChannelThread> thread_;  // null: no address
  std::optional<std::int64_t> under_way_;
};

}  // namespace everlearn
