#include "venue/fault.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "core/json.hpp"

namespace everlearn::venue {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, FaultKind>, 13> kKinds{{
    {"freeze", FaultKind::Freeze},
    {"drop", FaultKind::Drop},
    {"duplicate", FaultKind::Duplicate},
    {"malformed", FaultKind::Malformed},
    {"oversized", FaultKind::Oversized},
    {"mute", FaultKind::Mute},
    {"refuse", FaultKind::Refuse},
    {"half_open", FaultKind::HalfOpen},
    {"disconnect", FaultKind::Disconnect},
    {"status", FaultKind::Status},
    {"slow", FaultKind::Slow},
    {"history_hole", FaultKind::HistoryHole},
    {"history_coarse", FaultKind::HistoryCoarse},
}};

constexpr std::array<std::pair<std::string_view, Act>, 7> kActs{{
    {"stop_orders", Act::StopOrders},
    {"propose", Act::Propose},
    {"dispute", Act::Dispute},
    {"resolve", Act::Resolve},
    {"tick_size", Act::TickSize},
    {"reopen", Act::Reopen},
    {"annul", Act::Annul},
}};

std::string_view act_name(Act act) {
  for (const auto& [name, known] : kActs)
    if (known == act) return name;
  return "";
}

// Reads the members of a fault one by one; the first thing wrong is what is told.
class FaultReader {
 public:
  FaultReader(const json::object& object, Timestamp now) : object_{object} {
    fault_.from = now;
    fault_.act.at = now;
  }

  Result<Fault> read() {
    EL_CHECK(read_kind());
    for (const auto& member : object_) {
      if (member.key() == "kind") continue;
      EL_CHECK(read_member(std::string_view{member.key().data(), member.key().size()}, member.value()));
    }
    if (length_) fault_.until = fault_.from + *length_;
    fault_.act.at = fault_.from;
    if (fault_.kind == FaultKind::Market && fault_.act.market.empty())
      return wrong("market", "a slug, condition id or Gamma id");
    if (fault_.act.act == Act::TickSize && fault_.kind == FaultKind::Market && !fault_.act.tick)
      return wrong("tick", "a number");
    if (fault_.kind == FaultKind::HistoryHole && fault_.hole_to <= fault_.hole_from)
      return wrong("hole_to", "a time after \"hole_from\"");
    return std::move(fault_);
  }

 private:
  static tl::unexpected<Error> wrong(std::string_view member, std::string_view wanted) {
    return fail(Code::BadData, fmt::format("fault: \"{}\" must be {}", member, wanted));
  }

  Result<void> read_kind() {
    const json::value* kind = object_.if_contains("kind");
    const std::string_view word = kind != nullptr && kind->is_string() ? text_of(*kind) : "";
    for (const auto& [name, known] : kKinds) {
      if (name != word) continue;
      fault_.kind = known;
      return {};
    }
    for (const auto& [name, known] : kActs) {
      if (name != word) continue;
      fault_.kind = FaultKind::Market;
      fault_.act.act = known;
      return {};
    }
    if (word == "mode") {
      fault_.kind = FaultKind::Mode;
      return {};
    }
    return fail(Code::BadData, fmt::format("fault: there is no kind \"{}\"", word));
  }

