"""A load balancer of a provider that never works on it stays PENDING for ever: it is for an administrator, who
ends it in the database, and the next sweep closes its row."""
import json
import os
import pathlib
import subprocess

from lab import GLASSHOUSE, difference, glasshouse, inventory, open_rows

SCENARIO = """
scenario: pending
deadline: 2m
teardown: 15s
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.83.0.0/24}}
  lb:     {loadbalancer: {vip_subnet_id: "${subnet}", provider: noop_driver}, timeout: 5s}
"""
SOCKET = pathlib.Path(os.environ.get("LAB_DIR", "/var/tmp/cloudlab")) / "run/mysql.sock"


def rows(state):
    out = subprocess.run([GLASSHOUSE, "ledger", "--json", "--state", str(state)], capture_output=True, text=True)
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    return {row["kind"]: row for row in lines[:-1]}, lines[-1]["totals"]


def end_in_database(balancer):
    """No controller works on it, so ERROR and another delete would lead to PENDING_DELETE only."""
    sql = f"UPDATE load_balancer SET provisioning_status = 'DELETED' WHERE id = '{balancer}'"
    subprocess.run(["mariadb", "-S", str(SOCKET), "-u", "root", "octavia", "-e", sql], check=True)


def test_pending_for_ever(conn, state, tmp_path):
    before = inventory(conn)
    path = tmp_path / "pending.yaml"
    path.write_text(SCENARIO)
    out = glasshouse("try", str(path), state=state, instance="ledger")
    assert out.returncode == 1, out.stdout + out.stderr
    made, totals = rows(state)
    stuck = made["loadbalancer"]
    try:
        assert stuck["fate"] == "needs-admin" and totals["needs_admin"] == 1
        assert stuck["seen"]["state"] == "PENDING_CREATE"
        assert f"provisioning_status='ERROR' WHERE id='{stuck['id']}'" in stuck["fix"]
        assert stuck["fix"].endswith(f"openstack loadbalancer delete --cascade {stuck['id']}")
        assert stuck["service_request_id"].startswith("req-")
        assert {made["network"]["fate"], made["subnet"]["fate"]} == {"created"}, "they wait for it"
    finally:
        end_in_database(stuck["id"])
        glasshouse("sweep", "--older", "0s", state=state, instance="ledger")
    assert open_rows(state)[0] == 0, open_rows(state)[1]
    assert rows(state)[0]["loadbalancer"]["note"] == "it needed an administrator, and is gone now"
    assert difference(before, inventory(conn)) == []
