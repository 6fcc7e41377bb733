"""DNS from end to end: designate takes a zone, its name server answers, and every way in which that goes wrong
is told as what it is."""
import json
import re
import subprocess

import pytest
import yaml

from simulated import report, simulated

SCENARIO = """scenario: names
deadline: 2m
params: {servers: auto}
resources:
  zone: {dns_zone: {name: "${run}.example.", email: "me@example.org"}}
  www:  {dns_recordset: {zone: "${zone}", name: "www.${zone.name}", type: A, ttl: 60, records: [192.0.2.2, 192.0.2.1]}, timeout: 5s}
checks:
  seen: {dns: {name: "www.${zone.name}", server: "${servers[0]}"}, after: [www], %s}
"""
FIRST = """expect: ["[ANSWERS][0] == 192.0.2.1", "len([ANSWERS]) == 2", "[TTL] == 60s", "[RCODE] == NOERROR"]"""


def attempt(cloud, check, text=SCENARIO, **more):
    path = cloud.place + "/names.yaml"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text % check)
    out = cloud.run("try", path, "--json", **more)
    return out, report(out)


def step(told, name):
    return next(s for s in told["steps"] if s["name"] == name)


def dig(cloud, *question):
    with open(cloud.clouds, encoding="utf-8") as f:
        host, port = yaml.safe_load(f)["clouds"]["sim"]["dns"][0].split(":")
    return subprocess.run(["dig", f"@{host}", "-p", port, "+time=2", "+tries=1", *question], capture_output=True,
                          text=True, timeout=30, check=False).stdout


def test_answers():
    with simulated(speed=20, faults={"times": {"dns_served": "1ms"}}) as cloud:
        out, told = attempt(cloud, FIRST + ", retry: {until: 5s, every: 50ms}")
        assert out.returncode == 0, out.stdout[-3000:] + out.stderr
        assert step(told, "seen")["fault"] in (None, "none"), told
        cloud.assert_clean()


def test_address_is_printed():
    with simulated() as cloud:
        line = cloud.process.stdout.readline()
        with open(cloud.clouds, encoding="utf-8") as f:
            assert line == "name server " + yaml.safe_load(f)["clouds"]["sim"]["dns"][0] + "\n"


def test_other_client():
    """What the name server says, as dig understands it."""
    with simulated(speed=20) as cloud:
        assert "status: REFUSED" in dig(cloud, "www.elsewhere.example")
        assert "status: REFUSED" in dig(cloud, "+tcp", "www.elsewhere.example")
        assert "status: NOTIMP" in dig(cloud, "+opcode=status", "www.elsewhere.example")


@pytest.mark.parametrize("effect,fault", [("stuck", "stuck"), ("error", "error_state")])
@pytest.mark.parametrize("path,name", [("*/zones", "zone"), ("*/recordsets", "www")])
def test_designate_fails(effect, fault, path, name):
    with simulated(speed=20) as cloud:
        cloud.fault({"service": "dns", "method": "POST", "path": path, "effect": effect})
        out, told = attempt(cloud, FIRST, SCENARIO.replace("example.org\"}", "example.org\"}, timeout: 5s"))
        assert out.returncode == 1, out.stdout[-3000:] + out.stderr
        assert step(told, name)["fault"] == fault
        assert [s["name"] for s in told["steps"] if s.get("fault") not in (None, "none")] == [name]
        cloud.assert_clean()


def test_name_server_lags():
    """The API says ACTIVE and the name server knows nothing of it."""
    with simulated(speed=20, faults={"times": {"dns_served": "1h"}}) as cloud:
        out, told = attempt(cloud, FIRST + ", retry: {until: 1s, every: 100ms}")
        assert out.returncode == 1, out.stdout[-3000:] + out.stderr
        assert step(told, "seen")["fault"] == "refused"
        cloud.assert_clean()


STREAM = SCENARIO.replace('seen: {dns: {name: "www.${zone.name}", server: "${servers[0]}"}, after: [www], %s}',
                          'seen: {stream: {to: "dns://${servers[0]}/www.${run}.example?A", every: 50ms}, around: [www], '
                          'lead: 100ms, tail: 1s, %s}')


@pytest.mark.parametrize("served,expect,code", [
    ("1s", '"[UP_AFTER] < 5s", "[LAST] == \'192.0.2.1, 192.0.2.2\'", "[LOST] > 0"', 0),
    ("1s", '"[LAST] == 192.0.2.1"', 1),
    ("1h", '"[UP_AFTER] < 5s"', 1)])
def test_stream(served, expect, code):
    with simulated(speed=10, faults={"times": {"dns_served": served}}) as cloud:
        out, told = attempt(cloud, f"expect: [{expect}]", STREAM)
        assert out.returncode == code, out.stdout[-3000:] + out.stderr
        assert (step(told, "seen")["fault"] == "expectation") == bool(code)
        cloud.assert_clean()


@pytest.mark.parametrize("rule,fault", [
    ({"effect": "error"}, "servfail"), ({"effect": "lost"}, "timeout"), ({"effect": "json"}, "timeout"),
    ({"effect": "latency", "time": "10s"}, "timeout"), ({"effect": "cut"}, "connection_lost")])
