"""`budget:`, `runs:` and what runs cost: counted from the journal, so that a restart forgets nothing."""
import json
import os

from running import Receiver, running, until
from simulated import report, simulated

NETWORKS = """scenario: networks
deadline: 60s
resources:
  net: {network: {}, count: 4}
"""
SERVERS = """scenario: servers
deadline: 60s
teardown: 60s
params: {image: auto, flavor: auto}
resources:
  server: {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: none}, count: 2}
"""


def write(cloud, text, name="budget.yaml"):
    path = os.path.join(cloud.place, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def ledger_rows(cloud):
    return [json.loads(line) for line in cloud.run("ledger", "--json").stdout.splitlines()][:-1]


def job(run, name):
    return next(j for j in run.site(True)["jobs"] if j["name"] == name)


def test_objects_of_a_scenario_also_after_a_restart():
    receiver = Receiver()
    unrun = lambda: [n for _, _, body in receiver.taken for n in body["could_not_run"]]
    with simulated() as cloud:
        config = {"alarms": [{"webhook": receiver.url, "fold": "1s"}],
                  "scenarios": [{"name": "nets", "use": write(cloud, NETWORKS), "every": "10s",
                                 "budget": {"objects": "9/h"}}]}
        words = "the scenario's budget is 9 objects an hour; 8 were made within the last one, and a run makes 4"
        with running(cloud, config) as run:
            until(lambda: job(run, "nets")["why"] == words, "the third is skipped", 60)
            assert job(run, "nets")["skips"] >= 1 and job(run, "nets")["runs"] == 2
            told = until(unrun, "operators are told")
            assert len(told) == 1 and words in told[0]["reason"]
            assert {c["health"] for c in run.site()["components"]} <= {"operational", "unknown"}
            assert run.health("network") == "operational", "a budget is not the cloud's fault"
            assert words in run.stderr() and words in run.get("/scenarios/nets", run.intake)[2].decode().replace("&#39;", "'")
            assert words not in run.get("/scenarios/nets")[2].decode().replace("&#39;", "'"), "it is the operators'"
            assert run.stop() == 0
        with running(cloud, config) as run:
            until(lambda: job(run, "nets")["why"] == words, "a restart has not forgotten", 60)
            assert job(run, "nets")["runs"] == 0
            assert run.stop() == 0
        assert len(ledger_rows(cloud)) == 8
        assert len(unrun()) == 1, "once, restarts or not"
        cloud.assert_clean()
    receiver.close()


def test_a_cloud_counts_all_its_scenarios():
    with simulated() as cloud:
        config = {"clouds": {"sim": {"endpoints": "none", "budget": {"objects": "8/h"}}},
                  "scenarios": [{"name": "a", "use": write(cloud, NETWORKS), "every": "10s"},
                                {"name": "b", "use": write(cloud, NETWORKS.replace("networks", "others"), "b.yaml"),
                                 "every": "10s"}]}
        with running(cloud, config) as run:
            until(lambda: all(job(run, n)["why"] or "" for n in "ab"), "both are skipped", 60)
            assert all(job(run, n)["why"].startswith("the cloud's budget is 8 objects") for n in "ab")
            assert run.stop() == 0
        assert len(ledger_rows(cloud)) == 8
        cloud.assert_clean()


def test_server_minutes_are_those_really_used():
    with simulated() as cloud:
        path = write(cloud, SERVERS)
        out = cloud.run("try", path, "--json")
        cost = report(out)["cost"]
        steps = report(out)["steps"]
        real = sum(s["gone_ms"] - s["answer_ms"] for s in steps) / 60000
        assert cost["objects"] == 2 and abs(cost["server_minutes"] - real) < 1e-6 and real > 0
        assert f"{cost['server_minutes']:.1f} server-minutes" in cloud.run("try", path).stdout
        # Four would be the bill of both deadlines; what the last run took is far less.
        config = {"scenarios": [{"use": path, "every": "10s", "budget": {"server_minutes": "3/h"}}]}
        with running(cloud, config) as run:
            until(lambda: job(run, "budget")["runs"] == 1, "it is run", 60)
            until(lambda: run.site(True)["scenarios"][0]["last"]["verdict"] == "passed", "it passes", 60)
            page = run.get("/runs/" + run.site(True)["scenarios"][0]["last"]["run"], run.intake)[2].decode()
            assert "<dt>Server-minutes</dt>" in page
            assert run.stop() == 0
        cloud.assert_clean()


def test_the_bill_counts_while_no_run_has_passed():
    with simulated() as cloud:
        config = {"scenarios": [{"use": write(cloud, SERVERS), "every": "10s", "budget": {"server_minutes": "3/h"}}]}
        with running(cloud, config) as run:
            why = until(lambda: job(run, "budget")["why"], "it is skipped", 60)
            assert why.endswith("0.0 were used within the last one, and a run takes 4.0")
            assert run.stop() == 0
        assert ledger_rows(cloud) == [] and cloud.left() == []


def test_so_many_runs_and_no_more():
    with simulated() as cloud:
        config = {"scenarios": [{"name": "nets", "use": write(cloud, NETWORKS), "every": "10s", "runs": 2}]}
        with running(cloud, config) as run:
            until(lambda: "has run 2 times, as configured: no more" in run.stderr(), "both are over", 60)
            until(lambda: job(run, "nets")["runs"] == 2 and job(run, "nets")["next_ms"] == 0, "none is to come", 40)
            assert run.stop() == 0
        assert len({r["run"] for r in ledger_rows(cloud)}) == 2
        cloud.assert_clean()


def test_plan_and_config_show_know_it(tmp_path):
    with simulated() as cloud:
        scenario = write(cloud, SERVERS)
        config = write(cloud, json.dumps({
            "clouds": {"sim": {"budget": {"server_minutes": "1/m"}}},
            "scenarios": [{"use": scenario, "budget": {"objects": "200/h"}, "runs": 3, "hold": "30m"}]}), "g.yaml")
        out = cloud.run("plan", scenario, "--config", config, "--json")
        bill = json.loads(out.stdout)["bill"]
        assert bill["budget"] == {"cloud": {"server_minutes": {"limit": 60, "used": 0.0, "need": 4.0, "fits": True}},
                                  "scenario": {"objects": {"limit": 200, "used": 0, "need": 2, "fits": True}}}
        text = cloud.run("plan", scenario, "--config", config).stdout
        assert "budget of the scenario" in text and "200 objects an hour" in text
