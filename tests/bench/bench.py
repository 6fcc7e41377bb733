"""Speed and memory of glasshouse beside its peers, in one run. See tools/bench.

Wall time and CPU (user and system, from the rusage of the process and its children) are measured around
whole processes, the least of REPEAT. An invocation is start, token and one call; a further call is what N
more calls in the same process cost, divided by N, so that neither a start nor a token is in it.
"""
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/bench"
GLASSHOUSE = str(ROOT / "build/src/glasshouse")
BARE = str(ROOT / "build/tests/bench/bare-curl")
SERIES = str(ROOT / "build/tests/bench/bench-series")
PROBES = int(os.environ.get("PROBES", "1000"))
N = {"sim": int(os.environ.get("CALLS", "300")), "lab-demo": int(os.environ.get("LAB_CALLS", "40"))}
REPEAT = int(os.environ.get("REPEAT", "3"))
LONGEST = 14 * 60  # seconds for everything
CLI, SDK = "openstack client", "openstacksdk"
TARGETS = {CLI: 500, SDK: 20}  # glasshouse takes at most one part in so many of the peer's CPU


class Cost:
    """Of one process: seconds of wall time and CPU, largest resident set in KiB, and what it printed."""

    def __init__(self, argv, env=None, text=None):
        began = time.monotonic()
        with tempfile.TemporaryFile() as out:
            p = subprocess.Popen(argv, stdin=subprocess.PIPE if text else subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, cwd=ROOT)
            try:
                if text:
                    p.stdin.write(text.encode())
                    p.stdin.close()
                _, status, usage = os.wait4(p.pid, 0)
            except BaseException:  # LONGEST is over, or Ctrl-C
                p.kill()
                raise
            p.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            self.text = out.read().decode(errors="replace")
        self.wall = time.monotonic() - began
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = usage.ru_maxrss
        if p.returncode:
            sys.exit(f"{' '.join(argv)} ended with {p.returncode}:\n{self.text[-2000:]}")


def least(make):
    """The least of several: what else the machine did is not the program's."""
    costs = [make() for _ in range(REPEAT)]
    return min(c.wall for c in costs), min(c.cpu for c in costs)


def table(title, rows, headers):
    print(f"\n{title}")
    widths = [max(len(str(r[i])) for r in [headers] + rows) for i in range(len(headers))]
    for row in [headers] + rows:
        print("  " + "  ".join(str(v).ljust(w) if i == 0 else str(v).rjust(w)
                               for i, (v, w) in enumerate(zip(row, widths))))


def part(a, b):
    """How large a part of b is a."""
    return "-" if a <= 0 or b <= 0 else f"1/{b / a:.0f}" if b > 2 * a else f"{a / b:.1f}"


def ms(seconds):
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


# --- the same calls ---------------------------------------------------------------------------------

SCENARIO = """
scenario: calls
deadline: 10m
params: {{n: 1, path: /networks}}
checks:
  call: {{list: {{service: network, path: "${{path}}"}}, count: "${{n}}"}}
"""


def ours(cloud, env, scenario, state, n, path):
    return Cost([GLASSHOUSE, "try", scenario, "--cloud", cloud, "--state", state, "--instance", "bench",
                 "--inflight", "1", "--json", "--param", f"n={n}", "--param", f"path={path}"], env)


def bare(env, n, url, token):
    return Cost([BARE, str(n), url, f"X-Auth-Token: {token}", "Accept: application/json"], env)


def client(cloud, env, n, command):
    """The openstack client reads commands from its input: one process, one token, n calls."""
    return Cost(["/usr/bin/openstack", "--os-cloud", cloud], env, "\n".join([command] * n) + "\n")


def sdk(cloud, env, n, what):
    return Cost(["/usr/bin/python3", str(HERE / "sdk_calls.py"), cloud, str(n), what], env)


def measure(n, make):
    """(from nothing to the first answer, each further call), each as wall and CPU."""
    one, many = least(lambda: make(1)), least(lambda: make(1 + n))
    return one, tuple(max(0.0, m - o) / n for m, o in zip(many, one))


