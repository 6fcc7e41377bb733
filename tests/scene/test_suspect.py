"""Events that open themselves on a simulated cloud: drafted, announced, changed, closed; one a cause, through kill -9.

SUSPECT_KILLS (20) kills fall while a cause comes and goes; whatever died when, each cause has one event.
"""
import json
import os
import random
import sqlite3
import time

import pytest
import yaml

from running import Receiver, Run, running, until
from simulated import Simulated, simulated

KILLS = int(os.environ.get("SUSPECT_KILLS", "20"))
QUICK = {"suspect": {"lasting": "2s", "announce": "4s", "after": "2s", "regroup": "1s"}}
VOLUME = {"service": "volume", "effect": "status", "status": 503}
IMAGE = {"service": "image", "effect": "status", "status": 503}


@pytest.fixture
def cloud():
    with simulated() as c:
        yield c


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


def suspected(run, operators=True):
    """The events that opened themselves, newest first."""
    return [e for e in run.site(operators)["events"] if e["machine"] and e["kind"] == "incident"]


def event(run, name):
    return run.json(f"/api/ops/v1/events/{name}.json", run.intake)


def test_it_opens_is_announced_and_closes_itself(cloud):
    with running(cloud, {"events": QUICK, "site": {"languages": ["en"]}}) as run:
        run.wait_health("block-storage", "operational")
        cloud.fault(VOLUME)
        run.wait_health("block-storage", "outage")
        draft = until(lambda: suspected(run), "a draft", 30)[0]
        assert draft["phase"] == "detected" and [c["id"] for c in draft["components"]] == ["block-storage"]
        assert draft["components"][0]["impact"] == 100
        assert run.site()["components"][0]["region"] and draft["title"] == "Block storage: outage"
        shown = until(lambda: suspected(run, False), "it is announced", 30)[0]
        assert shown["id"] == draft["id"]
        status, _, page = run.get(f"/events/{draft['id']}")
        assert status == 200 and b"has not been usable since" in page
        whole = event(run, draft["id"])
        assert whole["evidence"] and run.get(f"/evidence/{whole['evidence'][0]}")[0] == 200
        assert "503" not in json.dumps([u["text"] for u in whole["updates"]]), "no internals"
        cloud.clear()
        run.wait_health("block-storage", "operational")
        over = until(lambda: [e for e in suspected(run) if e["phase"] == "resolved"], "it is closed", 60)
        assert [e["id"] for e in over] == [draft["id"]]
        until(lambda: run.site(True)["suspects"] == [], "nothing is suspected any more")
        assert run.stop() == 0


def test_two_clouds_in_one_region_are_told_apart(cloud):
    with open(cloud.clouds, encoding="utf-8") as f:
        known = yaml.safe_load(f)
    known["clouds"]["sim2"] = known["clouds"]["sim"]
    with open(cloud.clouds, "w", encoding="utf-8") as f:
        yaml.safe_dump(known, f)
    quick = {"every": "1s", "timeout": "1s"}
    with running(cloud, {"events": QUICK, "site": {"languages": ["en"]},
                         "clouds": {"sim": {"title": "Public", **quick}, "sim2": {"title": "Sovereign", **quick}}}) as run:
        run.wait_health("block-storage", "operational")
        run.wait_health("sim2-block-storage", "operational")
        cloud.fault(VOLUME)
        drafts = until(lambda: len(suspected(run)) > 1 and suspected(run), "a draft for each cloud", 30)
        assert {e["title"] for e in drafts} == {"Block storage (Public): outage", "Block storage (Sovereign): outage"}
        assert len({c["region"] for c in run.site()["components"]}) == 1
        assert run.stop() == 0


def test_what_is_short_or_switched_off_opens_none(cloud):
    with running(cloud, {"events": {"suspect": "none"}}) as run:
        run.wait_health("block-storage", "operational")
        cloud.fault(VOLUME)
        run.wait_health("block-storage", "outage")
        run.write({"events": {"suspect": {"lasting": "1s", "announce": "never"}}})
        out = run.json("/api/ops/v1/status.json", run.intake)
        assert out["suspects"] == []
        run.signal(1)
        until(lambda: suspected(run), "it is drafted once it is allowed", 30)
        assert suspected(run, False) == []
        assert run.stop() == 0


