"""The fault matrix: every fault of the simulated cloud at every kind of request that a small `oshm` makes.

A cell is one request and one effect. `play()` runs it and returns what came of it; `judge()` says whether that is
what must come of it. tests/scene/test_matrix.py plays a sample, tools/check-matrix all of it.
"""
import json
import os
import subprocess
import time

from simulated import ROOT, Simulated, report

SPEED = 100
DEADLINE, TEARDOWN, LONGEST = 45, 10, 90  # seconds; a program that needs more than LONGEST hangs
LAST = 6
SMALL = ["servers=2", "nets=1", "jh=1", "pi=false", "disk=false", "iperf=false", "catalog=false", "dns=[]"]

# What changes something: how it is named to the sim, and the steps that send it.
CREATES = {
    "router": ("network", "POST", "/v2.0/routers"),
    "network": ("network", "POST", "/v2.0/networks"),
    "subnet": ("network", "POST", "/v2.0/subnets"),
    "router_interface": ("network", "PUT", "*/add_router_interface"),
    "security_group": ("network", "POST", "/v2.0/security-groups"),
    "security_group_rule": ("network", "POST", "/v2.0/security-group-rules"),
    "port": ("network", "POST", "/v2.0/ports"),
    "floating_ip": ("network", "POST", "/v2.0/floatingips"),
    "keypair": ("compute", "POST", "*/os-keypairs"),
    "volume": ("volume", "POST", "*/volumes"),
    "server": ("compute", "POST", "*/servers"),
    "loadbalancer": ("load-balancer", "POST", "*/loadbalancers"),
    "lb_pool": ("load-balancer", "POST", "*/pools"),
    "lb_listener": ("load-balancer", "POST", "*/listeners"),
    "lb_healthmonitor": ("load-balancer", "POST", "*/healthmonitors"),
    "lb_member": ("load-balancer", "POST", "*/members"),
}
STEPS = {
    "router": ["router"], "network": ["jhnet", "net"], "subnet": ["jhsub", "sub"], "router_interface": ["jhlink", "link"],
    "security_group": ["sg_jh", "sg_vm"], "security_group_rule": ["rule"], "port": ["vip", "jhport"],
    "floating_ip": ["fip", "lbfip"], "keypair": ["key_jh", "key_vm"], "volume": ["jhvol"], "server": ["jump", "batch"],
    "loadbalancer": ["balancer"], "lb_pool": ["pool"], "lb_listener": ["listener"], "lb_healthmonitor": ["monitor"],
    "lb_member": ["member"], "metadata": ["label"], "ports": ["nic"], "pool": ["spread", "spread_dead", "spread_again"],
}
DELETES = {
    "router": ("network", "DELETE", "/v2.0/routers/*"),
    "network": ("network", "DELETE", "/v2.0/networks/*"),
    "subnet": ("network", "DELETE", "/v2.0/subnets/*"),
    "router_interface": ("network", "PUT", "*/remove_router_interface"),
    "security_group": ("network", "DELETE", "/v2.0/security-groups/*"),
    "port": ("network", "DELETE", "/v2.0/ports/*"),
    "floating_ip": ("network", "DELETE", "/v2.0/floatingips/*"),
    "keypair": ("compute", "DELETE", "*/os-keypairs/*"),
    "volume": ("volume", "DELETE", "*/volumes/*"),
    "server": ("compute", "DELETE", "*/servers/*"),
    "loadbalancer": ("load-balancer", "DELETE", "*/loadbalancers/*"),
}
READS = {
    "images": ("image", "GET", "/v2/images"),
    "flavors": ("compute", "GET", "*/flavors/detail"),
    "volume": ("volume", "GET", "*/volumes/*"),
    "server": ("compute", "GET", "*/servers/*"),
    "loadbalancer": ("load-balancer", "GET", "*/loadbalancers/*"),
    "ports": ("network", "GET", "/v2.0/ports"),
}
CHANGES = {"metadata": ("compute", "POST", "*/servers/*/metadata")}

EFFECTS = {
    "status 503": {"effect": "status", "status": 503},
    "status 500": {"effect": "status", "status": 500},
    "status 403": {"effect": "status", "status": 403},
    "status 500 after": {"effect": "status", "status": 500, "when": "after"},
    "lost before": {"effect": "lost", "when": "before"},
    "lost after": {"effect": "lost", "when": "after"},
    "lost late": {"effect": "lost", "when": "late"},
    "cut": {"effect": "cut"},
    "html 502": {"effect": "html"},
    "html 200": {"effect": "html", "status": 200},
    "json": {"effect": "json"},
    "stuck": {"effect": "stuck"},
    "error": {"effect": "error"},
    "quota": {"effect": "quota"},
    "latency": {"effect": "latency", "time": "60s"},
    "expired": {"effect": "expired"},
    "always 503": {"effect": "status", "status": 503, "times": 10000},
}
NO_QUOTA = {"router_interface"}  # a part of its router


