#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gunicorn forks its workers with os.fork(), sets up loggers of its own and uses SIGUSR1, SIGUSR2 and SIGWINCH."""
import os
import re
import signal
import time

import installed
from installed import host

GUNICORN = installed.has_module("gunicorn")
GEVENT = installed.has_module("gevent")

APPLICATION = """
    import os
    class Node:
        pass
    keep = []
    def application(environ, start_response):
        keep.extend(Node() for i in range(100))
        if environ["PATH_INFO"] == "/sleep":
            import time
            time.sleep(0.2)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d" % os.getpid()]
"""


@installed.needs(GUNICORN, "gunicorn")
class Gunicorn(installed.HostTest):
    worker_class = "sync"

    def start(self, *flags, workers=2, application=APPLICATION, **options):
        self.workers = workers
        self.write("app.py", application)
        self.port = installed.free_port()
        command = [self.python, "-m", "gunicorn", "--bind", "127.0.0.1:%d" % self.port, "--workers", str(workers),
                   "--worker-class", self.worker_class, "--graceful-timeout", "5", *flags, "app:application"]
        environment = host.profiled_environment(snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME, **options)
        service = self.service(command, environment)
        self.wait_for_port(service, self.port)
        self.wait_for_log(service, "Booting worker", workers)
        return service

    def workers_of(self, service):
        # The kernel's list of children may miss some while it changes.
        self.wait_for(lambda: len(installed.children_of(service.pid)) >= self.workers, "the workers")
        return installed.children_of(service.pid)

    def snapshot_of(self, service, pid):
        count = len(host.snapshots(service.log))
        os.kill(pid, installed.SNAPSHOT_SIGNAL)
        self.wait_for(lambda: len(host.snapshots(service.log)) > count, "a snapshot: " + service.log[-2000:])
        return host.snapshots(service.log)[-1]

    def has_profiler(self, pid):
        return installed.PROFILER_THREAD in installed.thread_names(pid)

    def test_requests_and_stop(self):
        for flags in ((), ("--preload",)):
            for follow in ("no", "yes"):
                with self.subTest(flags=flags, follow=follow):
                    service = self.start(*flags, output="stderr", follow_children=follow)
                    for _ in range(30):
                        installed.request(self.port)
                    self.wait_for(lambda: self.has_profiler(service.pid), "the master's profiler")
                    for pid in self.workers_of(service):
                        if follow == "yes":
                            self.wait_for(lambda: self.has_profiler(pid), "the worker's profiler")
                        else:
                            self.assertFalse(self.has_profiler(pid))
                    self.assert_stops(service)

    def test_snapshots_of_workers(self):
        for flags in ((), ("--preload",)):
            with self.subTest(flags=flags):
                service = self.start(*flags, workers=1, output="stderr", follow_children="yes")
                worker, = self.workers_of(service)
                for _ in range(5):
                    self.assertEqual(installed.request(self.port), str(worker))
                self.wait_for(lambda: self.has_profiler(worker), "the worker's profiler")
                snapshot = self.snapshot_of(service, worker)
                self.assertEqual(snapshot.counts["app.Node"], 500, snapshot.text)
                self.assertRegex(service.log, r"(?m)\bpid\b.*\b%d\b" % worker)
                self.assertNotIn("app.Node", self.snapshot_of(service, service.pid).counts)
                self.assert_stops(service)

    def test_logging_of_the_application(self):
        text = host.joined("import logging; logging.basicConfig(level=logging.INFO, format='%(threadName)s:%(message)s')",
                           APPLICATION)
        service = self.start(workers=1, application=text, follow_children="yes")
        worker, = self.workers_of(service)
        installed.request(self.port)
        self.wait_for(lambda: self.has_profiler(worker), "the worker's profiler")
        self.snapshot_of(service, worker)
        self.assertIn(installed.PROFILER_THREAD + ":Memory Snapshot", service.log)
        self.assert_stops(service)

    def test_last_snapshot(self):
        service = self.start(workers=1, output="stderr", follow_children="yes", snapshot_at_exit="yes")
        worker, = self.workers_of(service)
        for _ in range(3):
            installed.request(self.port)
        self.wait_for(lambda: self.has_profiler(worker), "the worker's profiler")
        self.assert_stops(service)
        self.assertIn(300, [snapshot.counts.get("app.Node") for snapshot in host.snapshots(service.log)])

    def test_reload_and_scaling(self):
        service = self.start(output="stderr", follow_children="yes")
        for number in range(2, 4):
            service.send(signal.SIGHUP)
            self.wait_for_log(service, "Booting worker", 2 * number)
            installed.request(self.port)
        service.send(signal.SIGTTIN)
        self.wait_for_log(service, "Booting worker", 7)
        service.send(signal.SIGUSR1)    # reopens the log files
        service.send(signal.SIGTTOU)
        for _ in range(20):
            installed.request(self.port)
        self.assert_stops(service)

    def test_workers_that_come_and_go_while_snapshots_are_taken(self):
        text = host.joined("heap = [[] for i in range(300000)]\n", APPLICATION)
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                service = self.start("--preload", "--max-requests", "1", application=text, output="stderr",
                                     follow_children=follow, top_n_classes=2)
                for number in range(15):
                    service.send(installed.SNAPSHOT_SIGNAL)
                    time.sleep(0.01 * (number % 5))
                    installed.request(self.port)
                self.assert_stops(service)

    def test_killed_worker_is_replaced(self):
        service = self.start("--timeout", "3", output="stderr", follow_children="yes")
        for pid in self.workers_of(service):
            os.kill(pid, signal.SIGKILL)
        self.wait_for_log(service, "Booting worker", 4)
        installed.request(self.port)
        self.assert_stops(service)
        self.assertIsNone(re.search("WORKER TIMEOUT", service.log), service.log)


@installed.needs(GUNICORN and GEVENT, "gunicorn with gevent")
class GunicornGevent(Gunicorn):
    worker_class = "gevent"

    def test_requests_side_by_side(self):
        # Each waits for 0.2 s: the hub must go on while the profiler's thread counts the heap and logs.
        import threading
        text = host.joined("import logging; logging.basicConfig(level=logging.INFO)\n", APPLICATION)
        service = self.start(workers=1, application=text, follow_children="yes")
        worker, = self.workers_of(service)
        installed.request(self.port)
        self.wait_for(lambda: self.has_profiler(worker), "the worker's profiler")
        start = time.monotonic()
        threads = [threading.Thread(target=installed.request, args=(self.port, "/sleep")) for _ in range(20)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            os.kill(worker, installed.SNAPSHOT_SIGNAL)
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        self.assertLess(time.monotonic() - start, 3)
        self.assertIn("INFO:memory_profiler:Memory Snapshot", service.log)
        self.assert_stops(service)


@installed.needs(GUNICORN, "gunicorn")
class GunicornThreads(Gunicorn):
    worker_class = "gthread"


if __name__ == "__main__":
    installed.main()
