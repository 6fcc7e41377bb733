"""Bad input: exit code 2, the place and what to do on stderr, nothing sent.

A listener stands where the cloud would be and counts connections. Credentials are tried on the simulated cloud,
which writes down what it was asked.
"""
import datetime
import json
import os
import pathlib
import re
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import pytest

from serve import GLASSHOUSE, ROOT, refusing, serve


class Listener:
    """Accepts and counts; answers nothing."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.count = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            peer.close()


@pytest.fixture
def listener():
    found = Listener()
    yield found
    found.socket.close()


def clouds(path, text):
    file = path / "clouds.yaml"
    file.write_text(text)
    return file


def good_clouds(path, port):
    return clouds(path, f"""clouds:
  here:
    auth: {{auth_url: "http://127.0.0.1:{port}/v3", username: u, password: secret-pass, project_name: p}}
""")


def run(path, *args, file=None, env=None, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), **(env or {})}
    if file:
        environment["OS_CLIENT_CONFIG_FILE"] = str(file)
    return subprocess.run([GLASSHOUSE, *args], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, **more)


SCENARIOS = {
    "unknown reference": ("scenario: x\nresources:\n  a: {network: {name: \"${nte.id}-${run}\"}}\n  net: {network: {}}\n",
                          3, "did you mean \"net\"?"),
    "cycle": ("scenario: x\nresources:\n  a: {network: {description: \"${b}\"}}\n  b: {network: {description: \"${a}\"}}\n",
              3, "wait for each other"),
    "unknown kind": ("scenario: x\nresources:\n  a: {netwrok: {}}\n", 3, "did you mean \"network\"?"),
    "unknown key": ("scenario: x\nresources:\n  a: {network: {}, timeuot: 5s}\n", 3, "did you mean \"timeout\"?"),
    "wrong type": ("scenario: x\nresources:\n  a: {network: [1]}\n", 3, "map"),
    "bad duration": ("scenario: x\nresources:\n  a: {network: {}, timeout: 5}\n", 3, "unit"),
    "two verbs": ("scenario: x\nresources:\n  a: {network: {}, subnet: {}}\n", 3, "two verbs"),
    "wrong type of a value": ("scenario: x\nresources:\n  a: {network: {}, abort: maybe}\n", 3, "true or false"),
    "bad size": ("scenario: x\nparams: {size: 24MiB}\nresources:\n  a: {network: {}, keep: 1.5}\n", 4, "keep"),
    "bad expression": ("scenario: x\nresources:\n  a: {network: {mtu: \"${1400 +}\"}}\n", 3, "found the end"),
    "unknown function": ("scenario: x\nchecks:\n  a: {value: \"${lenn([1])}\"}\n", 3, "did you mean \"len\"?"),
    "unknown step": ("scenario: x\nresources:\n  net: {network: {}}\n  a: {network: {}, after: [nett]}\n", 4,
                     "did you mean \"net\"?"),
    "unknown fault": ("scenario: x\nresources:\n  a: {network: {}, must_fail: [tiemout]}\n", 3,
                      "did you mean \"timeout\"?"),
    "unknown key of the file": ("scenario: x\nresource:\n  a: {network: {}}\n", 2, "did you mean \"resources\"?"),
    "unknown include": ("scenario: x\ninclude: [two-server]\nchecks: {a: {value: 1}}\n", 2,
                        "did you mean \"two-servers\"?"),
    "same name twice": ("scenario: x\nresources:\n  a: {network: {}}\n  a: {router: {}}\n", 4, ""),
    "step of a param": ("scenario: x\nparams: {a: 1}\nchecks:\n  a: {value: 1}\n", 4, "the name of a param"),
    "long expression": ("scenario: x\nchecks:\n  a: {value: \"${" + "1+" * 300000 + "1}\"}\n", 3, "64 KiB"),
    "long condition": ("scenario: x\nchecks:\n  a: {value: 1, expect: [\"" + "[A] &&" * 9000 + "[A]\"]}\n", 3,
                       "4000 parts"),
    "not UTF-8 in YAML": ("scenario: x\ntitle: \udcff\nchecks: {a: {value: 1}}\n", 2, "UTF-8"),
    "tab": ("scenario: x\nresources:\n\ta: {network: {}}\n", 3, ""),
    "later verb": ("scenario: x\nchecks:\n  a: {dns: {}}\n", 3, "dns"),
    "broken yaml": ("scenario: x\nresources:\n  a: {network: {\n", None, ""),
    "billion laughs": ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [" + ",".join([f"*{chr(97 + i)}"] * 10) + "]\n" for i in range(9)),
        4, "10000"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name, tmp_path, listener):
    text, line, part = SCENARIOS[name]
    file = tmp_path / "s.yaml"
    file.write_text(text, errors="surrogateescape")
    out = run(tmp_path, "try", str(file), "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2, out.stderr
    first = out.stderr.splitlines()[0]
    assert re.match(rf"{re.escape(str(file))}:{line or chr(92) + 'd+'}:\d+: ", first), out.stderr
    assert part in out.stderr, out.stderr
    assert listener.count == 0


@pytest.mark.parametrize("args,part", [
    (["--param", "n=two"], "param n must be a whole number, not \"two\""),
    (["--param", "wait=5"], "param wait must be a time with a unit"),
    (["--param", "nn=1"], "x has no param \"nn\"; did you mean \"n\"?"),
    (["--param", "n"], "n"),
    (["--document", "y"], "no scenario of this file is named y: x"),
])
def test_params(args, part, tmp_path, listener):
    file = tmp_path / "s.yaml"
    file.write_text("scenario: x\nparams: {n: 1, wait: 5s}\nresources:\n  a: {network: {}, count: \"${n}\"}\n")
    out = run(tmp_path, "try", str(file), "--state", str(tmp_path / "state"), *args,
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2 and part in out.stderr, out.stdout + out.stderr
    assert listener.count == 0


def changes(log):
    """Requests that would have changed something: tokens are not."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [x for x in lines if x["method"] not in ("GET", "HEAD") and "/auth/tokens" not in json.dumps(x)]


