"""What `glasshouse try` measures is kept, and `glasshouse series` shows it; on the simulated cloud."""
import csv
import io
import json
import os
import re
import subprocess

import pytest

from simulated import GLASSHOUSE, Simulated, simulated

DEEP = """
scenario: shop
params: {places: [az-a, az-b]}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.9.0.0/24}, metric: create_subnet}
checks:
  zone: {value: "${it.zone}", each: {zone: "${places}"}, expect: ["len([VALUE]) == 4"]}
  wrong: {list: {service: network, path: /nowhere}, after: [subnet], expect: ["[STATUS] == 200"]}
"""


def series(cloud, *args, state="state"):
    return subprocess.run([GLASSHOUSE, "series", *args, "--state", os.path.join(cloud.place, state)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def lines(out):
    assert out.returncode == 0, out.stderr
    return [json.loads(line) for line in out.stdout.splitlines()]


def of(found, name):
    one = [p for p in found if p["series"].split("{")[0] == name]
    assert len(one) == 1, (name, found)
    return one[0]


@pytest.fixture(scope="module", name="cloud")
def one_cloud():
    """Three good runs of network-basics, and two of a scenario with a wrong step."""
    with Simulated() as cloud:
        for _ in range(3):
            out = cloud.run("try", "network-basics", "--json")
            assert out.returncode == 0, out.stderr
        path = os.path.join(cloud.place, "shop.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(DEEP)
        out = cloud.run("try", path, "--runs", "2")
        assert out.returncode == 1 and not out.stderr, out.stderr
        yield cloud


def test_every_step_and_the_run(cloud):
    found = lines(series(cloud, "network-basics*", "--json", "--from", "1h", "--step", "1d"))
    names = {p["series"].split("{")[0] for p in found}
    assert {"network-basics", "network-basics.net", "network-basics.link", "network-basics.seen"} <= names
    for p in found:
        assert (p["n"], p["ok"], p["faults"], p["kind"], p["unit"]) == (3, 3, {}, "probe", "us")
        assert 0 <= p["min"] <= p["p50"] <= p["p95"] <= p["max"] and p["sum"] >= 3 * p["min"]
        assert 'cloud="sim"' in p["series"] and 'scenario="network-basics"' in p["series"]
    run, net = of(found, "network-basics"), of(found, "network-basics.net")
    assert run["max"] >= net["max"] > 0
    assert 'step="net"' in net["series"]


def test_what_was_measured_is_what_the_report_said(cloud):
    out = cloud.run("try", "network-basics", "--json", state="measured")
    report = json.loads(out.stdout.splitlines()[-1])
    found = lines(series(cloud, "*", "--json", "--step", "1d", state="measured"))
    rows = {row["name"]: row for row in report["steps"]}
    for name in ("net", "router", "link", "port"):
        took = 1e3 * (rows[name]["ready_ms"] - rows[name]["start_ms"])
        assert of(found, "network-basics." + name)["max"] == pytest.approx(took, rel=0.02, abs=2)


def test_faults_metrics_and_dimensions(cloud):
    found = lines(series(cloud, "*", "--json", "--step", "1d"))
    wrong = of(found, "shop.wrong")
    assert wrong["n"] == 2 and wrong["ok"] == 0 and sum(wrong["faults"].values()) == 2 and "max" not in wrong
    whole = of(found, "shop")
    assert whole["ok"] == 0 and whole["faults"] == wrong["faults"]
    assert of(found, "create_subnet")["ok"] == 2 and not [p for p in found if p["series"].startswith("shop.subnet")]
    zones = sorted(p["series"] for p in found if p["series"].startswith("shop.zone"))
    assert [re.search('zone="(.*?)"', z)[1] for z in zones] == ["az-a", "az-b"]


def test_table_csv_and_list(cloud):
    table = series(cloud, "network-basics", "--step", "1d")
    assert table.returncode == 0
    head, columns, row = table.stdout.splitlines()[:3]
    assert head.startswith("network-basics{cloud=") and columns.split()[:3] == ["time", "n", "ok"]
    assert row.split()[1:3] == ["3", "3"] and re.search(r"\d(us|ms|s)\b", row)
    rows = list(csv.DictReader(io.StringIO(series(cloud, "shop*", "--csv", "--step", "1d").stdout)))
    wrong = [r for r in rows if r["series"].startswith("shop.wrong")]
    assert len(wrong) == 1 and wrong[0]["n"] == "2" and wrong[0]["max"] == "" and wrong[0]["faults"].endswith(" 2")
    names = series(cloud, "--list", "--csv").stdout.splitlines()
    assert names[0] == "series,kind,last" and len(names) > 12
    listed = [json.loads(line) for line in series(cloud, "--list", "shop*", "--json").stdout.splitlines()]
    assert listed and all(s["last"].endswith("Z") for s in listed)
    assert 'zone="az-a"' in series(cloud, 'shop.zone{*zone="az-a"*}').stdout


def test_ranges(cloud):
    assert lines(series(cloud, "shop", "--json", "--from", "2020-01-01T00:00:00Z", "--to",
                        "2020-01-02T00:00:00Z", "--step", "1d")) == []
    out = series(cloud, "shop", "--from", "2020-01-01T00:00:00Z", "--to", "2020-01-01T01:00:00Z", "--step", "1s")
    assert out.returncode == 2 and "no longer kept" in out.stderr and "ten minutes" in out.stderr
    out = series(cloud, "shop", "--from", "24h", "--step", "1s")
    assert out.returncode == 2 and "10000 points" in out.stderr


@pytest.mark.parametrize("args,says", [
    ([], "one name or pattern"), (["a", "b"], "one name or pattern"), (["a", "--step", "0s"], "--step"),
    (["a", "--from", "yesterday"], "--from"), (["a", "--to", "-1h"], "--to"),
    (["a", "--from", "1h", "--to", "2h"], "before"), (["a", "--what"], "what"),
])
def test_bad_input(cloud, args, says):
    out = series(cloud, *args)
    assert out.returncode == 2 and says in out.stderr and not out.stdout


def test_nothing_there(cloud):
    out = series(cloud, "nobody*")
    assert out.returncode == 1 and "--list" in out.stderr
    out = series(cloud, "shop", state="elsewhere")
    assert out.returncode == 2 and "elsewhere" in out.stderr
    assert not os.path.exists(os.path.join(cloud.place, "elsewhere"))


def test_a_store_that_refuses_does_not_stop_a_run():
    with simulated() as cloud:
        state = os.path.join(cloud.place, "state")
        os.makedirs(state, 0o700)
        with open(os.path.join(state, "series"), "w", encoding="utf-8") as f:
            f.write("a file where the directory should be")
        out = cloud.run("try", "network-basics")
        assert out.returncode == 0 and "results are not kept" in out.stderr
        cloud.assert_clean()
