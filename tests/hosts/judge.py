#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's own regression tests as judge: each must end the same with the profiler and without it.

    judge.py --library libmemprof.so [--python PYTHON]... [--tests PATTERN...] [--jobs N] [--quick]

Each test module runs in a process of its own, `python -m test -v`, once as it is and once with the
library preloaded; the profiled process is then asked for a snapshot every 200 ms. The results of
the single tests are compared, and how the process ended. A test that fails in both runs does not
count. What differs is run once more alone, in both ways: a difference that does not come again is
told but does not count either, unless it was a crash. Last line: `N passed, N failed, N skipped`,
in modules; a module is skipped where the interpreter has no such tests, where it has none that run,
or when time is up. Exit code 0 or 1, or 77 if nothing ran. For an interpreter in a chroot run this
file inside it.
"""

import argparse
import concurrent.futures
import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

TESTS = """
    test_asyncio test_atexit test_audit test_capi test_cmd_line test_concurrent_futures test_embed
    test_faulthandler test_fork1 test_gc test_import test_interpreters test__interpreters
    test__xxsubinterpreters test_logging test_multiprocessing_fork test_os test_pdb test_signal
    test_site test_subprocess test_sys test_sys_settrace test_thread test_threading test_weakref
""".split()

ASK_EVERY_SECONDS = 0.2
ASK_SIGNAL = signal.SIGRTMIN + 5  # no test uses it
OPTIONS = {
    "MEMPROF_COLLECT": "false",
    "MEMPROF_SNAPSHOT_SIGNAL": "SIGRTMIN+5",
    "MEMPROF_TOP_N_CLASSES": "5",
}

# Module pattern, other options for the profiler, and why.
OTHER_OPTIONS = [
    ("test_logging", {"MEMPROF_OUTPUT": "stderr"},
     "its tests count the records of the root logger's handlers, where snapshots belong"),
]

# Tests that must pass with the profiler, but not while it is asked: module, test, why.
NOT_ASKED = [
    ("test_signal", "*.ItimerTest.test_itimer_real",
     "signal.pause() returns after any signal that has a handler"),
    ("test_capi", "*.InterpreterConfigTests.test_interp_init",
     "it makes subinterpreters with a GIL of their own and the main interpreter's allocator, which "
     "crash any process where another thread makes objects"),
]

# Tests that see a preload whatever it does: module, test, why.
EXCEPTIONS = [
    ("test__xxsubinterpreters", "*.IsRunningTests.test_main",
     "is_running() of 3.8 to 3.11 raises for an interpreter with more than one thread"),
    ("test_interpreters", "*.TestInterpreterIsRunning.test_main", "the same, through its wrapper"),
]

PROCESS = "(the process)"
GOOD = ("passed", "skipped", "expected failure")


class Outcome:
    """How one run of a module ended: the result of each test by its id, and the process's end."""

    def __init__(self, results, end, folder, running=None):
        self.results = dict(results)
        self.results[PROCESS] = end
        self.folder = folder
        self.running = running  # the test in which a process ended that did not come to its end

    @property
    def ran(self):
        return any(name != PROCESS and result != "skipped"
                   for name, result in self.results.items())

    @property
    def good(self):
        return all(result in GOOD for result in self.results.values())


def environment_of(library, module):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("PYTHON", "MEMPROF_", "LD_PRELOAD"))}
    if library is not None:
        environment.update(OPTIONS, LD_PRELOAD=library)
        for pattern, options, why in OTHER_OPTIONS:
            if matches(module, pattern):
                environment.update(options)
    return environment


def matches(module, pattern):
    """A pattern without a dot names a module and, if it is a package, those in it."""
    return fnmatch.fnmatchcase(module, pattern) or fnmatch.fnmatchcase(module, pattern + ".*")


def catches(pid, number):
    """Whether the process has a handler: without one the signal would end it."""
    try:
        with open("/proc/%d/status" % pid) as file:
            caught = re.search(r"^SigCgt:\s*(\w+)", file.read(), re.MULTILINE)
    except OSError:
        return False
    return caught is not None and int(caught.group(1), 16) >> (number - 1) & 1 == 1


class Asker(threading.Thread):
    """Asks the process for a snapshot, again and again."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.ended = threading.Event()
        self.asked = 0

    def run(self):
        while not self.ended.wait(ASK_EVERY_SECONDS):
            if catches(self.process.pid, ASK_SIGNAL):
                self.process.send_signal(ASK_SIGNAL)
                self.asked += 1


def end_of(code):
    """The exit code as a result. 3 is `python -m test`'s code for a changed environment."""
    if code >= 0:
        return {0: "passed", 2: "failed", 3: "changed its environment", 4: "skipped",
                5: "failed"}.get(code, "exit code %d" % code)
    try:
        return "killed by " + signal.Signals(-code).name
    except ValueError:
        return "killed by signal %d" % -code


