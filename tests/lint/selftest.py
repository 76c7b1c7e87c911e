"""lint.selftest: each lint finds what it is there to find, and lets sound code pass."""

import pathlib
import tempfile
import unittest

import calls
import modules
import source_tree
import tracked


class Tree(unittest.TestCase):
    """A small repository in a temporary folder, written file by file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "src").mkdir()

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def module(self, name, call, **files):
        self.write(f"src/{name}/CMakeLists.txt", call)
        self.write(f"src/{name}/README.md", "what it is")
        for stem, text in files.items():
            self.write(f"src/{name}/{stem.replace('__', '.')}", text)

    def assert_only(self, problems, *parts):
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])


class Modules(Tree):
    def setUp(self):
        super().setUp()
        self.module("core", "engine_module(core SOURCES time.cpp)", time__hpp="#include <cstdint>\n", time__cpp="")
        self.module(
            "market", "engine_module(market SOURCES bar.cpp DEPENDS core)", bar__cpp='#include "core/time.hpp"\n'
        )

    def test_sound_modules_pass(self):
        self.module("label", "engine_module(label SOURCES a.cpp\n  DEPENDS market)", a__cpp='#include "core/time.hpp"\n')
        self.assertEqual(modules.check(self.root), [])

    def test_an_include_without_depends_is_found(self):
        self.module("store", "engine_module(store SOURCES a.cpp DEPENDS core)", a__cpp='\n#include "market/bar.hpp"\n')
        self.assert_only(modules.check(self.root), "src/store/a.cpp:2", "market/bar.hpp", "store does not depend on market")

    def test_an_arrow_downwards_is_found(self):
        self.module("store", "engine_module(store SOURCES a.cpp DEPENDS core market)", a__cpp="")
        self.assert_only(modules.check(self.root), "store must not depend on market")

    def test_a_commented_depends_does_not_count(self):
        self.module("label", "engine_module(label SOURCES a.cpp # DEPENDS market\n)", a__cpp='#include "core/time.hpp"\n')
        self.assert_only(modules.check(self.root), "label does not depend on core")

    def test_an_unlisted_test_is_found(self):
        self.write("src/core/time_test.cpp", "")
        self.assert_only(modules.check(self.root), "time_test.cpp is not listed")

    def test_a_test_of_its_own_is_listed_too(self):
        self.write("src/core/a_test.cpp", "")
        call = "engine_module(core SOURCES time.cpp)\nengine_test(test_a NAME recording.a SOURCES a_test.cpp DEPENDS core)"
        self.write("src/core/CMakeLists.txt", call)
        self.assertEqual(modules.check(self.root), [])

    def test_a_listed_file_that_is_missing_is_found(self):
        self.write("src/core/CMakeLists.txt", "engine_module(core SOURCES time.cpp TESTS time_test.cpp)")
        self.assert_only(modules.check(self.root), "time_test.cpp is listed but missing")

    def test_a_third_party_header_in_a_header_is_found(self):
        self.write("src/core/time.hpp", "#include <vector>\n#include <tl/expected.hpp>\n#include <boost/json.hpp>\n")
        self.assert_only(modules.check(self.root), "src/core/time.hpp:3", "<boost/json.hpp>")

    def test_a_header_of_tests_may_include_what_tests_need(self):
        self.write("src/core/test_clock.hpp", "#include <doctest/doctest.h>\n")
        self.assertEqual(modules.check(self.root), [])

    def test_a_library_outside_its_module_is_found(self):
        self.write("src/market/bar.cpp", "#include <sqlite3.h>\n")
        self.assert_only(modules.check(self.root), "<sqlite3.h> is for store only")

    def test_an_unknown_module_is_found(self):
        self.module("helpers", "engine_module(helpers SOURCES a.cpp)", a__cpp="")
        self.assert_only(modules.check(self.root), "src/helpers: no such module")

    def test_a_module_without_readme_is_found(self):
        (self.root / "src/core/README.md").unlink()
        self.assert_only(modules.check(self.root), "src/core: no README.md")


class Calls(Tree):
    def check(self, path, text, allowed=()):
        self.write(path, text)
        return calls.check(self.root, dict.fromkeys(allowed, "a reason"))

    def test_each_forbidden_call_is_found(self):
        for text in (
            "auto t = std::chrono::system_clock::now();", "std::random_device d;", "std::thread t{f};", "std::ofstream f;",
            'auto* f = fopen("x", "r");', "auto f = ::open(p, 0);", "auto t = time(nullptr);", "std::mt19937 r;",
            'auto d = std::stod("1");', 'auto h = std::getenv("HOME");', "std::shuffle(a, b, r);", "if (fork() == 0) return;",
            "std::filesystem::remove(p);",
        ):
            with self.subTest(text):
                self.assert_only(self.check("src/core/a.cpp", f"\n{text}\n"), "src/core/a.cpp:2")

    def test_comments_strings_and_members_are_not_calls(self):
        text = (
            '// std::thread\n/* std::ofstream */\nauto s = "std::random_device";\nfs.open(path);\nclock->time();\n'
            "Result<File> open(const std::string& path);\nvoid time(Timestamp t);\nauto n = 1'000;\nrun_time(0);\n"
        )
        self.assertEqual(self.check("src/core/a.cpp", text), [])

    def test_the_edges_may(self):
        self.write("src/io/http.cpp", "std::thread t;")
        self.assertEqual(self.check("src/core/system_clock.cpp", "std::chrono::system_clock::now();"), [])

    def test_a_sleeping_test_is_found(self):
        self.assert_only(self.check("src/core/a_test.cpp", "std::this_thread::sleep_for(x);"), "no sleeping")

    def test_a_profile_name_is_found(self):
        self.assert_only(self.check("src/app/a.cpp", 'if (name == "qqq") return;'), '"qqq"', "never a branch")

    def test_a_profile_name_in_a_longer_string_is_found(self):
        self.assert_only(self.check("src/app/a.cpp", 'load("profiles/demo.toml");'), '"demo"')

    def test_an_exception_excuses_and_must_be_needed(self):
        entry = ("src/app/a.cpp", '"demo"')
        self.assertEqual(self.check("src/app/a.cpp", 'verb("demo");', [entry]), [])
        self.assert_only(self.check("src/app/a.cpp", "", [entry]), "allows nothing any more")


class Tracked(Tree):
    def check(self, text):
        return tracked.check(self.root, [self.write("notes.md", text)])

    def test_each_trace_of_a_machine_is_found(self):
        for text in (
            "see /" + "work/main/x", "cd /" + "root/project", "https://py" + "pi.org/simple/x", "pip --index-" + "url x",
            "-----BEGIN RSA PRIVATE" + " KEY-----", "AK" + "IA0123456789ABCDEF", "1234567890:" + "A" * 35,
        ):
            with self.subTest(text):
                self.assert_only(self.check("\n" + text), "notes.md:2")

    def test_ordinary_text_passes(self):
        self.assertEqual(self.check("src/work/a, ../work/b, $HOME/work/c, 12:34:56, #!/usr/bin/env bash"), [])

    def test_data_is_found(self):
        self.assert_only(self.check("1,2\n" * 300_000), "is data, not source")


class SourceTree(unittest.TestCase):
    def test_raw_strings_are_blanked_and_lines_kept(self):
        code = source_tree.code_only('auto a = R"x(fopen("\n")x"; fopen();')
        self.assertEqual(code.count("fopen"), 1)
        self.assertEqual(code.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
