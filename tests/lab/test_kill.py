"""kill -9 at random instants. Afterwards nothing of ours is left, nothing is unaccounted, and what looks
like ours but is not stands untouched.

KILLS=25 (default 5) says how often, SEED=n repeats the instants of a run.
"""
import os
import random
import tempfile
import time

import pytest

from lab import begin, difference, glasshouse, inventory, open_rows, planted

KILLS = int(os.environ.get("KILLS", "5"))
SEED = int(os.environ.get("SEED", str(random.randrange(1_000_000))))
LONGEST = 30  # a run of server-login takes 20 to 35 s here: from its first request to its teardown


def kill(run, seconds):
    time.sleep(seconds)
    run.kill()
    run.wait()


def test_kills(conn, state):
    """One run after the other is killed and finished off: by a sweep, or by the start of the next."""
    draw = random.Random(SEED)
    with planted(conn, "lab-kill", server=True):
        before = inventory(conn)
        for n in range(KILLS):
            after = draw.uniform(0.1, LONGEST)
            said = f"kill {n} of SEED={SEED}, {after:.2f} s after its start"
            run = begin("try", "server-login", state=state, instance="lab-kill")
            kill(run, after)
            if n % 2:
                out = glasshouse("try", "network-basics", state=state, instance="lab-kill")
            else:
                out = glasshouse("sweep", "--older", "0s", state=state, instance="lab-kill")
            assert out.returncode == 0, f"{said}\n{out.stdout}{out.stderr}"
            assert difference(before, inventory(conn)) == [], f"{said}\n{out.stdout}{out.stderr}"
            code, rows = open_rows(state)
            assert code == 0, f"{said}\n{rows}"
            print(said, (out.stderr or out.stdout).strip().splitlines()[-1:], flush=True)


@pytest.mark.parametrize("journal", [True, False], ids=["journals", "bare"])
def test_two_instances(journal, conn, state):
    """Two instances in one project are killed at once; each sweep removes its own and only that, with
    its journal or, from a bare machine, by what the objects themselves say."""
    draw = random.Random(SEED + 1)
    with planted(conn, "lab-one"), tempfile.TemporaryDirectory() as other, \
            tempfile.TemporaryDirectory() as bare:
        before = inventory(conn)
        states = {"lab-one": state, "lab-two": other}
        runs = [begin("try", "server-login", state=s, instance=i) for i, s in states.items()]
        time.sleep(draw.uniform(3, 15))
        for run in runs:
            run.kill()
        for run in runs:
            run.wait()
        killed_at = time.monotonic()
        if not journal:
            time.sleep(10)  # without a journal nobody knows of a create that is still on its way
        theirs = None
        for instance, path in states.items():
            out = glasshouse("sweep", "--older", "0s", state=path if journal else bare, instance=instance)
            assert out.returncode == 0, out.stdout + out.stderr
            now = difference(before, inventory(conn))
            if theirs is None:
                theirs = now
                assert not any("glasshouse lab-one " in line for line in now), now
                assert any("glasshouse lab-two " in line for line in now), now
        assert now == [], f"{time.monotonic() - killed_at:.0f} s after the kill"
        if journal:
            assert [open_rows(s)[0] for s in states.values()] == [0, 0]
