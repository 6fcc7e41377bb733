"""Lost answers and kill -9 on the kinds of the other services: balancers, zones, stacks, secrets, objects,
credentials, batches. Nothing is left, no rule is broken, the ledger balances.

As test_lost.py and test_kill.py do it for servers, networks and volumes, which say what the words mean.
"""
import json
import os
import random

import pytest

import lost
from simulated import Simulated
from test_kill import after_kill, kill_at

SCENARIO = os.path.join("tests", "scene", "scenarios", "every-service.yaml")
CREATES = {
    "loadbalancer": ("load-balancer", "POST", "*/loadbalancers"),
    "lb_pool": ("load-balancer", "POST", "*/pools"),
    "lb_listener": ("load-balancer", "POST", "*/listeners"),
    "lb_member": ("load-balancer", "POST", "*/members"),
    "lb_healthmonitor": ("load-balancer", "POST", "*/healthmonitors"),
    "dns_zone": ("dns", "POST", "*/zones"),
    "dns_recordset": ("dns", "POST", "*/recordsets"),
    "secret": ("key-manager", "POST", "*/secrets"),
    "container": ("object-store", "PUT", "*-box-*"),
    "object": ("object-store", "PUT", "*-thing-*"),
    "application_credential": ("identity", "POST", "*/application_credentials"),
    "server_batch": ("compute", "POST", "*/servers"),
    "stack": ("orchestration", "POST", "*/stacks"),
}
# Kinds of which a second one can be made by mistake.
DOUBLES = {"loadbalancer", "lb_pool", "secret", "application_credential", "server_batch"}
LONGEST = 2.5  # seconds until a kill at this speed; a whole run takes about as long


def assert_balanced(cloud, text, **more):
    out = cloud.run("ledger", "--json", **more)
    totals = json.loads(out.stdout.splitlines()[-1])["totals"]
    assert totals["created"] == sum(n for key, n in totals.items() if key != "created"), text + out.stdout
    out = cloud.run("ledger", "--open", **more)
    assert out.returncode == 0, text + out.stdout


@pytest.mark.parametrize("when", lost.WHEN)
@pytest.mark.parametrize("kind", CREATES)
def test_lost(kind, when):
    # the first request for `*-box-*` makes the container, what lies in it comes after
    lost.play(SCENARIO, kind, CREATES[kind], when, kind in DOUBLES, assert_balanced)


@pytest.mark.parametrize("worker", range(int(os.environ.get("WORKERS", "8"))))
def test_kill(worker):
    draw = random.Random(2000 + worker)
    with Simulated(seed=worker + 1) as cloud:
        cloud.plant("gh-look-alike-0-aaaaaaaaaa", "glasshouse somebody-else tx1x1x-aaaa lb 0")
        for n in range(3):
            at, how = draw.uniform(0.02, LONGEST), draw.choice(["sweep", "sweep", "start", "bare"])
            state = f"state-{n}" if how == "bare" else "state"
            kill_at(cloud, at, scenario=SCENARIO, state=state)
            try:
                after_kill(cloud, how, state=state)
                cloud.assert_clean()
                if how != "bare":
                    assert_balanced(cloud, "", state=state)
            except AssertionError as broken:
                raise AssertionError(f"kill {n} after {at:.3f}s, {how}: {broken}") from broken
