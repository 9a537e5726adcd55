# SPDX-License-Identifier: MIT
"""The one file loads under every libc, and where there is none.

Usage: MEMPROF_LIBRARY=... test_libc.py PROGRAM_WITHOUT_LIBC
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

LIBRARY = os.environ["MEMPROF_LIBRARY"]
PROGRAM = sys.argv[1]


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()


def run(command, **more):
    return subprocess.run(command, env=dict(os.environ, LD_PRELOAD=LIBRARY, **more), timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class NoLibc(unittest.TestCase):
    def test_none_is_loaded(self):
        self.assertNotIn("NEEDED", output_of("readelf", "-d", PROGRAM))

    def test_starts(self):
        for more in ({}, {"LD_BIND_NOW": "1"}):
            with self.subTest(environment=more):
                done = run([PROGRAM], **more)
                self.assertEqual((done.returncode, done.stdout), (5, b""))


class References(unittest.TestCase):
    def names(self):
        lines = output_of("nm", "-D", "--undefined-only", LIBRARY).splitlines()
        return {line.split()[-1] for line in lines}

    def test_none_that_only_newer_headers_make(self):
        odd = [name for name in self.names() if re.search(r"64$|_chk$|^__isoc|_time64$", name)]
        self.assertEqual(odd, [])

    def test_musl_has_them_all(self):
        libraries = glob.glob("/usr/lib/*-linux-musl/libc.so") + glob.glob("/lib/ld-musl-*.so.1")
        if not libraries:
            self.skipTest("no musl here (package musl)")
        defined = {line.split()[-1]
                   for line in output_of("nm", "-D", "--defined-only", libraries[0]).splitlines()}
        # Of pthread_atfork() each libc exports its own form, and two are glibc's own: fork_watch.c
        # and allocator_stats.c look before they call. And by one function of CPython inject.c knows
        # whether there is one.
        self.assertEqual(self.names() - defined,
                         {"__register_atfork", "gnu_get_libc_version", "mallinfo2",
                          "PySys_AddAuditHook"})
        self.assertIn("pthread_atfork", defined)


class Musl(unittest.TestCase):
    def test_loads(self):
        if shutil.which("musl-gcc") is None:
            self.skipTest("no musl-gcc here (package musl-tools)")
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program")
            subprocess.run(["musl-gcc", "-x", "c", "-", "-o", program], check=True,
                           input=b"#include <stdlib.h>\n"
                                 b"int main(void) { return getenv(\"LD_PRELOAD\") ? 7 : 8; }\n")
            done = run([program])
        # musl's dynamic linker resolves everything at the start, and would name what is missing.
        self.assertEqual((done.returncode, done.stdout), (7, b""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
