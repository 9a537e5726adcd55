# SPDX-License-Identifier: MIT
"""memprof-report on what real runs under the profiler have logged, in every wrapping that it reads.

Usage: test_memprof_report.py MEMPROF_REPORT [WORD...]; MEMPROF_LIBRARY names the library.
"""

import datetime
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import host

REPORT = os.path.abspath(sys.argv.pop(1))
STEPS = 12
MB = 1024 * 1024

# One run, whose records several handlers write at once: as text, as JSON, as a bare message.
PROGRAM = """
    import json, logging, os, signal, sys, time

    class Json(logging.Formatter):
        def format(self, record):
            return json.dumps({"timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
                               "level": record.levelname, "process": record.process,
                               "record": {"message": record.getMessage()}})

    class Seen(logging.Handler):
        snapshots = 0
        def emit(self, record):
            Seen.snapshots += hasattr(record, "memprof_objects")

    formats = {
        "plain.log": logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"),
        "bare.log": logging.Formatter("%(message)s"),
        "bars.log": logging.Formatter("%(levelname)s | %(message)s"),
        "json.log": Json(),
    }
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for name, formatter in formats.items():
        handler = logging.FileHandler(name)
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.addHandler(Seen())

    class Message:
        def __init__(self):
            self.mentions = []

    def wait(before):
        until = time.monotonic() + 60
        while Seen.snapshots == before:
            assert time.monotonic() < until, "no snapshot"
            time.sleep(0.001)

    seen = []
    wait(0)
    for step in range(STEPS - 1):
        seen.extend(Message() for _ in range(500))
        root.info("step %d\\nof %d: 3 objects", step, STEPS)
        before = Seen.snapshots
        os.kill(os.getpid(), signal.SIGUSR1)
        wait(before)
    time.sleep(0.3)
"""
WORKERS = host.joined(host.WAITING, """
    import logging, os, signal

    class Seen(logging.FileHandler):
        snapshots = 0
        def emit(self, record):
            super().emit(record)
            Seen.snapshots += hasattr(record, "memprof_objects")

    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[Seen("workers.log")])

    class Grows0: pass
    class Grows1: pass

    def more(before):
        wait(lambda: Seen.snapshots > before, "a snapshot")

    def ask():
        before = Seen.snapshots
        os.kill(os.getpid(), signal.SIGUSR1)
        more(before)

    def work(number, inherited):
        kept = []
        more(inherited)
        for step in range(5):
            kept.extend([Grows0, Grows1][number]() for _ in range(2000))
            ask()

    children = []
    for number in range(2):
        inherited = Seen.snapshots
        child = os.fork()
        if child == 0:
            work(number, inherited)
            os._exit(0)
        children.append(child)
        ask()
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    print(*children)
""")


def report(*arguments, stdin=None, check=0, **options):
    done = subprocess.run([REPORT, *arguments], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300, **options)
    out, err = done.stdout.decode(), done.stderr.decode()
    if "Sanitizer" in err or "runtime error" in err:
        raise AssertionError(err)
    if check is not None and done.returncode != check:
        raise AssertionError("exit code %d\n%s\n%s" % (done.returncode, out, err))
    return out, err


def has_page():
    with tempfile.TemporaryDirectory() as folder:
        _, err = report("--html", os.path.join(folder, "page.html"), os.devnull, check=None)
    return "without Chart.js" not in err


