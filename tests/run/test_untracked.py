# SPDX-License-Identifier: MIT
"""What the collector does not track is counted as far as tracked objects lead to it, each object once."""

import json

import host
import test_modes
import test_snapshot

# The same walk in pure Python, at the same moment but for what it makes itself.
ORACLE = """
    import gc, sys, types

    def members(o):
        "What the members of its class of C code hold; those of numbers make a new object each time."
        for cls in type.mro(type(o)):
            if cls.__flags__ & 1 << 9:
                continue
            for member in vars(cls).values():
                if type(member) is types.MemberDescriptorType:
                    try:
                        value = member.__get__(o)
                    except AttributeError:
                        continue
                    if value is member.__get__(o):
                        yield value

    def referents(o):
        found = gc.get_referents(o)
        if isinstance(o, dict):
            found += list(dict.keys(o)) + list(dict.values(o))
        found += members(o)
        return found

    def untracked():
        "What is not tracked, by id, and the figures of all."
        tracked = gc.get_objects()
        ids, stack, seen = {id(o) for o in tracked}, tracked[:], {}
        mine = {id(sys._getframe()), id(ids), id(stack), id(seen), id(tracked)}
        while stack:
            o = stack.pop()
            for found in referents(o) if id(o) not in mine else ():
                if id(found) not in ids and id(found) not in seen and id(found) not in mine:
                    seen[id(found)] = found
                    stack.append(found)
        return tracked, list(seen.values())

    def name_of(cls):
        return cls.__qualname__ if cls.__module__ == "builtins" else cls.__module__ + "." + cls.__qualname__

    def figures():
        gc.collect()
        gc.collect()
        gc.disable()
        tracked, others = untracked()
        counts, sizes = {}, {}
        for o in tracked + others:
            name = name_of(type(o))
            counts[name] = counts.get(name, 0) + 1
            sizes[name] = sizes.get(name, 0) + sys.getsizeof(o)
        return counts, sizes

    def compared():
        print(json.dumps(figures()))
        record = snapshot()
        shown = record.getMessage(), record.memprof_forked, record.memprof_objects, record.memprof_bytes
        print(json.dumps(shown))
"""

# Ways to hold objects that are not tracked: each gets a thousand of them, and holds nothing else of
# their class.
SHAPES = """
    import array, collections, datetime, decimal, functools, itertools, types, weakref

    class Plain: pass
    class Slotted: __slots__ = ("a", "b")
    class Below(Slotted): pass
    class OfDict(dict): pass
    class OfTuple(tuple): pass
    class OfError(Exception): pass
    class Meta(type): pass
    def plain(value, name="value"):
        thing = Plain()
        setattr(thing, name, value)
        return thing
    def slotted(value, kind=Slotted):
        thing = kind()
        thing.a = value
        return thing
    def closure(value):
        return lambda: value
    def default(value):
        def function(a=value, *, b=0): pass
        return function
    def generator(value):
        mine = value
        del value
        yield
        mine
    def started(value):
        running = generator(value)
        next(running)
        return running
    def module(value):
        made = types.ModuleType("m")
        made.a = value
        return made
    watched = Plain()

    SHAPES = dict(
        list=list, tuple=lambda values: [tuple(values)], set=set, frozenset=lambda values: [frozenset(values)],
        deque=collections.deque, python_tuple=OfTuple,
        dict_values=lambda values: {i: value for i, value in enumerate(values)},
        dict_values_of_text=lambda values: {"key %d" % i: value for i, value in enumerate(values)},
        dict_keys=lambda values: {value: None for value in values},
        dicts=lambda values: [{"a": {"b": {"c": value}}} for value in values],
        ordered_keys=lambda values: collections.OrderedDict((value, 1) for value in values),
        ordered_values=lambda values: collections.OrderedDict((i, value) for i, value in enumerate(values)),
        default_values=lambda values: collections.defaultdict(list, enumerate(values)),
        python_dict=lambda values: [OfDict(a=value) for value in values],
        nested=lambda values: [(1, ("x", (value, 2.5)), b"y") for value in values],
        attributes=lambda values: [plain(value) for value in values],
        attributes_of_dict=lambda values: [vars(plain(value)) for value in values],
        attributes_with_dict=lambda values: [(thing, vars(thing)) for thing in map(plain, values)],
        many_names=lambda values: [plain(value, "name %d" % i) for i, value in enumerate(values)],
        slots=lambda values: [slotted(value) for value in values],
        slots_below=lambda values: [slotted(value, Below) for value in values],
        class_attributes=lambda values: [Meta("Made", (), {"a": value}) for value in values],
        closures=lambda values: [closure(value) for value in values],
        defaults=lambda values: [default(value) for value in values],
        generators=lambda values: [started(value) for value in values],
        errors=lambda values: [OfError(value) for value in values],
        partials=lambda values: [functools.partial(print, value) for value in values],
        methods=lambda values: [value.__str__ for value in values],
        iterators=lambda values: [iter([value]) for value in values],
        slices=lambda values: [slice(value) for value in values],
        proxies=lambda values: [types.MappingProxyType({1: value}) for value in values],
        namespaces=lambda values: [types.SimpleNamespace(a=value) for value in values],
        modules=lambda values: [module(value) for value in values],
        callbacks=lambda values: [weakref.ref(watched, value.__rtruediv__) for value in values],
        shared=lambda values: [list(values), tuple(values), dict.fromkeys(values), set(values)] * 3,
        constants=lambda values: [closure(0).__code__.replace(co_consts=(0, value)) for value in values],
    )
    number = itertools.count(1)
    def some(count=1000):
        return [complex(next(number), 1) for i in range(count)]
    def settle():
        for i in range(4): gc.collect()
"""

