# SPDX-License-Identifier: MIT
"""What the README, the sources and the library say of each other holds.

Usage: test_documents.py SOURCE_ROOT PRINT_CONFIG LIBRARY
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT, PRINT_CONFIG, LIBRARY = sys.argv[1:4]
# The files that may see the interpreter, besides py_*.
MAY_SEE_PYTHON = {"inject.c", "profiler.c"}


def read(name):
    with open(os.path.join(ROOT, name)) as file:
        return file.read()


def sources():
    return sorted(glob.glob(os.path.join(ROOT, "src", "**", "*.[ch]"), recursive=True))


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()


class Option:
    """A row of the library's table."""

    def __init__(self, row):
        self.name, self.kind, self.default, allowed, self.variable, self.meaning = row.split("\t")
        # The number of real-time signals is the machine's own.
        self.allowed = re.sub(r"SIGRTMIN\+0 to SIGRTMIN\+\d+", "SIGRTMIN+n", allowed)


OPTIONS = [Option(row) for row in output_of(PRINT_CONFIG, "--table").splitlines()]


class Options(unittest.TestCase):
    def assert_listed(self, text, pattern, row):
        """`text` has the row of each option, and in the same order no others."""
        self.assertGreaterEqual(len(OPTIONS), 8)
        for option in OPTIONS:
            with self.subTest(option=option.name):
                self.assertIn(row(option), text)
        self.assertEqual(re.findall(pattern, text, re.M), [option.name for option in OPTIONS])

    def test_readme(self):
        self.assert_listed(read("README.md"), r"^\| `(\w+)` \|.*`MEMPROF_\w+`", lambda option: (
            "| `%s` | %s | `%s` | %s | `%s` | %s |" % (option.name, option.kind, option.default, option.allowed,
                                                     option.variable, option.meaning)))

    def test_man_page(self):
        self.assert_listed(read("doc/memprof.yml.5.scd"), r"^\*(\w+)\* \(", lambda option: (
            "\n*%s* (%s, default _%s_)\n\t%s Allowed: %s. Variable: *%s*.\n" % (
                option.name, option.kind, option.default, option.meaning, option.allowed, option.variable)))

    def test_memprof_run(self):
        script = read("tools/memprof-run")
        self.assert_listed(script, r"^(\w+) [a-z]+ [A-Z].*\.$", lambda option: (
            "\n%s %s %s\n" % (option.name, option.kind, option.meaning.replace("'", "'\\''"))))
        shown = output_of(os.path.join(ROOT, "tools", "memprof-run"), "--help")
        for option in OPTIONS:
            value = "[=yes|no]" if option.kind == "boolean" else "=VALUE"
            self.assertIn("  --%s%s\n      %s\n" % (option.name.replace("_", "-"), value, option.meaning), shown)


class Readme(unittest.TestCase):
    def test_every_message_is_explained(self):
        readme = read("README.md")
        for path in sources():
            with open(path) as file:
                text = re.sub(r'"\s*"', "", file.read())
            for call in ("message_write", "message_write_once"):
                for message in re.findall(call + r'\([^;]*?"((?:[^"\\]|\\.)+)"', text):
                    if message == "%s":
                        continue
                    with self.subTest(message=message):
                        pieces = [piece for piece in re.split(r"%\w+", message) if len(piece) > 3]
                        self.assertTrue(pieces)
                        for piece in pieces:
                            self.assertIn(piece.strip(), readme)


class Guide(unittest.TestCase):
    """doc/from-snapshot-to-fix.md and its bot."""

    PAGE = read("doc/from-snapshot-to-fix.md")

    def test_its_fix_fits_its_bot(self):
        bot = read("doc/leaky_discord_bot.py")
        diff = re.search(r"```diff\n(.*?)```", self.PAGE, re.S).group(1)
        for hunk in diff.split("@@\n"):
            lines = hunk.splitlines()
            before = "".join(line[1:] + "\n" for line in lines if line[0] in " -")
            after = "".join(line[1:] + "\n" for line in lines if line[0] in " +")
            self.assertEqual(bot.count(before), 1, before)
            bot = bot.replace(before, after)
        compile(bot, "fixed", "exec")

    def test_its_commands_name_what_is_there(self):
        commands = "".join(re.findall(r"```sh\n(.*?)```", self.PAGE, re.S))
        paths = re.findall(r"\b(?:doc|tests|tools)/[\w/.-]+", commands)
        self.assertGreaterEqual(len(paths), 4)
        for path in paths:
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)
        names = [option.name.replace("_", "-") for option in OPTIONS]
        ours = ("config", "rate", "max-messages", "deadline")
        for option in re.findall(r" --([\w-]+)", commands):
            self.assertIn(option, [*names, *ours])


