# SPDX-License-Identifier: MIT
"""Records reach somebody in every ordinary logging set-up, and never twice."""

import json
import re
import time

import host

FALLBACK = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO memory_profiler: "


# The profiler has logged when it is through.
BASIC_CONFIG = host.joined(host.HEARD, """
    logging.basicConfig(handlers=[Heard()])
    wait(lambda: Heard.snapshots, "the first snapshot")
""")


class LoggingTest(host.HostTest):
    def run_with(self, setup, *flags, snapshots=1, **options):
        """Runs `setup`, asks for `snapshots` snapshots one by one, ends the program."""
        options.setdefault("interval_seconds", 3600)
        options.setdefault("top_n_classes", 2)
        options["snapshot_signal"] = "SIGUSR1"
        text = host.joined(setup, """
            import os, signal, sys, time
            for i in range(%d):
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(0.4)
        """ % snapshots)
        return self.run_program(text, *flags, **options)

    def assert_logged_once(self, ended, pattern):
        """Every record once, each line of it where `pattern` says."""
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(len(re.findall(pattern + re.escape(host.STARTED), ended.err, re.M)), 1,
                         ended)
        titles = re.findall(pattern + "Memory Snapshot$", ended.err, re.M)
        self.assertEqual(len(titles), ended.err.count("Memory Snapshot"), ended)
        self.assertGreaterEqual(len(titles), 1, ended)
        self.assertEqual(ended.complaints, [], ended)

    def assert_silent(self, ended):
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(ended.err, "", ended)


class Reached(LoggingTest):
    def test_basic_config_at_any_level(self):
        for level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
            with self.subTest(level=level):
                ended = self.run_with("""
                    import logging
                    logging.basicConfig(level="%s")
                """ % level)
                self.assert_logged_once(ended, "^INFO:memory_profiler:")

    def test_dict_config_disabling_existing_loggers(self):
        ended = self.run_with(host.joined(BASIC_CONFIG, """
            import logging.config
            logging.config.dictConfig({
                "version": 1, "disable_existing_loggers": True,
                "formatters": {"f": {"format": "NEW %(name)s %(message)s"}},
                "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}},
                "root": {"level": "WARNING", "handlers": ["h"]}})
        """))
        self.assertIn("NEW memory_profiler Memory Snapshot", ended.err)
        self.assertEqual(ended.err.count("INFO:memory_profiler:Memory Snapshot"), 1, ended)
        self.assertEqual(ended.complaints, [])

    def test_dict_config_naming_the_logger(self):
        ended = self.run_with("""
            import logging.config
            logging.config.dictConfig({
                "version": 1,
                "formatters": {"f": {"format": "OWN %(name)s %(message)s"}},
                "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}},
                "loggers": {"memory_profiler": {"level": "INFO", "handlers": ["h"],
                                                "propagate": False}},
                "root": {"level": "INFO", "handlers": ["h"]}})
        """)
        self.assert_logged_once(ended, "^OWN memory_profiler ")

    def test_handler_on_another_logger_only(self):
        # What discord.py's client.run() sets up: nobody would take our INFO record.
        setup = """
            import logging
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("DISCORD %(message)s"))
            logger = logging.getLogger("discord")
            logger.setLevel(logging.INFO)
            logger.addHandler(handler)
        """
        self.assert_logged_once(self.run_with(setup), FALLBACK)

    def test_root_handler_above_info(self):
        ended = self.run_with("""
            import logging
            handler = logging.StreamHandler()
            handler.setLevel(logging.ERROR)
            logging.getLogger().addHandler(handler)
        """)
        self.assert_logged_once(ended, FALLBACK)

    def test_null_handler_is_no_listener(self):
        ended = self.run_with("""
            import logging
            logging.getLogger().addHandler(logging.NullHandler())
        """)
        self.assert_logged_once(ended, FALLBACK)

    def test_no_logging_at_all(self):
        self.assert_logged_once(self.run_with(""), FALLBACK)

    def test_falls_back_after_an_interval(self):
        begin = time.monotonic()
        with self.start("import sys; sys.stdin.read()", interval_seconds=10, top_n_classes=2) as program:
            seen = program.expect_error_line("^Snapshot cost")
            took = time.monotonic() - begin
            ended = program.end()
        self.assertGreater(took, 9.9)
        self.assertLess(took, 19)
        ended.err = seen + ended.err
        self.assert_logged_once(ended, FALLBACK)

    def test_logging_configured_after_a_fallback(self):
        with self.start("""
            import os, signal, sys
            os.kill(os.getpid(), signal.SIGUSR1)
            sys.stdin.readline()
            import logging
            logging.basicConfig()
            os.kill(os.getpid(), signal.SIGUSR1)
            sys.stdin.read()
        """, interval_seconds=3600, top_n_classes=2, snapshot_signal="SIGUSR1") as program:
            seen = program.expect_error_line("^Snapshot cost")
            program.tell()
            seen += program.expect_error_line("^Snapshot cost")
            ended = program.end()
        ended.err = seen + ended.err
        self.assertEqual(len(re.findall(FALLBACK + "Memory Snapshot", ended.err, re.M)), 1, ended)
        self.assertEqual(len(re.findall("^INFO:memory_profiler:Memory Snapshot", ended.err, re.M)),
                         1, ended)
        self.assertEqual(ended.err.count(host.STARTED), 1)

    def test_output_stderr(self):
        ended = self.run_with("import logging; logging.basicConfig()", output="stderr")
        self.assert_logged_once(ended, FALLBACK)

    def test_output_logging_never_falls_back(self):
        ended = self.run_with("", output="logging")
        self.assertEqual(ended.err.count("\n"), 1, ended)
        self.assertIn("memprof: output is logging, but no logging handler takes", ended.err)

    def test_custom_logger_class(self):
        ended = self.run_with("""
            import logging
            class Tagged(logging.Logger):
                def makeRecord(self, *args, **kwargs):
                    record = super().makeRecord(*args, **kwargs)
                    record.msg = "TAG " + record.msg
                    return record
            logging.setLoggerClass(Tagged)
            logging.basicConfig()
        """)
        self.assert_logged_once(ended, "^INFO:memory_profiler:TAG ")


