"""CloudMon's rules in the whole program: StatsD in over a socket, health out over HTTP."""
import http.server
import json
import os
import signal
import socket
import threading
import time
import urllib.parse

import pytest
import yaml

from described import fits
from graphite_web import GraphiteWeb
from prometheus import prometheus
from running import LOOPBACK, running, until
from simulated import simulated

API = "stats.counters.openstack.api.$environment.*.$service.*.*"
LOW = (f"smartSummarize(asPercent(sumSeries({API}.{{2*,3*,404}}.count), sumSeries({API}.attempted.count)),"
       " '3min', 'average')")
DOWN = (f"asPercent(smartSummarize(sumSeries({API}.failed.count), '1min', 'average', '1min'),"
        f" smartSummarize(sumSeries({API}.attempted.count), '1min', 'average', '1min'))")
SERVICES = ("good", "errors", "down", "silent")


def rules(title="Service"):
    flags = [{"name": name, "service": service, "template": {"name": name}, "environments": [{"name": "prod"}]}
             for service in SERVICES for name in ("low", "down")]
    return {"datasource": {"url": "http://127.0.0.1:9"},
            "environments": [{"name": "prod", "attributes": {"region": "NORTH"}}],
            "metric_templates": {"low": {"query": LOW, "op": "lt", "threshold": 65},
                                 "down": {"query": DOWN, "op": "eq", "threshold": 100},
                                 "nobody": {"query": DOWN, "op": "eq", "threshold": 100}},
            "flag_metrics": flags,
            "health_metrics": {s: {"service": s, "component_name": f"{title} {s}", "category": "compute",
                                   "metrics": [f"{s}.low", f"{s}.down"],
                                   "expressions": [{"expression": f"{s}.low", "weight": 1},
                                                   {"expression": f"{s}.down", "weight": 2}]} for s in SERVICES}}


