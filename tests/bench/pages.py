"""The status page beside nginx serving the same bytes, on loopback, one serving thread and one worker.

CPU per request is what the server's process used (/proc/PID/stat) while wrk counted its requests, the least
of REPEAT. At half of saturation each client waits a random time between two requests, so that all together
ask for half of what the slower of the two can answer. Then IDLE clients that say nothing or half a request
stay connected while fresh ones ask.
"""
import gzip
import http.client
import json
import os
import pathlib
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = str(ROOT / "build/tests/bench/bench-pages")
CLIENTS = [int(n) for n in os.environ.get("CLIENTS", "64 128 256 1000").split()]
SECONDS = float(os.environ.get("SECONDS_EACH", "3"))
REPEAT = int(os.environ.get("REPEAT", "3"))
IDLE = int(os.environ.get("IDLE", "8000"))
COMPONENTS = 50
TICK = os.sysconf("SC_CLK_TCK")


def table(title, rows, headers):
    print(f"\n{title}")
    widths = [max(len(str(r[i])) for r in [headers] + rows) for i in range(len(headers))]
    for row in [headers] + rows:
        print("  " + "  ".join(str(v).ljust(w) if i == 0 else str(v).rjust(w)
                               for i, (v, w) in enumerate(zip(row, widths))))


