# SPDX-License-Identifier: MIT
"""What count_untracked costs in the copy of the process.

Usage: MEMPROF_LIBRARY=... untracked.py [--python PYTHON] [MILLIONS ...]
"""

import json
import os
import subprocess
import sys

# ---- Inside the program that is measured; any Python from 3.8 on ----


class Record:
    def __init__(self, i):
        self.name, self.number, self.share = "name %d" % i, i * 1000, i / 3


# Each makes `count` objects, or nearly.
HEAPS = {
    "texts": lambda count: ["some text %d" % i for i in range(count)],
    "numbers": lambda count: [i * 10 ** 6 for i in range(count)],
    "a dict": lambda count: {"key %d" % i: i * 10 ** 6 for i in range(count // 2)},
    "tuples": lambda count: [("text %d" % i, (i * 1.5,)) for i in range(count // 4)],
    "instances": lambda count: [Record(i) for i in range(count // 4)],
    "lists": lambda count: [["text %d" % i] for i in range(count // 2)],
    "10 KB each": lambda count: [bytes(10000) for i in range(count // 10)],
}


def private_bytes(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid) as file:
            return 1024 * sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))
    except OSError:
        return 0


def copies():
    """The copies of this process."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name) as file:
                stat = file.read()
        except OSError:
            continue
        if "(MemoryProfiler)" in stat and stat.rsplit(") ", 1)[1].split()[1] == str(os.getpid()):
            yield int(name)


def run(heap, count):
    import gc
    import logging
    import signal
    import time
    keep = HEAPS[heap](count)
    for _ in range(3):
        gc.collect()    # until what can be untracked is
    gc.disable()
    seen = []
    handler = logging.Handler()
    handler.emit = lambda record: hasattr(record, "memprof_objects") and seen.append(record)
    logging.getLogger().addHandler(handler)
    results = []
    for i in range(4):
        if i > 0:
            os.kill(os.getpid(), signal.SIGUSR1)
        most = 0
        while len(seen) == i:
            most = max([most] + [private_bytes(pid) for pid in copies()])
            time.sleep(0.002)
        record = seen[-1]
        results.append((record.memprof_duration_ms - record.memprof_pause_ms, record.memprof_pause_ms,
                        record.memprof_objects, most / record.memprof_objects))
    del keep
    print(json.dumps([min(result[i] for result in results) for i in range(3)] + [max(r[3] for r in results)]))


# ---- Outside ----

def measure(python, heap, count, wanted):
    environment = dict(os.environ, LD_PRELOAD=os.environ["MEMPROF_LIBRARY"], MEMPROF_SNAPSHOT_MODE="fork",
                       MEMPROF_SNAPSHOT_SIGNAL="SIGUSR1", MEMPROF_INTERVAL_SECONDS="3600",
                       MEMPROF_COUNT_UNTRACKED=wanted)
    done = subprocess.run([python, os.path.abspath(__file__), "--inside", heap, str(count)],
                          env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--inside"]:
        run(arguments[1], int(arguments[2]))
        return
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    if arguments[:1] == ["--python"]:
        python, arguments = arguments[1], arguments[2:]
    row = "%10s %6s %12s %12s %8s %12s %10s"
    print(python + ", in ms, and private bytes per object")
    print(row % ("heap", "M", "tracked", "and others", "pause", "objects", "B/object"))
    for millions in arguments or ["0.1", "1"]:
        for heap in HEAPS:
            count = int(float(millions) * 1e6)
            plain = measure(python, heap, count, "no")[0]
            ms, pause, objects, most = measure(python, heap, count, "yes")
            print(row % (heap, millions, "%.0f" % plain, "%.0f" % ms, "%.1f" % pause, objects, "%.1f" % most),
                  flush=True)


if __name__ == "__main__":
    main()
