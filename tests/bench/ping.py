"""Rounds of PINGS (5) pings to TARGETS (1,000) addresses of 127/8, every EVERY (10) s, beside fping. See tools/bench.

glasshouse runs the targets as probes of kind icmp: it judges, stores and serves them too. fping runs once over the
same addresses with the same pause between the pings of a target (-C, -p) and as little as it allows between targets
(-i 1 ms as root). Compared are CPU seconds a ping, user and system, and the median of all times measured.
"""
import json
import os
import pathlib
import re
import shutil
import statistics
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
    shown = subprocess.run([GLASSHOUSE, "series", "-c", main, "--json", "probe{probe=\"p0\"}"], capture_output=True,
                           text=True, check=False)
    return {"pings": TARGETS * PINGS / EVERY * lasted, "cpu": used, "memory": memory, "shown": shown.stdout}


def peer():
    before = os.times()
    done = subprocess.run(["fping", "-q", "-C", str(PINGS), "-p", str(INTERVAL_MS), "-i", "1"],
                          input="\n".join(ADDRESSES), capture_output=True, text=True, check=False)
    after = os.times()
    times = [float(t) for line in done.stderr.splitlines() for t in re.findall(r"(?<= )[0-9.]+", line.split(":")[-1])]
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"pings": TARGETS * PINGS, "cpu": used, "median_ms": statistics.median(times), "answered": len(times)}


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