def test_every_error_in_one_pass(tmp_path, listener):
    file = tmp_path / "s.yaml"
    file.write_text("scenario: x\nresources:\n  a: {netwrok: {}}\n  b: {network: {}, timeout: 5}\n")
    out = run(tmp_path, "try", str(file), "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert "s.yaml:3:" in out.stderr and "s.yaml:4:" in out.stderr


def test_ten_megabytes(tmp_path, listener):
    file = tmp_path / "s.yaml"
    file.write_text("scenario: x\n" + "# padding that goes on and on\n" * 350000)
    out = run(tmp_path, "try", str(file), "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2 and "1 MiB" in out.stderr


@pytest.mark.parametrize("text,place,part", [
    ("clouds: {here: {auth: {auth_url: 5, username: u\n", r"2:\d+", ""),
    ("clouds:\n  here:\n    auth: {username: u, password: p}\n", r"3:\d+", "auth_url is missing"),
    ("clouds:\n  here:\n    auth: {auth_url: 'http://127.0.0.1:1', username: u}\n", r"3:\d+", "password"),
    ("clouds:\n  here:\n    auth_type: kerberos\n    auth: {auth_url: 'http://127.0.0.1:1'}\n", r"3:\d+", "kerberos"),
    ("clouds:\n  hera: {}\n  other: {}\n", None, "did you mean \"hera\"?"),
    ("clouds:\n  here:\n    cacert: /nowhere.pem\n"
     "    auth: {auth_url: 'http://127.0.0.1:1', username: u, password: p}\n", r"3:\d+", "/nowhere.pem"),
    ("clouds: [a]\n", r"1:\d+", "map"),
    ("", None, ""),
])
def test_clouds_yaml(text, place, part, tmp_path):
    out = run(tmp_path, "try", "network-basics", "--cloud", "here", "--state", str(tmp_path / "state"),
              file=clouds(tmp_path, text))
    assert out.returncode == 2
    assert part in out.stderr, out.stderr
    if place:
        assert re.search(rf"clouds.yaml:{place}: ", out.stderr), out.stderr
    else:
        assert out.stderr


def test_unreachable_cloud(tmp_path):
    with refusing() as port:
        out = run(tmp_path, "try", "network-basics", "--state", str(tmp_path / "state"),
                  file=good_clouds(tmp_path, port))
    assert out.returncode == 2
    assert "cannot be reached" in out.stdout + out.stderr and "refused" in out.stdout + out.stderr
    assert "secret-pass" not in out.stdout + out.stderr


def credentials(path, served, name, auth):
    return clouds(path, f"""clouds:
  here:
    auth_type: {name}
    region_name: RegionOne
    auth:
      auth_url: {served.url}/identity
""" + "".join(f"      {key}: {json.dumps(value)}\n" for key, value in auth.items()))


def assert_refused(path, served, file, secret, part):
    out = run(path, "try", "network-basics", "--state", str(path / "state"), file=file)
    said = out.stdout + out.stderr
    assert out.returncode == 2, said
    assert part in said and secret not in said, said
    assert not changes(path / "log")


USER = {"username": "demo", "password": "simsecret", "user_domain_name": "Default", "project_name": "demo",
        "project_domain_name": "Default"}


@pytest.mark.parametrize("wrong,part", [
    ({"password": "not-the-password"}, "refused"),
    ({"username": "nobody-here"}, "refused"),
    ({"project_name": "no-such-project"}, "refused"),
])
def test_wrong_password(wrong, part, tmp_path):
    with serve("--log", str(tmp_path / "log")) as served:
        file = credentials(tmp_path, served, "password", {**USER, **wrong})
        assert_refused(tmp_path, served, file, "not-the-password", part)


def application_credential(served, expires):
    """(id, secret) of one of demo's that ends at that moment."""
    token, _ = served.token()
    headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
    request = urllib.request.Request(served.url + "/identity/v3/auth/tokens", headers={
        "X-Auth-Token": token, "X-Subject-Token": token})
    with urllib.request.urlopen(request, timeout=60) as answer:
        user = json.load(answer)["token"]["user"]["id"]
    body = {"application_credential": {"name": "short-lived", "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%S.%f")}}
    request = urllib.request.Request(f"{served.url}/identity/v3/users/{user}/application_credentials",
                                     json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        made = json.load(answer)["application_credential"]
    return made["id"], made["secret"]


def is_accepted(served, identity, secret):
    body = {"auth": {"identity": {"methods": ["application_credential"],
                                  "application_credential": {"id": identity, "secret": secret}}}}
    request = urllib.request.Request(served.url + "/identity/v3/auth/tokens", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60):
            return True
    except urllib.error.HTTPError as e:
        assert e.code == 401
        return False


def test_expired_application_credential(tmp_path):
    with serve() as served:
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        identity, secret = application_credential(served, soon)
        assert is_accepted(served, identity, secret)
        give_up = time.monotonic() + 60
        while is_accepted(served, identity, secret):
            assert time.monotonic() < give_up
            time.sleep(0.5)
        file = credentials(tmp_path, served, "v3applicationcredential", {
            "application_credential_id": identity, "application_credential_secret": secret})
        out = run(tmp_path, "try", "network-basics", "--state", str(tmp_path / "state"), file=file)
        said = out.stdout + out.stderr
        assert out.returncode == 2 and "refused" in said, said
        assert secret not in said


class TlsListener(Listener):
    """Counts handshakes that were completed and bytes that came after."""

    def __init__(self, path):
        self.bytes = 0
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", str(path / "key.pem"), "-out", str(path / "cert.pem"), "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True, timeout=60)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path / "cert.pem", path / "key.pem")
        super().__init__()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            try:
                peer.settimeout(30)
                with self.context.wrap_socket(peer, server_side=True) as tls:
                    self.count += 1
                    self.bytes += len(tls.recv(4096))
            except OSError:  # the peer refused us
                pass