def compare(cloud, env, where, work):
    """Prints what each cost, and that beside the targets."""
    targets = []
    import openstack
    os.environ.update(env)
    conn = openstack.connect(cloud=cloud)
    network = next(conn.network.networks(is_router_external=True)).id
    token, endpoint = conn.auth_token, re.sub(r"/v2\.0/?$", "", conn.network.get_endpoint().rstrip("/"))
    scenario = work / "calls.yaml"
    scenario.write_text(SCENARIO.format())
    calls = {"list networks": ("/networks", "network list -f json", "list"),
             "show a network": (f"/networks/{network}", f"network show {network} -f json", network)}
    for title, (path, command, what) in calls.items():
        peers = {
            "bare libcurl": measure(N[cloud], lambda n: bare(env, n, f"{endpoint}/v2.0{path}", token)),
            "glasshouse": measure(N[cloud], lambda n: ours(cloud, env, str(scenario), str(work / "state"), n, path)),
            SDK: measure(N[cloud], lambda n: sdk(cloud, env, n, what)),
            CLI: measure(N[cloud], lambda n: client(cloud, env, n, command)),
        }
        rows = [[name, *map(ms, first + each)] for name, (first, each) in peers.items()]
        table(f"{title} on {where}, one call after the other", rows,
              ["", "invocation: wall", "invocation: CPU", "further call: wall", "further call: CPU"])
        targets += aim(title, peers)
    print("  (invocation: start, token and one call; bare libcurl is handed a token and needs none)")
    print_targets(targets, where)


def aim(title, peers):
    (_, own_first), (_, own_each) = peers["glasshouse"]
    rows = []
    for name, parts in TARGETS.items():
        (_, first), (_, each) = peers[name]
        pairs = [("one invocation of both", own_first, first), ("a further call of both", own_each, each),
                 ("our further call, its invocation", own_each, first)]
        for what, own, peer in pairs:
            known = own > 0 and peer > 0
            rows.append([f"{title}, {name}, {what}", ms(own), ms(peer), part(own, peer), f"1/{parts}",
                         "too few calls to tell" if not known else "met" if own * parts <= peer else "missed"])
    return rows


def print_targets(rows, where):
    table(f"targets on {where}: CPU of glasshouse beside CPU of the peer", rows,
          ["", "glasshouse", "peer", "ratio", "at most", "target"])
    print("  (our further call, its invocation: a monitor that keeps running beside a script that starts the "
          "peer for each call)")


# --- a large scenario -------------------------------------------------------------------------------

LARGE = """
scenario: large
deadline: 20m
teardown: 20m
params: {n: 400}
resources:
  net:    {network: {}, count: "${n}"}
  subnet: {subnet: {network_id: "${net[i]}", ip_version: 4, cidr: 10.1.0.0/24}, count: "${n}"}
  group:  {security_group: {}, count: "${n}"}
  rule:   {security_group_rule: {security_group_id: "${group[i]}", direction: ingress, protocol: tcp, port_range_min: 22, port_range_max: 22}, count: "${n}"}
  port:   {port: {network_id: "${net[i]}", security_groups: ["${group[i]}"], fixed_ips: [{subnet_id: "${subnet[i]}"}]}, count: "${n}"}
"""


def large(env, work):
    scenario = work / "large.yaml"
    scenario.write_text(LARGE)
    rows = []
    for n in (100, 400):
        c = Cost([GLASSHOUSE, "try", str(scenario), "--cloud", "sim", "--state", str(work / f"large-{n}"),
                  "--instance", "bench", "--json", "--param", f"n={n}"], env)
        report = json.loads(c.text.strip().splitlines()[-1])
        assert report["verdict"] == "passed" and report["left"] == 0, c.text[-2000:]
        rows.append([f"{5 * n} steps, {report['requests']} requests", f"{c.wall:.1f} s", f"{c.cpu:.2f} s",
                     f"{1000 * c.cpu / report['requests']:.2f} ms", f"{c.rss / 1024:.1f} MiB",
                     f"{report['longest_pause_ms']:.1f} ms"])
    table("one large scenario on the simulated cloud, 8 requests at once", rows,
          ["", "wall", "CPU", "CPU/request", "largest memory", "loop's longest pause"])


# --- series -----------------------------------------------------------------------------------------

