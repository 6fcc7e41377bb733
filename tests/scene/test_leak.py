"""Ports that load balancers leave behind, in teardown and in a sweep: what is provably nobody's goes, what may be
somebody's stays, and the ledger says which and what to type.
"""
import json
import os

import pytest

from running import until
from simulated import simulated

SCENARIO = """scenario: leaky
deadline: 2m
teardown: 6s
params: {provider: amphora}
resources:
  net:     {network: {}}
  subnet:  {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.75.0.0/24}}
  lb:      {loadbalancer: {vip_subnet_id: "${subnet}", provider: "${provider}"}}
  pool:    {lb_pool: {loadbalancer_id: "${lb}", protocol: TCP, lb_algorithm: "${provider == 'ovn' ? 'SOURCE_IP_PORT' : 'ROUND_ROBIN'}"}}
  member:  {lb_member: {pool: "${pool}", address: 10.75.0.20, protocol_port: 80, subnet_id: "${subnet}"}}
  monitor: {lb_healthmonitor: {pool_id: "${pool}", type: TCP, delay: 3, timeout: 2, max_retries: 1}, after: [member]}
"""
LEAK = {"service": "load-balancer", "method": "DELETE", "path": "*/loadbalancers/*", "effect": "leak", "nth": 1}
PROVIDERS = {"amphora": {"octavia-lb-"}, "ovn": {"ovn-lb-vip-", "ovn-lb-hm-"}}


def leaky(provider, *faults):
    return simulated(speed=200, faults={"services": {"ovn": provider == "ovn"}, "faults": list(faults)})


