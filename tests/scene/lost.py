"""What a lost answer to a create must come to, whatever the kind: for test_lost.py and test_kinds_lost.py."""
from simulated import Simulated, report

WHEN = ("before", "after", "late")  # the service never got it; it was made; it is made a moment later


def play(scenario, kind, create, when, doubles, then=None):
    """Plays the scenario on a cloud that loses the answer to the first `create` (service, method, path). `doubles`: a
    second one could be made by mistake. `then`: what to look at after the sweep."""
    service, method, path = create
    fault = {"service": service, "method": method, "path": path, "nth": 1, "effect": "lost", "when": when}
    with Simulated(faults={"faults": [fault]}) as cloud:
        out = cloud.run("try", scenario, "--json")
        text = f"{kind}, lost {when}: {out.stdout[-3000:]}{out.stderr}"
        assert cloud.faults()[0]["fired"] == 1, text
        # a lost answer is seen by customers: never plainly good
        assert report(out)["verdict"] == "degraded", text
        # what never appeared is not known to be nowhere before its time has passed
        unsure = when == "before" and doubles
        said = report(out)
        assert said["created"] == said["deleted"] + said["left"], said
        assert (out.returncode, said["left"]) == ((1, 1) if unsure else (0, 0)), text
        cloud.assert_clean()
        out = cloud.run("sweep", "--older", "0s")
        assert out.returncode == 0, text + out.stdout + out.stderr
        ledger = cloud.run("ledger", "--open")
        assert ledger.returncode == 0, text + ledger.stdout
        if then:
            then(cloud, text)
