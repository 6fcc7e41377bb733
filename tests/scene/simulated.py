"""A simulated cloud as a process of its own, for tests of the whole program.

    from simulated import simulated  # the fixture

    def test_something(simulated):
        cloud = simulated(speed=20, seed=3)
        ...  # OS_CLIENT_CONFIG_FILE=cloud.clouds, --cloud sim

Every cloud of a test is ended with it, and the test fails when one saw a violation.
"""
import json
import os
import selectors
import subprocess
import time
import urllib.error
import urllib.request

import pytest

GLASSHOUSE = os.environ.get("GLASSHOUSE", "build/src/glasshouse")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_S = 20  # a loaded machine, a sanitizer
STOP_S = 20


class Cloud:
    """One `glasshouse simulate`. `clouds` is the path of its clouds.yaml, `url` its address."""

    def __init__(self, path, speed=50, seed=1, faults=None, log=None):
        self.clouds = path / f"clouds-{time.monotonic_ns()}.yaml"
        command = [GLASSHOUSE, "simulate", "--listen", "127.0.0.1:0", "--clouds", str(self.clouds),
                   "--speed", str(speed), "--seed", str(seed)]
        for option, value in (("--faults", faults), ("--log", log)):
            if value:
                command += [option, str(value)]
        self.said = self.clouds.with_suffix(".stderr")
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=said, text=True)
        with selectors.DefaultSelector() as wait:
            wait.register(self.process.stdout, selectors.EVENT_READ)
            self.url = self.process.stdout.readline().strip() if wait.select(START_S) else ""
        if not self.url:
            self.stop()
            pytest.fail("no simulated cloud: " + self.said.read_text())

    def ask(self, method, path, body=None):
        """The parsed answer of the sim's own address below /sim; None for an empty one."""
        request = urllib.request.Request(self.url + "/sim" + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as e:
            pytest.fail(f"{method} /sim{path}: {e.code} {e.read().decode()}")
        return json.loads(text) if text else None

    def left(self):
        """What exists and was neither seeded nor planted: {objects, projects, planted}."""
        return self.ask("GET", "/left")

    def violations(self):
        return self.ask("GET", "/violations")["violations"]

    def requests(self):
        return self.ask("GET", "/requests")["requests"]

    def faults(self, add):
        """Adds one fault or a list of them; returns all, with `seen` and `fired`."""
        return self.ask("POST", "/faults", {"faults": add if isinstance(add, list) else [add]})["faults"]

    def clear(self):
        self.ask("DELETE", "/faults")

    def plant(self, name, mark, **more):
        """Look-alikes of nobody's; more: project, kinds. Returns [{kind, id, name}]."""
        return self.ask("POST", "/plant", {"name": name, "mark": mark, **more})["planted"]

    def environment(self, path):
        """For a glasshouse that works on this cloud."""
        return {"PATH": os.environ["PATH"], "HOME": str(path), "OS_CLIENT_CONFIG_FILE": str(self.clouds)}

    def stop(self):
        """Returns the exit code."""
        self.process.terminate()
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        return code


@pytest.fixture
def simulated(tmp_path):
    """A function that starts a Cloud: simulated(speed=50, seed=1, faults=FILE, log=FILE)."""
    clouds = []

    def start(**options):
        clouds.append(Cloud(tmp_path, **options))
        return clouds[-1]

    yield start
    wrong = []
    for cloud in clouds:
        try:
            if cloud.process.poll() is None:
                wrong += cloud.violations()
        except OSError as e:
            wrong.append(f"no answer: {e}")
        code = cloud.stop()
        if code != 0:
            wrong.append(f"exit code {code}: {cloud.said.read_text()}")
    assert not wrong, wrong
