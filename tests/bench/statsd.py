"""StatsD: lines a CPU second, 10 a packet, beside a bare loop around recvmmsg() and node's statsd.

Each receiver gets the same packets, LINES_SENT (8 million), as fast as one sender can, one receiver after another,
ROUNDS (3) times over; the best of each counts. CPU is user and system of the whole receiving process. node's
statsd comes from npm into build/tests/bench; without a network it is left out, and that is said.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = str(ROOT / "build/tests/bench/bench-statsd")
NODE = ROOT / "build/tests/bench/node"
LINES = os.environ.get("LINES_SENT", "8000000")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
STATSD = "statsd@0.9.0"
TARGETS = {"bare": 0.8, "node": 8.0}


def send(port):
    subprocess.run([BENCH, "send", str(port), LINES], check=True, stdout=subprocess.DEVNULL, timeout=120)


def ours_or_bare(*args):
    with subprocess.Popen([BENCH, *args], stdout=subprocess.PIPE, text=True) as p:
        port = int(p.stdout.readline())
        send(port)
        time.sleep(0.5)
        p.send_signal(signal.SIGTERM)
        out = json.loads(p.stdout.readline())
        p.wait(60)
    return out["lines"] / out["cpu"]


def ours():
    with tempfile.TemporaryDirectory(prefix="bench-statsd-") as place:
        return ours_or_bare("ours", place)


def fetch_node():
    if (NODE / "node_modules/statsd/stats.js").exists():
        return True
    if not shutil.which("npm"):
        return False
    NODE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["npm", "install", "--prefix", str(NODE), "--ignore-scripts", "--no-audit", "--no-fund",
                           "--omit=optional", "--loglevel=error", STATSD], stdout=subprocess.DEVNULL, timeout=180,
                          check=False)
    return done.returncode == 0


def free(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, what):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.sendall(what.encode() + b"\n")
        text = b""
        while b"END" not in text:
            piece = s.recv(1 << 16)
            if not piece:
                break
            text += piece
    return text.decode()


def node():
    udp, tcp = free(socket.SOCK_DGRAM), free(socket.SOCK_STREAM)
    config = NODE / "config.js"
    config.write_text(f'{{port: {udp}, address: "127.0.0.1", mgmt_address: "127.0.0.1", mgmt_port: {tcp}, backends: [],'
                      " flushInterval: 3600000}")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(["node", "stats.js", str(config)], cwd=NODE / "node_modules/statsd",
                               stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", tcp), timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        send_cost = resource.getrusage(resource.RUSAGE_CHILDREN)
        send(udp)
        send_cost = cpu(resource.getrusage(resource.RUSAGE_CHILDREN)) - cpu(send_cost)
        time.sleep(1)
        lines = int(re.search(r"'?statsd\.metrics_received'?: (\d+)", ask(tcp, "counters"))[1])
    finally:
        process.terminate()
        process.wait(30)
    return lines / (cpu(resource.getrusage(resource.RUSAGE_CHILDREN)) - cpu(before) - send_cost)


def cpu(usage):
    return usage.ru_utime + usage.ru_stime


def main():
    receivers = {"glasshouse": ours, "bare": lambda: ours_or_bare("bare")}
    if fetch_node():
        receivers["node"] = node
    else:
        print("npm brings no statsd: it is left out", file=sys.stderr)
    best = dict.fromkeys(receivers, 0.0)
    for _ in range(ROUNDS):
        for name, receive in receivers.items():
            best[name] = max(best[name], receive())
    print("\nStatsD, 10 lines a packet: lines a CPU second")
    good = True
    for name, rate in best.items():
        line = f"  {name:<12}{rate:>14,.0f}"
        if name in TARGETS:
            ratio = best["glasshouse"] / rate
            good = good and ratio >= TARGETS[name]
            line += f"   glasshouse is {ratio:.2f} times that (at least {TARGETS[name]:g})"
        print(line)
    sys.exit(0 if good else 1)


main()
