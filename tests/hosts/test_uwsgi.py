#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""uWSGI loads Python with a plugin, forks its workers behind Python's back and, without --enable-threads, never gives
the GIL up but while Python code runs."""
import concurrent.futures
import itertools
import os
import signal
import time

import installed
from installed import host

UWSGI = "/usr/bin/uwsgi"
# Until uWSGI says so it loses signals, also without the profiler: its master ignores them until all workers are forked,
# a worker takes them for the master's until its application is loaded.
MASTER_IS_READY = "this master listens to signals"
WORKER_IS_READY = "this worker listens to signals"
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
        self.masters = int("--master" in flags)
        self.write("app.py", application)
        self.port = installed.free_port()
        command = [UWSGI, "--plugin", "python3", "--http-socket", "127.0.0.1:%d" % self.port, "--wsgi-file", "app.py",
                   "--processes", str(workers), "--die-on-term", "--need-app",
                   "--hook-master-start", "print:" + MASTER_IS_READY, "--hook-accepting", "print:" + WORKER_IS_READY,
                   *flags]
        if environment is None:
            environment = host.profiled_environment(snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME, **options)
        service = self.service(command, environment)
        self.wait_for_port(service, self.port)
        self.wait_until_ready(service)
        return service

    def wait_until_ready(self, service, lives=1, respawned=0):
        """Until it has been started `lives` times and has `respawned` workers in the place of others."""
        self.wait_for_log(service, "(?m)^" + MASTER_IS_READY, lives * self.masters)
        self.wait_for_log(service, "(?m)^" + WORKER_IS_READY, lives * self.workers + respawned)

    def workers_of(self, service):
        # The kernel's list of children may miss some while it changes.
        self.wait_for(lambda: len(installed.children_of(service.pid)) >= self.workers, "the workers")
        return installed.children_of(service.pid)

    def ask(self, path="/", requests=40):
        """The set of answers; a worker that hangs makes a request time out."""
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            return set(pool.map(lambda number: installed.request(self.port, path), range(requests)))

    def has_profiler(self, pid):
        return installed.PROFILER_THREAD in installed.thread_names(pid)

    def assert_uwsgi_stops(self, service, code=0):
        self.assert_stops(service, code=code)
        self.assertNotIn("NO MERCY", service.log)    # what it kills for it does not end
        self.assertNotIn("killed by signal", service.log)

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
                answered = {int(pid) for pid in self.ask() | self.ask("/work", 10)}
                self.assertLessEqual(answered, set(self.workers_of(service)))
                for pid in answered:
                    if variant["follow"]:
                        self.wait_for_service(service, lambda: self.has_profiler(pid), "the worker's profiler")
                    else:
                        self.assertFalse(self.has_profiler(pid), service.log[-3000:])
                self.assert_uwsgi_stops(service)

    def nodes_of(self, service, pid):
        """How many instances of the application's class the snapshots of a followed worker show."""
        return [count for snapshot in host.snapshots(service.log) if snapshot.title == "Memory Snapshot [pid %d]" % pid
                for name, count in snapshot.counts.items() if name.endswith(".Node")]

    def test_snapshots_of_workers(self):
        for lazy in (False, True):
            with self.subTest(lazy=lazy):
                service = self.start(*self.flags_of({"threads": True, "lazy": lazy}), workers=1, output="stderr",
                                     follow_children="yes")
                worker, = self.workers_of(service)
                for _ in range(5):
                    self.assertEqual(installed.request(self.port), str(worker))
                os.kill(worker, installed.SNAPSHOT_SIGNAL)
                self.wait_for_service(service, lambda: 500 in self.nodes_of(service, worker), "a snapshot of the worker")
                self.assert_uwsgi_stops(service)

    def test_snapshots_of_workers_without_enable_threads(self):
        # The profiler's thread runs only while Python code of the worker does.
        service = self.start("--master", workers=1, output="stderr", follow_children="yes")
        worker, = self.workers_of(service)
        installed.request(self.port, "/work")
        os.kill(worker, installed.SNAPSHOT_SIGNAL)

        def is_seen():
            self.assertEqual(installed.request(self.port, "/work"), str(worker))
            return any(count >= 100 for count in self.nodes_of(service, worker))
        self.wait_for_service(service, is_seen, "a snapshot of the worker")
        self.assert_uwsgi_stops(service)

    def test_snapshots_of_the_master(self):
        service = self.start("--master", "--enable-threads", output="stderr")
        count = len(host.snapshots(service.log))
        service.send(installed.SNAPSHOT_SIGNAL)
        self.wait_for_service(service, lambda: len(host.snapshots(service.log)) > count, "a snapshot of the master")
        for worker in self.workers_of(service):
            self.assertFalse(self.has_profiler(worker))
        self.assert_uwsgi_stops(service)

    def test_last_snapshot_of_workers(self):
        service = self.start("--master", "--enable-threads", workers=1, output="stderr", follow_children="yes",
                             snapshot_at_exit="yes")
        worker, = self.workers_of(service)
        for _ in range(3):
            installed.request(self.port)
        # A worker that is told to stop before it is done with a request skips Python's exit callbacks.
        self.wait_for_log(service, r"GET / => generated", 3)
        self.assert_uwsgi_stops(service)
        self.assertIn(300, self.nodes_of(service, worker), service.log[-3000:])

    def test_single_process(self):
        for flags in ((), ("--enable-threads",), ("--master", "--threads", "3")):
            with self.subTest(flags=flags):
                service = self.start(*flags, workers=1, output="stderr", snapshot_at_exit="yes")
                self.ask(requests=10)
                self.assert_uwsgi_stops(service, code=0 if "--master" in flags else 30)    # as without the profiler
                self.assertGreaterEqual(len(host.snapshots(service.log)), 1, service.log)

    def test_threads_of_the_application(self):
        # The worker inherits the GIL; had the profiler's thread been waiting for it in the master, its condition
        # variable would count a waiter that never wakes up.
        for follow in ("no", "yes"):
            for lazy in (False, True):
                with self.subTest(follow=follow, lazy=lazy):
                    service = self.start(*self.flags_of({"threads": True, "lazy": lazy}), workers=3, output="stderr",
                                         follow_children=follow)
                    self.assertEqual(self.ask("/thread", 60), {"joined 1"})
                    self.assert_uwsgi_stops(service)

    def test_threads_of_the_application_without_enable_threads(self):
        # A thread runs while its starter waits for it.
        for lazy in (False, True):
            with self.subTest(lazy=lazy):
                service = self.start(*self.flags_of({"threads": False, "lazy": lazy}), workers=3, output="stderr")
                self.assertEqual(self.ask("/thread", 60), {"joined 1"})
                self.assert_uwsgi_stops(service)

    def test_reload(self):
        for threads in (False, True):
            with self.subTest(threads=threads):
                service = self.start(*self.flags_of({"threads": threads, "lazy": False}), output="stderr",
                                     follow_children="yes")
                for lives in range(2, 5):
                    before = self.workers_of(service)
                    self.ask(requests=10)
                    service.send(signal.SIGHUP)
                    self.wait_until_ready(service, lives)
                    self.assertFalse(set(before) & set(self.workers_of(service)))
                self.ask(requests=10)
                self.assert_uwsgi_stops(service)

    def test_chain_reload(self):
        touched = self.write("touch-me", "")
        service = self.start("--master", "--enable-threads", "--lazy-apps", "--touch-chain-reload", touched,
                             output="stderr", follow_children="yes")
        before = self.workers_of(service)
        self.ask(requests=10)
        os.utime(touched, (time.time() + 10, time.time() + 10))    # uWSGI compares whole seconds
        self.wait_for_log(service, "chain reloading complete")
        self.wait_until_ready(service, respawned=2)
        answered = {int(pid) for pid in self.ask(requests=10)}
        self.assertFalse(set(before) & (answered | set(self.workers_of(service))))
        for pid in answered:
            self.wait_for_service(service, lambda: self.has_profiler(pid), "the worker's profiler")
        self.assert_uwsgi_stops(service)

    def test_python_fork_hooks(self):
        for flag in ("--py-call-osafterfork", "--py-call-uwsgi-fork-hooks"):
            for follow in ("no", "yes"):
                with self.subTest(flag=flag, follow=follow):
                    service = self.start("--master", "--enable-threads", flag, output="stderr", follow_children=follow)
                    self.ask()
                    self.assertEqual(self.ask("/thread"), {"joined 1"})
                    self.assert_uwsgi_stops(service)

    def check_workers_that_come_and_go(self, threads):
        # The master's thread walks a heap that takes long, and is asked for it at every moment.
        application = host.joined("heap = [[] for i in range(600000)]\n", APPLICATION)
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                service = self.start(*self.flags_of({"threads": threads, "lazy": False}), "--max-requests", "1",
                                     "--min-worker-lifetime", "0", "--forkbomb-delay", "0", application=application,
                                     output="stderr", follow_children=follow)
                for number in range(25):
                    service.send(installed.SNAPSHOT_SIGNAL)
                    time.sleep(0.01 * (number % 5))
                    installed.request(self.port, "/thread" if threads else "/")
                # Between the death of a worker and the birth of the next one uWSGI's master cannot be stopped: it
                # forgets the one to be born, also without the profiler.
                self.wait_until_ready(service, respawned=25)
                if threads:
                    self.assertGreaterEqual(len(host.snapshots(service.log)), 1, service.log[-3000:])
                self.assert_uwsgi_stops(service)

    def test_workers_that_come_and_go_while_snapshots_are_taken(self):
        self.check_workers_that_come_and_go(threads=False)

    def test_workers_that_come_and_go_while_snapshots_are_taken_with_threads(self):
        self.check_workers_that_come_and_go(threads=True)

    def test_costs_nothing_while_idle(self):
        for threads in (False, True):
            with self.subTest(threads=threads):
                service = self.start(*self.flags_of({"threads": threads, "lazy": False}), workers=1, output="stderr",
                                     follow_children="yes", interval_seconds=10)
                worker, = self.workers_of(service)
                self.ask("/work", 3)
                time.sleep(1)
                before = [installed.cpu_seconds(pid) for pid in (service.pid, worker)]
                time.sleep(10)
                after = [installed.cpu_seconds(pid) for pid in (service.pid, worker)]
                used = [end - start for start, end in zip(before, after)]
                self.assertLess(max(used), 0.5, used)
                print("idle for 10 s, threads=%s: %s s of CPU in master and worker" % (threads, used))
                self.assert_uwsgi_stops(service)


if __name__ == "__main__":
    installed.main(side_by_side=4)
