"""kill -9 at random instants: unaccounted 0, ours left 0, foreign touched 0.

Each test has a simulated cloud of its own, with look-alikes planted beside, and kills the same
scenario again and again; every kill is followed by a sweep, a new start, or a sweep from a machine
without the journal. KILLS (60) kills are shared by WORKERS (20) tests, since most of their time is
waiting for creates that may still appear.
"""
import os
import random
import subprocess
import time

import pytest

from simulated import Simulated

KILLS = int(os.environ.get("KILLS", "60"))
WORKERS = min(int(os.environ.get("WORKERS", "20")), KILLS)
SCENARIO = os.path.join("tests", "scene", "scenarios", "every-kind.yaml")
LONGEST = 1.5  # seconds until a kill at this speed; a whole run takes about as long


def kill_at(cloud, seconds, scenario=SCENARIO, **more):
    run = cloud.start("try", scenario, **more)
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()


def look_alikes(cloud):
    cloud.plant("gh-look-alike-0-aaaaaaaaaa", "glasshouse somebody-else tx1x1x-aaaa net 0")
    cloud.plant("gh-tx1x1x-aaaa-net-bbbbbbbbbb", "glasshouse test-2 tx1x1x-bbbb net 0")


def after_kill(sim, how, **more):
    if how == "sweep":
        out = sim.run("sweep", "--older", "0s", **more)
    elif how == "start":
        out = sim.run("try", "network-basics", **more)
    else:  # the journal is lost with its machine; creates under way get time to appear
        time.sleep(3)
        out = sim.run("sweep", "--older", "0s", **{**more, "state": "bare"})
    assert out.returncode == 0, f"after {how}: {out.stdout}{out.stderr}"


@pytest.mark.parametrize("worker", range(WORKERS))
def test_kill(worker):
    draw = random.Random(worker)
    with Simulated(seed=worker + 1) as cloud:
        look_alikes(cloud)
        for n in range(KILLS // WORKERS + (worker < KILLS % WORKERS)):
            at, how = draw.uniform(0.02, LONGEST), draw.choice(["sweep", "sweep", "start", "bare"])
            state = f"state-{n}" if how == "bare" else "state"
            kill_at(cloud, at, state=state)
            try:
                after_kill(cloud, how, state=state)
                cloud.assert_clean()
                ledger = cloud.run("ledger", "--open", state=state)
                assert how == "bare" or ledger.returncode == 0, ledger.stdout
            except AssertionError as broken:
                raise AssertionError(f"kill {n} after {at:.3f}s, {how}: {broken}") from broken


@pytest.mark.parametrize("worker", range(8))
def test_two_instances(worker):
    """Two instances in one project at once, both killed, each swept alone."""
    draw = random.Random(1000 + worker)
    with Simulated(seed=worker + 1) as cloud:
        look_alikes(cloud)
        a = {"cloud": "sim", "instance": "house-a", "state": "a"}
        b = {"cloud": "sim-b", "instance": "house-b", "state": "b"}
        runs = [cloud.start("try", SCENARIO, **who) for who in (a, b)]
        time.sleep(draw.uniform(0.3, LONGEST))
        for run in runs:
            run.kill()
            run.wait()
        after_kill(cloud, "sweep", **a)
        left = {o["instance"] for o in cloud.left()}
        assert "house-a" not in left, cloud.left()
        after_kill(cloud, "sweep", **b)
        cloud.assert_clean()


def test_two_instances_run_beside_each_other():
    with Simulated(speed=50) as cloud:
        runs = [cloud.start("try", SCENARIO, cloud=c, instance=i, state=i)
                for c, i in (("sim", "house-a"), ("sim-b", "house-b"))]
        assert [run.wait(120) for run in runs] == [0, 0]
        cloud.assert_clean()
