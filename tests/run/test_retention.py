# SPDX-License-Identifier: MIT
"""Who holds the objects of a class, as a snapshot asked for by signal tells it."""

import json
import re

import host

# Asks for a snapshot and returns what it says of holders, by class: the lines below its title.
ASKING = """
    import gc, json, logging, os, signal, sys, threading, time

    class Records(logging.Handler):
        seen = []
        def emit(self, record):
            if hasattr(record, "memprof_objects"):
                Records.seen.append(record.getMessage())
    logging.getLogger().addHandler(Records())

    def wait(condition, what):
        until = time.monotonic() + 50
        while not condition():
            assert time.monotonic() < until, what
            time.sleep(0.005)

    def held():
        before = len(Records.seen)
        os.kill(os.getpid(), signal.SIGUSR1)
        wait(lambda: len(Records.seen) > before, "a snapshot")
        parts = Records.seen[-1].split("\\n\\n")
        assert parts[-1].startswith("Snapshot cost: "), parts
        sections = [part.split("\\n") for part in parts if part.startswith("Held: ")]
        return {lines[0][6:].rsplit(" (", 1)[0]: [line[2:] for line in lines[1:]] for lines in sections}

    def tell(*more):
        print(json.dumps([held()] + list(more)), flush=True)

    wait(lambda: Records.seen, "the first snapshot")
"""


class RetentionTest(host.HostTest):
    def setUp(self):
        super().setUp()
        if "t" in self.abiflags():
            self.skipTest("a free-threaded build cannot be walked in a copy")

    def abiflags(self):
        return self.run_command([self.python, "-c", "import sys; print(sys.abiflags)"],
                                host.clean_environment()).out.strip()

    def ask(self, text, classes, *flags, **options):
        """What the program has told: its holders, and whatever else it has passed to tell()."""
        options.setdefault("snapshot_mode", "fork")
        names = ["__main__." + name if name[0].isupper() else name for name in classes]
        ended = self.run_program(host.joined(ASKING, text), *flags, snapshot_signal="SIGUSR1",
                                 interval_seconds=3600, top_n_classes=3,
                                 retention_classes=",".join(names), **options)
        self.assert_clean(ended)
        found, *more = json.loads(ended.out)
        return ({name.replace("__main__.", "", 1): lines for name, lines in found.items()}, *more)

    def check(self, text, expected):
        """`expected`: by class, one line or several, in which {size} stands for any size."""
        found, = self.ask(text, list(expected))
        for name, lines in expected.items():
            lines = [lines] if isinstance(lines, str) else lines
            with self.subTest(holder=name):
                shown = [re.sub(r"retains [\d.]+ [KMG]?B", "retains {size}", line)
                         for line in found[name]]
                self.assertEqual(shown, lines)

    def since(self, *version):
        return self.interpreter.number >= version