def write(cloud):
    path = os.path.join(cloud.place, "leaky.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(SCENARIO)
    return path


def get(cloud, service, path, key):
    return cloud.api(service, "GET", path)[key]


def our_subnet(cloud):
    return next(s["id"] for s in get(cloud, "network", "/subnets", "subnets") if s["cidr"] == "10.75.0.0/24")


def held(cloud, provider):
    """A run that has made all of it, and waits."""
    run = cloud.start("try", write(cloud), "--hold", "--param", f"provider={provider}")

    def made():
        monitors = get(cloud, "load-balancer", "/v2/lbaas/healthmonitors", "healthmonitors")
        return monitors and monitors[0]["provisioning_status"] == "ACTIVE"
    until(made, "everything is made")
    return run


def balancer(cloud, subnet, provider="amphora"):
    """One of somebody else's."""
    made = cloud.api("load-balancer", "POST", "/v2/lbaas/loadbalancers",
                     {"loadbalancer": {"name": "a stranger's", "vip_subnet_id": subnet, "provider": provider}})["loadbalancer"]
    path = f"/v2/lbaas/loadbalancers/{made['id']}"
    until(lambda: get(cloud, "load-balancer", path, "loadbalancer")["provisioning_status"] == "ACTIVE", "it is made")
    return made


def remove_balancer(cloud, lb):
    cloud.api("load-balancer", "DELETE", f"/v2/lbaas/loadbalancers/{lb['id']}?cascade=true")
    until(lambda: lb["id"] not in {b["id"] for b in get(cloud, "load-balancer", "/v2/lbaas/loadbalancers", "loadbalancers")},
          "the stranger's is gone")


def deleted_ports(cloud):
    return [r["path"] for r in cloud.requests() if r["method"] == "DELETE" and "/ports/" in r["path"] and r["status"] == 204]


def open_rows(cloud):
    return [json.loads(line) for line in cloud.run("ledger", "--open", "--json").stdout.splitlines()][:-1]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_teardown(provider):
    with leaky(provider, LEAK) as cloud:
        out = cloud.run("try", write(cloud), "--param", f"provider={provider}", "--json")
        assert out.returncode == 0, out.stdout + out.stderr
        assert cloud.faults()[0]["fired"] == 1
        assert len(deleted_ports(cloud)) == len(PROVIDERS[provider]), out.stdout
        assert out.stdout.count("its load balancer has left it") == len(PROVIDERS[provider])
        assert open_rows(cloud) == []
        cloud.assert_clean()


@pytest.mark.parametrize("state", ["state", "bare"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_sweep(provider, state):
    with leaky(provider, LEAK) as cloud:
        run = held(cloud, provider)
        run.kill()
        run.wait()
        out = cloud.run("sweep", "--older", "0s", state=state)
        assert out.returncode == 0, out.stdout + out.stderr
        assert len(deleted_ports(cloud)) == len(PROVIDERS[provider]), out.stdout
        cloud.assert_clean()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_of_a_balancer_that_lives(provider):
    """In our own subnet, even: it stays until its owner takes it away."""
    with leaky(provider) as cloud:
        run = held(cloud, provider)
        lb = balancer(cloud, our_subnet(cloud), provider)
        run.terminate()
        assert run.wait(60) in (1, 2)  # 2: the signal came before it was all seen ready
        rows = open_rows(cloud)
        assert [(r["kind"], r["fate"]) for r in rows] == [("subnet", "needs-admin"), ("network", "created")]
        assert rows[0]["seen"]["holder"] == lb["vip_port_id"]
        assert rows[0]["fix"] == f"openstack port delete {lb['vip_port_id']} && openstack subnet delete {rows[0]['id']}"
        assert cloud.run("sweep", "--older", "0s", "--budget", "2s").returncode == 1
        assert deleted_ports(cloud) == []
        remove_balancer(cloud, lb)
        assert cloud.run("sweep", "--older", "0s").returncode == 0
        assert open_rows(cloud) == []
        cloud.assert_clean()


def test_a_health_check_while_another_balancer_is_there():
    """The port of OVN's checks names a subnet and no balancer, so any balancer may be what it is for."""
    with leaky("ovn", LEAK) as cloud:
        net = cloud.api("network", "POST", "/networks", {"network": {"name": "a stranger's"}})["network"]["id"]
        subnet = cloud.api("network", "POST", "/subnets", {"subnet": {
            "name": "a stranger's", "network_id": net, "ip_version": 4, "cidr": "10.76.0.0/24"}})["subnet"]["id"]
        lb = balancer(cloud, subnet)
        assert cloud.run("try", write(cloud), "--param", "provider=ovn").returncode == 1
        rows = open_rows(cloud)
        ports = {p["id"]: p["name"] for p in get(cloud, "network", "/ports", "ports")}
        assert [(r["kind"], r["fate"]) for r in rows] == [("subnet", "needs-admin"), ("network", "created")]
        assert ports[rows[0]["seen"]["holder"]] == f"ovn-lb-hm-{rows[0]['id']}"
        assert len(deleted_ports(cloud)) == 1, "that of the VIP, which names our balancer"
        remove_balancer(cloud, lb)
        out = cloud.run("sweep", "--older", "0s")
        assert out.returncode == 0, out.stdout
        assert open_rows(cloud) == []
        cloud.api("network", "DELETE", f"/networks/{net}")
        cloud.assert_clean()


BACK = """scenario: back
deadline: 2m
teardown: 20s
resources:
  net:     {network: {}}
  subnet:  {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.75.0.0/24}}
  back:    {network: {}}
  behind:  {subnet: {network_id: "${back}", ip_version: 4, cidr: 10.76.0.0/24}}
  lb:      {loadbalancer: {vip_subnet_id: "${subnet}", provider: ovn}}
  pool:    {lb_pool: {loadbalancer_id: "${lb}", protocol: TCP, lb_algorithm: SOURCE_IP_PORT}}
  member:  {lb_member: {pool: "${pool}", address: 10.76.0.20, protocol_port: 80, subnet_id: "${behind}"}}
  monitor: {lb_healthmonitor: {pool_id: "${pool}", type: TCP, delay: 3, timeout: 2, max_retries: 1}, after: [member]}
"""


def test_the_subnet_of_members_waits_for_their_balancer():
    """While it lives, ports of it lie there: nothing is asked that can only be refused."""
    with leaky("ovn") as cloud:
        path = os.path.join(cloud.place, "back.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(BACK)
        out = cloud.run("try", path)
        assert out.returncode == 0, out.stdout + out.stderr
        deletes = [(r["path"].split("/")[-2], r["status"]) for r in cloud.requests() if r["method"] == "DELETE"]
        assert sorted(deletes) == sorted([("loadbalancers", 204)] + 2 * [("subnets", 204)] + 2 * [("networks", 204)])
        cloud.assert_clean()


SERVER = """scenario: left
deadline: 2m
teardown: 6s
params: {image: auto, flavor: auto}
resources:
  net:     {network: {}}
  subnet:  {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.75.0.0/24}}
  server:  {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: [{uuid: "${net}"}]}, after: [subnet]}
"""
FORGETS = {"service": "compute", "method": "DELETE", "path": "*/servers/*", "effect": "leak"}


def write_server(cloud):
    path = os.path.join(cloud.place, "left.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(SERVER)
    return path


def held_server(cloud):
    run = cloud.start("try", write_server(cloud), "--hold")
    until(lambda: [s for s in get(cloud, "compute", "/servers/detail", "servers") if s["status"] == "ACTIVE"], "it is up")
    return run


def nova_ports(cloud):
    return [p for p in get(cloud, "network", "/ports", "ports") if p["device_owner"].startswith("compute:")]


def test_a_server_leaves_its_port():
    with leaky("amphora", FORGETS) as cloud:
        out = cloud.run("try", write_server(cloud), "--json")
        assert out.returncode == 0, out.stdout + out.stderr
        assert out.stdout.count("its server has left it") == 1
        assert len(deleted_ports(cloud)) == 1
        assert open_rows(cloud) == []
        cloud.assert_clean()


def test_a_server_leaves_its_port_to_a_sweep():
    """One that knows of the server by its journal; a bare machine has no proof that it was ours."""
    with leaky("amphora", FORGETS) as cloud:
        run = held_server(cloud)
        run.kill()
        run.wait()
        out = cloud.run("sweep", "--older", "0s", "--budget", "4s", state="bare")
        assert out.returncode == 1 and deleted_ports(cloud) == [], out.stdout
        assert get(cloud, "compute", "/servers", "servers") == []
        assert len(nova_ports(cloud)) == 1
        out = cloud.run("sweep", "--older", "0s")
        assert out.returncode == 0, out.stdout + out.stderr
        assert len(deleted_ports(cloud)) == 1, out.stdout
        assert open_rows(cloud) == []
        cloud.assert_clean()


@pytest.mark.parametrize("gone", [False, True])
def test_the_port_of_somebodys_server(gone):
    """It stays, in our own subnet even, whether the server lives or has left it: it was never ours."""
    with leaky("amphora", FORGETS) as cloud:
        run = held_server(cloud)
        ours = get(cloud, "compute", "/servers/detail", "servers")[0]
        network = get(cloud, "network", f"/subnets/{our_subnet(cloud)}", "subnet")["network_id"]
        made = cloud.api("compute", "POST", "/servers", {"server": {
            "name": "a stranger's", "imageRef": ours["image"]["id"], "flavorRef": ours["flavor"]["id"], "networks": [{"uuid": network}]}})["server"]
        path = f"/servers/{made['id']}"
        until(lambda: get(cloud, "compute", path, "server")["status"] == "ACTIVE", "the stranger's is up")
        if gone:
            cloud.api("compute", "DELETE", path)
            until(lambda: len(get(cloud, "compute", "/servers", "servers")) == 1, "the stranger's is gone")
        port = next(p for p in nova_ports(cloud) if p["device_id"] == made["id"])
        run.terminate()
        assert run.wait(60) in (1, 2)
        rows = open_rows(cloud)
        assert [(r["kind"], r["fate"]) for r in rows] == [("subnet", "needs-admin"), ("network", "created")]
        assert rows[0]["seen"]["holder"] == port["id"]
        assert [p["id"] for p in nova_ports(cloud)] == [port["id"]], "ours has gone"
