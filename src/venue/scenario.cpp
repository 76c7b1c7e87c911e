#include "venue/scenario.hpp"

#include <utility>

#include <fmt/format.h>
#include <boost/json.hpp>

namespace everlearn::venue {
namespace {

namespace json = boost::json;

std::string_view text_of(const json::value& value) {
  const json::string& text = value.get_string();
  return {text.data(), text.size()};
}

tl::unexpected<Error> wrong(std::string_view member, std::string_view wanted) {
  return fail(Code::BadData, fmt::format("scenario: \"{}\" must be {}", member, wanted));
}

template <class T>
Result<void> number(std::string_view name, const json::value& value, T& into) {
  json::error_code error;
  const auto read = value.to_number<std::int64_t>(error);
  if (error || read < 0 || !std::in_range<T>(read)) return wrong(name, "a whole number from 0 on");
  into = static_cast<T>(read);
  return {};
}

Result<void> texts(std::string_view name, const json::value& value, std::vector<std::string>& into) {
  if (!value.is_array()) return wrong(name, "a list of texts");
  into.clear();
  for (const json::value& item : value.get_array()) {
    if (!item.is_string()) return wrong(name, "a list of texts");
    into.emplace_back(text_of(item));
  }
  return {};
}

Result<void> duration(std::string_view name, const json::value& value, Duration& into) {
  const auto read = value.is_string() ? Duration::parse(text_of(value)) : fail(Code::BadData, "not a text");
  if (!read) return wrong(name, "a duration as \"90s\"");
  into = *read;
  return {};
}

Result<void> flag(std::string_view name, const json::value& value, bool& into) {
  if (!value.is_bool()) return wrong(name, "true or false");
  into = value.get_bool();
  return {};
}

// "off", or an object of groups that replace the documented figures.
Result<void> limits(const json::value& value, LimitTable& into) {
  if (value.is_string() && text_of(value) == "off") {
    into.clear();
    return {};
  }
  if (!value.is_object()) return wrong("limits", "\"off\", or an object of requests per 10 s by group");
  for (const auto& group : value.get_object()) {
    const std::string name{group.key().data(), group.key().size()};
    if (!documented_limits().contains(name))
      return fail(Code::BadData, fmt::format("scenario: limits: there is no group \"{}\"", name));
    EL_CHECK(number(name, group.value(), into[name]));
  }
  return {};
}

Result<void> read_member(std::string_view name, const json::value& value, Scenario& scenario) {
  VenueSetup& setup = scenario.setup;
  if (name == "recordings") return texts(name, value, setup.recordings);
  if (name == "markets") return number(name, value, setup.markets);
  if (name == "only") return texts(name, value, setup.only);
  if (name == "seed") return number(name, value, setup.seed);
  if (name == "begin") {
    const auto read = value.is_string() ? Timestamp::parse(text_of(value)) : fail(Code::BadData, "not a text");
    if (!read) return wrong(name, "an RFC 3339 time");
    setup.begin = *read;
    return {};
  }
  if (name == "made_every") return duration(name, value, setup.made_every);
  if (name == "made_trades") return flag(name, value, setup.made_trades);
  if (name == "proposal_after") return duration(name, value, setup.proposal_after);
  if (name == "resolve_after") return duration(name, value, setup.resolve_after);
  if (name == "collateral") {
    const auto read = value.is_string() ? Price::parse(text_of(value)) : fail(Code::BadData, "not a text");
    if (!read) return wrong(name, "dollars as \"1000\"");
    setup.collateral = *read;
    return {};
  }
  if (name == "login_skew") return duration(name, value, setup.login_skew.emplace());
  if (name == "limits") return limits(value, scenario.limits);
  if (name == "signer_limits") return flag(name, value, scenario.signer_limits);
  if (name == "array_every") return number(name, value, scenario.array_every);
  if (name == "assets_per_socket") return number(name, value, scenario.assets_per_socket);
  if (name == "clob_page") {
    EL_CHECK(number(name, value, scenario.clob_page));
    if (scenario.clob_page == 0) return wrong(name, "1 or more");
    return {};
  }
  if (name == "socket_backlog") return number(name, value, scenario.socket_backlog);
  if (name == "faults") {
    if (!value.is_array()) return wrong(name, "a list of objects");
    scenario.faults.clear();
    for (const json::value& fault : value.get_array()) scenario.faults.push_back(json::serialize(fault));
    return {};
  }
  if (name == "note") return {};  // for people
  return fail(Code::BadData, fmt::format("scenario: there is no member \"{}\"", name));
}

}  // namespace

Result<Scenario> read_scenario(std::string_view text, Scenario defaults) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object())
    return fail(Code::BadData,
                fmt::format("scenario: not a JSON object: {}", error ? error.message() : "another kind of value"));
  for (const auto& member : value.get_object())
    EL_CHECK(read_member({member.key().data(), member.key().size()}, member.value(), defaults));
  return defaults;
}

}  // namespace everlearn::venue
