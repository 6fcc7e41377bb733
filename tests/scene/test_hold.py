"""`--hold` and `hold:`: a world stays to be looked at, whoever looks can log in, and nothing of it is left behind."""
import glob
import json
import os
import signal
import stat
import subprocess
import time

from running import running, until
from simulated import ROOT, simulated

JUMP = """scenario: behind
deadline: 60s
params: {image: auto, flavor: auto, external: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.74.0.0/24}}
  router: {router: {external_gateway_info: {network_id: "${external}"}}}
  link:   {router_interface: {router: "${router}", subnet_id: "${subnet}"}}
  group:  {security_group: {}}
  ssh_in: {security_group_rule: {security_group_id: "${group}", direction: ingress, protocol: tcp, port_range_min: 22, port_range_max: 22}}
  key:    {keypair: {}, count: 2}
  port:   {port: {network_id: "${net}", security_groups: ["${group}"], fixed_ips: [{subnet_id: "${subnet}"}]}, count: 2}
  jump:   {server: {imageRef: "${image}", flavorRef: "${flavor}", key_name: "${key[0].name}", networks: [{port: "${port[0]}"}]}, after: [link], login: {host: "${fip.floating_ip_address}", key: "${key[0]}"}}
  inner:  {server: {imageRef: "${image}", flavorRef: "${flavor}", key_name: "${key[1].name}", networks: [{port: "${port[1]}"}]}, after: [link], login: {via: "${jump}", key: "${key[1]}"}}
  fip:    {floating_ip: {floating_network_id: "${external}", port_id: "${port[0]}"}, after: [link]}
checks:
  login:  {ssh: {to: "${inner}", run: hostname}}
"""
BROKEN = """scenario: broken
deadline: 60s
resources:
  net: {network: {}}
checks:
  one: {value: "${1 + 1}", after: [net], expect: ["[VALUE] == 3"]}
"""


def write(cloud, text):
    path = os.path.join(cloud.place, "hold.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def held(cloud, *args):
    """A run of `try --json` and its lines up to the log-ins."""
    run = subprocess.Popen(cloud.command("try", *args, "--json"), cwd=ROOT, env=cloud.environment(),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    logins = {}
    for line in run.stdout:
        event = json.loads(line)
        if event.get("event") == "login":
            logins[event["step"]] = event
        if event.get("event") == "held" or "verdict" in event:
            assert "verdict" not in event, event
            break
    return run, logins


def logins_of(run, n):
    """The next n lines, which are log-ins."""
    events = [json.loads(run.stdout.readline()) for _ in range(n)]
    assert {e["event"] for e in events} == {"login"}, events
    return {e["step"]: e for e in events}


def files(cloud):
    return sorted(glob.glob(os.path.join(cloud.place, "state", "hold", "*", "*")))


def ends(run, code):
    rest = run.stdout.read()
    assert run.wait(60) == code, rest


def test_one_can_log_in_through_the_jump_server():
    with simulated() as cloud:
        run, _ = held(cloud, write(cloud, JUMP), "--hold")
        logins = logins_of(run, 2)
        assert set(logins) == {"jump", "inner"}
        assert " through debian@" in logins["inner"]["where"] and " through " not in logins["jump"]["where"]
        assert [os.path.basename(f) for f in files(cloud)] == ["key-0", "key-1", "ssh_config"]
        for f in files(cloud):
            assert stat.S_IMODE(os.stat(f).st_mode) == 0o600
        for step, login in logins.items():
            out = subprocess.run([*login["command"].split(), "hostname"], capture_output=True, text=True, timeout=60,
                                 stdin=subprocess.DEVNULL, check=False)
            assert out.returncode == 0 and f"-{step}-" in out.stdout, f"{login['command']}: {out.stdout}{out.stderr}"
        assert run.poll() is None
        run.send_signal(signal.SIGINT)
        ends(run, 0)
        assert files(cloud) == [] and os.listdir(os.path.join(cloud.place, "state", "hold")) == []
        cloud.assert_clean()


def test_only_what_is_broken_is_held():
    with simulated() as cloud:
        out = cloud.run("try", "network-basics", "--hold=on-failure", timeout=60)
        assert out.returncode == 0 and "held" not in out.stdout
        begun = time.monotonic()
        out = cloud.run("try", write(cloud, BROKEN), "--hold=on-failure", "--hold-for", "2s", timeout=60)
        assert out.returncode == 1 and "held for 2s" in out.stdout, out.stdout
        assert time.monotonic() - begun >= 2
        cloud.assert_clean()


def test_the_deadline_is_for_building():
    with simulated() as cloud:
        scenario = BROKEN.replace("deadline: 60s", "deadline: 2s").replace("== 3", "== 2")
        begun = time.monotonic()
        out = cloud.run("try", write(cloud, scenario), "--hold", "--hold-for", "4s", timeout=60)
        assert out.returncode == 0, out.stdout
        assert time.monotonic() - begun >= 4
        cloud.assert_clean()


def test_keys_of_a_killed_run_are_removed_by_the_next():
    with simulated() as cloud:
        run, _ = held(cloud, write(cloud, JUMP), "--hold")
        logins_of(run, 2)
        run.kill()
        run.wait()
        assert len(files(cloud)) == 3
        assert cloud.run("try", "network-basics").returncode == 0
        assert files(cloud) == []
        cloud.assert_clean()


def test_options_that_do_not_fit(tmp_path):
    with simulated() as cloud:
        for args, words in ((["--hold=always"], "on-failure"), (["--hold-for", "5s"], "--hold"),
                            (["--hold", "--hold-for", "soon"], "30m")):
            out = cloud.run("try", "network-basics", *args)
            assert out.returncode == 2 and words in out.stderr, out.stderr


def test_a_patrol_holds_what_failed_and_goes_on():
    with simulated() as cloud:
        config = {"scenarios": [{"use": write(cloud, BROKEN), "every": "10s", "hold": "10m"}]}
        networks = lambda: {o["name"].split("-step")[0] for o in cloud.left() if o["kind"] == "network"}
        with running(cloud, config) as run:
            until(lambda: len(networks()) == 3, "three worlds are held", 90)
            until(lambda: "as many as may be are open" in json.dumps(run.site(True)["jobs"]), "the fourth is skipped")
            assert len(networks()) == 3
            assert run.stderr().count("failed and is held for 10m") == 3
            assert run.stop() == 0
        cloud.assert_clean()
