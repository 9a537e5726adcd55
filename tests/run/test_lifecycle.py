# SPDX-License-Identifier: MIT
"""The program ends, forks and starts others exactly as it does without the profiler."""

import os

import host

NODES = """
    class Node:
        pass
    keep = [Node() for i in range(20000)]
"""
BUSY = host.joined(host.LOGGING_TO_STDERR, NODES)
LISTENING = host.joined(host.LISTENING, NODES)

# One that has just started may have no name yet, one that has been joined may be listed a moment longer.
PROFILERS = host.joined(host.WAITING, """
    import os
    def has_one_profiler():
        names = []
        for task in os.listdir("/proc/self/task"):
            try:
                with open("/proc/self/task/%s/comm" % task) as file:
                    names.append(file.read().strip())
            except OSError:
                pass
        return names.count("MemoryProfiler") == 1
""")


class Ending(host.HostTest):
    """Exit code, stdout and stderr are those of the unprofiled program."""

    WAYS = {
        "return": "pass",
        "sys.exit": "import sys; sys.exit(7)",
        "sys.exit text": "import sys; sys.exit('reason')",
        "exception": "raise ValueError('oops')",
        "os._exit": "import os; os._exit(9)",
        "abort": "import os; os.abort()",
        "SIGTERM": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "SIGINT": "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(9)",
        "SIGKILL": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "thread": "import threading, time; threading.Thread(target=time.sleep, args=(0.1,)).start()",
        "daemon thread": "import threading, time;"
                         "threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
        "atexit": "import atexit; atexit.register(print, 'bye')",
        "exit in atexit": "import atexit, sys; atexit.register(sys.exit, 3)",
        "syntax error": "def",
        "missing module": "import no_such_module",
    }

    def test_without_logging(self):
        # Short-lived and without a logging set-up: not a byte more, not another exit code.
        path = self.write("program.py", "")
        for name, text in self.WAYS.items():
            with self.subTest(way=name):
                self.write("program.py", text)
                plain = self.run_command([self.python, path], host.clean_environment())
                for options in ({}, {"follow_children": "yes"}, {"interval_seconds": 10}):
                    ended = self.run_command([self.python, path],
                                             host.profiled_environment(**options))
                    self.assertEqual((ended.code, ended.out, ended.err),
                                     (plain.code, plain.out, plain.err))

    def test_with_a_snapshot_at_exit(self):
        taken = ("return", "sys.exit", "exception", "SIGINT", "thread", "atexit")
        for name in taken:
            with self.subTest(way=name):
                text = host.joined(BUSY, self.WAYS[name])
                plain = self.run_program(text, environment=host.clean_environment())
                ended = self.run_program(text, snapshot_at_exit="yes", top_n_classes=3)
                self.assertEqual((ended.code, ended.out), (plain.code, plain.out), ended)
                self.assertEqual(host.snapshots(ended.err)[-1].counts["__main__.Node"], 20000)

    def test_snapshot_at_exit_comes_before_logging_closes(self):
        log = os.path.join(self.folder, "bot.log")
        ended = self.run_program(host.joined(host.WAITING, """
            import logging
            logging.basicConfig(filename=%r, filemode="w", level=logging.INFO)
            def logged():
                with open(%r) as file:
                    return file.read()
            wait(lambda: "Snapshot cost" in logged(), "the first snapshot")
        """ % (log, log)), snapshot_at_exit="yes", interval_seconds=3600)
        self.assert_clean(ended)
        with open(log) as file:
            self.assertEqual(file.read().count("Memory Snapshot"), 2)

    def test_snapshot_at_exit_comes_before_what_was_set_up_late(self):
        # Exporters of records shut down by atexit, and may be set up when another handler has had the first record.
        ended = self.run_program(host.joined(host.ASKING, """
            import atexit
            class Printing(logging.Handler):
                def emit(self, record):
                    print("snapshot" if hasattr(record, "memprof_objects") else "another record")
            exporter = Printing()
            logging.getLogger().addHandler(exporter)
            def shut_down():
                logging.getLogger().removeHandler(exporter)
                print("end")
            atexit.register(shut_down)
            snapshot()
        """), snapshot_at_exit="yes", snapshot_signal="SIGUSR1", interval_seconds=3600)
        self.assert_clean(ended)
        self.assertEqual(ended.out, "snapshot\nsnapshot\nend\n")

    def test_while_a_snapshot_runs(self):
        text = host.joined(BUSY, """
            import os, signal, sys, time
            keep.append([Node() for i in range(MORE)])
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(DELAY)
            sys.exit(5)
        """)
        # The end of a program waits for two seconds, and a copy has a low priority: it gets a small heap.
        modes = {"inline": "100000"}
        if not self.interpreter.free_threaded and not host.CANNOT_FORK:
            modes["fork"] = "0"
        for number, delay in enumerate((0, 0.001, 0.005, 0.02, 0.05, 0)):
            mode = sorted(modes)[number % len(modes)]
            with self.subTest(delay=delay, mode=mode):
                ended = self.run_program(text.replace("DELAY", str(delay)).replace("MORE", modes[mode]),
                                         snapshot_signal="SIGUSR1", snapshot_mode=mode)
                self.assert_clean(ended, code=5)
                self.assertGreaterEqual(len(host.snapshots(ended.err)), 1)


