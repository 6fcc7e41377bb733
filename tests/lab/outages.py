#!/usr/bin/python3
"""Real outages on the lab, from the first failure to the closed event with its evidence.

    eval "export OS_CLIENT_CONFIG_FILE=$(lab/cloud env)"; tests/lab/outages.py [--only 1,3] [--keep DIR]

One after the other a service is stopped and started again: nova-api, neutron's layer-3 agent, cinder's
volume manager, and keystone, on which the others rest. For each it prints when the page said so, which
component was named as the root, which event opened itself, when it was announced, closed, and what its
evidence holds. With --keep pictures of the pages are there too. Ends with 1 when something was missing.
"""
import argparse
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from watch import ROOT, Receiver, Watched, Witness, clock, lab, wait_all

SHIPPED = [{"use": "server-login", "every": "2m"}, {"use": "volume-life", "every": "2m", "params": {"with_backup": False}}]


def own(name, every):
    return [{"use": str(ROOT / f"tests/lab/{name}.yaml"), "every": every}]


# what is stopped, for how long at most, the component that must be named, the scenarios that see it: where the
# API goes on to answer a scenario alone does, twice in a row, and each run waits for what does not come
PLAN = [
    ("nova-api", 240, "compute", SHIPPED),
    ("neutron-l3", 900, "network", own("outage-network", "1m")),
    ("cinder-volume", 900, "block-storage", own("outage-volume", "30s")),
    ("keystone", 240, "identity", SHIPPED),
]
CONFIG = {
    "site": {"name": "Lab", "languages": ["en", "de"]},
    "judge": {"minimum": "10s"},
    "events": {"suspect": {"lasting": "30s", "announce": "1m", "close": "auto", "after": "1m"}},
}


def picture(watched, path, name, keep, width=1280, height=1400):
    if keep:
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        f"--window-size={width},{height}", f"--screenshot={pathlib.Path(keep) / name}.png",
                        watched.url + path], check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def events(watched):
    return watched.ask("api/ops/v1/events", watched.intake)["events"]


def wait_for(ask, seconds):
    """(what it answered, seconds it took), or (None, None)"""
    begin = time.time()
    while time.time() - begin < seconds:
        try:
            found = ask()
        except OSError:
            found = None
        if found:
            return found, time.time() - begin
        time.sleep(1)
    return None, None


def play(watched, fault, keep):
    service, hold, root, _ = fault
    known = {e["id"] for e in events(watched)}
    begin = time.time()
    row = {"service": service, "root": root, "begin": begin, "known": known, "wrong": []}

    def new():
        return next((e for e in events(watched) if e["id"] not in known and not e["ended_ms"]), None)

    def worse():
        return {c["id"]: c for c in watched.ask()["components"] if c["health"] in ("degraded", "outage")}

    lab("stop", service)
    shown, row["shown"] = wait_for(lambda: root in worse(), hold)
    if not shown:
        row["wrong"].append(f"{root} was never worse than operational")
    event, _ = wait_for(new, hold - (time.time() - begin))
    row["opened"] = event and time.time() - begin
    public, _ = wait_for(lambda: next((e for e in events(watched) if event and e["id"] == event["id"] and e["public"]),
                                      None), max(60, hold - (time.time() - begin)))
    row["announced"] = public and time.time() - begin
    time.sleep(5)
    row["follow"] = sorted(i for i, c in worse().items() if c.get("root") == root)
    row["said"] = {i: c["health"] for i, c in worse().items()}
    picture(watched, "", f"{service}-page", keep, height=1640)
    lab("start", service)
    row["end"] = time.time()
    if not event:
        row["wrong"].append("no event opened itself")
        return row
    picture(watched, f"events/{event['id']}", f"{service}-event-open", keep)
    row["event"] = event["id"]
    closed, _ = wait_for(lambda: next((e for e in events(watched) if e["id"] == event["id"] and e["ended_ms"]), None), 600)
    row["closed"] = closed and time.time() - row["end"]
    row["well"] = watched.first(root, {"operational"}, row["end"], time.time())
    if not closed:
        row["wrong"].append("its event was not closed")
    if root not in event["touched"]:
        row["wrong"].append(f"the event names {event['touched']}, not {root}")
    whole = watched.ask(f"api/ops/v1/events/{event['id']}.json", watched.intake)
    row["evidence"] = whole["evidence"]
    if not whole["evidence"]:
        row["wrong"].append("the event has no evidence")
    proofs = [(n, watched.ask(f"api/ops/v1/evidence/{n}.json", watched.intake)) for n in whole["evidence"]]
    for number, proof in [p for p in proofs if p[1]["component"] == root and p[1]["health"] != "operational"][:1]:
        row["proof"] = f"{proof['rule']}: {proof['text']} ({len(proof['samples'])} samples)"
        picture(watched, f"evidence/{number}", f"{service}-evidence", keep)
    picture(watched, f"events/{event['id']}", f"{service}-event-closed", keep)
    return row


def seconds(x):
    return "never" if x is None else f"+{x:.0f}s"


def tell(rows):
    for r in rows:
        print(f"\n{r['service']}: stopped {clock(r['begin'])}, started {clock(r['end'])}\n"
              f"  {r['root']} worse on the page {seconds(r['shown'])}; at the end {r['said']}\n"
              f"  follow it: {', '.join(r['follow']) or 'none'}\n"
              f"  event {r.get('event')}: opened {seconds(r['opened'])}, public {seconds(r['announced'])}; after the start "
              f"well {seconds(r.get('well'))}, closed {seconds(r.get('closed'))}\n"
              f"  evidence {r.get('evidence')}: {r.get('proof')}")
        for text in r["wrong"]:
            print("  WRONG:", text)


def all_passed(watched):
    """The newest run of each scenario was well: what fails then did not before, and nothing that began earlier is
    still to come."""
    return all((s["last"] or {}).get("verdict") == "passed" for s in watched.ask(base=watched.intake)["scenarios"])


def one(fault, place, receiver, keep):
    """An outage beside a program of its own, with the scenarios that see it."""
    place.mkdir(exist_ok=True)
    watched = Watched(place, Witness(), receiver.server_port, {**CONFIG, "scenarios": fault[3]})
    try:
        if not wait_for(lambda: all_passed(watched), 600)[0] or not wait_all(watched, "operational", 60):
            sys.exit(f"before {fault[0]} was stopped not all was well: {watched.at(time.time())}")
        row = play(watched, fault, keep)
        print(f"  {clock(time.time())}  {fault[0]} played", flush=True)
        if not wait_for(lambda: all_passed(watched), 600)[0] or not wait_all(watched, "operational", 300):
            row["wrong"].append(f"not all operational again: {watched.at(time.time())}")
        others = [e["id"] for e in events(watched) if e["id"] not in row["known"] and e["id"] != row.get("event")]
        if others:
            row["wrong"].append(f"more than one event: {others}")
        return [row]
    finally:
        lab("start", fault[0])
        watched.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", help="these outages of the plan, counted from 1")
    options.add_argument("--keep", help="keep state, log and pictures there")
    o = options.parse_args()
    place = o.keep or tempfile.mkdtemp(prefix="lab-outages-")
    os.makedirs(place, exist_ok=True)
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    plan = [PLAN[int(i) - 1] for i in o.only.split(",")] if o.only else PLAN
    rows = []
    for fault in plan:
        rows += one(fault, pathlib.Path(place) / fault[0], receiver, o.keep)
    tell(rows)
    return 1 if any(r["wrong"] for r in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
