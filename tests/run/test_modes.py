# SPDX-License-Identifier: MIT
"""Where a snapshot is taken: in place, or in a forked copy that the program does not notice."""

import json
import os
import re

import host

# Snapshots on request, their figures, and the copy of the process that takes one.
ASKING = host.joined("""
    import gc, glob, json, logging, os, signal, sys, threading, time

    class Records(logging.Handler):
        seen = []
        others = []
        def emit(self, record):
            found = self.seen if hasattr(record, "memprof_objects") else self.others
            found.append(record)
    logging.getLogger().addHandler(Records())

    def taken():
        return len(Records.seen)

    def wait(condition, what):
        until = time.monotonic() + 50
        while not condition():
            assert time.monotonic() < until, what
            time.sleep(0.002)

    def ask():
        os.kill(os.getpid(), signal.SIGUSR1)

    def snapshot():
        before = taken()
        ask()
        wait(lambda: taken() > before, "a snapshot")
        return Records.seen[-1]

    def table(record):
        counts = record.getMessage().split("\\n\\n")[1].splitlines()[1:]
        rows = (line.rsplit(": ", 1) for line in counts)
        return {name.strip(): int(count.split()[0].replace(",", "")) for name, count in rows}

    def processes():
        return {int(name) for name in os.listdir("/proc") if name.isdigit()}

    def is_twin(pid):
        "One that has left the program's descriptors and session: it offers itself to the kernel last."
        text = read("/proc/%d/stat" % pid)
        return ("(MemoryProfiler)" in text and int(text.rsplit(") ", 1)[1].split()[1]) == os.getpid()
                and read("/proc/%d/oom_score_adj" % pid) == "1000\\n")

    def read(path):
        try:
            with open(path) as file:
                return file.read()
        except OSError:
            return ""

    def state_of(pid):
        "As ps shows it; X where there is no such process."
        return (read("/proc/%d/stat" % pid).rsplit(") ", 1)[1:] or "X")[0][0]

    def stop(pid):
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            return False
        wait(lambda: state_of(pid) in "TZX", "the copy to stop")
        return state_of(pid) == "T"

    def ask_and_stop_twin():
        "Asks for a snapshot and returns its copy, which stands still until go(pid)."
        while True:
            before, others = taken(), processes()
            ask()
            # One that was too fast to be seen or stopped is no loss: the next one will do.
            while taken() == before:
                for pid in processes() - others:
                    if is_twin(pid) and stop(pid):
                        return pid

    def go(pid):
        os.kill(pid, signal.SIGCONT)

    wait(taken, "the first snapshot")
""")

LARGE = """
    class Node: pass
    keep = [Node() for i in range(400000)]
"""


# Where a copy has to be done within a second or two: it has a low priority on a busy machine.
SMALLER = LARGE.replace("400000", "100000")


class ModesTest(host.HostTest):
    def setUp(self):
        super().setUp()
        if self.interpreter.free_threaded:
            self.skipTest("no copy is taken of a free-threaded interpreter")

    def ask(self, text, *flags, audited=False, **options):
        options.setdefault("snapshot_mode", "fork")
        options.setdefault("interval_seconds", 3600)
        options.setdefault("top_n_classes", 100000)
        run = self.run_audited if audited else self.run_program
        return run(host.joined(ASKING, text), *flags, snapshot_signal="SIGUSR1", **options)