def cpu(pid):
    """Seconds a process has used, all its threads, user and system."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


# --- the two servers --------------------------------------------------------------------------------

class Ours:
    name = "glasshouse"

    def __init__(self, work):
        self.process = subprocess.Popen([PAGES, str(COMPONENTS), "1"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        said = json.loads(self.process.stdout.readline())
        self.port, self.pid = said["port"], said["pid"]
        self.path = "/"
        until = time.monotonic() + 10
        while fetch(self.port, "/")[0] != 200:
            if time.monotonic() > until:
                sys.exit("the page does not come")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


CONF = """
worker_processes 1;
daemon off;
pid {work}/nginx.pid;
error_log {work}/error.log;
user root;
worker_rlimit_nofile 65536;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    types {{ text/html html; }}
    default_type text/html;
    keepalive_requests 1000000000;
    keepalive_timeout 75s;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    gzip_static {static};
    client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
    uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {work}/www;
        {headers}
    }}
}}
"""


class Nginx:
    name = "nginx"

    def __init__(self, work, body, headers):
        (work / "www").mkdir()
        (work / "www/index.html").write_bytes(body)
        (work / "www/index.html.gz").write_bytes(gzip.compress(body, 6))
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        modules = subprocess.run(["/usr/sbin/nginx", "-V"], capture_output=True, text=True).stderr
        (work / "nginx.conf").write_text(CONF.format(
            work=work, port=self.port, static="on" if "gzip_static" in modules else "off",
            headers="\n".join(f'add_header {k} "{v}";' for k, v in headers)))
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(work), "-c", str(work / "nginx.conf")],
                                        stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while True:
            try:
                if fetch(self.port, "/")[0] == 200:
                    break
            except OSError:
                pass
            if time.monotonic() > until:
                sys.exit((work / "error.log").read_text())
            time.sleep(0.05)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        self.pid = int(children.split()[0])
        self.path = "/"

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def fetch(port, path, headers=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("GET", path, headers=headers or {})
    r = c.getresponse()
    return r.status, r.getheaders(), r.read()


# --- load -------------------------------------------------------------------------------------------

LUA = """
local most = {most}
math.randomseed(os.time() * 1000 + tonumber(tostring({{}}):match("0x(%x+)"), 16) % 1000)
function delay() return math.random(0, most) end
"""


def wrk(server, clients, seconds, most_ms=0, coding=None):
    """(requests a second, CPU seconds a request, p50 and p99 in ms, errors)"""
    argv = ["wrk", "-t1", f"-c{clients}", f"-d{round(seconds)}s", "--timeout", "10s", "--latency"]
    if coding:
        argv += ["-H", f"Accept-Encoding: {coding}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if most_ms:
            script.write(LUA.format(most=most_ms))
            script.flush()
            argv += ["-s", script.name]
        before = cpu(server.pid)
        out = subprocess.run(argv + [f"http://127.0.0.1:{server.port}{server.path}"], capture_output=True,
                             text=True, check=True).stdout
        used = cpu(server.pid) - before
    n = int(re.search(r"(\d+) requests in", out).group(1))
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", out)))
    errors += sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", out)))
    rate = float(re.search(r"Requests/sec: *([\d.]+)", out).group(1))
    p50, p99 = (to_ms(re.search(rf"{p}% +([\d.]+\w+)", out).group(1)) for p in (50, 99))
    return rate, used / n, p50, p99, errors


def to_ms(text):
    value, unit = re.match(r"([\d.]+)(\w+)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def compare(ours, nginx, coding):
    """Interleaved, so that what else the machine does hits both."""
    rows, rates, costs = [], [], {}
    for clients in CLIENTS:
        best = {}
        for _ in range(REPEAT):
            for s in (ours, nginx):
                best.setdefault(s, []).append(wrk(s, clients, SECONDS, coding=coding))
        for s, runs in best.items():
            rate, cost = max(r[0] for r in runs), min(r[1] for r in runs)
            costs[s, clients] = cost
            rates.append(rate)
            rows.append([f"{clients} clients, {s.name}", f"{rate:.0f}/s", f"{cost * 1e6:.1f} us",
                         f"{min(r[2] for r in runs):.2f} ms", f"{min(r[3] for r in runs):.2f} ms",
                         sum(r[4] for r in runs)])
    table(f"at saturation, {coding or 'identity'}", rows, ["", "requests", "CPU/request", "p50", "p99", "errors"])
    ratios = [[f"{c} clients", f"{costs[ours, c] / costs[nginx, c]:.2f}", "1.1",
               "met" if costs[ours, c] <= 1.1 * costs[nginx, c] else "missed"] for c in CLIENTS]
    table("CPU per request, ours beside nginx's", ratios, ["", "ratio", "at most", "target"])
    return min(rates)


def half(ours, nginx, saturation):
    rows, p99 = [], {}
    for clients in CLIENTS:
        most = round(2 * 1000 * clients / (saturation / 2))
        for s in (ours, nginx):
            runs = [wrk(s, clients, SECONDS, max(1, most)) for _ in range(REPEAT)]
            p99[s, clients] = min(r[3] for r in runs)
            rows.append([f"{clients} clients, {s.name}", f"{runs[0][0]:.0f}/s",
                         f"{min(r[1] for r in runs) * 1e6:.1f} us", f"{min(r[2] for r in runs):.2f} ms",
                         f"{p99[s, clients]:.2f} ms", sum(r[4] for r in runs)])
    table("at half of saturation, identity", rows, ["", "requests", "CPU/request", "p50", "p99", "errors"])
    few, many = CLIENTS[0], CLIENTS[-1]
    table(f"p99 at {many} clients beside that at {few}", [
        [s.name, f"{p99[s, many] / p99[s, few]:.2f}", "2",
         "met" if p99[s, many] <= 2 * p99[s, few] else "missed"] for s in (ours, nginx)],
        ["", "ratio", "at most", "target"])


# --- clients that only sit there ----------------------------------------------------------------------

class Crowd:
    """Half of them ask once and stay, half send a header line a second and never end."""

    def __init__(self, port, n):
        self.port, self.stop = port, False
        self.idle, self.slow = [], []
        for i in range(n):
            s = socket.create_connection(("127.0.0.1", port), timeout=10)
            if i % 2:
                s.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: h\r\n\r\n")
                self.idle.append(s)
            else:
                s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")
                self.slow.append(s)
        self.thread = threading.Thread(target=self.trickle)
        self.thread.start()

    def trickle(self):
        while not self.stop:
            for i, s in enumerate(self.slow):
                if self.stop:
                    return
                try:
                    s.sendall(b"X-%d: y\r\n" % random.randrange(1000))
                except OSError:  # cut off: comes again
                    s.close()
                    try:
                        self.slow[i] = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                        self.slow[i].sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")
                    except OSError:
                        pass
            time.sleep(1)

    def close(self):
        self.stop = True
        self.thread.join()
        for s in self.idle + self.slow:
            s.close()


def fresh(port, n=300):
    """ms until the answer to a request on a new connection is whole: p50, p99, largest; refused."""
    took, refused = [], 0
    for _ in range(n):
        began = time.monotonic()
        try:
            status, _, body = fetch(port, "/")
            refused += status != 200 or not body
        except OSError:
            refused += 1
        took.append((time.monotonic() - began) * 1000)
        time.sleep(0.005)
    took.sort()
    return took[n // 2], took[n * 99 // 100], took[-1], refused


def crowd(ours, nginx):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * IDLE), hard))
    rows = []
    for s, counts in ((ours, (0, IDLE, IDLE * 3 // 2)), (nginx, (0, IDLE))):
        for n in counts:
            c = Crowd(s.port, n) if n else None
            before = cpu(s.pid)
            p50, p99, most, refused = fresh(s.port)
            used = cpu(s.pid) - before
            rows.append([f"{s.name}, beside {n}", f"{p50:.2f} ms", f"{p99:.2f} ms", f"{most:.1f} ms", refused,
                         f"{used:.2f} s"])
            if c:
                c.close()
            time.sleep(0.5)
    table("a fresh request beside clients that stay, half of them slow (ours has 10,000 places)", rows,
          ["", "p50", "p99", "largest", "not answered", "CPU"])


def pages(work):
    ours = Ours(work)
    try:
        _, headers, body = fetch(ours.port, "/")
        own = [(k, v) for k, v in headers if k not in ("Date", "Content-Length", "Content-Type", "ETag", "Connection")]
        nginx = Nginx(work, body, own)
        try:
            print(f"\nthe status page of {COMPONENTS} components: {len(body)} bytes, "
                  f"{len(gzip.compress(body, 6))} compressed")
            saturation = compare(ours, nginx, None)
            compare(ours, nginx, "gzip")
            half(ours, nginx, saturation)
            crowd(ours, nginx)
        finally:
            nginx.close()
    finally:
        ours.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        pages(pathlib.Path(directory))
