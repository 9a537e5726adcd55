#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a real discord.py bot that leaks messages under the profiler and compares the two's counts.

    check_discord.py [--library libmemprof.so] [--python /usr/bin/python3]

The bot runs once without the profiler, then once for each way of setting up logging. Such a run goes through bursts
of messages with silence between them. In the silence, after the bot has said how many messages it holds, a signal asks
for a snapshot, and both numbers must be equal. Last line: `N passed, N failed`. Exit code 0 or 1, or 77 if that
Python has no discord.py. The check itself needs nothing but the standard library.
"""
import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import snapshots

HERE = pathlib.Path(__file__).resolve().parent

MESSAGE = "discord.message.Message"
STARTUP = "Main :: Starting memory profiler"
BURSTS = 3
BURST_MESSAGES = 250

CONFIG = """\
general:
  monitoring:
    memory_profiling:
      enabled: true
      interval_seconds: 10
      top_n_classes: 50
"""

START_SECONDS = 30
BURST_SECONDS = 30
EXIT_SECONDS = 20
# Where the bot has no log for the profiler, this turns to stderr after an interval.
LOG_SECONDS = 30
# All of a run's waits together. Server and bot end by themselves after it, should this check be killed.
RUN_SECONDS = 2 * START_SECONDS + LOG_SECONDS + BURSTS * (2 * BURST_SECONDS + LOG_SECONDS) + 2 * EXIT_SECONDS
# A snapshot that was under way when the silence began is written by then.
SETTLE_SECONDS = 1

TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S*"

# For each logging set-up of bot.py, the file that has the snapshots and what stands before each. Two for "root":
# discord.py's plain format and its coloured one, the colours taken out.
SETUPS = {
    "default": ("bot.err", rf"{TIME} INFO memory_profiler: "),
    "root": ("bot.err", rf"\[{TIME}\] \[INFO +\] memory_profiler: |{TIME} INFO +memory_profiler "),
    "file": ("bot.log", r"INFO:memory_profiler:"),
}


class Stuck(Exception):
    """What was waited for has not come: this run cannot go on."""


class Results:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, ok, claim, detail):
        if ok:
            self.passed += 1
            print(f"  ok: {claim}", flush=True)
        else:
            self.failed += 1
            print(f"  FAILED: {claim}: {detail}", flush=True)


class Child:
    """A process whose output goes to the files NAME.out and NAME.err: no pipe that could fill up."""

    def __init__(self, name, command, folder, environment, stdin=subprocess.DEVNULL):
        self.name = name
        self.out_path = folder / f"{name}.out"
        with open(self.out_path, "wb") as out, open(folder / f"{name}.err", "wb") as err:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=stdin, stdout=out, stderr=err)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()

    def last_number(self, pattern):
        numbers = re.findall(pattern, read(self.out_path), re.MULTILINE)
        return int(numbers[-1]) if numbers else None

    def wait_until(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while True:
            # In this order: what a process writes just before its end counts.
            exit_code = self.process.poll()
            value = condition()
            if value:
                return value
            if exit_code is not None:
                raise Stuck(f"waited until {what}, but the {self.name} ended with exit code {exit_code}")
            if time.monotonic() > deadline:
                raise Stuck(f"waited until {what}, in vain for {seconds} s")
            time.sleep(0.02)


class Discord(Child):
    """The fake server."""

    def __init__(self, python, folder, environment):
        command = [python, HERE / "fake_discord.py", "--deadline", str(RUN_SECONDS)]
        super().__init__("server", command, folder, environment, stdin=subprocess.PIPE)

    def __exit__(self, *exception):
        self.process.stdin.close()
        super().__exit__(*exception)

    def wait_url(self):
        port = self.wait_until(lambda: self.last_number(r"^listening (\d+)$"), START_SECONDS, "the server listens")
        return f"http://127.0.0.1:{port}"

    def burst(self, total):
        """Sends a burst of messages after which there are `total` of them."""
        self.process.stdin.write(f"burst {BURST_MESSAGES}\n".encode())
        self.process.stdin.flush()
        self.wait_until(lambda: self.last_number(r"^sent (\d+)$") == total, BURST_SECONDS, f"{total} messages are sent")

    def wait_close_code(self):
        """The code with which the bot's session has ended. It is said even for a bot that died."""
        return self.wait_until(lambda: self.last_number(r"^closed (\d+)$"), EXIT_SECONDS, "the bot's session has ended")