class Schedule(host.HostTest):
    def test_an_interval_apart_without_drift(self):
        ended = self.run_program(host.joined(host.WAITING, """
            import logging
            starts = []
            class Slow(logging.Handler):
                "Takes its time over the first two."
                def emit(self, record):
                    if hasattr(record, "memprof_objects"):
                        starts.append(record.created - record.memprof_duration_ms / 1000)
                        time.sleep(4 if len(starts) < 3 else 0)
            logging.basicConfig(level=logging.INFO, handlers=[Slow()])
            wait(lambda: len(starts) == 3, "three snapshots")
            print(*starts)
        """), interval_seconds=10, top_n_classes=1)
        self.assert_clean(ended)
        first, *later = map(float, ended.out.split())
        # What delays one, a slow handler or a busy machine, does not delay those that follow.
        for number, moment in enumerate(later, 1):
            self.assertGreater(moment - first, number * 10 - 0.5)
            self.assertLess(moment - first, number * 10 + 4)


class Idle(host.HostTest):
    def test_nothing_runs_between_snapshots(self):
        # The kernel's own books of the profiler's thread: time on a processor, and times it got one.
        ended = self.run_program(host.joined(LISTENING, """
            import glob
            def books():
                for path in glob.glob("/proc/self/task/*/comm"):
                    with open(path) as file:
                        if file.read() == "MemoryProfiler\\n":
                            with open(path.replace("comm", "schedstat")) as file:
                                return file.read().split()
            def is_asleep():
                before = books()
                time.sleep(0.2)
                return before == books()
            wait(lambda: Heard.snapshots, "the first snapshot")
            wait(is_asleep, "the end of what follows it")
            before = books()
            time.sleep(3)
            print(before is not None, books() == before)
        """), interval_seconds=3600)
        self.assert_clean(ended)
        self.assertEqual(ended.out, "True True\n")


