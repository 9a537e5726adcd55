# SPDX-License-Identifier: MIT
"""snapshot_file: each snapshot as a line of JSON, whatever happens to the file meanwhile."""

import datetime
import json
import os
import stat
import subprocess

import host
from test_modes import ASKING

KEYS = ["memprof", "time", "pid", "sequence", "elapsed_ms", "objects", "bytes", "class_count",
        "pause_ms", "longest_pause_ms", "duration_ms", "forked", "untracked", "process", "classes",
        "verdicts"]
LOST = "memprof: snapshot_file: lines are lost, until it can be written: "

# Workers that take snapshots, all at once.
WORKERS = host.joined(ASKING, """
    def work(count, inherited=0):
        "`inherited` records are the parent's: the first of one's own may come at any moment after the fork."
        wait(lambda: taken() > inherited, "the first snapshot of a worker")
        for i in range(count):
            snapshot()
        return [record.memprof_sequence for record in Records.seen[inherited:]]

    def run_workers(number, count):
        children = []
        for i in range(number):
            inherited = taken()
            pid = os.fork()
            if pid == 0:
                os._exit(0 if work(count, inherited)[-1] >= count else 1)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * number
        return children
""")


# A program that counts the lines of its file.
LINES = host.joined(host.WAITING, """
    import os
    def lines():
        if not os.path.exists(os.environ["MEMPROF_SNAPSHOT_FILE"]):
            return 0
        with open(os.environ["MEMPROF_SNAPSHOT_FILE"]) as file:
            return file.read().count("\\n")
""")


class FileTest(host.HostTest):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "snapshots.jsonl")

    def ask(self, text, *flags, **options):
        options.setdefault("snapshot_file", self.path)
        options.setdefault("interval_seconds", 3600)
        options.setdefault("snapshot_signal", "SIGUSR1")
        return self.run_program(host.joined(ASKING, text), *flags, **options)

    def lines(self, path=None):
        """Each line is an object of its own, and has all that the schema promises."""
        with open(path or self.path, "rb") as file:
            text = file.read()
        self.assertTrue(text.endswith(b"\n"))
        found = [json.loads(line) for line in text.splitlines()]
        for line in found:
            self.assertEqual(list(line), KEYS)
            self.assertEqual(line["memprof"], 1)
        return found

    def assert_lost(self, ended, reason):
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(len(ended.complaints), 1, ended)
        self.assertTrue(ended.complaints[0].startswith(LOST + reason), ended)


