# SPDX-License-Identifier: MIT
"""Counts and sizes equal what Python itself says at the same moment, to the byte."""

import json
import os
import unittest

import host

FIGURES_OPTIONS = {"snapshot_signal": "SIGUSR1", "top_n_classes": 1000000, "snapshot_mode": "inline"}


def unknown_version(**options):
    """The environment for a Python that looks like a version which nobody knows yet."""
    if "MEMPROF_TEST_UNKNOWN_VERSION" not in os.environ:
        raise unittest.SkipTest("MEMPROF_TEST_UNKNOWN_VERSION names no library")
    environment = host.profiled_environment(**options)
    environment["LD_PRELOAD"] += ":" + os.environ["MEMPROF_TEST_UNKNOWN_VERSION"]
    return environment


# gc.collect() calls gc.callbacks right before the profiler looks at the heap, on its own thread: the
# one moment at which a reference in pure Python sees the same objects. It leaves its figures as a
# string, which the collector does not track.
REFERENCE = """
    import gc, json, logging, sys, threading

    figures = []

    def name_of(cls):
        module = type.__dict__["__module__"].__get__(cls)
        name = type.__dict__["__qualname__"].__get__(cls)
        if not isinstance(module, str):
            module = "<unknown>"
        name = name if module == "builtins" else module + "." + name
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)

    def reference():
        objects = gc.get_objects()
        mine = {id(sys._getframe())}
        counts, sizes = {}, {}
        for o in objects:
            if id(o) in mine:
                continue
            name = name_of(type(o))
            counts[name] = counts.get(name, 0) + 1
            try:
                size = sys.getsizeof(o)
            except Exception:
                size = 0
            if size > 1 << 47:
                size = 0
            sizes[name] = sizes.get(name, 0) + size
        del o, objects
        return counts, sizes

    def on_collect(phase, info):
        if phase != "stop" or not arm:
            return
        arm.clear()
        counts, sizes = reference()
        figures.append(json.dumps([counts, sizes]))

    arm = []
    class Handler(logging.Handler):
        def emit(self, record):
            text = record.getMessage()
            if text.startswith("Memory Snapshot"):
                exact = {k: v for k, v in record.__dict__.items() if k.startswith("memprof_")}
                print(json.dumps([text, exact]), file=out, flush=True)
                done.set()
"""


