"""What a run makes of clouds that misbehave, refuse or are full: the whole program on simulated ones."""
import datetime
import json

import pytest

from simulated import report, simulated

NETWORKS = {"service": "network", "method": "GET", "path": "/v2.0/networks"}
LOOK = """scenario: look
checks:
  look: {list: network, expect: ["[STATUS] == 200", "len([BODY].networks) > 0"], timeout: 20s}
"""
MAKE = """scenario: make
resources:
  net: {network: {}}
"""


def tried(cloud, path, text, *args, command="try"):
    file = path / "scenario.yaml"
    file.write_text(text)
    out = cloud.run(command, str(file), "--json", *args)
    assert out.stdout or out.stderr
    return out


def steps(out):
    return {s["name"]: s for s in report(out)["steps"]}


def asked(cloud, path="/v2.0/networks", method="GET"):
    return [r for r in cloud.requests() if r["path"] == path and r["method"] == method]


@pytest.fixture
def cloud():
    with simulated(speed=50) as found:
        yield found
        found.clear()
        assert found.run("sweep", "--older", "0s").returncode == 0
        found.assert_clean()


# --- asked to wait ---


def began(record):
    return datetime.datetime.fromisoformat(record["at"].replace("Z", "+00:00"))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", ["2s", {"date": "3s"}], ids=["seconds", "date"])
def test_retry_after_is_obeyed(cloud, tmp_path, status, after):
    """In both of its forms: the second request comes no sooner than the service has said."""
    cloud.fault({**NETWORKS, "effect": "status", "status": status, "retry_after": after, "nth": 1})
    out = tried(cloud, tmp_path, LOOK)
    assert out.returncode == 0, out.stdout
    first, second = asked(cloud)
    assert (second["status"], first["status"]) == (200, status)
    assert (began(second) - began(first)).total_seconds() >= 1.9


def test_a_create_waits_too(cloud, tmp_path):
    """A 429 is no answer that hides an object: nothing was made."""
    cloud.fault({"service": "network", "method": "POST", "path": "/v2.0/networks", "effect": "status", "status": 429,
                 "retry_after": "1s", "nth": 1})
    out = tried(cloud, tmp_path, MAKE)
    assert out.returncode == 0, out.stdout
    assert [r["status"] for r in asked(cloud, method="POST")] == [429, 201]


# --- answers that are none ---


