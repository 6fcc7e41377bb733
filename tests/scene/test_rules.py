"""The rules of the scenario language, each by a run of the whole program on a simulated cloud."""
import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from simulated import ROOT, report, simulated


@pytest.fixture(scope="module")
def cloud():
    with simulated(speed=50) as found:
        yield found


@pytest.fixture(autouse=True)
def clean(cloud):
    """No rule of one test strikes another, and nothing of it stays."""
    cloud.clear()
    yield
    cloud.clear()
    cloud.assert_clean()


class Tried:
    """One run: its report, the rows of its steps, and what it has sent."""

    def __init__(self, cloud, path, text, *args, code=0, left=0):
        file, log = path / "rules.yaml", path / "log"
        file.write_text("scenario: rules\n" + text)
        self.out = cloud.run("try", str(file), "--json", "--log", str(log), *args)
        assert self.out.stdout, self.out.stderr
        self.report = report(self.out)
        self.steps = {s["name"]: s for s in self.report["steps"]}
        self.events = [json.loads(line) for line in self.out.stdout.splitlines()[:-1]]
        with open(log, encoding="utf-8") as f:
            self.sent = [json.loads(line) for line in f]
        said = [f"{s['name']} {s['state']} {s['fault']} {s['detail']}" for s in self.report["steps"]]
        assert self.out.returncode == code, "\n".join(said)
        assert self.report["left"] == left

    def states(self):
        return {name: s["state"] for name, s in self.steps.items()}

    def bodies(self, method, pattern):
        """Bodies of the requests of that method whose address matches, in the order they were answered."""
        return [r["request_body"] for r in self.sent if r["method"] == method and re.search(pattern, r["url"])]

    def order(self, *methods):
        return [(r["method"], r["url"].split("/v2.0/")[1]) for r in self.sent
                if r["method"] in methods and "/v2.0/" in r["url"]]


@pytest.fixture
def attempt(cloud, tmp_path):
    return lambda text, *args, **more: Tried(cloud, tmp_path, text, *args, **more)


# --- changes ---


CHANGES = """
resources:
  net: {network: {}}
actions:
  first:  {set: {of: "${net}", description: one}, undo: {of: "${net}", description: first back}}
  second:
    set: {of: "${net}", admin_state_up: false}
    until: "${net.admin_state_up} == false && ${net.description} == one"
    undo: {of: "${net}", admin_state_up: true}
    after: [first]
  third:
    call: {service: network, method: PUT, path: "/networks/${net}", body: {network: {mtu: 1400}}}
    undo: {service: network, method: PUT, path: "/networks/${net}", body: {network: {mtu: 1450}}}
    after: [second]
"""


def undone(tried):
    return [b["network"] for b in tried.bodies("PUT", "/networks/")][3:]


def test_set_and_call_are_undone_in_reverse(attempt):
    tried = attempt(CHANGES)
    assert undone(tried) == [{"mtu": 1450}, {"admin_state_up": True}, {"description": "first back"}]
    assert tried.order("PUT", "DELETE")[-1][0] == "DELETE"


def test_undone_after_a_failure(attempt):
    """Also of the step that failed itself: its change was made."""
    tried = attempt(CHANGES + """
  fourth:
    set: {of: "${net}", description: four}
    undo: {of: "${net}", description: fourth back}
    after: [third]
    expect: ["[STATUS] == 299"]
""", code=1)
    assert tried.steps["fourth"]["fault"] == "expectation"
    assert undone(tried)[1:] == [{"description": "fourth back"}, {"mtu": 1450}, {"admin_state_up": True},
                                 {"description": "first back"}]


def test_a_refused_change_is_not_undone(attempt):
    tried = attempt("""
resources:
  net: {network: {}}
actions:
  bad: {set: {of: "${net}", nonsense: 1}, undo: {of: "${net}", description: back}}
""", code=2)
    assert tried.steps["bad"]["fault"] == "bad_request"
    assert tried.bodies("PUT", "/networks/") == [{"network": {"nonsense": 1}}]


SERVER = """
params: {image: auto, flavor: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.71.0.0/24}}
  vm:     {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: [{uuid: "${net}"}]}, after: [subnet]}
"""