class Figures(host.HostTest):
    def snapshot_and_reference(self, heap, said="", **options):
        """Builds `heap` in a program, returns its snapshot and the reference's counts and sizes.
        `said` is in the one message that is expected, but not of free-threaded builds."""
        text = host.joined(REFERENCE, heap, FINISH)
        options.setdefault("environment", host.profiled_environment(**FIGURES_OPTIONS))
        ended = self.run_program(text, **options)
        self.assertEqual(ended.code, 0, ended)
        expected = 1 if said and not self.interpreter.free_threaded else 0
        self.assertEqual(len(ended.complaints), expected, ended)
        self.assertIn(said if expected else "", "".join(ended.complaints))
        lines = ended.out.splitlines()
        text, exact = json.loads(lines[-2])
        counts, sizes = json.loads(lines[-1])
        return host.Snapshot(text), exact, counts, sizes

    def assert_equal_figures(self, heap, **options):
        snapshot, exact, counts, sizes = self.snapshot_and_reference(heap, **options)
        off = {name: (snapshot.counts.get(name, 0), counts.get(name, 0))
               for name in set(counts) | set(snapshot.counts)
               if snapshot.counts.get(name, 0) != counts.get(name, 0)}
        for name in ("dict", "frame", "list", "tuple"):
            seen, expected = off.pop(name, (0, 0))
            # What the reference holds while it counts: its dicts, its frames, the callback's info.
            self.assertLessEqual(abs(seen - expected), 4, (name, seen, expected))
        self.assertEqual(off, {})
        exempt = ("dict", "frame", "list", "tuple")
        expected = {name: host_size(size) for name, size in sizes.items() if name not in exempt}
        shown = {name: size for name, size in snapshot.sizes.items() if name not in exempt}
        self.assertEqual(shown, expected)
        self.assertEqual(exact["memprof_objects"], sum(snapshot.counts.values()))
        self.assertEqual(exact["memprof_classes"], len(snapshot.counts))
        return snapshot, exact, counts, sizes

    def test_ordinary_heap(self):
        self.assert_equal_figures("import asyncio, decimal, email, http.client, unittest")

    def test_awkward_classes(self):
        snapshot, _, _, _ = self.assert_equal_figures(AWKWARD)
        self.assertEqual(snapshot.counts["__main__.Plain"], 1000)
        self.assertEqual(snapshot.counts["__main__.Slots"], 500)
        self.assertEqual(snapshot.counts["__main__.Raises"], 10)
        self.assertEqual(snapshot.sizes["__main__.Raises"], "0 B")
        self.assertEqual(snapshot.sizes["__main__.Nonsense"], "0 B")
        self.assertEqual(snapshot.sizes["__main__.Negative"], "0 B")
        self.assertEqual(snapshot.sizes["__main__.Huge"], "0 B")
        self.assertEqual(snapshot.counts["__main__.Borroweddict"], 10)
        self.assertEqual(snapshot.sizes["__main__.Borroweddict"], "0 B")
        self.assertEqual(snapshot.counts["__main__.Twin"], 7)
        self.assertEqual(snapshot.counts["<unknown>.Unnamed"], 1)
        self.assertEqual(snapshot.counts["__main__.evil\\nMemory Snapshot\\u2028\\ud800\\x00 %s ü"], 1)
        self.assertNotIn("__main__.Frozen", snapshot.counts)

    def test_an_unknown_heap(self):
        self.assert_equal_figures(AWKWARD, said="heap of this Python",
                                  environment=unknown_version(**FIGURES_OPTIONS))

    def test_many_classes(self):
        # A debug build takes minutes for as many as the others take in seconds.
        count = 10000 if "d" in self.interpreter.flags else 100000
        snapshot, exact, _, _ = self.assert_equal_figures("""
            keep = [type("Dynamic%%d" %% i, (), {})() for i in range(%d)]
        """ % count)
        self.assertEqual(snapshot.counts["__main__.Dynamic%d" % (count - 1)], 1)
        self.assertGreater(exact["memprof_classes"], count)

    def test_attributes_are_plain_numbers(self):
        _, exact, _, _ = self.snapshot_and_reference("")
        always = {"memprof_" + name for name in (
            "objects", "bytes", "classes", "duration_ms", "pause_ms", "longest_pause_ms", "forked",
            "sequence", "resident_bytes")}
        where_known = {"memprof_" + name for name in (
            "anonymous_bytes", "swapped_bytes", "allocated_blocks", "allocator_used_bytes",
            "allocator_free_bytes")}
        self.assertEqual(set(exact) - where_known, always)
        for name, value in exact.items():
            self.assertIsInstance(value, float if name.endswith("_ms") else int, name)
        self.assertGreaterEqual(exact["memprof_duration_ms"], exact["memprof_pause_ms"])
        self.assertGreaterEqual(exact["memprof_pause_ms"], exact["memprof_longest_pause_ms"])


class StandIns(host.HostTest):
    def test_mocks_do_not_notice(self):
        # A MagicMock's __sizeof__ remembers each call, in a mock that it makes for it.
        ended = self.run_program("""
            import os, signal, time
            from unittest import mock
            magic = mock.MagicMock()
            for i in range(3):
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(0.3)
            print(magic.mock_calls)
        """, snapshot_signal="SIGUSR1")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "[]\n")
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 1)


class Collecting(host.HostTest):
    PROGRAM = host.joined(host.LOGGING_TO_STDERR, """
    import gc, sys, weakref
    gc.disable()
    class Cycle:
        def __init__(self):
            self.me = self
    for i in range(100):
        Cycle()
    print("READY", flush=True)
    sys.stdin.readline()
    """)

    def cycles_seen(self, **options):
        with self.start(self.PROGRAM, snapshot_signal="SIGUSR1", top_n_classes=100000,
                        **options) as program:
            program.expect("READY")
            program.signal()
            program.tell()
            ended = program.end()
        self.assert_clean(ended)
        return [s.counts.get("__main__.Cycle", 0) for s in host.snapshots(ended.err)]

    def test_collects_first(self):
        # Also where the program has switched automatic collection off.
        self.assertEqual(set(self.cycles_seen()[-1:]), {0})

    def test_collect_false_leaves_garbage(self):
        self.assertEqual(self.cycles_seen(collect="false")[-1:], [100])


