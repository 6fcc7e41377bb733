"""`glasshouse run` on a simulated cloud, for tests: started, asked over HTTP, told of faults, stopped or killed."""
import contextlib
import http.server
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from simulated import GLASSHOUSE, ROOT

LOOPBACK = {"public": "127.0.0.1:0", "intake": "127.0.0.1:0"}


def until(ask, what, seconds=60):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            last = ask()
            if last:
                return last
        except (OSError, ValueError, KeyError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds}s: {what}; last: {last}")


class Receiver:
    """Takes webhooks: (time, Idempotency-Key, body), in order of coming."""

    def __init__(self):
        taken = self.taken = []
        self.answer = 204

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
                answer = self.answer
                if answer < 300:
                    taken.append((time.time(), handler.headers["Idempotency-Key"], body))
                handler.send_response(answer)
                handler.end_headers()

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def changes(self):
        return [change for _, _, body in self.taken for change in body.get("changes", [])]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Run:
    """One process of `glasshouse run`."""

    def __init__(self, cloud, config=None, args=(), state="state", start=True):
        self.cloud = cloud
        self.state = os.path.join(cloud.place, state)
        self.command = [GLASSHOUSE, "run", *args]
        self.path = os.path.join(cloud.place, "glasshouse.yaml")
        self.page = self.intake = None
        if config is not None:
            self.write(config)
            self.command += ["-c", self.path]
        if start:
            self.start()

    def write(self, config):
        whole = {"instance": "test", "location": "here", "store": f"sqlite:{self.state}", "listen": LOOPBACK,
                 "judge": {"minimum": "1s"}, "clouds": {"sim": {"every": "1s", "timeout": "1s", "slow": "300ms"}},
                 **config}
        with open(self.path, "w", encoding="utf-8") as f:
            json.dump(whole, f)

    def start(self, wait=True):
        self.error = open(os.path.join(self.cloud.place, "run.err"), "ab")
        self.out = open(os.path.join(self.cloud.place, "run.out"), "wb")
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.cloud.environment(), stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.error)
        if wait:
            until(self.read_addresses, "the addresses are printed", 30)
            # The serving half opens its doors by itself, a moment after it is told what to show.
            until(lambda: self.get("/api/ops/v1/status.json")[0] != 503, "the page is there", 30)
            until(lambda: self.get("/robots.txt", self.intake)[0] != 503, "operators are let in", 30)
        return self

    def read_addresses(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.stderr()}")
        lines = self.stdout().splitlines()
        if len(lines) < 2:
            return False
        self.page, self.intake = (line.split()[1].rstrip("/") for line in lines[:2])
        return True

    def stdout(self):
        with open(os.path.join(self.cloud.place, "run.out"), encoding="utf-8") as f:
            return f.read()

    def stderr(self):
        with open(os.path.join(self.cloud.place, "run.err"), encoding="utf-8") as f:
            return f.read()

    def get(self, path, base=None, **headers):
        """(status, headers, body)"""
        request = urllib.request.Request((base or self.page) + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def json(self, path, base=None):
        status, _, body = self.get(path, base)
        if status != 200:
            raise ValueError(f"{path}: {status}")
        return json.loads(body)

    def site(self, operators=False):
        return self.json("/api/ops/v1/status.json", self.intake if operators else self.page)

    def health(self, component):
        return next((c["health"] for c in self.site()["components"] if c["id"] == component), None)

    def wait_health(self, component, health, seconds=60):
        until(lambda: self.health(component) == health, f"{component} {health}", seconds)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=60):
        self.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.error.close()
        self.out.close()


@contextlib.contextmanager
def running(cloud, config=None, **more):
    run = Run(cloud, config, **more)
    try:
        yield run
    finally:
        run.close()
