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

from running import Run, running, until
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
    own = until(lambda: house.site(True)["events"], "the operators' page has it, which is made a moment later")
    assert "by" not in shown[0] and own[0]["by"]

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


# --- maintenance ----------------------------------------------------------------------------------------------------


def rule(run, begins_in, lasts, **more):
    """One that comes each day, so many seconds from now."""
    begin = time.gmtime(time.time() + begins_in)
    return {"name": "patch", "title": "Patch", "every": "day", "zone": "UTC", "at": time.strftime("%H:%M:%S", begin),
            "length": lasts, "announce": "1h", "components": {"network": "partial"}, **more}


def test_a_window_of_a_rule_is_announced_and_goes_by_the_clock(cloud):
    with running(cloud, CONFIG, state="rules") as run:
        until(lambda: run.health("compute"), "components are known")
        assert not run.site()["upcoming"]
        run.write({**CONFIG, "maintenance": [rule(run, 40, "10m")]})
        status, answer = send(run, "POST", "/api/ops/v1/command/reload", {})
        assert status == 200 and any("maintenance patch" in line for line in answer["changed"]), answer
        planned = until(lambda: run.site()["upcoming"], "it is announced")
        assert [(e["phase"], e["machine"], e["impact"]) for e in planned] == [("planned", True, 66)]
        run.kill()  # and it is not announced twice
        run.start()
        now = until(lambda: run.site()["events"], "it begins")
        assert [(e["id"], e["phase"]) for e in now] == [(planned[0]["id"], "in_progress")]
        assert now[0]["updates"][0]["at_ms"] == planned[0]["starts_ms"] == now[0]["starts_ms"]
        assert not run.site()["upcoming"]
        # what fails meanwhile is counted as maintenance
        cloud.fault({"service": "network", "effect": "status", "status": 503})
        try:
            told = until(lambda: next(c for c in run.site(True)["components"] if c["id"] == "network")["health"]
                         in ("outage", "degraded") and run.site(True), "it is measured as it is")
            evidence = next(c for c in told["components"] if c["id"] == "network")["evidence"]
            assert run.json(f"/api/ops/v1/evidence/{evidence}.json")["maintenance"] == planned[0]["id"]
        finally:
            cloud.clear()
        # its end, sooner than planned
        tell(run, "update", planned[0]["id"], "Sooner.", "--phase", "completed", what="maintenance")
        until(lambda: run.site()["events"][0]["ended_ms"], "it is over")
        assert len(events(run, True, "?kind=maintenance")) == 1


def test_a_probe_that_is_nobodys_is_marked_while_it_is_worked_on(cloud):
    probes = [{"name": "router", "tcp": "127.0.0.1:9", "every": "1s"}]
    work = rule(None, 20, "1h", components=[], probes=["router"])
    with running(cloud, {**CONFIG, "probes": probes, "maintenance": [work]}, state="nobodys") as run:
        mark = 'glasshouse_probe_maintenance{probe="router"} 1'
        assert run.site()["worked_on"] == [] and mark not in run.get("/metrics", run.intake)[2].decode()
        worked_on = until(lambda: run.site()["worked_on"], "it is marked")
        event = run.site()["events"][0]["id"]
        assert worked_on == [{"probe": "router", "event": event}]
        page = until(lambda: "<bdi>router</bdi>" in (text := run.get("/")[2].decode()) and text, "the page has it")
        assert re.search(rf'<a href="[^"]*/events/{event}[^"]*"><bdi>router</bdi></a>', page), page
        assert mark in run.get("/metrics", run.intake)[2].decode()
        assert not any(c["maintenance"] for c in run.site(True)["components"]), "it is no component's"
        tell(run, "update", event, "Done.", "--phase", "completed", what="maintenance")
        until(lambda: not run.site()["worked_on"] and mark not in run.get("/metrics", run.intake)[2].decode(), "it is over")


def test_work_that_is_planned_by_hand(house):
    name = tell(house, "plan", "Switches", "--start", "+3s", "--length", "2s", "--component", "network",
                what="maintenance")
    until(lambda: house.site()["events"], "it has begun")
    done = until(lambda: (e := house.site()["events"][0])["ended_ms"] and e, "it is over")
    assert done["id"] == name and done["ended_ms"] - done["starts_ms"] == 2000 and not done["taken_over"]
    later = tell(house, "plan", "Later", "--start", "+1d", "--length", "1h", what="maintenance")
    tell(house, "cancel", later, "Not needed.", what="maintenance")
    assert house.json(f"/api/ops/v1/events/{later}.json", house.intake)["phase"] == "cancelled"
    assert "stays so: plan another" in tell(house, "update", later, "--phase", "in_progress", what="maintenance", code=2)
    incident = tell(house, "open", "incident", "x")
    assert "`glasshouse event` changes it" in tell(house, "cancel", incident, what="maintenance", code=2)


def test_what_comes_next(cloud):
    run = Run(cloud, {**CONFIG, "maintenance": [
        {"name": "a", "title": "A", "every": "week", "on": "tue", "at": "22:00", "until": "02:00"},
        {"name": "b", "title": "B", "every": "month", "on": "31", "at": "03:00", "length": "1h", "zone": "UTC",
         "announce": "none"}]}, start=False, state="next")
    out = subprocess.run([GLASSHOUSE, "maintenance", "next", "-c", run.path, "--count", "20", "--json"],
                         capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert out.returncode == 0, out.stderr
    rows = [json.loads(line) for line in out.stdout.splitlines()]
    assert len(rows) == 20 and rows == sorted(rows, key=lambda r: r["from"])
    for row in rows:
        begin = time.strptime(row["from"][:19], "%Y-%m-%dT%H:%M:%S")
        assert begin.tm_wday == 1 if row["name"] == "a" else begin.tm_mday == 31
        assert row["announced"] == (row["name"] == "a")


# --- docs/events.md, executed ---------------------------------------------------------------------------------------


def documented(info):
    with open(os.path.join(ROOT, "docs/events.md"), encoding="utf-8") as f:
        return re.findall(rf"^```{info}\n(.*?)^```\n", f.read(), re.S | re.M)


def test_the_page_shows_commands_that_work(house, tmp_path):
    (tmp_path / "glasshouse").symlink_to(GLASSHOUSE)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "GLASSHOUSE_CONFIG": house.path}
    blocks = documented("sh")
    assert len(blocks) == 4
    for block in blocks:
        done = subprocess.run(["sh", "-euc", block.replace("http://127.0.0.1:8091", house.intake)], env=environment,
                              capture_output=True, text=True, timeout=120, cwd=ROOT)
        assert done.returncode == 0 and '"detail"' not in done.stdout, done.stdout + done.stderr
    kept = {e["id"]: e for e in until(lambda: len(events(house)) == 4 and events(house), "all are there")}
    assert kept["switches"]["phase"] == "cancelled" and kept["network-trouble"]["public"]
    assert kept["images"]["updates"][0]["text"] == "Found: a certificate ran out."


@pytest.mark.parametrize("block", documented("yaml"))
def test_the_page_shows_configurations_that_are_fine(block, tmp_path):
    (tmp_path / "glasshouse.yaml").write_text(block)
    done = subprocess.run([GLASSHOUSE, "config", "check", "-c", tmp_path / "glasshouse.yaml"], capture_output=True,
                          text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
