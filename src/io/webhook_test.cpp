#include "io/webhook.hpp"

#include <doctest/doctest.h>

#include "core/clock.hpp"
#include "io/test_http_peer.hpp"

using namespace everlearn;

TEST_CASE("webhook: the signature is what docs/formats/intent-v1.md says, computed elsewhere") {
  // python3: hmac.new(b"a secret", b'1764001212.{"id":"x"}', "sha256").hexdigest()
  CHECK(webhook_signature(Secret{"a secret"}, Timestamp{1'764'001'212'999'999}, R"({"id":"x"})") ==
        "v1=7aa6aee9f68fdebd6df6206018fc85036a530314443eb9e159c6147ba74c8acb");
}

TEST_CASE("webhook: nothing leaves after its expiry") {
  ManualClock clock;
  clock.set(Timestamp{1'764'001'212'000'000});
  Webhook webhook{"http://127.0.0.1:9/hook", Secret{"a secret"}, clock};
  const ChannelAnswer answer =
      webhook.send({.number = 7, .text = "{}", .expires = clock.now(), .key = "a-7"}, std::stop_token{});
  CHECK(answer.number == 7);
  CHECK(answer.fate == Fate::Refused);
  CHECK(answer.detail == "expired before it could be sent");
}

TEST_CASE("webhook: what is posted, and what an answer means") {
  ManualClock clock;
  clock.set(Timestamp{1'764'001'212'000'000});
  const auto sent = [&](const std::string& script, std::string* request = nullptr) {
    TestHttpPeer peer{{script}};
    Webhook webhook{peer.origin() + "/hook?for=me", Secret{"a secret"}, clock};
    const ChannelAnswer answer = webhook.send(
        {.number = 7, .text = R"({"id":"x"})", .expires = clock.now() + Duration::seconds(5), .key = "a-7"},
        std::stop_token{});
    if (request != nullptr) *request = peer.heard().front();
    return answer;
  };
  std::string request;
  CHECK(sent(TestHttpPeer::answer(204, ""), &request).fate == Fate::Sent);
  CHECK(request.starts_with("POST /hook?for=me HTTP/1.1\r\n"));
  for (const char* line :
       {"Content-Type: application/json", "Idempotency-Key: a-7", "X-Everlearn-Timestamp: 1764001212",
        "X-Everlearn-Signature: v1=7aa6aee9f68fdebd6df6206018fc85036a530314443eb9e159c6147ba74c8acb",
        "X-Everlearn-Expires: 2025-11-24T16:20:17.000000Z"})
    CHECK_MESSAGE(request.find(std::string{line} + "\r\n") != std::string::npos, line);
  CHECK(request.ends_with("\r\n\r\n{\"id\":\"x\"}"));
  CHECK(sent(TestHttpPeer::answer(409, "")).fate == Fate::Sent);
  CHECK(sent(TestHttpPeer::answer(422, "")).fate == Fate::Refused);
  CHECK(sent(TestHttpPeer::answer(401, "")).fate == Fate::Later);
  const ChannelAnswer busy = sent(TestHttpPeer::answer(503, "", "Retry-After: 3\r\n"));
  CHECK(busy.fate == Fate::Later);
  CHECK(busy.again_after == Duration::seconds(3));
  const ChannelAnswer lost = sent(TestHttpPeer::kReset);
  CHECK(lost.fate == Fate::Later);
  CHECK(lost.perhaps_sent);
}
