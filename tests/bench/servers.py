"""Many servers in one process: SERVERS (500), each with a port and a volume, made, looked at and removed on a
simulated cloud. See tools/bench. What `try` takes of memory and CPU, and the longest pause of its loop, which is
what every time it measured may be too long by. Where that is allowed it runs before all others (SCHED_FIFO), else
what they take of the processor counts as its pause.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/scene"))
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


def measure(cloud):
    """(seconds, CPU seconds, largest resident MB, the report)"""
    path = os.path.join(cloud.place, "many.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(SCENARIO)
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


def main():
    with Simulated(speed=SPEED, faults={"quota": QUOTA}) as cloud:
        took, cpu, memory, done = measure(cloud)
        if done["verdict"] != "passed" or done["left"] or cloud.left() or cloud.violations():
            sys.exit(f"{done['verdict']}, {done['left']} left, {len(cloud.violations())} violations")
    pause = done["longest_pause_ms"]
    print(f"\n{SERVERS} servers at once in one process (simulated cloud, --speed {SPEED:g}{'' if FIRST else ', not before others'})")
    for what, value in (("wall time", f"{took:.1f} s"), ("CPU", f"{cpu:.2f} s"),
                        ("memory, largest", f"{memory:.1f} MB (aim: at most {TARGETS['memory']})"),
                        ("longest pause of the loop", f"{pause:.1f} ms (aim: at most {TARGETS['pause']})"),
                        ("objects", done["created"]), ("requests", done["requests"])):
        print(f"  {what:28}{value}")


main()