class Bot(Child):
    def __init__(self, python, url, setup, folder, environment):
        command = [python, HERE / "run_bot.py", url, str(RUN_SECONDS), HERE / "bot.py", setup]
        super().__init__("bot", command, folder, environment)

    def wait_ready(self):
        self.wait_until(lambda: "bot is ready" in read(self.out_path), START_SECONDS, "the bot is ready")

    def wait_holding(self, total):
        self.wait_until(lambda: self.held() == total, BURST_SECONDS, f"the bot holds {total} messages")

    def held(self):
        return self.last_number(r"^bot holds (\d+) messages$")

    def interrupt(self):
        """What Ctrl-C does. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Stuck(f"the bot has not ended {EXIT_SECONDS} s after SIGINT") from None


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def complete_snapshots(path):
    return [snapshot for snapshot in snapshots.parse(read(path)) if snapshot.counts_complete]


def snapshot_counts(path):
    return [snapshot.count(MESSAGE) for snapshot in complete_snapshots(path)]


def run_plain(python, folder, environment):
    """One burst without the profiler. Returns how the bot ended: its exit code and the close code of its session."""
    with Discord(python, folder, environment) as discord:
        with Bot(python, discord.wait_url(), "default", folder, environment) as bot:
            bot.wait_ready()
            discord.burst(BURST_MESSAGES)
            bot.wait_holding(BURST_MESSAGES)
            return bot.interrupt(), discord.wait_close_code()


def compare_counts(bot, log, results):
    """In a silence: asks for a snapshot and compares its count with the bot's own."""
    held = bot.held()
    time.sleep(SETTLE_SECONDS)
    before = len(snapshots.parse(read(log)))
    bot.process.send_signal(signal.SIGUSR1)
    bot.wait_until(lambda: len(snapshot_counts(log)) > before, LOG_SECONDS, "the snapshot asked for is logged")
    # One that the clock brings may come along. In a silence it has to say the same.
    counts = snapshot_counts(log)[before:]
    results.check(set(counts) == {held}, f"bot holds {held} messages, snapshot says the same",
                  f"snapshot says {counts}")


def check_log(log, header, folder, results):
    """What holds for the log as a whole, after the bot's end."""
    found = snapshots.parse(read(log))
    counts = [snapshot.count(MESSAGE) for snapshot in found]
    results.check(len(found) >= BURSTS, f"at least {BURSTS} snapshots", len(found))
    results.check(counts == sorted(counts), f"the count of {MESSAGE} only grows", counts)
    results.check(all(snapshot.counts and snapshot.usage for snapshot in found), "each snapshot has both sections",
                  [(len(snapshot.counts), len(snapshot.usage)) for snapshot in found])
    strange = [snapshot.header for snapshot in found if not re.fullmatch(header, snapshot.header)]
    results.check(not strange, "each snapshot is an INFO record of memory_profiler", strange)

    outputs = {path.name: read(path) for path in folder.glob("bot.*")}
    elsewhere = [name for name, text in outputs.items() if name != log.name and "Memory Snapshot" in text]
    results.check(not elsewhere, f"snapshots appear in {log.name} only", elsewhere)
    startups = {name: text.count(STARTUP) for name, text in outputs.items()}
    results.check(sum(startups.values()) == 1, f"'{STARTUP}' appears once", startups)