@pytest.fixture
def tls_listener(tmp_path):
    found = TlsListener(tmp_path)
    yield found
    found.socket.close()


def test_unknown_tls_authority(tmp_path, tls_listener):
    file = clouds(tmp_path, f"""clouds:
  here:
    auth: {{auth_url: "https://127.0.0.1:{tls_listener.port}/v3", username: u, password: secret-pass, project_name: p}}
""")
    out = run(tmp_path, "try", "network-basics", "--state", str(tmp_path / "state"), file=file)
    said = out.stdout + out.stderr
    assert out.returncode == 2, said
    assert "authority" in said and "cacert" in said and "secret-pass" not in said, said
    assert tls_listener.bytes == 0


def test_known_tls_authority(tmp_path, tls_listener):
    """The same listener with `cacert`: now it is asked, so the test before has not passed by accident."""
    file = clouds(tmp_path, f"""clouds:
  here:
    cacert: {tmp_path}/cert.pem
    auth: {{auth_url: "https://127.0.0.1:{tls_listener.port}/v3", username: u, password: p, project_name: p}}
""")
    out = run(tmp_path, "try", "network-basics", "--state", str(tmp_path / "state"), file=file)
    assert out.returncode == 2 and "authority" not in out.stdout + out.stderr
    assert tls_listener.bytes > 0


