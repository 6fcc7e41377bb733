"""glasshouse doctor against a simulated cloud, wrong clocks, hanging servers, taken ports and open permissions."""
import contextlib
import datetime
import email.utils
import http.server
import json
import os
import re
import socket
import subprocess
import threading

import pytest

from serve import GLASSHOUSE, ROOT, refusing, run, serve


@pytest.fixture(scope="module")
def cloud():
    with serve() as served:
        yield served


def free_ports():
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(refusing()) for _ in range(2)]
    return found


def configuration(path, more="", **keys):
    """A glasshouse.yaml of which nothing is shared with other tests."""
    public, intake = free_ports()
    keys = {"public": f"127.0.0.1:{public}", "intake": f"127.0.0.1:{intake}", "listen": "", **keys}
    file = path / "glasshouse.yaml"
    file.write_text(f"listen: {{public: {keys['public']}, intake: {keys['intake']}{keys['listen']}}}\n"
                    f"store: sqlite:{path}/state\n{more}")
    file.chmod(0o600)
    return file


def doctor(path, *args, clouds=None, cloud="", **more):
    out = run(path, "doctor", "--json", *args, clouds=clouds or path / "no-clouds.yaml", cloud=cloud, cwd=path, **more)
    return out, {(c["check"], c["of"]): c for c in json.loads(out.stdout)["checks"]}


def test_well(tmp_path, cloud):
    configuration(tmp_path, "clouds: {sim: }\n")
    os.mkdir(tmp_path / "state", 0o700)
    out, checks = doctor(tmp_path, clouds=cloud.clouds)
    bad = [c for c in checks.values() if c["state"] == "bad"]
    assert out.returncode == 0 and not bad and json.loads(out.stdout)["fine"] is True
    for name in ("configuration", "log-in", "clock", "catalog", "quota"):
        assert checks[name, "cloud sim"]["state"] == "ok", checks[name, "cloud sim"]
    assert "compute" in checks["catalog", "cloud sim"]["found"]
    assert re.search(r"servers \d+ of \d+", checks["quota", "cloud sim"]["found"])
    for name in ("configuration", "state directory", "configuration files", "public address", "intake address"):
        assert checks[name, ""]["state"] == "ok", checks[name, ""]
    assert checks["DNS", "127.0.0.1"]["state"] == "ok"
    assert checks["memory of TLS", ""]["state"] == "ok", "OpenSSL began before it was given its memory"
    # Every check says what was found; every one that is not well, what to do.
    for c in checks.values():
        assert c["found"], c
        assert c["state"] in ("ok", "skipped") or c["todo"], c
    assert cloud.left() == []


