"""What we announce reaches a CloudMon status dashboard once, in both versions of its API, whatever dies or is lost."""
import contextlib
import os
import random
import time

import pytest

from cloudmon_dashboard import Dashboard
from running import Run, Receiver, running, until
from simulated import Simulated, simulated
from test_events import tell

SECRET = "a-secret-of-thirty-two-characters"
QUICK = {"suspect": {"lasting": "1s", "announce": "1s", "after": "2s", "regroup": "1s"}}
VOLUME = {"service": "volume", "effect": "status", "status": 503}
STORAGE = [("Elastic Volume Service", {"region": "EU-DE", "category": "storage", "type": "evs"}),
           ("Elastic Volume Service", {"region": "EU-NL", "category": "storage", "type": "evs"})]


@pytest.fixture
def cloud():
    with simulated() as c:
        yield c


@contextlib.contextmanager
def dashboard(**more):
    board = Dashboard(STORAGE, **more)
    try:
        yield board
        assert board.wrong == []
    finally:
        board.close()


def config(cloud, board, version, **more):
    path = os.path.join(cloud.place, "secret")
    with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(SECRET)
    return {"events": QUICK, "site": {"url": "https://status.example.org", "languages": ["en"]},
            "dashboards": [{"name": "board", "cloudmon": board.url, "version": version, "secret": f"file:{path}",
                            "attributes": {"region": "EU-NL"}, "names": {"block-storage": "Elastic Volume Service"}}],
            **more}


def board_of(run):
    return run.site(True)["dashboards"][0]


def all_told(run):
    return board_of(run)["waiting"] == 0


def test_version_2_follows_an_incident_to_its_end(cloud):
    with dashboard() as board, running(cloud, config(cloud, board, 2)) as run:
        run.wait_health("block-storage", "operational")
        cloud.fault(VOLUME)
        incident = until(lambda: board.incidents, "it is told", 60)[0]
        assert incident["components"] == [201] and incident["impact"] == 3 and incident["system"]
        ours = until(lambda: [e for e in run.site()["events"] if e["machine"]], "ours is shown")
        assert incident["title"] == ours[0]["title"]
        assert incident["description"].endswith(f"https://status.example.org/events/{ours[0]['id']}")
        cloud.clear()
        until(lambda: incident["end_date"], "it is closed there", 60)
        assert incident["updates"][-1]["status"] == "resolved"
        assert "have been working since" in incident["updates"][-1]["text"]
        until(lambda: all_told(run), "nothing waits")
        assert len(board.incidents) == 1 and board_of(run)["trouble"] is None
        assert run.stop() == 0


def test_version_1_is_told_the_impact(cloud):
    with dashboard() as board, running(cloud, config(cloud, board, 1)) as run:
        run.wait_health("block-storage", "operational")
        cloud.fault(VOLUME)
        until(lambda: board.incidents, "it is told", 60)
        cloud.clear()
        until(lambda: [e for e in run.site()["events"] if e["phase"] == "resolved"], "ours is over", 60)
        cloud.fault(VOLUME)  # there nobody closed it: 409
        until(lambda: len([e for e in run.site()["events"] if e["machine"]]) == 2, "a second one", 60)
        until(lambda: sum(r[0] == "POST" for r in board.requests) == 2, "it is told", 60)
        until(lambda: all_told(run), "nothing waits")
        assert len(board.incidents) == 1 and board.incidents[0]["impact"] == 3
        assert board.requests[0][2]["attributes"] == [{"name": "region", "value": "EU-NL"}]
        assert board_of(run)["trouble"] is None
        assert run.stop() == 0


