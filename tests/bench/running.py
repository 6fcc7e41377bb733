"""The running program: how soon it is ready, what it takes when idle, and whether its probes keep their times
while thousands of clients sit on the page. See tools/bench.

CLIENTS (8000) connections are opened to the page: half of them idle after one answered request, half send a
header a byte a second (slowloris). Meanwhile fresh requests are timed, and the schedule says by how much its
worst start was late.
"""
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLASSHOUSE = str(ROOT / "build/src/glasshouse")
CLIENTS = int(os.environ.get("CLIENTS", "8000"))
SECONDS = int(os.environ.get("SECONDS_UNDER_LOAD", "30"))


def resident(pid):
    """KiB of a process and its children."""
    total = 0
    pids = [pid, *map(int, subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True,
                                          check=False).stdout.split())]
    for one in pids:
        with open(f"/proc/{one}/status", encoding="utf-8") as f:
            total += int(next(line for line in f if line.startswith("VmRSS")).split()[1])
    return total


def cpu(pid):
    """Seconds of a process and its living children."""
    pids = [pid, *map(int, subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True,
                                          check=False).stdout.split())]
    ticks = 0
    for one in pids:
        with open(f"/proc/{one}/stat", encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Program:
    def __init__(self, place):
        clouds = f"{place}/clouds.yaml"
        self.sim = subprocess.Popen([GLASSHOUSE, "simulate", "--clouds", clouds, "--speed", "10"], cwd=ROOT,
                                    stdout=subprocess.PIPE, text=True)
        self.sim.stdout.readline()
        config = {"listen": {"public": "127.0.0.1:0", "intake": "127.0.0.1:0"}, "store": f"sqlite:{place}/state",
                  "clouds": {"sim": {"every": "1s", "timeout": "1s"}}}
        pathlib.Path(place, "glasshouse.yaml").write_text(json.dumps(config))
        began = time.monotonic()
        self.run = subprocess.Popen([GLASSHOUSE, "run", "-c", f"{place}/glasshouse.yaml"], cwd=ROOT, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    env={**os.environ, "OS_CLIENT_CONFIG_FILE": clouds})
        self.page = self.run.stdout.readline().split()[1]
        self.intake = self.run.stdout.readline().split()[1]
        while True:
            try:
                with urllib.request.urlopen(self.page, timeout=5) as answer:
                    answer.read()
                break
            except OSError:
                time.sleep(0.002)
        self.ready = time.monotonic() - began
        threading.Thread(target=self.run.stdout.read, daemon=True).start()
        self.port = int(self.page.rstrip("/").rsplit(":", 1)[1])

    def site(self):
        with urllib.request.urlopen(self.intake + "api/ops/v1/status.json", timeout=20) as answer:
            return json.load(answer)

    def close(self):
        for p in (self.run, self.sim):
            p.send_signal(signal.SIGTERM)
            p.wait(60)


class Crowd:
    """Clients that are there and want nothing, or want it very slowly."""

    def __init__(self, port, n):
        self.port, self.n = port, n
        self.sockets = []
        self.closed = 0
        self.ended = False
        self.thread = threading.Thread(target=self.live, daemon=True)

    def join(self):
        for i in range(self.n):
            s = socket.create_connection(("127.0.0.1", self.port), source_address=(f"127.0.1.{i % 200 + 1}", 0))
            if i % 2:
                s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            else:
                s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            self.sockets.append(s)
        self.thread.start()

    def live(self):
        """Reads what comes and sends the slow ones' next byte; those that were dropped come again."""
        while not self.ended:
            for i, s in enumerate(self.sockets):
                if self.ended:
                    return
                try:
                    s.setblocking(False)
                    while s.recv(65536):
                        pass
                    raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    self.closed += 1
                    s.close()
                    try:
                        s = socket.create_connection(("127.0.0.1", self.port), 2)
                        s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
                    except OSError:
                        pass
                    self.sockets[i] = s
                    continue
                if not i % 2:
                    try:
                        s.send(b"x")
                    except OSError:
                        pass
            time.sleep(1)

    def leave(self):
        self.ended = True
        self.thread.join()
        for s in self.sockets:
            s.close()


def fresh(url, seconds):
    """Times of fresh requests, in seconds, sorted; and how many failed."""
    times, failed = [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                answer.read()
            times.append(time.monotonic() - began)
        except OSError:
            failed += 1
        time.sleep(0.02)
    return sorted(times), failed


def schedule(program):
    jobs = program.site()["jobs"]
    return max(j["worst_late_ms"] for j in jobs), sum(j["runs"] for j in jobs), sum(j["skips"] for j in jobs)


def line(what, value):
    print(f"  {what:52} {value}", flush=True)


def under(program, what, seconds):
    before, skipped = schedule(program)[1:]
    spent = cpu(program.run.pid)
    times, failed = fresh(program.page, seconds)
    spent = cpu(program.run.pid) - spent
    worst, after, skips = schedule(program)
    line(f"{what}: a fresh request, median / p99", f"{times[len(times) // 2] * 1e3:.1f} / "
         f"{times[int(len(times) * 0.99)] * 1e3:.1f} ms, {failed} of {len(times) + failed} failed")
    line(f"{what}: probes started, skipped, worst late", f"{after - before}, {skips - skipped}, {worst:.1f} ms")
    line(f"{what}: CPU, memory", f"{spent / seconds * 100:.1f} %, {resident(program.run.pid) / 1024:.1f} MiB")


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CLIENTS + 1000), hard))
    print("\nThe running program")
    with tempfile.TemporaryDirectory() as place:
        program = Program(place)
        try:
            line("from its start to the first page", f"{program.ready * 1e3:.0f} ms (target 100)")
            time.sleep(10)
            line("memory of both processes, 10 probes a second", f"{resident(program.run.pid) / 1024:.1f} MiB (target 20)")
            under(program, "alone", SECONDS)
            crowd = Crowd(program.port, CLIENTS)
            crowd.join()
            under(program, f"{CLIENTS} idle and slow clients", SECONDS)
            line("of those, dropped by age and come again", str(crowd.closed))
            crowd.leave()
        finally:
            program.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
