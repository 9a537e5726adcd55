#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the Debian package, installs it beside nothing but Python, uses it there, and purges it again.

Usage: check_package.py SOURCE_ROOT FOLDER PRINT_CONFIG

debootstrap makes Debian below FOLDER once, and two copies of it: one gets what debian/control asks for and
builds, one gets Python and man. Later runs use them again. So the machine's own Debian needs no debhelper,
and may be another release. The package for arm64 is cross-built there too, and used in the emulated Debian of
check_aarch64.py, in the folder above. Needs root; exits with 77 and a reason where it cannot run.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

import check_aarch64
import emulated
from check_distro import Root, skip

SOURCE, FOLDER, PRINT_CONFIG = sys.argv[1:4]
RELEASE = "bookworm"
# Where the program's files and those of this test are, and what apt and man keep for themselves.
NOT_COMPARED = r"/(memprof|proc|dev|tmp|var/(lib/(dpkg|apt)|cache|log)|etc/ld\.so\.cache)(/|$)"
LOG = "/memprof/leaky.log"
# One snapshot that is asked for, one at the end.
LEAKY = """
import logging, os, signal, time
logging.basicConfig(filename="%s", level=logging.INFO)
class Message:
    pass
kept = [Message() for _ in range(10000)]
os.kill(os.getpid(), signal.SIGUSR1)
end = time.monotonic() + 60
while "Memory Snapshot" not in open("%s").read() and time.monotonic() < end:
    time.sleep(0.05)
kept += [Message() for _ in range(5000)]
""" % (LOG, LOG)


class Copy(Root):
    """A copy of a root, with packages of its own."""

    def __init__(self, origin, name):
        super().__init__(RELEASE, FOLDER)
        self.origin = origin
        self.path = os.path.join(FOLDER, name)

    def make(self):
        if os.path.exists(self.inside("/memprof/complete")):
            return
        self.remove()
        subprocess.run(["cp", "-a", "--reflink=auto", self.origin.path, self.path], check=True)
        os.makedirs(self.inside("/memprof"), exist_ok=True)

    def complete(self):
        open(self.inside("/memprof/complete"), "w").close()

    def remove(self):
        self.unmount()    # an earlier run may have been killed
        shutil.rmtree(self.path, ignore_errors=True)

    def inside(self, path):
        return self.path + path

    def say(self, *command, folder="/"):
        """Runs a command; its exit code and what it says."""
        done = self.run("sh", "-c", 'unset MEMPROF_LIBRARY; cd "$0" && exec "$@"', folder, *command,
                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def need(self, *command, folder="/"):
        """The same, where failure is that of this test."""
        code, text = self.say(*command, folder=folder)
        if code != 0:
            raise RuntimeError("%s: exit code %d\n%s" % (" ".join(command), code, text[-4000:]))
        return text

    def get(self, verb, *packages, folder="/"):
        return self.need("apt-get", verb, "-y", "-q", "--no-install-recommends", *packages, folder=folder)

    def files(self):
        found = set()
        for folder, folders, files in os.walk(self.path):
            for name in folders + files:
                path = os.path.join(folder, name)[len(self.path):]
                if not re.match(NOT_COMPARED, path):
                    found.add(path)
        return found


class Judge:
    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, what, good, text=""):
        self.passed += bool(good)
        self.failed += not good
        print("%s: %s" % (what, "passed" if good else "FAILED\n%s" % (text,)), flush=True)


def make_roots():
    base = Root(RELEASE, FOLDER)
    base.make()
    os.makedirs(os.path.join(base.path, "memprof"), exist_ok=True)
    open(os.path.join(base.path, "memprof", "complete"), "w").close()
    builder, clean = Copy(base, "builder"), Copy(base, "clean")
    for root, packages in (builder, ["build-essential", "lintian"]), (clean, ["python3", "man-db"]):
        root.make()
        root.need("apt-get", "update", "-q")
        root.get("install", *packages)
        root.complete()
    return builder, clean


def build(builder):
    """Builds source and binary packages; the folder that they are in."""
    work = builder.inside("/memprof/package")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(SOURCE, work + "/libmemprof", symlinks=True,
                    ignore=shutil.ignore_patterns(".git", "build", "build-*", "__pycache__"))
    builder.get("build-dep", "./", folder="/memprof/package/libmemprof")
    builder.need("dpkg-buildpackage", "-us", "-uc", folder="/memprof/package/libmemprof")
    return work


def cross_build(builder):
    """The binary package for arm64, beside the others."""
    if builder.need("dpkg", "--print-architecture").strip() == "arm64":
        return
    if "arm64" not in builder.need("dpkg", "--print-foreign-architectures"):
        builder.need("dpkg", "--add-architecture", "arm64")
        builder.need("apt-get", "update", "-q")
        builder.get("install", "crossbuild-essential-arm64")
    builder.get("build-dep", "-aarm64", "./", folder="/memprof/package/libmemprof")
    builder.need("dpkg-buildpackage", "-us", "-uc", "-b", "-aarm64", folder="/memprof/package/libmemprof")


def judge_build(judge, builder, work):
    code, text = builder.say("sh", "-c", "lintian --allow-root --fail-on error,warning *.changes",
                             folder="/memprof/package")
    judge.expect("lintian", code == 0, text)
    (source,) = glob.glob(work + "/*.tar.*")
    names = subprocess.run(["tar", "-tf", source], stdout=subprocess.PIPE, check=True).stdout.decode()
    judge.expect("source package", "/src/inject.c\n" in names and not re.search(r"/(build|\.git)/", names), names)


