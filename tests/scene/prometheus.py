"""Debian's prometheus, victoria-metrics and prometheus-blackbox-exporter on free ports of loopback, as a test wants
them; nothing of their services is used."""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request

from carbon import free_ports
from running import until


class Program:
    """Started, asked over HTTP, ended. Use as a context manager."""

    def __init__(self, ready):
        self.place = tempfile.mkdtemp(prefix="glasshouse-prometheus-")
        self.port, = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready = ready
        self.process = None

    def file(self, name, text):
        path = os.path.join(self.place, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def start(self, *command):
        with open(os.path.join(self.place, "log"), "wb") as log:
            self.process = subprocess.Popen(command, cwd=self.place, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: self.get(self.ready), f"{command[0]} serves", 60)

    def get(self, path, **headers):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=20) as answer:
            return answer.read().decode() or "OK"

    def query(self, expression):
        """What Prometheus' API answers: [(labels, value)]."""
        found = json.loads(self.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
        assert found["status"] == "success", found
        return [(row["metric"], float(row["value"][1])) for row in found["data"]["result"]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
        shutil.rmtree(self.place, ignore_errors=True)


def prometheus(scrape=None):
    """One that takes remote writes; `scrape`: text of its scrape_configs."""
    program = Program("/-/ready")
    config = program.file("prometheus.yml", "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
                          "scrape_configs:\n" + (scrape or "  []\n"))
    program.start("/usr/bin/prometheus", f"--config.file={config}", f"--storage.tsdb.path={program.place}/data",
                  f"--web.listen-address=127.0.0.1:{program.port}", "--web.enable-remote-write-receiver")
    return program


def victoria():
    program = Program("/health")
    program.start("/usr/bin/victoria-metrics", f"-httpListenAddr=127.0.0.1:{program.port}",
                  f"-storageDataPath={program.place}/data", "-search.latencyOffset=0s", "-loggerOutput=stderr")
    return program


def blackbox(modules):
    program = Program("/-/healthy")
    program.start("/usr/bin/prometheus-blackbox-exporter", f"--config.file={program.file('blackbox.yml', modules)}",
                  f"--web.listen-address=127.0.0.1:{program.port}")
    return program
