# SPDX-License-Identifier: MIT
"""The line on the process, and what it says where the process and Python disagree."""

import glob
import json
import re

import host

JEMALLOC = (glob.glob("/usr/lib/*/libjemalloc.so.2") or [None])[0]

ASKING = host.joined("import ctypes, gc, json", host.ASKING, """
    def lines(record):
        "The line on the process and the verdict, which may be missing."
        return record.getMessage().split("\\n\\n")[-2].split("\\n")

    def verdicts(snapshots, between):
        found = []
        for i in range(snapshots):
            between(i)
            found += lines(snapshot())[1:]
        return found

    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.memset.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

    def native(size):
        block = libc.malloc(size)
        libc.memset(block, 1, size)
        return block
""")
HAS_MALLINFO2 = "hasattr(libc, 'mallinfo2')"
SIZE = r"[\d.]+ (?:B|KB|MB|GB)"


class ProcessTest(host.HostTest):
    def ask(self, text, **options):
        options.setdefault("interval_seconds", 3600)
        options.setdefault("top_n_classes", 2)
        return self.run_program(host.joined(ASKING, text), snapshot_signal="SIGUSR1", **options)

    def answers(self, text, **options):
        """What the program prints as JSON."""
        ended = self.ask(text, **options)
        self.assert_clean(ended)
        return json.loads(ended.out)

    @property
    def modes(self):
        return ["inline"] if self.interpreter.free_threaded or host.CANNOT_FORK else ["inline", "fork"]


