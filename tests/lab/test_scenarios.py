"""The shipped scenarios on a real OpenStack; afterwards the project holds what it held before."""
import pytest

from lab import difference, glasshouse, inventory, open_rows


@pytest.mark.parametrize("scenario,params", [
    ("network-basics", []), ("server-login", ["servers=2"]), ("image-life", ["size=8MiB"]),
    ("volume-life", ["with_backup=false"]), ("server-per-zone", []), ("floating-ip-move", []), ("dns-zone", []),
])
def test_scenario(scenario, params, conn, state):
    before = inventory(conn)
    args = [a for p in params for a in ("--param", p)]
    out = glasshouse("try", scenario, *args, state=state, instance="lab-test")
    assert out.returncode == 0, out.stdout[-4000:] + out.stderr[-2000:]
    assert open_rows(state) == (0, open_rows(state)[1])
    assert difference(before, inventory(conn)) == []
