"""lint.calls: the outside world is reached through World's ports, and nothing depends on the machine's settings.

Only src/io and src/core/system_* touch clocks, files, threads and processes. ALLOWED lists the exceptions with their reasons.
"""

import re
import sys

import source_tree

# What -> why not. A pattern sees code without comments and strings.
PRODUCT = {
    r"\b(system|steady|high_resolution)_clock\b": "take a Clock",
    r"\brandom_device\b": "take an Rng",
    r"\bstd::(mt19937\w*|minstd_rand\w*|default_random_engine|\w+_distribution|shuffle|sample)\b": "differs between libraries: take an Rng",
    r"\bstd::j?thread\b|\bstd::async\b|\bpthread_create\b": "threads are started in io",
    r"\bstd::[io]?fstream\b": "take an Fs",
    r"\bstd::filesystem\b": "take an Fs",
    r"\b(fopen|freopen|creat|unlink|mkdir|mkdtemp|mkstemp|opendir|mmap)\s*\(": "take an Fs",
    r"(?<![\w>:])::(open|rename|remove|read|write|stat)\s*\(": "take an Fs",
    r"\b(v?fork|execl?[vpe]{1,2}|posix_spawnp?|popen)\s*\(": "take a Proc",
    r"(?<![\w>:])(std)?::system\s*\(": "take a Proc",
    r"\b(gettimeofday|clock_gettime|localtime(_r)?|gmtime(_r)?|mktime|strftime)\s*\(": "take a Clock",
    r"(?<![\w>:])(std)?::(time|clock)\s*\(|(?<![\w.>:])time\s*\(\s*(nullptr|NULL|0)\s*\)": "take a Clock",
    r"\b(sleep_for|sleep_until|usleep|nanosleep)\b": "nothing sleeps outside io",
    r"\b(getenv|secure_getenv|setenv|putenv)\b": "the environment is read once, by app's entry",
    r"\bstd::(rand|srand)\b": "take an Rng",
    r"\b(setlocale|std::locale|imbue)\b": "text does not depend on the machine",
    r"\bstd::(sto[dfil]|stold|stoul|stoll|stoull|ato[fil]|atoll|strto\w+)\b|(?<![\w.>:])(ato[fil]|strto[a-z]+)\s*\(": "use std::from_chars",
}
TESTS = {
    r"\bsystem_clock\b": "tests stand still: use a ManualClock",
    r"\brandom_device\b": "a test that fails must fail again",
    r"\b(sleep_for|sleep_until|usleep|nanosleep)\b": "no sleeping in tests",
}
# The trading loop never asks which profile runs.
PROFILES = re.compile(r"\b(polymarket|qqq|watchlist|hybrid|demo)\b", re.I)

EDGES = re.compile(r"src/io/.*|src/core/system_[a-z_]*\.(cpp|hpp)")

# (file, what the found text must match): reason. An entry that no longer excuses anything is an error too.
ALLOWED = {
    (r"src/app/(cli|config)/.*", "getenv"): "the edge where the environment is read",
    (r"src/venue/(signing|venue_trading)\.cpp", '"polymarket"'): "the exchange's signing domain, and its words",
    (r"src/app/(cli|config)/.*", '"demo"'): "the verb `demo`, the profile it runs by default, and help that names the verb",
}


def check(root, allowed=None):
    allowed = ALLOWED if allowed is None else allowed
    used, problems = set(), []

    def found(file, line, text, why):
        for entry in allowed:
            if re.fullmatch(entry[0], file) and re.fullmatch(entry[1], text):
                used.add(entry)
                return
        problems.append(f"{file}:{line}: {text}: {why}")

    for path in sorted((root / "src").rglob("*.[ch]pp")):
        file = str(path.relative_to(root))
        text = path.read_text()
        if EDGES.fullmatch(file):
            continue
        code = source_tree.code_only(text)
        for pattern, why in (TESTS if source_tree.is_test(path) else PRODUCT).items():
            for match in re.finditer(pattern, code):
                found(file, code.count("\n", 0, match.start()) + 1, match[0].rstrip("( "), why)
        if not source_tree.is_test(path):
            for line, literal in source_tree.strings(text):
                for match in PROFILES.finditer(literal):
                    found(file, line, f'"{match[0].lower()}"', "a profile is data, never a branch")
    problems += [f"tests/lint/calls.py: {entry} allows nothing any more" for entry in allowed if entry not in used]
    return problems


if __name__ == "__main__":
    sys.exit(source_tree.report(check(source_tree.repository())))