class Signals(host.HostTest):
    def test_the_programs_own_handler_wins(self):
        ended = self.run_program("""
            import os, signal, time
            assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
            signal.signal(signal.SIGUSR1, lambda *args: print("handled"))
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(2.5)
        """, snapshot_signal="SIGUSR1")
        self.assertEqual(ended.code, 0)
        self.assertEqual(ended.out, "handled\n")
        self.assertEqual(ended.err, "memprof: snapshot_signal: the program handles SIGUSR1 itself; "
                                    "snapshots by signal are off, choose another signal\n")

    def test_a_signal_ignored_from_the_start(self):
        environment = host.profiled_environment(snapshot_signal="SIGUSR2")
        path = self.write("program.py", "import time; time.sleep(0.5)")
        ended = self.run_command(
            ["sh", "-c", "trap '' USR2; exec \"$0\" \"$1\"", self.python, path], environment)
        self.assertEqual(len(ended.complaints), 1, ended)
        self.assertIn("SIGUSR2", ended.complaints[0])

    def test_an_interrupt_while_the_program_starts(self):
        if "MEMPROF_TEST_INTERRUPT_START" not in os.environ:
            self.skipTest("nothing here that interrupts it")
        environment = host.profiled_environment()
        environment["LD_PRELOAD"] = os.environ["MEMPROF_TEST_INTERRUPT_START"] + ":" + environment["LD_PRELOAD"]
        ended = self.run_program("print('lost')", environment=environment)
        self.assertNotEqual(ended.code, 0, ended)
        self.assertEqual((ended.out, ended.complaints), ("", []), ended)
        self.assertIn("KeyboardInterrupt", ended.err)

    def test_real_time_signal(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, """
            import os, signal
            os.kill(os.getpid(), signal.SIGRTMIN + 3)
        """), snapshot_signal="SIGRTMIN+3")
        self.assert_clean(ended)
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 1)

    def test_handler_runs_on_the_stack_for_signals(self):
        # Where there is one: goroutines that call C code, say, have no room for a handler on theirs.
        ended = self.run_program(host.joined(LISTENING, """
            import ctypes, mmap, os, signal
            class Stack(ctypes.Structure):
                _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]
            memory = mmap.mmap(-1, 1 << 20)
            start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
            wait(lambda: Heard.snapshots, "the first snapshot")
            assert ctypes.CDLL(None).sigaltstack(ctypes.byref(Stack(start, 0, len(memory))), None) == 0
            os.kill(os.getpid(), signal.SIGUSR1)
            wait(lambda: Heard.snapshots > 1, "the second one")
            assert memory[:].strip(b"\\0")
        """), snapshot_signal="SIGUSR1")
        self.assert_clean(ended)

    def test_that_comes_while_the_program_ends(self):
        # Exit callbacks of the program's own may take long: asking then must not end it.
        ended = self.run_program(host.joined("""
            import atexit, os, signal, time
            def late():
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(0.1)
                try:
                    pid = os.fork()
                except RuntimeError:    # 3.12: can't fork at interpreter shutdown
                    return print(True)
                if pid == 0:
                    os.kill(os.getpid(), signal.SIGUSR1)    # ends it, as by default
                    time.sleep(5)
                    os._exit(1)
                print(os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGUSR1)
            atexit.register(late)
        """, host.LISTENING, """
            # After the first record our callback comes before `late`.
            wait(lambda: Heard.snapshots, "the first snapshot")
        """), snapshot_signal="SIGUSR1")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "True\n")

    def test_handlers_of_the_program_run_on_its_threads(self):
        ended = self.run_program("""
            import os, signal, threading, time
            signal.signal(signal.SIGALRM, lambda *args: print(threading.current_thread().name))
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            start = time.monotonic()
            signal.pause()
            print(time.monotonic() - start < 30)
        """)
        self.assert_clean(ended)
        self.assertEqual(ended.out, "MainThread\nTrue\n")


