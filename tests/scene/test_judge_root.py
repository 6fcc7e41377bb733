"""What the judge says of causes: an identity service that is down, and a component that changes all the time."""
import json
import subprocess

import pytest

from running import Receiver, running, until
from simulated import GLASSHOUSE, ROOT, simulated


@pytest.fixture
def cloud():
    with simulated() as c:
        yield c


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


def component(run, name):
    return next(c for c in run.site()["components"] if c["id"] == name)


DOWN = [{"service": service, "effect": "status", "status": 503} for service in ("identity", "compute", "image", "network")]


def test_what_rests_on_identity_follows_it(cloud, receiver):
    """All four fail at once; three of them say of whom it comes, on the page in both languages, and in one message."""
    config = {"alarms": [{"webhook": receiver.url, "fold": "5s"}]}
    with running(cloud, config) as run:
        for name in ("identity", "compute", "image", "network"):
            run.wait_health(name, "operational")
        cloud.fault(*DOWN)
        run.wait_health("identity", "outage")
        for name in ("compute", "image", "network"):
            until(lambda: component(run, name)["root"] == "identity", f"{name} follows identity")
            assert component(run, name)["health"] == "outage"
            assert component(run, name)["rule"] == "follows"
        assert component(run, "identity")["root"] is None
        assert "Affected by " in run.get("/?lang=en")[2].decode()
        assert "Betroffen von " in run.get("/?lang=de")[2].decode()
        assert 'href="/components/identity' in run.get("/components/compute?lang=en")[2].decode()
        evidence = run.json(f"/api/ops/v1/evidence/{component(run, 'compute')['evidence']}.json")
        assert evidence["root"] == "identity"
        cloud.clear()
        for name in ("identity", "compute", "image", "network"):
            run.wait_health(name, "operational")
        until(lambda: ("identity", "operational") in [(c["component"], c["to"]) for c in receiver.changes()],
              "that it is over is told")
        assert run.stop() == 0
    down = [c for c in receiver.changes() if c["to"] == "outage"]
    assert "identity" in [c["component"] for c in down]
    # what was seen before its root is told at once; all that follows comes below the root, or not at all
    bodies = [body["text"] for _, _, body in receiver.taken]
    rooted = [c["component"] for c in down if c.get("root")]
    for name in rooted:
        assert any("Identity is in outage" in text and f"    {name.capitalize()} is in outage" in text for text in bodies), bodies


def test_what_is_written_takes_the_place_of_the_table(cloud):
    config = {"judge": {"minimum": "1s", "depends": {"compute": [], "block-storage": ["image"]}}}
    with running(cloud, config) as run:
        for name in ("identity", "compute", "image", "block-storage"):
            run.wait_health(name, "operational")
        cloud.fault({"service": "identity", "effect": "status", "status": 503},
                    {"service": "image", "effect": "status", "status": 503},
                    {"service": "compute", "effect": "status", "status": 503},
                    {"service": "volume", "effect": "status", "status": 503})
        until(lambda: component(run, "image")["root"] == "identity", "image follows identity")
        # not image, which itself follows
        until(lambda: component(run, "block-storage")["root"] == "identity", "block storage follows what image follows")
        run.wait_health("compute", "outage")
        assert component(run, "compute")["root"] is None
        assert run.stop() == 0


def test_a_circle_is_an_error_of_the_configuration(cloud):
    with running(cloud, {"judge": {"depends": {"identity": ["compute"]}}}, start=False) as run:
        run.start(wait=False)
        assert run.process.wait(60) == 2
        assert "judge: depends: nothing can rest on itself:" in run.stderr()


def test_flapping_is_told_once_and_shown_as_the_worst(cloud, receiver):
    config = {"alarms": [{"webhook": receiver.url, "fold": "1s"}],
              "judge": {"minimum": "1s", "flapping": {"changes": 3, "within": "10m", "quiet": "20s"}}}
    with running(cloud, config) as run:
        run.wait_health("block-storage", "operational")
        for _ in range(2):
            cloud.fault({"service": "volume", "effect": "status", "status": 503})
            run.wait_health("block-storage", "outage")
            cloud.clear()
            until(lambda: component(run, "block-storage")["health"] == "operational"
                  or component(run, "block-storage")["flapping"], "it recovers, or flaps")
        until(lambda: component(run, "block-storage")["flapping"], "it flaps")
        assert component(run, "block-storage")["health"] == "outage"
        assert "changes are not told one by one" in run.get("/components/block-storage?lang=en")[2].decode()
        assert "this is the worst it was" in run.get("/?lang=en")[2].decode()
        until(lambda: not component(run, "block-storage")["flapping"], "it has ended", 120)
        run.wait_health("block-storage", "operational")
        until(lambda: receiver.changes()[-1]["to"] == "operational", "its end is told")
        assert run.stop() == 0
    flapping = [c for c in receiver.changes() if c.get("flapping")]
    assert [c["component"] for c in flapping] == ["block-storage"]


def declare(run, *args):
    done = subprocess.run([GLASSHOUSE, "maintenance", *args, "-c", run.path, "--by", "carol", "--json"], cwd=ROOT,
                          env=run.cloud.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("how", ["exclude", "count"])
def test_declared_work_is_measured_counted_and_not_told(cloud, receiver, how):
    config = {"alarms": [{"webhook": receiver.url, "fold": "1s"}], "judge": {"minimum": "1s", "maintenance": how}}
    with running(cloud, config) as run:
        run.wait_health("block-storage", "operational")
        declare(run, "plan", "Patch day", "--id", "patch", "--start", "+1s", "--length", "2h",
                "--component", "block-storage=outage")
        until(lambda: component(run, "block-storage")["maintenance"] == "patch", "the window has begun")
        cloud.fault({"service": "volume", "effect": "status", "status": 503})
        run.wait_health("block-storage", "outage")
        until(lambda: component(run, "block-storage")["days"][-1]["s"][4] >= 2, "it counts as maintenance")
        here = component(run, "block-storage")
        assert here["maintenance"] == "patch" and here["days"][-1]["s"][2] == 0
        # the interval says so too: left out of both ends, or down in both
        shares = here["availability"]["d90"]
        assert (shares["best"] == 1) == (how == "exclude"), shares
        sentence = {"exclude": "Maintenance is left out", "count": "Maintenance counts as time that was down"}[how]
        assert sentence in run.get("/availability?lang=en")[2].decode()
        # another component is no part of it, and is told
        cloud.fault({"service": "image", "effect": "status", "status": 503})
        until(lambda: "image" in [c["component"] for c in receiver.changes()], "that of another is told")
        assert "block-storage" not in [c["component"] for c in receiver.changes()]
        declare(run, "update", "patch", "--phase", "completed")
        until(lambda: component(run, "block-storage")["maintenance"] is None, "the window has ended")
        until(lambda: "block-storage" in [c["component"] for c in receiver.changes()], "what outlasts it is told")
        assert run.stop() == 0
