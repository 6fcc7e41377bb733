"""blackbox_exporter's face: Prometheus scrapes a configured probe, and Debian's exporter gives the same names."""
import contextlib
import json
import os
import re
import subprocess
import threading
import time

import pytest

from carbon import free_ports
from prometheus import blackbox, prometheus
from running import running, until
from serve import deaf
from simulated import simulated
from test_cloudmon import web
from test_ingest import metric, reload
from test_probe_kinds import served
from test_probes import make_certificate

MODULES = """
modules:
  http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}
  tcp_connect: {prober: tcp, tcp: {preferred_ip_protocol: ip4}}
"""
METRIC = re.compile(r"(probe_\w+)(?:\{(.*)\})? (\S+)")


@pytest.fixture(scope="module", name="here")
def one_run():
    with simulated() as cloud, web() as good, web(503) as bad, deaf() as hangs:
        token = os.open(os.path.join(cloud.place, "token"), os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(token, b"a-token-of-a-probe")
        os.close(token)
        probes = [{"name": "good", "every": "1h", "http": f"http://127.0.0.1:{good}/"},
                  {"name": "bad", "every": "1h", "http": f"http://127.0.0.1:{bad}/"},
                  {"name": "hangs", "every": "1h", "timeout": "30s", "http": f"http://127.0.0.1:{hangs}/"},
                  {"name": "port", "every": "1h", "tcp": f"127.0.0.1:{good}"},
                  {"name": "told", "every": "1h", "push": {"token": "file:token"}},
                  {"name": "body", "every": "1h", "http": f"http://127.0.0.1:{good}/body", "expect": ["[BODY] == no"]}]
        with running(cloud, {"probes": probes}) as run:
            run.good, run.bad = good, bad
            yield run


def figures(text):
    return {(m[1], m[2] or ""): float(m[3]) for m in map(METRIC.fullmatch, text.splitlines()) if m}


def ask(run, query, **headers):
    status, answered, body = run.get("/probe?" + query, run.intake, **headers)
    return status, answered["Content-Type"], body.decode()


def test_a_probe_that_is_good(here):
    status, kind, text = ask(here, "target=good&module=http_2xx")
    assert status == 200 and kind.startswith("text/plain; version=0.0.4"), text
    found = figures(text)
    assert found["probe_success", ""] == 1 and found["probe_http_status_code", ""] == 200
    assert found["probe_http_content_length", ""] == 2 and found["probe_http_version", ""] == 1
    assert 0 < found["probe_duration_seconds", ""] < 5 and found["probe_failed_due_to_regex", ""] == 0
    assert found['probe_http_duration_seconds', 'phase="processing"'] > 0


def test_by_its_target_and_what_fails(here):
    status, _, text = ask(here, f"target=http://127.0.0.1:{here.bad}/")
    found = figures(text)
    assert status == 200 and found["probe_success", ""] == 0 and found["probe_http_status_code", ""] == 503
    found = figures(ask(here, "target=body")[2])
    assert found["probe_success", ""] == 0 and found["probe_failed_due_to_regex", ""] == 1


def test_the_scrape_has_its_time(here):
    """One that hangs is told as failed within what the scrape allows, less half a second."""
    began = time.monotonic()
    status, _, text = ask(here, "target=hangs", **{"X-Prometheus-Scrape-Timeout-Seconds": "1.5"})
    found = figures(text)
    assert status == 200 and found["probe_success", ""] == 0, text
    assert 0.9 < found["probe_duration_seconds", ""] < 1.5 and time.monotonic() - began >= 0.9


@pytest.mark.parametrize("query, says", [
    ("", "target is missing"), ("target=", "target is missing"), ("target=%ff", "target is missing"),
    ("target=http://169.254.169.254/", "only what stands under `probes`"),
    ("target=told", "is of kind push: it is told, and cannot be asked"),
    ("target=good&module=tcp_connect", "is of kind http: module \"tcp_connect\" is another"),
])
def test_what_is_refused(here, query, says):
    status, _, text = ask(here, query)
    assert status == 400 and says in text


def test_it_is_on_the_intake_only(here):
    assert here.get("/probe?target=good", here.page)[0] == 404


def test_debug_says_why(here):
    status, _, text = ask(here, "target=body&debug=true")
    assert status == 200 and "Logs for the probe:" in text and "[BODY] == no does not hold" in text
    assert "probe_success 0" in text


def test_more_than_there_is_room_for(here):
    """Others wait for their answers; one too many is told to come again, and all others get theirs."""
    answers = []

    def one():
        answers.append(ask(here, "target=hangs", **{"X-Prometheus-Scrape-Timeout-Seconds": "3"})[0])

    threads = [threading.Thread(target=one) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert sorted(answers) == [200] * 32 + [503] * 8


@pytest.mark.parametrize("name, module, target", [("good", "http_2xx", "http://127.0.0.1:{}/"),
                                                  ("port", "tcp_connect", "127.0.0.1:{}")])
def test_names_are_those_of_debian(here, name, module, target):
    """What blackbox_exporter says of a target, we say: each series, and what must be equal is."""
    with blackbox(MODULES) as theirs:
        other = figures(theirs.get(f"/probe?module={module}&target=" + target.format(here.good)))
        ours = figures(ask(here, f"target={name}&module={module}")[2])
    assert set(other) <= set(ours), sorted(set(other) - set(ours))
    for (metric, labels), x in other.items():
        if "seconds" not in metric:
            assert ours[metric, labels] == x, metric


def test_names_of_tls_are_those_of_debian(tmp_path):
    """The certificate's dates, chain and version, of a handshake with OpenSSL's own server."""
    key, cert = str(tmp_path / "key"), str(tmp_path / "cert")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days",
                    "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:other"], check=True,
                   capture_output=True)
    port, = free_ports(1)
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", cert,
                               "-quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    modules = f"""
