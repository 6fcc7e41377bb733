"""The shipped scenarios on a simulated cloud: each passes and leaves nothing; what goes wrong in the cloud is told
as what it is, at the step that met it; and docs/shipped.md says of each what is true."""
import glob
import json
import os
import re

import pytest
import yaml

from simulated import ROOT, report, simulated

FILES = [os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "scenarios/*.yaml"))]
NAMES = sorted(name[:-5] for name in FILES if not name.endswith(".hot.yaml"))
LIBRARY = ["member-servers", "two-servers"]  # made to be included

# What a simulated cloud needs to be told, and further shapes of those that have many.
PARAMS = {
    "oshm": ["servers=4", "disk=false", "pi=false"],
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
        nobodys = {s["name"] for s in done["steps"] if s["state"] == "ready" and not s["component"]}
        assert {n.partition("[")[0] for n in nobodys} <= {n for n, step in steps_of(name).items() if is_nobodys(step)}
        cloud.assert_clean()
        assert cloud.run("ledger", "--open").returncode == 0


@pytest.mark.parametrize("param", ["nic2", "reshuffle"])
def test_second_cards_of_oshm(param):
    """Brought up in their guests, and asked by everybody at their addresses too."""
    small = ["servers=3", "nets=2", "lb=null", "iperf=false", "disk=false", "pi=false", "boot=image", f"{param}=true"]
    with simulated(speed=50) as cloud:
        out = cloud.run("try", "oshm", "--json", *[arg for p in small for arg in ("--param", p)])
        assert out.returncode == 0, out.stdout[-4000:] + out.stderr
        steps = {s["name"]: s for s in report(out)["steps"]}
        for up, mesh in [("up2", "card2")] + ([("up3", "card3")] if param == "reshuffle" else []):
            assert [steps[f"{up}[{i}]"]["state"] for i in range(3)] == ["ready"] * 3
            assert steps[mesh]["measured"]["PAIRS"] == 12, "three guests ask the four addresses of the others"
            assert all(steps[f"{up}[{i}]"]["ready_ms"] <= steps[mesh]["start_ms"] for i in range(3))
        cloud.assert_clean()


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
    "image-life: the download breaks": (
        "image-life", [], [{"service": "image", "method": "GET", "path": "*/file", "effect": "cut"}],
        {"same": "connection_lost"}),
    "ipv6: no second subnet": (
        "ipv6", [], [{"service": "network", "method": "POST", "path": "*/subnets", "effect": "quota", "nth": 2}],
        {"subnet6": "quota"}),
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
        "volume-life", [], [{"service": "volume", "method": "POST", "path": "*/snapshots", "effect": "error"}],
        {"snap[0]": "error_state", "snap[1]": "error_state"}),
    "volume-life: not restored": (
        "volume-life", [], [{"service": "volume", "method": "POST", "path": "*/restore", "effect": "status",
                             "status": 503}], {"back[0]": "unavailable", "back[1]": "unavailable"}),
    "load-balancer: in error": (
        "load-balancer", [], [{"method": "POST", "path": "*/loadbalancers", "effect": "error"}],
        {"balancer": "error_state"}),
    "load-balancer: no member": (
        "load-balancer", [], [{"method": "POST", "path": "*/members", "effect": "status", "status": 403, "nth": 1}],
        {"member[0]": "forbidden"}),
    "object-store: no container": (
        "object-store", [], [{"method": "PUT", "path": "*box*", "effect": "status", "status": 403, "nth": 1}],
        {"box": "forbidden"}),
    "object-store: not read": (
        "object-store", [], [{"method": "GET", "path": "*small*", "effect": "status", "status": 500}],
        {"same": "http_5xx"}),
    "secret: not stored": (
        "secret", [], [{"method": "POST", "path": "*/secrets", "effect": "status", "status": 403}],
        {"secret": "forbidden"}),
    "secret: not read": (
        "secret", [], [{"method": "GET", "path": "*/payload", "effect": "status", "status": 500}],
        {"same": "http_5xx"}),
    "stack: failed": (
        "stack", [], [{"method": "POST", "path": "*/stacks", "effect": "error"}], {"stack": "error_state"}),
    "stack: not changed": (
        "stack", [], [{"method": "PATCH", "effect": "status", "status": 500}], {"changed": "http_5xx"}),
    "floating-ip-move: no address": (
        "floating-ip-move", [], [{"method": "POST", "path": "*/floatingips", "effect": "status", "status": 403}],
        {"vip": "forbidden"}),
    "lb-kill-and-recover: in error": (
        "lb-kill-and-recover", [], [{"method": "POST", "path": "*/loadbalancers", "effect": "error"}],
        {"balancer": "error_state"}),
    "lb-kill-and-recover: no monitor": (
        "lb-kill-and-recover", [], [{"method": "POST", "path": "*/healthmonitors", "effect": "status", "status": 403}],
        {"monitor": "forbidden"}),
    "oshm: no router": (
        "oshm", [], [{"method": "POST", "path": "*/routers", "effect": "status", "status": 403}],
        {"router": "forbidden"}),
    "oshm: no balancer": (
        "oshm", [], [{"method": "POST", "path": "*/loadbalancers", "effect": "error"}], {"balancer": "error_state"}),
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


