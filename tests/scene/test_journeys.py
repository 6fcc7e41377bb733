"""The shipped scenarios on a simulated cloud, as an ordinary user runs them."""
import json
import os
import pty
import re
import select
import subprocess
import time

import pytest

from simulated import ROOT, Simulated, report, simulated


def test_same_seed_same_run():
    """The sim draws the same times and ids for the same requests, whatever the hour."""
    seen = []
    for _ in range(2):
        with simulated(seed=7, speed=20) as cloud:
            cloud.run("try", "network-basics", "--inflight", "1")
            seen.append([(r["method"], re.sub(r"gh-\w+-\w+", "gh", r["path"]), r["status"])
                         for r in cloud.requests()])
    assert len(seen[0]) > 20 and sorted(seen[0]) == sorted(seen[1])


def test_json_and_log():
    with simulated() as cloud:
        log = os.path.join(cloud.place, "log")
        out = cloud.run("try", "server-login", "--json", "--log", log)
        assert out.returncode == 0, out.stdout + out.stderr
        lines = [json.loads(line) for line in out.stdout.splitlines()]
        done = report(out)
        assert done["verdict"] == "passed" and done["created"] == done["deleted"] and done["left"] == 0
        assert any(line.get("event") == "ready" and line["step"] == "login[0]" for line in lines)
        critical = [s["name"] for s in done["steps"] if s["critical"]]
        assert critical[-1] == "login[0]" and "server[0]" in critical
        with open(log, encoding="utf-8") as f:
            exchanges = [json.loads(line) for line in f]
        assert len(exchanges) >= done["requests"]
        text = json.dumps(exchanges)
        assert "simsecret" not in text and "PRIVATE KEY" not in text
        tokens = [r for r in exchanges if "X-Auth-Token" in json.dumps(r)]
        assert all("gAAAA" not in json.dumps(r) for r in tokens)


def test_live_tree_in_a_terminal():
    with simulated(speed=5) as cloud:
        mine, theirs = pty.openpty()
        run = subprocess.Popen(cloud.command("try", "server-login"), cwd=ROOT,
                               env={**cloud.environment(), "TERM": "xterm"}, stdin=subprocess.DEVNULL, stdout=theirs)
        os.close(theirs)
        seen, until = b"", time.time() + 120
        while time.time() < until:
            ready, _, _ = select.select([mine], [], [], 1)
            try:
                part = os.read(mine, 65536) if ready else b""
            except OSError:
                break
            seen += part
        os.close(mine)
        assert run.wait(10) == 0
        text = seen.decode()
        # drawn over itself while it runs, what each step waits for, and the end
        assert re.search(r"\033\[\d+A", text)
        assert re.search(r"server\[0\] +waits +\S+ +\S*status BUILD", re.sub(r"\033\[[0-9;]*m", "", text)), text[:6000]
        assert "critical path" in text and "0 left" in text


FAULTS = {
    "quota": ({"service": "compute", "method": "POST", "path": "*/servers", "effect": "quota"},
              2, "server[0]", "quota"),
    "ERROR": ({"service": "compute", "method": "POST", "path": "*/servers", "effect": "error"},
              1, "server[0]", "no_capacity"),
    "503": ({"service": "network", "method": "POST", "path": "*/routers", "effect": "status", "status": 503},
            1, "router", "unavailable"),
    "catalog hole": ({"service": "identity", "effect": "hole", "text": "compute"}, 1, "preparation", "no_service"),
}


