"""`glasshouse run`: a page within a minute, nothing made unasked, the truth about faults, reload, stop, resume."""
import json
import os
import signal
import sqlite3
import subprocess
import time
import urllib.request

import pytest

from running import Receiver, Run, running, until
from simulated import GLASSHOUSE, ROOT, simulated

LOGIN = {"scenarios": [{"use": "network-basics", "every": "10s"}]}


@pytest.fixture
def cloud():
    with simulated() as c:
        yield c


def passed_since(run, begin):
    """Whether a run that began after `begin` has passed."""
    last = run.site(True)["scenarios"][0]["last"]
    return last and last["verdict"] == "passed" and last["at_ms"] > begin * 1000


def test_without_any_file_it_reads_only(cloud):
    args = ["--cloud", "sim", "--public", "127.0.0.1:0", "--intake", "127.0.0.1:0", "--state",
            os.path.join(cloud.place, "s"), "--instance", "test"]
    with running(cloud, args=args) as run:
        run.wait_health("compute", "operational", 60)
        site = run.site()
        assert {c["id"] for c in site["components"]} >= {"compute", "network", "block-storage", "image", "identity"}
        assert site["scenarios"] == []
        login = next(p for p in site["possible"] if p["name"] == "server-login")
        assert login["objects"] == 11 and "server" in login["text"]
        page = run.get("/")[2].decode()
        assert "--scenario server-login" in page
        assert run.stop() == 0
    changing = [r for r in cloud.requests() if r["method"] not in ("GET", "HEAD")]
    assert {r["path"] for r in changing} == {"/v3/auth/tokens"}, changing
    assert cloud.left() == []


def test_states_come_and_go(cloud):
    receiver = Receiver()
    with running(cloud, {"alarms": [{"webhook": receiver.url, "fold": "1s",
                                     "on": ["degraded", "outage", "unknown", "recovery"]}]}) as run:
        run.wait_health("compute", "operational")
        cloud.fault({"service": "compute", "method": "GET", "effect": "latency", "time": "500ms"})
        run.wait_health("compute", "degraded")
        cloud.clear()
        run.wait_health("compute", "operational")
        cloud.fault({"service": "volume", "effect": "status", "status": 503})
        run.wait_health("block-storage", "outage")
        cloud.clear()
        run.wait_health("block-storage", "operational")
        cloud.fault({"service": "network", "effect": "status", "status": 403})
        run.wait_health("network", "unknown")
        cloud.clear()
        run.wait_health("network", "operational")
        until(lambda: len(receiver.changes()) >= 6, "six changes are told")
        assert run.stop() == 0
    told = [(c["component"], c["to"]) for c in receiver.changes()]
    for component, health in (("compute", "degraded"), ("block-storage", "outage"), ("network", "unknown")):
        assert told.count((component, health)) == 1, told
        assert told.count((component, "operational")) == 1, told
    receiver.close()


def test_a_scenario_is_run_and_shown(cloud):
    with running(cloud, LOGIN) as run:
        last = until(lambda: run.site(True)["scenarios"][0]["last"], "a run ended")
        assert last["verdict"] == "passed"
        status, _, page = run.get("/scenarios/network-basics")
        assert status == 200 and b"<svg" in page
        assert run.get(f"/runs/{last['run']}")[0] == 403
        status, _, page = run.get(f"/runs/{last['run']}", run.intake)
        assert status == 200 and b"router" in page
        report = run.json(f"/api/ops/v1/runs/{last['run']}.json", run.intake)["report"]
        assert report["ended_ms"] >= report["built_ms"] > 0
        assert "run" not in run.site()["scenarios"][0]["last"]
        assert run.stop() == 0
    assert cloud.left() == []


def test_stop_takes_down_what_runs(cloud):
    with running(cloud, LOGIN) as run:
        until(cloud.left, "something is made")
        assert run.stop() == 0
    assert cloud.left() == []


def test_a_second_stop_gives_up_and_the_next_start_resumes(cloud):
    cloud.fault({"method": "DELETE", "effect": "latency", "time": "2000s"})
    with running(cloud, LOGIN) as run:
        until(cloud.left, "something is made")
        run.signal(signal.SIGTERM)
        until(lambda: "again to give that up" in run.stderr(), "the first one was heard")
        run.signal(signal.SIGTERM)
        assert run.process.wait(20) == 0
    assert cloud.left()
    cloud.clear()
    with running(cloud, {}) as run:  # without the scenario nobody sweeps: it is not allowed there
        run.wait_health("compute", "operational")
        run.stop()
    begin = time.time()
    with running(cloud, LOGIN) as run:
        until(lambda: passed_since(run, begin), "a run passed")
        run.stop()
    assert cloud.left() == []


