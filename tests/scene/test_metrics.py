"""Numbers out: InfluxDB, an OTLP receiver and Prometheus get all that is measured, and nothing waits for them."""
import collections
import contextlib
import json
import os
import re
import subprocess

import pytest

from receivers import Influx, Otlp, attributes
from running import running, until
from serve import deaf, refusing
from simulated import ROOT, report, simulated


def ports(n):
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(refusing()) for _ in range(n)]


@pytest.fixture(scope="module", name="influx")
def an_influx():
    server = Influx(ports(2))
    yield server
    server.close()


@pytest.fixture(name="otlp")
def an_otlp():
    server = Otlp()
    yield server
    server.close()


def log_of(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


# --- try -----------------------------------------------------------------------------------------


def test_every_exchange_is_a_point(influx):
    """What the log has is what InfluxDB has, call by call; waits, checks and the run beside it."""
    with simulated(speed=20) as cloud:
        log = os.path.join(cloud.place, "log")
        out = cloud.run("try", "server-login", "--json", "--log", log, "--influx", influx.url,
                        "--measurement", "my cloud, here", "--param", "servers=2")
        assert out.returncode == 0, out.stdout + out.stderr
        done = report(out)
        expected = collections.Counter(x["request_id"] for x in log_of(log))
    of = 'FROM "my cloud, here"'
    points = influx.rows(f"SELECT request_id, duration_ms, failed, status, call, service, step {of} WHERE what='call'")
    assert collections.Counter(p["request_id"] for p in points) == expected
    assert all(p["duration_ms"] > 0 and p["failed"] == 0 and p["status"] >= 200 for p in points)
    steps = {(p["call"], p["step"]) for p in points}
    assert ("POST /servers", "server") in steps and ("POST /networks", "net") in steps
    assert ("POST /auth/tokens", None) in steps
    waits = influx.rows(f"SELECT duration_ms, fault, zone, host {of} WHERE wait='server ready'")
    assert len(waits) == 2 and all(w["fault"] == "none" and w["duration_ms"] > 0 and w["host"] for w in waits)
    assert {w["zone"] for w in waits} == {"az1"}
    assert len(influx.rows(f"SELECT duration_ms {of} WHERE wait='server gone'")) == 2
    checks = influx.rows(f"SELECT duration_ms, index {of} WHERE check='ssh' AND step='login'")
    assert {c["index"] for c in checks} == {"0", "1"}
    runs = influx.rows(f"SELECT duration_ms, run, failed {of} WHERE what='run'")
    assert [r["run"] for r in runs] == [done["run"]] and runs[0]["failed"] == 0


def test_the_dialect_of_oshm(influx):
    """Its names and fields, to the whole address it used, counted as its dashboards count."""
    with simulated(speed=20) as cloud:
        log = os.path.join(cloud.place, "log")
        out = cloud.run("try", "server-login", "--log", log, "--dialect", "oshm", "--measurement", "gx-scs",
                        "--influx", influx.url + "/write?db=cicd")
        assert out.returncode == 0, out.stdout + out.stderr
        made = collections.Counter(
            (x["method"], re.sub(r".*/", "", x["url"].split("?")[0])) for x in log_of(log) if x["method"] == "POST")
    series = influx.ask('SELECT count("duration") AS n, sum("return_code") AS errors FROM "gx-scs"'
                        ' GROUP BY "cmd", "method"', "cicd")
    found = {(tags["cmd"], tags["method"]): rows[0] for _, tags, rows in series}
    for cmd, method, path in (("nova", "boot", "servers"), ("neutron", "net-create", "networks"),
                              ("neutron", "security-group-rule-create", "security-group-rules"),
                              ("neutron", "floatingip-create", "floatingips"), ("nova", "keypair-add", "os-keypairs"),
                              ("token", "issue", "tokens")):
        assert found[cmd, method]["n"] == made["POST", path], (cmd, method, found, made)
    for key in (("waitVM", "ACTIVE"), ("waitVM", "XDELX"), ("ssh", "VM0:22"), ("totDur", "600")):
        assert found[key]["n"] == 1, key
    assert all(row["errors"] == 0 for row in found.values())
    tags = {row["tagKey"] for row in influx.rows('SHOW TAG KEYS FROM "gx-scs"', "cicd")}
    fields = {row["fieldKey"]: row["fieldType"] for row in influx.rows('SHOW FIELD KEYS FROM "gx-scs"', "cicd")}
    assert tags == {"cmd", "method"} and fields == {"duration": "float", "return_code": "float"}


def test_a_server_that_hangs_leaves_a_trace(influx):
    """OSHM told nothing of what never came; here the wait ends as stuck."""
    with simulated(speed=20) as cloud:
        cloud.fault({"service": "compute", "method": "POST", "path": "*/servers", "effect": "stuck"})
        scenario = os.path.join(cloud.place, "hangs.yaml")
        with open(scenario, "w", encoding="utf-8") as f:
            json.dump({"scenario": "hangs", "deadline": "30s", "params": {"image": "auto", "flavor": "auto"},
                       "resources": {
                           "net": {"network": {}},
                           "sub": {"subnet": {"network_id": "${net}", "ip_version": 4, "cidr": "10.71.0.0/24"}},
                           "vm": {"server": {"imageRef": "${image}", "flavorRef": "${flavor}",
                                             "networks": [{"uuid": "${net}"}]}, "after": ["sub"],
                                  "timeout": "3s"}}}, f)
        for more in (("--measurement", "hangs"), ("--dialect", "oshm", "--measurement", "hangs")):
            out = cloud.run("try", scenario, "--influx", influx.url, *more)
            assert out.returncode == 1, out.stdout + out.stderr
    own = influx.rows("SELECT fault, failed, duration_ms FROM hangs WHERE wait='server ready'")
    assert [(w["fault"], w["failed"]) for w in own] == [("stuck", 1)] and own[0]["duration_ms"] > 2000
    theirs = influx.rows('SELECT "duration", return_code FROM hangs WHERE cmd=\'waitVM\' AND "method"=\'ACTIVE\'',
                         "cicd")
    assert [w["return_code"] for w in theirs] == [1] and theirs[0]["duration"] > 2


def test_a_password_and_compression():
    """Credentials go along, and the secret stands in no output."""
    server = Influx(ports(2), password="hunter2-hunter2")
    try:
        with simulated(speed=20) as cloud:
            environment = {**cloud.environment(), "INFLUX_PASSWORD": "hunter2-hunter2", "WRONG": "hunter3-hunter3"}
            config = {"metrics": [
                {"name": "good", "influx": server.url, "username": "oshm", "password": "env:INFLUX_PASSWORD",
                 "gzip": True, "every": "200ms"},
                {"name": "bad", "influx": server.url, "username": "oshm", "password": "env:WRONG", "every": "200ms"}],
                      "scenarios": [{"use": "network-basics", "cloud": "sim", "every": "10s"}]}
            cloud.environment = lambda: environment
            with running(cloud, config) as run:
                until(lambda: server.rows("SELECT * FROM glasshouse WHERE what='run'"), "a run is stored")
                text = metrics(run)
                assert value(text, 'exporter_failures_total{exporter="bad"}') > 0
                assert value(text, 'exporter_lost_points_total{exporter="bad"}') == 0
                assert value(text, 'exporter_lost_points_total{exporter="good"}') == 0
                assert run.stop() == 0
                everything = run.stdout() + run.stderr() + text
            assert "hunter" not in everything
            assert "metrics bad:" in everything and "401" in everything  # what was lost at the end is said
    finally:
        server.close()


# --- run -----------------------------------------------------------------------------------------


def metrics(run):
    status, headers, body = run.get("/metrics", run.intake)
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    return body.decode()


def value(text, series):
    """Of the series, whose labels may be the first of several."""
    found = [line for line in text.splitlines() if line.startswith("glasshouse_" + series.rstrip("}"))]
    if not found:
        raise KeyError(f"{series} is not in\n{text}")
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


def test_all_receivers_agree(influx, otlp):
    """The same measures, counted by each receiver; promtool finds nothing wrong in what is scraped."""
    with simulated(speed=20) as cloud:
        config = {"metrics": [
            {"influx": influx.url, "measurement": "agree", "every": "200ms"},
            {"otlp": otlp.url, "every": "300ms", "gzip": True, "headers": {"X-Scope-OrgID": "env:TENANT"}}],
                  "clouds": {"sim": {"every": "1s", "timeout": "1s", "endpoints": "none"}},
                  "scenarios": [{"use": "volume-life", "cloud": "sim", "every": "1h"}]}
        environment = {**cloud.environment(), "TENANT": "tenant-seven"}
        cloud.environment = lambda: environment
        with running(cloud, config) as run:
            until(lambda: otlp.points("glasshouse.run.duration"), "the run has ended")
            text = metrics(run)
            assert run.stop() == 0
    check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60,
                           check=False)
    assert check.returncode == 0 and not check.stdout + check.stderr, check.stdout + check.stderr
    assert otlp.wrong == []
    assert otlp.headers[0]["X-Scope-OrgID"] == "tenant-seven"
    calls = influx.ask("SELECT count(duration_ms) AS n, sum(duration_ms) AS ms FROM agree WHERE what='call'"
                       " GROUP BY call, service", "glasshouse")
    by_influx = {(tags["service"], tags["call"]): rows[0] for _, tags, rows in calls}
    by_otlp = {}
    for resource, point in otlp.points("http.client.request.duration"):
        of = attributes(point.attributes)
        assert resource["service.name"] == "glasshouse" and resource["service.instance.id"] == "test"
        assert resource["glasshouse.cloud"] == "sim" and resource["cloud.region"] == "RegionOne"
        assert resource["glasshouse.location"] == "here"
        assert 200 <= of["http.response.status_code"] < 500
        call = of["glasshouse.service"], of["http.request.method"] + " " + of["url.template"]
        by_otlp[call, of["http.response.status_code"]] = point  # cumulative: the last one counts
        assert sum(point.bucket_counts) == point.count and len(point.explicit_bounds) + 1 == len(point.bucket_counts)
        assert point.start_time_unix_nano <= point.time_unix_nano
    summed = collections.Counter()
    for (call, _), point in by_otlp.items():
        summed[call] += point.count
    assert summed == {call: row["n"] for call, row in by_influx.items()}
    volume = [p for (call, _), p in by_otlp.items() if call == ("block-storage", "POST /volumes")]
    assert abs(sum(p.sum for p in volume) * 1000 - by_influx["block-storage", "POST /volumes"]["ms"]) < 1
    # What was scraped before the end is no more than that, and what happens once was there.
    assert value(text, 'wait_duration_seconds_count{cloud="sim",region="RegionOne",kind="volume",until="ready"') >= 1
    assert value(text, 'run_duration_seconds_count{cloud="sim",region="RegionOne",scenario="volume-life"') == 1
    health = {attributes(p.attributes)["glasshouse.component"]: p.as_int
              for _, p in otlp.points("glasshouse.component.health")}
    assert health["block-storage"] == 0


