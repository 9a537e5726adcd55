#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Apache loads Python with mod_wsgi.so, in children it forks itself, and runs each application in a sub-interpreter."""
import os
import re
import signal
import tempfile
import textwrap

import installed
from installed import host

APACHE = "/usr/sbin/apache2"
MODULES = "/usr/lib/apache2/modules"
HAS_MOD_WSGI = os.access(APACHE, os.X_OK) and os.path.exists(os.path.join(MODULES, "mod_wsgi.so"))

APPLICATION = """
    import os, threading
    class Node:
        pass
    keep = []
    def application(environ, start_response):
        keep.extend(Node() for i in range(100))
        path = environ["PATH_INFO"]
        if path == "/thread":
            thread = threading.Thread(target=keep.append, args=(1,))
            thread.start()
            thread.join(5)
        if path == "/subprocess":
            import subprocess
            subprocess.check_call(["true"])
        if path == "/fork":
            pid = os.fork()
            if pid == 0:
                os._exit(3)
            assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 3
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [("%d %s" % (os.getpid(), environ["mod_wsgi.application_group"])).encode()]
"""

CONFIGURATION = """
    ServerRoot "{folder}"
    ServerName localhost
    Listen 127.0.0.1:{port}
    PidFile "{folder}/apache.pid"
    DefaultRuntimeDir "{folder}"
    Mutex file:{folder}
    LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
    LoadModule authz_core_module {modules}/mod_authz_core.so
    LoadModule wsgi_module {modules}/mod_wsgi.so
    {user}
    LogLevel info
    ErrorLog "{folder}/error.log"
    StartServers 2
    <Directory "{folder}">
        Require all granted
    </Directory>
    WSGISocketPrefix {folder}/wsgi
    {wsgi}
    WSGIScriptAlias /main "{folder}/app.py" application-group=%{{GLOBAL}}
    WSGIScriptAlias /one "{folder}/app.py" application-group=one
    WSGIScriptAlias /two "{folder}/app.py" application-group=two
"""

DAEMON = """
    WSGIDaemonProcess site processes=2 threads=4
    WSGIProcessGroup site
"""


