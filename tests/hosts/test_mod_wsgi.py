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

    # Embedded mode with sub-interpreters never ends gracefully, without the profiler neither.
    GRACEFUL = [("", ["/main", "/main/thread", "/main/subprocess"]), (DAEMON, PATHS)]

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
                                                interval_seconds=10, **options) if options.pop("profiled", True) else host.clean_environment()
        service = self.service([APACHE, "-f", path, "-DFOREGROUND"], environment)
        service.log_path = os.path.join(folder, "error.log")
        open(service.log_path, "a").close()
        self.wait_for_port(service, self.port)
        return service

    def profiled(self, service):
        return [pid for pid in installed.children_of(service.pid)
                if installed.PROFILER_THREAD in installed.thread_names(pid)]

    @staticmethod
    def snapshots_with_nodes(service):
        found = [[name for name in snapshot.counts if name.endswith(".Node")]
                 for snapshot in host.snapshots(service.log)]
        return [names for names in found if names]

    def check(self, paths=PATHS, **options):
        service = self.start(**options)
        for _ in range(3):
            for path in paths:
                answer = installed.request(self.port, path)
                self.assertRegex(answer, r"^\d+ ")
        pid = int(installed.request(self.port, "/main").split()[0])
        self.assertIn(pid, self.profiled(service), service.log[-3000:])
        # The threads of a child of the event and worker MPMs block every signal: there the next interval brings it.
        os.kill(pid, installed.SNAPSHOT_SIGNAL)
        # Only the main interpreter's objects are seen from 3.9 on; the group %{GLOBAL} runs there.
        self.wait_for(lambda: self.snapshots_with_nodes(service), "a snapshot: " + service.log[-3000:])
        for names in self.snapshots_with_nodes(service):
            self.assertEqual(len(names), 1, names)
        return service

    def assert_apache_stops(self, service, number=signal.SIGTERM):
        self.assert_stops(service, number)
        # Children of embedded mode that have sub-interpreters are often killed after 10 s, without us too.
        self.assertIsNone(re.search(r"exit signal (?!Killed)", service.log),
                          [line for line in service.log.splitlines() if "AH0" in line][-20:])

    def test_embedded(self):
        for mpm in [name for name in ("event", "worker", "prefork")
                    if os.path.exists("%s/mod_mpm_%s.so" % (MODULES, name))]:
            for follow in ("no", "yes"):
                with self.subTest(mpm=mpm, follow=follow):
                    self.assert_apache_stops(self.check(mpm=mpm, follow_children=follow))

    def test_daemon(self):
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                self.assert_apache_stops(self.check(wsgi=DAEMON, follow_children=follow))

    def test_graceful_stop(self):
        for wsgi, paths in self.GRACEFUL:
            with self.subTest(wsgi=wsgi.strip()):
                self.assert_apache_stops(self.check(paths, wsgi=wsgi), signal.SIGWINCH)

    def test_graceful_restart(self):
        for wsgi, paths in self.GRACEFUL:
            with self.subTest(wsgi=wsgi.strip()):
                service = self.check(paths, wsgi=wsgi, snapshot_at_exit="yes")
                before = set(installed.children_of(service.pid))
                service.send(signal.SIGUSR1)
                self.wait_for(lambda: not before & set(installed.children_of(service.pid)),
                              "the end of the first children: " + service.log[-2000:])
                for path in paths:
                    installed.request(self.port, path)
                self.assert_apache_stops(service)

    def test_fork(self):
        # Once there are sub-interpreters, forks of an application fail without the profiler too.
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                service = self.start(wsgi="WSGIDaemonProcess site\n    WSGIProcessGroup site", follow_children=follow)
                for _ in range(5):
                    installed.request(self.port, "/main/fork")
                self.assert_apache_stops(service)

    def test_last_snapshot_of_a_daemon(self):
        service = self.start(wsgi=DAEMON, snapshot_at_exit="yes")
        installed.request(self.port, "/main")
        count = len(host.snapshots(service.log))
        self.assert_apache_stops(service)
        self.assertGreater(len(host.snapshots(service.log)), count)


if __name__ == "__main__":
    installed.main()
