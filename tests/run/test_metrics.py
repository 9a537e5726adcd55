# SPDX-License-Identifier: MIT
"""The figures in the program's own metrics, as prometheus_client and OpenTelemetry's SDK export them.

Each interpreter gets the packages that it has, or Debian's where they are of Python only.
"""

import json
import os
import subprocess

import host

PACKAGES = "/usr/lib/python3/dist-packages"
GAUGES = {
    "memory_profiler.python.objects": ("{object}", "memprof_objects"),
    "memory_profiler.python.size": ("By", "memprof_bytes"),
    "memory_profiler.python.blocks": ("{block}", "memprof_allocated_blocks"),
    "memory_profiler.process.resident": ("By", "memprof_resident_bytes"),
    "memory_profiler.process.anonymous": ("By", "memprof_anonymous_bytes"),
    "memory_profiler.process.swapped": ("By", "memprof_swapped_bytes"),
    "memory_profiler.allocator.used": ("By", "memprof_allocator_used_bytes"),
    "memory_profiler.allocator.free": ("By", "memprof_allocator_free_bytes"),
}

# What is read from a registry of prometheus_client: {name: {class or "": value}}.
SCRAPING = """
    import prometheus_client.parser
    def families(text):
        return {family.name: family for family in prometheus_client.parser.text_string_to_metric_families(text)
                if family.name.startswith("memory_profiler_")}
    def scrape(text=None):
        if text is None:
            text = prometheus_client.generate_latest().decode()
        found = {}
        for name, family in families(text).items():
            assert family.type == "gauge", family
            for sample in family.samples:
                key = sample.labels.get("class", "")
                assert set(sample.labels) <= {"class"} and key not in found.setdefault(name, {}), sample
                found[name][key] = sample.value
        return found
"""

# What a reader of OpenTelemetry's collects: {name: [unit, {class or "": value}]}.
COLLECTING = """
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    def collect(reader):
        found = {}
        data = reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else []:
            for scope in resource.scope_metrics:
                if scope.scope.name != "memory_profiler":
                    continue
                for metric in scope.metrics:
                    points = [(dict(point.attributes), point.value) for point in metric.data.data_points]
                    assert all(set(attributes) <= {"class"} for attributes, value in points), points
                    assert type(metric.data).__name__ == "Gauge", metric
                    found[metric.name] = [metric.unit, {a.get("class", ""): value for a, value in points}]
        return found
"""


def prometheus_name(name, unit):
    return name.replace(".", "_") + ("_bytes" if unit == "By" else "")


class MetricsTest(host.HostTest):
    packages = ()

    def setUp(self):
        super().setUp()
        self.path = None
        if not self.imports():
            self.path = self.folder
            for name in self.packages:
                if os.path.exists(os.path.join(PACKAGES, name)):
                    os.symlink(os.path.join(PACKAGES, name), os.path.join(self.folder, name))
        if not self.imports():
            self.skipTest("no %s here" % self.module)

    def environment(self, **options):
        options = {"snapshot_signal": "SIGUSR1", "interval_seconds": 3600, "top_n_classes": 5, **options}
        environment = host.profiled_environment(**options)
        if self.path is not None:
            environment["PYTHONPATH"] = self.path
        return environment

    def imports(self):
        environment = host.clean_environment()
        if self.path is not None:
            environment["PYTHONPATH"] = self.path
        return subprocess.run([self.python, "-c", "import " + self.module], env=environment,
                              stderr=subprocess.DEVNULL).returncode == 0

    def answers(self, *parts, code=0, complaints=(), environment=None, **options):
        """What the program prints as JSON."""
        ended = self.run_program(host.joined(*parts), environment={**self.environment(**options),
                                                                   **(environment or {})})
        self.assertEqual((ended.code, ended.complaints), (code, list(complaints)), ended)
        return json.loads(ended.out)

    def assert_shows(self, found, snapshot, attributes):
        """`found` is {name: [unit, {class: value}]}, and shows exactly what the snapshot's record has."""
        objects = found["memory_profiler.class.objects"]
        self.assertEqual(objects[0], "{object}")
        self.assertEqual(list(objects[1].items()), list(host.Snapshot(snapshot).counts.items()))
        sizes = found["memory_profiler.class.size"]
        self.assertEqual(sizes[0], "By")
        self.assertEqual(list(sizes[1]), list(host.Snapshot(snapshot).sizes))
        for name, text in host.Snapshot(snapshot).sizes.items():
            scale = {"B": 1, "KB": 1024, "MB": 1 << 20, "GB": 1 << 30}[text.split()[1]]
            self.assertAlmostEqual(sizes[1][name] / scale, float(text.split()[0]), delta=0.051)
        for name, (unit, attribute) in GAUGES.items():
            self.assertEqual(name in found, attribute in attributes, name)
            if name in found:
                self.assertEqual(found[name], [unit, {"": attributes[attribute]}], name)
        self.assertEqual(set(found) - set(GAUGES), {"memory_profiler.class.objects", "memory_profiler.class.size"})

    def assert_leaves_no_references(self, *parts):
        """`parts` define read(), which shows the gauges."""
        if "d" not in self.interpreter.flags:
            self.skipTest("references are counted in debug builds only")
        totals = self.answers(host.ASKING, *parts, """
            import gc, json
            snapshot()
            assert "memory_profiler" in str(read())
            totals = []
            for i in range(6):
                for j in range(50):
                    read()
                gc.collect()
                totals.append(sys.gettotalrefcount())
            print(json.dumps(totals))
        """)
        self.assertLess(totals[-1] - totals[1], 20, totals)


