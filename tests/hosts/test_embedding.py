#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that embed Python: linked to every libpython of this machine, or loading one with a plugin."""
import os
import re
import sys

import installed
from installed import host

LIVES = 4

BODY = """
    import sys
    class Node:
        pass
    keep = [Node() for i in range(1234)]
"""
WITH_LOGGING = """
    import logging, threading, time
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format="%(levelname)s:%(name)s:%(threadName)s:%(message)s")
"""
# Between two snapshots of one life, the default one at the start and that at exit.
BUSY = """
    import os, signal, time
    for i in range(3):
        os.kill(os.getpid(), signal.SIGRTMIN + 3)
        time.sleep(0.02)
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 7
"""


def code(*parts):
    return host.joined(*parts)


class Embedding:
    """Python lives several times in one process."""

    libpython = None

    def setUp(self):
        super().setUp()
        self.program_path = installed.compile_c("embed.c", os.path.join(self.folder, "embed"),
                                                *self.libpython.link_arguments)

    def run_lives(self, way, text, lives=LIVES, variables=(), **options):
        environment = self.libpython.environment(host.profiled_environment(**options))
        environment.update(variables)
        ended = self.run_command([self.program_path, way, str(lives), text], environment)
        self.assert_clean(ended)
        return ended, re.split(r"life \d+ begins\n", ended.err)[1:]

    def check(self, way, text, variables=(), **options):
        ended, lives = self.run_lives(way, text, variables=variables, snapshot_at_exit="yes", **options)
        self.assertEqual(len(lives), LIVES, ended)
        for life in lives:
            self.assertEqual(host.snapshots(life)[-1].counts["__main__.Node"], 1234, ended)
            # A child that is followed says it too.
            self.assertIn(life.count(host.STARTED), (1, 2) if "follow_children" in options else (1,), ended)
        # The first life may leave a thread of the C library's own making; ours must be gone.
        for number, life in enumerate(lives, 1):
            self.assertIn("life %d ends with 1 threads" % number, life, ended)
        return lives

    def test_initialize(self):
        self.check("initialize", code(BODY), output="stderr")

    def test_initialize_ex(self):
        self.check("initialize_ex", code(BODY), output="stderr")

    def test_initialize_from_config(self):
        self.check("from_config", code(BODY), output="stderr")

    def test_logging_in_each_life(self):
        for life in self.check("initialize", code(BODY, WITH_LOGGING)):
            self.assertIn("INFO:memory_profiler:MemoryProfiler:Memory Snapshot", life)

    def test_signals_and_forks_in_each_life(self):
        self.check("initialize", code(BODY, BUSY), output="stderr",
                   snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME)

    def test_signals_and_forks_with_logging(self):
        self.check("from_config", code(BODY, WITH_LOGGING, BUSY), follow_children="yes",
                   snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME)

    def test_debug_allocators(self):
        for way in ("initialize", "from_config"):
            with self.subTest(way=way):
                self.check(way, code(BODY, WITH_LOGGING, BUSY), {"PYTHONMALLOC": "debug"},
                           snapshot_signal=installed.SNAPSHOT_SIGNAL_NAME)

    def test_development_mode(self):
        self.check("from_config", code(BODY), {"PYTHONDEVMODE": "1"}, output="stderr")

    def test_fork_whose_return_never_comes(self):
        # The exit callbacks fork, and nothing of the program runs any more.
        self.check("initialize", code(BODY, """
            import atexit, os
            def fork():
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
            fork()
            atexit.register(fork)
        """), output="stderr")

    def test_many_short_lives(self):
        ended, lives = self.run_lives("initialize", "pass", lives=20)
        self.assertEqual(len(lives), 20, ended)

    def test_nothing_when_switched_off(self):
        ended, lives = self.run_lives("initialize", code(BODY), enabled="no", output="stderr",
                                      snapshot_at_exit="yes")
        self.assertNotIn("Snapshot", ended.err)


class Unsupported:
    """A Python older than 3.8 is left alone."""

    libpython = None

    def test_left_alone(self):
        path = installed.compile_c("embed.c", os.path.join(self.folder, "embed"),
                                   *self.libpython.link_arguments)
        environment = host.profiled_environment(output="stderr", snapshot_at_exit="yes")
        ended = self.run_command([path, "initialize", "2", "print(5)"],
                                 self.libpython.environment(environment))
        self.assert_clean(ended)
        self.assertEqual(ended.out, "5\n5\n")
        self.assertNotIn("Snapshot", ended.err)


class Plugin:
    """A program without Python loads a plugin that is linked to libpython."""

    libpython = None

    def check(self, scope, lives, *parts, **options):
        plugin = installed.compile_c("plugin.c", os.path.join(self.folder, "plugin.so"), "-shared", "-fPIC",
                                     *self.libpython.link_arguments)
        program = installed.compile_c("plugin_host.c", os.path.join(self.folder, "plugin_host"), "-ldl")
        environment = self.libpython.environment(host.profiled_environment(snapshot_at_exit="yes", **options))
        # Extension modules that are not linked to libpython itself need it to be global.
        ended = self.run_command([program, plugin, scope, str(lives), code(*parts)], environment)
        self.assert_clean(ended)
        found = re.split(r"life \d+ begins\n", ended.err)[1:]
        self.assertEqual(len(found), lives, ended)
        for life in found:
            self.assertEqual(host.snapshots(life)[-1].counts["__main__.Node"], 1234, ended)

    def test_local(self):
        self.check("local", 1, BODY, output="stderr")

    def test_global(self):
        self.check("global", 1, BODY, output="stderr")

    def test_several_lives(self):
        self.check("global", 3, BODY, WITH_LOGGING)

    def test_closed_and_opened_again(self):
        self.check("reload", 3, BODY, WITH_LOGGING)


def declare():
    for libpython in installed.find_libpythons():
        kinds = (Embedding, Plugin) if libpython.number >= (3, 8) else (Unsupported,)
        for kind in kinds:
            name = "%s_%s" % (kind.__name__, re.sub(r"\W", "_", libpython.name))
            case = type(name, (kind, installed.HostTest),
                        {"libpython": libpython, "__module__": "__main__", "__doc__": kind.__doc__})
            setattr(sys.modules["__main__"], name, installed.needs(installed.shutil.which("cc"), "cc")(case))


if __name__ == "__main__":
    declare()
    installed.main()