  Result<void> read_member(std::string_view name, const json::value& value) {
    if (name == "at") return begin(value);
    if (name == "only_open") return flag(name, value, fault_.only_open);
    if (name == "for") {
      length_.emplace();
      return duration(name, value, *length_);
    }
    if (name == "assets") return list(name, value, fault_.assets);
    if (name == "routes") return list(name, value, fault_.routes);
    if (name == "channel") return word(name, value, fault_.channel);
    if (name == "every") {
      std::int64_t every = 0;
      EL_CHECK(number(name, value, every));
      if (every < 1) return wrong(name, "1 or more");
      fault_.every = static_cast<std::uint64_t>(every);
      return {};
    }
    if (name == "status") return number(name, value, fault_.status);
    if (name == "retry_after") return number(name, value, fault_.retry_after_s.emplace());
    if (name == "delay") return duration(name, value, fault_.delay);
    if (name == "bytes") {
      std::int64_t bytes = 0;
      EL_CHECK(number(name, value, bytes));
      if (bytes < 1 || bytes > (256 << 20)) return wrong(name, "1 to 268435456");
      fault_.bytes = static_cast<std::size_t>(bytes);
      return {};
    }
    if (name == "instead") return flag(name, value, fault_.instead);
    if (name == "code") return number(name, value, fault_.code);
    if (name == "hole_from") return time(name, value, fault_.hole_from);
    if (name == "hole_to") return time(name, value, fault_.hole_to);
    if (name == "resolution") return duration(name, value, fault_.resolution);
    if (name == "market") return word(name, value, fault_.act.market);
    if (name == "payout") return price(name, value, fault_.act.payout.emplace());
    if (name == "tick") return price(name, value, fault_.act.tick.emplace());
    if (name == "mode") return word(name, value, fault_.mode);
    if (name == "note") return {};  // for people
    return fail(Code::BadData, fmt::format("fault: there is no member \"{}\"", name));
  }

  static std::string_view text_of(const json::value& value) {
    const json::string& text = value.get_string();
    return {text.data(), text.size()};
  }
  Result<void> begin(const json::value& value) {
    if (value.is_string() && text_of(value).substr(0, 1) == "+") {
      const auto later = Duration::parse(text_of(value).substr(1));
      if (!later) return wrong("at", fmt::format("a time, or as \"+2h\": {}", later.error().message));
      fault_.from = fault_.from + *later;
      return {};
    }
    return time("at", value, fault_.from);
  }
  static Result<void> flag(std::string_view name, const json::value& value, bool& into) {
    if (!value.is_bool()) return wrong(name, "true or false");
    into = value.get_bool();
    return {};
  }
  static Result<void> word(std::string_view name, const json::value& value, std::string& into) {
    if (!value.is_string()) return wrong(name, "a text");
    into = text_of(value);
    return {};
  }
  static Result<void> time(std::string_view name, const json::value& value, Timestamp& into) {
    if (!value.is_string()) return wrong(name, "an RFC 3339 time");
    const auto read = Timestamp::parse(text_of(value));
    if (!read) return wrong(name, fmt::format("an RFC 3339 time: {}", read.error().message));
    into = *read;
    return {};
  }
  static Result<void> duration(std::string_view name, const json::value& value, Duration& into) {
    if (!value.is_string()) return wrong(name, "a duration as \"90s\"");
    const auto read = Duration::parse(text_of(value));
    if (!read) return wrong(name, fmt::format("a duration as \"90s\": {}", read.error().message));
    into = *read;
    return {};
  }
  template <class T>
  static Result<void> number(std::string_view name, const json::value& value, T& into) {
    json::error_code error;
    const auto read = value.to_number<std::int64_t>(error);
    if (error || !std::in_range<T>(read)) return wrong(name, "a whole number");
    into = static_cast<T>(read);
    return {};
  }
  static Result<void> price(std::string_view name, const json::value& value, Price& into) {
    const auto read = value.is_string()   ? Price::parse(text_of(value))
                      : value.is_number() ? Price::from(value.to_number<double>())
                                          : Result<Price>{fail(Code::BadData, "neither")};
    if (!read) return wrong(name, "a number");
    into = *read;
    return {};
  }
  static Result<void> list(std::string_view name, const json::value& value, std::vector<std::string>& into) {
    if (!value.is_array()) return wrong(name, "a list of texts");
    for (const json::value& item : value.get_array()) {
      if (!item.is_string()) return wrong(name, "a list of texts");
      into.emplace_back(text_of(item));
    }
    return {};
  }