HEAP = """
    import re, zlib
    keep = [shape(some()) for shape in SHAPES.values()]
    keep += [
        {"plain key %d" % i: i * 1000 for i in range(3000)},
        ["%d" % i + chr(c) for i in range(100) for c in (65, 255, 9999, 99999)],
        [2 ** (30 * i) for i in range(1, 100)], [-i * 10 ** 9 for i in range(1000)], [i / 7 for i in range(1000)],
        [bytes(1000 + i) for i in range(100)], [bytearray(1000 + i) for i in range(100)],
        [array.array("d", range(i)) for i in range(100)], [memoryview(bytes(1000 + i)) for i in range(50)],
        [datetime.datetime(2020, 1, 1 + i % 28, microsecond=i) for i in range(100)],
        [decimal.Decimal(10) ** -i for i in range(300)], [range(i * 10 ** 12) for i in range(1000)],
        [re.compile("a%d" % i) for i in range(30)], [re.compile("b%d" % i).match("b%d" % i) for i in range(30)],
        [compile("x = 'constant %d'; y = %d" % (i, i + 10 ** 9), "file %d" % i, "exec") for i in range(200)],
        [array.array("d", [0]) * 1000000, bytes(3 << 20)], [None, True, False, int, object, Ellipsis],
        [zlib.compressobj() for i in range(20)],
    ]
"""


class UntrackedTest(test_modes.ModesTest):
    def ask(self, text, *flags, **options):
        return super().ask(text, *flags, audited=True, **options)


