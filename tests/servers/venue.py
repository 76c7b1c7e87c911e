"""everlearn-venue for a test: started on a free port of loopback, stopped at the end.

    with Venue(folder, shared / "polymarket", scenario={"markets": 12}, speed=0) as venue:
        venue.url, venue.ws_url
        venue.control("clock", {"by": "10m"})
        venue.fault("freeze", **{"for": "5m"})

With speed 0 the venue's clock stands until the test moves it; else VIRTUAL + (real - REAL) * speed with
anchor=(REAL, VIRTUAL), two RFC 3339 times.
"""

import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def binaries():
    return pathlib.Path(os.environ.get("EVERLEARN_BIN", REPOSITORY / "build" / "release" / "bin")).resolve()


class Refused(Exception):
    """The venue answered with an error: `status`, and its body as the message."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Venue:
    def __init__(self, folder, data, *, scenario=None, recordings=None, markets=None, speed=0, anchor=None, log=False,
                 log_frames=False, port=0, arguments=()):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.log_path = folder / "oracle.jsonl"
        self.output_path = folder / "venue.txt"
        port_file = folder / "venue.port"
        port_file.unlink(missing_ok=True)
        command = [binaries() / "everlearn-venue", "--data", data, "--port", port, "--port-file", port_file, "--speed", speed]
        if scenario is not None:
            (folder / "scenario.json").write_text(json.dumps(scenario))
            command += ["--scenario", folder / "scenario.json"]
        if recordings:
            command += ["--recording", ",".join(recordings)]
        if markets is not None:
            command += ["--markets", markets]
        if anchor:
            command += ["--anchor", ",".join(anchor)]
        if log or log_frames:
            command += ["--log", self.log_path]
        if log_frames:
            command += ["--log-frames"]
        command += arguments
        with open(self.output_path, "w") as output:
            self.process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT)
        try:
            self.port = self._port(port_file)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"

    def _port(self, port_file, limit_s=60):
        deadline = time.monotonic() + limit_s
        while not port_file.exists():
            assert self.process.poll() is None, f"everlearn-venue ended: {self.output_path.read_text()}"
            assert time.monotonic() < deadline, f"everlearn-venue opened no port in {limit_s} s"
            time.sleep(0.02)
        return int(port_file.read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """As a person would: SIGTERM. It must end by itself, and without complaint."""
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(30) == 0, self.output_path.read_text()

    # --- requests

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path, body):
        return self._ask("POST", path, body)

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from None

    # --- /control

    def control(self, what, body=None):
        """GET, or POST with a body: clock, fault, faults, sent, requests, markets, log, price, balance."""
        return self._ask("GET" if body is None else "POST", f"/control/{what}", body)

    def advance(self, by):
        """Only with speed 0: the clock goes on by a duration as "10m". Returns the time it shows."""
        return self.control("clock", {"by": by})["now"]

    def fault(self, kind, **members):
        """Returns its number. `for` is a word of Python's: write fault(kind, **{"for": "5m"})."""
        return self.control("fault", {"kind": kind, **members})["id"]

    def clear_fault(self, number=None):
        self._ask("DELETE", "/control/fault" + ("" if number is None else f"?id={number}"))

    def markets(self):
        return self.control("markets")["markets"]

    def log(self):
        """All entries of the oracle's log that are kept."""
        entries = []
        while True:
            page = self.control(f"log?from={len(entries)}")["entries"]
            entries += page
            if not page:
                return entries
