#include "io/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <csignal>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <memory>

namespace everlearn {
namespace {

struct FreeHandle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

constexpr long kSlowBytesPerSecond = 10;

// OpenSSL writes to sockets without MSG_NOSIGNAL: a peer that is gone would end the program.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending{};
    ::sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;
  ~WithoutPipeSignal() {
    const timespec now{};
    if (!was_pending_) (void)::sigtimedwait(&pipe_, nullptr, &now);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

struct Transfer {
  HttpAnswer answer;
  std::uint64_t most_bytes;
  bool too_big = false;
  const std::stop_token& stop;
};

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  if (transfer.answer.body.size() + count > transfer.most_bytes) {
    transfer.too_big = true;
    return 0;
  }
  transfer.answer.body.append(bytes, count);
  return count;
}

std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* to) {
  constexpr std::string_view kName = "retry-after:";
  const std::string_view line{bytes, count};
  const bool is_it =
      line.size() > kName.size() && std::equal(kName.begin(), kName.end(), line.begin(), [](char wanted, char c) {
        return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
      });
  if (is_it) {
    std::string value{line.substr(kName.size())};
    value.erase(0, value.find_first_not_of(" \t"));
    value.erase(value.find_last_not_of(" \t\r\n") + 1);
    static_cast<Transfer*>(to)->answer.retry_after = std::move(value);
  }
  return count;
}

int go_on(void* transfer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(transfer)->stop.stop_requested() ? 1 : 0;
}

long milliseconds(Duration time) { return static_cast<long>(std::max<std::int64_t>(1, time.us() / 1000)); }

// What a request came to that has no answer. curl's own words name hosts and files, never the path; they are cleaned
// all the same.
std::string problem_of(CURLcode code, const Transfer& transfer, const HttpRequest& request, const char* words) {
  if (transfer.too_big) return fmt::format("{}: an answer of more than {} bytes", request.origin, request.most_bytes);
  if (code == CURLE_ABORTED_BY_CALLBACK) return request.origin + ": given up because the program ends";
  std::string text = *words != '\0' ? words : curl_easy_strerror(code);
  return fmt::format("{}: {}", request.origin, without(std::move(text), request.path));
}

}  // namespace

struct HttpSession::Handle {
  std::unique_ptr<CURL, FreeHandle> curl;
};

HttpSession::HttpSession() : handle_{std::make_unique<Handle>()} {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready == CURLE_OK) handle_->curl.reset(curl_easy_init());
}

HttpSession::HttpSession(HttpSession&& other) noexcept = default;

HttpSession::~HttpSession() {
  const WithoutPipeSignal quiet;  // the last words on an encrypted connection
  handle_.reset();
}

HttpAnswer http(const HttpRequest& request, std::stop_token stop) { return HttpSession{}.ask(request, stop); }

HttpAnswer HttpSession::ask(const HttpRequest& request, const std::stop_token& stop) {
  Transfer transfer{.answer = {}, .most_bytes = request.most_bytes, .stop = stop};
  HttpAnswer& answer = transfer.answer;
  if (!handle_->curl) {
    answer.problem = request.origin + ": libcurl does not start";
    return answer;
  }
  const WithoutPipeSignal quiet;
  CURL* curl = handle_->curl.get();
  curl_easy_reset(curl);  // of the request before; its connection stays
  std::array<char, CURL_ERROR_SIZE> words{};
  CURLcode code = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (code == CURLE_OK) code = curl_easy_setopt(curl, option, value);
  };
  const std::string url = request.origin + request.path.reveal();
  set(CURLOPT_ERRORBUFFER, words.data());
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!request.authorities.empty()) set(CURLOPT_CAINFO, request.authorities.c_str());
  set(CURLOPT_USERAGENT, "everlearn");
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_limit));
  set(CURLOPT_TIMEOUT_MS, milliseconds(request.limit));
  set(CURLOPT_LOW_SPEED_LIMIT, kSlowBytesPerSecond);
  set(CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(request.slow_limit.as_seconds())));
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  if (request.connect_only) set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &go_on);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  std::unique_ptr<curl_slist, FreeList> headers;
  if (!request.body.empty()) {
    headers.reset(curl_slist_append(nullptr, ("Content-Type: " + request.content_type).c_str()));
    for (const std::string& header : request.headers) curl_slist_append(headers.get(), header.c_str());
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (code == CURLE_OK) code = curl_easy_perform(curl);
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
  }
  long sent_bytes = 0;
  curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent_bytes);
  answer.perhaps_taken = sent_bytes > 0;
  answer.body.clear();
  answer.problem = problem_of(code, transfer, request, words.data());
  return answer;
}

}  // namespace everlearn
