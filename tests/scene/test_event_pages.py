"""What pages and faces say of events, and that every number of the front page leads to what proves it."""
import html
import html.parser
import json
import re
import subprocess
import urllib.error
import urllib.request

import pytest

from running import running, until
from simulated import GLASSHOUSE, ROOT, Simulated

BROKEN = {"service": "volume", "effect": "status", "status": 503}


@pytest.fixture(scope="module")
def run():
    """A house beside which people declare: an incident, work that is planned and a notice; storage is broken."""
    with Simulated(speed=20) as cloud, running(cloud, {}) as it:
        until(lambda: it.health("block-storage") == "operational", "all is well", 90)
        cloud.fault(BROKEN)
        it.wait_health("block-storage", "outage")
        declare(it, "open", "incident", "Volumes cannot be made", "Storage **fails**.", "--id", "volumes-fail",
                "--component", "block-storage=100", "--component", "image=20", "--by", "alice")
        declare(it, "update", "volumes-fail", "A disk is ful.", "--phase", "identified", "--by", "alice")
        declare(it, "correct", "volumes-fail", "2", "A disk is full.", "--by", "alice")
        declare(it, "open", "maintenance", "New firmware", "--id", "firmware", "--start", "+2h", "--until", "+4h",
                "--component", "compute=30")
        declare(it, "open", "info", "A draft of ours", "--id", "a-draft", "--draft")
        until(lambda: len(it.site()["events"]) == 1 and it.site()["upcoming"], "they are shown")
        yield it


def declare(run, *args):
    done = subprocess.run([GLASSHOUSE, "event", *args, "--state", run.state], cwd=ROOT, capture_output=True, text=True,
                          env=run.cloud.environment(), timeout=60)
    assert done.returncode == 0, done.stderr


def page(run, path, base=None, status=200):
    got, _, body = run.get(path, base)
    assert got == status, f"{path}: {got}"
    return body.decode()


def words(text):
    return " ".join(re.sub(r"<[^>]*>", " ", text).replace("⁨", "").replace("⁩", "").split())


def test_an_event_stands_beside_what_is_measured(run):
    text = page(run, "/events/volumes-fail")
    rows = {name: words(row) for name, row in re.findall(r'<tr[^>]*><th scope="row"><a href="/components/([^"?]*).*?</th>(.*?)</tr>', text, re.S)}
    assert re.match("outage 100/100 Outage since .* Evidence$", rows["block-storage"])
    assert "degraded 20/100" in rows["image"] and "What is measured is better." in rows["image"]
    updates = [words(u) for u in re.findall(r'<li id="u\d+">.*?</li>', text, re.S)]
    assert updates[0].startswith("Cause identified") and "A disk is full. by a human · corrected" in updates[0]
    assert "Earlier wording" in updates[0] and "A disk is ful." in updates[0]
    assert updates[1].startswith("Investigating") and "<strong>fails</strong>" in text
    assert "alice" not in text and "alice" in page(run, "/events/volumes-fail", run.intake)
    assert "Ursache gefunden" in page(run, "/events/volumes-fail?lang=de")


def test_an_incident_of_other_pages_leads_to_its_event(run):
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    with pytest.raises(urllib.error.HTTPError) as moved:
        urllib.request.build_opener(Stay).open(run.page + "/incidents/volumes-fail?lang=de", timeout=20)
    assert moved.value.code == 301 and moved.value.headers["Location"] == "/events/volumes-fail?lang=de"
    assert "Volumes cannot be made" in page(run, "/incidents/volumes-fail")  # urllib follows


def test_a_draft_is_the_operators(run):
    for path in ("/events/a-draft", "/api/ops/v1/events/a-draft.json"):
        assert run.get(path)[0] == 404
        assert run.get(path, run.intake)[0] == 200
    for path in ("/", "/history", "/api/ops/v1/history.json", "/api/v2/summary.json"):
        assert "A draft of ours" not in page(run, path), path
    assert "Draft: operators alone see it." in page(run, "/history", run.intake)


def test_the_front_page_tells_them_and_rows_name_them(run):
    text = page(run, "/")
    sentence, incident, work, table = (text.index(t) for t in (
        "<h1>", "Volumes cannot be made</bdi></a></h3>", "New firmware", '<table class="components">'))
    assert sentence < incident < work < table
    row = next(r for r in re.findall(r"<tr>.*?</tr>", text) if 'href="/components/block-storage' in r)
    assert "/events/volumes-fail" in row
    assert "Volumes cannot be made" in page(run, "/components/block-storage")
    assert "New firmware" in page(run, "/components/compute")
    assert "New firmware" not in page(run, "/components/block-storage")


def test_the_history_is_chosen_by_links(run):
    text = page(run, "/history")
    assert "Volumes cannot be made" in text and "New firmware" in text
    links = {words(t): h for h, t in re.findall(r'<a href="(/history[^"]*)"[^>]*>(.*?)</a>', text)}
    assert "Volumes cannot" not in page(run, links["Maintenance"]) and "New firmware" in page(run, links["Maintenance"])
    assert "New firmware" not in page(run, links["Image"]) and "Volumes cannot" in page(run, links["Image"])
    month = run.json("/api/ops/v1/history.json")["months"][-1]
    listed = run.json(f"/api/ops/v1/history/{month}:incident:image.json")
    assert [e["id"] for e in listed["events"]] == ["volumes-fail"] and listed["names"]["image"]
    page(run, "/history/2026-13", status=404)
    assert "Nothing was declared." in page(run, "/history/1999-01")


