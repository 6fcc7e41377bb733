"""kill -9 of the running program, under load: no fact lost, no alarm twice, gaps only where it was down.

RUN_KILLS (20) kills are shared by RUN_WORKERS (5) tests. Each has a cloud of its own that falls ill and gets well
all the time, a receiver of webhooks that is away now and then, and somebody who reads the page. It is killed at
random, while it starts, as soon as a verdict is in the facts - its alarm is on its way then - and while a scenario
is taken down. What was told, what the facts hold, what the series hold and what the page hatches are compared at
the end. RUN_KEEP names a directory for the files of a test that failed.
"""
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.request

import pytest

from running import Receiver, Run, until
from simulated import GLASSHOUSE, ROOT, Simulated

KILLS = int(os.environ.get("RUN_KILLS", "20"))
WORKERS = min(int(os.environ.get("RUN_WORKERS", "5")), KILLS)
MOMENTS = ["random", "random", "starting", "verdict", "teardown"]
FAULTS = [
    None, None,
    {"service": "volume", "effect": "status", "status": 503},
    {"service": "compute", "method": "GET", "effect": "latency", "time": "500ms"},
    {"service": "network", "method": "GET", "path": "*/networks*", "effect": "status", "status": 403},
    {"service": "image", "effect": "lost"},
]
# Each change is compared with what was told of it, so none is left out for the sake of another.
INDEPENDENT = sorted(set(re.findall(r'^DEPENDS\("([\w-]+)"', pathlib.Path(ROOT, "src/cli/depends.def").read_text(
    encoding="utf-8"), re.M)))
HEALTH = ("operational", "degraded", "outage", "unknown", "maintenance")


class Stir(threading.Thread):
    """Until the end: faults of the cloud, an absent receiver, a reader of the page."""

    def __init__(self, draw, cloud, receiver, page):
        super().__init__(daemon=True)
        self.draw, self.cloud, self.receiver, self.page = draw, cloud, receiver, page
        self.ended = threading.Event()
        self.read = self.refused = 0

    def run(self):
        while not self.ended.is_set():
            fault = self.draw.choice(FAULTS)
            self.cloud.clear()
            if fault:
                self.cloud.fault(fault)
            self.receiver.answer = self.draw.choice([204, 204, 503])
            end = time.monotonic() + self.draw.uniform(0.5, 3)
            while time.monotonic() < end and not self.ended.wait(0.1):
                self.look()

    def look(self):
        try:
            with urllib.request.urlopen(self.page + "/", timeout=10) as answer:
                assert b"</html>" in answer.read()
            self.read += 1
        except (OSError, ValueError, AssertionError):
            self.refused += 1  # killed meanwhile

    def end(self):
        self.ended.set()
        self.join()
        self.cloud.clear()
        self.receiver.answer = 204


class Life:
    """From a start to a kill, in seconds: `spawned`, `up` (None: killed before it said so), `killed`; its children."""

    def __init__(self):
        self.spawned = time.time()
        self.up = self.killed = None
        self.children = []


