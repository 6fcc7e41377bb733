"""HTTP_PROBES (10,000) http probes every 10 s beside prometheus-blackbox-exporter, on loopback. See tools/bench.

The targets are nginx on ADDRESSES addresses of 127/8 (one address alone runs out of ports). When each probe came
is read from its access log: the error of the schedule is how far a coming lies from the grid of 10 s on which most
of its comings lie. CPU and memory are those of all processes of `glasshouse run`. Then the same while half of the
targets take connections and say nothing. blackbox_exporter is asked by as many clients as keep it busy, about the
same targets; its CPU is counted over the probes it made. Then HTTPS_PROBES (8,000) https probes every 10 s, each with
a whole handshake and the chain verified, beside `openssl s_time -new` on the same server with the same page.
What an hour adds to the memory is measured of the store alone, in virtual time (hour.c).
"""
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLASSHOUSE = str(ROOT / "build/src/glasshouse")
HOUR = str(ROOT / "build/tests/bench/bench-hour")
PROBES = int(os.environ.get("HTTP_PROBES", "10000"))
TLS_PROBES = int(os.environ.get("HTTPS_PROBES", "8000"))
EVERY = float(os.environ.get("EVERY", "10"))
SECONDS = float(os.environ.get("SECONDS_EACH", "60"))
SETTLE = float(os.environ.get("SETTLE", "25"))
FILLED = float(os.environ.get("FILLED", str(22 * EVERY)))  # by then the judge keeps as many results as it ever will
COMPONENTS = int(os.environ.get("COMPONENTS", "50"))
ADDRESSES = 100
TICK = os.sysconf("SC_CLK_TCK")
TARGETS = {"memory": 64, "memory_hanging": 96, "peer": 4, "s_time": 1}  # MB, MB, times, times

NGINX = """
worker_processes 1;
daemon off;
pid {work}/nginx.pid;
error_log {work}/error.log;
events {{ worker_connections 20000; }}
http {{
  log_format times '$msec $uri';
  access_log {work}/access.log times buffer=64k flush=1s;
  server {{
{listen}
    location / {{ default_type text/plain; return 200 "fine\\n"; }}
  }}
  server {{
{listen_tls}
    ssl_certificate {work}/cert;
    ssl_certificate_key {work}/key;
    location / {{ default_type text/plain; return 200 "fine\\n"; }}
  }}
}}
"""


def table(title, rows, headers):
    print(f"\n{title}")
    widths = [max(len(str(r[i])) for r in [headers] + rows) for i in range(len(headers))]
    for row in [headers] + rows:
        print("  " + "  ".join(str(v).ljust(w) if i == 0 else str(v).rjust(w)
                               for i, (v, w) in enumerate(zip(row, widths))))


def cpu(pids):
    """Seconds that processes have used, all their threads, user and system."""
    used = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICK


def resident(pids):
    """MB that processes hold for themselves: of shared pages their part."""
    kib = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            kib += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
    return kib * 1024 / 1e6


def family(pid):
    """A process and its children."""
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [pid] + [int(p) for p in out.split()]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- targets ----------------------------------------------------------------------------------------