def test_server_action_with_until(attempt):
    tried = attempt(SERVER + """
actions:
  halt:  {server_action: {of: "${vm}", os-stop: null}, until: "${vm.status} == SHUTOFF", every: 100ms}
  seen:  {value: "${vm.status}", after: [halt], expect: ["[VALUE] == SHUTOFF"]}
  start: {server_action: {of: "${vm}", os-start: null}, until: "${vm.status} == ACTIVE", every: 100ms, after: [seen]}
  up:    {value: "${vm.status}", after: [start], expect: ["[VALUE] == ACTIVE"]}
  off:   {server_action: {of: "${vm}", os-stop: null}, until: "${vm.status} == SHUTOFF", every: 100ms, after: [up], undo: {of: "${vm}", os-start: null}}
""")
    assert tried.bodies("POST", "/action$") == [{"os-stop": None}, {"os-start": None}, {"os-stop": None},
                                                {"os-start": None}]
    assert tried.steps["halt"]["component"] == "Compute"


def test_delete_before_a_check(attempt):
    tried = attempt("""
resources:
  net:   {network: {}}
  other: {network: {}}
actions:
  gone:  {delete: "${net}"}
checks:
  none:  {list: {service: network, path: "/networks/${net}"}, after: [gone], must_fail: [404]}
  there: {list: {service: network, path: "/networks/${other}"}, after: [gone]}
""")
    assert len(tried.order("DELETE")) == 2
    assert tried.report["created"] == tried.report["deleted"] == 2


def test_call_with_a_microversion(attempt):
    tried = attempt(SERVER + """
checks:
  old: {call: {service: compute, method: GET, path: "/servers/${vm}", microversion: "2.46"}, expect: ["has([BODY].server.flavor.id)"]}
  new: {call: {service: compute, method: GET, path: "/servers/${vm}", microversion: "2.47"}, expect: ["!has([BODY].server.flavor.id)", "has([BODY].server.flavor.vcpus)"]}
""")
    versions = [(r["microversion"] or "").split()[-1] for r in tried.sent if r["microversion"]]
    assert versions.count("2.46") == 1 and versions.count("2.47") == 1


def test_find_never_deletes(attempt):
    tried = attempt("""
resources:
  out:    {find: {network: {"router:external": true}}}
  router: {router: {external_gateway_info: {network_id: "${out}"}}}
checks:
  still:  {value: "${out.name}", expect: ["[VALUE] == public"]}
  many:   {find: {network: {name: "no such"}}, grade: note}
""")
    assert tried.steps["many"]["fault"] == "not_found"
    assert [m for m, p in tried.order("DELETE") if p.startswith("networks")] == []
    assert tried.report["created"] == 1


# --- verdict ---


def test_must_fail_during_the_whole_of_hold(cloud, attempt):
    tried = attempt("""
checks:
  none: {list: {service: network, path: /networks/nope}, must_fail: [404], hold: 1s}
""")
    assert len([r for r in tried.sent if r["url"].endswith("/nope")]) >= 4
    cloud.fault({"service": "network", "method": "GET", "path": "/v2.0/networks/odd", "effect": "status",
                 "status": 403, "nth": 3})
    tried = attempt("""
checks:
  none: {list: {service: network, path: /networks/odd}, must_fail: [404], hold: 5s}
""", code=2)
    assert tried.steps["none"]["fault"] == "forbidden"  # not one of those that pass


def test_the_success_of_must_fail_is_deleted(attempt):
    tried = attempt("""
resources:
  net: {network: {}, must_fail: [409]}
  sub: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.0.0.0/24}}
""", code=1)
    assert tried.steps["net"]["fault"] == "unexpected_success" and tried.steps["sub"]["state"] == "skipped"
    assert len(tried.bodies("POST", "/networks$")) == len(tried.order("DELETE")) == 1


@pytest.mark.parametrize("grade,code,verdict", [("outage", 1, "failed"), ("degraded", 0, "degraded"),
                                                ("note", 0, "passed")])
def test_grades(attempt, grade, code, verdict):
    tried = attempt(f"""
checks:
  bad:  {{value: 1, expect: ["[VALUE] == 2"], grade: {grade}}}
  good: {{value: 1, expect: ["[VALUE] == 1"]}}
""", code=code)
    assert tried.report["verdict"] == verdict and tried.steps["bad"]["state"] == "failed"


