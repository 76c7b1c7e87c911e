#include "io/webhook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/hash.hpp"
#include "io/http_client.hpp"

namespace everlearn {
namespace {

constexpr Duration kMostWait = Duration::seconds(10);  // for an answer
constexpr int kMostAgainSeconds = 3'600;
constexpr std::uint64_t kMostAnswer = 64 << 10;

std::int64_t seconds_of(Timestamp at) { return at.us() / 1'000'000; }

std::optional<Duration> wish(const std::string& retry_after) {
  int seconds = 0;
  const char* end = retry_after.data() + retry_after.size();
  const auto [read, error] = std::from_chars(retry_after.data(), end, seconds);
  if (error != std::errc{} || read != end || seconds < 0) return std::nullopt;
  return Duration::seconds(std::min(seconds, kMostAgainSeconds));
}

Fate fate_of(int status) {
  if ((status >= 200 && status < 300) || status == 409) return Fate::Sent;
  for (const int never : {400, 405, 413, 415, 422})
    if (status == never) return Fate::Refused;
  return Fate::Later;
}

}  // namespace

std::string webhook_signature(const Secret& secret, Timestamp at, std::string_view body) {
  return "v1=" + hex(hmac_sha256(secret.reveal(), fmt::format("{}.{}", seconds_of(at), body)));
}

Webhook::Webhook(const std::string& url, Secret secret, const Clock& clock)
    : secret_{std::move(secret)}, clock_{clock} {
  const std::size_t host = url.find("://");
  const std::size_t path = url.find('/', host == std::string::npos ? 0 : host + 3);
  origin_ = url.substr(0, path);
  path_ = Secret{path == std::string::npos ? "/" : url.substr(path)};
}

ChannelAnswer Webhook::send(const Message& message, std::stop_token stop) {
  const Timestamp now = clock_.now();
  ChannelAnswer answer{.number = message.number};
  const Duration left = message.expires ? *message.expires - now : kMostWait;
  if (left.us() <= 0) {
    answer.fate = Fate::Refused;
    answer.detail = "expired before it could be sent";
    return answer;
  }
  HttpRequest request{.origin = origin_, .path = path_, .body = message.text};
  request.headers = {"Idempotency-Key: " + message.key, fmt::format("X-Everlearn-Timestamp: {}", seconds_of(now)),
                     "X-Everlearn-Signature: " + webhook_signature(secret_, now, message.text)};
  if (message.expires) request.headers.push_back("X-Everlearn-Expires: " + message.expires->iso());
  request.limit = std::min(kMostWait, left);
  request.connect_limit = request.limit;
  request.most_bytes = kMostAnswer;
  const HttpAnswer said = http(request, std::move(stop));
  if (said.status == 0) {
    answer.detail = said.problem;
    answer.perhaps_sent = said.perhaps_taken;
    return answer;
  }
  answer.fate = fate_of(said.status);
  answer.again_after = wish(said.retry_after);
  if (answer.fate != Fate::Sent) answer.detail = fmt::format("{}: status {}", origin_, said.status);
  return answer;
}

}  // namespace everlearn
