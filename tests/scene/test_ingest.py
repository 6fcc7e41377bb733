"""Streams from outside: real senders point at `glasshouse run`, and what they sent is there as they named it."""
import base64
import contextlib
import gzip
import json
import os
import pickle
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

import influxdb
import pytest
import statsd
import yaml

from running import LOOPBACK, running, until
from simulated import GLASSHOUSE, simulated

LISTEN = {**LOOPBACK, "statsd": "127.0.0.1:0", "graphite": "127.0.0.1:0", "pickle": "127.0.0.1:0"}


def ports(run):
    """Where it listens, by name; as it was when first asked, since another run writes to the same file."""
    if hasattr(run, "listens"):
        return run.listens
    found = re.findall(r"^(\w+): +(?:udp|tcp)://[^:]+:(\d+)$", run.stdout(), re.M)
    return {name: int(port) for name, port in found}


def metric(run, name, **labels):
    """The value of one line of /metrics; labels in any order."""
    text = run.get("/metrics", run.intake)[2].decode()
    for line in text.splitlines():
        m = re.fullmatch(r"glasshouse_(\w+)(?:\{(.*)\})? (\S+)", line)
        if m and m[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', m[2] or "")) == labels:
            return float(m[3])
    return None


def taken(run, source):
    return metric(run, "ingest_points_total", source=source)


def series(run, pattern, *args):
    """What `glasshouse series` reads of the same directory while the program runs: lines by series."""
    out = subprocess.run([GLASSHOUSE, "series", pattern, "--state", run.state, "--json", "--from", "1h", "--step",
                          "1d", *args], capture_output=True, text=True, timeout=60, check=False)
    found = {}
    for line in out.stdout.splitlines():
        point = json.loads(line)
        found.setdefault(point["series"], []).append(point)
    return found


def reload(run):
    request = urllib.request.Request(run.intake + "/api/ops/v1/command/reload", b"{}",
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.fixture(scope="module", name="cloud")
def one_cloud():
    with simulated() as cloud:
        yield cloud


@pytest.fixture(scope="module", name="run")
def one_run(cloud):
    with running(cloud, {"listen": LISTEN, "faces": {name: "write" for name in (
            "influx", "prometheus", "alertmanager", "gatus", "uptime_kuma")}}) as run:
        until(lambda: len(ports(run)) == 3, "it says where it listens")
        run.listens = ports(run)
        yield run


# --- StatsD ---


def test_openstacksdk_reports_here(run, cloud):
    """Names as CloudMon has them, from the library that every OpenStack program in Python uses."""
    before = taken(run, "statsd")
    prefix = "openstack.api.production.eu-de"
    out = subprocess.run(
        [sys.executable, "-c", "import openstack; c = openstack.connect(cloud='sim'); print(len(list(c.compute.servers())));"
         "print(len(list(c.network.networks())))"],
        env={**cloud.environment(), "STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(ports(run)["statsd"]),
             "STATSD_PREFIX": prefix}, capture_output=True, text=True, timeout=60, check=False)
    assert out.returncode == 0, out.stderr
    until(lambda: taken(run, "statsd") > before, "an interval has ended", 30)
    found = until(lambda: len(series(run, "stats.*" + prefix + "*")) >= 6 and series(run, "stats.*" + prefix + "*"),
                  "they are stored")
    for name in ("compute.GET.servers_detail.attempted", "compute.GET.servers_detail.200",
                 "network.GET.network_networks.200"):
        assert found[f"stats.counters.{prefix}.{name}"][0]["sum"] >= 1, sorted(found)
    timer, = found[f"stats.timers.{prefix}.compute.GET.servers_detail.200"]
    assert timer["n"] >= 1 and timer["max"] > 0


def test_a_statsd_client(run):
    before = taken(run, "statsd")
    client = statsd.StatsClient("127.0.0.1", ports(run)["statsd"], prefix="py")
    with client.pipeline() as pipe:
        for _ in range(10):
            pipe.incr("hits")
        pipe.incr("sampled", 5)
        pipe.decr("hits", 3)
        pipe.timing("took", 320)
        pipe.timing("took", 80.5)
        pipe.gauge("level", 7)
        pipe.gauge("level", -2, delta=True)
        pipe.set("who", "a")
        pipe.set("who", "b")
        pipe.set("who", "a")
    until(lambda: taken(run, "statsd") == before + 19, "an interval has ended", 30)
    found = until(lambda: len(series(run, "stats.*.py.*")) == 5 and series(run, "stats.*.py.*"), "they are stored")
    assert found["stats.counters.py.hits"][0]["sum"] == 7
    assert found["stats.counters.py.sampled"][0]["sum"] == 5
    assert found["stats.gauges.py.level"][0]["sum"] == 5
    assert found["stats.sets.py.who.count"][0]["sum"] == 2
    timer, = found["stats.timers.py.took"]
    assert timer["n"] == 2 and timer["max"] == 320000


def test_lines_that_are_none(run):
    bad = metric(run, "ingest_bad_total", source="statsd")
    before = taken(run, "statsd")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"odd.good:1|c\nodd.bad\nodd.worse:x|c\n\xff\xfe", ("127.0.0.1", ports(run)["statsd"]))
    until(lambda: taken(run, "statsd") == before + 1, "an interval has ended", 30)
    assert metric(run, "ingest_bad_total", source="statsd") == bad + 3
    until(lambda: any(s["bad"] >= 3 and "odd.bad" in s["first_bad"] for s in run.site(operators=True)["ingest"]
                      if s["name"] == "statsd"), "SITE has it")
    assert "ingest: statsd: it is not NAME:VALUE|TYPE: odd.bad" in run.stderr()
    assert "ingest" not in run.site(), "it is the operators'"


def test_what_came_before_the_end_is_kept(cloud):
    """SIGTERM in the middle of an interval loses nothing of it."""
    with running(cloud, {"listen": LISTEN}, state="ends") as run:
        until(lambda: len(ports(run)) == 3, "it says where it listens")
        client = statsd.StatsClient("127.0.0.1", ports(run)["statsd"])
        for _ in range(500):
            client.incr("last.words")
        assert run.stop() == 0
        assert series(run, "stats.counters.last.words")["stats.counters.last.words"][0]["sum"] == 500


# --- Graphite ---


def test_graphite_lines(run):
    now = int(time.time())
    before = taken(run, "graphite")
    with socket.create_connection(("127.0.0.1", ports(run)["graphite"])) as s:
        s.sendall(f"carbon.agents.here.cpu 1.5 {now}\ncarbon.agents.here.cpu 2.5 {now - 10}\n"
                  f"disk.used;host=a;datacenter=dc1 42 {now}\nnan.value nan {now}\nno.time 7 -1\n".encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(f"by.packet 3 {now}".encode(), ("127.0.0.1", ports(run)["graphite"]))
    until(lambda: taken(run, "graphite") == before + 5, "they are taken")
    found = until(lambda: series(run, "by.packet") and series(run, "no.time") and series(run, "*cpu"), "stored")
    assert found["carbon.agents.here.cpu"][0]["sum"] == 4
    assert 'disk.used{datacenter="dc1",host="a"}' in series(run, "disk.used*")
    assert not series(run, "nan.value")
    assert metric(run, "ingest_bad_total", source="graphite") >= 1


@pytest.mark.parametrize("protocol", range(5))
def test_graphite_pickles(run, protocol):
    """As carbon's relay and statsd send them: a length and a list of (path, (time, value))."""
    before = taken(run, "pickle")
    message = pickle.dumps([(f"pickled.p{protocol}.n{i}", (time.time() - i, i / 2)) for i in range(1000)], protocol)
    evil = b"cos\nsystem\n(S'touch " + os.path.join(run.state, "evil").encode() + b"'\ntR."
    with socket.create_connection(("127.0.0.1", ports(run)["pickle"])) as s:
        for body in (message, evil, message):
            s.sendall(struct.pack("!L", len(body)) + body)
    until(lambda: taken(run, "pickle") == before + 2000, "they are taken")
    found = until(lambda: series(run, f"pickled.p{protocol}.n999"), "stored")
    assert found[f"pickled.p{protocol}.n999"][0]["sum"] == 999
    assert not os.path.exists(os.path.join(run.state, "evil"))


# --- bodies ---


def post(run, path, body=b"", method="POST", **headers):
    """(status, body)"""
    request = urllib.request.Request(run.intake + path, body, {k.replace("_", "-"): v for k, v in headers.items()},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_an_influxdb_client(run):
    host, port = run.intake.split("//")[1].split(":")
    client = influxdb.InfluxDBClient(host, int(port), database="glasshouse")
    assert client.ping()
    before = taken(run, "influx")
    now = int(time.time())
    assert client.write_points([
        {"measurement": "cpu load", "tags": {"host": "a b", "zone": "x=1,y"}, "time": now, "fields": {
            "value": 1.5, "idle": 90, "up": True, "note": 'said "no"\nmore'}},
        {"measurement": "cpu load", "tags": {"host": "a b", "zone": "x=1,y"}, "time": now - 1, "fields": {
            "value": 0.5}}], time_precision="s")
    until(lambda: taken(run, "influx") == before + 4, "they are taken")
    tags = '{host="a b",zone="x=1,y"}'
    found = until(lambda: len(series(run, "cpu load*")) == 3 and series(run, "cpu load*"), "they are stored")
    assert found["cpu load" + tags][0]["sum"] == 2
    assert found["cpu load.idle" + tags][0]["sum"] == 90 and found["cpu load.up" + tags][0]["sum"] == 1


def test_influx_says_which_line_is_wrong(run):
    status, body = post(run, "/write?db=x&precision=s", b"good v=1\nbad v=\nworse\n# no line\n")
    assert status == 400
    assert json.loads(body) == {
        "error": "partial write: unable to parse 'bad v=': missing field value dropped=2"}
    until(lambda: series(run, "good.v"), "what was good is stored")
    status, body = post(run, "/api/v2/write?org=o&bucket=b", b"bad")
    assert status == 400 and json.loads(body) == {"code": "invalid", "message": "unable to parse 'bad': missing fields"}
    status, body = post(run, "/write?precision=d", b"a v=1")
    assert status == 400 and b"none of ns, us, ms, s, m, h" in body
    assert post(run, "/write", gzip.compress(b"packed v=1"), Content_Encoding="gzip") == (204, b"")
    until(lambda: series(run, "packed.v"), "stored")
    assert post(run, "/write", b"not packed", Content_Encoding="gzip")[0] == 400
    assert post(run, "/write", b"x", Content_Encoding="br")[0] == 415
    assert post(run, "/write", b"", Origin="http://evil.example")[0] == 403
    assert post(run, "/write", b"a v=1", "GET")[0] == 405


def test_bodies_have_a_limit(run):
    line = b"large v=1\n"
    assert post(run, "/write", line * (9 * 1024 * 1024 // len(line)))[0] == 413
    assert post(run, "/write", line * 100001)[0] == 413
    assert post(run, "/write", gzip.compress(line * (17 * 1024 * 1024 // len(line))), Content_Encoding="gzip")[0] == 413
    before = taken(run, "influx")
    assert post(run, "/write", line * 100000)[0] == 204
    until(lambda: taken(run, "influx") == before + 100000, "they are taken")
    assert run.health("compute") is not None, "the page is there meanwhile"


@pytest.mark.parametrize("isolate", [True, False])
def test_a_body_that_never_ends(cloud, isolate):
    """Who goes in the middle of a body leaves nothing behind, and one that stays does not hold up the end."""
    config = {"listen": {**LOOPBACK, "isolate": isolate}, "faces": {"influx": "write"}}
    with running(cloud, config, state=f"endless-{isolate}") as run:
        host, port = run.intake.split("//")[1].split(":")
        until(lambda: post(run, "/write", b"a v=1")[0] == 204, "it is open")
        request = f"POST /write HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n\r\na v=1\n".encode()
        for _ in range(20):
            with socket.create_connection((host, int(port))) as s:
                s.sendall(request)
        assert post(run, "/write", b"a v=1")[0] == 204
        with socket.create_connection((host, int(port))) as s:
            s.sendall(request)
            time.sleep(0.2)
            assert run.stop() == 0, run.stderr()


def test_nothing_is_written_unasked(cloud):
    """`faces` is off by default, and the public listener has none of it."""
    with running(cloud, {"listen": LOOPBACK}, state="closed") as run:
        status, body = post(run, "/write", b"a v=1")
        assert status == 403 and b"faces: {influx: write}" in body
        for path in ("/api/v2/alerts", "/api/push/x"):
            status, body = post(run, path, b"[]")
            assert status == 403 and b"the configuration does not allow it" in body
        assert run.get("/api/push/x", run.intake)[0] == 403
        run.intake, intake = run.page, run.intake
        assert post(run, "/write", b"a v=1")[0] == 404
        run.intake = intake
        assert taken(run, "influx") == 0


@contextlib.contextmanager
def prometheus(place, config):
    """Debian's, with a directory of its own."""
    os.makedirs(place)
    path = os.path.join(place, "prometheus.yml")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(config, f)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with open(os.path.join(place, "log"), "wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={place}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=2s"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def test_prometheus_writes_remotely(run, tmp_path):
    """Debian's prometheus scrapes our own /metrics and writes them back here."""
    target = run.intake.split("//")[1]
    with prometheus(str(tmp_path / "p"), {
            "global": {"scrape_interval": "1s", "external_labels": {"monitor": "here"}},
            "scrape_configs": [{"job_name": "glasshouse", "static_configs": [{"targets": [target]}]}],
            "remote_write": [{"url": run.intake + "/api/v1/write"}]}):
        until(lambda: taken(run, "remote_write") > 200, "it writes", 60)
        found = until(lambda: series(run, "up{*"), "it is stored")
    (name, points), = found.items()
    assert name == f'up{{instance="{target}",job="glasshouse",monitor="here"}}'
    assert points[0]["max"] == 1
    assert metric(run, "ingest_bad_total", source="remote_write") == 0
    status, body = post(run, "/api/v1/write", b"nonsense")
    assert status == 400 and b"snappy" in body


# --- alerts ---


def alerts(run, **labels):
    return [a for a in run.json("/api/ops/v1/alerts.json", run.intake)["alerts"]
            if all(a["labels"].get(k) == v for k, v in labels.items())]


def test_alerts_are_kept_by_their_labels(run):
    """Sent again they are the same; resolved they end; without an end they end by silence, not here."""
    alert = {"labels": {"alertname": "DiskFull", "host": "a"}, "annotations": {"summary": "no room", "runbook_url": "x"},
             "startsAt": "2026-11-01T10:00:00Z", "generatorURL": "http://p/graph"}
    for _ in range(3):
        assert post(run, "/api/v2/alerts", json.dumps([alert]).encode(), Content_Type="application/json")[0] == 200
    one, = alerts(run, alertname="DiskFull")
    assert one["state"] == "firing" and one["annotations"]["summary"] == "no room" and one["ends_ms"] is None
    assert one["starts_ms"] == 1793527200000 and one["component"] is None
    hook = {"version": "4", "groupKey": "g", "status": "resolved", "receiver": "us", "alerts": [
        {**alert, "status": "resolved", "endsAt": "2026-11-01T11:00:00Z", "fingerprint": one["fingerprint"]}]}
    assert post(run, "/api/ops/v1/alertmanager", json.dumps(hook).encode(), Content_Type="application/json")[0] == 200
    one, = alerts(run, alertname="DiskFull")
    assert one["state"] == "resolved" and one["ends_ms"] == 1793530800000
    for bad in (b"{", b"{}", b"[1]", b'[{"labels": {}}]', b'[{"labels": {"a": 1}}]',
                b'[{"labels": {"a": "b"}, "startsAt": "today"}]'):
        status, body = post(run, "/api/v2/alerts", bad, Content_Type="application/json")
        assert status == 400 and body.strip(), bad


def test_prometheus_takes_us_for_an_alertmanager(run, tmp_path):
    """An alert for a component makes it degraded, and it comes back when the alert ends."""
    rules = tmp_path / "rules.yml"
    rules.write_text(json.dumps({"groups": [{"name": "g", "interval": "1s", "rules": [
        {"alert": "SlowNetwork", "expr": "vector(1)", "labels": {"component": "network", "severity": "warning"},
         "annotations": {"summary": "packets are late"}}]}]}))
    run.wait_health("network", "operational")
    with prometheus(str(tmp_path / "p"), {
            "global": {"evaluation_interval": "1s"}, "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [run.intake.split("//")[1]]}]}]}}):
        one, = until(lambda: alerts(run, alertname="SlowNetwork"), "it arrives")
        assert one["state"] == "firing" and one["component"] == "network" and one["annotations"]["summary"]
        run.wait_health("network", "degraded", 60)
    ended = [{"labels": one["labels"], "endsAt": "2026-01-01T00:00:00Z"}]
    assert post(run, "/api/v2/alerts", json.dumps(ended).encode(), Content_Type="application/json")[0] == 200
    assert alerts(run, alertname="SlowNetwork")[0]["state"] == "resolved"
    run.wait_health("network", "operational", 60)


def test_alerts_outlive_a_kill(cloud):
    config = {"listen": LOOPBACK, "faces": {"alertmanager": "write"}}
    with running(cloud, config, state="killed") as run:
        body = json.dumps([{"labels": {"alertname": "Kept"}}]).encode()
        assert post(run, "/api/v2/alerts", body, Content_Type="application/json")[0] == 200
        run.kill()
        run.start()
        assert [a["state"] for a in alerts(run, alertname="Kept")] == ["firing"]
        assert post(run, "/api/v2/alerts", body, Content_Type="application/json")[0] == 200
        assert len(alerts(run, alertname="Kept")) == 1


# --- pushes ---


def test_pushes_of_gatus_and_uptime_kuma(cloud, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("s3cret-of-the-job")
    secret.chmod(0o600)
    probes = [{"name": "nightly-backup", "group": "jobs", "every": "10s", "component": "Backup",
               "push": {"token": f"file:{secret}", "grace": "300s"}}]
    config = {"listen": LOOPBACK, "faces": {"gatus": "write", "uptime_kuma": "write"}, "probes": probes}
    with running(cloud, config, state="pushed") as run:
        def last(key):
            found = series(run, "probe{*nightly*")
            return found and next(iter(found.values()))[-1][key]

        assert post(run, "/api/push/s3cret-of-the-job?status=up&msg=OK&ping=12.5", method="GET")[1] == b'{"ok":true}'
        until(lambda: last("n") == 1 and last("ok") == 1 and last("max") == pytest.approx(12500, rel=0.02), "stored")
        assert post(run, "/api/push/s3cret-of-the-job?status=down&msg=broken")[0] == 200
        until(lambda: last("n") == 2 and last("ok") == 1, "a failure")
        status, body = post(run, "/api/push/another")
        assert status == 404 and json.loads(body) == {"ok": False, "msg": "Monitor not found or not active."}
        assert post(run, "/api/push/s3cret-of-the-job?ping=x")[0] == 404
        path = "/api/v1/endpoints/jobs_nightly-backup/external"
        bearer = {"Authorization": "Bearer s3cret-of-the-job"}
        assert post(run, path + "?success=true&duration=2s", **bearer)[0] == 200
        until(lambda: last("n") == 3 and last("ok") == 2 and last("max") == pytest.approx(2e6, rel=0.02), "stored")
        assert post(run, path + "?success=false&error=no%20space", **bearer)[0] == 200
        until(lambda: last("n") == 4 and last("ok") == 2, "a failure")
        assert post(run, path + "?success=true", Authorization="Bearer wrong")[0] == 401
        assert post(run, path + "?success=true")[0] == 401
        assert post(run, path + "?success=maybe", **bearer)[0] == 400
        assert post(run, path + "?success=true&duration=soon", **bearer)[0] == 400
        assert post(run, "/api/v1/endpoints/jobs_other/external?success=true", **bearer)[0] == 404


def test_who_pushed_to_gatus_goes_on_after_an_import(cloud, tmp_path):
    """The address of an external endpoint is the same here, whatever its probe is called."""
    gatus = tmp_path / "gatus.yaml"
    gatus.write_text("""external-endpoints:
  - {name: "nightly backup v1.2", group: "Core Team", token: "${PUSHED}"}
  - {name: backup, token: "${PUSHED}"}
  - {name: backup, group: "Core Team", token: "${PUSHED}"}
  - {name: "Prüfung", group: "Köln", token: "${PUSHED}"}
endpoints:
  - {name: web, group: "Core Team", url: "http://127.0.0.1:1/", conditions: ["[STATUS] == 200"]}
""", encoding="utf-8")
    out = subprocess.run([GLASSHOUSE, "import", "gatus", gatus], capture_output=True, text=True, timeout=60, check=False)
    made = yaml.safe_load(out.stdout)
    for probe in made["probes"]:
        if "push" in probe:
            secret = tmp_path / probe["name"]
            secret.write_text("token of " + probe["name"])
            secret.chmod(0o600)
            probe["push"]["token"] = f"file:{secret}"
    config = {"listen": LOOPBACK, "faces": {"gatus": "write"}, "probes": made["probes"]}
    with running(cloud, config, state="imported") as run:
        for key, probe in (("core-team_nightly-backup-v1-2", "Core-Team_nightly-backup-v1.2"), ("_backup", "backup"),
                           ("core-team_backup", "Core-Team_backup"), ("k%C3%B6ln_pr%C3%BCfung", "K-ln_Pr-fung")):
            path = f"/api/v1/endpoints/{key}/external?success=true"
            assert post(run, path, Authorization="Bearer token of " + probe)[0] == 200, key
            assert post(run, path, Authorization="Bearer wrong")[0] == 401
            until(lambda probe=probe: any(f'probe="{probe}"' in name for name in series(run, "probe{*")), probe)
        for key in ("core-team_web", "core-team_", "_nightly-backup-v1-2"):
            assert post(run, f"/api/v1/endpoints/{key}/external?success=true",
                        Authorization="Bearer token of backup")[0] == 404, key


def test_tokens(cloud, tmp_path):
    """What writes in needs the intake's token, in the words of each client; a push the secret of its probe alone."""
    for name in ("intake", "push"):
        (tmp_path / name).write_text(f"{name}-token")
        (tmp_path / name).chmod(0o600)
    config = {"listen": {**LOOPBACK, "token": f"file:{tmp_path}/intake"},
              "faces": {"influx": "write", "uptime_kuma": "write", "alertmanager": "write"},
              "probes": [{"name": "job", "every": "10s", "push": {"token": f"file:{tmp_path}/push"}}]}
    with running(cloud, config, state="tokens") as run:
        basic = base64.b64encode(b"any:intake-token").decode()
        for given in ("Bearer intake-token", "Token intake-token", "Basic " + basic):
            until(lambda given=given: post(run, "/write", b"a v=1", Authorization=given)[0] == 204, given)
        for given in ({}, {"Authorization": "Token push-token"}):
            assert post(run, "/write", b"a v=1", **given)[0] == 401
            assert post(run, "/api/v2/alerts", b"[]", **given)[0] == 401
            assert post(run, "/api/v2/alerts", b"x" * 200000, **given)[0] in (401, 413)
        assert post(run, "/api/push/push-token")[0] == 200
        assert post(run, "/api/push/intake-token")[0] == 404


# --- wiring ---


def test_what_could_not_be_opened_is_by_the_next_reload(cloud):
    """An address that another program still had: once it is free a reload is enough, with the file as it is."""
    with running(cloud, {"listen": LOOPBACK}, state="again") as run:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            run.write({"listen": {**LOOPBACK, "statsd": f"127.0.0.1:{port}"}})
            reload(run)
            until(lambda: "reload: listen: statsd: " in run.stderr() and "in use" in run.stderr(), "it says so")
        reload(run)

        def sent():
            statsd.StatsClient("127.0.0.1", port).incr("x")
            return taken(run, "statsd")
        until(sent, "it is open, and an interval has ended", 30)


def test_reload_opens_and_closes(cloud):
    with running(cloud, {"listen": LOOPBACK}, state="reload") as run:
        until(lambda: taken(run, "statsd") == 0, "its numbers are there")
        assert not ports(run)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        run.write({"listen": {**LOOPBACK, "statsd": f"127.0.0.1:{port}"}})
        answer = reload(run)
        assert answer == {"changed": [f"~ listen.statsd: none -> 127.0.0.1:{port}"], "errors": []}
        until(lambda: taken(run, "statsd") == 0, "it is open")
        time.sleep(0.5)
        statsd.StatsClient("127.0.0.1", port).incr("x")
        until(lambda: taken(run, "statsd") == 1, "an interval has ended", 30)
        run.write({"listen": LOOPBACK})
        reload(run)
        until(lambda: taken(run, "statsd") == 0, "it is closed")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", port))
            run.write({"listen": {**LOOPBACK, "statsd": f"127.0.0.1:{port}"}})
            reload(run)
            until(lambda: "reload: listen: statsd: " in run.stderr() and "in use" in run.stderr(), "it says so")
        assert run.health("compute") is not None
        run.write({"listen": {**LOOPBACK, "statsd": f"127.0.0.1:{port}", "pickle": "127.0.0.1:0"}})
        for _ in range(5):
            reload(run)
        statsd.StatsClient("127.0.0.1", port).incr("x")
        assert run.stop() == 0
    assert series(run, "stats.counters.x")["stats.counters.x"][0]["sum"] == 2
