"""lint.tracked: nothing in the repository ties it to one machine, tells a secret, or is data that belongs elsewhere."""

import re
import subprocess
import sys

import source_tree

KILOBYTES = 1024

# Written in pieces, so that this file does not find itself.
PATTERNS = {
    r"(?<![\w.)}*-])/(work|root|opt|home/\w+|tmp/\w+|mnt)/[\w.]": "a path of one machine",
    r"\b(pypi|files\.pythonhosted|registry\.(npmjs|yarnpkg)|deb\.debian|security\.debian|static\.crates|index\.crates|crates"
    r"|proxy\.golang|repo1?\.maven)\.(org|com|io|apache\.org)\b": "the address of a package registry",
    r"--(extra-)?index-" + r"url|--trusted-" + r"host|--find-" + r"links": "a registry is the machine's setting",
    r"-----BEGIN [A-Z ]*PRIVATE" + r" KEY": "a private key",
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b|\bxox[abp]-[\w-]{10,}": "an access key",
    r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b": "a bot's token",
}
MAX_BYTES = 512 * KILOBYTES


def files(root):
    """Everything git would commit: tracked, or new and not ignored."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    ).stdout
    return sorted(p for p in (root / name for name in listing.split("\0") if name) if p.is_file())


def check(root, paths=None):
    problems = []
    for path in files(root) if paths is None else paths:
        file = str(path.relative_to(root))
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            problems.append(f"{file}: {len(raw) // KILOBYTES} KiB; more than {MAX_BYTES // KILOBYTES} KiB is data, not source")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            continue
        for pattern, what in PATTERNS.items():
            for match in re.finditer(pattern, text):
                problems.append(f"{file}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match[0]!r}")
    return problems


if __name__ == "__main__":
    sys.exit(source_tree.report(check(source_tree.repository())))
