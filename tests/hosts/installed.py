# SPDX-License-Identifier: MIT
"""What the tests of real host programs share: a running service, requests to it, C programs built on the spot.

A test file defines subclasses of HostTest, which run with Debian's Python unless they say otherwise, and calls main().
"""
import concurrent.futures
import glob
import http.client
import io
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import host  # noqa: E402
import interpreters  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
SNAPSHOT_SIGNAL = signal.SIGRTMIN + 3
SNAPSHOT_SIGNAL_NAME = "SIGRTMIN+3"
PROFILER_THREAD = "MemoryProfiler"
# Bounds for a machine that does much else. Nothing waits for as long as that unless something is broken.
PATIENCE_SECONDS = 90
REQUEST_SECONDS = 60
STOP_SECONDS = 50    # less than the 60 s after which uWSGI kills a worker that hangs


def has_module(name, python=PYTHON):
    return os.access(python, os.X_OK) and subprocess.run(
        [python, "-c", "import " + name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def needs(condition, what):
    return unittest.skipUnless(condition, what + " is not installed")


def free_port():
    """Below those that the kernel gives to clients: one of them might take it before the server does."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def is_copy(pid):
    """Whether it is a copy of a process that takes a snapshot."""
    try:
        with open("/proc/%d/comm" % pid) as file:
            return file.read().strip() == PROFILER_THREAD
    except OSError:
        return False


def children_of(pid):
    """Process ids of the children, [] where the process is gone."""
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(path) as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass
    return [child for child in found if not is_copy(child)]


def thread_names(pid):
    names = []
    for path in glob.glob("/proc/%d/task/*/comm" % pid):
        try:
            with open(path) as file:
                names.append(file.read().strip())
        except OSError:
            pass
    return names


def cpu_seconds(pid):
    """What the process has used of the processor, in user and kernel mode."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Service:
    """A server in a session of its own, all its output in one file; never left behind."""

    def __init__(self, command, environment, folder, log="service.log"):
        self.log_path = os.path.join(folder, log)
        open(self.log_path, "wb").close()    # what a service before this one wrote is no sign of life
        with open(self.log_path, "ab") as output:
            self.process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, start_new_session=True)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    @property
    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    @property
    def complaints(self):
        return [line for line in self.log.splitlines() if line.startswith("memprof: ")]

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """The exit code once it has ended by itself, None if it did not."""
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def left_behind(self):
        """Processes of its session that have outlived it."""
        found = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.pid and fields[0] != "Z":
                found.append(int(path.split("/")[2]))
        return found


def request(port, path="/"):
    """The body of the answer; a server that hangs raises."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        if answer.status != 200:
            raise AssertionError("status %d: %s" % (answer.status, body[:500]))
        return body
    finally:
        connection.close()


class HostTest(host.HostTest):
    """Runs with Debian's Python: it has the modules that Debian packages."""

    interpreter = interpreters.ask(PYTHON)

    def service(self, command, environment):
        service = Service(command, environment, self.folder)
        self.addCleanup(service.__exit__)
        return service

    def wait_for(self, condition, what, seconds=PATIENCE_SECONDS):
        super().wait_for(condition, what, seconds)

    def wait_for_service(self, service, condition, what):
        """Fails with the service's log, at once where the service has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if service.process.poll() is not None:
                self.fail("ended with %s before %s: %s" % (service.process.returncode, what, service.log[-4000:]))
            if time.monotonic() > deadline:
                self.fail("waited %d s for %s: %s" % (PATIENCE_SECONDS, what, service.log[-4000:]))
            time.sleep(0.02)

    def wait_for_port(self, service, port):
        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        self.wait_for_service(service, answers, "a server on port %d" % port)

    def wait_for_log(self, service, pattern, count=1):
        self.wait_for_service(service, lambda: len(re.findall(pattern, service.log)) >= count,
                              "%d of %r" % (count, pattern))

    def assert_stops(self, service, number=signal.SIGTERM, code=0):
        self.assertEqual(service.stop(number), code, service.log[-3000:])
        self.wait_for(lambda: not service.left_behind(), "the end of its processes")
        self.assertEqual(service.complaints, [], service.log[-3000:])
        self.assertNotIn("Segmentation fault", service.log)
        self.assertNotIn("Fatal Python error", service.log)


def compile_c(source, output, *arguments):
    """Builds a C file of this folder. Returns the path of the result."""
    command = [shutil.which("cc"), "-g", "-Wall", os.path.join(HERE, source), "-o", output, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError("%s: %s" % (" ".join(command), done.stdout.decode()))
    return output


class Libpython:
    def __init__(self, path, home, number):
        self.path = path
        self.home = home
        self.number = number
        self.name = "%d.%d %s" % (*number, "pyenv" if home else "Debian")

    @property
    def link_arguments(self):
        return [self.path, "-Wl,-rpath," + os.path.dirname(self.path)]

    def environment(self, environment):
        return {**environment, "PYTHONHOME": self.home} if self.home else environment


def find_libpythons():
    """Every libpython of pyenv's and Debian's Python 3, oldest first."""
    found = []
    patterns = [(os.path.expanduser("~/.pyenv/versions/*/lib/libpython3.*.so"), True)]
    patterns += [("/usr/lib/%s/libpython3.*.so.1.0" % triplet, False)
                 for triplet in ("x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf")]
    for pattern, is_pyenv in patterns:
        for path in glob.glob(pattern):
            number = re.search(r"libpython(3)\.(\d+)", path).groups()
            home = os.path.dirname(os.path.dirname(path)) if is_pyenv else None
            found.append(Libpython(path, home, tuple(int(part) for part in number)))
    return sorted(found, key=lambda library: (library.number, library.path))


def collect_tests():
    """The tests of the calling file, each by itself; arguments select by substring."""
    tests = []
    for case in list(vars(sys.modules["__main__"]).values()):
        if isinstance(case, type) and issubclass(case, HostTest) and case is not HostTest:
            tests += [test for test in unittest.defaultTestLoader.loadTestsFromTestCase(case)
                      if all(word in test.id() for word in sys.argv[1:])]
    return tests


def run_test(test):
    """Returns what is to be printed and the result."""
    output = io.StringIO()
    result = unittest.TextTestRunner(stream=output, verbosity=2).run(test)
    return output.getvalue(), result


def main(side_by_side=1):
    """Runs the calling test file, `side_by_side` tests at a time: tests of servers mostly wait."""
    if not os.path.isfile(host.LIBRARY):
        sys.exit("MEMPROF_LIBRARY names no file: %r" % host.LIBRARY)
    passed = bad = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        for output, result in pool.map(run_test, collect_tests()):
            failures = len(result.failures) + len(result.errors)
            print(output, end="", flush=True)
            for test, reason in result.skipped:
                print("skipped: %s: %s" % (test, reason))
            bad += failures
            skipped += len(result.skipped)
            passed += failures == 0 and not result.skipped
    print("%d passed, %d failed, %d skipped" % (passed, bad, skipped))
    sys.exit(1 if bad else 0)
