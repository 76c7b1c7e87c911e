"""lint.layout: clang-format decides where things stand. `make format` repairs what this finds."""

import subprocess
import sys

import source_tree
import tracked


def check(root):
    paths = [str(p.relative_to(root)) for p in tracked.files(root) if p.suffix in (".cpp", ".hpp")]
    found = subprocess.run(
        ["clang-format-16", "--dry-run", "--ferror-limit=1", *paths], cwd=root, capture_output=True, text=True
    )
    if found.returncode:
        return [found.stderr]
    return [line for line in found.stderr.splitlines() if "[-Wclang-format-violations]" in line]


if __name__ == "__main__":
    sys.exit(source_tree.report(check(source_tree.repository())))
