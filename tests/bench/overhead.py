# SPDX-License-Identifier: MIT
"""What the preload costs a program between snapshots, as ratios within one run.

Usage: MEMPROF_LIBRARY=... overhead.py [PYTHON ...]

Pairs of processes, one profiled and one not, take turns; each figure is the median over the pairs.
A ratio of 1.00 means that nothing is to be seen.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import host
import interpreters

PAIRS = 9

# Operations that PySys_Audit() makes dearer wherever an audit hook is in place.
AUDITED = """
import sys, time, timeit
def f(): pass
time.sleep(0.3)
for statement in ("id(f)", "sys._getframe()", "f.__code__", "object()"):
    print(min(timeit.repeat(statement, globals=globals(), number=200000, repeat=7)))
"""

# CPU time of a process that waits, between two snapshots.
IDLE = """
import time
time.sleep(1)
before = time.process_time()
time.sleep(4)
print(time.process_time() - before)
"""


def measure(command, environment):
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return [time.perf_counter() - start] + [float(word) for word in done.stdout.split()]


def compare(titles, command, with_environment, without_environment, runs=1):
    """Prints a line per figure: median with, median without, and their median ratio by pairs."""
    pairs = []
    for _ in range(PAIRS):
        both = []
        for environment in (with_environment, without_environment):
            samples = [measure(command, environment) for _ in range(runs)]
            both.append([min(column) for column in zip(*samples)])
        pairs.append(both)
    for index, title in enumerate(titles):
        if title is None:
            continue
        ours = [pair[0][index] for pair in pairs]
        plain = [pair[1][index] for pair in pairs]
        ratio = statistics.median(a / b for a, b in zip(ours, plain))
        print("  %-34s %10.3f ms %10.3f ms   ratio %.2f" % (
            title, statistics.median(ours) * 1000, statistics.median(plain) * 1000, ratio))


def spawn(program, environment):
    start = time.perf_counter()
    os.waitpid(os.posix_spawn(program, [program], environment), 0)
    return time.perf_counter() - start


def compare_execs(title, program, with_environment, without_environment, count=1500):
    """The two in turn, because the machine's speed drifts; medians."""
    pairs = [(spawn(program, with_environment), spawn(program, without_environment))
             for _ in range(count)]
    ours, plain = (statistics.median(column) for column in zip(*pairs))
    print("  %-34s %10.3f ms %10.3f ms   ratio %.3f" % (title, ours * 1000, plain * 1000,
                                                        ours / plain))


def empty_preload(folder):
    """A shared object with nothing in it: what any preload costs."""
    path = os.path.join(folder, "empty.so")
    subprocess.run(["cc", "-shared", "-nostdlib", "-x", "c", "/dev/null", "-o", path], check=True)
    return path


def main():
    pythons = sys.argv[1:] or [found.path for found in interpreters.find() if not found.unsupported]
    plain = host.clean_environment()
    profiled = host.profiled_environment()
    print("%-36s %13s %13s" % ("", "profiled", "unprofiled"))
    for python in pythons:
        print(python)
        compare([None, "200,000 x id(f)", "200,000 x sys._getframe()", "200,000 x f.__code__",
                 "200,000 x object()"], [python, "-c", AUDITED], profiled, plain)
        compare([None, "CPU time of 4 idle seconds"], [python, "-c", IDLE], profiled, plain)
        compare(["python -c pass"], [python, "-c", "pass"], profiled, plain, runs=5)
    with tempfile.TemporaryDirectory() as folder:
        print("against an empty preload")
        compare_execs("/bin/true", "/bin/true", profiled,
                      dict(plain, LD_PRELOAD=empty_preload(folder)))


if __name__ == "__main__":
    main()