def test_statuspages_clients_are_told(run):
    summary = run.json("/api/v2/summary.json")
    incident, = summary["incidents"]
    assert (incident["name"], incident["status"], incident["impact"]) == ("Volumes cannot be made", "identified", "critical")
    assert [u["status"] for u in incident["incident_updates"]] == ["identified", "investigating"]
    assert incident["incident_updates"][0]["body"] == "A disk is full."
    assert "fails" in incident["incident_updates"][1]["body"]
    assert "earlier" not in json.dumps(run.site())
    assert {c["name"] for c in incident["components"]} <= {c["name"] for c in summary["components"]}
    work, = run.json("/api/v2/scheduled-maintenances/upcoming.json")["scheduled_maintenances"]
    assert work["status"] == "scheduled" and work["scheduled_for"] < work["scheduled_until"]
    assert run.json("/api/v2/scheduled-maintenances/active.json")["scheduled_maintenances"] == []
    assert len(run.json("/api/v2/incidents/unresolved.json")["incidents"]) == 1


class Numbers(html.parser.HTMLParser):
    """Every text with a digit within <main>, with the link around it, its row's links and its section."""

    VOID = {"meta", "link", "br", "hr", "input", "path", "use", "circle", "line"}

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.rows, self.sections = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "tr":
            self.rows.append([])
        if tag == "section":
            self.sections.append({"links": [], "id": a.get("aria-labelledby"), "class": a.get("class") or ""})
        if tag == "a":
            if any(t == "tr" for t, _ in self.open):
                self.rows[-1].append(a["href"])
            if self.sections:
                self.sections[-1]["links"].append(a["href"])
        if tag not in self.VOID:
            self.open.append((tag, a))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        inside = {tag: a for tag, a in self.open}
        told = not {"code", "details", "thead", "h2"} & set(inside) and inside.get("p", {}).get("class") != "scale small"
        if "main" in inside and re.search(r"\d", data) and told:
            self.found.append((data.strip(), inside.get("a", {}).get("href"), "time" in inside,
                               self.rows[-1] if "tr" in inside else None, self.sections[-1]))


def leads(run, link):
    """The link is answered, and what it names within the page is there."""
    path, _, fragment = link.partition("#")
    text = page(run, path)
    assert not fragment or f'id="{fragment}"' in text, link
    return text


def test_every_number_of_the_front_page_leads_to_what_proves_it(run):
    text = page(run, "/")
    site = run.site()
    checked = set()
    for number, link, is_time, row, section in Numbers(text).found:
        if "verdict" in section["class"]:
            # "1 of 8 components has an outage": rows on this page, each with evidence of its own
            if not number.startswith("As of"):
                assert re.search(r"\b(\d+) of (\d+)", number).group(2) == str(len(site["components"])), number
        elif section["id"] == "h-components":
            assert link or row, number
            for to in {link} - {None} or set(row):
                checked.add(to)
        elif section["id"] == "h-events":
            assert any(to.startswith("/events/") for to in section["links"]), number
            checked.update(section["links"])
        elif section["id"] in ("h-scenarios", "h-measured"):
            assert row or section["links"], number
            checked.update(row or section["links"])
        else:
            assert section["id"] in ("h-possible", "h-about"), (section, number)
    assert any("#f" in to for to in checked) and any(to.startswith("/evidence/") for to in checked)
    bad = [c["id"] for c in site["components"] if c["health"] != "operational"]
    assert bad == ["block-storage"]
    assert any(to.startswith("/components/block-storage") and "#d" in to for to in checked)
    for link in checked:
        target = leads(run, link)
        if "#f" in link:
            assert re.search(r"\d+(\.\d+)?%|not known", target)
        if "#d" in link:  # the day's spans, each with its evidence
            row = re.search(rf'<tr><th scope="row">[^\n]*id="{link.split("#")[1]}".*?</tr>', target, re.S).group()
            leads(run, re.search(r'href="(/evidence/\d+[^"]*)"', row).group(1))


def test_what_is_explored_is_there_as_json(run):
    until(lambda: run.json("/api/ops/v1/explore.json?pattern=endpoint&from=-10min", run.intake)["drawn"], "series")
    text = page(run, "/explore?pattern=endpoint&from=-10min", run.intake)
    twin = re.search(r'id="twin" href="(/api/ops/v1/explore\.json[^"]*)"', text).group(1).replace("&amp;", "&")
    drawn = run.json(twin, run.intake)["drawn"]
    names = [html.unescape(words(h.split("<small>")[0])) for h in re.findall("<h3>(.*?)</h3>", text)]
    assert [d["text"] for d in drawn] == names
    assert all(p["n"] >= p["ok"] for d in drawn for p in d["points"])
    assert run.get("/api/ops/v1/explore.json")[0] == 403
    assert json.loads(run.get("/api/ops/v1/explore.json?from=whenever", run.intake)[2])["wrong"]


def test_alerts_of_others_are_listed_for_operators(run):
    assert "Nobody has sent one." in page(run, "/alerts", run.intake)
    assert run.get("/alerts")[0] == 403