class Figures(ModesTest):
    HEAP = """
        import array, collections, decimal, email.message, http.client, weakref
        finalised = []
        class Plain: pass
        class Slots: __slots__ = ("a", "b", "__weakref__")
        class Listed(list): pass
        class Cycle:
            def __init__(self): self.me, self.also = self, [self]
            def __del__(self): finalised.append(1)
        class Held: pass
        class Sized:
            def __sizeof__(self):
                sys.audit("ran", "__sizeof__")
                return 54321
        class Raises:
            def __sizeof__(self): raise ValueError("no")
        class Borrows: __sizeof__ = dict.__sizeof__
        class BorrowsMore: __sizeof__ = array.array.__sizeof__
        class Meta(type):
            def __getattribute__(cls, name): raise RuntimeError("never asked")
        class Odd(metaclass=Meta): pass
        def generate():
            mine = Held()
            yield mine
        keep = [Plain() for i in range(3000)] + [Slots() for i in range(2000)]
        keep += [Listed(range(i % 50)) for i in range(1000)] + [{i: []} for i in range(1000)]
        keep += [cls() for cls in (Sized, Raises, Borrows, BorrowsMore, Odd) for i in range(7)]
        keep += [collections.deque(range(1000)), {1: keep}, weakref.proxy(keep[0]), weakref.ref(keep[1])]
        generator = generate()
        held = [next(generator)]
        del held
        closure = (lambda thing: lambda: thing)(Held())
        gc.collect()
        gc.disable()
        called = []
        for i in range(500):
            Cycle()
        for i in range(300):
            pair = [Plain()], []
            pair[0].append(pair)
        seen_dying = Plain()
        seen_dying.me = seen_dying
        watch = weakref.ref(seen_dying, called.append)
        del pair, seen_dying
        record = snapshot()
        first = record.memprof_forked, len(finalised), len(called)
        print(json.dumps([first, table(record), 7 * sys.getsizeof(Sized()),
                          record.getMessage().split("\\n\\n")[2]]))
    """

    def figures(self, mode, **options):
        ended = self.ask(self.HEAP, audited=True, snapshot_mode=mode, **options)
        self.assert_clean(ended)
        return json.loads(ended.out)

    def test_are_those_of_a_snapshot_in_place(self):
        inline, counts, sized_bytes, sizes = self.figures("inline")
        fork, counts_forked, _, sizes_forked = self.figures("fork")
        # In place the garbage is collected; in the copy it is only left out.
        self.assertEqual(inline, [0, 500, 1])
        self.assertEqual(fork, [1, 0, 0])
        mine = lambda table: {name: count for name, count in table.items() if name.startswith("__main__.")}
        self.assertEqual(mine(counts_forked), mine(counts))
        self.assertEqual(counts["__main__.Plain"], 3000)
        self.assertNotIn("__main__.Cycle", counts_forked)
        self.assertEqual(counts_forked["__main__.Held"], 2)
        off = {name for name in set(counts) | set(counts_forked)
               if abs(counts.get(name, 0) - counts_forked.get(name, 0)) > 4}
        self.assertEqual(off, set())
        rows = lambda text: dict(line.strip().rsplit(": ", 1) for line in text.splitlines()[1:])
        inline_sizes, fork_sizes = rows(sizes), rows(sizes_forked)
        # No Python code runs in the copy: these two have the size that object.__sizeof__ gives.
        self.assertEqual(inline_sizes.pop("__main__.Sized"), host_kilobytes(sized_bytes))
        for name in ("__main__.Sized", "__main__.Raises"):
            self.assertEqual(fork_sizes.pop(name), fork_sizes["__main__.Odd"])
            inline_sizes.pop(name, None)
        shown = {name: size for name, size in fork_sizes.items() if name.startswith("__main__.")}
        self.assertEqual(shown, {name: size for name, size in inline_sizes.items()
                                 if name.startswith("__main__.")})
        self.assertEqual(fork_sizes["collections.deque"], inline_sizes["collections.deque"])

    def test_with_the_garbage_where_that_is_wanted(self):
        fork, counts, _, _ = self.figures("fork", collect="no")
        self.assertEqual(fork, [1, 0, 0])
        self.assertEqual(counts["__main__.Cycle"], 500)
        self.assertEqual(counts["__main__.Plain"], 3301)

    def test_a_running_program(self):
        # Frames, generators, coroutines and threads hold what nothing else refers to.
        ended = self.ask("""
            import asyncio, collections
            class Held: pass
            class Dead:
                def __init__(self): self.me = self
            go_on = threading.Event()
            started = threading.Semaphore(0)
            def sleeper():
                mine = [Held() for i in range(10)]
                def inner(thing):
                    started.release()
                    go_on.wait()
                inner(Held())
            threads = [threading.Thread(target=sleeper) for i in range(5)]
            for thread in threads: thread.start()
            for thread in threads: started.acquire()
            async def waiting():
                mine = Held()
                await asyncio.sleep(3600)
            def generator():
                mine = Held()
                yield
            async def main():
                tasks = [asyncio.ensure_future(waiting()) for i in range(20)]
                generators = [generator() for i in range(30)]
                for each in generators: next(each)
                await asyncio.sleep(0.05)
                for i in range(100): Dead()
                counts = [table(snapshot()) for i in range(3)]
                return [(c["__main__.Held"], c.get("__main__.Dead", 0)) for c in counts]
            gc.disable()
            print(asyncio.new_event_loop().run_until_complete(main()))
            go_on.set()
        """)
        self.assert_clean(ended)
        self.assertEqual(ended.out.strip(), str([(5 * 11 + 20 + 30, 0)] * 3))


