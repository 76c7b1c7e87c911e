// The loop. One clock, one owner thread for decisions; the same code runs live, in replay and in simulation. An event
// is folded into the market; a cycle runs once an event known after its time has been read (live: once the clock passes
// it). A cycle: step features, settle labels, let due models take effect, predict, filter, decide, train when due,
// write down.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/cycle_grid.hpp"
#include "app/dense_history.hpp"
#include "app/event_keeper.hpp"
#include "app/holdout.hpp"
#include "app/profile.hpp"
#include "app/progress.hpp"
#include "app/recent_rows.hpp"
#include "app/row_schema.hpp"
#include "app/streams.hpp"
#include "app/trainings.hpp"
#include "app/tunings.hpp"
#include "core/world.hpp"
#include "feature/feature_bank.hpp"
#include "label/label.hpp"
#include "market/market_state.hpp"
#include "market/source.hpp"
#include "model/baseline.hpp"
#include "model/target_blend.hpp"
#include "registry/registry.hpp"
#include "schedule/job_schedule.hpp"
#include "schedule/trigger.hpp"
#include "serve/predictor.hpp"
#include "signal/signal.hpp"
#include "store/ledger.hpp"
#include "store/store.hpp"
#include "trade/paper_account.hpp"
#include "trade/recent_returns.hpp"

namespace everlearn {

/// Where learning stands. A hand wins: Off stays off until a person turns it on.
enum class Learning : std::uint8_t { Off, Collecting, Training, Active };
std::string_view text(Learning learning);

/// A training that is asked for.
struct TrainingWish {
  std::string reason;
  std::int64_t rows = 0;            // on the newest so many labelled ones; 0: as the profile says
  bool validate = false;            // of classes: the newest 200 unseen rows must be right often enough too
  std::vector<std::string> params;  // "max_depth=3": of the learner, for this training (app/learner_settings.hpp)
};

class Engine {
 public:
  struct Options {
    std::string data_directory;
    std::string trainer;                               // path of everlearn-train
    ManualClock* virtual_clock = nullptr;              // simulation: set to each cycle's time; live: null
    std::function<void(const Progress&)> on_progress;  // after each commit
    bool trains = true;      // false: a base training starts only when it is asked for, or what was served is too poor
    bool hands_out = false;  // intents go into the queue of the outlet
    double clock_speed =
        1;  // of a live clock: with a fast one a training takes effect by train.delay, as in a simulation
    std::function<Result<std::string>()>
        on_auto_enable;  // learning became active by itself; returns what else was done
  };

  /// Builds the loop and continues from the store's checkpoint if there is one. `calendar`, `store`, `source` and
  /// `instruments` outlive the engine; `instruments` is the table the source interns into.
  static Result<std::unique_ptr<Engine>> make(World world, const Profile& profile, const Calendar& calendar,
                                              Store& store, Source& source, Instruments& instruments, Options options);
  ~Engine();

  /// Simulation: reads the source to its end. No cycle runs after the last event.
  Result<void> run_to_end();
  /// What one call of run_until_now() came to.
  struct LiveStep {
    std::int64_t events = 0, cycles = 0;
    bool more = false;  // there was more than one commit may hold: call again at once
  };
  /// Live: takes what the source has now, runs the cycles the clock has passed, starts and judges trainings; at most
  /// 1,000 events or about 200 ms, then commits. Where nothing happened, nothing is written.
  Result<LiveStep> run_until_now();
  /// Live: waits for the trainings that run, judges them and commits.
  Result<void> finish_work();
  /// Commits what is open (shutdown, end of input).
  Result<void> commit();

  const Progress& progress() const { return progress_; }
  bool training() const { return trainings_.running(); }
  const Registry& registry() const { return registry_; }

  // --- by hand, between cycles
  // ------------------------------------------------------------------------------------------
  Result<void> request_training(TrainingWish wish);
  /// Without a clock that runs: trains as of the last cycle, waits, and lets what was promoted take effect at once.
  Result<void> train_now(TrainingWish wish);
  Result<void> set_learning(bool on);
  Result<std::string> rollback_model(const std::string& target, const std::string& id);
  Result<void> promote_model(const std::string& id);
  Result<void> unpin_target(const std::string& target);
  Result<void> pin_model(const std::string& id, bool pinned);
  /// Of an intent that waits for a person; what became of it, in a sentence. Errors: NotFound.
  Result<std::string> approve_intent(std::int64_t id);
  Result<std::string> reject_intent(std::int64_t id);
  /// Asks the source for prices of the past where the dense history has holes. Returns how many holes.
  Result<std::int64_t> look_for_holes();

