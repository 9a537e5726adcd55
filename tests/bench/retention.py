# SPDX-License-Identifier: MIT
"""What finding holders costs in the copy of the process, beside a full collection in the same program.

Usage: MEMPROF_LIBRARY=... retention.py [--python PYTHON] [MILLIONS ...]

Each heap is of one class: in a list (with a list of its own each), in a dict, and in one linked list.
"""

import json
import os
import subprocess
import sys

SHAPES = ("list", "dict", "linked")

# ---- Inside the program that is measured; any Python from 3.8 on ----


class Held:
    pass


def in_list(count):
    made = []
    for i in range(count // 2):
        thing = Held()
        thing.own = []
        made.append(thing)
    return made


def in_dict(count):
    return {"key %d" % i: Held() for i in range(count)}


def linked(count):
    head = last = Held()
    for i in range(count):
        last.next = Held()
        last = last.next
    return head


class Records:
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


def run(shape, count):
    import gc
    import signal
    import time
    gc.disable()
    global keep
    keep = {"list": in_list, "dict": in_dict, "linked": linked}[shape](count)
    records = Records()
    while not records.snapshots():
        time.sleep(0.01)
    results = []
    for _ in range(3):
        seen, most = len(records.snapshots()), 0
        os.kill(os.getpid(), signal.SIGUSR1)
        while len(records.snapshots()) == seen:
            most = max(most, private_bytes())
            time.sleep(0.005)
        record = records.snapshots()[-1]
        results.append((record.memprof_duration_ms - record.memprof_pause_ms, most / record.memprof_objects))
    start = time.perf_counter()
    gc.collect()
    collect = (time.perf_counter() - start) * 1000
    print(json.dumps([collect, min(ms for ms, _ in results), max(most for _, most in results)]))


# ---- Outside ----

def measure(python, shape, count, classes):
    environment = dict(os.environ, LD_PRELOAD=os.environ["MEMPROF_LIBRARY"],
                       MEMPROF_SNAPSHOT_MODE="fork", MEMPROF_SNAPSHOT_SIGNAL="SIGUSR1",
                       MEMPROF_INTERVAL_SECONDS="3600", MEMPROF_RETENTION_CLASSES=classes)
    done = subprocess.run([python, os.path.abspath(__file__), "--inside", shape, str(count)],
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
    row = "%8s %5s %12s %12s %12s %10s %12s %12s"
    print(python + ", in ms, and private bytes per object")
    print(row % ("heap", "M", "gc.collect()", "snapshot", "and holders", "/collect", "B/object", "and holders"))
    for millions in arguments or ["0.1", "1"]:
        for shape in SHAPES:
            count = int(float(millions) * 1e6)
            _, plain, plain_bytes = measure(python, shape, count, "")
            collect, held, held_bytes = measure(python, shape, count, "__main__.Held")
            print(row % (shape, millions, "%.0f" % collect, "%.0f" % plain, "%.0f" % held,
                         "%.1f" % (held / collect), "%.1f" % plain_bytes, "%.1f" % held_bytes), flush=True)


if __name__ == "__main__":
    main()
