// A tune is a base bundle adapted to the newest rows, kept as the difference to it: models/<base>/tunes/<id>.tune, one
// file with card, difference and checksum (docs/formats/tune-v1.md). The id is the SHA-256 over base id, difference and
// canonical job. A tune goes with its base; it is never the base of another.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/fs.hpp"
#include "core/time.hpp"
#include "forest/forest.hpp"
#include "learn/train_job.hpp"
#include "learn/training_interval.hpp"
#include "learn/tune_spec.hpp"
#include "model/calibrator.hpp"
#include "registry/bundle.hpp"

namespace everlearn {

/// What a tune changes in its base: nothing (no change was better), trees behind its own, leaves that move, or its
/// calibrator.
using TuneDifference = std::variant<std::monostate, Forest, std::vector<LeafStep>, Calibrator>;

/// The bytes of tune.bin: kind, difference, SHA-256. Equal differences give equal bytes.
std::string encode_difference(const TuneDifference& difference);
/// Errors: Damaged (checksum, length), Model (what contradicts itself).
Result<TuneDifference> decode_difference(std::string_view bytes);
/// Trees added, leaves moved, 1 for a calibrator, 0 for nothing.
std::int64_t changes_of(const TuneDifference& difference);

struct TuneCard {
  std::string id, base, target;
  TuneWay way = TuneWay::Trees;
  Timestamp made_at;  // clock when it was admitted (virtual in a simulation)
  Timestamp as_of;    // knowledge it had
  std::int64_t rows_fit = 0, rows_stop = 0;
  Timestamp first_row, last_row;               // event_time
  Timestamp seen_until;                        // latest label end of any row used, by it or its base
  Timestamp expires_at;                        // with its base
  TrainingIntervals intervals;                 // its own and its base's
  double stop_loss_before = 0, stop_loss = 0;  // on the stop rows: what the base says there, what the tune says
  std::int64_t changed = 0;                    // changes_of(); 0: it says what its base says
  TuneSpec params;
  std::string canonical_job;

  std::string to_json() const;
  static Result<TuneCard> from_json(std::string_view text);
};

struct Tune {
  TuneCard card;
  TuneDifference difference;
};

/// The card of a tune of `base`, from what its trainer found.
TuneCard tune_card(const Card& base, const TrainJob& job, const TrainResult& result, Timestamp made_at);

std::string tune_id(std::string_view base, std::string_view difference, std::string_view canonical_job);

/// Takes a finished job directory (tune.bin; with trees golden.parquet, checked bit for bit), gives the card its id and
/// writes the file (temporary, sync, rename). Doing it twice gives the same tune. Errors: Model; Damaged; NotFound
/// without the base's forest; Storage.
Result<Tune> admit_tune(Fs& fs, const std::string& models_directory, const std::string& job_directory, TuneCard card);

/// Reads and verifies: checksum, id against base, difference and job. Errors: Damaged, Model, NotFound, Unsupported.
Result<Tune> load_tune(Fs& fs, const std::string& models_directory, const std::string& base, const std::string& id);

/// Tunes of a base, oldest first, as their files say unverified.
struct TuneFile {
  std::string base, id;
  Timestamp made_at = Timestamp::min();  // min(): the file is too short to say
  std::uint64_t bytes = 0;
};
Result<std::vector<TuneFile>> list_tunes(Fs& fs, const std::string& models_directory, const std::string& base);

/// Deletes tunes of all bases made before `keep_from`, then the oldest until `keep_most` are left; never one of
/// `in_use`. Returns how many went.
Result<std::int64_t> prune_tunes(Fs& fs, const std::string& models_directory, Timestamp keep_from,
                                 std::int64_t keep_most, const std::set<std::string>& in_use);

}  // namespace everlearn
