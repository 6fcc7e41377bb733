"""The page /explore: series found, drawn as smoke, compared, moved in time, without a script."""
import html
import re
import socket
import time
import urllib.parse

import pytest
import statsd

from running import LOOPBACK, running, until
from serve import refusing
from simulated import simulated

LISTEN = {**LOOPBACK, "statsd": "127.0.0.1:0", "graphite": "127.0.0.1:0"}
BASE_S = int(time.time()) // 3600 * 3600 - 3 * 3600  # whole hours, a while ago


def ports(run):
    found = re.findall(r"^(\w+): +(?:udp|tcp)://[^:]+:(\d+)$", run.stdout(), re.M)
    return {name: int(port) for name, port in found}


def explore(run, base=None, **asked):
    """(status, headers, page as a text)"""
    path = "/explore?" + urllib.parse.urlencode(asked, doseq=True)
    status, headers, body = run.get(path, base or run.intake)
    return status, headers, body.decode()


def shown(run, **asked):
    status, _, page = explore(run, **asked)
    assert status == 200, page
    assert len(page) < 150_000, "the page is no load"
    return page


def articles(page):
    return re.findall(r"<article>.*?</article>", page, re.S)


def words(part):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", part)).split())


def listed(page):
    return [html.unescape(text) for text in re.findall(r'name="series" id="s\d+" value="([^"]*)"', page)]


def path_of(article, name):
    return re.search(rf'<path class="{name}" d="([^"]*)"', article)[1]


def send_lines(run, lines):
    with socket.create_connection(("127.0.0.1", ports(run)["graphite"])) as s:
        s.sendall("".join(f"{name} {value} {at}\n" for name, value, at in lines).encode())


@pytest.fixture(scope="module", name="run")
def one_run():
    """The same store seen from two locations, one after the other."""
    with refusing() as closed, socket.create_server(("127.0.0.1", 0)) as server, simulated() as cloud:
        config = {"listen": LISTEN, "probes": [
            {"name": "open", "tcp": f"127.0.0.1:{server.getsockname()[1]}", "every": "1s"},
            {"name": "shut", "tcp": f"127.0.0.1:{closed}", "every": "1s"}]}
        with running(cloud, {**config, "location": "there"}) as run:
            until(lambda: "graphite" in ports(run), "it says where it listens")
            send_lines(run, [("plant.level", 40 + i, BASE_S + 60 * i) for i in range(60)])
            until(lambda: articles(explore(run, pattern="plant.level")[2]), "they are taken")
            until(lambda: "failed" in explore(run, pattern="*shut*")[2], "it was probed")
            assert run.stop() == 0
        with running(cloud, {**config, "location": "here"}) as run:
            until(lambda: "graphite" in ports(run), "it says where it listens")
            send_lines(run, [("plant.level", 10 + i, BASE_S + 60 * i) for i in range(60)])
            send_lines(run, [(f"many.of.n{i:03}", i, BASE_S) for i in range(230)])
            client = statsd.StatsClient("127.0.0.1", ports(run)["statsd"])
            for i in range(1, 101):
                client.timing("spread", i)
            client.incr("hits", 30)
            until(lambda: "100 measured" in explore(run, pattern="stats.*.spread")[2], "an interval has ended", 30)
            yield run


def test_for_operators_and_kept_by_nobody(run):
    status, headers, page = explore(run, pattern="plant.*")
    assert status == 200 and headers["Cache-Control"] == "private, no-store"
    assert re.search(r"As of \d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC", page)
    assert explore(run, run.page, pattern="plant.*")[0] == 403
    assert b'href="/explore' in run.get("/", run.intake)[2]
    assert b'href="/explore' not in run.get("/")[2]


def test_nothing_asked_lists_what_there_is(run):
    page = shown(run)
    assert not articles(page) and len(listed(page)) == 200
    assert re.search(r"\d+ more series match and are not listed", page)
    assert 'name="pattern" value=""' in page and 'name="from" value="-1d"' in page