def test_unwritable_state(tmp_path, listener):
    place = tmp_path / "file"
    place.write_text("")
    out = run(tmp_path, "try", "network-basics", "--state", str(place / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2
    assert "--state" in out.stderr, out.stderr
    assert listener.count == 0


def as_nobody():
    """Root may write anywhere, so the program runs as somebody else."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def open_to_all(path):
    """Whether nobody can reach it: a checkout below a private home cannot be tested this way."""
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


def test_read_only_state(tmp_path, listener):
    """A directory that exists and may not be written."""
    if os.geteuid() == 0 and not open_to_all(GLASSHOUSE):
        pytest.skip("nobody but root can run the program where it stands")
    with tempfile.TemporaryDirectory() as name:
        home, place = pathlib.Path(name), pathlib.Path(name) / "state"
        place.mkdir()
        place.chmod(0o555)
        home.chmod(0o755)
        out = run(home, "try", "network-basics", "--state", str(place), file=good_clouds(home, listener.port),
                  preexec_fn=as_nobody)
        assert out.returncode == 2, out.stderr
        assert str(place) in out.stderr and "--state" in out.stderr, out.stderr
        assert listener.count == 0 and not list(place.iterdir())


def test_state_on_a_file_system_that_takes_no_files(tmp_path, listener):
    """/proc refuses even root."""
    out = run(tmp_path, "try", "network-basics", "--state", "/proc/self/glasshouse",
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2
    assert "/proc/self/glasshouse" in out.stderr and "--state" in out.stderr, out.stderr
    assert listener.count == 0


def test_full_disk(tmp_path, listener):
    """A file size limit stands for a full disk: the journal cannot be made."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    out = run(tmp_path, "try", "network-basics", "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port), preexec_fn=limit)
    assert out.returncode == 2
    assert "facts.db" in out.stderr, out.stderr
    assert listener.count == 0


@pytest.mark.parametrize("args", [["nonsense"], ["try"], ["try", "a", "b"], ["try", "x", "--runs", "none"],
                                  ["sweep", "--older", "soon"], ["try", "x", "--inflight", "0"]])
def test_arguments(args, tmp_path):
    out = run(tmp_path, *args)
    assert out.returncode == 2 and out.stderr


@pytest.mark.parametrize("words", [["maintenance", "next"], ["event", "open", "incident"], ["judge", "replay"],
                                   ["config", "check"], ["import", "gatus"], ["run", "-c", "none.yaml"]])
def test_help_behind_other_words(words, tmp_path):
    out = run(tmp_path, *words, "--help")
    assert out.returncode == 0 and out.stdout.startswith(f"usage: glasshouse {words[0]} ") and not out.stderr


@pytest.mark.parametrize("command", ["try", "plan", "sweep", "ledger", "simulate"])
def test_help(command, tmp_path):
    out = run(tmp_path, command, "--help")
    assert out.returncode == 0 and "example:" in out.stdout
