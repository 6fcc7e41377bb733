"""What a step of a scenario found is told while its run goes on: once, also when the program is killed then."""
import json
import os
import subprocess

from running import running, until
from simulated import GLASSHOUSE, simulated

# its volume fails at once, the list only comes when the network answers again
LONG = """scenario: long
deadline: 15m
resources:
  net:    {network: {}}
  volume: {volume: {size: 1}, timeout: 2s}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.71.0.0/24}, after: [seen]}
checks:
  seen:   {list: {service: network, path: "/networks?id=${net}"}, after: [net], timeout: 10m, retry: {until: 10m, every: 500ms}}
"""
NO_VOLUME = {"service": "volume", "method": "POST", "path": "*/volumes", "effect": "error"}
NO_LIST = {"service": "network", "method": "GET", "path": "/v2.0/networks", "effect": "status", "status": 503}


def config(cloud):
    path = os.path.join(cloud.place, "long.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(LONG)
    return {"scenarios": [{"use": path, "every": "1h"}]}


def samples(cloud):
    """{series: [how many, how many without a fault]} of the scenario, as they are stored."""
    out = subprocess.run([GLASSHOUSE, "series", "long*", "--from", "1h", "--step", "1m", "--json", "--state",
                          os.path.join(cloud.place, "state")], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=60, check=False)
    found = {}
    for line in out.stdout.splitlines():
        row = json.loads(line)
        n = found.setdefault(row["series"].split("{")[0], [0, 0])
        n[0] += row["n"]
        n[1] += row["ok"]
    return found


def verdicts(run):
    return [r["verdict"] for r in run.json("/api/ops/v1/scenarios/long.json", run.intake)["runs"]]


def wait_failed(cloud, run):
    """The volume's failure is on the page, and the run that saw it goes on."""
    run.wait_health("block-storage", "degraded")
    assert verdicts(run)[0] == "running"
    until(lambda: samples(cloud).get("long.volume") == [1, 0], "its sample is stored")
    assert "long" not in samples(cloud), "the run as a whole is not over"
    assert "long.seen" not in samples(cloud)
    assert verdicts(run)[0] == "running"


def test_a_failed_step_is_on_the_page_while_its_run_goes_on():
    with simulated(faults={"faults": [NO_VOLUME, NO_LIST]}) as cloud:
        with running(cloud, config(cloud)) as run:
            wait_failed(cloud, run)
            number = next(c for c in run.site(True)["components"] if c["id"] == "block-storage")["evidence"]
            proof = run.json(f"/api/ops/v1/evidence/{number}.json", run.intake)
            assert [(s["step"], s["fault"]) for s in proof["samples"]] == [("volume", "error_state")]
            page = run.get(f"/runs/{proof['samples'][0]['run']}", run.intake)
            assert page[0] == 200, "the run that it names can be looked at"
            cloud.clear()
            until(lambda: verdicts(run) == ["failed"], "the run is over")
            until(lambda: samples(cloud).get("long") == [1, 0], "that is stored")
            assert samples(cloud) == {"long": [1, 0], "long.volume": [1, 0], "long.net": [1, 1], "long.seen": [1, 1],
                                      "long.subnet": [1, 1]}
            assert run.stop() == 0
        cloud.assert_clean()


def test_nothing_is_told_twice_after_a_kill_in_the_middle():
    with simulated(faults={"faults": [NO_VOLUME, NO_LIST]}) as cloud:
        with running(cloud, config(cloud)) as run:
            wait_failed(cloud, run)
            run.kill()
            before = samples(cloud)
            assert before == {"long.volume": [1, 0], "long.net": [1, 1]}
            cloud.clear()
            run.start()
            # what was told stands until another run has seen that it is well
            until(lambda: verdicts(run)[0] == "passed", "the next run")
            run.wait_health("block-storage", "operational")
            until(lambda: samples(cloud).get("long") == [1, 1], "it is stored")
            assert samples(cloud) == {"long": [1, 1], "long.volume": [2, 1], "long.net": [2, 2], "long.seen": [1, 1],
                                      "long.subnet": [1, 1]}
            assert len(verdicts(run)) == 2 and verdicts(run)[1] != "running"
            assert run.stop() == 0
        cloud.assert_clean()
