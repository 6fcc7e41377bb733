"""`keep`: what a run leaves for the next ones, on the simulated cloud."""
import json

import pytest

from serve import run, serve

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
    with serve(tmp_path, "--speed", "50") as served:
        yield served


def routers(cloud):
    return [r["id"] for r in cloud.ask("network", "GET", "/routers")["routers"]
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
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]


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


def test_gone_meanwhile(cloud, tmp_path):
    before = routers(cloud)
    _, first = once(cloud, tmp_path, "forever")
    made = [r for r in first if r not in before]
    cloud.ask("network", "DELETE", f"/routers/{made[0]}")
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