def test_warn_degrades(attempt):
    tried = attempt("""
checks:
  slow: {value: 3, expect: ["[VALUE] == 3"], warn: ["[VALUE] < 2"]}
  next: {value: 1, after: [slow]}
""")
    assert tried.report["verdict"] == "degraded" and tried.steps["slow"]["degraded"]
    assert tried.steps["slow"]["state"] == "ready" and tried.steps["next"]["state"] == "ready"


def test_abort_goes_straight_to_teardown(attempt):
    tried = attempt("""
resources:
  net:   {network: {}}
checks:
  bad:   {value: 1, after: [net], expect: ["[VALUE] == 2"], abort: true}
  waits: {wait: "${net.name} == never", timeout: 5m}
  later: {value: 1, after: [waits]}
""", code=1)
    assert tried.states() == {"net": "ready", "bad": "failed", "waits": "failed", "later": "skipped"}
    assert tried.steps["waits"]["fault"] == "cancelled" and not tried.steps["waits"]["first_cause"]
    assert [s for s in tried.steps if tried.steps[s]["first_cause"]] == ["bad"]


def test_component_is_that_of_the_service(attempt):
    tried = attempt("""
resources:
  net:  {network: {}}
checks:
  a: {list: compute}
  b: {list: {service: block-storage, path: /volumes}}
  c: {call: {service: network, method: GET, path: /networks}}
  d: {list: network, component: Mine}
  e: {set: {of: "${net}", description: x}}
  f: {list: identity}
  g: {value: 1}
""")
    assert [tried.steps[n]["component"] for n in ("net", "a", "b", "c", "d", "e", "f", "g")] == [
        "Network", "Compute", "Block storage", "Network", "Mine", "Network", "Identity", ""]


# --- time ---


def test_retry_only_what_it_names(cloud, attempt):
    rule = {"service": "network", "method": "GET", "path": "/v2.0/networks/x", "effect": "status", "status": 418}
    text = """
checks:
  look: {list: {service: network, path: /networks/x}, retry: {tries: 3, every: 50ms, on: [418]}, expect: ["[STATUS] == 200"]}
"""
    cloud.fault(rule)
    tried = attempt(text, code=1)
    assert len([r for r in tried.sent if r["url"].endswith("/networks/x")]) == 3
    cloud.clear()
    tried = attempt(text, code=1)  # 404 is not one of them
    assert len([r for r in tried.sent if r["url"].endswith("/networks/x")]) == 1
    assert tried.steps["look"]["fault"] == "not_found"


def test_retry_of_an_expectation_until(attempt):
    tried = attempt("""
checks:
  look: {list: network, retry: {until: 1s, every: 200ms}, expect: ["len([BODY].networks) == 100"]}
""", code=1)
    looked = [r for r in tried.sent if r["url"].endswith("/networks")]
    assert 3 <= len(looked) <= 7 and tried.steps["look"]["fault"] == "expectation"


def test_a_create_is_repeated_only_when_told(cloud, attempt):
    refused = {"service": "network", "method": "POST", "path": "/v2.0/networks", "effect": "status", "status": 409,
               "nth": 1}
    cloud.fault(refused)
    tried = attempt("resources:\n  net: {network: {}}\n", code=1)
    assert tried.steps["net"]["fault"] == "conflict" and len(tried.order("POST")) == 1
    cloud.clear()
    cloud.fault(refused)
    tried = attempt("resources:\n  net: {network: {}, retry: {tries: 2, every: 50ms, on: [409]}}\n")
    assert len(tried.order("POST")) == 2 and tried.report["created"] == 1


def test_request_against_timeout(cloud, attempt):
    """`request` ends one exchange, `timeout` the step."""
    cloud.fault({"service": "network", "method": "GET", "path": "/v2.0/networks", "effect": "latency", "time": "10m"})
    tried = attempt("""
checks:
  one:   {list: network, request: 300ms, timeout: 20s}
  two:   {list: network, request: 300ms, timeout: 20s, retry: {tries: 2, every: 10ms}}
  three: {list: network, request: 1m, timeout: 500ms}
""", code=1)
    assert {tried.steps[n]["fault"] for n in ("one", "two", "three")} == {"timeout"}
    assert len([r for r in tried.sent if r["url"].endswith("/networks")]) == 4


