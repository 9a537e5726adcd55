# SPDX-License-Identifier: MIT
"""Heaps of several shapes for memprof-bench.

Usage: heaps.py SHAPE COUNT: leaves about COUNT tracked objects behind.
"""

import gc
import os
import sys


class Slots:
    __slots__ = ("a", "b")


class Empty:
    __slots__ = ()


class Plain:
    pass


class Listed(list):
    pass


def runs(count):
    third = count // 3
    return [[Slots() for i in range(third)], [[] for i in range(third)],
            [Listed() for i in range(third)]]


def alternating(count):
    kinds = (Slots, Empty, set, list, Listed, Plain)
    return [kinds[i % 6]() for i in range(count)]


def slots(count):
    made = []
    for i in range(count):
        thing = Slots()
        thing.a, thing.b = i, made[-1] if made else None
        made.append(thing)
    return made


def dicts(count):
    return [{"self": inner} for inner in ([] for i in range(count // 2))]


def instances(count):
    made = []
    for i in range(count):
        thing = Plain()
        thing.number = i
        made.append(thing)
    return made


def strings(count):
    return [["text %d" % i] for i in range(count)]


def discord(count):
    """discord.py's own messages, as they stand in a bot's cache."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hosts",
                                    "discord"))
    import discord as library
    import discord_objects
    client = library.Client(intents=library.Intents.default())
    guild = library.Guild(data=discord_objects.guild(), state=client._connection)
    channel = guild.text_channels[0]
    made = [client, guild]
    while len(gc.get_objects()) < count:
        made += [library.Message(state=client._connection, channel=channel,
                                 data=discord_objects.message(len(made) + i))
                 for i in range(max(count // 20, 1))]
    return made


SHAPES = (runs, alternating, slots, dicts, instances, strings, discord)

if __name__ == "__main__":
    gc.disable()
    keep = {shape.__name__: shape for shape in SHAPES}[sys.argv[1]](int(sys.argv[2]))
    gc.enable()
