# SPDX-License-Identifier: MIT
"""Verdicts on small programs: which class leaks, who holds it, and who is left alone."""

import json
import re
import sys

import host
import leak_programs

# One snapshot after each step(), and one before them; what was logged comes out as JSON: the number of
# steps that the last snapshot has seen, the level, the text. The verdicts on the last one are there when
# the profiler has ended, which is before what was registered before its first record.
DRIVER = """
    import atexit, json, logging, os, signal, sys, time
    sys.path.insert(0, {folder!r})
    import leak_programs

    class Records(logging.Handler):
        steps = snapshots = 0
        told = []
        def emit(self, record):
            if hasattr(record, "memprof_objects"):
                Records.snapshots += 1
                Records.last = record
            elif "suspected" in record.getMessage():
                Records.told.append((Records.snapshots - 1, record.levelname, record.getMessage()))
    atexit.register(lambda: print(json.dumps(Records.told)))
    logging.getLogger().addHandler(Records())

    def wait(before):
        until = time.monotonic() + 60
        while Records.snapshots == before:
            assert time.monotonic() < until, "no snapshot"
            time.sleep(0.001)

    def run(step, steps):
        for i in range(steps):
            step()
            Records.steps += 1
            before = Records.snapshots
            os.kill(os.getpid(), signal.SIGUSR1)
            wait(before)

    wait(0)
"""
SUSPECTED = r"Memory leak suspected: (\S+) "
NAMED_TOO = r"Along with it grow: ([^:]*)\. Look"


class LeaksTest(host.HostTest):
    def tell(self, text, before="", **options):
        """The records that the program was told: (steps, level, text). `before` is there at the first snapshot."""
        driver = host.joined(DRIVER).format(folder=leak_programs.__file__.rsplit("/", 1)[0])
        options.setdefault("top_n_classes", 3)
        ended = self.run_audited(host.joined(before, driver, text), snapshot_signal="SIGUSR1", interval_seconds=3600,
                                 **options)
        self.assert_clean(ended)
        return json.loads(ended.out)

    def judge(self, name, steps, **options):
        return self.tell("run(leak_programs.start(%r), %d)" % (name, steps), **options)

    def programs(self, kind):
        for name in kind:
            if name == "cyclic_garbage":    # piles up where nobody collects
                yield name, {"collect": "no"}
            elif name == "one_time_load":    # a million objects: the quickest way is the same to the verdict
                yield name, {"collect": "no", "snapshot_mode": "inline"}
            else:
                yield name, {}


