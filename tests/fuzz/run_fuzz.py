# SPDX-License-Identifier: MIT
"""Fuzzes the configuration loader from the kept corpus. Usage: run_fuzz.py FUZZER SECONDS

What is new goes to a folder that is thrown away; a finding is printed and fails. To keep inputs, run
the fuzzer by hand with a corpus folder of its own.
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    fuzzer, seconds = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="memprof-fuzz-") as folder:
        done = subprocess.run([os.path.abspath(fuzzer), "-max_total_time=" + seconds, "-max_len=4096",
                               "-dict=" + os.path.join(HERE, "config.dict"),
                               "-artifact_prefix=" + folder + "/", folder,
                               os.path.join(HERE, "corpus")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode("utf-8", "replace")
        print(text[-4000:])
        for name in sorted(os.listdir(folder)):
            if name.startswith(("crash-", "leak-", "oom-", "slow-", "timeout-")):
                with open(os.path.join(folder, name), "rb") as file:
                    print(name, repr(file.read()))
    print("%d passed, %d failed" % (done.returncode == 0, done.returncode != 0))
    sys.exit(0 if done.returncode == 0 else 1)


if __name__ == "__main__":
    main()
