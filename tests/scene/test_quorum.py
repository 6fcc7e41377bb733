"""A house and two outposts, whole programs all three, that ask the same: verdicts by quorum, who dissents, who is the suspect."""
import contextlib

from running import Run, until
from test_outposts import free_port
from test_probes import Place, Web

PLACES = ("home", "berlin", "rome")
PROBES = {"front": "Shop", "cart": "Shop", "login": "Accounts"}
DOWN = (503, {}, b"down\n")


class Three:
    """What is asked is a path for each location and probe, so that each can fail alone."""

    def __init__(self, path):
        self.web = Web()
        self.to = f"http://127.0.0.1:{free_port()}"
        self.runs = {}
        for name in PLACES:
            place = path / name
            place.mkdir()
            token = path / f"{name}.token"
            token.write_text(f"of-{name}\n")
            token.chmod(0o600)
            if name == "home":
                own = {"listen": {"public": "127.0.0.1:0", "intake": self.to.removeprefix("http://")},
                       "outposts": [{"location": n, "token": f"file:{path}/{n}.token"} for n in PLACES[1:]]}
            else:
                own = {"report": {"to": self.to, "token": f"file:{token}"}}
            self.runs[name] = Run(Place(place), {
                "clouds": {}, "location": name, "instance": name, "probes": [
                    {"name": p, "http": f"{self.web.url}/{name}/{p}", "every": "2s", "timeout": "2s", "component": c}
                    for p, c in PROBES.items()], **own}, start=False)
        self.house = self.runs["home"]

    def start(self):
        for run in self.runs.values():
            run.start()
        until(lambda: all(o["taken"] > 20 for o in self.house.site(operators=True)["outposts"]), "outposts are heard")
        for component in ("shop", "accounts"):
            self.house.wait_health(component, "operational")

    def component(self, name):
        return next(c for c in self.house.site(operators=True)["components"] if c["id"] == name)

    def set(self, place, down, probes=PROBES):
        for probe in probes:
            if down:
                self.web.pages[f"/{place}/{probe}"] = DOWN
            else:
                self.web.pages.pop(f"/{place}/{probe}", None)

    def asked(self, place):
        return sum(path.startswith(f"/{place}/") for _, path, _, _ in list(self.web.asked))

    def rounds(self, place, n=6):
        """That many rounds of a location were answered from now on."""
        before = self.asked(place)
        until(lambda: self.asked(place) >= before + n * len(PROBES), f"{place} asks on")

    def healths(self, component):
        return {s["health"] for s in self.house.json(f"/api/ops/v1/components/{component}.json", self.house.intake)["spans"]
                if not s["gap"]}

    def trouble(self, place):
        return next((b for b in self.house.site(operators=True)["blindness"] if b["what"] == f"location {place}"), None)

    def events(self, place):
        return [e for e in self.house.site(operators=True)["events"] if e["key"] == f"blind:location:{place}"]

    def close(self):
        for run in self.runs.values():
            if hasattr(run, "process"):
                run.close()
        self.web.__exit__()


@contextlib.contextmanager
def three(path):
    t = Three(path)
    try:
        t.start()
        yield t
    finally:
        t.close()


def test_one_of_three_is_said_and_two_of_three_are_an_outage(tmp_path):
    with three(tmp_path) as t:
        t.set("berlin", True, ["login"])
        dissent = until(lambda: t.component("accounts")["dissent"], "the minority is shown")
        assert dissent.startswith("below quorum since ") and " UTC: berlin sees: " in dissent
        assert "home" not in dissent and "rome" not in dissent
        t.rounds("berlin")
        assert t.component("accounts")["health"] == "operational"
        assert t.healths("accounts") <= {"unknown", "operational"}, "never was it an outage"
        t.set("rome", True, ["login"])
        t.house.wait_health("accounts", "outage")
        assert until(lambda: t.component("accounts")["dissent"] is None, "who says what the quorum says does not dissent")
        assert t.component("shop")["health"] == "operational"
        evidence = t.house.json(f"/api/ops/v1/evidence/{t.component('accounts')['evidence']}.json", t.house.intake)
        assert {s["location"]: s["says"] for s in evidence["sources"] if s["location"]} == {"berlin": "bad", "rome": "bad"}
        t.set("rome", False)
        t.house.wait_health("accounts", "operational")
        until(lambda: "berlin sees" in (t.component("accounts")["dissent"] or ""), "the minority is shown again")
        t.set("berlin", False)
        until(lambda: t.component("accounts")["dissent"] is None, "nobody sees it worse")
        assert t.trouble("berlin") is None and t.trouble("rome") is None


def test_a_location_that_fails_at_everything_charges_nobody(tmp_path):
    with three(tmp_path) as t:
        t.set("berlin", True)
        why = until(lambda: t.trouble("berlin"), "operators are told")["why"]
        assert why == ("berlin fails at most of what it asks, and others do not: it is itself the suspect, and its failures "
                       "do not count")
        event = until(lambda: t.events("berlin"), "an event for operators")[0]
        assert (event["title"], event["public"], event["machine"]) == ("A location is in trouble: berlin", False, True)
        t.rounds("berlin")
        for component in ("shop", "accounts"):
            assert t.component(component)["health"] == "operational"
            until(lambda c=component: t.component(c)["dissent"] is None, "nor is it a witness")
            assert t.healths(component) <= {"unknown", "operational"}, "its failures charge nobody"
        # The house starts again, and the suspect says nothing any more: it is silent, in the same event.
        t.house.stop()
        t.house.close()
        t.runs["berlin"].kill()
        t.runs["berlin"].close()
        t.house.start()
        until(lambda: "nothing was heard of it since" in (t.trouble("berlin") or {"why": ""})["why"], "silence is told", 120)
        assert [(e["id"], e["phase"]) for e in t.events("berlin")] == [(event["id"], "detected")]
        for component in ("shop", "accounts"):
            t.house.wait_health(component, "operational")
        t.set("berlin", False)
        t.runs["berlin"].start()
        until(lambda: t.trouble("berlin") is None, "it is heard and believed again")
        until(lambda: [(e["id"], e["phase"]) for e in t.events("berlin")] == [(event["id"], "resolved")], "the event closes itself")