class Obeyed(LoggingTest):
    def test_level_of_the_programs_logger(self):
        self.assert_silent(self.run_with("""
            import logging
            logging.basicConfig(level=logging.INFO)
            logging.getLogger("memory_profiler").setLevel(logging.WARNING)
        """))

    def test_propagate_false_without_handler(self):
        self.assert_silent(self.run_with("""
            import logging
            logging.basicConfig(level=logging.INFO)
            logging.getLogger("memory_profiler").propagate = False
        """))

    def test_disabled_logger(self):
        self.assert_silent(self.run_with("""
            import logging
            logging.basicConfig(level=logging.INFO)
            logging.getLogger("memory_profiler").disabled = True
        """))

    def test_filter_of_the_programs_logger(self):
        self.assert_silent(self.run_with("""
            import logging
            logging.basicConfig(level=logging.INFO)
            logging.getLogger("memory_profiler").addFilter(lambda record: False)
        """))

    def test_logging_disable_is_said_once(self):
        ended = self.run_with("""
            import logging
            logging.basicConfig(level=logging.INFO)
            logging.disable(logging.INFO)
        """, snapshots=3)
        self.assertEqual(len(ended.complaints), 1, ended)
        self.assertIn("logging.disable() is in force", ended.complaints[0])
        self.assertNotIn("Memory Snapshot", ended.err)

    def test_a_message_does_not_wait_for_a_full_pipe(self):
        with self.start("""
            import logging, os, signal, sys, time
            signal.alarm(20)
            logging.basicConfig(level=logging.INFO, stream=sys.stdout)
            logging.disable(logging.INFO)
            os.set_blocking(2, False)
            try:
                while True:
                    os.write(2, b"x" * 4096)
            except BlockingIOError:
                os.set_blocking(2, True)
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(1)
            print("goes on", flush=True)
        """, snapshot_signal="SIGUSR1") as program:
            program.expect("goes on")
            ended = program.end()
        self.assertEqual((ended.code, ended.complaints), (0, []), ended)

    def test_a_mock_of_the_root_logger(self):
        ended = self.run_program(host.joined(host.ASKING, """
            from unittest import mock
            with mock.patch("logging.root"):
                os.kill(os.getpid(), signal.SIGUSR1)
                time.sleep(0.5)
                signal.alarm(20)
                if os.fork() == 0:
                    os._exit(0)
                os.wait()
                signal.alarm(0)
            snapshot()
        """), snapshot_signal="SIGUSR1", top_n_classes=2)
        self.assert_clean(ended)

    def test_our_logger_is_nobody_elses_business(self):
        ended = self.run_with(host.joined(BASIC_CONFIG, """
            assert "memory_profiler" not in logging.root.manager.loggerDict
            assert logging.getLogger("memory_profiler").level == logging.NOTSET
        """))
        self.assert_logged_once(ended, "^INFO:memory_profiler:")


