"""Load balancers on a simulated cloud: who answers through them, before and after a member dies."""
import pytest

from simulated import report, simulated

BALANCED = """\
scenario: balanced
deadline: 10m
params: {external: auto, provider: null, protocol: HTTP, algorithm: ROUND_ROBIN, even: 0.2}
include: {two-servers: {}}
resources:
  web:     {security_group_rule: {security_group_id: "${group}", direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 80}}
  lb:      {loadbalancer: {vip_subnet_id: "${subnet}", provider: "${provider}"}}
  pool:    {lb_pool: {loadbalancer_id: "${lb}", protocol: "${protocol}", lb_algorithm: "${algorithm}"}}
  listen:  {lb_listener: {loadbalancer_id: "${lb}", protocol: "${protocol}", protocol_port: 80, default_pool_id: "${pool}"}}
  member:  {lb_member: {pool: "${pool}", address: "${it.address}", protocol_port: 80, subnet_id: "${subnet}"}, each: server}
  monitor: {lb_healthmonitor: {pool_id: "${pool}", type: TCP, delay: 2, timeout: 1, max_retries: 2}, after: [member]}
  vip:     {floating_ip: {floating_network_id: "${external}", port_id: "${lb.vip_port_id}"}, after: [link]}
actions:
  serve:   {guest: {on: "${it}", serve: {80: hostname}}, each: server, after: [web]}
  kill:    {guest: {on: "${server[0]}", stop: serve}, after: [spread]}
  seen:    {wait: "${member[0].operating_status} == ERROR", after: [kill], timeout: 60s}
  revive:  {guest: {on: "${server[0]}", serve: {80: hostname}}, after: [without]}
  healed:  {wait: "${pool.operating_status} == ONLINE", after: [revive], timeout: 60s}
checks:
  spread:  {http: {url: "http://${vip.floating_ip_address}/", requests: 100}, after: [monitor, serve, listen], until: "${pool.operating_status} == ONLINE", expect: ["[ERRORS] == 0", "[SPREAD] < ${even}"]}
  without: {like: spread, after: [seen], until: "${pool.operating_status} == DEGRADED", allowed: ["${server[1].name}"], expect: ["[ERRORS] == 0", "[STRAY] == 0"]}
  again:   {like: spread, after: [healed]}
  inside:  {tcp: {from: "${server[1]}", to: "${lb.vip_address}:80"}, after: [healed]}
"""
OVN = ["--param", "provider=ovn", "--param", "protocol=TCP", "--param", "algorithm=SOURCE_IP_PORT", "--param", "even=0.6"]


@pytest.mark.parametrize("ovn", [False, True])
def test_kill_and_recover(tmp_path, ovn):
    # Health monitors time out in the cloud's time: at twice this speed and more a busy machine takes members down.
    with simulated(speed=4, faults={"services": {"ovn": ovn}}) as cloud:
        file = tmp_path / "balanced.yaml"
        file.write_text(BALANCED)
        found = report(cloud.run("try", str(file), "--json", *(OVN if ovn else [])))
        said = "\n".join(f"{s['name']} {s['state']} {s['fault']} {s['detail']}" for s in found["steps"])
        assert found["verdict"] == "passed" and found["left"] == 0, said
        cloud.assert_clean()


STUCK = """\
scenario: stuck
deadline: 2m
teardown: 5s
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.71.0.0/24}}
  lb:     {loadbalancer: {vip_subnet_id: "${subnet}"}}
  listen: {lb_listener: {loadbalancer_id: "${lb}", protocol: TCP, protocol_port: 80}, timeout: 3s}
"""


def test_stuck(tmp_path):
    """A listener that is never ready locks its load balancer for ever: only an administrator could help."""
    fault = {"service": "load-balancer", "method": "POST", "path": "*/listeners", "effect": "stuck"}
    with simulated(speed=50, faults={"faults": [fault]}) as cloud:
        file = tmp_path / "stuck.yaml"
        file.write_text(STUCK)
        found = report(cloud.run("try", str(file), "--json"))
        assert found["verdict"] == "failed" and found["left"] == 4
        assert {o["kind"] for o in cloud.left()} == {"network", "subnet", "port", "loadbalancer", "lb_listener"}
        assert [o["made_by"] for o in cloud.left() if o["name"].startswith("octavia-lb-")] == ["octavia"]


if __name__ == "__main__":
    import sys
    sys.exit(pytest.main([__file__]))