@installed.needs(HAS_MOD_WSGI, "Apache with mod_wsgi")
class ModWsgi(installed.HostTest):
    PATHS = [group + path for group in ("/main", "/one", "/two")
             for path in ("", "/thread", "/subprocess")]

    # With sub-interpreters the children of the event and worker MPMs never end gracefully and are killed after 10 s in
    # any case, without the profiler too: a sub-interpreter's threading waits at its end for the thread that has made it,
    # one of Apache's own, which is gone by then.
    THREADED = ("event", "worker")
    GRACEFUL = [{"mpm": "event", "paths": ["/main", "/main/thread", "/main/subprocess"]},
                {"mpm": "prefork", "paths": PATHS},
                {"wsgi": DAEMON, "paths": PATHS}]

    def start(self, wsgi="", mpm="event", **options):
        os.chmod(self.folder, 0o755)
        folder = tempfile.mkdtemp(dir=self.folder)
        os.chmod(folder, 0o777)
        with open(os.path.join(folder, "app.py"), "w") as file:
            file.write(textwrap.dedent(APPLICATION))
        self.port = installed.free_port()
        user = "User www-data\n    Group www-data" if os.geteuid() == 0 else ""
        path = self.write("apache.conf", CONFIGURATION.format(folder=folder, port=self.port, modules=MODULES,
                                                              user=user, wsgi=wsgi, mpm=mpm))
        # Descriptor 2 of Apache and its children is the error log from the reading of its configuration on.
        environment = host.profiled_environment(snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME, output="stderr",
                                                interval_seconds=10, **options)
        service = self.service([APACHE, "-f", path, "-DFOREGROUND"], environment)
        service.log_path = os.path.join(folder, "error.log")
        open(service.log_path, "a").close()
        self.wait_for_port(service, self.port)
        return service

    def profiled(self, service):
        return [pid for pid in installed.children_of(service.pid)
                if installed.PROFILER_THREAD in installed.thread_names(pid)]

    @staticmethod
    def nodes_of(service):
        """For each snapshot the numbers of instances of the applications' classes, all called Node."""
        return [[count for name, count in snapshot.counts.items() if name.endswith(".Node")]
                for snapshot in host.snapshots(service.log)]

    def wait_for_nodes(self, service, pid, is_wanted):
        """A snapshot taken from now on; only the main interpreter's objects are seen from 3.9 on."""
        count = len(self.nodes_of(service))
        # The threads of a child of the event and worker MPMs block every signal: there the next interval brings it.
        os.kill(pid, installed.SNAPSHOT_SIGNAL)
        self.wait_for_service(service, lambda: any(len(nodes) == 1 and is_wanted(nodes[0])
                                                   for nodes in self.nodes_of(service)[count:]), "a snapshot")

    def check(self, paths=PATHS, **options):
        service = self.start(**options)
        # The group %{GLOBAL} runs in the main interpreter. Once a thread has made a sub-interpreter, what it allocates
        # for that group belongs to the latter in CPython's books: so count before there is any.
        answers = [installed.request(self.port, "/main") for _ in range(5)]
        pid = int(answers[-1])
        self.assertIn(pid, self.profiled(service), service.log[-3000:])
        expected = 100 * answers.count(answers[-1])
        self.wait_for_nodes(service, pid, lambda nodes: nodes == expected)
        answers = [installed.request(self.port, path) for _ in range(3) for path in paths]
        self.assertEqual({answer.split(" ")[1] for answer in answers},
                         {"one", "two", ""} if "/one" in paths else {""})
        self.wait_for_nodes(service, pid, lambda nodes: nodes >= expected)
        for nodes in self.nodes_of(service):
            self.assertLessEqual(len(nodes), 1, nodes)
        return service

    def assert_apache_stops(self, service, number=signal.SIGTERM, may_be_killed=False):
        self.assert_stops(service, number)
        self.assertIsNone(re.search("exit signal (?!Killed)" if may_be_killed else "exit signal", service.log),
                          [line for line in service.log.splitlines() if "AH0" in line][-20:])

    def check_embedded(self, mpm):
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                self.assert_apache_stops(self.check(mpm=mpm, follow_children=follow),
                                         may_be_killed=mpm in self.THREADED)

    def test_embedded_event(self):
        self.check_embedded("event")

    def test_embedded_worker(self):
        self.check_embedded("worker")

    def test_embedded_prefork(self):
        self.check_embedded("prefork")

    def test_daemon(self):
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                self.assert_apache_stops(self.check(wsgi=DAEMON, follow_children=follow))

    def test_graceful_stop(self):
        for options in self.GRACEFUL:
            with self.subTest(**options):
                self.assert_apache_stops(self.check(**options), signal.SIGWINCH)

    def test_graceful_restart(self):
        for options in self.GRACEFUL:
            with self.subTest(**options):
                service = self.check(**options, snapshot_at_exit="yes")
                before = set(installed.children_of(service.pid))
                service.send(signal.SIGUSR1)
                self.wait_for_service(service, lambda: not before & set(installed.children_of(service.pid)),
                                      "the end of the first children")
                answers = [installed.request(self.port, path) for path in options["paths"]]
                self.assertFalse(before & {int(answer.split(" ")[0]) for answer in answers})
                self.assert_apache_stops(service, may_be_killed=options.get("mpm") in self.THREADED)

    def test_fork(self):
        # Once there are sub-interpreters, forks of an application fail without the profiler too.
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                service = self.start(wsgi="WSGIDaemonProcess site\n    WSGIProcessGroup site", follow_children=follow)
                for _ in range(5):
                    installed.request(self.port, "/main/fork")
                self.assert_apache_stops(service)

    def test_last_snapshot_of_a_daemon(self):
        service = self.start(wsgi="WSGIDaemonProcess site\n    WSGIProcessGroup site", snapshot_at_exit="yes")
        for _ in range(3):
            installed.request(self.port, "/main")
        self.assert_apache_stops(service)
        self.assertIn([300], self.nodes_of(service), service.log[-3000:])


if __name__ == "__main__":
    installed.main(side_by_side=4)
