"""TERM and INT: a first one takes down what runs within its budget, a second one writes down what is left and leaves,
the next start finishes it off."""
import os
import signal
import socket
import time

import pytest

from running import LOOPBACK, running, until
from simulated import simulated

SLOW = {"service": "network", "method": "DELETE", "effect": "latency", "time": "700ms"}
MANY = """scenario: many
deadline: 60s
resources:
  net:    {network: {}, count: 6}
  subnet: {subnet: {network_id: "${net[i]}", ip_version: 4, cidr: 10.75.0.0/24}, count: 6}
checks:
  stay:   {value: "1", after: [subnet], expect: ["[VALUE] == 2"], retry: {until: 50s, every: 1s, on: [expectation]}}
"""


def write(cloud):
    path = os.path.join(cloud.place, "many.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(MANY)
    return path


def ours(cloud):
    return [o for o in cloud.left() if o["kind"] in ("network", "subnet")]


def building(cloud):
    until(lambda: len(ours(cloud)) == 12, "everything is made")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_try_finishes_teardown(number):
    with simulated() as cloud:
        run = cloud.start("try", write(cloud))
        building(cloud)
        run.send_signal(number)
        assert run.wait(60) == 2, "what was stopped proves nothing"
        cloud.assert_clean()
        assert cloud.run("ledger", "--open").returncode == 0


def test_try_leaves_at_the_second_and_the_next_start_resumes():
    with simulated(faults={"faults": [SLOW]}) as cloud:
        run = cloud.start("try", write(cloud))
        building(cloud)
        run.send_signal(signal.SIGTERM)
        until(lambda: any(r["method"] == "DELETE" for r in cloud.requests()), "teardown has begun")
        begun = time.monotonic()
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 2
        assert time.monotonic() - begun < 10, "it does not wait for the rest"
        out = cloud.run("ledger", "--open")
        assert out.returncode == 1 and "needs an administrator 0" in out.stdout
        assert ours(cloud)
        cloud.clear()
        out = cloud.run("try", "network-basics")
        assert out.returncode == 0 and "interrupted runs had left" in out.stderr, out.stderr
        cloud.assert_clean()
        assert cloud.run("ledger", "--open").returncode == 0


def config(cloud, **more):
    return {"scenarios": [{"use": write(cloud), "every": "1h"}], **more}


def test_run_finishes_teardown():
    with simulated() as cloud:
        with running(cloud, config(cloud)) as run:
            building(cloud)
            assert run.stop() == 0
        cloud.assert_clean()
        assert cloud.run("ledger", "--open").returncode == 0


@pytest.mark.parametrize("how", ["budget", "again"])
def test_run_gives_up_and_the_next_start_resumes(how):
    with simulated(faults={"faults": [SLOW]}) as cloud:
        with running(cloud, config(cloud, stop="1s" if how == "budget" else "10m")) as run:
            building(cloud)
            begun = time.monotonic()
            run.signal(signal.SIGTERM)
            if how == "again":
                until(lambda: any(r["method"] == "DELETE" for r in cloud.requests()), "teardown has begun")
                run.signal(signal.SIGTERM)
            assert run.process.wait(60) == 0
            assert time.monotonic() - begun < 20
        assert ours(cloud) and cloud.run("ledger", "--open").returncode == 1
        cloud.clear()
        with running(cloud, {"scenarios": [{"use": "network-basics", "every": "1h"}]}) as run:
            until(lambda: "dead runs had left" in run.stderr(), "the next start finishes it off")
            assert run.stop() == 0
        cloud.assert_clean()
        assert cloud.run("ledger", "--open").returncode == 0


def test_a_reload_while_it_closes_does_not_end_it():
    """The last numbers are given time: who says HUP meanwhile must not cut that short."""
    with simulated() as cloud, socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        config = {"listen": LOOPBACK, "metrics": [{"influx": f"http://127.0.0.1:{silent.getsockname()[1]}"}]}
        with running(cloud, config, state="closing") as run:
            until(lambda: run.health("compute") is not None, "it has measured something")
            run.signal(signal.SIGTERM)
            for _ in range(4):
                time.sleep(0.5)
                run.signal(signal.SIGHUP)
            assert run.process.wait(30) == 0
            assert "points lost" in run.stderr()
