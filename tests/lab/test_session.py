"""Tokens on a real keystone: what is wrong with the configuration is said at once and clearly (exit 2, nothing
sent beyond the token request), and a token that ends in the middle of a run is renewed."""
import datetime
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import openstack
import pytest
import yaml

from lab import Requests, glasshouse, lab, open_rows


@pytest.fixture
def cloud(project, tmp_path):
    """Writes a clouds.yaml with the one cloud `own`: the tests' cloud with these changes; its environment."""
    def write(auth=None, **keys):
        entry = json.loads(json.dumps(project))
        if auth is not None:
            entry["auth"] = {k: v for k, v in {**entry["auth"], **auth}.items() if v is not None}
        entry.update(keys)
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump({"clouds": {"own": entry}}))
        return {"OS_CLIENT_CONFIG_FILE": str(path)}

    return write


def refused(env, state, *said, requests=1):
    """Exit 2, the words, and only so many token requests at the front end."""
    seen = Requests()
    out = glasshouse("try", "network-basics", state=state, instance="lab-session", cloud="own", env=env)
    text = out.stdout + out.stderr
    assert out.returncode == 2, text
    for words in said:
        assert words in text, text
    with open(env["OS_CLIENT_CONFIG_FILE"]) as f:
        auth = yaml.safe_load(f)["clouds"]["own"]["auth"]
    for key in ("password", "application_credential_secret"):
        # "wrong" is also a word of the explanation
        assert auth.get(key, "wrong") == "wrong" or auth[key] not in text, text
    sent = seen()
    assert all(method == "POST" and path == "/v3/auth/tokens" for method, path, _ in sent), sent
    assert len(sent) == requests, sent
    assert open_rows(state)[0] == 0


def test_wrong_password(cloud, state):
    refused(cloud(auth={"password": "wrong"}), state, "password was refused", "own.yaml")


def test_unknown_project(cloud, state):
    refused(cloud(auth={"project_name": "no-such"}), state, "project", "own.yaml")


def test_unknown_region(cloud, state):
    refused(cloud(region_name="Elsewhere"), state, "Elsewhere", "RegionOne")


def test_expired_credential(cloud, state, conn):
    soon = datetime.datetime.utcnow() + datetime.timedelta(seconds=2)
    made = conn.identity.post(f"/users/{conn.current_user_id}/application_credentials", json={
        "application_credential": {"name": "gh-short", "expires_at": soon.strftime("%Y-%m-%dT%H:%M:%S.%f")}})
    assert made.status_code == 201, made.text
    credential = made.json()["application_credential"]
    try:
        time.sleep(3)
        nothing = dict.fromkeys(("username", "password", "project_name", "user_domain_name", "project_domain_name"))
        refused(cloud(auth={**nothing, "application_credential_id": credential["id"],
                            "application_credential_secret": credential["secret"]},
                      auth_type="v3applicationcredential"),
                state, "application credential was refused", "expired")
    finally:
        conn.identity.delete(f"/users/{conn.current_user_id}/application_credentials/{credential['id']}")


def test_unreachable(cloud, state):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    refused(cloud(auth={"auth_url": f"http://127.0.0.1:{port}/v3"}), state, "cannot be reached",
            "refused", "auth_url", requests=0)


def test_unknown_name(cloud, state):
    refused(cloud(auth={"auth_url": "http://keystone.invalid/v3"}), state, "cannot be reached", "auth_url",
            requests=0)


def test_unknown_authority(cloud, state, tmp_path):
    """A keystone behind a certificate that nobody here knows; with cacert it is known."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key,
                    "-out", certificate, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(401)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_port}/v3"
    try:
        refused(cloud(auth={"auth_url": url}), state, "authority", "cacert", requests=0)
        assert asked == []
        refused(cloud(auth={"auth_url": url}, cacert=str(certificate)), state, "refused", requests=0)
        assert set(asked) == {"/v3/auth/tokens"}
    finally:
        server.shutdown()


def test_token_ends(cloud, state):
    """Tokens live for 20 s: a run that takes longer renews its own before it ends, and nobody notices."""
    os.environ["LAB_TOKEN_TTL"] = "20"
    try:
        lab("restart", "keystone")
        seen = Requests()
        out = glasshouse("try", "server-login", state=state, instance="lab-session", cloud="own", env=cloud())
        sent = seen()
    finally:
        del os.environ["LAB_TOKEN_TTL"]
        lab("restart", "keystone")
    assert out.returncode == 0, out.stdout + out.stderr
    tokens = [s for s in sent if s[:2] == ("POST", "/v3/auth/tokens")]
    assert 2 <= len(tokens) <= 8, tokens
    assert not [s for s in sent if s[2] == 401], "a token was used after its end"
    assert open_rows(state)[0] == 0


def test_token_revoked(cloud, state, project):
    """All tokens of the user are revoked in the middle: one refusal each, then a new token, and it passes."""
    env, admin, auth = cloud(), openstack.connect(cloud="lab-admin"), project["auth"]
    user = admin.identity.find_user(auth["username"])
    seen, ready = Requests(), threading.Event()

    def revoke():
        ready.wait(60)
        admin.identity.update_user(user, password=auth["password"])
        # a token's time has whole seconds: one made in the second of the revocation is revoked, too
        time.sleep(1.1)
        # the services believe what they remember of a token for 5 minutes
        with socket.create_connection(("127.0.0.1", 11212)) as memcached:
            memcached.sendall(b"flush_all\r\n")
            assert memcached.recv(10).startswith(b"OK")

    thread = threading.Thread(target=revoke)
    thread.start()
    threading.Timer(4, ready.set).start()
    out = glasshouse("try", "server-login", state=state, instance="lab-session", cloud="own", env=env)
    thread.join()
    sent = seen()
    assert out.returncode == 0, out.stdout + out.stderr
    assert open_rows(state)[0] == 0
    tokens = [s for s in sent if s[:2] == ("POST", "/v3/auth/tokens")]
    refusals = [s for s in sent if s[2] == 401]
    assert refusals, "nobody refused the revoked token: nothing was tested"
    assert 2 <= len(tokens) <= 4, tokens