class Forking(host.HostTest):
    def test_no_warning_about_threads(self):
        ended = self.run_program(host.joined(BUSY, """
            import os, time, warnings
            warnings.simplefilter("error")
            import concurrent.futures, multiprocessing, random    # they have fork hooks too
            for i in range(150):
                pid = os.fork()
                if pid == 0:
                    os._exit(i)
                assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == i
                if i % 10 == 0:
                    time.sleep(0.01)
        """), "-W", "error", interval_seconds=10)
        self.assert_clean(ended)

    def test_profiling_goes_on_after_a_fork(self):
        ended = self.run_program(host.joined(BUSY, """
            import os, signal, threading, time
            def fork():
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
            fork()
            thread = threading.Thread(target=fork); thread.start(); thread.join()
            os.kill(os.getpid(), signal.SIGUSR1)
        """), snapshot_signal="SIGUSR1", interval_seconds=3600)
        self.assert_clean(ended)
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 1)

    def test_goes_on_where_the_main_thread_sleeps(self):
        # The fork happens on another thread: a pending call would wait for the main thread.
        ended = self.run_program(host.joined(BUSY, PROFILERS, """
            import os, signal, threading, time
            def work():
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
                wait(has_one_profiler, "the profiler's thread")
                print("goes on", flush=True)
                os._exit(0)
            threading.Thread(target=work).start()
            threading.Event().wait()
        """))
        self.assert_clean(ended)
        self.assertEqual(ended.out, "goes on\n")

    def test_several_threads_fork_at_once(self):
        # Each of them stops the profiler's thread and starts it again, in any order.
        ended = self.run_program(host.joined(LISTENING, PROFILERS, """
            import signal, threading
            deadline = time.monotonic() + 2
            def work():
                while time.monotonic() < deadline:
                    pid = os.fork()
                    if pid == 0:
                        os._exit(7)
                    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 7
            threads = [threading.Thread(target=work) for i in range(3)]
            for thread in threads:
                thread.start()
            while time.monotonic() < deadline:
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(0.02)
            for thread in threads:
                thread.join()
            wait(has_one_profiler, "one profiler's thread")
            before = Heard.snapshots
            os.kill(os.getpid(), signal.SIGUSR1)
            wait(lambda: Heard.snapshots > before, "another snapshot")
            print("goes on", flush=True)
        """), "-W", "ignore", snapshot_signal="SIGUSR1", top_n_classes=2)
        self.assert_clean(ended)
        self.assertEqual(ended.out, "goes on\n")

    def test_child_is_as_if_never_profiled(self):
        ended = self.run_program(host.joined(LISTENING, """
            import os, signal, sys, threading, time
            wait(lambda: Heard.snapshots, "the first snapshot")
            pid = os.fork()
            if pid == 0:
                print(len(os.listdir("/proc/self/task")), threading.active_count(),
                      signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL, flush=True)
                os.kill(os.getpid(), signal.SIGUSR1)    # ends it, as by default
                time.sleep(5)
                os._exit(1)
            print(os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGUSR1)
        """), snapshot_signal="SIGUSR1")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "1 1 True\nTrue\n")

    def test_child_that_ends_by_itself(self):
        ended = self.run_program(host.joined(BUSY, """
            import os, sys
            for i in range(20):
                pid = os.fork()
                if pid == 0:
                    sys.exit(4)    # runs the exit callbacks
                assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 4
        """))
        self.assert_clean(ended)

    def test_fork_while_a_snapshot_runs(self):
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                ended = self.run_program(host.joined(BUSY, """
                    import logging, os, signal, sys, time
                    sys.stderr = None
                    for i in range(100):
                        os.kill(os.getpid(), signal.SIGUSR1)
                        time.sleep(0.0005 * (i % 7))
                        pid = os.fork()
                        if pid == 0:
                            logging.getLogger("child").info("in child %d", i)
                            os._exit(0)
                        assert os.waitpid(pid, 0)[1] == 0
                """), snapshot_signal="SIGUSR1", follow_children=follow, top_n_classes=2)
                self.assert_clean(ended)
                self.assertEqual(ended.err.count("in child"), 100)

    def test_fork_waits_for_a_handler_that_blocks_once_only(self):
        ended = self.run_program(host.joined(host.RECORDS, """
            entered, released, blocks = threading.Event(), threading.Event(), False
            class Blocking(Records):
                def emit(self, record):
                    super().emit(record)
                    if blocks:
                        entered.set()
                        released.wait()
            logging.getLogger().addHandler(Blocking())
            wait(lambda: Records.count, "the first snapshot")
            for i in range(3):
                snapshot()
            blocks = True
            os.kill(os.getpid(), signal.SIGUSR1)
            entered.wait()
            start = time.monotonic()
            if os.fork() == 0:
                os._exit(0)
            waited = time.monotonic() - start
            released.set()
            os.wait()
            assert waited < 2.7, waited    # three seconds, for an event that is told three times
        """), "-W", "ignore", snapshot_signal="SIGUSR1")
        self.assert_clean(ended)

    def test_fork_that_gives_up_as_what_it_waited_for_ends(self):
        # A fork waits for a second: when it gives up, what has blocked holds the GIL, and ends before the fork
        # gets it. Nobody may have stopped the thread then.
        with self.start(host.joined(NODES, """
            import os, sys, threading, time, types
            sys.setswitchinterval(2)
            entered = threading.Event()
            class Provider:
                def get_meter(self, name):
                    entered.set()
                    time.sleep(0.9)
                    until = time.monotonic() + 0.6
                    while time.monotonic() < until:
                        pass
                    return self
                def create_observable_gauge(self, *arguments):
                    return self
            sys.modules["opentelemetry.metrics"] = types.ModuleType("opentelemetry.metrics")
            sys.modules["opentelemetry.metrics._internal"] = internal = types.ModuleType("_internal")
            internal._METER_PROVIDER = None
            print("ready", flush=True)
            sys.stdin.readline()
            internal._METER_PROVIDER = Provider()
            entered.wait()
            if os.fork() == 0:
                os._exit(0)
            os.wait()
            print("forked", flush=True)
            time.sleep(15)
        """), "-W", "ignore", output="stderr", snapshot_signal="SIGUSR1") as program:
            program.expect_error_line("Snapshot cost")
            program.expect("ready")
            program.signal()
            program.expect_error_line("Snapshot cost")
            program.tell()
            program.expect("forked")
            program.signal()
            program.expect_error_line("Snapshot cost")

    def test_forks_while_a_finaliser_waits_for_their_lock(self):
        # Both forks are made with the lock held that the finaliser, on the profiler's thread, waits for. Up to
        # 3.9 subprocess forks without telling Python.
        ended = self.run_program(host.joined(LISTENING, """
            import gc, os, signal, subprocess, threading
            gc.disable()
            wait(lambda: Heard.snapshots, "the first snapshot")
            lock, entered = threading.RLock(), threading.Event()
            class Guarded:
                def __del__(self):
                    entered.set()
                    with lock:
                        pass
            with lock:
                garbage = Guarded()
                garbage.itself = garbage
                del garbage
                before = Heard.snapshots
                os.kill(os.getpid(), signal.SIGUSR1)
                entered.wait()
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
                subprocess.run(["true"])
            wait(lambda: Heard.snapshots > before, "the snapshot after the forks")
        """), "-W", "ignore", snapshot_signal="SIGUSR1", snapshot_mode="inline")
        self.assert_clean(ended)

    def test_multiprocessing(self):
        for method in ("fork", "spawn", "forkserver"):
            with self.subTest(method=method):
                ended = self.run_program("""
                    import multiprocessing
                    def square(n):
                        return n * n
                    if __name__ == "__main__":
                        with multiprocessing.get_context(%r).Pool(3) as pool:
                            print(sum(pool.map(square, range(100))))
                """ % method)
                self.assert_clean(ended)
                self.assertEqual((ended.out, ended.err), ("328350\n", ""))

    def test_subprocess(self):
        ended = self.run_program("""
            import subprocess, sys, time
            for i in range(30):
                assert subprocess.run(["true"]).returncode == 0
            out = subprocess.run([sys.executable, "-c", "print(5)"], stdout=subprocess.PIPE,
                                 preexec_fn=lambda: None)
            assert out.stdout == b"5\\n"
        """, "-W", "error")
        self.assert_clean(ended)
        self.assertEqual(ended.err, "")

    def test_asyncio_subprocess(self):
        ended = self.run_program("""
            import asyncio
            async def main():
                process = await asyncio.create_subprocess_exec("true")
                print(await process.wait())
            asyncio.run(main())
        """)
        self.assert_clean(ended)
        self.assertEqual((ended.out, ended.err), ("0\n", ""))


if __name__ == "__main__":
    host.main()
