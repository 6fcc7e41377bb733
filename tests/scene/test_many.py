"""`each` in a run: the names of its lists are the dimensions of the samples, its elements stripe."""
import json

from serve import run, serve

SCENARIO = """scenario: many
params: {zones: {compute: [az1, az2]}, sizes: [1400, null]}
resources:
  net:  {network: {mtu: "${it.mtu}", description: "${it.zone ?? 'none'}"}, each: {zone: "${zones.compute}", mtu: "${sizes}"}, metric: create_network}
  port: {port: {network_id: "${net[i]}"}, count: 5}
checks:
  paired: {value: "${port[i].network_id}", count: 5, expect: ["[VALUE] == ${net[i]}"]}
  fifth:  {value: "${port[4].network_id}", expect: ["[VALUE] == ${net[0]}"]}
  its:    {value: "${net[*].it.zone}", expect: ["[VALUE] == ${['az1', 'az1', 'az2', 'az2']}"]}
  last:   {value: "${net[-1].name}", expect: ["[VALUE] == pat(gh-${run}-net-3-*)"]}
"""


def test_dimensions_and_stripes(tmp_path):
    file = tmp_path / "many.yaml"
    file.write_text(SCENARIO)
    with serve(speed=50) as cloud:
        out = run(tmp_path, "try", str(file), "--json", "--state", str(tmp_path / "state"), clouds=cloud.clouds)
        left = [n for n in cloud.api("network", "GET", "/networks")["networks"] if n["name"].startswith("gh-")]
    report = json.loads(out.stdout.splitlines()[-1])
    steps = {s["name"]: s for s in report["steps"]}
    assert out.returncode == 0, [s.get("detail") for s in report["steps"] if s["state"] == "failed"]
    assert [steps[f"net[{i}]"]["dimensions"] for i in range(4)] == [
        {"zone": "az1", "mtu": 1400}, {"zone": "az1", "mtu": None},
        {"zone": "az2", "mtu": 1400}, {"zone": "az2", "mtu": None}]
    assert all(steps[f"net[{i}]"]["metric"] == "create_network" for i in range(4))
    assert "dimensions" not in steps["port[0]"]
    assert report["created"] == report["deleted"] == 9 and not left
