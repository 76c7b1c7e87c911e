"""A PgBouncer in transaction mode in front of a test's PostgreSQL server: TLS on loopback with the server's certificate."""

import os
import socket
import subprocess
import time

from postgres_server import START_S, account, free_port, give_away


class PgBouncerServer:
    def __init__(self, server):
        self.server, self.port, self.process = server, free_port(), None
        self.folder = server.folder / "pooler"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "users").write_text(f'"reader" "{server.password}"\n', encoding="ascii")
        (self.folder / "pgbouncer.ini").write_text(
            f"""[databases]
* = host={server.folder} port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self.folder}/users
pool_mode = transaction
default_pool_size = 2
client_tls_sslmode = require
client_tls_cert_file = {server.certificates}/server.crt
client_tls_key_file = {server.certificates}/server.key
logfile = {self.folder}/log
admin_users = reader
""", encoding="ascii")
        give_away(self.folder)

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", self.folder / "pgbouncer.ini"], cwd="/",
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account())
        limit = time.monotonic() + START_S
        while time.monotonic() < limit and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise AssertionError(f"PgBouncer did not start:\n{self.log()}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(START_S)

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if os.path.exists(path) else ""