class Figures(ProcessTest):
    TEXT = """
        def status(name):
            with open("/proc/self/status") as file:
                rows = [line.split() for line in file if line.startswith(name + ":")]
            return int(rows[0][1]) * 1024
        keep = [bytes(300) for i in range(100000)] + [[] for i in range(50000)]
        held = [native(1000) for i in range(20000)]
        for block in held[::2]:
            libc.free(block)
        gc.collect()
        record = snapshot()
        own = {"memprof_resident_bytes": status("VmRSS"), "memprof_anonymous_bytes": status("RssAnon"),
               "memprof_swapped_bytes": status("VmSwap"),
               "memprof_allocated_blocks": sys.getallocatedblocks()}
        seen = {name: value for name, value in vars(record).items() if name.startswith("memprof_")}
        print(json.dumps([seen, own, lines(record), %s]))
    """ % HAS_MALLINFO2

    def check(self, seen, own, line, has_mallinfo2):
        for name in ("memprof_resident_bytes", "memprof_anonymous_bytes"):
            self.assertAlmostEqual(seen[name], own[name], delta=4 << 20)
        self.assertEqual(seen["memprof_swapped_bytes"], own["memprof_swapped_bytes"])
        if "memprof_allocated_blocks" in seen:
            self.assertAlmostEqual(seen["memprof_allocated_blocks"], own["memprof_allocated_blocks"],
                                   delta=5000)
        self.assertEqual("memprof_allocator_used_bytes" in seen, has_mallinfo2)
        if has_mallinfo2:
            self.assertGreater(seen["memprof_allocator_used_bytes"], 10000000)
            self.assertLess(seen["memprof_allocator_used_bytes"], own["memprof_resident_bytes"])
            self.assertAlmostEqual(seen["memprof_allocator_free_bytes"], 10000 * 1000, delta=4 << 20)
        blocks = r"[\d,]+ allocated blocks \([+-][\d,]+\), " if "memprof_allocated_blocks" in seen else ""
        allocator = "; C allocator SIZE used, SIZE free but kept" if has_mallinfo2 else ""
        self.assertRegex(line, ("^Process: resident SIZE .[+]SIZE since first., anonymous SIZE .[+]SIZE., "
                                "swapped SIZE .[+]SIZE.; Python " + blocks +
                                "SIZE in tracked objects .[+]SIZE." + allocator + "$")
                         .replace("SIZE", SIZE))

    def test_are_those_of_the_program(self):
        for mode in self.modes:
            with self.subTest(mode=mode):
                seen, own, (line,), has_mallinfo2 = self.answers(self.TEXT, snapshot_mode=mode)
                self.assertEqual(seen["memprof_forked"], int(mode == "fork"))
                self.assertEqual("memprof_allocated_blocks" in seen, not self.interpreter.free_threaded)
                self.check(seen, own, line, has_mallinfo2)

    def test_other_allocators_of_python(self):
        names = ["malloc", "debug", "malloc_debug", "pymalloc_debug"]
        if self.interpreter.number >= (3, 13):
            names += ["mimalloc", "mimalloc_debug"]
        if self.interpreter.free_threaded:
            names = ["debug"]
        for name in names:
            for mode in self.modes:
                with self.subTest(mode=mode, allocator=name):
                    environment = host.profiled_environment(snapshot_signal="SIGUSR1", snapshot_mode=mode,
                                                            top_n_classes=2, interval_seconds=3600)
                    environment["PYTHONMALLOC"] = name
                    seen, own, (line,), has_mallinfo2 = self.answers(self.TEXT, environment=environment)
                    self.assertEqual(seen["memprof_forked"], int(mode == "fork"))
                    self.assertEqual("memprof_allocated_blocks" in seen,
                                     name in ("debug", "pymalloc_debug") and not self.interpreter.free_threaded)
                    self.check(seen, own, line, has_mallinfo2)

    def test_the_first_has_no_changes(self):
        line = self.answers("print(json.dumps(lines(Records.last)))")
        self.assertEqual(len(line), 1)
        self.assertTrue(line[0].startswith("Process: resident "), line)
        self.assertNotRegex(line[0], r"\(|since first")

    def test_snapshots_leave_no_blocks(self):
        if self.interpreter.free_threaded:
            self.skipTest("blocks are not counted")
        for mode in self.modes:
            with self.subTest(mode=mode):
                before, after = self.answers("""
                    def blocks():
                        return snapshot().memprof_allocated_blocks
                    for i in range(10):
                        snapshot()
                    print(json.dumps([blocks(), [blocks() for i in range(50)][-1]]))
                """, snapshot_mode=mode)
                # The numbers are some. Names of attributes, made anew for each snapshot, were hundreds.
                self.assertLess(after - before, 150)

    def test_another_malloc_is_left_out(self):
        if JEMALLOC is None:
            self.skipTest("no jemalloc here")
        for order in ([JEMALLOC, host.LIBRARY], [host.LIBRARY, JEMALLOC]):
            for mode in self.modes:
                with self.subTest(order=order, mode=mode):
                    environment = host.profiled_environment(snapshot_signal="SIGUSR1", snapshot_mode=mode,
                                                            top_n_classes=2, interval_seconds=3600)
                    environment["LD_PRELOAD"] = ":".join(order)
                    record = self.answers("""
                        assert "jemalloc" in open("/proc/self/maps").read()
                        record = snapshot()
                        print(json.dumps([sorted(vars(record)), lines(record)]))
                    """, environment=environment)
                    self.assertNotIn("memprof_allocator_used_bytes", record[0])
                    self.assertIn("memprof_resident_bytes", record[0])
                    self.assertNotIn("C allocator", record[1][0])

    def test_a_lock_that_is_held_is_not_waited_for(self):
        if "fork" not in self.modes:
            self.skipTest("no copy is taken here")
        # mallinfo2() holds the arena's lock while it walks the free blocks.
        answer = self.answers("""
            import random
            if not %s:
                print("null")
                sys.exit()
            held = [native(600) for i in range(150000)]
            freed = held[::2]
            random.shuffle(freed)
            for block in freed:
                libc.free(block)
            class Figures(ctypes.Structure):
                _fields_ = [("figures", ctypes.c_size_t * 10)]
            libc.mallinfo2.restype = Figures
            def hold():
                while True:
                    libc.mallinfo2()
            for i in range(2):
                threading.Thread(target=hold, daemon=True).start()
            records = [vars(snapshot()) for i in range(3)]
            print(json.dumps([[record["memprof_forked"], "memprof_allocator_used_bytes" in record]
                              for record in records]))
            sys.stdout.flush()
            os._exit(0)
        """ % HAS_MALLINFO2, snapshot_mode="fork")
        if answer is None:
            self.skipTest("this C library has no mallinfo2()")
        self.assertEqual([forked for forked, known in answer], [1, 1, 1])
        self.assertIn([1, False], answer)


