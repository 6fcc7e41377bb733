"""Work in guests on a simulated cloud: gateways, small web servers, meshes."""
import json

import pytest

from running import running, until
from simulated import report, simulated


@pytest.fixture(scope="module")
def cloud():
    with simulated(speed=50) as found:
        yield found


@pytest.fixture(autouse=True)
def clean(cloud):
    cloud.clear()
    yield
    cloud.clear()
    cloud.assert_clean()


def attempt(cloud, path, steps, *args, code=0, servers=""):
    file = path / "work.yaml"
    file.write_text(f"scenario: work\ninclude: {{two-servers: {{{servers}}}}}\nchecks:\n" + steps)
    out = cloud.run("try", str(file), "--json", *args)
    assert out.stdout, out.stderr
    found = report(out)
    rows = {s["name"]: s for s in found["steps"]}
    said = "\n".join(f"{s['name']} {s['state']} {s['fault']} {s['detail']}" for s in found["steps"])
    assert out.returncode == code, said
    assert found["left"] == 0
    return rows, [json.loads(line) for line in out.stdout.splitlines()[:-1]]


def test_served(cloud, tmp_path):
    rows, _ = attempt(cloud, tmp_path, """\
  web:     {security_group_rule: {security_group_id: "${group}", direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 81}}
  serve:   {guest: {on: "${it}", serve: {80: hostname, 81: "it's ${run}"}}, each: server, after: [ssh_in], expect: ["[TOOL] == busybox"]}
  there:   {tcp: {from: "${server[0]}", to: "${server[1].address}:80"}, after: [serve, web]}
  one:     {guest: {on: "${server[1]}", stop: {serve: 81}}, after: [there], expect: ["[STOPPED] == 1"]}
  gone:    {tcp: {from: "${server[0]}", to: "${server[1].address}:81"}, after: [one], must_fail: [refused]}
  still:   {tcp: {from: "${server[0]}", to: "${server[1].address}:80"}, after: [one]}
  all:     {guest: {on: "${server[1]}", stop: serve}, after: [still, gone], expect: ["[STOPPED] == 1"]}
  nothing: {guest: {on: "${server[1]}", stop: serve}, after: [all], expect: ["[STOPPED] == 0"]}
  again:   {guest: {on: "${server[1]}", serve: {80: hostname}}, after: [nothing]}
  twice:   {guest: {on: "${server[1]}", serve: {80: hostname}}, after: [again]}
""")
    assert rows["twice"]["state"] == "ready"


def test_port_of_another(cloud, tmp_path):
    rows, _ = attempt(cloud, tmp_path, """\
  serve: {guest: {on: "${server[0]}", serve: {22: hostname}}, after: [ssh_in]}
""", code=1)
    assert rows["serve"]["fault"] == "exit_status"
    assert rows["serve"]["detail"] == "in the guest: port 22 is taken by another program"


def test_gateway(cloud, tmp_path):
    show = "sudo -n iptables -w -t nat -S; cat /proc/sys/net/ipv4/ip_forward; ip -4 -o addr show dev eth0"
    rows, events = attempt(cloud, tmp_path, f"""\
  on:   {{guest: {{on: "${{server[0]}}", gateway: {{masquerade: 10.73.0.0/24, address: 10.73.0.200, forward: "${{server[*].address}}", from_port: 222}}}},
         undo: {{on: "${{server[0]}}", stop: gateway}}, after: [ssh_in]}}
  twice: {{like: on, after: [on]}}
  seen: {{ssh: {{to: "${{server[0]}}", run: "{show}"}}, after: [twice]}}
  off:  {{guest: {{on: "${{server[0]}}", stop: gateway}}, after: [seen]}}
  none: {{ssh: {{to: "${{server[0]}}", run: "{show}"}}, after: [off]}}
""")
    seen, none = (rows[name]["measured"]["OUTPUT"] for name in ("seen", "none"))
    assert seen.count("--dport 222 -j DNAT") == seen.count("--dport 223 -j DNAT") == 1
    assert "-s 10.73.0.0/24 ! -d 10.73.0.0/24 -j MASQUERADE" in seen
    assert "inet 10.73.0.200/32 " in seen and "\n1\n" in seen
    assert "glasshouse" not in none and "10.73.0.200" not in none
    assert not [e for e in events if "undo failed" in (e.get("text") or "")]


