#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs on gevent's hub and on uvloop: other locks, other threads, other signal handling."""
import installed
from installed import host

TICKER = """
    import time
    pauses = []
    def note(last):
        now = time.monotonic()
        pauses.append(now - last)
        return now
"""

GEVENT = """
    from gevent import monkey
    monkey.patch_all()
    import logging, os, signal, sys, threading, time
    import gevent, gevent.lock
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format="%(levelname)s:%(name)s:%(threadName)s:%(message)s")
    class Node:
        pass
    keep = [Node() for i in range(4321)]
    import faulthandler; faulthandler.dump_traceback_later(25, exit=True)
"""


@installed.needs(installed.has_module("gevent"), "gevent")
class Gevent(installed.HostTest):
    SIGNAL = {"snapshot_signal": "SIGUSR1"}

    def check(self, text, count, **options):
        ended = self.run_program(host.joined(GEVENT, text), **{**self.SIGNAL, **options})
        self.assert_clean(ended)
        found = host.snapshots(ended.err)
        self.assertGreaterEqual(len(found), count, ended)
        self.assertEqual(found[-1].counts["__main__.Node"], 4321, ended)
        self.assertIn("INFO:memory_profiler:MemoryProfiler:Memory Snapshot", ended.err)
        self.assertNotIn("Traceback", ended.err)
        return ended

    def test_snapshots_with_the_hub_running(self):
        ended = self.check(host.joined(TICKER, """
            def tick():
                last = time.monotonic()
                for i in range(400):
                    gevent.sleep(0.005)
                    last = note(last)
            def ask():
                for i in range(20):
                    gevent.sleep(0.05)
                    os.kill(os.getpid(), signal.SIGUSR1)
            gevent.joinall([gevent.spawn(tick), gevent.spawn(ask)])
            print(len(pauses), max(pauses) < 1)
            print([thread.name for thread in threading.enumerate() if "Dummy" in thread.name])
        """), 5)
        self.assertEqual(ended.out, "400 True\n[]\n")

    def test_many_greenlets_log_at_the_same_time(self):
        # The handler's lock is gevent's: greenlets and the profiler's native thread wait for each other.
        ended = self.check("""
            class Slow(logging.Handler):
                def emit(self, record):
                    gevent.sleep(0.002)
            logging.getLogger().addHandler(Slow())
            done = []
            def talk(number):
                for i in range(20):
                    logging.debug("not seen")
                    logging.getLogger("talk").info("%d %d", number, i)
                    if i % 5 == 0:
                        os.kill(os.getpid(), signal.SIGUSR1)
                    gevent.sleep(0)
                done.append(number)
            gevent.joinall([gevent.spawn(talk, number) for number in range(10)], timeout=40)
            print(len(done))
        """, 2)
        self.assertEqual(ended.out, "10\n")
        self.assertEqual(ended.err.count("INFO:talk:"), 200)

    def test_last_snapshot(self):
        self.check("""
            class Seen(logging.Handler):
                count = 0
                def emit(self, record):
                    Seen.count += hasattr(record, "memprof_objects")
            logging.getLogger().addHandler(Seen())
            while not Seen.count:
                gevent.sleep(0.01)
        """, 2, snapshot_at_exit="yes")

    def test_forks(self):
        for follow in ("no", "yes"):
            with self.subTest(follow=follow):
                ended = self.check("""
                    import subprocess
                    # gevent installs its SIGCHLD handler after its first fork has returned, and misses a child that
                    # ends before: with any slow after_in_parent hook, the profiler's restart among them.
                    gevent.get_hub().loop.install_sigchld()
                    for i in range(10):
                        os.kill(os.getpid(), signal.SIGUSR1)
                        pid = os.fork()
                        if pid == 0:
                            logging.getLogger("child").info("in the child")
                            os._exit(0)
                        assert os.waitpid(pid, 0)[1] == 0
                        assert subprocess.call(["true"]) == 0
                    gevent.sleep(0.3)
                    os.kill(os.getpid(), signal.SIGUSR1)
                    gevent.sleep(0.3)
                """, 2, follow_children=follow)
                self.assertEqual(ended.err.count("INFO:child:"), 10, ended)

    def test_patched_late(self):
        ended = self.run_program(host.joined("""
            import logging, sys, time
            logging.basicConfig(level=logging.INFO, stream=sys.stderr)
            time.sleep(0.5)
        """, GEVENT, """
            os.kill(os.getpid(), signal.SIGUSR1)
            gevent.sleep(0.5)
        """), snapshot_at_exit="yes", **self.SIGNAL)
        self.assert_clean(ended)
        self.assertEqual(host.snapshots(ended.err)[-1].counts["__main__.Node"], 4321)


@installed.needs(installed.has_module("uvloop"), "uvloop")
class Uvloop(installed.HostTest):
    def test_server_under_load(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, TICKER, """
            import asyncio, os, signal, uvloop
            uvloop.install()
            class Node:
                pass
            keep = [Node() for i in range(4321)]
            async def answer(reader, writer):
                writer.write(await reader.readline())
                await writer.drain()
                writer.close()
            async def tick():
                last = time.monotonic()
                for i in range(200):
                    await asyncio.sleep(0.005)
                    last = note(last)
            async def ask(port):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"hello\\n")
                line = await reader.readline()
                writer.close()
                return line
            async def main():
                server = await asyncio.start_server(answer, "127.0.0.1", 0)
                port = server.sockets[0].getsockname()[1]
                ticking = asyncio.ensure_future(tick())
                lines = []
                for i in range(20):
                    os.kill(os.getpid(), signal.SIGUSR1)
                    lines += await asyncio.gather(*[ask(port) for i in range(10)])
                    await asyncio.sleep(0.02)
                await ticking
                print(len(lines), set(lines), max(pauses) < 1)
                process = await asyncio.create_subprocess_exec("true")
                print(await process.wait())
                server.close()
            asyncio.run(main())
        """), snapshot_signal="SIGUSR1", snapshot_at_exit="yes")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "200 {b'hello\\n'} True\n0\n")
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 5)
        self.assertEqual(host.snapshots(ended.err)[-1].counts["__main__.Node"], 4321)
        self.assertIn("INFO:memory_profiler:MemoryProfiler:Memory Snapshot", ended.err)

    def test_signal_handlers_of_the_loop(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, """
            import asyncio, os, signal, uvloop
            async def main():
                stop = asyncio.Event()
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGTERM, stop.set)
                os.kill(os.getpid(), signal.SIGUSR2)
                await asyncio.sleep(0.1)
                loop.call_later(0.3, os.kill, os.getpid(), signal.SIGTERM)
                await asyncio.wait_for(stop.wait(), 10)
                print("stopped")
            uvloop.install()
            asyncio.run(main())
        """), snapshot_signal="SIGUSR2")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "stopped\n")
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 1)


if __name__ == "__main__":
    installed.main()
