"""CloudMon's names: StatsD, Graphite and our own series are told by them, as openstacksdk and GlobalMon would."""
import contextlib
import http.server
import json
import re
import threading

import pytest

import serve
from carbon import Carbon
from running import LOOPBACK, running, until
from serve import refusing
from simulated import simulated
from test_ingest import LISTEN, metric, ports, series

PLACE = "stage.here"
API = "openstack.api." + PLACE


@contextlib.contextmanager
def web(status=200):
    """A server that answers everything with this."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def probe(name, port, **more):
    return {"name": name, "every": "1s", "http": f"http://127.0.0.1:{port}/a/b?c=d", "globalmon": "shop", **more}


def bare(names, kind):
    """Without what StatsD adds."""
    return {m[1] for n in names for m in [re.fullmatch(rf"stats\.{kind}\.(.*?)(?:\.(?:count|rate))?", n)] if m}


def test_all_three_are_told():
    """One program tells another by StatsD, Debian's carbon by Graphite, and itself: the same names, verbatim."""
    with simulated() as there, running(there, {"listen": LISTEN}) as taker, Carbon() as carbon, \
            simulated() as cloud, web() as good, web(503) as bad, refusing() as none:
        until(lambda: len(ports(taker)) == 3, "it says where it listens")
        config = {"cloudmon": {"environment": "stage", "zone": "here", "own": True},
                  "metrics": [{"statsd": f"127.0.0.1:{ports(taker)['statsd']}", "every": "200ms"},
                              {"graphite": f"127.0.0.1:{carbon.port}", "every": "2s", "prefix": "gh"}],
                  "probes": [probe("good", good), probe("bad", bad), probe("none", none),
                             {"name": "not-told", "every": "1s", "http": f"http://127.0.0.1:{good}/"}]}
        with running(cloud, config) as run:
            counted = {f"{API}.identity.POST.tokens.201", f"{API}.identity.POST.tokens.attempted"}
            told = until(lambda: counted <= bare(series(run, "stats.counters.*"), "counters") and
                         series(run, "stats.*"), "it keeps them itself", 40)
            # probes of the catalog are told too
            until(lambda: [n for n in series(run, "stats.timers.*") if re.fullmatch(
                rf"stats\.timers\.{API}\.compute\.GET\.\w+\.(200|300)", n)], "endpoints are told", 40)
            urls = {name: f"127_0_0_1_{port}_a_b" for name, port in (("good", good), ("bad", bad), ("none", none))}
            for name, code in (("good", "200"), ("bad", "503"), ("none", "connection_failed")):
                path = f"globalmon.{PLACE}.shop.{urls[name]}"
                assert told[f"stats.counters.counter.{path}.attempted"][0]["sum"] >= 1, sorted(told)
                assert f"stats.counters.counter.{path}.{code}" in told and f"stats.timers.{path}.{code}" in told
            assert not [n for n in told if "globalmon" in n and ".shop." not in n]
            timer = told[f"stats.timers.{API}.identity.POST.tokens.201"][0]
            assert timer["n"] == told[f"stats.counters.{API}.identity.POST.tokens.201"][0]["sum"]
            here = until(lambda: set(told) <= set(series(taker, "stats.*")) and series(taker, "stats.*"),
                         "StatsD took them", 40)
            assert bare(here, "timers") and {n for n in here if ".201" in n} == {n for n in told if ".201" in n}
            wanted = {f"stats.counters.gh.{n}.count" for n in counted} | {
                f"stats.timers.gh.{API}.identity.POST.tokens.201.{what}" for what in (
                    "count", "count_ps", "lower", "upper", "sum", "sum_squares", "mean", "median", "std", "count_90",
                    "mean_90", "upper_90", "sum_90", "sum_squares_90")}
            until(lambda: wanted <= carbon.names(), "carbon has a file of each", 40)
            until(lambda: sum(carbon.values(f"stats.counters.gh.counter.globalmon.{PLACE}.shop.{urls['good']}"
                                            ".attempted.count")) >= 3, "carbon has counted", 40)
            until(lambda: metric(run, "exporter_sent_points_total", exporter=f"graphite 127.0.0.1:{carbon.port}"),
                  "what carbon took is counted")


def test_carbon_comes_later():
    """What it did not take waits for it, at the times at which it was."""
    with simulated() as cloud, web() as good, Carbon() as carbon:
        carbon.stop()
        config = {"cloudmon": {"environment": "stage", "zone": "here"},
                  "metrics": [{"name": "late", "graphite": f"127.0.0.1:{carbon.port}", "every": "1s"}],
                  "probes": [probe("good", good)]}
        with running(cloud, config) as run:
            until(lambda: metric(run, "exporter_failures_total", exporter="late") and
                  metric(run, "exporter_waiting_points", exporter="late") > 100, "it waits", 60)
            carbon.start()
            name = f"stats.counters.counter.globalmon.{PLACE}.shop.127_0_0_1_{good}_a_b.attempted.count"
            until(lambda: metric(run, "exporter_sent_points_total", exporter="late"), "it is sent", 90)
            until(lambda: name in carbon.names() and len(carbon.values(name)) >= 3, "each second has its value", 60)
            assert metric(run, "exporter_lost_points_total", exporter="late") == 0


@pytest.mark.parametrize("receiver, says", [
    ({"statsd": "nowhere"}, "metrics: statsd: \"nowhere\" is no HOST:PORT"),
    ({"graphite": "http://a:1/"}, "is no HOST:PORT"),
    ({"statsd": "a:1", "gzip": True}, "of kind statsd takes no gzip"),
    ({"remote_write": "http://a/", "prefix": "x"}, "of kind remote_write takes no prefix"),
    ({"statsd": "a:1", "zone": "eu.de"}, "zone: \"eu.de\" must be letters"),
    ({"statsd": "a:1", "otlp": "http://a/"}, "needs only one of influx, otlp, remote_write, statsd, graphite"),
])
def test_what_is_wrong_is_said(receiver, says):
    with simulated() as cloud:
        path = cloud.place + "/glasshouse.yaml"
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"listen": LOOPBACK, "metrics": [receiver]}, f)
        out = serve.run(cloud.place, "config", "check", "-c", path)
        assert out.returncode != 0 and says in out.stdout + out.stderr, out.stdout + out.stderr
