"""Debian's carbon-cache on free ports of loopback, with whisper files of its own; nothing of its service is used."""
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile

import whisper

from running import until


def free_ports(n):
    """Held together, so that they differ; free when they are returned."""
    with contextlib.ExitStack() as held:
        found = []
        for _ in range(n):
            s = held.enter_context(socket.socket())
            s.bind(("127.0.0.1", 0))
            found.append(s.getsockname()[1])
        return found


CONFIG = """
[cache]
STORAGE_DIR = {place}
CONF_DIR = {place}
LOG_DIR = {place}
PID_DIR = {place}
LOCAL_DATA_DIR = {place}/whisper
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
ENABLE_UDP_LISTENER = False
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
ENABLE_LOGROTATION = False
"""
SCHEMAS = "[all]\npattern = .*\nretentions = 1s:1d\n"


class Carbon:
    """Use as a context manager."""

    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="glasshouse-carbon-")
        self.port, pickle, query = free_ports(3)
        for name, text in (("carbon.conf", CONFIG.format(place=self.place, line=self.port, pickle=pickle,
                                                         query=query)),
                           ("storage-schemas.conf", SCHEMAS), ("storage-aggregation.conf", "")):
            with open(os.path.join(self.place, name), "w", encoding="utf-8") as f:
                f.write(text)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/bin/carbon-cache", "--nodaemon", "--config", os.path.join(self.place, "carbon.conf"), "start"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.listens, "carbon listens", 60)

    def listens(self):
        with socket.create_connection(("127.0.0.1", self.port), 5):
            return True

    def names(self):
        """All that it has a file of."""
        root = os.path.join(self.place, "whisper")
        found = set()
        for at, _, files in os.walk(root):
            found |= {os.path.relpath(os.path.join(at, f[:-4]), root).replace("/", ".")
                      for f in files if f.endswith(".wsp")}
        return found

    def values(self, name):
        path = os.path.join(self.place, "whisper", *name.split(".")) + ".wsp"
        return [v for v in whisper.fetch(path, 0)[1] if v is not None]

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.place, ignore_errors=True)
