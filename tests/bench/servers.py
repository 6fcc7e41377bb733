"""Many servers in one process: SERVERS (500), each with a port and a volume, made, looked at and removed on a
simulated cloud. See tools/bench. What `try` takes of memory and CPU, and the longest pause of its loop, which is
what every time it measured may be too long by; then the same of `run`, which records the run and judges it besides,
and has pages to serve meanwhile. Where that is allowed they run before all others (SCHED_FIFO), else what those take
of the processor counts as their pause.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/scene"))
from running import Run, until  # noqa: E402
from simulated import Simulated  # noqa: E402

SERVERS = int(os.environ.get("SERVERS", "500"))
SPEED = float(os.environ.get("SPEED", "100"))
TARGETS = {"memory": 200, "pause": 5}  # MB, ms
LONGEST = 600  # s
SCENARIO = """scenario: many-servers
deadline: 8m
params: {servers: 500, image: auto, flavor: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.80.0.0/16}}
  group:  {security_group: {}}
  key:    {keypair: {}}
  port:   {port: {network_id: "${net}", security_groups: ["${group}"], fixed_ips: [{subnet_id: "${subnet}"}]}, count: "${servers}"}
  vol:    {volume: {size: 1}, count: "${servers}"}
  server: {server: {imageRef: "${image}", flavorRef: "${flavor}", key_name: "${key.name}", networks: [{port: "${port[i]}"}]}, count: "${servers}"}
"""
FIRST = ["chrt", "-f", "1"]
if subprocess.run([*FIRST, "true"], capture_output=True, check=False).returncode:
    FIRST = []
QUOTA = {q: -1 for q in ("instances", "cores", "ram", "volumes", "gigabytes", "port")}


def scenario(cloud):
    path = os.path.join(cloud.place, "many.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(SCENARIO)
    return path


def measure_try(cloud):
    """(seconds, CPU seconds, largest resident MB, the report)"""
    path = scenario(cloud)
    line = FIRST + cloud.command("try", path, "--json", "--param", f"servers={SERVERS}", "--inflight", "32", "--compute", "16")
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        p = subprocess.Popen(line, cwd=ROOT, env=cloud.environment(), stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        out.seek(0)
        text = out.read().decode()
    if p.returncode:
        sys.exit(f"try ended with {p.returncode}:\n{text[-2000:]}")
    done = json.loads(text.strip().splitlines()[-1])
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, done


def last_run(program):
    """Its state on the operators' page, once it has ended and is recorded."""
    if program.process.poll() is not None:
        sys.exit(f"run ended with {program.process.returncode}:\n{program.stderr()[-2000:]}")
    return program.site(operators=True)["scenarios"][0]["last"]


def measure_run(cloud):
    """(seconds, CPU seconds, largest resident MB, the last run)"""
    config = {"clouds": {"sim": {"every": "1h", "inflight": 32, "compute": 16}},
              "scenarios": [{"use": scenario(cloud), "every": "1h", "runs": 1, "params": {"servers": SERVERS}}]}
    program = Run(cloud, config, state="run", start=False)
    program.command = FIRST + program.command
    began = time.monotonic()
    program.start()
    done = until(lambda: last_run(program), "the run has ended", LONGEST)
    took = time.monotonic() - began
    _, _, metrics = program.get("/metrics", program.intake)
    done["longest_pause_ms"] = 1e3 * next(float(line.split()[-1]) for line in metrics.decode().splitlines()
                                          if line.startswith("glasshouse_loop_longest_turn_seconds"))
    program.signal(signal.SIGTERM)
    _, status, usage = os.wait4(program.process.pid, 0)
    program.process.returncode = os.waitstatus_to_exitcode(status)
    if program.process.returncode:
        sys.exit(f"run ended with {program.process.returncode}:\n{program.stderr()[-2000:]}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, done


def show(command, took, cpu, memory, done):
    pause = done["longest_pause_ms"]
    print(f"\n{command}: {SERVERS} servers at once in one process (simulated cloud, --speed {SPEED:g}"
          f"{'' if FIRST else ', not before others'})")
    rows = [("wall time", f"{took:.1f} s"), ("CPU", f"{cpu:.2f} s"),
            ("memory, largest", f"{memory:.1f} MB (aim: at most {TARGETS['memory']})"),
            ("longest pause of the loop", f"{pause:.1f} ms (aim: at most {TARGETS['pause']})")]
    rows += [(what, done[key]) for what, key in (("objects", "created"), ("requests", "requests")) if key in done]
    for what, value in rows:
        print(f"  {what:28}{value}", flush=True)


def main():
    for command, measure in (("try", measure_try), ("run", measure_run)):
        with Simulated(speed=SPEED, faults={"quota": QUOTA}) as cloud:
            took, cpu, memory, done = measure(cloud)
            if done["verdict"] != "passed" or done.get("left") or cloud.left() or cloud.violations():
                sys.exit(f"{command}: {done}, {len(cloud.violations())} violations")
        show(command, took, cpu, memory, done)


main()