def cells():
    """{name: (group, request, effect)}"""
    found = {}
    for group, requests in (("create", CREATES), ("delete", DELETES), ("change", CHANGES), ("read", READS)):
        for request in requests:
            for effect in EFFECTS:
                if effect == "quota" and (group != "create" or request in NO_QUOTA) or (effect in ("stuck", "error") and group in ("read", "change")):
                    continue
                found[f"{group} {request}: {effect}"] = (group, request, effect)
    for service in ("compute", "network", "volumev3", "image", "load-balancer"):
        found[f"hole: {service}"] = ("hole", service, "hole")
    for request in ("server", "loadbalancer"):
        found[f"delete {request}: leak"] = ("delete", request, "leak")
    found["guest without metadata"] = ("metadata", "metadata", "status 503")
    return found


def rule(group, request, effect):
    if group == "hole":
        return {"service": "identity", "path": "*/auth/tokens", "effect": "hole", "text": request}
    if group == "metadata":
        return {"service": "metadata", "effect": "status", "status": 503, "times": 1}
    service, method, path = {"create": CREATES, "delete": DELETES, "change": CHANGES, "read": READS}[group][request]
    how = {"effect": "leak"} if effect == "leak" else EFFECTS[effect]
    return {"service": service, "method": method, "path": path, "times": 1, **how}


