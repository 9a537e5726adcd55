# SPDX-License-Identifier: MIT
"""Whatever the configuration holds, the program runs and its exit code is its own."""

import os
import socket

import host

PROGRAM = "print('ran'); raise SystemExit(6)"


class Faults(host.HostTest):
    def complaint(self, config=None, **options):
        """Runs a program with a bad configuration; returns the one line that it gets to see."""
        if config is not None:
            options["config"] = config
        ended = self.run_program(PROGRAM, **options)
        self.assertEqual((ended.code, ended.out), (6, "ran\n"), ended)
        self.assertEqual(ended.err.count("\n"), 1, ended)
        self.assertTrue(ended.err.startswith("memprof: "), ended)
        return ended.err[len("memprof: "):-1]

    def section(self, text):
        return self.write("config.yml", """
            general:
              monitoring:
                memory_profiling:
                  enabled: true
                  %s
        """ % text)

    def test_no_such_file(self):
        self.assertEqual(self.complaint("missing.yml"),
                         "missing.yml: cannot be read: No such file or directory")

    def test_no_regular_file(self):
        fifo = os.path.join(self.folder, "fifo")
        os.mkfifo(fifo)
        path = os.path.join(self.folder, "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            for file in (self.folder, fifo, path, "/dev/zero", "/dev/null"):
                with self.subTest(file=file):
                    self.assertIn("allowed: a regular file", self.complaint(file))

    def test_too_large(self):
        path = self.write("large.yml", "a: " + "x" * (4 << 20))
        self.assertIn("allowed: at most 4194304", self.complaint(path))

    def test_binary(self):
        path = self.write("binary.yml", "a: 1\nb: \0\n")
        self.assertTrue(self.complaint(path).startswith(path + ":2:4: found a NUL"))

    def test_malformed(self):
        path = self.write("malformed.yml", "a: 1\nb: [secret\nc: 2\n")
        line = self.complaint(path)
        self.assertRegex(line, r"malformed\.yml:\d+:\d+: malformed YAML: ")
        self.assertNotIn("secret", line)

    def test_bombs(self):
        bombs = {
            "nested": "[" * 100000,
            "aliases": "a: &a [x]\n" + "".join("b%d: [*a, *a, *a]\n" % i for i in range(100000)) + "]",
            "merges": "general: &g\n" + "  <<: [*g, *g]\n" * 1000,
        }
        for name, text in bombs.items():
            with self.subTest(bomb=name):
                self.complaint(self.write(name + ".yml", text))

    def test_wrong_values(self):
        cases = {
            "interval_seconds: 5": '6:25: interval_seconds: found 5, '
                                   'allowed: an integer from 10 to 31,536,000',
            "interval_seconds: abc": '6:25: interval_seconds: found the string "abc", '
                                     'allowed: an integer from 10 to 31,536,000',
            "top_n_classes: 0": "6:22: top_n_classes: found 0, "
                                "allowed: an integer from 1 to 1,000,000",
            "collect: maybe": '6:16: collect: found the string "maybe", allowed: true or false',
            "output: file": '6:15: output: found the string "file", '
                            'allowed: auto, logging or stderr',
        }
        for text, expected in cases.items():
            with self.subTest(text=text):
                path = self.section(text)
                self.assertEqual(self.complaint(path), path + ":" + expected)

    def test_wrong_variables(self):
        self.assertEqual(self.complaint(top_n_classes="many"),
                         'MEMPROF_TOP_N_CLASSES: found "many", '
                         'allowed: an integer from 1 to 1,000,000')

    def test_no_section(self):
        path = self.write("other.yml", "general: {name: bot}\n")
        self.assertEqual(self.complaint(path),
                         path + ": has no section general.monitoring.memory_profiling, "
                                "so the profiler stays off")

    def test_children_do_not_repeat_it(self):
        ended = self.run_program("""
            import os, subprocess, sys
            subprocess.run([sys.executable, "-c", "pass"])
            if len(sys.argv) == 1:
                os.execv(sys.executable, [sys.executable, sys.argv[0], "again"])
        """, interval_seconds=1)
        self.assertEqual(len(ended.complaints), 1, ended)


class Warnings(host.HostTest):
    def test_the_profiler_stays_on(self):
        path = self.write("config.yml", """
            general:
              monitoring:
                memory_profiling:
                  enabled: true
                  intervall_seconds: 20
                  top_n_classes: 1
                  top_n_classes: 2
        """)
        ended = self.run_program(host.LOGGING_TO_STDERR, config=path, snapshot_at_exit="yes")
        self.assertEqual(ended.code, 0)
        self.assertEqual(ended.complaints, [
            "memprof: %s:6:7: unknown key \"intervall_seconds\", did you mean interval_seconds?"
            % path,
            "memprof: %s:8:7: top_n_classes: found twice, the last one counts" % path])
        self.assertIn("Top 2 by object count:", ended.err)


class BotsOwnFile(host.HostTest):
    def test_a_big_one_with_all_sorts_in_it(self):
        path = self.write("config.yml", """
            %YAML 1.1
            ---
            token: !ENV ${TOKEN}
            custom: !bot/thing {a: [1, 2], ? [complex, key] : x}
            defaults: &defaults
              interval_seconds: 3600
              collect: no
            general:
              name: &name bot
              monitoring:
                <<: {other: *name}
                memory_profiling:
                  <<: *defaults
                  enabled: !ENV ${PROFILE:yes}
                  top_n_classes: !ENV "${TOP}"
            ---
            general: [a, second, document
        """)
        environment = host.profiled_environment(config=path, snapshot_at_exit="on")
        environment["TOP"] = "3"
        ended = self.run_program(host.LOGGING_TO_STDERR, environment=environment)
        self.assert_clean(ended)
        self.assertIn("Top 3 by object count:", ended.err)
        environment["PROFILE"] = "off"
        ended = self.run_program(host.LOGGING_TO_STDERR, environment=environment)
        self.assertEqual((ended.code, ended.err), (0, ""))

    def test_environment_wins(self):
        path = self.write("config.yml", """
            general: {monitoring: {memory_profiling: {enabled: no, top_n_classes: 9}}}
        """)
        ended = self.run_program(host.LOGGING_TO_STDERR, config=path, enabled="1",
                                 top_n_classes=4, snapshot_at_exit="true", collect="")
        self.assert_clean(ended)
        self.assertIn("Top 4 by object count:", ended.err)


if __name__ == "__main__":
    host.main()