class Verdicts(ProcessTest):
    def verdicts(self, text, **options):
        return self.answers(host.joined(text, "print(json.dumps(found))"), **options)

    def test_a_hoard_of_bytes(self):
        for mode in self.modes:
            with self.subTest(mode=mode):
                found = self.verdicts("""
                    keep = []
                    def hoard(i):
                        keep.extend(bytes(1000) for j in range(3000))
                    found = verdicts(14, hoard)
                """, snapshot_mode=mode)
                self.assertGreaterEqual(len(found), 4)
                # It says what may be Python's own, because that was not counted.
                self.assertRegex(found[-1], r"^RSS grew [34]\d\.\d MB, tracked objects (?:fell )?%s: strings, bytes and "
                                            r"arrays \(count_untracked tells\), native memory or fragmentation" %
                                            SIZE)
                self.assertRegex(found[-1], r", within \d\d? snapshots$")

    def test_a_few_large_ones(self):
        if self.interpreter.free_threaded:
            self.skipTest("blocks are not counted")
        found = self.verdicts("""
            keep = bytearray()
            def grow(i):
                keep.extend(bytes(4000000))
            found = verdicts(14, grow)
        """)
        self.assertRegex(found[-1], r": native memory, fragmentation or a few large strings, bytes or arrays "
                                    r"\(count_untracked tells\)")

    def test_native_memory(self):
        for mode in self.modes:
            with self.subTest(mode=mode):
                found, has_mallinfo2 = self.answers("""
                    def leak(i):
                        for j in range(3000):
                            native(1000)
                    print(json.dumps([verdicts(14, leak), %s]))
                """ % HAS_MALLINFO2, snapshot_mode=mode)
                self.assertGreaterEqual(len(found), 4)
                self.assertRegex(found[-1], r"^RSS grew [34]\d\.\d MB, tracked objects ")
                if has_mallinfo2:
                    self.assertRegex(found[-1], r" \(the C allocator has [34]\d\.\d MB more in use\), within ")

    def test_fragmentation(self):
        found, has_mallinfo2 = self.answers("""
            # What has been freed is too small for what comes next.
            def scatter(i):
                blocks = [native(1000 + 32 * i) for j in range(8000)]
                for block in blocks[::2]:
                    libc.free(block)
            print(json.dumps([verdicts(14, scatter), %s]))
        """ % HAS_MALLINFO2)
        self.assertGreaterEqual(len(found), 4)
        self.assertRegex(found[-1], r"^RSS grew \d+\.\d MB, tracked objects (?:fell )?%s: .*fragmentation" % SIZE)
        if has_mallinfo2:
            self.assertRegex(found[-1], r" \(\d\d\.\d MB is free but kept by the C allocator\), within ")

    def test_what_python_freed_and_nobody_took(self):
        found = self.verdicts("""
            keep, pins = [], []
            for i in range(300000):
                keep.append([None] * 80)
                if i % 2 == 0:
                    pins.append(bytes(600))
            snapshot()
            del keep[:]
            found = verdicts(6, lambda i: None)
        """)
        self.assertRegex(found[-1], r"^Tracked objects fell \d+\.\d MB, RSS (grew )?%s: their memory is kept for "
                                    r"reuse, or other memory has grown" % SIZE)

    def test_none_on_what_is_steady(self):
        for mode in self.modes:
            with self.subTest(mode=mode):
                found = self.verdicts("""
                    import collections, email, http.client, xml.dom.minidom
                    cache = collections.deque(maxlen=200)
                    def work(i):
                        # Peaks that are used again, a cache with a bound, files that are mapped and read.
                        peak = [bytes(1000 + j % 100) for j in range(20000 + 997 * i % 5000)]
                        for j in range(20):
                            cache.append(bytes(20000))
                        blocks = [native(1000) for j in range(5000)]
                        for block in blocks:
                            libc.free(block)
                    # How far the allocators' memory spreads at first depends on the version.
                    for i in range(20):
                        work(i)
                    found = verdicts(40, work)
                """, snapshot_mode=mode)
                self.assertEqual(found, [])

    def test_none_on_what_python_accounts_for(self):
        found = self.verdicts("""
            keep = []
            def grow(i):
                keep.extend([None] * 100 for j in range(5000))
            found = verdicts(14, grow)
        """)
        self.assertEqual(found, [])

    def test_none_on_files(self):
        found = self.verdicts("""
            import mmap
            with open("large", "wb") as file:
                file.write(bytes(64000000))
            maps = []
            def read(i):
                with open("large", "rb") as file:
                    maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
                sum(maps[-1][j] for j in range(0, 64000000, 4096))
            found = verdicts(12, read)
            with open("/proc/self/status") as file:
                assert int([line.split()[1] for line in file if line.startswith("VmRSS")][0]) > 500000
        """)
        self.assertEqual(found, [])


if __name__ == "__main__":
    host.main()
