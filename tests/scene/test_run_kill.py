"""kill -9 of the running program at random instants, under load: no fact lost, no alarm twice, gaps only where
it was down.

RUN_KILLS (20) kills are shared by RUN_WORKERS (5) tests; each has a cloud of its own that falls ill and gets
well all the time, and a receiver of webhooks that is away now and then. What was told, what the facts hold and
what the series hold are compared at the end.
"""
import json
import os
import random
import sqlite3
import subprocess
import time

import pytest

from running import Receiver, Run, until
from simulated import GLASSHOUSE, ROOT, Simulated

KILLS = int(os.environ.get("RUN_KILLS", "20"))
WORKERS = min(int(os.environ.get("RUN_WORKERS", "5")), KILLS)
FAULTS = [
    None, None,
    {"service": "volume", "effect": "status", "status": 503},
    {"service": "compute", "method": "GET", "effect": "latency", "time": "500ms"},
    {"service": "network", "effect": "status", "status": 403},
    {"service": "image", "effect": "lost"},
]
BAD = ("degraded", "outage", "unknown")


def a_life(draw, cloud, run, receiver):
    """From a start to a kill; when it was up, as (from, to) in seconds."""
    run.start()
    up = time.time()
    end = up + draw.uniform(0.1, 7)
    while time.time() < end:
        fault = draw.choice(FAULTS)
        cloud.clear()
        if fault:
            cloud.fault(fault)
        receiver.answer = draw.choice([204, 204, 503])
        time.sleep(min(draw.uniform(0.5, 4), max(0.0, end - time.time())))
    run.kill()
    run.out.close()
    run.error.close()
    return up, time.time()


def verdicts(state):
    db = sqlite3.connect(f"file:{state}/facts.db?mode=ro", uri=True)
    try:
        return db.execute("SELECT id, component, health, since_ms, until_ms FROM verdict ORDER BY id").fetchall()
    finally:
        db.close()


def check_facts(rows):
    """Each component's verdicts follow one another without a hole, the newest alone is open."""
    by_component = {}
    for row in rows:
        by_component.setdefault(row[1], []).append(row)
    assert len(by_component) >= 5
    for component, chain in by_component.items():
        for before, after in zip(chain, chain[1:]):
            assert before[4] == after[3], f"{component}: {before} then {after}"
            assert before[2] != after[2], f"{component}: {before} then {after}"
        assert chain[-1][4] is None, f"{component}: {chain[-1]}"


def name(health):
    return ("operational", "degraded", "outage", "unknown", "maintenance")[health] if isinstance(health, int) else health


def check_alarms(rows, receiver):
    """Every change that is to be told was told once: under one key, however often that was sent."""
    by_key = {}
    for _, key, body in receiver.taken:
        told = [(c["component"], c["to"], c["since"]) for c in body["changes"]]
        assert by_key.setdefault(key, told) == told, f"{key} says two things"
    told = [change for changes in by_key.values() for change in changes]
    assert len(told) == len(set(told)), "an alarm came twice"
    first = set()
    expected = 0
    for _, component, health, _, _ in rows:
        bad = name(health) in BAD
        expected += bad or (name(health) == "operational" and component in first)
        if bad:
            first.add(component)
        else:
            first.discard(component)
    assert len(told) == expected, f"{len(told)} told, {expected} to tell"


def check_series(run, lives):
    """A probe of every second: a sample in every two seconds of a life but its last two, none outside of lives."""
    out = subprocess.run([GLASSHOUSE, "series", "token", "--from", "2h", "--json", "--state", run.state], cwd=ROOT,
                         capture_output=True, text=True, timeout=60, check=True)
    at = sorted(s["at_ms"] / 1000 for line in out.stdout.splitlines() for s in [json.loads(line)] if "at_ms" in s)
    assert at
    for moment in at:
        assert any(a - 1 <= moment <= b for a, b in lives), f"a sample at {moment}, outside of every life"
    for a, b in lives:
        inside = [a + 2.5, *[t for t in at if a + 2.5 < t < b - 2], b - 2]
        holes = [y - x for x, y in zip(inside, inside[1:]) if y - x > 2.5]
        assert b - a < 5 or not holes, f"holes of {holes} seconds in a life of {b - a:.1f}"


def check_gaps(run, lives):
    """What is hatched is what was not seen, to within the seconds that a kill costs."""
    compute = next(c for c in run.site()["components"] if c["id"] == "compute")
    gap = sum(day["gap"] for day in compute["days"][-1:])
    midnight = time.time() // 86400 * 86400
    up = sum(b - max(a, midnight) for a, b in lives if b > midnight)
    began = max(lives[0][0], midnight)
    down = time.time() - began - up - (time.time() - lives[-1][1])
    before = began - midnight  # nobody watched before the first start
    assert gap >= down + before - 2 - len(lives), f"{gap} s hatched, {down:.0f} s down, {before:.0f} s before"
    assert gap <= down + before + 3 * len(lives) + 10, f"{gap} s hatched, {down:.0f} s down, {before:.0f} s before"


@pytest.mark.parametrize("worker", range(WORKERS))
def test_killed_under_load(worker):
    draw = random.Random(worker)
    receiver = Receiver()
    with Simulated(seed=worker + 1) as cloud:
        run = Run(cloud, {"alarms": [{"webhook": receiver.url, "fold": "1s",
                                      "on": ["degraded", "outage", "unknown", "recovery"]}],
                          "scenarios": [{"use": "network-basics", "every": "10s"}]}, start=False)
        lives = []
        seen = {}
        for _ in range(KILLS // WORKERS + (worker < KILLS % WORKERS)):
            lives.append(a_life(draw, cloud, run, receiver))
            for row in verdicts(run.state):
                seen[row[0]] = row[:4]
        cloud.clear()
        receiver.answer = 204
        run.start()
        begin = time.time()
        try:
            until(lambda: {c["health"] for c in run.site()["components"]} == {"operational"}, "all is well again")
            until(lambda: all(a["waiting"] == 0 for a in run.site(True)["alarms"]), "every alarm is told", 400)
            time.sleep(2)
            check_gaps(run, [*lives, (begin, time.time())])
            assert run.stop() == 0
        finally:
            run.close()
        rows = verdicts(run.state)
        lost = [row for row in seen.values() if row not in [r[:4] for r in rows]]
        assert not lost, f"facts that were there before a kill are gone: {lost}"
        check_facts(rows)
        check_alarms(rows, receiver)
        check_series(run, [*lives, (begin, time.time())])
        assert cloud.left() == []
        cloud.assert_clean()
    receiver.close()
