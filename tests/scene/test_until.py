"""`until` and `wait` read again what they name: here somebody else changes it, while the run waits."""
import json
import threading
import time
import urllib.request

import pytest

from serve import DEADLINE_S, run, serve

SCENARIO = """scenario: waits
deadline: 2m
resources:
  net:    {network: {description: "not yet"}}
  router: {router: {}, until: "${net.description} == go", every: 100ms}
checks:
  seen:   {list: network, until: "${net.description} == go", every: 100ms, expect: ["${net.description} == go"]}
actions:
  rest:   {wait: "${net.description} == go", every: 100ms}
  early:  {set: {of: "${net}", admin_state_up: true}}
"""


@pytest.fixture
def cloud(tmp_path):
    with serve(speed=50) as served:
        yield served


class Somebody(threading.Thread):
    """Sets the description of the run's network, once the router stands beside it."""

    def __init__(self, cloud):
        super().__init__(daemon=True)
        self.cloud = cloud
        self.changed = None

    def run(self):
        give_up = time.monotonic() + DEADLINE_S / 2
        while time.monotonic() < give_up:
            nets = [n for n in self.cloud.api("network", "GET", "/networks")["networks"]
                    if n["description"] == "not yet"]
            routers = [r for r in self.cloud.api("network", "GET", "/routers")["routers"]
                       if r["name"].startswith("gh-")]
            if nets and routers:
                self.change(nets[0]["id"])
                return
            time.sleep(0.2)

    def change(self, identity):
        token, catalog = self.cloud.token()
        at = next(s["endpoints"][0]["url"] for s in catalog if s["type"] == "network").rstrip("/")
        at = at if at.endswith("/v2.0") else at + "/v2.0"
        request = urllib.request.Request(f"{at}/networks/{identity}", json.dumps(
            {"network": {"description": "go"}}).encode(), {"X-Auth-Token": token, "Content-Type": "application/json"},
            method="PUT")
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            self.changed = answer.status


def attempt(cloud, path, text):
    file = path / "waits.yaml"
    file.write_text(text)
    out = run(path, "try", str(file), "--json", "--state", str(path / "state"), clouds=cloud.clouds)
    report = json.loads(out.stdout.splitlines()[-1])
    return out.returncode, report, {s["name"]: s for s in report["steps"]}


def test_waits_for_somebody(cloud, tmp_path):
    somebody = Somebody(cloud)
    somebody.start()
    code, report, steps = attempt(cloud, tmp_path, SCENARIO)
    somebody.join(DEADLINE_S)
    assert somebody.changed == 200
    assert code == 0 and report["verdict"] == "passed", report
    assert report["left"] == 0
    # Nothing else waited with them.
    assert steps["early"]["ready_ms"] < min(steps[n]["ready_ms"] for n in ("router", "seen", "rest"))


@pytest.mark.parametrize("name", ["router", "seen", "rest"])
def test_gives_up_at_its_timeout(name, cloud, tmp_path):
    steps = [line for line in SCENARIO.splitlines() if line.split(":")[0] in ("  net", f"  {name}")]
    text = "scenario: waits\nresources:\n" + "\n".join(steps).replace("every: 100ms", "every: 100ms, timeout: 1s") + "\n"
    code, report, steps = attempt(cloud, tmp_path, text)
    assert code == 1 and report["verdict"] == "failed"
    assert steps[name]["fault"] == "stuck" and "net.description = not yet" in steps[name]["detail"]
    assert report["left"] == 0


def test_no_condition(cloud, tmp_path):
    code, _, steps = attempt(cloud, tmp_path, """scenario: waits
resources:
  net:  {network: {}}
actions:
  rest: {wait: "${net.mtu}"}
""")
    assert code == 2 or steps["rest"]["fault"] == "evaluation"
    assert "must be true or false" in steps["rest"]["detail"]


FAILS = """scenario: fails
deadline: 3m
params: {image: auto, flavor: auto}
resources:
  net:    {network: {description: "not yet"}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.90.0.0/24}}
  server: {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: [{uuid: "${net}"}]}, after: [subnet]}
actions:
  halt:   {server_action: {of: "${server}", os-stop: null}}
  rest:   {wait: "CONDITION", every: 100ms, timeout: 150s, after: [halt]}
"""


def test_what_has_failed_is_not_waited_for(cloud, tmp_path):
    """A server that goes into ERROR while something else of it is waited for: at once, and by that name."""
    cloud.fault({"service": "compute", "method": "POST", "path": "*/action", "effect": "error"})
    code, report, steps = attempt(cloud, tmp_path, FAILS.replace("CONDITION", "${server.status} == SHUTOFF"))
    assert code == 1 and report["verdict"] == "failed" and report["left"] == 0
    assert steps["rest"]["fault"] == "error_state", steps["rest"]
    assert "server has failed: status ERROR" in steps["rest"]["detail"]
    assert steps["rest"]["ready_ms"] - steps["rest"]["start_ms"] < 100_000, "long before the timeout"


def test_a_failure_may_be_what_is_waited_for(cloud, tmp_path):
    """It is not the end of a wait that asks for it, and of which something else is still to come."""
    somebody = Somebody(cloud)
    cloud.fault({"service": "compute", "method": "POST", "path": "*/action", "effect": "error"})
    text = FAILS.replace("CONDITION", "${server.status} == ERROR && ${net.description} == go")
    text = text.replace("resources:", "resources:\n  beside: {router: {}, after: [halt]}")
    somebody.start()
    code, report, steps = attempt(cloud, tmp_path, text)
    somebody.join(DEADLINE_S)
    assert somebody.changed == 200
    assert code == 0 and report["verdict"] == "passed", report
    assert steps["rest"]["state"] == "ready"