# --- docs/shipped.md ------------------------------------------------------------------------------

def tables():
    """Rows of the tables below each heading, as lists of cells without back-quotes."""
    found, heading = {}, None
    with open(os.path.join(ROOT, "docs/shipped.md"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("## "):
                heading = line[3:].strip()
            elif line.startswith("| ") and not line.startswith("| ---"):
                found.setdefault(heading, []).append([c.strip().replace("`", "") for c in line.strip()[1:-1].split("|")])
    return {heading: rows[1:] for heading, rows in found.items()}


def steps_of(name):
    """All steps of a scenario as written, included ones too."""
    with open(os.path.join(ROOT, f"scenarios/{name}.yaml"), encoding="utf-8") as f:
        whole = yaml.safe_load(f)
    found = {}
    for part in ("resources", "actions", "checks"):
        found.update(whole.get(part) or {})
    include = whole.get("include") or []
    for other in [include] if isinstance(include, str) else include:
        found.update(steps_of(other))
    return found


def is_nobodys(step):
    """A group of others, and a figure that cannot fail or is only noted, are charged to nobody."""
    return "group" in step or ("value" in step and ("expect" not in step or step.get("grade") == "note"))


# What a guest, an address or a name server answers belongs to nobody unless the step says to whom.
ASKS_NO_SERVICE = {"ping", "tcp", "http", "ssh", "dns", "stream", "guest", "mesh", "throughput", "bench", "wait", "value"}


@pytest.mark.parametrize("name", NAMES)
def test_failures_are_charged_to_somebody(name):
    steps = steps_of(name)
    for step, keys in steps.items():
        whole = {**steps[keys["like"]], **keys} if "like" in keys else keys
        assert "component" in whole or is_nobodys(whole) or not ASKS_NO_SERVICE & whole.keys(), f"{name}: {step}"


def test_every_scenario_is_described():
    names = [n for n in NAMES if n not in LIBRARY]
    assert [row[0] for row in tables()["What they prove"]] == names
    assert [row[0] for row in tables()["What they make and cost"]] == names
    with open(os.path.join(ROOT, "docs/shipped.md"), encoding="utf-8") as f:
        text = f.read()
    assert all(f"`{name}`" in text for name in LIBRARY)
    for name in NAMES:
        with open(os.path.join(ROOT, f"scenarios/{name}.yaml"), encoding="utf-8") as f:
            assert f.read().startswith("# "), name


def test_costs_are_the_plans():
    with simulated(speed=50) as cloud:
        for name, objects, minutes, *_ in tables()["What they make and cost"]:
            out = cloud.run("plan", name, "--json")
            assert out.returncode == 0, out.stdout + out.stderr
            bill = json.loads(out.stdout)["bill"]
            assert (name, int(objects), float(minutes)) == (name, bill["total"], round(bill["server_minutes"]))


def test_series_are_the_files():
    told = {series: set(names.split(", ")) for series, _, names in tables()["Their series"]}
    there = {}
    for name in NAMES:
        for step in steps_of(name).values():
            if "metric" in step and name not in LIBRARY:
                there.setdefault(str(step["metric"]), set()).add(name)
    assert told == there


def test_params_of_oshm_are_told():
    with open(os.path.join(ROOT, "scenarios/oshm.yaml"), encoding="utf-8") as f:
        names = set(yaml.safe_load(f)["params"])
    words = set(re.findall(r"\w+", " ".join(row[1] for row in tables()["Instead of api_monitor.sh"])))
    assert names <= words, names - words