class InPlace(host.HostTest):
    def test_the_collectors_lists_are_walked(self):
        # gc.get_objects() raises an audit event. The lists are proved with it before the program
        # starts; snapshots do without. Free-threaded builds never ask it.
        ended = self.run_program("""
            import logging, os, signal, sys, time
            events = []
            sys.addaudithook(lambda event, arguments: event == "gc.get_objects" and
                             events.append(event))
            class Count(logging.Handler):
                seen = 0
                def emit(self, record):
                    Count.seen += "Snapshot" in record.getMessage()
            logging.getLogger().addHandler(Count())
            for i in range(1, 5):
                while Count.seen < i:
                    os.kill(os.getpid(), signal.SIGUSR1)
                    time.sleep(0.05)
            print(len(events))
        """, snapshot_signal="SIGUSR1")
        self.assert_clean(ended)
        self.assertEqual(int(ended.out), 0)

    def test_an_unknown_heap_is_said_once(self):
        environment = unknown_version(snapshot_signal="SIGUSR1", snapshot_at_exit="yes",
                                      top_n_classes=10000, snapshot_mode="fork")
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, """
            import os, signal, time
            class Mine: pass
            keep = [Mine() for i in range(77)]
            class Count(logging.Handler):
                seen = 0
                def emit(self, record):
                    Count.seen += "Snapshot" in record.getMessage()
            logging.getLogger().addHandler(Count())
            for i in range(1, 4):
                while Count.seen < i:
                    os.kill(os.getpid(), signal.SIGUSR1)
                    time.sleep(0.05)
        """), environment=environment)
        self.assertEqual(ended.code, 0, ended)
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 4)
        self.assertEqual(host.snapshots(ended.err)[-1].counts["__main__.Mine"], 77)
        self.assertIn("snapshot_mode is fork", ended.complaints[0])
        if self.interpreter.free_threaded:
            self.assertEqual(len(ended.complaints), 1, ended)
        else:
            self.assertEqual(len(ended.complaints), 2, ended)
            self.assertIn("the heap of this Python is not known", ended.complaints[1])


class Building(host.HostTest):
    def test_what_a_thread_is_building_is_left_alone(self):
        # A reference to a list or tuple that is not finished would make its thread's next step fail,
        # in debug builds by abort().
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, """
            import os, signal, time
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                os.kill(os.getpid(), signal.SIGUSR1)
                some = [str(i) for i in range(20000)]
                many = tuple(i for i in some)
                assert len(some) == len(many) == 20000
        """), snapshot_signal="SIGUSR1", top_n_classes=2)
        self.assert_clean(ended)
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 1)


class Layout(host.HostTest):
    def test_is_as_specified(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, """
            import time
            class Handler(logging.Handler):
                snapshots = 0
                def emit(self, record):
                    Handler.snapshots += hasattr(record, "memprof_objects")
            logging.getLogger().addHandler(Handler())
            until = time.monotonic() + 60
            while Handler.snapshots == 0 and time.monotonic() < until:
                time.sleep(0.01)
            class Message: pass
            keep = [Message() for i in range(123456)]
        """), snapshot_at_exit="yes", top_n_classes=3, interval_seconds=3600)
        self.assert_clean(ended)
        snapshot = host.snapshots(ended.err)[-1]
        lines = snapshot.text.splitlines()
        self.assertEqual(lines[0], "Memory Snapshot")
        self.assertEqual(lines[1], "")
        self.assertEqual(lines[2], "Top 3 by object count:")
        self.assertEqual(lines[3], "  __main__.Message: 123,456 objects")
        self.assertEqual(lines[6], "")
        self.assertEqual(lines[7], "Top 3 by memory usage:")
        self.assertRegex(lines[8], r"^  [\w.]+: \d+\.\d (KB|MB|GB)$")
        self.assertEqual(lines[11], "")
        self.assertRegex(lines[12], r"^Growth since first snapshot \(2 snapshots over \d+s\):$")
        self.assertEqual(lines[13], "  by memory usage:")
        self.assertRegex(lines[14], r"^    __main__.Message: \+\d+\.\d MB, \+\d+\.\d MB since "
                                    r"previous, \+(\d+\.\d [MG]B|0 B) per hour$")
        self.assertEqual(lines[17], "  by object count:")
        self.assertRegex(lines[18], r"^    __main__.Message: \+123,456 objects, \+123,456 since "
                                    r"previous, \+[\d,]+ per hour$")
        self.assertEqual(lines[21], "")
        self.assertRegex(lines[22], r"^Process: .* in tracked objects")
        self.assertEqual(lines[23], "")
        self.assertRegex(lines[24], r"^Snapshot cost: pause [\d.,]+ ms \(inline\), [\d.,]+ ms in "
                                    r"background, 1\d\d,\d\d\d objects$")
        self.assertEqual(len(lines), 25)
        first = host.snapshots(ended.err)[0].text
        self.assertNotIn("Growth", first, "nothing can have grown yet")
        self.assertIn("INFO:memory_profiler:MemoryProfiler:Memory Snapshot\n", ended.err)

    def test_ties_are_ordered_by_name(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, """
            keep = [type(name, (), {"__slots__": ()})() for name in "cabed" for i in range(1)]
            keep += [type(name, (), {"__slots__": ("x",)})() for name in ("zz", "yy")]
        """), snapshot_at_exit="yes", top_n_classes=100000)
        names = [name for name in host.snapshots(ended.err)[-1].counts if len(name) < 12]
        mine = [name for name in names if name.startswith("__main__.")]
        self.assertEqual(mine, sorted(mine))


