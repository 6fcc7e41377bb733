"""From the first sample that fails to the page, to the suspected event and to its announcement, on a simulated cloud.

ROUNDS (5) times a service fails and gets well; its probes come every EVERY (2) s, `confirm` is 2, an event is drafted
after LASTING (10) s and announced ANNOUNCE (20) s after it began. The least that those settings allow stands beside
each figure: a second sample must fail, then time must pass. See tools/bench.
"""
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/scene"))
from running import running, until  # noqa: E402  (of the tests)
from simulated import simulated  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
EVERY = float(os.environ.get("EVERY", "2"))
LASTING = float(os.environ.get("LASTING", "10"))
ANNOUNCE = float(os.environ.get("ANNOUNCE", "20"))
CONFIRM = 2
COMPONENT = "block-storage"
CONFIG = {"clouds": {"sim": {"every": f"{EVERY:g}s", "timeout": "1s"}}, "judge": {"confirm": CONFIRM, "minimum": "1s"},
          "events": {"suspect": {"lasting": f"{LASTING:g}s", "announce": f"{ANNOUNCE:g}s", "after": "2s",
                                 "regroup": "1s"}}}


def page_says(run):
    """When the page of customers no longer says that all is well."""
    until(lambda: run.health(COMPONENT) in ("degraded", "outage"), "the page says so", 120)
    return time.time()


def events(run, operators):
    return [e for e in run.site(operators)["events"] if e["machine"] and e["kind"] == "incident" and not e["ended_ms"]]


def first_failure(run, event, since):
    """When the first sample of this round began that the event's first verdict rests on, and when it was judged."""
    evidence = run.json(f"/api/ops/v1/evidence/{event['evidence'][0]}.json", run.intake)
    return min(s["at_ms"] for s in evidence["samples"] if s["fault"] and s["at_ms"] >= since * 1000) / 1000, evidence["at_ms"] / 1000


def one(cloud, run):
    began = time.time()
    cloud.fault({"service": "volume", "effect": "status", "status": 503})
    seen = page_says(run)
    event = until(lambda: events(run, True), "an event is drafted", 120)[0]
    drafted = time.time()
    public = until(lambda: events(run, False), "it is announced", 120) and time.time()
    whole = run.json(f"/api/ops/v1/events/{event['id']}.json", run.intake)
    first, judged = first_failure(run, whole, began)
    cloud.clear()
    run.wait_health(COMPONENT, "operational", 120)
    until(lambda: not events(run, True), "it is over", 120)
    return {"judged": judged - first, "page": seen - first, "written": whole["created_ms"] / 1000 - first,
            "drafted": drafted - first, "public": public - first}


def main():
    with simulated() as cloud, running(cloud, CONFIG) as run:
        run.wait_health(COMPONENT, "operational", 120)
        rounds = [one(cloud, run) for _ in range(ROUNDS)]
        run.stop()
    least = (CONFIRM - 1) * EVERY
    rows = [("judged", "the verdict", least), ("page", "customers read it on the page", least),
            ("written", "the suspected event", least + LASTING),
            ("drafted", "operators see it", least + LASTING), ("public", "customers see it", least + ANNOUNCE)]
    print(f"\nFrom the first failing sample, {ROUNDS} rounds: probes every {EVERY:g} s, confirm {CONFIRM}, lasting"
          f" {LASTING:g} s, announce {ANNOUNCE:g} s")
    print(f"  {'to':32}{'median':>10}{'worst':>10}{'least':>10}")
    for key, what, minimum in rows:
        all_ = [r[key] for r in rounds]
        print(f"  {what:32}{statistics.median(all_):>8.2f} s{max(all_):>8.2f} s{minimum:>8.2f} s", flush=True)
    print("  (CloudMon, by its settings: 2 min behind, a window of 3 min, asked every 60 s: up to 6 min to an incident)")


if __name__ == "__main__":
    main()
