#include "io/telegram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "alert/telegram_text.hpp"
#include "core/json.hpp"
#include "io/http_client.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kMostDetail = 300;
constexpr int kMostWaitSeconds = 86'400;

/// What the Bot API answered: its own JSON, or what stands for it where there is none.
struct Reply {
  int status = 0;
  bool ok = false;
  std::string description;
  std::optional<Duration> again_after;
  bool perhaps_taken = false;
  std::string result;  // JSON
};

std::optional<Duration> seconds_of(const std::string& text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return Duration::seconds(std::min(seconds, kMostWaitSeconds));
}

Reply ask(const TelegramAddress& address, const std::string& method, const JsonOut& arguments, std::stop_token stop) {
  const HttpAnswer http_answer = http({.origin = address.api,
                                       .path = Secret{fmt::format("/bot{}/{}", address.token.reveal(), method)},
                                       .body = arguments.text()},
                                      std::move(stop));
  Reply reply{
      .status = http_answer.status, .description = {}, .perhaps_taken = http_answer.perhaps_taken, .result = {}};
  reply.again_after = seconds_of(http_answer.retry_after);
  if (http_answer.status == 0) {
    reply.description = http_answer.problem;
  } else if (auto in = JsonIn::parse(http_answer.body)) {
    if (in->has("description")) in->get("description", reply.description);
    if (in->has("ok")) in->get("ok", reply.ok);
    if (auto parameters = JsonIn::parse(in->json("parameters")); parameters && parameters->has("retry_after")) {
      int seconds = 0;
      parameters->get("retry_after", seconds);
      reply.again_after = Duration::seconds(std::clamp(seconds, 0, kMostWaitSeconds));
    }
    reply.result = in->json("result");
  } else {
    reply.description = "no JSON, so perhaps not the Bot API";
  }
  reply.description = clean_utf8(without(std::move(reply.description), address.token));
  std::replace(reply.description.begin(), reply.description.end(), '\n', ' ');
  reply.description = split_text(reply.description, kMostDetail).front();
  return reply;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool about_markup(const Reply& reply) {
  return reply.status == 400 && contains(reply.description, "can't parse entities");
}

// A chat that is not there, or that the bot was never let into: no message to it passes.
bool about_chat(const Reply& reply) {
  return reply.status == 400 &&
         (contains(reply.description, "chat not found") || contains(reply.description, "chat_id is empty") ||
          contains(reply.description, "group chat was upgraded"));
}

std::string in_words(const Reply& reply) {
  return reply.status == 0 ? reply.description : fmt::format("{} {}", reply.status, reply.description);
}

ChannelAnswer classify(const Reply& reply) {
  ChannelAnswer answer;
  answer.detail = in_words(reply);
  if (reply.status == 200 && reply.ok) {
    answer.fate = Fate::Sent;
    answer.detail.clear();
  } else if (reply.status == 401 || reply.status == 403 || reply.status == 404 || about_chat(reply)) {
    answer.fate = Fate::Broken;
  } else if (reply.status == 429) {
    answer.again_after = reply.again_after;
  } else if (reply.status >= 400 && reply.status < 500) {
    answer.fate = Fate::Refused;
  } else {
    // No answer, 5xx, or a 200 that is not the Bot API's: whether it was taken is not known, but for a connection that
    // never came about.
    answer.perhaps_sent = reply.status != 0 || reply.perhaps_taken;
  }
  return answer;
}

}  // namespace

Telegram::Telegram(TelegramAddress address) : address_{std::move(address)} {}

std::vector<std::string> Telegram::parts(const std::string& text) const { return split_text(clean_utf8(text)); }

ChannelAnswer Telegram::send(const Message& message, std::stop_token stop) {
  const auto arguments = [&](bool markup) {
    JsonOut out;
    out.put("chat_id", address_.chat);
    out.put("text", markup ? telegram_html(message.text, message.headline) : message.text);
    if (markup) out.put("parse_mode", "HTML");
    out.put_json("link_preview_options", R"({"is_disabled":true})");
    return out;
  };
  Reply reply = ask(address_, "sendMessage", arguments(true), stop);
  if (about_markup(reply)) reply = ask(address_, "sendMessage", arguments(false), stop);
  ChannelAnswer answer = classify(reply);
  answer.number = message.number;
  return answer;
}

Result<std::string> Telegram::bot() {
  const Reply reply = ask(address_, "getMe", JsonOut{}, {});
  if (reply.status == 0) return fail(Code::NotFound, reply.description);
  if (reply.status != 200 || !reply.ok) return fail(Code::Config, in_words(reply));
  EL_TRY(JsonIn in, JsonIn::parse(reply.result));
  std::string name;
  in.get("username", name);
  EL_CHECK(in.finish("getMe"));
  return "@" + name;
}

Result<std::string> Telegram::chat() {
  const Reply reply = ask(address_, "getChat", JsonOut{}.put("chat_id", address_.chat), {});
  if (reply.status == 0) return fail(Code::NotFound, reply.description);
  if (reply.status != 200 || !reply.ok) return fail(Code::Config, in_words(reply));
  EL_TRY(JsonIn in, JsonIn::parse(reply.result));
  for (const char* member : {"title", "username", "first_name"}) {
    std::string name;
    if (!in.has(member)) continue;
    in.get(member, name);
    return clean_utf8(name);
  }
  return address_.chat;
}

}  // namespace everlearn
