"""The fault matrix: every fault of the simulated cloud at every kind of request that a small `oshm` makes.

A cell is one request and one effect. `play()` runs it and returns what came of it; `judge()` says whether that is
what must come of it. tests/scene/test_matrix.py plays a sample, tools/check-matrix all of it.
"""
import json
import os
import re
import subprocess
import time
from collections import Counter

import yaml

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
    "latency": {"effect": "latency", "time": "20s"},
    "expired": {"effect": "expired"},
    "always 503": {"effect": "status", "status": 503, "times": 10000},
}
NO_QUOTA = {"router_interface"}  # a part of its router
PREPARATION = {"images", "flavors"}
HOLES = {"compute": ["compute"], "network": ["network"], "block-storage": ["volumev3", "block-storage"], "image": ["image"],
         "load-balancer": ["load-balancer"]}


def cells():
    """{name: (group, request, effect)}"""
    found = {}
    for group, requests in (("create", CREATES), ("delete", DELETES), ("change", CHANGES), ("read", READS)):
        for request in requests:
            for effect in EFFECTS:
                if effect == "quota" and (group != "create" or request in NO_QUOTA) or (effect in ("stuck", "error") and group in ("read", "change")):
                    continue
                found[f"{group} {request}: {effect}"] = (group, request, effect)
    for service in HOLES:
        found[f"hole: {service}"] = ("hole", service, "hole")
    for request in ("server", "loadbalancer"):
        found[f"delete {request}: leak"] = ("delete", request, "leak")
    found["guest without metadata"] = ("metadata", "metadata", "status 503")
    return found


def rules(group, request, effect):
    """What the sim is told to do."""
    if group == "hole":
        return [{"service": "identity", "path": "*/auth/tokens", "effect": "hole", "text": name} for name in HOLES[request]]
    if group == "metadata":
        return [{"service": "metadata", "effect": "status", "status": 503, "times": 1}]
    service, method, path = {"create": CREATES, "delete": DELETES, "change": CHANGES, "read": READS}[group][request]
    how = {"effect": "leak"} if effect == "leak" else EFFECTS[effect]
    if group == "read" and request in PREPARATION and effect == "latency":
        how = {**how, "time": "70s"}  # a request of the preparation has a minute
    return [{"service": service, "method": method, "path": path, "times": 1, **how}]


def keys(group, request, effect):
    """What each step of the scenario is told besides, for what shall end before the deadline of the whole."""
    if effect == "latency":
        return {"request": "10s"}
    if effect == "stuck" or group == "metadata" or (group, effect) == ("read", "always 503"):
        return {"timeout": "15s", "request": "5s"}
    return {}


class Loader(yaml.SafeLoader):
    """YAML as it is read here, where `on` is a word."""