class Containers(RetentionTest):
    def test_are_named(self):
        self.check("""
            import collections, enum, functools, types
            def classes(*names):
                for name in names:
                    globals()[name] = type(name, (), {"__module__": "__main__"})
            classes("InList", "InDict", "InSet", "InDeque", "InTuple", "InOrdered", "InDefault",
                    "InLists", "InCache", "InAllCache", "IsKey", "InListed", "InNested", "InOne",
                    "InFrozen", "InLinked")
            class Bot: pass
            listed = [InList() for i in range(100)]
            by_name = {"name %d" % i: InDict() for i in range(100)}
            a_set = {InSet() for i in range(100)}
            queue = collections.deque((InDeque() for i in range(70)), maxlen=1000)
            in_tuple = tuple(InTuple() for i in range(60))
            ordered = collections.OrderedDict((i, InOrdered()) for i in range(100))
            default = collections.defaultdict(list)
            for i in range(30): default["all"].append(InDefault())
            by_channel = {i: [InLists() for j in range(3)] for i in range(100)}
            @functools.lru_cache(maxsize=500)
            def lookup(number): return InCache()
            @functools.lru_cache(maxsize=None)
            def lookup_all(number): return InAllCache()
            for i in range(80): lookup(i), lookup_all(i)
            keys = {IsKey(): i for i in range(100)}
            class Listed(list): pass
            special = Listed(InListed() for i in range(100))
            bot = Bot()
            bot._BotBase__cogs = {"Stats": Bot()}
            bot._BotBase__cogs["Stats"].seen = [InNested() for i in range(100)]
            bot.one = InOne()
            frozen = frozenset(InFrozen() for i in range(100))
            class Node:
                def __init__(self, next):
                    self.next, self.value = next, InLinked()
            head = None
            for i in range(300): head = Node(head)
            tell()
        """, {
            "InList": "50 of 50 by __main__.listed[*] (list, 100 items, retains {size})",
            "InDict": "50 of 50 by __main__.by_name[*] (dict, 100 items, retains {size})",
            "InSet": "50 of 50 by __main__.a_set[*] (set, 100 items, retains {size})",
            "InDeque": "50 of 50 by __main__.queue[*] "
                       "(collections.deque, 70 items, at most 1,000, retains {size})",
            "InTuple": "50 of 50 by __main__.in_tuple[*] (tuple, 60 items, retains {size})",
            "InOrdered": "50 of 50 by __main__.ordered[*] "
                         "(collections.OrderedDict, 100 items, retains {size})",
            "InDefault": "30 of 30 by __main__.default['all'][*] (list, 30 items, retains {size})",
            "InLists": "50 of 50 by __main__.by_channel[*][*] (dict, 100 items, retains {size})",
            "InCache": "50 of 50 by __main__.lookup.<cache>[*] "
                       "(functools._lru_cache_wrapper, 80 items%s, retains {size})" % (
                           ", at most 500" if self.since(3, 9) else ""),
            "InAllCache": "50 of 50 by __main__.lookup_all.<cache>[*] (dict, 80 items, retains {size})",
            "IsKey": "50 of 50 by __main__.keys.keys()[*] (dict, 100 items, retains {size})",
            "InListed": "50 of 50 by __main__.special[*] (__main__.Listed, 100 items, retains {size})",
            "InNested": "50 of 50 by __main__.bot._BotBase__cogs['Stats'].seen[*] (list, 100 items, retains {size})",
            "InOne": "1 of 1 by __main__.bot.one",
            "InFrozen": "50 of 50 by __main__.frozen[*] (frozenset, 100 items, retains {size})",
            "InLinked": "50 of 50 by __main__.head (linked __main__.Node, retains {size})",
        })


