"""Lost answers on the create of every kind: nothing is made twice unseen, nothing is left.

`before`: the service never got it. `after`: it was made, the answer is lost. `late`: the
connection ends at once, the object comes later.
"""
import os

import pytest

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


@pytest.mark.parametrize("when", ["before", "after", "late"])
@pytest.mark.parametrize("kind", CREATES)
def test_lost(kind, when):
    service, method, path = CREATES[kind]
    fault = {"service": service, "method": method, "path": path, "nth": 1, "effect": "lost", "when": when}
    with Simulated(faults={"faults": [fault]}) as cloud:
        out = cloud.run("try", SCENARIO, "--json")
        text = f"{kind}, lost {when}: {out.stdout[-3000:]}{out.stderr}"
        assert cloud.faults()[0]["fired"] == 1, text
        # a lost answer is seen by customers: never plainly good
        assert report(out)["verdict"] == "degraded", text
        # what never appeared is not known to be nowhere before its time has passed
        unsure = when == "before" and kind in DOUBLES
        assert (out.returncode, report(out)["left"]) == ((1, 1) if unsure else (0, 0)), text
        cloud.assert_clean()
        out = cloud.run("sweep", "--older", "0s")
        assert out.returncode == 0, text + out.stdout + out.stderr
        ledger = cloud.run("ledger", "--open")
        assert ledger.returncode == 0, text + ledger.stdout
