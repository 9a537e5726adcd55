# SPDX-License-Identifier: MIT
"""What the benchmarks of forked copies share.

Each of them runs itself as the program that is measured, with `--inside` and what it is to do; that prints
its figures as JSON.
"""

import json
import os
import subprocess
import sys

# ---- Inside the program that is measured; any Python from 3.8 on ----


class Records:
    """What the profiler logs."""

    def __init__(self):
        import logging
        self.seen = []
        handler = logging.Handler()
        handler.emit = self.seen.append
        logger = logging.getLogger("memory_profiler")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False

    def snapshots(self):
        return [record for record in self.seen if hasattr(record, "memprof_objects")]

    def wait_for_first(self):
        import time
        while not self.snapshots():
            time.sleep(0.01)

    def ask(self):
        """Takes a snapshot; its record, and the private bytes per object that its copy had."""
        import signal
        import time
        seen, most = len(self.snapshots()), 0
        os.kill(os.getpid(), signal.SIGUSR1)
        while len(self.snapshots()) == seen:
            most = max(most, private_bytes())
            time.sleep(0.005)
        record = self.snapshots()[-1]
        return record, most / record.memprof_objects


def private_bytes():
    """Of the copy that takes a snapshot now, 0 where there is none."""
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name) as file:
                stat = file.read()
            if "(MemoryProfiler)" not in stat or stat.rsplit(") ", 1)[1].split()[1] != str(os.getpid()):
                continue
            with open("/proc/%s/smaps_rollup" % name) as file:
                return 1024 * sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))
        except OSError:
            continue
    return 0


# ---- Outside ----

def measure(python, *words, **options):
    """The figures of this benchmark's program, with options of the profiler."""
    settings = {"snapshot_mode": "fork", "snapshot_signal": "SIGUSR1", "interval_seconds": "3600", **options}
    environment = dict(os.environ, LD_PRELOAD=os.environ["MEMPROF_LIBRARY"])
    environment.update({"MEMPROF_" + name.upper(): value for name, value in settings.items()})
    done = subprocess.run([python, os.path.abspath(sys.argv[0]), "--inside", *map(str, words)],
                          env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main(run, report):
    """Calls run(*words) inside, or report(python, millions) with what the command line says."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--inside"]:
        print(json.dumps(run(*arguments[1:])))
        return
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    if arguments[:1] == ["--python"]:
        python, arguments = arguments[1], arguments[2:]
    report(python, arguments or ["0.1", "1"])
