"""Lost answers on the create of every kind: nothing is made twice unseen, nothing is left.

`before`: the service never got it. `after`: it was made, the answer is lost. `late`: the
connection ends at once, the object comes later.
"""
import os

import pytest

import lost
from simulated import Simulated, report

SCENARIO = os.path.join("tests", "scene", "scenarios", "every-kind.yaml")
CREATES = {
    "network": ("network", "POST", "/v2.0/networks"),
    "subnet": ("network", "POST", "/v2.0/subnets"),
    "router": ("network", "POST", "/v2.0/routers"),
    "router_interface": ("network", "PUT", "*/add_router_interface"),
    "router_route": ("network", "PUT", "*/add_extraroutes"),
    "security_group": ("network", "POST", "/v2.0/security-groups"),
    "security_group_rule": ("network", "POST", "/v2.0/security-group-rules"),
    "port": ("network", "POST", "/v2.0/ports"),
    "floating_ip": ("network", "POST", "/v2.0/floatingips"),
    "keypair": ("compute", "POST", "*/os-keypairs"),
    "server": ("compute", "POST", "*/servers"),
    "server_port": ("compute", "POST", "*/os-interface"),
    "server_volume": ("compute", "POST", "*/os-volume_attachments"),
    "volume": ("volume", "POST", "*/volumes"),
    "snapshot": ("volume", "POST", "*/snapshots"),
    "backup": ("volume", "POST", "*/backups"),
    "restore": ("volume", "POST", "*/restore"),
    "image": ("image", "POST", "/v2/images"),
}
# Kinds of which a second one can be made by mistake.
DOUBLES = {"network", "router", "port", "security_group", "floating_ip", "server", "volume", "snapshot", "backup",
           "restore"}


@pytest.mark.parametrize("when", lost.WHEN)
@pytest.mark.parametrize("kind", CREATES)
def test_lost(kind, when):
    lost.play(SCENARIO, kind, CREATES[kind], when, kind in DOUBLES)


@pytest.mark.parametrize("kind,status", [("router_interface", 409), ("keypair", 403)])
def test_refused_by_what_was_lost(kind, status):
    """What is sent again may be refused for the very thing whose answer was lost, and not only by the status that
    says so: neutron answers 409 while it is still at the first one, nova 403 when that one filled the quota."""
    service, method, path = CREATES[kind]
    rule = {"service": service, "method": method, "path": path}
    with Simulated(faults={"faults": [{**rule, "nth": 1, "effect": "lost"},
                                      {**rule, "nth": 2, "effect": "status", "status": status}]}) as cloud:
        out = cloud.run("try", SCENARIO, "--json")
        text = f"{kind}: {out.stdout[-3000:]}{out.stderr}"
        assert [f["fired"] for f in cloud.faults()] == [1, 1], text
        assert report(out)["verdict"] == "degraded", text
        assert (out.returncode, report(out)["left"]) == (0, 0), text
        cloud.assert_clean()