def run_under_profiler(folder, program, **options):
    path = os.path.join(folder, "program.py")
    with open(path, "w") as file:
        file.write("STEPS = %d\n" % STEPS + host.joined(program))
    environment = host.profiled_environment(
        snapshot_signal="SIGUSR1", interval_seconds=3600, top_n_classes=8, **options)
    return subprocess.run([sys.executable, path], cwd=folder, env=environment, check=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode()


def at(i):
    return (datetime.datetime(2026, 11, 24, 13) + datetime.timedelta(seconds=i)).isoformat()


def bytes_of(text):
    number, unit = text.split()
    return int(float(number) * 10 + 0.5) * 1024 ** ["B", "KB", "MB", "GB"].index(unit) // 10


def series_of(text):
    """What an independent reader finds in the text of a log: per snapshot and class, both numbers."""
    return [{name: [snapshot.counts.get(name), bytes_of(snapshot.sizes[name]) if name in snapshot.sizes else None]
             for name in {**snapshot.counts, **snapshot.sizes}} for snapshot in host.snapshots(text)]


class Recorded(unittest.TestCase):
    """The files of one real run, made once."""

    @classmethod
    def setUpClass(cls):
        cls.recorded = tempfile.TemporaryDirectory(prefix="memprof-report-")
        run_under_profiler(cls.recorded.name, PROGRAM, retention_classes="__main__.Message")
        cls.plain = cls.read("plain.log")

    @classmethod
    def tearDownClass(cls):
        cls.recorded.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.recorded.name, name)

    @classmethod
    def read(cls, name):
        with open(cls.path(name)) as file:
            return file.read()

    def write(self, name, text):
        with open(self.path(name), "wb" if isinstance(text, bytes) else "w") as file:
            file.write(text)
        return self.path(name)

    def page(self, *paths, arguments=()):
        page = self.path("page.html")
        report("--html", page, *arguments, *paths)
        return self.read("page.html")

    def data(self, *paths, arguments=()):
        text = re.search(r'id="data">(.*?)</script>', self.page(*paths, arguments=arguments), re.S).group(1)
        return json.loads(text)["processes"]

    def series(self, process):
        return [{one["name"]: [one["counts"][i], one["bytes"][i]] for one in process["classes"]
                 if one["counts"][i] is not None or one["bytes"][i] is not None}
                for i in range(len(process["times"]))]


