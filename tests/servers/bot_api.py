"""A server on loopback that behaves like Telegram's Bot API, as far as sendMessage, getMe and getChat go.

It reads HTML as Telegram does (four tags, four entities), counts length after that in UTF-16 code units, and refuses what
Telegram refuses, in Telegram's words. Faults are scripted, one a request, in order; after the script it behaves.
"""

import dataclasses
import html
import http.server
import json
import re
import socket
import struct
import threading

LIMIT = 4096
TAGS = re.compile(r"</?(?:b|i|u|s|code|pre)>")
ENTITIES = re.compile(r"&(?:lt|gt|amp|quot);")


@dataclasses.dataclass
class Fault:
    """What happens instead of an answer, or before it."""

    status: int = 0  # answer with this status and `description`
    description: str = ""
    retry_after: int = 0
    reset: bool = False  # take the message, then break the connection without an answer
    hold: threading.Event = None  # take the message, and answer when this is set


@dataclasses.dataclass
class Message:
    chat: str
    text: str  # as a person reads it
    sent: str  # as it came in
    markup: str


class BotApi:
    """`messages`: what was taken, in order. `requests`: every method that was called."""

    def __init__(self, token, chat, port=0):
        self.token, self.chat = token, str(chat)
        self.messages, self.requests, self.script = [], [], []
        self.changed = threading.Condition()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.answer(self, body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, allow_reuse_address = True, True

            def handle_error(self, *_):  # a client that went away is no news
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def texts(self):
        with self.changed:
            return [message.text for message in self.messages]

    def wait_for(self, count, limit_s=60):
        """Until so many messages were taken."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.messages) >= count, limit_s), f"{self.messages}, {self.requests}"
            return list(self.messages)

    # --- one request ---------------------------------------------------------------------------------------------

    def answer(self, handler, body):
        _, bot, method = handler.path.split("/", 2)
        with self.changed:
            self.requests.append(method)
            fault = self.script.pop(0) if self.script else None
        arguments = json.loads(body or b"{}")
        if fault and fault.status:
            return reply(handler, fault.status, fault.description, fault.retry_after)
        if bot != f"bot{self.token}":
            return reply(handler, 401, "Unauthorized")
        if method == "getMe":
            return reply(handler, 200, result={"id": 1, "is_bot": True, "username": "watch_bot"})
        if str(arguments.get("chat_id", "")) != self.chat:
            return reply(handler, 400, "Bad Request: chat not found")
        if method == "getChat":
            return reply(handler, 200, result={"id": self.chat, "title": "Signals & <more>"})
        if method != "sendMessage":
            return reply(handler, 404, "Not Found: method not found")
        problem, text = read_text(arguments.get("text", ""), arguments.get("parse_mode", ""))
        if problem:
            return reply(handler, 400, "Bad Request: " + problem)
        with self.changed:
            self.messages.append(Message(self.chat, text, arguments["text"], arguments.get("parse_mode", "")))
            number = len(self.messages)
            self.changed.notify_all()
        if fault and fault.reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            return handler.connection.close()
        if fault and fault.hold:
            fault.hold.wait()
        return reply(handler, 200, result={"message_id": number})


def reply(handler, status, description="", retry_after=0, result=None):
    body = {"ok": status == 200}
    if status == 200:
        body["result"] = result
    else:
        body |= {"error_code": status, "description": description}
    if retry_after:
        body["parameters"] = {"retry_after": retry_after}
    data = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def read_text(sent, markup):
    """What is wrong with a text, or what a person sees of it."""
    text = sent
    if markup == "HTML":
        bare = ENTITIES.sub("", TAGS.sub("", sent))
        if "<" in bare or ">" in bare:
            return "can't parse entities: Unsupported start tag", ""
        if sent.count("<b>") != sent.count("</b>"):
            return "can't parse entities: Can't find end tag corresponding to start tag \"b\"", ""
        text = html.unescape(TAGS.sub("", sent))
    if not text.strip():
        return "message text is empty", ""
    if len(text.encode("utf-16-le")) // 2 > LIMIT:
        return "message is too long", ""
    return "", text
