"""The shipped scenarios on a real OpenStack; afterwards the openstack client sees nothing of ours.

KILLS=25 (default 5) sets how often a run is killed at a random instant.
"""
import json
import os
import random
import signal
import subprocess
import tempfile
import time

import pytest

GLASSHOUSE = os.environ.get("GLASSHOUSE", "build/src/glasshouse")
CLOUD = "lab-demo"
KINDS = [
    (["server", "list"], "Name"), (["network", "list"], "Name"), (["router", "list"], "Name"),
    (["subnet", "list"], "Name"), (["port", "list"], "Name"), (["security", "group", "list"], "Name"),
    (["keypair", "list"], "Name"), (["volume", "list"], "Name"), (["volume", "snapshot", "list"], "Name"),
    (["image", "list"], "Name"),
]


def glasshouse(*args, timeout=900):
    return subprocess.run([GLASSHOUSE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout)


def openstack(*args):
    out = subprocess.run(["/usr/bin/openstack", "--os-cloud", CLOUD, *args, "-f", "json"],
                         capture_output=True, text=True, timeout=120)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def left(instance):
    """Names that begin with gh-, and floating IPs with our mark: what the cloud itself says."""
    found = [row[name] for args, name in KINDS for row in openstack(*args)
             if str(row[name]).startswith("gh-")]
    for row in openstack("floating", "ip", "list", "--long"):
        if row["Description"].startswith(f"glasshouse {instance} "):
            found.append(row["Description"])
    return found


@pytest.fixture
def state():
    with tempfile.TemporaryDirectory() as path:
        yield path


@pytest.mark.parametrize("scenario,params", [
    ("network-basics", []), ("server-login", ["servers=2"]), ("image-life", ["size=8MiB"]),
    ("volume-life", ["with_backup=false"]), ("server-per-zone", []), ("floating-ip-move", []),
])
def test_scenario(scenario, params, state):
    args = [a for p in params for a in ("--param", p)]
    out = glasshouse("try", scenario, "--cloud", CLOUD, "--state", state, "--instance", "lab-test", *args)
    assert out.returncode == 0, out.stdout[-4000:] + out.stderr[-2000:]
    ledger = glasshouse("ledger", "--open", "--state", state)
    assert ledger.returncode == 0, ledger.stdout
    assert left("lab-test") == []


def test_kill_and_sweep(state):
    """kill -9 at random instants; a foreign look-alike stands beside and stays."""
    subprocess.run(["/usr/bin/openstack", "--os-cloud", CLOUD, "network", "create",
                    "gh-look-alike-0-aaaaaaaaaa"], check=True, capture_output=True)
    try:
        for n in range(int(os.environ.get("KILLS", "5"))):
            run = subprocess.Popen([GLASSHOUSE, "try", "server-login", "--cloud", CLOUD, "--state",
                                    state, "--instance", "lab-kill"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0.2, 20))
            run.send_signal(signal.SIGKILL)
            run.wait()
            out = glasshouse("sweep", "--cloud", CLOUD, "--state", state, "--instance", "lab-kill",
                             "--older", "0s")
            assert out.returncode == 0, out.stdout + out.stderr
        assert left("lab-kill") == ["gh-look-alike-0-aaaaaaaaaa"]
        assert glasshouse("ledger", "--open", "--state", state).returncode == 0
    finally:
        subprocess.run(["/usr/bin/openstack", "--os-cloud", CLOUD, "network", "delete",
                        "gh-look-alike-0-aaaaaaaaaa"], capture_output=True)
