#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

/// The Error for an errno value: "create /a/b: No space left on device". ENOENT and ENOTDIR are NotFound, EEXIST is
/// InUse, everything else is Storage. SimFs uses it too, so that both file systems fail in the same words.
tl::unexpected<Error> system_error(std::string_view operation, const std::string& subject, int error_number);

}  // namespace everlearn
