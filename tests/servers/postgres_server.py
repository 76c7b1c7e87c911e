"""A PostgreSQL server of a test's own: data directory, Unix socket and a free port on loopback with TLS by an own CA.

Nothing of the machine's own cluster is used. As root the server runs as user postgres, because it refuses to run as root.
"""

import contextlib
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_S = 60
SUPERUSER = "owner"


def programs():
    """The folder with initdb and postgres of the newest version that Debian installed; None: none is there."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def account():
    """How subprocess is told to run a server: as a user without rights where we have all."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def give_away(path):
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        for each in (path, *path.rglob("*")):
            os.chown(each, user.pw_uid, user.pw_gid)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificates(folder):
    """ca.crt, and server.crt with server.key for 127.0.0.1 and localhost."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
            "/CN=a test's own CA", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
            "-keyout", "server.key", "-out", "server.csr")
    (folder / "names.cnf").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="ascii")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "names.cnf", "-out", "server.crt")
    (folder / "server.key").chmod(0o600)


class PostgresServer:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="el-pg-"))  # short: a socket's path has 107 bytes
        self.folder.chmod(0o755)
        self.data, self.port, self.process = self.folder / "data", free_port(), None
        self.password = "pass:/@%" + secrets.token_hex(8)  # with what a URI must escape
        self.certificates = self.folder / "tls"
        self.certificates.mkdir()
        make_certificates(self.certificates)
        give_away(self.folder)
        self._run("initdb", "-D", self.data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        (self.data / "pg_hba.conf").write_text(
            "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n", encoding="ascii")
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{self.folder}'\n"
                       f"ssl = on\nssl_cert_file = '{self.certificates}/server.crt'\n"
                       f"ssl_key_file = '{self.certificates}/server.key'\nfsync = off\n"
                       "full_page_writes = off\nmax_connections = 40\nautovacuum = off\nTimeZone = 'Asia/Tokyo'\n"
                       "DateStyle = 'German'\nextra_float_digits = 0\n")  # what must not matter

    def _run(self, program, *words):
        subprocess.run([programs() / program, *map(str, words)], check=True, capture_output=True, cwd="/", **account())

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([programs() / "postgres", "-D", self.data], stdout=log, stderr=log, cwd="/",
                                            start_new_session=True, **account())
        limit = time.monotonic() + START_S
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                break
            if self.psql("SELECT 1", check=False).returncode == 0:
                return self
            time.sleep(0.1)
        raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text(errors='replace')[-2000:]}")

    def kill(self):
        """All its processes at once, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(START_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, sql, database="postgres", check=True):
        done = subprocess.run(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U",
             SUPERUSER, "-d", database], input=sql, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{done.stderr}\n{sql[:500]}"
        return done

    def make_database(self, name):
        """Its name; a role `reader` may connect to it and has no right in it."""
        self.psql(f"CREATE DATABASE {name}")
        self.psql("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN "
                  f"CREATE ROLE reader LOGIN PASSWORD '{self.password}'; END IF; END $$")
        return name

    def string(self, database, port=None, host="127.0.0.1", user="reader", password=None, **options):
        """A connection string as a provider gives it."""
        options.setdefault("sslmode", "require")
        words = "".join(f"%{byte:02X}" for byte in (password or self.password).encode())
        more = "&".join(f"{key}={value}" for key, value in options.items())
        return f"postgresql://{user}:{words}@{host}:{port or self.port}/{database}?{more}"
