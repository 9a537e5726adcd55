# SPDX-License-Identifier: MIT
"""Small programs that leak, and small programs that do not, driven one step per snapshot.

Usage, for a look at one of them: leak_programs.py NAME [STEPS]

LEAKS, INNOCENTS and BOUNDED map a name to a function which sets the program up and returns its
step(). Beside each leak stands the class that has to be named, and by which step where that is not
the eighth. What is BOUNDED grows all the time, but in a container that states how much it can hold.
A program keeps what it keeps by way of its step(). Nothing else grows, so that every other class of
an innocent has to pass too.
"""

import collections
import contextvars
import functools
import gc
import itertools
import random
import sys
import threading
import weakref

LEAKS = {}
INNOCENTS = {}
BOUNDED = {}


def leak(class_name, by_step=8):
    def register(program):
        LEAKS[program.__name__] = (program, class_name, by_step)
        return program
    return register


def innocent(program):
    INNOCENTS[program.__name__] = program
    return program


def bounded(program):
    BOUNDED[program.__name__] = program
    return program


class Message:
    def __init__(self, number=0):
        self.number = number


class Node:
    __slots__ = ("next", "other", "__weakref__")

    def __init__(self, next=None):
        self.next = next
        self.other = None


class Connection:
    pass


class Registry:
    instances = []
    seen = {}


# Leaks.

@leak("Message")
def list_of_objects():
    kept = []
    return lambda: kept.extend(Message(i) for i in range(40))


@leak("Message")
def dict_by_id():
    kept, numbers = {}, itertools.count()

    def step():
        for _ in range(25):
            number = next(numbers)
            kept[number] = Message(number)
    return step


@leak("Node")
def set_of_objects():
    kept = set()
    return lambda: kept.update(Node() for _ in range(15))


@leak("Message")
def unbounded_lru_cache():
    @functools.lru_cache(None)
    def look_up(number):
        return Message(number)
    numbers = itertools.count()
    return lambda: [look_up(next(numbers)) for _ in range(30)]


@leak("Message")
def global_registry():
    def step():
        for i in range(10):
            Registry.instances.append(Message(i))
    return step


@leak("Message")
def class_attribute():
    def step():
        for _ in range(7):
            Registry.seen[len(Registry.seen)] = Message()
    return step


@leak("method")
def event_handlers():
    handlers = []

    class View:
        def on_click(self):
            pass

    def step():
        for _ in range(12):
            handlers.append(View().on_click)
    return step


@leak("coroutine")
def tasks_held_by_a_set():
    tasks = set()

    async def work():
        pass

    def step():
        for _ in range(5):
            tasks.add(work())
    return step


@leak("function")
def closures():
    callbacks = []

    def step():
        for i in range(9):
            callbacks.append(lambda i=i: (i, callbacks))
    return step


@leak("ValueError")
def stored_exceptions():
    errors = []

    def fail(number):
        message = Message(number)
        raise ValueError(message)

    def step():
        for i in range(4):
            try:
                fail(i)
            except ValueError as error:
                errors.append(error)
    return step


@leak("Message")
def thread_local():
    local = threading.local()

    def step():
        if not hasattr(local, "kept"):
            local.kept = []
        local.kept.extend(Message() for _ in range(6))
    return step


@leak("type")
def classes_made_at_run_time():
    made = []

    def step():
        for _ in range(2):
            made.append(type("Made", (object,), {}))
    return step


@leak("Node")
def linked_list():
    head = [None]

    def step():
        for _ in range(20):
            head[0] = Node(head[0])
    return step


@leak("Context")
def contexts():
    kept, variable = [], contextvars.ContextVar("variable")

    def step():
        for i in range(3):
            context = contextvars.copy_context()
            context.run(variable.set, Message(i))
            kept.append(context)
    return step


@leak("Node")
def finalizers_that_hold_their_object():
    target = Message()

    def step():
        for _ in range(8):
            node = Node()
            weakref.finalize(target, node.__class__, node)
    return step


@leak("Message")
def slow_leak_under_heavy_churn():
    chance, kept = random.Random(1), []

    def step():
        churn = [Message(i) for i in range(5000)]
        kept.extend(Message() for _ in range(chance.randint(1, 3)))
        del churn
    return step


@leak("Message", by_step=60)    # most of the steps say nothing: the crowd's noise is larger
def slow_leak_beside_a_live_crowd():
    chance, kept, crowd = random.Random(2), [], []

    def step():
        crowd[:] = [Message(i) for i in range(chance.randint(180, 220))]
        kept.extend(Message() for _ in range(3))
    return step


@leak("Message", by_step=38)
def late_leak():
    kept, steps = [], itertools.count(1)

    def step():
        now = next(steps)
        if now > 30:
            kept.extend(Message() for _ in range(11))
    return step


@leak("Message", by_step=32)
def leak_by_bursts():
    kept, steps = [], itertools.count(1)

    def step():
        now = next(steps)
        if now % 4 == 0:
            kept.extend(Message() for _ in range(200))
    return step


@leak("list")
def one_list_of_numbers():
    numbers = []
    return lambda: numbers.extend(range(300))


@leak("Message", by_step=60)
def cache_never_pruned_beside_one_that_is():
    chance, good, bad = random.Random(3), collections.OrderedDict(), {}

    def step():
        for _ in range(50):
            good[chance.randrange(10**6)] = Message()
            while len(good) > 500:
                good.popitem(last=False)
        for _ in range(5):
            bad[chance.randrange(10**9)] = Message()
    return step


