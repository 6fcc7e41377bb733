"""Our own rules and objectives in the whole program: they fire, recover, are told and shown, and are played again."""
import contextlib
import http.server
import json
import os
import re
import subprocess
import threading
import time
import urllib.request

import pytest

from running import running, until
from serve import ROOT
from serve import run as run_program
from simulated import GLASSHOUSE, simulated


class Site:
    """Answers 200 after `delay`, or `status`."""

    def __init__(self):
        self.delay, self.status = 0.0, 200
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                time.sleep(site.delay)
                with contextlib.suppress(OSError):
                    self.send_response(site.status)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


RULE = {"name": "web-slow", "component": "web", "severity": "degraded", "over": "10s", "recover": "10s", "minimum": 2,
        "when": 'p95(probe{probe="web"}) > 150ms', "text": "The web answers slowly"}
SLO = {"name": "web-answers", "component": "web", "objective": "99.9%", "over": "30d", "good": 'probe{probe="web"}',
       "text": "Requests are answered."}


def config(site, *rules):
    return {"clouds": {"sim": {"endpoints": "none"}},
            "probes": [{"name": "web", "http": site.url, "every": "1s", "timeout": "1s", "component": "Web"}],
            "judge": {"minimum": "1s", "rules": list(rules) or [RULE], "slos": [SLO]}}