class Nginx:
    def __init__(self, work):
        self.work, self.port, self.tls_port = work, free_port(), free_port()
        self.cert = os.path.join(work, "cert")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", os.path.join(work, "key"), "-out", self.cert, "-days", "30", "-subj", "/CN=bench",
                        "-addext", "subjectAltName=DNS:bench.example"], check=True, capture_output=True)
        listen = "\n".join(f"    listen 127.0.{i}.1:{self.port} backlog=4096;" for i in range(1, ADDRESSES + 1))
        listen_tls = "\n".join(f"    listen 127.0.{i}.1:{self.tls_port} ssl backlog=4096;"
                               for i in range(1, ADDRESSES + 1))
        conf = os.path.join(work, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX.format(work=work, listen=listen, listen_tls=listen_tls))
        self.process = subprocess.Popen(["nginx", "-e", f"{work}/error.log", "-c", conf])
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.1.1:{self.port}/", timeout=1).read()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("nginx does not answer")

    def comings(self, since, until):
        """path -> times in seconds"""
        at = {}
        with open(os.path.join(self.work, "access.log")) as f:
            for line in f:
                msec, path = line.split()
                t = float(msec)
                if since <= t < until:
                    at.setdefault(path, []).append(t)
        return at

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Hanging:
    """Takes connections and says nothing until they are closed."""

    def __init__(self):
        self.port = free_port()
        self.selector = selectors.DefaultSelector()
        self.open, self.most, self.over = 0, 0, False
        self.listening = []
        for i in range(1, ADDRESSES + 1):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((f"127.1.{i}.1", self.port))
            s.listen(4096)
            s.setblocking(False)
            self.listening.append(s)
            self.selector.register(s, selectors.EVENT_READ, True)
        self.thread = threading.Thread(target=self.turn)
        self.thread.start()

    def turn(self):
        while not self.over:
            for key, _ in self.selector.select(0.2):
                if key.data:
                    c, _ = key.fileobj.accept()
                    c.setblocking(False)
                    self.selector.register(c, selectors.EVENT_READ, False)
                    self.open += 1
                    self.most = max(self.most, self.open)
                else:
                    try:
                        more = key.fileobj.recv(4096)
                    except OSError:
                        more = b""
                    if not more:
                        self.selector.unregister(key.fileobj)
                        key.fileobj.close()
                        self.open -= 1

    def close(self):
        self.over = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


# --- glasshouse -------------------------------------------------------------------------------------

class Run:
    def __init__(self, work, nginx, hanging, tls=False):
        count = TLS_PROBES if tls else PROBES
        self.place = tempfile.mkdtemp(dir=work)
        conf = os.path.join(self.place, "conf.d")
        os.mkdir(conf)
        for part in range(0, count, 1000):
            with open(os.path.join(conf, f"{part:06}.yaml"), "w") as f:
                f.write("probes:\n")
                for i in range(part, min(part + 1000, count)):
                    hangs = hanging and i % 2
                    port = nginx.tls_port if tls else (hanging if hangs else nginx).port
                    host = f"127.{1 if hangs else 0}.{i % ADDRESSES + 1}.1:{port}"
                    name = "t" if tls else "h" if hangs else "p"
                    kind = f'"http://{host}/{name}{i}"'
                    if tls:
                        kind = f'{{url: "https://bench.example/{name}{i}", host: "{host}", ca: {nginx.cert}}}'
                    f.write(f'- {{name: {name}{i}, http: {kind}, every: {EVERY:g}s,'
                            f' component: C{i % COMPONENTS}, expect: ["[STATUS] == 200"]}}\n')
        main = os.path.join(self.place, "glasshouse.yaml")
        with open(main, "w") as f:
            json.dump({"store": f"sqlite:{self.place}/state", "listen": {"public": "127.0.0.1:0", "intake": "127.0.0.1:0"}}, f)
        began = time.monotonic()
        self.process = subprocess.Popen([GLASSHOUSE, "run", "-c", main], stdout=subprocess.PIPE, text=True,
                                        stderr=open(os.path.join(self.place, "err"), "w"))
        self.process.stdout.readline()
        self.intake = self.process.stdout.readline().split()[1]
        self.ready = time.monotonic() - began
        self.pids = family(self.process.pid)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.place)


def errors_of(at):
    """How far each coming lies from its probe's grid, in ms; and how many comings are missing."""
    far, missing = [], 0
    for times in at.values():
        phases = [t % EVERY for t in times]
        middle = statistics.median((p - phases[0] + EVERY / 2) % EVERY for p in phases) - EVERY / 2 + phases[0]
        far += [abs((p - middle + EVERY / 2) % EVERY - EVERY / 2) * 1000 for p in phases]
        missing += max(0, int((max(times) - min(times)) / EVERY + 0.5) + 1 - len(times))
    return sorted(far), missing