class Figures(UntrackedTest):
    def test_are_those_of_a_walk_in_python(self):
        ended = self.ask(host.joined(ORACLE, SHAPES, HEAP, "settle(); compared()"), count_untracked="yes",
                         snapshot_mode="auto")
        self.assert_clean(ended)
        (counts, sizes), (text, forked, objects, size) = map(json.loads, ended.out.splitlines())
        snapshot = host.Snapshot(text)
        self.assertEqual(forked, 1)
        for name in ("complex", "array.array", "bytearray", "datetime.datetime", "decimal.Decimal", "range", "code",
                     "re.Pattern", "re.Match", "NoneType", "ellipsis", "bool", "slice", "zlib.Compress"):
            with self.subTest(name):
                self.assertEqual((snapshot.counts.get(name), snapshot.sizes.get(name)),
                                 (counts[name], test_snapshot.host_size(sizes[name])))
        # Asking for a snapshot makes some of these.
        off = {name: (snapshot.counts.get(name, 0), counts.get(name, 0))
               for name in set(counts) | set(snapshot.counts)
               if abs(snapshot.counts.get(name, 0) - counts.get(name, 0)) > 12}
        self.assertEqual(off, {})
        self.assertGreater(counts["str"], 10000)
        self.assertEqual(objects, sum(snapshot.counts.values()))
        self.assertLess(abs(objects - sum(counts.values())), 60)
        self.assertLess(abs(size - sum(sizes.values())), 40000)
        self.assertGreater(size, 11000000)

    def test_however_they_are_held(self):
        ended = self.ask(host.joined(SHAPES, """
            keep = []
            def count():
                return table(snapshot()).get("complex", 0)
            seen = {}
            for name, shape in SHAPES.items():
                settle()
                before = count()
                keep.append(shape(some()))
                settle()
                seen[name] = count() - before
            print(json.dumps(seen))
        """), count_untracked="yes")
        self.assert_clean(ended)
        seen = json.loads(ended.out)
        self.assertGreater(len(seen), 30)
        self.assertEqual({name: count for name, count in seen.items() if count != 1000}, {})

    def test_keys_that_are_text(self):
        # Where all are, the collector does not ask for them.
        ended = self.ask(host.joined(SHAPES, """
            keep = []
            def count():
                return table(snapshot()).get("str", 0)
            for make in (lambda: {"key %d" % i: None for i in range(1000)},
                         lambda: collections.OrderedDict(("ordered %d" % i, None) for i in range(1000)),
                         lambda: [{"single %d" % i: i} for i in range(1000)],
                         lambda: [vars(plain(i, "attribute %d" % i)) for i in range(1000)]):
                before = count()
                keep.append(make())
                settle()
                print(count() - before)
        """), count_untracked="yes")
        self.assert_clean(ended)
        for more in ended.out.split():
            self.assertLess(abs(int(more) - 1000), 30, ended)

    def test_what_objects_of_c_code_keep_to_themselves(self):
        ended = self.ask(host.joined(SHAPES, """
            def count():
                counts = table(snapshot())
                return counts["str"], counts.get("datetime.timezone", 0)
            before = count()
            zone = lambda i: datetime.timezone(datetime.timedelta(minutes=i))
            keep = [Meta("Made%d" % i, (), {}) for i in range(500)]
            keep += [datetime.datetime(2020, 1, 1, tzinfo=zone(i)) for i in range(500)]
            settle()
            print(*[now - then for now, then in zip(count(), before)])
        """), count_untracked="yes")
        self.assert_clean(ended)
        strings, zones = map(int, ended.out.split())
        self.assertLess(strings, 30)
        self.assertEqual(zones, 0)

    def test_a_size_that_only_python_could_tell(self):
        ended = self.ask("""
            import zlib
            cls = type(zlib.compressobj())
            plain = sys.getsizeof(zlib.compressobj())
            keep = [zlib.compressobj() for i in range(10)]
            try:
                cls.__sizeof__ = lambda self: 12345
            except TypeError:
                pass
            print(10 * plain, snapshot().getMessage().split("zlib.Compress: ")[2].splitlines()[0])
        """, count_untracked="yes")
        self.assert_clean(ended)
        plain, shown = ended.out.split(None, 1)
        self.assertEqual(shown.strip(), test_snapshot.host_size(int(plain)))


