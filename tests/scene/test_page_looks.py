"""Pages in a browser: nothing leaves a screen of 320 pixels, times are told in the reader's zone, colours contrast.

The unit tests of web/ render every page from documents of all kinds, names of 200 code points among them.
"""
import html
import os
import re
import shutil
import subprocess

import pytest

from simulated import GLASSHOUSE, ROOT

RENDERER = os.path.join(os.path.dirname(GLASSHOUSE), "../tests/unit/unit-web")
BROWSER = shutil.which("chromium")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--hide-scrollbars", "--allow-file-access-from-files"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """All pages and their files in one folder, linked so that they find each other there."""
    if not os.path.exists(RENDERER):
        pytest.skip(f"{RENDERER} is not built")
    place = tmp_path_factory.mktemp("pages")
    environment = dict(os.environ, GLASSHOUSE_PAGES=str(place))
    subprocess.run([RENDERER, "test_page"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=120)
    for page in place.glob("*.html"):
        page.write_text(page.read_text(encoding="utf-8").replace('"/files/', '"'), encoding="utf-8")
    assert len(list(place.glob("*.html"))) > 40
    return place


def browse(page, profile, zone="UTC"):
    """The document of a page after its scripts ran."""
    if not BROWSER:
        pytest.skip("there is no chromium")
    command = [BROWSER, *QUIET, f"--user-data-dir={profile}", "--virtual-time-budget=30000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, env=dict(os.environ, TZ=zone), capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


MEASURE = """<script>
document.querySelectorAll("details").forEach(function (d) { d.open = true; });
onload = function () {
	parent.postMessage("NAME " + document.documentElement.scrollWidth + " of " + innerWidth, "*");
};
</script></body>"""
COLLECT = """<script>
var all = [];
onmessage = function (e) { all.push(e.data); document.title = all.join(";"); };
</script>"""


@pytest.mark.parametrize("lang", ["en", "de"])
def test_narrow(pages, tmp_path, lang):
    frames = []
    for page in sorted(pages.glob(f"*.{lang}.html")):
        text = page.read_text(encoding="utf-8").replace("</body>", MEASURE.replace("NAME", page.name))
        (pages / f"narrow-{page.name}").write_text(text, encoding="utf-8")
        frames.append(f'<iframe src="narrow-{page.name}" width="320" height="600"></iframe>')
    index = pages / f"narrow-{lang}.htm"
    index.write_text(COLLECT + "".join(frames), encoding="utf-8")
    title = re.search("<title>(.*?)</title>", browse(index, tmp_path)).group(1)
    measured = html.unescape(title).split(";")
    assert len(measured) == len(frames)
    assert [m for m in measured if not m.endswith(" 320 of 320")] == []


def test_zone(pages, tmp_path):
    page = pages / "component.en.html"
    assert "since <time datetime=\"2026-11-26T06:16:22Z\">26 Nov 2026, 06:16 UTC</time>" in page.read_text(encoding="utf-8")
    shown = browse(page, tmp_path, "America/New_York")
    assert re.search(r'title="26 Nov 2026, 06:16 UTC">26 Nov 2026, 01:16 \S+</time>', shown)
    assert "As of 26 Nov 2026, 06:41:22 UTC" in shown  # this stays what it is


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast():
    with open(os.path.join(ROOT, "web/style.css"), encoding="utf-8") as f:
        roots = re.findall(r":root \{(.*?)\}", f.read(), re.S)
    for root in roots[:2]:
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", root))
        for back in ("bg", "panel"):
            for text in ("ink", "soft", "link", "outage"):
                assert contrast(colours[text], colours[back]) >= 4.5, (text, back)
            for shape in ("operational", "degraded", "outage", "unknown", "maintenance", "gap"):
                assert contrast(colours[shape], colours[back]) >= 3, (shape, back)
