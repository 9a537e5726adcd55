# SPDX-License-Identifier: MIT
"""Takes away what the profiler lives on, and looks whether the program notices.

Usage: MEMPROF_LIBRARY=... campaign.py FAIL_ALLOCATION_LIBRARY FORBID_CLONE_PROGRAM [NAME ...]

NAMEs select faults by substring. The last line sums up.
"""

import concurrent.futures
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import host
import interpreters

FAIL_ALLOCATION, FORBID_CLONE = sys.argv[1:3]
PYTHONS = [found for found in interpreters.find() if not found.unsupported]

PROGRAM = """
import logging, os, signal, sys
logging.basicConfig(level=logging.INFO)
class Node: pass
keep = [Node() for i in range(2000)]
print("ran")
sys.exit(6)
"""


class Skipped(Exception):
    pass


def run(python, text, preexec=None, preload=None, prefix=(), descriptors=(), stderr=subprocess.PIPE,
        more=None, **options):
    options.setdefault("snapshot_at_exit", "yes")
    options.setdefault("top_n_classes", 3)
    environment = host.profiled_environment(**options)
    if preload:
        environment["LD_PRELOAD"] += ":" + preload
    environment.update(more or {})
    return subprocess.run([*prefix, python.path, "-c", text], env=environment, preexec_fn=preexec,
                          stdout=subprocess.PIPE, stderr=stderr, pass_fds=descriptors, timeout=300)


def expect(done, messages=None):
    """The program has run and ended as ever; of the profiler there is at most what is expected."""
    err = (done.stderr or b"").decode("utf-8", "replace")
    if (done.returncode, done.stdout) != (6, b"ran\n"):
        raise AssertionError("exit code %s, stdout %r, stderr %s" % (done.returncode, done.stdout,
                                                                     err[-2000:]))
    complaints = [line for line in err.splitlines() if line.startswith("memprof: ")]
    if len(complaints) > 1 or messages and not re.search(messages, "\n".join(complaints)):
        raise AssertionError("messages: %r" % complaints)
    return err


