# SPDX-License-Identifier: MIT
"""What count_untracked costs in the copy of the process.

Usage: MEMPROF_LIBRARY=... untracked.py [--python PYTHON] [MILLIONS ...]
"""

import profiled

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


def run(heap, count):
    import gc
    keep = HEAPS[heap](int(count))
    for _ in range(3):
        gc.collect()    # until what can be untracked is
    gc.disable()
    records = profiled.Records()
    records.wait_for_first()
    results = []
    for _ in range(3):
        record, private = records.ask()
        results.append((record.memprof_duration_ms - record.memprof_pause_ms, record.memprof_pause_ms,
                        record.memprof_objects, private))
    del keep
    return [min(result[i] for result in results) for i in range(3)] + [max(r[3] for r in results)]


# ---- Outside ----

def report(python, sizes):
    row = "%10s %6s %12s %12s %8s %12s %10s"
    print(python + ", in ms, and private bytes per object")
    print(row % ("heap", "M", "tracked", "and others", "pause", "objects", "B/object"))
    for millions in sizes:
        for heap in HEAPS:
            count = int(float(millions) * 1e6)
            plain = profiled.measure(python, heap, count)[0]
            ms, pause, objects, most = profiled.measure(python, heap, count, count_untracked="yes")
            print(row % (heap, millions, "%.0f" % plain, "%.0f" % ms, "%.1f" % pause, objects, "%.1f" % most),
                  flush=True)


if __name__ == "__main__":
    profiled.main(run, report)
