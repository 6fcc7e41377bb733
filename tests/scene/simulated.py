"""A simulated cloud of its own for each test, and glasshouse against it."""
import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GLASSHOUSE = os.environ.get("GLASSHOUSE", os.path.join(ROOT, "build/src/glasshouse"))


class Simulated:
    """`glasshouse simulate` on a free port. Use as a context manager."""

    def __init__(self, speed=50, seed=1, faults=None, args=()):
        self.place = tempfile.mkdtemp(prefix="simulated-")
        self.clouds = os.path.join(self.place, "clouds.yaml")
        command = [GLASSHOUSE, "simulate", "--clouds", self.clouds, "--speed", str(speed), "--seed", str(seed), *args]
        if faults is not None:
            path = os.path.join(self.place, "faults.yaml")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(faults, f)  # JSON is YAML
            command += ["--faults", path]
        # what is freed is overwritten: libraries that still look at it do not get away with it
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "MALLOC_PERTURB_": "165"},
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        self.url = self.process.stdout.readline().strip() if ready else ""
        if not self.url:
            self.close()
            raise RuntimeError("the simulated cloud did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        subprocess.run(["rm", "-rf", self.place], check=True)

    def ask(self, method, path, body=None):
        """Of the controls below /sim."""
        request = urllib.request.Request(
            self.url + "/sim" + path, method=method, headers={"Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def token(self, name="demo", password="simsecret"):
        """(token, catalog) of a user of the cloud."""
        default = {"name": "Default"}
        body = {"auth": {
            "identity": {"methods": ["password"],
                         "password": {"user": {"name": name, "password": password, "domain": default}}},
            "scope": {"project": {"name": "demo", "domain": default}}}}
        request = urllib.request.Request(self.url + "/identity/v3/auth/tokens", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers["X-Subject-Token"], json.load(answer)["token"]["catalog"]

    def api(self, service, method, path, body=None):
        """The parsed answer of a service of the catalog to user demo; None for an empty one."""
        token, catalog = self.token()
        at = next(s["endpoints"][0]["url"] for s in catalog if s["type"] == service)
        if service == "network" and "/v2.0" not in at:
            at = at.rstrip("/") + "/v2.0"
        request = urllib.request.Request(at + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"X-Auth-Token": token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def fault(self, *rules):
        self.ask("POST", "/faults", {"faults": list(rules)})

    def clear(self):
        self.ask("DELETE", "/faults")

    def faults(self):
        return self.ask("GET", "/faults")["faults"]

    def requests(self):
        return self.ask("GET", "/requests")["requests"]

    def violations(self):
        return self.ask("GET", "/violations")["violations"]

    def left(self):
        """What is there and was neither seeded nor planted."""
        return self.ask("GET", "/left")["objects"]

    def touched(self):
        """Planted objects that somebody changed or deleted."""
        return self.ask("GET", "/left")["planted"]["touched"]

    def plant(self, name, mark, **more):
        return self.ask("POST", "/plant", {"name": name, "mark": mark, **more})["planted"]

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.place, "OS_CLIENT_CONFIG_FILE": self.clouds}

    def command(self, command, *args, state="state", cloud="sim", instance="test"):
        """The argument list of a glasshouse command on this cloud; `state` below the place of the test."""
        line = [GLASSHOUSE, command, *args, "--state", os.path.join(self.place, state), "--instance", instance]
        return line if command == "ledger" else [*line, "--cloud", cloud]

    def run(self, command, *args, timeout=300, **more):
        return subprocess.run(self.command(command, *args, **more), cwd=ROOT, env=self.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)

    def start(self, command, *args, **more):
        return subprocess.Popen(self.command(command, *args, **more), cwd=ROOT, env=self.environment(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def assert_clean(self):
        """The promise: unaccounted 0, ours left 0, foreign touched 0."""
        assert self.left() == []
        assert self.touched() == []
        assert self.violations() == []


@contextlib.contextmanager
def simulated(**more):
    """A cloud on which no rule may be broken."""
    with Simulated(**more) as cloud:
        yield cloud
        assert cloud.violations() == []


def report(out):
    """The last JSON line of `try --json`."""
    return json.loads(out.stdout.strip().splitlines()[-1])
