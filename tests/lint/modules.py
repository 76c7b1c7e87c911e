"""lint.modules: arrows between modules point up only, and the build lists what is there.

The table is design.md's section 4: what each module may name in DEPENDS, and through those, reach. An include of another
module's header must be covered by the module's own DEPENDS, directly or through them.
"""

import re
import sys

import source_tree

MAY_DEPEND = {
    "core": (),
    "market": ("core",),
    "feature": ("market",),
    "label": ("market",),
    "store": ("core",),
    "learn": ("feature", "label", "store"),
    "forest": ("core",),
    # label: baselines, blend and calibration are told by target kind and class, which label defines.
    "model": ("forest", "feature", "label"),
    "registry": ("learn", "model", "store"),
    "serve": ("registry",),
    "signal": ("serve",),
    "trade": ("signal", "market"),
    "schedule": ("core",),
    # store: its rows are what is told and how far that got.
    "alert": ("store",),
    # Implements what inner modules declare.
    "io": ("trade", "signal", "serve", "registry", "schedule", "alert", "store", "market"),
    # Connects everything; the trainer is another process.
    "app": ("io", "trade", "signal", "serve", "registry", "schedule", "alert", "learn", "label", "feature"),
    # registry: a base that is tuned is loaded and verified as it would be to serve (docs/decisions/0008).
    "train": ("learn", "forest", "model", "registry"),
    # A program for tests: it reads recordings as io does, and serves them.
    "venue": ("core", "market", "io"),
}
LIBRARY_USERS = {  # header pattern -> the modules that may include it
    "LightGBM/": {"train"},
    "sqlite3.h": {"store"},
    "arrow/": {"learn", "store", "train", "io"},
    "parquet/": {"learn", "store", "train", "io"},
    "curl/": {"io"},
    "openssl/ssl": {"io"},
    "postgresql/": {"io"},
    "boost/asio": {"io", "venue"},
    "boost/beast": {"io", "venue"},
}
# Standard headers have no dot and no slash; these two make up for what g++ 12 lacks of the standard.
HEADER_MAY_INCLUDE = re.compile(r"[a-z_0-9]+|tl/expected\.hpp|fmt/[a-z]+\.h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def check(root):
    modules = source_tree.modules(root)
    declared = {name: module.depends for name, module in modules.items()}
    problems = []
    for name, module in modules.items():
        lists = f"src/{name}/CMakeLists.txt"
        if not module.files(".cpp", ".hpp"):
            continue
        if name not in MAY_DEPEND:
            problems.append(f"src/{name}: no such module in the design's table (tests/lint/modules.py)")
            continue
        if not (module.folder / "README.md").exists():
            problems.append(f"src/{name}: no README.md that says what it is, what it is not, who calls it")
        for other in sorted(module.depends - source_tree.closure(MAY_DEPEND, name)):
            problems.append(f"{lists}: {name} must not depend on {other}")
        there = {str(p.relative_to(module.folder)) for p in module.files(".cpp")}
        for file in sorted(there - module.listed):
            problems.append(f"{lists}: {file} is not listed, so it is not built")
        for file in sorted(module.listed - there):
            if "$" not in file:  # a generated one
                problems.append(f"{lists}: {file} is listed but missing")
        reachable = source_tree.closure(declared, name)
        for path in module.files(".cpp", ".hpp"):
            problems += check_file(root, path, name, modules, reachable)
    return problems


def check_file(root, path, name, modules, reachable):
    problems = []
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        kind, header = match.groups()
        where = f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
        if kind == '"':
            other = header.split("/")[0]
            if "/" not in header or header.startswith("."):
                problems.append(f'{where}: include "{header}" by its path from src/')
            elif other in modules and other not in reachable:
                problems.append(f'{where}: includes "{header}", but {name} does not depend on {other}')
            continue
        if path.suffix == ".hpp" and not source_tree.is_test(path) and not HEADER_MAY_INCLUDE.fullmatch(header):
            problems.append(f"{where}: a header must not include <{header}>; third-party types stay in .cpp files")
        for pattern, users in LIBRARY_USERS.items():
            # A test may use a library as its oracle.
            if header.startswith(pattern) and name not in users and not source_tree.is_test(path):
                problems.append(f"{where}: <{header}> is for {', '.join(sorted(users))} only")
    return problems


if __name__ == "__main__":
    sys.exit(source_tree.report(check(source_tree.repository())))
