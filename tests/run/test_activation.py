# SPDX-License-Identifier: MIT
"""Where the profiler starts, and every process that it leaves exactly as it was."""

import os
import re
import shutil
import subprocess

import host
import interpreters

# Says what a preload could change about a process: its environment, threads and descriptors.
SELF = """
    import os, sys
    status = open("/proc/self/status").read()
    print("threads", status.split("Threads:")[1].split()[0])
    print("descriptors", sorted(os.listdir("/proc/self/fd")))
    print("mark", os.environ.get("MEMPROF_PROFILED_PID"))
"""

SHORT = host.joined(host.LOGGING_TO_STDERR, "import time; time.sleep(0.1)")


class Interpreter(host.HostTest):
    """Every way to start a program."""

    ONE = host.joined(host.LOGGING_TO_STDERR, "class Mine: pass\nkeep = [Mine() for i in range(99)]")

    def environment(self, **more):
        environment = host.profiled_environment(snapshot_at_exit="yes", top_n_classes=100000,
                                                interval_seconds=3600)
        environment.update(more)
        # The one at exit counts; the first one may come before the program's objects exist.
        environment["MEMPROF_OUTPUT"] = "stderr"
        return environment

    def last(self, ended):
        self.assert_clean(ended)
        self.assertEqual(host.snapshots(ended.err)[-1].counts.get("__main__.Mine"), 99, ended)

    def test_flags(self):
        path = self.write("program.py", self.ONE)
        for flags in ((), ("-I",), ("-E",), ("-S",), ("-B",), ("-O",), ("-X", "dev"),
                      ("-X", "utf8"), ("-X", "importtime"), ("-u",)):
            with self.subTest(flags=flags):
                ended = self.run_command([self.python, *flags, path], self.environment())
                if flags == ("-X", "importtime"):
                    ended.err = "\n".join(line for line in ended.err.splitlines()
                                          if not line.startswith("import time:"))
                self.last(ended)

    def test_debug_allocators(self):
        for allocator in ("debug", "malloc", "malloc_debug", "pymalloc", "pymalloc_debug"):
            with self.subTest(allocator=allocator):
                plain = self.run_program(
                    self.ONE, environment=dict(host.clean_environment(), PYTHONMALLOC=allocator))
                if plain.code != 0:
                    continue    # not an allocator of this build (free-threaded ones have fewer)
                ended = self.run_program(self.ONE,
                                         environment=self.environment(PYTHONMALLOC=allocator))
                self.last(ended)

    def test_command(self):
        self.last(self.run_command([self.python, "-c", self.ONE], self.environment()))

    def test_module(self):
        self.write("module_under_test.py", self.ONE)
        self.last(self.run_command([self.python, "-m", "module_under_test"], self.environment()))

    def test_stdin(self):
        self.last(self.run_command([self.python], self.environment(), self.ONE.encode()))

    def test_zipapp(self):
        os.mkdir(os.path.join(self.folder, "app"))
        self.write("app/__main__.py", self.ONE)
        made = self.run_command([self.python, "-m", "zipapp", "app"], host.clean_environment())
        self.assertEqual(made.code, 0, made)
        self.last(self.run_command([self.python, "app.pyz"], self.environment()))

    def test_venv(self):
        made = self.run_command([self.python, "-m", "venv", "--without-pip", "venv"],
                                host.clean_environment())
        if made.code != 0:
            self.skipTest("no venv module")
        path = self.write("program.py", self.ONE)
        self.last(self.run_command(["venv/bin/python", path], self.environment()))

    def test_repl(self):
        import pty
        parent, child = pty.openpty()
        environment = self.environment(TERM="dumb", PYTHON_BASIC_REPL="1")
        process = subprocess.Popen([self.python, "-q", "-i"], stdin=child, stdout=child,
                                   stderr=subprocess.PIPE, env=environment)
        os.close(child)
        text = self.ONE.strip().replace("class Mine: pass\n", "class Mine: pass\n\n")
        os.write(parent, text.encode() + b"\nexit()\n")
        err = process.stderr.read().decode()
        code = process.wait(timeout=host.TIMEOUT_SECONDS)
        process.stderr.close()
        os.close(parent)
        self.assertEqual(code, 0, err)
        self.assertEqual(host.snapshots(err)[-1].counts.get("__main__.Mine"), 99, err[-2000:])

    def test_hook_is_gone(self):
        # _PyRuntime holds the head of the list of audit hooks. Add one: the word that then points to
        # its entry was empty before, so ours is no longer in the list.
        ended = self.run_program("""
            import ctypes, os
            HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.py_object,
                                    ctypes.c_void_p)
            hook = HOOK(lambda event, arguments, data: 0)
            address = ctypes.cast(hook, ctypes.c_void_p).value
            runtime = (ctypes.c_size_t * %d).in_dll(ctypes.pythonapi, "_PyRuntime")
            with open("/proc/self/maps") as file:
                maps = [line.split()[0].split("-") for line in file if " rw-p " in line]
            maps = [(int(start, 16), int(end, 16)) for start, end in maps]
            before = bytes(runtime)
            assert ctypes.pythonapi.PySys_AddAuditHook(hook, None) == 0
            after = list(runtime)
            before = list((ctypes.c_size_t * len(after)).from_buffer_copy(before))
            heads = [before[i] for i, word in enumerate(after) if word != before[i] and
                     word %% 8 == 0 and any(start <= word < end - 16 for start, end in maps) and
                     ctypes.c_size_t.from_address(word + 8).value == address]
            print(heads, flush=True)
            os._exit(0)
        """ % (self.runtime_size() // 8))
        self.assert_clean(ended)
        self.assertEqual(ended.out.strip(), "[0]", ended)

    def runtime_size(self):
        real = os.path.realpath(self.python)
        ldd = subprocess.run(["ldd", real], stdout=subprocess.PIPE).stdout.decode()
        match = re.search(r"libpython\S+ => (\S+)", ldd)
        symbols = subprocess.run(["nm", "-D", "-S", match.group(1) if match else real],
                                 stdout=subprocess.PIPE, check=True).stdout.decode()
        return int(re.search(r"^\S+ (\S+) \w _PyRuntime$", symbols, re.M).group(1), 16)


class ProcessTree(host.HostTest):
    def snapshots_of(self, text, **options):
        options = dict(dict(snapshot_at_exit="yes", output="stderr", top_n_classes=1,
                            interval_seconds=3600), **options)
        ended = self.run_program(text, **options)
        self.assert_clean(ended)
        titles = re.findall(r"(Memory Snapshot.*)$", ended.err, re.M)
        return titles, ended

    def test_first_process_only(self):
        titles, _ = self.snapshots_of("""
            import subprocess, sys
            subprocess.run([sys.executable, "-c", "import logging; logging.basicConfig()"])
            subprocess.run(["sh", "-c", sys.executable + " -c pass"])
        """)
        self.assertEqual(set(titles), {"Memory Snapshot"})
        self.assertLessEqual(len(titles), 2)

    def test_environment_made_anew_keeps_the_mark(self):
        titles, _ = self.snapshots_of("""
            import os, subprocess, sys
            subprocess.run([sys.executable, "-c", "pass"], env=dict(os.environ))
        """)
        self.assertLessEqual(len(titles), 2)

    def test_both_of_a_shell_script(self):
        environment = host.profiled_environment(snapshot_at_exit="yes", output="stderr",
                                                top_n_classes=1, interval_seconds=3600)
        ended = self.run_command(["sh", "-c", '"$0" -c pass; "$0" -c pass', self.python],
                                 environment)
        self.assert_clean(ended)
        self.assertEqual(ended.err.count(host.STARTED), 2, ended)

    def test_exec_keeps_the_profiler(self):
        path = self.write("second.py", SHORT)
        ended = self.run_program("""
            import os, sys
            os.execv(sys.executable, [sys.executable, %r])
        """ % path, snapshot_at_exit="yes")
        self.assert_clean(ended)
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 1, ended)
        self.assertNotIn("[pid", ended.err)

    def test_follow_exec_and_fork(self):
        titles, ended = self.snapshots_of("""
            import os, subprocess, sys
            run = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                                 stdout=subprocess.PIPE)
            print(run.stdout.decode().strip(), flush=True)
            pid = os.fork()
            if pid == 0:
                sys.exit(0)
            print(pid)
            os.waitpid(pid, 0)
        """, follow_children="yes")
        for pid in ended.out.split():
            self.assertIn("Memory Snapshot [pid %s]" % pid, titles)
        self.assertIn("Memory Snapshot", titles)

    def test_children_elsewhere_find_the_configuration(self):
        self.write("config.yml", """
            general:
              monitoring:
                memory_profiling: {enabled: on, follow_children: on, snapshot_at_exit: on,
                                   output: stderr, top_n_classes: 1}
        """)
        ended = self.run_program("""
            import os, subprocess, sys
            subprocess.run([sys.executable, "-c", "pass"], cwd="/")
            subprocess.run([sys.executable, "-c", "pass"], cwd="/", env=dict(os.environ))
        """, config="config.yml")
        self.assert_clean(ended)
        pids = set(re.findall(r"Memory Snapshot \[pid (\d+)\]", ended.err))
        self.assertEqual(len(pids), 2, ended)

    def test_multiprocessing_workers_followed(self):
        for method in ("fork", "spawn", "forkserver"):
            with self.subTest(method=method):
                titles, ended = self.snapshots_of(host.joined(host.WAITING, """
                    import multiprocessing, os, signal
                    def lines():
                        path = "of-%%d" %% os.getpid()
                        if not os.path.exists(path):
                            return 0
                        with open(path) as file:
                            return file.read().count("\\n")
                    def work(n):
                        open("%(method)s-%%d" %% n, "w").close()
                        wait(lambda: os.path.exists("%(method)s-%%d" %% (1 - n)), "the other worker")
                        # The second one comes when the first has been said.
                        wait(lambda: lines() > 0, "the first snapshot")
                        os.kill(os.getpid(), signal.SIGUSR1)
                        wait(lambda: lines() > 1, "the second snapshot")
                        return os.getpid()
                    if __name__ == "__main__":
                        with multiprocessing.get_context("%(method)s").Pool(2) as pool:
                            print(*set(pool.map(work, range(2), 1)))
                            pool.close()
                            pool.join()
                """ % {"method": method}), follow_children="yes", snapshot_signal="SIGUSR1", snapshot_file="of-%p")
                self.assertEqual(len(ended.out.split()), 2)
                for pid in ended.out.split():
                    self.assertIn("Memory Snapshot [pid %s]" % pid, titles)

    def test_daemon_needs_follow_children(self):
        text = """
            import os, sys, time
            if os.fork():
                os._exit(0)
            os.setsid()
            if os.fork():
                os._exit(0)
            time.sleep(0.3)
        """
        titles, _ = self.snapshots_of(text, follow_children="no")
        self.assertEqual([title for title in titles if "[pid" in title], [])
        titles, _ = self.snapshots_of(text, follow_children="yes")
        self.assertTrue([title for title in titles if "[pid" in title])


class LeftAlone(host.HostTest):
    """Processes that are no CPython >= 3.8, or are not to be profiled: nothing differs."""

    def same_with_and_without(self, command, environment=None):
        environment = environment or host.profiled_environment()
        plain = dict(environment)
        del plain["LD_PRELOAD"]
        without = self.run_command(command, plain)
        ended = self.run_command(command, environment)
        self.assertEqual((ended.code, ended.out, ended.err),
                         (without.code, without.out, without.err))
        return ended

    def test_other_programs(self):
        commands = [["sh", "-c", "ls /proc/self/fd | wc -l; grep Threads /proc/self/status"],
                    ["env", "-u", "LD_PRELOAD", "true"], ["/bin/true"], ["/bin/false"],
                    ["sh", "-c", "env | grep -v LD_PRELOAD | sort"],
                    ["perl", "-e", "print join ',', sort keys %ENV if 0; exit 3"]]
        for program in ("node", "pypy3", "bash", "busybox"):
            if shutil.which(program):
                commands.append([program, "--version"] if program != "busybox" else
                                [program, "true"])
        for command in commands:
            with self.subTest(command=command):
                self.same_with_and_without(command)

    def test_old_interpreters(self):
        text = self.write("self.py", SELF)
        for old in interpreters.find():
            if old.unsupported and old.name == "cpython":
                with self.subTest(interpreter=str(old)):
                    self.same_with_and_without([old.path, text])

    def test_switched_off(self):
        text = self.write("self.py", SELF)
        for word in ("no", "No", "off", "false", "0"):
            with self.subTest(word=word):
                self.same_with_and_without([self.python, text],
                                           host.profiled_environment(enabled=word))

    def test_disabled_by_file(self):
        text = self.write("self.py", SELF)
        config = self.write("config.yml", """
            general:
              monitoring:
                memory_profiling:
                  enabled: false
        """)
        self.same_with_and_without([self.python, text], host.profiled_environment(config=config))

    def test_child_of_a_profiled_process(self):
        path = self.write("self.py", SELF)
        ended = self.run_program("""
            import subprocess, sys
            sys.exit(subprocess.run([sys.executable, %r]).returncode)
        """ % path)
        self.assert_clean(ended)
        self.assertIn("threads 1", ended.out)

    def test_set_uid_program(self):
        if os.getuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("needs root and setpriv")
        # The library must lie where the dynamic linker accepts it for a secure process.
        copy = os.path.join(self.folder, "python-setuid")
        real = os.path.realpath(self.python)
        if b"libpython" in subprocess.run(["ldd", real], stdout=subprocess.PIPE).stdout:
            self.skipTest("a set-uid copy would not find its libpython")
        shutil.copy(real, copy)
        os.chmod(copy, 0o4755)
        os.chmod(self.folder, 0o755)
        environment = host.profiled_environment(snapshot_at_exit="yes", output="stderr",
                                                pythonhome="")
        ended = self.run_command(["setpriv", "--reuid=65534", "--clear-groups", copy, "-c", "pass"],
                                 environment)
        self.assertNotIn("Memory Snapshot", ended.err)


class HiddenSymbols(host.HostTest):
    def test_a_libyaml_of_the_programs_own(self):
        ended = self.run_program("""
            try:
                import yaml
                loader = yaml.CSafeLoader
            except (ImportError, AttributeError):
                print("absent")
            else:
                print(yaml.load("a: [1, {b: yes}]", loader))
        """, config=self.write("c.yml", "general: {monitoring: {memory_profiling: {enabled: on}}}"))
        self.assert_clean(ended)
        if "absent" in ended.out:
            self.skipTest("no PyYAML with libyaml")
        self.assertEqual(ended.out.strip(), "{'a': [1, {'b': True}]}")


if __name__ == "__main__":
    host.main()
