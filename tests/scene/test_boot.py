"""Boots, explained: why a guest cannot be logged in to, on which host it was, and what failures have in common."""
import hashlib
import os

from running import Receiver, running, until
from simulated import ROOT, report, simulated

# The simulated cloud puts a server where the fewest are, so that four are on four hosts.
MANY = """scenario: many
deadline: 60s
teardown: 60s
params: {image: auto, flavor: auto, servers: 4}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.71.0.0/24}}
  server: {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: [{uuid: "${net}"}]}, count: "${servers}", after: [subnet]}
"""
PHASES = ["schedule", "network", "block device", "spawn", "guest"]
NO_METADATA = {"service": "metadata", "effect": "status", "status": 503}
NO_DISK = {"service": "build", "host": "az1-host2", "effect": "error", "text": "the disk is full"}


def write(cloud, text):
    path = os.path.join(cloud.place, "boot.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def host_id(cloud, host):
    """As nova tells it to the members of project demo."""
    volumes = next(s for s in cloud.token()[1] if s["name"] == "cinder")
    project = volumes["endpoints"][0]["url"].rsplit("/", 1)[1]
    return hashlib.sha224((project + host).encode()).hexdigest()


def step(run, name):
    return next(s for s in run["steps"] if s["name"] == name)


def test_a_guest_without_metadata_says_so():
    with simulated(faults={"faults": [NO_METADATA]}, speed=20) as cloud:
        with open(os.path.join(ROOT, "scenarios/server-login.yaml"), encoding="utf-8") as f:
            text = f.read().replace("{ssh: {to", "{timeout: 10s, ssh: {to")
        run = report(cloud.run("try", write(cloud, text), "--json"))
        cloud.assert_clean()
    login = step(run, "login[0]")
    assert run["verdict"] == "failed" and login["first_cause"]
    assert "the guest got no answer from the metadata service" in login["detail"] and '"' in login["detail"]
    boot = step(run, "server[0]")["boot"]
    assert boot["cause"] == "no_metadata" and boot["failed"] == "login[0]" and not boot["good"]
    assert boot["fault"] == login["fault"]
    assert boot["console"] and boot["console"] in login["detail"]


BATCH = """scenario: batch
deadline: 60s
teardown: 60s
params: {image: auto, flavor: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.71.0.0/24}}
  lot:    {server_batch: {min_count: 2, imageRef: "${image}", flavorRef: "${flavor}", networks: [{uuid: "${net}"}]}, after: [subnet]}
"""


def test_servers_of_a_batch_have_boots_of_their_own():
    """One that nobody can log in to is explained too: matrix.py has a guest without metadata."""
    with simulated() as cloud:
        run = report(cloud.run("try", write(cloud, BATCH), "--json"))
        cloud.assert_clean()
    boots = [step(run, f"lot[{n}]")["boot"] for n in (0, 1)]
    assert run["verdict"] == "passed" and all(b["good"] and b["hosts"][0]["host"] == b["host"] for b in boots)
    assert boots[0]["server"] != boots[1]["server"] and boots[0]["host"] != boots[1]["host"]


def test_phases_are_there_and_sum_up():
    with simulated(speed=5) as cloud:
        run = report(cloud.run("try", "server-login", "--json"))
        cloud.assert_clean()
    server = step(run, "server[0]")
    boot = server["boot"]
    assert boot["good"] and "fault" not in boot and "console" not in boot
    names = [p["name"] for p in boot["phases"]]
    assert "spawn" in names and names[-1] == "guest" and names == [p for p in PHASES if p in names]
    built = sum(p["ms"] for p in boot["phases"][:-1])
    assert built <= server["ready_ms"] - server["answer_ms"] + 1
    assert built >= 0.9 * (server["ready_ms"] - server["answer_ms"])
    assert [h["good"] for h in boot["hosts"]] == [True] and boot["hosts"][0]["host"] == boot["host"]


def test_a_build_that_fails_names_fault_and_host():
    with simulated(faults={"faults": [NO_DISK]}) as cloud:
        run = report(cloud.run("try", write(cloud, MANY), "--json"))
        bad = [s for s in run["steps"] if s.get("boot") and not s["boot"]["good"]]
        cloud.assert_clean()
        assert [s["boot"]["host"] for s in bad] == [host_id(cloud, "az1-host2")]
    boot = bad[0]["boot"]
    assert boot["fault"] == "error_state" and "the disk is full" in bad[0]["detail"]
    assert [(h["host"], h["good"]) for h in boot["hosts"]] == [(boot["host"], False)]
    assert sum(1 for s in run["steps"] if s.get("boot") and s["boot"]["good"]) == 3


def test_an_alarm_says_what_failures_have_in_common():
    receiver = Receiver()
    told = lambda: [c for c in receiver.changes() if "on host" in str(c)]
    # three of twelve in one run: the first change of health knows it already
    with simulated(faults={"faults": [NO_DISK], "quota": {"instances": -1, "cores": -1, "ram": -1}}) as cloud:
        bad = host_id(cloud, "az1-host2")
        config = {"judge": {"minimum": "1s", "confirm": 1}, "alarms": [{"webhook": receiver.url, "fold": "1s"}],
                  "clouds": {"sim": {"every": "1s", "hosts": ["az1-host1", "az1-host2", "az2-host1"]}},
                  "scenarios": [{"use": write(cloud, MANY), "every": "10s", "params": {"servers": 12}}]}
        with running(cloud, config) as run:
            clouds = lambda: run.json("/api/ops/v1/hosts.json", run.intake)["clouds"]
            doc = until(lambda: [c for c in clouds() if c["common"]], "three failed", 120)[0]
            assert run.get("/hosts")[0] == 403 and run.get("/api/ops/v1/hosts.json")[0] == 403
            assert "/hosts" not in run.get("/")[2].decode() and "/hosts" in run.get("/", run.intake)[2].decode()
            common = doc["common"]
            assert (common["dimension"], common["value"], common["came_up"]) == ("host", "az1-host2", 0)
            assert common["failed"] >= 3 and common["elsewhere"] > 0
            first = doc["hosts"][0]
            assert first["host"] == bad and first["name"] == "az1-host2" and first["zone"] == "az1"
            assert first["failed_24h"] >= 3 and first["good_24h"] == 0 and not first["last_good"]
            assert first["last_failure"]["fault"] == "error_state"
            others = {h["name"]: h for h in doc["hosts"][1:]}
            assert set(others) == {"az1-host1", "az2-host1", None}
            assert all(h["last_good"] and h["failed_24h"] == 0 for h in others.values())
            page = run.get("/hosts", run.intake)[2].decode()
            assert page.index("az1-host2") < page.index("az1-host1") and "Failed last" in page
            assert "24 hours were on host az1-host2, where 0 of" in page
            page = run.get("/hosts?lang=de", run.intake)[2].decode()
            assert "Fehlschläge in 24 Stunden waren auf dem Host az1-host2" in page and "failures of" not in page
            page = run.get(f"/runs/{first['last_failure']['run']}?lang=de", run.intake)[2].decode()
            assert "Gescheitert" in page and bad in page
            change = until(told, "the alarm says so")[0]
            assert f"all 3 failures of 24 h were on host {bad}, where 0 of 3 came up" in str(change)
            scenario = run.json("/api/ops/v1/scenarios/boot.json")
            steps = {s["name"]: s for s in scenario["steps"]}
            assert any(p["n"] for p in steps["server.schedule"]["trend"]["points"])
    receiver.close()
