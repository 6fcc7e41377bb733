"""The simulated cloud is fair: Debian's openstack client and openstacksdk live with it."""
import json
import os
import subprocess
import sys

import pytest

from simulated import simulated

sdk = pytest.importorskip("openstack", reason="python3-openstacksdk is not installed")


@pytest.fixture(scope="module")
def cloud():
    with simulated(speed=50) as found:
        yield found


def openstack(cloud, *args, code=0):
    out = subprocess.run(["/usr/bin/openstack", "--os-cloud", "sim", *args], env=cloud.environment(),
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert out.returncode == code, f"openstack {' '.join(args)}: {out.stdout}{out.stderr}"
    return out.stdout if code == 0 else out.stdout + out.stderr


def ask(cloud, *args):
    return json.loads(openstack(cloud, *args, "-f", "json"))


def test_client_network(cloud):
    net = ask(cloud, "network", "create", "n1")
    subnet = ask(cloud, "subnet", "create", "s1", "--network", "n1", "--subnet-range", "10.5.0.0/24")
    router = ask(cloud, "router", "create", "r1", "--external-gateway", "public")
    openstack(cloud, "router", "add", "subnet", "r1", "s1")
    openstack(cloud, "network", "delete", "n1", code=1)  # in use
    port = ask(cloud, "port", "create", "p1", "--network", "n1")
    fip = ask(cloud, "floating", "ip", "create", "public", "--port", "p1")
    assert fip["port_id"] == port["id"] and subnet["network_id"] == net["id"]
    assert [r["Name"] for r in ask(cloud, "router", "list")] == [router["name"]]
    openstack(cloud, "floating", "ip", "delete", fip["id"])
    openstack(cloud, "port", "delete", "p1")
    openstack(cloud, "router", "remove", "subnet", "r1", "s1")
    openstack(cloud, "router", "delete", "r1")
    openstack(cloud, "network", "delete", "n1")


def test_client_server_and_volume(cloud, tmp_path):
    openstack(cloud, "network", "create", "n2")
    openstack(cloud, "subnet", "create", "s2", "--network", "n2", "--subnet-range", "10.6.0.0/24")
    key = tmp_path / "key"
    key.write_text(openstack(cloud, "keypair", "create", "k2"))
    server = ask(cloud, "server", "create", "--image", "lab-guest", "--flavor", "SCS-1L-1", "--network", "n2",
                 "--key-name", "k2", "--wait", "v2")
    assert server["status"] == "ACTIVE" and server["addresses"]["n2"]
    openstack(cloud, "volume", "create", "--size", "1", "vol2")
    volume = ask(cloud, "volume", "show", "vol2")
    assert volume["size"] == 1
    openstack(cloud, "server", "add", "volume", "v2", "vol2")
    openstack(cloud, "console", "log", "show", "v2")
    events = ask(cloud, "server", "event", "list", "v2")
    assert "create" in [e["Action"] for e in events]
    openstack(cloud, "server", "delete", "--wait", "v2")
    openstack(cloud, "volume", "delete", "vol2")
    openstack(cloud, "keypair", "delete", "k2")
    openstack(cloud, "network", "delete", "n2")


def test_client_balancer(cloud):
    openstack(cloud, "network", "create", "n4")
    openstack(cloud, "subnet", "create", "s4", "--network", "n4", "--subnet-range", "10.8.0.0/24")
    balancer = ask(cloud, "loadbalancer", "create", "--name", "lb4", "--vip-subnet-id", "s4", "--wait")
    assert balancer["provisioning_status"] == "ACTIVE" and balancer["vip_address"].startswith("10.8.0.")
    openstack(cloud, "loadbalancer", "pool", "create", "--name", "p4", "--loadbalancer", "lb4", "--protocol", "HTTP",
              "--lb-algorithm", "ROUND_ROBIN", "--wait")
    openstack(cloud, "loadbalancer", "listener", "create", "--name", "l4", "--protocol", "HTTP", "--protocol-port", "80",
              "--default-pool", "p4", "--wait", "lb4")
    openstack(cloud, "loadbalancer", "member", "create", "--address", "10.8.0.9", "--protocol-port", "80", "--wait", "p4")
    openstack(cloud, "loadbalancer", "healthmonitor", "create", "--delay", "3", "--timeout", "2", "--max-retries", "2",
              "--type", "TCP", "--wait", "p4")
    assert [m["address"] for m in ask(cloud, "loadbalancer", "member", "list", "p4")] == ["10.8.0.9"]
    status = json.loads(openstack(cloud, "loadbalancer", "status", "show", "lb4"))
    assert [p["name"] for p in status["loadbalancer"]["listeners"][0]["pools"]] == ["p4"]
    assert "already using protocol HTTP" in openstack(
        cloud, "loadbalancer", "listener", "create", "--protocol", "HTTP", "--protocol-port", "80", "lb4", code=1)
    assert "it has children" in openstack(cloud, "loadbalancer", "delete", "lb4", code=1)
    openstack(cloud, "loadbalancer", "delete", "--cascade", "--wait", "lb4")
    openstack(cloud, "network", "delete", "n4")


def test_client_image(cloud, tmp_path):
    file = tmp_path / "image"
    file.write_bytes(os.urandom(70000))
    ask(cloud, "image", "create", "--file", str(file), "--disk-format", "raw", "i1")
    image = ask(cloud, "image", "show", "i1")
    assert image["status"] == "active" and image["size"] == 70000
    openstack(cloud, "image", "save", "--file", str(tmp_path / "back"), "i1")
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    openstack(cloud, "image", "delete", "i1")


@pytest.mark.parametrize("args", [
    ["token", "issue"], ["catalog", "list"], ["flavor", "list"], ["image", "list"], ["availability", "zone", "list"],
    ["limits", "show", "--absolute"], ["quota", "show"], ["extension", "list", "--network"], ["volume", "type", "list"],
    ["network", "list", "--external"], ["security", "group", "list"], ["application", "credential", "list"],
    ["loadbalancer", "provider", "list"]])
def test_client_reads(cloud, args):
    assert ask(cloud, *args)


def test_sdk(cloud):
    os.environ["OS_CLIENT_CONFIG_FILE"] = cloud.clouds
    link = sdk.connect(cloud="sim")
    net = link.network.create_network(name="n3", description="d")
    subnet = link.network.create_subnet(network_id=net.id, ip_version=4, cidr="10.7.0.0/24")
    assert [n.id for n in link.network.networks(description="d")] == [net.id]
    with pytest.raises(sdk.exceptions.BadRequestException):
        link.network.create_subnet(network_id=net.id, ip_version=4, cidr="10.7.0.0/25")
    server = link.create_server("v3", image="lab-guest", flavor="SCS-1L-1", network=net.id,
                                auto_ip=False, wait=True, timeout=60)
    assert server.status == "ACTIVE"
    assert link.delete_server(server.id, wait=True, timeout=60)
    volume = link.block_storage.create_volume(size=1, name="vol3")
    link.block_storage.wait_for_status(volume, "available", interval=0.1, wait=60)
    link.block_storage.delete_volume(volume)
    link.network.delete_subnet(subnet)
    link.network.delete_network(net)
    with pytest.raises(sdk.exceptions.ResourceNotFound):
        link.network.get_network(net.id)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
