"""Outposts: two whole programs, one reports to the other; whichever is away or killed, nothing is missing and nothing twice."""
import contextlib
import json
import random
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

from running import Run, until
from simulated import GLASSHOUSE
from test_ingest import metric, post as push
from test_probes import Place, Web

PROBES = 8


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def counted(run, location, own=False):
    """Samples by series and location, as `glasshouse series` reads them of the directory. The marks of its own judge
    have no location until they are sent."""
    out = subprocess.run([GLASSHOUSE, "series", "*", "--state", run.state, "--json", "--from", "2h", "--step", "1d"],
                         capture_output=True, text=True, timeout=120, check=False)
    found = {}
    for line in out.stdout.splitlines():
        point = json.loads(line)
        mark = own and not point["location"] and point["series"].startswith("judge.given{")
        if point["location"] == location or mark:
            found[point["series"]] = found.get(point["series"], 0) + point["n"]
    return found


class Pair:
    """A house, an outpost in berlin, and what both look at."""

    def __init__(self, path, outpost=None, house=None):
        self.web = Web()
        self.path = path
        self.to = f"http://127.0.0.1:{free_port()}"
        for name in ("house", "outpost"):
            (path / name).mkdir()
        self.token = self.secret("token", "of-berlin")
        self.other = self.secret("other", "of-paris")
        tcp = f"127.0.0.1:{self.web.port}"
        self.house = Run(Place(path / "house"), {
            "clouds": {}, "listen": {"public": "127.0.0.1:0", "intake": self.to.removeprefix("http://")},
            "probes": [{"name": "own", "tcp": tcp, "every": "1s", "component": "Own"}],
            "outposts": [{"location": "berlin", "token": self.token}, {"location": "paris", "token": self.other}],
            **(house or {})}, start=False)
        self.outpost = Run(Place(path / "outpost"), {
            "clouds": {}, "location": "berlin", "instance": "far", "report": {"to": self.to, "token": self.token},
            "probes": [{"name": f"p{i}", "tcp": tcp, "every": "1s", "component": "Far"} for i in range(PROBES)],
            **(outpost or {})}, start=False)

    def secret(self, name, value):
        path = self.path / name
        path.write_text(value + "\n")
        path.chmod(0o600)
        return f"file:{path}"

    def seen(self):
        return next(o for o in self.house.site(operators=True)["outposts"] if o["location"] == "berlin")

    def taken(self):
        return metric(self.house, "outpost_taken_samples_total", location="berlin")

    def sent(self):
        """Whether the house took something of this life, and nothing waits."""
        return metric(self.outpost, "report_taken_parcels_total") and not metric(self.outpost, "report_spooled_samples")

    def settled(self, seconds=90):
        """The outpost stops observing, what waits goes, and both have the same."""
        probes = json.loads((self.path / "outpost" / "glasshouse.yaml").read_text())
        self.outpost.stop()
        self.outpost.close()
        probes["probes"] = [{"name": "quiet", "push": {"token": "env:PUSH"}, "every": "24h"}]
        (self.path / "outpost" / "glasshouse.yaml").write_text(json.dumps(probes))
        self.outpost.start()
        until(self.sent, "all of it is sent", seconds)
        theirs = counted(self.outpost, "berlin", own=True)
        assert theirs and theirs == counted(self.house, "berlin"), "nothing is missing, nothing is there twice"
        return theirs

    def close_web(self):
        self.web.server.shutdown()
        self.web.server.server_close()

    def close(self):
        self.close_web()
        for run in (self.outpost, self.house):
            if hasattr(run, "process"):
                run.close()


@contextlib.contextmanager
def pair(path, **more):
    p = Pair(path, **more)
    try:
        yield p
    finally:
        p.close()


