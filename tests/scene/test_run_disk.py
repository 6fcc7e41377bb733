"""A disk that is full or takes nothing: watching goes on, the page and the operators are told, nothing is lost when
it is over. The state stands on a small file system of its own, for which one must be root."""
import contextlib
import json
import os
import subprocess

import pytest

from running import Receiver, Run, until
from simulated import GLASSHOUSE, ROOT, simulated
from test_run_kill import check_facts, ms, to_tell, verdicts

ON = ["degraded", "outage", "unknown", "recovery"]


def mount(*args):
    return subprocess.run(["mount", *args], capture_output=True, text=True, check=False)


@contextlib.contextmanager
def small_disk(cloud):
    place = os.path.join(cloud.place, "state")
    os.mkdir(place)
    if os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root only")
    out = mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", place)
    if out.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {out.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def cloud():
    with simulated() as c:
        yield c


@pytest.fixture
def disk(cloud):
    with small_disk(cloud) as place:
        yield place


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


def fill(place):
    with open(os.path.join(place, "filler"), "wb", buffering=0) as f:
        with pytest.raises(OSError, match="No space left"):
            while True:
                f.write(b"x" * 4096)


def make_room(place):
    os.unlink(os.path.join(place, "filler"))


def storing(run):
    return run.site(True)["observing"]["storing"]


def told(receiver):
    return [(c["component"], c["to"], ms(c["since"])) for c in receiver.changes()]


def could_not_run(receiver):
    facts = [fact for _, _, body in receiver.taken for fact in body["could_not_run"]]
    return [(fact["what"], fact["over"]) for fact in facts]


def seconds_sampled(run):
    """The seconds in which a probe of every second has samples, in ms."""
    out = subprocess.run([GLASSHOUSE, "series", "endpoint.token", "--from", "2h", "--step", "1s", "--json", "--state",
                          run.state], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if out.returncode != 0:
        raise ValueError(out.stderr)
    return sorted(ms(json.loads(line)["time"]) for line in out.stdout.splitlines())


def test_a_full_disk_is_told_and_hides_nothing(cloud, disk, receiver):
    run = Run(cloud, {"alarms": [{"webhook": receiver.url, "fold": "1s", "on": ON}]})
    try:
        run.wait_health("compute", "operational")
        run.wait_health("block-storage", "operational")
        fill(disk)
        until(lambda: not storing(run), "it is known that nothing is stored")
        public, own = run.site()["observing"], run.site(True)["observing"]
        assert not public["storing"] and not public.get("why")
        assert "full" in own["why"] and "free some space" in own["why"]
        for base, said in ((run.page, False), (run.intake, True)):
            page = run.get("/", base)[2].decode()
            assert "not being stored" in page and ("free some space" in page) == said
        assert "results are not stored" in run.stderr()

        cloud.fault({"service": "volume", "effect": "status", "status": 503})
        run.wait_health("block-storage", "outage", 20)  # seen all the same, and at once
        shown = next(c for c in run.site()["components"] if c["id"] == "block-storage")
        assert receiver.changes() == [], "an alarm went out that a crash would repeat"
        until(lambda: "results of the hour stay in memory: " in run.stderr(), "the scratch file cannot be written")

        make_room(disk)
        until(lambda: storing(run), "it is stored again")
        until(lambda: any(c["component"] == "block-storage" for c in receiver.changes()), "the outage is told")
        assert ms(receiver.changes()[0]["since"]) == shown["since_ms"], "it began when it was seen"
        until(lambda: could_not_run(receiver) == [("storing results", False), ("storing results", True)],
              "the trouble and its end are told")
        cloud.clear()
        run.wait_health("block-storage", "operational")
        until(lambda: not set(to_tell(verdicts(run.state))) - set(told(receiver)), "all is told")
        assert len(told(receiver)) == len(set(told(receiver)))
        assert run.stop() == 0
        check_facts(verdicts(run.state), run)
        at = seconds_sampled(run)  # those of the full disk waited in memory
        assert [b - a for a, b in zip(at, at[1:]) if b - a > 3500] == []
    finally:
        run.close()


def test_stopped_or_killed_on_a_full_disk_it_starts_when_there_is_room(cloud, disk):
    run = Run(cloud, {})
    try:
        run.wait_health("compute", "operational")
        until(lambda: len(verdicts(run.state)) >= 5, "all are judged")
        before = [row[:4] for row in verdicts(run.state)]
        fill(disk)
        assert run.stop() == 0
        run.close()
        run.start(wait=False)
        assert run.process.wait(30) == 2, "it started where it cannot write"
        assert "free some space" in run.stderr()
        run.close()
        make_room(disk)
        run.start()
        run.wait_health("compute", "operational")
        fill(disk)
        until(lambda: not storing(run), "it is known that nothing is stored")
        run.kill()
        run.close()
        make_room(disk)
        run.start()
        until(lambda: storing(run), "it is stored")
        run.wait_health("compute", "operational")
        assert run.stop() == 0
        after = [row[:4] for row in verdicts(run.state)]
        assert after[:len(before)] == before
        check_facts(verdicts(run.state), run)
    finally:
        run.close()


def test_a_disk_that_nobody_may_write_is_said_and_can_be_read(cloud, disk):
    run = Run(cloud, {})
    try:
        run.wait_health("compute", "operational")
        until(lambda: len(seconds_sampled(run)) >= 2, "something is stored")
        run.kill()
        run.close()
        out = mount("-o", "remount,ro", disk)
        assert out.returncode == 0, out.stderr
        run.start(wait=False)
        assert run.process.wait(30) == 2
        last = run.stderr().splitlines()[-1]
        assert "cannot write" in last and disk in last and "--state" in last
        assert len(seconds_sampled(run)) >= 2
        run.close()
        out = mount("-o", "remount,rw", disk)
        assert out.returncode == 0, out.stderr
        run.start()
        run.wait_health("compute", "operational")
        assert run.stop() == 0
    finally:
        run.close()
