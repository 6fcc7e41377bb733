"""What HTTP shows, from outside: no dead link, nothing of the operators' in public, a child that ends with its house."""
import html.parser
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import pytest

from running import running, until
from simulated import Simulated

SCENARIO = {"scenarios": [{"use": "server-login", "cloud": "sim", "every": "1h"}]}


@pytest.fixture
def cloud():
    with Simulated(speed=20) as it:
        yield it


class Links(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.found.append(value)


def crawl(run, base):
    """Every page and file that can be reached from the front page: {path: (type, text)}; each must be there."""
    seen, todo, moves = {}, ["/"], 0
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        status, headers, body = run.get(path, base)
        for _ in range(20):  # sent away for a moment: pages are asked of the house at a bounded rate
            if status != 503:
                break
            until(lambda: run.get(path, base)[0] != 503, f"{path} is there")
            status, headers, body = run.get(path, base)
        assert status == 200, f"{path}: {status}"
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        kind = headers["Content-Type"].split(";")[0]
        seen[path] = kind, body.decode() if kind.startswith("text/") else ""
        if kind != "text/html":
            continue
        for link in Links(seen[path][1]).found:
            if link.startswith(("http:", "https:", "data:", "mailto:")):
                assert not link.startswith(("http://127.", "http://localhost")), f"{path} links to {link}"
                continue
            moves += "/explore?" in link and "from=" in link
            if moves > 30 and "/explore?" in link:  # those go on in time for ever
                continue
            todo.append(urllib.parse.urldefrag(urllib.parse.urljoin(path, link))[0])
        assert len(seen) < 500
    return seen


def test_every_link_leads_somewhere(cloud):
    with running(cloud, SCENARIO) as run:
        scenario = until(lambda: next((s for s in run.site()["scenarios"] if s["last"]), None), "a run has ended", 120)
        public, intake = crawl(run, run.page), crawl(run, run.intake)
        assert {"text/html", "text/css"} <= {kind for kind, _ in public.values()}
        assert any(p.startswith("/components/") for p in public)
        assert f"/scenarios/{scenario['name']}" in {p.split("?")[0] for p in public}
        assert not any(p.startswith("/runs/") for p in public)
        assert any(p.startswith("/runs/") for p in intake)


def test_the_public_is_shown_nothing_of_the_operators(cloud):
    with running(cloud, SCENARIO) as run:
        site = until(lambda: next((s for s in [run.site(operators=True)] if s["scenarios"][0]["last"]), None),
                     "a run has ended", 120)
        number = site["scenarios"][0]["last"]["run"]
        assert run.get(f"/runs/{number}", run.intake)[0] == 200
        assert run.get(f"/api/ops/v1/runs/{number}.json", run.intake)[0] == 200
        for path in (f"/runs/{number}", f"/api/ops/v1/runs/{number}.json"):
            status, _, body = run.get(path, Authorization="Bearer guess", Cookie="operator=1")
            assert status == 403 and str(number).encode() not in body
        assert run.get("/metrics")[0] == 404
        public = json.dumps(run.site())
        for secret in (number, "alarms", "jobs", f"127.0.0.1:{urllib.parse.urlsplit(run.intake).port}"):
            assert str(secret) not in public


def test_what_is_described_is_there(cloud):
    with running(cloud, {}) as run:
        until(lambda: run.site()["components"], "components")
        until(lambda: run.get("/healthz", run.intake)[0] == 200, "its days are read")
        text = run.get("/api/ops/v1/openapi.yaml")[2].decode()
        paths = re.findall(r"^  (/.*):\n    get:", text, re.M)
        assert "/api/ops/v1/status.json" in paths
        names = {"id": run.site()["components"][0]["id"], "name": "nobody", "run": "nobody", "view": "all::1"}
        for path in paths:
            if "/command/" in path or path.endswith((".yaml", "/alertmanager")):
                continue
            own = {**names, "id": 1} if "/evidence/" in path else names
            status, headers, body = run.get(path.format(**own), run.intake)
            if path == "/api/v1/health":  # without what it must be told
                assert status == 400 and "service" in body.decode()
                continue
            assert status in (200, 404), f"{path}: {status}"
            if path == "/api/v1/info":
                assert headers["Content-Type"].startswith("text/plain")
                continue
            assert "json" in headers["Content-Type"]
            json.loads(body)


def test_the_intake_is_closed_to_pages_of_others(cloud):
    with running(cloud, {}) as run:
        until(lambda: run.get("/metrics", run.intake)[0] == 200, "metrics")
        assert run.get("/metrics", run.intake, Host="rebound.example")[0] == 421


def child_of(run):
    out = subprocess.run(["pgrep", "-P", str(run.process.pid), "-f", "web-serve"], capture_output=True, text=True,
                         check=True).stdout
    assert len(out.split()) == 1
    return int(out)


def is_gone(pid):
    try:
        return "\nState:\tZ" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_child_ends_with_its_house(cloud):
    with running(cloud, {}) as run:
        child = child_of(run)
        assert pathlib.Path(f"/proc/{child}/environ").read_bytes() == b""
        opened = [os.readlink(f) for f in pathlib.Path(f"/proc/{child}/fd").iterdir()]
        assert not [f for f in opened if f.startswith(run.state) or f.endswith((".yaml", ".db"))]
        run.kill()
        until(lambda: is_gone(child), "the child is gone", 10)
