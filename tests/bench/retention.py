# SPDX-License-Identifier: MIT
"""What finding holders costs in the copy of the process, beside a full collection in the same program.

Usage: MEMPROF_LIBRARY=... retention.py [--python PYTHON] [MILLIONS ...]

Each heap is of one class: in a list (with a list of its own each), in a dict, and in one linked list.
"""

import profiled

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


def run(shape, count):
    import gc
    import time
    gc.disable()
    global keep
    keep = {"list": in_list, "dict": in_dict, "linked": linked}[shape](int(count))
    records = profiled.Records()
    records.wait_for_first()
    results = []
    for _ in range(3):
        record, private = records.ask()
        results.append((record.memprof_duration_ms - record.memprof_pause_ms, private))
    start = time.perf_counter()
    gc.collect()
    collect = (time.perf_counter() - start) * 1000
    return collect, min(ms for ms, _ in results), max(private for _, private in results)


# ---- Outside ----

def report(python, sizes):
    row = "%8s %5s %12s %12s %12s %10s %12s %12s"
    print(python + ", in ms, and private bytes per object")
    print(row % ("heap", "M", "gc.collect()", "snapshot", "and holders", "/collect", "B/object", "and holders"))
    for millions in sizes:
        for shape in SHAPES:
            count = int(float(millions) * 1e6)
            _, plain, plain_bytes = profiled.measure(python, shape, count)
            collect, held, held_bytes = profiled.measure(python, shape, count, retention_classes="__main__.Held")
            print(row % (shape, millions, "%.0f" % collect, "%.0f" % plain, "%.0f" % held,
                         "%.1f" % (held / collect), "%.1f" % plain_bytes, "%.1f" % held_bytes), flush=True)


if __name__ == "__main__":
    profiled.main(run, report)
