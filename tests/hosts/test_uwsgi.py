#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""uWSGI loads Python with a plugin, forks its workers behind Python's back and, without --enable-threads, never gives
the GIL up but while Python code runs."""
import itertools
import os
import signal
import time

import installed
from installed import host

UWSGI = "/usr/bin/uwsgi"
# uWSGI loses a signal that comes while its workers start, also without the profiler.
SETTLING_SECONDS = 0.7
HAS_UWSGI = bool(os.access(UWSGI, os.X_OK) and installed.glob.glob("/usr/lib/uwsgi/plugins/python3*_plugin.so"))

APPLICATION = """
    import os
    class Node:
        pass
    keep = []
    def application(environ, start_response):
        keep.extend(Node() for i in range(100))
        start_response("200 OK", [("Content-Type", "text/plain")])
        if environ["PATH_INFO"] == "/thread":
            import threading
            done = []
            thread = threading.Thread(target=done.append, args=(1,))
            thread.start()
            thread.join(5)
            return [b"joined %d" % len(done)]
        if environ["PATH_INFO"] == "/work":
            sum(i * i for i in range(200000))
        return [b"%d" % os.getpid()]
"""


@installed.needs(HAS_UWSGI, "uWSGI with its Python plugin")
class Uwsgi(installed.HostTest):
    def start(self, *flags, application=APPLICATION, workers=2, environment=None, **options):
        self.workers = workers
        self.write("app.py", application)
        self.port = installed.free_port()
        command = [UWSGI, "--plugin", "python3", "--http-socket", "127.0.0.1:%d" % self.port, "--wsgi-file", "app.py",
                   "--processes", str(workers), "--die-on-term", "--need-app", *flags]
        if environment is None:
            environment = host.profiled_environment(snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME, **options)
        service = self.service(command, environment)
        self.wait_for_port(service, self.port)
        self.wait_for_log(service, r"spawned uWSGI worker", workers)
        time.sleep(SETTLING_SECONDS)
        return service

    def workers_of(self, service):
        # The kernel's list of children may miss some while it changes.
        self.wait_for(lambda: len(installed.children_of(service.pid)) >= self.workers, "the workers")
        return installed.children_of(service.pid)

    def ask_all(self, service, path="/", requests=40):
        """Requests until every worker has answered; a worker that hangs makes one time out."""
        answers = [installed.request(self.port, path) for _ in range(requests)]
        return set(answers)

    VARIANTS = [dict(zip(("threads", "lazy", "follow"), values))
                for values in itertools.product((False, True), repeat=3)]

    @staticmethod
    def flags_of(variant):
        flags = ["--master"]
        flags += ["--enable-threads"] if variant["threads"] else []
        flags += ["--lazy-apps"] if variant["lazy"] else []
        return flags

    def test_requests_and_stop(self):
        for variant in self.VARIANTS:
            with self.subTest(**variant):
                service = self.start(*self.flags_of(variant), output="stderr",
                                     follow_children="yes" if variant["follow"] else "no")
                self.ask_all(service)
                self.ask_all(service, "/work", 10)
                followed = [pid for pid in self.workers_of(service)
                            if installed.PROFILER_THREAD in installed.thread_names(pid)]
                if not variant["follow"]:
                    self.assertEqual(followed, [], service.log)
                if variant["follow"]:
                    self.assertGreaterEqual(len(followed), 1, service.log)
                self.assert_stops(service)

    def test_snapshots_of_workers(self):
        for lazy in (False, True):
            with self.subTest(lazy=lazy):
                service = self.start(*self.flags_of({"threads": True, "lazy": lazy}), workers=1, output="stderr",
                                     follow_children="yes")
                worker, = self.workers_of(service)
                for _ in range(5):
                    self.assertEqual(installed.request(self.port), str(worker))
                os.kill(worker, installed.SNAPSHOT_SIGNAL)
                self.wait_for(lambda: any(snapshot.counts.get("uwsgi_file_app_py.Node", 0) == 500 or
                                          snapshot.counts.get("uwsgi_file_app.Node", 0) == 500
                                          for snapshot in host.snapshots(service.log)),
                              "a snapshot of the worker: " + service.log[-3000:])
                self.assertRegex(service.log, r"(?m)\bpid\b.*\b%d\b" % worker)
                self.assert_stops(service)

    def test_snapshots_of_the_master(self):
        service = self.start("--master", "--enable-threads", output="stderr")
        count = len(host.snapshots(service.log))
        service.send(installed.SNAPSHOT_SIGNAL)
        self.wait_for(lambda: len(host.snapshots(service.log)) > count, "a snapshot of the master")
        for worker in self.workers_of(service):
            self.assertNotIn(installed.PROFILER_THREAD, installed.thread_names(worker))
        self.assert_stops(service)

    def test_last_snapshot_of_workers(self):
        service = self.start("--master", "--enable-threads", workers=1, output="stderr", follow_children="yes",
                             snapshot_at_exit="yes")
        installed.request(self.port)
        count = len(host.snapshots(service.log))
        self.assert_stops(service)
        self.assertGreater(len(host.snapshots(service.log)), count, service.log)

    def test_single_process(self):
        for flags in ((), ("--enable-threads",), ("--master", "--threads", "3")):
            with self.subTest(flags=flags):
                service = self.start(*flags, workers=1, output="stderr", snapshot_at_exit="yes")
                self.ask_all(service, requests=10)
                self.assert_stops(service, code=0 if "--master" in flags else 30)    # as without the profiler
                self.assertIn("Memory Snapshot", service.log)

    def test_threads_of_the_application(self):
        # The worker inherits the GIL; had the profiler's thread been waiting for it in the master, its condition
        # variable would count a waiter that never wakes up.
        for follow in ("no", "yes"):
            for lazy in (False, True):
                with self.subTest(follow=follow, lazy=lazy):
                    service = self.start(*self.flags_of({"threads": True, "lazy": lazy}), workers=3, output="stderr",
                                         follow_children=follow)
                    self.assertEqual(self.ask_all(service, "/thread", 60), {"joined 1"})
                    self.assert_stops(service)

    def test_threads_of_the_application_without_enable_threads(self):
        # A thread runs while its starter waits for it.
        for lazy in (False, True):
            with self.subTest(lazy=lazy):
                service = self.start(*self.flags_of({"threads": False, "lazy": lazy}), workers=3, output="stderr")
                self.assertEqual(self.ask_all(service, "/thread", 60), {"joined 1"})
                self.assert_stops(service)

    def test_reload(self):
        for threads in (False, True):
            with self.subTest(threads=threads):
                service = self.start(*self.flags_of({"threads": threads, "lazy": False}), output="stderr",
                                     follow_children="yes")
                for number in range(2, 5):
                    self.ask_all(service, requests=10)
                    service.send(signal.SIGHUP)
                    self.wait_for_log(service, "spawned uWSGI worker", 2 * number)
                    time.sleep(SETTLING_SECONDS)
                self.ask_all(service, requests=10)
                self.assert_stops(service)

    def test_chain_reload(self):
        service = self.start("--master", "--enable-threads", "--lazy-apps", "--touch-chain-reload", self.folder,
                             output="stderr", follow_children="yes")
        self.ask_all(service, requests=10)
        os.utime(self.folder)
        self.wait_for_log(service, "spawned uWSGI worker|respawned uWSGI worker", 4)
        self.ask_all(service, requests=10)
        self.assert_stops(service)

    def test_python_fork_hooks(self):
        for flag in ("--py-call-osafterfork", "--py-call-uwsgi-fork-hooks"):
            for follow in ("no", "yes"):
                with self.subTest(flag=flag, follow=follow):
                    service = self.start("--master", "--enable-threads", flag, output="stderr", follow_children=follow)
                    self.ask_all(service)
                    self.assertEqual(self.ask_all(service, "/thread"), {"joined 1"})
                    self.assert_stops(service)

    def test_workers_that_come_and_go_while_snapshots_are_taken(self):
        # The master's thread walks a heap that takes long, and is asked for it at every moment.
        application = host.joined("heap = [[] for i in range(600000)]\n", APPLICATION)
        for threads in (False, True):
            for follow in ("no", "yes"):
                with self.subTest(threads=threads, follow=follow):
                    service = self.start(*self.flags_of({"threads": threads, "lazy": False}), "--max-requests", "1",
                                         "--min-worker-lifetime", "0", "--worker-reload-mercy", "5",
                                         application=application, output="stderr", follow_children=follow)
                    for number in range(25):
                        service.send(installed.SNAPSHOT_SIGNAL)
                        time.sleep(0.01 * (number % 5))
                        installed.request(self.port, "/thread" if threads else "/")
                    time.sleep(3)    # uWSGI itself waits for 2 s before it starts a worker anew
                    self.assert_stops(service)

    def test_costs_nothing_while_idle(self):
        for threads in (False, True):
            with self.subTest(threads=threads):
                service = self.start(*self.flags_of({"threads": threads, "lazy": False}), workers=1, output="stderr",
                                     follow_children="yes", interval_seconds=10)
                worker, = self.workers_of(service)
                self.ask_all(service, "/work", 3)
                time.sleep(1)
                before = [installed.cpu_seconds(pid) for pid in (service.pid, worker)]
                time.sleep(10)
                after = [installed.cpu_seconds(pid) for pid in (service.pid, worker)]
                used = [end - start for start, end in zip(before, after)]
                self.assertLess(max(used), 0.5, used)
                print("idle for 10 s, threads=%s: %s s of CPU in master and worker" % (threads, used))
                self.assert_stops(service)


if __name__ == "__main__":
    installed.main()