 private:
  struct Target;     // label, baseline, blend, models of one target
  struct TimeSplit;  // where the wall time went; not part of any result
  Engine(World world, const Profile& profile, const Calendar& calendar, Store& store, Source& source,
         Instruments& instruments, Options options, RowSchema schema, SignalChain signals, PaperAccount account,
         JobSchedule schedule);

  // --- what is kept (engine_checkpoint.cpp)
  Result<void> restore(std::string_view checkpoint);
  std::string checkpoint() const;
  void encode_base(ByteWriter& out) const;
  Result<void> decode_base(ByteReader& in);
  Result<void> read_dense_prices();
  Result<void> keep_base_if_due();
  Result<void> restore_base_and_inputs();
  bool keeps_base() const;  // heavy state now and then, and the inputs since

  // --- the dense history (engine_dense.cpp)
  Result<void> snapshot(Timestamp at);
  std::vector<std::optional<Price>> dense_prices(Timestamp at) const;
  void step_features(Timestamp at);
  std::vector<std::pair<Timestamp, Price>> on_dense_grid(const PastPrices& past, Timestamp until) const;
  Result<void> take_past(const Event& event, const PastPrices& past);
  Result<void> resume(Timestamp now);
  Result<bool> slept(Timestamp now);
  void ask_for_past(InstrumentId id, Timestamp from, Timestamp to);

  Result<void> take(Event& event);
  Result<void> keep(const Event& event);  // into the store
  Result<void> cycle(Timestamp at);
  Result<void> settle_labels(Timestamp at);
  Result<void> take_effect(Timestamp at);
  /// A live cycle that runs long after its time: nobody could act on what it would say.
  bool late(Timestamp at) const;
  Result<void> decide(Timestamp at, bool sample);
  struct Decision;
  struct Said;
  /// `Speaker`: Predictor or Ensemble; null: the baseline alone.
  template <class Speaker>
  Said said_by(const Speaker* speaker, const Target& target, const ExampleRow& example,
               std::span<const double> baseline, std::span<float> scratch) const;
  void speak(const Target& target, const ExampleRow& example, std::span<const double> baseline, bool sample,
             Decision& decision);
  bool tell_signal(InstrumentId id, int side, Timestamp at);
  Result<void> act(Timestamp at, Decision& decision);
  double flat_band(const Target& target, InstrumentId id) const;
  Result<void> mark_equity(Timestamp at);

  // --- the accounts (engine_trade.cpp)
  MarketView view() const { return {market_, instruments_}; }
  Result<void> ask_accounts(Timestamp at, const std::vector<PaperAccount::Decision>& act,
                            const std::vector<PaperAccount::Decision>& baseline_act);
  Result<void> keep_trades(const std::vector<FillRow>& fills);
  Result<void> hand_out(const IntentRow& intent);
  void tell_account();
  /// What it costs to get in and out, if the instrument itself tells: relative to the price.
  std::optional<double> round_trip_cost(InstrumentId id, double price) const;
  bool tunes() const;  // by the profile
  Result<void> tune_if_due(Timestamp at, bool sample);
  Result<void> judge_streams_if_due(Timestamp at);
  void forget_tuned();
  Result<void> load_tuned();
  void tell_recent_accuracy();
  Result<void> prune_old_tunes(Timestamp now);
  /// Whether a period of the job has begun; it is marked as run. Errors: Internal for a name that is no job.
  Result<bool> take_due(const std::string& job, Timestamp at);
  bool in_step() const;
  Result<void> finish_trainings_in_step(Timestamp at);
  Result<void> train_if_due(Timestamp at);
  Result<void> finish_trainings(Timestamp at, bool wait);
  Result<void> housekeeping(Timestamp at);
  Result<void> promote(std::uint16_t target, const std::string& bundle, Timestamp at, bool by_hand);
  Result<void> load_champions();
  Result<void> load_ensembles(Timestamp at);
  Result<void> ask_for_a_model();
  /// Another champion of the target that acts: its tunes and its accuracy begin anew.
  void begin_reign(Timestamp at);
  Result<void> tell_fall_back(Timestamp at);
  Result<void> tell_auto_enable(Timestamp at);
  Result<void> heed_settings_file();
  Result<void> tell_source_trouble(Timestamp now);
  Result<void> meet_imported_instruments();
  Result<void> name_instruments();
  Result<void> save_registry();
  Result<std::optional<std::string>> training_reason(Timestamp at);
  std::optional<std::string> poor_accuracy(Timestamp at);
  struct RowsWanted {
    std::int64_t rows = 0;  // 0: all of the window
    std::string words;      // where the number comes from
  };
  RowsWanted rows_wanted(Timestamp at, std::int64_t asked) const;
  Trainings::Place place() const;
  bool fresh(InstrumentId id, Timestamp at) const;
  bool current(InstrumentId id, Timestamp at) const;