def test_mesh(cloud, tmp_path):
    rows, _ = attempt(cloud, tmp_path, """\
  mesh: {mesh: {among: "${server[*]}", protocols: [icmp, "tcp:22"], count: 3, every: 20ms}, after: [ssh_in, ping_in],
         expect: ["[LOST] == 0", "[PAIRS] == 4", "[RTT] > 0ms", "[RTT_MAX] < 1s"]}
""")
    matrix = rows["mesh"]["measured"]["MATRIX"]
    assert matrix["names"] == ["server[0]", "server[1]"]
    assert matrix["owners"] == [0, 0, 1, 1]
    assert [a.split()[1:] for a in matrix["addresses"]] == [[], ["tcp:22"], [], ["tcp:22"]]
    assert matrix["loss"] == [[None, None, 0, 0], [0, 0, None, None]]
    assert matrix["rtt_ms"][0][:2] == [None, None] and matrix["rtt_ms"][0][2] > 0 and matrix["rtt_ms"][0][3] is None


def test_mesh_lost(cloud, tmp_path):
    """Without a rule that lets echo requests in nothing is reached: both columns are dark, and it is not tried again."""
    rows, events = attempt(cloud, tmp_path, """\
  shut: {delete: "${ping_in}"}
  mesh: {mesh: {among: "${server[*]}"}, after: [ssh_in, shut]}
""", code=1)
    mesh = rows["mesh"]
    assert mesh["fault"] == "packet_loss"
    assert mesh["detail"].startswith("2 of 2 pairs lost: server[0] -> server[1] (10.73.0.")
    assert mesh["measured"]["RETRIED"] == 2 and mesh["measured"].get("RTT") is None
    assert mesh["measured"]["MATRIX"]["loss"] == [[None, 1], [1, None]]


def test_mesh_second_port(cloud, tmp_path):
    """Addresses of ports that were attached later are asked too."""
    rows, _ = attempt(cloud, tmp_path, """\
  net2:   {network: {}}
  sub2:   {subnet: {network_id: "${net2}", ip_version: 4, cidr: 10.74.0.0/24}}
  link2:  {router_interface: {router: "${router}", subnet_id: "${sub2}"}}
  port2:  {port: {network_id: "${net2}", security_groups: ["${group}"], fixed_ips: [{subnet_id: "${sub2}"}]}}
  attach: {server_port: {server: "${server[1]}", port_id: "${port2}"}, after: [link2]}
  mesh:   {mesh: {among: "${server[*]}"}, after: [ssh_in, ping_in, attach], grade: note}
""")
    matrix = rows["mesh"]["measured"]["MATRIX"]
    assert matrix["owners"] == [0, 1, 1]
    assert any(a.startswith("10.74.0.") for a in matrix["addresses"])


def test_not_logged_in(cloud, tmp_path):
    """A guest that nobody can log in to has not been asked: its row is empty, and no pair is called lost."""
    rows, _ = attempt(cloud, tmp_path, """\
  shut: {delete: "${ssh_in}"}
  mesh: {mesh: {among: "${server[*]}"}, after: [ping_in, shut], timeout: 3s, request: 1s}
""", code=1)
    assert rows["mesh"]["fault"] in ("refused", "timeout")
    assert rows["mesh"]["detail"].startswith("from server[")
    assert rows["mesh"]["measured"]["LOST"] == 0
    assert rows["mesh"]["measured"]["MATRIX"]["loss"] == [[None, None], [None, None]]