# A child's first one may have begun before the child has changed anything.
TWO_SNAPSHOTS = "snapshot(), snapshot()"
ATTRIBUTES = "{name: value for name, value in vars(record).items() if name.startswith('memprof_')}"


class Prometheus(MetricsTest):
    packages = ("prometheus_client", "decorator.py")
    module = "prometheus_client.parser"

    def dotted(self, found):
        """Names and units as OpenTelemetry has them."""
        units = {name: unit for name, (unit, attribute) in GAUGES.items()}
        units.update({"memory_profiler.class.objects": "{object}", "memory_profiler.class.size": "By"})
        names = {prometheus_name(name, unit): name for name, unit in units.items()}
        return {names[name]: [units[names[name]], values] for name, values in found.items()}

    def test_shows_the_latest_snapshot(self):
        for mode in ["inline"] if self.interpreter.free_threaded or host.CANNOT_FORK else ["inline", "fork"]:
            with self.subTest(mode=mode):
                found, text, attributes = self.answers(host.ASKING, SCRAPING, """
                    import json
                    class Message: pass
                    keep = [Message() for i in range(20000)]
                    record = snapshot()
                    print(json.dumps([scrape(), record.getMessage(), %s]))
                """ % ATTRIBUTES, snapshot_mode=mode)
                self.assert_shows(self.dotted(found), text, attributes)
                self.assertEqual(found["memory_profiler_class_objects"]["__main__.Message"], 20000)
                self.assertEqual(len(found["memory_profiler_class_objects"]), 5)

    def test_over_http(self):
        found, text = self.answers(host.ASKING, SCRAPING, """
            import http.server, json, urllib.request
            record = snapshot()
            server = http.server.HTTPServer(("127.0.0.1", 0), prometheus_client.MetricsHandler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            def get(query=""):
                url = "http://127.0.0.1:%d/metrics%s" % (server.server_port, query)
                return scrape(urllib.request.urlopen(url, timeout=30).read().decode())
            assert list(get("?name[]=memory_profiler_class_objects")) == ["memory_profiler_class_objects"]
            print(json.dumps([get(), record.getMessage()]))
            server.shutdown()
        """)
        self.assertEqual(found["memory_profiler_class_objects"], host.Snapshot(text).counts)

    def test_off(self):
        found = self.answers(host.ASKING, SCRAPING, """
            import json
            snapshot()
            time.sleep(0.5)
            print(json.dumps(list(scrape())))
        """, metrics="off")
        self.assertEqual(found, [])

    def test_nothing_is_imported_for_it(self):
        found = self.answers(host.ASKING, """
            import json
            snapshot()
            print(json.dumps([name for name in sys.modules if name.startswith(("prometheus", "opentelemetry"))]))
        """)
        self.assertEqual(found, [])

    def test_imported_late(self):
        """The next snapshot finds it."""
        found = self.answers(host.ASKING, SCRAPING, """
            import json
            record = snapshot()
            print(json.dumps([scrape(), record.getMessage()]))
        """)
        self.assertEqual(found[0]["memory_profiler_class_objects"], host.Snapshot(found[1]).counts)

    def test_without_a_log(self):
        """Snapshots are taken for the metrics alone."""
        found = self.answers(SCRAPING, """
            import json, logging, time
            logging.getLogger("memory_profiler").setLevel(logging.CRITICAL)
            until = time.monotonic() + 50
            while not scrape() and time.monotonic() < until:
                time.sleep(0.01)
            print(json.dumps(scrape()))
        """)
        self.assertEqual(len(found["memory_profiler_class_objects"]), 5)

    def test_what_classes_may_be_called(self):
        found = self.answers(host.ASKING, SCRAPING, r"""
            import json
            names = ['quo"ted', 'back\\slash', 'new\nline', '\u00fc\u4f60\U0001f600', '{a="b"} 1', '\u202e']
            keep = [[type(name, (), {})() for i in range(3000)] for name in names]
            snapshot()
            print(json.dumps(scrape()["memory_profiler_class_objects"]))
        """, top_n_classes=200)
        for name in ('quo"ted', "back\\slash", "\u00fc\u4f60\U0001f600", '{a="b"} 1'):
            self.assertTrue(any(key == "__main__." + name for key in found), (name, list(found)[:20]))
        self.assertTrue(all(key.isprintable() for key in found))

    def test_the_program_has_these_names_itself(self):
        found = self.answers(host.ASKING, SCRAPING, """
            import json
            own = prometheus_client.Gauge("memory_profiler_class_objects", "the program's own")
            own.set(42)
            snapshot()
            print(json.dumps(scrape()))
        """, complaints=["memprof: metrics: prometheus_client does not take the gauges of memory_profiler; they "
                         "are not shown there"])
        self.assertEqual(found, {"memory_profiler_class_objects": {"": 42}})

    FORKING = """
        import json
        class Message: pass
        keep = [Message() for i in range(20000)]
        record = snapshot()
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            keep = keep[:5000]
            %s
            os.write(write_end, json.dumps(scrape()).encode())
            os._exit(0)
        os.close(write_end)
        child = json.loads(os.fdopen(read_end).read() or "null")
        assert os.waitpid(pid, 0)[1] == 0
        print(json.dumps([scrape(), child]))
    """

    def test_a_child_that_is_not_followed(self):
        parents, childs = self.answers(host.ASKING, SCRAPING, self.FORKING % "pass")
        self.assertEqual(parents["memory_profiler_class_objects"]["__main__.Message"], 20000)
        self.assertEqual(childs, {})

    def test_a_child_that_is_followed(self):
        parents, childs = self.answers(host.ASKING, SCRAPING, self.FORKING % TWO_SNAPSHOTS, follow_children="true")
        self.assertEqual(parents["memory_profiler_class_objects"]["__main__.Message"], 20000)
        self.assertEqual(childs["memory_profiler_class_objects"]["__main__.Message"], 5000)

    def test_who_is_suspected(self):
        found = self.answers(host.ASKING, SCRAPING, """
            import json
            class Leaky: pass
            keep, seen = [], []
            for i in range(40):
                if i < 16:
                    keep.extend(Leaky() for j in range(1000))
                snapshot()
                seen.append(scrape().get("memory_profiler_class_suspected", {}).get("__main__.Leaky", 0))
            print(json.dumps(seen))
        """, top_n_classes=1)
        self.assertEqual(found[:3], [0, 0, 0])
        self.assertEqual(found[15], 1, found)
        self.assertEqual(found[-1], 0, found)

    def test_scraped_while_snapshots_are_taken(self):
        counts = self.answers(host.ASKING, SCRAPING, """
            import json
            def read():
                while not done:
                    found = scrape()
                    assert len(found["memory_profiler_class_objects"]) == 5, found
                    counts[threading.current_thread().name] += 1
            done, counts = False, {}
            threads = [threading.Thread(target=read, name=str(i)) for i in range(3)]
            counts.update({thread.name: 0 for thread in threads})
            snapshot()
            for thread in threads:
                thread.start()
            taken = 0
            while taken < 60 or min(counts.values()) < 10:
                snapshot()
                taken += 1
            done = True
            for thread in threads:
                thread.join()
            print(json.dumps(counts))
        """)
        self.assertGreaterEqual(min(counts.values()), 10)

    def test_leaves_no_references(self):
        self.assert_leaves_no_references(SCRAPING, "read = prometheus_client.generate_latest")

    def needs_gevent(self):
        probe = subprocess.run([self.python, "-c", "import gevent"], stderr=subprocess.DEVNULL)
        if probe.returncode != 0:
            self.skipTest("no gevent here")

    def test_gevent(self):
        """The registry's lock is gevent's there: it is taken in a greenlet."""
        self.needs_gevent()
        found = self.answers("""
            import gevent.monkey
            gevent.monkey.patch_all()
        """, SCRAPING, """
            import gevent, json, logging
            logging.getLogger("memory_profiler").setLevel(logging.CRITICAL)
            for i in range(2000):
                prometheus_client.generate_latest()
                gevent.sleep(0.005)
                if "memory_profiler_class_objects" in scrape():
                    break
            print(json.dumps(scrape()))
        """)
        self.assertEqual(len(found["memory_profiler_class_objects"]), 5)

    def test_gevent_whose_hub_is_busy(self):
        """No greenlet can run for so long that no more calls are kept: registered with afterwards."""
        self.needs_gevent()
        path = os.path.join(self.folder, "snapshots")
        found = self.answers("""
            import gevent.monkey
            gevent.monkey.patch_all()
        """, SCRAPING, """
            import ctypes, gevent, io, json, logging, os, signal, sys
            logger = logging.getLogger("memory_profiler")
            logger.setLevel(logging.INFO)
            logger.propagate = False
            start = gevent.monkey.get_original("_thread", "start_new_thread")
            sleep = gevent.monkey.get_original("time", "sleep")
            hidden = sys.modules.pop("prometheus_client")
            ready, go_on = os.pipe()
            def taken():
                return open(%(path)r).read().count("\\n") if os.path.exists(%(path)r) else 0
            def take(number):
                before = taken()
                while taken() < before + number:
                    os.kill(os.getpid(), signal.SIGUSR1)
                    sleep(0.01)
            def other():
                logger.addHandler(logging.StreamHandler(io.StringIO()))
                take(20)
                sys.modules["prometheus_client"] = hidden
                take(2)
                libc.write(go_on, b"x", 1)
            libc = ctypes.CDLL(None)
            start(other, ())
            libc.read(ready, ctypes.create_string_buffer(1), 1)
            for i in range(2000):
                gevent.sleep(0.005)
                take(1)
                if "memory_profiler_class_objects" in scrape():
                    break
            print(json.dumps(scrape()))
        """ % {"path": path}, snapshot_file=path, snapshot_signal="SIGUSR1", interval_seconds=3600,
            complaints=["memprof: a logging handler raised: records of memory_profiler may be lost"])
        self.assertEqual(len(found["memory_profiler_class_objects"]), 5)


