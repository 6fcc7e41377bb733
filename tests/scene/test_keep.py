"""`keep`: what a run leaves for the next ones, on the simulated cloud."""
import json
import os
import signal
import subprocess

import pytest

from serve import DEADLINE_S, GLASSHOUSE, ROOT, run, serve
from simulated import report, simulated

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


SERVICES = """scenario: services
resources:
  net:     {network: {}, keep: 1}
  subnet:  {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.74.0.0/24}, keep: 1}
  lb:      {loadbalancer: {vip_subnet_id: "${subnet}"}, keep: 1}
  pool:    {lb_pool: {loadbalancer_id: "${lb}", protocol: TCP, lb_algorithm: ROUND_ROBIN}, keep: 1}
  listen:  {lb_listener: {loadbalancer_id: "${lb}", protocol: TCP, protocol_port: 80, default_pool_id: "${pool}"}, keep: 1}
  member:  {lb_member: {pool: "${pool}", address: 10.74.0.20, protocol_port: 80, subnet_id: "${subnet}"}, keep: 1}
  monitor: {lb_healthmonitor: {pool_id: "${pool}", type: TCP, delay: 3, timeout: 2, max_retries: 1}, keep: 1}
  zone:    {dns_zone: {name: "${run}.example.", email: hostmaster@example.org, ttl: 300}, keep: 1}
  www:     {dns_recordset: {zone: "${zone}", name: "www.${zone.name}", type: A, ttl: 60, records: [192.0.2.1]}, keep: 1}
  secret:  {secret: {payload: something, payload_content_type: text/plain}, keep: 1}
  box:     {container: {}, keep: 1}
  thing:   {object: {container: "${box}", content: hello}, keep: 1}
  stack:   {stack: {template: {heat_template_version: "2018-08-31", resources: {r: {type: "OS::Heat::RandomString"}}, outputs: {o: {value: {get_resource: r}}}}, timeout_mins: 5}, keep: 1}
checks:
  state:   {value: "${lb.provisioning_status}", expect: ["[VALUE] == ACTIVE"]}
  name:    {value: "${www.name}", expect: ["[VALUE] == pat(www.*.example.)"]}
  etag:    {value: "${thing.etag}", expect: ["len([VALUE]) == 32"]}
  out:     {value: "${stack.outputs[0].output_value}", expect: ["[VALUE] != null"]}
"""


def test_of_the_other_services():
    """Made once, used once more with all that was known of them, and gone after that."""
    with simulated(speed=50) as cloud:
        file = os.path.join(cloud.place, "services.yaml")
        with open(file, "w", encoding="utf-8") as f:
            f.write(SERVICES)
        creates = []
        for turn in range(2):
            out = cloud.run("try", file, "--json")
            assert out.returncode == 0 and report(out)["verdict"] == "passed", out.stdout[-4000:] + out.stderr
            rows = cloud.run("ledger", "--open", "--json").stdout.splitlines()[:-1]
            fates = {(row["kind"], row["fate"]) for row in map(json.loads, rows)}
            creates.append(len([r for r in cloud.requests() if r["method"] in ("POST", "PUT")
                                and r["status"] < 300 and r["service"] != "identity"]))
            assert len(fates) == (13 if turn == 0 else 0) and {fate for _, fate in fates} <= {"kept"}, fates
        assert creates == [13, 13]
        cloud.assert_clean()


def test_a_secret_ends_with_its_run():
    with simulated(speed=50) as cloud:
        file = os.path.join(cloud.place, "credential.yaml")
        with open(file, "w", encoding="utf-8") as f:
            f.write("scenario: credential\nresources:\n  cred: {application_credential: {}, keep: 1}\n")
        out = cloud.run("try", file)
        assert out.returncode == 2 and ":3:" in out.stderr, out.stdout + out.stderr
        assert "a application_credential cannot be kept" in out.stderr and "secret" in out.stderr
        assert cloud.left() == []