BROKEN = {
    "page": ({"effect": "html", "status": 502}, "http_5xx"),
    "page 503": ({"effect": "html", "status": 503}, "unavailable"),
    "cut": ({"effect": "cut"}, "connection_lost"),
    "no json": ({"effect": "json"}, "bad_body"),
    "500": ({"effect": "status", "status": 500}, "http_5xx"),
    "lost": ({"effect": "lost"}, "connection_lost"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_once_broken_is_asked_again(cloud, tmp_path, name):
    """A read may be repeated: one broken answer does not make a verdict."""
    cloud.fault({**NETWORKS, **BROKEN[name][0], "nth": 1})
    out = tried(cloud, tmp_path, LOOK.replace("timeout: 20s", "timeout: 20s, retry: {tries: 2, every: 50ms}"))
    assert out.returncode == 0, out.stdout


@pytest.mark.parametrize("name", BROKEN)
def test_broken_for_good_is_the_clouds(cloud, tmp_path, name):
    fault, word = BROKEN[name]
    cloud.fault({**NETWORKS, **fault})
    out = tried(cloud, tmp_path, LOOK)
    assert out.returncode == 1, out.stdout
    look = steps(out)["look"]
    assert look["fault"] == word, look
    assert "<html" not in (look["detail"] or "")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_to_a_create_hides_nothing(cloud, tmp_path, name):
    fault = {"service": "network", "method": "POST", "path": "/v2.0/networks", "when": "after", "nth": 1}
    cloud.fault({**fault, **BROKEN[name][0]})
    out = tried(cloud, tmp_path, MAKE)
    assert out.returncode == 0, out.stdout
    assert len(asked(cloud, method="POST")) == 1  # found, not made again
    assert report(out)["created"] == report(out)["deleted"] == 1


# --- tokens ---


def test_token_expires_between_two_pages(tmp_path):
    """Glance gives 25 images a page, whose link leads below another path than the endpoint's; the token dies before
    the second page. All 31 are seen."""
    text = """scenario: many
resources:
  image: {image: {disk_format: raw, container_format: bare, visibility: private}, upload: 1KiB, count: 30, keep: forever}
"""
    with simulated(speed=50) as cloud:
        assert tried(cloud, tmp_path, text).returncode == 0
        cloud.fault({"service": "image", "method": "GET", "path": "/v2/images", "effect": "expired", "nth": 2})
        before = len(asked(cloud, "/v2/images"))
        out = tried(cloud, tmp_path, "scenario: pick\nparams: {image: auto}\nchecks:\n  same: {value: \"${image}\"}\n")
        assert cloud.faults()[0]["fired"] == 1
        pages = asked(cloud, "/v2/images")[before:]
        assert [r["status"] for r in pages] == [200, 401, 200] and "marker" in pages[2]["query"]
        assert out.returncode == 0 and "lab-guest" in out.stdout, out.stdout + out.stderr
        assert cloud.run("sweep", "--older", "0s").returncode == 0


@pytest.mark.parametrize("scenario,service,path", [("image-life", "image", "*/file"),
                                                   ("object-store", "object-store", "*/gh-*/gh-*")])
def test_token_expires_before_an_upload(scenario, service, path):
    """What was refused is sent from its beginning with a new token, and arrives whole: the scenarios compare."""
    with simulated(speed=50) as cloud:
        cloud.fault({"service": service, "method": "PUT", "path": path, "effect": "expired", "times": 1})
        out = cloud.run("try", scenario)
        assert cloud.faults()[0]["fired"] == 1
        assert out.returncode == 0, out.stdout + out.stderr
        puts = [(r["path"], r["status"]) for r in cloud.requests() if r["method"] == "PUT" and r["service"] == service]
        refused = [p for p, status in puts if status == 401]
        assert refused and all((p, 201) in puts or (p, 204) in puts for p in refused), puts
        cloud.assert_clean()


@pytest.mark.parametrize("size", ["1KiB", "24MiB"])
def test_an_upload_is_refused_for_a_while(size, tmp_path):
    """Of some size it is under way when the answer comes."""
    text = f"""scenario: one
resources:
  box:    {{container: {{}}}}
  thing:  {{object: {{container: "${{box}}", size: {size}}}}}
"""
    with simulated(speed=50) as cloud:
        cloud.fault({"service": "object-store", "method": "PUT", "path": "*/gh-*/gh-*", "effect": "status", "status": 503,
                     "retry_after": "1s", "times": 1})
        out = tried(cloud, tmp_path, text)
        assert cloud.faults()[0]["fired"] == 1
        assert out.returncode == 0, out.stdout + out.stderr
        cloud.assert_clean()


# --- quota ---


def test_quota_too_small(tmp_path):
    """`plan` says so and makes nothing; a run that is tried all the same is the quota's fault, and leaves nothing."""
    text = "scenario: many\nresources:\n  net: {network: {}, count: 5}\n"
    with simulated(speed=50, faults={"quota": {"network": 3}}) as cloud:
        plan = tried(cloud, tmp_path, text, command="plan")
        bill = json.loads(plan.stdout)["bill"]
        assert plan.returncode == 1 and not bill["fits"]
        assert bill["quota"]["network"] == {"need": 5, "limit": 3, "free": 3}
        assert asked(cloud, method="POST") == []
        out = tried(cloud, tmp_path, text)
        assert out.returncode == 2 and report(out)["verdict"] == "unknown", out.stdout
        assert {s["fault"] for s in steps(out).values() if s["first_cause"]} == {"quota"}
        cloud.assert_clean()


# --- concurrency ---


SLOW_MS = 80  # what each request takes at least; half of it surely lies between its beginning and its end


def most_at_once(records):
    points = []
    for r in records:
        points.append((began(r), 1))
        points.append((began(r) + datetime.timedelta(milliseconds=SLOW_MS / 2), -1))
    now = most = 0
    for _, step in sorted(points):
        now += step
        most = max(most, now)
    return most


@pytest.mark.parametrize("inflight,compute", [(8, 4), (3, 1)])
def test_no_more_at_once_than_said(tmp_path, inflight, compute):
    """The simulated cloud notes when each request came and how long it took."""
    text = """scenario: wide
params: {image: auto, flavor: auto}
resources:
  net:    {network: {}}
  subnet: {subnet: {network_id: "${net}", ip_version: 4, cidr: 10.71.0.0/24}}
  port:   {port: {network_id: "${net}"}, count: 30, after: [subnet]}
  vm:     {server: {imageRef: "${image}", flavorRef: "${flavor}", networks: [{uuid: "${net}"}]}, count: 8, after: [subnet]}
"""
    slow = {"method": "*", "effect": "latency", "time": f"{SLOW_MS}ms"}
    with simulated(speed=50, faults={"faults": [slow], "quota": {"instances": 20}}) as cloud:
        out = tried(cloud, tmp_path, text, "--inflight", str(inflight), "--compute", str(compute))
        assert out.returncode == 0, out.stdout[-2000:]
        services = [r for r in cloud.requests() if r["service"] in ("compute", "network", "image")]  # not of guests
        assert most_at_once(services) == inflight
        assert most_at_once([r for r in services if r["service"] == "compute"]) == compute
        cloud.assert_clean()


# --- pickers ---


def test_pickers_say_what_they_picked(cloud, tmp_path):
    text = """scenario: pick
params: {image: auto, jh_flavor: auto, external: auto, volume_type: auto, dns: auto}
checks:
  all: {value: "${[image, jh_flavor, external, volume_type, len(dns)]}"}
"""
    plan = tried(cloud, tmp_path, text, command="plan")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    picked = json.loads(plan.stdout)["picked"]
    assert set(picked) >= {"image", "jh_flavor", "external", "volume_type", "dns"}
    assert all(p["why"] for p in picked.values())
