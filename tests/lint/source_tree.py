"""What the lints know about the tree: modules, their files, what each CMakeLists.txt declares, code without comments."""

import dataclasses
import pathlib
import re

MODULE_CALL = re.compile(r"\bengine_(module|executable|test|bench)\s*\(([^)]*)\)")
KEYWORDS = {"NAME", "SOURCES", "TESTS", "DEPENDS", "LINKS", "TEST_LINKS"}
# A comment, a raw string, a string or a character; whatever matches first at a place is what stands there.
TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\\ ]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])+\'', re.S
)


@dataclasses.dataclass
class Module:
    name: str
    folder: pathlib.Path
    depends: set = dataclasses.field(default_factory=set)
    listed: set = dataclasses.field(default_factory=set)  # files of SOURCES and TESTS

    def files(self, *suffixes):
        return sorted(p for p in self.folder.rglob("*") if p.suffix in suffixes)


def modules(root):
    """Every folder below src/ that holds code, by name."""
    found = {}
    for folder in sorted((root / "src").iterdir()):
        if not folder.is_dir():
            continue
        module = Module(folder.name, folder)
        lists = folder / "CMakeLists.txt"
        text = re.sub(r"#[^\n]*", "", lists.read_text()) if lists.exists() else ""
        for call in MODULE_CALL.finditer(text):
            keyword = None
            for word in call[2].split()[1:]:
                if word in KEYWORDS:
                    keyword = word
                elif keyword in ("SOURCES", "TESTS"):
                    module.listed.add(word)
                elif keyword == "DEPENDS":
                    module.depends.add(word)
        module.depends.discard(module.name)
        found[folder.name] = module
    return found


def closure(graph, start):
    """Everything reachable from `start`, itself included."""
    seen, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += graph.get(name, ())
    return seen


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """The text with comments, strings and characters blanked; lines stay where they are."""
    return TOKEN.sub(lambda m: _blank(m[0]), text)


def strings(text):
    """(line, content) of every string literal."""
    for match in TOKEN.finditer(text):
        if match[0].startswith(('"', "R")):
            yield text.count("\n", 0, match.start()) + 1, match[0]


def is_test(path):
    """Tests, and the headers that only tests include."""
    return re.fullmatch(r".*_test|test_.*|(.*_)?fixtures?", path.stem) is not None


def report(problems):
    """Prints the problems; returns the exit status."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s)")
    return 1 if problems else 0


def repository():
    return pathlib.Path(__file__).resolve().parents[2]