BOOL = "tag:yaml.org,2002:bool"
Loader.yaml_implicit_resolvers = {first: [r for r in table if r[0] != BOOL] for first, table in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver(BOOL, re.compile("(true|false)$"), "tf")


def scenario(cloud, more):
    """The shipped file, with deadlines as short as the sim's times are, and these keys at each step."""
    with open(os.path.join(ROOT, "scenarios/oshm.yaml"), encoding="utf-8") as f:
        document = yaml.load(f, Loader)
    assert (document["deadline"], document["teardown"]) == ("40m", "20m")
    document.update(deadline=f"{DEADLINE}s", teardown=f"{TEARDOWN}s")
    for part in ("resources", "actions", "checks"):
        for step in document[part].values():
            step.update({} if "group" in step else more)
            if "timeout" in more and "until" in step.get("retry", {}):
                step["retry"]["until"] = more["timeout"]
    path = os.path.join(cloud.place, "oshm.yaml")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(document, f)  # JSON is YAML
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
    cell = cells()[name]
    with Simulated(speed=SPEED, seed=seed, faults={"faults": rules(*cell)}) as cloud:
        began = time.monotonic()
        args = [a for p in SMALL for a in ("--param", p)]
        try:
            out = cloud.run("try", scenario(cloud, keys(*cell)), "--json", *args, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return {"cell": name, "hangs": True, "seconds": LONGEST}
        done = report(out)
        rows, totals = ledger(cloud)
        seen = {"cell": name, "hangs": False, "seconds": round(time.monotonic() - began, 1), "status": out.returncode,
                "fired": all(f["fired"] for f in cloud.faults()),
                "teardown": (done["ended_ms"] - done["built_ms"]) / 1000 if done.get("built_ms") else 0,
                "verdict": done["verdict"], "error": done.get("error"),
                "causes": {s["name"]: s["fault"] for s in done["steps"] if s["first_cause"]},
                "details": {s["name"]: s["detail"] for s in done["steps"] if s["first_cause"]},
                "report": {k: done[k] for k in ("created", "deleted", "left")},
                "totals": totals, "left": cloud.left(), "made": cloud.ask("GET", "/made")["made"],
                "violations": cloud.violations(),
                "rows": [{k: r.get(k) for k in ("kind", "id", "name", "fate", "note", "fix")} for r in rows]}
        # the faults are over, and an administrator does what the ledger asks for
        cloud.clear()
        for row in rows:
            if row["fate"] == "needs-admin":
                cloud.ask("POST", "/reset", {"id": row["id"], "state": "error"})
        if cell[2] == "leak":
            drop_leaked_ports(cloud)
        swept = cloud.run("sweep", "--older", "0s", timeout=LONGEST)
        seen["swept"] = swept.returncode
        seen["sweep_says"] = swept.stdout[-600:] if swept.returncode else ""
        seen["left_after"], seen["violations_after"] = cloud.left(), cloud.violations()
        seen["open_after"] = cloud.run("ledger", "--open").returncode
        return seen


# --- what must come of a cell: the verdict -----------------------------------------------------------

# Kinds that end in an error of their own or hang in a state; to others both effects change nothing.
STATES = {"volume", "server", "floating_ip", "loadbalancer", "lb_pool", "lb_listener", "lb_healthmonitor", "lb_member"}
# What a create's answer hides is looked for and found, or made again.
LOST = {"status 500", "status 503", "status 500 after", "lost before", "lost after", "lost late", "cut", "json", "html 502",
        "html 200", "latency"}
SENT_AGAIN = {"lost before", "lost after", "lost late", "cut", "expired"}  # a GET by whoever speaks HTTP
FAULTS = {"status 500": {"http_5xx"}, "status 503": {"unavailable"}, "status 500 after": {"http_5xx"}, "html 502": {"http_5xx"},
          "html 200": {"bad_body"}, "json": {"bad_body"}, "cut": {"connection_lost"}, "lost before": {"connection_lost"},
          "lost after": {"connection_lost"}, "lost late": {"connection_lost"}, "status 403": {"forbidden"}, "quota": {"quota"},
          "always 503": {"unavailable"}, "latency": {"timeout"}, "stuck": {"stuck"}, "error": {"error_state", "no_capacity"},
          "hole": {"no_service"}}
CONFIGURED = {"status 403", "quota"}  # ours to mend: these prove nothing of the cloud
READERS = {"volume": {"jhvol"}, "server": {"jump", "batch"}, "loadbalancer": {"balancer"}, "ports": {"nic"}}


def expected(group, request, effect):
    """(verdict, the steps one of which is blamed, for one of these faults)"""
    good, lost = ("passed", set(), set()), ("degraded", set(), set())
    bad = "unknown" if effect in CONFIGURED else "failed"
    if group == "delete":  # the scene was good; what could not be removed is the ledger's
        return good
    if group == "metadata":
        return "failed", {"jhlogin", "login"}, {"ssh_auth"}
    if group == "hole":
        return bad, {"load-balancer": {"balancer"}, "block-storage": {"jhvol"}}.get(request, {"preparation"}), FAULTS["hole"]
    if effect == "expired":  # whoever has a password asks for another token
        return good
    if group == "create":
        if effect in ("stuck", "error") and request not in STATES:
            return good
        return lost if effect in LOST else (bad, set(STEPS[request]), FAULTS[effect])
    if group == "change":  # is sent once
        return bad, set(STEPS["metadata"]), FAULTS[effect]
    if request in PREPARATION:  # our own configuration's is no step's: it says so, and proves nothing
        steps = set() if effect in CONFIGURED else {"preparation"}
        return good if effect in SENT_AGAIN else (bad, steps, FAULTS[effect])
    if request == "ports":  # a check, which is one measurement
        return good if effect in SENT_AGAIN else (bad, READERS[request], FAULTS[effect])
    if effect == "always 503":
        return bad, READERS[request], FAULTS[effect]
    return good  # a look at what is not ready yet is followed by another one


def waits_for_locked(request, effect, seen):
    """Steps that are blamed because a load balancer does not come out of what the blamed one did to it, and say so."""
    if request not in BALANCED or effect != "stuck":
        return set()
    return {name for name, detail in seen["details"].items() if (detail or "").startswith("the loadbalancer is PENDING_")}


def blames(group, request, effect, seen):
    """What is wrong with verdict, status, first causes and what is said of them."""
    verdict, steps, faults = expected(group, request, effect)
    causes = {name: fault for name, fault in seen["causes"].items() if name not in waits_for_locked(request, effect, seen)}
    if (group, request, effect) == ("create", "lb_member", "always 503") and set(causes.values()) & faults:
        faults = faults | {"deadline"}  # one change at a time, each of which is looked for twice
    found = []
    if seen["verdict"] != verdict:
        found.append(f"the verdict is {seen['verdict']} instead of {verdict}")
    if not causes and steps:
        found.append(f"nothing is blamed, {sorted(steps)} should be")
    if {name.split("[")[0] for name in causes} - steps:
        found.append(f"{sorted(causes)} are blamed instead of {sorted(steps)}")
    if set(causes.values()) - faults:
        found.append(f"called {sorted(causes.values())} instead of {sorted(faults)}")
    if len(causes) > 1 and effect != "always 503":
        found.append(f"one thing went wrong, and {sorted(causes)} are blamed")
    if bool(seen["error"]) != (verdict != "passed" and not steps and verdict != "degraded"):
        found.append(f"the error of a run that could not begin: {seen['error']}")
    if seen["error"] and not (request in seen["error"] and "credentials do not allow" in seen["error"]):
        found.append(f"the error does not say what was refused: {seen['error']}")
    if (seen["error"] or "preparation" in steps) and seen["made"]:
        found.append("something was made before the first step could begin")
    if group == "metadata" and not all("metadata" in (detail or "") for detail in seen["details"].values()):
        found.append(f"nobody says that the metadata is missing: {seen['details']}")
    status = {"failed": 1, "unknown": 2}.get(verdict, int(any(is_open(r) for r in seen["rows"])))
    if seen["status"] != status:
        found.append(f"it exits with {seen['status']} instead of {status}")
    return found


# --- what must come of a cell: the books -------------------------------------------------------------

# Kinds of which the service allows no second one, or whose id is known before: the lost one is found for certain.
UNIQUE = {"router_interface", "subnet", "security_group_rule", "keypair", "lb_listener", "lb_healthmonitor", "lb_member"}
NOT_MADE = {"status 500", "status 503", "lost before", "html 502", "html 200"}  # where nothing was made
HANGS = {"volume", "server", "loadbalancer"}  # for ever, while it is deleted
BALANCED = {"loadbalancer", "lb_pool", "lb_listener", "lb_healthmonitor", "lb_member"}


def is_open(row):
    return row["fate"] not in ("deleted", "refused")


def same(row, thing):
    """Whether a row of the ledger stands for an object; of a lot only its common name is known at first."""
    if row["kind"] != ("server_batch" if row["kind"] == "server_batch" and thing["kind"] == "server" else thing["kind"]):
        return False
    if row["kind"] == "server_batch":
        return thing["name"].rpartition("-")[0] == row["name"]
    if row["id"] and row["kind"] != "keypair":  # which has no other id than its name
        return row["id"] == thing["id"]
    return bool(row["name"]) and (row["name"] == thing["name"])


def rows_of(seen, thing):
    """Its rows; the one of its lot only when nobody has seen it."""
    rows = [r for r in seen["rows"] if same(r, thing)]
    return [r for r in rows if r["kind"] != "server_batch"] or rows


def knows_all(group, request, effect, seen):
    """What the cloud made against what the ledger says, kind by kind and object by object."""
    blind = request if (group, effect) == ("read", "always 503") else None  # what is gone cannot be seen to be
    found = []
    there = {o["id"] for o in seen["left"]}
    for thing in seen["made"]:
        rows = rows_of(seen, thing)
        if len(rows) != 1 or rows[0]["fate"] == "refused":
            found.append(f"{thing} is {[(r['name'], r['fate']) for r in rows]} to the ledger")
        elif (rows[0]["fate"] == "deleted") == (thing["id"] in there) and (thing["kind"] != blind or thing["id"] in there):
            found.append(f"{thing} is {'still there' if thing['id'] in there else 'gone'}, and {rows[0]['fate']} to the ledger")
    for row in seen["rows"]:
        if row["kind"] == "router_interface":  # an object of the router, known by its port
            if row["id"] and is_open(row) != (row["id"] in there):
                found.append(f"{row} is open or gone and should not be")
        elif row["kind"] != "server_batch" and row["fate"] not in ("refused", "unsure", "intent"):
            never = "was lost" in (row["note"] or "") and row["fate"] == "deleted"  # seen not to be there, by its name
            if not never and not any(same(row, thing) for thing in seen["made"]):
                found.append(f"{row} was never made")
    return found


def adds_up(seen):
    """The same sums in the ledger's totals, in its rows and in the report."""
    rows = [r for r in seen["rows"] if r["fate"] != "refused"]
    fates = Counter({"intent": "left", "created": "left", "needs-admin": "needs_admin"}.get(r["fate"], r["fate"]) for r in rows)
    counted = {**{key: 0 for key in seen["totals"]}, **fates, "created": len(rows)}
    if counted != seen["totals"]:
        return [f"the totals are {seen['totals']}, the rows {counted}"]
    lots = sum(r["kind"] == "server_batch" for r in rows)
    if (said := seen["report"])["created"] != said["deleted"] + said["left"]:
        return [f"the report does not add up: {said}"]
    return [] if len(rows) - lots <= said["created"] <= len(rows) else [f"the report counts {said}, the ledger {len(rows)}, {lots} lots"]


def made_by_services(seen):
    """What services made and left belongs to something that is open, or is named by the command of an open row."""
    rows = [r for r in seen["rows"] if is_open(r)]
    ids = {r["id"] for r in rows} | {o["id"] for o in seen["left"] if o["made_by"] == "api"}
    named = " ".join(r["fix"] or "" for r in rows)
    return [f"nobody answers for {o}" for o in seen["left"]
            if o["made_by"] != "api" and not set(o["parents"]) & ids and o["id"] not in named]


def stays(group, request, effect):
    """{fate: kinds} of which open rows there must be, and {fate: kinds} of which there may be more."""
    kinds = {"server", "server_batch"} if request == "server" else {request}
    held = set(CREATES) | {"server_batch"}  # what is under it stays with it
    if group == "create":
        if effect == "always 503":
            return {}, {"unsure": kinds}
        if effect in NOT_MADE and request not in UNIQUE:
            return {"unsure": kinds}, {}
        if effect == "stuck" and request == "volume":
            return {"needs-admin": {"volume"}}, {}
        if effect == "stuck" and request in BALANCED:
            return {"needs-admin": {"loadbalancer"}}, {"created": BALANCED | {"subnet", "network"}}
    if group == "delete":
        if effect in ("always 503", "latency"):
            return {"created": kinds}, {"created": held}
        if effect == "stuck" and request in HANGS:
            return {"needs-admin": {request}}, {"created": held} if request != "volume" else {}
        if effect == "error" and request == "volume":
            return {"needs-admin": {"volume"}}, {}
        if effect == "leak" and request == "server":  # somebody's port, in a subnet of ours
            return {"needs-admin": {"subnet"}}, {"created": {"network", "security_group", "security_group_rule"}}
    if group == "read" and effect == "always 503" and request in READERS:
        return {}, {"created": held}
    return {}, {}


def leaves(group, request, effect, seen):
    """What is wrong with which rows are open, and why."""
    must, may = stays(group, request, effect)
    if effect == "leak" and not any(o["made_by"] == "nova" for o in seen["left"]):
        must = may = {}  # the server that went first has a port of ours, of which nova leaves nothing
    found, rows = [], [r for r in seen["rows"] if is_open(r)]
    for fate, kinds in must.items():
        n = sum(r["fate"] == fate and r["kind"] in kinds for r in rows)
        if not n or (n > 1 and fate != "created"):
            found.append(f"{n} of {sorted(kinds)} are {fate}")
    found += [f"{r} is open" for r in rows if r["kind"] not in must.get(r["fate"], set()) | may.get(r["fate"], set())]
    found += [f"{r} has no command" for r in rows if r["fate"] == "needs-admin" and not r["fix"]]
    if rows and not any(r["note"] for r in rows):
        found.append("no row says why it is open")
    return found


def judge(name, seen):
    """What is wrong with what came of a cell; an empty list: nothing."""
    cell = cells()[name]
    if seen["hangs"]:
        return [f"it was not at its end after {LONGEST} s"]
    found = []
    # what is under way at the end of the budget gets a last look
    if seen["teardown"] > TEARDOWN + LAST:
        found.append(f"the teardown took {seen['teardown']:.1f} s of {TEARDOWN} s")
    if not seen["fired"]:
        found.append("the fault never struck")
    found += blames(*cell, seen) + knows_all(*cell, seen) + adds_up(seen) + made_by_services(seen) + leaves(*cell, seen)
    for key in ("violations", "violations_after", "left_after"):
        if seen[key]:
            found.append(f"{key}: {seen[key][:3]}")
    if seen["swept"] or seen["open_after"]:
        found.append(f"the sweep after the fault left something: {seen['sweep_says']}")
    return found