class Verdicts(LeaksTest):
    def test_every_leak_is_named_and_nothing_else(self):
        for name, (_, leaking, by_step) in leak_programs.LEAKS.items():
            with self.subTest(program=name):
                told = self.judge(name, by_step)
                self.assertTrue(told, "not suspected in %d steps" % by_step)
                self.assertEqual({level for _, level, _ in told}, {"WARNING"})
                heads = {re.match(SUSPECTED, text).group(1) for _, _, text in told}
                self.assertEqual(len(heads), 1, told)
                others = re.search(NAMED_TOO, told[0][2])
                named = heads | set(others.group(1).split(", ") if others else ())
                self.assertIn(leaking, {name.rpartition(".")[2] for name in named}, told)

    def test_no_innocent_is_accused(self):
        for name, options in self.programs(leak_programs.INNOCENTS):
            with self.subTest(program=name):
                self.assertEqual(self.judge(name, 200, **options), [])

    def test_what_states_its_bound_is_not_accused(self):
        if self.interpreter.free_threaded:
            self.skipTest("holders are not to be found there")
        for name in leak_programs.BOUNDED:
            if name == "lru_cache_that_fills_slowly" and self.interpreter.number < (3, 9):
                continue    # 3.8 does not let it be read
            with self.subTest(program=name):
                self.assertEqual(self.judge(name, 100), [])

    def test_what_becomes_larger_up_to_its_bound_is_not_accused(self):
        if self.interpreter.free_threaded:
            self.skipTest("holders are not to be found there")
        in_a_list = """
            import collections
            rings = [collections.deque(maxlen=%d) for i in range(12)]
            def step():
                for ring in rings: ring.extend(range(200))
        """
        in_threads = """
            import collections, threading
            turn = threading.Barrier(13)
            def work():
                ring = collections.deque(maxlen=%d)
                while True:
                    turn.wait()
                    ring.extend(range(200))
                    turn.wait()
            for i in range(12): threading.Thread(target=work, daemon=True).start()
            def step(): turn.wait(), turn.wait()
        """
        for rings in in_a_list, in_threads:
            with self.subTest(rings=rings):
                self.assertEqual(self.tell("run(step, 40)", before=rings % 100000), [])
                # Without a bound it is.
                self.assertRegex(self.tell("run(step, 40)", before=rings.replace("maxlen=%d", ""))[0][2],
                                 SUSPECTED.replace(r"(\S+)", "collections.deque"))

    def test_beyond_its_bound_it_is(self):
        if self.interpreter.free_threaded:
            self.skipTest("holders are not to be found there")
        told = self.tell("""
            import collections
            ring, kept = collections.deque(maxlen=400), []
            class Message: pass
            def step():
                ring.extend(Message() for i in range(40))
                if Records.steps >= 10: kept.extend(Message() for i in range(30))
            run(step, 40)
        """)
        self.assertRegex(told[0][2], SUSPECTED.replace(r"(\S+)", "__main__.Message"))
        self.assertGreaterEqual(told[0][0], 18)
        self.assertIn("held by __main__.kept[*] (list, ", told[0][2])

    def test_a_bounded_cache_hides_nobody(self):
        if self.interpreter.free_threaded:
            self.skipTest("holders are not to be found there")
        for cache in ("collections.deque(maxlen=400)", "functools.lru_cache(maxsize=400)(Message)"):
            told = self.tell("""
                import collections, functools, itertools
                class Message:
                    def __init__(self, number): pass
                class Bot: pass
                cache, bot, numbers = %s, Bot(), itertools.count()
                bot.cogs = {"Seen": Bot()}
                bot.cogs["Seen"].by_user = {user: [] for user in range(8)}
                def step():
                    for number in itertools.islice(numbers, 40):
                        message = cache(number) if callable(cache) else Message(number)
                        if not callable(cache): cache.append(message)
                        bot.cogs["Seen"].by_user[number %% 8].append(message)
                run(step, 20)
            """ % cache)
            with self.subTest(cache=cache):
                self.assertRegex(told[0][2], SUSPECTED.replace(r"(\S+)", "__main__.Message"))
                self.assertIn("50 of 50 are held by __main__.bot.cogs['Seen'].by_user[*][*] (dict, 8 items", told[0][2])

    def test_a_bounded_cache_of_a_module_hides_no_variable(self):
        if self.interpreter.free_threaded:
            self.skipTest("holders are not to be found there")
        told = self.tell("""
            import collections
            class Message: pass
            cache = collections.deque(maxlen=400)
            def main():
                kept = []
                def step():
                    messages = [Message() for i in range(40)]
                    cache.extend(messages)
                    kept.extend(messages)
                run(step, 20)
            main()
        """)
        self.assertRegex(told[0][2], SUSPECTED.replace(r"(\S+)", "__main__.Message"))
        self.assertRegex(told[0][2], r" held by <frame __main__\.\w+>\.f_locals\['kept'\]\S*\[\*\] \(list, ")

    def test_growth_that_stops_is_taken_back(self):
        told = self.tell("""
            class Message: pass
            cache = {}
            def step():
                if Records.steps < 40: cache.update((object(), Message()) for i in range(30))
            run(step, 60)
        """)
        self.assertEqual([level for _, level, _ in told],
                         ["WARNING"] * (len(told) - 1) + ["INFO"], told)
        self.assertIn("Memory leak no longer suspected: __main__.Message has stopped growing: 1,200 "
                      "objects and ", told[-1][2])
        self.assertLessEqual(told[-1][0], 40 + 8)

    def test_is_repeated_when_doubled(self):
        told = self.judge("list_of_objects", 70)
        self.assertEqual([steps for steps, _, _ in told], [8, 16, 32, 64])
        self.assertIn(" still grows, by 640 objects and ", told[1][2])