class Attributes(RetentionTest):
    def test_are_named(self):
        self.check("""
            import contextvars, functools
            def classes(*names):
                for name in names:
                    globals()[name] = type(name, (), {"__module__": "__main__"})
            classes("Plain", "InClass", "InSlot", "InBoth", "InClosure", "InDefaults", "InKwdefaults",
                    "OfMethod", "InPartial", "InGlobals", "InGenerator", "InTraceback", "InLocal",
                    "InProperty", "InModule", "InCell")
            class Slots: __slots__ = "first", "second", "_Slots__hidden"
            class Both(Slots): __slots__ = "third", "__dict__"
            class Manager:
                registry = [InClass() for i in range(60)]
                def on_event(self): pass
                @property
                def checked(self): pass
            plain = Manager(); plain.items = [Plain() for i in range(60)]
            slots = Slots(); slots._Slots__hidden = [InSlot() for i in range(60)]
            both = Both(); both.third = {1: InBoth()}; both.other = []
            def make():
                seen = [InClosure() for i in range(60)]
                def handler(): return seen
                return handler
            handler = make()
            def remember(item, seen=[InDefaults() for i in range(60)]): pass
            def remember_also(*, seen={"a": InKwdefaults()}): pass
            held_by_method = Manager(); held_by_method.load = OfMethod()
            handlers = [held_by_method.on_event]
            del held_by_method
            partial = functools.partial(print, InPartial(), 5)
            def generate():
                mine = [InGenerator() for i in range(60)]
                yield mine
            generator = generate()
            first = next(generator)
            del first
            def fail():
                big = [InTraceback() for i in range(60)]
                raise ValueError("stored")
            errors = []
            try: fail()
            except ValueError as error: errors.append(error)
            local = threading.local()
            local.items = [InLocal() for i in range(60)]
            def outer():
                shared = [InCell() for i in range(60)]
                def inner():
                    yield shared
                return inner()
            running = outer()
            next(running)
            import types
            extra = types.ModuleType("extra"); sys.modules["extra"] = extra
            extra.registry = [InModule() for i in range(60)]
            extra.__dict__["not a name"] = InGlobals()
            tell()
        """, {
            "Plain": "50 of 50 by __main__.plain.items[*] (list, 60 items, retains {size})",
            "InClass": "50 of 50 by __main__.Manager.registry[*] (list, 60 items, retains {size})",
            "InSlot": "50 of 50 by __main__.slots._Slots__hidden[*] (list, 60 items, retains {size})",
            "InBoth": "1 of 1 by __main__.both.third[1]",
            "InClosure": "50 of 50 by __main__.handler.__closure__['seen'][*] (list, 60 items, retains {size})",
            "InDefaults": "50 of 50 by __main__.remember.__defaults__[0][*] (list, 60 items, retains {size})",
            "InKwdefaults": "1 of 1 by __main__.remember_also.__kwdefaults__['seen']['a']",
            "OfMethod": "1 of 1 by __main__.handlers[0].__self__.load",
            "InPartial": "1 of 1 by __main__.partial.args[0]",
            "InGenerator": "50 of 50 by __main__.generator.gi_frame.f_locals['mine'][*] "
                           "(list, 60 items, retains {size})",
            "InTraceback": "50 of 50 by __main__.errors[0].__traceback__.tb_next.tb_frame."
                           "f_locals['big'][*] (list, 60 items, retains {size})",
            "InLocal": "50 of 50 by __main__.local.items[*] (list, 60 items, retains {size})",
            "InCell": "50 of 50 by __main__.running.gi_frame.f_locals['shared'][*] (list, 60 items, retains {size})",
            "InModule": "50 of 50 by extra.registry[*] (list, 60 items, retains {size})",
            "InGlobals": "1 of 1 by extra.__dict__['not a name']",
        })


class Roots(RetentionTest):
    def test_of_running_programs(self):
        self.check("""
            import asyncio, atexit, contextvars, functools
            def classes(*names):
                for name in names:
                    globals()[name] = type(name, (), {"__module__": "__main__"})
            classes("OfFrame", "OfCell", "OfCoroutine", "OfTask", "OfContext", "OfAtexit", "OfMain",
                    "Waiting", "OfDict")
            go_on = threading.Event()
            started = threading.Semaphore(0)
            def worker():
                items = [OfFrame() for i in range(60)]
                shared = [OfCell() for i in range(60)]
                by_name = {"x": {"y": OfDict()}}
                def inner():
                    started.release()
                    go_on.wait()
                    return shared
                inner()
            threads = [threading.Thread(target=worker) for i in range(3)]
            for thread in threads: thread.start()
            for thread in threads: started.acquire()
            request = contextvars.ContextVar("request")
            atexit.register(functools.partial(print, "", [OfAtexit()], sep="", end=""))
            tasks = set()
            async def waiting():
                mine = [OfTask() for i in range(3)]
                await asyncio.sleep(3600)
            async def in_context():
                request.set([OfContext() for i in range(60)])
                mine = [OfCoroutine() for i in range(60)]
                tell()
            async def main():
                for i in range(20): tasks.add(asyncio.ensure_future(waiting()))
                await asyncio.sleep(0.05)
                await in_context()
            def run():
                local = [OfMain() for i in range(60)]
                loop = asyncio.new_event_loop()
                loop.run_until_complete(main())
            run()
            go_on.set()
            for task in tasks: task.cancel()
        """, {
            "OfFrame": "50 of 50 by <frame __main__.worker>.f_locals['items'][*] "
                       "(list, 60 items, retains {size})",
        })


if __name__ == "__main__":
    host.main()