def test_killed_it_resumes(cloud):
    with running(cloud, LOGIN) as run:
        run.wait_health("compute", "operational")
        until(cloud.left, "something is made")
        run.kill()
    begin = time.time()
    with running(cloud, LOGIN) as run:
        site = until(run.site, "the page is there")
        compute = next(c for c in site["components"] if c["id"] == "compute")
        assert compute["health"] in ("operational", "unknown"), "the stored verdict, or that it is stale"
        run.wait_health("compute", "operational")
        until(lambda: passed_since(run, begin), "a run passed")
        run.stop()
    assert cloud.left() == []


def test_started_without_keystone_it_shows_what_it_showed_before(cloud):
    with running(cloud, {}) as run:
        run.wait_health("compute", "operational")
        run.wait_health("block-storage", "operational")
        names = {c["id"]: (c["name"], c["category"]) for c in run.site()["components"]}
        run.kill()
    cloud.fault({"service": "identity", "effect": "lost"})
    with running(cloud, {}) as run:
        site = until(run.site, "the page is there")
        assert {c["id"]: (c["name"], c["category"]) for c in site["components"]} == names
        run.wait_health("compute", "unknown")
        run.wait_health("identity", "outage")
        assert {c["id"] for c in run.site()["components"]} == set(names)
        cloud.clear()
        run.wait_health("compute", "operational")
        assert {c["id"]: (c["name"], c["category"]) for c in run.site()["components"]} == names
        assert run.stop() == 0


def test_what_is_not_watched_any_more_is_over_at_the_next_start(cloud):
    rate = {"every": "1s", "timeout": "1s"}
    with running(cloud, {"clouds": {"sim": rate, "sim-b": rate}}) as run:
        run.wait_health("sim-b-compute", "operational")
        run.kill()
    with running(cloud, {}) as run:
        run.wait_health("compute", "operational")
        until(lambda: not [c for c in run.site()["components"] if c["id"].startswith("sim-b-")], "it is gone")
        assert run.stop() == 0
        db = sqlite3.connect(f"file:{run.state}/facts.db?mode=ro", uri=True)
        rows, over = db.execute("SELECT count(*), count(until_ms) FROM verdict WHERE component = 'sim-b-compute'").fetchone()
        assert rows == over > 0
        db.close()


def test_reload_says_what_changes(cloud):
    with running(cloud, {}) as run:
        run.wait_health("compute", "operational")
        run.write({**LOGIN, "components": {"compute": {"name": "Virtual machines"}}})
        run.signal(signal.SIGHUP)
        until(lambda: run.site()["scenarios"], "the scenario is there")
        assert next(c["name"] for c in run.site()["components"] if c["id"] == "compute") == "Virtual machines"
        assert "+ scenario network-basics" in run.stdout() + run.stderr()
        with open(run.path, "w", encoding="utf-8") as f:
            f.write("clouds: {sim: {evry: 1s}}\n")
        run.signal(signal.SIGHUP)
        until(lambda: "evry" in run.stdout() + run.stderr(), "the mistake is told")
        assert run.site()["scenarios"], "a bad file changes nothing"
        run.write({})
        run.signal(signal.SIGHUP)
        until(lambda: not run.site()["scenarios"], "the scenario is gone")
        assert run.stop() == 0
    assert cloud.left() == []


def test_what_the_site_says_of_itself(cloud):
    """On the first page, in the reader's language or marked as another; a reload changes it, a mistake does not."""
    def about(language):
        page = run.get("/", **{"Accept-Language": language})[2].decode()
        return page.partition('<div class="prose"')[2].partition("</section>")[0]

    with running(cloud, {"site": {"about": "We *watch* it. [x](javascript:x) <b>"}}) as run:
        until(lambda: "<em>watch</em> it. x &lt;b&gt;</p>" in about("en"), "it is on the page")
        assert about("de").startswith(' lang="en">')
        run.write({"site": {"about": {"en": "All of *it*", "de": "Wir *sehen* es"}}})
        run.signal(signal.SIGHUP)
        until(lambda: "<em>sehen</em>" in about("de"), "it is there in German")
        assert "<em>it</em>" in about("en") and not about("de").startswith(" lang=")
        assert "~ site.about: {" in run.stdout() + run.stderr()
        run.write({"site": {"about": ">" * 40 + " deep"}})
        run.signal(signal.SIGHUP)
        until(lambda: "the site: about: quotes, lists and emphasis nest deeper" in run.stdout() + run.stderr(),
              "the mistake is told")
        assert "<em>sehen</em>" in about("de"), "a bad file changes nothing"
        assert run.stop() == 0