def test_a_part_of_a_name_or_a_pattern(run):
    assert listed(shown(run, pattern="lant.lev")) == ["plant.level"]
    assert listed(shown(run, pattern="plant.*")) == ["plant.level"]
    assert listed(shown(run, pattern="lant.*")) == []
    assert "No series has such a name" in shown(run, pattern="lant.*")
    page = shown(run, pattern="many.of.n00?")
    assert len(listed(page)) == 10 and len(articles(page)) == 8
    assert "2 more series match and are not drawn" in page


def test_locations_are_compared_on_one_scale(run):
    page = shown(run, series="plant.level", **{"from": BASE_S, "until": BASE_S + 3600, "columns": 60})
    there, here = sorted(articles(page), key=lambda a: "seen from here" in words(a))
    assert "seen from there" in words(there) and "60 measured, none failed" in words(there)
    ticks = [re.findall(r'<text x="0"[^>]*>([^<]*)', a) for a in (there, here)]
    assert ticks[0] == ticks[1] and ticks[0][0] == "0" and float(ticks[0][-1]) >= 99
    # the value of each minute, a stroke each: 40 to 99 and 10 to 69 of the scale's 100
    lines = [[float(y) for y in re.findall(r"(?:M\d+ |V)([\d.]+)h1(?!\d)", path_of(a, "line"))] for a in (there, here)]
    assert len(lines[0]) == len(lines[1]) == 60
    top = float(ticks[0][-1])
    assert lines[0][0] == pytest.approx(100 - 40 / top * 100, abs=0.1)
    assert lines[1][59] == pytest.approx(100 - 69 / top * 100, abs=0.1)
    table = words(re.search(r"<caption>Over the whole time.*?</table>", page, re.S)[0])
    assert "plant.level there 60 0 – 69.5" in table and "plant.level here 60 0 – 39.5" in table


def test_percentiles_are_smoke(run):
    article, = articles(shown(run, pattern="stats.timers.spread", **{"from": "-10min"}))
    assert "100 measured, none failed" in words(article)
    bands = [[tuple(map(float, m)) for m in re.findall(r"M\d+ ([\d.]+)h\d+v([\d.]+)h-\d+z", path_of(article, f"smoke s{i}"))]
             for i in (1, 2, 3)]
    (outer,), (middle,), (inner,) = bands
    line = float(re.search(r"M\d+ ([\d.]+)h1", path_of(article, "line"))[1])
    for (y, height), (next_y, next_height) in ((outer, middle), (middle, inner)):
        assert y < next_y and y + height > next_y + next_height, "each lies within the one before"
    assert inner[0] < line < inner[0] + inner[1]
    # uniform from 1 to 100 ms: the middle 90 % are 90 ms high, the middle half 50
    assert outer[1] / inner[1] == pytest.approx(90 / 50, rel=0.1)
    assert re.search(r"1 1?00 ms|100 ms", words(article))


def test_failures_have_marks_and_words(run):
    article = until(lambda: next((a for a in articles(shown(run, pattern="*shut*", **{"from": "-1h"}))
                                  if "seen from here" in words(a) and "failed (" in words(a)), None), "it was probed here")
    failed = re.search(r"(\d+) measured, (\d+) failed \(100%\)", words(article))
    assert failed and failed[1] == failed[2]
    assert re.match(r"M\d+\.5 0v50", path_of(article, "fails"))
    article = articles(shown(run, pattern="*open*", **{"from": "-1h"}))[0]
    assert "none failed" in words(article) and not path_of(article, "fails")


def test_counters_are_rates(run):
    page = shown(run, pattern="stats.counters.hits", **{"from": "-10min", "columns": 10})
    assert "/s" in words(articles(page)[0])