def test_maintenance_is_told_where_a_contact_is_given(cloud):
    with dashboard() as board, dashboard() as other:
        whole = config(cloud, board, 2)
        silent = {**whole["dashboards"][0], "name": "silent", "cloudmon": other.url}
        whole["dashboards"] = [{**whole["dashboards"][0], "contact": "noc@example.org"}, silent]
        with running(cloud, whole) as run:
            run.wait_health("block-storage", "operational")

            def declare(*words):
                return tell(run, *words, what="maintenance")

            declare("plan", "New disks", "Volumes are slow.", "--start", "+1d", "--length", "4h",
                    "--component", "block-storage=partial", "--id", "disks")
            work = until(lambda: board.incidents, "it is told", 60)[0]
            assert (work["type"], work["impact"], work["components"]) == ("maintenance", 0, [201])
            assert work["contact_email"] == "noc@example.org" and work["title"] == "New disks"
            assert work["description"].endswith("https://status.example.org/events/disks")
            before = work["end_date"]
            declare("update", "disks", "--length", "5h")
            until(lambda: work["status"] == "modified" and work["end_date"] > before, "its new end is told", 60)
            declare("cancel", "disks", "The disks did not come.")
            until(lambda: work["status"] == "cancelled", "it is cancelled there", 60)
            assert [u["text"] for u in work["updates"]][-1] == "The disks did not come."
            assert [u["status"] for u in work["updates"]] == ["planned", "modified", "cancelled"]
            until(lambda: all(b["waiting"] == 0 for b in run.site(True)["dashboards"]), "nothing waits")
            assert len(board.incidents) == 1 and other.requests == []
            assert run.stop() == 0


def test_what_is_refused_is_repeated_and_told(cloud):
    receiver = Receiver()
    with dashboard() as board:
        board.fail = 4
        more = {"alarms": [{"webhook": receiver.url, "fold": "1s"}]}
        with running(cloud, config(cloud, board, 2, **more)) as run:
            run.wait_health("block-storage", "operational")
            cloud.fault(VOLUME)
            told = until(lambda: [c for _, _, body in receiver.taken for c in body["could_not_run"]
                                  if c["what"] == "reporting to board"], "operators are told", 60)
            assert "503" in told[0]["reason"]
            until(lambda: board.incidents, "it is taken at last", 60)
            until(lambda: board_of(run)["trouble"] is None, "all is well")
            assert run.stop() == 0
    receiver.close()


def test_what_it_does_not_know_is_said(cloud):
    with dashboard() as board:
        whole = config(cloud, board, 2)
        del whole["dashboards"][0]["names"]
        with running(cloud, whole) as run:
            run.wait_health("block-storage", "operational")
            cloud.fault(VOLUME)
            why = until(lambda: board_of(run)["trouble"], "it is said", 60)
            assert "knows no component" in why and board.incidents == []
            assert run.stop() == 0


def test_an_incident_of_their_operators_is_left_alone(cloud):
    with dashboard() as board:
        theirs = board.add("Storage", "by hand", 2, [201], "2026-01-01T00:00:00Z", False)
        with running(cloud, config(cloud, board, 2)) as run:
            run.wait_health("block-storage", "operational")
            cloud.fault(VOLUME)
            until(lambda: any(r[0] == "POST" for r in board.requests), "it is told", 60)
            cloud.clear()
            until(lambda: [e for e in run.site()["events"] if e["phase"] == "resolved"], "ours is over", 60)
            until(lambda: all_told(run), "nothing waits")
            assert board.incidents == [theirs] and len(theirs["updates"]) == 1 and not theirs["end_date"]
            assert run.stop() == 0


def test_once_through_kills_and_lost_answers():
    draw = random.Random(3)
    with Simulated(seed=5) as cloud, dashboard() as board:
        run = Run(cloud, config(cloud, board, 2), start=False)
        try:
            run.start()
            run.wait_health("block-storage", "operational")
            for kill in range(10):
                cloud.fault(VOLUME) if kill % 2 == 0 else cloud.clear()
                board.lose = draw.randrange(2)
                time.sleep(draw.uniform(0.5, 5))  # any instant will do
                run.kill()
                run.start(wait=False)
                until(run.read_addresses, "it runs again", 30)
            cloud.clear()
            until(lambda: run.health("block-storage") == "operational", "all is well", 90)
            until(lambda: all(e["phase"] == "resolved" for e in run.site(True)["events"] if e["kind"] == "incident"),
                  "all are closed", 90)
            until(lambda: all_told(run), "nothing waits", 60)
            ours = [e for e in run.site()["events"] if e["machine"] and e["touched"]]
            assert run.stop() == 0
        finally:
            run.close()
        assert all(i["end_date"] for i in board.incidents)
        links = [i["description"].split()[-1] for i in board.incidents]
        assert len(links) == len(set(links)) <= len(ours), links
        for incident in board.incidents:
            said = [(u["text"], u["timestamp"]) for u in incident["updates"]]
            assert len(said) == len(set(said)), "an update was told twice"
        assert board.incidents