modules:
  tls: {{prober: tcp, tcp: {{preferred_ip_protocol: ip4, tls: true, tls_config: {{ca_file: {cert}}}}}}}
"""
    probes = [{"name": "tls", "every": "1h", "tls": {"to": f"localhost:{port}", "ca": cert}}]
    try:
        with simulated() as cloud, running(cloud, {"probes": probes}) as run, blackbox(modules) as theirs:
            other = until(lambda: [f for f in [figures(theirs.get(f"/probe?module=tls&target=localhost:{port}"))]
                                   if f["probe_success", ""]], "it shakes hands")[0]
            ours = figures(ask(run, "target=tls")[2])
            assert run.get("/metrics", run.intake)[0] == 200
            expiry = other["probe_ssl_earliest_cert_expiry", ""]
            until(lambda: metric(run, "probe_certificate_expiry_timestamp_seconds", probe="tls", kind="tls") == expiry,
                  "/metrics has it too")
    finally:
        server.terminate()
        server.wait(30)
    assert set(other) <= set(ours), sorted(set(other) - set(ours))
    for (name, labels), x in other.items():
        if "time" not in name and "duration" not in name:
            assert abs(ours[name, labels] - x) <= 1, name


KINDS = """
modules:
  dns: {{prober: dns, dns: {{preferred_ip_protocol: ip4, query_name: example.test, query_type: SOA}}}}
  icmp: {{prober: icmp, icmp: {{preferred_ip_protocol: ip4}}}}
  grpc: {{prober: grpc, grpc: {{preferred_ip_protocol: ip4, service: up, tls: true, tls_config: {{ca_file: {cert}}}}}}}
  http: {{prober: http, http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: {cert}}}}}}}
"""
# Times, and the page, which shows the session.
FREE = re.compile(r"seconds|duration|lookup|body_length")


def test_other_kinds_are_those_of_debian(tmp_path):
    """dns, icmp, grpc and https: each series that blackbox_exporter has of the same target, with its value."""
    cert, key = make_certificate(tmp_path)
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(served("named", str(tmp_path / "zones"), "8"))
        calls = stack.enter_context(served("grpc", cert, key))
        page = stack.enter_context(served("openssl", cert, key, "-www"))
        targets = {"dns": f"127.0.0.1:{names}", "icmp": "127.0.0.1", "grpc": f"localhost:{calls}",
                   "http": f"https://localhost:{page}/"}
        probes = [
            {"name": "dns", "every": "1h", "dns": {"name": "example.test", "type": "SOA", "server": targets["dns"]}},
            {"name": "icmp", "every": "1h", "icmp": {"to": targets["icmp"], "count": 1}},
            {"name": "grpc", "every": "1h", "family": "ipv4",
             "grpc": {"to": targets["grpc"], "service": "up", "tls": True, "ca": cert}},
            {"name": "http", "every": "1h", "family": "ipv4", "http": {"url": targets["http"], "ca": cert}}]
        run = stack.enter_context(running(stack.enter_context(simulated()), {"probes": probes}))
        theirs = stack.enter_context(blackbox(KINDS.format(cert=cert)))
        for kind, target in targets.items():
            other = figures(theirs.get(f"/probe?module={kind}&target={target}"))
            ours = figures(ask(run, f"target={kind}")[2])
            assert other["probe_success", ""] == 1, (kind, other)
            assert set(other) <= set(ours), (kind, sorted(set(other) - set(ours)))
            for (name, labels), x in other.items():
                if FREE.search(name):
                    continue
                assert abs(ours[name, labels] - x) <= ("expiry" in name), (kind, name, labels, ours[name, labels], x)
        chain = next(labels for name, labels in ours if name == "probe_ssl_last_chain_info")
        assert 'subject="CN=localhost"' in chain
        assert ours["probe_tls_version_info", 'version="TLS 1.3"'] == 1
        assert ours["probe_ssl_last_chain_expiry_timestamp_seconds", ""] > time.time()


def test_prometheus_scrapes(here):
    address = here.intake.split("://")[1]
    scrape = f"""
  - job_name: probes
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    static_configs: [{{targets: [good, bad]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "{address}"}}
"""
    with prometheus(scrape) as there:
        def told():
            return {labels["instance"]: x for labels, x in there.query('probe_success{job="probes"}')}
        until(lambda: told() == {"good": 1, "bad": 0}, "both are told")
        assert {labels["instance"]: x for labels, x in there.query("probe_http_status_code")} == {
            "good": 200, "bad": 503}
        assert {labels["instance"]: x for labels, x in there.query('up{job="probes"}')} == {"good": 1, "bad": 1}


def test_metrics_has_the_last_of_each(here):
    """Up or not, of each probe; gone with the probe."""
    until(lambda: metric(here, "probe_up", probe="good", kind="http") == 1, "good is up")
    until(lambda: metric(here, "probe_up", probe="bad", kind="http") == 0, "bad is not")
    assert metric(here, "probe_duration_seconds", probe="good", kind="http") > 0
    text = here.get("/metrics", here.intake)[2].decode()
    check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60,
                           check=False)
    assert check.returncode == 0, check.stdout + check.stderr
    with open(here.path, encoding="utf-8") as f:
        config = json.load(f)
    config["probes"] = [p for p in config["probes"] if p["name"] != "port"]
    until(lambda: metric(here, "probe_up", probe="port", kind="tcp") == 1, "port is up")
    here.write(config)
    reload(here)
    assert metric(here, "probe_up", probe="port", kind="tcp") is None
    assert metric(here, "probe_up", probe="good", kind="http") == 1
