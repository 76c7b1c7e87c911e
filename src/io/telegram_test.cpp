#include "io/telegram.hpp"

#include "core/json.hpp"
#include "io/test_http_peer.hpp"

namespace everlearn {
namespace {

constexpr const char* kToken = "123456:AAtest-token_0123456789";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string error(int code, const std::string& description, const std::string& parameters = "{}") {
  return TestHttpPeer::answer(code, JsonOut{}
                                        .put("ok", false)
                                        .put("error_code", code)
                                        .put("description", description)
                                        .put_json("parameters", parameters)
                                        .text());
}

const std::string kOk = TestHttpPeer::answer(200, R"({"ok":true,"result":{"message_id":7}})");

Telegram bot_at(const TestHttpPeer& peer) {
  return Telegram{{.api = peer.origin(), .token = Secret{kToken}, .chat = "-1001"}};
}

ChannelAnswer answer_to(const std::string& script) {
  TestHttpPeer peer{{script}};
  Telegram telegram = bot_at(peer);
  const ChannelAnswer answer = telegram.send({.number = 5, .text = "head\nbody"}, {});
  CHECK(answer.number == 5);
  CHECK_FALSE(has(answer.detail, "AAtest"));
  return answer;
}

std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

TEST_CASE("telegram: a message is posted as HTML to the chat") {
  TestHttpPeer peer{{kOk}};
  Telegram telegram = bot_at(peer);
  const ChannelAnswer answer = telegram.send({.number = 1, .text = "a < b\n\"x\" & y"}, {});
  CHECK(answer.fate == Fate::Sent);
  CHECK(answer.detail.empty());
  const std::string request = peer.heard().front();
  CHECK(request.starts_with("POST /bot123456:AAtest-token_0123456789/sendMessage HTTP/1.1\r\n"));
  auto in = JsonIn::parse(body_of(request));
  REQUIRE(in);
  std::string chat, text, mode;
  in->get("chat_id", chat);
  in->get("text", text);
  in->get("parse_mode", mode);
  REQUIRE(in->finish("body"));
  CHECK(chat == "-1001");
  CHECK(text == "<b>a &lt; b</b>\n\"x\" &amp; y");
  CHECK(mode == "HTML");
}

TEST_CASE("telegram: markup that is not read goes out again as plain text, once") {
  SUBCASE("and is taken") {
    TestHttpPeer peer{{error(400, "Bad Request: can't parse entities: unsupported start tag"), kOk}};
    Telegram telegram = bot_at(peer);
    CHECK(telegram.send({.number = 1, .text = "a < b"}, {}).fate == Fate::Sent);
    const auto heard = peer.heard();
    CHECK(has(heard[1], "\"text\":\"a < b\""));
    CHECK_FALSE(has(heard[1], "parse_mode"));
  }
  SUBCASE("and is refused for good") {
    TestHttpPeer peer{{error(400, "can't parse entities"), error(400, "can't parse entities")}};
    Telegram telegram = bot_at(peer);
    CHECK(telegram.send({.number = 1, .text = "a < b"}, {}).fate == Fate::Refused);
    CHECK(peer.heard().size() == 2);
  }
}

TEST_CASE("telegram: what an answer means") {
  SUBCASE("too many requests: as long as it asks for, in the body or in the header") {
    ChannelAnswer answer = answer_to(error(429, "Too Many Requests: retry after 14", R"({"retry_after":14})"));
    CHECK(answer.fate == Fate::Later);
    CHECK(answer.again_after == Duration::seconds(14));
    CHECK_FALSE(answer.perhaps_sent);
    answer = answer_to(TestHttpPeer::answer(429, "busy", "Retry-After: 3\r\n"));
    CHECK(answer.fate == Fate::Later);
    CHECK(answer.again_after == Duration::seconds(3));
  }
  SUBCASE("a server in trouble, or a page that is no Bot API: later, and perhaps taken") {
    for (const std::string& script :
         {error(502, "Bad Gateway"), TestHttpPeer::answer(200, "<html>"), kOk.substr(0, 40)}) {
      const ChannelAnswer answer = answer_to(script);
      CHECK(answer.fate == Fate::Later);
      CHECK(answer.perhaps_sent);
      CHECK_FALSE(answer.again_after);
    }
  }
  SUBCASE("a wrong token, a bot that was thrown out, a chat that is not there: nothing passes") {
    CHECK(answer_to(error(401, "Unauthorized")).fate == Fate::Broken);
    CHECK(answer_to(error(404, "Not Found")).fate == Fate::Broken);
    const ChannelAnswer blocked = answer_to(error(403, "Forbidden: bot was blocked by the user"));
    CHECK(blocked.fate == Fate::Broken);
    CHECK(blocked.detail == "403 Forbidden: bot was blocked by the user");
    CHECK(answer_to(error(400, "Bad Request: chat not found")).fate == Fate::Broken);
  }
  SUBCASE("anything else about the message: refused") {
    CHECK(answer_to(error(400, "Bad Request: message is too long")).fate == Fate::Refused);
    CHECK(answer_to(error(413, "Request Entity Too Large")).fate == Fate::Refused);
  }
  SUBCASE("no answer after the request: later, and perhaps taken") {
    const ChannelAnswer answer = answer_to(TestHttpPeer::kReset);
    CHECK(answer.fate == Fate::Later);
    CHECK(answer.perhaps_sent);
  }
}

TEST_CASE("telegram: a server that shows the token is not quoted with it") {
  const std::string shown =
      std::string{"no such path /bot"} + kToken + "/sendMessage, nor /bot123456%3AAAtest-token_0123456789";
  CHECK(answer_to(error(400, shown)).detail == "400 no such path /bot***/sendMessage, nor /bot***");
}

TEST_CASE("telegram: whom it is and where it writes") {
  TestHttpPeer peer{{TestHttpPeer::answer(200, R"({"ok":true,"result":{"id":1,"username":"watch_bot"}})"),
                     TestHttpPeer::answer(200, R"({"ok":true,"result":{"id":-1001,"title":"Signals"}})"),
                     error(401, "Unauthorized"), error(400, "Bad Request: chat not found")}};
  Telegram telegram = bot_at(peer);
  CHECK(telegram.bot().value() == "@watch_bot");
  CHECK(telegram.chat().value() == "Signals");
  const auto bot = telegram.bot();
  REQUIRE_FALSE(bot);
  CHECK(bot.error().code == Code::Config);
  CHECK(bot.error().message == "401 Unauthorized");
  CHECK(telegram.chat().error().message == "400 Bad Request: chat not found");
}

}  // namespace
}  // namespace everlearn