def test_throughput(cloud, tmp_path):
    """By iperf3, one after the other to the same guest, with the server gone afterwards; and refused where nothing is let in."""
    rows, events = attempt(cloud, tmp_path, """\
  perf:  {security_group_rule: {security_group_id: "${group}", direction: ingress, protocol: tcp, port_range_min: 5201, port_range_max: 5201}}
  up:    {ssh: {to: "${it}", run: "true"}, each: server, after: [ssh_in]}
  iperf: {throughput: {from: "${server[0]}", to: "${server[1]}", time: 1s}, count: 2, after: [perf, up],
          expect: ["[TOOL] == iperf3", "[THROUGHPUT] > 100000000", "[RECEIVED] > 10MiB", "[RETRANSMITS] == 3", "[CPU_SENDER] < 100%"]}
  gone:  {tcp: {from: "${server[0]}", to: "${server[1].address}:5201"}, after: [iperf], must_fail: [refused]}
""")
    one, other = rows["iperf[0]"], rows["iperf[1]"]
    assert max(one["ready_ms"], other["ready_ms"]) - min(one["ready_ms"], other["ready_ms"]) > 900


def test_bench(cloud, tmp_path):
    rows, _ = attempt(cloud, tmp_path, """\
  pi:   {bench: {on: "${server[0]}", pi: 1000}, after: [ssh_in], expect: ["[TOOL] == bc", "[CPU] > 100ms", "[CPU] < 2s", "[STEAL] < 5%"]}
  disk: {bench: {on: "${server[0]}", disk: {rw: randrw, block: 16KiB, jobs: 4, size: 8MiB, time: 1s}}, after: [pi],
         expect: ["[TOOL] == fio", "[BANDWIDTH] > 10MiB", "[OPERATIONS] > 1000", "[LATENCY_P50] < 5ms", "[LATENCY_P99] > 5ms", "[OVER_10MS] > 0.5%"]}
""")
    assert rows["disk"]["state"] == "ready"


@pytest.mark.parametrize("verb,said", [
    ("bench: {on: '${server[0]}', disk: {rw: sideways}}", "`rw` is one of"),
    ("bench: {on: '${server[0]}', disk: {time: 1500ms}}", "whole seconds"),
    ("bench: {on: '${server[0]}', pi: 0}", "`pi` must be a whole number from 1 to 100000"),
    ("throughput: {from: '${server[0]}', to: '${server[1]}', time: 1h}", "whole seconds from 1s to 5m"),
    ("mesh: {among: '${server[*]}', protocols: [udp]}", "icmp and tcp:PORT"),
    ("guest: {on: '${server[0]}', gateway: {address: '10.0.0.1; reboot'}}", "IPv4 address"),
    ("guest: {on: '${server[0]}', gateway: {from_port: 65536}}", "must be a port"),
])
def test_bad_values(cloud, tmp_path, verb, said):
    """What only the run can know is judged before anything reaches a guest."""
    rows, _ = attempt(cloud, tmp_path, f"  wrong: {{{verb}, after: [ssh_in]}}\n", code=2)
    assert rows["wrong"]["fault"] == "evaluation" and said in rows["wrong"]["detail"]


def test_matrix_on_the_page(tmp_path):
    """The matrix of a run that is watched, as operators see it, and nobody else."""
    file = tmp_path / "mesh.yaml"
    file.write_text("""\
scenario: mesh
include: two-servers
checks:
  shut: {delete: "${ping_in}"}
  mesh: {mesh: {among: "${server[*]}"}, after: [ssh_in, shut]}
  open: {mesh: {among: "${server[*]}", protocols: ["tcp:22"]}, after: [ssh_in]}
""")
    with simulated(speed=50) as cloud:
        with running(cloud, {"scenarios": [{"use": str(file), "every": "10m"}]}) as run:
            until(lambda: (run.site(True)["scenarios"][0]["last"] or {}).get("verdict") == "failed", "it failed", 60)
            path = "/runs/" + run.site(True)["scenarios"][0]["last"]["run"]
            page = run.get(path, run.intake)[2].decode()
            assert "Who reached whom <code>mesh</code>" in page and "2 pairs, 2 lost, 2 asked twice" in page
            assert page.count('<td class="x">lost</td>') == 2
            assert page.count('<td class="o">open</td>') == 2
            assert page.count('<th scope="row"><code>server[0]</code></th>') == 2
            assert run.get(path)[0] == 403
            assert run.stop() == 0
        cloud.assert_clean()