class ManPages(unittest.TestCase):
    @unittest.skipUnless(shutil.which("scdoc"), "scdoc is not installed")
    def test_they_are_sound(self):
        for path in sorted(glob.glob(os.path.join(ROOT, "doc", "*.scd"))):
            with self.subTest(page=path), open(path) as source, tempfile.NamedTemporaryFile() as page:
                subprocess.run(["scdoc"], stdin=source, stdout=page, check=True)
                # What scdoc writes has some empty paragraphs, which mandoc warns of.
                for judge in (["mandoc", "-T", "lint", "-W", "error"], ["man", "--warnings", "-E", "UTF-8", "-l"]):
                    if shutil.which(judge[0]):
                        done = subprocess.run([*judge, page.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                        self.assertEqual((done.returncode, done.stderr), (0, b""), judge)
                        self.assertNotIn(b"ERROR", done.stdout)


class Version(unittest.TestCase):
    def test_is_the_same_everywhere(self):
        version = re.search(r"^  version: '(.+)',", read("meson.build"), re.M).group(1)
        self.assertRegex(read("debian/changelog"), r"\Alibmemprof \(%s\) " % re.escape(version))
        self.assertRegex(read("NEWS.md"), r"\A# News\n\n## %s " % re.escape(version))
        self.assertIn("\nmemprof_version=%s\n" % version, read("tools/memprof-run"))

    def test_debian_asks_for_what_the_build_needs(self):
        script = read("tools/install-dependencies")
        needed = set(" ".join(re.findall(r'^(?:build|report)="(.*)"', script, re.M)).split())
        asked = re.search(r"^Build-Depends: (.+(?:\n .+)*)", read("debian/control"), re.M).group(1)
        asked = {re.sub(r":any$", "", word.strip()) for word in asked.split(",")}
        # gcc and libc6-dev are there wherever packages are built; meson brings ninja.
        self.assertEqual(asked - {"debhelper-compat (= 13)"}, needed - {"gcc", "libc6-dev", "ninja-build"})


class Sources(unittest.TestCase):
    def test_only_some_see_the_interpreter(self):
        for path in sources():
            name = os.path.basename(path)
            if name.startswith("py_") or name in MAY_SEE_PYTHON:
                continue
            with self.subTest(file=name), open(path) as file:
                self.assertIsNone(re.search(r'#include "(\w+/)?py_|\bpy\.|\bPyObject\b', file.read()))

    def test_nothing_ends_the_host(self):
        for path in sources():
            with self.subTest(file=path), open(path) as file:
                text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
                if os.path.basename(path) == "twin.c":    # a copy of the process has to end
                    text = re.sub(r"\b_exit\(", "", text)
                self.assertIsNone(re.search(r"\b(_?exit|abort|assert|PyErr_Set\w+)\(", text))

    def test_every_file_says_its_licence(self):
        for path in sources():
            with self.subTest(file=path), open(path) as file:
                self.assertTrue(file.read().startswith("/* SPDX-License-Identifier: MIT\n *\n"))


class Library(unittest.TestCase):
    def test_needs_no_library_and_no_version(self):
        self.assertNotIn("NEEDED", output_of("readelf", "-d", "-W", LIBRARY))
        self.assertNotRegex(output_of("readelf", "--dyn-syms", "-W", LIBRARY), r"@")
        self.assertNotIn(" TLS ", output_of("readelf", "-l", "-W", LIBRARY))

    def test_every_reference_is_weak(self):
        lines = output_of("nm", "-D", "--undefined-only", LIBRARY).splitlines()
        self.assertGreater(len(lines), 20)
        self.assertEqual([line for line in lines if line.split()[0] != "w"], [])

    def test_is_small(self):
        with tempfile.NamedTemporaryFile() as stripped:
            output_of("strip", "-o", stripped.name, LIBRARY)
            self.assertLessEqual(os.path.getsize(stripped.name), 256 * 1024)

    def test_exports_the_initialisers_only(self):
        names = output_of("nm", "-D", "--defined-only", LIBRARY).split()[2::3]
        self.assertEqual(sorted(names),
                         ["Py_Initialize", "Py_InitializeEx", "Py_InitializeFromConfig"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
