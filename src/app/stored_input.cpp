#include "app/stored_input.hpp"

#include "core/bytes.hpp"
#include "market/event_codec.hpp"

namespace everlearn {

std::string encode_input(const Event& event) {
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(event.instrument));
  out.time(event.event_time);
  out.time(event.known_at);
  out.u32(event.revision);
  out.text(event_kind(event.what));
  out.text(encode_event(event.what));
  return out.take();
}

Result<Event> decode_input(std::string_view bytes) {
  ByteReader in{bytes};
  Event event;
  event.instrument = InstrumentId{in.u32()};
  event.event_time = in.time();
  event.known_at = in.time();
  event.revision = in.u32();
  const std::string kind = in.text(), body = in.text();
  EL_CHECK(in.finish("input"));
  EL_TRY(event.what, decode_event(kind, body));
  return event;
}

}  // namespace everlearn
