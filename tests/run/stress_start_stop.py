# SPDX-License-Identifier: MIT
"""Starts and stops many programs, in every way to end one, with snapshots under way.

Usage: MEMPROF_LIBRARY=... stress_start_stop.py [ROUNDS]

Each round is one process; a crash, a hang or another exit code than the program's own fails it.
ROUNDS (1000) are spread over every CPython found.
"""

import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile

import host
import interpreters

PROGRAM = """
import logging, os, signal, sys, threading, time
way, delay = sys.argv[1], float(sys.argv[2])
logging.basicConfig(level=logging.INFO, filename=os.devnull)
class Node: pass
keep = [Node() for i in range(3000)]
for i in range(3):
    if sys.argv[3] == "asked":
        os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(delay)
if way == "exit": sys.exit(3)
if way == "raise": raise ValueError
if way == "_exit": os._exit(4)
if way == "abort": os.abort()
if way == "term": os.kill(os.getpid(), signal.SIGTERM); time.sleep(20)
if way == "int": os.kill(os.getpid(), signal.SIGINT); time.sleep(20)
if way == "fork":
    pid = os.fork()
    if pid == 0: sys.exit(9)
    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 9
if way == "thread": threading.Thread(target=time.sleep, args=(delay,)).start()
if way == "daemon": threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
"""

CODES = {"return": 0, "exit": 3, "raise": 1, "_exit": 4, "abort": -6, "term": -15, "int": -2,
         "fork": 0, "thread": 0, "daemon": 0}


def play(round_number, python, path):
    """One round; returns what went wrong, or None."""
    dice = random.Random(round_number)
    way = dice.choice(sorted(CODES))
    delay = dice.choice((0, 0, 0.001, 0.004, 0.01))
    asked = dice.choice(("asked", "asked", "not"))
    flags = dice.choice(([], [], ["-X", "dev"], ["-S"], ["-I"]))
    if way == "fork" and python.version.startswith("3.8."):
        flags = []    # with -X dev a forked child of 3.8 aborts at its exit by itself
    options = {"snapshot_signal": "SIGUSR1", "top_n_classes": 5,
               "snapshot_at_exit": dice.choice(("yes", "no")),
               "collect": dice.choice(("yes", "no")),
               "follow_children": dice.choice(("yes", "no"))}
    command = [python.path, *flags, path, way, str(delay), asked]
    try:
        done = subprocess.run(command, env=host.profiled_environment(**options),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    except subprocess.TimeoutExpired:
        return "round %d hangs: %s %s" % (round_number, command, options)
    if done.returncode == CODES[way] and b"memprof:" not in done.stderr:
        return None
    return "round %d: %s %s: exit code %d\n%s" % (
        round_number, command, options, done.returncode, done.stderr.decode("utf-8", "replace"))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    pythons = [found for found in interpreters.find() if not found.unsupported]
    with tempfile.TemporaryDirectory(prefix="memprof-stress-") as folder:
        path = os.path.join(folder, "program.py")
        with open(path, "w") as file:
            file.write(PROGRAM)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            outcomes = pool.map(lambda n: play(n, pythons[n % len(pythons)], path), range(rounds))
            faults = [outcome for outcome in outcomes if outcome]
    print("\n".join(faults))
    print("%d passed, %d failed" % (rounds - len(faults), len(faults)))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
