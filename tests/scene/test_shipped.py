"""The shipped scenarios on a simulated cloud: each passes and leaves nothing; what goes wrong in the cloud is told
as what it is, at the step that met it; and docs/shipped.md says of each what is true."""
import glob
import json
import os
import re

import pytest
import yaml

from simulated import ROOT, report, simulated

NAMES = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(ROOT, "scenarios/*.yaml")))
LIBRARY = ["two-servers"]  # made to be included

# What a simulated cloud needs to be told, and further shapes of those that have many.
PARAMS = {
    "oshm": ["targets=[172.24.4.1]", "servers=4"],
    "server-login": ["servers=2"],
}


def params(name):
    return [arg for p in PARAMS.get(name, []) for arg in ("--param", p)]


@pytest.mark.parametrize("name", NAMES)
def test_passes(name):
    with simulated(speed=50) as cloud:
        plan = cloud.run("plan", name, *params(name))
        assert plan.returncode == 0, plan.stdout + plan.stderr
        assert cloud.left() == []
        out = cloud.run("try", name, "--json", *params(name))
        assert out.returncode == 0, out.stdout[-4000:] + out.stderr
        done = report(out)
        assert done["verdict"] == "passed" and done["created"] == done["deleted"] and done["left"] == 0
        failed = {s["name"]: s["detail"] for s in done["steps"] if s["fault"] != "none" and s["state"] == "failed"}
        assert failed == {}
        cloud.assert_clean()
        assert cloud.run("ledger", "--open").returncode == 0


# name: (scenario, more params, rules, first causes)
FAULTS = {
    "api-tour: no second token": (
        "api-tour", [], [{"service": "identity", "method": "POST", "path": "*/auth/tokens", "effect": "status",
                          "status": 503, "nth": 2}], {"token": "unavailable"}),
    "api-tour: backups fail": (
        "api-tour", [], [{"service": "volume", "path": "*/backups/detail", "effect": "status", "status": 500}],
        {"volume[2]": "http_5xx"}),
    "boot-from-volume: no volume of the image": (
        "boot-from-volume", [], [{"service": "volume", "method": "POST", "path": "*/volumes", "effect": "error"}],
        {"vol": "error_state"}),
    "boot-from-volume: no host": (
        "boot-from-volume", [], [{"service": "compute", "method": "POST", "path": "*/servers", "effect": "error",
                                  "nth": 1}], {"inline": "no_capacity"}),
    "image-life: the upload fails": (
        "image-life", [], [{"service": "image", "method": "PUT", "path": "*/file", "effect": "status", "status": 503}],
        {"image": "unavailable"}),
    "image-life: it stays": (
        "image-life", [], [{"service": "image", "method": "GET", "path": "*/file", "effect": "cut"}],
        {"same": "connection_lost"}),
    "ipv6: no second subnet": (
        "ipv6", [], [{"service": "network", "method": "POST", "path": "*/subnets", "effect": "status", "status": 503,
                      "nth": 2}], {"subnet6": "unavailable"}),
    "ipv6: no host": (
        "ipv6", [], [{"service": "compute", "method": "POST", "path": "*/servers", "effect": "error", "nth": 1}],
        {"server[0]": "no_capacity"}),
    "network-basics: no address": (
        "network-basics", [], [{"service": "network", "method": "POST", "path": "*/floatingips", "effect": "quota"}],
        {"fip": "quota"}),
    "network-basics: the list of routers": (
        "network-basics", [], [{"service": "network", "method": "GET", "path": "/v2.0/routers", "effect": "json"}],
        {"lists[2]": "bad_body"}),
    "quota-edge: refused with a fault of its own": (
        "quota-edge", [], [{"service": "volume", "method": "POST", "path": "*/volumes", "effect": "status",
                            "status": 500}], {"volume_over": "http_5xx"}),
    "quota-edge: no limits": (
        "quota-edge", [], [{"service": "compute", "path": "*/limits", "effect": "status", "status": 503}],
        {"compute": "unavailable"}),
    "resize-and-rebuild: refused": (
        "resize-and-rebuild", [], [{"service": "compute", "method": "POST", "path": "*/action", "effect": "status",
                                    "status": 403, "nth": 1}], {"resize": "forbidden"}),
    "resize-and-rebuild: not confirmed": (
        "resize-and-rebuild", [], [{"service": "compute", "method": "POST", "path": "*/action", "effect": "status",
                                    "status": 500, "nth": 2}], {"confirm": "http_5xx"}),
    "server-life: no metadata": (
        "server-life", [], [{"service": "compute", "method": "POST", "path": "*/metadata", "effect": "status",
                             "status": 500}], {"label": "http_5xx"}),
    "server-life: not stopped": (
        "server-life", [], [{"service": "compute", "method": "POST", "path": "*/action", "effect": "status",
                             "status": 503, "nth": 1}], {"stop": "unavailable"}),
    "server-per-zone: one zone is full": (
        "server-per-zone", [], [{"service": "compute", "method": "POST", "path": "*/servers", "effect": "error",
                                 "nth": 2}], {"server[1]": "no_capacity"}),
    "server-per-zone: no rule": (
        "server-per-zone", [], [{"service": "network", "method": "POST", "path": "*/security-group-rules",
                                 "effect": "status", "status": 500}], {"ssh_in": "http_5xx"}),
    "volume-life: no snapshot": (
        "volume-life", [], [{"service": "volume", "method": "POST", "path": "*/snapshots", "effect": "error",
                             "nth": 1}], {"snap[0]": "error_state"}),
    "volume-life: not restored": (
        "volume-life", [], [{"service": "volume", "method": "POST", "path": "*/restore", "effect": "status",
                             "status": 503}], {"back[0]": "unavailable", "back[1]": "unavailable"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_blames(fault):
    name, more, rules, causes = FAULTS[fault]
    with simulated(speed=50) as cloud:
        cloud.fault(*rules)
        out = cloud.run("try", name, "--json", *params(name), *(a for p in more for a in ("--param", p)))
        assert out.returncode in (1, 2), out.stdout[-3000:] + out.stderr
        found = {s["name"]: s["fault"] for s in report(out)["steps"] if s["first_cause"]}
        assert found == causes
        cloud.clear()
        assert cloud.run("sweep", "--older", "0s").returncode == 0
        cloud.assert_clean()