class Choice(ModesTest):
    def forked(self, text, **options):
        ended = self.ask(host.joined(text, "print([snapshot().memprof_forked for i in range(2)][-1])"),
                         **options)
        self.assert_clean(ended)
        return ended.out.strip()

    def test_auto_takes_a_small_heap_in_place(self):
        if "d" in self.interpreter.flags:
            self.skipTest("in a debug build even that is long")
        self.assertEqual(self.forked("", snapshot_mode="auto"), "0")

    def test_auto_forks_where_the_pause_would_be_long(self):
        self.assertEqual(self.forked("keep = [[] for i in range(1500000)]", snapshot_mode="auto"), "1")

    def test_what_is_asked_for_is_done(self):
        self.assertEqual(self.forked("", snapshot_mode="fork"), "1")
        self.assertEqual(self.forked(LARGE, snapshot_mode="inline"), "0")

    def test_the_record_says_so(self):
        ended = self.ask(host.joined(LARGE, "print(snapshot().getMessage().splitlines()[-1])"))
        self.assertRegex(ended.out, r"^Snapshot cost: pause [\d,.]+ ms \(fork.*\), [\d,.]+ ms in background, "
                                    r"[\d,]+ objects$")
        ended = self.ask("print(snapshot().getMessage().splitlines()[-1])", snapshot_mode="inline")
        self.assertRegex(ended.out, r"^Snapshot cost: pause [\d,.]+ ms \(inline\), ")


class Unnoticed(ModesTest):
    def test_by_its_signal(self):
        ended = self.ask(host.joined(LARGE, """
            children = []
            signal.signal(signal.SIGCHLD, lambda *args: children.append(args))
            print([snapshot().memprof_forked for i in range(5)], children)
        """))
        self.assert_clean(ended)
        self.assertEqual(ended.out, "[1, 1, 1, 1, 1] []\n")

    def test_by_wait(self):
        ended = self.ask(host.joined(LARGE, """
            pid = ask_and_stop_twin()
            before = taken()
            for wait_now in (lambda: os.waitpid(-1, os.WNOHANG), lambda: os.waitpid(pid, os.WNOHANG)):
                try:
                    print("waited:", wait_now())
                except ChildProcessError:
                    pass
            import multiprocessing
            print(multiprocessing.active_children(), os.getpgid(pid) == os.getpgid(0),
                  os.getsid(pid) == os.getsid(0))
            go(pid)
            wait(lambda: taken() > before, "the snapshot")
            print(Records.seen[-1].memprof_forked)
            wait(lambda: state_of(pid) == "X", "the end of the copy")
        """))
        self.assert_clean(ended)
        self.assertEqual(ended.out, "[] False False\n1\n")

    def test_holds_none_of_its_descriptors(self):
        ended = self.ask(host.joined(LARGE, """
            reader, writer = os.pipe()
            pid = ask_and_stop_twin()
            before = taken()
            kept = [os.readlink(path).split(":")[0] for path in glob.glob("/proc/%d/fd/*" % pid)]
            os.close(writer)
            print(kept, os.read(reader, 1))
            go(pid)
            wait(lambda: taken() > before, "the snapshot")
        """))
        self.assert_clean(ended)
        self.assertEqual(ended.out, "['pipe'] b''\n")

    def test_own_children_and_forks_meanwhile(self):
        ended = self.ask(host.joined(LARGE, """
            import subprocess
            for i in range(10):
                pid = ask_and_stop_twin()
                before = taken()
                child = os.fork()
                if child == 0:
                    os._exit(7)
                assert os.wait() == (child, 7 << 8)
                assert subprocess.run(["true"]).returncode == 0
                go(pid)
                wait(lambda: taken() > before, "the snapshot")
                assert Records.seen[-1].memprof_forked
            print("forked")
        """), "-W", "error", collect="no")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "forked\n")

    def test_little_memory_is_private(self):
        if not os.path.exists("/proc/self/smaps_rollup"):
            self.skipTest("this kernel does not tell")
        ended = self.ask(host.joined(LARGE, """
            gc.disable()
            pid = ask_and_stop_twin()
            before, most = taken(), 0
            go(pid)
            while taken() == before:
                try:
                    with open("/proc/%d/smaps_rollup" % pid) as file:
                        rows = dict(line.split()[:2] for line in file if "kB" in line)
                    most = max(most, int(rows["Private_Dirty:"]) * 1024)
                except (OSError, KeyError, ValueError):
                    pass
                time.sleep(0.002)
            record = Records.seen[-1]
            print(record.memprof_forked, most / record.memprof_objects)
        """))
        self.assert_clean(ended)
        forked, bytes_per_object = ended.out.split()
        self.assertEqual(forked, "1")
        self.assertLessEqual(float(bytes_per_object), 40)