def killed_at_random_moments():
    def once(number):
        dice = random.Random(number)
        python = PYTHONS[number % len(PYTHONS)]
        process = subprocess.Popen([python.path, "-c", PROGRAM],
                                   env=host.profiled_environment(snapshot_at_exit="yes"),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(dice.random() * 0.06)
        process.kill()
        err = process.communicate(timeout=60)[1]
        return process.returncode in (-9, 6) and b"memprof: " not in err
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        good = sum(pool.map(once, range(1000)))
    if good != 1000:
        raise AssertionError("%d of 1000 ended otherwise" % (1000 - good))


def every_allocation_fails():
    for python in PYTHONS:
        number, total = 0, 1
        while number <= total:
            number += 1
            reader, writer = os.pipe()
            folder = tempfile.TemporaryDirectory()
            try:
                done = run(python, PROGRAM, preload=FAIL_ALLOCATION, descriptors=(writer,),
                           snapshot_file=os.path.join(folder.name, "x"),
                           more={"FAIL_ALLOCATION": str(number), "FAIL_REPORT": str(writer)})
            finally:
                os.close(writer)
                report = os.read(reader, 100).split()
                os.close(reader)
                folder.cleanup()
            try:
                expect(done)
            except AssertionError as error:
                raise AssertionError("allocation %d on %s: %s" % (number, python, error))
            total = int(report[0])
            # The many names of classes are alike: a sample of them is enough.
            if number > 40:
                number += total // 25
        if total < 20:
            raise AssertionError("only %d allocations seen on %s" % (total, python))


def no_address_space():
    for python in PYTHONS:
        for megabytes in (30, 60, 100, 150, 250):
            size = megabytes << 20
            limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))
            plain = subprocess.run([python.path, "-c", PROGRAM], env=host.clean_environment(),
                                   preexec_fn=limit, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if plain.returncode == 6:
                expect(run(python, PROGRAM, preexec=limit))
                # The copy of the process is short of memory too.
                asking = "import time; os.kill(os.getpid(), signal.SIGUSR1); time.sleep(0.3)\nsys.exit"
                expect(run(python, PROGRAM.replace("sys.exit", asking), preexec=limit,
                           snapshot_mode="fork", snapshot_signal="SIGUSR1"))


def no_more_threads():
    # RLIMIT_NPROC does not bind root: another user, who has one process already.
    if os.getuid() != 0:
        raise Skipped("needs root")
    def limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        os.setuid(54321)
    python = min(PYTHONS, key=lambda found: not found.path.startswith("/usr"))
    if not python.path.startswith("/usr"):
        raise Skipped("no Python that another user may run")
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfile(host.LIBRARY, copy.name)
        os.chmod(copy.name, 0o755)
        expect(run(python, PROGRAM, preexec=limit, more={"LD_PRELOAD": copy.name}),
               "cannot start the profiler's thread")


def clone_forbidden():
    for python in PYTHONS:
        expect(run(python, PROGRAM, prefix=[FORBID_CLONE, "threads"]),
               "cannot start the profiler's thread")


# Takes two snapshots by signal, the way snapshot_mode says; those at exit are always in place.
ASKING_PROGRAM = PROGRAM.replace('print("ran")', """
import time
class Count(logging.Handler):
    seen = []
    def emit(self, record):
        if hasattr(record, "memprof_forked"):
            Count.seen.append(record.memprof_forked)
logging.getLogger().addHandler(Count())
for i in range(3):
    until = time.monotonic() + 60
    while len(Count.seen) <= i:
        if i:
            os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.02)
        assert time.monotonic() < until
assert Count.seen[:3] == [FORKED] * 3, Count.seen
print("ran")""")


def no_more_processes():
    for python in PYTHONS:
        for mode in ("fork", "inline"):
            done = run(python, ASKING_PROGRAM.replace("FORKED", "0"), snapshot_mode=mode,
                       count_untracked="yes" if mode == "fork" else "no", snapshot_signal="SIGUSR1",
                       prefix=[FORBID_CLONE, "processes"])
            expect(done, "cannot fork for a snapshot" if mode == "fork" else None)
        expect(run(python, ASKING_PROGRAM.replace("FORKED", "1"), snapshot_mode="fork",
                   snapshot_signal="SIGUSR1"))


def no_proc():
    if os.getuid() != 0:
        raise Skipped("needs root")
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skipped("no mount namespaces here")
    hide = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$0" "$@"']
    for python in PYTHONS:
        err = expect(run(python, PROGRAM, prefix=hide))
        if "Memory Snapshot" not in err:
            raise AssertionError("no snapshot")


def full_disk_and_closed_descriptors():
    text = PROGRAM.replace("level=logging.INFO", "level=logging.INFO, filename='/dev/full'")
    # Without a logging set-up of its own: Python itself ends with 120 when that cannot be flushed.
    bare = PROGRAM.replace("logging.basicConfig(level=logging.INFO)", "")
    for python in PYTHONS:
        expect(run(python, text))
        expect(run(python, PROGRAM, snapshot_file="/dev/full"), "no regular file")
        for output in ("auto", "stderr"):
            with open("/dev/full", "w") as full:
                expect(run(python, bare, stderr=full, output=output))
            expect(run(python, PROGRAM, preexec=lambda: os.close(2), stderr=None, output=output))


def ten_thousand_forks():
    text = PROGRAM.replace('print("ran")', """
import threading, time
logging.getLogger().handlers[0].stream = open(os.devnull, "w")
stop = False
def ask():
    while not stop:
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.003)
threading.Thread(target=ask, daemon=True).start()
for i in range(%d):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop = True
print("ran")""" % (10000 // len(PYTHONS) + 1))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda python: run(python, text, snapshot_signal="SIGUSR1"), PYTHONS):
            expect(done)


def a_hundred_thousand_snapshots():
    text = """
import gc, logging, os, signal, sys, time
class Count(logging.Handler):
    seen = 0
    def emit(self, record):
        Count.seen += record.getMessage().startswith("Memory Snapshot")
logging.getLogger().addHandler(Count())
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def references():
    gc.collect()
    return sys.gettotalrefcount() if hasattr(sys, "gettotalrefcount") else 0
def take(count):
    until = Count.seen + count
    while Count.seen < until:
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.0001)
take(WARM)    # until Python's arenas, 256 KB each, have settled
before, counted = resident(), references()
take(COUNT)
grown, leaked = resident() - before, references() - counted
assert grown <= 1 << 20, "RSS grew by %d" % grown
assert leaked < 100, "%d references leaked" % leaked
print("ran")
sys.exit(6)
"""
    def take(python, mode, count):
        return run(python, text.replace("COUNT", str(count)).replace("WARM", str(min(count, 5000))),
                   snapshot_signal="SIGUSR1",
                   snapshot_at_exit="no", collect="no", snapshot_mode=mode)
    count = 100000 // len(PYTHONS) + 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda python: take(python, "inline", count), PYTHONS):
            expect(done)
        for done in pool.map(lambda python: take(python, "fork", 1000), PYTHONS):
            expect(done)


FAULTS = [killed_at_random_moments, every_allocation_fails, no_address_space, no_more_threads,
          clone_forbidden, no_more_processes, no_proc, full_disk_and_closed_descriptors, ten_thousand_forks,
          a_hundred_thousand_snapshots]


def main():
    passed = failed = skipped = 0
    words = sys.argv[3:]
    for fault in FAULTS:
        name = fault.__name__.replace("_", " ")
        if words and not any(word in name for word in words):
            continue
        start = time.monotonic()
        try:
            fault()
        except Skipped as reason:
            skipped += 1
            print("skipped: %s: %s" % (name, reason), flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed += 1
            print("FAILED: %s: %s" % (name, error), flush=True)
        else:
            passed += 1
            print("ok: %s (%.0f s)" % (name, time.monotonic() - start), flush=True)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
