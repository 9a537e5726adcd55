#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gunicorn forks its workers with os.fork(), sets up loggers of its own and uses SIGUSR1, SIGUSR2 and SIGWINCH."""
import os
import re
import signal
import threading
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
    waiting = []
    def application(environ, start_response):
        keep.extend(Node() for i in range(100))
        if environ["PATH_INFO"] == "/meet":
            import time
            waiting.append(1)
            while not os.path.exists("go"):
                time.sleep(0.01)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d" % (len(waiting) or os.getpid())]
"""

# Between its fork and its signal handlers a worker has those of the master, and so loses what it is sent.
CONFIGURATION = """
    def post_worker_init(worker):
        worker.log.info("Worker ready (pid: %s)", worker.pid)
"""


@installed.needs(GUNICORN, "gunicorn")
class Gunicorn(installed.HostTest):
    worker_class = "sync"

    def start(self, *flags, workers=2, application=APPLICATION, **options):
        self.write("app.py", application)
        self.write("conf.py", CONFIGURATION)
        self.port = installed.free_port()
        command = [self.python, "-m", "gunicorn", "--config", "conf.py", "--bind", "127.0.0.1:%d" % self.port,
                   "--workers", str(workers), "--worker-class", self.worker_class, "--graceful-timeout", "40", *flags,
                   "app:application"]
        environment = host.profiled_environment(snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME, **options)
        service = self.service(command, environment)
        self.wait_for_port(service, self.port)
        self.wait_for_workers(service, workers, booted=workers)
        return service

    def wait_for_workers(self, service, workers, booted=0):
        """Until nobody comes or goes any more and `booted` have come in all. Returns their process ids."""
        def settled():
            log = service.log
            come = set(re.findall(r"Booting worker with pid: (\d+)", log))
            ready = set(re.findall(r"Worker ready \(pid: (\d+)\)", log))
            going = set(re.findall(r"\[(\d+)\] \[INFO\] Autorestarting worker", log))
            alive = {pid for pid in come if os.path.exists("/proc/" + pid)}
            self.workers = sorted(map(int, alive))
            return len(come) >= booted and len(alive) == workers and alive <= ready - going
        self.wait_for_service(service, settled, "%d workers" % workers)
        return self.workers

    def snapshots_of(self, service, pid):
        title = "Memory Snapshot" if pid == service.pid else "Memory Snapshot [pid %d]" % pid
        return [snapshot for snapshot in host.snapshots(service.log) if snapshot.title == title]

    def wait_for_snapshot(self, service, pid, nodes):
        """One that shows `nodes` instances of the application's class; one under way may still show fewer."""
        os.kill(pid, installed.SNAPSHOT_SIGNAL)
        self.wait_for_service(service, lambda: nodes in self.nodes_of(service, pid), "a snapshot of %d" % pid)

    def nodes_of(self, service, pid):
        return [snapshot.counts.get("app.Node", 0) for snapshot in self.snapshots_of(service, pid)]

    def wait_for_profiler(self, service, pid):
        self.wait_for_service(service, lambda: self.has_profiler(pid), "the profiler of %d" % pid)

    def has_profiler(self, pid):
        return installed.PROFILER_THREAD in installed.thread_names(pid)

    def assert_gunicorn_stops(self, service, killed=False):
        self.assert_stops(service)
        # gunicorn logs from a signal handler, where a record may be lost in another one.
        ends = set(re.findall(r"terminated due to signal (\d+)", service.log)) - {"15"}
        self.assertLessEqual(ends, {"9"} if killed else set(), service.log[-4000:])
        self.assertNotIn("WORKER TIMEOUT", service.log)
        self.assertNotIn("Exception in worker", service.log)

    def test_requests_and_stop(self):
        for flags in ((), ("--preload",)):
            for follow in ("no", "yes"):
                with self.subTest(flags=flags, follow=follow):
                    service = self.start(*flags, output="stderr", follow_children=follow)
                    for _ in range(30):
                        self.assertIn(int(installed.request(self.port)), self.workers)
                    self.wait_for_profiler(service, service.pid)
                    for pid in self.workers:
                        if follow == "yes":
                            self.wait_for_profiler(service, pid)
                        else:
                            self.assertFalse(self.has_profiler(pid))
                    self.assert_gunicorn_stops(service)

    def test_snapshots_of_workers(self):
        for flags in ((), ("--preload",)):
            with self.subTest(flags=flags):
                service = self.start(*flags, workers=1, output="stderr", follow_children="yes")
                worker, = self.workers
                for _ in range(5):
                    self.assertEqual(installed.request(self.port), str(worker))
                self.wait_for_profiler(service, worker)
                self.wait_for_snapshot(service, worker, 500)
                self.wait_for_snapshot(service, service.pid, 0)
                self.assertEqual(set(self.nodes_of(service, service.pid)), {0})
                self.assert_gunicorn_stops(service)

    def test_logging_of_the_application(self):
        text = host.joined("import logging; logging.basicConfig(level=logging.INFO, format='%(threadName)s:%(message)s')",
                           APPLICATION)
        service = self.start(workers=1, application=text, follow_children="yes")
        worker, = self.workers
        installed.request(self.port)
        self.wait_for_profiler(service, worker)
        self.wait_for_snapshot(service, worker, 100)
        self.assertIn(installed.PROFILER_THREAD + ":Memory Snapshot [pid %d]" % worker, service.log)
        self.assert_gunicorn_stops(service)

    def test_last_snapshot(self):
        service = self.start(workers=1, output="stderr", follow_children="yes", snapshot_at_exit="yes")
        worker, = self.workers
        for _ in range(3):
            installed.request(self.port)
        self.wait_for_profiler(service, worker)
        self.assert_gunicorn_stops(service)
        self.assertEqual(self.snapshots_of(service, worker)[-1].counts.get("app.Node"), 300)

    def test_reload_and_scaling(self):
        service = self.start(output="stderr", follow_children="yes")
        for number in range(2, 4):
            before = self.workers
            service.send(signal.SIGHUP)
            self.wait_for_workers(service, 2, booted=2 * number)
            self.assertFalse(set(before) & set(self.workers))
            installed.request(self.port)
        service.send(signal.SIGTTIN)
        self.wait_for_workers(service, 3, booted=7)
        service.send(signal.SIGUSR1)    # reopens the log files
        service.send(signal.SIGTTOU)
        self.wait_for_workers(service, 2)
        for _ in range(20):
            installed.request(self.port)
        self.assert_gunicorn_stops(service)

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
                self.wait_for_workers(service, 2)
                self.assertGreater(len(self.snapshots_of(service, service.pid)), 1, service.log[-4000:])
                self.assert_gunicorn_stops(service)

    def test_killed_worker_is_replaced(self):
        service = self.start("--timeout", "15", output="stderr", follow_children="yes")
        for pid in self.workers:
            os.kill(pid, signal.SIGKILL)
        for pid in self.wait_for_workers(service, 2, booted=4):
            self.wait_for_profiler(service, pid)
        installed.request(self.port)
        self.assert_gunicorn_stops(service, killed=True)


