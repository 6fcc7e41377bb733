"""Lost answers on the create of every kind: nothing is made twice unseen, nothing is left.

`before`: the service never got it. `after`: it was made, the answer is lost. `late`: the
connection ends at once, the object comes later.
"""
import os

import pytest

import lost

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