@pytest.mark.parametrize("ovn", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_verdict_names_the_first_cause(name, ovn):
    """Also where a floating IP waits in vain for the server that was to take its port."""
    fault, code, step, word = FAULTS[name]
    with simulated(faults={"services": {"ovn": ovn}}) as cloud:
        cloud.fault(fault)
        out = cloud.run("try", "server-login", "--json")
        assert out.returncode == code, out.stdout[-3000:] + out.stderr
        causes = {s["name"]: s["fault"] for s in report(out)["steps"] if s["first_cause"]}
        assert causes == {step: word}, causes
        cloud.clear()
        assert cloud.run("sweep", "--older", "0s").returncode == 0
        cloud.assert_clean()


def test_deadline_goes_to_teardown(tmp_path):
    """A server that is stuck in BUILD ends at its time-out, and everything is undone."""
    file = tmp_path / "s.yaml"
    file.write_text("""scenario: short
params: {image: auto, flavor: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.71.0.0/24}}
  server: {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: [{uuid: "${net}"}]}, after: [subnet], timeout: 3s}
""")
    with simulated() as cloud:
        cloud.fault({"service": "compute", "method": "POST", "path": "*/servers", "effect": "stuck"})
        out = cloud.run("try", str(file), "--json")
        assert out.returncode == 1, out.stdout + out.stderr
        causes = {s["name"]: s["fault"] for s in report(out)["steps"] if s["first_cause"]}
        assert causes == {"server": "stuck"}, causes
        cloud.assert_clean()


def test_what_cannot_be_looked_at_is_not_called_stuck(tmp_path):
    """The volume may be as it should be: it is the service that says nothing of it."""
    file = tmp_path / "s.yaml"
    file.write_text("""scenario: blind
teardown: 5s
resources:
  vol: {volume: {size: 1}, timeout: 3s}
""")
    with simulated() as cloud:
        cloud.fault({"service": "volume", "method": "GET", "path": "*/volumes/*", "effect": "status", "status": 503, "times": 3})
        assert cloud.run("try", str(file)).returncode == 0, "one bad look is not the object's end"
        cloud.fault({"service": "volume", "method": "GET", "path": "*/volumes/*", "effect": "status", "status": 503})
        out = cloud.run("try", str(file), "--json")
        steps = report(out)["steps"]
        assert (steps[0]["fault"], report(out)["verdict"]) == ("unavailable", "failed"), steps
        cloud.clear()
        assert cloud.run("sweep", "--older", "0s").returncode == 0
        cloud.assert_clean()


def test_token_expires_in_the_middle():
    with simulated() as cloud:
        cloud.fault({"service": "network", "method": "POST", "path": "*/ports", "effect": "expired", "nth": 1},
                    {"service": "compute", "method": "GET", "path": "*/servers/*", "effect": "expired", "nth": 2})
        out = cloud.run("try", "server-login")
        assert out.returncode == 0, out.stdout[-3000:] + out.stderr
        cloud.assert_clean()


def test_a_second_signal_leaves_the_rest_to_the_sweep():
    with Simulated(speed=10) as cloud:
        run = cloud.start("try", "server-login")
        time.sleep(1.5)
        run.terminate()
        time.sleep(0.3)
        run.terminate()
        assert run.wait(60) != 0
        assert cloud.run("sweep", "--older", "0s").returncode == 0
        cloud.assert_clean()


def test_thousands_of_steps(tmp_path):
    """So many that the run must take breaks in looking at them, while building and while tearing down."""
    file = tmp_path / "large.yaml"
    file.write_text("""scenario: large
resources:
  net:    {network: {}, count: 400}
  subnet: {subnet: {network_id: "${net[i]}", ip_version: 4, cidr: 10.1.0.0/24}, count: 400}
  group:  {security_group: {}, count: 400}
  rule:   {security_group_rule: {security_group_id: "${group[i]}", direction: ingress, protocol: icmp}, count: 400}
  port:   {port: {network_id: "${net[i]}", security_groups: ["${group[i]}"], fixed_ips: [{subnet_id: "${subnet[i]}"}]}, count: 400}
""")
    quota = dict.fromkeys(["network", "subnet", "port", "security_group", "security_group_rule"], -1)
    with simulated(speed=1000, faults={"quota": quota}) as cloud:
        out = cloud.run("try", str(file), "--json")
        assert out.returncode == 0, out.stdout[-2000:] + out.stderr
        assert report(out)["created"] == report(out)["deleted"] == 2000
        cloud.assert_clean()