def measure(work, nginx, hanging):
    run = Run(work, nginx, hanging)
    time.sleep(max(SETTLE, FILLED - SECONDS))
    used, began = cpu(run.pids), time.time()
    time.sleep(SECONDS)
    used, until = cpu(run.pids) - used, time.time()
    memory = resident(run.pids)
    time.sleep(1.5)
    at = {p: t for p, t in nginx.comings(began, until).items() if p.startswith("/p")}
    run.close()
    far, missing = errors_of(at)
    own = [(len(t) - 1) / (max(t) - min(t)) for t in at.values() if len(t) > 1]  # of each, whatever the window cuts
    live = PROBES // 2 if hanging else PROBES
    return {"rate": live * statistics.mean(own), "wanted": live / EVERY, "probes": len(at), "live": live,
            "p50": far[len(far) // 2], "p99": far[int(len(far) * 0.99)], "worst": far[-1], "missing": missing,
            "cpu": used / (until - began), "per_cpu_s": sum(map(len, at.values())) / used, "memory": memory,
            "ready": run.ready, "most": hanging.most if hanging else 0}


def measure_tls(work, nginx):
    """Checks a CPU second of https, all of them good."""
    run = Run(work, nginx, None, tls=True)
    try:
        time.sleep(SETTLE)
        used, began = cpu(run.pids), time.time()
        time.sleep(SECONDS / 2)
        used, until = cpu(run.pids) - used, time.time()
        with urllib.request.urlopen(run.intake.rstrip("/") + "/metrics") as f:
            up = re.findall(r"^glasshouse_probe_up\{.*\} (\d)$", f.read().decode(), re.M)
        if not up or "0" in up:
            sys.exit(f"{up.count('0')} of {len(up)} https probes are not good")
    finally:
        run.close()
    time.sleep(1.5)
    came = nginx.comings(began, until)
    return sum(len(t) for p, t in came.items() if p.startswith("/t")) / used


def measure_hour(work):
    """MB that the store holds of an hour: after four minutes, before it is sealed, while it is, and after; and all that
    was measured."""
    out = subprocess.run([HOUR, os.path.join(work, "hour"), str(PROBES)], check=True, capture_output=True, text=True)
    d = json.loads(out.stdout)
    return [d[k] / 1e6 for k in ("early_bytes", "most_bytes", "sealing_bytes", "after_bytes")], d


# --- the peers --------------------------------------------------------------------------------------

def measure_s_time(nginx, verify=True):
    """Connections a CPU second, user and system, of a process that does nothing else. By itself it goes on whatever the
    certificate is, and the library builds its chain all the same: without the authorities it would look for them."""
    process = subprocess.Popen(["openssl", "s_time", "-new", "-connect", f"127.0.1.1:{nginx.tls_port}", "-www", "/p0",
                                "-CAfile", nginx.cert, "-time", "8"] + (["-verify", "2"] if verify else []),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    found = re.search(r"^(\d+) connections in [\d.]+ real seconds", said, re.M) or \
        re.search(r"^(\d+) connections in ", said, re.M)
    if status or not found or not int(found[1]):
        sys.exit(f"openssl s_time: {said[-500:]}")
    return int(found[1]) / (usage.ru_utime + usage.ru_stime)


def measure_peer(work, nginx):
    exporter = shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")
    if not exporter:
        return None
    config = os.path.join(work, "blackbox.yml")
    with open(config, "w") as f:
        f.write("modules: {http: {prober: http, timeout: 10s, http: {preferred_ip_protocol: ip4}}}\n")
    port = free_port()
    process = subprocess.Popen([exporter, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    over, done = [False], [0] * 8

    def client(k):
        import http.client
        c = http.client.HTTPConnection("127.0.0.1", port)
        i = k
        while not over[0]:
            host = f"127.0.{i % ADDRESSES + 1}.1:{nginx.port}"
            c.request("GET", f"/probe?module=http&target=http://{host}/b{i}")
            if b"probe_success 1" not in c.getresponse().read():
                sys.exit("blackbox_exporter: a probe failed")
            done[k] += 1
            i += len(done)

    try:
        time.sleep(1)
        threads = [threading.Thread(target=client, args=(k,)) for k in range(len(done))]
        for t in threads:
            t.start()
        time.sleep(2)
        used, n = cpu([process.pid]), sum(done)
        time.sleep(SECONDS / 3)
        used, n = cpu([process.pid]) - used, sum(done) - n
        over[0] = True
        for t in threads:
            t.join()
        return n / used
    finally:
        process.terminate()
        process.wait()


def main():
    work = tempfile.mkdtemp()
    nginx = Nginx(work)
    hanging = None
    try:
        all_live = measure(work, nginx, None)
        hanging = Hanging()
        half = measure(work, nginx, hanging)
        peer = measure_peer(work, nginx)
        before = measure_s_time(nginx)
        tls = measure_tls(work, nginx)
        s_time = (before + measure_s_time(nginx)) / 2  # around ours: the machine may be others' as well
        unverified = measure_s_time(nginx, verify=False)
        hour, told = measure_hour(work)
    finally:
        nginx.close()
        if hanging:
            hanging.close()
        shutil.rmtree(work)
    rows = []
    for name, m in (("all answer", all_live), ("half hang", half)):
        rows.append([name, f"{m['rate']:.1f}/s of {m['wanted']:g}", f"{m['p50']:.1f} ms", f"{m['p99']:.1f} ms",
                     f"{m['worst']:.0f} ms", m["missing"], f"{m['cpu'] * 100:.1f} %", f"{m['memory']:.1f} MB",
                     f"{m['ready']:.1f} s"])
    table(f"{PROBES} http probes every {EVERY:g} s, {COMPONENTS} components, over {SECONDS:g} s", rows,
          ["", "those that answer", "schedule p50", "p99", "worst", "missing", "CPU", "memory", "ready after"])
    if hanging:
        print(f"  connections that hung at once, at most: {half['most']}")
    table(f"the store alone, {PROBES} probes every 10 s in virtual time",
          [[f"{m:.1f} MB" for m in hour + [told["restart_bytes"] / 1e6]]],
          ["after 4 minutes", "most before the hour is sealed", "while it is", "after", "restart late in the hour"])
    print(f"  CPU: {told['asked_us']:.0f} us a query of the current hour (360 runs), {told['seal_s']:.1f} s to seal it,"
          f" {told['restart_cpu_s']:.1f} s to read it back in {told['restart_s']:.1f} s")
    print(f"  all series asked at once: {told['asking_bytes'] / 1e6:.1f} MB more")
    grows = max(hour) - hour[0]
    ours = all_live["per_cpu_s"]
    table("checks per CPU second, fresh connections", [
        ["glasshouse (judged, stored, served)", f"{ours:.0f}", f"{ours / peer:.1f} x" if peer else "-"],
        ["prometheus-blackbox-exporter", f"{peer:.0f}" if peer else "is not installed", ""],
        ["glasshouse, https", f"{tls:.0f}", f"{tls / s_time:.2f} x"],
        ["openssl s_time -new -verify 2", f"{s_time:.0f}", ""],
        ["openssl s_time -new, whatever the certificate is", f"{unverified:.0f}", f"{tls / unverified:.2f} x (glasshouse)"]], ["", "", "of the peer"])
    print(f"  load when it ended: {' '.join(f'{x:.1f}' for x in os.getloadavg())}")
    good = {
        f"memory <= {TARGETS['memory']} MB": all_live["memory"] <= TARGETS["memory"],
        f"memory <= {TARGETS['memory_hanging']} MB while half hang": half["memory"] <= TARGETS["memory_hanging"],
        f"memory <= {TARGETS['memory']} MB over a whole hour, by what the store adds":
            all_live["memory"] + grows <= TARGETS["memory"],
        "no coming is missing": not all_live["missing"] and not half["missing"],
        "the others' rate is unchanged": abs(half["rate"] - half["wanted"]) < 0.01 * half["wanted"]}
    if peer:
        good[f"checks per CPU second >= {TARGETS['peer']} x the peer"] = ours >= TARGETS["peer"] * peer
    good[f"https checks per CPU second >= {TARGETS['s_time']} x openssl s_time"] = tls >= TARGETS["s_time"] * s_time
    print()
    for what, met in good.items():
        print(f"  {'met' if met else 'MISSED'}: {what}")
    sys.exit(0 if all(good.values()) else 1)


if __name__ == "__main__":
    main()
