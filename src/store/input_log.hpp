// A heavy state that is kept now and then (the base), and every input since: a restart loads the base and folds the
// inputs again. The base lies in parts of 1 MiB, so that tens of megabytes are written and read in pieces; each part
// and each input carries a CRC over itself and what stands before it. Writes happen in the Store's open transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "store/sqlite.hpp"

namespace everlearn {

class InputLog {
 public:
  /// `database` must outlive it.
  explicit InputLog(const sqlite::Database& database) : database_{&database} {}

  /// Makes the tables where an older release's directory lacks them; a reader takes that as one without any.
  Result<void> open(sqlite::Database& database, bool read_only);
  /// Finds its end again: after a rollback. Errors: Damaged if the last input is not what was written.
  Result<void> reload();

  Result<void> append(std::string_view bytes);
  /// Replaces the base and forgets the inputs.
  Result<void> keep_base(std::string_view bytes);

  Result<std::optional<std::string>> base() const;
  /// The inputs since the base, in order. Errors: Damaged, naming the input; what the callback says.
  Result<void> scan(const std::function<Result<void>(std::string_view input)>& input) const;
  std::int64_t inputs() const { return last_; }

 private:
  const sqlite::Database* database_;
  bool there_ = false;
  std::int64_t last_ = 0;   // number of the last input; they are numbered from 1 after each base
  std::uint32_t link_ = 0;  // its CRC; of the base's last part where there is no input
};

}  // namespace everlearn