@leak("PyCStructType")
def cycles_through_a_c_type():
    """A structure's fields hold their class, and the class holds them."""
    import ctypes
    made = []

    def step():
        for _ in range(3):
            made.append(type("Made", (ctypes.Structure,), {"_fields_": [("number", ctypes.c_int)]}))
    return step


@leak("generator")
def generators_that_never_end():
    held = []

    def count():
        number = 0
        while True:
            yield number
            number += 1

    def step():
        for _ in range(6):
            generator = count()
            next(generator)
            held.append(generator)
    return step


# Innocents.

@innocent
def nothing_at_all():
    return lambda: None


@innocent
def bounded_cache():
    cache, chance = collections.OrderedDict(), random.Random(4)

    def step():
        for _ in range(200):
            cache[chance.randrange(10**6)] = Message()
            while len(cache) > 1000:
                cache.popitem(last=False)
    return step


@innocent
def ring_buffer():
    ring = collections.deque(maxlen=300)
    return lambda: ring.extend(Message(i) for i in range(60))


@innocent
def bounded_lru_cache():
    @functools.lru_cache(maxsize=128)
    def look_up(number):
        return Message(number)
    chance = random.Random(5)
    return lambda: [look_up(chance.randrange(10**6)) for _ in range(100)]


@innocent
def batch_jobs():
    kept, steps = [], itertools.count(1)

    def step():
        now = next(steps)
        if now % 12 < 3:
            kept.extend(Message(i) for i in range(3000))
        elif now % 12 == 5:
            kept.clear()
    return step


@innocent
def waves():
    kept, steps = [], itertools.count(1)

    def step():
        now = next(steps)
        height = (0, 50, 110, 160, 200, 150, 90, 40)[now % 8]
        kept[:] = [Message(i) for i in range(height)]
    return step


@innocent
def noise_around_a_mean():
    kept, chance = [], random.Random(6)

    def step():
        kept[:] = [Message(i) for i in range(chance.randint(700, 1300))]
    return step


@innocent
def noise_by_chance_of_each():
    kept, chance = [], random.Random(7)

    def step():
        kept[:] = [Message() for _ in range(1000) if chance.random() < 0.1]
    return step


@innocent
def warm_up():
    kept, left = [], [4000, 2500, 900, 300, 120, 30, 4]

    def step():
        if left:
            kept.extend(Message() for _ in range(left.pop(0)))
    return step


@innocent
def cyclic_garbage():
    """Looked at without gc.collect(), so that garbage piles up until the collector runs."""
    steps = itertools.count(1)

    def step():
        now = next(steps)
        for _ in range(400):
            node = Node()
            node.next = node
        if now % 4 == 0:
            gc.collect()
    return step


@innocent
def connection_pool():
    pool, chance = [], random.Random(8)

    def step():
        wanted = chance.randint(1, 20)
        while len(pool) < min(wanted, 10):
            pool.append(Connection())
    return step


@innocent
def one_time_load():
    kept, steps = [], itertools.count(1)

    def step():
        now = next(steps)
        if now == 10:
            kept.extend(Message(i) for i in range(1000000))
    return step


@innocent
def memo_of_a_few_keys():
    memo, chance = {}, random.Random(9)

    def step():
        for _ in range(80):
            memo.setdefault(chance.randrange(60), Message())
    return step


@innocent
def weak_registry():
    registry, live = weakref.WeakSet(), []

    def step():
        live[:] = [Message(i) for i in range(50)]
        for message in live:
            registry.add(message)
    return step


@innocent
def finished_tasks():
    async def work():
        return Message()

    def step():
        for _ in range(40):
            try:
                work().send(None)
            except StopIteration:
                pass
    return step


@innocent
def queue_that_drains():
    queue, chance = collections.deque(), random.Random(10)

    def step():
        queue.extend(Message() for _ in range(chance.randint(0, 100)))
        for _ in range(min(len(queue), 70)):
            queue.popleft()
    return step


@innocent
def sessions_that_time_out():
    sessions, steps, chance = {}, itertools.count(1), random.Random(11)

    def step():
        now = next(steps)
        for _ in range(chance.randint(5, 15)):
            sessions[object()] = (now, Message())
        for key in [key for key, (since, _) in sessions.items() if now - since >= 5]:
            del sessions[key]
    return step


@innocent
def list_refilled_and_sorted():
    numbers, chance = [], random.Random(12)

    def step():
        numbers[:] = sorted(chance.random() for _ in range(chance.randint(900, 1100)))
    return step


# Bounded.

@bounded
def deque_that_fills_slowly():
    ring = collections.deque(maxlen=100000)
    return lambda: ring.extend(Message(i) for i in range(40))


@bounded
def lru_cache_that_fills_slowly():
    @functools.lru_cache(maxsize=50000)
    def look_up(number):
        return Message(number)
    numbers = itertools.count()
    return lambda: [look_up(next(numbers)) for _ in range(30)]


@bounded
def queue_that_fills_slowly():
    import queue
    waiting = queue.Queue(maxsize=30000)
    return lambda: [waiting.put((i, Message(i))) for i in range(25)]


@bounded
def deques_that_fill_slowly():
    """As a bot that keeps the last messages of each channel."""
    channels, numbers = {i: collections.deque(maxlen=1000) for i in range(40)}, itertools.count()

    def step():
        for _ in range(60):
            number = next(numbers)
            channels[number % 40].append(Message(number))
    return step


def start(name):
    """The step() of the program of that name."""
    return (LEAKS[name][0] if name in LEAKS else INNOCENTS.get(name) or BOUNDED[name])()


def main():
    step = start(sys.argv[1])
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
        step()
        gc.collect()
        names = (type(thing).__name__ for thing in gc.get_objects())
        print(collections.Counter(names).most_common(5))


if __name__ == "__main__":
    main()
