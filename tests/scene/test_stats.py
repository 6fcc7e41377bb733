"""How long calls, waits and checks take: printed by `glasshouse try`, kept, and shown by `glasshouse stats`."""
import json
import os
import re
import subprocess

import pytest

from running import running, until
from simulated import GLASSHOUSE, Simulated

ORDER = ("min_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")


def stats(cloud, *args):
    return subprocess.run([GLASSHOUSE, "stats", *args, "--state", os.path.join(cloud.place, "state")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def rows(cloud, *args):
    out = stats(cloud, "--json", *args)
    assert out.returncode == 0, out.stderr
    return [json.loads(line) for line in out.stdout.splitlines()]


@pytest.fixture(scope="module", name="seen")
def one_cloud():
    """Two runs, the second one with a service that refuses once: (cloud, reports)."""
    with Simulated() as cloud:
        first = cloud.run("try", "network-basics", "--json")
        cloud.fault({"service": "network", "method": "POST", "path": "*/networks", "effect": "status", "status": 500, "times": 1})
        second = cloud.run("try", "network-basics", "--json")
        cloud.clear()
        yield cloud, [json.loads(out.stdout.splitlines()[-1]) for out in (first, second)]


def test_what_a_run_told_is_kept(seen):
    cloud, reports = seen
    kept = {f"{r['service']} {r['name']}": r for r in rows(cloud, "--calls")}
    told = {}
    for report in reports:
        for c in report["calls"]:
            n, errors = told.get(c["call"], (0, 0))
            told[c["call"]] = n + c["n"], errors + c["errors"]
    assert {name: (r["n"], r["errors"]) for name, r in kept.items() if name in told} == told
    assert len(told) > 5 and sum(r["errors"] for r in kept.values()) > 0
    for r in kept.values():
        assert r["what"] == "call" and r["cloud"] == "sim" and sum(r["faults"].values()) == r["errors"]
        times = [r[k] for k in ORDER]
        assert times == sorted(times) if r["n"] > r["errors"] else times == [None] * 5


def test_waits_and_checks(seen):
    cloud, reports = seen
    told = {}
    for report in reports:
        for w in report["waits"]:
            told[w["wait"]] = told.get(w["wait"], 0) + w["n"]
    assert {r["name"]: r["n"] for r in rows(cloud, "--waits")} == told and told
    assert {r["what"] for r in rows(cloud)} == {"call", "wait", "check"}
    assert {r["what"] for r in rows(cloud, "--waits", "--checks")} == {"wait", "check"}
    assert all(r["name"].startswith("network-basics ") for r in rows(cloud, "--checks"))


def test_the_slowest_first(seen):
    found = [r["p95_ms"] for r in rows(seen[0], "--calls") if r["p95_ms"] is not None]
    assert found == sorted(found, reverse=True)
    text = stats(seen[0], "--calls").stdout
    assert re.search(r"^calls +n +err +min +mean +p50 +p95 +p99 +max$", text, re.M)
    assert not re.search(r"^waits ", text, re.M)


def test_try_prints_both(seen):
    out = seen[0].run("try", "network-basics").stdout
    assert re.search(r"^waits +n +err +min +mean", out, re.M) and re.search(r"^slowest calls +n +err", out, re.M)


@pytest.mark.parametrize("args, code, text", [
    (["--since", "soon"], 2, "--since"), (["--since", "0s"], 2, "--since"), (["sim"], 2, "no arguments"),
    (["--cloud", "nowhere"], 1, "nothing was measured")])
def test_nothing_to_show(seen, args, code, text):
    out = stats(seen[0], *args)
    assert out.returncode == code and text in out.stderr and not out.stdout


def test_no_series(tmp_path):
    out = subprocess.run([GLASSHOUSE, "stats", "--state", str(tmp_path)], capture_output=True, text=True, timeout=60,
                         check=False)
    assert out.returncode == 2 and str(tmp_path) in out.stderr


def test_the_page_is_for_operators():
    config = {"scenarios": [{"use": "network-basics", "every": "10s"}]}
    with Simulated() as cloud, running(cloud, config) as run:
        shown = until(lambda: (d := run.json("/api/ops/v1/calls.json", run.intake))["waits"] and d, "a wait")
        assert shown["view"] == "24h" and shown["to_ms"] - shown["from_ms"] == 24 * 3600 * 1000
        assert shown["unread"] == 0 and len(shown["calls"]) <= 30
        for row in shown["calls"] + shown["waits"]:
            assert sum(p["n"] for p in row["trend"]["points"]) == row["n"] and len(row["trend"]["points"]) == 48
        week = run.json("/api/ops/v1/calls/7d.json", run.intake)
        assert week["view"] == "7d" and week["waits"]
        for path in ("/calls", "/calls/7d"):
            status, _, page = run.get(path, run.intake)
            assert status == 200 and b"network gone" in page
            assert run.get(path)[0] == 403
        assert run.get("/api/ops/v1/calls.json")[0] == 403
        assert run.get("/calls/8d", run.intake)[0] == 404
        assert b'href="/calls' in run.get("/", run.intake)[2] and b'href="/calls' not in run.get("/")[2]
        assert "Warten auf Objekte" in run.get("/calls?lang=de", run.intake)[2].decode()
