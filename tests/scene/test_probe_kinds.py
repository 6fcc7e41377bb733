"""Each kind of probe that speaks a protocol of its own, by `glasshouse try`, against a real server."""
import contextlib
import os
import subprocess

import pytest

from serve import ROOT
from test_probes import Web, make_certificate, once

SERVERS = os.path.join(ROOT, "tests/unit/observe/servers.py")


@contextlib.contextmanager
def served(kind, *args):
    """A server of tests/unit/observe/servers.py: its port."""
    server = subprocess.Popen(["/usr/bin/python3", SERVERS, kind, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline().strip()
        if line.startswith("missing"):
            pytest.skip(line)
        yield int(line)
    finally:
        server.stdin.close()
        server.wait(30)


def measured(answer):
    assert answer["fault"] == "none", answer
    return answer["measured"]


def test_tls(tmp_path):
    cert, key = make_certificate(tmp_path)
    with served("openssl", cert, key) as port:
        m = measured(once(tmp_path, {"tls": {"to": f"127.0.0.1:{port}", "name": "localhost", "ca": cert},
                                     "expect": ["[CERTIFICATE_EXPIRATION] > 600h", "[TLS_VERSION] == \"1.3\""]}))
        assert m["NAMES"] == ["localhost"] and len(m["FINGERPRINT"]) == 64
        out = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256", "-subject", "-nameopt", "RFC2253"],
                             capture_output=True, text=True, check=True, timeout=30).stdout
        assert m["FINGERPRINT"] == out.split("Fingerprint=")[1].split()[0].replace(":", "").lower()
        assert m["SUBJECT"] == "CN=localhost"
        answer = once(tmp_path, {"tls": f"127.0.0.1:{port}"}, code=1)
        assert answer["fault"] == "tls_name", answer
    answer = once(tmp_path, {"tls": f"127.0.0.1:{port}"}, code=1)
    assert answer["fault"] == "refused", answer


def test_ssh(tmp_path):
    """`try` has what asks by SSH; what answers here is no SSH server."""
    with Web() as web:
        answer = once(tmp_path, {"ssh": f"127.0.0.1:{web.port}"}, code=1)
        assert answer["fault"] == "ssh_banner", answer


def test_imap(tmp_path):
    cert, key = make_certificate(tmp_path)
    with served("imap", cert, key) as port:
        m = measured(once(tmp_path, {"imap": {"to": f"127.0.0.1:{port}", "starttls": True, "ca": cert, "name": "localhost"},
                                     "expect": ["[CERTIFICATE_EXPIRATION] > 600h"]}))
        assert "Ready to be probed." in m["BANNER"] and "IMAP4rev1" in m["CAPABILITIES"]
        m = measured(once(tmp_path, {"tcp": {"to": f"127.0.0.1:{port}", "talk": [
            {"expect": r"^\* (OK) "}, {"send": "a ID NIL\r\n${1} NOOP\r\n"}, {"expect": r"(?m)^OK OK NOOP"}]}}))
        assert m["OUTPUT"].startswith("* OK ")


def test_websocket(tmp_path):
    with served("websocket") as port:
        url = f"ws://127.0.0.1:{port}"
        m = measured(once(tmp_path, {"websocket": {"url": url + "/tell?a=1", "expect": "up", "headers": {"X-Who": "env:WHO"}},
                                     "expect": ["[STATUS] == 101", "[BODY].up == true", "[BODY].who == someone"]},
                          environment={"WHO": "someone"}))
        assert m["BODY"] == {"up": True, "who": "***"}  # a secret is not shown, whoever says it
        measured(once(tmp_path, {"websocket": url + "/echo"}))
        answer = once(tmp_path, {"websocket": url + "/close"}, code=1)
        assert answer["fault"] == "connection_lost" and "try again later" in answer["detail"], answer


def test_grpc(tmp_path):
    cert, key = make_certificate(tmp_path)
    with served("grpc", cert, key) as port:
        kind = {"to": f"127.0.0.1:{port}", "tls": True, "ca": cert, "name": "localhost"}
        m = measured(once(tmp_path, {"grpc": {**kind, "service": "up"}, "expect": ["[SERVING] == SERVING"]}))
        assert m["STATUS"] == 0
        answer = once(tmp_path, {"grpc": {**kind, "service": "down"}}, code=1)
        assert answer["fault"] == "unavailable" and "NOT_SERVING" in answer["detail"], answer