class Figures(FileTest):
    MODES = ("inline", "fork")
    PROGRAM = """
        class Odd: pass
        Odd.__qualname__ = 'a"b\\\\\\\\c\\u2028\\u00e9\\n'
        keep = [Odd() for i in range(10)]
        snapshot()
        time.sleep(1)
        snapshot()
        record = Records.seen[-1]
        attributes = {name[8:]: value for name, value in vars(record).items() if name[:8] == "memprof_"}
        print(json.dumps([os.getpid(), attributes, table(record)]))
    """

    def mode(self, wanted):
        return "inline" if self.interpreter.free_threaded else wanted

    def test_are_those_of_the_record(self):
        for mode in self.MODES:
            with self.subTest(mode=mode):
                self.path = os.path.join(self.folder, mode)
                before = datetime.datetime.now(datetime.timezone.utc)
                ended = self.ask(self.PROGRAM, snapshot_mode=self.mode(mode), top_n_classes=100000)
                after = datetime.datetime.now(datetime.timezone.utc)
                self.assert_clean(ended)
                pid, record, counts = json.loads(ended.out)
                lines = self.lines()
                # The program's end may have completed one more.
                line = lines[record["sequence"] - 1]
                for name in ("objects", "bytes", "sequence"):
                    self.assertEqual(line[name], record[name])
                for name in ("pause_ms", "longest_pause_ms", "duration_ms"):
                    self.assertAlmostEqual(line[name], record[name], places=3)
                self.assertEqual(line["class_count"], record["classes"])
                self.assertIs(line["forked"], bool(record["forked"]))
                self.assertIs(line["untracked"], False)
                self.assertEqual(line["pid"], pid)
                self.assertEqual([each["sequence"] for each in lines], list(range(1, len(lines) + 1)))
                self.assertEqual({name: count for name, count, _ in line["classes"]}, counts)
                self.assertEqual(sum(size for _, _, size in line["classes"]), line["bytes"])
                self.assertEqual(line["classes"], sorted(line["classes"], key=lambda row: (-row[2], row[0])))
                self.assertIn(["__main__.a\"b\\\\c\\u2028\u00e9\\n", 10],
                              [row[:2] for row in line["classes"]])
                self.assertEqual(line["verdicts"], [])
                times = [datetime.datetime.strptime(each["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(
                    tzinfo=datetime.timezone.utc) for each in lines]
                self.assertEqual(times, sorted(times))
                self.assertLessEqual(before - datetime.timedelta(milliseconds=1), times[0])
                self.assertLessEqual(times[-1], after)
                elapsed = (times[-1] - times[0]).total_seconds() * 1000
                self.assertAlmostEqual(line["elapsed_ms"] - lines[0]["elapsed_ms"], elapsed, delta=500)

    def test_classes_of_both_tables(self):
        ended = self.ask("""
            class Many: __slots__ = ()
            class Large: __slots__ = tuple("m%d" % i for i in range(20000))
            keep = [Many() for i in range(300000)], [Large() for i in range(200)]
            snapshot()
        """, top_n_classes=1)
        self.assert_clean(ended)
        self.assertEqual([row[0] for row in self.lines()[-1]["classes"]], ["__main__.Large", "__main__.Many"])

    def test_what_is_not_tracked(self):
        if self.interpreter.free_threaded:
            self.skipTest("not to be had there")
        ended = self.ask("""
            keep = ["%d strings" % i for i in range(5000)]
            snapshot()
        """, count_untracked="yes")
        self.assert_clean(ended)
        line = self.lines()[-1]
        self.assertIs(line["untracked"], True)
        self.assertGreater(dict((row[0], row[1]) for row in line["classes"])["str"], 5000)

    def test_verdicts(self):
        for mode in self.MODES:
            with self.subTest(mode=mode):
                self.path = os.path.join(self.folder, mode)
                ended = self.ask("""
                    class Leaks: pass
                    keep = []
                    for i in range(14):
                        keep += [Leaks() for j in range(2000)]
                        snapshot()
                    time.sleep(0.2)
                    snapshot()
                    print(json.dumps([each.getMessage() for each in Records.others if each.levelno == 30]))
                """, snapshot_mode=self.mode(mode))
                self.assert_clean(ended)
                said = json.loads(ended.out)
                self.assertGreaterEqual(len(said), 1)
                written = [each for line in self.lines() for each in line["verdicts"]]
                self.assertEqual([each["text"] for each in written], said)
                self.assertEqual([list(each) for each in written], [["event", "class", "text"]] * len(said))
                self.assertEqual(written[0]["event"], "suspected")
                words = {"suspected": "has grown by", "doubled": "still grows, by"}
                for each in written:
                    self.assertIn(": %s %s " % (each["class"], words[each["event"]]), each["text"])


class WithoutListeners(FileTest):
    def test_snapshots_from_the_start(self):
        ended = self.run_program(host.joined(LINES, """
            wait(lambda: lines() > 1, "two snapshots")
        """), snapshot_file=self.path, interval_seconds=10, output="logging", snapshot_at_exit="yes")
        self.assertEqual(ended.code, 0, ended)
        lines = self.lines()
        self.assertEqual([line["sequence"] for line in lines], [1, 2, 3])
        # The clock starts with the process, not with the log.
        self.assertLess(lines[0]["elapsed_ms"], 9999)
        self.assertGreaterEqual(lines[1]["elapsed_ms"], 9999)

    def test_at_exit_only(self):
        ended = self.run_program("print('short')", snapshot_file=self.path, snapshot_at_exit="yes",
                                 output="logging")
        self.assertEqual((ended.code, ended.out), (0, "short\n"))
        self.assertGreaterEqual(len(self.lines()), 1)

    def test_by_signal(self):
        ended = self.run_program(host.joined(LINES, """
            import signal
            wait(lambda: lines() > 0, "the first snapshot")
            for i in range(1, 4):
                os.kill(os.getpid(), signal.SIGUSR1)
                wait(lambda: lines() > i, "a snapshot")
            print(lines())
        """), snapshot_file=self.path, output="logging", snapshot_signal="SIGUSR1")
        self.assertEqual((ended.code, ended.out), (0, "4\n"), ended)

    def test_the_log_begins_as_ever(self):
        # A program that sets its logging up late has its first snapshot in the log at once.
        ended = self.run_program(host.joined(LINES, "wait(lambda: lines() > 0, 'the first snapshot')",
                                             host.LISTENING, "wait(lambda: Heard.snapshots, 'it in the log')"),
                                 snapshot_file=self.path)
        self.assert_clean(ended)
        self.assertEqual(ended.err.count(host.STARTED), 1)
        self.assertEqual(len(host.snapshots(ended.err)), 1)
        self.assertLess(ended.err.index(host.STARTED), ended.err.index("Memory Snapshot"))
        self.assertEqual([line["sequence"] for line in self.lines()], [1, 2])

    def test_the_file_only(self):
        ended = self.run_program(host.joined(host.LOGGING_TO_STDERR, """
            logging.getLogger("memory_profiler").setLevel(logging.CRITICAL)
            import os, time
            while not os.path.exists(os.environ["MEMPROF_SNAPSHOT_FILE"]):
                time.sleep(0.01)
        """), snapshot_file=self.path, snapshot_at_exit="yes")
        self.assert_clean(ended)
        self.assertEqual(ended.err, "")
        self.assertEqual([line["sequence"] for line in self.lines()], [1, 2])

    def test_nothing_without_the_option(self):
        ended = self.run_program("import time; time.sleep(1)", output="logging", snapshot_file="")
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(os.listdir(self.folder), ["program.py"])


class Path(FileTest):
    def test_mode_and_process_id(self):
        ended = self.ask("os.umask(0); print(os.getpid())",
                         snapshot_file=os.path.join(self.folder, "%p-%p"))
        self.assert_clean(ended)
        pid = int(ended.out)
        path = os.path.join(self.folder, "%d-%d" % (pid, pid))
        self.assertEqual({line["pid"] for line in self.lines(path)}, {pid})
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_is_relative_to_the_folder_at_the_start(self):
        ended = self.ask("""
            import subprocess
            os.mkdir("elsewhere")
            os.chdir("elsewhere")
            snapshot()
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            print(os.listdir("."))
        """, snapshot_file="snapshots.jsonl", follow_children="yes", snapshot_at_exit="yes")
        self.assert_clean(ended)
        self.assertEqual(ended.out, "[]\n")
        self.assertEqual(len({line["pid"] for line in self.lines()}), 2)

    def test_from_the_configuration_file(self):
        config = self.write("config.yml", """
            general:
              monitoring:
                memory_profiling: {enabled: yes, snapshot_file: !ENV '${FOLDER}/x-%p', snapshot_at_exit: yes}
        """)
        environment = host.profiled_environment()
        environment.update(MEMPROF_CONFIG=config, FOLDER=self.folder)
        ended = self.run_program("import os; print(os.getpid())",
                                 environment=environment)
        self.assertEqual(ended.code, 0, ended)
        self.lines(os.path.join(self.folder, "x-%d" % int(ended.out)))


class Writers(FileTest):
    def test_workers_write_to_one_file(self):
        ended = self.run_program(host.joined(WORKERS, "print(json.dumps([os.getpid()] + run_workers(5, 20)))"),
                                 snapshot_file=self.path, snapshot_signal="SIGUSR1", interval_seconds=3600,
                                 follow_children="yes", top_n_classes=1000)
        self.assert_clean(ended)
        lines = self.lines()
        for pid in json.loads(ended.out):
            sequence = [line["sequence"] for line in lines if line["pid"] == pid]
            self.assertEqual(sequence, list(range(1, len(sequence) + 1)))
            self.assertGreaterEqual(len(sequence), 1 if pid == json.loads(ended.out)[0] else 21)

    def test_workers_have_files_of_their_own(self):
        ended = self.run_program(host.joined(WORKERS, "print(json.dumps([os.getpid()] + run_workers(3, 5)))"),
                                 snapshot_file=os.path.join(self.folder, "of-%p"), interval_seconds=3600,
                                 snapshot_signal="SIGUSR1", follow_children="yes")
        self.assert_clean(ended)
        pids = json.loads(ended.out)
        for pid in pids:
            self.assertEqual({line["pid"] for line in self.lines(os.path.join(self.folder, "of-%d" % pid))},
                             {pid})
        self.assertEqual(len([name for name in os.listdir(self.folder) if name.startswith("of-")]), 4)

    def test_children_that_are_not_followed_do_not_write(self):
        ended = self.ask("""
            for i in range(5):
                pid = os.fork()
                if pid == 0:
                    time.sleep(0.3)
                    os._exit(0)
                snapshot()
                os.waitpid(pid, 0)
            print(os.getpid())
        """)
        self.assert_clean(ended)
        self.assertEqual({line["pid"] for line in self.lines()}, {int(ended.out)})

    def test_rotation(self):
        ended = self.run_program(host.joined(WORKERS, """
            made = [type("C%04d" % i + "x" * 80, (), {}) for i in range(1500)]
            made = [cls() for cls in made]
            print(json.dumps(run_workers(4, 12)))
        """), snapshot_file=self.path, snapshot_signal="SIGUSR1", interval_seconds=3600, follow_children="yes",
            top_n_classes=100000, snapshot_file_max_mb=1, leak_detection="no")
        self.assert_clean(ended)
        self.assertEqual(sorted(name for name in os.listdir(self.folder) if name.startswith("snap")),
                         ["snapshots.jsonl", "snapshots.jsonl.1"])
        old, new = self.lines(self.path + ".1"), self.lines()
        sizes = os.path.getsize(self.path + ".1"), os.path.getsize(self.path)
        self.assertLessEqual(max(sizes), 1 << 20)
        # It was full when it was renamed.
        self.assertGreater(sizes[0] + sizes[0] / len(old), (1 << 20) - 100000)
        for pid in json.loads(ended.out):
            kept = [line["sequence"] for line in old + new if line["pid"] == pid]
            if kept:
                self.assertEqual(kept, list(range(kept[0], kept[0] + len(kept))))


class Accidents(FileTest):
    def test_a_folder_that_nobody_may_write_to(self):
        folder = os.path.join(self.folder, "closed")
        os.mkdir(folder)
        os.chmod(folder, 0o500)
        command, environment = self.program(host.joined(ASKING, "snapshot(); snapshot()"),
                                            snapshot_file=folder + "/x", snapshot_signal="SIGUSR1")
        if os.getuid() == 0:
            if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
                self.skipTest("no mount namespaces here")
            command = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none "$0" && exec "$@"', folder,
                       *command]
        ended = self.run_command(command, environment)
        self.assert_lost(ended, "Read-only file system: " if os.getuid() == 0 else "Permission denied: ")

    def test_the_folder_is_removed_and_made_again(self):
        folder = os.path.join(self.folder, "inner")
        os.mkdir(folder)
        self.path = os.path.join(folder, "x")
        ended = self.ask("""
            import shutil
            folder = os.path.dirname(os.environ["MEMPROF_SNAPSHOT_FILE"])
            snapshot()
            shutil.rmtree(folder)
            snapshot()
            snapshot()
            os.mkdir(folder)
            snapshot()
            print(Records.seen[-1].memprof_sequence)
        """)
        self.assert_lost(ended, "No such file or directory: " + self.path)
        self.assertEqual([line["sequence"] for line in self.lines()], [int(ended.out)])

    def test_the_file_is_deleted(self):
        ended = self.ask("""
            snapshot()
            os.unlink(os.environ["MEMPROF_SNAPSHOT_FILE"])
            snapshot()
        """)
        self.assert_clean(ended)
        self.assertEqual(len(self.lines()), 1)

    def test_a_planted_link(self):
        target = self.write("target", "")
        ended = self.ask("""
            path = os.environ["MEMPROF_SNAPSHOT_FILE"]
            snapshot()
            os.unlink(path)
            os.symlink("target", path)
            snapshot()
            os.unlink(path)
            snapshot()
        """)
        self.assert_lost(ended, "it is a symbolic link: ")
        self.assertEqual(os.path.getsize(target), 0)
        self.assertEqual(len(self.lines()), 1)

    def test_files_of_other_things(self):
        self.write("snapshots.jsonl", "precious")
        ended = self.ask("snapshot()")
        self.assert_lost(ended, "it holds something else than snapshots: ")
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious")

    def test_a_fifo(self):
        os.mkfifo(self.path)
        self.assert_lost(self.ask("snapshot()"), "it is no regular file: ")

    def test_a_full_disk(self):
        ended = self.ask("""
            import resource
            path = os.environ["MEMPROF_SNAPSHOT_FILE"]
            before = os.path.getsize(path)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (before + 100, resource.RLIM_INFINITY))
            snapshot()
            print(os.path.getsize(path) == before)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            snapshot()
        """)
        self.assert_lost(ended, "there is room for a part of a line only: ")
        self.assertEqual(ended.out, "True\n")
        numbers = [line["sequence"] for line in self.lines()]
        self.assertEqual(numbers[-1] - numbers[-2], 2)

    def test_a_torn_line(self):
        with open(self.path, "w") as file:
            file.write('{"memprof":1,"time":"20')
        self.assert_clean(self.ask("snapshot()"))
        with open(self.path) as file:
            first, *rest = file.read().splitlines()
        self.assertEqual(first, '{"memprof":1,"time":"20')
        self.assertGreaterEqual(len([json.loads(line) for line in rest]), 1)

    def test_a_disk_that_does_not_answer(self):
        # It holds up the profiler, and a fork and the end of the program for a second or two.
        environment = host.profiled_environment(snapshot_file=self.path, snapshot_at_exit="yes")
        environment["LD_PRELOAD"] = os.environ["MEMPROF_TEST_BLOCK_FLOCK"] + ":" + environment["LD_PRELOAD"]
        ended = self.run_program("""
            import os, sys, time
            until = time.monotonic() + 50
            while not os.path.exists(os.environ["MEMPROF_SNAPSHOT_FILE"]):
                assert time.monotonic() < until
                time.sleep(0.01)
            pid = os.fork()
            if pid == 0:
                os._exit(7)
            print(os.waitpid(pid, 0)[1] >> 8)
            sys.exit(3)
        """, environment=environment)
        self.assertEqual((ended.code, ended.out, ended.complaints), (3, "7\n", []), ended)

    def test_descriptors_are_the_programs(self):
        ended = self.ask("""
            snapshot()
            kept = sorted(os.readlink(path) for path in glob.glob("/proc/self/fd/*") if os.path.exists(path))
            print([path for path in kept if "snapshots" in path])
            os.closerange(3, 1000)
            first = os.open("mine", os.O_CREAT | os.O_RDWR)
            for i in range(70):
                os.dup(first)
            snapshot()
            print(os.path.getsize("mine"))
        """)
        self.assert_clean(ended)
        self.assertEqual(ended.out, "[]\n0\n")


if __name__ == "__main__":
    host.main()
