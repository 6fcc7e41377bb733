"""Receivers of numbers on loopback, each started by the test that uses it: InfluxDB, and an OTLP receiver that takes
nothing but what the protocol allows."""
import gzip
import http.server
import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import otlp

CONFIG = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{place}/meta"
[data]
  dir = "{place}/data"
  wal-dir = "{place}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  auth-enabled = {auth}
  log-enabled = false
"""


class Influx:
    """Debian's influxd. `password` of user oshm: then it wants to know who writes."""

    def __init__(self, ports, password=None):
        self.place = tempfile.mkdtemp(prefix="influx-")
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.password = password
        path = os.path.join(self.place, "influx.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(place=self.place, http=ports[0], rpc=ports[1],
                                  auth="true" if password else "false"))
        with open(os.path.join(self.place, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["influxd", "run", "-config", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": self.place})
        end = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(self.url + "/ping", timeout=5):
                    break
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, "influxd did not start"
                time.sleep(0.1)
        if password:
            self.ask(f"CREATE USER oshm WITH PASSWORD '{password}' WITH ALL PRIVILEGES", method="POST")
        for name in ("glasshouse", "cicd"):
            self.ask(f"CREATE DATABASE {name}", method="POST")

    def ask(self, query, database=None, method="GET"):
        """The series of the answer: [(name, tags, [{column: value}])]."""
        form = {"q": query}
        if database:
            form["db"] = database
        if self.password and "CREATE USER" not in query:
            form |= {"u": "oshm", "p": self.password}
        request = urllib.request.Request(f"{self.url}/query?{urllib.parse.urlencode(form)}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)["results"][0]
        assert "error" not in result, result
        return [(s["name"], s.get("tags", {}), [dict(zip(s["columns"], row)) for row in s["values"]])
                for s in result.get("series", [])]

    def rows(self, query, database="glasshouse"):
        series = self.ask(query, database)
        return series[0][2] if series else []

    def close(self):
        self.process.terminate()
        self.process.wait(60)
        subprocess.run(["rm", "-rf", self.place], check=True)


class Otlp:
    """Takes ExportMetricsServiceRequests in JSON; `wrong` has what was not as it must be."""

    def __init__(self):
        self.taken, self.wrong, self.headers = [], [], []
        self.answer = (200, {}, "{}")

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                if handler.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                self.headers.append(dict(handler.headers))
                status, headers, text = self.answer
                if status == 200:
                    try:
                        assert handler.headers["Content-Type"] == "application/json"
                        self.taken.append(otlp.read(json.loads(body)))
                    except (AssertionError, ValueError) as error:
                        self.wrong.append(f"{error}: {body[:2000]}")
                handler.send_response(status)
                for name, value in headers.items():
                    handler.send_header(name, value)
                handler.send_header("Content-Length", str(len(text)))
                handler.end_headers()
                handler.wfile.write(text.encode())

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/metrics"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def points(self, name):
        """All points of the metric so far, in order of coming: [(resource, point)]."""
        found = []
        for request in list(self.taken):
            for resource in request.resource_metrics:
                of = attributes(resource.resource.attributes)
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if metric.name == name:
                            found += [(of, p) for p in metric.value().data_points]
        return found

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def attributes(pairs):
    return {p.key: p.value.value() for p in pairs}