class Wording(LeaksTest):
    def test_is_plain_prose(self):
        for mode in ("fork", "auto"):
            told = self.tell("""
                class Message: pass
                class Bot: pass
                bot = Bot()
                bot.seen = []
                run(lambda: bot.seen.extend(Message() for i in range(50)), 8)
                before = Records.snapshots
                os.kill(os.getpid(), signal.SIGUSR1)
                wait(before)
                Records.told.append((0, "", Records.last.getMessage()))
            """, snapshot_mode=mode)
            held = "" if self.interpreter.free_threaded else (
                r" 50 of 50 are held by __main__\.bot\.seen\[\*\] \(list, 400 items, retains "
                r"\d+\.\d KB\)\.")
            self.assertRegex(
                told[0][2],
                r"^Memory leak suspected: __main__\.Message has grown by 400 objects and \d+\.\d KB "
                r"in 8 snapshots, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\d+s ago\)"
                r"(: \+[\d,]+ objects and \+[\d.]+ [KMG]B per hour)?\." + held +
                r"( Along with it grow: [^:]+\.)? Look at .*\.$")
            self.assertNotIn("Memory leak", told[-1][2])
            self.assertRegex(told[-1][2], r"\n\nGrowth since first snapshot \(10 snapshots over \d+s\):"
                                          r"\n  by memory usage:\n    __main__\.Message: \+")

    def test_different_holders_are_told_apart(self):
        if self.interpreter.free_threaded:
            self.skipTest("holders are not to be found there")
        told = self.tell("""
            class Message: pass
            first, second = [], {}
            def step():
                for i in range(10):
                    first.append(Message()), first.append(Message())
                    second[Records.steps, i] = Message()
            run(step, 8)
        """)
        self.assertRegex(told[0][2], r" (3[0-6]) of 50 are held by __main__\.first\[\*\] \(list, 160 "
                                     r"items, .*; (1[4-9]|20) of 50 by __main__\.second\[\*\] "
                                     r"\(dict, 80 items, ")

    def test_the_dearest_comes_first(self):
        told = self.tell("""
            class Small: __slots__ = ("__weakref__",)
            class Large: __slots__ = tuple("a%d" % i for i in range(40))
            small, large = [], []
            def step():
                small.extend(Small() for i in range(20))
                large.extend(Large() for i in range(20))
                time.sleep(0.05)
            run(step, 8)
        """)
        self.assertEqual([re.match(SUSPECTED, text).group(1) for _, _, text in told],
                         ["__main__.Large", "__main__.Small"])

    def test_without_copies_no_holder_is_told(self):
        told = self.judge("list_of_objects", 8, snapshot_mode="inline")
        self.assertEqual(len(told), 1)
        self.assertNotIn("held by", told[0][2])
        self.assertIn("Look at what keeps objects of this class alive.", told[0][2])


