"""Every kind beyond servers, networks and volumes on a real OpenStack: made, used, unmade; killed in between;
and the load balancer that only an administrator can end.
"""
import os
import random
import subprocess
import time

import pytest

from lab import ROOT, begin, difference, glasshouse, inventory, open_rows, report_of, steps_of

SCENARIOS = ROOT / "tests/lab/kinds"
SEED = int(os.environ.get("SEED", str(random.randrange(1_000_000))))
KILLS = int(os.environ.get("KILLS", "3"))


def scenario(name):
    return str(SCENARIOS / f"{name}.yaml")


@pytest.mark.parametrize("name", ["small-kinds", "balancer", "batch", "route"])
def test_kind(name, conn, state):
    before = inventory(conn)
    out = glasshouse("try", scenario(name), state=state, instance="lab-kinds")
    assert out.returncode == 0, out.stdout[-4000:] + out.stderr[-2000:]
    assert open_rows(state)[0] == 0, open_rows(state)[1]
    assert difference(before, inventory(conn)) == []


def test_secrets_stay_secret(conn, state):
    """Neither the journal nor a page of output holds what only the answer to a create said."""
    out = glasshouse("try", scenario("small-kinds"), "--json", state=state, instance="lab-kinds")
    assert out.returncode == 0, out.stdout[-4000:] + out.stderr[-2000:]
    step = steps_of(report_of(out))["cs"]
    assert step["measured"]["VALUE"] == "***"
    assert b'"secret":"' not in (state / "facts.db").read_bytes()


def test_batch_is_of_several(conn, state):
    out = glasshouse("try", scenario("batch"), "--param", "n=3", "--json", state=state, instance="lab-kinds")
    assert out.returncode == 0, out.stdout[-4000:] + out.stderr[-2000:]
    steps = steps_of(report_of(out))
    assert {f"batch[{i}]" for i in range(3)} <= steps.keys()
    names = steps["names"]["measured"]["VALUE"]
    assert [n.rsplit("-", 1)[1] for n in names] == ["1", "2", "3"]


@pytest.mark.parametrize("name,longest", [("balancer", 10), ("batch", 20), ("small-kinds", 12)])
def test_kills(name, longest, conn, state):
    """kill -9 at random instants; a sweep leaves nothing, with its journal or (the last) without."""
    draw = random.Random(SEED)
    before = inventory(conn)
    for n in range(KILLS):
        after = draw.uniform(0.3, longest)
        run = begin("try", scenario(name), state=state, instance="lab-kinds")
        time.sleep(after)
        run.kill()
        run.wait()
        out = glasshouse("sweep", "--older", "0s", state=state, instance="lab-kinds")
        said = f"kill {n} of SEED={SEED}, {after:.2f} s after its start\n{out.stdout}{out.stderr}"
        assert out.returncode == 0, said
        assert difference(before, inventory(conn)) == [], said
        assert open_rows(state)[0] == 0, said + open_rows(state)[1]


def test_bare_sweep(conn, state, tmp_path):
    """Without its journal a sweep knows balancers, batches, stacks, zones … by what they say themselves."""
    before = inventory(conn)
    runs = [begin("try", scenario(name), state=state, instance="lab-kinds")
            for name in ("balancer", "batch", "small-kinds")]
    time.sleep(7)
    for run in runs:
        run.kill()
    for run in runs:
        run.wait()
    time.sleep(10)
    out = glasshouse("sweep", "--older", "0s", state=tmp_path / "bare", instance="lab-kinds")
    assert out.returncode == 0, out.stdout + out.stderr
    assert difference(before, inventory(conn)) == [], out.stdout + out.stderr


def test_stuck_balancer(conn, state):
    """One that stays PENDING_CREATE for ever needs an administrator, and the ledger says what to type."""
    before = inventory(conn)
    out = glasshouse("try", scenario("balancer"), "--param", "provider=noop_driver", state=state,
                     instance="lab-kinds")
    assert out.returncode == 1 and "PENDING_CREATE" in out.stdout, out.stdout[-4000:]
    code, rows = open_rows(state)
    assert code == 1 and "needs-admin" in rows and "needs an administrator 1" in rows, rows
    command = next(line for line in rows.splitlines() if line.strip().startswith("mysql octavia"))
    # the driver that does nothing does not delete either: what it left is taken for deleted at once
    sql = command.split('"')[1].replace("='ERROR'", "='DELETED'")
    done = subprocess.run(["mysql", "-h127.0.0.1", "-P3307", "-ulab", "-plabsecret", "octavia", "-e", sql],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    out = glasshouse("sweep", state=state, instance="lab-kinds")
    assert out.returncode == 0, out.stdout + out.stderr
    assert open_rows(state)[0] == 0
    assert difference(before, inventory(conn)) == []