def reload(run):
    request = urllib.request.Request(run.intake + "/api/ops/v1/command/reload", b"{}",
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def state(run, name="web-slow"):
    for rule in run.json("/api/ops/v1/rules.json", run.intake)["rules"]:
        if rule["name"] == name and rule["states"]:
            return rule["states"][0]["state"]
    return None


@pytest.fixture(name="site")
def one_site():
    site = Site()
    yield site
    site.close()


def test_a_rule_fires_is_told_and_recovers(site):
    with simulated() as cloud, running(cloud, config(site)) as run:
        until(lambda: state(run) == "good", "the rule is good")
        assert run.get("/api/ops/v1/rules.json")[0] == 403
        site.delay = 0.4
        until(lambda: state(run) == "firing", "the rule fires")
        run.wait_health("web", "degraded")
        component = run.json("/api/ops/v1/components/web.json", run.intake)
        verdict = next(s for s in component["spans"] if s["health"] == "degraded")
        assert verdict["rule"] == "told" and "The web answers slowly" in verdict["text"]
        evidence = run.json(f"/api/ops/v1/evidence/{verdict['id']}.json", run.intake)
        told = next(t for t in evidence["told"] if t["by"] == "rule:web-slow")
        assert told["evidence"]["rule"] == RULE["when"]
        assert told["evidence"]["values"][0]["n"] >= 2
        assert "operators" not in json.dumps(run.json(f"/api/ops/v1/evidence/{verdict['id']}.json"))
        metrics = run.get("/metrics", run.intake)[2].decode()
        assert re.search(r'^glasshouse_rule_state\{[^}]*rule="web-slow"[^}]*\} 1$', metrics, re.M), metrics
        site.delay = 0
        until(lambda: state(run) == "good", "the rule recovers")
        run.wait_health("web", "operational")


def test_an_objective_is_shown_with_its_budget(site):
    with simulated() as cloud, running(cloud, config(site)) as run:
        def objective():
            slos = run.json("/api/ops/v1/availability.json")["slos"]
            return slos[0] if slos and slos[0]["whole"] >= 3 else None

        first = until(objective, "runs count", 150)
        assert first["ratio"] == 1 and first["budget_left"] == 1 and first["state"] == "good"
        assert "burn" not in first
        page = run.get("/availability")[2].decode()
        assert "web-answers" in page and "99.90" in page.replace("99.9%", "99.90")
        site.status = 500
        # One of a thousand may fail: more than that is spent at once, and burns far too fast.
        spent = until(lambda: (s := objective()) and s["state"] == "firing" and s, "the budget burns", 150)
        assert spent["budget_left"] < 0
        assert "Spent" in run.get("/availability")[2].decode()
        metrics = run.get("/metrics", run.intake)[2].decode()
        left = re.search(r'^glasshouse_slo_budget_left\{[^}]*slo="web-answers"[^}]*\} (\S+)$', metrics, re.M)
        assert left and float(left[1]) < 0


def test_a_reload_brings_and_takes_rules(site):
    other = {"name": "gone", "component": "web", "when": "absent(nothing)", "over": "10s"}
    with simulated() as cloud, running(cloud, config(site)) as run:
        until(lambda: state(run) == "good", "the rule is good")
        run.write(config(site, other))
        told = reload(run)
        assert not told["errors"] and any("judge.rules" in line for line in told["changed"]), told
        until(lambda: state(run, "gone") == "firing", "the other one fires")
        run.wait_health("web", "degraded")
        assert state(run) is None
        run.write(config(site))
        reload(run)
        run.wait_health("web", "operational")
        bad = dict(RULE, when="p59(probe) > 1s")
        run.write(config(site, bad))
        told = reload(run)
        assert "did you mean p50()" in told["errors"][0] and re.search(r":\d+:\d+: ", told["errors"][0])
        until(lambda: state(run) in ("good", "unknown"), "the rule that was there is judged on")


# --- the past ---


def replay(run, *args):
    out = subprocess.run([GLASSHOUSE, "judge", "replay", "-c", run.path, "--state", run.state, *args],
                         capture_output=True, text=True, timeout=120, check=False)
    return out


def test_a_replay_says_what_was_said(site, tmp_path):
    """Of what is stored, beside the event that was declared; and what other rules would have said."""
    with simulated() as cloud, running(cloud, config(site)) as run:
        until(lambda: state(run) == "good", "the rule is good")
        site.delay = 0.4
        until(lambda: state(run) == "firing", "the rule fires")
        told = run.json("/api/ops/v1/rules.json", run.intake)["rules"][0]["states"][0]
        opened = subprocess.run([GLASSHOUSE, "event", "open", "incident", "The web is slow", "--component", "web=degraded",
                                 "--state", run.state, "-c", run.path], capture_output=True, text=True, timeout=60, check=False)
        assert opened.returncode == 0, opened.stderr
        site.delay, site.status = 0, 500
        run.wait_health("web", "outage")
        run.stop()
        out = replay(run, "--from", "30m", "--json")
        assert out.returncode == 1, out.stderr
        found = json.loads(out.stdout)
        web = next(c for c in found["components"] if c["component"] == "web")
        tracks = {t["by"]: t["spans"] for t in web["tracks"]}
        fired = [s for s in tracks["rule:web-slow"] if s["health"] == "degraded"]
        assert told["since_ms"] in [s["from_ms"] for s in fired], (told, fired)
        assert any(s["health"] == "outage" for s in tracks["judge"])
        assert [e["title"] for e in found["events"]] == ["The web is slow"]
        shown = replay(run, "--from", "30m").stdout
        assert re.search(r"^  the judge +\|[.?Xdm]{60}\|$", shown, re.M), shown
        assert re.search(r"^  declared +\|[ I]{60}\|$", shown, re.M), shown
        assert "The web answers slowly" in shown
        other = tmp_path / "other.yaml"
        other.write_text("- {name: never, component: web, when: 'p95(probe) > 5m', over: 10s}\n")
        only = json.loads(replay(run, "--from", "30m", "--json", "--rules", str(other)).stdout)
        names = {t["by"] for c in only["components"] for t in c["tracks"]}
        assert "rule:never" in names and "rule:web-slow" not in names
        wrong = tmp_path / "wrong.yaml"
        wrong.write_text("rules:\n  - {name: w, component: web, when: 'p59(probe) > 5m'}\n")
        out = replay(run, "--rules", str(wrong))
        assert out.returncode == 2 and f"{wrong}:2:" in out.stderr and "did you mean" in out.stderr


def test_a_replay_is_what_the_judge_said(site):
    """Slow answers, an outage within declared work and one of our own connectivity: the same changes, when they were."""
    witness = Site()
    own = {"clouds": {"sim": {"endpoints": "none"}}, "witnesses": [witness.url], "judge": {"minimum": "1s"},
           "probes": [{"name": "web", "http": site.url, "every": "1s", "timeout": "1s", "slow": "200ms", "component": "Web"}]}
    with simulated() as cloud, running(cloud, own) as run:
        def component():
            return run.json("/api/ops/v1/components/web.json", run.intake)

        def planned(*args):
            out = subprocess.run([GLASSHOUSE, "maintenance", *args, "--state", run.state, "-c", run.path],
                                 capture_output=True, text=True, timeout=60, check=False)
            assert out.returncode == 0, out.stderr
            return out.stdout.strip()

        run.wait_health("web", "operational")
        site.delay = 0.4
        run.wait_health("web", "degraded")
        site.delay = 0
        run.wait_health("web", "operational")
        planned("plan", "Work", "--start", "+1s", "--length", "1h", "--component", "web=partial")
        until(lambda: [e for e in run.site()["events"] if e["phase"] == "in_progress"], "the work begins", 60)
        site.status = 500
        run.wait_health("web", "outage")
        site.status = 200
        run.wait_health("web", "operational")
        witness.close()
        site.close()
        run.wait_health("web", "unknown")
        live = sorted((s for s in component()["spans"] if s["id"]), key=lambda s: s["from_ms"])
        for s in live:
            s["maintenance"] = run.json(f"/api/ops/v1/evidence/{s['id']}.json", run.intake)["maintenance"]
        run.stop()
        found = json.loads(replay(run, "--from", "30m", "--json").stdout)
    web = next(c for c in found["components"] if c["component"] == "web")
    again = next(t["spans"] for t in web["tracks"] if t["by"] == "judge")
    assert {"slow", "silent", "blind"} <= {s["rule"] for s in live}, live
    assert any(s["health"] == "outage" and s["maintenance"] for s in live), live
    assert [s["health"] for s in live] == [s["health"] for s in again[:len(live)]], (live, again)
    for one, other in zip(live, again):
        assert abs(one["from_ms"] - other["from_ms"]) < 1000, (live, again)
        assert one["maintenance"] == other.get("maintenance"), (one, other)


# --- files ---


def test_a_later_file_goes_over_a_rule(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/stricter.yaml").write_text(
        "judge:\n  rules:\n    - {name: a, over: 1m}\n    - {name: b, component: web, when: 'absent(x)'}\n")
    main = "judge: {rules: [{name: a, component: web, when: 'p95(x) > 1s', for: 2m}]}"
    assert "2 rules" in check(tmp_path, main).stdout
    shown = run_program(tmp_path, "config", "show", "--json", cwd=tmp_path)
    a, b = json.loads(shown.stdout)["judge"]["rules"]
    assert (a["name"], a["over"], a["for"], a["when"]) == ("a", "1m", "2m", "p95(x) > 1s") and b["name"] == "b"
    (tmp_path / "conf.d/wrong.yaml").write_text("judge:\n  rules:\n    - {name: a,\n       when: 'p95(y) > 95%'}\n")
    out = check(tmp_path, main)
    assert out.returncode == 1
    assert re.search(r"conf\.d/wrong\.yaml:4:22: rule a: > does not work between a time and a percentage", out.stderr)


# --- docs/rules.md, executed ---


DOC = os.path.join(ROOT, "docs/rules.md")


def blocks(kind):
    with open(DOC, encoding="utf-8") as f:
        return re.findall(rf"^```{kind}\n(.*?)^```", f.read(), re.S | re.M)


def check(tmp_path, text):
    (tmp_path / "glasshouse.yaml").write_text(text)
    return run_program(tmp_path, "config", "check", cwd=tmp_path)


def test_the_page_is_a_configuration(tmp_path):
    assert len(blocks("yaml")) >= 2
    for text in blocks("yaml"):
        out = check(tmp_path, text)
        assert out.returncode == 0 and not out.stderr, out.stderr
        assert re.search(r"[12] (rule|SLO)s?", out.stdout)


def test_conditions_of_the_page(tmp_path):
    lines = blocks("condition")[0].splitlines()
    assert len(lines) >= 8
    rules = [{"name": f"r{i}", "component": "web", "when": line} for i, line in enumerate(lines)]
    out = check(tmp_path, json.dumps({"judge": {"rules": rules}}))
    assert out.returncode == 0 and not out.stderr, out.stderr


def test_openslo_of_the_page(tmp_path):
    (tmp_path / "objectives.yaml").write_text(blocks("openslo")[0])
    out = check(tmp_path, "judge: {slo: [objectives.yaml]}")
    assert out.returncode == 0 and not out.stderr and "1 SLO" in out.stdout, out.stderr
    (tmp_path / "objectives.yaml").write_text(blocks("openslo")[0].replace("Occurrences", "Timeslices"))
    out = check(tmp_path, "judge: {slo: [objectives.yaml]}")
    assert re.search(r"objectives\.yaml:\d+:\d+: SLO web-fast is left out", out.stderr)


def test_tables_of_the_page():
    """Every key and every function that there is, and no other."""
    with open(DOC, encoding="utf-8") as f:
        page = f.read()
    for heading, file, name in (("A rule", "rule.c", "rule_keys"), ("Objectives", "slo.c", "slo_keys")):
        with open(os.path.join(ROOT, "src/judge/rules", file), encoding="utf-8") as f:
            table = re.search(name + r"\[\] = \{(.*?)\};", f.read(), re.S)[1]
        part = re.search(rf"^## {heading}\n(.*?)(?=^##+ )", page, re.S | re.M)[1]
        rows = " ".join(re.findall(r"^\| (`\w+`(?: `\w+`)*) \|", part, re.M))
        assert set(re.findall(r"`(\w+)`", rows)) == set(re.findall(r'\{(?:RULE|SLO)\("(\w+)"', table))
    with open(os.path.join(ROOT, "src/judge/rules/functions.def"), encoding="utf-8") as f:
        known = set(re.findall(r'^RULE_FUNCTION\(\w+, "(\w+)"', f.read(), re.M)) | {"changed"}
    part = re.search(r"^\| function \|.*?\n\n", page, re.S | re.M)[0]
    rows = " ".join(re.findall(r"^\| (`\w+`(?: `\w+`)*) \|", part, re.M))
    assert set(re.findall(r"`(\w+)`", rows)) == known