class Untracked(LeaksTest):
    def setUp(self):
        super().setUp()
        if self.interpreter.free_threaded:
            self.skipTest("they are not to be found there")

    def test_who_holds_them_is_told(self):
        told = self.tell("""
            class Cache: pass
            cache = Cache()
            cache.texts = {}
            def step():
                for i in range(200): cache.texts[Records.steps * 1000 + i] = "%d of %d" % (i, Records.steps)
            run(step, 8)
        """, count_untracked="yes")
        self.assertEqual(len(told), 1, told)
        self.assertRegex(told[0][2], SUSPECTED + r".* are held by __main__\.cache\.texts(\.keys\(\))?\[\*\] "
                                                 r"\(dict, 1,600 items")
        self.assertIn("str", told[0][2])

    def test_they_are_parts_of_what_has_them(self):
        told = self.tell("""
            class Message:
                def __init__(self, number):
                    self.id, self.author, self.content = number + 10 ** 6, "user %d" % number, "text %d" % number
            kept = []
            run(lambda: kept.extend(Message(len(kept) + i) for i in range(100)), 8)
        """, count_untracked="yes")
        self.assertEqual([re.match(SUSPECTED, text).group(1) for _, _, text in told], ["__main__.Message"], told)
        self.assertLessEqual({"str", "int"}, set(re.search(NAMED_TOO, told[0][2]).group(1).split(", ")))

    def test_a_bound_is_respected(self):
        ways = {"last.append": ""}
        if self.interpreter.number >= (3, 9):
            ways["text_of"] = "@functools.lru_cache(maxsize=100000)"    # its bound is not told before
        for way, decorator in ways.items():
            with self.subTest(way=way):
                told = self.tell("""
                    import collections, functools
                    last = collections.deque(maxlen=100000)
                    %s
                    def text_of(number): return "text " + number
                    def step():
                        for i in range(200): %s(str(Records.steps * 1000 + i))
                    run(step, 12)
                """ % (decorator, way), count_untracked="yes")
                self.assertEqual(told, [])

    def test_a_larger_one_that_does_not_grow_hides_nobody(self):
        told = self.tell("""
            words = ["word %d" % i for i in range(10000)]
            seen = set()
            def step():
                seen.update("%d of %d" % (i, Records.steps) for i in range(500))
            run(step, 9)
        """, count_untracked="yes")
        self.assertRegex(told[0][2], SUSPECTED + r".* by __main__\.seen\[\*\] \(set, ")


class Switches(LeaksTest):
    def test_can_be_switched_off(self):
        told = self.tell("""
            kept = []
            run(lambda: kept.extend([] for i in range(100)), 12)
            Records.told.append((0, "", Records.last.getMessage()))
        """, leak_detection="no")
        self.assertEqual(len(told), 1)
        self.assertNotIn("Growth", told[0][2])

    def test_a_logger_at_warning_gets_nothing_else(self):
        ended = self.run_program("""
            import logging, os, signal, time
            seen = []
            class Records(logging.Handler):
                def emit(self, record):
                    seen.append((record.levelname, record.getMessage()[:21]))
            logger = logging.getLogger("memory_profiler")
            logger.setLevel(logging.WARNING)
            logger.addHandler(Records())
            class Message: pass
            kept = []
            until = time.monotonic() + 60
            while not seen and time.monotonic() < until:
                kept.extend(Message() for i in range(100))
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(0.05)
            print(seen)
        """, snapshot_signal="SIGUSR1")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "[('WARNING', 'Memory leak suspected')]\n")

    def test_descriptor_2_names_the_level(self):
        ended = self.run_program(host.joined(host.WAITING, """
            import os, signal
            class Message: pass
            kept = []
            def lines():
                if not os.path.exists("snapshots"):
                    return 0
                with open("snapshots") as file:
                    return file.read().count("\\n")
            for i in range(12):
                kept.extend(Message() for i in range(100))
                before = lines()
                os.kill(os.getpid(), signal.SIGUSR1)
                wait(lambda: lines() > before, "a snapshot")
        """), snapshot_signal="SIGUSR1", output="stderr", snapshot_file="snapshots")
        self.assertRegex(ended.err, r"(?m)^[\d-]+ [\d:,]+ WARNING memory_profiler: Memory leak suspected")
        self.assertRegex(ended.err, r"(?m)^[\d-]+ [\d:,]+ INFO memory_profiler: Memory Snapshot$")


if __name__ == "__main__":
    host.main()