def series(work):
    """One day of probes every 10 s, in virtual time; a year by default retention is computed from it."""
    d = json.loads(Cost([SERIES, str(work / "series"), str(PROBES)]).text)
    runs, scale = d["runs"], 1000 / d["probes"]
    # A file goes when all of it is old: of 14 days of weeks 14 to 21 are there, of 90 days of months 90 to 120.
    kept = {"samples (raw)": (d["raw_bytes"], 14, 21), "10 minutes": (d["ten_bytes"], 90, 120),
            "1 hour": (d["hour_bytes"], 365, 365), "days": (d["all_day_bytes"] / 90, 365, 365)}
    rows = [[name, f"{b / runs:.2f} B" if low == 14 else "", f"{b * scale / 1e6:.2f} MB",
             f"{b * scale * low / 1e6:.0f} MB", f"{b * scale * high / 1e6:.0f} MB"]
            for name, (b, low, high) in kept.items()]
    least_, most = (sum(b * scale * k[i] / 1e9 for b, *k in kept.values()) for i in (0, 1))
    rows.append(["all; target <= 2 GB", "", "", f"{least_:.2f} GB", f"{most:.2f} GB"])
    table(f"series: 1,000 probes x 10 s, from a day of {d['probes']} in virtual time "
          "(4 phases, log-normal, sigma 0.25, 1 % ten times as long, 0.3 % failed)", rows,
          ["", "a run", "a day", "after a year: least", "most"])
    table("series: speed and memory", [
        ["stored and sealed", f"{runs / d['wall_s']:,.0f} samples/s", f"{runs / d['cpu_s']:,.0f} samples/CPU-s"],
        ["in memory at most", f"{d['head_bytes'] / d['probes'] / 1e3:.2f} kB a probe",
         f"{d['rss_kib'] / 1024:.0f} MiB the process"],
        ["a 90-day bar; target < 1 ms", f"{d['bar_ms']:.3f} ms", f"worst {d['bar_worst_ms']:.3f} ms"],
        ["a day of ten minutes", f"{d['points_ms']:.3f} ms", f"worst {d['points_worst_ms']:.3f} ms"],
    ], ["", "", ""])


class Sim:
    """A simulated cloud that answers as fast as it can, with room for the large scenario."""

    def __init__(self, work):
        faults, self.clouds = work / "sim-faults.yaml", work / "sim.yaml"
        faults.write_text("quota: {network: -1, subnet: -1, port: -1, security_group: -1, "
                          "security_group_rule: -1}\n")
        self.process = subprocess.Popen([GLASSHOUSE, "simulate", "--clouds", str(self.clouds), "--speed",
                                         "1000", "--faults", str(faults)], stdout=subprocess.DEVNULL, cwd=ROOT)
        end = time.monotonic() + 10
        while not self.clouds.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit("the simulated cloud does not start")
            time.sleep(0.05)
        self.env = {"OS_CLIENT_CONFIG_FILE": str(self.clouds)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def version(*argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True)
        return (out.stdout or out.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return "absent"


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
               platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    print(f"machine: {os.cpu_count()} x {cpu}, {memory:.0f} GiB, Linux {platform.release()}, "
          f"load {os.getloadavg()[0]:.1f}")
    print("versions:", version(GLASSHOUSE, "--version"), "|", version("/usr/bin/openstack", "--version"), "|",
          "openstacksdk", version("/usr/bin/python3", "-c", "import openstack; print(openstack.version.__version__)"),
          "|", version("/usr/bin/curl-config", "--version") if os.path.exists("/usr/bin/curl-config")
          else version("curl", "--version"))


def main():
    machine()
    clouds = os.environ.get("LAB_CLOUDS")
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"not done after {LONGEST // 60} minutes: CALLS, LAB_CALLS "
                                                      "and REPEAT make it shorter"))
    signal.alarm(LONGEST)
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        with Sim(work) as sim:
            # first, while this process is small: a child's largest memory begins with its parent's
            large(sim.env, work)
            compare("sim", sim.env, "a simulated cloud", work)
        series(work)
        if clouds:
            compare("lab-demo", {"OS_CLIENT_CONFIG_FILE": clouds}, "real OpenStack", work)
    if not clouds:
        print("\nTHE LAB DOES NOT RUN: nothing above was measured on a real OpenStack. Start it: make lab")


main()
