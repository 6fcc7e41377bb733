"""Events, whole: from the command line beside a running house and without one, over HTTP, through kill -9; and that no
reader of the public sees a draft."""
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from running import running, until
from simulated import GLASSHOUSE, ROOT, Simulated

CONFIG = {"site": {"name": "Example", "timezone": "Europe/Berlin"}}


@pytest.fixture(scope="module")
def cloud():
    with Simulated() as simulated:
        yield simulated


@pytest.fixture
def house(cloud, request):
    with running(cloud, CONFIG, state=request.node.name) as run:
        until(lambda: run.health("compute"), "components are known")
        yield run


def tell(run, *words, what="event", text=None, code=0, json_out=False):
    """A command that writes to the store of the house."""
    done = subprocess.run([GLASSHOUSE, what, *words, "--state", run.state, *(["--json"] if json_out else [])],
                          input=text, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == code, done.stdout + done.stderr
    if json_out:
        return [json.loads(line) for line in done.stdout.splitlines()]
    return done.stdout.strip() if code == 0 else done.stderr


def send(run, method, path, body, headers=None, base=None):
    """(status, document)"""
    request = urllib.request.Request((base or run.intake) + path, json.dumps(body).encode(), method=method,
                                     headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "null")


def events(run, operators=False, query=""):
    return run.json("/api/ops/v1/events" + query, run.intake if operators else run.page)["events"]


# --- the command line -----------------------------------------------------------------------------------------------


def test_beside_the_house(house):
    name = tell(house, "open", "incident", "Servers do not start", "They hang.", "--component", "Compute=outage")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-servers-do-not-start", name)
    shown = until(lambda: house.site()["events"], "the page has it")
    assert [(e["id"], e["phase"], e["impact"]) for e in shown] == [(name, "investigating", 100)]
    assert "by" not in shown[0] and house.site(True)["events"][0]["by"]

    tell(house, "update", name, "-", "--phase", "identified", "--component", "compute=partial", text="A full disk.\n")
    tell(house, "correct", name, "1", "They hang in BUILD.")
    house_sees = until(lambda: (e := house.site()["events"][0])["revision"] == 3 and e, "the correction is there")
    assert house_sees["impact"] == 66
    whole = house.json(f"/api/ops/v1/events/{name}.json")
    assert whole["names"] == {"compute": "Compute"}
    assert [u["text"] for u in whole["updates"]] == ["They hang in BUILD.", "A full disk.\n"]
    assert [r["text"] for r in whole["updates"][0]["revisions"]] == ["They hang.", "They hang in BUILD."]

    tell(house, "resolve", name, "Disk replaced.")
    until(lambda: house.site()["events"][0]["ended_ms"], "it is over")
    assert house.json(f"/api/ops/v1/events/{name}.json")["impact"] == 100
    assert [e["id"] for e in house.json("/api/ops/v1/history.json")["events"]] == [name]
    status, _, page = house.get(f"/events/{name}")
    assert status == 200 and b"Disk replaced." in page
    out = tell(house, "show", name)
    assert "before it was:\n    They hang.\n" in out and "A full disk." in out


def test_without_the_house(cloud, tmp_path):
    with running(cloud, CONFIG, state="alone", start=False) as run:
        name = tell(run, "open", "info", "Nobody runs", "--component", "anything=0")
        assert [e["id"] for e in tell(run, "list", json_out=True)] == [name]
        run.start()
        assert [e["id"] for e in until(lambda: run.site()["events"], "the house has it")] == [name]


def test_the_configuration_says_where_the_store_is(house):
    done = subprocess.run([GLASSHOUSE, "event", "open", "maintenance", "Patch", "-c", house.path, "--by", "carol",
                           "--start", "2036-07-01 22:00", "--until", "2036-07-02 02:00", "--json"],
                          capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    event = json.loads(done.stdout)
    assert event["by"] == "carol"
    # by the clocks of the site: Berlin
    assert (event["starts_ms"], event["until_ms"]) == (2098555200000, 2098569600000)
    assert [e["id"] for e in tell(house, "list", json_out=True)] == [event["id"]]


@pytest.mark.parametrize("words,says", [
    (("open", "incident", "x", "--component", "compote"), 'there is no component "compote"; did you mean compute?'),
    (("open", "incident", "x", "--component", "compute=bad"), "none, degraded, partial, outage or 0 to 100"),
    (("open", "incident", "x", "--phase", "planned"), "detected, investigating, identified, monitoring or resolved"),
    (("open", "incidents", "x"), "incident, maintenance or info"),
    (("open", "maintenance", "x"), "needs a planned end"),
    (("open", "incident", "x", "--start", "yesterday"), "is no time"),
    (("open", "incident", "x" * 201), "longer than 200 characters"),
    (("update", "nothing-of-that-name", "x"), "there is no event"),
    (("update",), "takes the id of an event"),
    (("tell", "x"), "open, update, correct, publish, resolve, list or show"),
    (("list", "--kind", "outage"), "incident, maintenance or info"),
])
def test_errors_say_what_would_fit(house, words, says):
    assert says in tell(house, *words, code=2)


def test_an_id_that_is_nearly_right(house):
    name = tell(house, "open", "incident", "A slip")
    assert f"did you mean {name}?" in tell(house, "update", name[:-1] + "q", "x", code=2)
    assert "at revision 1 by now, not 7" in tell(house, "update", name, "x", "--revision", "7", code=2)
    assert "no event" in subprocess.run([GLASSHOUSE, "event", "show", "none", "--state", house.state],
                                        capture_output=True, text=True, timeout=60).stderr


# --- over HTTP ------------------------------------------------------------------------------------------------------


def test_api(house):
    status, event = send(house, "POST", "/api/ops/v1/events", {
        "kind": "incident", "title": "Network", "text": "Slow.", "components": [{"id": "network", "impact": 20}],
        "by": "alice"})
    assert status == 201 and event["phase"] == "investigating" and event["by"] == "alice"
    path = "/api/ops/v1/events/" + event["id"]
    status, event = send(house, "PATCH", path, {"text": "Found.", "phase": "identified", "revision": 1})
    assert (status, event["revision"], len(event["updates"])) == (200, 2, 2)
    status, problem = send(house, "PATCH", path, {"text": "Late.", "revision": 1})
    assert status == 409 and "revision 2 by now" in problem["detail"]
    status, event = send(house, "POST", path, {"update": 2, "text": "Found it."})
    assert status == 200 and event["updates"][1]["text"] == "Found it."
    status, event = send(house, "PATCH", path, {"components": [], "phase": "resolved"})
    assert status == 200 and not event["components"] and event["touched"] == ["network"]
    assert until(lambda: events(house), "the public reads it")[0]["phase"] == "resolved"
    assert not events(house, query="?open=true") and not events(house, query="?component=compute")
    assert len(events(house, query="?component=network&kind=incident&limit=1")) == 1
    assert len(events(house, query="?whole=true")[0]["updates"]) == 3
    assert len(events(house)[0]["updates"]) == 1


@pytest.mark.parametrize("body,says", [
    ({"kind": "incident"}, "the title is empty"),
    ({"kind": "outage", "title": "x"}, "incident, maintenance or info"),
    ({"kind": "incident", "title": "x", "titel": "y"}, 'did you mean "title"?'),
    ({"kind": "incident", "title": "x", "components": [{"id": "compote", "impact": 1}]}, 'did you mean "compute"?'),
    ({"kind": "incident", "title": "x", "components": [{"id": "compute", "impact": 101}]}, "from 0 to 100"),
    ({"kind": "incident", "title": "x", "starts": "soon"}, "starts is a time"),
    ({"kind": "incident", "title": 7}, "title is a text"),
    ({"kind": "incident", "title": "x", "evidence": ["1"]}, "numbers of verdicts"),
])
def test_api_says_what_does_not_fit(house, body, says):
    status, problem = send(house, "POST", "/api/ops/v1/events", body)
    assert status == 422 and says in problem["detail"]
    assert not events(house, True)


def test_who_may_write(house):
    body = {"kind": "incident", "title": "x"}
    assert send(house, "POST", "/api/ops/v1/events", body, base=house.page)[0] in (403, 404, 405)
    assert send(house, "POST", "/api/ops/v1/events", body, {"Origin": "https://evil.example"})[0] == 403
    assert send(house, "POST", "/api/ops/v1/events", body, {"Content-Type": "text/plain"})[0] == 415
    assert send(house, "POST", "/api/ops/v1/events", [body])[0] == 400
    assert send(house, "PATCH", "/api/ops/v1/events/none", {"text": "x"})[0] == 404
    assert house.get("/api/ops/v1/events?kind=outage")[0] == 400
    assert not events(house, True)


# --- drafts ---------------------------------------------------------------------------------------------------------

SECRET = "the-word-nobody-may-see"


def public_paths():
    """Every path of the description that is read, and every page that is linked from one."""
    with open(os.path.join(ROOT, "web/openapi.yaml"), encoding="utf-8") as f:
        ours = re.findall(r"^  (/\S+):\n    get:", f.read(), re.M)
    with open(os.path.join(ROOT, "src/web/route_table.c"), encoding="utf-8") as f:
        table = f.read()
    pages = re.findall(r'(?:PINNED_PAGE|COLD_PAGE)\("([^"]+)"', table)
    faces = [f"/api/v2/{name}.json" for name in re.findall(r'STATUSPAGE\("([^"]+)"', table)]
    assert len(ours) > 10 and len(pages) > 8 and len(faces) == 8
    return ours + pages + faces


def test_nobody_but_operators_sees_a_draft(house):
    name = tell(house, "open", "incident", SECRET, SECRET, "--id", SECRET + "-id", "--draft", "--component", "compute")
    tell(house, "update", name, SECRET, "--by", SECRET)
    planned = tell(house, "open", "maintenance", SECRET, "--id", SECRET + "-plan", "--start", "+1h", "--until", "+2h",
                   "--draft", "--component", "compute")
    site = until(lambda: (s := house.site(True))["upcoming"] and s["events"] and s, "operators see them")
    assert [e["id"] for e in site["events"] + site["upcoming"]] == [name, planned]
    month = time.strftime("%Y-%m", time.gmtime())
    seen = 0
    for path in public_paths():
        for word in (name, planned, "compute", month, ":incident", "::compute"):
            status, headers, body = house.get(re.sub(r"\{\w+\}", word, path))
            # what was asked may be said again, what it holds may not
            text = body.decode(errors="replace") + str(headers)
            assert SECRET not in text.replace(word, ""), path
            if word in (name, planned) and "{" in path and status == 200:
                assert "event" not in path
            seen += status == 200
    assert seen > 40
    for path in (f"/events/{name}", f"/api/ops/v1/events/{name}.json"):
        assert house.get(path)[0] == 404 and house.get(path, house.intake)[0] == 200
    assert SECRET not in tell(house, "list", "--public") and events(house) == []
    tell(house, "publish", name)
    until(lambda: house.site()["events"], "all see it")
    assert house.get(f"/events/{name}")[0] == 200


# --- kill -9 --------------------------------------------------------------------------------------------------------


def test_what_was_answered_survives(cloud):
    with running(cloud, CONFIG, state="killed") as run:
        until(lambda: run.health("compute"), "components are known")
        for i in range(5):
            status, event = send(run, "POST", "/api/ops/v1/events",
                                 {"kind": "incident", "title": f"number {i}", "key": "the-same" if i < 2 else f"k{i}"})
            assert status == 201
            run.kill()
            tell(run, "update", event["id"], f"between {i}")
            run.start()
            again = run.json(f"/api/ops/v1/events/{event['id']}.json", run.intake)
            assert [u["text"] for u in again["updates"]][-1] == f"between {i}"
        assert len(events(run, True)) == 4
