#!/usr/bin/python3
"""Half an hour of `glasshouse run` on the lab while its services are stopped and started.

    eval "export OS_CLIENT_CONFIG_FILE=$(lab/cloud env)"; tests/lab/watch.py [--only 1,5] [--keep DIR]

Prints one row a fault: when it began and ended, what the page said of each component and how long after,
when alarms came. Ends with 1 when a component was green while nothing of it could be seen, or a fault was
not shown, or its end was not.
"""
import argparse
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLASSHOUSE = os.environ.get("GLASSHOUSE", str(ROOT / "build/src/glasshouse"))

# what is stopped, for how long, whether our own witness goes too, what each component should say at the end
PLAN = [
    ("nova-api", 180, False, {"compute": {"outage"}}),
    ("cinder-api", 150, False, {"block-storage": {"outage"}}),
    ("neutron-server", 150, False, {"network": {"outage"}}),
    ("glance", 120, False, {"image": {"outage"}}),
    ("haproxy", 120, True, {"compute": {"unknown"}, "network": {"unknown"}, "identity": {"unknown"}}),
    ("haproxy", 120, False, {"identity": {"outage"}}),
    ("keystone", 120, False, {"identity": {"outage"}}),
]
PAUSE = 75  # seconds between two faults


class Receiver(http.server.BaseHTTPRequestHandler):
    taken = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Receiver.taken.append((time.time(), self.headers["Idempotency-Key"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Witness:
    """A TCP port that answers, or does not."""

    def __init__(self):
        self.socket = None
        self.port = 0
        self.open()

    def open(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", self.port))
        self.port = self.socket.getsockname()[1]
        self.socket.listen(64)
        threading.Thread(target=self.serve, args=(self.socket,), daemon=True).start()

    @staticmethod
    def serve(listening):
        while True:
            try:
                listening.accept()[0].close()
            except OSError:
                return

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Watched:
    """The program and what its page says, every second."""

    def __init__(self, place, witness, receiver_port, more=None):
        config = {
            "site": {"name": "Lab"}, "location": "same-machine", "instance": "lab-watch",
            "store": f"sqlite:{place}/state", "witnesses": [f"tcp://127.0.0.1:{witness.port}"],
            "listen": {"public": "127.0.0.1:0", "intake": "127.0.0.1:0"},
            "clouds": {"lab-demo": {"every": "10s", "timeout": "8s"}},
            "scenarios": [{"use": "server-login", "every": "3m"}],
            "alarms": [{"webhook": f"http://127.0.0.1:{receiver_port}/", "name": "hook", "fold": "10s",
                        "on": ["degraded", "outage", "unknown", "recovery"]}],
            **(more or {})}
        path = pathlib.Path(place) / "glasshouse.yaml"
        path.write_text(json.dumps(config))
        self.log = open(pathlib.Path(place) / "run.log", "w")
        self.process = subprocess.Popen([GLASSHOUSE, "run", "-c", str(path)], stdout=subprocess.PIPE, text=True,
                                        stderr=self.log, cwd=ROOT)
        self.url, self.intake = (self.process.stdout.readline().split()[1] for _ in range(2))
        self.said = []  # (time, {component: health})
        self.ended = False
        threading.Thread(target=self.drain, daemon=True).start()
        threading.Thread(target=self.poll, daemon=True).start()

    def drain(self):
        for line in self.process.stdout:
            self.log.write(line)
            self.log.flush()

    def ask(self, path="api/ops/v1/status.json", base=None):
        with urllib.request.urlopen((base or self.url) + path, timeout=20) as answer:
            return json.load(answer)

    def poll(self):
        while not self.ended:
            try:
                site = self.ask()
                now = {c["id"]: c["health"] for c in site["components"]}
                if not self.said or self.said[-1][1] != now:
                    self.said.append((time.time(), now))
            except OSError:
                pass
            time.sleep(0.5)

    def at(self, when):
        """What was said last before `when`."""
        before = [s for t, s in self.said if t <= when]
        return before[-1] if before else {}

    def first(self, component, wanted, since, until):
        """Seconds from `since` until a component was said to be one of `wanted`; None: never."""
        if self.at(since).get(component) in wanted:
            return 0.0
        for t, said in self.said:
            if since < t <= until and said.get(component) in wanted:
                return t - since
        return None

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(600)
        self.ended = True


def lab(verb, names):
    for name in names.split():
        subprocess.run([ROOT / "lab/cloud", verb, name], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def wait_all(watched, health, seconds):
    until = time.time() + seconds
    while time.time() < until:
        said = watched.at(time.time())
        if said and set(said.values()) == {health}:
            return True
        time.sleep(1)
    return False


def clock(t):
    return time.strftime("%H:%M:%S", time.gmtime(t))


def play(watched, witness, fault):
    names, hold, blind, expected = fault
    begin = time.time()
    lab("stop", names)
    if blind:
        witness.close()
    stopped = time.time()
    time.sleep(hold)
    if blind:
        witness.open()
    lab("start", names)
    end = time.time()
    well = wait_all(watched, "operational", 420)
    return {"names": names, "blind": blind, "begin": begin, "stopped": stopped, "end": end, "well": well,
            "until": time.time(), "expected": expected}


def alarms_between(component, begin, until):
    for t, _, body in Receiver.taken:
        if begin <= t <= until and any(c["component"] == component for c in body.get("changes", [])):
            change = next(c for c in body["changes"] if c["component"] == component)
            yield t, change["to"]


def judge(watched, played):
    """Rows of the table and what is wrong."""
    wrong = []
    for p in played:
        for component, wanted in p["expected"].items():
            shown = watched.first(component, wanted, p["begin"], p["end"])
            back = watched.first(component, {"operational"}, p["end"], p["until"])
            told = [f"{to} +{t - p['begin']:.0f}s" for t, to in alarms_between(component, p["begin"], p["until"] + 30)]
            during = sorted({s.get(component, "?") for t, s in watched.said if p["stopped"] + 60 < t <= p["end"]}
                            | {watched.at(p["end"]).get(component, "?")})
            print(f"{p['names'] + (' (and our witness)' if p['blind'] else ''):44} {clock(p['begin'])} - {clock(p['end'])}"
                  f"  {component:14} {'/'.join(sorted(wanted)):17} "
                  f"{'never' if shown is None else f'+{shown:.0f}s':>6} {'never' if back is None else f'+{back:.0f}s':>6}"
                  f"  alarms: {', '.join(told) or 'none'}")
            if shown is None:
                wrong.append(f"{p['names']}: {component} was never {'/'.join(wanted)}, but {during}")
            if "operational" in during:
                wrong.append(f"{p['names']}: {component} was green although nothing of it could be seen")
            if not p["well"]:
                wrong.append(f"{p['names']}: not all were operational again: {watched.at(p['until'])}")
    keys = [key for _, key, _ in Receiver.taken]
    if len(keys) != len(set(keys)):
        wrong.append("an alarm came twice")
    return wrong


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", help="these faults of the plan, counted from 1")
    options.add_argument("--keep", help="keep state and log there")
    o = options.parse_args()
    place = o.keep or tempfile.mkdtemp(prefix="lab-watch-")
    os.makedirs(place, exist_ok=True)
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    witness = Witness()
    watched = Watched(place, witness, receiver.server_port)
    plan = [PLAN[int(i) - 1] for i in o.only.split(",")] if o.only else PLAN
    played = []
    began = time.time()
    try:
        if not wait_all(watched, "operational", 300):
            print("not all components became operational:", watched.at(time.time()))
            return 1
        print(f"all operational {time.time() - began:.0f}s after the start of the program", flush=True)
        for fault in plan:
            played.append(play(watched, witness, fault))
            print(f"  {clock(time.time())}  {fault[0]} played", flush=True)
            time.sleep(PAUSE)
    finally:
        for names, *_ in plan:
            lab("start", names)
        watched.close()
    print(f"\n{(time.time() - began) / 60:.0f} minutes\n"
          f"{'stopped':44} {'true interval (UTC)':20}  {'component':14} {'should be':17} {'shown':>6} {'well':>6}")
    wrong = judge(watched, played)
    for text in wrong:
        print("WRONG:", text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
