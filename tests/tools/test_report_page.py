# SPDX-License-Identifier: MIT
"""The page of memprof-report in a real browser: what is drawn, found, compared and said, and that nothing
of what a program calls its classes runs.

Usage: test_report_page.py MEMPROF_REPORT [WORD...]; MEMPROF_LIBRARY names the library. MEMPROF_TEST_SCREENSHOTS
may name a folder, which then gets what the page looks like. Exits with 77 and a reason where it cannot run.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import host
import browser

REPORT = os.path.abspath(sys.argv.pop(1))
SCREENSHOTS = os.environ.get("MEMPROF_TEST_SCREENSHOTS")
STEPS = {"Order": 14, "Session": 11}
HOSTILE = ["</script><script>window.owned = true</script><img src=x onerror='window.owned = true'>",
           "\"quoted\" & 'quoted' `${window.owned = true}` &lt;", "\u05e9\u05dc\u05d5\u05dd \u0639\u0631\u0628\u064a",
           "Long" * 300]
# Two children leak, each its own class; `Cache` is let go half-way. One of them has a log, too.
PROGRAM = """
    import logging, os, signal, time

    class Seen(logging.Handler):
        snapshots = 0
        def emit(self, record):
            Seen.snapshots += hasattr(record, "memprof_objects")

    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(Seen())

    class Order: pass
    class Session: pass
    class Cache: pass
    hostile = [type(name, (), {}) for name in HOSTILE]
    kept = []

    def wait(before):
        until = time.monotonic() + 60
        while Seen.snapshots == before:
            assert time.monotonic() < until, "no snapshot"
            time.sleep(0.001)

    def work(kind):
        if kind is Order:
            handler = logging.FileHandler("bot.log")
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            root.addHandler(handler)
        cache = [Cache() for _ in range(3000)]
        wait(1)
        for step in range(STEPS[kind.__name__]):
            kept.extend(kind() for _ in range(700))
            kept.extend(one() for number, one in enumerate(hostile, 1) for _ in range(30 * number))
            if step == 5:
                cache.clear()
            before = Seen.snapshots
            os.kill(os.getpid(), signal.SIGUSR1)
            wait(before)

    children = []
    wait(0)
    for kind in Order, Session:
        child = os.fork()
        if child == 0:
            work(kind)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    print(*children)