class Formats(Recorded):
    def setUp(self):
        if not has_page():
            self.skipTest("what was read is compared in the page, and that needs Chart.js")

    def check(self, path, processes=1, first=0):
        """The file says the same as the plain log."""
        found = self.data(path)
        self.assertEqual(len(found), processes, [one["name"] for one in found])
        for process in found:
            self.assertEqual(self.series(process), series_of(self.plain)[first:])
            self.assertEqual([(one["name"], one["kind"]) for one in process["verdicts"]],
                             [("__main__.Message", "suspected")])
            self.assertIn("__main__.seen[*]", process["held"])
        return found[0]

    def wrap(self, name, wrap, keep_empty=True):
        lines = [line for line in self.plain.splitlines() if line or keep_empty]
        return self.write(name, "".join(wrap(i, line) + "\n" for i, line in enumerate(lines)))

    def test_the_run_is_what_it_should_be(self):
        found = series_of(self.plain)
        self.assertEqual(len(found), STEPS)
        self.assertEqual(found[-1]["__main__.Message"][0], 500 * (STEPS - 1))

    def test_plain(self):
        process = self.check(self.path("plain.log"))
        self.assertEqual(process["clock"], "wall")
        stamp = re.search(r"^(\S+ \S+),(\d+) .*Memory Snapshot", self.plain, re.M)
        first = datetime.datetime.fromisoformat(stamp.group(1)).replace(tzinfo=datetime.timezone.utc)
        self.assertEqual(process["times"][0], int(first.timestamp()) * 1000 + int(stamp.group(2)))

    def test_without_any_time(self):
        self.assertEqual(self.check(self.path("bare.log"))["clock"], "elapsed")

    def test_a_format_that_looks_like_that_of_a_container(self):
        self.assertEqual(self.check(self.path("bars.log"))["name"], self.path("bars.log"))

    def test_json_log(self):
        process = self.check(self.path("json.log"))
        self.assertRegex(process["name"], r"json\.log, pid \d+$")
        self.assertTrue(process["utc"])

    def test_docker_logs_with_timestamps(self):
        process = self.check(self.wrap("t.log", lambda i, line: "%s.123456789Z %s" % (at(i), line)))
        self.assertTrue(process["utc"])
        self.assertEqual(process["times"][0] % 1000, 123)

    def test_docker_json_file(self):
        wrap = lambda i, line: json.dumps({"log": line + "\n", "stream": "stderr", "time": at(i) + ".5Z"})
        self.check(self.wrap("docker.json", wrap))

    def test_docker_json_file_of_a_json_log(self):
        wrapped = [json.dumps({"log": piece, "stream": "stderr", "time": at(i) + "Z"})
                   for i, line in enumerate(self.read("json.log").splitlines(True))
                   for piece in (line[:1000], line[1000:]) if piece]
        self.check(self.write("both.json", "\n".join(wrapped) + "\n"))

    def test_docker_compose(self):
        process = self.check(self.wrap("compose.log", lambda i, line: "bot-1   | " + line))
        self.assertTrue(process["name"].endswith("compose.log bot-1"), process["name"])

    def test_kubectl_of_two_pods_interleaved(self):
        wrap = lambda i, line: "[pod/a-1/bot] %s\n[pod/b-2/bot] %s" % (line, line)
        self.check(self.wrap("pods.log", wrap), processes=2)

    def test_colours(self):
        self.check(self.wrap("colours.log", lambda i, line: "\x1b[32m%s\x1b[0m" % line))
        process = self.check(self.wrap("compose-colours.log", lambda i, line: "\x1b[36mbot-1  | \x1b[0m" + line))
        self.assertTrue(process["name"].endswith(" bot-1"), process["name"])
        wrap = lambda i, line: json.dumps({"log": "\x1b[1;33m%s\x1b[0m\n" % line, "stream": "stderr", "time": at(i) + "Z"})
        self.check(self.wrap("colours.json", wrap))
        out, _ = report(self.path("colours.log"))
        self.assertNotIn("[0m", out)

    def test_files_of_a_node(self):
        self.check(self.wrap("node.log", lambda i, line: "%s.5Z stderr F %s" % (at(i), line)))

    def test_files_of_a_node_in_pieces(self):
        wrap = lambda i, line: "%s.5Z stderr P %s\n%s.5Z stderr F %s" % (at(i), line[:9], at(i), line[9:])
        self.check(self.wrap("pieces.log", wrap))

    def test_journal(self):
        wrap = lambda i, line: "Nov 24 13:%02d:%02d host python3[123]: %s" % (i // 60 % 60, i % 60, line)
        self.check(self.wrap("journal.log", wrap, keep_empty=False))

    def test_journal_with_iso_times(self):
        wrap = lambda i, line: "%s+0200 host python3[123]: %s" % (at(i), line)
        process = self.check(self.wrap("iso.log", wrap, keep_empty=False))
        self.assertEqual(datetime.datetime.fromtimestamp(process["times"][0] / 1000, datetime.timezone.utc).hour, 11)

    def test_journal_as_json(self):
        wrap = lambda i, line: json.dumps({"_HOSTNAME": "h", "_PID": "7", "MESSAGE": line,
                                           "__REALTIME_TIMESTAMP": str(1767225600000000 + i)})
        self.assertIn("pid 7", self.check(self.wrap("journal.json", wrap, keep_empty=False))["name"])

    def test_snapshot_file(self):
        folder = self.path("real")
        os.mkdir(folder)
        run_under_profiler(folder, PROGRAM, snapshot_file="snapshots.jsonl")
        if not os.path.exists(os.path.join(folder, "snapshots.jsonl")):
            self.skipTest("this library has no option snapshot_file")
        process, = self.data(os.path.join(folder, "snapshots.jsonl"))
        with open(os.path.join(folder, "plain.log")) as file:
            text = host.snapshots(file.read())
        self.assertTrue(process["exact"])
        found = self.series(process)
        self.assertGreaterEqual(len(found), len(text))    # from the start on, before there is a log
        for exact, shown in zip(found[-len(text):], text):
            self.assertEqual({name: exact[name][0] for name in shown.counts}, shown.counts)
        self.assertEqual([one["name"] for one in process["verdicts"]], ["__main__.Message"])

    def test_a_byte_order_mark(self):
        lines = json_snapshot(1, [["a", 1, 1]]) + json_snapshot(2, [["a", 2, 2]])
        process, = self.data(self.write("mark.jsonl", b"\xef\xbb\xbf" + lines.encode()))
        self.assertEqual(self.series(process), [{"a": [1, 1]}, {"a": [2, 2]}])
        text = "".join("bot-1  | %s\n" % line for line in self.plain.splitlines())
        self.check(self.write("mark.log", b"\xef\xbb\xbf" + text.encode()))

    def test_several_files_and_standard_input(self):
        with open(self.path("plain.log"), "rb") as file:
            out, _ = report("-", self.path("json.log"), stdin=file.read())
        self.assertEqual(out.count(": %d snapshots" % STEPS), 2)
        self.assertIn("standard input: ", out)

    def test_rotated_files_are_one_run(self):
        cut = self.plain.index("Memory Snapshot", len(self.plain) // 2)
        cut = self.plain.rindex("\n", 0, cut) + 1
        names = [self.write("rotated.log", self.plain[cut:]), self.write("rotated.log.1", self.plain[:cut])]
        process, = self.data(*names)
        self.assertEqual(self.series(process), series_of(self.plain))

    def test_a_restart_is_a_run_of_its_own(self):
        found = self.data(self.write("twice.log", self.plain * 2))
        self.assertEqual([len(process["times"]) for process in found], [STEPS, STEPS])
        self.assertTrue(found[1]["name"].endswith(", run 2"))


class Processes(unittest.TestCase):
    def test_workers_in_one_log(self):
        with tempfile.TemporaryDirectory() as folder:
            pids = run_under_profiler(folder, WORKERS, follow_children="yes").split()[-2:]
            log = os.path.join(folder, "workers.log")
            out, err = report(log)
            blocks = {re.match(r".*pid (\d+)", block).group(1): block
                      for block in out.split("\n\n") if ", pid " in block}
            self.assertEqual(err, "")
            self.assertEqual(len(re.findall(r"(?m)^%s.* snapshots? " % re.escape(log), out)), 3, out)
            for number, pid in enumerate(pids):
                self.assertIn("__main__.Grows%d" % number, blocks[pid])
                self.assertNotIn("__main__.Grows%d" % (1 - number), blocks[pid])
            only, _ = report("--pid", pids[0], log)
            self.assertIn("Grows0", only)
            self.assertNotIn("Grows1", only)


class Terminal(Recorded):
    def test_summary(self):
        out, err = report("--rows", "3", self.path("plain.log"))
        self.assertEqual(err, "")
        self.assertRegex(out, r"plain\.log: %d snapshots over \d+s, \d{4}-" % STEPS)
        self.assertRegex(out, r"(?m)^ +\+[\d,]+ +\+[\d,]+ per hour  __main__\.Message \(5,500\)$")
        words = " ".join(out.split())
        verdict = re.search(r"Memory leak suspected: __main__.Message has grown .*", self.plain).group()
        self.assertIn(verdict, words)
        self.assertRegex(words, r"Held: __main__.Message \(5,500 objects\) 50 of 50 by __main__.seen\[\*\]")
        self.assertLessEqual(len(re.search(r"by memory usage:\n(.*?)\n  Grew", out, re.S).group(1).splitlines()), 3)

    def on_terminal(self, *arguments, locale="C.UTF-8"):
        master, slave = pty.openpty()
        process = subprocess.Popen([REPORT, *arguments], stdout=slave, stderr=slave,
                                   env={**os.environ, "LC_ALL": locale})
        os.close(slave)
        out = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        os.close(master)
        self.assertEqual(process.wait(), 0)
        return out.decode()

    def test_bars_only_where_they_can_be_shown(self):
        self.assertIn("▁", self.on_terminal(self.path("plain.log")))
        self.assertNotRegex(self.on_terminal(self.path("plain.log"), locale="C"), "[^\x00-\x7f]")
        self.assertNotRegex(report(self.path("plain.log"))[0], "[^\x00-\x7f]")

    def test_diff(self):
        a = json_snapshot(1, [["app.Message", 10, 1000], ["dict", 100, 5000], ["gone.Class", 1, 8], ["same", 4, 4]],
                          process={"resident_bytes": 1048576})
        b = json_snapshot(2, [["app.Message", 1510, 3146728], ["dict", 90, 5000], ["new.Class", 2, 2048], ["same", 4, 4]],
                          process={"resident_bytes": 6291456})
        path = self.write("two.jsonl", a + b)
        out, err = report("--diff", "two.jsonl@1", "two.jsonl", cwd=os.path.dirname(path))
        self.assertEqual(err, "")
        self.assertEqual(out, """\
From two.jsonl@1, pid 7, 2026-11-24 13:01:00 UTC
to   two.jsonl, pid 7, 2026-11-24 13:02:00 UTC
  Objects: +1,000 (1,000 to 2,000)
  Memory in objects: +1.0 MB (1.0 MB to 2.0 MB)
  Resident memory: +5.0 MB (1.0 MB to 6.0 MB)
  by memory usage:
    app.Message: +3.0 MB (1000 B to 3.0 MB)
  by object count:
    app.Message: +1,500 objects (10 to 1,510)
    dict: -10 objects (100 to 90)
  only in the tables of the first:
    gone.Class: 8 B, 1 object
  only in the tables of the second:
    new.Class: 2.0 KB, 2 objects
""")
        out, _ = report("--rows", "1", "--diff", path + "@1", path + "@2")
        self.assertIn("    and 1 more\n", out)
        for number in (0, 3):
            _, err = report("--diff", path + "@%d" % number, path, check=1)
            self.assertEqual(err, "memprof-report: %s@%d: found 2 snapshots, allowed: @1 to @2\n" % (path, number))

    def test_one_process_is_not_accused_for_another(self):
        verdict = {"event": "suspected", "class": "a", "text": "Memory leak suspected: a has grown by 3 objects."}
        path = self.write("two.jsonl", json_snapshot(1, [["a", 1, 1]]) +
                          json_snapshot(1, [["a", 1, 1]], pid=8, verdicts=[verdict]))
        self.assertNotIn("suspected", report("--pid", "7", path)[0])
        self.assertIn("suspected", report("--pid", "8", path)[0])

    def test_names_cannot_move_the_cursor(self):
        name = "evil\x1b[2J\u009b1m\nMemory Snapshot"
        path = self.write("evil.jsonl", json_snapshot(1, [[name, 1, 1]]) + json_snapshot(2, [[name, 9, 9]]))
        for arguments in ((path,), ("--diff", path + "@1", path)):
            out, _ = report(*arguments)
            self.assertIn("evil?[2J?1m?Memory Snapshot", out)
            self.assertNotRegex(out, "[\x1b\u009b]")
        text = self.plain.encode().replace(b"__main__.Message", b"evil\x9b2J\xe2\x80\xaetxt.\xc3\xbc")
        out, _ = report(self.write("bytes.log", text))
        self.assertIn("evil?2J?txt.\u00fc (", out)
        broken = b'{"memprof": 1, \x1b[2J\n{"memprof": "\xc2\x9b2J", \xc2\x9b2J\n'
        _, err = report(self.write("broken.jsonl", broken + json_snapshot(1, [["a", 1, 1]]).encode()))
        self.assertNotRegex(err, "[\x1b\u009b]")
        self.assertIn("broken JSON at column 16 (string or '}' expected near '?')", err)

    def test_faults_of_the_command_line(self):
        for arguments, words in {
            (): "found no FILE, allowed: one or more, or - for standard input",
            ("--rows", "0", "x"): '--rows: found "0", allowed: an integer from 1 to 100',
            ("--pid", "x", "x"): '--pid: found "x", allowed: an integer from 1 to 2147483647',
            ("--diff", "x"): "--diff: allowed: two snapshots",
            ("--follow", "--html", "y", "x"): "--follow: allowed: without --html",
            ("--wrong", "x"): "--wrong",
        }.items():
            with self.subTest(arguments=arguments):
                self.assertIn(words, report(*arguments, check=2)[1])
        self.assertIn("/nowhere: cannot be read: No such file", report("/nowhere", check=1)[1])
        self.assertIn("cannot be read: Is a directory", report("/", check=1)[1])
        self.assertIn("found no snapshot, allowed: ", report(os.devnull, check=1)[1])
        self.assertRegex(report("--version")[0], r"^memprof-report \d+\.\d+\.\d+\n$")
        self.assertIn("--follow", report("--help")[0])

    def test_every_option_is_explained(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        options = set(re.findall("--[a-z]+", report("--help")[0]))
        self.assertGreaterEqual(len(options), 7)
        for name in ("doc/memprof-report.1.scd", "README.md"):
            with open(os.path.join(root, name)) as file:
                text = file.read()
            for option in options - ({"--help", "--version"} if name == "README.md" else set()):
                self.assertTrue(option in text, "%s is not in %s" % (option, name))

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([REPORT, self.path("plain.log")], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write the report", done.stderr)


def json_snapshot(sequence, classes, process=None, verdicts=(), pid=7, **more):
    return json.dumps({
        "memprof": 1, "time": "2026-11-24T13:%02d:00.000Z" % (sequence % 60), "pid": pid, "sequence": sequence,
        "elapsed_ms": sequence * 60000, "objects": 1000 * sequence, "bytes": sequence * MB,
        "class_count": len(classes), "pause_ms": 4.1, "longest_pause_ms": 4.1, "duration_ms": 212.0,
        "forked": True, "untracked": False, "process": process or {}, "classes": classes,
        "verdicts": list(verdicts), **more}) + "\n"


class Damage(Recorded):
    def test_json_lines(self):
        good = json_snapshot(1, [["a", 1, 1]])
        lines = [good, good[:50] + "\n", good.replace('"memprof": 1', '"memprof": 2'),
                 good.replace('["a", 1, 1]', '["a", "1", 1]'), good.replace('"pid": 7', '"pid": -7'),
                 good.replace("2026-11-24T", "yesterday "), good.replace('"classes"', '"klasses"'),
                 '{"memprof": 1}\n', "{not json} Memory Snapshot?\n", "\x00\xff\n", json_snapshot(2, [["a", 3, 4]]),
                 good[:-20]]
        path = self.write("damaged.jsonl", "".join(lines))
        out, err = report(path)
        self.assertIn(": 2 snapshots over 1m", out)
        name = re.escape(path)
        for number, words in {
            2: "found broken JSON at column 50 .*, allowed: one whole JSON object in each line",
            3: "memprof: found schema 2, allowed: 1",
            4: r"classes\[0\]: found an array, allowed: \[name, count, bytes\]",
            5: "pid: found an integer, allowed: an integer from 0 on",
            6: "time: found a text, allowed: a time like 2026-11-24T13:00:00.123Z",
        }.items():
            self.assertRegex(err, "(?m)^memprof-report: %s:%d: %s$" % (name, number, words))
        self.assertIn("Skipped: 7 damaged lines, 1 snapshot of another schema\n", err)

    def test_a_log_cut_off_anywhere(self):
        whole = len(series_of(self.plain))
        before = -1
        for size in range(0, len(self.plain), len(self.plain) // 150):
            out, err = report("-", stdin=self.plain[:size].encode(), check=None)
            match = re.search(r": (\d+) snapshots?", out)
            found = int(match.group(1)) if match else 0
            self.assertIn(found - max(before, 0), (0, 1), size)
            self.assertEqual(before > found, False)
            self.assertLessEqual(found, whole)
            before = found
        middle = self.plain.rindex("Top 8 by memory usage")
        _, err = report("-", stdin=self.plain[:middle].encode())
        self.assertEqual(err, "Skipped: 1 snapshot cut short\n")
        middle = self.plain.rindex("\nSnapshot cost")
        _, err = report("-", stdin=self.plain[:middle].encode())
        self.assertEqual(err, "Skipped: 1 snapshot without its end, whose tables are used\n")

    def test_bytes_changed_at_random(self):
        chance = random.Random(20261124)
        sources = [self.plain.encode(), self.read("json.log").encode(),
                   b"".join(json_snapshot(i, [["a", i, i]]).encode() for i in range(1, 20))]
        for _ in range(150):
            text = bytearray(chance.choice(sources))
            for _ in range(chance.randrange(1, 40)):
                place = chance.randrange(len(text))
                text[place:place + chance.randrange(3)] = bytes(chance.randrange(256) for _ in range(chance.randrange(3)))
            done = subprocess.run([REPORT, "-"], input=bytes(text), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            self.assertNotRegex(done.stderr, b"Sanitizer|runtime error")
            self.assertNotRegex(done.stdout, b"[\x00-\x09\x0b-\x1f]")

    def test_lines_of_others_in_between(self):
        lines = []
        for line in self.plain.splitlines():
            lines += [line, "2026-11-24 13:00:00,000 INFO discord: shard 3: heartbeat"]
        out, err = report("-", stdin="\n".join(lines).encode())
        self.assertIn(": %d snapshots" % STEPS, out)
        self.assertEqual(err, "")

    def test_a_line_without_end(self):
        path = self.path("long.log")
        with open(path, "wb") as file:
            for _ in range(40):
                file.write(b"x" * MB)
            file.write(b"\n" + self.plain.encode())
        out, err = report(path)
        self.assertIn(": %d snapshots" % STEPS, out)
        self.assertIn("long.log:1: found a line of more than 32 MB, allowed: less", err)
        self.assertIn("Skipped: 1 line that is too long", err)


class Size(Recorded):
    def make(self, name, make_snapshot, limit=200 * MB):
        path, size, number = self.path(name), 0, 0
        with open(path, "w") as file:
            while size < limit:
                number += 1
                text = make_snapshot(number)
                file.write(text)
                size += len(text)
        return path, number

    def measure(self, path):
        """What it says, and the most memory that it had, in bytes."""
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen([REPORT, "--rows", "3", path], stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
            self.assertEqual(status, 0)
            process.returncode = 0
            out.seek(0)
            return out.read().decode(), usage.ru_maxrss * 1024

    def test_a_long_log_in_little_memory(self):
        block = self.plain[self.plain.rindex("Memory Snapshot"):]
        noise = "".join("2026-11-24 13:00:00,000 INFO bot: line %d\n" % i for i in range(60))
        def make_snapshot(number):
            stamp = "2026-%02d-%02d %02d:%02d:00,000 INFO memory_profiler: " % (
                1 + number // 40320, 1 + number // 1440 % 28, number // 60 % 24, number % 60)
            return stamp + re.sub("(Growth since first snapshot .)[0-9]+", r"\g<1>%d" % number,
                                  block.replace("5,500 objects", "%d objects" % number)) + noise
        path, number = self.make("long.log", make_snapshot)
        out, memory = self.measure(path)
        self.assertIn(": %d snapshots" % number, out)
        self.assertRegex(out, r"\+%s +\+\S+ per hour  __main__.Message" % format(number - 1, ","))
        self.assertLess(memory, 32 * MB)
        os.unlink(path)

    def test_many_classes_and_processes_in_bounded_memory(self):
        names = ["package.module%d.Class" % i for i in range(400)]
        def make_snapshot(number):
            return json_snapshot(number // 50 + 1, [[name + str(number // 100), number, number * 100] for name in names],
                                 pid=1 + number % 50)
        path, number = self.make("many.jsonl", make_snapshot)
        out, memory = self.measure(path)
        self.assertGreater(number, 8000)
        self.assertIn("classes were let go, the smallest first", out)
        self.assertLess(memory, 256 * MB)
        os.unlink(path)

    def test_progress_on_a_terminal(self):
        line = "2026-11-24 13:00:00,000 INFO bot: nothing of interest here\n" * 10000
        path, _ = self.make("slow.log", lambda number: line, 400 * MB)
        with open(path, "a") as file:
            file.write(self.plain)
        master, slave = pty.openpty()
        out = subprocess.Popen(["sh", "-c", 'head -c 20M "$1"; sleep 1; tail -c +20971521 "$1"', "sh", path],
                               stdout=subprocess.PIPE)
        process = subprocess.Popen([REPORT, "-"], stdin=out.stdout, stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        out.stdout.close()
        said = b""
        while True:
            try:
                said += os.read(master, 4096)
            except OSError:
                break
        os.close(master)
        self.assertEqual((process.wait(), out.wait()), (0, 0))
        self.assertRegex(said, rb"\rReading standard input: [\d.]+ MB\x1b\[K")
        self.assertTrue(said.endswith(b"\r\x1b[K"))
        os.unlink(path)


class Follow(Recorded):
    def setUp(self):
        self.path_followed = self.path("followed-%s.jsonl" % self.id().rsplit(".", 1)[-1])
        self.add(1)

    def add(self, number, mode="a"):
        with open(self.path_followed, mode) as file:
            file.write(json_snapshot(number, [["app.Message", number * 1000, number * 1000]]))

    def start(self, **options):
        process = subprocess.Popen([REPORT, "--follow", self.path_followed], stdout=subprocess.PIPE, text=True,
                                   **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def block(self, process):
        lines = []
        for line in process.stdout:
            if line == "----\n":
                return "".join(lines)
            lines.append(line)
        self.fail("ended: %r" % lines)

    def test_a_file_that_grows(self):
        process = self.start()
        self.assertIn(": 1 snapshot,", self.block(process))
        with open(self.path_followed, "a") as file:
            text = json_snapshot(2, [["app.Message", 2500, 9000]])
            file.write(text[:60])
            file.flush()
            time.sleep(0.5)
            file.write(text[60:])
        block = self.block(process)
        self.assertIn(": 2 snapshots over 1m", block)
        self.assertRegex(block, r"\+1,500 +\+90,000 per hour  app.Message \(2,500\)")
        process.send_signal(signal.SIGINT)
        self.assertEqual((process.wait(timeout=20), process.stdout.read()), (0, ""))

    def test_a_file_that_is_rotated(self):
        process = self.start()
        self.block(process)
        self.add(2)
        self.assertIn(": 2 snapshots", self.block(process))
        os.rename(self.path_followed, self.path_followed + ".1")
        self.add(3)
        self.assertIn(": 3 snapshots", self.block(process))
        process.terminate()
        self.assertEqual(process.wait(timeout=20), 0)

    def test_a_new_file_that_may_not_be_read_yet(self):
        """As logrotate makes it, before it gives it to whom it is for; root may read it nevertheless."""
        nobody = 65534 if os.getuid() == 0 else None
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            self.path_followed = os.path.join(folder, "given.jsonl")
            self.add(1)
            process = self.start(user=nobody, executable=shutil.copy(REPORT, folder))
            self.block(process)
            os.rename(self.path_followed, self.path_followed + ".1")
            os.close(os.open(self.path_followed, os.O_CREAT | os.O_WRONLY, 0))
            time.sleep(1)
            os.chmod(self.path_followed, 0o644)
            self.add(2)
            self.assertIn(": 2 snapshots", self.block(process))

    def test_a_pipe_ends_it(self):
        with open(self.path("plain.log"), "rb") as file:
            out, _ = report("--follow", "-", stdin=file.read())
        self.assertIn(": %d snapshots" % STEPS, out)

    def test_a_file_as_standard_input_ends_too(self):
        with open(self.path("plain.log"), "rb") as file:
            done = subprocess.run([REPORT, "--follow", "-"], stdin=file, stdout=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b": %d snapshots" % STEPS, done.stdout)

    def test_on_a_terminal_the_screen_is_drawn_anew(self):
        master, slave = pty.openpty()
        process = subprocess.Popen([REPORT, "--follow", self.path_followed], stdout=slave)
        os.close(slave)
        said = os.read(master, 65536)
        while b"Ctrl-C ends." not in said:
            said += os.read(master, 65536)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=20), 0)
        os.close(master)
        self.assertTrue(said.startswith(b"\x1b[H\x1b[2J"))


class Page(Recorded):
    def setUp(self):
        if not has_page():
            self.skipTest("memprof-report was built without Chart.js")

    def hostile(self):
        evil = "</script><script>window.owned = true</script><img src=x onerror='window.owned = true'>"
        verdict = {"event": "suspected", "class": "app.Message", "text": "Memory leak suspected: app.Message has grown by " + evil}
        return self.write("hostile.jsonl", "".join(
            json_snapshot(i, [["app.Message", 1000 * i, MB * i], [evil, i, 5 * i], ["dict", 5, 70]], verdicts=[verdict],
                          process={"resident_bytes": 20 * MB + i * MB, "anonymous_bytes": 10 * MB + i})
            for i in range(1, 9)))

    def test_nothing_is_loaded(self):
        page = self.page(self.hostile())
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
        self.assertIn("default-src 'none'", policy)
        self.assertNotRegex(policy, r"unsafe|https?:|\*")
        chart = max(re.findall(r"<script>(.*?)</script>", page, re.S), key=len)
        self.assertIn("Chart.js v", chart)
        own = page.replace(chart, "")
        self.assertNotRegex(own, r"https?://|\bsrc=[^x]|href|url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\b")
        self.assertNotRegex(chart, r"\bfetch\(|XMLHttpRequest|WebSocket|importScripts")

    def test_names_are_text(self):
        page = self.page(self.hostile())
        data = re.search(r'id="data">(.*?)</script>', page, re.S).group(1)
        self.assertNotRegex(data, "[<>&']")
        self.assertEqual(page.count("window.owned"), data.count("window.owned"))
        self.assertIn("</script><script>window.owned", json.loads(data)["processes"][0]["classes"][0]["name"])

    def test_bytes_that_are_no_text(self):
        text = self.plain.encode().replace(b"__main__.Message: ", b"caf\xe9.\xed\xa0\x80Message: ")
        names = [one["name"] for one in self.data(self.write("latin.log", text))[0]["classes"]]
        self.assertIn("caf\ufffd.\ufffd\ufffd\ufffdMessage", names)

    def test_where_it_cannot_be_written(self):
        _, err = report("--html", "/nowhere/page.html", self.path("plain.log"), check=1)
        self.assertIn("/nowhere/page.html: cannot be written: No such file", err)
        _, err = report("--html", "/dev/full", self.path("plain.log"), check=1)
        self.assertIn("/dev/full: cannot be written: No space left", err)


if __name__ == "__main__":
    if not os.path.isfile(host.LIBRARY):
        sys.exit("MEMPROF_LIBRARY names no file: %r" % host.LIBRARY)
    words = sys.argv[1:]
    tests = unittest.TestSuite(test for case in (Formats, Processes, Terminal, Damage, Size, Follow, Page)
                               for test in [unittest.TestSuite(
                                   each for each in unittest.defaultTestLoader.loadTestsFromTestCase(case)
                                   if all(word in each.id() for word in words))])
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    for test, reason in result.skipped:
        print("skipped: %s: %s" % (test, reason))
    sys.exit(not result.wasSuccessful())