def test_reload_by_command(cloud):
    with running(cloud, {}) as run:
        run.wait_health("compute", "operational")
        run.write(LOGIN)
        request = urllib.request.Request(run.intake + "/api/ops/v1/command/reload", b"{}",
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            told = json.load(answer)
        assert told["errors"] == [] and any("network-basics" in line for line in told["changed"])
        run.stop()


def test_two_of_them_do_not_share_a_state(cloud):
    with running(cloud, {}) as run:
        out = subprocess.run(run.command, cwd=ROOT, env=cloud.environment(), capture_output=True, text=True, timeout=60,
                             check=False)
        assert out.returncode == 2 and "another `glasshouse run`" in out.stderr
        run.stop()


def test_keystone_away_from_the_start(cloud):
    cloud.fault({"service": "identity", "effect": "status", "status": 503})
    with running(cloud, {}) as run:
        run.wait_health("identity", "outage")
        cloud.clear()
        run.wait_health("identity", "operational")
        run.wait_health("compute", "operational", 90)
        run.stop()


def test_keystone_away_at_a_restart(cloud):
    """The catalog cannot be read: what the cloud has is what it had, and is unknown once that is stale."""
    with running(cloud, {}) as run:
        run.wait_health("compute", "operational")
        names = {c["id"]: c["name"] for c in run.site()["components"]}
        run.stop()
    cloud.fault({"service": "identity", "effect": "status", "status": 503})
    with running(cloud, {}) as run:
        run.wait_health("identity", "outage")
        assert {c["id"]: c["name"] for c in run.site()["components"]} == names
        run.wait_health("compute", "unknown")
        assert run.stop() == 0


def test_no_cloud_at_all(cloud):
    out = subprocess.run([GLASSHOUSE, "run", "--cloud", "nobody", "--public", "127.0.0.1:0", "--intake", "127.0.0.1:0",
                          "--state", os.path.join(cloud.place, "s")], cwd=ROOT, env=cloud.environment(),
                         capture_output=True, text=True, timeout=60, check=False)
    assert out.returncode == 2 and "nobody" in out.stderr


def test_the_token_of_the_intake(cloud):
    """It is read after the serving child was started, and reaches it as a hash."""
    path = os.path.join(cloud.place, "token")
    with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
        f.write("correct horse battery\n")
    listen = {"public": "127.0.0.1:0", "intake": "127.0.0.1:0", "token": f"file:{path}"}
    with running(cloud, {"listen": listen}) as run:
        run.wait_health("compute", "operational")
        until(lambda: run.get("/", run.intake, Authorization="Bearer correct horse battery")[0] == 200, "the page")
        assert run.get("/", run.intake)[0] == 401
        assert run.get("/", run.intake, Authorization="Bearer wrong horse")[0] == 401
        assert run.stop() == 0
    os.unlink(path)
    run = Run(cloud, {"listen": listen}, start=False)
    out = subprocess.run(run.command, cwd=ROOT, env=cloud.environment(), capture_output=True, text=True, timeout=60,
                         check=False)
    assert out.returncode == 2 and "token" in out.stderr


def test_numbers_for_prometheus(cloud):
    with running(cloud, {}) as run:
        run.wait_health("compute", "operational")
        status, headers, body = run.get("/metrics", run.intake)
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert 'glasshouse_component_health{component="compute"' in body.decode()
        assert run.get("/metrics")[0] == 404
        assert run.get("/healthz", run.intake)[0] == 200
        run.stop()


def test_the_serving_child_dies_and_comes_again(cloud):
    with running(cloud, {}) as run:
        run.wait_health("compute", "operational")
        children = subprocess.run(["pgrep", "-P", str(run.process.pid), "-f", "web-serve"], capture_output=True,
                                  text=True, check=False).stdout.split()
        assert len(children) == 1
        with open(f"/proc/{children[0]}/status", encoding="utf-8") as f:
            status = f.read()
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
        os.kill(int(children[0]), signal.SIGKILL)
        run.wait_health("compute", "operational")
        run.stop()
