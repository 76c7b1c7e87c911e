#include "app/cli/signal_flags.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/cli/command.hpp"

namespace everlearn::cli {

void add_signal_flags(CLI::App& verb, SignalFlags& flags) {
  verb.add_option("--preset", flags.preset, "settings under a name: a [presets.NAME] of the profile");
  verb.add_option("--min_prob_margin", flags.min_prob_margin, "signal.min_margin: least top1 - top2");
  verb.add_option("--max_entropy", flags.max_entropy, "signal.max_entropy: most normalised entropy");
  verb.add_option("--max_signals", flags.max_signals, "signal.max_signals: most of one cycle; 0: no limit");
  verb.add_flag("--enable_recent_penalty", flags.enable_recent_penalty,
                "signal.recent_penalty: stricter as recent accuracy falls");
  verb.add_flag("--disable_sleep_window", flags.disable_sleep_window, "no quiet hours");
  verb.add_flag("--fast_mode", flags.fast_mode, "tune the calibration only, on at most 500 rows");
}

std::vector<std::pair<std::string, std::string>> settings_of(const SignalFlags& flags) {
  std::vector<std::pair<std::string, std::string>> settings;
  if (!flags.preset.empty()) settings.emplace_back("preset", flags.preset);
  if (flags.min_prob_margin) settings.emplace_back("signal.min_margin", fmt::format("{}", *flags.min_prob_margin));
  if (flags.max_entropy) settings.emplace_back("signal.max_entropy", fmt::format("{}", *flags.max_entropy));
  if (flags.max_signals) settings.emplace_back("signal.max_signals", fmt::format("{}", *flags.max_signals));
  if (flags.enable_recent_penalty) settings.emplace_back("signal.recent_penalty", "true");
  if (flags.disable_sleep_window)
    for (const char* end : {"signal.quiet_from", "signal.quiet_to"}) settings.emplace_back(end, "");
  if (flags.fast_mode) {
    settings.emplace_back("tune.way", "calibration");
    settings.emplace_back("tune.rows_max", "500");
  }
  return settings;
}

CommonOptions with_flags(CommonOptions options, const SignalFlags& flags) {
  for (const auto& [key, value] : settings_of(flags)) options.settings.push_back(key + "=" + value);
  return options;
}

}  // namespace everlearn::cli