def test_what_comes_seldom_is_no_gap(run):
    """Once a minute in steps of 10 s; then a gap that is one, marked as not measured."""
    times = [BASE_S - 86400 + 60 * i for i in range(60) if not 20 <= i < 40]
    send_lines(run, [("seldom", 5, at) for at in times])
    article = until(lambda: (a := articles(explore(run, pattern="seldom", columns=400, **{
        "from": BASE_S - 86400, "until": BASE_S - 86400 + 3600})[2])) and "40 measured" in words(a[0]) and a[0],
        "they are taken")
    assert re.findall(r"M(\d+) 0h(\d+)v100", path_of(article, "unmeasured")) == [("120", "120")]
    assert len(re.findall(r"M\d+", path_of(article, "line"))) == 2, "two strokes, one before and one behind it"


def test_pages_of_components_lead_here(run):
    component = next(c["id"] for c in run.site(operators=True)["components"] if "compute" in c["id"])
    page = run.get(f"/components/{component}", run.intake)[2].decode()
    link = html.unescape(re.search(r'href="(/explore[^"]*compute[^"]*)"', page)[1])
    status, _, body = run.get(link, run.intake)
    assert status == 200 and any('probe="' in text for text in listed(body.decode()))
    assert articles(body.decode())
    assert "/explore" not in run.get(f"/components/{component}")[2].decode()


def test_links_move_in_time_and_keep_the_question(run):
    page = shown(run, series="plant.level", pattern="plant", lang="de", **{"from": BASE_S, "until": BASE_S + 3600})
    assert 'lang="de"' in page and "60 gemessen, keine fehlgeschlagen" in words(page)
    links = {words(text): dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(html.unescape(href)).query))
             for href, text in re.findall(r'<a href="(/explore\?[^"]*pattern[^"]*)"[^>]*>(.*?)</a>', page)}
    for link in links.values():
        assert link["series"] == "plant.level" and link["pattern"] == "plant"
    times = {name: (int(links[name]["from"]) - BASE_S, int(links[name]["until"]) - BASE_S)
             for name in ("Näher", "Weiter", "Früher", "Später")}
    assert times == {"Näher": (900, 2700), "Weiter": (-1800, 5400), "Früher": (-1800, 1800), "Später": (1800, 5400)}
    assert links["Näher"]["lang"] == "de" and links["English"]["lang"] == "en"
    assert links["English"]["from"] == str(BASE_S)
    nearer = urllib.parse.urlencode(links["Näher"])
    status, _, body = run.get("/explore?" + nearer, run.intake)
    assert status == 200 and "30 gemessen" in words(body.decode())


@pytest.mark.parametrize("asked, text", [
    ({"from": "yesterdayish"}, "from: "),
    ({"from": "now", "until": "now"}, "from and until are the same moment"),
    ({"until": "+400d"}, "between 1970 and tomorrow"),
    ({"columns": "9"}, 'columns: "9" is no whole number from 10 to 400'),
    ({"pattern": "x" * 501}, "a pattern has at most 500 bytes"),
    ({"series": [f"s{i}" for i in range(9)]}, "at most 8 series are drawn at once, not 9")])
def test_what_is_wrong_is_said_in_the_form(run, asked, text):
    page = shown(run, **asked)
    assert text in html.unescape(page) and 'role="alert"' in page and not articles(page)
    for name, value in asked.items():
        if name in ("from", "until", "pattern"):
            assert f'name="{name}" value="{value}"' in page


def test_a_series_that_is_not_there(run):
    page = shown(run, series=["plant.level", 'no<b>"such'])
    assert "There is no series of this name: no<b>\"such" in words(page).replace(" :", ":")
    assert len(articles(page)) == 2 and "<b>" not in page


def test_old_times_are_asked_in_longer_steps(run):
    for start in ("-30d", "-200d", "-4y"):
        page = shown(run, series="plant.level", **{"from": start, "until": "now"})
        assert "60 measured" in words(articles(page)[0]), start