def test_people_are_asked_once_to_close(cloud, receiver):
    config = {"events": {"suspect": {**QUICK["suspect"], "close": "propose"}},
              "alarms": [{"webhook": receiver.url, "fold": "1s"}]}

    def proposals():
        return [c["event"] for _, _, body in receiver.taken for c in body["may_close"]]

    with running(cloud, config) as run:
        run.wait_health("block-storage", "operational")
        cloud.fault(VOLUME)
        run.wait_health("block-storage", "outage")
        name = until(lambda: suspected(run), "a draft", 30)[0]["id"]
        cloud.clear()
        run.wait_health("block-storage", "operational")
        until(lambda: event(run, name)["phase"] == "monitoring", "it is proposed", 60)
        until(proposals, "people are asked", 30)
        run.kill()
        run.start()
        run.wait_health("block-storage", "operational")
        # What is told after it was told in order: nothing of the event came before.
        cloud.fault(IMAGE)
        run.wait_health("image", "outage")
        until(lambda: ("image", "outage") in [(c["component"], c["to"]) for c in receiver.changes()],
              "the next trouble is told", 30)
        assert proposals() == [name]


# --- kill -9 --------------------------------------------------------------------------------------------------

def facts(run, query):
    with sqlite3.connect(f"file:{run.state}/facts.db?mode=ro", uri=True, timeout=20) as db:
        return db.execute(query).fetchall()


def causes(rows, lasting):
    """How often a component was not well for `lasting` at least, by its verdicts (health 0: well)."""
    count, since = 0, None
    for health, begin, end in rows:
        bad = health in (1, 2)
        if bad and since is None:
            since = begin
        if health == 0 and since is not None:
            count += begin - since >= lasting
            since = None
    return count


def test_one_event_a_cause_through_kills():
    draw = random.Random(7)
    with Simulated(seed=3) as cloud:
        run = Run(cloud, {"events": {"suspect": {"lasting": "2s", "announce": "3s", "after": "1s", "regroup": "1s"}}},
                  start=False)
        try:
            run.start()
            run.wait_health("block-storage", "operational", 60)
            run.wait_health("image", "operational", 60)
            for kill in range(KILLS):
                cloud.fault(VOLUME, IMAGE) if kill % 2 == 0 else cloud.clear()
                time.sleep(draw.uniform(0.2, 4))  # any instant will do
                run.kill()
                run.start(wait=False)
                time.sleep(draw.uniform(0, 1.5))
                if kill % 3 == 0:  # while it starts
                    run.kill()
                    run.start(wait=False)
                until(run.read_addresses, "it runs again", 30)
                if kill % 4 == 3:  # a cause lasts to its end now and then
                    state = "operational" if kill % 2 else "outage"
                    until(lambda: run.health("block-storage") == state, state, 60)
                    until(lambda: all(e["phase"] == "resolved" for e in suspected(run)), "all are closed", 60)
            cloud.clear()
            until(lambda: {c["health"] for c in run.site()["components"]} == {"operational"}, "all is well", 90)
            until(lambda: all(e["phase"] == "resolved" for e in suspected(run)), "all are closed", 60)
            until(lambda: facts(run, "SELECT component FROM suspect_part") == [], "nothing is suspected any more", 60)
            assert run.stop() == 0
        finally:
            run.close()
        check_causes(run)
        cloud.assert_clean()


def check_causes(run):
    """Every event names verdicts of its own, each cause that lasted has one, and no two overlap."""
    rows = facts(run, "SELECT id, components, evidence, starts_ms, ended_ms FROM event WHERE key LIKE 'suspect:%'"
                      " ORDER BY starts_ms")
    assert rows, "nothing was suspected"
    named = [v for row in rows for v in json.loads(row[2])]
    assert len(named) == len(set(named)), "a verdict is evidence of two events"
    for component in ("block-storage", "image"):
        mine = [(start, end, name) for name, components, _, start, end in rows
                if component in [c["id"] for c in json.loads(components)]]
        assert all(end for _, end, _ in mine)
        for before, after in zip(mine, mine[1:]):
            assert before[1] <= after[0], f"{before} and {after} are one cause"
        verdicts = facts(run, "SELECT health, since_ms, until_ms FROM verdict"
                              f" WHERE component = '{component}' ORDER BY id")
        most = causes(verdicts, 0)
        assert 0 < len(mine) <= most, f"{len(mine)} events of {most} causes"
    assert facts(run, "SELECT count(*) FROM suspect") == [(0,)]
    assert facts(run, "SELECT count(*) FROM suspect_part") == [(0,)]
