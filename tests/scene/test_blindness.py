"""What keeps us from seeing is an event for operators: told, in the operators' part, closed by itself."""
import datetime
import email.utils
import http.server
import re
import signal
import threading
import time

import pytest

from running import Receiver, running, until
from simulated import simulated


@pytest.fixture
def cloud():
    with simulated() as c:
        yield c


def blind(run, key):
    """The operators' events of that kind, newest first."""
    return [e for e in run.site(True)["events"] if e["machine"] and e["key"].startswith("blind:" + key)]


class Dated:
    """Answers 200 with a date that is `off` seconds from now."""

    def __init__(self, off):
        self.off = off
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def date_time_string(self, timestamp=None):
                at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=outer.off)
                return email.utils.format_datetime(at, usegmt=True)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_a_loop_that_stood_still_is_told_of(cloud):
    receiver = Receiver()
    with running(cloud, {"alarms": [{"webhook": receiver.url, "fold": "1s"}]}) as run:
        run.wait_health("compute", "operational")
        run.signal(signal.SIGSTOP)
        time.sleep(6)  # that is what is tested
        run.signal(signal.SIGCONT)
        event = until(lambda: blind(run, "stall"), "an event for operators", 30)[0]
        assert event["title"] == "The program stood still" and not event["public"]
        assert run.get(f"/events/{event['id']}")[0] == 404
        said = until(lambda: [b for b in run.site(True)["blindness"] if b["what"] == "the main loop"], "it is shown")[0]
        assert "nothing was done for" in said["why"] and said["event"] == event["id"]
        assert "blindness" not in run.site()
        until(lambda: [c for _, _, body in receiver.taken for c in body["could_not_run"] if c["what"] == "the main loop"],
              "operators are told", 30)
        run.kill()  # once it runs again nobody stands still
        run.start()
        assert len(until(lambda: blind(run, "stall"), "it is there after a start")) == 1
        assert run.stop() == 0
    receiver.close()


def test_our_clock_is_held_against_the_dates_of_answers(cloud):
    servers = [Dated(-3600) for _ in range(2)]
    probes = [{"name": f"dated-{i}", "http": f"http://localhost:{s.server.server_port}/" if i else
               f"http://127.0.0.1:{s.server.server_port}/", "every": "1s", "component": "Dated"}
              for i, s in enumerate(servers)]
    with running(cloud, {"clouds": {}, "probes": probes[:1], "witnesses": [p["http"] for p in probes]}) as run:
        event = until(lambda: blind(run, "clock"), "an event for operators", 30)[0]
        assert event["title"] == "Our clock is wrong" and event["phase"] == "detected"
        why = next(b["why"] for b in run.site(True)["blindness"] if b["what"] == "keeping time")
        assert re.match("our clock is (3599|3600|3601) s ahead of that of ", why), why
        for server in servers:
            server.off = 0
        until(lambda: [e for e in blind(run, "clock") if e["phase"] == "resolved"], "it closes itself", 60)
        assert run.site(True)["blindness"] == []
        assert len(blind(run, "clock")) == 1
        assert run.stop() == 0
    for server in servers:
        server.close()


def test_our_clock_is_held_against_the_dates_that_probes_meet(cloud):
    server = Dated(-3600)
    probe = {"name": "dated", "http": f"http://127.0.0.1:{server.server.server_port}/", "every": "1s", "component": "Dated"}
    with running(cloud, {"clouds": {}, "probes": [probe]}) as run:
        until(lambda: blind(run, "clock"), "an event for operators", 30)
        why = next(b["why"] for b in run.site(True)["blindness"] if b["what"] == "keeping time")
        assert re.match("our clock is (3599|3600|3601) s ahead of that of 127.0.0.1, which may be", why), why
        assert run.stop() == 0
    server.close()


def test_connectivity_that_is_gone_is_one_event(cloud):
    witness = Dated(0)
    with running(cloud, {"witnesses": [f"http://127.0.0.1:{witness.server.server_port}/"]}) as run:
        run.wait_health("compute", "operational")
        witness.close()
        cloud.fault({"service": "compute", "effect": "lost"})
        event = until(lambda: blind(run, "connectivity"), "an event for operators", 60)[0]
        assert event["phase"] == "detected" and not event["public"]
        assert run.stop() == 0
