#include "io/venue_diagnosis.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "core/json.hpp"
#include "core/quoted.hpp"
#include "core/system_clock.hpp"
#include "core/system_fd.hpp"
#include "io/gamma_markets.hpp"
#include "io/http_client.hpp"
#include "io/request_plan.hpp"
#include "io/venue_answers.hpp"
#include "io/venue_rest.hpp"
#include "io/web_socket.hpp"

namespace everlearn {
namespace {

using Step = DiagnosisStep::Result;

constexpr Duration kConnect = Duration::seconds(10), kAnswer = Duration::seconds(20);
constexpr Duration kMostSkew = Duration::seconds(2), kFarSkew = Duration::minutes(1);
constexpr Duration kPing = Duration::seconds(1), kPong = Duration::seconds(10);
constexpr std::int64_t kHistoryHours = 8;
// Markets of the list that are read and, where all are followed, priced: how many there are is known only once it was.
constexpr std::int64_t kListed = 2'000, kListedOfAll = 10'000;

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::string numeric(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  const int failed =
      getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? text.data() : "?";
}

// Empty: connected.
std::string connect_problem(const addrinfo& address) {
  const Fd socket{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.valid()) return std::strerror(errno);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return std::strerror(errno);
  pollfd watched{socket.get(), POLLOUT, 0};
  if (::poll(&watched, 1, static_cast<int>(kConnect.us() / 1'000)) == 0)
    return fmt::format("no answer within {}: a firewall?", kConnect.text());
  int problem = 0;
  socklen_t size = sizeof problem;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
  return problem == 0 ? std::string{} : std::strerror(problem);
}

// What a first connection to the market socket heard.
class Heard {
 public:
  void book(std::string_view text) {
    std::vector<HeardAsset> assets;
    const std::lock_guard lock{mutex_};
    if (answers_.frame(text, assets) && !assets.empty()) book_ = true;
    changed_.notify_all();
  }
  void set(bool Heard::*what) {
    const std::lock_guard lock{mutex_};
    this->*what = true;
    changed_.notify_all();
  }
  void closed(const std::string& why) {
    const std::lock_guard lock{mutex_};
    closed_ = why;
    changed_.notify_all();
  }
  /// Until `what` or the end of the connection. True: it came.
  bool wait(bool Heard::*what, Duration at_most) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::microseconds{at_most.us()}, [&] { return this->*what || !closed_.empty(); });
    return this->*what;
  }
  std::string why_closed() {
    const std::lock_guard lock{mutex_};
    return closed_;
  }

  bool opened_ = false, book_ = false, pong_ = false;

 private:
  std::mutex mutex_;  // of all
  std::condition_variable changed_;
  VenueAnswers answers_;
  std::string closed_;
};

class Diagnosis {
 public:
  Diagnosis(const VenueOptions& options, Timestamp now, std::string authorities)
      : options_{options}, now_{now}, authorities_{std::move(authorities)} {}

  std::vector<DiagnosisStep> run() {
    const bool gamma = reach(options_.gamma, "https", "http");
    const bool clob = reach(options_.clob, "https", "http");
    (void)reach(options_.data, "https", "http");
    const bool socket = reach(options_.socket, "wss", "ws");
    if (gamma) market_list();
    if (clob) time();
    if (token_.empty() && clob && gamma) add(Step::Warn, "book", "not asked: the market list named no token");
    if (!token_.empty() && clob) book();
    if (socket) market_socket();
    if (!token_.empty() && clob) {
      history();
      book_history();
    }
    return std::move(steps_);
  }

 private:
  void add(Step result, std::string what, std::string text) {
    steps_.push_back({result, std::move(what), std::move(text)});
  }
  bool failed(std::string what, std::string text) {
    add(Step::Fail, std::move(what), std::move(text));
    return false;
  }

  // Name and port; services of one host are looked at once.
  bool reach(const std::string& origin, std::string_view encrypted, std::string_view plain) {
    const auto address = web_address(origin, encrypted, plain);
    if (!address) return failed("host", address.error().message);
    if (const auto known = reached_.find(address->authority()); known != reached_.end()) return known->second;
    bool& good = reached_[address->authority()];
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    const int problem = getaddrinfo(address->host.c_str(), address->port.c_str(), &hints, &raw);
    const Addresses list{raw};
    if (problem != 0)
      return failed("host",
                    fmt::format("{}: {}{}", quoted(address->host), gai_strerror(problem),
                                problem == EAI_AGAIN ? ": is this machine online, and does it resolve names?"
                                                     : ": is this machine online, and is the name right in [venue]?"));
    std::vector<std::string> names, problems;
    for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) names.push_back(numeric(*one));
    add(Step::Ok, "host", fmt::format("{} is {}", address->host, fmt::join(names, ", ")));
    for (const addrinfo* one = list.get(); one != nullptr && !good; one = one->ai_next) {
      const Stopwatch watch;
      if (const std::string why = connect_problem(*one); !why.empty())
        problems.push_back(fmt::format("{}: {}", numeric(*one), why));
      else
        add(Step::Ok, "network",
            fmt::format("{} port {} answers after {:.0f} ms", numeric(*one), address->port, watch.seconds() * 1e3));
      good = problems.size() < names.size() && steps_.back().what == "network";
    }
    if (!good)
      return failed("network", fmt::format("{} port {}: {}", address->host, address->port, fmt::join(problems, "; ")));
    if (address->encrypted) good = encrypts(*address);
    return good;
  }

  bool encrypts(const WebAddress& address) {
    HttpRequest request{.origin = "https://" + address.authority(), .connect_limit = kConnect, .limit = kAnswer};
    request.authorities = authorities_;
    request.connect_only = true;
    const HttpAnswer answer = HttpSession{}.ask(request);
    if (!answer.problem.empty())
      return failed("TLS", answer.problem +
                               ": does something between here and the venue read along, or is this "
                               "machine's clock or list of authorities wrong?");
    add(Step::Ok, "TLS", fmt::format("{} is encrypted, and its name is verified", address.host));
    return true;
  }

  HttpAnswer ask(const std::string& origin, const std::string& path) {
    HttpRequest request{.origin = origin, .path = Secret{path}, .limit = kAnswer};
    request.most_bytes = 64u << 20;
    request.authorities = authorities_;
    return session_.ask(request);
  }

  // Empty: 200. Else in words that say what to do.
  static std::string refusal(const HttpAnswer& answer) {
    switch (answer.status) {
      case 200:
        return {};
      case 0:
        return answer.problem;
      case 403:
      case 451:
        return fmt::format(
            "HTTP {}: the venue does not serve this region or address. Nothing here can change that: run from a place "
            "that it serves, where that is allowed",
            answer.status);
      case 429:
        return fmt::format("HTTP 429: too many requests from this address{}; does something else ask from here?",
                           answer.retry_after.empty() ? "" : ", try again after " + quoted(answer.retry_after) + " s");
      default:
        return fmt::format("HTTP {}: {}{}", answer.status, words_of_refusal(answer.body),
                           answer.status >= 500 ? ": the venue's own trouble; try again later" : "");
    }
  }

  void market_list() {
    const std::string path = "/markets/keyset?limit=20&closed=false&order=volume24hr&ascending=false";
    const HttpAnswer answer = ask(options_.gamma, path);
    if (const std::string why = refusal(answer); !why.empty()) return (void)failed("market list", why);
    GammaReader reader;
    const auto page = reader.read(answer.body);
    if (!page) return (void)failed("market list", "an answer that is no market list: " + page.error().text());
    for (const GammaMarket& market : page->markets)
      if (token_.empty() && market.trades() && !market.tokens.empty()) {
        token_ = market.tokens.front();
        title_ = market.question;
      }
    if (token_.empty())
      return add(Step::Warn, "market list", fmt::format("{} markets, none of which trades", page->markets.size()));
    add(Step::Ok, "market list",
        fmt::format("{} answers; the most traded market is {}", options_.gamma, quoted(title_)));
  }

  void time() {
    const Stopwatch watch;
    const HttpAnswer answer = ask(options_.clob, "/time");
    const double took = watch.seconds();
    if (const std::string why = refusal(answer); !why.empty()) return (void)failed("time", why);
    const auto seconds = answers_.time(answer.body);
    if (!seconds) return (void)failed("time", seconds.error().message);
    // Whole seconds, told somewhere within the request.
    const double skew =
        static_cast<double>(*seconds) + 0.5 - static_cast<double>(now_.us()) / 1e6 - elapsed_.seconds() + took / 2;
    const double error = 0.5 + took / 2;
    const std::string text = fmt::format("the venue's clock is {:.1f} s {} ours (within {:.1f} s)", std::abs(skew),
                                         skew >= 0 ? "ahead of" : "behind", error);
    const double sure = std::abs(skew) - error;
    if (sure > kFarSkew.as_seconds())
      return (void)failed("time", text + ": set this machine's clock (is NTP running?)");
    add(sure > kMostSkew.as_seconds() ? Step::Warn : Step::Ok, "time", text);
  }

  void book() {
    const HttpAnswer answer = ask(options_.clob, "/book?token_id=" + token_);
    if (const std::string why = refusal(answer); !why.empty()) return (void)failed("book", why);
    const auto books = answers_.books("[" + answer.body + "]");
    if (!books || books->empty()) return (void)failed("book", "an answer that is no book: " + quoted(answer.body));
    add(Step::Ok, "book", fmt::format("{} has a book ({} bytes)", quoted(title_), answer.body.size()));
  }

  void market_socket() {
    const auto address = web_address(options_.socket + "/ws/market", "wss", "ws");
    if (!address) return (void)failed("market socket", address.error().message);
    Heard heard;
    NetworkThread network;  // ends before `heard`
    std::uint64_t number = 0;
    SocketRules rules;
    rules.authorities = authorities_;
    rules.ping_every = kPing;
    network.post([&] {
      number = network.open(*address, rules,
                            {.opened = [&] { heard.set(&Heard::opened_); },
                             .text = [&](std::string_view text) { heard.book(text); },
                             .closed = [&](const std::string& why) { heard.closed(why); },
                             .pong = [&] { heard.set(&Heard::pong_); }});
    });
    if (!heard.wait(&Heard::opened_, rules.open_limit + Duration::seconds(1)))
      return (void)failed("market socket", fmt::format("{}: {}", options_.socket, heard.why_closed()));
    if (token_.empty()) return add(Step::Warn, "market socket", "opens; no token to subscribe to");
    network.post([&] {
      network.send(number, JsonOut{}
                               .put("assets_ids", std::vector<std::string>{token_})
                               .put("type", "market")
                               .put("custom_feature_enabled", true)
                               .text());
    });
    if (!heard.wait(&Heard::book_, options_.first_event)) {
      const std::string why = heard.why_closed();
      return (void)failed(
          "market socket",
          why.empty() ? fmt::format("opens, but the first book does not come within {}", options_.first_event.text())
                      : why);
    }
    if (!heard.wait(&Heard::pong_, kPong))
      return (void)failed("market socket", fmt::format("tells the first book, but does not answer PING within {}: {}",
                                                       kPong.text(), heard.why_closed()));
    add(Step::Ok, "market socket", "opens, tells the first book, answers PING");
  }

  // In no document of the venue's: it may go. Nothing here needs it.
  void book_history() {
    const std::int64_t to = now_.us() / 1'000, from = to - kHistoryHours * 3'600'000;
    const HttpAnswer answer =
        ask(options_.clob, fmt::format("/orderbook-history?asset_id={}&startTs={}&endTs={}&limit=1", token_, from, to));
    std::int64_t count = -1;
    if (auto body = JsonIn::parse(answer.body); answer.status == 200 && body && body->has("count"))
      body->get("count", count);
    add(Step::Ok, "book history",
        count >= 0 ? fmt::format("still answers: {} books in the last {} h; not used, holes are filled with prices",
                                 count, kHistoryHours)
                   : fmt::format("does not answer ({}); not used, holes are filled with prices",
                                 answer.status == 0 ? answer.problem : fmt::format("HTTP {}", answer.status)));
  }

  void history() {
    const std::int64_t to = now_.us() / 1'000'000, from = to - kHistoryHours * 3'600;
    const HttpAnswer answer =
        ask(options_.clob, fmt::format("/prices-history?market={}&startTs={}&endTs={}&fidelity=15", token_, from, to));
    if (const std::string why = refusal(answer); !why.empty()) return (void)failed("history", why);
    const auto points = answers_.history(answer.body);
    if (!points) return (void)failed("history", points.error().message);
    const auto count = std::count(points->begin(), points->end(), '{');
    add(count > 0 ? Step::Ok : Step::Warn, "history",
        fmt::format("{} prices of the last {} h at 15 minutes{}", count, kHistoryHours,
                    count > 0 ? "" : ": a young market? Holes would stay holes"));
  }

  const VenueOptions& options_;
  const Timestamp now_;
  const Stopwatch elapsed_;
  const std::string authorities_;
  HttpSession session_;
  VenueAnswers answers_;
  std::map<std::string, bool> reached_;  // by host and port
  std::string token_, title_;            // of a market that trades
  std::vector<DiagnosisStep> steps_;
};

}  // namespace

std::vector<DiagnosisStep> diagnose_venue(const VenueOptions& options, Timestamp now, const std::string& authorities) {
  return Diagnosis{options, now, authorities}.run();
}

std::vector<DiagnosisStep> diagnose_venue_limits(const VenueOptions& options) {
  VenueScale scale;
  scale.first_tier = options.rules.markets;
  scale.listed = options.rules.rest ? kListedOfAll : kListed;
  scale.second_tier = options.rules.rest ? scale.listed - scale.first_tier : 0;
  std::vector<DiagnosisStep> steps;
  steps.push_back(
      {Step::Ok, "requests",
       fmt::format("for {} markets with books, {} with prices, {} on the list (the last two as they may be)",
                   scale.first_tier, scale.second_tier, scale.listed)});
  for (const RequestRate& one : request_plan(options, scale))
    steps.push_back({one.fits() ? Step::Ok : Step::Warn, "requests",
                     fmt::format("{}: {:.1f} in 10 s usually, {} at most at once; our limit {}, the venue's {}",
                                 one.group, one.usual, one.most, one.limit, one.documented)});
  return steps;
}

}  // namespace everlearn
