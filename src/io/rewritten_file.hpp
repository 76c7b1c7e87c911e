// A file that is a person's, changed by us: in one step, and so that everything he may rely on stays.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

/// Replaces the text of `path` by what `edit` makes of it; false if that is the same text: then nothing is written. The
/// new file has the mode and the owner of the old one and takes its name by rename; the old bytes stay at `copy`, with
/// the same mode and owner. Errors, with nothing changed: NotFound; Unsupported for a link, a file with a second name
/// (a rename would tear them apart) and what is no regular file; Storage for one that may not be written (its owner's
/// write bit counts, also for root) or a folder that may not, and for a file that somebody changes meanwhile; InUse if
/// `copy` is there.
Result<bool> rewrite_file(const std::string& path, const std::string& copy,
                          const std::function<std::string(std::string_view text)>& edit);

}  // namespace everlearn
