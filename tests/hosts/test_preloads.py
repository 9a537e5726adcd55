#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What else sits in the process: another preloaded library, the fault handler."""
import glob
import os
import signal

import installed
from installed import host

JEMALLOC = (glob.glob("/usr/lib/*/libjemalloc.so.2") or [None])[0]

BODY = """
    import os, signal, sys, time
    class Node:
        pass
    keep = [Node() for i in range(4321)]
"""


@installed.needs(JEMALLOC, "jemalloc")
class Jemalloc(installed.HostTest):
    TEXT = host.joined(host.LOGGING_TO_STDERR, BODY, """
        import subprocess, threading
        maps = open("/proc/self/maps").read()
        assert "jemalloc" in maps and "memprof" in maps
        def churn():
            for i in range(200):
                junk = [bytearray(1000 + i) for j in range(200)]
        threads = [threading.Thread(target=churn) for i in range(4)]
        for thread in threads:
            thread.start()
        for i in range(20):
            os.kill(os.getpid(), signal.SIGUSR1)
            pid = os.fork()
            if pid == 0:
                os._exit(3)
            assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 3
            time.sleep(0.01)
        for thread in threads:
            thread.join()
        subprocess.check_call([sys.executable, "-c", "pass"])
    """)

    def test_before_and_after(self):
        for first in (True, False):
            for separator in (" ", ":"):
                with self.subTest(jemalloc_first=first, separator=separator):
                    libraries = [JEMALLOC, host.LIBRARY] if first else [host.LIBRARY, JEMALLOC]
                    environment = host.profiled_environment(snapshot_signal="SIGUSR1", snapshot_at_exit="yes",
                                                            follow_children="yes")
                    environment["LD_PRELOAD"] = separator.join(libraries)
                    ended = self.run_program(self.TEXT, environment=environment)
                    self.assert_clean(ended)
                    counts = [snapshot.counts.get("__main__.Node") for snapshot in host.snapshots(ended.err)]
                    self.assertIn(4321, counts, ended)

    def test_debug_allocators(self):
        environment = host.profiled_environment(snapshot_signal="SIGUSR1", snapshot_at_exit="yes")
        environment["LD_PRELOAD"] = "%s:%s" % (host.LIBRARY, JEMALLOC)
        environment["PYTHONMALLOC"] = "malloc_debug"
        self.assert_clean(self.run_program(self.TEXT, environment=environment))


class FaultHandler(installed.HostTest):
    CRASHES = {
        "SIGSEGV": ("import ctypes; ctypes.string_at(0)", signal.SIGSEGV),
        "SIGABRT": ("os.abort()", signal.SIGABRT),
        "SIGSEGV sent": ("os.kill(os.getpid(), signal.SIGSEGV); time.sleep(5)", signal.SIGSEGV),
        "SIGFPE sent": ("os.kill(os.getpid(), signal.SIGFPE); time.sleep(5)", signal.SIGFPE),
    }

    def test_crashes(self):
        for name, (text, number) in self.CRASHES.items():
            for enabled in (True, False):
                with self.subTest(crash=name, faulthandler=enabled):
                    parts = [host.LOGGING_TO_STDERR, BODY, "time.sleep(0.3)", "def crash():\n    " + text, "crash()"]
                    ended = self.run_program(host.joined(*parts), *(("-X", "faulthandler") if enabled else ()),
                                             snapshot_signal="SIGUSR1", snapshot_at_exit="yes")
                    self.assertEqual(ended.code, -number, ended)
                    self.assertEqual(ended.complaints, [])
                    self.assertEqual("Fatal Python error" in ended.err, enabled, ended)
                    self.assertEqual("in crash" in ended.err, enabled, ended)

    def test_crash_while_a_snapshot_is_taken(self):
        text = host.joined(BODY, """
            keep += [[] for i in range(400000)]
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(DELAY)
            os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(5)
        """)
        for delay in (0, 0.001, 0.01, 0.05):
            with self.subTest(delay=delay):
                ended = self.run_program(text.replace("DELAY", str(delay)), "-X", "faulthandler", output="stderr",
                                         snapshot_signal="SIGUSR1")
                self.assertEqual(ended.code, -signal.SIGSEGV, ended)
                self.assertIn("Fatal Python error: Segmentation fault", ended.err)

    def test_dump_traceback_later(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, BODY, """
            import faulthandler
            faulthandler.dump_traceback_later(0.3, repeat=True, file=sys.stdout)
            def wait():
                for i in range(20):
                    os.kill(os.getpid(), signal.SIGUSR1)
                    time.sleep(0.05)
            wait()
            faulthandler.cancel_dump_traceback_later()
            faulthandler.dump_traceback(file=sys.stdout)
        """), snapshot_signal="SIGUSR1", snapshot_at_exit="yes")
        self.assert_clean(ended)
        self.assertGreaterEqual(ended.out.count("Timeout (0:00:00.300000)!"), 2, ended)
        self.assertIn("in wait", ended.out)
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 2, ended)

    def test_dump_by_signal(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, BODY, """
            import faulthandler
            faulthandler.register(signal.SIGUSR2, file=sys.stdout, all_threads=True)
            for i in range(50):
                os.kill(os.getpid(), signal.SIGUSR1)
                os.kill(os.getpid(), signal.SIGUSR2)
                time.sleep(0.002)
        """), snapshot_signal="SIGUSR1")
        self.assert_clean(ended)
        self.assertEqual(ended.out.count("(most recent call first)") >= 50, True, ended)


if __name__ == "__main__":
    installed.main()