def host_size(size):
    """The specification's units, as Python formats them."""
    for unit in ("B", "KB", "MB", "GB"):
        text = "%d" % size if unit == "B" else "%.1f" % size
        if float(text) < 1024 or unit == "GB":
            return "%s %s" % (text, unit)
        size /= 1024




AWKWARD = """
    import array, gc, weakref, collections
    class Frozen: pass
    frozen = [Frozen() for i in range(50)]
    gc.freeze()
    class Plain: pass
    class Slots: __slots__ = ("a", "b")
    class Base: pass
    class Raises(Base):
        def __sizeof__(self): raise ValueError("no")
    class Nonsense(Base):
        def __sizeof__(self): return "many"
    class Negative(Base):
        def __sizeof__(self): return -5
    class Huge(Base):
        def __sizeof__(self): return 1 << 60
    class Sized(Base):
        def __sizeof__(self): return 12345
    class NativeSized(collections.deque): pass
    borrowed = [type("Borrowed" + cls.__name__, (), {"__sizeof__": cls.__sizeof__, "__slots__": ()})
                for cls in (dict, list, set, type, array.array, collections.deque)]
    class Long(tuple): pass
    class Meta(type):
        @property
        def __module__(cls): raise RuntimeError("never asked")
        def __getattribute__(cls, name): raise RuntimeError("never asked")
    class Odd(metaclass=Meta): pass
    Unnamed = type("Unnamed", (), {"__module__": 5})
    Empty = type("Empty", (), {"__module__": ""})
    keep = [Plain() for i in range(1000)] + [Slots() for i in range(500)]
    keep += [cls() for cls in (Raises, Nonsense, Negative, Huge, Sized, Odd) for i in range(10)]
    keep += [NativeSized(range(1000)), Long([[]] * 100), Unnamed(), Empty()]
    keep += [cls() for cls in borrowed for i in range(10)]
    for i in range(7):
        keep.append(type("Twin", (), {})())
    class Evil: pass
    Evil.__qualname__ = "evil\\nMemory Snapshot\\u2028\\ud800\\x00 %s ü"
    keep.append(Evil())
    dead = weakref.proxy(Plain())
    live = [weakref.proxy(keep[0]), weakref.ref(keep[1])]
    half = (i for i in range(3)); next(half)
    keep += [array.array('d', range(1000)), memoryview(bytes(100)), {1: keep}, {}, (), frozenset()]
"""

FINISH = """
    import os, signal
    out = os.fdopen(os.dup(1), "w")
    done = threading.Event()
    logger = logging.getLogger("memory_profiler")
    logger.addHandler(Handler())
    logger.propagate = False
    done.wait(30)     # the first snapshot
    done.clear()
    gc.callbacks.append(on_collect)
    gc.disable()      # an automatic collection would call back too
    arm.append(1)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert done.wait(350)
    gc.callbacks.clear()
    print(figures[0], flush=True)
"""

if __name__ == "__main__":
    host.main()
