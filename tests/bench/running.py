"""The running program: how soon it shows a page, what it takes when idle, and whether its probes keep their
times while thousands of clients sit on the page. See tools/bench.

IDLE (8000) connections are opened to the page: half of them idle after one answered request, half begin a
request and send a byte of a header a second (slowloris). Meanwhile fresh requests are timed. The schedule
tells by how much its latest start was late, ever; so the program is started anew for each of the two.
"""
import http.client
import json
import os
import pathlib
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLASSHOUSE = str(ROOT / "build/src/glasshouse")
IDLE = int(os.environ.get("IDLE", "8000"))
SECONDS = int(os.environ.get("SECONDS_UNDER_LOAD", "30"))
STARTS = int(os.environ.get("STARTS", "5"))
SETTLE = 10  # seconds until what only a start needs has been given back
PAGE = os.sysconf("SC_PAGE_SIZE")
TARGETS = {"start": 100, "memory": 20, "late": 100, "turn": 5}  # ms, MB, ms, ms


def table(title, rows, headers):
    print(f"\n{title}")
    widths = [max(len(str(r[i])) for r in [headers] + rows) for i in range(len(headers))]
    for row in [headers] + rows:
        print("  " + "  ".join(str(v).ljust(w) if i == 0 else str(v).rjust(w)
                               for i, (v, w) in enumerate(zip(row, widths))), flush=True)


def verdict(value, target):
    return "met" if value <= target else "missed"


def both(pid):
    """The house and its serving process."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [pid, *map(int, children)]


def cpu(pid):
    """Seconds of both, all their living threads, user and system."""
    spent = 0
    for one in both(pid):
        for task in pathlib.Path(f"/proc/{one}/task").iterdir():
            spent += int((task / "schedstat").read_text(encoding="utf-8").split()[0])
    return spent / 1e9


def resident(pid):
    """MB of both, as ps adds them up."""
    total = 0
    for one in both(pid):
        status = pathlib.Path(f"/proc/{one}/status").read_text(encoding="utf-8")
        total += int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    return total * 1024 / 1e6


def frames(pid):
    """{number of each resident page of memory: whether it is of a file}; numbers are told to root only."""
    found = {}
    with open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            first, end = (int(x, 16) for x in line.split()[0].split("-"))
            if line.endswith("[vsyscall]"):
                continue
            pagemap.seek(first // PAGE * 8)
            for (entry,) in struct.iter_unpack("<Q", pagemap.read((end - first) // PAGE * 8)):
                if entry >> 63:
                    found[entry & (1 << 55) - 1] = entry >> 61 & 1
    return found


def counted_once(pid):
    """(MB of both with each page once, MB of it that no file has); None where pages have no numbers."""
    found = {}
    for one in both(pid):
        found.update(frames(one))
    if len(found) < 100:
        return None
    return len(found) * PAGE / 1e6, sum(not of_file for of_file in found.values()) * PAGE / 1e6


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


# --- the program ------------------------------------------------------------------------------------

class Cloud:
    def __init__(self, place):
        self.clouds = f"{place}/clouds.yaml"
        self.process = subprocess.Popen([GLASSHOUSE, "simulate", "--clouds", self.clouds, "--speed", "10"],
                                        cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Program:
    """Ready when it is made: `ready` says after how many seconds its first page came."""

    def __init__(self, place, cloud):
        config = {"listen": {"public": "127.0.0.1:0", "intake": "127.0.0.1:0"}, "store": f"sqlite:{place}/state",
                  "clouds": {"sim": {"every": "1s", "timeout": "1s"}}}
        pathlib.Path(place, "glasshouse.yaml").write_text(json.dumps(config), encoding="utf-8")
        began = time.monotonic()
        self.run = subprocess.Popen([GLASSHOUSE, "run", "-c", f"{place}/glasshouse.yaml"], cwd=ROOT, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    env={**os.environ, "OS_CLIENT_CONFIG_FILE": cloud.clouds})
        self.port = int(self.run.stdout.readline().split()[1].rstrip("/").rsplit(":", 1)[1])
        self.intake = self.run.stdout.readline().split()[1]
        while get(self.port) != 200:
            time.sleep(0.001)
            if time.monotonic() > began + 30:
                self.close()
                sys.exit("the page does not come")
        self.ready, self.spent = time.monotonic() - began, cpu(self.run.pid)
        self.drain = threading.Thread(target=self.run.stdout.read, daemon=True)
        self.drain.start()

    def metrics(self):
        """{name without its prefix: [values]}"""
        found = {}
        with urllib.request.urlopen(self.intake + "metrics", timeout=20) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("glasshouse_"):
                    name, value = line.rsplit(" ", 1)
                    found.setdefault(name.split("{")[0].removeprefix("glasshouse_"), []).append(float(value))
        return found

    def close(self):
        self.run.send_signal(signal.SIGTERM)
        self.run.wait(60)


def get(port):
    """Status of the page asked for on a new connection."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        c.request("GET", "/")
        answer = c.getresponse()
        return answer.status if answer.read() else 0
    finally:
        c.close()