class Sender:
    """Calls of services as openstacksdk reports them, until it is closed."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = ("127.0.0.1", port)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(1):
            for service, code in (("good", "200"), ("errors", "500"), ("down", "failed")):
                name = f"openstack.api.prod.zone.{service}.GET.things"
                self.socket.sendto(f"{name}.attempted:1|c\n{name}.{code}:1|c\n".encode(), self.address)

    def close(self):
        self.over.set()
        self.thread.join()
        self.socket.close()


def statsd_port(run):
    return next(int(line.rsplit(":", 1)[1].strip("/ ")) for line in run.stdout().splitlines()
                if line.startswith("statsd"))


def write(path, what):
    with open(path, "w", encoding="utf-8") as f:
        yaml.safe_dump(what, f)


def ask(run, base=None, **arguments):
    status, headers, body = run.get("/api/v1/health?" + urllib.parse.urlencode(arguments), base)
    return status, headers["Content-Type"], body.decode()


def points(run, service, **more):
    status, kind, body = ask(run, service=service, environment="prod", **{"from": "-10min", "to": "now", **more})
    assert status == 200 and kind == "application/json", body
    fits(json.loads(body), "FlagsHealth")
    return json.loads(body)


@pytest.fixture(scope="module")
def cloud():
    with simulated() as c:
        yield c


def test_statsd_in_health_out(cloud):
    place = os.path.join(cloud.place, "mp")
    os.mkdir(place)
    write(os.path.join(place, "config.yaml"), rules())
    listen = {**LOOPBACK, "statsd": "127.0.0.1:0"}
    with running(cloud, {"listen": listen, "judge": {"minimum": "1s", "cloudmon": "mp/config.yaml"}}) as run:
        sender = Sender(statsd_port(run))
        try:
            # Before anything is known nothing is good.
            until(lambda: run.health("service-good"), "the component is made", 30)
            assert run.health("service-good") == "unknown"
            assert "no flag uses the template" in run.stderr()
            run.wait_health("service-down", "outage", 240)
            run.wait_health("service-errors", "degraded", 240)
            run.wait_health("service-good", "operational", 240)
            assert run.health("service-silent") == "unknown"
            component = next(c for c in run.site()["components"] if c["id"] == "service-down")
            assert component["region"] == "NORTH" and component["category"] == "compute"

            down = points(run, "down")
            assert (down["name"], down["service_category"], down["environment"]) == ("down", "compute", "prod")
            last = down["metrics"][-1]
            assert last["timestamp"] % 60 == 0
            assert last["weight"] == 2 and last["matched_expression"] == "down.down"
            assert last["metric_states"] == {"down.low": True, "down.down": True}
            assert {d["name"]: (d["op"], d["threshold"]) for d in last["triggered_metric_details"]} == {
                "down.low": ("lt", 65.0), "down.down": ("eq", 100.0)}
            good = points(run, "good")["metrics"][-1]
            assert good["weight"] == 0 and good["metric_states"] == {"good.low": False, "good.down": False}
            silent = points(run, "silent")["metrics"][-1]
            assert silent["weight"] is None and silent["health"] == "unknown"
            assert silent["metric_states"] == {"silent.low": None, "silent.down": None}
            pairs = points(run, "errors", format="pairs")["metrics"]
            assert pairs[-1] == [last["timestamp"], 1] or pairs[-1][1] == 1
            assert [at for at, _ in pairs] == [pairs[0][0] + 60 * i for i in range(len(pairs))]
            assert pairs[0][1] is None

            trees = json.loads(run.get("/render?format=json&from=-5min&target=health.prod.*&target=flag.prod.down.down",
                                       run.intake)[2])
            newest = {t["target"]: [v for v, _ in t["datapoints"] if v is not None][-1:] for t in trees}
            assert newest == {"health.prod.good": [0], "health.prod.errors": [1], "health.prod.down": [2],
                              "health.prod.silent": [], "flag.prod.down.down": [1]}

            # The rules again: what is told of components that are gone is told no more.
            write(os.path.join(place, "config.yaml"), rules("Thing"))
            run.signal(signal.SIGHUP)
            run.wait_health("thing-down", "outage", 240)
            until(lambda: run.health("service-down") is None, "the old component leaves", 60)
        finally:
            sender.close()


def test_what_is_wrong_with_a_question(cloud):
    write(os.path.join(cloud.place, "rules.yaml"), rules())
    with running(cloud, {"judge": {"cloudmon": "rules.yaml"}}, state="questions") as run:
        until(lambda: run.get("/api/v1/info")[0] == 200, "the doors are open")
        assert json.loads(run.get("/api/v1/")[2]) == {"name": "v1"}
        fits(json.loads(run.get("/api/v1")[2]), "FlagsRoot")
        assert b"8 flags, 4 health metrics" in run.get("/api/v1/info")[2]
        good = {"service": "good", "environment": "prod", "from": "-5min", "to": "-2min"}
        for base in (run.page, run.intake):
            status, _, body = ask(run, base, **good)
            assert status == 200 and all(p["weight"] is None for p in json.loads(body)["metrics"])
        for missing in good:
            status, kind, body = ask(run, **{k: v for k, v in good.items() if k != missing})
            assert status == 400 and kind.startswith("text/plain") and missing in body
        for wrong in ({"service": "nobody"}, {"environment": "moon"}):
            status, kind, body = ask(run, **{**good, **wrong})
            assert status == 409 and next(iter(wrong.values())) in json.loads(body)["message"]
            fits(json.loads(body), "FlagsTrouble")
        for wrong in ({"from": "yesteryear"}, {"max_data_points": "0"}, {"from": "-1min", "to": "-2min"}):
            assert ask(run, **{**good, **wrong})[0] == 400
        assert ask(run, **{**good, "from": "-10d"})[0] == 500
        now = time.time() // 60 * 60
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - 600 + 3600)) + "+01:00"
        first = points(run, "good", **{"from": stamp, "to": str(int(now - 300))})["metrics"]
        assert [p["timestamp"] for p in first] == [now - 600 + 60 * i for i in range(5)]
        # What is wrong in new rules leaves the old ones as they are.
        write(os.path.join(cloud.place, "rules.yaml"), {"metric_templates": {"low": {"query": "sum(", "op": "lt"}}})
        run.signal(signal.SIGHUP)
        until(lambda: "expected" in run.stderr() and "rules.yaml:4:" in run.stderr(), "what is wrong is said")
        assert b"8 flags" in run.get("/api/v1/info")[2]


class Target:
    """Something that Prometheus can scrape, and a path that it cannot."""

    def __enter__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/metrics" else 500)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(b"of_a_test 1\n")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


OUTSIDE = {**rules(), "health_query": {"query_to": "-1s"}}


def whisper_minutes(graphite, service, codes, minutes=12):
    """Counters of a service, each 10 s of the last minutes, as a carbon has them."""
    now = int(time.time()) // 10 * 10
    for code, n in codes.items():
        graphite.write(f"stats.counters.openstack.api.prod.zone.{service}.GET.things.{code}.count", 10,
                       [(now - 10 * i, n) for i in range(minutes * 6)])


def test_values_of_another_graphite(cloud):
    """Its /render is asked for what paths hold; one that is gone makes everything unknown, and is named."""
    write(os.path.join(cloud.place, "outside.yaml"), OUTSIDE)
    with GraphiteWeb() as graphite:
        whisper_minutes(graphite, "good", {"attempted": 5, "200": 5})
        whisper_minutes(graphite, "errors", {"attempted": 5, "500": 5})
        whisper_minutes(graphite, "down", {"attempted": 5, "failed": 5})
        settings = {"config": "outside.yaml", "datasource": graphite.url}
        with running(cloud, {"judge": {"minimum": "1s", "cloudmon": settings}}, state="outside") as run:
            run.wait_health("service-down", "outage", 120)
            run.wait_health("service-errors", "degraded", 120)
            run.wait_health("service-good", "operational", 120)
            assert run.health("service-silent") == "unknown"
            assert points(run, "down")["metrics"][-4]["weight"] == 2
            assert {p["weight"] for p in points(run, "good", **{"from": "-8min", "to": "-3min"})["metrics"]} == {0}
            graphite.process.kill()
            run.wait_health("service-good", "unknown", 180)
            until(lambda: "does not answer" in json.dumps(run.site(True)), "who does not answer is named", 60)
            assert b"does not answer" in run.get("/api/v1/info")[2]
            status, _, body = ask(run, service="good", environment="prod", **{"from": "-9min", "to": "now"})
            assert status == 500 and "does not answer" in json.loads(body)["message"]


def promql_rules(port):
    flags = [{"name": name, "service": service, "template": {"name": name}, "environments": [{"name": "prod"}]}
             for service, name in (("up", "down"), ("gone", "down"), ("none", "none"), ("many", "many"))]
    return {"environments": [{"name": "prod"}],
            "metric_templates": {"down": {"promql": f'up{{job="$service",instance="127.0.0.1:{port}"}}', "op": "lt",
                                          "threshold": 1},
                                 "none": {"promql": "nothing_of_that_name", "op": "gt", "threshold": 0},
                                 "many": {"promql": "up", "op": "lt", "threshold": 1}},
            "flag_metrics": flags, "health_query": {"query_to": "-1s"},
            "health_metrics": {s: {"service": s, "component_name": f"Prom {s}", "category": "compute",
                                   "metrics": [f"{s}.{f}"], "expressions": [{"expression": f"{s}.{f}", "weight": 2}]}
                               for s, f in (("up", "down"), ("gone", "down"), ("none", "none"), ("many", "many"))}}


def test_flags_in_promql(cloud):
    with Target() as target, prometheus(f'  - {{job_name: up, static_configs: [{{targets: ["127.0.0.1:{target.port}"]}}]}}\n'
                                        f'  - {{job_name: gone, metrics_path: /gone, static_configs: '
                                        f'[{{targets: ["127.0.0.1:{target.port}"]}}]}}\n') as source:
        write(os.path.join(cloud.place, "promql.yaml"), promql_rules(target.port))
        settings = {"config": "promql.yaml", "prometheus": source.url}
        with running(cloud, {"judge": {"minimum": "1s", "cloudmon": settings}}, state="promql") as run:
            run.wait_health("prom-gone", "outage", 200)
            run.wait_health("prom-up", "operational", 200)
            assert run.health("prom-none") == "unknown" and run.health("prom-many") == "unknown"
            until(lambda: "gives 2 series" in json.dumps(run.site(True)), "what is wrong is named", 60)
            source.process.kill()
            run.wait_health("prom-up", "unknown", 200)
            run.wait_health("prom-gone", "unknown", 200)
            until(lambda: "Prometheus does not answer" in json.dumps(run.site(True)), "who does not answer is named", 60)
            assert "Prometheus" not in json.dumps(run.site())  # what operators have is theirs
            assert b"does not answer" in run.get("/api/v1/info")[2]
            status, _, body = ask(run, service="up", environment="prod", **{"from": "-9min", "to": "now"})
            assert status == 500 and "does not answer" in json.loads(body)["message"]


class PrometheusDouble:
    """Says 1 to everything; counts the ranges it is asked about, and keeps answers back while it is told to."""

    def __enter__(self):
        outer, self.asked, self.free = self, [], threading.Event()
        self.free.set()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                start, end = int(form["start"][0]), int(form["end"][0])
                outer.asked.append((start, end))
                outer.free.wait(60)
                body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [
                    {"metric": {}, "values": [[at, "1"] for at in range(start, end + 1, 60)]}]}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.free.set()
        self.server.shutdown()
        self.server.server_close()

    def ranges(self, minutes):
        return sum(end - start == 60 * (minutes - 1) for start, end in self.asked)


def test_same_answer_for_a_second_and_few_at_once(cloud):
    write(os.path.join(cloud.place, "double.yaml"), promql_rules(1))
    with PrometheusDouble() as source:
        settings = {"config": "double.yaml", "prometheus": source.url}
        with running(cloud, {"judge": {"cloudmon": settings}}, state="double") as run:
            until(lambda: run.get("/api/v1/info")[0] == 200, "the doors are open")
            end = int(time.time()) // 60 * 60 - 600

            def asks(minutes):
                """The answer, and how often the source was asked for it."""
                before = source.ranges(minutes)
                status, _, body = ask(run, service="up", environment="prod", to=end, **{"from": end - 60 * minutes})
                return status, source.ranges(minutes) - before, body

            until(lambda: asks(3)[:2] == (200, 1) and asks(3)[:2] == (200, 0), "the same answer serves again")
            until(lambda: asks(3)[1] == 1, "it is asked anew after that")
            assert [p["weight"] for p in json.loads(asks(3)[2])["metrics"]] == [0, 0, 0]

            def crowded():
                """Four questions that wait for their source, and one more: its status, and theirs in the end."""
                statuses = []
                threads = [threading.Thread(target=lambda n=n: statuses.append(asks(n)[0])) for n in range(11, 15)]
                source.free.clear()
                source.asked.clear()
                for t in threads:
                    t.start()
                try:
                    until(lambda: sum(source.ranges(n) for n in range(11, 15)) == 4, "four are under way", 6)
                    return asks(20)[:2], statuses
                except AssertionError:
                    return None  # too slow, or the answer of a second ago served again
                finally:
                    source.free.set()
                    for t in threads:
                        t.join()

            assert until(crowded, "four wait at once") == ((503, 0), [200] * 4)
            assert asks(20)[:2] == (200, 1)  # there is room again
