# SPDX-License-Identifier: MIT
"""A program that no libc is loaded for starts and ends as ever.

Usage: MEMPROF_LIBRARY=... no_libc.py PROGRAM
"""

import os
import subprocess
import sys
import unittest

PROGRAM = sys.argv[1]


class NoLibc(unittest.TestCase):
    def run_with(self, **more):
        environment = dict(os.environ, LD_PRELOAD=os.environ["MEMPROF_LIBRARY"], **more)
        return subprocess.run([PROGRAM], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)

    def test_no_libc_is_loaded(self):
        needed = subprocess.run(["readelf", "-d", PROGRAM], stdout=subprocess.PIPE).stdout
        self.assertNotIn(b"NEEDED", needed)

    def test_starts(self):
        done = self.run_with()
        self.assertEqual((done.returncode, done.stdout), (5, b""))

    def test_starts_with_everything_bound_at_once(self):
        done = self.run_with(LD_BIND_NOW="1")
        self.assertEqual((done.returncode, done.stdout), (5, b""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
