"""The shipped scenarios on a real OpenStack; afterwards the project holds what it held before."""
import pytest

from lab import difference, glasshouse, inventory, open_rows


@pytest.mark.parametrize("scenario,params", [
    ("network-basics", []), ("server-login", ["servers=2"]), ("image-life", ["size=8MiB"]),
    ("volume-life", ["with_backup=false"]), ("server-per-zone", []), ("floating-ip-move", []), ("dns-zone", []),
    ("api-tour", []), ("boot-from-volume", []), ("ipv6", []), ("lb-kill-and-recover", []), ("load-balancer", []),
    ("object-store", []), ("quota-edge", []), ("resize-and-rebuild", []), ("secret", []), ("security-groups", []),
    ("server-life", []),
    ("stack", ["update=false"]),  # the lab's heat answers 500 to every update
    # its guests let nobody log in through a jump host (dropbear -j -k), and reach nothing beyond this machine
    ("oshm", ["servers=2", "nets=1", "jh=1", "forward=true", "pi=false", "disk=false", "targets=[172.24.4.1]"]),
])
def test_scenario(scenario, params, conn, state):
    before = inventory(conn)
    args = [a for p in params for a in ("--param", p)]
    out = glasshouse("try", scenario, *args, state=state, instance="lab-test")
    assert out.returncode == 0, out.stdout[-4000:] + out.stderr[-2000:]
    assert open_rows(state) == (0, open_rows(state)[1])
    assert difference(before, inventory(conn)) == []