  World world_;
  const Profile& profile_;  // set once
  const Calendar& calendar_;
  Store& store_;
  Source& source_;
  Instruments& instruments_;
  const Options options_;
  const CycleGrid grid_;
  const BaselineLayout layout_;

  MarketState market_;
  const RowSchema schema_;  // columns of an example
  FeatureBank bank_;
  std::unique_ptr<DenseHistory> dense_;  // null: no dense prices
  std::optional<CycleGrid> dense_grid_;
  std::vector<Hole> holes_;                  // to be asked for with the next step
  std::vector<bool> past_asked_;             // by instrument: what was before its first price
  bool resumed_ = false;                     // since this process began
  Timestamp stepped_at_ = Timestamp::max();  // the live step before this one
  bool skip_silence_ = false;                // until the next snapshot: the gap before it is on record
  bool base_due_ = false;
  Timestamp base_kept_at_ = Timestamp::min();
  std::string kept_instruments_;  // digest of their table as the store has it
  bool decided_ = false;          // something other than the market changed since the last whole commit
  std::vector<std::unique_ptr<Target>> targets_;
  std::size_t acting_ = 0;              // index of the target that acts
  bool needs_prices_ = false;           // a label is made of prices
  std::unique_ptr<Baseline> variance_;  // trailing volatility of every instrument, for position sizes
  SignalChain signals_;
  SignalChain baseline_signals_;  // the same rules for the account that trades the baseline alone
  PaperAccount account_;
  PaperAccount baseline_account_;
  Ledger ledger_;
  Registry registry_;
  JobSchedule schedule_;
  Trainings trainings_;
  EventKeeper keeper_;

  Streams streams_;                          // of the target that acts
  std::unique_ptr<RecentRows> recent_rows_;  // its newest labelled examples; null: nothing is tuned
  Tunings tunings_;
  std::shared_ptr<const Predictor> tuned_;  // the latest fine-tune of its champion
  std::string tuned_base_, tuned_id_;       // of the checkpoint, to be loaded
  std::int64_t labels_tuned_ = 0;  // labels that were known at the latest tune: without a new one there is none

  RecentReturns recent_returns_{60};  // sessions: what the live Sharpe trigger looks at

  Learning learning_ = Learning::Collecting;
  std::optional<Timestamp> next_cycle_;
  std::optional<Timestamp> first_example_;
  bool enabled_itself_ = false;  // the training that runs is the one auto-enable asked for
  std::int64_t next_intent_ = 1;
  std::int64_t trainings_done_ = 0;
  std::optional<Timestamp> last_training_;
  std::int64_t last_equity_day_ = std::numeric_limits<std::int64_t>::min();
  TrainingWish requested_;  // without a reason: none
  TrainingWish training_;   // what the trainings that run are for
  struct Promotion {
    std::uint16_t target;
    std::string bundle;
    Timestamp at;
  };
  std::vector<Promotion> promotions_;  // verdicts that take effect later
  // Recent accuracy: since when the champion of the target that acts serves, how many of its own predictions have
  // matured, and for which model something was done against it.
  Timestamp serves_since_ = Timestamp::min();
  std::int64_t own_matured_ = 0;
  std::string poor_model_;
  std::map<InstrumentId, std::pair<int, Timestamp>> signalled_;  // side that was told, and the last cycle that said so
  std::string fallen_back_;                                      // what was told last of a champion that does not speak
  std::optional<Timestamp> trouble_since_;                       // of the source; live only
  std::map<std::pair<Timestamp, InstrumentId>, double> served_;  // class said, until its label is known
  std::string committed_position_;                               // of the source, before the event in hand
  std::optional<Event> in_hand_;                                 // live: read, and not taken yet
  std::int64_t last_retention_day_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t trainings_cleaned_ = 0;  // trainings that were done at the last retention
  bool pointers_stale_ = true;
  std::size_t named_instruments_ = 0;
  Progress progress_;
  std::unique_ptr<TimeSplit> split_;
};

}  // namespace everlearn
