#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""memprof-run under each sh that is there: what it runs, what it says, what the command inherits.

Usage: test_memprof_run.py SOURCE_ROOT BUILD_ROOT STATIC_PROGRAM... [word ...]
"""

import glob
import json
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import host  # noqa: E402
import interpreters  # noqa: E402

ROOT, BUILD, STATIC, STATIC_PIE = map(os.path.abspath, sys.argv[1:5])
RUN = os.path.join(ROOT, "tools", "memprof-run")
PYTHON = "/usr/bin/python3"
NOBODY = 65534
SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"], "bash": ["bash", "--posix"]}
ARM, X86_32 = (2, 183), (1, 3)
SHOW = ["-c", """
import json, os, sys
json.dump({"arguments": sys.argv[1:], "environment": dict(os.environ), "pid": os.getpid(),
           "folder": os.getcwd(), "descriptors": sorted(os.listdir("/proc/self/fd"))}, sys.stdout)
"""]


def needs_root(test):
    return unittest.skipUnless(os.getuid() == 0, "needs root")(test)


def make_executable(path):
    os.chmod(path, 0o755)
    return path


class RunTest(unittest.TestCase):
    """One shell; its tests are inherited by a class for each shell below."""
    shell = None
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="memprof-run-")
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        os.chmod(self.folder, 0o755)    # for tests as another user
        self.environment = host.clean_environment()
        self.environment["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
        self.environment["MEMPROF_OUTPUT"] = "stderr"
        self.environment["MEMPROF_SNAPSHOT_AT_EXIT"] = "yes"
        if self.shell[0] == "busybox":
            self.environment["PATH"] = self.applets() + ":" + self.environment["PATH"]

    def applets(self):
        """Before everything else the tools of a system that has nothing but busybox."""
        folder = self.path("applets")
        os.mkdir(folder)
        for name in ("od", "sed", "tr", "readlink", "env", "id", "cat"):
            os.symlink(shutil.which("busybox"), os.path.join(folder, name))
        return folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return make_executable(self.path(name))

    def command(self, *arguments, script=RUN):
        return [*self.shell, script, *arguments]

    def run_it(self, *arguments, script=RUN, environment=(), **options):
        done = subprocess.run(self.command(*arguments, script=script), cwd=self.folder,
                              env={**self.environment, **dict(environment)}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=host.TIMEOUT_SECONDS,
                              stdin=options.pop("stdin", subprocess.DEVNULL), **options)
        return host.Ended(done.returncode, done.stdout, done.stderr)

    def said(self, ended):
        return [line for line in ended.err.splitlines() if line.startswith("memprof-run: ")]

    def shown(self, *arguments, **options):
        """What a Python program sees of its process."""
        return json.loads(self.run_it(*arguments, **options).out)

    def installation(self, *kinds):
        """memprof-run and libraries as they are installed: one for each (triplet, ELF class and machine)."""
        os.makedirs(self.path("usr/bin"))
        shutil.copy(RUN, self.path("usr/bin/memprof-run"))
        for triplet, kind in kinds:
            os.makedirs(self.path("usr/lib/" + triplet))
            self.library(kind, self.path("usr/lib/%s/libmemprof.so" % triplet))
        return self.path("usr/bin/memprof-run")

    def library(self, kind, path):
        """A copy of the library, for another class and machine if `kind` says so."""
        shutil.copy(host.LIBRARY, path)
        if kind is not None:
            with open(path, "r+b") as file:
                file.seek(4)
                file.write(bytes([kind[0]]))
                file.seek(18)
                file.write(struct.pack("<H", kind[1]))
        return path

    def assert_profiled(self, ended, code=0):
        self.assertEqual(ended.code, code, ended)
        self.assertEqual(ended.err.count(host.STARTED), 1, ended)    # and not twice
        self.assertGreaterEqual(len(host.snapshots(ended.err)), 1, ended)
        self.assertEqual(self.said(ended), [], ended)

    def assert_unprofiled(self, ended, *words, code=0):
        """It ran all the same, and one line says why without the profiler."""
        self.assertEqual(ended.code, code, ended)
        self.assertEqual(host.snapshots(ended.err), [], ended)
        lines = self.said(ended)
        self.assertEqual(len(lines), 1, ended)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertNotIn("ld.so", ended.err)


class Options(RunTest):
    def test_each_becomes_its_variable(self):
        for words, variable, value in (
                (["--interval-seconds", "15"], "INTERVAL_SECONDS", "15"),
                (["--interval-seconds=15"], "INTERVAL_SECONDS", "15"),
                (["--interval_seconds=15"], "INTERVAL_SECONDS", "15"),
                (["--top-n-classes=7"], "TOP_N_CLASSES", "7"),
                (["--collect"], "COLLECT", "yes"),
                (["--collect=off"], "COLLECT", "off"),
                (["--collect", "False"], "COLLECT", "False"),
                (["--collect=no", "--collect=yes"], "COLLECT", "yes"),
                (["--retention-classes", "a.B, c.D"], "RETENTION_CLASSES", "a.B, c.D"),
                (["--output="], "OUTPUT", ""),
                (["--config", "a b.yml"], "CONFIG", "a b.yml")):
            with self.subTest(words=words):
                for separator in ([], ["--"]):
                    seen = self.shown(*words, *separator, PYTHON, *SHOW)["environment"]
                    self.assertEqual(seen["MEMPROF_" + variable], value)

    def test_they_reach_the_profiler(self):
        ended = self.run_it("--top-n-classes=1", PYTHON, "-c", "")
        self.assert_profiled(ended)
        self.assertEqual(len(host.snapshots(ended.err)[0].counts), 1)

    def test_a_file_decides_unless_an_option_does(self):
        section = "general: {monitoring: {memory_profiling: {enabled: %s, top_n_classes: 2}}}"
        for enabled in ("true", "false"):
            with self.subTest(enabled=enabled):
                config = self.write("config.yml", section % enabled)
                ended = self.run_it("--config", config, PYTHON, "-c", "")
                self.assertEqual({len(each.counts) for each in host.snapshots(ended.err)},
                                 {2} if enabled == "true" else set())
                self.assert_profiled(self.run_it("--config", config, "--enabled", PYTHON, "-c", ""))

    def test_the_off_switch(self):
        for options, environment in ((["--enabled=No"], {}), (["--enabled", "0"], {}),
                                     ([], {"MEMPROF_ENABLED": "off"})):
            with self.subTest(options=options, environment=environment):
                for program in ([PYTHON, *SHOW], [STATIC]):
                    ended = self.run_it("--library", "/nowhere", *options, *program, environment=environment)
                    self.assertEqual(ended.err, "")
                    self.assertNotIn("LD_PRELOAD", ended.out)

    def test_mistakes(self):
        for words, said in (
                (["--intervall=3", "true"], "unknown option --intervall, did you mean --interval-seconds?"),
                (["--top_classes", "true"], "unknown option --top-classes, did you mean --top-n-classes?"),
                (["--conf=x", "true"], "unknown option --conf, did you mean --config?"),
                (["--zzz", "true"], "unknown option --zzz; allowed: --config --library --enabled"),
                (["--=3", "true"], "unknown option --;"),
                (["--[a-z]*", "true"], "unknown option --[a-z]*;"),
                (["--enabled boolean Profile", "true"], "unknown option --enabled boolean Profile"),
                (["-i", "true"], "unknown option -i; memprof-run --help lists them"),
                (["--top-n-classes"], "--top-n-classes needs a value"),
                (["--top-n-classes", "--", "true"], "--top-n-classes needs a value"),
                (["--collect"], "no command"),
                (["--"], "no command"),
                ([], "no command")):
            with self.subTest(words=words):
                ended = self.run_it(*words)
                self.assertEqual(ended.code, 125, ended)
                self.assertEqual(len(ended.err.splitlines()), 1, ended)
                self.assertIn("memprof-run: " + said, ended.err)
                self.assertEqual(ended.out, "")

    def test_help_and_version(self):
        with open(os.path.join(ROOT, "meson.build")) as file:
            version = re.search(r"version: '([\d.]+)'", file.read()).group(1)
        self.assertEqual(self.run_it("--version").out, "memprof-run (libmemprof) %s\n" % version)
        for word in ("--help", "-h"):
            ended = self.run_it("--collect=no", word, "--nonsense")
            self.assertEqual((ended.code, ended.err), (0, ""))
            self.assertTrue(ended.out.startswith("Usage: memprof-run "))
            self.assertLessEqual(max(map(len, ended.out.splitlines())), 100)


class Command(RunTest):
    def test_is_profiled(self):
        self.assert_profiled(self.run_it("--", PYTHON, "-c", ""))
        self.assert_profiled(self.run_it(PYTHON, "-c", ""))
        self.assert_profiled(self.run_it("env", "A=b", PYTHON, "-c", ""))
        self.assert_profiled(self.run_it("sh", "-c", "%s -c ''; exit 4" % PYTHON), code=4)

    def test_is_profiled_on_every_interpreter(self):
        for interpreter in interpreters.find():
            if not interpreter.unsupported:
                with self.subTest(interpreter=str(interpreter)):
                    self.assert_profiled(self.run_it(interpreter.path, "-c", ""))

    def test_arguments_arrive(self):
        words = ["", " ", "a b", "a\nb\n", "\n", "*", "$HOME", "`id`", "'", '"', "\\", "\\n", "--help", "--", "-x",
                 "\u00fc", "%s", "a=b"]
        self.assertEqual(self.shown(PYTHON, *SHOW, *words)["arguments"], words)
        self.assertEqual(self.shown("--", PYTHON, *SHOW, "--", *words)["arguments"], ["--", *words])

    def test_environment_arrives(self):
        """Also under the names that the script itself uses, and under those that are none in sh."""
        with open(RUN) as file:
            used = set(re.findall(r"\b([a-z]+)=", file.read()))
        self.assertIn("places", used)
        given = {name: "kept " + name for name in used}
        given.update({"app.token": "a b", "1": "one", "my-service.port": "x\ny\n", "\u00e4": "\u00f6", "empty.one": "",
                      "plain": "line\nnot.a=variable", "BASH_FUNC_f%%": "() { :; }"})
        # No option of env: this one gets lost in dash.
        seen = self.shown("--collect=no", PYTHON, *SHOW, environment={**given, "-i": "x"})["environment"]
        seen.pop("-i", None)
        for name, value in given.items():
            with self.subTest(name=name):
                self.assertEqual(seen.get(name), value)
        self.assertNotIn("not.a", seen)
        ours = {name for name in seen if name not in self.environment and name not in given}
        # What a shell and Python themselves add.
        self.assertLessEqual(ours, {"LD_PRELOAD", "MEMPROF_COLLECT", "MEMPROF_PROFILED_PID", "LC_CTYPE", "PWD",
                                    "SHLVL", "OLDPWD", "_"})

    def test_process_is_the_same(self):
        process = subprocess.Popen(self.command(PYTHON, *SHOW), cwd=self.folder, env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        out, _ = process.communicate(timeout=host.TIMEOUT_SECONDS)
        seen = json.loads(out)
        self.assertEqual(seen["pid"], process.pid)
        self.assertEqual(seen["folder"], self.folder)
        plain = subprocess.run([PYTHON, *SHOW], env=self.environment, stdout=subprocess.PIPE)
        self.assertEqual(seen["descriptors"], json.loads(plain.stdout)["descriptors"])

    def test_no_child_is_left(self):
        ended = self.run_it(PYTHON, "-c", """if True:
            import os
            try:
                print(os.waitpid(-1, os.WNOHANG))
            except ChildProcessError:
                print("none")
            """, environment={"MEMPROF_ENABLED": "yes", "a.b": "c"})
        self.assertEqual(ended.out, "none\n", ended)

    def test_input_arrives(self):
        read, write = os.pipe()
        os.write(write, b"all of it")
        os.close(write)
        ended = self.run_it(PYTHON, "-c", "print(input())", stdin=read)
        os.close(read)
        self.assertEqual(ended.out, "all of it\n")

    def test_exit_codes(self):
        for code in (0, 1, 7, 125, 255):
            with self.subTest(code=code):
                self.assertEqual(self.run_it(PYTHON, "-c", "raise SystemExit(%d)" % code).code, code)

    def test_signals(self):
        text = "import signal, sys, time\n%s\nprint('ready', flush=True)\ntime.sleep(60)"
        handler = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))"
        for number, setup, code in ((signal.SIGTERM, "", -signal.SIGTERM), (signal.SIGKILL, "", -signal.SIGKILL),
                                    (signal.SIGTERM, handler, 9), (signal.SIGINT, "", -signal.SIGINT)):
            with self.subTest(signal=number, code=code):
                with host.Program(self.command(PYTHON, "-c", text % setup), self.environment, self.folder) as program:
                    program.expect("ready")
                    program.signal(number)
                    self.assertEqual(program.end().code, code)

    def test_that_is_not_there(self):
        data = self.path("data")
        open(data, "w").close()
        for command, code in (("no-such-command", 127), ("/no/such", 127), ("./no", 127), ("", 127),
                              (data, 126), (self.folder, 126)):
            with self.subTest(command=command):
                ended = self.run_it("--", command, "x")
                self.assertEqual(ended.code, code, ended)
                self.assertEqual(len(self.said(ended)), 1, ended)
                self.assertIn(command, ended.err)
        script = self.write("orphan", "#!/no/such/interpreter\n")
        self.assertIn(self.run_it(script).code, (126, 127))    # as the shell has it

    def test_is_looked_up_as_exec_does(self):
        os.mkdir(self.path("empty"))
        for name in ("echo", "with space", "a=b"):
            self.write(name, "#!/bin/sh\necho found $#\n")
            for path in (self.folder, "empty::/nowhere", "/nowhere:"):
                with self.subTest(name=name, path=path):
                    ended = self.run_it(name, "x", environment={"PATH": path + ":" + self.environment["PATH"],
                                                                "app.token": "goes through env"})
                    self.assertEqual(ended.out, "found 1\n", ended)

    def namespace(self, *options):
        """What a command is started with to be process 1."""
        command = ["unshare", "--pid", "--fork", *options]
        done = subprocess.run([*command, "true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            # In a plain chroot the root is no mount, and cannot be made private.
            self.skipTest("no namespace of process ids here: " + done.stdout.decode().strip())
        return command

    @needs_root
    def test_as_process_1(self):
        # Once with a /proc that is that of another namespace.
        for mount in ([], ["--mount-proc"]):
            with self.subTest(mount=mount):
                namespace = self.namespace(*mount)
                done = subprocess.run(
                    [*namespace, *self.command("--", PYTHON, "-c", "import os; os._exit(10 + os.getpid())")],
                    env={**self.environment, "MEMPROF_OUTPUT": "auto"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertEqual((done.returncode, done.stderr), (11, b""))
                done = subprocess.run(
                    [*namespace, *self.command(PYTHON, *SHOW)], env={**self.environment, "app.token": "mine"},
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertIn(b"Memory Snapshot", done.stderr)
                self.assertIn(b'"app.token": "mine"', done.stdout)
                self.assertIn(b'"pid": 1,', done.stdout)

    @needs_root
    def test_process_1_gets_signals(self):
        text = """if True:
            import signal, sys, time
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
            print("ready", flush=True)
            time.sleep(60)
        """
        command = [*self.namespace("--mount-proc"), *self.command(PYTHON, "-c", text)]
        with host.Program(command, self.environment, self.folder) as program:
            program.expect("ready")
            with open("/proc/%d/task/%d/children" % (program.process.pid, program.process.pid)) as file:
                os.kill(int(file.read()), signal.SIGTERM)
            ended = program.end()
            self.assertEqual(ended.code, 9, ended)
            self.assertIn(host.STARTED, ended.err)


class Preloads(RunTest):
    OTHERS = glob.glob("/usr/lib/*/libjemalloc.so.2")

    def preload(self, *arguments, before=""):
        seen = self.shown(*arguments, PYTHON, *SHOW, environment={"LD_PRELOAD": before})
        return seen["environment"]["LD_PRELOAD"]

    @unittest.skipUnless(OTHERS, "libjemalloc2 is not installed")
    def test_others_are_kept(self):
        other = self.OTHERS[0]
        for before in (other, other + ":", " %s " % other):
            with self.subTest(before=before):
                self.assertEqual(self.preload(before=before), "%s:%s" % (other, host.LIBRARY))
        # Ours is in already: it stays where it stands.
        for before in ("%s %s" % (host.LIBRARY, other), "%s:%s" % (other, host.LIBRARY)):
            with self.subTest(before=before):
                both = before.replace(" ", ":").split(":")
                self.assertEqual(sorted(self.preload(before=before).split(":")), sorted(both))
        self.assert_profiled(self.run_it(PYTHON, "-c", "", environment={"LD_PRELOAD": other}))

    def test_never_twice(self):
        self.assertEqual(self.preload(before=host.LIBRARY), host.LIBRARY)
        self.assertEqual(self.preload(*self.shell, RUN), host.LIBRARY)
        ended = self.run_it("--", *self.shell, RUN, "--", PYTHON, "-c", "")
        self.assert_profiled(ended)
        other = self.library(None, self.path("libmemprof.so"))
        self.assertEqual(self.preload(before=other), other)    # that of the image, say
        self.assertEqual(self.preload("--library", host.LIBRARY, before=other), host.LIBRARY)
        self.assertEqual(self.preload(before="/gone/libmemprof.so"), host.LIBRARY)

    def test_address_sanitizer_stays_first(self):
        asked = subprocess.run(["gcc", "-print-file-name=libasan.so"], stdout=subprocess.PIPE)
        asan = os.path.realpath(asked.stdout.decode().strip())
        if not os.path.isabs(asan) or not os.path.isfile(asan):
            self.skipTest("no AddressSanitizer here")
        self.assert_profiled(self.run_it(PYTHON, "-c", "", environment={"LD_PRELOAD": asan,
                                                                      "ASAN_OPTIONS": "detect_leaks=0"}))

    def test_a_request_of_its_own(self):
        """A program that is profiled itself starts another through memprof-run."""
        inner = self.command(PYTHON, "-c", "")
        text = "import subprocess, sys; sys.exit(subprocess.call(%r))" % inner
        ended = self.run_it(PYTHON, "-c", text)
        self.assertEqual(ended.err.count(host.STARTED), 2, ended)


class Library(RunTest):
    def test_is_found(self):
        installed = self.installation(("x86_64-linux-gnu", None))
        self.assert_profiled(self.run_it(PYTHON, "-c", "", script=installed))
        ended = self.run_it("-c", "cd usr/bin && %s memprof-run %s -c ''" % (" ".join(self.shell), PYTHON), script="-e")
        self.assert_profiled(ended)
        os.symlink("usr/bin/memprof-run", self.path("link"))
        self.assert_profiled(self.run_it(PYTHON, "-c", "", script="./link"))
        os.rename(self.path("usr/lib/x86_64-linux-gnu"), self.path("usr/lib64"))
        self.assert_profiled(self.run_it(PYTHON, "-c", "", script=installed))
        os.rename(self.path("usr/lib64/libmemprof.so"), self.path("usr/bin/libmemprof.so"))
        self.assert_profiled(self.run_it(PYTHON, "-c", "", script=installed))
        self.assert_profiled(self.run_it(PYTHON, "-c", "", script="usr/bin/memprof-run"))

    def test_without_the_tools_that_look_at_files(self):
        command = [shutil.which(self.shell[0]), *self.command(PYTHON, "-c", "")[1:]]
        done = subprocess.run(command, env={**self.environment, "PATH": "/nowhere"}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        ended = host.Ended(done.returncode, done.stdout, done.stderr)
        self.assert_profiled(ended)
        self.assertNotIn("not found", ended.err)

    def test_is_named(self):
        installed = self.installation()
        os.mkdir(self.path("odd [a]*"))
        for name in ("one.so", "sub.so"):
            self.library(None, self.path(name))
            with self.subTest(name=name):
                for words, environment in ((["--library", name], {}), (["--library=./" + name], {}),
                                           ([], {"MEMPROF_LIBRARY": self.path(name)})):
                    self.assert_profiled(self.run_it(*words, PYTHON, "-c", "import os; os.chdir('/')",
                                                     script=installed, environment=environment))

    def test_is_not_found(self):
        installed = self.installation()
        self.assert_unprofiled(self.run_it(PYTHON, "-c", "raise SystemExit(3)", script=installed),
                               "found no libmemprof.so", "--library", "running %s without" % PYTHON, code=3)

    def test_is_no_library(self):
        text = self.write("libmemprof.so", "#!/bin/sh\n")
        for path, words in (("/nowhere/libmemprof.so", "cannot be read"), (self.folder, "cannot be read"),
                            (text, "no shared library")):
            with self.subTest(path=path):
                self.assert_unprofiled(self.run_it("--library", path, PYTHON, "-c", ""), path, words)

    def test_a_path_that_cannot_be_preloaded(self):
        for name in ("a b", "a:b"):
            with self.subTest(name=name):
                os.mkdir(self.path(name))
                library = self.library(None, self.path(name + "/libmemprof.so"))
                self.assert_unprofiled(self.run_it("--library", library, PYTHON, "-c", ""), library,
                                       "no path with a space or a colon")

    def test_of_another_architecture(self):
        for kind in (ARM, X86_32):
            with self.subTest(kind=kind):
                library = self.library(kind, self.path("libmemprof.so"))
                self.assert_unprofiled(self.run_it("--library", library, PYTHON, "-c", "raise SystemExit(3)"),
                                       "%s is for another architecture than %s" % (library, PYTHON), code=3)

    def test_of_another_architecture_than_a_script_needs(self):
        library = self.library(ARM, self.path("libmemprof.so"))
        direct = self.write("direct", "#! %s -B\n" % PYTHON)
        for first_line in (PYTHON, PYTHON + " -B", "/usr/bin/env python3", "/usr/bin/env -S python3 -B",
                           "/usr/bin/env -S A=b %s -B" % PYTHON, direct):
            with self.subTest(first_line=first_line):
                script = self.write("script", "#!%s\n" % first_line)
                self.assert_unprofiled(self.run_it("--library", library, script),
                                       "another architecture than /", "/python3", "running %s without" % script)
                self.assertEqual(self.said(self.run_it(script)), [])

    def test_the_one_that_fits_is_taken(self):
        installed = self.installation(("aarch64-linux-gnu", ARM), ("i386-linux-gnu", X86_32),
                                      ("x86_64-linux-gnu", None))
        self.assert_profiled(self.run_it(PYTHON, "-c", "", script=installed))
        shutil.rmtree(self.path("usr/lib/x86_64-linux-gnu"))
        self.assert_unprofiled(self.run_it(PYTHON, "-c", "", script=installed), "another architecture")


class Unreachable(RunTest):
    def test_static(self):
        for program in (STATIC, STATIC_PIE):
            with self.subTest(program=program):
                ended = self.run_it("--", program)
                self.assertEqual((ended.code, ended.out), (5, "static program\n"))
                self.assertEqual(self.said(ended), ["memprof-run: %s is static: it cannot be profiled itself, only "
                                                    "programs that it starts" % program])

    def test_static_interpreter(self):
        script = self.write("script", "#!%s\n" % STATIC)
        ended = self.run_it(script)
        self.assertEqual(ended.code, 5)
        self.assertIn("%s is static" % STATIC, ended.err)

    def test_dynamic_linker(self):
        headers = subprocess.run(["readelf", "-l", "-W", PYTHON], stdout=subprocess.PIPE).stdout.decode()
        linker = re.search(r"interpreter: (/.*)]", headers).group(1)
        self.assert_profiled(self.run_it(linker, PYTHON, "-c", ""))

    def test_damaged_headers(self):
        """Whatever a file says of itself: it is run, without a word, and soon."""
        with open(STATIC, "rb") as file:
            good = file.read(4096)
        for length in (2, 4, 5, 20, 63, 64, 80):
            self.assertNotIn("static", self.damaged(good[:length]).err)
        for offset, value in ((4, b"\0"), (4, b"\1"), (5, b"\2"), (32, b"\xff" * 8), (54, b"\0\0"), (56, b"\xff\xff"),
                              (56, b"\0\0")):
            self.damaged(good[:offset] + value + good[offset + len(value):])
        self.damaged(b"#!")
        self.damaged(b"#!\n")
        self.damaged(b"#!" + self.path("program").encode() + b"\n")    # its own interpreter

    def damaged(self, content):
        with self.subTest(content=content[:64]):
            with open(self.path("program"), "wb") as file:
                file.write(content)
            make_executable(self.path("program"))
            ended = self.run_it(self.path("program"))
            self.assertNotEqual(ended.code, 125)
            self.assertNotIn("expression", ended.err)
            self.assertNotIn("arithmetic", ended.err)
        return ended

    @needs_root
    def test_set_uid_and_set_gid(self):
        for mode, owner, rights in ((stat.S_ISUID, NOBODY, True), (stat.S_ISGID, NOBODY, True),
                                    (stat.S_ISUID, 0, False)):
            with self.subTest(mode=mode, owner=owner):
                copy = shutil.copy(os.path.realpath(PYTHON), self.path("copy"))
                os.chown(copy, owner, owner)
                os.chmod(copy, 0o755 | mode)
                ended = self.run_it(copy, "-c", "raise SystemExit(4)")
                if rights:
                    self.assert_unprofiled(ended, copy, "gains rights", code=4)
                else:
                    self.assert_profiled(ended, code=4)

    @needs_root
    @unittest.skipUnless(shutil.which("setcap"), "libcap2-bin is not installed")
    def test_capabilities(self):
        copy = shutil.copy(os.path.realpath(PYTHON), self.path("copy"))
        os.chmod(copy, 0o755)
        self.assert_profiled(self.run_it(copy, "-c", "", user=NOBODY))
        if subprocess.run(["setcap", "cap_net_bind_service+ep", copy]).returncode != 0:
            self.skipTest("files here have no capabilities")
        self.assert_unprofiled(self.run_it(copy, "-c", "raise SystemExit(4)", user=NOBODY), copy, "gains rights",
                               code=4)
        self.assert_profiled(self.run_it(copy, "-c", ""))    # root has them already


class Install(RunTest):
    def test_runs_from_where_meson_puts_it(self):
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", self.folder],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        found = {os.path.basename(path): path
                 for path in glob.glob(self.path("**"), recursive=True) if os.path.isfile(path)}
        ended = self.run_it(PYTHON, *SHOW, script=found["memprof-run"])
        self.assert_profiled(ended)
        self.assertIn(os.path.dirname(found["libmemprof.so"]), ended.out)
        self.assertEqual(os.stat(found["memprof-run"]).st_mode & 0o777, 0o755)
        # Without a shell in front, by its name.
        folder = os.path.dirname(found["memprof-run"])
        done = subprocess.run(["memprof-run", "--", PYTHON, "-c", ""], stderr=subprocess.PIPE, env={
            **self.environment, "PATH": folder + ":" + self.environment["PATH"]})
        self.assertIn(b"Memory Snapshot", done.stderr)
        if shutil.which("scdoc"):
            for page in ("memprof-run.1", "memprof.7", "memprof.yml.5"):
                self.assertIn("/man/man%s/" % page[-1], found[page])
        else:
            print("skipped: man pages: scdoc is not installed")


def suite(words):
    tests = unittest.TestSuite()
    for name, command in SHELLS.items():
        if shutil.which(command[0]) is None:
            print("skipped: %s is not installed" % name)
            continue
        for case in RunTest.__subclasses__():
            bound = type("%s_%s" % (case.__name__, name), (case,), {"shell": command, "__module__": "__main__"})
            tests.addTests(test for test in unittest.defaultTestLoader.loadTestsFromTestCase(bound)
                           if all(word in test.id() for word in words))
    return tests


def main():
    if not os.path.isfile(host.LIBRARY):
        sys.exit("MEMPROF_LIBRARY names no file: %r" % host.LIBRARY)
    result = unittest.TextTestRunner().run(suite(sys.argv[5:]))
    for test, reason in result.skipped:
        print("skipped: %s: %s" % (test, reason))
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main()
