"""`glasshouse simulate` for as long as a `with` lasts, and the program run on it."""
import contextlib
import json
import os
import signal
import subprocess
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GLASSHOUSE = os.path.join(ROOT, os.environ.get("GLASSHOUSE", "build/src/glasshouse"))
DEADLINE_S = 120


class Served:
    """`url`, and `clouds`: the path of its clouds.yaml."""

    def __init__(self, url, clouds):
        self.url = url
        self.clouds = clouds

    def token(self, name="demo", password="simsecret"):
        """(token, catalog) of a user of the simulated cloud."""
        default = {"name": "Default"}
        body = {"auth": {
            "identity": {"methods": ["password"],
                         "password": {"user": {"name": name, "password": password, "domain": default}}},
            "scope": {"project": {"name": "demo", "domain": default}}}}
        request = urllib.request.Request(self.url + "/identity/v3/auth/tokens", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return answer.headers["X-Subject-Token"], json.load(answer)["token"]["catalog"]

    def ask(self, service, method, path):
        """The parsed answer of a service of the catalog; None for an empty one."""
        token, catalog = self.token()
        at = next(s["endpoints"][0]["url"] for s in catalog if s["type"] == service)
        if service == "network" and "/v2.0" not in at:
            at = at.rstrip("/") + "/v2.0"
        request = urllib.request.Request(at + path, method=method, headers={"X-Auth-Token": token})
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextlib.contextmanager
def serve(path, *args):
    clouds = path / "sim-clouds.yaml"
    process = subprocess.Popen([GLASSHOUSE, "simulate", "--clouds", str(clouds), *args], cwd=ROOT,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127."), url
        yield Served(url, clouds)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=DEADLINE_S)
        process.stdout.close()
    assert code == 0


def run(path, *args, clouds=None, cloud="sim", cwd=ROOT, **more):
    """The program with nothing of our own environment but PATH."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), "OS_CLOUD": cloud,
                   "GLASSHOUSE_SCENARIOS": os.path.join(ROOT, "scenarios")}
    if clouds:
        environment["OS_CLIENT_CONFIG_FILE"] = str(clouds)
    return subprocess.run([GLASSHOUSE, *args], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE_S, **more)
