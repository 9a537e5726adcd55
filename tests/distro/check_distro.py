#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests of tests/run and the discord.py bot inside another release of Debian.

Usage: check_distro.py RELEASE LIBRARY FOLDER [PACKAGE ...]

debootstrap makes RELEASE below FOLDER once; later runs use it again. PACKAGEs are installed where the
release has them (an interpreter beside the default one, say). Needs root; exits with 77 and a reason
where it cannot run.
"""

import os
import re
import shutil
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = ["python3", "python3-venv", "python3-discord", "python3-aiohttp", "python3-yaml",
            "python3-prometheus-client", "binutils"]
MIRROR = "http://deb.debian.org/debian"
# Newer releases than debootstrap knows are laid out like sid.
SCRIPT = "/usr/share/debootstrap/scripts/sid"
RUNS = [["tests/run/test_%s.py" % name]
        for name in ("snapshot", "modes", "activation", "config", "logging", "lifecycle",
                     "retention", "leaks", "untracked", "process", "metrics")]
RUNS += [["tests/run/stress_start_stop.py", "200"],
         ["tests/hosts/discord/check_discord.py", "--library", "/memprof/libmemprof.so"]]

# What needs packages that not every release has.
OTLP_RUN = ["tests/run/test_otlp.py"]
OTLP_PACKAGE = "python3-opentelemetry-exporter-otlp-proto-http"


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


class Root:
    """A release of Debian in a folder."""

    def __init__(self, release, folder):
        self.release = release
        self.path = os.path.join(folder, release)

    def make(self):
        if os.path.exists(os.path.join(self.path, "memprof", "complete")):
            return
        self.unmount()    # an earlier run may have been killed
        shutil.rmtree(self.path, ignore_errors=True)
        known = os.path.join(os.path.dirname(SCRIPT), self.release)
        script = [] if os.path.exists(known) else [SCRIPT]
        made = subprocess.run(["debootstrap", "--variant=minbase", self.release, self.path, MIRROR,
                               *script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode != 0:
            skip("debootstrap %s failed: %s" % (self.release, made.stdout.decode()[-500:]))

    def run(self, *command, **options):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root",
                       "DEBIAN_FRONTEND": "noninteractive", "PYTHONDONTWRITEBYTECODE": "1",
                       "MEMPROF_LIBRARY": "/memprof/libmemprof.so"}
        return subprocess.run(["chroot", self.path, *command], env=environment, **options)

    def mount(self):
        for kind, target in (("proc", "proc"), ("devpts", "dev/pts"), ("tmpfs", "dev/shm")):
            place = os.path.join(self.path, target)
            os.makedirs(place, exist_ok=True)
            if not os.path.ismount(place):
                subprocess.run(["mount", "-t", kind, kind, place], check=True)
        link = os.path.join(self.path, "dev", "ptmx")
        if not os.path.exists(link):
            os.symlink("pts/ptmx", link)

    def unmount(self):
        for target in ("dev/shm", "dev/pts", "proc"):
            place = os.path.join(self.path, target)
            if os.path.ismount(place):
                subprocess.run(["umount", place])

    def install(self, packages):
        """Returns those of `packages` that there are."""
        found = []
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.run("apt-get", "update", "-q", **quiet)
        self.run("apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES, check=True,
                 stdout=subprocess.DEVNULL)
        for package in packages:
            done = self.run("apt-get", "install", "-y", "-q", "--no-install-recommends", package,
                            **quiet)
            if done.returncode != 0:
                print("skipped: %s has no package %s" % (self.release, package))
            else:
                found.append(package)
        return found

    def bring(self, library):
        work = os.path.join(self.path, "memprof")
        os.makedirs(work, exist_ok=True)
        shutil.copy(library, os.path.join(work, "libmemprof.so"))
        shutil.rmtree(os.path.join(work, "tests"), ignore_errors=True)
        shutil.copytree(TESTS, os.path.join(work, "tests"))
        open(os.path.join(work, "complete"), "w").close()


def count(text):
    """The last `N passed, N failed` line of a test run."""
    lines = re.findall(r"^(\d+) passed, (\d+) failed", text, re.M)
    return (int(lines[-1][0]), int(lines[-1][1])) if lines else (0, 1)


def main():
    release, library, folder, *packages = sys.argv[1:]
    if os.getuid() != 0:
        skip("needs root for a chroot")
    if shutil.which("debootstrap") is None:
        skip("no debootstrap here")
    root = Root(release, folder)
    root.make()
    passed = failed = 0
    try:
        root.mount()
        runs = RUNS + ([OTLP_RUN] if OTLP_PACKAGE in root.install(packages) else [])
        root.bring(library)
        for test, *arguments in runs:
            done = root.run("python3", "/memprof/" + test, *arguments, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
            text = done.stdout.decode("utf-8", "replace")
            good, bad = count(text)
            print("%s: %s: %d passed, %d failed" % (release, test, good, bad), flush=True)
            if bad or done.returncode != 0:
                print(text)
            passed += good
            failed += bad + (done.returncode != 0 and not bad)
    finally:
        root.unmount()
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(0 if passed and not failed else 1)


if __name__ == "__main__":
    main()
