"""`keep`: what a run leaves for the next ones, on the simulated cloud."""
import json
import os
import signal
import subprocess

import pytest

from serve import DEADLINE_S, GLASSHOUSE, ROOT, run, serve

SCENARIO = """scenario: kept
params: {{external: auto}}
resources:
  router: {{router: {{external_gateway_info: {{network_id: "${{external}}"}}{more}}}, keep: {keep}}}
  net:    {{network: {{}}}}
  subnet: {{subnet: {{network_id: "${{net}}", ip_version: 4, cidr: 10.72.0.0/24}}}}
  link:   {{router_interface: {{router: "${{router}}", subnet_id: "${{subnet}}"}}}}
"""


@pytest.fixture
def cloud(tmp_path):
    with serve(speed=50) as served:
        yield served


def routers(cloud):
    return [r["id"] for r in cloud.api("network", "GET", "/routers")["routers"]
            if r["name"].startswith("gh-")]


def once(cloud, path, keep, more=""):
    file = path / "kept.yaml"
    file.write_text(SCENARIO.format(keep=keep, more=more))
    out = run(path, "try", str(file), "--json", "--state", str(path / "state"), "--instance", "here",
              clouds=cloud.clouds)
    assert out.returncode == 0, out.stdout + out.stderr
    report = json.loads(out.stdout.splitlines()[-1])
    assert report["inflight"] == 8 and report["compute"] == 4  # a stated part of every measurement
    return report, routers(cloud)


def ledger(cloud, path):
    out = run(path, "ledger", "--open", "--json", "--state", str(path / "state"), "--instance", "here",
              clouds=cloud.clouds)
    return [json.loads(line) for line in out.stdout.splitlines()][:-1]  # the last one counts


def test_used_by_the_next_runs(cloud, tmp_path):
    before = routers(cloud)
    _, first = once(cloud, tmp_path, 2)
    made = [r for r in first if r not in before]
    assert len(made) == 1
    assert [(o["kind"], o["fate"]) for o in ledger(cloud, tmp_path)] == [("router", "kept")]
    _, second = once(cloud, tmp_path, 2)
    assert second == first
    _, third = once(cloud, tmp_path, 2)  # the second that used it again, and the last
    assert third == before
    assert not ledger(cloud, tmp_path)
    _, fourth = once(cloud, tmp_path, 2)
    assert len(fourth) == len(before) + 1 and made[0] not in fourth


def test_two_at_once_do_not_share(cloud, tmp_path):
    """What a living run keeps or uses is not for those beside it."""
    before = routers(cloud)
    file = tmp_path / "kept.yaml"
    once(cloud, tmp_path, "forever")
    kept = [r for r in routers(cloud) if r not in before]
    command = [GLASSHOUSE, "try", str(file), "--hold", "--json", "--state", str(tmp_path / "state"),
               "--instance", "here"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OS_CLOUD": "sim",
                   "OS_CLIENT_CONFIG_FILE": str(cloud.clouds)}
    first = subprocess.Popen(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             text=True)
    try:
        for line in first.stdout:  # with --hold it stays when all its steps are ready
            event = json.loads(line)
            if event.get("step") == "link" and event["event"] == "ready":
                break
        _, beside = once(cloud, tmp_path, "forever")
        assert len([r for r in beside if r not in before]) == 2 and kept[0] in beside
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=DEADLINE_S)
    assert first.returncode == 0
    assert kept[0] in routers(cloud)


def test_gone_meanwhile(cloud, tmp_path):
    before = routers(cloud)
    _, first = once(cloud, tmp_path, "forever")
    made = [r for r in first if r not in before]
    cloud.api("network", "DELETE", f"/routers/{made[0]}")
    _, second = once(cloud, tmp_path, "forever")
    assert len(second) == len(before) + 1 and made[0] not in second
    rows = ledger(cloud, tmp_path)
    assert [o["fate"] for o in rows] == ["kept"]


def test_another_body_is_another_object(cloud, tmp_path):
    before = routers(cloud)
    _, first = once(cloud, tmp_path, "forever")
    made = [r for r in first if r not in before]
    once(cloud, tmp_path, "forever", ", admin_state_up: false")
    _, third = once(cloud, tmp_path, "forever", ", admin_state_up: false")  # sweeps the former first
    assert len(third) == len(before) + 1 and made[0] not in third
