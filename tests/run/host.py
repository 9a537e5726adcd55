# SPDX-License-Identifier: MIT
"""Runs programs under the profiler, on every CPython that this machine has.

A test file defines subclasses of HostTest; main() runs each once per supported interpreter, named
after it, and names the interpreters that were skipped.
"""

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import interpreters

LIBRARY = os.environ.get("MEMPROF_LIBRARY", "")
STARTED = "Main :: Starting memory profiler"
TIMEOUT_SECONDS = int(os.environ.get("MEMPROF_TEST_TIMEOUT", "180"))
CANNOT_FORK = "MEMPROF_TEST_CANNOT_FORK" in os.environ
SIDE_BY_SIDE = 2    # copies have a low priority: with more of them some would not be done in time

LOGGING_TO_STDERR = """
    import logging
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(threadName)s:%(message)s")
"""

# What a program waits for comes late on a busy machine, but it comes.
WAITING = """
    import time
    def wait(condition, what, pause=0.005):
        until = time.monotonic() + 50
        while not condition():
            assert time.monotonic() < until, what
            time.sleep(pause)
"""

# A handler for stderr; Heard.snapshots is how many it has had.
HEARD = WAITING + """
    import logging
    class Heard(logging.StreamHandler):
        snapshots = 0
        def emit(self, record):
            super().emit(record)
            Heard.snapshots += hasattr(record, "memprof_objects")
"""

# As LOGGING_TO_STDERR, for a program that waits for its snapshots.
LISTENING = HEARD + """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(threadName)s:%(message)s",
                        handlers=[Heard()])
"""

# Snapshots on request, by SIGUSR1, beside what the program reads itself.
RECORDS = WAITING + """
    import logging, os, signal, sys, threading

    class Records(logging.Handler):
        "Keeps one only: each is some sixty blocks, and blocks are counted here."
        count, last = 0, None
        def emit(self, record):
            if hasattr(record, "memprof_objects"):
                Records.last = record
                Records.count += 1

    def snapshot():
        before = Records.count
        os.kill(os.getpid(), signal.SIGUSR1)
        wait(lambda: Records.count > before, "a snapshot")
        return Records.last
"""

# The same, and the first one has been. Metrics come after it: a program that has them before its log has two at once.
ASKING = RECORDS + """
    logging.getLogger().addHandler(Records())
    wait(lambda: Records.count, "the first snapshot")
"""

# Keeps, in a file that is shared with every copy of the process, what audit hooks written in Python
# are told in any process but the first.
AUDITED = """
    def listen():
        import mmap, os, sys
        program, getpid = os.getpid(), os.getpid
        with open("events", "r+b") as file:
            events = mmap.mmap(file.fileno(), 0)
        def hook(event, arguments):
            if getpid() != program:
                told = " ".join([event] + [a for a in arguments if type(a) is str]).encode() + b"\\n"
                at = events.find(b"\\0")
                events[at:at + len(told)] = told[:len(events) - at]
        sys.addaudithook(hook)
    listen()
    del listen
"""


def joined(*parts):
    """One program of several indented texts."""
    return "\n".join(textwrap.dedent(part) for part in parts)


def clean_environment():
    """The environment without Python's and the profiler's own variables."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "MEMPROF_", "LD_PRELOAD"))}


def profiled_environment(**options):
    """What makes the profiler run; options in lower case become MEMPROF_<OPTION>."""
    environment = clean_environment()
    environment["LD_PRELOAD"] = LIBRARY
    if CANNOT_FORK:
        environment["MEMPROF_SNAPSHOT_MODE"] = "inline"
    for name, value in options.items():
        environment["MEMPROF_" + name.upper()] = str(value)
    return environment


class Snapshot:
    """One `Memory Snapshot` record as text, read back."""

    def __init__(self, text):
        self.text = text
        first, *tables = re.split(r"\n\nTop ", text)
        self.title = first
        self.counts = self.read(tables[0], r"  (.*): ([\d,]+) objects")
        self.sizes = self.read(tables[1], r"  (.*): ([\d.]+ (?:B|KB|MB|GB))")

    @staticmethod
    def read(table, pattern):
        rows = {}
        for line in table.splitlines()[1:]:
            match = re.fullmatch(pattern, line)
            if match is None:
                break
            value = match.group(2)
            rows[match.group(1)] = int(value.replace(",", "")) if value[-1].isdigit() else value
        return rows


def snapshots(text):
    """Every snapshot found in `text`, in order."""
    starts = [match.start() for match in re.finditer(r"Memory Snapshot", text)]
    return [Snapshot(text[start:end]) for start, end in zip(starts, starts[1:] + [len(text)])
            if text[start:end].count("\n\nTop ") == 2]


class Program:
    """A running program under test; a context manager that never leaves it behind."""

    def __init__(self, command, environment, cwd):
        self.process = subprocess.Popen(command, env=environment, cwd=cwd, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def expect(self, line):
        """Reads stdout up to `line`."""
        while True:
            got = self.process.stdout.readline().decode()
            if got.strip() == line:
                return
            if not got:
                raise AssertionError("ended before %r: %s" % (line, self.process.stderr.read()))

    def expect_error_line(self, pattern):
        """Reads stderr up to a line that matches."""
        seen = ""
        while True:
            got = self.process.stderr.readline().decode("utf-8", "replace")
            seen += got
            if re.search(pattern, got):
                return seen
            if not got:
                raise AssertionError("ended before %r: %s" % (pattern, seen))

    def tell(self, line="go"):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def signal(self, number=signal.SIGUSR1):
        self.process.send_signal(number)

    def end(self):
        out, err = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return Ended(self.process.returncode, out, err)


class Ended:
    def __init__(self, code, out, err):
        self.code = code
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")

    @property
    def complaints(self):
        """The profiler's own messages."""
        return [line for line in self.err.splitlines() if line.startswith("memprof: ")]

    def __repr__(self):
        return "exit code %s\nstdout: %s\nstderr: %s" % (self.code, self.out[-1500:],
                                                         self.err[-1500:])


