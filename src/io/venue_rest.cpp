#include "io/venue_rest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <utility>

#include "core/json.hpp"
#include "core/quoted.hpp"
#include "io/venue_answers.hpp"

namespace everlearn {
namespace {

constexpr std::uint64_t kMostBytes = 8u << 20;           // as a line of a recording it stays under what is read again
constexpr Duration kLongestWindow = Duration::days(14);  // the venue refuses about 15
constexpr int kPastTries = 5;

std::string problem_of(const std::string& origin, const HttpAnswer& answer) {
  if (answer.status == 0) return answer.problem;
  const char* meaning = answer.status == 451 || answer.status == 403 ? " (this region or address is refused)"
                        : answer.status == 429                       ? " (too many requests)"
                                                                     : "";
  return fmt::format("{}: HTTP {}{}: {}", origin, answer.status, meaning, words_of_refusal(answer.body));
}

std::optional<Duration> wait_told(const HttpAnswer& answer) {
  if (const auto header = retry_after(answer.retry_after, SystemClock{}.now())) return header;
  if (answer.status != 429) return std::nullopt;
  auto body = JsonIn::parse(answer.body);
  if (!body || !body->has("retry_after_seconds")) return std::nullopt;
  double seconds = 0;
  body->get("retry_after_seconds", seconds);
  if (!body->finish("refusal") || !(seconds >= 0 && seconds < 86'400)) return std::nullopt;
  return Duration{static_cast<std::int64_t>(seconds * 1e6)};
}

std::string joined(const std::string& points, const std::string& more) {
  if (points.size() <= 2) return more;
  if (more.size() <= 2) return points;
  return points.substr(0, points.size() - 1) + "," + more.substr(1);
}

std::vector<PastAnswer> past_of_window(VenueRest& rest, HttpSession& session, const PastRequest& request,
                                       const std::stop_token& stop) {
  VenueAnswers answers;
  std::map<std::string, std::string> found;
  if (request.tokens.size() > 1) {
    const std::string body = JsonOut{}
                                 .put("markets", request.tokens)
                                 .put("start_ts", request.from_s)
                                 .put("end_ts", request.to_s)
                                 .put("fidelity", request.fidelity_minutes)
                                 .text();
    const RestAnswer answer = rest.ask(session, {RestGroup::History, "/batch-prices-history", body}, kPastTries, stop);
    if (answer.good()) {
      if (auto histories = answers.histories(answer.body)) found = std::move(*histories);
    } else if (may_pass(answer.status)) {
      // One by one would meet the same.
      return std::vector<PastAnswer>(request.tokens.size(), {"[]", answer.problem});
    }
  }
  std::vector<PastAnswer> past;
  for (const std::string& token : request.tokens) {
    if (const auto known = found.find(token); known != found.end()) {
      past.push_back({known->second, {}});
      continue;
    }
    const std::string path = fmt::format("/prices-history?market={}&startTs={}&endTs={}&fidelity={}", token,
                                         request.from_s, request.to_s, request.fidelity_minutes);
    const RestAnswer answer = rest.ask(session, {RestGroup::History, path, {}}, kPastTries, stop);
    if (!answer.good()) {
      past.push_back({"[]", answer.problem});
      continue;
    }
    auto points = answers.history(answer.body);
    past.push_back(points ? PastAnswer{std::move(*points), {}} : PastAnswer{"[]", points.error().message});
  }
  return past;
}

}  // namespace

VenueRest::VenueRest(const VenueOptions& options, std::string authorities, std::uint64_t seed)
    : authorities_{std::move(authorities)},
      rng_{Rng::named(seed, "rest")},
      gamma_{options.limits.gamma},
      clob_{options.limits.clob},
      data_{options.limits.data} {
  groups_.push_back({"markets", options.gamma, gamma_, RequestGate{options.limits.gamma_markets}});
  groups_.push_back({"book", options.clob, clob_, RequestGate{options.limits.book}});
  groups_.push_back({"books", options.clob, clob_, RequestGate{options.limits.books}});
  groups_.push_back({"history", options.clob, clob_, RequestGate{options.limits.history}});
  groups_.push_back({"trades", options.data, data_, RequestGate{options.limits.trades}});
}

Duration VenueRest::now() const { return Duration{static_cast<std::int64_t>(since_start_.seconds() * 1e6)}; }

RestAnswer VenueRest::ask(HttpSession& session, const RestRequest& request, int tries, const std::stop_token& stop) {
  Group& group = of(request.group);
  RestAnswer result;
  for (int tried = 1;; ++tried) {
    if (!wait_for_turn(group, stop)) {
      result.problem = group.origin + ": given up because the program ends";
      return result;
    }
    HttpRequest http{.origin = group.origin, .path = Secret{request.path}, .body = request.body};
    http.most_bytes = kMostBytes;
    http.authorities = authorities_;
    HttpAnswer answer = session.ask(http, stop);
    result.status = answer.status;
    result.problem = answer.status == 200 ? "" : problem_of(group.origin, answer);
    {
      const std::lock_guard lock{mutex_};
      group.gate.answered(answer.status, wait_told(answer), now(), rng_);
      ++counts_.requests[group.name];
      if (!result.good()) ++counts_.failed[group.name];
      counts_.last_problem = result.problem;
    }
    result.body = std::move(answer.body);
    if (result.good() || !may_pass(result.status) || tried >= tries || stop.stop_requested()) return result;
  }
}

bool VenueRest::wait_for_turn(Group& group, const std::stop_token& stop) {
  for (;;) {
    Duration wait;
    {
      const std::lock_guard lock{mutex_};
      const Duration time = now();
      wait = group.service.wait(time);
      if (wait.us() == 0) wait = group.gate.wait(time);
    }
    if (wait.us() == 0) return !stop.stop_requested();
    if (!sleep_unless(stop, wait)) return false;
  }
}

RestCounts VenueRest::counts() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

bool sleep_unless(const std::stop_token& stop, Duration time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop, std::chrono::microseconds{time.us()}, [] { return false; });
  return !stop.stop_requested();
}

std::string words_of_refusal(std::string_view body) {
  if (auto json = JsonIn::parse(body))
    for (const char* key : {"error", "message"})
      if (json->has(key)) {
        std::string words;
        json->get(key, words);
        if (!words.empty()) return quoted(words, 120);
      }
  return body.empty() ? "no words" : quoted(body, 120);
}

std::vector<PastAnswer> ask_past(VenueRest& rest, HttpSession& session, const PastRequest& request,
                                 const std::stop_token& stop) {
  std::vector<PastAnswer> past(request.tokens.size(), {"[]", {}});
  const std::int64_t longest = kLongestWindow.us() / 1'000'000;
  for (std::int64_t from = request.from_s; from < request.to_s; from += longest) {
    PastRequest piece = request;
    piece.from_s = from;
    piece.to_s = std::min(from + longest, request.to_s);
    const auto part = past_of_window(rest, session, piece, stop);
    for (std::size_t i = 0; i < past.size(); ++i) {
      past[i].points = joined(past[i].points, part[i].points);
      if (past[i].problem.empty()) past[i].problem = part[i].problem;
    }
  }
  return past;
}

}  // namespace everlearn