def run_profiled(python, folder, environment, setup, plain_end, results):
    config = folder / "config.yml"
    config.write_text(CONFIG)
    profiled = {**environment, "MEMPROF_CONFIG": str(config), "MEMPROF_SNAPSHOT_SIGNAL": "SIGUSR1"}
    log_name, header = SETUPS[setup]
    log = folder / log_name

    with Discord(python, folder, without_profiler(environment)) as discord:
        with Bot(python, discord.wait_url(), setup, folder, profiled) as bot:
            bot.wait_ready()
            # Before any signal: that the profiler finds a place for its records must not need one.
            bot.wait_until(lambda: STARTUP in read(log), LOG_SECONDS, f"'{STARTUP}' is in {log.name}")
            for number in range(1, BURSTS + 1):
                discord.burst(number * BURST_MESSAGES)
                bot.wait_holding(number * BURST_MESSAGES)
                compare_counts(bot, log, results)
            # Looked for before SIGINT: discord.py 2.6 on Debian's aiohttp prints a traceback of its own at the end.
            errors = re.findall(r"^Traceback .*|.*heartbeat blocked.*", read(folder / "bot.err"), re.MULTILINE)
            results.check(not errors, "the bot ran without an error", errors)
            end = bot.interrupt(), discord.wait_close_code()
            results.check(end == plain_end, "SIGINT ends the bot as without the profiler",
                          f"exit code and close code {end}, without the profiler {plain_end}")
    check_log(log, header, folder, results)


def without_profiler(environment):
    return {name: value for name, value in environment.items()
            if name != "LD_PRELOAD" and not name.startswith("MEMPROF_")}


def show_outputs(folder):
    for path in sorted(folder.iterdir()):
        # Without the classes of each snapshot the rest is short enough to be read.
        lines = [line for line in read(path).splitlines() if not snapshots.is_class_line(line)]
        print(f"  --- {path.name}, counts of {MESSAGE} in its snapshots: {snapshot_counts(path)}")
        for line in lines[-40:]:
            print("  |", line)


def run(title, results, scenario):
    """Runs scenario(folder) in a folder of its own; on failures shows what server and bot have written."""
    print(title, flush=True)
    failed_before = results.failed
    with tempfile.TemporaryDirectory(prefix="check_discord.") as name:
        folder = pathlib.Path(name)
        outcome = None
        try:
            outcome = scenario(folder)
        except Stuck as stuck:
            results.check(False, "the run comes to its end", stuck)
        if results.failed > failed_before:
            show_outputs(folder)
        return outcome


def discord_version(python, environment):
    """Raises LookupError with the reason if this Python cannot run the bot."""
    question = "import aiohttp, discord; discord.Client.setup_hook; print(discord.__version__)"
    try:
        # Not in a folder that has this one in it: a folder `discord` passes for a package.
        answer = subprocess.run([python, "-c", question], env=environment, cwd=HERE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
    except OSError as error:
        raise LookupError(f"{python}: {error.strerror}") from None
    if answer.returncode != 0:
        raise LookupError(f"no discord.py 2 for {python}: {answer.stderr.strip().splitlines()[-1]}")
    return answer.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", default=os.environ.get("MEMPROF_LIBRARY"), help="default: $MEMPROF_LIBRARY")
    parser.add_argument("--python", default="/usr/bin/python3", help="default: %(default)s")
    arguments = parser.parse_args()
    if not arguments.library or not os.path.isfile(arguments.library):
        # The dynamic linker would only warn, and the bot run without the profiler.
        parser.error(f"--library: no such file: {arguments.library}")

    plain = without_profiler(os.environ)
    try:
        version = discord_version(arguments.python, plain)
    except LookupError as reason:
        print(f"skipped: {reason}")
        return 77
    print(f"discord.py {version}, {arguments.python}, {arguments.library}")

    results = Results()
    preloaded = {**plain, "LD_PRELOAD": os.path.abspath(arguments.library)}
    plain_end = run("without the profiler", results, lambda folder: run_plain(arguments.python, folder, plain))
    for setup in SETUPS if plain_end else ():
        run(f"logging set-up '{setup}'", results,
            lambda folder: run_profiled(arguments.python, folder, preloaded, setup, plain_end, results))
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
