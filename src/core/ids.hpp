#pragma once

#include <cstddef>
#include <cstdint>

namespace everlearn {

/// Running number of an instrument within a data directory, in order of first appearance. Dense: it indexes arrays.
enum class InstrumentId : std::uint32_t {};

constexpr std::size_t index(InstrumentId id) { return static_cast<std::size_t>(id); }

}  // namespace everlearn
