# SPDX-License-Identifier: MIT
"""What growth and verdicts cost, beside the same snapshots without them.

Usage: MEMPROF_LIBRARY=... leaks.py [--python PYTHON] [MILLIONS ...]

Each program leaks 3,000 objects between two of its 20 snapshots. Those that speak of the leak, for which
holders are looked for, are a row of their own.
"""

import statistics

import profiled
import retention

SNAPSHOTS = 20
KINDS = ("inline", "fork")


# ---- Inside the program that is measured ----

def run(count):
    import gc
    import time
    gc.disable()
    keep = retention.in_list(int(count))
    leak = []
    records = profiled.Records()
    records.wait_for_first()
    told = []
    for _ in range(SNAPSHOTS):
        leak.extend(retention.Held() for _ in range(3000))
        spoken = len(records.seen) - len(records.snapshots())
        record, private = records.ask()
        time.sleep(0.1)    # verdicts come after the snapshot
        told.append((len(records.seen) - len(records.snapshots()) > spoken, record.memprof_pause_ms,
                     record.memprof_duration_ms - record.memprof_pause_ms, private))
    del keep
    return told


# ---- Outside ----

def print_row(name, rows):
    pause, background = (statistics.median(row[i] for row in rows) for i in (1, 2))
    print("%-22s %4d %10.2f %12.1f %10.1f" % (name, len(rows), pause, background,
                                              max(row[3] for row in rows)), flush=True)


def report(python, sizes):
    print(python + ", medians")
    for millions in sizes:
        for mode in KINDS:
            print("%s M objects, %s: snapshots, pause ms, background ms, private bytes per object" % (
                millions, mode))
            options = {"snapshot_mode": mode, "collect": "no"}
            count = int(float(millions) * 1e6)
            without = profiled.measure(python, count, leak_detection="no", **options)
            rows = profiled.measure(python, count, **options)
            print_row("without", without)
            print_row("growth and verdicts", [row for row in rows if not row[0]])
            print_row("that speak of a leak", [row for row in rows if row[0]])


if __name__ == "__main__":
    profiled.main(run, report)
