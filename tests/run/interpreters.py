# SPDX-License-Identifier: MIT
"""The CPythons of this machine: on PATH, below ~/.pyenv, and in MEMPROF_TEST_PYTHONS."""

import glob
import os
import re
import shutil
import subprocess

QUESTION = """
import sys
name = sys.implementation.name if hasattr(sys, "implementation") else "cpython"
print("%s %d.%d.%d %s" % ((name,) + tuple(sys.version_info[:3]) + (getattr(sys, "abiflags", ""),)))
"""


class Interpreter:
    def __init__(self, path, name, version, flags):
        self.path = path
        self.name = name
        self.version = version
        self.flags = flags    # "d" for a debug build, "t" for a free-threaded one

    @property
    def number(self):
        return tuple(int(part) for part in self.version.split("."))

    @property
    def free_threaded(self):
        return "t" in self.flags

    @property
    def unsupported(self):
        """Why the profiler leaves this interpreter alone, or None."""
        if self.name != "cpython":
            return "not CPython"
        return "older than 3.8" if self.number < (3, 8, 0) else None

    def __str__(self):
        return "%s %s%s (%s)" % (self.name, self.version, self.flags, self.path)


def candidates():
    extra = os.environ.get("MEMPROF_TEST_PYTHONS", "")
    yield from [path for path in re.split(r"[:\s]+", extra) if path]
    if os.environ.get("MEMPROF_TEST_PYTHONS_ONLY"):
        return
    yield "/usr/bin/python3"
    yield shutil.which("python3-dbg") or ""
    for minor in range(6, 20):
        for suffix in ("", "t", "d", "td"):
            yield shutil.which("python3.%d%s" % (minor, suffix)) or ""
    yield from sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python")))


def ask(path):
    try:
        answer = subprocess.run([path, "-S", "-c", QUESTION], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.decode().split() + [""]
    return Interpreter(path, *words[:3]) if answer.returncode == 0 else None


def find():
    """Every interpreter once, by real path, oldest first. Python 2 is among the unsupported."""
    found = {}
    for path in candidates():
        real = os.path.realpath(path)
        if not path or real in found or not os.access(real, os.X_OK):
            continue
        # A pyenv shim chooses a version by the folder it is started in: no interpreter of its own.
        if "/shims/" in path:
            continue
        interpreter = ask(path)
        if interpreter is not None:
            found[real] = interpreter
    return sorted(found.values(), key=lambda interpreter: interpreter.number)


if __name__ == "__main__":
    for each in find():
        print("skipped: %s: %s" % (each, each.unsupported) if each.unsupported else
              "testing: %s" % each)
