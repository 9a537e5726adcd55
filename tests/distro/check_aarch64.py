#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cross-builds the library for 64-bit ARM and runs tests with an ARM Python under qemu-user.

Usage: check_aarch64.py SOURCE_ROOT FOLDER

debootstrap brings an ARM Debian trixie (CPython 3.13) below FOLDER, of which only the files are there: nothing
in it has been configured. Its Python runs emulated, and what tools/make-release makes for it. Exits with 77 and
a reason where it cannot run.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

from emulated import EMULATOR

MIRROR = "http://deb.debian.org/debian"
PACKAGES = "python3,libyaml-dev,libjansson4"
# Tests whose programs start no further program, which the emulator would not follow into.
SELECTED = {"snapshot": [], "config": ["Faults"], "logging": ["Reached"]}


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def output_of(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def is_complete(root):
    try:
        with open(os.path.join(root, "complete")) as file:
            return file.read() == PACKAGES
    except FileNotFoundError:
        return False


def make_root(root):
    if is_complete(root):
        return
    shutil.rmtree(root, ignore_errors=True)
    code, text = output_of(["debootstrap", "--arch=arm64", "--foreign", "--variant=minbase",
                            "--include=" + PACKAGES, "trixie", root, MIRROR])
    if code != 0:
        skip("debootstrap failed: " + text[-500:])
    # dpkg is told that they are installed, which the dependencies of other packages are about.
    with open(os.path.join(root, "var/lib/dpkg/status"), "w") as status:
        for package in glob.glob(os.path.join(root, "var/cache/apt/archives/*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
            fields = subprocess.run(["dpkg-deb", "-f", package], check=True, stdout=subprocess.PIPE).stdout
            status.write(fields.decode() + "Status: install ok installed\n\n")
    with open(os.path.join(root, "complete"), "w") as file:
        file.write(PACKAGES)


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
    # Only here is there a libyaml for it.
    code, text = output_of([sys.executable, os.path.join(source, "tests/tools/test_make_release.py"), source, folder,
                            "MakeRelease.test_the_library_for_arm"])
    print("aarch64: make-release:", text, flush=True)
    passed += code == 0
    failed += code != 0
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(0 if passed and not failed else 1)


if __name__ == "__main__":
    main()