class Reached(UntrackedTest):
    def counts(self, text, **options):
        """The table of a snapshot. Nothing but the program has numbers of the class complex."""
        options.setdefault("count_untracked", "yes")
        text = host.joined("""
            class Plain: pass
            def value(): return complex(len(sys.argv), 2)
        """, text, "print(json.dumps(table(snapshot())))")
        ended = self.ask(text, **options)
        self.assert_clean(ended)
        return json.loads(ended.out)

    GARBAGE = """
        class Cycle: pass
        gc.collect()
        gc.disable()
        both = bytearray(5)
        for i in range(100):
            cycle = Cycle()
            cycle.own, cycle.shared, cycle.me = (1, (value(),)), both, cycle
        del cycle
    """

    def test_what_only_garbage_refers_to_is_left_out(self):
        counts = self.counts(self.GARBAGE)
        self.assertEqual((counts.get("complex"), counts["bytearray"], counts.get("__main__.Cycle")), (None, 1, None))
        counts = self.counts(self.GARBAGE, collect="no")
        self.assertEqual((counts["complex"], counts["bytearray"], counts["__main__.Cycle"]), (100, 1, 100))

    def test_what_only_frozen_objects_refer_to_is_left_out(self):
        for collect in ("yes", "no"):
            counts = self.counts("""
                frozen = [value(), (bytearray(5),)]
                gc.freeze()
                keep = [frozen[0]]
            """, collect=collect)
            self.assertEqual((counts.get("complex"), counts.get("bytearray")), (1, None))

    def test_it_is_off_unless_wanted(self):
        counts = self.counts("keep = [value()]", count_untracked="no")
        self.assertEqual((counts.get("complex"), counts.get("str")), (None, None))

    def test_the_variables_of_functions_that_run(self):
        counts = self.counts("""
            started, ended = threading.Semaphore(0), threading.Event()
            def inner(argument):
                mine = value()
                started.release()
                ended.wait()
                return mine
            def outer():
                both, nested = bytearray(5), (1, (value(), value()))
                inner(both)
                return nested
            threads = [threading.Thread(target=outer, daemon=True) for i in range(5)]
            for thread in threads: thread.start()
            for thread in threads: started.acquire()
        """)
        self.assertEqual((counts["complex"], counts["bytearray"]), (15, 5))

    def test_nesting_without_end(self):
        counts = self.counts("""
            nested = value()
            for i in range(300000):
                nested = (nested, 0)
            wide = tuple((value(),) for i in range(50000))
            keep = [nested, wide]
            for i in range(3): gc.collect()     # until none of them is tracked
        """)
        self.assertEqual(counts["complex"], 50001)

    def test_no_code_of_the_program_runs(self):
        counts = self.counts("""
            def trap(*arguments):
                if os.getpid() != program:
                    os._exit(3)
            def raises(self, *arguments): trap(); raise ValueError
            program = os.getpid()
            armed = type("Armed", (str,), {"__slots__": (), "__hash__": lambda self: trap() or 1,
                "__eq__": lambda self, other: trap() or self is other, "__sizeof__": raises, "__len__": raises,
                "__getattribute__": raises, "__del__": trap, "__module__": "__main__"})
            keep = [{armed(i): armed(i) for i in range(30)}, {armed(i) for i in range(30)}]
            sys.addaudithook(trap)
            started = threading.Semaphore(0)
            def run():
                mine = value()
                started.release()
                time.sleep(3600)
            threading.Thread(target=run, daemon=True).start()
            started.acquire()
        """)
        self.assertEqual((counts["__main__.Armed"], counts["complex"]), (90, 1))

    def test_no_object_is_written_to(self):
        # A page that the copy writes to is copied: a reference count would do.
        ended = self.ask("""
            import resource
            def faults():
                return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
            keep = ["some text %d" % i * 5 for i in range(300000)], [i / 3 for i in range(300000)]
            keep += {"key %d" % i: i << 99 for i in range(100000)}, [("x %d" % i,) for i in range(200000)]
            gc.collect(); gc.collect()
            pages = sum(map(sys.getsizeof, keep[0])) // 4096 + sum(map(sys.getsizeof, keep[3])) // 4096
            before = faults()
            counts = table(snapshot())
            assert counts["str"] > 600000 and counts["float"] >= 300000
            print(faults() - before, pages)
        """, count_untracked="yes", top_n_classes=30)
        self.assert_clean(ended)
        faults, pages = map(int, ended.out.split())
        self.assertGreater(faults, 0)
        # The tables of the copy take 3,000, or 5,000 where the kernel has no huge pages left for them.
        self.assertLess(faults, pages, ended)

    def test_what_is_not_finished_yet(self):
        # Python's own types are built in C, and seen before all of their fields are set.
        counts = self.counts("""
            def build():
                while True:
                    some = tuple({"%d" % i: (Plain(), str(i)) for i in range(i)} for i in range(30))
                    class Made(Plain): __slots__ = "a", "b"
                    some = [eval("lambda: %d" % i) for i in range(30)], Made()
            for i in range(3): threading.Thread(target=build, daemon=True).start()
            keep = [value() for i in range(100)]
            for i in range(20): assert snapshot().memprof_forked
        """)
        self.assertEqual(counts["complex"], 100)


