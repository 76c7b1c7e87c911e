// The parts of an Engine that its source files share; nobody else includes this.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "app/engine.hpp"
#include "core/system_clock.hpp"
#include "model/target_blend.hpp"
#include "serve/ensemble.hpp"

namespace everlearn {

inline std::int64_t utc_day(Timestamp t) { return t.us() / Duration::days(1).us(); }

struct Engine::Target {
  Target(const TargetProfile& target, std::uint16_t index, std::unique_ptr<Baseline> base, TargetBlend mix, int steps)
      : profile{&target}, number{index}, baseline{std::move(base)}, blend{mix}, samples_per_horizon{steps} {}

  const TargetProfile* profile;
  std::uint16_t number;
  std::unique_ptr<Labeller> labeller;
  std::unique_ptr<Baseline> baseline;
  TargetBlend blend;
  int samples_per_horizon;  // sample steps within the label's horizon
  EffectiveCount effective;
  std::optional<Timestamp> latest_labelled;   // event_time
  Timestamp judged_until = Timestamp::min();  // latest hold-out row a verdict used
  HotSlot champion;
  std::shared_ptr<const Predictor> previous;  // next rung
  std::shared_ptr<const Ensemble> ensemble;   // speaks before the champion, where the profile wants it
  Timestamp ensemble_until = Timestamp::max();
};

struct Engine::TimeSplit {
  std::map<std::string, double>& seconds;
  Stopwatch run;
  double before = 0;  // of earlier processes that worked on this directory

  class Part {
   public:
    Part(TimeSplit& split, const char* name) : into_{split.seconds[name]} {}
    ~Part() { into_ += stopwatch_.seconds(); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    double& into_;
    Stopwatch stopwatch_;
  };
};

}  // namespace everlearn
