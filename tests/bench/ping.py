"""Rounds of PINGS (5) pings to TARGETS (1,000) addresses of 127/8, every EVERY (10) s, beside fping. See tools/bench.

glasshouse runs the targets as probes of kind icmp: it judges, stores and serves them too. fping runs once over the
same addresses with the same pause between the pings of a target (-C, -p) and as little as it allows between targets
(-i 1 ms as root). Compared is CPU a ping, user and system.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from probes import cpu, family, resident, table

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLASSHOUSE = str(ROOT / "build/src/glasshouse")
TARGETS = int(os.environ.get("TARGETS", "1000"))
PINGS = int(os.environ.get("PINGS", "5"))
EVERY = int(os.environ.get("EVERY", "10"))
SECONDS = float(os.environ.get("SECONDS_EACH", "30"))
INTERVAL_MS = 200
ADDRESSES = [f"127.{2 + i // 62500}.{i // 250 % 250}.{i % 250 + 1}" for i in range(TARGETS)]


def ours(work):
    main = os.path.join(work, "glasshouse.yaml")
    probes = [{"name": f"p{i}", "icmp": {"to": a, "count": PINGS, "interval": f"{INTERVAL_MS}ms"}, "every": f"{EVERY}s"}
              for i, a in enumerate(ADDRESSES)]
    with open(main, "w") as f:
        json.dump({"store": f"sqlite:{work}/state", "listen": {"public": "127.0.0.1:0", "intake": "127.0.0.1:0"},
                   "probes": probes}, f)
    process = subprocess.Popen([GLASSHOUSE, "run", "-c", main], stdout=subprocess.PIPE, text=True,
                               stderr=open(os.path.join(work, "err"), "w"))
    try:
        process.stdout.readline()
        time.sleep(EVERY + 2)
        pids = family(process.pid)
        used, began = cpu(pids), time.monotonic()
        time.sleep(SECONDS)
        used, lasted = cpu(pids) - used, time.monotonic() - began
        memory = resident(pids)
    finally:
        process.terminate()
        process.wait()
    loss = f"probe.loss{{probe=\"p{TARGETS // 2}\"}}"
    shown = subprocess.run([GLASSHOUSE, "series", loss, "--json", "--state", os.path.join(work, "state"), "--step", "1h"],
                           capture_output=True, text=True, check=True).stdout
    points = [json.loads(line) for line in shown.splitlines()]
    if not points or any(p["sum"] for p in points):
        sys.exit(f"glasshouse lost pings on loopback: {points}")
    return {"pings": TARGETS * PINGS / EVERY * lasted, "cpu": used, "memory": memory}


def peer():
    before = os.times()
    done = subprocess.run(["fping", "-q", "-C", str(PINGS), "-p", str(INTERVAL_MS), "-i", "1"],
                          input="\n".join(ADDRESSES), capture_output=True, text=True, check=False)
    after = os.times()
    answered = sum(len(re.findall(r"(?<= )[0-9.]+", line.split(":")[-1])) for line in done.stderr.splitlines())
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"pings": TARGETS * PINGS, "cpu": used, "answered": answered}


def main():
    if not shutil.which("fping"):
        sys.exit("fping is not installed")
    work = tempfile.mkdtemp()
    try:
        own, other = ours(work), peer()
    finally:
        shutil.rmtree(work)
    rows = [["glasshouse (judged, stored, served)", f"{own['pings']:.0f}", f"{own['cpu']:.2f} s",
             f"{own['cpu'] / own['pings'] * 1e6:.1f} us", f"{own['memory']:.1f} MB"],
            ["fping", f"{other['pings']}, {other['answered']} answered", f"{other['cpu']:.2f} s",
             f"{other['cpu'] / other['pings'] * 1e6:.1f} us", ""]]
    table(f"{TARGETS} targets, {PINGS} pings each every {EVERY} s", rows, ["", "pings", "CPU", "CPU/ping", "memory"])
    ratio = (own["cpu"] / own["pings"]) / (other["cpu"] / other["pings"])
    print(f"\n  a ping of glasshouse costs {ratio:.2f} times one of fping")


if __name__ == "__main__":
    main()