def free_ports(draw, n):
    """Below those that connections get by themselves."""
    found = []
    while len(found) < n:
        port = draw.randrange(12000, 30000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def ask(state, sql):
    db = sqlite3.connect(f"file:{state}/facts.db?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def verdicts(state):
    """No rows when it was killed before it made its tables."""
    if not os.path.exists(os.path.join(state, "facts.db")):
        return []
    if not ask(state, "SELECT 1 FROM sqlite_master WHERE name = 'verdict'"):
        return []
    return ask(state, "SELECT id, component, health, since_ms, until_ms, rule FROM verdict ORDER BY id")


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
            found += [int(child) for child in f.read().split()]
    return found


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


def wait_verdict(state, seconds):
    """Returns as soon as there is a verdict that was not there."""
    end = time.monotonic() + seconds
    db = sqlite3.connect(f"file:{state}/facts.db?mode=ro", uri=True)
    try:
        newest = db.execute("SELECT max(id) FROM verdict").fetchone()
        while time.monotonic() < end and db.execute("SELECT max(id) FROM verdict").fetchone() == newest:
            time.sleep(0.001)
    finally:
        db.close()


def wait_teardown(cloud, seconds):
    """Returns as soon as one of the objects that were there is gone."""
    end = time.monotonic() + seconds
    before = set()
    while time.monotonic() < end:
        now = {o["id"] for o in cloud.left()}
        if before - now:
            return
        before = now
        time.sleep(0.01)


def nothing_runs(lives):
    """Each child ends with its house, soon."""
    pids = [pid for life in lives for pid in life.children]
    until(lambda: not any(is_there(pid) for pid in pids), f"the children {pids} are gone", 20)


def a_life(draw, moment, cloud, run):
    """Starts, at once after the last kill and on the same ports, and kills."""
    life = Life()
    if moment == "starting":
        run.start(wait=False)
        time.sleep(draw.uniform(0.0, 0.4))
    else:
        run.start()
        life.up = time.time()
        if moment == "random":
            time.sleep(draw.uniform(0.1, 7))
        elif moment == "verdict":
            wait_verdict(run.state, 7)
            time.sleep(draw.choice([0, 0, 0.002, 0.01, 0.05]))
        else:
            wait_teardown(cloud, 12)
    life.children = children(run.process.pid)
    assert moment == "starting" or life.children, "what is served is served by a child"
    run.kill()
    life.killed = time.time()
    run.close()
    return life


def check_facts(rows, run):
    """Each component's verdicts follow one another without a hole, the newest alone is open; each is in the feed once."""
    by_component = {}
    for row in rows:
        by_component.setdefault(row[1], []).append(row)
    assert len(by_component) >= 5
    for component, chain in by_component.items():
        for before, after in zip(chain, chain[1:]):
            assert before[4] == after[3], f"{component}: {before} then {after}"
            assert before[2] != after[2], f"{component}: {before} then {after}"
        assert chain[-1][4] is None, f"{component}: {chain[-1]}"
    feed = [int(row[0]) for row in ask(run.state, "SELECT id FROM change WHERE kind = 'verdict' ORDER BY seq")]
    assert feed == [row[0] for row in rows]


def to_tell(rows):
    """What docs/alarms.md says that is told: trouble, and the end of trouble that was told."""
    ill, expected = set(), []
    for _, component, health, since_ms, _, _ in rows:
        if HEALTH[health] != "operational":
            ill.add(component)
        elif component not in ill:
            continue
        else:
            ill.discard(component)
        expected.append((component, HEALTH[health], since_ms))
    return expected


def ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def check_alarms(rows, receiver, lives):
    """Every change that is to be told is told under one id, in order, and that id is taken once in a life."""
    by_id, again = {}, 0
    for at, key, body in receiver.taken:
        assert key == body["id"]
        told = [(c["component"], c["to"], ms(c["since"])) for c in body["changes"]]
        before = by_id.setdefault(key, (told, []))
        assert before[0] == told, f"{key} says two things"
        before[1].append(at)
    for key, (_, moments) in by_id.items():
        again += len(moments) - 1
        for first, second in zip(moments, moments[1:]):
            assert any(first <= life.killed + 0.1 and life.killed <= second for life in lives if life.killed), \
                f"{key} is taken twice in one life"
    told = [change for changes, _ in by_id.values() for change in changes]
    assert len(told) == len(set(told)), "a change is told under two ids"
    expected = to_tell(rows)
    assert sorted(told) == sorted(expected), \
        f"missing: {set(expected) - set(told)}, not to tell: {set(told) - set(expected)}"
    for component in {change[0] for change in expected}:
        assert [c for c in told if c[0] == component] == [c for c in expected if c[0] == component]
    return len(told), again


def all_told(run, receiver):
    told = {(c["component"], c["to"], ms(c["since"])) for c in receiver.changes()}
    left = set(to_tell(verdicts(run.state))) - told
    if left:
        raise ValueError(f"not told: {left}")
    return True


def has_passed_since(run, moment):
    """A run waits for what dead ones left."""
    last = run.site(True)["scenarios"][0]["last"]
    return last and last["verdict"] == "passed" and last["at_ms"] / 1000 >= moment


def check_could_not_run(receiver):
    """Begin and end take turns."""
    by_id = {body["id"]: body for _, _, body in receiver.taken}
    state = {}
    for body in by_id.values():
        for fact in body["could_not_run"]:
            assert fact["over"] == state.get(fact["what"], False), f"{fact} is told twice"
            state[fact["what"]] = not fact["over"]


def check_lag(lags, what, usual):
    """A second or two as a rule; more only when the disk of a loaded machine was slow, and never much."""
    lags = sorted(lags)
    assert all(lag < 10 for lag in lags), f"{what}: {lags}"
    assert not lags or lags[len(lags) // 2] <= usual, f"{what}: {lags}"


def check_series(run, lives):
    """A probe of every second: samples all through each life but its last second or two, none outside of lives."""
    out = subprocess.run([GLASSHOUSE, "series", "endpoint.token", "--from", "2h", "--step", "1s", "--json", "--state",
                          run.state], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert out.returncode == 0, out.stderr
    at = sorted(ms(json.loads(line)["time"]) / 1000 for line in out.stdout.splitlines())
    assert at
    for moment in at:
        assert any(life.spawned - 1 <= moment <= life.killed for life in lives), f"a sample at {moment}, outside of lives"
    lags = []
    for life in lives:
        if not life.up or life.killed - life.up < 3:
            continue
        inside = [t for t in at if life.up <= t <= life.killed]
        assert inside, f"nothing of a life of {life.killed - life.up:.1f} s"
        assert inside[0] - life.up < 3, "the first sample comes late"
        lags.append(life.killed - inside[-1])
        holes = [(x, y) for x, y in zip(inside, inside[1:]) if y - x > 3.5]
        assert not holes, f"holes {holes} in a life from {life.up} to {life.killed}"
    check_lag(lags, "seconds without a sample before the kill", 3)


def check_observed(run, lives):
    """One span a life, which ends a second or two before the kill."""
    spans = ask(run.state, "SELECT from_ms, to_ms FROM observing ORDER BY from_ms")
    lags = []
    for life in lives:
        mine = [(a / 1000, b / 1000) for a, b in spans if life.spawned <= a / 1000 <= life.killed]
        assert len(mine) == 1 if life.up else len(mine) <= 1, f"{mine} in a life from {life.up} to {life.killed}"
        for begin, end in mine:
            assert not life.up or begin <= life.up + 0.1
            assert end <= life.killed + 0.1
            lags.append(life.killed - end)
    assert len(spans) <= len(lives)
    check_lag(lags, "seconds observed but not known before the kill", 2)
    return lags


def check_hatched(run, lives):
    """What is hatched is what was not observed since the first verdict; what was before that nobody knows."""
    begin = ask(run.state, "SELECT min(since_ms) FROM verdict WHERE component = 'compute'")[0][0] / 1000
    first_day = int(lives[0].spawned // 86400)
    compute = next(c for c in run.site()["components"] if c["id"] == "compute")
    now = time.time()
    hatched = sum(day["gap"] for day in compute["days"] if day["day"] >= first_day)
    spans = [(a / 1000, b / 1000) for a, b in ask(run.state, "SELECT from_ms, to_ms FROM observing ORDER BY from_ms")]
    spans[-1] = (spans[-1][0], now)
    observed = sum(b - max(a, begin) for a, b in spans if b > begin)
    never = sum(min(b, begin) - a for a, b in spans if a < begin)
    dark = now - first_day * 86400 - observed
    assert dark - never - 3 <= hatched <= dark + 3, f"{hatched} s hatched, {dark:.1f} s dark, {never:.1f} s unknown"


def watch(cloud, receiver, draw, moments):
    """Kills at these moments, then lets all get well and compares. What is there to report."""
    lives, seen, begun = [], {}, time.time()
    public, intake = free_ports(random.Random(), 2)
    run = Run(cloud, {"listen": {"public": f"127.0.0.1:{public}", "intake": f"127.0.0.1:{intake}"},
                      "alarms": [{"webhook": receiver.url, "fold": "1s",
                                  "on": ["degraded", "outage", "unknown", "recovery"]}],
                      "judge": {"minimum": "1s", "flapping": "off", "depends": {name: [] for name in INDEPENDENT}},
                      "scenarios": [{"use": "network-basics", "every": "10s"}]}, start=False)
    stir = Stir(random.Random(draw.random()), cloud, receiver, f"http://127.0.0.1:{public}")
    stir.start()
    try:
        for moment in moments:
            lives.append(a_life(draw, moment, cloud, run))
            nothing_runs(lives[:-1])
            for row in verdicts(run.state):
                seen[row[0]] = row[:4]
    finally:
        stir.end()
    calm = time.time()
    last = Life()
    run.start()
    last.up = time.time()
    nothing_runs(lives)
    try:
        until(lambda: {c["health"] for c in run.site()["components"]} == {"operational"}, "all is well again")
        until(lambda: all_told(run, receiver), "every alarm is told", 400)
        until(lambda: all(a["waiting"] == 0 for a in run.site(True)["alarms"]), "nothing waits")
        until(lambda: has_passed_since(run, last.spawned), "what was left is swept and a run passes")
        check_hatched(run, [*lives, last])
        assert run.stop() == 0
        last.killed = time.time()
    finally:
        run.close()
        print(run.stderr()[-20000:])
    lives.append(last)
    rows = verdicts(run.state)
    lost = [row for row in seen.values() if row not in [r[:4] for r in rows]]
    assert not lost, f"facts that were there before a kill are gone: {lost}"
    check_facts(rows, run)
    told, again = check_alarms(rows, receiver, lives)
    check_could_not_run(receiver)
    lags = check_observed(run, lives)
    check_series(run, lives)
    return (f"{len(moments)} kills, {len(rows)} verdicts, {told} changes told, {again} messages sent again, "
            f"{stir.read} pages read, at most {max(lags):.1f} s observed but not known before a kill, "
            f"{calm - begun:.0f} s and {time.time() - calm:.0f} s to the end")


@pytest.mark.parametrize("worker", range(WORKERS))
def test_killed_under_load(worker):
    draw = random.Random(worker)
    kills = KILLS // WORKERS + (worker < KILLS % WORKERS)
    moments = [MOMENTS[(worker + n) % len(MOMENTS)] for n in range(kills)]
    receiver = Receiver()
    try:
        with Simulated(seed=worker + 1) as cloud:
            try:
                report = watch(cloud, receiver, draw, moments)
                cloud.assert_clean()
            except AssertionError:
                if os.environ.get("RUN_KEEP"):
                    shutil.copytree(cloud.place, os.path.join(os.environ["RUN_KEEP"], f"killed-{worker}"),
                                    dirs_exist_ok=True)
                raise
    finally:
        receiver.close()
    print(report)
