# SPDX-License-Identifier: MIT
"""Records and gauges through OpenTelemetry's own OTLP exporters, into a receiver on loopback."""

import http.server
import importlib.util
import re
import threading

import host

# The filters of memory_profiling_spec.md, whose tables have ten rows.
FILTERS = {
    "snapshots": '{job="discord-bot", logger="memory_profiler"} |= "Memory Snapshot"',
    "counts": '{job="discord-bot", logger="memory_profiler"}\n  |= "Top 10 by object count"',
    "sizes": '{job="discord-bot", logger="memory_profiler"}\n  |= "Top 10 by memory usage"',
}

PROGRAM = host.RECORDS + """
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    from opentelemetry import metrics
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource

    resource = Resource.create({"service.name": "discord-bot"})
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter("http://127.0.0.1:PORT/v1/logs")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter("http://127.0.0.1:PORT/v1/metrics"),
                                           export_interval_millis=3600000)
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader]))
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().handlers = [Records(), LoggingHandler(logger_provider=logs)]
    wait(lambda: Records.count, "the first snapshot")
    logging.getLogger("bot").info("Memory is what %s talk of", "others")
"""


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps the bodies of what is posted, by path."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            raise ValueError("no exporter was told to compress")
        self.server.bodies.setdefault(self.path, []).append(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def plain(value):
    """What an AnyValue of opentelemetry.proto.common holds."""
    return getattr(value, value.WhichOneof("value")) if value.WhichOneof("value") else None


def plain_attributes(attributes):
    return {attribute.key: plain(attribute.value) for attribute in attributes}


def matches(query, labels, line):
    """Whether a log query of Loki selects the line: labels that are equal, then texts that are in it."""
    selector, texts = re.fullmatch(r'\{(.*?)\}\s*((?:\|=\s*"[^"]*"\s*)*)', query).groups()
    wanted = dict(re.findall(r'(\w+)="([^"]*)"', selector))
    assert wanted and texts, query
    return (all(labels.get(name) == value for name, value in wanted.items()) and
            all(text in line for text in re.findall(r'"([^"]*)"', texts)))


class Otlp(host.HostTest):
    def setUp(self):
        super().setUp()
        for module in ("opentelemetry.proto", "opentelemetry.exporter.otlp.proto.http"):
            try:
                found = importlib.util.find_spec(module)
            except ImportError:
                found = None
            if found is None:
                self.skipTest("no %s here" % module)
        if self.run_command([self.python, "-c", "import opentelemetry.exporter.otlp.proto.http"],
                            host.clean_environment()).code != 0:
            self.skipTest("this interpreter has no exporter")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.server.bodies = {}
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)

    def run_exporting(self, *parts, **options):
        options = {"interval_seconds": 3600, "snapshot_signal": "SIGUSR1", "top_n_classes": 10, **options}
        program = PROGRAM.replace("PORT", str(self.server.server_port))
        ended = self.run_program(host.joined(program, *parts), environment={
            **host.profiled_environment(**options), "no_proxy": "*"})
        self.assert_clean(ended)

    def records(self):
        """Every log record that has come in: (labels, severity, body, attributes)."""
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
        found = []
        for body in self.server.bodies.get("/v1/logs", []):
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
                job = plain_attributes(resource.resource.attributes)["service.name"]
                for scope in resource.scope_logs:
                    found += [({"job": job, "logger": scope.scope.name}, record.severity_text, plain(record.body),
                               plain_attributes(record.attributes)) for record in scope.log_records]
        return found

    def gauges(self):
        """The gauges that have come in last: {name: [(attributes, value)]}."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
        found = {}
        for body in self.server.bodies.get("/v1/metrics", []):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics if scope.scope.name == "memory_profiler" else []:
                        found[metric.name] = [(plain_attributes(point.attributes), point.as_int)
                                              for point in metric.gauge.data_points]
        return found

    LEAKING = """
        class Leaky: pass
        keep = []
        for i in range(16):
            keep.extend(Leaky() for j in range(1000))
            snapshot()
    """

    def test_records(self):
        self.run_exporting(self.LEAKING)
        records = [record for record in self.records() if record[0]["logger"] == "memory_profiler"]
        starts = [body for labels, severity, body, attributes in records if body == host.STARTED]
        self.assertEqual(len(starts), 1)
        start = "Memory Snapshot\n\nTop 10 by object count:\n"
        snapshots = [record for record in records if record[2].startswith(start)]
        self.assertGreaterEqual(len(snapshots), 17)
        for sequence, (labels, severity, body, attributes) in enumerate(snapshots, 1):
            self.assertEqual((severity, attributes["memprof_sequence"]), ("INFO", sequence))
            self.assertEqual(sum(attributes[name] > 0 for name in ("memprof_objects", "memprof_bytes",
                                                                   "memprof_resident_bytes")), 3)
            self.assertEqual(len(host.Snapshot(body).counts), 10)
        self.assertEqual(host.Snapshot(snapshots[-1][2]).counts["__main__.Leaky"], 16000)
        warnings = [record for record in records if record[1] != "INFO"]
        self.assertEqual({severity for labels, severity, body, attributes in warnings}, {"WARN"})
        self.assertTrue(warnings[0][2].startswith("Memory leak suspected: __main__.Leaky has grown"), warnings[0])

    def test_log_queries(self):
        self.run_exporting("snapshot()")
        records = self.records()
        self.assertTrue(any(labels["logger"] == "bot" for labels, *rest in records))
        snapshots = [body for labels, severity, body, attributes in records if "memprof_objects" in attributes]
        self.assertGreaterEqual(len(snapshots), 2)
        for name, query in FILTERS.items():
            self.assertEqual([body for labels, severity, body, attributes in records
                              if matches(query, labels, body)], snapshots, name)

    def test_gauges(self):
        """What the SDK flushes when the program ends is the last snapshot, in the log as in the metrics."""
        self.run_exporting(self.LEAKING)
        gauges = self.gauges()
        body = [body for labels, severity, body, attributes in self.records() if "memprof_objects" in attributes][-1]
        self.assertEqual({attributes["class"]: value for attributes, value in gauges["memory_profiler.class.objects"]},
                         host.Snapshot(body).counts)
        # The exporter keeps the records until it has sent them, so the dicts that they have may grow too.
        suspected = {attributes["class"]: value for attributes, value in gauges["memory_profiler.class.suspected"]}
        self.assertEqual({**suspected, "dict": 1}, {"__main__.Leaky": 1, "dict": 1})
        self.assertEqual([attributes for attributes, value in gauges["memory_profiler.process.resident"]], [{}])


if __name__ == "__main__":
    host.main()
