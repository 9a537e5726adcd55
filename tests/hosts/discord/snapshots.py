# SPDX-License-Identifier: MIT
"""Reads the profiler's records out of a log, whatever formatter wrote it.

A record is multi-line: `<header>Memory Snapshot`, then two sections with a heading each. Only their lines are read, so
other lines between them and sections that are added later do no harm.
"""
import re

# discord.py colours the log where stderr is a terminal, and in a container even where it is none.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

HEADING = re.compile(r"Top [\d,]+ by (object count|memory usage):")
COUNT_LINE = re.compile(r"  (\S.*): ([\d,]+) objects?")
USAGE_LINE = re.compile(r"  (\S.*): ([\d.,]+ [KMGT]?i?B)")


class Snapshot:
    def __init__(self, header):
        self.header = header
        self.counts = {}
        self.usage = {}
        self.counts_complete = False

    def count(self, name):
        return self.counts.get(name, 0)


def text_without_colour(text):
    return COLOUR.sub("", text)


def is_class_line(line):
    return COUNT_LINE.fullmatch(line) or USAGE_LINE.fullmatch(line)


def parse(text):
    """The snapshots in a log. One whose counts are not all written yet has counts_complete == False."""
    snapshots = []
    section = None
    for line in text_without_colour(text).splitlines():
        if line.endswith("Memory Snapshot"):
            snapshots.append(Snapshot(line[:-len("Memory Snapshot")]))
            section = None
            continue
        if not snapshots:
            continue
        heading = HEADING.fullmatch(line)
        if heading:
            section = heading.group(1)
            snapshots[-1].counts_complete = section == "memory usage"
        elif section == "object count" and COUNT_LINE.fullmatch(line):
            name, number = COUNT_LINE.fullmatch(line).groups()
            snapshots[-1].counts[name] = int(number.replace(",", ""))
        elif section == "memory usage" and USAGE_LINE.fullmatch(line):
            name, amount = USAGE_LINE.fullmatch(line).groups()
            snapshots[-1].usage[name] = amount
    return snapshots