def test_what_is_waited_for_is_seen_while_it_hangs(otlp):
    with simulated(speed=20) as cloud:
        cloud.fault({"service": "volume", "method": "POST", "path": "*/volumes", "effect": "stuck"})
        config = {"stop": "2s", "metrics": [{"otlp": otlp.url, "every": "300ms"}],
                  "scenarios": [{"use": "volume-life", "cloud": "sim", "every": "1h"}]}
        with running(cloud, config) as run:
            until(lambda: 'glasshouse_open_waits{cloud="sim",kind="volume",until="ready"} ' in metrics(run),
                  "an open wait")
            until(lambda: value(metrics(run), 'open_wait_seconds{cloud="sim",kind="volume"') > 1, "its age grows")
            until(lambda: otlp.points("glasshouse.wait.open.age"), "OTLP has it too")
            of = attributes(otlp.points("glasshouse.wait.open.age")[-1][1].attributes)
            assert of["glasshouse.kind"] == "volume" and of["glasshouse.scenario"] == "volume-life"
            assert run.stop() == 0
    assert otlp.wrong == []


def test_receivers_that_hang_hold_nothing_up(tmp_path):
    """Pages, probes and runs go on; what is lost is counted and said; the end comes in time."""
    with simulated(speed=20) as cloud, deaf() as port:
        nowhere = f"http://127.0.0.1:{port}"
        config = {"metrics": [{"name": "hangs", "influx": nowhere, "every": "100ms", "spool": "64KiB"},
                              {"name": "hangs too", "otlp": nowhere + "/v1/metrics", "every": "100ms"}],
                  "scenarios": [{"use": "network-basics", "cloud": "sim", "every": "10s"}]}
        with running(cloud, config) as run:
            until(lambda: value(metrics(run), "run_duration_seconds_count") >= 2, "two runs")
            assert value(metrics(run), 'exporter_waiting_points{exporter="hangs"}') > 0
            assert run.site()["components"]
            # the file as doctor is to see it: with the addresses that were taken
            with open(run.path, encoding="utf-8") as f:
                seen = json.load(f)
            seen["listen"]["intake"] = run.intake.removeprefix("http://")
            copy = tmp_path / "glasshouse.yaml"
            copy.write_text(json.dumps(seen), encoding="utf-8")
            copy.chmod(0o600)
            out = subprocess.run([run.command[0], "doctor", "--json", "-c", copy], cwd=ROOT, check=False, timeout=60,
                                 env=cloud.environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL)
            checks = {(c["check"], c["of"]): c for c in json.loads(out.stdout)["checks"]}
            assert checks["metrics", "hangs"]["state"] == "bad" and checks["metrics", "hangs too"]["state"] == "bad"
            assert checks["lost points", ""]["state"] in ("ok", "warn")
            assert run.stop(60) == 0
        said = run.stdout() + run.stderr()
        assert re.search(r"metrics hangs: \d+ points lost: (time was up|no answer within)", said), said
        cloud.assert_clean()