def test_name_server_fails(rule, fault):
    with simulated(speed=20, faults={"times": {"dns_served": "1ms"}}) as cloud:
        cloud.fault({"service": "nameserver", "method": "A", "path": "/www.*", **rule})
        out, told = attempt(cloud, "request: 1s")
        assert out.returncode == 1, out.stdout[-3000:] + out.stderr
        assert step(told, "seen")["fault"] == fault
        cloud.assert_clean()


def test_wrong_answer():
    with simulated(speed=20, faults={"times": {"dns_served": "1ms"}}) as cloud:
        out, told = attempt(cloud, 'expect: ["[LAST] == 192.0.2.9"]')
        assert out.returncode == 1
        assert step(told, "seen")["fault"] == "expectation"
        assert "192.0.2.1, 192.0.2.2" in json.dumps(told), told


def without_servers(cloud):
    with open(cloud.clouds, encoding="utf-8") as f:
        text = f.read()
    with open(cloud.clouds, "w", encoding="utf-8") as f:
        f.write(re.sub(r"\n    dns: .*", "", text))


def test_picker():
    """The configuration's name servers, else those of a zone, else it says what to do."""
    with simulated(speed=20) as cloud:
        plan = cloud.run("plan", "dns-zone")
        assert re.search(r'servers = \["127\.0\.0\.1:\d+"\]: as the cloud\'s configuration says', plan.stdout)
        without_servers(cloud)
        plan = cloud.run("plan", "dns-zone")
        assert plan.returncode == 2
        assert "servers: auto found no name server" in plan.stderr and "clouds.yaml" in plan.stderr
        cloud.plant("zone-of-somebody", "glasshouse somebody x y 0", kinds=["dns_zone"])
        plan = cloud.run("plan", "dns-zone")
        assert 'servers = ["ns1.sim.example."]: the name servers of a zone of the project' in plan.stdout


def test_no_designate():
    with simulated(speed=20) as cloud:
        without_servers(cloud)
        cloud.fault({"service": "identity", "path": "/v3/auth/tokens", "effect": "hole", "text": "dns"})
        out, told = attempt(cloud, FIRST)
        assert out.returncode == 1 and "no_service" in json.dumps(told), out.stdout + out.stderr


@pytest.mark.parametrize("body,said", [
    ('{name: "a..b", server: 127.0.0.1}', '"a..b" is no domain name'),
    ('{name: a.example, type: NONSENSE}', '"NONSENSE" is no record type'),
    ('{name: a.example, server: "[::1"}', 'not "[::1"'),
    ('{name: a.example, tcp: perhaps}', "`tcp` is true or false")])
def test_bad_question(body, said):
    with simulated() as cloud:
        out, told = attempt(cloud, body, "scenario: bad\nchecks:\n  seen: {dns: %s}\n")
        assert out.returncode != 0
        assert step(told, "seen")["fault"] == "evaluation" and said in json.dumps(told).replace('\\"', '"'), told


CHANGE = """scenario: changed
deadline: 2m
params: {servers: auto}
resources:
  zone: {dns_zone: {name: "${run}.example.", email: "me@example.org"}}
  www:  {dns_recordset: {zone: "${zone}", name: "www.${zone.name}", type: A, records: [192.0.2.1]}}
actions:
  move: {set: {of: "${www}", records: [192.0.2.7]}, until: "${www.status} == ACTIVE", every: 100ms}
  slow: {set: {of: "${zone}", ttl: 77}, until: "${zone.status} == ACTIVE", every: 100ms, after: [move]}
checks:
  seen: {dns: {name: "www.${zone.name}", server: "${servers[0]}"}, after: [slow], expect: ["[LAST] == 192.0.2.7"], %s}
"""


def test_change():
    """A recordset is changed by PUT, a zone by PATCH; the name server follows both."""
    with simulated(speed=20) as cloud:
        out, _ = attempt(cloud, 'retry: {until: 5s, every: 100ms}', CHANGE)
        assert out.returncode == 0, out.stdout[-3000:] + out.stderr
        sent = [(r["method"], r["status"]) for r in cloud.requests() if r["service"] == "dns"]
        assert ("PUT", 202) in sent and ("PATCH", 202) in sent
        cloud.assert_clean()


@pytest.mark.parametrize("when", ["after", "late", "before"])
@pytest.mark.parametrize("path", ["*/zones", "*/recordsets"])
def test_lost_answer(when, path):
    """Designate refuses a double, so what a lost answer hides is asked for again and adopted."""
    with simulated(speed=20, faults={"times": {"dns_served": "1ms"}}) as cloud:
        cloud.fault({"service": "dns", "method": "POST", "path": path, "effect": "lost", "when": when, "times": 1})
        out, told = attempt(cloud, FIRST + ", retry: {until: 5s, every: 50ms}")
        assert out.returncode == 0, out.stdout[-3000:] + out.stderr
        cloud.assert_clean()
        assert cloud.run("ledger", "--open").returncode == 0