def post(to, body, token="of-berlin"):
    request = urllib.request.Request(to + "/api/ops/v1/outpost", body, {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def parcel(**head):
    """One without items, in a frame of zstd that says how long it is and is not compressed."""
    text = json.dumps(head).encode()
    n, length = len(text), b""
    while n >= 0x80:
        length += bytes([n & 0x7f | 0x80])
        n >>= 7
    plain = b"P\x01" + length + bytes([n]) + text + b"\0\0"
    return (b"\x28\xb5\x2f\xfd\xa0" + len(plain).to_bytes(4, "little") + (len(plain) << 3 | 1).to_bytes(3, "little")
            + plain)


def test_an_outpost_reports_and_its_house_judges(tmp_path):
    with pair(tmp_path) as p:
        p.house.start()
        p.outpost.start()
        p.house.wait_health("far", "operational")
        until(lambda: p.taken() > 3 * PROBES, "samples come")
        until(lambda: p.seen()["instance"] == "far", "operators see it")
        assert (p.seen()["probes"], p.seen()["trouble"], p.seen()["refused"]) == (PROBES, None, 0)
        assert abs(metric(p.house, "outpost_clock_offset_seconds", location="berlin")) < 5
        assert metric(p.house, "outpost_probes", location="berlin") == PROBES
        assert "outposts" not in p.house.site(), "it is the operators'"
        assert metric(p.outpost, "report_taken_samples_total") > 0
        p.close_web()
        p.house.wait_health("far", "outage")
        p.settled()


def test_an_alert_at_an_outpost_is_judged_in_its_house(tmp_path):
    with pair(tmp_path, outpost={"faces": {"alertmanager": "write"}}) as p:
        p.house.start()
        p.outpost.start()
        p.house.wait_health("far", "operational")
        fires = {"labels": {"alertname": "LinkLost", "component": "Far", "severity": "critical"}}
        assert push(p.outpost, "/api/v2/alerts", json.dumps([fires]).encode(), Content_Type="application/json")[0] == 200
        p.house.wait_health("far", "degraded")
        over = {**fires, "endsAt": "2026-01-02T00:00:00Z", "startsAt": "2026-01-01T00:00:00Z"}
        assert push(p.outpost, "/api/v2/alerts", json.dumps([over]).encode(), Content_Type="application/json")[0] == 200
        p.house.wait_health("far", "operational")
        until(lambda: p.seen()["probes"] == PROBES, "it is expected no more")


def test_a_house_that_is_away_gets_all_of_it_later(tmp_path):
    with pair(tmp_path) as p:
        p.outpost.start()
        until(lambda: "does not take our reports" in p.outpost.stderr(), "it says so")
        until(lambda: metric(p.outpost, "report_spooled_samples") > 8 * PROBES, "it waits in the spool")
        p.house.start()
        until(lambda: p.taken() > 8 * PROBES, "it comes")
        until(lambda: "takes our reports again" in p.outpost.stderr(), "it says so")
        p.settled()


def test_an_outpost_that_is_killed_again_and_again_sends_each_sample_once(tmp_path):
    with pair(tmp_path) as p:
        p.house.start()
        chance = random.Random(5)
        for _ in range(20):
            p.outpost.start(wait=False)
            taken = p.taken()
            until(lambda taken=taken: p.taken() > taken, "something comes of this life")
            time.sleep(chance.uniform(0, 1.2))  # at any point of a second's round
            p.outpost.kill()
            p.outpost.close()
        p.outpost.start()
        assert sum(p.settled().values()) > 20 * PROBES


def test_a_house_that_is_killed_again_and_again_has_each_sample_once(tmp_path):
    with pair(tmp_path) as p:
        p.outpost.start()
        chance = random.Random(6)
        for _ in range(8):
            p.house.start()
            until(p.taken, "something comes")
            time.sleep(chance.uniform(0, 1.2))
            p.house.kill()
            p.house.close()
        p.house.start()
        assert sum(p.settled().values()) > 8 * PROBES


def test_a_token_that_the_house_does_not_know_is_said_on_both_sides(tmp_path):
    with pair(tmp_path) as p:
        p.secret("wrong", "of-nobody")
        mine = json.loads((tmp_path / "outpost" / "glasshouse.yaml").read_text())
        mine["report"]["token"] = f"file:{tmp_path}/wrong"
        (tmp_path / "outpost" / "glasshouse.yaml").write_text(json.dumps(mine))
        p.house.start()
        p.outpost.start()
        until(lambda: "it does not know our token" in p.outpost.stderr(), "it says so")
        until(lambda: "401" in (p.outpost.site(operators=True)["report"]["trouble"] or ""), "operators see it")
        doctor = subprocess.run([GLASSHOUSE, "doctor", "-c", str(tmp_path / "outpost" / "glasshouse.yaml")],
                                capture_output=True, text=True, timeout=60, check=False, env=p.outpost.cloud.environment())
        assert re.search(r"house .*401", doctor.stdout), doctor.stdout
        # The right token, and a reload: nothing of the time before is missing.
        (tmp_path / "wrong").write_text("of-berlin\n")
        request = urllib.request.Request(p.outpost.intake + "/api/ops/v1/command/reload", b"{}",
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["errors"] == []
        until(p.taken, "it is taken")
        doctor = subprocess.run([GLASSHOUSE, "doctor", "-c", str(tmp_path / "outpost" / "glasshouse.yaml")],
                                capture_output=True, text=True, timeout=60, check=False, env=p.outpost.cloud.environment())
        assert "takes our reports" in doctor.stdout, doctor.stdout
        p.settled()


def test_a_location_writes_as_itself_alone(tmp_path):
    with pair(tmp_path, outpost={"location": "paris"}) as p:
        p.house.start()
        p.outpost.start()
        until(lambda: "the token is that of another location (403)" in p.outpost.stderr(), "it says so")
        assert counted(p.house, "paris") == counted(p.house, "berlin") == {}
        assert post(p.to, parcel(location="paris", stream="x"))[0] == 403
        assert post(p.to, parcel(location="berlin", stream="x"), token="of-paris")[0] == 403
        assert post(p.to, parcel(location="berlin", stream="x"), token="of-nobody")[0] == 401
        assert post(p.to, b"no parcel") == (400, {"error": "the parcel is not one frame of zstd with its size"})
        assert post(p.to, parcel(location="berlin", stream="x")) == (200, {"accepted": 0, "want_about": True})
        status, answer = post(p.to, parcel(location="berlin"))
        assert (status, answer["error"]) == (400, "the head of the parcel has no stream")


def test_a_clock_that_is_wrong_is_told(tmp_path):
    with pair(tmp_path) as p:
        p.house.start()
        now = int(time.time() * 1000)
        assert post(p.to, parcel(location="berlin", stream="x", sent_ms=now + 600000))[0] == 200
        until(lambda: re.search(r"its clock is .*ahead of ours", p.seen()["trouble"] or ""), "it is told")
        assert "outpost berlin: its clock is" in p.house.stderr()
        assert post(p.to, parcel(location="berlin", stream="x", sent_ms=int(time.time() * 1000)))[0] == 200
        until(lambda: p.seen()["trouble"] is None, "it is over")
        # Two that say they are the same one.
        for stream in ("y", "x", "y"):
            post(p.to, parcel(location="berlin", stream=stream, sent_ms=int(time.time() * 1000)))
        until(lambda: "two instances" in (p.seen()["trouble"] or ""), "it is told")


def test_a_spool_that_is_full_drops_the_oldest_and_counts_them(tmp_path):
    with pair(tmp_path, outpost={"faces": {"influx": "write"}}) as p:
        mine = json.loads((tmp_path / "outpost" / "glasshouse.yaml").read_text())
        mine["report"]["spool"] = "1MiB"
        (tmp_path / "outpost" / "glasshouse.yaml").write_text(json.dumps(mine))
        p.outpost.start()

        def dropped():
            return metric(p.outpost, "report_dropped_full_samples_total")

        def spooled():
            return metric(p.outpost, "report_spooled_samples") + dropped()

        for i in range(40):
            if dropped() > 4000:
                break
            lines = "\n".join(f"m,n={n} v={random.random()}" for n in range(8000)).encode()
            with urllib.request.urlopen(urllib.request.Request(p.outpost.intake + "/write", lines), timeout=20):
                pass
            until(lambda i=i: spooled() >= 8000 * (i + 1), "it is spooled")
        assert metric(p.outpost, "report_spooled_bytes") <= 1 << 20
        until(lambda: "the spool for the house is full: the oldest" in p.outpost.stderr(), "it is said")
        p.house.start()
        until(lambda: p.taken() and metric(p.house, "outpost_dropped_full_samples_total", location="berlin"), "it is told on")
        mine["probes"] = [{"name": "quiet", "push": {"token": "env:PUSH"}, "every": "24h"}]
        p.outpost.stop()
        p.outpost.close()
        (tmp_path / "outpost" / "glasshouse.yaml").write_text(json.dumps(mine))
        p.outpost.start()
        until(p.sent, "all that was left is sent", 120)
        theirs, ours = counted(p.outpost, "berlin", own=True), counted(p.house, "berlin")
        assert sum(theirs.values()) == sum(ours.values()) + dropped()
        assert all(ours.get(name, 0) <= n for name, n in theirs.items())


def test_what_an_outpost_is_told_wrongly_is_said_with_its_place(tmp_path):
    path = tmp_path / "glasshouse.yaml"

    def errors(text):
        path.write_text(text)
        return subprocess.run([GLASSHOUSE, "config", "check", "-c", str(path)], capture_output=True, text=True,
                              timeout=60, check=False).stderr

    assert "report: token is missing" in errors("report: {to: \"https://h\"}\n")
    assert "location is missing" in errors("report: {to: \"https://h\", token: file:x}\n")
    assert "an outpost has no outposts" in errors(
        "location: a\nreport: {to: \"https://h\", token: file:x}\noutposts: [{location: b, token: file:x}]\n")
    assert "two outposts stand in \"b\"" in errors(
        "outposts: [{location: b, token: file:x}, {location: b, token: file:y}]\n")
    assert "we stand in \"b\" ourselves" in errors("location: b\noutposts: [{location: b, token: file:x}]\n")