class HostTest(unittest.TestCase):
    interpreter = None
    maxDiff = None

    @property
    def python(self):
        return self.interpreter.path

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="memprof-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(textwrap.dedent(text))
        return path

    def program(self, text, *flags, arguments=(), environment=None, **options):
        """The command and the environment for a program text."""
        path = self.write("program.py", text)
        if environment is None:
            environment = profiled_environment(**options)
        return [self.python, *flags, path, *arguments], environment

    def start(self, text, *flags, **options):
        command, environment = self.program(text, *flags, **options)
        return Program(command, environment, self.folder)

    def run_program(self, text, *flags, **options):
        """Runs it to its end, stdin closed."""
        command, environment = self.program(text, *flags, **options)
        return self.run_command(command, environment)

    def run_command(self, command, environment, stdin=b""):
        done = subprocess.run(command, env=environment, cwd=self.folder, input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT_SECONDS)
        return Ended(done.returncode, done.stdout, done.stderr)

    def assert_clean(self, ended, code=0):
        self.assertEqual(ended.code, code, ended)
        self.assertEqual(ended.complaints, [], ended)

    def run_audited(self, text, *flags, **options):
        """The same, and no copy of the process may raise an audit event."""
        self.write("events", "\0" * 65536)
        ended = self.run_program(joined(AUDITED, text), *flags, **options)
        with open(os.path.join(self.folder, "events")) as file:
            self.assertEqual(sorted(set(file.read().rstrip("\0").splitlines())), [], ended)
        return ended

    def wait_for(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.02)
        self.fail("waited %d s for %s" % (seconds, what))


def suite(interpreter, words):
    """Each HostTest of the calling file for one interpreter; `words` select by substring."""
    tests = unittest.TestSuite()
    cases = [case for case in vars(sys.modules["__main__"]).values()
             if isinstance(case, type) and issubclass(case, HostTest) and case is not HostTest]
    for case in cases:
        name = "%s_%s" % (case.__name__, interpreter.version.replace(".", "_"))
        bound = type(name, (case,), {"interpreter": interpreter, "__module__": "__main__"})
        tests.addTests(test for test in unittest.defaultTestLoader.loadTestsFromTestCase(bound)
                       if all(word in test.id() for word in words))
    return tests


def run_one(path, words):
    """Runs the tests for the interpreter at `path`; the last line of stdout is the count."""
    result = unittest.TextTestRunner(stream=sys.stdout).run(suite(interpreters.ask(path), words))
    bad = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    for test, reason in result.skipped:
        print("skipped: %s: %s" % (test, reason))
    print(result.testsRun - bad - skipped, bad, skipped)


def run_apart(path):
    """The same in a process of its own: most tests only wait, so interpreters go side by side."""
    command = [sys.executable, sys.argv[0], "--interpreter", path, *sys.argv[1:]]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.decode("utf-8", "replace").splitlines() or [""]
    if done.returncode != 0 or not re.fullmatch(r"\d+ \d+ \d+", lines[-1]):
        return "\n".join(lines), (0, 1, 0)
    return "\n".join(lines[:-1]), tuple(int(word) for word in lines[-1].split())


def main():
    """Runs the calling test file on every interpreter; arguments select tests by substring."""
    if not os.path.isfile(LIBRARY):
        sys.exit("MEMPROF_LIBRARY names no file: %r" % LIBRARY)
    if sys.argv[1:2] == ["--interpreter"]:
        run_one(sys.argv[2], sys.argv[3:])
        return
    totals = [0, 0, 0]
    found = interpreters.find()
    for interpreter in found:
        if interpreter.unsupported:
            print("skipped: %s: %s" % (interpreter, interpreter.unsupported))
    supported = [interpreter for interpreter in found if not interpreter.unsupported]
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        outcomes = pool.map(run_apart, [interpreter.path for interpreter in supported])
        for interpreter, (text, counts) in zip(supported, outcomes):
            print("==== %s\n%s" % (interpreter, text), flush=True)
            totals = [total + count for total, count in zip(totals, counts)]
    print("%d passed, %d failed, %d skipped" % tuple(totals))
    sys.exit(0 if totals[0] > 0 and totals[1] == 0 else 1)
