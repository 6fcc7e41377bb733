"""Parts of the lab are switched off. The verdict names the fault, its component and whose it is, and once
the part runs again nothing of ours is left."""
import json
import threading

import pytest

from lab import begin, difference, glasshouse, inventory, lab, open_rows, report_of, steps_of, stopped

SHORT = {  # scenarios that give up sooner than the shipped ones
    "address": """
scenario: address
deadline: 3m
params: {external: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.81.0.0/24}}
  router: {router: {external_gateway_info: {network_id: "${external}"}}}
  link:   {router_interface: {router: "${router}", subnet_id: "${subnet}"}}
  port:   {port: {network_id: "${net}", fixed_ips: [{subnet_id: "${subnet}"}]}}
  fip:    {floating_ip: {floating_network_id: "${external}", port_id: "${port}"}, after: [link], timeout: 20s}
""",
    "volume": """
scenario: volume
deadline: 2m
teardown: 3m
resources:
  vol:    {volume: {size: 1}, timeout: 10s}
""",
    "guest": """
scenario: guest
deadline: 4m
params: {image: auto, flavor: auto, external: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.82.0.0/24}}
  router: {router: {external_gateway_info: {network_id: "${external}"}}}
  link:   {router_interface: {router: "${router}", subnet_id: "${subnet}"}}
  group:  {security_group: {}}
  ssh_in: {security_group_rule: {security_group_id: "${group}", direction: ingress, protocol: tcp, port_range_min: 22, port_range_max: 22}}
  key:    {keypair: {}}
  port:   {port: {network_id: "${net}", security_groups: ["${group}"], fixed_ips: [{subnet_id: "${subnet}"}]}}
  server: {server: {imageRef: "${image}", flavorRef: "${flavor}", key_name: "${key.name}", networks: [{port: "${port}"}]}, after: [link], login: {host: "${fip.floating_ip_address}", key: "${key}"}}
  fip:    {floating_ip: {floating_network_id: "${external}", port_id: "${port}"}, after: [link]}
checks:
  login:  {ssh: {to: "${server}", run: hostname}, after: [ssh_in], retry: {until: 40s, every: 2s}}
""",
}


@pytest.fixture(autouse=True)
def accounted(conn, state):
    """Whatever a test breaks: afterwards the project is as before and the ledger is closed."""
    before = inventory(conn)
    yield
    code, rows = open_rows(state)
    assert code == 0, rows
    assert difference(before, inventory(conn)) == []


def scenario(tmp_path, name):
    path = tmp_path / f"{name}.yaml"
    path.write_text(SHORT[name])
    return str(path)


def causes(report):
    return {n: (s["fault"], s["component"]) for n, s in steps_of(report).items() if s["first_cause"]}


@pytest.mark.parametrize("service,component", [("nova-api", "Compute"), ("glance", "Image"),
                                               ("neutron-server", "Network")])
def test_api_down(service, component, state):
    """What a scenario picks is read from the service that is down: one cause, of that component."""
    with stopped(service):
        out = glasshouse("try", "server-login", "--json", state=state, instance="lab-faults")
    report = report_of(out)
    assert (out.returncode, report["verdict"], report["created"]) == (1, "failed", 0)
    assert causes(report) == {"preparation": ("unavailable", component)}


def test_api_down_elsewhere(state):
    """What a scenario does not need does not disturb it."""
    with stopped("nova-api"):
        out = glasshouse("try", "network-basics", state=state, instance="lab-faults")
    assert out.returncode == 0, out.stdout


def test_api_down_at_create(state, tmp_path):
    with stopped("cinder-api"):
        out = glasshouse("try", scenario(tmp_path, "volume"), "--json", state=state, instance="lab-faults")
    report = report_of(out)
    assert (out.returncode, report["verdict"]) == (1, "failed")
    assert causes(report) == {"vol": ("unavailable", "Block storage")}
    # a 503 does not prove that nothing was made: the ledger keeps it until somebody could look
    assert open_rows(state)[0] == 1
    out = glasshouse("sweep", "--older", "0s", state=state, instance="lab-faults")
    assert out.returncode == 0, out.stdout + out.stderr


def test_keystone_down(state):
    with stopped("keystone"):
        out = glasshouse("try", "network-basics", state=state, instance="lab-faults")
    assert out.returncode == 2
    assert "keystone answers 503" in out.stderr + out.stdout


def test_volume_stays_creating(state, tmp_path):
    """cinder-volume is down: the volume never becomes available, and cannot be deleted until it runs."""
    with stopped("cinder-volume"):
        run = begin("try", scenario(tmp_path, "volume"), "--json", state=state, instance="lab-faults",
                    stdout=-1)
        # teardown has begun and is refused; then the service comes back
        for line in run.stdout:
            if json.loads(line).get("event") == "removing":
                break
    lines = run.communicate(timeout=400)[0].strip().splitlines()
    report = json.loads(lines[-1])
    assert (run.returncode, report["verdict"], report["left"]) == (1, "failed", 0)
    assert causes(report) == {"vol": ("stuck", "Block storage")}


def test_no_floating_ip(state, tmp_path):
    with stopped("neutron-l3"):
        out = glasshouse("try", scenario(tmp_path, "address"), "--json", state=state, instance="lab-faults")
    report = report_of(out)
    assert (out.returncode, report["left"]) == (1, 0)
    assert causes(report) == {"fip": ("stuck", "Network")}
    assert "DOWN" in steps_of(report)["fip"]["detail"]


def test_no_dhcp(state, tmp_path):
    """The guest gets no address: the log-in is the first cause, not the server."""
    with stopped("neutron-dhcp"):
        out = glasshouse("try", scenario(tmp_path, "guest"), "--json", state=state, instance="lab-faults")
    report = report_of(out)
    assert (out.returncode, report["left"]) == (1, 0)
    found = causes(report)
    assert set(found) == {"login"}, report
    assert found["login"][0] in ("unreachable", "timeout", "refused", "ssh_banner", "ssh_auth")


def test_api_down_in_the_middle(state, tmp_path):
    """nova-api goes while the server is there: deletes are asked again until it is back."""
    run = begin("try", scenario(tmp_path, "guest"), "--json", state=state, instance="lab-faults", stdout=-1)
    back = threading.Timer(15, lab, ("start", "nova-api"))
    for line in run.stdout:
        event = json.loads(line)
        if (event.get("event"), event.get("step")) == ("ready", "login"):
            lab("stop", "nova-api")
            back.start()
            break
    try:
        lines = run.communicate(timeout=400)[0].strip().splitlines()
    finally:
        back.join()
        lab("start", "nova-api")
    report = json.loads(lines[-1])
    assert (run.returncode, report["verdict"], report["left"]) == (0, "passed", 0)