class OpenTelemetry(MetricsTest):
    module = "opentelemetry.sdk.metrics"

    PROVIDER = """
        reader = InMemoryMetricReader()
        metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
    """

    def test_shows_the_latest_snapshot(self):
        found, text, attributes = self.answers(host.ASKING, COLLECTING, self.PROVIDER, """
            import json
            class Message: pass
            keep = [Message() for i in range(20000)]
            record = snapshot()
            print(json.dumps([collect(reader), record.getMessage(), %s]))
        """ % ATTRIBUTES)
        self.assert_shows(found, text, attributes)
        self.assertEqual(found["memory_profiler.class.objects"][1]["__main__.Message"], 20000)

    def test_a_class_that_is_gone_is_not_shown(self):
        found = self.answers(host.ASKING, COLLECTING, self.PROVIDER, """
            import json
            class Message: pass
            found = []
            for count in (20000, 10000, 0):
                keep = [Message() for i in range(count)]
                snapshot()
                found.append(collect(reader)["memory_profiler.class.objects"][1])
            print(json.dumps(found))
        """)
        self.assertEqual([len(each) for each in found], [5, 5, 5])
        self.assertEqual([each.get("__main__.Message") for each in found], [20000, 10000, None])

    def test_off(self):
        self.assertEqual(self.answers(host.ASKING, COLLECTING, self.PROVIDER, """
            import json
            snapshot()
            time.sleep(0.5)
            print(json.dumps(collect(reader)))
        """, metrics="false"), {})

    def test_without_a_provider(self):
        """Whoever only imports the API has nothing set up, and gets nothing: no provider is made for it."""
        self.assertEqual(self.answers(COLLECTING, host.ASKING, """
            import json
            snapshot()
            print(json.dumps([type(metrics.get_meter_provider()).__name__,
                              metrics._internal._METER_PROVIDER is None]))
        """), ["_ProxyMeterProvider", True])

    def test_a_variable_that_names_a_provider(self):
        """It is loaded by the program, when that asks for it, and not by us."""
        self.assertEqual(self.answers(COLLECTING, host.ASKING, """
            import json
            for i in range(3):
                snapshot()
            print(json.dumps(metrics._internal._METER_PROVIDER is None))
        """, environment={"OTEL_PYTHON_METER_PROVIDER": "sdk_meter_provider"}), True)

    def test_a_provider_that_is_set_late(self):
        """It is waited for where the API is there: without another snapshot, which would come in an hour."""
        found, text = self.answers(COLLECTING, host.ASKING, "time.sleep(0.5)", self.PROVIDER, """
            import json
            wait(lambda: collect(reader), "the gauges")
            assert Records.count == 1
            print(json.dumps([collect(reader), Records.last.getMessage()]))
        """)
        self.assertEqual(found["memory_profiler.class.objects"][1], host.Snapshot(text).counts)

    def test_imported_late(self):
        """The next snapshot finds it."""
        found, text = self.answers(host.ASKING, COLLECTING, self.PROVIDER, """
            import json
            record = snapshot()
            print(json.dumps([collect(reader), record.getMessage()]))
        """)
        self.assertEqual(found["memory_profiler.class.objects"][1], host.Snapshot(text).counts)

    def test_exported_when_the_program_ends(self):
        """The SDK flushes at exit, the latest atexit callback first: the last snapshot comes before that."""
        ended = self.run_program(host.joined(COLLECTING, host.ASKING, """
            from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader, ConsoleMetricExporter
            reader = InMemoryMetricReader()
            exporter = PeriodicExportingMetricReader(ConsoleMetricExporter(), export_interval_millis=3600000)
            metrics.set_meter_provider(MeterProvider(metric_readers=[reader, exporter]))
            wait(lambda: collect(reader), "the gauges")
            class Late: pass
            keep = [Late() for i in range(30000)]
        """), environment=self.environment(snapshot_at_exit="true"))
        self.assert_clean(ended)
        self.assertIn("__main__.Late", ended.out)

    def test_a_child_that_is_followed(self):
        forking = Prometheus.FORKING.replace("scrape()", "collect(reader)")
        parents, childs = self.answers(host.ASKING, COLLECTING, self.PROVIDER, forking % TWO_SNAPSHOTS,
                                       follow_children="true")
        for found, count in ((parents, 20000), (childs, 5000)):
            self.assertEqual(found["memory_profiler.class.objects"][1]["__main__.Message"], count)

    def test_a_child_that_is_not_followed(self):
        parents, childs = self.answers(host.ASKING, COLLECTING, self.PROVIDER,
                                       Prometheus.FORKING.replace("scrape()", "collect(reader)") % "pass")
        self.assertEqual(parents["memory_profiler.class.objects"][1]["__main__.Message"], 20000)
        self.assertEqual(childs, {})

    def test_its_exporter_for_prometheus(self):
        """The same gauges by both ways in one registry would be an error of its reader's."""
        if subprocess.run([self.python, "-c", "import opentelemetry.exporter.prometheus"],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no opentelemetry.exporter.prometheus here")
        for late in (False, True):
            with self.subTest(late=late):
                text = self.answers(host.ASKING, """
                    import json, prometheus_client
                    if %r:
                        snapshot()
                        assert "memory_profiler_class" in prometheus_client.generate_latest().decode()
                """ % late, COLLECTING, """
                    from opentelemetry.exporter.prometheus import PrometheusMetricReader
                    metrics.set_meter_provider(MeterProvider(metric_readers=[PrometheusMetricReader()]))
                    assert not %r or "memory_profiler_class" in prometheus_client.generate_latest().decode()
                    snapshot()
                    assert "otel_scope_name" in prometheus_client.generate_latest().decode()
                    print(json.dumps(prometheus_client.generate_latest().decode()))
                """ % late)
                lines = [line for line in text.splitlines() if line.startswith("memory_profiler_")]
                names = [line.partition("{")[0] for line in lines]
                self.assertEqual(names.count("memory_profiler_class_objects"), 5, text)
                self.assertEqual(names.count("memory_profiler_class_size_bytes"), 5, text)
                self.assertEqual(names.count("memory_profiler_process_resident_bytes"), 1, text)
                self.assertEqual(text.count("# TYPE memory_profiler_class_objects "), 1, text)

    def test_leaves_no_references(self):
        self.assert_leaves_no_references(COLLECTING, self.PROVIDER, "read = reader.get_metrics_data")


if __name__ == "__main__":
    host.main()
