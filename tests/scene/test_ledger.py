"""The ledger: what sticks in a cloud so that only an administrator can end it, what fixes it, and that all balances."""
import json
import os

import pytest

from running import Receiver, running, until
from simulated import simulated

VOLUME = """scenario: stuck
deadline: 5s
teardown: 2s
resources:
  vol:  {volume: {size: 1}}
  snap: {snapshot: {volume_id: "${vol}"}}
"""
BACKUP = """scenario: stuck
deadline: 30s
teardown: 5s
resources:
  vol:    {volume: {size: 1}}
  backup: {backup: {volume_id: "${vol}"}}
"""
SERVER = """scenario: stuck
deadline: 30s
teardown: 3s
params: {image: auto, flavor: auto}
resources:
  server: {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: none}}
"""
NETWORK = """scenario: stuck
deadline: 60s
teardown: 3s
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.73.0.0/24}}
"""


def strikes(path, effect, method="DELETE", service="volume"):
    return {"service": service, "method": method, "path": path, "effect": effect}


def write(cloud, scenario):
    path = os.path.join(cloud.place, "stuck.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(scenario)
    return path


def ledger(cloud, *args):
    """(rows, totals), which balance."""
    out = cloud.run("ledger", "--json", *args)
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    totals = lines.pop()["totals"]
    assert totals["created"] == sum(n for key, n in totals.items() if key != "created"), totals
    return lines, totals


def one_stuck(cloud, kind):
    """The only row for an administrator, and the totals."""
    rows, totals = ledger(cloud, "--open")
    assert [r["kind"] for r in rows if r["fate"] == "needs-admin"] == [kind], rows
    assert rows[0]["kind"] == kind, "what an administrator must do comes first"
    assert totals["needs_admin"] == 1
    return rows[0], totals


@pytest.mark.parametrize("scenario,fault,kind,state,command", [
    (VOLUME, strikes("*/volumes/*", "stuck"), "volume", "deleting",
     "openstack volume set --state error --detached {id} && openstack volume delete --force {id}"),
    (VOLUME, strikes("*/volumes/*", "error"), "volume", "error_deleting",
     "openstack volume set --state error --detached {id} && openstack volume delete --force {id}"),
    (VOLUME, strikes("*/volumes", "stuck", "POST"), "volume", "creating",
     "openstack volume set --state error --detached {id} && openstack volume delete --force {id}"),
    (VOLUME, strikes("*/snapshots/*", "error"), "snapshot", "error_deleting",
     "openstack volume snapshot set --state error {id} && openstack volume snapshot delete --force {id}"),
    (BACKUP, strikes("*/backups/*", "stuck"), "backup", "deleting",
     "openstack volume backup set --state error {id} && openstack volume backup delete --force {id}"),
    (SERVER, strikes("*/servers/*", "stuck", service="compute"), "server", "ACTIVE, deleting",
     "openstack server set --state error {id} && openstack server delete --force {id}"),
], ids=["volume deleting", "volume error_deleting", "volume creating", "snapshot", "backup", "server"])
def test_what_sticks_is_for_an_administrator(scenario, fault, kind, state, command):
    with simulated(speed=200, faults={"faults": [fault]}) as cloud:
        out = cloud.run("try", write(cloud, scenario), "--json")
        assert out.returncode in (1, 2), out.stdout + out.stderr  # 2: it was never ready, and proves nothing
        row, _ = one_stuck(cloud, kind)
        assert row["seen"]["state"] == state
        assert row["fix"] == command.format(id=row["id"])
        assert row["admin_since"] >= row["created"]
        assert row["request_id"].startswith("req-") and row["seen"]["request_id"].startswith("req-")
        answered = {r["request_id"]: r["method"] for r in cloud.requests()}
        assert answered[row["service_request_id"]] == "POST"
        assert answered[row["seen"]["service_request_id"]] == "DELETE"
        text = cloud.run("ledger", "--open").stdout
        assert f"    {row['fix']}\n" in text
        assert "needs an administrator 1\n" in text


def test_a_backup_without_its_service():
    with simulated(speed=200, faults={"services": {"backup": False}}) as cloud:
        cloud.run("try", write(cloud, BACKUP))
        row, totals = one_stuck(cloud, "backup")
        assert row["seen"]["status"] == 404
        assert "Service cinder-backup could not be found" in row["seen"]["message"]
        assert row["seen"]["service"] == "block-storage"
        assert row["fix"] == (f"openstack volume backup set --state error {row['id']} && "
                              f"openstack volume backup delete --force {row['id']}")
        assert totals["deleted"] == 1, "its volume went"


def test_a_sweep_closes_what_was_fixed():
    with simulated(speed=200, faults={"faults": [strikes("*/snapshots/*", "stuck")]}) as cloud:
        cloud.run("try", write(cloud, VOLUME))
        row, totals = one_stuck(cloud, "snapshot")
        assert totals["left"] == 1, "the volume that it holds is for the next sweep"
        out = cloud.run("sweep", "--older", "0s", "--budget", "2s")
        assert out.returncode == 1 and "need an administrator" in out.stdout
        again, _ = one_stuck(cloud, "snapshot")
        assert again["admin_since"] == row["admin_since"] and again["fix"] == row["fix"]
        deletes = [r for r in cloud.requests() if r["method"] == "DELETE" and "/snapshots/" in r["path"]]
        assert len(deletes) == 1, "what needs an administrator is looked at, not asked again"
        cloud.clear()
        cloud.ask("POST", "/reset", {"id": row["id"], "state": "error"})
        out = cloud.run("sweep", "--older", "0s")
        assert out.returncode == 0, out.stdout
        rows, totals = ledger(cloud)
        assert {r["fate"] for r in rows} == {"deleted"} and totals["deleted"] == totals["created"] == 2
        closed = next(r for r in rows if r["kind"] == "snapshot")
        assert closed["fix"] is None and closed["admin_since"] is None
        assert closed["note"] == "it needed an administrator, and is gone now"
        cloud.assert_clean()


def test_a_sweep_has_patience_with_what_goes():
    """Name servers take minutes to forget a zone: what was accepted is waited for, whatever else sticks."""
    scenario = """scenario: slow
resources:
  vol:  {volume: {size: 1}}
  snap: {snapshot: {volume_id: "${vol}"}}
  zone: {dns_zone: {name: "${run}.example.", email: hostmaster@example.org}}
"""
    faults = {"times": {"dns_zone_delete": "700s"}, "spread": 0, "faults": [strikes("*/snapshots/*", "error")]}
    with simulated(speed=50, faults=faults) as cloud:
        run = cloud.start("try", write(cloud, scenario), "--hold")
        until(lambda: any(z["status"] == "ACTIVE" for z in cloud.api("dns", "GET", "/v2/zones")["zones"])
              and any(s["status"] == "available" for s in cloud.api("volumev3", "GET", "/snapshots")["snapshots"]),
              "everything is made")
        run.kill()
        run.wait()
        out = cloud.run("sweep", "--older", "0s", "--budget", "1m")
        assert out.returncode == 1 and "need an administrator" in out.stdout
        one_stuck(cloud, "snapshot")
        assert cloud.api("dns", "GET", "/v2/zones")["zones"] == []


def test_a_container_that_went_before_the_sweep():
    """Deleted, and killed before that was written: the sweep looks for what lies in it, and nothing does."""
    with simulated(speed=200) as cloud:
        run = cloud.start("try", write(cloud, "scenario: box\nresources:\n  box: {container: {}}\n"), "--hold")
        name = until(lambda: next((c["name"] for c in cloud.api("object-store", "GET", "?format=json")), None),
                     "the container is there")
        run.kill()
        run.wait()
        cloud.api("object-store", "DELETE", "/" + name)
        out = cloud.run("sweep", "--older", "0s")
        assert out.returncode == 0, out.stdout + out.stderr
        assert ledger(cloud, "--open")[0] == []
        cloud.assert_clean()


def test_a_network_held_by_a_port_of_somebody_else():
    with simulated(speed=200) as cloud:
        run = cloud.start("try", write(cloud, NETWORK), "--hold")
        net = until(lambda: next((n["id"] for n in cloud.api("network", "GET", "/networks")["networks"]
                                  if n["name"].startswith("gh-") and n["subnets"]), None), "the network is there")
        port = cloud.api("network", "POST", "/ports", {"port": {"network_id": net, "name": "a stranger's"}})["port"]["id"]
        run.terminate()
        assert run.wait(60) == 1
        rows, totals = ledger(cloud, "--open")
        assert [(r["kind"], r["fate"]) for r in rows] == [("subnet", "needs-admin"), ("network", "created")]
        assert rows[0]["seen"]["holder"] == port
        assert rows[0]["fix"] == f"openstack port delete {port} && openstack subnet delete {rows[0]['id']}"
        assert cloud.run("sweep", "--older", "0s", "--budget", "2s").returncode == 1
        rows, totals = ledger(cloud, "--open")
        assert totals["needs_admin"] == 2
        held = next(r for r in rows if r["kind"] == "network")
        assert held["fix"] == f"openstack port delete {port} && openstack network delete {net}"
        cloud.api("network", "DELETE", f"/ports/{port}")
        assert cloud.run("sweep", "--older", "0s").returncode == 0
        assert ledger(cloud, "--open")[0] == []


def test_a_second_signal_proves_nothing():
    """Who gives up at once has not seen it stick."""
    with simulated(speed=200, faults={"faults": [strikes("*/volumes/*", "stuck")]}) as cloud:
        run = cloud.start("try", write(cloud, VOLUME.replace("teardown: 2s", "teardown: 5m")))
        until(lambda: any(v["status"] == "deleting" for v in cloud.api("volumev3", "GET", "/volumes/detail")["volumes"]),
              "it is being deleted")
        run.terminate()
        assert run.wait(60) == 1
        rows, totals = ledger(cloud, "--open")
        assert [(r["kind"], r["fate"]) for r in rows] == [("volume", "created")] and totals["left"] == 1


def test_operators_are_told_once_and_once_when_it_is_over():
    receiver = Receiver()
    needs = lambda: [n for _, _, body in receiver.taken for n in body["needs_admin"]]
    with simulated(speed=200, faults={"faults": [strikes("*/snapshots/*", "stuck") | {"times": 1}]}) as cloud:
        config = {"alarms": [{"webhook": receiver.url, "fold": "1s"}],
                  "scenarios": [{"use": write(cloud, VOLUME), "every": "10s"}]}
        with running(cloud, config) as run:
            told = until(lambda: needs(), "it is told")
            assert len(told) == 1 and told[0]["kind"] == "snapshot" and not told[0]["over"]
            assert told[0]["fix"].startswith("openstack volume snapshot set --state error " + told[0]["id"])
            assert run.stop() == 0
        cloud.ask("POST", "/reset", {"id": told[0]["id"], "state": "error"})
        with running(cloud, config) as run:  # its first sweep finds it fixed
            told = until(lambda: len(needs()) > 1 and needs(), "that it is over is told")
            assert len(told) == 2 and told[1]["over"] and told[1]["id"] == told[0]["id"]
            assert told[1]["lasted_s"] >= 0
            assert run.stop() == 0
        assert len(needs()) == 2
    receiver.close()


def test_the_page_is_for_operators_and_works_by_links_alone():
    with simulated(speed=200, faults={"faults": [strikes("*/snapshots/*", "error") | {"times": 1}]}) as cloud:
        cloud.run("try", write(cloud, VOLUME))
        cloud.run("try", "network-basics", cloud="sim-b")
        row, _ = one_stuck(cloud, "snapshot")
        with running(cloud, {}) as run:
            run.wait_health("compute", "operational")
            assert run.get("/ledger")[0] == 403 and run.get("/api/ops/v1/ledger.json")[0] == 403
            assert "/ledger" not in run.get("/")[2].decode() and "/ledger" in run.get("/", run.intake)[2].decode()
            status, _, page = run.get("/ledger", run.intake)
            page = page.decode()
            assert status == 200 and row["fix"].replace("&&", "&amp;&amp;") in page
            assert page.index(row["id"]) < page.index("Removed</span>", page.index("<ul class=\"rows\"")), "open rows come first"
            assert "Braucht einen Administrator seit" in run.get("/ledger?lang=de", run.intake)[2].decode()
            doc = run.json("/api/ops/v1/ledger.json", run.intake)
            totals = doc["totals"]
            assert totals["created"] == sum(n for key, n in totals.items() if key != "created") > 3
            assert doc["rows"][0]["id"] == row["id"] and doc["clouds"] == ["sim", "sim-b"]
            only = run.json("/api/ops/v1/ledger/deleted:sim-b:1.json", run.intake)
            assert {(r["fate"], r["cloud"]) for r in only["rows"]} == {("deleted", "sim-b")}
            assert only["totals"]["needs_admin"] == 0
            opened = run.json("/api/ops/v1/ledger/open::1.json", run.intake)
            assert opened["rows"] and not any(r["fate"] in ("deleted", "refused") for r in opened["rows"])
            for wrong in ("nothing::1", "all:sim:0", "all", "all:sim:x"):
                assert run.get(f"/ledger/{wrong}", run.intake)[0] == 404, wrong
            assert run.stop() == 0


def test_the_page_goes_on():
    with simulated(speed=200) as cloud:
        many = "scenario: many\nresources:\n  net: {network: {}, count: 70}\n"
        assert cloud.run("try", write(cloud, many)).returncode == 0
        with running(cloud, {}) as run:
            pages = [run.json(f"/api/ops/v1/ledger/all::{n}.json", run.intake) for n in (1, 2, 3)]
            assert [len(p["rows"]) for p in pages] == [30, 30, 10] and [p["more"] for p in pages] == [True, True, False]
            assert len({r["id"] for p in pages for r in p["rows"]}) == 70
            second = run.get("/ledger/all::2", run.intake)[2].decode()
            assert 'rel="prev"' in second and 'rel="next"' in second
            assert "all%3A%3A3" in second or "all::3" in second
            assert run.stop() == 0
