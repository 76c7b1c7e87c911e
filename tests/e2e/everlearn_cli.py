"""A run of the program as a user starts it: arguments in, exit status and both outputs back."""

import dataclasses
import json
import os
import pathlib
import subprocess


@dataclasses.dataclass
class Finished:
    status: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)


class Everlearn:
    """`folder` holds the programs; they run in `place`, with none of the caller's EVERLEARN_ variables."""

    def __init__(self, folder, place):
        self.program = str(pathlib.Path(folder) / "everlearn")
        self.place = place
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("EVERLEARN")}

    def start(self, *arguments):
        return subprocess.Popen([self.program, *map(str, arguments)], cwd=self.place, env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                errors="replace")

    def run(self, *arguments, status=0, limit_s=240):
        """`status`: what it has to exit with; None: whatever it is."""
        child = self.start(*arguments)
        try:
            out, err = child.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise
        finished = Finished(child.returncode, out, err)
        if status is not None:
            assert finished.status == status, f"exit {finished.status} of {arguments}: {finished.err[-2000:]}"
        return finished

    def simulate(self, directory, arguments, settings=()):
        """The report of a finished simulation."""
        return self.run("simulate", *arguments, *as_flags(settings), "--data", directory, "--json").json()

    def export(self, directory, dataset, file):
        form = file.suffix[1:]
        self.run("data", "export", "--data", directory, "--dataset", dataset, "--format", form, "--out", file)
        return file


def as_flags(settings):
    return [word for setting in settings for word in ("--set", setting)]