def test_timeout_of_what_is_waited_for(attempt):
    tried = attempt("""
resources:
  net: {network: {}}
checks:
  never: {wait: "${net.name} == other", timeout: 700ms, every: 100ms}
""", code=1)
    assert tried.steps["never"]["fault"] == "stuck"


def test_ready(attempt):
    tried = attempt("""
resources:
  quick: {volume: {size: 1}, ready: now}
  exact: {volume: {size: 1}, ready: "[BODY].status == available && [BODY].bootable == 'false'"}
checks:
  early: {value: "${quick.status}", expect: ["[VALUE] == creating"]}
  late:  {value: "${exact.status}", expect: ["[VALUE] == available"]}
""")
    reads = [r["url"] for r in tried.sent if r["method"] == "GET" and "/volumes/" in r["url"]]
    assert reads and tried.steps["quick"]["ready_ms"] == pytest.approx(tried.steps["quick"]["answer_ms"], abs=5)


# --- reuse, names, many ---


def test_like_include_group_texts(attempt, tmp_path):
    (tmp_path / "base.yaml").write_text("""scenario: base
params: {size: 1, words: [a, b]}
texts:
  motto: "${run} of ${size}"
resources:
  one: {network: {description: "${motto}"}}
""")
    tried = attempt("""
include: {base: {size: 7}}
resources:
  two:  {like: one, network: {mtu: 1400}}
  more: {like: two, count: 2, network: {mtu: 1300}}
  all:  {group: "${one[*] + more[*] + two[*]}"}
checks:
  mtus:   {value: "${all[*].mtu}", expect: ["[VALUE] == ${[1450, 1300, 1300, 1400]}"]}
  texts:  {value: "${all[*].description}", expect: ["[VALUE][3] == pat(* of 7)"]}
  last:   {value: "${all[-1].mtu}", expect: ["[VALUE] == 1400"]}
  round:  {value: "${all[5].mtu}", expect: ["[VALUE] == 1300"]}
  each_:  {value: "${it.mtu}", each: all, expect: ["[VALUE] > 1000"]}
  words_: {value: "${join(words, '')}", expect: ["[VALUE] == ab"]}
""")
    assert [n for n in tried.steps if n.startswith("each_")] == [f"each_[{i}]" for i in range(4)]
    assert tried.report["created"] == 4


def test_rules_go_with_their_group(attempt):
    tried = attempt("""
resources:
  group: {security_group: {}}
  rule:  {security_group_rule: {security_group_id: "${group}", direction: ingress, protocol: tcp}}
  net:   {network: {}}
  sub:   {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.0.0.0/24}, with: net}
""")
    deleted = sorted(p.split("/")[0] for _, p in tried.order("DELETE"))
    assert deleted == ["networks", "security-groups"]
    assert tried.report["created"] == tried.report["deleted"] == 4
    seen = [r for r in tried.sent if r["status"] == 404]
    assert {r["url"].split("/v2.0/")[1].split("/")[0] for r in seen} >= {"subnets", "security-group-rules"}


# --- secrets ---


def files_below(path):
    for folder, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                yield name, f.read()


def descriptions(cloud):
    found = [n["description"] for n in openstack_get(cloud, "network", "/v2.0/networks")["networks"]
             if n["name"].startswith("gh-")]
    return found if len(found) == 2 else None


