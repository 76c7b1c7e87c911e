// How the parts of a body are written: shared by the events of the store and the market state of the checkpoint.
#pragma once

#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "market/event.hpp"

namespace everlearn {

void put_price(ByteWriter& out, Price price);
Price get_price(ByteReader& in);
void put_price(ByteWriter& out, const std::optional<Price>& price);
std::optional<Price> get_optional_price(ByteReader& in);
void put_levels(ByteWriter& out, const std::vector<BookLevel>& levels);
std::vector<BookLevel> get_levels(ByteReader& in);
void put_bar(ByteWriter& out, const Bar& bar);
Bar get_bar(ByteReader& in);

}  // namespace everlearn