def test_memory_of_tls_that_comes_too_late(tmp_path):
    """A library of somebody else's has used OpenSSL before: it refuses. Doctor and run say so, and all goes on."""
    source, library = tmp_path / "early.c", tmp_path / "early.so"
    source.write_text("int CRYPTO_set_mem_functions(void *a, void *b, void *c) { return 0; }\n")
    subprocess.run([os.environ.get("CC", "cc").split()[-1], "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    file = configuration(tmp_path, "clouds: {}\nprobes: [{name: web, http: \"http://127.0.0.1:9/\"}]\n")
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    early = {**plain, "LD_PRELOAD": str(library)}
    out = subprocess.run([GLASSHOUSE, "doctor", "--json", "-c", file], cwd=tmp_path, env=early, capture_output=True, timeout=60,
                         check=False)
    check, = (c for c in json.loads(out.stdout)["checks"] if c["check"] == "memory of TLS")
    assert check["state"] == "warn" and "takes more of the processor" in check["found"] and "LD_PRELOAD" in check["todo"]
    for environment in early, plain:
        with subprocess.Popen([GLASSHOUSE, "run", "-c", file], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment, text=True) as process:
            assert "operators:" in (process.stdout.readline() + process.stdout.readline())  # it is up
            process.terminate()
            said = process.communicate(timeout=60)[1]
        assert ("OpenSSL had begun before" in said) == (environment is early) and process.returncode == 0, said


def test_forms(tmp_path, cloud):
    """The same checks as lines in a pipe and as a table in a terminal."""
    configuration(tmp_path, "clouds: {sim: }\n")
    names = [k for k in doctor(tmp_path, clouds=cloud.clouds)[1]]
    lines = run(tmp_path, "doctor", clouds=cloud.clouds, cloud="", cwd=tmp_path).stdout.splitlines()
    assert len(lines) == len(names)
    for (name, of), line in zip(names, lines):
        assert re.match(rf"(ok|warn|bad|skipped) {re.escape(name)}{re.escape(f' ({of})' if of else '')}: .", line)
    main, side = os.openpty()
    with subprocess.Popen([GLASSHOUSE, "doctor"], cwd=tmp_path, stdout=side, stderr=side, stdin=subprocess.DEVNULL,
                          env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_COLOR": "1",
                               "OS_CLIENT_CONFIG_FILE": str(cloud.clouds)}) as process:
        os.close(side)
        text = b""
        with contextlib.suppress(OSError):
            while piece := os.read(main, 65536):
                text += piece
        os.close(main)
    assert process.returncode == 0
    shown = text.decode()
    assert "\033[3" not in shown  # no colour
    assert re.search(r"\d+ of \d+: \w+", shown)  # progress: what is waited for first, whatever that is
    assert re.search(r"^✓ ok      log-in +a token of project demo\r$", shown, re.M)
    assert re.search(r"^\d+ ok, \d+ warned of, 0 bad, \d+ skipped", shown, re.M)


def test_cloud_chosen(tmp_path, cloud):
    configuration(tmp_path, "clouds: {other: , sim: }\n")
    _, checks = doctor(tmp_path, "--cloud", "sim", clouds=cloud.clouds)
    assert {of for _, of in checks if of.startswith("cloud ")} == {"cloud sim"}
    out, checks = doctor(tmp_path, "--cloud", "simm", clouds=cloud.clouds)
    assert out.returncode == 1
    assert 'did you mean "sim"' in checks["configuration", "cloud simm"]["found"]


def test_secrets_of_everything(tmp_path):
    """Each secret without which `run` ends at its start, wherever it stands."""
    configuration(tmp_path, """
probes:
  - {name: beat, push: {token: "file:beat"}, every: 10s}
  - {name: page, http: {url: "http://127.0.0.1:1/", headers: {Authorization: "file:header"}}}
reports:
  - {mail: [a@example.org], server: {host: "127.0.0.1", from: b@example.org, user: u, tls: plain, password: "file:mail"}}
dashboards: [{cloudmon: "http://127.0.0.1:1/", secret: "file:dashboard"}]
""")
    out, checks = doctor(tmp_path)
    bad = [c["found"] for c in json.loads(out.stdout)["checks"] if c["check"] == "secrets" and c["state"] == "bad"]
    assert len(bad) == 4
    for name in ("beat", "mail", "dashboard", "header"):
        assert any(f"cannot read {name}" in found for found in bad)
        (tmp_path / name).write_text("secret of " + name)
        (tmp_path / name).chmod(0o600)
        _, checks = doctor(tmp_path)
    assert checks["secrets", ""] == {**checks["secrets", ""], "state": "ok", "found": "all 4 can be read"}
    # nothing but probes: no cloud is looked for
    assert checks["clouds", ""]["state"] == "skipped"


def test_no_clouds(tmp_path, cloud):
    configuration(tmp_path)
    out, checks = doctor(tmp_path)
    assert out.returncode == 0 and checks["clouds", ""]["state"] == "warn"
    _, checks = doctor(tmp_path, clouds=cloud.clouds)
    assert "sim-other" in checks["clouds", ""]["found"]


def test_wrong_password(tmp_path, cloud):
    text = cloud.clouds and open(cloud.clouds, encoding="utf-8").read()
    (tmp_path / "clouds.yaml").write_text(text.replace("simsecret", "wrong-one"))
    configuration(tmp_path, "clouds: {sim: }\n")
    out, checks = doctor(tmp_path, clouds=tmp_path / "clouds.yaml")
    assert out.returncode == 1
    assert checks["log-in", "cloud sim"]["state"] == "bad"
    assert checks["catalog", "cloud sim"]["state"] == checks["quota", "cloud sim"]["state"] == "skipped"
    assert checks["clock", "cloud sim"]["state"] == "ok"  # it answered, with its time
    assert "wrong-one" not in out.stdout


def test_quota_gone(tmp_path):
    with serve(*faults_file(tmp_path, "quota: {floatingip: 0}\n")) as cloud:
        configuration(tmp_path, "clouds: {sim: }\n")
        out, checks = doctor(tmp_path, clouds=cloud.clouds)
        assert out.returncode == 0
        assert checks["quota", "cloud sim"]["state"] == "warn"
        assert checks["quota", "cloud sim"]["found"].startswith("nothing left of floatingip; left: ")


def faults_file(path, text):
    (path / "faults.yaml").write_text(text)
    return ["--faults", str(path / "faults.yaml")]


@contextlib.contextmanager
def keystone(ahead_s):
    """Refuses every log-in, with a Date that is so many seconds ahead of ours."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b'{"error": {"code": 401, "message": "no", "title": "Unauthorized"}}'
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp=None):
            now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ahead_s)
            return email.utils.format_datetime(now, usegmt=True)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def clouds_at(path, port):
    file = path / "clouds.yaml"
    file.write_text(f"clouds: {{far: {{auth: {{auth_url: 'http://127.0.0.1:{port}/v3', username: u, password: secret-pw, "
                    "project_name: p}}}\n")
    return file


@pytest.mark.parametrize("ahead_s, state, words", [(600, "bad", r"at least \S+ ahead of ours"),
                                                   (-600, "bad", r"at least \S+ behind ours"),
                                                   (12, "warn", r"at least 1[12]\S* ahead of ours"),
                                                   (0, "ok", "agrees with ours")])
def test_clock(ahead_s, state, words, tmp_path):
    with keystone(ahead_s) as port:
        configuration(tmp_path, "clouds: {far: }\n")
        _, checks = doctor(tmp_path, clouds=clouds_at(tmp_path, port))
    clock = checks["clock", "cloud far"]
    assert clock["state"] == state and re.search(words, clock["found"]), clock
    assert bool(clock["todo"]) == (state != "ok")


def test_hanging_cloud(tmp_path):
    """Who does not answer is bad after its deadline, and the others are told all the same."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configuration(tmp_path, "clouds: {far: }\n")
        out, checks = doctor(tmp_path, clouds=clouds_at(tmp_path, silent.getsockname()[1]))
    assert out.returncode == 1
    assert checks["log-in", "cloud far"]["found"] == "no answer within 10 s"
    assert checks["quota", "cloud far"]["state"] == checks["clock", "cloud far"]["state"] == "skipped"
    assert checks["state directory", ""]["state"] == "ok"


def test_unknown_host(tmp_path):
    (tmp_path / "clouds.yaml").write_text("clouds: {far: {auth: {auth_url: 'http://nowhere.invalid/v3', username: u,"
                                          " password: secret-pw, project_name: p}}}\n")
    configuration(tmp_path, "clouds: {far: }\n")
    out, checks = doctor(tmp_path, clouds=tmp_path / "clouds.yaml")
    assert out.returncode == 1
    assert checks["DNS", "nowhere.invalid"]["state"] == "bad"
    assert checks["log-in", "cloud far"]["state"] == "bad"


def test_ports(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        configuration(tmp_path, public=f"127.0.0.1:{port}", intake="192.0.2.1:80", listen=", token: 'env:T'")
        out, checks = doctor(tmp_path)
    assert out.returncode == 1
    public, intake = checks["public address", ""], checks["intake address", ""]
    assert public["state"] == "bad" and f"(process {os.getpid()})" in public["found"]
    assert intake["state"] == "bad" and "Cannot assign" in intake["found"]


def test_own_port(tmp_path):
    """An address that a glasshouse holds is no trouble."""
    with serve() as other:
        port = int(other.url.rsplit(":", 1)[1])
        configuration(tmp_path, public=f"127.0.0.1:{port}")
        _, checks = doctor(tmp_path)
    public = checks["public address", ""]
    assert public["state"] == "ok" and f"process {other.process.pid}" in public["found"]


def test_permissions(tmp_path, cloud):
    file = configuration(tmp_path, "clouds: {sim: }\nalarms: [{webhook: 'http://h/', token: 'file:t'}]\n")
    file.chmod(0o666)
    (tmp_path / "t").write_text("very-secret\n")
    (tmp_path / "t").chmod(0o644)
    (tmp_path / "clouds.yaml").write_text(open(cloud.clouds, encoding="utf-8").read())
    (tmp_path / "clouds.yaml").chmod(0o644)
    os.mkdir(tmp_path / "state")
    (tmp_path / "state").chmod(0o755)
    out, checks = doctor(tmp_path, clouds=tmp_path / "clouds.yaml")
    assert out.returncode == 1
    assert checks["configuration files", ""]["state"] == "bad"
    assert checks["state directory", ""]["state"] == "warn" and "chmod 700" in checks["state directory", ""]["todo"]
    assert checks["secrets", ""]["state"] == "bad" and "chmod 600" in checks["secrets", ""]["found"]
    credentials = checks["credentials", str(tmp_path / "clouds.yaml")]
    assert credentials["state"] == "warn" and credentials["todo"] == "chmod 600"
    assert "very-secret" not in out.stdout


def test_broken_configuration(tmp_path):
    configuration(tmp_path, "instanc: x\nclouds: {a: {evry: 1s}}\n")
    out, checks = doctor(tmp_path)
    assert out.returncode == 1
    assert checks["configuration", ""]["found"].startswith("2 errors; the first: glasshouse.yaml:3:1: ")
    assert checks["state directory", ""]["found"]  # the rest is looked at all the same


def test_state_is_a_file(tmp_path):
    configuration(tmp_path)
    (tmp_path / "state").write_text("")
    out, checks = doctor(tmp_path)
    assert out.returncode == 1
    assert "is no directory" in checks["state directory", ""]["found"]
    assert checks["durable writes", ""]["state"] == "skipped"


def test_leaves_nothing(tmp_path):
    configuration(tmp_path)
    before = sorted(os.listdir(tmp_path))
    doctor(tmp_path)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("args", [["x"], ["--nonsense"], ["-c", "absent.yaml"]])
def test_could_not_run(args, tmp_path):
    out = run(tmp_path, "doctor", *args, cwd=tmp_path)
    assert out.returncode == 2 and out.stderr and not out.stdout