@installed.needs(GUNICORN and GEVENT, "gunicorn with gevent")
class GunicornGevent(Gunicorn):
    worker_class = "gevent"

    def test_requests_side_by_side(self):
        # The hub must go on while the profiler's thread counts the heap and logs.
        text = host.joined("import logging; logging.basicConfig(level=logging.INFO)\n", APPLICATION)
        service = self.start(workers=1, application=text, follow_children="yes")
        worker, = self.workers
        installed.request(self.port)
        self.wait_for_profiler(service, worker)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(installed.request(self.port, "/meet")))
                   for _ in range(20)]
        for thread in threads:
            thread.start()

        def have_arrived():
            os.kill(worker, installed.SNAPSHOT_SIGNAL)
            return 2100 in self.nodes_of(service, worker)
        self.wait_for_service(service, have_arrived, "a snapshot with all requests")
        self.assertEqual(answers, [])
        self.write("go", "")
        for thread in threads:
            thread.join()
        self.assertEqual(answers, ["20"] * 20)
        self.assertRegex(service.log, r"INFO:memory_profiler:Memory Snapshot \[pid %d\]" % worker)
        self.assert_gunicorn_stops(service)


@installed.needs(GUNICORN, "gunicorn")
class GunicornThreads(Gunicorn):
    worker_class = "gthread"


if __name__ == "__main__":
    installed.main(side_by_side=4)