  const json::object& object_;
  Fault fault_;
  std::optional<Duration> length_;
};

bool is_on(const Fault& fault, FaultKind kind, Timestamp now) {
  return fault.kind == kind && fault.from <= now && (!fault.until || now < *fault.until);
}

// Of those that match, each n-th acts.
bool counts(Fault& fault) {
  if (++fault.seen % fault.every != 0) return false;
  ++fault.hits;
  return true;
}

}  // namespace

std::string_view name_of(FaultKind kind) {
  for (const auto& [name, known] : kKinds)
    if (known == kind) return name;
  return kind == FaultKind::Mode ? "mode" : "market";
}

std::string Fault::text() const {
  JsonOut out;
  out.put("id", id).put("kind", kind == FaultKind::Market ? act_name(act.act) : name_of(kind)).put("at", from.iso());
  if (until) out.put("until", until->iso());
  if (!assets.empty()) out.put("assets", assets);
  if (!routes.empty()) out.put("routes", routes);
  if (!channel.empty()) out.put("channel", channel);
  if (every != 1) out.put("every", every);
  if (only_open) out.put("only_open", true);
  if (kind == FaultKind::Status) out.put("status", status);
  if (kind == FaultKind::Disconnect) out.put("code", code);
  if (kind == FaultKind::Slow) out.put("delay", delay.text());
  if (kind == FaultKind::Market) out.put("market", act.market);
  if (kind == FaultKind::Mode) out.put("mode", mode);
  return out.put("hits", hits).text();
}

Result<Fault> read_fault(std::string_view text, Timestamp now) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return fail(Code::BadData, "fault: not a JSON object");
  return FaultReader{value.get_object(), now}.read();
}

std::uint64_t FaultBoard::add(Fault fault) {
  fault.id = ++last_;
  faults_.push_back(std::move(fault));
  return last_;
}

bool FaultBoard::clear(std::uint64_t id) {
  return std::erase_if(faults_, [id](const Fault& fault) { return fault.id == id; }) > 0;
}

void FaultBoard::clear() { faults_.clear(); }

std::vector<Fault> FaultBoard::due(Timestamp now) {
  std::vector<Fault> due;
  for (Fault& fault : faults_) {
    if (!fault.once() || fault.hits > 0 || fault.from > now) continue;
    fault.hits = 1;
    due.push_back(fault);
  }
  std::stable_sort(due.begin(), due.end(), [](const Fault& a, const Fault& b) { return a.from < b.from; });
  return due;
}

std::optional<Timestamp> FaultBoard::next_due() const {
  std::optional<Timestamp> next;
  for (const Fault& fault : faults_)
    if (fault.once() && fault.hits == 0 && (!next || fault.from < *next)) next = fault.from;
  return next;
}

const Fault* FaultBoard::acts(FaultKind kind, Timestamp now, const Target& target) {
  for (Fault& fault : faults_) {
    if (!is_on(fault, kind, now)) continue;
    if (!fault.channel.empty() && fault.channel != target.channel) continue;
    if (fault.only_open && target.opened >= fault.from) continue;
    const auto named = [&](const std::string& asset) {
      return std::find(fault.assets.begin(), fault.assets.end(), asset) != fault.assets.end();
    };
    if (!fault.assets.empty() && std::none_of(target.assets.begin(), target.assets.end(), named)) continue;
    if (counts(fault)) return &fault;
  }
  return nullptr;
}

const Fault* FaultBoard::acts_on_route(FaultKind kind, Timestamp now, std::string_view route) {
  for (Fault& fault : faults_) {
    if (!is_on(fault, kind, now)) continue;
    const auto begins = [route](const std::string& prefix) { return route.substr(0, prefix.size()) == prefix; };
    if (!fault.routes.empty() && std::none_of(fault.routes.begin(), fault.routes.end(), begins)) continue;
    if (counts(fault)) return &fault;
  }
  return nullptr;
}

std::vector<const Fault*> FaultBoard::active(FaultKind kind, Timestamp now) const {
  std::vector<const Fault*> active;
  for (const Fault& fault : faults_)
    if (is_on(fault, kind, now)) active.push_back(&fault);
  return active;
}

}  // namespace everlearn::venue
