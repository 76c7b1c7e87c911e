// Which dates NYSE and Nasdaq trade on and how long: the rules of the exchange as a pure function of the date.
// Right for 1989 to 2030, a projection after that. Sources: docs/calendars.md.
#pragma once

#include "core/civil.hpp"

namespace everlearn {

enum class UsTradingDay { Closed, Full, Until1pm, Until2pm };

/// `date` must exist.
UsTradingDay us_trading_day(const CivilDate& date);

}  // namespace everlearn
