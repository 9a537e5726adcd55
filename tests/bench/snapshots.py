# SPDX-License-Identifier: MIT
"""What snapshots cost, on heaps of several shapes and sizes: tools/memprof-bench on each.

Usage: MEMPROF_LIBRARY=... MEMPROF_YARDSTICK=... snapshots.py [--python PYTHON] [SHAPE|MILLIONS ...]

The last table sums up, in the goals' terms.
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, "..", "..", "tools", "memprof-bench")
SHAPES = ("runs", "alternating", "slots", "dicts", "instances", "strings", "discord")


def measure(python, shape, count):
    done = subprocess.run([sys.executable, TOOL, "--json", "--after", "3600", "--python", python,
                           os.path.join(HERE, "heaps.py"), shape, str(count)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode()[-500:]


def costs(inline, fork):
    limit = 1.3 * fork["bare_fork"] + 0.01 * fork["collect"]
    return ["%.1f" % inline["collect"], "%.0f" % inline["python"],
            "-" if inline["objgraph"] is None else "%.0f" % inline["objgraph"],
            "%.1f" % inline["chase"], "%.1f" % inline["pause"],
            "%.2f" % (inline["pause"] / inline["chase"]),
            "%.0f%%" % (100 * inline["pause"] / inline["collect"]),
            "%.1f" % (inline["python"] / inline["pause"]),
            "%.1f" % fork["bare_fork"], "%.1f" % fork["pause"], "%.2f" % (fork["pause"] / limit),
            "%.0f" % fork["copy_chase"], "%.0f" % fork["background"],
            "%.1f" % (fork["background"] / fork["collect"]), "%.1f" % (fork["child_bytes"] or 0)]


def stalls(inline, fork):
    rows = (inline["stalls"]["nothing"], inline["stalls"]["gc.collect()"],
            inline["stalls"]["in Python"], inline["stalls"]["snapshot"], fork["stalls"]["snapshot"])
    return ["%.1f / %.1f" % tuple(row) for row in rows]


def print_table(titles, rows):
    rows = [titles] + rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(titles))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)), flush=True)


def main():
    arguments = sys.argv[1:]
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    if arguments[:1] == ["--python"]:
        python, arguments = arguments[1], arguments[2:]
    cost_rows, stall_rows = [], []
    shapes = [word for word in arguments if word in SHAPES] or SHAPES
    for millions in [word for word in arguments if word not in SHAPES] or ["0.1", "1", "10"]:
        for shape in shapes:
            both = measure(python, shape, int(float(millions) * 1e6))
            if isinstance(both, str):
                print("left out: %s, %s M: %s" % (shape, millions, both))
                continue
            print("measured: %s, %s M" % (shape, millions), flush=True)
            cost_rows.append([shape, millions] + costs(**both))
            stall_rows.append([shape, millions] + stalls(**both))
    print("\n%s, pauses in ms" % python)
    print_table(["heap", "M", "collect", "Python", "objgraph", "chase", "in place", "/chase",
                 "/collect", "Python/", "fork", "forked", "/goal", "copy chase",
                 "child", "child/collect", "B/object"],
                cost_rows)
    print("\nlongest stall / all stalls of another thread, in ms")
    print_table(["heap", "M", "nothing", "gc.collect()", "in Python", "in place", "forked"],
                stall_rows)


if __name__ == "__main__":
    main()
