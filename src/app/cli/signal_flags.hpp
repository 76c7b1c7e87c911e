#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace everlearn::cli {

struct CommonOptions;

/// The older system's names for what changes the filters of one run; each is short for settings (docs/signals.md).
struct SignalFlags {
  std::string preset;
  std::optional<double> min_prob_margin, max_entropy;
  std::optional<int> max_signals;
  bool enable_recent_penalty = false, disable_sleep_window = false, fast_mode = false;
};

void add_signal_flags(CLI::App& verb, SignalFlags& flags);
/// Key and value of each setting that the flags stand for; the preset goes by the key "preset".
std::vector<std::pair<std::string, std::string>> settings_of(const SignalFlags& flags);
/// The same behind the --set of a verb: a flag goes before it.
CommonOptions with_flags(CommonOptions options, const SignalFlags& flags);

}  // namespace everlearn::cli
