# SPDX-License-Identifier: MIT
"""tools/make-release: what is in its archives, and that what is unpacked works.

Usage: test_make_release.py SOURCE_ROOT FOLDER

FOLDER is that of tests/distro: the library for 64-bit ARM is tried where check_aarch64.py has been there, which
does that itself, too.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distro"))
import emulated

SOURCE, FOLDER = sys.argv[1:3]
ARM = os.path.join(FOLDER, "trixie-arm64")
LIBYAML = ARM + "/usr/lib/aarch64-linux-gnu/libyaml.a"
NATIVE = os.uname().machine
MACHINES = {"x86_64": "X86-64", "aarch64": "AArch64"}
PAGES = {"share/man/man1/memprof-run.1", "share/man/man5/memprof.yml.5", "share/man/man7/memprof.7"}

with open(os.path.join(SOURCE, "meson.build")) as file:
    VERSION = re.search(r"^  version: '(.+)',", file.read(), re.M).group(1)


class MakeRelease(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="memprof-release-")
        self.addCleanup(shutil.rmtree, self.folder)

    def make(self, *what, source=SOURCE, folder="1", code=0, **environment):
        done = subprocess.run([source + "/tools/make-release", "--output", self.path(folder), *what],
                              env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
        return done.stderr.decode()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def copy(self):
        """The source in another folder."""
        ignore = shutil.ignore_patterns(".git", "build*", "__pycache__")
        return shutil.copytree(SOURCE, self.path("checkout"), symlinks=True, ignore=ignore)

    def unpack(self, architecture):
        """As README says; the files that are in it."""
        name = "libmemprof-%s-%s" % (VERSION, architecture)
        with tarfile.open(self.path("1", name + ".tar.gz")) as archive:
            members = archive.getmembers()
            archive.extractall(self.folder)
        self.assertEqual({(member.uid, member.gid) for member in members}, {(0, 0)})
        return self.path(name), {member.name[len(name) + 1:] for member in members if member.isfile()}

    def assert_complete(self, architecture):
        folder, files = self.unpack(architecture)
        documents = {"share/doc/libmemprof/" + name for name in (
            "COPYING", "NEWS.md", "README.md", "copyright", "doc/from-snapshot-to-fix.md",
            "doc/leaky_discord_bot.py")}
        pages = PAGES if shutil.which("scdoc") else set()
        self.assertEqual(files, {"bin/memprof-run", "lib/libmemprof.so"} | documents | pages)
        facts = subprocess.run(["readelf", "-h", "-d", "-S", "-W", folder + "/lib/libmemprof.so"],
                               stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertRegex(facts, r"Machine: +.*" + MACHINES[architecture])
        for word in ("NEEDED", ".debug_info", ".symtab"):
            self.assertNotIn(word, facts)
        return folder

    def assert_sums(self, *architectures):
        """Of each archive, and right."""
        done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=self.path("1"), check=True,
                              stdout=subprocess.PIPE)
        self.assertEqual(done.stdout.decode(), "".join("libmemprof-%s-%s.tar.gz: OK\n" % (VERSION, one)
                                                       for one in sorted(architectures)))

    @unittest.skipUnless(NATIVE in MACHINES, "no release for this architecture")
    @unittest.skipUnless(shutil.which("scdoc"), "scdoc is not installed")
    def test_the_library_of_this_machine_works(self):
        self.assertEqual(self.make(NATIVE), "")
        self.assert_sums(NATIVE)
        folder = self.assert_complete(NATIVE)
        environment = {key: value for key, value in os.environ.items() if key != "MEMPROF_LIBRARY"}
        done = subprocess.run([folder + "/bin/memprof-run", "--snapshot-at-exit", "--output=stderr", "--",
                               "python3", "-c", ""], env=environment, stderr=subprocess.PIPE)
        self.assertIn(b"Memory Snapshot", done.stderr)

    @unittest.skipUnless(NATIVE in MACHINES, "no release for this architecture")
    @unittest.skipUnless(shutil.which("scdoc"), "scdoc is not installed")
    def test_the_same_source_makes_the_same_archive(self):
        self.make(NATIVE, SOURCE_DATE_EPOCH="1800000000")
        self.make(NATIVE, source=self.copy(), folder="2", SOURCE_DATE_EPOCH="1800000000")
        with open(self.path("1", "SHA256SUMS")) as first, open(self.path("2", "SHA256SUMS")) as second:
            self.assertEqual(first.read(), second.read())

    @unittest.skipUnless(shutil.which("aarch64-linux-gnu-gcc") and os.path.exists(LIBYAML),
                         "no compiler or no libyaml for 64-bit ARM")
    def test_the_library_for_arm(self):
        """Unpacked in an emulated Debian, and used there, beside that for this machine."""
        self.make(NATIVE, "aarch64", LIBYAML_AARCH64=LIBYAML)
        self.assert_sums(NATIVE, "aarch64")
        folder = self.assert_complete("aarch64")
        reason = emulated.reason_against()
        if reason:
            self.skipTest(reason)
        debian = emulated.Emulated(ARM)
        place = debian.inside("/usr/local/memprof")
        shutil.rmtree(place, ignore_errors=True)
        self.addCleanup(shutil.rmtree, place)
        shutil.copytree(folder, place)
        code, text = debian.say("/usr/local/memprof/bin/memprof-run", "--snapshot-at-exit", "--output=stderr", "--",
                                "python3", "-c", "import os; print(os.uname().machine)")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, "(?m)^aarch64$")
        self.assertIn("Memory Snapshot", text)
        self.assertNotIn("memprof-run:", text)

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_the_source_is_what_was_committed(self):
        """And builds: `meson dist` sees to that."""
        checkout = self.copy()
        git = ["git", "-C", checkout, "-c", "user.name=test", "-c", "user.email=test@localhost"]
        for command in ["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]:
            subprocess.run(git + command, check=True)
        self.make("source", source=checkout)
        committed = subprocess.run(git + ["ls-files"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
        name = "libmemprof-" + VERSION
        with tarfile.open(self.path("1", name + ".tar.xz")) as archive:
            packed = [member.name for member in archive.getmembers() if not member.isdir()]
        self.assertEqual(sorted(packed), sorted(name + "/" + path for path in committed))
        # What is not committed would be missing in it.
        with open(checkout + "/NEWS.md", "a") as news:
            news.write("\n")
        self.assertIn("uncommitted changes", self.make("source", source=checkout, folder="2", code=1))

    def test_it_says_what_is_missing(self):
        """And leaves nothing of an earlier run that could be taken for its own."""
        os.mkdir(self.path("1"))
        for name in ("libmemprof-%s-riscv64.tar.gz" % VERSION, "SHA256SUMS"):
            open(self.path("1", name), "w").close()
        said = self.make("riscv64", "aarch64", code=1, LIBYAML_AARCH64="/nowhere/libyaml.a")
        self.assertIn("make-release: riscv64: neither this machine's architecture nor", said)
        if NATIVE != "aarch64":
            self.assertRegex(said, "make-release: aarch64: there is no (/nowhere/libyaml.a|aarch64-linux-gnu-gcc)")
        self.assertEqual(os.listdir(self.path("1")), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