def judge_package(judge, package, root):
    """What is in it, before anything of it runs."""
    fields = dict(re.findall(r"^(\S+): (.*)", root.need("dpkg-deb", "-f", package), re.M))
    depends = set(re.findall(r"(?:^|, )(\S+)", fields["Depends"]))
    judge.expect("dependencies", depends == {"libc6", "libjansson4"}, fields)
    with open(SOURCE + "/meson.build") as file:
        judge.expect("version", "  version: '%s',\n" % fields["Version"] in file.read(), fields)


def judge_library(judge, library):
    done = subprocess.run([sys.executable, SOURCE + "/tests/test_documents.py", SOURCE, PRINT_CONFIG, library],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    judge.expect("library", done.returncode == 0, done.stdout.decode())


def judge_linking(judge, root, library):
    # What dpkg-buildflags asks of every program; the library that all other tests see is without it.
    for what, file, hardened in ("library", library, False), ("program", root.inside("/usr/bin/memprof-report"), True):
        facts = subprocess.run(["readelf", "-d", "-l", "--dyn-syms", "-W", file], stdout=subprocess.PIPE,
                               check=True).stdout.decode()
        # Fortified functions end so; __stack_chk_fail, which does not, is what Debian's libyaml.a asks for.
        found = [word for word in ("BIND_NOW", "GNU_RELRO", r"_chk\b") if re.search(word, facts)]
        judge.expect("linking of the " + what, len(found) == (3 if hardened else 0), facts)


def judge_use(judge, clean):
    with open(clean.inside("/memprof/leaky.py"), "w") as file:
        file.write(LEAKY)
    code, text = clean.say("memprof-run", "--snapshot-signal=SIGUSR1", "--snapshot-at-exit", "--",
                           "python3", "/memprof/leaky.py")
    judge.expect("memprof-run", (code, text) == (0, ""), (code, text))
    with open(clean.inside(LOG)) as file:
        log = file.read()
    judge.expect("log", log.count("Memory Snapshot") == 2 and "__main__.Message: 15,000 objects" in log, log)
    # The loader knows the folder: the name is enough.
    program = "import os; raise SystemExit('/libmemprof.so' not in open('/proc/self/maps').read())"
    code, text = clean.say("env", "LD_PRELOAD=libmemprof.so", "MEMPROF_OUTPUT=stderr", "MEMPROF_SNAPSHOT_AT_EXIT=yes",
                           "python3", "-c", program)
    judge.expect("LD_PRELOAD", code == 0 and "Memory Snapshot" in text, text)
    code, text = clean.say("memprof-report", LOG)
    judge.expect("memprof-report", code == 0 and "__main__.Message" in text, text)
    code, text = clean.say("memprof-report", "--html", "/memprof/leaky.html", LOG)
    judge.expect("memprof-report --html", code == 0 and os.path.exists(clean.inside("/memprof/leaky.html")), text)


def judge_pages(judge, clean):
    code, text = clean.say("man", "-w", "memprof", "memprof-run", "memprof-report", "memprof.yml")
    judge.expect("man pages", code == 0 and text.count("/usr/share/man/man") == 4, text)


def judge_arm(judge, work):
    """The package for arm64, emulated: dpkg's own there too."""
    reason = emulated.reason_against()
    if reason:
        print("skipped: arm64: " + reason)
        return
    path = os.path.join(os.path.dirname(os.path.abspath(FOLDER)), "trixie-arm64")
    check_aarch64.make_root(path)
    arm = emulated.Emulated(path)
    shutil.rmtree(arm.inside("/memprof"), ignore_errors=True)
    os.mkdir(arm.inside("/memprof"))
    (package,) = glob.glob(work + "/libmemprof_*_arm64.deb")
    shutil.copy(package, arm.inside("/memprof/libmemprof.deb"))
    code, text = arm.say("dpkg", "--install", "/memprof/libmemprof.deb")
    judge.expect("arm64: dpkg --install", code == 0, text)
    library = arm.inside("/usr/lib/aarch64-linux-gnu/libmemprof.so")
    judge_linking(judge, arm, library)
    judge_use(judge, arm)
    code, text = arm.say("dpkg", "--purge", "libmemprof")
    judge.expect("arm64: dpkg --purge", code == 0 and not os.path.exists(library), text)


def main():
    if os.getuid() != 0:
        skip("needs root for a chroot")
    if shutil.which("debootstrap") is None:
        skip("no debootstrap here")
    os.makedirs(FOLDER, exist_ok=True)
    builder, clean = make_roots()
    installed = Copy(clean, "installed")
    judge = Judge()
    try:
        builder.mount()
        work = build(builder)
        cross_build(builder)
        judge_build(judge, builder, work)
        installed.remove()
        subprocess.run(["cp", "-a", "--reflink=auto", clean.path, installed.path], check=True)
        installed.mount()
        before = installed.files()
        (package,) = glob.glob(work + "/libmemprof_*_%s.deb" % builder.need("dpkg", "--print-architecture").strip())
        shutil.copy(package, installed.inside("/memprof/libmemprof.deb"))
        judge_package(judge, "/memprof/libmemprof.deb", installed)
        installed.get("install", "/memprof/libmemprof.deb")
        (library,) = glob.glob(installed.inside("/usr/lib/*/libmemprof.so"))
        judge_library(judge, library)
        judge_linking(judge, installed, library)
        judge_use(judge, installed)
        judge_pages(judge, installed)
        installed.get("purge", "--autoremove", "libmemprof")
        judge.expect("purge", installed.files() == before, sorted(installed.files() ^ before))
        judge_arm(judge, work)
    finally:
        builder.unmount()
        installed.remove()
    print("%d passed, %d failed" % (judge.passed, judge.failed))
    sys.exit(0 if judge.passed and not judge.failed else 1)


if __name__ == "__main__":
    main()
