"""A TCP proxy on loopback that is slow to answer, or does something after so many bytes from the server."""

import contextlib
import socket
import threading


class TcpProxy:
    def __init__(self, port, answers_after_s=0.0):
        self.target, self.answers_after_s = port, answers_after_s
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.bytes_left, self.then = None, None
        self.closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def after(self, count, then):
        """Once `count` more bytes came from the server: hang up on everybody and call `then`."""
        self.then, self.bytes_left = then, count

    def close(self):
        self.closed.set()
        self.listener.close()

    def _accept(self):
        while not self.closed.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self.closed.wait(self.answers_after_s)
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
        self._pass(server, client, True)

    def _pass(self, source, sink, from_server):
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                if from_server and self.bytes_left is not None:
                    self.bytes_left -= len(data)
                    if self.bytes_left <= 0:
                        self.bytes_left = None
                        break
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        if from_server and self.then and self.bytes_left is None:
            then, self.then = self.then, None
            then()