def scenario(cloud):
    """The shipped file, with deadlines as short as the sim's times are."""
    with open(os.path.join(ROOT, "scenarios/oshm.yaml"), encoding="utf-8") as f:
        text = f.read()
    assert "\ndeadline: 40m\nteardown: 20m\n" in text
    path = os.path.join(cloud.place, "oshm.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("\ndeadline: 40m\nteardown: 20m\n", f"\ndeadline: {DEADLINE}s\nteardown: {TEARDOWN}s\n"))
    return path


def ledger(cloud):
    out = cloud.run("ledger", "--json")
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    return lines[:-1], lines[-1]["totals"]


def drop_leaked_ports(cloud):
    """The command that the ledger has for a network which a port of nova's or octavia's holds."""
    cloud.run("sweep", "--older", "0s", "--budget", "5s", timeout=LONGEST)
    for row in ledger(cloud)[0]:
        if row["fate"] == "needs-admin" and "openstack port delete " in (row["fix"] or ""):
            port = row["fix"].split("openstack port delete ")[1].split()[0]
            if port in {thing["id"] for thing in cloud.left()}:
                cloud.api("network", "DELETE", f"/ports/{port}")


def play(name, seed=1):
    """What came of a cell, as a map that JSON can hold."""
    group, request, effect = cells()[name]
    with Simulated(speed=SPEED, seed=seed, faults={"faults": [rule(group, request, effect)]}) as cloud:
        began = time.monotonic()
        args = [a for p in SMALL for a in ("--param", p)]
        try:
            out = cloud.run("try", scenario(cloud), "--json", *args, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return {"cell": name, "hangs": True, "seconds": LONGEST}
        done = report(out)
        rows, totals = ledger(cloud)
        seen = {"cell": name, "hangs": False, "seconds": round(time.monotonic() - began, 1), "status": out.returncode,
                "fired": cloud.faults()[0]["fired"], "teardown": ((done.get("ended_ms") or 0) - (done.get("built_ms") or 0)) / 1000,
                "verdict": done["verdict"], "error": done.get("error"),
                "causes": {s["name"]: s["fault"] for s in done["steps"] if s["first_cause"]},
                "details": {s["name"]: s["detail"] for s in done["steps"] if s["first_cause"]},
                "totals": totals, "left": cloud.left(), "violations": cloud.violations(),
                "open": [{k: r.get(k) for k in ("kind", "id", "name", "fate", "note")} for r in rows
                         if r["fate"] not in ("deleted", "refused")]}
        # the faults are over, and an administrator does what the ledger asks for
        cloud.clear()
        for row in rows:
            if row["fate"] == "needs-admin":
                cloud.ask("POST", "/reset", {"id": row["id"], "state": "error"})
        if effect == "leak":
            drop_leaked_ports(cloud)
        swept = cloud.run("sweep", "--older", "0s", timeout=LONGEST)
        seen["swept"] = swept.returncode
        seen["sweep_says"] = swept.stdout[-600:] if swept.returncode else ""
        seen["left_after"], seen["violations_after"] = cloud.left(), cloud.violations()
        seen["open_after"] = cloud.run("ledger", "--open").returncode
        return seen


# --- what must come of a cell ----------------------------------------------------------------------

# Kinds that can end in an error of their own, and those that can hang in a state; for the others both change nothing.
STATES = {"volume", "server", "loadbalancer", "lb_pool", "lb_listener", "lb_healthmonitor", "lb_member"}
LOST = {"status 500", "status 503", "status 500 after", "lost before", "lost after", "lost late", "cut", "json", "html 502",
        "html 200"}
FAULTS = {"status 500": {"http_5xx"}, "status 503": {"unavailable"}, "status 500 after": {"http_5xx"}, "html 502": {"http_5xx"},
          "html 200": {"bad_body"}, "json": {"bad_body"}, "cut": {"connection_lost", "bad_body", "lost_answer"}, "lost before": {"connection_lost", "lost_answer"},
          "lost after": {"connection_lost", "lost_answer"}, "lost late": {"connection_lost", "lost_answer"},
          "status 403": {"forbidden"}, "quota": {"quota"}, "always 503": {"unavailable"}, "expired": set(),
          "latency": {"deadline", "timeout", "lost_answer"}, "stuck": {"deadline", "stuck", "timeout"},
          "error": {"error_state", "no_capacity"}, "hole": {"no_service"}}


def blames(group, request, effect, seen):
    """An explanation when the verdict or the first causes are not what the rule of the effect says."""
    causes = seen["causes"]
    steps = {name.split("[")[0] for name in causes}
    if group == "delete":  # the scene was good; what could not be removed is the ledger's
        return "" if seen["verdict"] == "passed" and not causes else "a teardown has no part in the verdict"
    if group == "metadata":  # a log-in is tried for longer than the deadline of this file: then it proves nothing
        good = seen["verdict"] in ("failed", "unknown") and steps and steps <= {"jhlogin", "login", "jump"}
        return "" if good else "nobody can log in to a guest without metadata"
    if group == "read" and request in ("images", "flavors") or group == "hole" and request != "load-balancer":
        expected, may_pass = {"preparation"}, True
    elif group == "hole":
        expected, may_pass = {"balancer"}, False
    elif group == "create":
        expected = set(STEPS[request])
        # what is lost is looked for and found, or made again: degraded, never plainly good
        may_pass = effect in LOST | {"expired"} or effect in ("stuck", "error") and request not in STATES
        if request == "lb_listener" and effect in ("latency", "stuck"):
            expected.add("monitor")  # waits for the balancer that the listener locks
        if effect in LOST and not causes:
            return "" if seen["verdict"] == "degraded" else "a lost answer is never plainly good"
    elif group == "change":
        expected, may_pass = set(STEPS["metadata"]), effect == "expired"
    else:
        expected = {"volume": {"jhvol"}, "server": {"jump", "batch"}, "loadbalancer": {"balancer"},
                    "ports": {"nic"}}[request]
        may_pass = effect != "always 503"  # a look that failed is tried again
    if not causes and expected == {"preparation"}:  # our own configuration's: it says so, and proves nothing
        return "" if seen["verdict"] == "passed" or seen["error"] and seen["status"] == 2 else "nothing is blamed"
    if not causes:
        good = may_pass and seen["verdict"] in ("passed", "degraded")
        return "" if good else f"nothing is blamed, {sorted(expected)} should be"
    if not steps <= expected:
        return f"{sorted(steps - expected)} are blamed beside {sorted(expected)}"
    wrong = set(causes.values()) - FAULTS[effect] - ({"deadline"} if effect == "always 503" else set())
    return f"called {sorted(wrong)} instead of {sorted(FAULTS[effect])}" if wrong else ""


def balances(seen):
    """The same of the books: created = deleted + ..., and what the cloud still has is what the ledger calls open."""
    totals = seen["totals"]
    if totals["created"] != sum(n for key, n in totals.items() if key != "created"):
        return f"the totals do not add up: {totals}"
    known = {r[key] for r in seen["open"] for key in ("id", "name")}  # key pairs have only names
    unknown = [o for o in seen["left"] if o["made_by"] == "api" and not {o["id"], o["name"]} & known and o["kind"] != "server"]
    if unknown and not any(r["fate"] == "unsure" for r in seen["open"]):
        return f"the ledger knows nothing of {unknown}"
    there = {o["id"] for o in seen["left"]}
    gone = [r for r in seen["open"] if r["fate"] not in ("unsure", "created") and r["id"] and r["id"] not in there]
    return f"the ledger calls open what is gone: {gone}" if gone else ""


def judge(name, seen):
    """What is wrong with what came of a cell; an empty list: nothing."""
    group, request, effect = cells()[name]
    if seen["hangs"]:
        return [f"it was not at its end after {LONGEST} s"]
    found = []
    # what is under way at the end of the budget gets a last look
    if seen["teardown"] > TEARDOWN + LAST:
        found.append(f"the teardown took {seen['teardown']:.1f} s of {TEARDOWN} s")
    if not seen["fired"]:
        found.append("the fault never struck")
    found += [text for text in (blames(group, request, effect, seen), balances(seen)) if text]
    for key in ("violations", "violations_after", "left_after"):
        if seen[key]:
            found.append(f"{key}: {seen[key][:3]}")
    if seen["swept"] or seen["open_after"]:
        found.append(f"the sweep after the fault left something: {seen['sweep_says']}")
    return found
