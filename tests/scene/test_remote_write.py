"""Remote write out: Debian's Prometheus and VictoriaMetrics take the tally, and answer what /metrics shows."""
import contextlib
import http.server
import re
import threading

import pytest

from prometheus import prometheus, victoria
from running import running, until
from simulated import simulated
from test_ingest import metric

RECEIVERS = [pytest.param(prometheus, id="prometheus"), pytest.param(victoria, id="victoria-metrics")]
TOKENS = 'call="POST /auth/tokens",status="201"'


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_it_is_taken(receiver):
    with receiver() as there, simulated() as cloud:
        config = {"metrics": [{"remote_write": there.url + "/api/v1/write", "every": "500ms"}]}
        with running(cloud, config) as run:
            found = until(lambda: there.query(f"glasshouse_call_duration_seconds_count{{{TOKENS}}}"), "it is there")
            labels, n = found[0]
            assert n >= 1
            assert labels == {"__name__": "glasshouse_call_duration_seconds_count", "call": "POST /auth/tokens",
                              "status": "201", "cloud": "sim", "region": labels["region"], "service": "identity",
                              "job": "glasshouse", "instance": "test"}
            shown = run.get("/metrics", run.intake)[2].decode()
            bounds = set(re.findall(r'glasshouse_call_duration_seconds_bucket\{.*call="POST /auth/tokens".*'
                                    r'le="([^"]+)"', shown))
            assert len(bounds) > 10
            assert {x["le"] for x, _ in there.query(f"glasshouse_call_duration_seconds_bucket{{{TOKENS}}}")} == bounds
            # a histogram that a dashboard can use
            (_, p50), = there.query(f"histogram_quantile(0.5, glasshouse_call_duration_seconds_bucket{{{TOKENS}}})")
            assert 0 < p50 < 10
            assert there.query("glasshouse_component_health")
            sent = until(lambda: metric(run, "exporter_sent_points_total",
                                        exporter=f"remote_write 127.0.0.1:{there.port}"), "it is counted")
            assert sent > 10


@contextlib.contextmanager
def flaky(answers):
    """Answers with these, then 204; keeps what it was sent."""
    taken = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((dict(self.headers), body))
            self.send_response(answers.pop(0) if answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/v1/write", taken
    server.shutdown()
    server.server_close()


def test_it_comes_again():
    """A 500 is tried again; headers are secrets, and go along."""
    answers = [500, 503]
    with flaky(answers) as (url, taken), simulated() as cloud:
        environment = {**cloud.environment(), "REMOTE": "Bearer hunter2-hunter2"}
        cloud.environment = lambda: environment
        config = {"metrics": [{"name": "flaky", "remote_write": url, "every": "200ms",
                               "headers": {"Authorization": "env:REMOTE"}}]}
        with running(cloud, config) as run:
            until(lambda: metric(run, "exporter_sent_points_total", exporter="flaky"), "it is taken at last")
            assert metric(run, "exporter_failures_total", exporter="flaky") == 2 and not answers
            assert "hunter2" not in run.stdout() + run.stderr()
    headers = {k.lower(): v for k, v in taken[0][0].items()}
    assert headers["authorization"] == "Bearer hunter2-hunter2"
    assert headers["content-encoding"] == "snappy" and headers["content-type"] == "application/x-protobuf"
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"