class Record(LoggingTest):
    def test_is_a_real_record(self):
        ended = self.run_with("""
            import json, logging, threading
            class Handler(logging.Handler):
                def emit(self, record):
                    thread = threading.current_thread()
                    assert type(record) is logging.LogRecord
                    print(json.dumps([record.name, record.levelname, record.threadName,
                                      thread.daemon, thread.name, record.filename,
                                      record.memprof_sequence
                                      if "Snapshot" in record.getMessage() else None]))
            logging.getLogger().addHandler(Handler())
        """, snapshots=2)
        self.assert_clean(ended)
        rows = [json.loads(line) for line in ended.out.splitlines()]
        self.assertEqual([row[:6] for row in rows],
                         [["memory_profiler", "INFO", "MemoryProfiler", True, "MemoryProfiler",
                           "libmemprof.so"]] * len(rows))
        sequence = [row[6] for row in rows if row[6] is not None]
        self.assertEqual(sequence, list(range(1, len(sequence) + 1)))
        self.assertGreaterEqual(len(sequence), 2)

    def test_modules_are_not_imported_for_the_program(self):
        ended = self.run_with("""
            import sys
            assert "logging" not in sys.modules, "logging"
            assert "threading" not in sys.modules, "threading"
            import os, signal, time
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.3)
            assert "logging" not in sys.modules, "logging"
            assert "threading" not in sys.modules, "threading"
            import threading
            assert threading.current_thread() is threading.main_thread()
        """, "-S")    # site-packages may import anything
        self.assert_logged_once(ended, FALLBACK)

    def test_lazy_modules_are_not_imported_for_the_program(self):
        ended = self.run_with("""
            import importlib.util, os, signal, sys, time
            spec = importlib.util.find_spec("logging")
            spec.loader = importlib.util.LazyLoader(spec.loader)
            sys.modules["logging"] = logging = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(logging)
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.3)
            assert object.__getattribute__(logging, "__class__") is importlib.util._LazyModule
            import threading
            assert threading.current_thread() is threading.main_thread()
        """, "-S")
        self.assert_logged_once(ended, FALLBACK)


class Threads(LoggingTest):
    def test_no_thread_of_threading_remains(self):
        # "Join all threads but this one" is a common way to end a program.
        ended = self.run_program(host.joined(host.LISTENING, """
            import threading
            wait(lambda: Heard.snapshots, "the first snapshot")
            wait(lambda: threading.active_count() == len(threading._dangling) == 1, "the end of its thread")
            for thread in threading.enumerate():
                if thread is not threading.current_thread():
                    thread.join()
            print(threading.active_count(), len(threading._dangling))
        """))
        self.assert_clean(ended)
        self.assertEqual(ended.out, "1 1\n")
        self.assertIn("MemoryProfiler", ended.err)


class Handlers(LoggingTest):
    def test_that_raise(self):
        ended = self.run_with("""
            import logging
            class Handler(logging.Handler):
                def handle(self, record):
                    raise SystemExit(3)
            logging.getLogger().addHandler(Handler())
        """, snapshots=3)
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(len(ended.complaints), 1, ended)
        self.assertIn("a logging handler raised", ended.complaints[0])

    def test_that_log_again(self):
        ended = self.run_with("""
            import logging
            class Handler(logging.Handler):
                def emit(self, record):
                    if record.name == "memory_profiler":
                        logging.getLogger("echo").warning("again")
            logging.basicConfig()
            logging.getLogger().addHandler(Handler())
        """, snapshots=2)
        self.assert_logged_once(ended, "^INFO:memory_profiler:")
        # Some releases of logging leave out what a handler logs while it handles (3.13.4, 3.14.0).
        self.assertIn(ended.err.count("WARNING:echo:again"),
                      (0, ended.err.count("INFO:memory_profiler:")))

    def test_that_block_do_not_keep_the_program_from_ending(self):
        ended = self.run_with("""
            import contextlib, logging, threading
            class NoLock(contextlib.nullcontext):
                acquire = release = lambda self: None
            class Handler(logging.Handler):
                def createLock(self):    # logging.shutdown() would wait for it
                    self.lock = NoLock()
                def emit(self, record):
                    threading.Event().wait()
            logging.getLogger().addHandler(Handler())
        """)
        self.assert_clean(ended)


if __name__ == "__main__":
    host.main()