class Failing(ModesTest):
    def test_late_ones_are_ended(self):
        ended = self.ask(host.joined(SMALLER, """
            before = taken()
            pid = ask_and_stop_twin()
            wait(lambda: not Records.seen[-1].memprof_forked, "the snapshot")
            print(state_of(pid))
            del keep    # the others have a second each
            print([snapshot().memprof_forked for i in range(3)])
        """), fork_timeout_seconds=1)
        self.assertEqual(ended.code, 0, ended)
        # One in place for the failure, one more before the next try.
        self.assertEqual(ended.out, "X\n[0, 1, 1]\n")
        self.assertEqual(len(ended.complaints), 1, ended)
        self.assertIn("fork_timeout_seconds (1)", ended.complaints[0])

    def test_killed_ones_are_replaced(self):
        ended = self.ask(host.joined(LARGE, """
            for i in range(2):
                before = taken()
                while taken() == before or Records.seen[-1].memprof_forked:    # it may have answered already
                    pid = ask_and_stop_twin()
                    before = taken()
                    os.kill(pid, signal.SIGKILL)
                    wait(lambda: taken() > before, "the snapshot")
            print(Records.seen[-1].memprof_objects > 400000)
        """))
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(ended.out, "True\n")
        self.assertEqual(len(ended.complaints), 1, ended)
        self.assertIn("a forked snapshot has failed", ended.complaints[0])

    def test_dies_with_the_program(self):
        with self.start(host.joined(ASKING, LARGE, """
            pid = ask_and_stop_twin()
            print(pid, flush=True)
            go(pid)
            os.kill(os.getpid(), signal.SIGKILL)
        """), snapshot_mode="fork", snapshot_signal="SIGUSR1") as program:
            pid = int(program.process.stdout.readline())
            program.end()
        self.wait_for(lambda: has_ended(pid), "the copy's end")


class Endings(ModesTest):
    def test_what_is_under_way_is_not_lost(self):
        ended = self.ask(host.joined(SMALLER, """
            logging.getLogger().addHandler(logging.StreamHandler())
            go(ask_and_stop_twin())
            sys.exit(3)
        """))
        self.assert_clean(ended, code=3)
        self.assertIn("ms (fork", host.snapshots(ended.err)[-1].text)

    def test_at_exit_in_place_after_what_is_under_way(self):
        ended = self.ask(host.joined(SMALLER, """
            logging.getLogger().addHandler(logging.StreamHandler())
            go(ask_and_stop_twin())
        """), snapshot_at_exit="yes")
        self.assert_clean(ended)
        costs = re.findall(r"Snapshot cost: .* \((\w+)", ended.err)
        self.assertEqual(costs[-2:], ["fork", "inline"])


class Asking(ModesTest):
    def test_signals_during_one_lead_to_one_more(self):
        ended = self.ask(host.joined(LARGE, """
            pid = ask_and_stop_twin()
            before = taken()
            for i in range(20):
                ask()
                time.sleep(0.001)
            go(pid)
            wait(lambda: taken() >= before + 2, "two snapshots")
            time.sleep(1)
            print(taken() - before)
        """))
        self.assert_clean(ended)
        self.assertEqual(ended.out, "2\n")


class Overhead(ModesTest):
    PROGRAM = host.joined(ASKING, """
        keep = [[] for i in range(2500000)]
        def said(text):
            "What is said of the interval comes after the snapshot."
            wait(lambda: text in Records.others[-1].getMessage(), text)
            return [record.getMessage() for record in Records.others]
        pause = snapshot().memprof_pause_ms
        print(pause, flush=True)
        print(said("stretched") if pause >= 110 else [], flush=True)
        before = taken()
        time.sleep(10.5)
        print(taken() - before)
        print([snapshot().memprof_forked for i in range(2)])
        del keep
        snapshot()
        print(said("back")[-1] if pause >= 110 else "")
    """)

    def test_the_interval_stretches(self):
        ended = self.run_program(self.PROGRAM, snapshot_mode="inline", snapshot_signal="SIGUSR1",
                                 interval_seconds=10, max_overhead_percent=1, top_n_classes=3)
        self.assert_clean(ended)
        pause, others, taken, forked, last = ended.out.splitlines()
        # The program waits for 10.5 s: with 1 percent that is as long as 105 ms stretch it to.
        if float(pause) < 110:
            self.skipTest("a pause of %s ms is no reason to stretch 10 s much" % pause)
        self.assertRegex(others, r"Snapshot interval stretched from 10 s to [\d.]+ s: a pause of [\d.,]+ ms "
                                 r"would be more than max_overhead_percent 1 allows")
        self.assertEqual(others.count("stretched"), 1)
        self.assertEqual(taken, "0")
        # Those that are asked for are taken.
        self.assertEqual(forked, "[0, 0]")
        self.assertEqual(last, "Snapshot interval back at 10 s")


def has_ended(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return ") Z " in file.read()
    except OSError:
        return True


def host_kilobytes(size):
    return "%.1f KB" % (size / 1024)


if __name__ == "__main__":
    host.main()