def test_doctor_tells_a_missing_database_and_what_was_lost(influx, tmp_path):
    with simulated(speed=20) as cloud:
        config = {"metrics": [{"name": "here", "influx": influx.url},
                              {"name": "gone", "influx": influx.url, "database": "no-such"}],
                  "clouds": {"sim": {"endpoints": "none"}}}
        public, intake = ports(2)
        path = tmp_path / "glasshouse.yaml"
        path.write_text(json.dumps({**config, "store": f"sqlite:{tmp_path}/state", "listen": {
            "public": f"127.0.0.1:{public}", "intake": f"127.0.0.1:{intake}"}}), encoding="utf-8")
        path.chmod(0o600)
        out = subprocess.run([*cloud.command("doctor", "--json", "-c", str(path))[:4], str(path)], cwd=ROOT, timeout=60,
                             env=cloud.environment(), capture_output=True, text=True, check=False,
                             stdin=subprocess.DEVNULL)
        checks = {(c["check"], c["of"]): c for c in json.loads(out.stdout)["checks"]}
        assert checks["metrics", "here"]["state"] == "ok", checks
        assert checks["metrics", "gone"]["state"] == "bad" and "404" in checks["metrics", "gone"]["found"]
        assert "create the database" in checks["metrics", "gone"]["todo"]
        assert checks["lost points", ""]["state"] == "skipped"


# --- options -------------------------------------------------------------------------------------


def test_options_that_do_not_fit():
    with simulated() as cloud:
        for args, why in ((("--dialect", "oshm"), "go with --influx"),
                          (("--influx", "http://h", "--dialect", "other"), "neither own nor oshm"),
                          (("--influx", "http://h", "--otlp", "http://h"), "one of --influx and --otlp"),
                          (("--otlp", "http://h", "--database", "x"), "go with --influx"),
                          (("--influx", "ftp://h"), "no http or https address")):
            out = cloud.run("try", "network-basics", *args)
            assert out.returncode == 2 and why in out.stderr, out.stderr


def test_a_receiver_that_refuses_does_not_fail_the_run():
    with simulated(speed=20) as cloud, refusing() as port:
        out = cloud.run("try", "network-basics", "--influx", f"http://127.0.0.1:{port}")
        assert out.returncode == 0, out.stdout
        assert re.search(r"influx 127\.0\.0\.1:\d+: 0 points sent, \d\d+ lost: ", out.stderr), out.stderr
