#pragma once

#include <string>

namespace everlearn {

/// docs/features.md: every family with formula, windows, unit, source, warm-up and reference. A test compares the file
/// with this text.
std::string catalogue_markdown();

}  // namespace everlearn