"""
# How many of the first three colours of lines are in a chart, its legend left out.
DRAWN = """(id) => {
    const canvas = document.getElementById(id);
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const {left, top, width, height} = Chart.getChart(canvas).chartArea;
    const pixels = copy.getImageData(left, top, width, height).data;
    const colours = new Set();
    for (let i = 0; i < pixels.length; i += 4)
        if (pixels[i + 3] === 255) colours.add([pixels[i], pixels[i + 1], pixels[i + 2]].join());
    return ["0,114,178", "213,94,0", "0,158,115"].filter((colour) => colours.has(colour)).length;
}"""
ROWS = """[...document.querySelectorAll("#classes tbody tr")]
    .map((row) => [...row.cells].slice(1).map((cell) => cell.textContent))"""
# The least contrast of a text with what is behind it, and whose that is; colours as the browser sees them.
CONTRAST = """(() => {
    const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const over = (below, colour) => {
        context.fillStyle = below;
        context.fillRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return "rgb(" + [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).join() + ")";
    };
    const light = (colour) => {
        const parts = colour.match(/\\d+/g).map((part) => part / 255)
            .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const page = getComputedStyle(document.querySelector("thead")).backgroundColor;
    const behind = (one) => one === null ? page : over(behind(one.parentElement), getComputedStyle(one).backgroundColor);
    let least = [99, ""];
    for (const selector of [".verdict", "#matches", "th button", "td", ".up", ".down"]) {
        const one = document.querySelector(selector), below = behind(one);
        const pair = [light(below), light(over(below, getComputedStyle(one).color))].sort((a, b) => b - a);
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (ratio < least[0]) least = [ratio, selector];
    }
    return least;
})()"""


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def report(*arguments, stdin=b""):
    return subprocess.run([REPORT, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def size(number):
    """As the page writes bytes."""
    units = ["B", "KB", "MB"]
    value = abs(number)
    while round(value, 1) >= 1024:
        value /= 1024
        units.pop(0)
    return ("-" if number < 0 else "") + ("%d B" % value if units[0] == "B" else "%.1f %s" % (value, units[0]))


def grouped(number):
    return format(number, ",")


def words(first, second, write):
    """The two and their difference."""
    known = ["–" if one is None else write(one) for one in (first, second)]
    if None in (first, second):
        return known + ["–" if first == second else "new" if first is None else "gone"]
    return known + [("+" if second >= first else "") + write(second - first)]


class Page(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.recorded = tempfile.TemporaryDirectory(prefix="memprof-page-")
        cls.addClassCleanup(cls.recorded.cleanup)
        cls.record()
        cls.page = cls.make("page.html", "snapshots.jsonl", "bot.log")
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.recorded.name, name)

    @classmethod
    def record(cls):
        """Runs the program; its snapshots are then put five minutes apart."""
        with open(cls.path("program.py"), "w") as file:
            file.write("STEPS = %r\nHOSTILE = %r\n" % (STEPS, HOSTILE) + host.joined(PROGRAM))
        environment = host.profiled_environment(
            snapshot_signal="SIGUSR1", interval_seconds=3600, follow_children="yes", snapshot_file="real.jsonl",
            retention_classes="__main__.Order")
        done = subprocess.run([sys.executable, "program.py"], cwd=cls.recorded.name, env=environment, check=True,
                              timeout=120, stdout=subprocess.PIPE)
        pids = [int(word) for word in done.stdout.split()]
        cls.lines = {kind: [] for kind in STEPS}
        start = datetime.datetime(2026, 11, 24, 13)
        with open(cls.path("real.jsonl")) as real, open(cls.path("snapshots.jsonl"), "w") as file:
            for line in map(json.loads, real):
                line["elapsed_ms"] = 300000 * line["sequence"]
                line["time"] = (start + datetime.timedelta(milliseconds=line["elapsed_ms"])).isoformat() + ".000Z"
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
                if line["pid"] in pids:
                    cls.lines[list(STEPS)[pids.index(line["pid"])]].append(line)
        cls.pids = dict(zip(STEPS, pids))

    @classmethod
    def make(cls, page, *names):
        done = report("--html", cls.path(page), *map(cls.path, names))
        if (done.returncode, done.stderr) != (0, b""):
            raise AssertionError(done)
        return cls.path(page)

    def setUp(self):
        self.browser.look(1280, 1000)
        self.browser.open(self.page)

    def tearDown(self):
        """Whatever was done in the page."""
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.browser.requests(), ["file://" + self.page])
        self.assertIs(self.browser.run("window.owned === undefined"), True)

    def run_in(self, expression, *arguments):
        return self.browser.run("(%s)(%s)" % (expression, ", ".join(map(json.dumps, arguments))))

    def shoot(self, name):
        if SCREENSHOTS:
            os.makedirs(SCREENSHOTS, exist_ok=True)
            self.browser.screenshot(os.path.join(SCREENSHOTS, name + ".png"))

    def choose(self, box, index):
        """With the keyboard, as in any browser."""
        self.browser.run("document.getElementById(%s).focus()" % json.dumps(box))
        self.browser.press("Home")
        for _ in range(index):
            self.browser.press("ArrowDown")
        self.assertEqual(self.run_in("(id) => document.getElementById(id).selectedIndex", box), index)

    def choose_process(self, words):
        names = self.browser.run("[...document.getElementById('process').options].map((one) => one.text)")
        (index,) = (at for at, name in enumerate(names) if name == words)
        self.choose("process", index)

    def series(self, kind, name):
        """What the records have of a class: counts and sizes."""
        rows = [{row[0]: row[1:] for row in line["classes"]} for line in self.lines[kind]]
        return [[row.get(name, (None, None))[at] for row in rows] for at in (0, 1)]

    def datasets(self, chart):
        return {label: values for label, values in self.run_in(
            "(id) => Chart.getChart(id).data.datasets.map((one) => [one.label, one.data.map((point) => point.y)])", chart)}

    def expected_rows(self, kind, first, last):
        found = {}
        for name in {row[0] for line in self.lines[kind] for row in line["classes"]}:
            counts, sizes = self.series(kind, name)
            found[name] = [name, *words(sizes[first], sizes[last], size), *words(counts[first], counts[last], grouped)]
        return found

    # ---- Tests

    def test_charts(self):
        for kind, pid in self.pids.items():
            self.choose_process("snapshots.jsonl, pid %d" % pid)
            leaking = "__main__." + kind
            counts, sizes = self.series(kind, leaking)
            self.assertEqual(counts[-1], 700 * STEPS[kind])
            shown = self.datasets("counts-chart"), self.datasets("bytes-chart")
            self.assertEqual((shown[0][leaking], shown[1][leaking]), (counts, sizes))
            for name in shown[0]:
                self.assertEqual([one[name] for one in shown], self.series(kind, name))
            process = self.datasets("process-chart")
            for label, member in {"resident": "resident_bytes", "anonymous": "anonymous_bytes"}.items():
                self.assertEqual(process[label], [line["process"][member] for line in self.lines[kind]])
            self.assertEqual(process["in objects"], [line["bytes"] for line in self.lines[kind]])
            self.assertEqual(self.datasets("objects-chart")["objects"], [line["objects"] for line in self.lines[kind]])
            drawn = [self.run_in(DRAWN, chart) for chart in ("bytes-chart", "counts-chart", "process-chart", "objects-chart")]
            self.assertEqual(drawn, [3, 3, 3, 2])
            least = self.browser.run("[...document.querySelectorAll('canvas')].map((one) => Chart.getChart(one).scales.y.min)")
            self.assertGreaterEqual(min(least), 0)
            ticks = self.browser.run("Chart.getChart('bytes-chart').scales.x.ticks.map((one) => one.label)")
            self.assertIn("13:30", ticks)
        self.shoot("wide")

    def test_a_class_is_drawn_when_ticked(self):
        self.choose_process("snapshots.jsonl, pid %d" % self.pids["Order"])
        self.assertNotIn("__main__.Cache", self.datasets("counts-chart"))
        for is_drawn in True, False:
            self.browser.click("input[aria-label='draw __main__.Cache']")
            self.assertEqual("__main__.Cache" in self.datasets("counts-chart"), is_drawn)

    def test_search(self):
        self.choose_process("snapshots.jsonl, pid %d" % self.pids["Order"])
        everything = self.browser.run(ROWS)
        self.browser.click("#search")
        self.browser.type("__MAIN__.s")
        self.assertEqual([row[0] for row in self.browser.run(ROWS)], [])
        self.choose_process("snapshots.jsonl, pid %d" % self.pids["Session"])
        self.assertEqual([row[0] for row in self.browser.run(ROWS)], ["__main__.Session"])
        count = len(self.expected_rows("Session", 0, -1))
        self.assertEqual(self.browser.run("matches.textContent"), "1 of %d classes" % count)
        self.browser.click("#search")
        for _ in range(10):
            self.browser.press("Backspace")
        self.assertEqual(len(self.browser.run(ROWS)), count)
        self.choose_process("snapshots.jsonl, pid %d" % self.pids["Order"])
        self.assertEqual(self.browser.run(ROWS), everything)

    def test_two_snapshots_are_compared(self):
        self.choose_process("snapshots.jsonl, pid %d" % self.pids["Order"])
        self.assertEqual({row[0]: row for row in self.browser.run(ROWS)}, self.expected_rows("Order", 0, -1))
        for first, last in (2, 9), (9, 2), (5, 5):
            self.choose("from", first)
            self.choose("to", last)
            rows = self.browser.run(ROWS)
            self.assertEqual({row[0]: row for row in rows}, self.expected_rows("Order", first, last))
        self.choose("from", 2)
        self.choose("to", 9)
        rows = {row[0]: row for row in self.browser.run(ROWS)}
        self.assertEqual(rows["__main__.Order"][4:], ["1,400", "6,300", "+4,900"])
        self.assertEqual(rows["__main__.Cache"][4:], ["3,000", "–", "gone"])
        # The largest change first; a heading orders by what is below it.
        self.assertEqual(next(iter(rows)), "__main__.Order")
        self.browser.click("th button[data-key='name']")
        names = [row[0] for row in self.browser.run(ROWS)]
        self.assertEqual(names, sorted(names))

    def test_verdicts_and_their_chains(self):
        visible = "(id) => document.getElementById(id).checkVisibility() ? document.getElementById(id).innerText : null"
        for kind, pid in self.pids.items():
            self.choose_process("snapshots.jsonl, pid %d" % pid)
            text = self.run_in(visible, "verdicts")
            self.assertRegex(text, r"^Memory leak suspected: __main__\.%s has grown by .*"
                                   r"held by __main__\.kept\[\*\] \(list, [\d,]+ items, retains " % kind)
            self.assertEqual(text, [verdict["text"] for line in self.lines[kind] for verdict in line["verdicts"]][-1])
            self.assertEqual(self.browser.run("document.querySelector('.verdict b').textContent"), "__main__." + kind)
            self.assertIs(self.run_in(visible, "held"), None)
        self.choose_process("bot.log, pid %d" % self.pids["Order"])
        self.assertIn("Memory leak suspected: __main__.Order", self.run_in(visible, "verdicts"))
        self.assertRegex(self.run_in(visible, "held"),
                         r"__main__\.Order \([\d,]+ objects\)\n +50 of 50 by __main__\.kept\[\*\]")
        self.choose_process("snapshots.jsonl, pid %d" % self.lines_of_parent())
        self.assertEqual(self.run_in(visible, "verdicts"), "No class is suspected of a leak.")

    def lines_of_parent(self):
        with open(self.path("snapshots.jsonl")) as file:
            (pid,) = {json.loads(line)["pid"] for line in file} - set(self.pids.values())
        return pid

    def test_names_run_nothing(self):
        self.choose_process("snapshots.jsonl, pid %d" % self.pids["Order"])
        names = {"__main__." + name for name in HOSTILE}
        self.assertLessEqual(names, {row[0] for row in self.browser.run(ROWS)})
        self.assertLessEqual(names, set(self.datasets("bytes-chart")), "those grow, so they are drawn")
        self.assertEqual(self.browser.run("document.images.length"), 0)
        self.assertEqual(self.browser.run("[document.scripts.length, document.title]"), [3, "Memory report"])
        # A long one takes no more than a few lines, and is there as a whole for who asks.
        tall = self.browser.run("Math.max(...[...document.querySelectorAll('#classes tbody tr')].map((row) => row.offsetHeight))")
        self.assertLess(tall, 100)
        titles = self.browser.run("[...document.querySelectorAll('#classes td [title]')].map((one) => one.title)")
        self.assertIn("__main__." + HOSTILE[3], titles)
        self.browser.click("#search")
        self.browser.type("<IMG SRC=X ")
        self.assertEqual([row[0] for row in self.browser.run(ROWS)], ["__main__." + HOSTILE[0]])

    def test_on_a_phone(self):
        for kind, width in ("Order", 360), ("Session", 320):
            self.browser.look(width, 740, phone=True)
            self.browser.open(self.page)
            self.choose_process("snapshots.jsonl, pid %d" % self.pids[kind])
            self.assertEqual(self.browser.run("[innerWidth, document.documentElement.scrollWidth]"), [width, width])
            beyond = self.browser.run("""[...document.querySelectorAll("body *")].filter((one) =>
                one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 80))""")
            self.assertEqual(beyond, [])
            # Nothing in a chart's legend is wider than the chart.
            wide = self.browser.run("""Object.values(Chart.instances).flatMap((chart) => chart.legend.legendHitBoxes
                .filter((box) => box.left < 0 || box.left + box.width > chart.width))""")
            self.assertEqual(wide, [])
            self.assertEqual(self.run_in(DRAWN, "bytes-chart"), 3)
            self.shoot("phone-%d" % width)
            self.browser.click("#search")
            self.browser.type("main__." + kind)
            self.assertEqual([row[0] for row in self.browser.run(ROWS)], ["__main__." + kind])

    def test_light_and_dark(self):
        self.choose_process("snapshots.jsonl, pid %d" % self.pids["Order"])
        colours = set()
        for dark in False, True:
            self.browser.look(1280, 1000, dark=dark)
            contrast, where = self.browser.run(CONTRAST)
            self.assertGreaterEqual(contrast, 4.5, (where, dark))
            text = self.browser.run("getComputedStyle(document.body).color")
            self.assertEqual(self.browser.run("Chart.getChart('bytes-chart').options.scales.x.ticks.color"), text)
            colours.add(text)
            self.shoot("dark" if dark else "light")
        self.assertEqual(len(colours), 2)


class Alone(unittest.TestCase):
    """Other pages, each in a browser of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="memprof-page-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.browser = browser.Browser()
        self.addCleanup(self.browser.close)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def one_snapshot(self, *more, classes=(("app.Message", 3, 4),), **options):
        """A page of a process with a single snapshot."""
        records = self.write("one.jsonl", json.dumps({
            "memprof": 1, "time": "2026-11-24T13:00:00.000Z", "pid": 7, "sequence": 1, "elapsed_ms": 60000,
            "objects": 3, "bytes": 4, "class_count": 1, "pause_ms": 4.1, "longest_pause_ms": 4.1, "duration_ms": 212.0,
            "forked": True, "untracked": False, "process": {}, "classes": classes, "verdicts": []}) + "\n")
        page = os.path.join(self.folder, "one.html")
        self.assertEqual(report("--html", page, records, *more, **options).returncode, 0)
        return page

    def test_one_snapshot(self):
        page = self.one_snapshot()
        self.browser.open(page)
        self.assertEqual((self.browser.complaints(), self.browser.requests()), ([], ["file://" + page]))
        self.assertEqual(self.browser.run(ROWS), [["app.Message", "4 B", "4 B", "+0 B", "3", "3", "+0"]])
        self.assertEqual(self.browser.run("[matches.textContent, verdicts.textContent]"),
                         ["1 of 1 class", "No class is suspected of a leak."])

    def test_sizes_are_rounded_as_in_the_log(self):
        sizes = {31.25 * 1024: "31.2 KB", 31.75 * 1024: "31.8 KB", 1024 * 1024 - 30: "1.0 MB", 1023: "1023 B"}
        self.browser.open(self.one_snapshot(classes=[["app.C%d" % size, 1, int(size)] for size in sizes]))
        self.assertEqual({row[0]: row[1] for row in self.browser.run(ROWS)},
                         {"app.C%d" % size: text for size, text in sizes.items()})

    def test_processes_of_different_folders(self):
        with open(self.one_snapshot()[:-4] + "jsonl", "rb") as file:
            records = file.read()
        os.mkdir(os.path.join(self.folder, "two"))
        other = self.write("two/one.jsonl", records.decode())
        for more, names in (([other], ["one.jsonl, pid 7", "two/one.jsonl, pid 7"]),
                            (["-"], [self.folder + "/one.jsonl, pid 7", "standard input, pid 7"])):
            self.browser.open(self.one_snapshot(*more, stdin=records))
            shown = self.browser.run("[...document.getElementById('process').options].map((one) => one.text)")
            self.assertEqual((shown, self.browser.complaints()), (names, []))

    def test_what_is_put_into_the_page_later_does_not_run(self):
        """And it would be seen if it did: the same without the policy."""
        with open(self.one_snapshot()) as file:
            page = file.read().replace("</body>", """
                <script>window.owned = true; console.error("owned")</script>
                <img src="http://elsewhere.invalid/owned.png" onerror="throw Error('owned')"></body>""")
        self.browser.open(self.write("strict.html", page))
        self.assertEqual(self.browser.run("[window.owned === undefined, document.images.length]"), [True, 1])
        self.assertEqual(len(self.browser.run(ROWS)), 1)
        self.assertRegex("\n".join(self.browser.complaints()), "Content Security Policy")
        self.assertNotIn("http://elsewhere.invalid/owned.png", self.browser.requests())
        self.browser.open(self.write("loose.html", re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)))
        said = self.browser.complaints()
        self.assertIn("owned", said)
        self.assertIn("http://elsewhere.invalid/owned.png", self.browser.requests())
        self.assertTrue(any("net::ERR_" in one for one in said), said)


if __name__ == "__main__":
    if not os.path.isfile(host.LIBRARY):
        sys.exit("MEMPROF_LIBRARY names no file: %r" % host.LIBRARY)
    if browser.find() is None:
        skip("there is no chromium")
    if b"without Chart.js" in report("--html", os.devnull, os.devnull).stderr:
        skip("memprof-report was built without Chart.js")
    tests = unittest.TestSuite(unittest.TestSuite(each for each in unittest.defaultTestLoader.loadTestsFromTestCase(case)
                                                  if all(word in each.id() for word in sys.argv[1:]))
                               for case in (Page, Alone))
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful())