class Without(host.HostTest):
    """Where no copy is to be had the snapshot comes without, and that is said."""

    PROGRAM = host.joined(test_modes.ASKING, """
        class Plain: pass
        keep = [complex(i, 2) for i in range(10)] + [Plain() for i in range(7)]
        for i in range(2):
            counts = table(snapshot())
            print(counts["__main__.Plain"], counts.get("complex"), counts.get("str"))
    """)

    def assert_without(self, said, environment):
        ended = self.run_program(self.PROGRAM, environment=environment)
        self.assertEqual((ended.code, ended.out), (0, "7 None None\n" * 2), ended)
        self.assertEqual(len([line for line in ended.complaints if said in line]), 1, ended)
        return ended.complaints

    def options(self, **more):
        return dict(count_untracked="yes", snapshot_signal="SIGUSR1", top_n_classes=100000, **more)

    def test_in_place(self):
        said = self.assert_without("count_untracked: what the collector does not track is counted in a "
                                   "forked copy only, and snapshot_mode is inline",
                                   host.profiled_environment(**self.options(snapshot_mode="inline")))
        self.assertEqual(len(said), 1)

    def test_at_exit(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, "keep = [complex(i, 2) for i in range(10)]"),
                                 count_untracked="yes", snapshot_at_exit="yes", top_n_classes=100000)
        self.assertEqual(ended.code, 0, ended)
        last = host.snapshots(ended.err)[-1]
        self.assertNotIn("complex", last.counts)
        self.assertIn("(inline)", last.text)

    def test_of_an_unknown_python(self):
        self.assert_without("count_untracked: what the collector does not track is not to be found in this "
                            "Python", test_snapshot.unknown_version(**self.options(snapshot_mode="auto")))

    def test_of_a_free_threaded_python(self):
        if not self.interpreter.free_threaded:
            self.skipTest("it has the collector's lists")
        self.assert_without("is not to be found in this Python", host.profiled_environment(**self.options()))

    def test_where_the_copy_is_killed(self):
        if self.interpreter.free_threaded:
            self.skipTest("no copy is taken of a free-threaded interpreter")
        ended = self.run_program(host.joined(test_modes.ASKING, """
            keep = [complex(i, 2) for i in range(400000)]
            while not taken() or Records.seen[-1].memprof_forked:    # it may have answered already
                pid = ask_and_stop_twin()
                before = taken()
                os.kill(pid, signal.SIGKILL)
                wait(lambda: taken() > before, "the snapshot in place of it")
            seen = Records.seen[-1], snapshot(), snapshot()
            print([(record.memprof_forked, table(record).get("complex")) for record in seen])
        """), **self.options(snapshot_mode="fork"))
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(ended.out, "[(0, None), (0, None), (1, 400000)]\n")
        self.assertEqual(len(ended.complaints), 1, ended)
        self.assertIn("a forked snapshot has failed", ended.complaints[0])


if __name__ == "__main__":
    host.main()
