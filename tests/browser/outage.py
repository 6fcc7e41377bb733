#!/usr/bin/python3
"""The pictures of an outage in docs/suspect.md: compute of a simulated cloud fails until its event is public.

    tests/browser/outage.py FOLDER

writes outage.png, event.png and outage-evidence.png there, and the front page narrow and dark beside them
(outage-narrow.png, outage-dark.png, outage-narrow-dark.png), to be looked at.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scene"))
from running import running, until  # noqa: E402
from simulated import simulated  # noqa: E402

CONFIG = {"site": {"name": "Lab", "languages": ["en", "de"]},
          "events": {"suspect": {"lasting": "20s", "announce": "40s", "close": "auto", "after": "1m"}}}
FAULT = {"service": "compute", "effect": "status", "status": 503}


def picture(folder, name, url, width=1280, height=1400, dark=False):
    subprocess.run(["chromium", "--headless=old", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    f"--window-size={width},{height}", f"--screenshot={pathlib.Path(folder) / name}.png",
                    *(["--blink-settings=preferredColorScheme=0"] if dark else []), url],
                   check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main(folder):
    with simulated() as cloud, running(cloud, CONFIG) as run:
        def mine(operators=False):
            return next((e for e in run.site(operators)["events"] if e["machine"]), None)

        run.wait_health("compute", "operational")
        cloud.fault(FAULT)
        event = until(mine, "the event is public", 300)
        front, of_it = f"{run.page}/", f"{run.page}/events/{event['id']}"
        picture(folder, "outage", front)
        picture(folder, "outage-dark", front, dark=True)
        picture(folder, "outage-narrow", front, width=320)
        picture(folder, "outage-narrow-dark", front, width=320, dark=True)
        number = run.json(f"/api/ops/v1/events/{event['id']}.json", run.intake)["evidence"][-1]
        cloud.clear()
        until(lambda: mine()["ended_ms"], "the event is closed", 300)
        picture(folder, "event", of_it)
        picture(folder, "outage-evidence", f"{run.page}/evidence/{number}")


if __name__ == "__main__":
    main(sys.argv[1])
