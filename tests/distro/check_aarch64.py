#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cross-builds the library for 64-bit ARM and runs tests with an ARM Python under qemu-user.

Usage: check_aarch64.py SOURCE_ROOT FOLDER

debootstrap brings an ARM Debian trixie (CPython 3.13) below FOLDER, from which only files are taken:
nothing of it runs but its Python, emulated. Exits with 77 and a reason where it cannot run.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

EMULATOR = "/usr/bin/qemu-aarch64-static"
MIRROR = "http://deb.debian.org/debian"
# Tests whose programs start no further program, which the emulator would not follow into.
SELECTED = {"snapshot": [], "config": ["Faults"], "logging": ["Reached"]}


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def output_of(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def make_root(root):
    if os.path.exists(os.path.join(root, "complete")):
        return
    shutil.rmtree(root, ignore_errors=True)
    code, text = output_of(["debootstrap", "--arch=arm64", "--foreign", "--variant=minbase",
                            "--include=python3,libyaml-dev", "trixie", root, MIRROR])
    if code != 0:
        skip("debootstrap failed: " + text[-500:])
    for package in glob.glob(os.path.join(root, "var/cache/apt/archives/*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    open(os.path.join(root, "complete"), "w").close()


def build(source, folder, root):
    target = os.path.join(folder, "build-aarch64")
    archive = os.path.join(root, "usr/lib/aarch64-linux-gnu/libyaml.a")
    if not os.path.exists(target):
        subprocess.run(["meson", "setup", target, source, "-Dtests=false", "-Dlibyaml=" + archive,
                        "--cross-file", os.path.join(source, "tests/distro/aarch64.ini")],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", target], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(target, "src", "libmemprof.so")


def make_python(source, folder, root):
    path = os.path.join(folder, "python3-aarch64")
    subprocess.run(["cc", "-static", "-o", path, '-DROOT="%s"' % root, '-DEMULATOR="%s"' % EMULATOR,
                    os.path.join(source, "tests/distro/emulate.c")], check=True)
    return path


def main():
    source, folder = sys.argv[1:]
    for program in ("debootstrap", "aarch64-linux-gnu-gcc", EMULATOR):
        if shutil.which(program) is None:
            skip("no %s here" % program)
    if os.getuid() != 0:
        skip("debootstrap needs root")
    os.makedirs(folder, exist_ok=True)
    root = os.path.join(folder, "trixie-arm64")
    make_root(root)
    environment = dict(os.environ, MEMPROF_LIBRARY=build(source, folder, root),
                       MEMPROF_TEST_PYTHONS=make_python(source, folder, root),
                       MEMPROF_TEST_PYTHONS_ONLY="1", MEMPROF_TEST_TIMEOUT="400",
                       # The emulator knows no clone() without an exit signal.
                       MEMPROF_TEST_CANNOT_FORK="1")
    passed = failed = 0
    for name, words in SELECTED.items():
        test = os.path.join(source, "tests/run/test_%s.py" % name)
        code, text = output_of([sys.executable, test, *words], env=environment)
        counts = re.findall(r"^(\d+) passed, (\d+) failed", text, re.M)
        good, bad = (int(number) for number in counts[-1]) if counts else (0, 1)
        print("aarch64: %s: %d passed, %d failed" % (name, good, bad), flush=True)
        if bad or code != 0:
            print(text)
        passed += good
        failed += bad
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(0 if passed and not failed else 1)


if __name__ == "__main__":
    main()
