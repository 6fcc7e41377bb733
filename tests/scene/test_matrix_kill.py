"""kill -9 at random instants of `oshm`, and two instances of it in one project: unaccounted 0, ours left 0, foreign
touched 0. OSHM_KILLS (6) kills are shared by as many tests as OSHM_WORKERS (3) says."""
import os
import random
import subprocess
import time

import pytest

import matrix
from simulated import Simulated

KILLS = int(os.environ.get("OSHM_KILLS", "6"))
WORKERS = min(int(os.environ.get("OSHM_WORKERS", "3")), KILLS)
PARAMS = [a for p in matrix.SMALL for a in ("--param", p)]
LONGEST = 7  # seconds; about what a run takes at this speed, teardown included


def look_alikes(cloud):
    cloud.plant("gh-look-alike-0-aaaaaaaaaa", "glasshouse somebody-else tx1x1x-aaaa net 0")
    cloud.plant("gh-tx1x1x-aaaa-jhnet-bbbbbbbbbb", "glasshouse test-2 tx1x1x-bbbb jhnet 0")


def kill_at(sim, seconds, **more):
    """Whether the run had not ended by itself."""
    run = sim.start("try", "oshm", *PARAMS, **more)
    try:
        run.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
        return True


def sweep(sim, **more):
    out = sim.run("sweep", "--older", "0s", **more)
    assert out.returncode == 0, out.stdout + out.stderr


@pytest.mark.parametrize("worker", range(WORKERS))
def test_killed(worker):
    draw = random.Random(worker)
    struck = 0
    with Simulated(speed=matrix.SPEED, seed=worker + 1) as cloud:
        look_alikes(cloud)
        kills = KILLS // WORKERS + (worker < KILLS % WORKERS)
        for n in range(kills):
            # half of them while things are made, the other half at any time
            at = draw.uniform(0.02, LONGEST if n % 2 else 1.5)
            bare = draw.random() < 0.2  # the journal is lost with its machine
            state = f"state-{n}" if bare else "state"
            try:
                struck += kill_at(cloud, at, state=state)
                if bare:
                    time.sleep(1)  # creates under way get time to appear
                sweep(cloud, state="bare" if bare else state)
                cloud.assert_clean()
                if not bare:
                    left = cloud.run("ledger", "--open", state=state)
                    assert left.returncode == 0, left.stdout
            except AssertionError as broken:
                raise AssertionError(f"kill {n} after {at:.3f} s, bare {bare}: {broken}") from broken
    print(f"{kills} starts, {struck} killed under way")


def test_two_at_once():
    draw = random.Random(7)
    with Simulated(speed=matrix.SPEED) as cloud:
        look_alikes(cloud)
        a = {"cloud": "sim", "instance": "house-a", "state": "a"}
        b = {"cloud": "sim-b", "instance": "house-b", "state": "b"}
        other = cloud.start("try", "oshm", *PARAMS, **b)
        kill_at(cloud, draw.uniform(0.5, 1.5), **a)
        sweep(cloud, **a)  # while the other one runs
        assert "house-a" not in {o["instance"] for o in cloud.left()}
        assert other.wait(120) == 0, "nothing of the other's was touched"
        cloud.assert_clean()
