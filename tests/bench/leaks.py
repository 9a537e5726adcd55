# SPDX-License-Identifier: MIT
"""What growth and verdicts cost, beside the same snapshots without them.

Usage: MEMPROF_LIBRARY=... leaks.py [--python PYTHON] [MILLIONS ...]

Each program leaks 3,000 objects between two of its 20 snapshots. Those that speak of the leak, for which
holders are looked for, are a row of their own.
"""

import json
import os
import statistics
import subprocess
import sys

import retention

SNAPSHOTS = 20
KINDS = ("inline", "fork")


# ---- Inside the program that is measured ----

def run(count):
    import gc
    import signal
    import time
    gc.disable()
    keep = retention.in_list(count)
    leak = []
    records = retention.Records()
    while not records.snapshots():
        time.sleep(0.01)
    told = []
    for _ in range(SNAPSHOTS):
        leak.extend(retention.Held() for _ in range(3000))
        seen, most = len(records.snapshots()), 0
        spoken = len(records.seen) - seen
        os.kill(os.getpid(), signal.SIGUSR1)
        while len(records.snapshots()) == seen:
            most = max(most, retention.private_bytes())
            time.sleep(0.005)
        time.sleep(0.1)    # verdicts come after the snapshot
        record = records.snapshots()[-1]
        told.append((len(records.seen) - len(records.snapshots()) > spoken, record.memprof_pause_ms,
                     record.memprof_duration_ms - record.memprof_pause_ms, most / record.memprof_objects))
    del keep
    print(json.dumps(told))


# ---- Outside ----

def measure(python, mode, count, detection):
    environment = dict(os.environ, LD_PRELOAD=os.environ["MEMPROF_LIBRARY"], MEMPROF_SNAPSHOT_MODE=mode,
                       MEMPROF_SNAPSHOT_SIGNAL="SIGUSR1", MEMPROF_INTERVAL_SECONDS="3600",
                       MEMPROF_COLLECT="no", MEMPROF_LEAK_DETECTION=detection)
    done = subprocess.run([python, os.path.abspath(__file__), "--inside", str(count)],
                          env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def print_row(name, rows):
    pause, background = (statistics.median(row[i] for row in rows) for i in (1, 2))
    print("%-22s %4d %10.2f %12.1f %10.1f" % (name, len(rows), pause, background,
                                              max(row[3] for row in rows)), flush=True)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--inside"]:
        run(int(arguments[1]))
        return
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    if arguments[:1] == ["--python"]:
        python, arguments = arguments[1], arguments[2:]
    print(python + ", medians")
    for millions in arguments or ["0.1", "1"]:
        for mode in KINDS:
            print("%s M objects, %s: snapshots, pause ms, background ms, private bytes per object" % (
                millions, mode))
            count = int(float(millions) * 1e6)
            without = measure(python, mode, count, "no")
            rows = measure(python, mode, count, "yes")
            print_row("without", without)
            print_row("growth and verdicts", [row for row in rows if not row[0]])
            print_row("that speak of a leak", [row for row in rows if row[0]])


if __name__ == "__main__":
    main()