def read_results(path):
    """What --junit-xml wrote."""
    results = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = case.get("name") or "?"
        if case.find("error") is not None or case.find("failure") is not None:
            result = "failed"
        elif case.find("skipped") is not None:
            result = "skipped"
        else:
            result = "passed"
        if results.get(name) != "failed":
            results[name] = result
    return results


WORDS = {"ok": "passed", "FAIL": "failed", "ERROR": "failed", "expected failure": "passed"}


def read_output(path):
    """The same from -v, where the process did not come to write it: the results, and the test that
    was running when the output ended."""
    with open(path, errors="replace") as file:
        text = file.read()
    started = re.findall(r"^(\w+) \((\S+)\)(?:\n.*)? \.\.\. (.*)", text, re.MULTILINE)
    results = {}
    running = "no test"
    for method, owner, word in started:
        running = owner if owner.endswith("." + method) else owner + "." + method
        if word in WORDS or word.startswith("skipped"):
            results[running] = WORDS.get(word, "skipped")
    return results, running


def wait(process, seconds):
    """The exit code, None after `seconds`; the stacks are in the error file then."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # `python -m test` has enabled faulthandler
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        pass
    return None


def end_session(process):
    """Also what the tests have left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass
    process.wait()


class Judge:
    def __init__(self, options):
        self.library = options.library
        self.quick = options.quick
        self.module_seconds = options.module_seconds
        self.keep = options.keep
        self.give_up = time.monotonic() + options.seconds
        self.folder = tempfile.mkdtemp(prefix="memprof-judge-")
        self.number = 0
        self.lock = threading.Lock()

    def new_folder(self, module, library):
        with self.lock:
            self.number += 1
            name = "%03d-%s-%s" % (self.number, module, "with" if library else "without")
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        return folder

    def run(self, python, module, library, patterns=(), ask=True):
        """One process. `patterns` select tests of the module by id."""
        folder = self.new_folder(module, library)
        report, out, err = (os.path.join(folder, name) for name in ("report.xml", "out", "err"))
        command = [python, "-m", "test", "-v", "--fail-env-changed", "--junit-xml", report]
        for pattern in patterns:
            command += ["--match", pattern]
        seconds = min(self.module_seconds, self.give_up - time.monotonic())
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            process = subprocess.Popen(command + [module], cwd=folder, stdin=subprocess.DEVNULL,
                                       stdout=out_file, stderr=err_file, start_new_session=True,
                                       env=environment_of(library, module))
        asker = Asker(process)
        if library and ask:
            asker.start()
        try:
            code = wait(process, seconds)
        finally:
            asker.ended.set()
            end_session(process)
        end = "no end after %d s" % seconds if code is None else end_of(code)
        try:
            return Outcome(read_results(report), end, folder)
        except (OSError, xml.etree.ElementTree.ParseError):
            results, running = read_output(out)
            return Outcome(results, "%s in %s" % (end, running), folder, running)

    def is_time_up(self):
        return time.monotonic() >= self.give_up

    def compare(self, python, module):
        """The module's verdict and the lines that explain it."""
        without = None
        if not self.quick:
            without = self.run(python, module, None)
        with_it = self.run(python, module, self.library)
        if without is None and not with_it.good:
            without = self.run(python, module, None)
        if self.is_time_up():
            return "skipped", ["time is up"]
        if not with_it.ran and (without is None or not without.ran):
            return "skipped", ["no test of it runs here"]
        found = differences(without, with_it) if without is not None else {}
        lines = ["%d tests" % sum(result == "passed" for name, result in with_it.results.items()
                                  if name != PROCESS)]
        if without is not None and not without.good:
            lines.append("%s without the profiler" % without.results[PROCESS])
        if len(found) > 1 and with_it.results[PROCESS] == "failed":
            found.pop(PROCESS, None)  # it only sums the others up
        verdict = "passed"
        for name, text in found.items():
            subject = with_it.running or name
            why_excused = reason(EXCEPTIONS, module, subject)
            why_not_asked = reason(NOT_ASKED, module, subject)
            if why_excused is not None:
                word = "expected, " + why_excused
            elif self.differs_again(python, module, name, why_not_asked is None) or (
                    "killed by" in text and why_not_asked is None):  # a crash is never bad luck
                word = "DIFFERS"
                verdict = "failed"
            elif why_not_asked is not None:
                word = "only while asked, " + why_not_asked
            else:
                word = "differed once"
            lines.append("%s: %s: %s (%s)" % (word, name, text, with_it.folder))
        return verdict, lines

    def differs_again(self, python, module, name, ask):
        """Whether the test differs when it runs alone. If the process ended, all have to run."""
        patterns = [] if name == PROCESS else [pattern_of(name)]
        without = self.run(python, module, None, patterns)
        with_it = self.run(python, module, self.library, patterns, ask)
        return self.is_time_up() or bool(differences(without, with_it))