def fresh(port, seconds):
    """Seconds that each request on a new connection took; how many failed."""
    times, failed = [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            failed += get(port) != 200
            times.append(time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            failed += 1
        time.sleep(0.02)
    return times, failed


# --- clients that are there and want nothing, or want it very slowly ------------------------------------

class Crowd:
    """In a process of its own, so that its work is not in the way of the fresh requests' clock."""

    def __init__(self, port, n):
        self.process = subprocess.Popen([sys.executable, __file__, "crowd", str(port), str(n)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "all there":
            sys.exit("the crowd could not come")

    def leave(self):
        """How often one was cut off and came again."""
        self.process.stdin.close()
        again = int(self.process.stdout.readline())
        self.process.wait(60)
        return again


def come(port, i):
    s = socket.create_connection(("127.0.0.1", port), 10, source_address=(f"127.0.1.{i % 200 + 1}", 0))
    s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + (b"\r\n" if i % 2 else b"X-Slow: "))
    s.setblocking(False)
    return s


def crowd(port, n):
    again, ended = 0, selectors.DefaultSelector()
    ended.register(sys.stdin, selectors.EVENT_READ)
    clients = [come(port, i) for i in range(n)]
    print("all there", flush=True)
    while not ended.select(0):
        began = time.monotonic()
        for i, s in enumerate(clients):
            try:
                while s.recv(65536):  # a page is read; the end means: cut off
                    pass
                gone = True
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            try:
                if gone:
                    s.close()
                    clients[i] = come(port, i)
                    again += 1
                elif not i % 2:
                    s.send(b"x")
            except OSError:
                pass  # noticed at the next turn
        ended.select(max(0, began + 1 - time.monotonic()))
    print(again, flush=True)
    return 0


# --- what is measured -----------------------------------------------------------------------------------

def starts(place, cloud):
    """ms until the first page: with nothing stored, and with the state of the last run."""
    took, spent = {"new": [], "again": []}, {"new": [], "again": []}
    for i in range(STARTS):
        where = pathlib.Path(place, f"start-{i}")
        where.mkdir()
        for what in ("new", "again"):
            program = Program(where, cloud)
            took[what].append(program.ready * 1e3)
            spent[what].append(program.spent * 1e3)
            time.sleep(1)
            program.close()
    rows = []
    for what, text in (("new", "with nothing stored"), ("again", "with what the last run stored")):
        middle = percentile(took[what], 0.5)
        rows.append([text, f"{min(took[what]):.0f} ms", f"{middle:.0f} ms", f"{max(took[what]):.0f} ms",
                     f"{percentile(spent[what], 0.5):.0f} ms",
                     f"{TARGETS['start']} ms", f"{middle / TARGETS['start']:.2f}",
                     verdict(middle, TARGETS["start"])])
    table(f"from its start to the first page, {STARTS} times; the median counts", rows,
          ["", "least", "median", "most", "CPU", "at most", "ratio", "target"])


def memory(program):
    rows, once = [], counted_once(program.run.pid)
    added = resident(program.run.pid)
    if once:
        rows.append(["each page counted once", f"{once[0]:.1f} MB", f"{once[1]:.1f} MB", f"{TARGETS['memory']} MB",
                     f"{once[0] / TARGETS['memory']:.2f}", verdict(once[0], TARGETS["memory"])])
    rows.append(["as ps adds them up: shared libraries twice", f"{added:.1f} MB", "", f"{TARGETS['memory']} MB",
                 f"{added / TARGETS['memory']:.2f}", verdict(added, TARGETS["memory"])])
    table("resident memory of both processes, 11 probes a second", rows,
          ["", "resident", "not of files", "at most", "ratio", "target"])


def under(program, clients):
    """A row of what was seen in SECONDS beside so many clients, and what is judged of it."""
    people = Crowd(program.port, clients) if clients else None
    before = program.metrics()
    spent = cpu(program.run.pid)
    times, failed = fresh(program.port, SECONDS)
    spent = cpu(program.run.pid) - spent
    after, size = program.metrics(), resident(program.run.pid)
    again = people.leave() if people else 0
    runs, skips = (sum(after[name]) - sum(before[name]) for name in ("probe_runs_total", "probe_skips_total"))
    late, turn = (1e3 * max(after[name]) for name in ("probe_worst_late_seconds", "loop_longest_turn_seconds"))
    row = [f"beside {clients}", f"{percentile(times, 0.5) * 1e3:.2f} ms", f"{percentile(times, 0.99) * 1e3:.2f} ms",
           f"{failed} of {len(times)}", f"{runs:.0f}", f"{skips:.0f}", f"{late:.1f} ms",
           f"{spent / SECONDS * 100:.1f} %", f"{size:.0f} MB", f"{again}"]
    return row, late, turn, failed + round(skips)


def crowded(place, cloud):
    rows, judged = [], []
    for clients in (0, IDLE):
        where = pathlib.Path(place, f"beside-{clients}")
        where.mkdir()
        program = Program(where, cloud)
        try:
            time.sleep(SETTLE)
            if not clients:
                memory(program)
            row, late, turn, lost = under(program, clients)
        finally:
            program.close()
        rows.append(row)
        for what, value, unit, target in (
                ("latest start of a probe", late, " ms", TARGETS["late"]),
                ("longest turn of the loop", turn, " ms", TARGETS["turn"]),
                ("requests failed, probes skipped", lost, "", 0)):
            judged.append([f"{what}, beside {clients}", f"{value:.1f}{unit}" if unit else value, f"{target}{unit}",
                           verdict(value, target)])
    table(f"{SECONDS} s with probes each second, beside clients that stay, half of them slow", rows,
          ["", "page p50", "p99", "failed", "probes", "skipped", "latest", "CPU", "ps", "came again"])
    table("the loop and its probes, since the start", judged, ["", "seen", "at most", "target"])


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, IDLE + 1000)), hard))
    if sys.argv[1:2] == ["crowd"]:
        return crowd(int(sys.argv[2]), int(sys.argv[3]))
    print(f"\nthe running program; load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as place:
        cloud = Cloud(place)
        try:
            starts(place, cloud)
            crowded(place, cloud)
        finally:
            cloud.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
