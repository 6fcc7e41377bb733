"""What guests are told to do, done by real ones: forwarding seen from outside, web servers, meshes, measurements.

The guests have bash, busybox, iptables, iperf3, bc and a stand-in for python3 that knows http.server; no fio, no nft.
"""
import os

import pytest

from lab import difference, glasshouse, inventory, open_rows, report_of, steps_of

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.mark.parametrize("scenario", ["guest-work", "guest-bench"])
def test_guests(scenario, conn, state):
    before = inventory(conn)
    out = glasshouse("try", os.path.join(HERE, f"{scenario}.yaml"), "--json", state=state, instance="lab-test")
    report = report_of(out)
    said = [f"{s['name']} {s['state']} {s['fault']} {s['detail']}" for s in report["steps"]]
    assert out.returncode == 0, "\n".join(said) + out.stderr[-2000:]
    steps = steps_of(report)
    if scenario == "guest-work":
        matrix = steps["mesh"]["measured"]["MATRIX"]
        assert matrix["owners"] == [0, 0, 1, 1] and matrix["loss"] == [[None, None, 0, 0], [0, 0, None, None]]
    else:
        # how much gets through depends on what else the machine does, but not how the figures belong together
        for i in range(2):
            measured = steps[f"iperf[{i}]"]["measured"]
            seconds = 8 * int(measured["RECEIVED"].rstrip("B")) / measured["THROUGHPUT"]
            assert 1 < seconds < 30, measured
    assert open_rows(state) == (0, open_rows(state)[1])
    assert difference(before, inventory(conn)) == []