def openstack_get(cloud, service, path):
    default = {"name": "Default"}
    body = {"auth": {"identity": {"methods": ["password"], "password": {
        "user": {"name": "demo", "password": "simsecret", "domain": default}}},
        "scope": {"project": {"name": "demo", "domain": default}}}}
    request = urllib.request.Request(cloud.url + "/identity/v3/auth/tokens", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        token = answer.headers["X-Subject-Token"]
    request = urllib.request.Request(f"{cloud.url}/{service}{path}", headers={"X-Auth-Token": token})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def wait_for(condition, timeout_s=30):
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_sample_and_secret_once_a_run(cloud, tmp_path):
    """What was drawn is the same wherever it is used, and the secret is nowhere to be read."""
    file = tmp_path / "secret.yaml"
    file.write_text("""scenario: secret
params: {picked: "${sample([1, 2, 3, 4, 5, 6, 7, 8], 3)}"}
texts: {password: "${secret(32)}"}
resources:
  one: {network: {description: "${password}"}}
  two: {network: {description: "${password}"}}
checks:
  same:  {value: "${one.description}", expect: ["[VALUE] == ${two.description}", "len([VALUE]) == 32"]}
  drawn: {value: "${picked}", expect: ["[VALUE] == ${picked}", "len([VALUE]) == 3"]}
  told:  {value: "${password}", expect: ["[VALUE] == other"], grade: note}
""")
    log = tmp_path / "log"
    out = tmp_path / "out"
    command = cloud.command("try", str(file), "--json", "--hold", "--log", str(log), state="secrets")
    with open(out, "w", encoding="utf-8") as written:
        run = subprocess.Popen(command, cwd=ROOT, env=cloud.environment(), stdin=subprocess.DEVNULL,
                               stdout=written, stderr=subprocess.STDOUT)
        try:
            drawn = wait_for(lambda: descriptions(cloud))
        finally:
            wait_for(lambda: b'"step":"told"' in out.read_bytes() and b"failed" in out.read_bytes())
            run.send_signal(signal.SIGINT)
            run.wait(60)
    assert len(set(drawn)) == 1 and re.fullmatch(r"[A-Za-z0-9]{32}", drawn[0])
    secret = drawn[0].encode()
    state = dict(files_below(os.path.join(cloud.place, "secrets")))
    assert "facts.db" in state
    state |= {"out": out.read_bytes(), "log": log.read_bytes()}
    assert [name for name, data in state.items() if secret in data] == []
    report_ = json.loads(out.read_text().splitlines()[-1])
    told = [s for s in report_["steps"] if s["name"] == "told"][0]
    assert told["fault"] == "expectation" and "other" in told["detail"]


# --- guests ---


def test_questions_from_inside_a_guest(attempt):
    """Also while the guest still boots: then nothing was asked yet."""
    attempt("""
include: two-servers
checks:
  told:   {http: {from: "${server[0]}", url: "http://169.254.169.254/openstack/latest/meta_data.json"}, expect: ["[STATUS] == 200", "[BODY].uuid == ${server[0]}", "[CONNECTED]"], after: [ssh_in]}
  none:   {http: {from: "${server[0]}", url: "http://169.254.169.254/nope"}, after: [ssh_in], must_fail: [404]}
  closed: {http: {from: "${server[0]}", url: "http://${server[1].address}:80/"}, after: [ssh_in], must_fail: [timeout, refused], request: 2s}
  at80:   {tcp: {from: "${server[0]}", to: "169.254.169.254:80"}, after: [ssh_in]}
  nobody: {ping: {from: "${server[0]}", to: 10.73.0.250}, after: [ssh_in], must_fail: [timeout]}
""")


def test_stream_around_a_move(attempt):
    """The address leads nowhere for at least the second that `none` holds, and to the other server at last."""
    tried = attempt("""
include: {two-servers: {fips: 0}}
resources:
  vip:  {floating_ip: {floating_network_id: "${external}", port_id: "${port[0]}"}, after: [link]}
actions:
  away: {set: {of: "${vip}", port_id: null}, after: [up]}
  back: {set: {of: "${vip}", port_id: "${port[1]}"}, after: [none]}
checks:
  up:   {ping: {to: "${vip.floating_ip_address}"}, after: [server, ping_in]}
  none: {ping: {to: "${vip.floating_ip_address}"}, after: [away], must_fail: [timeout, unreachable], hold: 1s, retry: {until: 20s, every: 100ms}}
  traffic:
    stream: {to: "icmp://${vip.floating_ip_address}", every: 10ms}
    around: [away, back]
    after: [up]
    lead: 500ms
    tail: 1s
    expect: ["[LONGEST_GAP] >= 1s", "[LONGEST_GAP] < 30s", "[DOWN_AFTER] < [UP_AFTER]", "[GAPS] >= 1", "[SENT] > 150", "[LOST] > 50", "[LOST] < [SENT]", "[UP_AFTER] >= 1s"]
""")
    assert tried.steps["traffic"]["measured"]["LONGEST_GAP"]
