#include "app/state_lease.hpp"

#include <fmt/format.h>

#include "core/json.hpp"

namespace everlearn {
namespace {

const std::string kName = "lease.json";
constexpr int kTries = 5;  // against others who take it at the same moment

struct Held {
  std::string owner, who;
  Timestamp since, until;
  bool released = false;
};

Result<Held> read(const std::string& bytes, const std::string& place) {
  auto in = JsonIn::parse(bytes);
  if (!in) return fail(Code::Damaged, fmt::format("{}: {}: {}", place, kName, in.error().message));
  Held held;
  in->get("owner", held.owner);
  in->get("who", held.who);
  in->get("since", held.since);
  in->get("until", held.until);
  in->get("released", held.released);
  if (const auto whole = in->finish(kName); !whole)
    return fail(Code::Damaged, fmt::format("{}: {}", place, whole.error().message));
  return held;
}

std::string moment(Timestamp at) { return at.iso().substr(0, 19) + "Z"; }

}  // namespace

std::string StateLease::text(Timestamp now, bool released) const {
  return JsonOut{}
      .put("owner", options_.owner)
      .put("who", options_.who)
      .put("since", since_)
      .put("until", released ? now : now + options_.length)
      .put("released", released)
      .text();
}

Result<void> StateLease::take() {
  for (int left = kTries; left > 0; --left) {
    const Timestamp now = clock_.now();
    since_ = now;
    EL_TRY(const auto there, store_.get(kName));
    std::optional<std::string> died;
    if (there) {
      EL_TRY(const Held held, read(there->bytes, store_.place()));
      if (!held.released && held.until > now)
        return fail(Code::InUse, fmt::format("{} is in use: leased by {} since {} until {}", store_.place(), held.who,
                                             moment(held.since), moment(held.until)));
      if (!held.released) died = fmt::format("{}, since {} until {}", held.who, moment(held.since), moment(held.until));
    }
    const auto taken = there ? store_.put_if_match(kName, there->tag, text(now, false))
                             : store_.put_if_absent(kName, text(now, false));
    if (taken) {
      tag_ = *taken;
      until_ = now + options_.length;
      died_ = died;
      return {};
    }
    if (taken.error().code != Code::InUse) return tl::unexpected<Error>(taken.error());
  }
  return fail(Code::InUse, fmt::format("{} is in use: its lease changed hands {} times while we asked for it",
                                       store_.place(), kTries));
}

Result<void> StateLease::keep() {
  const Timestamp now = clock_.now();
  if (until_ - now > Duration{options_.length.us() / 2}) return {};
  const auto longer = store_.put_if_match(kName, tag_, text(now, false));
  if (longer) {
    tag_ = *longer;
    until_ = now + options_.length;
    return {};
  }
  if (longer.error().code == Code::Unavailable && until_ > now) return {};  // there is time to try again
  if (longer.error().code != Code::InUse) return tl::unexpected<Error>(longer.error());
  return fail(Code::InUse,
              fmt::format("{}: our lease ran out at {}, and another run has taken it", store_.place(), moment(until_)));
}

Result<void> StateLease::release() {
  const auto released = store_.put_if_match(kName, tag_, text(clock_.now(), true));
  if (!released && released.error().code != Code::InUse) return tl::unexpected<Error>(released.error());
  return {};
}

}  // namespace everlearn