def pattern_of(name):
    """What selects a test of that id; of a whole class where its fixture failed."""
    fixture = re.match(r"\w+ \(([\w.<>]+)\)", name)
    if fixture is not None:
        return fixture.group(1) + ".*"
    return re.split(r"[ \[(]", name)[0]


def differences(without, with_it):
    """What went well without the profiler and not so with it, or not at all: {test: text}."""
    found = {}
    for name, before in without.results.items():
        after = with_it.results.get(name, "not run")
        if before in GOOD and after != before:
            found[name] = "%s without, %s with" % (before, after)
    for name, after in with_it.results.items():
        if name not in without.results and after not in GOOD:
            found[name] = "not run without, %s with" % after
    if with_it.running is not None and PROCESS in found:
        return {PROCESS: found[PROCESS]}  # the rest did not run
    return found


def reason(rows, module, name):
    for module_pattern, test_pattern, why in rows:
        if matches(module, module_pattern) and fnmatch.fnmatchcase(name, test_pattern):
            return why
    return None


def modules_of(python, patterns):
    """The interpreter's test modules that match, and the patterns that matched none."""
    done = subprocess.run([python, "-m", "test", "--list-tests"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=environment_of(None, ""))
    listed = [re.sub(r"^test\.", "", line.strip()) for line in done.stdout.decode().splitlines()]
    found = []
    for pattern in patterns:
        found += [module for module in listed
                  if matches(module, pattern) and module not in found]
    missing = [pattern for pattern in patterns
               if not any(matches(module, pattern) for module in listed)]
    return found, missing


def version_of(python):
    done = subprocess.run([python, "-VV"], stdout=subprocess.PIPE, env=environment_of(None, ""))
    return done.stdout.decode().split("(")[0].strip()


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--library", default=os.environ.get("MEMPROF_LIBRARY"))
    parser.add_argument("--python", action="append", help="an interpreter; may be repeated")
    parser.add_argument("--tests", nargs="+", default=TESTS, metavar="PATTERN")
    parser.add_argument("--jobs", type=int, default=1, help="modules that run side by side")
    parser.add_argument("--quick", action="store_true",
                        help="run without the library only what has failed with it")
    parser.add_argument("--seconds", type=float, default=7200, help="for everything")
    parser.add_argument("--module-seconds", type=float, default=600, help="for one process")
    parser.add_argument("--keep", action="store_true", help="keep the output of all runs")
    options = parser.parse_args()
    if not options.library or not os.path.isfile(options.library):
        parser.error("--library names no file: %r" % options.library)
    options.library = os.path.abspath(options.library)
    return options


def judge_all(judge, pythons, options):
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    for python in pythons:
        print("==== %s (%s)" % (version_of(python), python), flush=True)
        modules, missing = modules_of(python, options.tests)
        for pattern in missing:
            print("skipped: %s: not there" % pattern)
        totals["skipped"] += len(missing)

        def one(module):
            start = time.monotonic()
            if judge.is_time_up():
                return module, "skipped", ["time is up"], 0
            verdict, lines = judge.compare(python, module)
            return module, verdict, lines, time.monotonic() - start

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for future in concurrent.futures.as_completed(
                    [pool.submit(one, module) for module in modules]):
                module, verdict, lines, seconds = future.result()
                totals[verdict] += 1
                print("%s: %s (%d s)" % (verdict, module, seconds))
                for line in lines:
                    print("    " + line)
                sys.stdout.flush()
    return totals


def main():
    options = read_arguments()
    judge = Judge(options)
    totals = judge_all(judge, options.python or [sys.executable], options)
    if options.keep or totals["failed"]:
        print("the output of the runs is in " + judge.folder)
    else:
        shutil.rmtree(judge.folder, ignore_errors=True)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % totals)
    sys.exit(1 if totals["failed"] else 0 if totals["passed"] else 77)


if __name__ == "__main__":
    main()
