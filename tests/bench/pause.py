# SPDX-License-Identifier: MIT
"""How long a snapshot holds the GIL, beside other ways to count a heap, in one process and one run.

Usage: MEMPROF_LIBRARY=... pause.py [--objects MILLIONS] [PYTHON ...]

Each figure is the least of several rounds. `collect` is gc.collect(); `Python` is the specification's
algorithm written in Python (gc.get_objects(), sys.getsizeof()), collect left out; `pause` is
memprof_pause_ms with `collect: false`.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import host
import interpreters

PROGRAM = """
import gc, logging, os, signal, sys, time

shape, count = sys.argv[1], int(sys.argv[2])
class Slots: __slots__ = ("a", "b")
class Plain: pass
class Other: __slots__ = ()
class Listed(list): pass
def with_dict(number):
    thing = Plain()
    thing.number = number
    return thing
gc.disable()
if shape == "runs":
    third = count // 3
    keep = [[Slots() for i in range(third)], [[] for i in range(third)], [Listed() for i in range(third)]]
elif shape == "alternating":
    kinds = (Slots, Other, set, list, Listed, Plain)
    keep = [kinds[i % 6]() for i in range(count)]
elif shape == "instances":
    keep = [with_dict(i) for i in range(count)]
elif shape == "dicts":
    keep = [{"self": keep_nothing} for keep_nothing in ([] for i in range(count // 2))]
elif shape == "strings":
    keep = [["text %d" % i] for i in range(count)]
gc.enable()

seen = []
class Handler(logging.Handler):
    def emit(self, record):
        if hasattr(record, "memprof_pause_ms"):
            seen.append((record.memprof_pause_ms, record.memprof_objects))
logging.getLogger().addHandler(Handler())

def algorithm():
    counts, sizes = {}, {}
    for thing in gc.get_objects():
        cls = type(thing)
        name = cls.__module__ + "." + cls.__qualname__
        counts[name] = counts.get(name, 0) + 1
        sizes[name] = sizes.get(name, 0) + sys.getsizeof(thing, 0)

def least(function, rounds):
    times = []
    for i in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times) * 1000

collect = least(gc.collect, 4)
plain = least(algorithm, 3)
for i in range(6):
    before = len(seen)
    os.kill(os.getpid(), signal.SIGUSR1)
    while len(seen) == before:
        time.sleep(0.01)
print(collect, plain, min(seen[-5:])[0], seen[-1][1])
"""


def main():
    arguments = sys.argv[1:]
    millions = 1.0
    if arguments[:1] == ["--objects"]:
        millions = float(arguments[1])
        arguments = arguments[2:]
    pythons = arguments or [found.path for found in interpreters.find() if not found.unsupported]
    environment = host.profiled_environment(collect="no", snapshot_signal="SIGUSR1",
                                            interval_seconds=3600)
    for python in pythons:
        print(python)
        print("  %-12s %10s %12s %12s %12s %9s %13s %12s" % (
            "heap", "objects", "collect ms", "Python ms", "pause ms", "ns/object", "pause/collect",
            "Python/pause"))
        for shape in ("runs", "alternating", "instances", "dicts", "strings"):
            done = subprocess.run([python, "-c", PROGRAM, shape, str(int(millions * 1000000))],
                                  env=environment, stdout=subprocess.PIPE, check=True)
            collect, plain, pause, objects = (float(word) for word in done.stdout.split())
            print("  %-12s %10d %12.1f %12.1f %12.1f %9.1f %13.2f %12.1f" % (
                shape, objects, collect, plain, pause, pause * 1e6 / objects, pause / collect,
                plain / pause), flush=True)


if __name__ == "__main__":
    main()
